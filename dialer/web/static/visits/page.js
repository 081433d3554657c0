// The pages of visits: each form is kept on the phone first and sent from there, and the page says how far that is.

import { flush, hasOthers, is_shell, keep, mine, owner, remove, roomForPhoto, standing, words } from "./outbox.js";
import { drawn, shrunk } from "./photo.js";
import * as store from "./store.js";

const RANKS = ["none", "accepted", "on_the_way", "arrived", "seen"];
const THUMB = 192;
const LARGE = 1600;
const LOOK_MS = 20_000;
const DRAFT_MS = 400;
const UNTOUCHED_MS = 600_000;
const MOST_PHOTO_BYTES = 8 * 1024 * 1024;

const deeds = document.querySelector("[data-deeds]");
const list = document.querySelector("[data-list]");
const kept = document.getElementById("kept");
const next = document.querySelector("[data-next]");
const at = Number(/^\/visits\/(\d+)/.exec(location.pathname)?.[1] ?? 0);

let keeps = "indexedDB" in window;
let served = false;

document.documentElement.dataset.scripted = "";

const element = (tag, name = "", text = "") => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
};

// ---- what is entered

function visitOf(form) {
  return at || Number(/\/visits\/(\d+)\//.exec(form.getAttribute("action"))[1]);
}

function fieldsOf(form, button) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && !["csrf", "client_id", "told_at"].includes(name)) fields[name] = value;
  }
  if (button?.name) fields[button.name] = button.value;
  return fields;
}

function lacks(form, fields) {
  if (form.dataset.deed !== "report") return "";
  const has_money = ["intended", "stopped", "returned"].some((name) => Number(fields[name] || 0) > 0);
  return has_money && !fields.evidence.trim() ? words.evidence : "";
}

async function enter(form, button) {
  const deed = form.dataset.deed;
  const fields = fieldsOf(form, button);
  const problem = lacks(form, fields);
  if (problem) return complain(form, problem);
  const visit = visitOf(form);
  await keep(visit, deed, fields);
  await dropDrafts(form);
  form.reset();
  complain(form, "");
  if (list) {
    await flush();
    location.href = `/visits/${visit}`;
  }
}

function complain(form, text) {
  let said = form.querySelector(".problem");
  if (!said && text) {
    said = element("p", "problem");
    said.setAttribute("role", "alert");
    form.append(said);
  }
  if (said) said.textContent = text;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form");
  if (form.matches("[data-photo]")) {
    event.preventDefault();
    await show(form);
  } else if (form.matches("[data-deed]") && form.dataset.deed !== "photo") {
    if (!keeps) return;
    event.preventDefault();
    await enter(form, event.submitter);
  }
});

// Known before anything can be submitted: a form that cannot be kept goes to the server as it is.
store.usable().then((usable) => {
  keeps = usable;
  if (!usable) say(words.unkept, true);
});

document.addEventListener("change", async (event) => {
  const input = event.target;
  const form = input.closest?.('form[data-deed="photo"]');
  if (!form || !input.files?.length || !keeps) return;
  complain(form, "");
  for (const file of input.files) {
    const photo = await shrunk(file);
    if (photo === null) complain(form, words.unread);
    else if (photo.byteLength > MOST_PHOTO_BYTES) complain(form, words.large);
    else if (!(await roomForPhoto())) complain(form, words.full);
    else await keep(visitOf(form), "photo", {}, photo);
  }
  input.value = "";
});

// ---- words that are still being typed

const draftKey = (field) => `${owner}/${at}/${field.dataset.draft}`;
const typing = new Map();

document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-draft]");
  if (!field || !at || !keeps) return;
  window.clearTimeout(typing.get(field));
  typing.set(field, window.setTimeout(() => keepTyped(field), DRAFT_MS));
});

function keepTyped(field) {
  window.clearTimeout(typing.get(field));
  typing.delete(field);
  const key = draftKey(field);
  return field.value
    ? store.keepDraft({ key, owner, made: Date.now(), text: field.value })
    : store.dropDraft(key);
}

window.addEventListener("pagehide", () => { for (const field of [...typing.keys()]) keepTyped(field); });

async function dropDrafts(form) {
  for (const field of form.querySelectorAll("[data-draft]")) {
    window.clearTimeout(typing.get(field));
    typing.delete(field);
    if (at) await store.dropDraft(draftKey(field));
  }
}

