// The students: search, change, a new face, a mark by hand, everything that is held, erase.
import { asked, keep, place } from "./address.js";
import { download, erase, get, post, put } from "./api.js";
import { askGuardians } from "./guardians.js";
import { askMerge, showTwice } from "./merge.js";
import { may } from "./roles.js";
import { date, number, t } from "./text.js";
import { Pager, button, confirmed, element, make, menu, say, showRows } from "./ui.js";

const pager = new Pager("students", 50, "students.none", async ({ skip, limit }) => {
  const query = new URLSearchParams({ skip, limit });
  const search = element("search").value.trim();
  if (search) query.set("search", search);
  if (element("again").checked) query.set("must_enrol_again", "true");
  const page = await get(`/students/?${query}`);
  showRows(element("students-rows"), page.items.map((student) => [
    student.name, student.roll_number, faceOf(student),
    date(student.created_at), actionsOf(student),
  ]));
  return page;
});

// Behind the slash of the address stands whether only those are wanted who have to enrol again.
const ONLY_AGAIN = "#students/again";

export async function enter() {
  say(element("students-note"), "");
  element("again").checked = place() === ONLY_AGAIN || asked().has("again");
  element("search").value = asked().get("search") ?? "";
  await Promise.all([pager.first(), tellAgain(), showTwice(merged)]);
}

// What the list is asked for stays in the address.
function show() {
  keep({ search: element("search").value.trim(), again: element("again").checked && "yes" }, "#students");
  return pager.first();
}
export function leave() {}

function faceOf({ must_enrol_again: again, liveness_verified: verified, has_face: some }) {
  const [kind, key] = again
    ? ["tag bad", "students.again"]
    : verified
      ? ["tag good", "students.verified"]
      : ["tag", some ? "students.unverified" : "students.no_face"];
  return make("span", { className: kind, textContent: t(key) });
}

// How many are not recognized because another model made their faces.
async function tellAgain() {
  const note = element("students-again");
  try {
    const { total } = await get("/students/?must_enrol_again=true&limit=1");
    note.hidden = total === 0;
    note.textContent = total === 0 ? "" : t("students.again_count", { count: total });
  } catch {
    // The list itself says what is wrong.
    note.hidden = true;
  }
}

// What is done every day stands in the row, the rest in its menu.
function actionsOf(student) {
  const { id, name } = student;
  const look = make("a", {
    href: `#attendance/${id}`, textContent: t("students.attendance"), className: "button quiet",
  });
  look.setAttribute("aria-label", t("students.attendance_of", { name }));
  const actions = make("span", { className: "actions" });
  if (!may("operator")) {
    actions.append(look);
    return actions;
  }
  const rest = [
    look,
    button(t("students.new_face"), t("students.new_face_for", { name }), () => { location.hash = `register/${id}`; }),
    button(t("students.change"), t("students.change_of", { name }), () => change(student)),
    button(t("guardians.open"), t("guardians.of", { name }), () =>
      askGuardians(student, (text) => say(element("students-note"), text, "good"))),
    button(t("merge.open"), t("students.merge_of", { name }), () => askMerge(student, null, merged)),
  ];
  if (may("admin"))
    rest.push(button(t("students.erase"), t("students.erase_of", { name }), () => remove(student), "quiet danger"));
  actions.append(
    button(t("students.mark"), t("students.mark_of", { name }), () => mark(student), ""),
    menu(t("list.more"), t("list.more_of", { name }), rest),
  );
  return actions;
}

// Says what a merge did, and shows the list without the record that is gone.
async function merged(told) {
  say(element("students-note"), told, "good");
  await Promise.all([pager.show(), showTwice(merged)]);
  element("students-note").focus();
}

async function does(work) {
  const note = element("students-note");
  try {
    say(note, await work(), "good");
    return true;
  } catch (error) {
    say(note, error.message, "bad");
    return false;
  }
}

const mark = (student) => does(async () => {
  // The answer's sentence is the only thing that tells a first mark of the day from a second.
  const { message } = await post(`/attendance/mark?student_id=${student.id}`);
  const again = message === "Attendance already marked today";
  return t(again ? "students.marked_before" : "students.marked", { name: student.name });
});

async function remove(student) {
  const sure = await confirmed({
    title: t("students.erase_title"), what: `${student.name} (${student.roll_number})`, hint: t("students.erase_hint"),
    yes: t("students.erase"),
  });
  if (!sure) return;
  await does(async () => {
    const { receipt } = await erase(`/students/${student.id}`);
    return t("students.erased", {
      name: student.name, templates: number(receipt.templates), sessions: number(receipt.liveness_sessions),
      marks: number(receipt.attendance_deleted + receipt.attendance_anonymised),
    });
  });
  await Promise.all([pager.show(), showTwice(merged)]);
  // The button that was pressed is gone with its row.
  element("students-note").focus();
}

let changed = null;

function change(student) {
  changed = student;
  element("change-name").value = student.name;
  element("change-roll").value = student.roll_number;
  element("change-export").hidden = !may("admin");
  say(element("change-note"), "");
  element("change").showModal();
}

element("change-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = { name: element("change-name").value.trim(), roll_number: element("change-roll").value.trim() };
  try {
    await put(`/students/${changed.id}`, body);
  } catch (error) {
    say(element("change-note"), error.message, "bad");
    return;
  }
  element("change").close();
  say(element("students-note"), t("students.changed", { name: body.name }), "good");
  await pager.show();
  element("students-note").focus();
});
element("change-cancel").addEventListener("click", () => element("change").close());
element("change-export").addEventListener("click", async () => {
  const note = element("change-note");
  try {
    say(
      note,
      t("attendance.exported", {
        file: await download("GET", `/students/${changed.id}/export`, undefined, `student_${changed.id}.json`),
      }),
      "good",
    );
  } catch (error) {
    say(note, error.message, "bad");
  }
});

element("students-form").addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
element("again").addEventListener("change", show);
// The cross in the field empties it without a submit.
element("search").addEventListener("input", ({ target }) => target.value === "" && show());
