// Web Push in this browser: asks for its permission and the push service's address, which the form then sends. Where the
// browser knows no Web Push the form stays hidden.
(function () {
  "use strict";
  var SCOPE = "/static/console/";
  var form = document.querySelector("form[data-push-key]");
  if (!form || !navigator.serviceWorker || !window.PushManager) { return; }

  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (one) { return one.charCodeAt(0); });
  }

  function text(buffer) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function register() {
    return navigator.serviceWorker.register(form.dataset.worker, { scope: SCOPE });
  }

  function active(registration) {
    if (registration.active) { return Promise.resolve(registration); }
    return new Promise(function (done, failed) {
      var worker = registration.installing || registration.waiting;
      worker.addEventListener("statechange", function () {
        if (worker.state === "activated") { done(registration); }
        if (worker.state === "redundant") { failed(new Error("redundant")); }
      });
    });
  }

  async function fill() {
    if (await window.Notification.requestPermission() !== "granted") { throw new Error("refused"); }
    var manager = (await active(await register())).pushManager;
    var key = form.dataset.pushKey, held = await manager.getSubscription();
    if (held && text(held.options.applicationServerKey) !== key) {
      await held.unsubscribe();  // of an installation that was here before
      held = null;
    }
    held = held || await manager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    form.elements.endpoint.value = held.endpoint;
    form.elements.public.value = text(held.getKey("p256dh"));
    form.elements.secret.value = text(held.getKey("auth"));
  }

  form.hidden = false;
  form.addEventListener("submit", function (event) {
    var trouble = form.querySelector("[data-trouble]"), button = form.querySelector("button");
    event.preventDefault();
    trouble.hidden = true;
    button.disabled = true;
    fill().then(function () { form.submit(); }, function () {
      trouble.hidden = false;
      button.disabled = false;
    });
  });
  // A browser that has the worker gets its new version here.
  navigator.serviceWorker.getRegistration(SCOPE).then(function (found) {
    if (found) { register(); }
  }).catch(function () {});
})();
