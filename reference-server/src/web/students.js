// The students: search, change, a new face, a mark by hand, everything that is held, erase.
import { asked, keep, place } from "./address.js";
import { download, erase, get, post, put } from "./api.js";
import { askGuardians } from "./guardians.js";
import { chip, nothing, person, withIcon } from "./looks.js";
import { askMerge, showTwice } from "./merge.js";
import { may } from "./roles.js";
import { date, number, t } from "./text.js";
import { Pager, button, confirmed, element, make, menu, say, showRows, sortable } from "./ui.js";

const order = sortable(element("students-rows").closest("table"), "id", () => show());

// What the list is asked for.
const filter = () => ({
  search: element("search").value.trim(),
  no_face: element("no-face").checked && "true",
  must_enrol_again: element("again").checked && "true",
  sort: order.asked,
});

const pager = new Pager("students", 50, "students.none", async ({ skip, limit }) => {
  const asks = Object.entries(filter()).filter(([, value]) => value);
  const page = await get(`/students/?${new URLSearchParams([["skip", skip], ["limit", limit], ...asks])}`);
  showRows(element("students-rows"), page.items.map((student) => [
    person(student.id, student.name), student.roll_number, faceOf(student),
    date(student.created_at), actionsOf(student),
  ]));
  return page;
}, () => {
  const { search, no_face, must_enrol_again } = filter();
  if (search || no_face || must_enrol_again)
    return nothing("search", "students.none", "students.none_what", [
      button(t("list.show_all"), t("list.show_all"), showAll),
    ]);
  const begin = make("a", { href: "#register", className: "button", textContent: t("students.begin") });
  return nothing("user-plus", "today.nobody", "students.begin_what", may("operator") ? [begin] : []);
});

function showAll() {
  element("students-form").reset();
  show();
}

// Behind the slash of the address stands whether only those are wanted who have to enrol again.
const ONLY_AGAIN = "#students/again";

export async function enter() {
  say(element("students-note"), "");
  element("again").checked = place() === ONLY_AGAIN || asked().has("again");
  element("no-face").checked = asked().has("no_face");
  order.ask(asked().get("sort") ?? "id");
  element("search").value = asked().get("search") ?? "";
  await Promise.all([pager.first(), tellAgain(), showTwice(merged)]);
}

// What the list is asked for stays in the address.
function show() {
  const { search, sort } = filter();
  const [again, faceless] = ["again", "no-face"].map((id) => element(id).checked && "yes");
  keep({ search, again, no_face: faceless, sort }, "#students");
  return pager.first();
}
export function leave() {}

function faceOf({ must_enrol_again: again, liveness_verified: verified, has_face: some }) {
  const [kind, key] = again
    ? ["bad", "students.again"]
    : verified
      ? ["good", "students.verified"]
      : [some ? "plain" : "pending", some ? "students.unverified" : "students.no_face"];
  return chip(kind, t(key));
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
  const item = (sign, key, whom, act, kind) => withIcon(button(t(key), t(whom, { name }), act, kind), sign);
  const rest = [
    withIcon(look, "list-checks"),
    item("scan-face", "students.new_face", "students.new_face_for", () => { location.hash = `register/${id}`; }),
    item("pencil", "students.change", "students.change_of", () => change(student)),
    item("mail", "guardians.open", "guardians.of", () =>
      askGuardians(student, (text) => say(element("students-note"), text, "good"))),
    item("merge", "merge.open", "students.merge_of", () => askMerge(student, null, merged)),
  ];
  if (may("admin"))
    rest.push(item("trash-2", "students.erase", "students.erase_of", () => remove(student), "quiet danger"));
  actions.append(
    button(t("students.mark"), t("students.mark_of", { name }), () => mark(student)),
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
element("students-add").addEventListener("click", () => {
  element("add-form").reset();
  say(element("add-note"), "");
  element("add").showModal();
});
element("add-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = { name: element("add-name").value.trim(), roll_number: element("add-roll").value.trim() };
  try {
    await post("/students/", body);
  } catch (error) {
    say(element("add-note"), error.message, "bad");
    return;
  }
  element("add").close();
  say(element("students-note"), t("students.added", { name: body.name }), "good");
  await pager.show();
  element("students-note").focus();
});
element("add-cancel").addEventListener("click", () => element("add").close());
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
element("no-face").addEventListener("change", show);
// The cross in the field empties it without a submit.
element("search").addEventListener("input", ({ target }) => target.value === "" && show());
