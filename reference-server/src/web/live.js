// Live detection: cameras of the server, the camera of this browser, and whom they marked.
import { get, localTime, post, say } from "./api.js";
import { Preview } from "./preview.js";
import { Camera, pause } from "./camera.js";

const element = (id) => document.getElementById(id);
const POLL_EVERY = 2000;
const RECOGNIZE_EVERY = 500;

// Not mirrored: boxes and names are drawn as they come.
const camera = new Camera(element("browser-canvas"), { mirror: false });
let found = { matches: [], width: 1, height: 1 };
let timer = null;
let run = 0;
let session = null;

export function enter() {
  refresh();
  timer = setInterval(refresh, POLL_EVERY);
}

export function leave() {
  clearInterval(timer);
  closePreviews();
  turnOff();
}

function cell(text, className = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.className = className;
  return td;
}

// A camera's password is not for whoever looks over the shoulder.
const withoutPassword = (url) => url.replace(/\/\/[^/]*@/, "//…@");

const previews = new Map();

function closePreviews() {
  for (const id of [...previews.keys()]) closePreview(id);
}

function closePreview(id) {
  const { preview, figure } = previews.get(id);
  preview.close();
  figure.remove();
  previews.delete(id);
}

// What a camera sees, with boxes and names; the server draws them.
function togglePreview(url, camera) {
  if (previews.has(camera.id)) return closePreview(camera.id);
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  caption.textContent = `${camera.camera_location} (${withoutPassword(url)})`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `What the camera ${caption.textContent} sees`);
  figure.className = "stage";
  figure.append(canvas, caption);
  element("previews").append(figure);
  const preview = new Preview(canvas, camera.id, () => previews.has(camera.id) && closePreview(camera.id));
  previews.set(camera.id, { preview, figure });
}

function button(text, label, url, what, onClick) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  made.dataset.camera = `${what} ${url}`;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
}

// How a camera is doing, in one line.
function healthOf(camera) {
  const state = camera.state ?? (camera.is_running ? "running" : "stopped");
  if (state === "running") return `${state}, ${camera.captured_per_second} pictures a second, ${camera.analysed_per_second} analysed`;
  return camera.last_error && state !== "stopped" ? `${state}: ${camera.last_error}` : state;
}

async function refresh() {
  try {
    const [status, recent] = await Promise.all([get("/detection/status"), get("/attendance/?limit=8")]);
    showCameras(Object.entries(status.data.cameras));
    showMarks(recent.items);
  } catch { /* The next round tells. */ }
}

function showCameras(cameras) {
  element("cameras-none").hidden = cameras.length > 0;
  element("stop-all").disabled = cameras.length === 0;
  const rows = element("cameras");
  // A button that has the focus must survive the refresh.
  const focused = document.activeElement?.dataset?.camera;
  rows.replaceChildren(...cameras.map(([url, camera]) => {
    const row = document.createElement("tr");
    const name = withoutPassword(url);
    const action = document.createElement("td");
    if (camera.preview) {
      const shown = previews.has(camera.id);
      const look = button(shown ? "Hide" : "Look", `${shown ? "Hide" : "Show"} the pictures of ${name}`, url, "look", () => {
        togglePreview(url, camera);
        refresh();
      });
      action.append(look);
    }
    action.append(button("Stop", `Stop ${name}`, url, "stop", () => act("/detection/stop", { camera_url: url })));
    row.append(cell(name), cell(camera.camera_location), cell(healthOf(camera)), cell(camera.frame_count, "number"), action);
    return row;
  }));
  if (focused !== undefined) [...rows.querySelectorAll("button")].find((b) => b.dataset.camera === focused)?.focus();
}

function showMarks(items) {
  element("marks-none").hidden = items.length > 0;
  const key = JSON.stringify(items.map((item) => item.id));
  const list = element("marks");
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...items.map((item) => {
    const line = document.createElement("li");
    const who = document.createElement("span");
    const when = document.createElement("span");
    who.textContent = `${item.student_name} (${item.student_roll_number})`;
    when.textContent = [item.camera_location, localTime(item.timestamp)].filter(Boolean).join(", ");
    when.className = "hint";
    line.append(who, when);
    return line;
  }));
}

async function act(path, body) {
  try {
    say(element("live-note"), (await post(path, body)).message, "good");
  } catch (error) {
    say(element("live-note"), error.message, "bad");
  }
  refresh();
}

element("live-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const body = { camera_url: form.get("camera_url").trim() };
  const place = form.get("camera_location").trim();
  if (place) body.camera_location = place;
  act("/detection/start", body);
});
element("stop-all").addEventListener("click", () => act("/detection/stop-all"));

function turnOff() {
  run += 1;
  if (session) post("/detection/stop", { session_id: session }).catch(() => {});
  session = null;
  found.matches = [];
  camera.stop();
  element("browser-off").hidden = false;
  element("browser-start").hidden = false;
  element("browser-stop").hidden = true;
}

camera.overlay = (context) => {
  const scale = context.canvas.width / found.width;
  context.lineWidth = 3;
  context.font = "600 20px system-ui, sans-serif";
  for (const match of found.matches) {
    const [x1, y1, x2, y2] = match.bbox.map((value) => value * scale);
    const known = match.student_name !== null;
    context.strokeStyle = known ? "#34d399" : "#facc15";
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    if (!known) continue;
    const label = `${match.student_name} ${match.confidence.toFixed(2)}`;
    const top = Math.max(y1, 30) - 30;
    context.fillStyle = "#10181fcc";
    context.fillRect(x1, top, context.measureText(label).width + 12, 28);
    context.fillStyle = "#fff";
    context.fillText(label, x1 + 6, top + 21);
  }
};

element("browser-start").addEventListener("click", async () => {
  const mine = ++run;
  const note = element("browser-note");
  say(note, "");
  try {
    await camera.start();
  } catch (error) {
    turnOff();
    say(note, error.message, "bad");
    return;
  }
  element("browser-off").hidden = true;
  element("browser-start").hidden = true;
  element("browser-stop").hidden = false;
  while (mine === run) {
    const began = performance.now();
    const frame = await camera.frame();
    if (frame) {
      try {
        // Several pictures have to agree before anybody is named: the server follows faces over a session.
        session ??= (await post("/detection/start", { camera_source: "Browser camera" })).session_id;
        const answer = await post("/detection/frame", { image_data: frame.data, session_id: session });
        if (mine !== run) return;
        found = { matches: answer.matches, width: frame.width, height: frame.height };
        const names = found.matches.map((match) => match.student_name).filter(Boolean).join(", ");
        const text = names ? `Recognized: ${names}` : "Nobody recognized";
        if (note.textContent !== text) say(note, text, names ? "good" : "");
      } catch (error) {
        if (mine !== run) return;
        // A server that was started anew knows no session of before.
        session = null;
        say(note, error.message, "bad");
      }
    }
    await pause(Math.max(0, RECOGNIZE_EVERY - (performance.now() - began)));
  }
});
element("browser-stop").addEventListener("click", () => {
  turnOff();
  say(element("browser-note"), "");
});
