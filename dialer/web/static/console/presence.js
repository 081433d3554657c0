// The line of presence and the table of desks: an unchanged answer is not swapped in, so that what is open or chosen
// stays, and times under way count on.
(function () {
  "use strict";
  var shown = {};

  document.addEventListener("htmx:beforeSwap", function (event) {
    var place = event.detail.target;
    if (!place || !place.hasAttribute("data-presence")) { return; }
    var text = event.detail.xhr.responseText;
    var isPoll = !event.detail.requestConfig.elt || event.detail.requestConfig.elt === place;
    var at = document.activeElement;
    var busy = isPoll && at && at.tagName === "SELECT" && place.contains(at);
    if (busy || (isPoll && shown[place.id] === text)) { event.detail.shouldSwap = false; return; }
    shown[place.id] = text;
  });
})();
