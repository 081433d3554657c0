// Acts leave in the order in which they were done, each under the number that it got here, until the server has
// answered. An answer that is not the service's own, such as the page of a hot spot, does not count.

import * as store from "./store.js";

const KEPT_MS = 72 * 3600 * 1000; // longer than any visit: what is older is deleted unsent
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 60_000;
const PATIENCE_MS = 30_000;
const PHOTO_PATIENCE_MS = 180_000;
const MOST_PHOTOS = 24;
const OWNER_KEY = "visits-owner";

const place = document.getElementById("outbox");
export const words = JSON.parse(place.dataset.words);
/** The offline shell was made long ago, perhaps for somebody else: the text belongs to who signed in last. */
export const isShell = document.querySelector('[data-deeds][data-visit=""]') !== null;
export const owner = Number(isShell ? localStorage.getItem(OWNER_KEY) : place.dataset.owner);
if (!isShell) localStorage.setItem(OWNER_KEY, String(owner));

let running = null;
let again = false;
let wait = FIRST_WAIT_MS;
let timer = 0;
let current = "";

const announce = (name, detail) => document.dispatchEvent(new CustomEvent(`outbox:${name}`, { detail }));

/** 'offline', 'sending', 'away', 'later' or '' (nothing to show). */
export const currentState = () => current;

function setState(as) {
  current = as;
  announce("state", { as });
}

// Not randomUUID: in a closed network a page may be served without TLS, where browsers do not have it.
function newActId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Stores an act on the phone's disk before it resolves. `photo` is an ArrayBuffer. */
export async function storeAct(visit, deed, fields, photo = null) {
  const act = {
    id: newActId(), owner, visit, deed, fields, photo,
    told_at: new Date().toISOString(), made: Date.now(), state: "waiting", why: "",
  };
  act.n = await store.add(act);
  navigator.storage?.persist?.();
  announce("kept", { act });
  wait = FIRST_WAIT_MS;
  flush();
  return act;
}

/** The acts of this account that are still stored here, oldest first. */
export async function ownActs() {
  return (await store.acts()).filter((act) => act.owner === owner);
}

export async function hasOthers() {
  return (await store.acts()).some((act) => act.owner !== owner);
}

export const roomForPhoto = async () => (await store.acts()).filter((act) => act.photo).length < MOST_PHOTOS;

export async function remove(act) {
  await store.remove(act.n);
  announce("removed", { act });
}

/** Deletes everything of this account from the phone. */
export async function forgetOwn() {
  for (const act of await ownActs()) await store.remove(act.n);
  for (const draft of await store.drafts()) if (draft.owner === owner) await store.dropDraft(draft.key);
  localStorage.removeItem(OWNER_KEY);
}

async function forgetOld() {
  const before = Date.now() - KEPT_MS;
  for (const act of await store.acts()) if (act.made < before) await store.remove(act.n);
  for (const draft of await store.drafts()) if (draft.made < before) await store.dropDraft(draft.key);
}

/** Sends everything that waits, as far as possible now, before it resolves. */
export function flush() {
  again = true;
  running ??= run().finally(() => { running = null; });
  return running;
}

async function run() {
  window.clearTimeout(timer);
  try {
    while (again) {
      again = false;
      // One tab at a time, where the browser has locks; without them the server still counts each act once.
      const done = navigator.locks ? await navigator.locks.request("visits", send) : await send();
      if (!done) break;
    }
  } catch {
    retryLater("offline");
  }
}

function retryLater(as) {
  setState(as);
  window.clearTimeout(timer);
  timer = window.setTimeout(flush, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** Stops sending for now; without a new sign-in it is useless to try again. */
function stopSending(as) {
  if (as === "away") setState(as);
  else retryLater(as);
  return false;
}

/** Whether all that could be sent was. */
async function send() {
  await forgetOld();
  let waiting = (await ownActs()).filter((act) => act.state === "waiting");
  if (!waiting.length) {
    setState("");
    return true;
  }
  if (!navigator.onLine) return stopSending("offline");
  setState("sending");
  const pulse = await ask("/visits/pulse", {}, PATIENCE_MS);
  // If somebody else is signed in by now nothing is sent: it would be recorded under the wrong name.
  if (pulse.status === 401 || (pulse.status === 200 && pulse.body.owner !== owner)) return stopSending("away");
  if (pulse.status !== 200) return stopSending(pulse.status ? "later" : "offline");
  while (waiting.length) {
    for (const act of waiting) {
      const answer = await post(act, pulse.body.csrf);
      if (answer.status === 401 || answer.status === 403) return stopSending("away");
      if (!(await settle(act, answer))) return stopSending(answer.status ? "later" : "offline");
    }
    waiting = (await ownActs()).filter((act) => act.state === "waiting");
  }
  wait = FIRST_WAIT_MS;
  setState("");
  return true;
}

async function settle(act, { status, body }) {
  if (status === 200) {
    await store.remove(act.n);
    announce("sent", { act, body });
    return true;
  }
  const refused = body?.refused ?? (status === 413 ? words.too_large : "");
  if (!refused || status >= 500) return false;
  const kept = { ...act, state: "refused", why: refused };
  await store.put(kept);
  announce("refused", { act: kept });
  return true;
}

function post(act, csrf) {
  const body = new FormData();
  for (const [name, value] of Object.entries(act.fields)) body.append(name, value);
  body.append("client_id", act.id);
  body.append("told_at", act.told_at);
  if (act.photo) body.append("photo", new Blob([act.photo], { type: "image/jpeg" }), "photo.jpg");
  const patience = act.photo ? PHOTO_PATIENCE_MS : PATIENCE_MS;
  return ask(`/visits/${act.visit}/${act.deed}`, { method: "POST", body, headers: { "X-CSRF-Token": csrf } }, patience);
}

/** The status, 0 if the answer was not the service's own, and the body of the answer. */
async function ask(path, how, patience) {
  const clock = new AbortController();
  const stop = window.setTimeout(() => clock.abort(), patience);
  try {
    const answer = await fetch(path, {
      ...how, signal: clock.signal, cache: "no-store", redirect: "error",
      headers: { "HX-Request": "true", ...how.headers },
    });
    const isOurs = (answer.headers.get("content-type") ?? "").includes("json");
    if (isOurs) return { status: answer.status, body: await answer.json() };
    const isKnown = [401, 403, 413].includes(answer.status) || answer.status >= 500;
    return { status: isKnown ? answer.status : 0, body: null };
  } catch {
    return { status: 0, body: null };
  } finally {
    window.clearTimeout(stop);
  }
}

window.addEventListener("online", () => { wait = FIRST_WAIT_MS; flush(); });
window.addEventListener("pageshow", flush);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") { wait = FIRST_WAIT_MS; flush(); }
});
