// A list is dropped anywhere on its field, or chosen; it is uploaded at once, and the progress is shown.
(function () {
  "use strict";

  function formOf(event) { return event.target.closest ? event.target.closest("[data-drop]") : null; }

  function fault(form, text) {
    var place = form.querySelector("[data-drop-problem]");
    place.textContent = text;
    place.hidden = !text;
    form.classList.toggle("drop-wrong", Boolean(text));
  }

  function send(form) {
    var input = form.querySelector("input[type=file]");
    var file = input.files[0];
    if (!file) { return; }
    if (file.size > Number(form.dataset.mostBytes)) {
      fault(form, form.dataset.tooLarge.replace("{name}", file.name));
      input.value = "";
      return;
    }
    fault(form, "");
    form.requestSubmit();
  }

  function ready(root) {
    root.querySelectorAll("[data-drop]").forEach(function (form) { form.classList.add("drop-ready"); });
  }

  document.addEventListener("change", function (event) {
    var form = formOf(event);
    if (form && event.target.type === "file") { send(form); }
  });

  ["dragenter", "dragover"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var form = document.querySelector("[data-drop]");
      if (!form || !event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) { return; }
      event.preventDefault();
      form.classList.toggle("drop-over", true);
    });
  });
  document.addEventListener("dragleave", function (event) {
    if (!event.relatedTarget) {
      document.querySelectorAll(".drop-over").forEach(function (form) { form.classList.remove("drop-over"); });
    }
  });
  document.addEventListener("drop", function (event) {
    var form = document.querySelector("[data-drop]");
    if (!form || !event.dataTransfer || !event.dataTransfer.files.length) { return; }
    event.preventDefault();
    form.classList.remove("drop-over");
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    send(form);
  });

  document.addEventListener("htmx:xhr:progress", function (event) {
    var form = formOf(event);
    if (!form || !event.detail.lengthComputable) { return; }
    var percent = Math.floor(100 * event.detail.loaded / event.detail.total);
    var place = form.querySelector("[data-drop-sending]");
    place.hidden = false;
    place.querySelector("progress").value = percent;
    place.querySelector("[data-drop-percent]").textContent = percent + " %";
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = formOf(event);
    if (form && !event.detail.successful) { form.querySelector("[data-drop-sending]").hidden = true; }
  });
  document.addEventListener("htmx:afterSettle", function () { ready(document); });

  // Submitted twice, it is loaded once.
  document.addEventListener("submit", function (event) {
    if (event.target.matches("[data-once]")) {
      event.target.querySelectorAll("button").forEach(function (button) { button.disabled = true; });
    }
  });

  ready(document);
})();
