// The live view: who is in front of the browser's camera.
import { Camera, pause, post } from "./camera.js";

const root = document.getElementById("content-main");
const element = (id) => document.getElementById(id);
const FRAME_EVERY = 250;
const camera = new Camera(element("fa-picture"), { mirror: false });
const view = crypto.randomUUID();
let run = 0;
let seen = { faces: [], width: 1 };
let anybodyMarked = false;

camera.overlay = (context, canvas) => {
  const scale = canvas.width / seen.width;
  context.lineWidth = Math.max(2, canvas.width / 240);
  context.font = `600 ${Math.max(14, Math.round(canvas.width / 40))}px system-ui, sans-serif`;
  for (const face of seen.faces) {
    const [x1, y1, x2, y2] = face.bbox.map((side) => side * scale);
    const colour = face.liveness === "spoof" ? "#f87171" : face.name && face.liveness === "live" ? "#34d399"
      : face.name || face.decision === "waiting" ? "#fbbf24" : "#f87171";
    context.strokeStyle = context.fillStyle = colour;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const text = label(face);
    const height = parseInt(context.font.split(" ")[1], 10) * 1.4;
    context.fillRect(x1, y2, context.measureText(text).width + 12, height);
    context.fillStyle = "#0b1220";
    context.fillText(text, x1 + 6, y2 + height * 0.75);
  }
};

const label = (face) => {
  if (!face.name) return face.decision === "waiting" ? "looking …" : "unknown";
  return face.liveness === "spoof" ? `${face.name}: a picture?` : face.name;
};

function list(target, lines) {
  target.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
}

function tell(text) {
  if (!anybodyMarked) element("fa-marked").replaceChildren();
  anybodyMarked = true;
  element("fa-marked").prepend(Object.assign(document.createElement("li"), { textContent: text }));
}

function turnOff() {
  run += 1;
  camera.stop();
  seen = { faces: [], width: 1 };
  element("fa-off").hidden = false;
  element("fa-start").hidden = false;
  element("fa-stop").hidden = true;
}

async function start() {
  turnOff();
  const mine = run;
  try {
    await camera.start();
  } catch (error) {
    turnOff();
    element("fa-guidance").textContent = error.message;
    return;
  }
  element("fa-off").hidden = true;
  element("fa-start").hidden = true;
  element("fa-stop").hidden = false;
  while (mine === run) {
    const began = performance.now();
    const frame = await camera.frame();
    if (frame) {
      const mark = element("fa-mark")?.checked ? "1" : "0";
      const location = element("fa-location")?.value ?? "";
      try {
        const answer = await post(root.dataset.frame, { view, mark, location }, frame.jpeg);
        if (mine !== run) return;
        seen = { faces: answer.faces, width: frame.width };
        const names = answer.faces.map((face) => face.name
          ? `${label(face)} (${face.similarity.toFixed(2)})` : label(face));
        list(element("fa-seen"), names.length ? names : ["Nobody."]);
        element("fa-guidance").textContent = names.length ? names.join(", ") : "Nobody is in the picture.";
        for (const marked of answer.marked) tell(`${marked.name}: ${marked.status}`);
        for (const { name } of answer.second_looks) tell(`${name}: not marked, somebody has to look`);
      } catch (error) {
        if (mine !== run) return;
        element("fa-guidance").textContent = error.message;
        await pause(1000);
      }
    }
    await pause(Math.max(0, FRAME_EVERY - (performance.now() - began)));
  }
}

element("fa-start").addEventListener("click", start);
// A click before this script has come would be lost.
element("fa-start").disabled = false;
element("fa-stop").addEventListener("click", () => {
  turnOff();
  element("fa-guidance").textContent = "The camera is off.";
});
