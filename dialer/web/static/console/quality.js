// The words of a recorded call follow its sound; a word, or a finding, plays its seconds.
(function () {
  "use strict";
  var part = document.querySelector("[data-transcript]");
  var sound = part && part.querySelector("audio");
  if (!sound) { return; }
  var words = Array.prototype.slice.call(part.querySelectorAll("[data-begin]"));
  var until = null;

  function mark() {
    var now = sound.currentTime;
    words.forEach(function (word) {
      word.classList.toggle("said-now", now >= Number(word.dataset.begin) && now < Number(word.dataset.end));
    });
    if (until !== null && now >= until) { until = null; sound.pause(); }
  }

  sound.addEventListener("timeupdate", mark);
  sound.addEventListener("seeked", mark);
  document.addEventListener("click", function (event) {
    var word = event.target.closest("[data-begin]");
    var span = event.target.closest("[data-plays-from]");
    if (!word && !span) { return; }
    until = span ? Number(span.dataset.playsTo) : null;
    sound.currentTime = Number(span ? span.dataset.playsFrom : word.dataset.begin);
    sound.play();
  });
}());
