// What is entered into a form and not sent stays in this browser, encrypted with a key that the server gives to the
// account alone, and is back in the form after a refresh, a new sign-in or a fault. It is deleted once the form has been
// sent, on sign-out, and after twelve hours. docs/security.md says what that means.
(function () {
  "use strict";
  const KEPT_MS = 12 * 3600 * 1000, MOST_CHARACTERS = 100000;
  const PREFIX = "typed/", SENDING = "typed-sending";
  const SECRET = /password|secret|code|credential|csrf|token/;
  const LEFT_OUT = "[target], [data-search], [data-talk], [data-download], [data-deed], [data-passkey], [action='/language'], [action='/sign-out']";
  // Hidden fields that say which version of a thing the page shows, not which thing.
  const OF_VERSION = /^(csrf|token|expected|shown_at|revision|back|then|made_at|sure)$/;
  const { typedOwner: owner, typedKey, sent, refusedPage } = document.body.dataset;
  const forms = new Map();

  function attempt(work) {
    try { return work(); } catch (refused) { return null; } // this browser stores nothing
  }

  const stored = (name) => attempt(() => JSON.parse(window.localStorage.getItem(name)));
  const forget = (name) => attempt(() => window.localStorage.removeItem(name));
  const names = () => attempt(() => Object.keys(window.localStorage).filter((name) => name.startsWith(PREFIX))) || [];

  // ---- what became of the form that this tab sent last

  const sending = attempt(() => JSON.parse(window.sessionStorage.getItem(SENDING)));
  attempt(() => window.sessionStorage.removeItem(SENDING));

  function settle() {
    for (const name of names()) {
      const draft = stored(name);
      if (!draft || Date.now() - draft.made > KEPT_MS) { forget(name); }
    }
    if (owner && sent) {
      const mine = PREFIX + owner + sent + "#";
      for (const name of names()) {
        if (name.startsWith(mine) && (!sending || !sending.name.startsWith(mine) || sending.name === name)) { forget(name); }
      }
      return;
    }
    if (!sending) { return; }
    if (!owner) {
      // The sign-in: the page that follows says why nothing was sent.
      attempt(() => window.sessionStorage.setItem(SENDING, JSON.stringify({ ...sending, signedOut: true })));
    } else if (refusedPage !== undefined && new URL(sending.from, location.href).origin === location.origin) {
      // A refused form has the address that it was sent to; a refresh and a new sign-in lead to its page.
      window.history.replaceState(null, "", sending.from);
    }
  }

  // ---- what is in a form

  function isKept(field) {
    return field.name && !SECRET.test(field.name) && !("draft" in field.dataset)
      && !/^(password|file|hidden|submit|button|reset|image|fieldset|output)$/.test(field.type);
  }

  const isTicked = (field) => field.type === "checkbox" || field.type === "radio";

  function fieldsOf(form) {
    const counted = {}, found = new Map();
    for (const field of form.elements) {
      if (!isKept(field)) { continue; }
      counted[field.name] = (counted[field.name] || 0) + 1;
      found.set(field.name + (isTicked(field) ? "=" + field.value : "#" + counted[field.name]), field);
    }
    return found;
  }

  const valueOf = (field) => (isTicked(field) ? field.checked : field.value);

  function served(field) {
    if (isTicked(field)) { return field.defaultChecked; }
    if (field.tagName !== "SELECT") { return field.defaultValue; }
    return ([...field.options].find((option) => option.defaultSelected) || field.options[0] || { value: "" }).value;
  }

  function put(field, value) {
    if (isTicked(field)) { field.checked = value; } else { field.value = value; }
  }

  /** What differs from what the server sent, each with what the server had sent when it was entered. */
  function entered(form, known) {
    const found = {};
    let any = false;
    for (const [id, field] of fieldsOf(form)) {
      const value = valueOf(field), earlier = known[id];
      if (value !== served(field)) {
        found[id] = { value, from: earlier ? earlier.from : served(field) };
      } else if (earlier && earlier.value === value) {
        found[id] = earlier; // a refused form has it from the server
      } else { continue; }
      // Ticks alone are not kept: nobody should find twenty rows ticked and press the button.
      any = any || field.type !== "checkbox";
    }
    return any ? found : {};
  }

  function nameOf(form) {
    const path = new URL(form.getAttribute("action") || location.pathname, location.href).pathname;
    let mark = 0;
    for (const field of form.elements) {
      if (field.type !== "hidden" || OF_VERSION.test(field.name)) { continue; }
      for (const letter of field.name + "=" + field.value + "&") { mark = (mark * 31 + letter.codePointAt(0)) | 0; }
    }
    const name = PREFIX + owner + path + "#" + (mark >>> 0).toString(36) + ".";
    let nth = 0;
    for (const [other, state] of forms) {
      if (!other.isConnected) { forms.delete(other); } else if (state.name.startsWith(name)) { nth += 1; }
    }
    return name + nth;
  }

  // ---- keeping it

  const bytes = (text) => Uint8Array.from(window.atob(text), (letter) => letter.charCodeAt(0));
  const text = (array) => window.btoa(String.fromCharCode(...new Uint8Array(array)));
  const key = owner && window.crypto.subtle
    ? window.crypto.subtle.importKey("raw", bytes(typedKey), "AES-GCM", false, ["encrypt", "decrypt"]) : null;

  const cipher = async (name, iv) => [{ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) }, await key];

  async function keep(form, state) {
    const turn = state.turn = state.turn + 1;
    state.known = entered(form, state.known);
    const content = JSON.stringify(state.known);
    if (content === "{}" || content.length > MOST_CHARACTERS) { forget(state.name); return; }
    const iv = window.crypto.getRandomValues(new Uint8Array(12));
    const sealed = await window.crypto.subtle.encrypt(...await cipher(state.name, iv), new TextEncoder().encode(content));
    if (turn !== state.turn) { return; }
    const pieces = [];
    for (let at = 0; at < sealed.byteLength; at += 30000) { pieces.push(text(sealed.slice(at, at + 30000))); }
    attempt(() => window.localStorage.setItem(state.name, JSON.stringify({ made: Date.now(), iv: text(iv), sealed: pieces })));
  }

  async function read(name, draft) {
    try {
      const sealed = new Blob(draft.sealed.map(bytes));
      const opened = await window.crypto.subtle.decrypt(...await cipher(name, bytes(draft.iv)), await sealed.arrayBuffer());
      return JSON.parse(new TextDecoder().decode(opened));
    } catch (refused) {
      forget(name); // made under another key
      return {};
    }
  }

  // ---- bringing it back

  const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

  function remark(field, id, value) {
    const said = copy("typed-stored");
    const option = field.tagName === "SELECT" && [...field.options].find((one) => one.value === value);
    said.querySelector("b").textContent = option ? option.textContent : value;
    field.closest(".field, label, td")?.append(said);
    return said;
  }

  async function adopt(form) {
    if (forms.has(form) || form.method !== "post" || form.matches(LEFT_OUT)) { return; }
    const state = { name: nameOf(form), known: {}, turn: 0, shown: [] };
    forms.set(form, state);
    const draft = stored(state.name);
    if (!draft) { return; }
    const found = await read(state.name, draft);
    if (state.turn) { return; } // something was entered meanwhile
    for (const template of form.querySelectorAll("template[data-field]")) {
      if (found[template.dataset.field + "#1"]) { template.replaceWith(template.content); }
    }
    const fields = fieldsOf(form);
    let any = false;
    for (const [id, { value, from }] of Object.entries(found)) {
      const field = fields.get(id);
      if (!field) { continue; }
      state.known[id] = found[id];
      const now = served(field);
      if (value !== now) { any = true; }
      if (!isTicked(field) && now !== from && now !== value) { state.shown.push(remark(field, id, now)); }
      put(field, value);
    }
    if (any && !form.querySelector("[data-refused]")) { show(form, state, draft); }
    form.dispatchEvent(new CustomEvent("typed", { bubbles: true }));
  }

  function show(form, state, draft) {
    const isMine = sending && sending.name === state.name;
    const line = copy(isMine && sending.signedOut ? "typed-signed-out" : "typed-again");
    const minutes = Math.round((draft.made - Date.now()) / 60000);
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
    line.querySelector("time").textContent = minutes > -60 ? words.format(minutes, "minute") : words.format(Math.round(minutes / 60), "hour");
    line.querySelector("button").addEventListener("click", () => { forget(state.name); takeBack(form, state); });
    state.shown.push(line);
    form.prepend(line);
    for (let around = form.parentElement; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") { around.open = true; }
      if (around.tagName === "DIALOG" && !draft.closed && !document.querySelector("dialog[open]")) { around.showModal(); }
    }
    if (isMine) { line.scrollIntoView({ block: "center" }); }
  }

  function takeBack(form, state) {
    state.turn += 1;
    for (const [id, field] of fieldsOf(form)) {
      if (id in state.known) { put(field, served(field)); }
    }
    state.known = {};
    for (const line of state.shown) { line.remove(); }
    form.dispatchEvent(new CustomEvent("typed", { bubbles: true }));
  }

  function adoptAll(around) { for (const form of around.querySelectorAll("form")) { adopt(form); } }

  settle();
  if (!key) { return; }
  // Not before every script of the page listens.
  document.addEventListener("DOMContentLoaded", () => adoptAll(document));

  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.form, state = forms.get(form);
      if (state) { keep(form, state); }
    });
  }

  window.addEventListener("submit", (event) => {
    const state = forms.get(event.target);
    if (event.defaultPrevented) { return; }
    if (event.target.matches("form[action='/sign-out']")) {
      names().filter((name) => name.startsWith(PREFIX + owner + "/")).forEach(forget);
    } else if (state) {
      const from = location.pathname + location.search;
      attempt(() => window.sessionStorage.setItem(SENDING, JSON.stringify({ name: state.name, from })));
    }
  });

  // A dialog that somebody has closed does not open by itself again.
  document.addEventListener("close", (event) => {
    for (const [form, { name }] of forms) {
      const draft = event.target.contains(form) && stored(name);
      if (draft) { attempt(() => window.localStorage.setItem(name, JSON.stringify({ ...draft, closed: true }))); }
    }
  }, true);

  // htmx sends a form without another page, and may put another one in its place.
  document.addEventListener("htmx:afterRequest", (event) => {
    const state = forms.get(event.detail.elt);
    if (!state || !event.detail.successful) { return; }
    state.turn += 1;
    forget(state.name);
  });
  document.addEventListener("htmx:load", (event) => {
    const around = event.detail.elt;
    if (around.tagName === "FORM") { adopt(around); } else if (around !== document.body) { adoptAll(around); }
  });

  // Sent or discarded in another tab.
  window.addEventListener("storage", (event) => {
    for (const [form, state] of forms) {
      if (event.key === state.name && event.newValue === null && state.shown.length && !state.turn) { takeBack(form, state); }
    }
  });
})();
