// The desk: keys, the heartbeat that holds a task, timers of a call under way.
(function () {
  "use strict";
  var BEATS_A_LEASE = 6, PRESENT_MS = 180000, WARN_SECONDS = 60, AWAY_MS = 1500000;
  var task = document.querySelector("[data-task]");
  var room = document.querySelector("[data-room]");
  var lastInput = Date.now();
  var looked = null;
  var leaving = false;

  function typing() {
    var at = document.activeElement;
    return at && (/^(TEXTAREA|SELECT)$/.test(at.tagName) || (at.tagName === "INPUT" && !/^(radio|checkbox)$/.test(at.type)));
  }

  function dialogOpen() { return document.querySelector("dialog[open]"); }

  // An unchanged answer changes nothing: no flicker, nothing read aloud twice.
  var shown = {};
  document.addEventListener("htmx:beforeSwap", function (event) {
    var id = event.detail.target.id;
    if (id !== "live" && id !== "room") { return; }
    var text = event.detail.xhr.responseText;
    var busy = id === "room" && document.activeElement && document.activeElement.closest("#room details[open]");
    if (shown[id] === text || busy) { event.detail.shouldSwap = false; } else { shown[id] = text; }
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.target.id === "live" && looked) { looked(); }
    if (event.target.id === "room") { roomChanged(); }
  });
  // A page that nobody uses stops polling, so that its session can end.
  document.addEventListener("htmx:beforeRequest", function (event) {
    var id = event.detail.target && event.detail.target.id;
    var poll = event.detail.requestConfig.verb === "get" && (id === "live" || id === "room");
    if (poll && leaving) { event.preventDefault(); return; }
    if (poll && Date.now() - lastInput > AWAY_MS && !calling()) { event.preventDefault(); }
  });

  function calling() { return Boolean(document.querySelector("[data-live]")); }

  function tick() {
    document.querySelectorAll("[data-since]").forEach(function (one) {
      if (!one.dataset.begun) {
        one.dataset.begun = Date.now() - Math.max(0, Date.parse(one.dataset.now) - Date.parse(one.dataset.since));
      }
      var seconds = Math.floor((Date.now() - Number(one.dataset.begun)) / 1000);
      one.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    });
  }
  window.setInterval(tick, 1000);

  // What is offered: how long it still is, and a sound when it comes.
  var offered = null, clockAhead = room ? Date.parse(room.dataset.realNow) - Date.now() : 0;
  function showOffer() {
    var offer = document.querySelector("[data-offer]");
    if (!offer) { offered = null; return; }
    var left = Math.max(0, Math.ceil((Date.parse(offer.dataset.until) - Date.now() - clockAhead) / 1000));
    offer.querySelector("[data-offer-left]").textContent = left + " s";
    if (offered === offer.dataset.offer || !window.AudioContext) { return; }
    offered = offer.dataset.offer;
    // A browser plays nothing before the first click on the page; the notice is there all the same.
    var audio = new window.AudioContext(), tone = audio.createOscillator(), level = audio.createGain();
    tone.frequency.value = 660;
    level.gain.value = 0.2;
    tone.connect(level).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
    window.setTimeout(function () { audio.close(); }, 1500);
  }
  window.setInterval(showOffer, 500);

  ["keydown", "pointerdown", "pointermove", "wheel", "touchstart"].forEach(function (name) {
    document.addEventListener(name, function () { lastInput = Date.now(); }, { passive: true });
  });

  // A form that leads to another page ends the polling of this one.
  document.addEventListener("submit", function (event) {
    if (!event.target.hasAttribute("hx-post")) { leaving = true; }
  });

  if (room) { idle(); }
  if (task) { work(); }

  // Without a task.
  function idle() {
    var auto = document.querySelector("input[name=auto]");
    try { auto.checked = window.localStorage.getItem("desk-auto") === "yes"; } catch (refused) { /* off */ }
    auto.addEventListener("change", function () {
      try { window.localStorage.setItem("desk-auto", auto.checked ? "yes" : "no"); } catch (refused) { /* this page */ }
      roomChanged();
    });
    document.addEventListener("keydown", function (event) {
      var at = document.activeElement;
      var free = !at || at === document.body || at.id === "main";
      if (event.key === "Enter" && free && !dialogOpen()) {
        event.preventDefault();
        document.querySelector("form[data-next]").requestSubmit();
      }
    });
    roomChanged();
  }

  var sent = false;
  function roomChanged() {
    if (sent) { return; }
    var duty = document.querySelector("form[data-duty]");
    var auto = document.querySelector("input[name=auto]");
    var waits = Number((document.querySelector("[data-waits]") || { dataset: {} }).dataset.waits || 0);
    document.title = (waits ? "(" + waits + ") " : "") + document.title.replace(/^\(\d+\) /, "");
    if (duty) { sent = true; duty.requestSubmit(); return; }
    if (auto && auto.checked && waits && !typing()) { sent = true; document.querySelector("form[data-next]").requestSubmit(); }
  }

  // With a task in hand.
  function work() {
    var report = document.getElementById("report");
    var money = report.querySelector("[data-money-fields]");
    var verified = report.querySelector("[data-verified]"), scammer = report.querySelector("[data-scammer]");
    var lease = Number(task.dataset.lease) * 1000;
    var leaseUntil = Date.now() + lease, lost = false, asked = 0;

    function chosen() { return report.querySelector("input[name=outcome]:checked"); }

    function show() {
      var one = chosen();
      var kinds = one ? one.dataset.money.split(" ").filter(Boolean) : [];
      var any = false;
      money.querySelectorAll("[data-kind]").forEach(function (box) {
        box.hidden = kinds.indexOf(box.dataset.kind) < 0;
        any = any || Boolean(box.querySelector("input").value && !box.hidden);
      });
      money.hidden = !kinds.length;
      ["evidence", "evidence_kind", "evidence_yuan"].forEach(function (name) { report.elements[name].required = any; });
      var at = document.querySelector("input[name=soon]:checked");
      document.querySelector("[data-at]").hidden = !at || at.value !== "at";
      verified.hidden = scammer.hidden = Boolean(one && !("asks" in one.dataset));
    }

    function beat() {
      if (leaving) { return; }
      var body = new URLSearchParams({ token: task.dataset.token });
      var headers = JSON.parse(document.body.getAttribute("hx-headers"));
      window.fetch("/desk/tasks/" + task.dataset.task + "/beat", { method: "POST", body: body, headers: headers }).then(function (answer) {
        if (answer.status === 204) { leaseUntil = Date.now() + lease; countdown(); }
        if (answer.status === 409 || answer.status === 404) { window.htmx.trigger("#live", "look"); }
      }, function () { /* the countdown goes on, and says so */ });
    }

    function countdown() {
      var left = Math.ceil((leaseUntil - Date.now()) / 1000);
      var note = document.querySelector("[data-lease-note]");
      note.hidden = lost || left > WARN_SECONDS;
      var told = note.querySelector("[data-lease-left]");
      told.textContent = told.dataset.text.replace("{}", Math.max(0, left));
    }

    looked = function () {
      lost = Boolean(document.querySelector("[data-lost]"));
      document.querySelectorAll(".desk-send button, .desk-else button").forEach(function (one) {
        if (lost) { one.disabled = true; }
      });
      document.querySelectorAll("[data-call] button").forEach(function (one) {
        if (!("off" in one.dataset)) { one.disabled = lost || calling(); }
      });
      tick();
      countdown();
    };

    ["input", "change", "typed"].forEach(function (name) { document.addEventListener(name, show); });
    report.addEventListener("submit", function () {
      window.setTimeout(function () { report.querySelector(".desk-send button").disabled = true; }, 0);
    });

    function press(selector) {
      var one = document.querySelector(selector);
      if (one && !one.disabled) { one.click(); }
    }

    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey && event.key === "Enter" && !dialogOpen() && !lost) {
        event.preventDefault();
        report.requestSubmit();
        return;
      }
      if (event.key === "Escape" && typing() && !dialogOpen()) { document.activeElement.blur(); return; }
      if (event.ctrlKey || event.metaKey || event.altKey || dialogOpen() || typing()) { return; }
      var at = document.activeElement;
      var button = at && /^(BUTTON|A|SUMMARY)$/.test(at.tagName);
      if (/^[0-9]$/.test(event.key)) {
        press('input[name=outcome][data-key="' + event.key + '"]');
        event.preventDefault();
      } else if (event.key === "Enter" && !button && !lost) {
        event.preventDefault();
        report.requestSubmit();
      } else {
        var act = { y: "input[name=verified][value=yes]", n: "input[name=verified][value=no]",
          j: "input[name=scammer][value=yes]", k: "input[name=scammer][value=no]", l: "input[name=scammer][value=unknown]", c: "[data-call] button",
          h: "[data-hold]", u: "[data-mute]", p: "[data-party]", w: "[data-party-hand-over]", x: "[data-party-stop]", o: "[data-open]", b: "[data-dialog=call-back]", t: "[data-dialog=transfer]", r: "[data-dialog=release]" }[event.key.toLowerCase()];
        var knowledge = event.key.toLowerCase() === "s" && document.querySelector("[data-knowledge]");
        if (knowledge) { event.preventDefault(); knowledge.focus(); }
        if (act) { event.preventDefault(); press(act); }
        if (event.key === "/" || event.key.toLowerCase() === "m") {
          event.preventDefault();
          var field = event.key === "/" ? report.elements.note : money.querySelector("[data-kind]:not([hidden]) input");
          if (field && !money.hidden || event.key === "/") { field.focus(); }
        }
      }
    });

    // Whom the caller may bring in is asked for when the dialog is opened: duty changes.
    var partyForm = document.querySelector("[data-party-form]");
    document.addEventListener("click", function (event) {
      if (event.target.closest("[data-party]")) { window.htmx.trigger(partyForm.querySelector("[data-parties]"), "choose"); }
    });
    partyForm.addEventListener("htmx:afterRequest", function (event) {
      if (event.detail.elt === partyForm && event.detail.successful) { partyForm.closest("dialog").close(); }
    });

    var opened = document.querySelector("[data-opened]");
    if (opened) { document.getElementById(opened.dataset.opened).showModal(); }

    show();
    looked();
    beat();
    window.setInterval(function () {
      if (!lost && (calling() || Date.now() - lastInput < PRESENT_MS)) { beat(); }
    }, lease / BEATS_A_LEASE);
    window.setInterval(countdown, 1000);
    // A caller who returns keeps the task with the first input.
    ["keydown", "pointerdown", "pointermove"].forEach(function (name) {
      document.addEventListener(name, function () {
        if (!lost && leaseUntil - Date.now() < WARN_SECONDS * 1000 && Date.now() - asked > 2000) { asked = Date.now(); beat(); }
      }, { passive: true });
    });
  }

})();
