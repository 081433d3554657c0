// Which visit this page is about, and small things that its parts share.

/** 0: the list, or another page. */
export const at = Number(/^\/visits\/(\d+)/.exec(location.pathname)?.[1] ?? 0);

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

/** Shows what is wrong with a form, at its end; '' removes it. */
export function complain(form, text) {
  let said = form.querySelector(":scope > .problem");
  if (!said && text) {
    said = element("p", "problem");
    said.setAttribute("role", "alert");
    form.append(said);
  }
  if (said) said.textContent = text;
}
