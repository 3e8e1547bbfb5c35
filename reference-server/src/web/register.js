// Registration: a liveness session with the browser's camera, and whose face it is. The server tells the positions one
// after the other: in an order that it draws, each with a word that the frames answering it carry, or in the documented
// one, which every client of the service knows.
import { get, post } from "./api.js";
import { Camera } from "./camera.js";
import { ASK, guide, reasonOf, wayTo } from "./guidance.js";
import { Ring } from "./ring.js";
import { t } from "./text.js";
import { element, pause, say } from "./ui.js";

const POSITIONS = ["center", "left", "right"];
const FRAME_EVERY = 200;
// The documented gates; each answer tells the server's own.
const GATES = { center: [-5, 5], left: [-90, -15], right: [15, 90], up: [-15, 15], down: [-15, 15] };
// How far the face looks up, of what a nod needs.
const RISES = { up: [8, 90], down: [-90, -8] };

// Mirrored, as the server takes frames by default: the person's own left is the left of the picture.
const camera = new Camera(element("register-canvas"), { mirror: true });
const ring = new Ring(element("ring"));
const gates = { ...GATES };
let session = null;
// The server's last question: { position, nonce, steps }, without a nonce in the documented order; and when the session
// began on this clock.
let question = null;
let began = 0;
let completed = false;
// Counts the starts: answers to an earlier start's frames are ignored.
let run = 0;

// Whose face it will be, when the students' page asks for a new one.
const known = () => /^#register\/(\d+)$/.exec(location.hash)?.[1];

export async function enter() {
  element("register-form").hidden = known() !== undefined;
  element("register-known").hidden = known() === undefined;
  element("register-columns").classList.toggle("single", known() !== undefined);
  say(element("register-note"), "");
  reset();
  guide(t(known() ? "register.begin_known" : "register.begin"), { important: true });
  if (!known()) return;
  element("register-whom").textContent = "";
  try {
    const student = await get(`/students/${known()}`);
    element("register-whom").textContent = t("register.for", { name: student.name, roll: student.roll_number });
  } catch (error) {
    guide(error.message, { important: true, kind: "bad" });
  }
}

export const leave = () => turnOff();

function reset() {
  turnOff();
  ready(false);
  paint([], null, null);
  ring.clear();
}

function paint(verified, now, steps) {
  // A drawn order asks for each position more than once: none is done before all steps are.
  if (steps && steps.all > POSITIONS.length && steps.passed < steps.all) verified = [];
  for (const position of POSITIONS) {
    const { classList } = element(`step-${position}`);
    classList.toggle("done", verified.includes(position));
    classList.toggle("now", position === now);
    if (position === now) element(`step-${position}`).setAttribute("aria-current", "step");
    else element(`step-${position}`).removeAttribute("aria-current");
    element(`passed-${position}`).hidden = !verified.includes(position);
  }
  const { passed, all } = steps ?? { passed: 0, all: POSITIONS.length };
  Object.assign(element("register-progress"), { max: all, value: passed });
  element("register-progress-text").textContent = steps ? t("register.progress", { passed, all }) : "";
  ring.progress(passed, all);
}

function ready(isReady) {
  completed = isReady;
  element("register-submit").disabled = !isReady;
  element("register-need").hidden = isReady;
}

function turnOff() {
  run += 1;
  camera.stop();
  buttons(false);
  element("register-off").textContent = t("camera.off");
}

function buttons(on) {
  element("register-off").hidden = on;
  element("register-start").hidden = on;
  element("register-stop").hidden = !on;
  element("order").disabled = on;
  element("register-stage").classList.toggle("on", on);
}

async function start() {
  reset();
  say(element("register-note"), "");
  const mine = run;
  guide(t("camera.asking"), { important: true });
  try {
    await camera.start();
    if (mine !== run) return;
    buttons(true);
    element("register-stop").focus();
    element("register-stage").scrollIntoView({ block: "nearest" });
    await begin(mine);
  } catch (error) {
    if (mine !== run) return;
    turnOff();
    guide(error.message, { important: true, kind: "bad" });
    element("register-start").focus();
  }
}

async function begin(mine) {
  const student = known() ? { student_id: Number(known()) } : {};
  const order = element("order").value;
  const asks = order === "nods" ? { challenge: "random", nods: true } : { challenge: order };
  const { data } = await post("/liveness/session", { ...asks, ...student });
  if (mine !== run) return;
  session = data.session_id;
  began = performance.now();
  ask(data);
  paint([], question.position, question.steps);
  ring.aim(gates[question.position], null);
  guide(t(ASK[question.position]), { important: true });
  await capture(mine);
}

function ask({ next_position: position, nonce, steps = { passed: 0, all: POSITIONS.length } }) {
  question = { position: position ?? POSITIONS[0], nonce, steps };
}

async function capture(mine) {
  while (mine === run) {
    const at = performance.now();
    const frame = await camera.frame();
    if (frame && (await judge(frame, at, mine)) === "over") return;
    await pause(Math.max(0, FRAME_EVERY - (performance.now() - at)));
  }
}

