// The form of a camera: what it is called, where it is, and its picture before anything is saved.
import { get, post, put } from "./api.js";
import { withoutAddress } from "./camera-words.js";
import { number, t } from "./text.js";
import { element, make, say } from "./ui.js";

const GATES = [
  ["", "cameras.as_set"],
  ["off", "cameras.gate.off"],
  ["observe", "cameras.gate.observe"],
  ["require", "cameras.gate.require"],
  ["ask", "cameras.gate.ask"],
];
const TURNS = [
  ["", "cameras.as_set"],
  ["0", "cameras.turn.none"],
  ["90", "cameras.turn.right"],
  ["180", "cameras.turn.half"],
  ["270", "cameras.turn.left"],
];
const MIRRORS = [["", "cameras.as_set"], ["false", "cameras.no"], ["true", "cameras.yes"]];

let camera = null;
let finished = () => {};
// Counts the tests: an answer to an earlier one comes too late.
let tests = 0;

const form = element("camera-form");
const dialog = element("camera-dialog");
const field = (name) => form.elements[name];

// Asks for a new camera, or for changes of one that is there; the name of what was saved, or null.
export function askFor(known) {
  camera = known;
  element("camera-title").textContent = t(known ? "cameras.edit_title" : "cameras.add_title");
  element("camera-fields").replaceChildren(...fields(known ?? {}));
  element("camera-note").replaceChildren();
  element("camera-save").disabled = false;
  forgetTest();
  suggestDevices();
  dialog.showModal();
  return new Promise((resolve) => { finished = resolve; });
}

function labelled(name, key, control, hint) {
  control.id = `kept-${name}`;
  control.name = name;
  const parts = [make("label", { htmlFor: control.id, textContent: t(key) }), control];
  if (hint) {
    const below = make("p", { className: "hint", id: `${control.id}-hint`, textContent: t(hint) });
    control.setAttribute("aria-describedby", below.id);
    parts.push(below);
  }
  return make("div", {}, ...parts);
}

const input = (properties) => make("input", { autocomplete: "off", spellcheck: false, ...properties });

function choice(options, value) {
  return make("select", {}, ...options.map(([of, key]) => {
    return make("option", { value: of, textContent: t(key), selected: of === value });
  }));
}

function fields(known) {
  const address = input({ required: true, value: known.camera_url ?? "", placeholder: t("live.address_example") });
  address.setAttribute("autocapitalize", "none");
  address.setAttribute("list", "camera-known");
  const user = input({ maxLength: 255 });
  user.setAttribute("autocapitalize", "none");
  const password = input({ type: "password", maxLength: 255, autocomplete: "new-password" });
  const location = input({ maxLength: 255, value: known.camera_location ?? "", placeholder: t("live.place_example") });
  const text = (value) => (value === null || value === undefined ? "" : String(value));
  const more = make(
    "details", { open: [known.orientation, known.mirror, known.gate].some((set) => text(set) !== "") },
    make("summary", { textContent: t("cameras.more_settings") }),
    labelled("gate", "cameras.gate", choice(GATES, text(known.gate)), "cameras.gate_hint"),
    labelled("orientation", "cameras.turn", choice(TURNS, text(known.orientation))),
    labelled("mirror", "cameras.mirror", choice(MIRRORS, text(known.mirror))),
  );
  return [
    labelled("name", "cameras.name", input({ required: true, maxLength: 100, value: known.name ?? "" })),
    labelled("camera_url", "live.address", address, "live.address_hint"),
    make(
      "div", { className: "abreast" },
      labelled("user", "cameras.user", user),
      labelled("password", "cameras.password", password, known.has_password ? "cameras.password_keeps" : undefined),
    ),
    labelled("camera_location", "live.place", location, "cameras.place_hint"),
    more,
  ];
}

// What the form says, as the server reads it.
function said() {
  const fields = Object.fromEntries(new FormData(form));
  const given = (name) => (fields[name] ? { [name]: fields[name] } : {});
  return {
    name: fields.name.trim(),
    camera_url: fields.camera_url.trim(),
    ...given("user"),
    ...given("password"),
    ...given("gate"),
    ...(fields.camera_location.trim() ? { camera_location: fields.camera_location.trim() } : {}),
    ...(fields.orientation ? { orientation: Number(fields.orientation) } : {}),
    ...(fields.mirror ? { mirror: fields.mirror === "true" } : {}),
  };
}

// The cameras that are plugged into the server, to choose from.
async function suggestDevices() {
  try {
    const { available_cameras: numbers } = (await get("/detection/laptop-camera/info")).data;
    element("camera-known").replaceChildren(...numbers.map((value) => make("option", { value: String(value) })));
  } catch { /* They can be typed all the same. */ }
}

function forgetTest() {
  tests += 1;
  element("camera-picture").hidden = true;
  element("camera-picture").removeAttribute("src");
  element("camera-test").disabled = false;
}

async function test() {
  if (!field("camera_url").reportValidity()) return;
  forgetTest();
  const mine = tests;
  const { name: _, gate: __, ...asked } = said();
  if (camera) asked.camera_id = camera.camera_id;
  element("camera-test").disabled = true;
  say(element("camera-note"), t("cameras.testing"));
  let note;
  try {
    const { data } = await post("/cameras/test", asked);
    const { works, reason, width, height, frames_per_second: rate, picture } = data;
    if (mine !== tests) return;
    if (works) {
      element("camera-picture").src = picture;
      element("camera-picture").alt = t("cameras.picture");
      element("camera-picture").hidden = false;
    }
    const values = { width: String(width), height: String(height), rate: number(rate ?? 0) };
    note = works
      ? [t(rate ? "cameras.works" : "cameras.works_once", values), "good"]
      : [withoutAddress(reason), "bad"];
  } catch (error) {
    note = [error.message, "bad"];
  }
  if (mine !== tests) return;
  element("camera-test").disabled = false;
  say(element("camera-note"), ...note);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const save = element("camera-save");
  save.disabled = true;
  try {
    const body = said();
    await (camera ? put(`/cameras/${camera.camera_id}`, body) : post("/cameras", body));
    finished(body.name);
    dialog.close();
  } catch (error) {
    say(element("camera-note"), error.message, "bad");
  } finally {
    save.disabled = false;
  }
});
// What was tried is no longer what the form says.
form.addEventListener("input", (event) => {
  if (["name", "camera_location", "gate"].includes(event.target.name)) return;
  say(element("camera-note"), "");
  forgetTest();
});
element("camera-test").addEventListener("click", test);
element("camera-cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  forgetTest();
  finished(null);
});
