// A tablet at the gate: it is paired once, shows its picture to the server for as long as somebody is there, and greets
// whom the server has marked. What it shows of a person comes from an answer that the database has already taken.
import { Camera } from "../camera.js";
import { LANGUAGES, chosen, speak, t, told } from "../text.js";
import { element, make, pause, say } from "../ui.js";
import { Eye } from "./eye.js";
import { Greetings, clockText } from "./greeting.js";
import { Refused, me, notMe, pair, send, vouch } from "./link.js";
import { wake } from "./voice.js";

// While somebody is there; and while a picture more may show that they are alive: a blink is over in a third of a
// second.
const SEND_EVERY = 400;
const WATCH_EVERY = 150;
const LOOK_EVERY = 250;
// Without a face and without movement: no picture is sent any more, then the screen is darkened.
const REST_AFTER = 12_000;
const NIGHT_AFTER = 90_000;
// While no picture is sent, the server hears of the kiosk, and the kiosk of its settings.
const CALL_EVERY = 20_000;
// How long a hint must hold before it is shown: two pictures may disagree.
const HINT_AFTER = { look: 900, unknown: 2500 };
const HINT_STAYS = 1500;
// Whoever has said to be leaving, and is not seen, has gone; the next one may be arriving.
const LEAVING_FOR = 15_000;
// Nobody's roll number stays in a form that was left.
const FORM_FOR = 45_000;
const AGAIN_AFTER = [1000, 2000, 4000, 5000];
const PAIRED = "faceattend.kiosk";

const ADVICE = {
  look: "kiosk.look",
  left: "kiosk.asked.left",
  right: "kiosk.asked.right",
  up: "kiosk.asked.up",
  down: "kiosk.asked.down",
  wait: "kiosk.wait",
  unknown: "kiosk.unknown",
  second_look: "kiosk.second_look",
  done: "kiosk.done",
  too_small: "reason.too_small",
  blurred: "reason.blurred",
  too_dark: "reason.too_dark",
  too_bright: "reason.too_bright",
  pose_too_far: "reason.pose_too_far",
  truncated: "reason.truncated",
};
// Where to: the mirror's left is the left of whoever stands before it.
const ARROWS = { left: "\u2190", right: "\u2192", up: "\u2191", down: "\u2193" };
const PAIRING = {
  "This code is not good: it is wrong, used or older than ten minutes": "kiosk.code_wrong",
};
const FALLBACK = {
  "Wrong PIN": "kiosk.pin_wrong",
  "Student not found": "kiosk.roll_unknown",
  "This kiosk has no PIN": "kiosk.no_pin",
};

const camera = new Camera(element("mirror"), { mirror: false });
const eye = new Eye();
const greetings = new Greetings();
let settings = null;
// The site's time when it was told, and when that was.
let clock = null;
let run = 0;
let lastActive = 0;
let lastCall = 0;
// Until when whoever is recognized is checked out.
let leavingUntil = 0;
// What the nearest person can do: since when the server says so, what is shown of it, and until when at least.
let hint = { code: null, since: 0, shown: null, until: 0 };
let failures = 0;
let lock = null;

const PAGES = ["pairing", "away", "waiting", "gate"];

function show(page) {
  for (const name of PAGES) element(name).hidden = name !== page;
  if (page !== "gate") {
    leave(false);
    greetings.stop();
    hintOf(null);
    night(false);
  }
}

