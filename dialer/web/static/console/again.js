// A page that waits for something ([data-again], in milliseconds) is asked for again, as long as somebody looks at it.
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
