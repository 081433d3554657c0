// The telephone: polls the carrier for its state and shows it; sends back what the person does with it.

import { Microphone, Sound } from "./phone_sound.js";

const LOOK_MS = 300;
const CASE_MS = 1000;
const TARGETS_MS = 5000;

const $ = (id) => document.getElementById(id);
const lang = document.body.dataset.lang;
const texts = JSON.parse(document.body.dataset.texts);
const sound = new Sound();
const microphone = new Microphone();

const now = { caseId: null, handset: null, state: null, calls: 0, since: 0 };
const seen = new Set();

class Refused extends Error {}

async function ask(path, body) {
  const sends = body !== undefined;
  const json = sends && !(body instanceof ArrayBuffer);
  const answer = await fetch(`${path}?lang=${lang}`, {
    method: sends ? "POST" : "GET",
    body: json ? JSON.stringify(body) : body,
    headers: json ? { "Content-Type": "application/json" } : {},
  });
  if (!answer.ok) throw new Refused((await answer.json()).error);
  return answer;
}

const askJson = async (path, body) => (await ask(path, body)).json();

function trouble(words) {
  $("trouble").textContent = words;
  $("trouble").hidden = !words;
}

/** Calls `look` repeatedly, never twice at once; a failure is shown and tried again. */
function repeat(milliseconds, look) {
  const once = async () => {
    try {
      await look();
      if ($("trouble").dataset.kind === "lost") trouble("");
    } catch {
      $("trouble").dataset.kind = "lost";
      trouble(texts.lost);
    }
    setTimeout(once, milliseconds);
  };
  void once();
}

async function attempt(act) {
  try {
    trouble("");
    $("trouble").dataset.kind = "refused";
    return await act();
  } catch (fault) {
    trouble(`${texts.failed}: ${fault.message}`);
    return null;
  }
}

// Choosing

const element = (tag, text, className = "") => Object.assign(document.createElement(tag), { textContent: text, className });

async function lookAtTargets() {
  if (now.handset) return;
  const { targets } = await askJson(`/phone/targets`);
  const rows = targets.map((target) => {
    const button = document.createElement("button");
    button.append(element("span", `${target.name} ${target.phone}`), element("small", target.grade_word));
    button.append(element("small", target.fraud_type), element("small", texts.rings.replace("{n}", target.rings)));
    button.addEventListener("click", () => take(target.case_id));
    const row = document.createElement("li");
    row.append(button);
    return row;
  });
  $("targets").replaceChildren(...(rows.length ? rows : [element("li", texts.none, "dim")]));
}

async function loadYourself(event) {
  event.preventDefault();
  const form = event.target;
  const fault = $("form-fault");
  fault.hidden = true;
  const waking = sound.wake();
  try {
    const made = await askJson("/phone/targets", Object.fromEntries(new FormData(form)));
    await waking;
    await take(made.case_id);
  } catch (refusal) {
    fault.textContent = refusal.message;
    fault.hidden = false;
  }
}

async function take(caseId) {
  await sound.wake();
  const handset = await attempt(() => askJson(`/phone/cases/${caseId}/take`, {}));
  if (!handset) return;
  sound.forget();
  if (caseId !== now.caseId) {
    seen.clear();
    $("timeline").replaceChildren();
  }
  Object.assign(now, { caseId, handset: handset.id, state: null, calls: handset.calls });
  $("choosing").hidden = true;
  $("phone").hidden = false;
  show({ ...handset, state: "idle", played: [] });
  await lookAtCase();
}

function back() {
  Object.assign(now, { caseId: null, handset: null, state: null });
  sound.silence();
  sound.ring(false);
  document.body.dataset.at = "choosing";
  $("choosing").hidden = false;
  $("phone").hidden = true;
  void lookAtTargets();
}

// The telephone

async function lookAtPhone() {
  const handset = now.handset;
  if (!handset) return;
  const state = await askJson(`/phone/handsets/${handset}`);
  if (handset !== now.handset) return;
  // Until the next call rings, the state is that of the last one.
  const isOld = now.state === "idle" && state.state === "over" && state.calls === now.calls;
  show(isOld ? { ...state, state: "idle", played: [] } : state);
}

