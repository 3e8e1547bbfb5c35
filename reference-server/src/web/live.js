// Live detection: cameras of the server, the camera of this browser, and whom they marked.
import { get, localTime, post, say } from "./api.js";
import { Camera, pause } from "./camera.js";

const element = (id) => document.getElementById(id);
const POLL_EVERY = 2000;
const RECOGNIZE_EVERY = 500;

// Not mirrored: boxes and names are drawn as they come.
const camera = new Camera(element("browser-canvas"), { mirror: false });
let found = { matches: [], width: 1, height: 1 };
let timer = null;
let run = 0;

export function enter() {
  refresh();
  timer = setInterval(refresh, POLL_EVERY);
}

export function leave() {
  clearInterval(timer);
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
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "quiet";
    stop.textContent = "Stop";
    stop.dataset.camera = url;
    stop.setAttribute("aria-label", `Stop ${withoutPassword(url)}`);
    stop.addEventListener("click", () => act("/detection/stop", { camera_url: url }));
    const action = document.createElement("td");
    action.append(stop);
    const state = camera.state ?? (camera.is_running ? "running" : "stopped");
    row.append(cell(withoutPassword(url)), cell(camera.camera_location), cell(state), cell(camera.frame_count, "number"), action);
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
    context.strokeStyle = "#34d399";
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
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
        const answer = await post("/face/recognize", { image_data: frame.data, camera_source: "Browser camera" });
        if (mine !== run) return;
        found = { matches: answer.data.matches, width: frame.width, height: frame.height };
        const names = found.matches.map((match) => match.student_name).join(", ");
        const text = names ? `Recognized: ${names}` : "Nobody recognized";
        if (note.textContent !== text) say(note, text, names ? "good" : "");
      } catch (error) {
        if (mine !== run) return;
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
