// Acts leave in the order in which they were done, each under the number that it got here, until the server has
// answered. An answer that is not the service's own, such as the page of a hot spot, does not count.

import * as store from "./store.js";

const KEPT_MS = 72 * 3600 * 1000; // longer than any visit: what is older is deleted unsent
const FIRST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 60_000;
const PATIENCE_MS = 30_000;
const PHOTO_PATIENCE_MS = 180_000;
const MOST_PHOTOS = 24;
const LAST = "visits-owner";

const place = document.getElementById("outbox");
export const words = JSON.parse(place.dataset.words);
/** The offline shell was made long ago, perhaps for somebody else: the text belongs to who signed in last. */
export const isShell = document.querySelector('[data-deeds][data-visit=""]') !== null;
export const owner = Number(isShell ? localStorage.getItem(LAST) : place.dataset.owner);
if (!isShell) localStorage.setItem(LAST, String(owner));

let running = null;
let again = false;
let wait = FIRST_WAIT_MS;
let timer = 0;
let said = "";

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`outbox:${name}`, { detail }));

/** 'offline', 'sending', 'away', 'later' or '' (nothing to show). */
export const standing = () => said;

function stand(as) {
  said = as;
  tell("standing", { as });
}

// Not randomUUID: in a closed network a page may be served without TLS, where browsers do not have it.
function number() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Stores an act on the phone's disk before it resolves. `photo` is an ArrayBuffer. */
export async function keep(visit, deed, fields, photo = null) {
  const act = {
    id: number(), owner, visit, deed, fields, photo,
    told_at: new Date().toISOString(), made: Date.now(), state: "waiting", why: "",
  };
  act.n = await store.add(act);
  navigator.storage?.persist?.();
  tell("kept", { act });
  wait = FIRST_WAIT_MS;
  flush();
  return act;
}

/** The acts of this account that are still stored here, oldest first. */
export async function mine() {
  return (await store.acts()).filter((act) => act.owner === owner);
}

export async function hasOthers() {
  return (await store.acts()).some((act) => act.owner !== owner);
}

export const roomForPhoto = async () => (await store.acts()).filter((act) => act.photo).length < MOST_PHOTOS;

export async function remove(act) {
  await store.remove(act.n);
  tell("removed", { act });
}

/** Deletes everything of this account from the phone. */
export async function forgetMine() {
  for (const act of await mine()) await store.remove(act.n);
  for (const draft of await store.drafts()) if (draft.owner === owner) await store.dropDraft(draft.key);
  localStorage.removeItem(LAST);
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
    later("offline");
  }
}

function later(as) {
  stand(as);
  window.clearTimeout(timer);
  timer = window.setTimeout(flush, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** Stops sending for now; without a new sign-in it is useless to try again. */
function halt(as) {
  if (as === "away") stand(as);
  else later(as);
  return false;
}

/** Whether all that could be sent was. */
async function send() {
  await forgetOld();
  let waiting = (await mine()).filter((act) => act.state === "waiting");
  if (!waiting.length) {
    stand("");
    return true;
  }
  if (!navigator.onLine) return halt("offline");
  stand("sending");
  const pulse = await ask("/visits/pulse", {}, PATIENCE_MS);
  // If somebody else is signed in by now nothing is sent: it would be recorded under the wrong name.
  if (pulse.status === 401 || (pulse.status === 200 && pulse.told.owner !== owner)) return halt("away");
  if (pulse.status !== 200) return halt(pulse.status ? "later" : "offline");
  while (waiting.length) {
    for (const act of waiting) {
      const answer = await post(act, pulse.told.csrf);
      if (answer.status === 401 || answer.status === 403) return halt("away");
      if (!(await settle(act, answer))) return halt(answer.status ? "later" : "offline");
    }
    waiting = (await mine()).filter((act) => act.state === "waiting");
  }
  wait = FIRST_WAIT_MS;
  stand("");
  return true;
}

async function settle(act, { status, told }) {
  if (status === 200) {
    await store.remove(act.n);
    tell("sent", { act, told });
    return true;
  }
  const refused = told?.refused ?? (status === 413 ? words.too_large : "");
  if (!refused || status >= 500) return false;
  const kept = { ...act, state: "refused", why: refused };
  await store.put(kept);
  tell("refused", { act: kept });
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
    if (isOurs) return { status: answer.status, told: await answer.json() };
    const isKnown = [401, 403, 413].includes(answer.status) || answer.status >= 500;
    return { status: isKnown ? answer.status : 0, told: null };
  } catch {
    return { status: 0, told: null };
  } finally {
    window.clearTimeout(stop);
  }
}

window.addEventListener("online", () => { wait = FIRST_WAIT_MS; flush(); });
window.addEventListener("pageshow", flush);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") { wait = FIRST_WAIT_MS; flush(); }
});
