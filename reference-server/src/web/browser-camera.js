// The camera of this browser on the live page: its pictures go to the server one by one; boxes and names come back.
import { post } from "./api.js";
import { banner } from "./banners.js";
import { Camera } from "./camera.js";
import { connected } from "./events.js";
import { list, number, t } from "./text.js";
import { element, pause, say } from "./ui.js";

const RECOGNIZE_EVERY = 500;
// While a picture more may show whether a person is alive: a blink is over in a third of a second.
const WATCH_EVERY = 150;
// The colors of the server's own previews.
const KNOWN = "#34d399";
const STRANGER = "#facc15";
const UNDECIDED = "#60a5fa";
const SUSPECTED = "#f87171";

// Not mirrored: boxes and names are drawn as they come.
const camera = new Camera(element("browser-canvas"), { mirror: false });
let found = { matches: [], width: 1, height: 1 };
let session = null;
let run = 0;
// Who has been told of already, for as long as they stay.
let told = new Set();
// Who was marked while this camera ran.
let marked = new Set();

function buttons(on) {
  element("browser-off").hidden = on;
  element("browser-start").hidden = on;
  element("browser-stop").hidden = !on;
}

export function stopBrowserCamera() {
  run += 1;
  if (session) post("/detection/stop", { session_id: session }).catch(() => {});
  session = null;
  told = new Set();
  marked = new Set();
  found.matches = [];
  camera.stop();
  element("browser-off").textContent = t("camera.off");
  buttons(false);
  say(element("browser-note"), "");
}

// What a person is asked for, and where to: the screen's left is the left of whoever stands before it.
const ASKED = {
  left: { text: "live.asked.left", arrow: "\u2190" },
  right: { text: "live.asked.right", arrow: "\u2192" },
  up: { text: "live.asked.up", arrow: "\u2191" },
  down: { text: "live.asked.down", arrow: "\u2193" },
};

export function askedOf(face) {
  return ASKED[face.asked] ? t(ASKED[face.asked].text, { name: face.student_name }) : null;
}

function colorOf(match) {
  // Whoever is asked may only have stood still.
  if (match.liveness === "spoof" && !match.asked) return SUSPECTED;
  if (match.student_name === null) return STRANGER;
  return match.liveness === "live" ? KNOWN : UNDECIDED;
}

// Large, in the middle: it is read from where people stand.
function drawArrow(context, arrow, unit) {
  context.save();
  context.font = `700 ${200 * unit}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 12 * unit;
  context.strokeStyle = "#10181f";
  const { width, height } = context.canvas;
  context.strokeText(arrow, width / 2, height / 2);
  context.fillText(arrow, width / 2, height / 2);
  context.restore();
}

camera.overlay = (context) => {
  const scale = context.canvas.width / found.width;
  // As large on the screen whatever the camera's resolution.
  const unit = context.canvas.width / 640;
  context.lineWidth = 4 * unit;
  context.font = `600 ${22 * unit}px system-ui, sans-serif`;
  // The picture is no text: a label begins at its box's left side in every language.
  context.textAlign = "left";
  for (const match of found.matches) {
    const [x1, y1, x2, y2] = match.bbox.map((value) => value * scale);
    const known = match.student_name !== null;
    context.strokeStyle = colorOf(match);
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const label = known
      ? `${match.student_name} ${number(match.confidence, { maximumFractionDigits: 2 })}`
      : t("live.unknown");
    const top = Math.max(y1, 34 * unit) - 34 * unit;
    context.fillStyle = "#10181fdd";
    context.fillRect(x1, top, context.measureText(label).width + 14 * unit, 32 * unit);
    context.fillStyle = "#fff";
    context.fillText(label, x1 + 7 * unit, top + 24 * unit);
    if (ASKED[match.asked]) drawArrow(context, ASKED[match.asked].arrow, unit);
  }
};

camera.lost = () => {
  found.matches = [];
  element("browser-off").textContent = t("camera.lost");
  element("browser-off").hidden = false;
  say(element("browser-note"), t("camera.lost"), "bad");
};
camera.back = () => {
  element("browser-off").hidden = true;
  say(element("browser-note"), t("camera.back"), "good");
};
camera.gone = () => {
  stopBrowserCamera();
  say(element("browser-note"), t("camera.gone"), "bad");
};

function show(matches) {
  const known = matches.filter((match) => match.student_name);
  // The server's events tell the same, of every camera; here it is said only where they do not come.
  for (const match of connected() ? [] : known) {
    if (match.attendance_marked)
      banner(
        t("banner.marked", { name: match.student_name, roll: match.roll_number, place: t("live.browser_camera") }),
      );
    else if (!told.has(match.student_id))
      banner(t("banner.recognized", { name: match.student_name, place: t("live.browser_camera") }), "");
  }
  told = new Set(known.map((match) => match.student_id));
  const names = [...new Set(known.map((match) => match.student_name))];
  const strangers = matches.length - known.length;
  const text = names.length
    ? t("live.recognized", { names: list(names) })
    : t(strangers ? "live.none_recognized" : "live.no_face");
  // A camera for which life does not matter says nothing of it, and marks all the same.
  for (const match of known) if (match.attendance_marked) marked.add(match.student_id);
  const waits = known.filter((match) => match.liveness !== "live" && !marked.has(match.student_id));
  const asked = waits.map(askedOf).filter(Boolean);
  const said = asked.length
    ? asked.join(" ")
    : waits.some((match) => match.liveness === "spoof")
      ? `${text} ${t("live.suspected")}`
      : waits.length ? `${text} ${t("live.look_at_camera")}` : text;
  say(element("browser-note"), said, waits.length ? "" : names.length ? "good" : "");
}

async function start() {
  const mine = ++run;
  say(element("browser-note"), t("camera.asking"));
  try {
    await camera.start();
  } catch (error) {
    if (mine !== run) return;
    stopBrowserCamera();
    say(element("browser-note"), error.message, "bad");
    return;
  }
  if (mine !== run) return;
  buttons(true);
  element("browser-stop").focus();
  say(element("browser-note"), "");
  while (mine === run) {
    const began = performance.now();
    const frame = await camera.frame();
    if (frame) {
      try {
        // Several pictures have to agree before anybody is named: the server follows faces over a session.
        session ??= (await post("/detection/start", { camera_source: t("live.browser_camera") })).session_id;
        const answer = await post("/detection/frame", { image_data: frame.data, session_id: session });
        if (mine !== run) return;
        found = { matches: answer.matches, width: frame.width, height: frame.height };
        show(answer.matches);
      } catch (error) {
        if (mine !== run) return;
        // A server that was started anew knows no session of before.
        session = null;
        found.matches = [];
        say(element("browser-note"), error.message, "bad");
        await pause(1000);
      }
    }
    const undecided = found.matches.some(
      (match) => match.student_name && (match.asked || match.liveness === "undecided"),
    );
    await pause(Math.max(0, (undecided ? WATCH_EVERY : RECOGNIZE_EVERY) - (performance.now() - began)));
  }
}

element("browser-start").addEventListener("click", start);
element("browser-stop").addEventListener("click", () => {
  stopBrowserCamera();
  element("browser-start").focus();
});
