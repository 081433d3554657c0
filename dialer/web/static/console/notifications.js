// Work that comes while a page is open: a notice on it, a desktop notification and a sound. One page of a browser holds
// the stream and passes on to the others; where the browser cannot choose one, each page has its own.
(function () {
  "use strict";
  var AGAIN_MS = 300000;
  var KEY = "no-notifications-until";
  var SHOWN = "last-notification";
  var own = document.querySelector("[data-notifications-always]");
  var address = "/notifications/live" + (own ? "?always=1" : "");
  var channel = window.BroadcastChannel ? new window.BroadcastChannel("notifications") : null;

  function notice(one) {
    var toast = document.createElement("div");
    toast.className = "toast toast-trouble";
    toast.setAttribute("role", "alert");
    var text = document.createElement("p");
    var link = document.createElement("a");
    link.href = one.to;
    link.textContent = one.text;
    text.appendChild(link);
    var close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.setAttribute("data-dismiss", "");
    close.textContent = "×";
    toast.append(text, close);
    document.getElementById("toasts").appendChild(toast);
  }

  function sound() {
    if (!window.AudioContext) { return; }
    // A browser plays nothing before the first click on the page; the notice is there all the same.
    var audio = new window.AudioContext();
    [880, 1175, 880].forEach(function (hertz, number) {
      var tone = audio.createOscillator();
      var level = audio.createGain();
      tone.frequency.value = hertz;
      level.gain.value = 0.2;
      tone.connect(level).connect(audio.destination);
      tone.start(audio.currentTime + number * 0.25);
      tone.stop(audio.currentTime + number * 0.25 + 0.2);
    });
    window.setTimeout(function () { audio.close(); }, 2000);
  }

  function desktop(one) {
    if (!window.Notification || window.Notification.permission !== "granted") { return; }
    var shown = new window.Notification(document.title.split(" · ").pop(), { body: one.text, tag: "dialer", renotify: true });
    shown.onclick = function () { window.focus(); window.location.assign(one.to); };
  }

  function wasShown(id) {
    try {
      var before = window.sessionStorage.getItem(SHOWN);
      window.sessionStorage.setItem(SHOWN, id);
      return before === id;
    } catch (refused) { return false; }
  }

  function listen() {
    new window.EventSource(address).addEventListener("notification", function (event) {
      var one = JSON.parse(event.data);
      notice(one);
      // Shown again on the next page of somebody who left this one at that moment, without another sound.
      if (wasShown(one.id)) { return; }
      desktop(one);
      sound();
      if (channel) { channel.postMessage(one); }
    });
  }

  function begin() {
    if (!window.navigator.locks) { listen(); return; }
    window.navigator.locks.request("notifications", function () {
      listen();
      return new Promise(function () {});  // held until the page is closed; then another one listens
    });
  }

  var allow = document.querySelector("[data-allow-notifications]");
  if (allow && window.Notification && window.Notification.permission === "default") {
    allow.hidden = false;
    allow.addEventListener("click", function () {
      window.Notification.requestPermission().then(function () { allow.hidden = true; });
    });
  }
  if (!window.EventSource) { return; }
  if (channel) { channel.onmessage = function (event) { notice(event.data); }; }
  var until = 0;
  try { until = Number(window.sessionStorage.getItem(KEY)) || 0; } catch (refused) { /* it is asked each time */ }
  if (!own && Date.now() < until) { return; }
  // Somebody whom no roster names waits for nothing.
  window.fetch(address, { credentials: "same-origin" }).then(function (answer) {
    if (answer.status === 200) { begin(); return; }
    try { window.sessionStorage.setItem(KEY, String(Date.now() + AGAIN_MS)); } catch (refused) { /* as above */ }
  }).catch(function () {});
})();
