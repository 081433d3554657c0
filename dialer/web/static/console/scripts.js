// Plays prompts one at a time, opens a node's words from the graph, numbers the editor's lines, takes keys for a walk.
(function () {
  "use strict";
  var audio = new Audio();
  var current = null;
  var queue = [];

  function mark(link, name) {
    document.querySelectorAll("[data-play]").forEach(function (other) { other.classList.remove("playing"); });
    if (link) { link.classList.add(name); link.classList.remove(name === "playing" ? "play-failed" : "playing"); }
  }

  function stop() {
    audio.pause();
    current = null;
    queue = [];
    mark(null);
  }

  function play(link) {
    current = link;
    audio.src = link.href;
    mark(link, "playing");
    audio.play().catch(function (fault) {
      // Another prompt was chosen meanwhile: nothing failed.
      if (fault.name !== "AbortError" && current === link) { mark(link, "play-failed"); next(); }
    });
  }

  function next() {
    var link = queue.shift();
    if (link) { play(link); } else { current = null; mark(null); }
  }

  audio.addEventListener("ended", next);
  audio.addEventListener("error", function () {
    if (current) { var failed = current; next(); failed.classList.add("play-failed"); }
  });

  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-play]");
    if (link) {
      event.preventDefault();
      if (link === current) { stop(); } else { queue = []; play(link); }
      return;
    }
    var all = event.target.closest("[data-play-last]");
    if (all) {
      queue = Array.prototype.slice.call(document.querySelectorAll("[data-last] [data-play]"));
      next();
      return;
    }
    var box = event.target.closest("a[data-node]");
    if (box) { openNode(event, box.dataset.node); return; }
    var way = event.target.closest("#node-dialog a[href^='#n-']");
    if (way) { openNode(event, way.getAttribute("href").slice(3)); }
  });

  // The node's own entry in the list below, shown beside the graph.
  function openNode(event, id) {
    var node = document.getElementById("n-" + id), dialog = document.getElementById("node-dialog");
    if (!node || !dialog) { return; }
    event.preventDefault();
    var copy = node.cloneNode(true);
    copy.removeAttribute("id");
    copy.removeAttribute("aria-labelledby");
    copy.querySelectorAll("[id]").forEach(function (part) { part.removeAttribute("id"); });
    dialog.querySelector("[data-node-place]").replaceChildren(copy);
    light(id);
    if (!dialog.open) { dialog.showModal(); }
    dialog.scrollTop = 0;
  }

  function light(id) {
    document.querySelectorAll("[data-from]").forEach(function (part) {
      part.classList.toggle("lit", part.dataset.from === id || part.dataset.to === id);
    });
  }

  document.addEventListener("mouseover", function (event) {
    var box = event.target.closest && event.target.closest("a[data-node]");
    if (box) { light(box.dataset.node); }
  });
  document.addEventListener("focusin", function (event) {
    var box = event.target.closest && event.target.closest("a[data-node]");
    if (box) { light(box.dataset.node); }
  });
  var dialog = document.getElementById("node-dialog");
  if (dialog) { dialog.addEventListener("close", stop); }

  // The keys of a telephone continue a walk; so does a digit typed on the keyboard.
  document.addEventListener("keydown", function (event) {
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) || event.ctrlKey || event.altKey || event.metaKey) { return; }
    var option = document.querySelector("[data-key='" + (/^[0-9*]$/.test(event.key) ? event.key : "none") + "']");
    if (option) { event.preventDefault(); option.click(); }
  });
  document.querySelectorAll("[data-play-last]").forEach(function (button) {
    button.hidden = !document.querySelector("[data-last] [data-play]");
  });

  document.querySelectorAll("[data-source]").forEach(function (area) {
    var numbers = area.parentElement.querySelector("[data-numbers]");
    var bad = Number(area.dataset.line || 0);

    function count() {
      var lines = area.value.split("\n").length;
      if (numbers.childElementCount === lines) { return; }
      var rows = document.createDocumentFragment();
      for (var line = 1; line <= lines; line += 1) {
        var row = document.createElement("div");
        row.textContent = line;
        if (line === bad) { row.className = "here"; }
        rows.appendChild(row);
      }
      numbers.replaceChildren(rows);
    }

    function follow() { numbers.scrollTop = area.scrollTop; }

    area.addEventListener("input", count);
    area.addEventListener("scroll", follow);
    count();
    if (bad) {
      var lines = area.value.split("\n"), start = lines.slice(0, bad - 1).join("\n").length + (bad > 1 ? 1 : 0);
      area.focus();
      area.setSelectionRange(start, start + lines[bad - 1].length);
      area.scrollTop = Math.max(0, (bad - 6) * 20);
      follow();
    }
  });
})();
