// Before anything is painted: the chosen theme, else the page's own look, else what the machine prefers; and whether
// single keys act.
(function () {
  "use strict";
  var root = document.documentElement;
  var chosen = null;
  try { chosen = window.localStorage.getItem("theme"); } catch (refused) { chosen = null; }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = root.dataset.look || chosen || (dark ? "dark" : "light");

  // Shortcuts of one key can be switched off (WCAG 2.1.4): no page then receives a key that types a character, except
  // in fields.
  try { root.dataset.keys = window.localStorage.getItem("keys") === "off" ? "off" : "on"; } catch (refused) { root.dataset.keys = "on"; }
  window.addEventListener("keydown", function (event) {
    if (root.dataset.keys === "on" || event.key.length > 1 || event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (!event.target.closest("input, textarea, select, [contenteditable]")) { event.stopImmediatePropagation(); }
  }, true);
})();
