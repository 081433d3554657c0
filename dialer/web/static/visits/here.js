// Which visit this page is about, and small things that its parts share.

/** 0: the list, or another page. */
export const visitId = Number(/^\/visits\/(\d+)/.exec(location.pathname)?.[1] ?? 0);

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

/** Shows what is wrong with a form, at its end; '' removes it. */
export function showProblem(form, text) {
  let note = form.querySelector(":scope > .problem");
  if (!note && text) {
    note = element("p", "problem");
    note.setAttribute("role", "alert");
    form.append(note);
  }
  if (note) note.textContent = text;
}
