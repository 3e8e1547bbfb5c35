// The first steps of a new server: what is still to be done, by the server's real state. Admins see it until all is
// done; what is left for later is remembered by this browser.
import { get } from "./api.js";
import { may } from "./roles.js";
import { t } from "./text.js";
import { button, element, make } from "./ui.js";

const LATER = "faceattend.later";

// Each with where it is done; without that it is done where the pages lie.
const STEPS = {
  password: ["first_run.password", "#accounts"],
  time_zone: ["first_run.time_zone", null],
  camera: ["first_run.camera", "#cameras"],
  person: ["first_run.person", "#register"],
  passive: ["first_run.passive", null],
};
const HINTS = { time_zone: "first_run.time_zone_hint", passive: "first_run.passive_hint" };

function left() {
  try {
    return new Set(JSON.parse(localStorage.getItem(LATER)) ?? []);
  } catch {
    return new Set();
  }
}

// The time zone is a setting: whoever says that it is right says so of this one.
const keyOf = (step, state) => (step === "time_zone" ? `time_zone ${state.time_zone}` : step);

function doneOf(step, state) {
  return {
    password: state.password_changed,
    time_zone: state.time_zone_chosen,
    camera: state.cameras > 0,
    person: state.people > 0,
    passive: state.passive_models,
  }[step];
}

export async function look() {
  const card = element("first-run");
  if (!may("admin")) {
    card.hidden = true;
    return;
  }
  try {
    show((await get("/first-run")).data);
  } catch {
    // The page's own requests say that the server is away.
    card.hidden = true;
  }
}

function show(state) {
  const later = left();
  const open = Object.keys(STEPS).filter((step) => !doneOf(step, state) && !later.has(keyOf(step, state)));
  element("first-run").hidden = open.length === 0;
  const focused = document.activeElement?.dataset?.step;
  element("first-run-steps").replaceChildren(...Object.keys(STEPS).map((step) => lineOf(step, state, open)));
  if (focused !== undefined) element("first-run-title").focus();
}

function lineOf(step, state, open) {
  const [key, where] = STEPS[step];
  const values = { zone: state.time_zone, time: state.local_time };
  const text = make("span", { textContent: t(key, values) });
  const done = doneOf(step, state);
  if (!open.includes(step)) {
    const how = t(done ? "first_run.done" : "first_run.left");
    return make("li", { className: done ? "good" : "hint" }, text, make("span", { textContent: ` (${how})` }));
  }
  const line = make("li", {}, where ? make("a", { href: where }, text) : text);
  const word = step === "time_zone" ? "first_run.right" : "first_run.later";
  const put = button(t(word), `${t(word)}: ${text.textContent}`, () => {
    localStorage.setItem(LATER, JSON.stringify([...left(), keyOf(step, state)]));
    show(state);
  });
  put.dataset.step = step;
  line.append(" ", put);
  if (HINTS[step]) line.append(make("span", { className: "hint under", textContent: t(HINTS[step]) }));
  return line;
}