function show(line) {
  const changed = line.state !== now.state;
  if (changed) {
    if (line.state === "talking") now.since = Date.now();
    if (line.state === "ringing") now.calls = line.calls;
    now.state = line.state;
    document.body.dataset.at = line.state;
    $("incoming").hidden = line.state !== "ringing";
    $("incall").hidden = line.state !== "talking";
    $("after").hidden = line.state !== "over" && line.state !== "idle";
    sound.ring(line.state === "ringing");
    if (line.state === "over") sound.silence();
    if (line.state === "ringing") $("answer").focus();
  }
  const says = { idle: texts.waiting_call, ringing: texts.ringing, talking: texts.talking, over: texts.over };
  $("line-state").textContent = line.speed === 1 ? says[line.state] : texts.fast.replace("{n}", line.speed);
  $("microphone").hidden = !(line.hears_sound && Microphone.exists);
  $("no-ear").hidden = line.hears_sound;
  const playing = line.played.at(-1);
  if (line.state === "talking") {
    $("subtitle").textContent = playing?.text ?? "";
    $("prompt").textContent = line.asking ? texts.listening : "";
    const seconds = Math.floor((Date.now() - now.since) / 1000);
    $("timer").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    sound.follow(line.played, async (n) => (await ask(`/phone/handsets/${line.id}/clips/${n}`)).arrayBuffer());
  } else {
    $("prompt").textContent = "";
    if (line.state !== "over") $("subtitle").textContent = $("timer").textContent = "";
  }
}

async function act(name, body = {}) {
  if (!now.handset) return;
  const line = await attempt(() => askJson(`/phone/handsets/${now.handset}/${name}`, body));
  if (line) show(line);
}

function press(key) {
  if (now.state === "ringing") trouble(texts.answer_first);
  if (now.state !== "talking") return;
  sound.key(key);
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 150);
  void act("keys", { keys: key });
}

async function answer() {
  await sound.wake();
  trouble("");
  await act("answer");
}

async function callIn() {
  await sound.wake();
  sound.forget();
  await act("call_in", { hides_number: $("hide").checked });
}

async function speak(on) {
  const button = $("microphone");
  if (on === button.classList.contains("on")) return;
  button.classList.toggle("on", on);
  button.textContent = on ? texts.speaking : texts.hold_to_speak;
  if (on) {
    try {
      await microphone.start();
    } catch {
      trouble(texts.no_microphone);
      button.classList.remove("on");
    }
    return;
  }
  const recorded = await microphone.stop(sound.context);
  if (recorded) await act("sound", recorded);
}

function typed(event) {
  event.preventDefault();
  const words = event.target.elements.words;
  if (words.value.trim()) void act("words", { words: words.value });
  words.value = "";
}

function keyed(event) {
  const field = event.target.closest("input, select");
  if (event.key === "Escape" && (now.state === "talking" || now.state === "ringing")) void act("hang_up");
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && now.state === "ringing") {
    event.preventDefault();
    void answer();
  } else if (/^[0-9*#]$/.test(event.key)) press(event.key);
}

// The case

async function lookAtCase() {
  const caseId = now.caseId;
  if (caseId === null) return;
  const details = await askJson(`/phone/cases/${caseId}`);
  if (caseId !== now.caseId) return;
  $("pick-first").hidden = true;
  $("case").hidden = false;
  $("who-name").textContent = details.name;
  $("who-phone").textContent = details.phone;
  $("case-name").textContent = `${texts.case} ${details.case_id} · ${details.name} ${details.phone}`;
  const facts = details.facts.map((fact) => element("li", fact));
  facts.unshift(element("li", details.status, details.is_settled_well ? "good" : ""));
  if (details.contact === "verified") facts[3].className = "good";
  $("facts").replaceChildren(...facts);
  $("next").replaceChildren(
    ...details.next.map((step) => {
      const row = document.createElement("li");
      row.append(element("span", step.what), element("span", step.when));
      return row;
    }),
  );
  $("waiting").textContent = now.state === "idle" ? details.waiting : "";
  const first = seen.size === 0;
  for (const entry of details.timeline) {
    if (seen.has(entry.id)) continue;
    seen.add(entry.id);
    const row = element("li", "", first ? "" : "new");
    row.dataset.kind = entry.kind;
    row.append(element("time", entry.at), element("span", entry.what + (entry.by ? ` · ${entry.by}` : "")));
    $("timeline").prepend(row);
  }
}

$("yourself").addEventListener("submit", loadYourself);
$("words").addEventListener("submit", typed);
$("answer").addEventListener("click", answer);
$("reject").addEventListener("click", () => act("hang_up"));
$("hang-up").addEventListener("click", () => act("hang_up"));
$("again").addEventListener("click", () => take(now.caseId));
$("call-in").addEventListener("click", callIn);
$("back").addEventListener("click", back);
$("pad").addEventListener("click", (event) => event.target.dataset.key && press(event.target.dataset.key));
$("microphone").addEventListener("pointerdown", () => speak(true));
for (const end of ["pointerup", "pointerleave", "pointercancel"]) $("microphone").addEventListener(end, () => speak(false));
document.addEventListener("keydown", keyed);

repeat(LOOK_MS, lookAtPhone);
repeat(CASE_MS, lookAtCase);
repeat(TARGETS_MS, lookAtTargets);
