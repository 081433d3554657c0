// Text that is still being typed is stored too, so that a reload or a phone that closes the page loses none.

import { visitId } from "./here.js";
import { owner } from "./outbox.js";
import * as store from "./store.js";

const PAUSE_MS = 400;
const typing = new Map();

const keyOf = (field) => `${owner}/${visitId}/${field.dataset.draft}`;

export function keepTyped(field) {
  window.clearTimeout(typing.get(field));
  typing.delete(field);
  const key = keyOf(field);
  return field.value
    ? store.keepDraft({ key, owner, made: Date.now(), text: field.value })
    : store.dropDraft(key);
}

export async function dropDrafts(form) {
  for (const field of form.querySelectorAll("[data-draft]")) {
    window.clearTimeout(typing.get(field));
    typing.delete(field);
    if (visitId) await store.dropDraft(keyOf(field));
  }
}

/** Keeps what is typed from now on, and puts what was typed before back into its fields. */
export async function keepDrafts() {
  if (!visitId) return;
  document.addEventListener("input", (event) => {
    const field = event.target.closest?.("[data-draft]");
    if (!field) return;
    window.clearTimeout(typing.get(field));
    typing.set(field, window.setTimeout(() => keepTyped(field), PAUSE_MS));
  });
  window.addEventListener("pagehide", () => { for (const field of [...typing.keys()]) keepTyped(field); });
  const found = new Map((await store.drafts()).map((draft) => [draft.key, draft.text]));
  for (const field of document.querySelectorAll("[data-draft]")) {
    const text = found.get(keyOf(field));
    if (text && !field.value) field.value = text;
  }
}
