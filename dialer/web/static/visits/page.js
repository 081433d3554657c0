// The pages of visits: each form is stored on the phone first and sent from there, and the page shows how far that is.

import { dropDrafts, keepDrafts } from "./drafts.js";
import { at, complain, element } from "./here.js";
import { dropLine, kept, line, remark } from "./lines.js";
import { flush, hasOthers, isShell, keep, mine, owner, roomForPhoto, standing, words } from "./outbox.js";
import { drawn, shrunk } from "./photo.js";
import * as store from "./store.js";

const RANKS = ["none", "accepted", "on_the_way", "arrived", "seen"];
const LARGE = 1600;
const LOOK_MS = 20_000;
const PATIENCE_MS = 4000;
const UNTOUCHED_MS = 600_000;
const MOST_PHOTO_BYTES = 8 * 1024 * 1024;

const deeds = document.querySelector("[data-deeds]");
const list = document.querySelector("[data-list]");
const next = document.querySelector("[data-next]");

let keeps = "indexedDB" in window;
let served = false;
let inHands = "";

document.documentElement.dataset.scripted = "";

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
  const rank = RANKS.indexOf(next?.dataset.stage);
  if (form.dataset.deed === "seen" && rank >= 0 && rank < RANKS.indexOf("arrived")) return words.arrive;
  if (form.dataset.deed !== "report") return "";
  const hasMoney = ["intended", "stopped", "returned"].some((name) => Number(fields[name] || 0) > 0);
  const hasEvidence = fields.evidence.trim() && fields.evidence_kind && Number(fields.evidence_yuan || 0) > 0;
  return hasMoney && !hasEvidence ? words.evidence : "";
}

async function enter(form, button) {
  const deed = form.dataset.deed;
  const fields = fieldsOf(form, button);
  const problem = lacks(form, fields);
  if (problem) return complain(form, problem);
  const visit = visitOf(form);
  if (!(await isKept(form, () => keep(visit, deed, fields)))) return;
  await dropDrafts(form);
  form.reset();
  complain(form, "");
  if (list) {
    if (button) button.disabled = true;
    await Promise.race([flush(), new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))]);
    location.href = `/visits/${visit}`;
  }
}

/** Whether the act is on the phone's disk. If not, it stays in its form, and the page says so. */
async function isKept(form, keeping) {
  try {
    await keeping();
    return true;
  } catch {
    complain(form, words.no_room);
    return false;
  }
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

// Known before anything can be submitted: a form that cannot be stored goes to the server as it is.
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
    else await isKept(form, () => keep(visitOf(form), "photo", {}, photo));
  }
  input.value = "";
});

// ---- how far the visit is

/** Shows the next step to take, and the line above it, once this one has been done here. */
function advance(stage) {
  if (!next || !stage) return;
  const now = next.dataset.stage;
  if (now === "over") return;
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
  if (isShell) return;
  refresh("head");
  if (act.deed === "step" && act.fields.stage === "accepted") refresh("hand");
});

document.addEventListener("outbox:refused", async ({ detail: { act } }) => {
  await line(act);
  remark(act);
  // A step is refused when somebody else has the visit: there is no next step.
  if (act.visit === at && next && act.deed === "report") next.dataset.stage = "seen";
  if (act.visit === at && act.deed === "step") over();
  // Without the arrival nobody can have been met: the arrival comes first.
  if (act.visit === at && act.deed === "seen" && next?.dataset.stage === "seen") next.dataset.stage = "on_the_way";
  if (act.visit === at && !isShell) refresh("head");
  await count();
});

document.addEventListener("outbox:removed", async ({ detail: { act } }) => {
  dropLine(act);
  await count();
});

document.addEventListener("outbox:standing", ({ detail: { as } }) => {
  if (as === "away") document.getElementById("hand")?.replaceChildren();
  tellStanding(as);
});

async function tellStanding(as) {
  // The shell is no longer needed: with a connection the page itself can be loaded.
  if (isShell && as === "" && served) location.reload();
  if (as === "" || as === "sending") return say((await hasOthers()) ? words.others : "");
  say(words[as], as === "away");
}

function say(text, withSignIn = false) {
  const said = document.querySelector("[data-outbox-said]");
  if (!said) return;
  said.replaceChildren(text ?? "");
  if (withSignIn && text !== words.unkept) {
    const link = element("a", "", words.sign_in);
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
    said.append(" ", link);
  }
  said.hidden = !text;
}

window.addEventListener("offline", () => say(words.offline));

/** On the list: marks the visits that have something unsent. */
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

const handsOf = () => document.querySelector("#head [data-hands]")?.dataset.hands;

async function refresh(part) {
  const target = document.getElementById(part);
  if (!target || !navigator.onLine) return;
  const text = await asked(`${location.pathname}?part=${part}`);
  if (text === null) return;
  target.innerHTML = text;
  window.htmx?.process(target);
  for (const act of await mine()) if (act.visit === at && act.state === "waiting") advance(stageOf(act));
  if (part === "head") await follow(handsOf());
}

/** Somebody else has the visit now, or it is over: no name stays on the page, and there is no next step. */
async function follow(hands) {
  const had = inHands === "mine" && hands !== "mine";
  const isWanted = hands === "free" || hands === "mine";
  inHands = hands;
  if (next && !isWanted) over();
  if (next && had && hands === "free") next.dataset.stage = "none";
  if (had) await refresh("hand");
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

/** The server reports that nobody is signed in here any more: no name stays on the screen. */
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
  } else if (at && !isShell) {
    await refresh("head");
  }
}

async function show(form) {
  const tile = form.querySelector(".photo-tile");
  complain(form, "");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, redirect: "error",
    });
    if (answer.status === 401) return signedOut();
    if (!answer.ok) {
      const isOurs = (answer.headers.get("content-type") ?? "").includes("json");
      return complain(form, isOurs ? (await answer.json()).refused : words.later);
    }
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
  inHands = handsOf() ?? "";
  if (isShell && !(at && owner)) {
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
    await keepDrafts();
    await count();
    tellStanding(navigator.onLine ? standing() : "offline");
  }
  window.setInterval(look, LOOK_MS);
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits", type: "classic" }).catch(() => {});
  }
}

begin();
