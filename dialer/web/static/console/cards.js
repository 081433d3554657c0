// The desk's list of questions: requested again whenever the stream reports that a question has changed.
(function () {
  "use strict";
  var list = document.querySelector("[data-live]");

  function renew() {
    window
      .fetch(list.dataset.part, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
      .then(function (answer) {
        return answer.ok ? answer.text() : null;
      })
      .then(function (text) {
        if (text !== null) {
          list.innerHTML = text;
        }
      })
      .catch(function () {});
  }

  function tick() {
    var now = Date.now();
    list.querySelectorAll(".question-new [data-since], .question-late [data-since], .question-second [data-since]").forEach(function (one) {
      var seconds = Math.max(0, Math.round((now - Date.parse(one.dataset.since)) / 1000));
      one.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    });
  }

  if (list && window.EventSource) {
    // Also the first time: a question may have arrived while the page was loading.
    new window.EventSource(list.dataset.live).addEventListener("changed", renew);
    window.setInterval(tick, 1000);
    // Stages also change as time passes.
    window.setInterval(renew, 15000);
  }
})();