// The text of a place in the page, changed only where it is another: what is read aloud is not read twice.
function write(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// ---- the site's time --------------------------------------------------------------------------------------------

function siteTime() {
  return clock && new Date(clock.at.getTime() + performance.now() - clock.told);
}

function setClock(text) {
  clock = { at: new Date(`${text}Z`), told: performance.now() };
  tick();
}

function tick() {
  const now = siteTime();
  if (!now) return;
  const text = clockText(now);
  write("clock", text);
  write("night-clock", text);
  // It wanders, so that no screen keeps a trace of it.
  element("night").dataset.place = String(now.getUTCMinutes() % 4);
}

// ---- pairing ----------------------------------------------------------------------------------------------------

function toPairing(why = "") {
  run += 1;
  camera.stop();
  release();
  settings = null;
  write("place", t("kiosk.title"));
  show("pairing");
  element("pair-why").hidden = !why;
  write("pair-why", why);
  element("fallback").close();
  element("code").focus();
}

function revoked() {
  const was = localStorage.getItem(PAIRED) !== null;
  localStorage.removeItem(PAIRED);
  toPairing(was ? t("kiosk.revoked") : "");
}

async function pairBy(code) {
  element("pair-submit").disabled = true;
  say(element("pair-note"), t("kiosk.pairing"));
  try {
    take(await pair(code));
    localStorage.setItem(PAIRED, "yes");
    element("code").value = "";
    say(element("pair-note"), "");
    await begin();
  } catch (error) {
    say(element("pair-note"), whyNot(error, PAIRING), "bad");
  } finally {
    element("pair-submit").disabled = false;
  }
}

function whyNot(error, sentences) {
  if (!(error instanceof Refused)) return error.message;
  if (error.status === 0) return t("kiosk.offline");
  if (error.status === 429) return t("error.too_many", { count: error.wait || 60 });
  return told(sentences, error.detail, t("error.server", { status: error.status }));
}

function take(state) {
  settings = state;
  greetings.settings = { tone: state.tone, speech: state.speech };
  write("place", state.location || state.name);
  element("fallback-open").hidden = !state.fallback;
  lastCall = performance.now();
  setClock(state.clock);
}

// ---- the camera -------------------------------------------------------------------------------------------------

// Begins by itself where the camera was allowed before, else after a touch.
async function begin() {
  const allowed = await navigator.permissions?.query({ name: "camera" }).then((one) => one.state, () => "prompt");
  if (allowed === "granted") return startCamera();
  show("waiting");
  say(element("start-note"), navigator.mediaDevices ? "" : t("camera.insecure"), "bad");
  element("start").focus();
  return undefined;
}

async function startCamera() {
  const mine = ++run;
  show("gate");
  active();
  keepAwake();
  while (mine === run) {
    try {
      await camera.start();
      break;
    } catch (error) {
      if (mine !== run) return;
      trouble(error.message);
      await pause(5000);
    }
  }
  if (mine !== run) return;
  trouble("");
  watch(mine);
  work(mine);
}

camera.lost = () => trouble(t("camera.lost"));
camera.back = () => trouble("");
camera.gone = () => settings && startCamera();

function trouble(text) {
  element("trouble").hidden = !text;
  write("trouble", text);
  if (text) {
    greetings.stop();
    hintOf(null);
  }
}

const active = () => {
  lastActive = performance.now();
  night(false);
};

// Looks for movement, for as long as this camera runs.
async function watch(mine) {
  while (mine === run) {
    if (eye.moved(camera)) active();
    const still = performance.now() - lastActive;
    if (still > NIGHT_AFTER && element("trouble").hidden) night(true);
    await pause(LOOK_EVERY);
  }
}

function night(on) {
  if (element("night").hidden === !on) return;
  element("night").hidden = !on;
  camera.draws = !on;
}

// ---- the server -------------------------------------------------------------------------------------------------

async function work(mine) {
  while (mine === run) {
    const began = performance.now();
    const resting = began - lastActive > REST_AFTER || element("fallback").open;
    let next = SEND_EVERY;
    try {
      if (resting) {
        if (began - lastCall > CALL_EVERY || failures > 0) take(await me());
        next = LOOK_EVERY;
        hintOf(null);
      } else {
        next = await look(mine);
      }
      if (mine !== run) return;
      if (failures > 0) trouble("");
      failures = 0;
    } catch (error) {
      if (mine !== run) return;
      if (error instanceof Refused && error.status === 401) return revoked();
      await troubled(error);
      continue;
    }
    await pause(Math.max(0, next - (performance.now() - began)));
  }
  return undefined;
}

// Sends a picture and shows what it led to; returns when the next one is due.
async function look(mine) {
  const frame = await camera.frame();
  if (!frame) return LOOK_EVERY;
  const leaving = isLeaving();
  const answer = await send(frame.data, leaving);
  if (mine !== run) return 0;
  setClock(answer.clock);
  lastCall = performance.now();
  if (answer.version !== settings.version) take(await me());
  if (answer.faces > 0) active();
  if (!element("fallback").open) {
    greetings.take(answer.greetings);
    if (answer.greetings.some(({ kind }) => GONE.includes(kind))) leave(false);
    hintOf(answer.advice ?? (answer.greetings.length > 0 ? "done" : null));
  }
  return answer.advice === "look" || answer.advice in ARROWS ? WATCH_EVERY : SEND_EVERY;
}

const GONE = ["goodbye", "left_early"];
const isLeaving = () => performance.now() < leavingUntil;

function leave(on) {
  leavingUntil = on ? performance.now() + LEAVING_FOR : 0;
  element("leave").setAttribute("aria-pressed", String(on));
  if (on) active();
}

element("leave").addEventListener("click", () => leave(!isLeaving()));

// Says that the server is away or busy, and waits before the next try.
async function troubled(error) {
  const wait = AGAIN_AFTER[Math.min(failures, AGAIN_AFTER.length - 1)];
  failures += 1;
  // One picture that is lost is no trouble yet.
  if (failures > 1 || error.status === 0)
    trouble(error instanceof Refused && error.status > 0 ? t("kiosk.busy") : t("kiosk.offline"));
  await pause(Math.max(wait, Math.min(error.wait ?? 0, 10) * 1000));
}

// What the nearest person can do; shown once it has held for a moment, and for long enough to be read.
function hintOf(code) {
  const now = performance.now();
  if (code !== hint.code) hint = { ...hint, code, since: now };
  if (code in ADVICE && now - hint.since >= (HINT_AFTER[code] ?? 0))
    hint = { ...hint, shown: code, until: now + HINT_STAYS };
  else if (now > hint.until) hint.shown = null;
  const quiet = greetings.shown !== null || !element("trouble").hidden;
  if (quiet) hint.shown = null;
  // Whoever is leaving has to show the face as well.
  if (leavingUntil > 0 && !isLeaving()) leave(false);
  const waits = t(isLeaving() ? "kiosk.leaving" : "kiosk.come");
  const text = hint.shown ? t(ADVICE[hint.shown]) : quiet ? "" : waits;
  write("advice", text);
  write("arrow", ARROWS[hint.shown] ?? "");
  // A kiosk that waits has nothing to say aloud.
  if (hint.shown) write("heard", text);
}

// ---- what people do ---------------------------------------------------------------------------------------------

element("not-me").addEventListener("click", async () => {
  const { shown } = greetings;
  if (!shown) return;
  element("not-me").disabled = true;
  try {
    await notMe(shown.greeting_id);
    greetings.note(t("kiosk.not_me_done"));
  } catch (error) {
    if (error.status === 401) return revoked();
    greetings.note(t("kiosk.not_me_failed"));
  } finally {
    element("not-me").disabled = false;
  }
  return undefined;
});

let formTimer = 0;

function formIsUsed() {
  clearTimeout(formTimer);
  formTimer = setTimeout(() => element("fallback").close(), FORM_FOR);
}

element("fallback-open").addEventListener("click", () => {
  active();
  greetings.stop();
  say(element("fallback-note"), "");
  element("fallback").showModal();
  element("fallback-roll").focus();
  formIsUsed();
});
element("fallback").addEventListener("input", formIsUsed);
element("fallback-cancel").addEventListener("click", () => element("fallback").close());
element("fallback").addEventListener("close", () => {
  clearTimeout(formTimer);
  element("fallback-form").reset();
  say(element("fallback-note"), "");
  active();
});
element("fallback-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [roll, pin] = [element("fallback-roll").value.trim(), element("fallback-pin").value];
  if (!roll || !pin) return say(element("fallback-note"), t("kiosk.both_needed"), "bad");
  formIsUsed();
  element("fallback-submit").disabled = true;
  say(element("fallback-note"), t("kiosk.marking"));
  try {
    const greeting = await vouch(roll, pin, isLeaving());
    leave(false);
    element("fallback").close();
    greetings.take([greeting]);
  } catch (error) {
    if (error.status === 401) return revoked();
    element("fallback-pin").value = "";
    say(element("fallback-note"), whyNot(error, FALLBACK), "bad");
  } finally {
    element("fallback-submit").disabled = false;
  }
  return undefined;
});

