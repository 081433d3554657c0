// The pages of visits: each form is stored on the phone first and sent from there, and the page shows how far that is.

import { dropDrafts, keepDrafts } from "./drafts.js";
import { visitId, showProblem, element } from "./here.js";
import { dropLine, kept, showLine, showRemark } from "./lines.js";
import { flush, hasOthers, isShell, storeAct, ownActs, owner, roomForPhoto, currentState, words } from "./outbox.js";
import { pictureOf, shrinkPhoto } from "./photo.js";
import * as store from "./store.js";

const RANKS = ["none", "accepted", "on_the_way", "arrived", "seen"];
const LARGE = 1600;
const POLL_MS = 20_000;
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
  return visitId || Number(/\/visits\/(\d+)\//.exec(form.getAttribute("action"))[1]);
}

function fieldsOf(form, button) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && !["csrf", "client_id", "told_at"].includes(name)) fields[name] = value;
  }
  if (button?.name) fields[button.name] = button.value;
  return fields;
}

function missingIn(form, fields) {
  const rank = RANKS.indexOf(next?.dataset.stage);
  if (form.dataset.deed === "seen" && rank >= 0 && rank < RANKS.indexOf("arrived")) return words.arrive;
  if (form.dataset.deed !== "report") return "";
  const hasMoney = ["intended", "stopped", "returned"].some((name) => Number(fields[name] || 0) > 0);
  const hasEvidence = fields.evidence.trim() && fields.evidence_kind && Number(fields.evidence_yuan || 0) > 0;
  return hasMoney && !hasEvidence ? words.evidence : "";
}

async function submitDeed(form, button) {
  const deed = form.dataset.deed;
  const fields = fieldsOf(form, button);
  const problem = missingIn(form, fields);
  if (problem) return showProblem(form, problem);
  const visit = visitOf(form);
  if (!(await isKept(form, () => storeAct(visit, deed, fields)))) return;
  await dropDrafts(form);
  form.reset();
  showProblem(form, "");
  if (list) {
    if (button) button.disabled = true;
    await Promise.race([flush(), new Promise((resolve) => window.setTimeout(resolve, PATIENCE_MS))]);
    location.href = `/visits/${visit}`;
  }
}

/** Whether the act is on the phone's disk. If not, it stays in its form, and the page says so. */
async function isKept(form, storing) {
  try {
    await storing();
    return true;
  } catch {
    showProblem(form, words.no_room);
    return false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form");
  if (form.matches("[data-photo]")) {
    event.preventDefault();
    await showPhoto(form);
  } else if (form.matches("[data-deed]") && form.dataset.deed !== "photo") {
    if (!keeps) return;
    event.preventDefault();
    await submitDeed(form, event.submitter);
  }
});

// Known before anything can be submitted: a form that cannot be stored goes to the server as it is.
store.usable().then((usable) => {
  keeps = usable;
  if (!usable) showStatus(words.unkept, true);
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "outcome") return;
  // Who met nobody cannot say whether a scammer was in contact.
  const asked = event.target.form.querySelector("[data-scammer]");
  asked.hidden = asked.disabled = !("met" in event.target.dataset);
  for (const one of asked.querySelectorAll("input")) one.required = !asked.disabled;
});