async function bringDrafts() {
  const found = new Map((await store.drafts()).map((draft) => [draft.key, draft.text]));
  for (const field of document.querySelectorAll("[data-draft]")) {
    const text = found.get(draftKey(field));
    if (text && !field.value) field.value = text;
  }
}

// ---- what is kept, sent and refused

const lines = new Map();

function textOf(act) {
  const { fields } = act;
  const chosen = (name) => {
    const value = fields[name];
    const input = document.querySelector(`[name="${name}"][value="${CSS.escape(value)}"]`);
    return (input?.closest("label") ?? input)?.textContent.trim() || value;
  };
  switch (act.deed) {
    case "step": return words.step[fields.stage] ?? fields.stage;
    case "seen": return [words.seen, chosen("who"), fields.note].filter(Boolean).join(" ");
    case "note": return `${words.note} ${fields.words}`;
    case "photo": return words.photo;
    case "report": return [words.report, chosen("outcome"), fields.note].filter(Boolean).join(" ");
  }
  return act.deed;
}

async function line(act) {
  if (!kept || (act.visit !== at && (at || !is_shell))) return;
  let item = lines.get(act.id);
  if (!item) {
    item = element("li");
    lines.set(act.id, item);
    kept.querySelector("ol").append(item);
    kept.hidden = false;
    const text = element("div", "kept-words", textOf(act));
    if (!at) text.prepend(link(act.visit), " ");
    item.append(text, element("span", "state"));
    if (act.photo) {
      try {
        text.prepend(await drawn(new Blob([act.photo]), THUMB, words.photo));
      } catch { /* its name is enough */ }
    }
  }
  mark(item, act);
}

function link(visit) {
  const made = element("a", "", `${words.visit} ${visit}`);
  made.href = `/visits/${visit}`;
  return made;
}

function mark(item, act) {
  const state = item.querySelector(".state");
  state.className = { waiting: "state state-open", sent: "state state-live", refused: "state state-trouble" }[act.state];
  state.textContent = words[act.state];
  item.querySelector(".why")?.remove();
  item.querySelector(".acts")?.remove();
  if (act.state !== "refused") return;
  const acts = element("div", "acts");
  const back = element("button", "button button-plain", words.back);
  const gone = element("button", "button button-quiet", words.remove);
  back.type = gone.type = "button";
  back.addEventListener("click", () => putBack(act));
  gone.addEventListener("click", () => remove(act));
  acts.append(element("p", "problem", act.why), ...(["note", "seen", "report"].includes(act.deed) ? [back] : []), gone);
  item.append(acts);
}

async function putBack(act) {
  const form = document.querySelector(`form[data-deed="${act.deed}"]`);
  if (!form) return;
  for (const [name, value] of Object.entries(act.fields)) {
    for (const field of form.querySelectorAll(`[name="${name}"]:not(button)`)) {
      if (field.type === "radio") field.checked = field.value === value;
      else field.value = value;
    }
  }
  for (const more of form.querySelectorAll("details")) more.open = true;
  for (const field of form.querySelectorAll("[data-draft]")) await keepTyped(field);
  await remove(act);
  form.scrollIntoView({ block: "center" });
}

function advance(stage) {
  if (!next || !stage) return;
  const now = next.dataset.stage;
  if (now !== "unknown" && RANKS.indexOf(stage) <= RANKS.indexOf(now)) return;
  next.dataset.stage = stage;
  const rank = RANKS.indexOf(stage);
  for (const step of document.querySelectorAll(".stages [data-rank]")) {
    if (Number(step.dataset.rank) <= rank) step.classList.add("past");
  }
}

const stageOf = (act) => (act.deed === "step" ? act.fields.stage : act.deed === "seen" ? "seen" : "");

function over() {
  if (next) next.dataset.stage = "over";
}

/** Beside the thumb, where whoever has just pressed something looks. */
function remark(act) {
  const said = document.querySelector("[data-kept-said]");
  if (said && act.visit === at) said.textContent = `${textOf(act)} · ${words[act.state]}`;
}

document.addEventListener("outbox:kept", async ({ detail: { act } }) => {
  await line(act);
  remark(act);
  if (act.visit === at) {
    advance(stageOf(act));
    if (act.deed === "report") {
      over();
      kept.scrollIntoView({ block: "start" });
    }
  }
  await count();
});

