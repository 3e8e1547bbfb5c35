// What a registration says to the person: to the eye at once, to the ear no faster than it can be heard.
import { element } from "./ui.js";
import { chosen, t, told } from "./text.js";

// What is important stays for so long, though pictures come five times a second.
const STAYS = 1800;
// A screen reader and a voice need about so long for a sentence.
const HEARD_EVERY = 1800;
// Up to so many degrees short of the gate it is "a little further".
const LITTLE = 10;

export const ASK = { center: "ask.center", left: "ask.left", right: "ask.right", up: "ask.up", down: "ask.down" };
const FURTHER = {
  left: "ask.further_left", right: "ask.further_right", up: "ask.further_up", down: "ask.further_down",
};
// Up to so many degrees short of a nod it is "a little further": nods are smaller than turns.
const LITTLE_NOD = 4;

// By the server's stable codes.
export const REASONS = {
  no_face: "reason.no_face",
  several_faces: "reason.several_faces",
  face_unclear: "reason.face_unclear",
  wrong_pose: "reason.wrong_pose",
  different_person: "reason.different_person",
  frozen_picture: "reason.frozen_picture",
  no_parallax: "reason.no_parallax",
  no_relief: "reason.no_relief",
  out_of_order: "reason.out_of_order",
  wrong_turn: "reason.wrong_turn",
  wrong_nonce: "reason.wrong_nonce",
  replayed_frame: "reason.replayed_frame",
  mirrored_frame: "reason.mirrored_frame",
  bad_timestamp: "reason.bad_timestamp",
  source_changed: "reason.source_changed",
  track_broken: "reason.track_broken",
  not_steady: "reason.not_steady",
  already_enrolled: "reason.already_enrolled",
  unlike_face: "reason.unlike_face",
  spoof_suspected: "reason.spoof_suspected",
  passive_check_missing: "reason.passive_check_missing",
  duplicate_frame: "reason.duplicate_frame",
  stale_frame: "reason.stale_frame",
  model_changed: "reason.model_changed",
  too_many_attempts: "reason.too_many_attempts",
  expired: "reason.expired",
  too_small: "reason.too_small",
  blurred: "reason.blurred",
  too_dark: "reason.too_dark",
  too_bright: "reason.too_bright",
  pose_too_far: "reason.pose_too_far",
  truncated: "reason.truncated",
};

// A reason in the person's language; the server's own sentence for a code that came later than this page.
export function reasonOf({ code, advice, student_id: student }) {
  return told(REASONS, code, advice).replace("{student}", student ?? "");
}

// Which way to turn or nod, and whether far or a little. Yaw and gate are those of the mirrored picture, whose left is
// the person's own; `rise` is how far the face looks up.
export function wayTo(position, yaw, [low, high], rise = null, riseGate = null) {
  if (yaw === null) return t(ASK[position]);
  if (yaw >= low && yaw <= high) return nodTo(position, rise, riseGate);
  const rightwards = yaw < low;
  if (!(position === "left" || position === "right"))
    return t(rightwards ? "ask.back_right" : "ask.back_left");
  const short = rightwards ? low - yaw : yaw - high;
  return t(short <= LITTLE ? FURTHER[position] : ASK[position]);
}

function nodTo(position, rise, riseGate) {
  if (rise === null || !riseGate || (rise >= riseGate[0] && rise <= riseGate[1])) return t(ASK[position]);
  const upwards = rise < riseGate[0];
  if (position === "center") return t(upwards ? "ask.back_up" : "ask.back_down");
  const short = upwards ? riseGate[0] - rise : rise - riseGate[1];
  return t(short <= LITTLE_NOD ? FURTHER[position] : ASK[position]);
}

let staysUntil = 0;
let heardAt = -HEARD_EVERY;
let toHear = null;

// Shows a sentence; an important one stays for a while, so that it can be read.
export function guide(text, { important = false, kind = "" } = {}) {
  const now = performance.now();
  if (!important && now < staysUntil) return;
  staysUntil = important ? now + STAYS : 0;
  const shown = element("guidance");
  shown.className = `guidance ${kind}`;
  if (shown.textContent === text) return;
  shown.textContent = text;
  clearTimeout(toHear);
  // What is over before it could be said is not said.
  toHear = setTimeout(hear, Math.max(important ? 0 : 250, heardAt + HEARD_EVERY - now), text);
}

function hear(text) {
  heardAt = performance.now();
  element("guidance-heard").textContent = text;
  if (element("aloud").checked) speak(text);
}

// With a voice of this machine only: others send the text away.
function speak(text) {
  const voice = speechSynthesis.getVoices().find((one) => one.localService && one.lang.startsWith(chosen()));
  if (!voice) return;
  speechSynthesis.cancel();
  speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(text), { voice, lang: voice.lang }));
}

const ALOUD = "faceattend.aloud";
if ("speechSynthesis" in window) {
  element("aloud").checked = localStorage.getItem(ALOUD) === "yes";
  element("aloud").addEventListener("change", ({ target }) => {
    localStorage.setItem(ALOUD, target.checked ? "yes" : "no");
    if (!target.checked) speechSynthesis.cancel();
  });
} else {
  element("aloud").parentElement.hidden = true;
}