document.addEventListener("change", async (event) => {
  const input = event.target;
  const form = input.closest?.('form[data-deed="photo"]');
  if (!form || !input.files?.length || !keeps) return;
  showProblem(form, "");
  for (const file of input.files) {
    const photo = await shrinkPhoto(file);
    if (photo === null) showProblem(form, words.unread);
    else if (photo.byteLength > MOST_PHOTO_BYTES) showProblem(form, words.large);
    else if (!(await roomForPhoto())) showProblem(form, words.full);
    else await isKept(form, () => storeAct(visitOf(form), "photo", {}, photo));
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

function markOver() {
  if (next) next.dataset.stage = "over";
}

document.addEventListener("outbox:kept", async ({ detail: { act } }) => {
  await showLine(act);
  showRemark(act);
  if (act.visit === visitId) {
    advance(stageOf(act));
    if (act.deed === "report") {
      markOver();
      kept.scrollIntoView({ block: "start" });
    }
  }
  await markUnsent();
});

document.addEventListener("outbox:sent", async ({ detail: { act, body } }) => {
  await markUnsent();
  served = true;
  if (act.visit !== visitId) return;
  await showLine({ ...act, state: "sent" });
  showRemark({ ...act, state: "sent" });
  if (body.state === "done" || body.state === "withdrawn") markOver();
  else advance(body.stage);
  if (isShell) return;
  refresh("head");
  if (act.deed === "step" && act.fields.stage === "accepted") refresh("hand");
});

document.addEventListener("outbox:refused", async ({ detail: { act } }) => {
  await showLine(act);
  showRemark(act);
  // A step is refused when somebody else has the visit: there is no next step.
  if (act.visit === visitId && next && act.deed === "report") next.dataset.stage = "seen";
  if (act.visit === visitId && act.deed === "step") markOver();
  // Without the arrival nobody can have been met: the arrival comes first.
  if (act.visit === visitId && act.deed === "seen" && next?.dataset.stage === "seen") next.dataset.stage = "on_the_way";
  if (act.visit === visitId && !isShell) refresh("head");
  await markUnsent();
});

document.addEventListener("outbox:removed", async ({ detail: { act } }) => {
  dropLine(act);
  await markUnsent();
});

document.addEventListener("outbox:state", ({ detail: { as } }) => {
  if (as === "away") document.getElementById("hand")?.replaceChildren();
  showState(as);
});

async function showState(as) {
  // The shell is no longer needed: with a connection the page itself can be loaded.
  if (isShell && as === "" && served) location.reload();
  if (as === "" || as === "sending") return showStatus((await hasOthers()) ? words.others : "");
  showStatus(words[as], as === "away");
}

function showStatus(text, withSignIn = false) {
  const status = document.querySelector("[data-outbox-said]");
  if (!status) return;
  status.replaceChildren(text ?? "");
  if (withSignIn && text !== words.unkept) {
    const link = element("a", "", words.sign_in);
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
    status.append(" ", link);
  }
  status.hidden = !text;
}

window.addEventListener("offline", () => showStatus(words.offline));

/** On the list: marks the visits that have something unsent. */
async function markUnsent() {
  const cards = document.querySelectorAll("[data-card]");
  if (!cards.length) return;
  const waiting = await ownActs();
  for (const card of cards) {
    const many = waiting.filter((act) => String(act.visit) === card.dataset.card).length;
    const status = card.querySelector("[data-card-kept]");
    status.hidden = !many;
    status.textContent = many ? `${words.waiting} ${many}` : "";
  }
}

// ---- what the server knows by now

const handsOf = () => document.querySelector("#head [data-hands]")?.dataset.hands;

async function refresh(part) {
  const target = document.getElementById(part);
  if (!target || !navigator.onLine) return;
  const text = await fetchPart(`${location.pathname}?part=${part}`);
  if (text === null) return;
  target.innerHTML = text;
  window.htmx?.process(target);
  for (const act of await ownActs()) if (act.visit === visitId && act.state === "waiting") advance(stageOf(act));
  if (part === "head") await follow(handsOf());
}

/** Somebody else has the visit now, or it is over: no name stays on the page, and there is no next step. */
async function follow(hands) {
  const had = inHands === "mine" && hands !== "mine";
  const isWanted = hands === "free" || hands === "mine";
  inHands = hands;
  if (next && !isWanted) markOver();
  if (next && had && hands === "free") next.dataset.stage = "none";
  if (had) await refresh("hand");
}

async function fetchPart(path) {
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
  showStatus(words.away, true);
}

// A page that nobody touches does not keep its session alive.
let touched = Date.now();
for (const sign of ["pointerdown", "keydown", "scroll"]) {
  window.addEventListener(sign, () => { touched = Date.now(); }, { passive: true });
}

async function poll() {
  if (document.visibilityState !== "visible" || !navigator.onLine || Date.now() - touched > UNTOUCHED_MS) return;
  if (document.activeElement?.closest("#found, #head")) return;
  if (list) {
    const text = await fetchPart(list.dataset.list);
    if (text === null) return;
    list.innerHTML = text;
    await markUnsent();
  } else if (visitId && !isShell) {
    await refresh("head");
  }
}

async function showPhoto(form) {
  const tile = form.querySelector(".photo-tile");
  showProblem(form, "");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, redirect: "error",
    });
    if (answer.status === 401) return signedOut();
    if (!answer.ok) {
      const isOurs = (answer.headers.get("content-type") ?? "").includes("json");
      return showProblem(form, isOurs ? (await answer.json()).refused : words.later);
    }
    const picture = await pictureOf(await answer.blob(), LARGE, tile.textContent.trim());
    form.closest("li").classList.add("shown");
    form.replaceWith(picture);
  } catch {
    showProblem(form, navigator.onLine ? words.later : words.offline);
  }
}

document.querySelector("[data-reload]")?.addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});

async function begin() {
  inHands = handsOf() ?? "";
  if (isShell && !(visitId && owner)) {
    deeds.hidden = true;
    next.hidden = true;
  }
  if (await store.usable()) {
    for (const act of await ownActs()) {
      await showLine(act);
      if (act.visit === visitId && act.state === "waiting") {
        advance(stageOf(act));
        if (act.deed === "report") markOver();
      }
    }
    await keepDrafts();
    await markUnsent();
    showState(navigator.onLine ? currentState() : "offline");
  }
  window.setInterval(poll, POLL_MS);
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits", type: "classic" }).catch(() => {});
  }
}

begin();
