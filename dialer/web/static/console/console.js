// What every page does beyond links and forms: dialogs, notices, the theme, submitting a filter as it is chosen, and
// sending a form only once when it is submitted twice.
(function () {
  "use strict";
  var TOAST_MS = 8000;
  var ONCE_MS = 3000;

  function dismissLater(toast) {
    if (!toast.classList.contains("toast-trouble")) {
      window.setTimeout(function () { toast.remove(); }, TOAST_MS);
    }
  }

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    if (opener) {
      var dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { dialog.showModal(); }
    }
    var closer = event.target.closest("[data-close]");
    if (closer) { closer.closest("dialog").close(); }
    var dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) { dismiss.closest(".toast").remove(); }
    if (event.target.closest("[data-theme-switch]")) {
      var next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      try { window.localStorage.setItem("theme", next); } catch (refused) { /* it holds for this page */ }
    }
    var keys = event.target.closest("[data-keys-switch]");
    if (keys) {
      document.documentElement.dataset.keys = keys.dataset.keysSwitch;
      try { window.localStorage.setItem("keys", keys.dataset.keysSwitch); } catch (refused) { /* it holds for this page */ }
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) { menu.removeAttribute("open"); }
    });
    // A click on the backdrop of a dialog closes it.
    if (event.target.matches && event.target.matches("dialog[open]")) { event.target.close(); }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach(function (menu) {
        menu.removeAttribute("open");
        menu.querySelector("summary").focus();
      });
    }
    // "/" moves the focus to the page's search.
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    var search = document.querySelector("[data-search] input:not([type=hidden])");
    // F1 leads to the paragraph about the field in which somebody stands, else about the page.
    var help = document.querySelector("[data-help]");
    if (event.key === "F1" && help) {
      event.preventDefault();
      var named = document.activeElement.name;
      window.open(help.getAttribute("href") + (named ? "&field=" + encodeURIComponent(named) : ""), "_blank", "noopener");
    }
    if (event.key === "/" && !typing && search) { event.preventDefault(); search.focus(); }
    if (event.key === "?" && !typing && !document.querySelector("dialog[open]")) { event.preventDefault(); showKeys(); }
  });

  // The keys that this page shows beside what they do, as one list.
  function showKeys() {
    var dialog = document.getElementById("keys");
    if (!dialog) { return; }
    var list = dialog.querySelector("dl");
    list.replaceChildren();
    var told = new Set();
    document.querySelectorAll("main kbd").forEach(function (key) {
      var of = key.closest("button, label, summary, legend, a, li, small, form");
      if (!key.offsetParent || !of || told.has(of)) { return; }
      told.add(of);
      var said = of.tagName === "FORM" ? of.querySelector("label") || of : of;
      var words = said.cloneNode(true);
      if (of.querySelectorAll("kbd").length === 1) { words.querySelectorAll("kbd").forEach(function (part) { part.remove(); }); }
      var name = document.createElement("dt"), act = document.createElement("dd");
      name.append(key.cloneNode(true));
      name.firstChild.removeAttribute("aria-hidden");
      act.textContent = words.textContent.replace(/\s+/g, " ").trim();
      list.append(name, act);
    });
    dialog.showModal();
  }

  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-live]");
    if (form && (event.target.tagName === "SELECT" || event.target.type === "date")) { form.requestSubmit(); }
  });

  // Submitted twice, a form is sent once: the browser would show the answer to the second request, without the password
  // that the first one gave out. After a moment it can be sent again, since an answer may be a file.
  // A change of language comes back to the filter that is shown by now.
  document.addEventListener("htmx:pushedIntoHistory", function () {
    document.querySelectorAll("[data-here]").forEach(function (field) { field.value = location.pathname + location.search; });
  });

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.target) { return; }
    if (form.hasAttribute("hx-post") || form.hasAttribute("data-download")) { return; }
    if (Date.now() - Number(form.dataset.sentAt || 0) < ONCE_MS) {
      event.preventDefault();
      return;
    }
    form.dataset.sentAt = Date.now();
    // Another listener may still prevent the submission: the phone asks before it signs out.
    setTimeout(function () { if (event.defaultPrevented) { delete form.dataset.sentAt; } }, 0);
  });

  // A form whose answer is a file leaves the page as it is.
  document.addEventListener("submit", function (event) {
    if (event.target.matches('form[action="/sign-out"]')) {
      try { window.sessionStorage.clear(); } catch (refused) { /* nothing is kept then */ }
    }
    if (event.target.matches("form[data-download]")) {
      var dialog = event.target.closest("dialog");
      if (dialog) { window.setTimeout(function () { dialog.close(); }, 0); }
    }
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.target.id === "toasts") { event.target.querySelectorAll(".toast").forEach(dismissLater); }
  });

  document.querySelectorAll(".toast").forEach(dismissLater);
  // A refused form is opened and scrolled into view.
  var refused = document.querySelector("[data-refused]");
  if (refused) {
    for (var around = refused.parentElement; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") { around.open = true; }
      if (around.tagName === "DIALOG" && !around.open) { around.showModal(); }
    }
    var wrong = refused.closest("form").querySelector("[aria-invalid]");
    if (wrong) { wrong.focus(); } else { refused.closest("form").scrollIntoView({ block: "center" }); }
  }
  document.querySelectorAll("dialog[data-open]:not([open])").forEach(function (dialog) { dialog.showModal(); });
})();
