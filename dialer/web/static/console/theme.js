// Before anything is painted: the chosen theme, else the page's own look, else what the machine prefers.
(function () {
  "use strict";
  var root = document.documentElement;
  var chosen = null;
  try { chosen = window.localStorage.getItem("theme"); } catch (refused) { chosen = null; }
  var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = root.dataset.look || chosen || (dark ? "dark" : "light");
})();
