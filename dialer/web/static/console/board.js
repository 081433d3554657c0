// Keeps the live board current. Figures that are too old are greyed, with the time of their last change.
(function () {
  "use strict";
  var STALE_MS = 10000, RETRY_MS = 3000, LONGEST_RETRY_MS = 30000, SILENT_MS = 12000;
  var board = document.querySelector("[data-feed]");
  var words = JSON.parse(board.dataset.words), opens = board.dataset.opens.split(" ");
  var stale = document.querySelector("[data-stale]"), since = document.querySelector("[data-stale-since]");
  var clock = document.querySelector("[data-clock]"), state = document.querySelector("[data-live-state]");
  var live = state.innerHTML;
  var place = document.querySelector("[data-minutes]");
  // The moment at which the figures on the page were right, by both clocks of this machine: one of them stops
  // while the machine sleeps, the other one may be set.
  var rightAt = Date.now(), rightTick = performance.now(), heardAt = performance.now();
  var drawing = document.createElement("template");
  drawing.innerHTML = "<svg></svg>";
  var SVG = drawing.content.firstChild.namespaceURI;
  var source = null, retry = RETRY_MS, timer = null, ended = false, why = "";

  function colour(name) { return window.getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

  function shape(parent, name, attributes, text) {
    var made = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) { made.textContent = text; }
    parent.appendChild(made);
    return made;
  }

  // The smallest of 3, 6, 15, 30, 60, 150 … that is not below the highest column: its thirds are whole numbers.
  function top(highest) {
    for (var ten = 1; ; ten *= 10) {
      for (var step of [3, 6, 15]) { if (step * ten >= highest) { return step * ten; } }
    }
  }

  function draw() {
    var minutes = JSON.parse(place.dataset.minutes), count = minutes.sent.length;
    var width = place.clientWidth, height = place.clientHeight;
    var size = Math.max(11, Math.round(Math.min(window.innerWidth, window.innerHeight * 1.7778) * 0.0095));
    if (!width || height < size * 6) { place.replaceChildren(); return; }
    var svg = document.createElementNS(SVG, "svg");
    var most = top(Math.max.apply(null, minutes.sent.concat(1)));
    var left = String(most).length * size * 0.62 + size * 0.7, above = size * 2.2, below = height - size * 1.8;
    var step = (width - left) / count, dim = colour("dim");
    var y = function (value) { return below - (below - above) * value / most; };
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("font-size", size);
    svg.setAttribute("aria-hidden", "true");
    var parts = [[words.answered, colour("ink")], [words.sent, colour("edge")]], at = 0;
    parts.forEach(function (part) {
      shape(svg, "rect", { x: at, y: size * 0.3, width: size, height: size, fill: part[1] });
      var said = shape(svg, "text", { x: at + size * 1.4, y: size * 1.2, fill: dim }, part[0]);
      at += size * (2.6 + [].reduce.call(said.textContent, function (sum, one) { return sum + (one > "\u2e7f" ? 1 : 0.6); }, 0));
    });
    [0, 1, 2, 3].forEach(function (third) {
      var value = most * third / 3;
      shape(svg, "line", { x1: left, x2: width, y1: y(value), y2: y(value), stroke: colour("line") });
      shape(svg, "text", { x: left - size * 0.5, y: y(value) + size * 0.35, fill: dim, "text-anchor": "end" }, value);
    });
    minutes.sent.forEach(function (sent, n) {
      var ago = count - 1 - n, answered = minutes.answered[n], x = left + step * n + step * 0.08, name = ago ? "−" + ago : "0";
      shape(svg, "rect", { x: x, y: y(answered), width: step * 0.84, height: below - y(answered), fill: parts[0][1] });
      shape(svg, "rect", { x: x, y: y(sent), width: step * 0.84, height: y(answered) - y(sent), fill: parts[1][1] });
      var whole = shape(svg, "rect", { x: left + step * n, y: above, width: step, height: below - above, fill: "transparent" });
      shape(whole, "title", {}, words.minutes.replace("%(n)s", name) + " · " + words.answered + " " + answered + " · " + words.sent + " " + (sent - answered));
      if (ago % 15 === 0) {
        var end = ago ? "middle" : "end", middle = ago ? x + step * 0.42 : width;
        shape(svg, "text", { x: middle, y: height - size * 0.4, fill: dim, "text-anchor": end }, ago ? words.minutes.replace("%(n)s", name) : "0");
      }
    });
    place.replaceChildren(svg);
  }

  function span(ms) {
    var seconds = Math.round(ms / 1000);
    return seconds < 120 ? words.seconds.replace("%(n)s", seconds) : words.minutes.replace("%(n)s", Math.floor(seconds / 60));
  }

  function age() { return Math.max(Date.now() - rightAt, performance.now() - rightTick); }

  function updateAge() {
    var old = age(), isStale = ended || old > STALE_MS;
    document.documentElement.classList.toggle("is-stale", isStale);
    stale.hidden = !isStale || ended;
    state.innerHTML = isStale ? "" : live;
    if (isStale) {
      state.textContent = words.stale;
      since.textContent = words.since.replace("%(at)s", clock.textContent).replace("%(span)s", span(old)) + (why ? " " + why : "");
    }
    if (!ended && performance.now() - heardAt > SILENT_MS) { reconnect(); }
  }

  function swap(html) {
    var next = document.createElement("template");
    next.innerHTML = html;
    next.content.querySelectorAll("a.board-to").forEach(function (link) {
      if (opens.indexOf("/" + link.getAttribute("href").split(/[/?#]/)[1]) < 0) { link.replaceWith.apply(link, link.childNodes); }
    });
    next.content.querySelectorAll("[data-part]").forEach(function (part) {
      var here = document.querySelector('[data-part="' + part.dataset.part + '"]');
      if (here && here.innerHTML !== part.innerHTML) { here.innerHTML = part.innerHTML; }
    });
  }

  function figures(event) {
    var message = JSON.parse(event.data);
    if (message.look !== board.dataset.look) { window.location.reload(); return; }
    heard();
    why = "";
    rightAt = Date.now() - message.age * 1000;
    rightTick = performance.now() - message.age * 1000;
    clock.textContent = message.clock;
    swap(message.board);
    var minutes = JSON.stringify(message.minutes);
    if (minutes !== place.dataset.minutes) { place.dataset.minutes = minutes; draw(); }
    updateAge();
  }

  function heard() { heardAt = performance.now(); retry = RETRY_MS; }

  function endStream(event) {
    var message = JSON.parse(event.data);
    ended = true;
    source.close();
    document.querySelector(message.why === "signed_out" ? "[data-signed-out]" : "[data-elsewhere]").hidden = false;
    updateAge();
  }

  // A connection that was lost silently looks open for ever, so silence closes it.
  function reconnect() {
    if (source) { source.close(); source = null; }
    heardAt = performance.now();
    if (timer || ended) { return; }
    timer = window.setTimeout(function () { timer = null; open(); }, retry);
    retry = Math.min(retry * 2, LONGEST_RETRY_MS);
  }

  function refused() {
    window.fetch(board.dataset.feed, { redirect: "manual", headers: { "Accept": "text/plain" } }).then(function (answer) {
      if (answer.type === "opaqueredirect") { endStream({ data: '{"why":"signed_out"}' }); } else { reconnect(); }
    }, reconnect);
  }

  function open() {
    if (source || document.hidden) { return; }
    heardAt = performance.now();
    source = new EventSource(board.dataset.feed);
    source.addEventListener("figures", figures);
    source.addEventListener("beat", heard);
    source.addEventListener("over", endStream);
    source.addEventListener("trouble", function (event) {
      heard();
      why = JSON.parse(event.data).part === "database" ? words.database : "";
      updateAge();
    });
    source.onerror = function () { if (source && source.readyState === EventSource.CLOSED) { source = null; refused(); } };
  }

  // Nobody sees a page in a hidden tab.
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { if (source) { source.close(); source = null; } } else { updateAge(); open(); }
  });
  window.addEventListener("pagehide", function () { if (source) { source.close(); source = null; } });
  window.addEventListener("pageshow", function (event) { if (event.persisted) { open(); } });
  window.addEventListener("resize", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });

  var full = document.querySelector("[data-full]");
  if (document.fullscreenEnabled) {
    full.hidden = false;
    full.addEventListener("click", function () { document.getElementById("main").requestFullscreen(); });
  }

  draw();
  open();
  window.setInterval(updateAge, 1000);
})();
