// People whom cameras saw and nobody knows, where the operator wants them listed: to enrol or to dismiss.
import { erase, get, post } from "./api.js";
import { may } from "./roles.js";
import { dateTime, number, t } from "./text.js";
import { button, carryOut, element, make, say, showRows } from "./ui.js";

let chosen = null;

export async function look() {
  const card = element("unknown-faces");
  if (!may("operator")) {
    card.hidden = true;
    return;
  }
  const { listed, hours, faces } = (await get("/detection/unknown-faces")).data;
  card.hidden = !listed;
  if (!listed) return;
  element("unknown-faces-what").textContent = t("unknown.what", { hours, count: hours });
  element("unknown-faces-none").hidden = faces.length > 0;
  element("unknown-faces-table").hidden = faces.length === 0;
  showRows(element("unknown-faces-rows"), faces.map((face) => [
    dateTime(face.last_seen),
    face.camera_location ?? "",
    number(face.visits),
    dateTime(face.first_seen),
    make(
      "span",
      { className: "actions" },
      button(t("unknown.enrol"), t("unknown.enrol_of", named(face)), () => ask(face)),
      button(t("unknown.dismiss"), t("unknown.dismiss_of", named(face)), () => dismiss(face)),
    ),
  ]));
}

// There is no name and no picture: time and place tell one from another.
const named = (face) => ({ when: dateTime(face.last_seen), place: face.camera_location ?? "" });

const dismiss = (face) =>
  carryOut(() => erase(`/detection/unknown-faces/${face.id}`), t("unknown.dismissed"), look, "unknown-faces-note");

function ask(face) {
  chosen = face;
  element("enrol-unknown-form").reset();
  say(element("enrol-unknown-note"), "");
  element("enrol-unknown-which").textContent = t("unknown.which", named(face));
  element("enrol-unknown").showModal();
}

element("enrol-unknown-cancel").addEventListener("click", () => element("enrol-unknown").close());
element("enrol-unknown-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, roll_number] = [element("enrol-unknown-name").value, element("enrol-unknown-roll").value];
  try {
    await post(`/detection/unknown-faces/${chosen.id}/enrol`, { name, roll_number });
    element("enrol-unknown").close();
    say(element("unknown-faces-note"), t("unknown.enrolled", { name }), "good");
  } catch (error) {
    say(element("enrol-unknown-note"), error.message, "bad");
    return;
  }
  await look();
});
