// Requests a page that waits for something ([data-again], in milliseconds) again, as long as the page is visible.
(function () {
  "use strict";
  var place = document.querySelector("[data-again]");

  function look() {
    if (document.hidden) {
      window.setTimeout(look, 500);
      return;
    }
    window.location.reload();
  }

  if (place) {
    window.setTimeout(look, Number(place.dataset.again));
  }
})();