// Sends one picture and shows what came of it; "over" when no other is wanted.
async function judge(frame, at, mine) {
  const { position, nonce, steps } = question;
  let answer;
  try {
    answer = await post("/liveness/detect", {
      session_id: session, position, nonce, frame_data: frame.data, elapsed_ms: Math.round(at - began),
    });
  } catch (error) {
    if (mine !== run) return "over";
    // A frame may get lost or come too thick; a session that is over is over.
    if (error.status && ![400, 429, 503].includes(error.status))
      return failed(t("register.again", { why: error.message }));
    guide(error.message, { important: true, kind: "bad" });
    await pause(1000);
    return "more";
  }
  if (mine !== run) return "over";
  if (answer.session_completed) {
    paint(POSITIONS, null, answer.steps);
    turnOff();
    await complete(answer);
    return "over";
  }
  const [reason] = answer.reasons;
  if (answer.status === "FAILED" || answer.status === "EXPIRED")
    return failed(endOf(reason));
  gates[position] = answer.gate ?? gates[position];
  ask(answer);
  paint(answer.verified, question.position, answer.steps);
  aim(answer);
  instruct(answer, reason, answer.steps.passed > steps.passed);
  return "more";
}

// Towards the nod that is asked for once the head points ahead, else towards the yaw.
function aim({ yaw, rise }) {
  const { position } = question;
  const [low, high] = gates[position];
  if (RISES[position] && (yaw === null || (yaw >= low && yaw <= high))) ring.aimAtNod(RISES[position], rise);
  else ring.aim([low, high], yaw);
}

function instruct(answer, reason, passed) {
  const { position } = question;
  if (passed) guide(t("register.passed", { next: t(ASK[position]) }), { important: true, kind: "good" });
  else if (!reason) guide(t(ASK[position]));
  else if (reason.code === "wrong_pose" || reason.code === "out_of_order")
    guide(wayTo(position, answer.yaw, gates[position], answer.rise, RISES[position] ?? answer.rise_gate));
  else
    guide(reasonOf(reason), {
      important: reason.code !== "not_steady",
      kind: reason.code === "not_steady" ? "good" : "",
    });
}

// What ended the session. After the other side too often, nothing starts over by itself any more.
function endOf(reason) {
  if (reason?.code === "wrong_turn") return t("register.other_side");
  return reason ? reasonOf(reason) : t("register.failed");
}

function failed(text) {
  turnOff();
  ring.clear();
  guide(text, { important: true, kind: "bad" });
  element("register-start").focus();
  return "over";
}

// All positions are verified and the camera is off: the face is saved for the student, or waits for a name.
async function complete(answer) {
  if (known()) {
    if (answer.final_embedding_saved) await savedFor(answer);
    else failed(answer.reasons.length ? reasonOf(answer.reasons[0]) : t("register.not_saved"));
    return;
  }
  ready(true);
  if (element("register-form").checkValidity()) {
    await save();
    return;
  }
  guide(t("register.verified"), { important: true, kind: "good" });
  element(element("student-name").value.trim() ? "student-roll" : "student-name").focus();
}

// Enrolled, with what the operator should know, such as a face that somebody else has.
function saved({ name, roll_number: roll, warnings = [], resembles = null }) {
  ready(false);
  element("register-form").reset();
  const note = element("register-note");
  const twice = resembles
    ? [t("register.twice", { name, roll, other: resembles.name, other_roll: resembles.roll_number })]
    : warnings.map(reasonOf);
  say(note, [t("register.saved_as", { name, roll }), ...twice].join(" "), twice.length ? "bad" : "good");
  guide(t("register.saved"), { important: true, kind: "good" });
  element("guidance").focus();
}

// The face of a student who was there already.
async function savedFor({ reasons }) {
  const student = await get(`/students/${known()}`).catch(() => null);
  const warnings = reasons.filter(({ code }) => code === "already_enrolled");
  saved({ name: student?.name ?? "", roll_number: student?.roll_number ?? known(), warnings });
}

async function save() {
  if (!completed) return;
  const form = new FormData(element("register-form"));
  const note = element("register-note");
  element("register-submit").disabled = true;
  guide(t("register.saving"), { important: true });
  try {
    const { data } = await post("/liveness/register-student", {
      name: form.get("name").trim(), roll_number: form.get("roll_number").trim(), session_id: session,
    });
    saved(data);
  } catch (error) {
    say(note, error.message, "bad");
    guide(t("register.not_yet"), { important: true });
    element("register-submit").disabled = !completed;
    element("student-roll").focus();
  }
}

camera.lost = () => {
  run += 1;
  ring.clear();
  paint([], null, null);
  element("register-off").textContent = t("camera.lost");
  element("register-off").hidden = false;
  guide(t("camera.lost"), { important: true, kind: "bad" });
};
// What was shown before the break counts no more: somebody else may sit there now.
camera.back = async () => {
  const mine = ++run;
  element("register-off").hidden = true;
  try {
    await begin(mine);
  } catch (error) {
    if (mine === run) failed(error.message);
  }
};
camera.gone = () => failed(t("camera.gone"));

element("register-start").addEventListener("click", start);
element("register-stop").addEventListener("click", () => {
  reset();
  guide(t("register.stopped"), { important: true });
  element("register-start").focus();
});
element("register-form").addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
