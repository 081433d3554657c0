// The page of a case: letters open drawers, prompts play, and refreshes during a live call disturb nobody.
(function () {
  "use strict";

  function isTyping() {
    return /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) && document.activeElement.type !== "radio";
  }

  function openDrawer(summary) {
    var drawer = summary.parentElement;
    drawer.open = true;
    var first = drawer.querySelector("form select, form textarea, form input:not([type=hidden]), form button");
    (first || summary).focus();
    drawer.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.tagName === "TEXTAREA") {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.key === "Escape") {
      var open = document.activeElement.closest("details.act[open], details.ask[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping() || document.querySelector("dialog[open]")) { return; }
    if (event.key === "n") {
      var note = document.getElementById("f-note-words");
      if (note) { event.preventDefault(); note.focus(); }
      return;
    }
    var summary = /^[a-z]$/.test(event.key) && document.querySelector('summary[data-key="' + event.key + '"]');
    if (summary) { event.preventDefault(); openDrawer(summary); }
  });

  // One sound at a time; "play all" plays the lines of a call attempt in turn.
  var sound = new Audio();
  var playing = null, queue = [];

  function mark(link) {
    if (playing) { playing.removeAttribute("data-playing"); }
    playing = link;
    if (playing) { playing.setAttribute("data-playing", ""); }
  }

  function play(link) {
    mark(link);
    sound.src = link.href;
    sound.play().catch(function () { stop(); });
  }

  function stop() {
    queue = [];
    sound.pause();
    mark(null);
  }

  sound.addEventListener("ended", function () {
    var next = queue.shift();
    if (next && document.contains(next)) { play(next); } else { stop(); }
  });

  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-play]");
    if (link) {
      event.preventDefault();
      var same = link === playing;
      stop();
      if (!same) { play(link); }
    }
    var all = event.target.closest("[data-play-all]");
    if (all) {
      var links = Array.prototype.slice.call(all.closest("details").querySelectorAll("[data-play]"));
      stop();
      queue = links.slice(1);
      if (links.length) { play(links[0]); }
    }
  });

  function readyStory() {
    document.querySelectorAll("[data-play-all]").forEach(function (button) {
      button.hidden = !button.closest("details").querySelector("[data-play]");
    });
  }

  // A part in which somebody is working stays as it is until the next refresh.
  function isInUse(part) {
    var focus = document.activeElement;
    return part.hasAttribute("data-clear") ||
      (part.contains(focus) && /^(INPUT|TEXTAREA|SELECT|SUMMARY|BUTTON)$/.test(focus.tagName) && focus.type !== "radio") ||
      part.querySelector("details.act[open], details.ask[open]") !== null ||
      Array.prototype.some.call(part.querySelectorAll("textarea"), function (one) { return one.value !== one.defaultValue; }) ||
      (playing !== null && part.contains(playing));
  }

  var kept = {};

  function keepState(part) {
    kept[part.id] = {
      open: Array.prototype.map.call(part.querySelectorAll("details[open][id]"), function (one) { return one.id; }),
      closed: Array.prototype.map.call(part.querySelectorAll("details:not([open])[id]"), function (one) { return one.id; }),
      show: (part.querySelector("input[name=show]:checked") || {}).value
    };
  }

  function giveBack(part) {
    var before = kept[part.id];
    if (!before) { return; }
    before.open.forEach(function (id) { var one = document.getElementById(id); if (one) { one.open = true; } });
    before.closed.forEach(function (id) { var one = document.getElementById(id); if (one) { one.open = false; } });
    if (before.show) {
      var chosen = part.querySelector('input[name=show][value="' + before.show + '"]');
      if (chosen) { chosen.checked = true; }
    }
    delete kept[part.id];
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.target.id === "now" && document.hidden) { event.preventDefault(); }
  });

  document.addEventListener("htmx:oobBeforeSwap", function (event) {
    var part = document.getElementById(event.detail.target.id);
    if (!part) { return; }
    // A refresh that hides something again is never delayed.
    if (byPoll && isInUse(part)) { event.detail.shouldSwap = false; return; }
    keepState(part);
  });

  var byPoll = false;

  document.addEventListener("htmx:beforeSwap", function (event) {
    var part = event.detail.target;
    byPoll = part !== null && part.id === "now";
    if (part && /^(now|story|person)$/.test(part.id)) { keepState(part); }
  });

  document.addEventListener("htmx:afterSettle", function () {
    Object.keys(kept).forEach(function (id) {
      var part = document.getElementById(id);
      if (part) { giveBack(part); }
    });
    // The forms act on what is shown now, even if their drawer was left as it was.
    var now = document.getElementById("now");
    if (now) {
      document.querySelectorAll("#acts input[name=expected]").forEach(function (one) { one.value = now.dataset.revision; });
      document.querySelectorAll("#acts input[name=shown_at]").forEach(function (one) { one.value = now.dataset.shownAt; });
    }
    readyStory();
  });

  readyStory();
  // Moves the focus to what has changed, else to the fault in a form.
  var changed = document.querySelector(".changed");
  var wrong = document.querySelector("details.act[open] .problem, details.act[open] .note-trouble");
  if (changed) {
    changed.focus();
  } else if (wrong) {
    openDrawer(wrong.closest("details").querySelector("summary"));
  }
})();
