// Live detection: the cameras of the server, what they see, how they and the server are, and whom they marked.
import { SERVER, get, post } from "./api.js";
import { banner } from "./banners.js";
import { PROBLEMS, STATES } from "./camera-words.js";
import { connected, listen } from "./events.js";
import { Preview } from "./preview.js";
import { clock, date, dateTime, list, number, series, t, told } from "./text.js";
import { button, element, make, say, showRows } from "./ui.js";
import { askedOf, stopBrowserCamera } from "./browser-camera.js";

const POLL_EVERY = 2000;
const MARKS = 8;

let timer = null;
// The names by which people know the cameras, by their addresses.
let names = new Map();
const previews = new Map();
// Who is before which camera, as the events tell.
const inView = new Map();

export function enter() {
  say(element("live-note"), "");
  stopBrowserCamera();
  refresh();
  suggestDevices();
  timer = setInterval(refresh, POLL_EVERY);
}

export function leave() {
  clearInterval(timer);
  timer = null;
  for (const id of [...previews.keys()]) closePreview(id);
  stopBrowserCamera();
}

// An answer that nobody reads keeps its connection, of which a browser has six.
async function wellOrNot(answer) {
  await answer.text();
  return answer.ok;
}

async function refresh() {
  // Each by itself: a server that marks nobody still has cameras.
  const [status, kept, marks, health, figures] = await Promise.allSettled([
    get("/detection/status"),
    get("/cameras"),
    get(`/attendance/?limit=${MARKS}`),
    fetch(new URL("ready", SERVER)).then(wellOrNot),
    fetch(new URL("metrics", SERVER)).then((answer) => answer.json()),
  ]);
  if (timer === null) return;
  if (kept.status === "fulfilled")
    names = new Map(kept.value.data.cameras.map((camera) => [camera.camera_url, camera.name]));
  if (status.status === "fulfilled") showCameras(Object.entries(status.value.data.cameras));
  if (marks.status === "fulfilled") showMarks(marks.value.items);
  showHealth(health, figures.value, status.value?.data);
}

function showHealth(health, figures, cameras) {
  const well = health.status === "fulfilled" && health.value;
  const state = element("health-server");
  state.textContent = t(health.status === "rejected" ? "health.unreachable" : well ? "health.well" : "health.ill");
  state.className = well ? "good" : "bad";
  element("health-events").textContent = t(connected() ? "health.events_on" : "health.events_off");
  element("health-cameras").textContent = cameras
    ? t("health.cameras_of", { active: cameras.active_cameras, total: cameras.total_cameras })
    : t("health.unknown");
  element("health-students").textContent = figures ? number(figures.students_count) : t("health.unknown");
  const marks = figures ? number(figures.attendance_logs_count) : t("health.unknown");
  const waiting = cameras?.waiting?.marks ?? 0;
  element("health-marks").textContent = waiting > 0 ? t("health.marks_waiting", { marks, count: waiting }) : marks;
}

// The cameras that are plugged into the server, to choose from.
async function suggestDevices() {
  try {
    const { available_cameras: numbers } = (await get("/detection/laptop-camera/info")).data;
    element("camera-known").replaceChildren(...numbers.map((value) => make("option", { value: String(value) })));
  } catch { /* They can be typed all the same. */ }
}

// Whom a camera cannot tell apart, by their numbers, with the way to the page that has both names.
function ambiguousOf({ ambiguous = [] }) {
  return ambiguous.map(({ students: [one, other], named }) => {
    const textContent = t(named === null ? "live.neither" : "live.both", { one, other });
    return make("a", { href: "#students", className: "bad", textContent });
  });
}

// How a camera is doing, in one line.
function healthOf(camera) {
  const state = told(STATES, camera.state);
  if (camera.state === "running") {
    const rates = t("camera.rates", { captured: camera.captured_per_second, analysed: camera.analysed_per_second });
    const reconnects = camera.reconnects > 0 && t("camera.reconnects", { count: camera.reconnects });
    const waiting = camera.marks_waiting > 0 && t("camera.marks_waiting", { count: camera.marks_waiting });
    // Another server of an earlier version tells of none.
    const problems = (camera.problems ?? []).map(({ code }) => told(PROBLEMS, code));
    return series([state, rates, reconnects, waiting, ...problems]);
  }
  return camera.last_error && camera.state !== "stopped" ? `${state}: ${camera.last_error}` : state;
}

function seenBy(url) {
  const faces = inView.get(url) ?? [];
  const names = faces.filter((face) => face.student_name).map(nameOf);
  const strangers = faces.length - names.length;
  const words = strangers > 0 ? [...names, t("live.strangers", { count: strangers })] : names;
  return words.length ? list(words) : t("live.nobody");
}

// A name, with what is not known of its life: a photograph has a name too.
function nameOf(face) {
  if (askedOf(face)) return askedOf(face);
  if (face.liveness === "spoof") return t("live.named_picture", { name: face.student_name });
  if (face.liveness === "undecided") return t("live.named_undecided", { name: face.student_name });
  return face.student_name;
}