document.addEventListener("outbox:sent", async ({ detail: { act, told } }) => {
  await count();
  served = true;
  if (act.visit !== at) return;
  await line({ ...act, state: "sent" });
  remark({ ...act, state: "sent" });
  if (told.state === "done" || told.state === "withdrawn") over();
  else advance(told.stage);
  if (is_shell) return;
  refresh("head");
  if (act.deed === "step" && act.fields.stage === "accepted") refresh("hand");
});

document.addEventListener("outbox:refused", async ({ detail: { act } }) => {
  await line(act);
  remark(act);
  if (act.visit === at && next && act.deed === "report") next.dataset.stage = "seen";
  if (act.visit === at && !is_shell) refresh("head");
  await count();
});

document.addEventListener("outbox:removed", async ({ detail: { act } }) => {
  lines.get(act.id)?.remove();
  lines.delete(act.id);
  if (kept && !lines.size) kept.hidden = true;
  await count();
});

document.addEventListener("outbox:standing", ({ detail: { as } }) => {
  if (as === "away") document.getElementById("hand")?.replaceChildren();
  tellStanding(as);
});

async function tellStanding(as) {
  // The shell has done its work: with the connection the page itself is there again.
  if (is_shell && as === "" && served) location.reload();
  if (as === "" || as === "sending") return say((await hasOthers()) ? words.others : "");
  say(words[as], as === "away");
}

function say(text, with_sign_in = false) {
  const said = document.querySelector("[data-outbox-said]");
  if (!said) return;
  said.replaceChildren(text ?? "");
  if (with_sign_in && text !== words.unkept) {
    const link = element("a", "", words.sign_in);
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
    said.append(" ", link);
  }
  said.hidden = !text;
}

window.addEventListener("offline", () => say(words.offline));

/** On the list: which visits have something that is not sent yet. */
async function count() {
  const cards = document.querySelectorAll("[data-card]");
  if (!cards.length) return;
  const waiting = await mine();
  for (const card of cards) {
    const many = waiting.filter((act) => String(act.visit) === card.dataset.card).length;
    const said = card.querySelector("[data-card-kept]");
    said.hidden = !many;
    said.textContent = many ? `${words.waiting} ${many}` : "";
  }
}

// ---- what the server knows by now

async function refresh(part) {
  const target = document.getElementById(part);
  if (!target || !navigator.onLine) return;
  const text = await asked(`${location.pathname}?part=${part}`);
  if (text === null) return;
  target.innerHTML = text;
  window.htmx?.process(target);
  for (const act of await mine()) if (act.visit === at) advance(stageOf(act));
}

async function asked(path) {
  try {
    const answer = await fetch(path, { headers: { "HX-Request": "true" }, cache: "no-store", redirect: "error" });
    if (answer.status === 401) signedOut();
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

/** The server says that nobody is signed in here any more: nobody's name stays on the screen. */
function signedOut() {
  document.getElementById("hand")?.replaceChildren();
  say(words.away, true);
}

// A page that nobody touches does not keep its session alive.
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "scroll"]) {
  window.addEventListener(sign, () => { touched = Date.now(); }, { passive: true });
}

async function look() {
  if (document.visibilityState !== "visible" || !navigator.onLine || Date.now() - touched > UNTOUCHED_MS) return;
  if (document.activeElement?.closest("#found, #head")) return;
  if (list) {
    const text = await asked(list.dataset.list);
    if (text === null) return;
    list.innerHTML = text;
    await count();
  } else if (at && !is_shell) {
    await refresh("head");
  }
}

async function show(form) {
  const tile = form.querySelector(".photo-tile");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (!answer.ok) throw new Error(String(answer.status));
    const picture = await drawn(await answer.blob(), LARGE, tile.textContent.trim());
    form.closest("li").classList.add("shown");
    form.replaceWith(picture);
  } catch {
    complain(form, navigator.onLine ? words.later : words.offline);
  }
}

document.querySelector("[data-reload]")?.addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});

async function begin() {
  if (is_shell && !at) {
    deeds.hidden = true;
    next.hidden = true;
  }
  if (await store.usable()) {
    for (const act of await mine()) {
      await line(act);
      if (act.visit === at && act.state === "waiting") {
        advance(stageOf(act));
        if (act.deed === "report") over();
      }
    }
    await bringDrafts();
    await count();
    tellStanding(navigator.onLine ? standing() : "offline");
  }
  window.setInterval(look, LOOK_MS);
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits", type: "classic" }).catch(() => {});
  }
}

begin();
