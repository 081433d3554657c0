// Keeps the live board current. Figures that are too old are greyed, with the time of their last change.
(function () {
  "use strict";
  var STALE_MS = 10000, RETRY_MS = 3000, LONGEST_RETRY_MS = 30000, SILENT_MS = 12000;
  var board = document.querySelector("[data-feed]");
  var words = JSON.parse(board.dataset.words);
  var stale = document.querySelector("[data-stale]"), since = document.querySelector("[data-stale-since]");
  var clock = document.querySelector("[data-clock]"), state = document.querySelector("[data-live-state]");
  var live = state.innerHTML;
  var place = document.querySelector("[data-minutes]");
  // The moment at which the figures on the page were right, by both clocks of this machine: one of them stops
  // while the machine sleeps, the other one may be set.
  var rightAt = Date.now(), rightTick = performance.now(), heardAt = performance.now();
  var source = null, retry = RETRY_MS, timer = null, ended = false, why = "";

  function colour(name) { return window.getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

  function draw() {
    var minutes = JSON.parse(place.dataset.minutes);
    var drawn = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "svg" });
    var size = Math.max(11, Math.round(Math.min(window.innerWidth, window.innerHeight * 1.7778) * 0.0095));
    var names = minutes.sent.map(function (_sent, n) { var ago = minutes.sent.length - 1 - n; return ago ? "−" + ago : "0"; });
    drawn.setOption({
      animation: false,
      textStyle: { fontFamily: colour("font"), fontSize: size },
      grid: { left: 4, right: 4, top: size * 2.2, bottom: 0, containLabel: true },
      legend: { top: 0, left: 0, icon: "rect", itemWidth: size, itemHeight: size, textStyle: { color: colour("dim"), fontSize: size } },
      tooltip: { trigger: "axis", renderMode: "richText", confine: true },
      xAxis: { type: "category", data: names, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("line") } },
        axisLabel: { color: colour("dim"), fontSize: size, interval: function (n) { return (minutes.sent.length - 1 - n) % 15 === 0; }, formatter: function (name) { return name === "0" ? "0" : name + " " + words.minutes.replace("%(n)s", "").trim(); } } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel: { color: colour("dim"), fontSize: size }, splitLine: { lineStyle: { color: colour("line") } } },
      series: [
        { type: "bar", name: words.answered, stack: "all", barCategoryGap: "15%", data: minutes.answered, itemStyle: { color: colour("ink") } },
        { type: "bar", name: words.sent, stack: "all", data: minutes.sent.map(function (sent, n) { return sent - minutes.answered[n]; }), itemStyle: { color: colour("edge") } }
      ]
    }, true);
    drawn.resize();
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