function showCameras(cameras) {
  element("cameras-none").hidden = cameras.length > 0;
  element("cameras-table").hidden = cameras.length === 0;
  element("stop-all").disabled = !cameras.some(([, camera]) => camera.is_running);
  const rows = element("cameras");
  // A button that is being pressed must not go away under the finger.
  if (rows.matches(":active")) return;
  // A button that has the focus must survive the refresh.
  const focused = document.activeElement?.dataset?.camera;
  showRows(rows, cameras.map(([url, camera]) => {
    const actions = make("span", { className: "actions" });
    if (camera.preview && camera.is_running) actions.append(lookButton(url, camera));
    const stop = button(t("live.stop"), t("live.stop_camera", { camera: url }), () =>
      act("/detection/stop", { camera_url: url }, t("live.stopped", { camera: url })),
    );
    stop.dataset.camera = `stop ${url}`;
    actions.append(stop);
    const seen = make("span", { textContent: seenBy(url) });
    seen.dataset.seenBy = url;
    const health = make("span", { className: "details" }, healthOf(camera), ...ambiguousOf(camera));
    return [namedAt(url), camera.camera_location, health, seen, number(camera.frame_count), actions];
  }));
  if (focused !== undefined)
    [...rows.querySelectorAll("button")].find((one) => one.dataset.camera === focused)?.focus();
}

// A camera's name with its address below, where that says more.
function namedAt(url) {
  const name = names.get(url) ?? url;
  if (name === url) return url;
  const below = make("bdi", { className: "hint under", textContent: url });
  return make("span", {}, make("bdi", { textContent: name }), below);
}

function lookButton(url, camera) {
  const shown = previews.has(camera.id);
  const look = button(
    t(shown ? "live.hide" : "live.look"), t(shown ? "live.hide_camera" : "live.look_camera", { camera: url }),
    () => { togglePreview(url, camera); refresh(); },
  );
  look.setAttribute("aria-pressed", String(shown));
  look.dataset.camera = `look ${url}`;
  return look;
}

function closePreview(id) {
  const { preview, figure } = previews.get(id);
  previews.delete(id);
  preview.close();
  figure.remove();
}

// What a camera sees, with boxes and names; the server draws them.
function togglePreview(url, camera) {
  if (previews.has(camera.id)) {
    closePreview(camera.id);
    return;
  }
  const canvas = make("canvas");
  const caption = `${camera.camera_location} (${url})`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", t("live.sees", { camera: caption }));
  const figure = make("figure", { className: "stage preview" }, canvas, make("figcaption", { textContent: caption }));
  element("previews").append(figure);
  const preview = new Preview(canvas, camera.id, () => previews.has(camera.id) && closePreview(camera.id));
  previews.set(camera.id, { preview, figure });
}

function showMarks(items) {
  element("marks-none").hidden = items.length > 0;
  const key = JSON.stringify(items.map((item) => item.id));
  const shown = element("marks");
  if (shown.dataset.key === key) return;
  shown.dataset.key = key;
  const today = date(new Date().toISOString().slice(0, -1));
  shown.replaceChildren(...items.map((item) => {
    const when = date(item.timestamp) === today ? clock(item.timestamp) : dateTime(item.timestamp);
    return make(
      "li", {},
      make("span", { textContent: t("merge.named", { name: item.student_name, roll: item.student_roll_number }) }),
      make("span", { className: "hint", textContent: series([item.camera_location, when]) }),
    );
  }));
}

async function act(path, body, done) {
  try {
    await post(path, body);
    say(element("live-note"), done, "good");
  } catch (error) {
    say(element("live-note"), error.message, "bad");
  }
  refresh();
}

// Banners belong to whoever watches: elsewhere they would only disturb.
const watched = () => timer !== null;

listen("detection_update", (event) => {
  const was = inView.get(event.camera) ?? [];
  const before = new Set(was.map((face) => face.student_id));
  inView.set(event.camera, event.faces);
  if (!watched()) return;
  for (const seen of document.querySelectorAll("[data-seen-by]")) {
    if (seen.dataset.seenBy === event.camera) seen.textContent = seenBy(event.camera);
  }
  for (const face of event.faces) {
    if (face.student_name && !before.has(face.student_id)) {
      banner(t("banner.recognized", { name: face.student_name, place: event.camera_location ?? event.camera }), "");
    }
    const asked = face.student_name && askedOf(face);
    if (asked && !was.some((one) => one.track === face.track && one.asked === face.asked)) banner(asked, "");
  }
});
listen("spoof_suspected", (event) => {
  if (!watched()) return;
  const { student_name: name, student_id: id, camera_location: place, camera } = event;
  banner(t("banner.spoof_suspected", { name: name ?? `${id}`, place: place ?? camera }), "bad");
});
listen("camera_state", (event) => {
  if (["stopped", "failed"].includes(event.state)) inView.delete(event.camera);
  if (!watched()) return;
  if (["failed", "reconnecting"].includes(event.state)) {
    banner(
      t("banner.camera", { camera: event.camera_location ?? event.camera, state: told(STATES, event.state) }),
      "bad",
    );
  }
  refresh();
});
listen("attendance_marked", (event) => {
  if (!watched()) return;
  const { student_name: name, student_roll_number: roll, camera_location: place } = event;
  banner(t("banner.marked", { name, roll, place: place ?? t("banner.by_hand") }));
  refresh();
});

element("live-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const body = { camera_url: form.get("camera_url").trim() };
  const place = form.get("camera_location").trim();
  if (place) body.camera_location = place;
  act("/detection/start", body, t("live.started", { camera: place || body.camera_url.replace(/\/\/[^/]*@/, "//") }));
});
element("stop-all").addEventListener("click", () => act("/detection/stop-all", {}, t("live.all_stopped")));
