// What this phone has not sent yet, what it has just sent, and what was refused, with the reason.

import { keepTyped } from "./drafts.js";
import { visitId, element } from "./here.js";
import { isShell, remove, words } from "./outbox.js";
import { pictureOf } from "./photo.js";

const THUMB = 192;
const STATES = { waiting: "state state-open", sent: "state state-live", refused: "state state-trouble" };
const FORMS = ["note", "seen", "report"];

export const kept = document.getElementById("kept");
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

/** Shows the line of an act in its present state. A page that is not about one visit shows the acts of all. */
export async function showLine(act) {
  if (!kept || (act.visit !== visitId && (visitId || !isShell))) return;
  let item = lines.get(act.id);
  if (!item) {
    item = element("li");
    lines.set(act.id, item);
    kept.querySelector("ol").append(item);
    kept.hidden = false;
    const text = element("div", "kept-words", textOf(act));
    if (!visitId) text.prepend(link(act.visit), " ");
    item.append(text, element("span", "state"));
    if (act.photo) {
      try {
        text.prepend(await pictureOf(new Blob([act.photo]), THUMB, words.photo));
      } catch { /* its name is enough */ }
    }
  }
  updateState(item, act);
}

function link(visit) {
  const made = element("a", "", `${words.visit} ${visit}`);
  made.href = `/visits/${visit}`;
  return made;
}

export function dropLine(act) {
  lines.get(act.id)?.remove();
  lines.delete(act.id);
  if (kept && !lines.size) kept.hidden = true;
}

/** Shows a remark beside the thumb, where a person who has just pressed something looks. */
export function showRemark(act) {
  const note = document.querySelector("[data-kept-said]");
  if (note && act.visit === visitId) note.textContent = `${textOf(act)} · ${words[act.state]}`;
}

function updateState(item, act) {
  const state = item.querySelector(".state");
  state.className = STATES[act.state];
  state.textContent = words[act.state];
  item.querySelector(".acts")?.remove();
  if (act.state !== "refused") return;
  const acts = element("div", "acts");
  const editButton = element("button", "button button-plain", words.back);
  const removeButton = element("button", "button button-quiet", words.remove);
  editButton.type = removeButton.type = "button";
  editButton.addEventListener("click", () => putBack(act));
  removeButton.addEventListener("click", () => remove(act));
  acts.append(element("p", "problem", act.why), ...(FORMS.includes(act.deed) ? [editButton] : []), removeButton);
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