// ---- the tablet -------------------------------------------------------------------------------------------------

// The screen stays on while this page is seen; a tablet that slept has let go of it.
async function keepAwake() {
  if (lock || !("wakeLock" in navigator) || document.visibilityState !== "visible") return;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = null; });
  } catch {
    lock = null;
  }
}

function release() {
  lock?.release().catch(() => {});
  lock = null;
}

const isFull = () => document.fullscreenElement !== null || matchMedia("(display-mode: fullscreen)").matches;

function fullScreen() {
  wake();
  if (!isFull()) document.documentElement.requestFullscreen?.().catch(() => {});
}

function offerFullScreen() {
  element("full").hidden = isFull() || !document.documentElement.requestFullscreen;
}

element("full").addEventListener("click", fullScreen);
document.addEventListener("fullscreenchange", offerFullScreen);
document.addEventListener("pointerdown", () => {
  wake();
  if (settings) active();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && settings) keepAwake();
});
element("start").addEventListener("click", () => {
  fullScreen();
  startCamera();
});
element("pair").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = element("code").value.trim();
  if (!code) return say(element("pair-note"), t("kiosk.code_missing"), "bad");
  return pairBy(code);
});
element("language").addEventListener("change", async ({ target }) => {
  await speak(target.value);
  if (!settings) write("place", t("kiosk.title"));
});

// ---- the beginning ----------------------------------------------------------------------------------------------

async function enter() {
  await speak();
  document.title = t("kiosk.title");
  element("language").append(
    ...Object.entries(LANGUAGES).map(([value, textContent]) => make("option", { value, textContent, lang: value })),
  );
  element("language").value = chosen();
  setInterval(tick, 1000);
  offerFullScreen();
  // The code of a picture that was scanned: it leaves the address at once.
  const scanned = decodeURIComponent(location.hash.slice(1));
  if (scanned) history.replaceState(null, "", location.pathname + location.search);
  if (navigator.serviceWorker) navigator.serviceWorker.register("kiosk-worker.js", { scope: "kiosk" }).catch(() => {});
  if (scanned) {
    toPairing();
    element("code").value = scanned;
    return pairBy(scanned);
  }
  for (let tries = 0; ; tries += 1) {
    try {
      take(await me());
      break;
    } catch (error) {
      if (error.status === 401) return revoked();
      show("away");
      say(element("away-why"), t(error.status > 0 ? "kiosk.busy" : "kiosk.offline"), "bad");
      await pause(AGAIN_AFTER[Math.min(tries, AGAIN_AFTER.length - 1)]);
    }
  }
  return begin();
}

enter();
