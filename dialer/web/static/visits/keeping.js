// On every page of people who make visits: sends what waits, and never lets a sign-out delete unsent text unnoticed.

import { flush, forgetOwn, ownActs } from "./outbox.js";

const dialog = document.getElementById("leaving");
let form = null;
let mayLeave = false;

async function leave() {
  await forgetOwn();
  mayLeave = true;
  form.requestSubmit();
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches('form[action="/sign-out"]') || mayLeave) return;
  event.preventDefault();
  form = event.target;
  try {
    await flush();
    const left = await ownActs();
    if (!left.length) {
      await leave();
      return;
    }
    dialog.querySelector(".leaving-count b").textContent = String(left.length);
    dialog.showModal();
  } catch {
    mayLeave = true; // this browser stores nothing
    form.requestSubmit();
  }
});
dialog.querySelector("[data-stay]").addEventListener("click", () => dialog.close());
dialog.querySelector("[data-leave]").addEventListener("click", leave);

flush();
