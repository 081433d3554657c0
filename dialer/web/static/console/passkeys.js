// Passkeys (WebAuthn): a form with data-passkey asks the server for the options, the browser for the passkey, and then
// goes on as any form does. Where the browser knows no passkeys the form stays hidden.
(function () {
  "use strict";

  function bytes(text) {
    var plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (one) { return one.charCodeAt(0); });
  }

  function text(buffer) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function read(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) { options.user.id = bytes(options.user.id); }
    ["allowCredentials", "excludeCredentials"].forEach(function (name) {
      (options[name] || []).forEach(function (one) { one.id = bytes(one.id); });
    });
    return options;
  }

  function written(credential) {
    var answer = credential.response, found = { clientDataJSON: text(answer.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (answer[name]) { found[name] = text(answer[name]); }
    });
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: found,
      clientExtensionResults: {}
    });
  }

  async function fill(form) {
    var answer = await window.fetch(form.dataset.passkey, {
      method: "POST", headers: { "X-CSRF-Token": form.elements.csrf.value }
    });
    if (!answer.ok) { throw new Error("refused"); }
    var asked = { publicKey: read(await answer.json()) };
    var creates = form.dataset.how === "create";
    var credential = await (creates ? navigator.credentials.create(asked) : navigator.credentials.get(asked));
    form.elements.credential.value = written(credential);
  }

  if (!window.PublicKeyCredential) { return; }
  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    var trouble = form.querySelector("[data-trouble]"), button = form.querySelector("button");
    form.hidden = false;
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      trouble.hidden = true;
      button.disabled = true;
      fill(form).then(function () { form.submit(); }, function () {
        trouble.hidden = false;
        button.disabled = false;
      });
    });
  });
})();
