// The line of presence and the table of desks: an unchanged answer is not swapped in, so that what is open or chosen
// stays, and times under way count on.
(function () {
  "use strict";
  var shown = {};

  document.addEventListener("htmx:beforeSwap", function (event) {
    var place = event.detail.target;
    if (!place || !place.hasAttribute("data-presence") || !event.detail.shouldSwap) { return; }
    var text = event.detail.xhr.responseText;
    var isPoll = !event.detail.requestConfig.elt || event.detail.requestConfig.elt === place;
    var at = document.activeElement;
    var busy = isPoll && at && /^(SELECT|INPUT)$/.test(at.tagName) && place.contains(at);
    if (busy || (isPoll && shown[place.id] === text)) { event.detail.shouldSwap = false; return; }
    shown[place.id] = text;
  });

  // Keys of a supervisor who listens. The key of a form whose reason is missing goes to the reason.
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.target.closest && event.target.closest("input, select, textarea")) { return; }
    var button = event.key.length === 1 && document.querySelector('[data-key="' + CSS.escape(event.key.toUpperCase()) + '"]');
    if (!button) { return; }
    event.preventDefault();
    var missing = button.form && button.form.querySelector(":invalid");
    if (missing) { missing.focus(); } else { button.click(); }
  });

  // How long something has lasted, by the service's clock.
  var desks = document.querySelector("[data-presence][data-now]");
  var ahead = desks ? Date.parse(desks.dataset.now) - Date.now() : 0;
  function tick() {
    document.querySelectorAll("[data-presence] [data-since]").forEach(function (one) {
      var seconds = Math.max(0, Math.floor((Date.now() + ahead - Date.parse(one.dataset.since)) / 1000));
      var minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
      one.textContent = (hours ? hours + ":" + String(minutes % 60).padStart(2, "0") : minutes) + ":" + String(seconds % 60).padStart(2, "0");
    });
  }
  if (desks) {
    document.addEventListener("htmx:afterSwap", tick);
    window.setInterval(tick, 1000);
    tick();
  }
})();
