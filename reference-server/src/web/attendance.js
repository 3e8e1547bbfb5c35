// The attendance: filtered, summed up, exported, and followed while it grows.
import { asked, keep, place } from "./address.js";
import { download, erase, get } from "./api.js";
import { listen } from "./events.js";
import { chip, nothing, person, tile } from "./looks.js";
import { may } from "./roles.js";
import { day } from "./site-time.js";
import { classOf, periodName, wordOf } from "./status-words.js";
import { dateTime, number, series, t } from "./text.js";
import { Pager, button, confirmed, element, make, say, showRows, sortable } from "./ui.js";

// The statuses of people who may have no attendance row: the server derives them.
const DERIVED = new Set(["LeftEarly", "Excused", "Absent"]);

let shown = false;
const order = sortable(element("attendance-rows").closest("table"), "-timestamp", () => show());
// Whose attendance, when the students' page asks for one student's.
const whose = () => /^#attendance\/(\d+)$/.exec(place())?.[1];

const pager = new Pager("attendance", 50, "attendance.none", async ({ skip, limit }) => {
  if (upsideDown()) {
    showRows(element("attendance-rows"), []);
    element("attendance-sums").hidden = true;
    throw new Error(t("attendance.wrong_days"));
  }
  const derived = isDerived();
  order.enable(!derived);
  for (const id of ["export-csv", "export-excel"]) element(id).hidden = derived || !may("operator");
  if (derived) return showDerived({ skip, limit });
  const query = new URLSearchParams({ skip, limit, ...wanted(), ...(order.asked && { sort: order.asked }) });
  const [page] = await Promise.all([get(`/attendance/?${query}`), sumUp()]);
  showRows(element("attendance-rows"), page.items.map((item) => [
    person(item.student_id, item.student_name), item.student_roll_number, dateTime(item.timestamp),
    status(item.status),
    item.confidence_score === null ? "" : number(item.confidence_score, { maximumFractionDigits: 3 }),
    item.camera_location ?? "",
    may("operator") ? removal(item) : "",
  ]));
  return page;
}, () => {
  const asks = whose() !== undefined || Object.keys(filter()).length > 0;
  const title = isDerived() ? "attendance.none_of_status" : "attendance.none";
  if (!asks) return nothing("calendar-days", "attendance.none", "attendance.none_what");
  return nothing("search", title, "students.none_what", [
    button(t("list.show_all"), t("list.show_all"), () => {
      element("attendance-form").reset();
      keep({}, "#attendance");
      enter();
    }),
  ]);
});

// Rows of the service that this one replaced spell it with a space.
function status(name) {
  const known = name === "Left early" ? "LeftEarly" : name;
  return chip(classOf(known), wordOf(known));
}

const isDerived = () => DERIVED.has(filter().status_filter);

// Everybody who was expected and has the status, from the first day to the last one; today without them.
async function showDerived({ skip, limit }) {
  const { start_date: from, end_date: to, status_filter, student_id } = wanted();
  const asks = { skip, limit, status: status_filter, from, to, student_id };
  const given = Object.entries(asks).filter(([, value]) => value !== undefined);
  element("attendance-sums").hidden = true;
  const page = await get(`/attendance/statuses?${new URLSearchParams(given)}`);
  showRows(element("attendance-rows"), page.items.map((item) => [
    person(item.student_id, item.student_name), item.student_roll_number,
    item.timestamp ? dateTime(item.timestamp) : series([day(item.day), periodName(item.period)]),
    make("span", {}, status(item.status), item.reason ? ` ${item.reason}` : ""), "", "", "",
  ]));
  return { ...page, empty: "attendance.none_of_status" };
}

export async function enter() {
  shown = true;
  say(element("attendance-note"), "");
  for (const field of element("attendance-form").querySelectorAll("[name]"))
    field.value = asked().get(field.name) ?? "";
  order.ask(asked().get("sort") ?? "-timestamp");
  element("attendance-whose").hidden = whose() === undefined;
  if (whose()) {
    element("attendance-name").textContent = "";
    get(`/students/${whose()}`).then(({ name, roll_number: roll }) => {
      element("attendance-name").textContent = t("attendance.of", { name, roll });
    }).catch((error) => say(element("attendance-note"), error.message, "bad"));
  }
  await pager.first();
}

function show() {
  say(element("attendance-note"), "");
  keep({ ...filter(), sort: order.asked });
  return pager.first();
}

export function leave() {
  shown = false;
}

// The filter's fields that say something.
const filter = () =>
  Object.fromEntries([...new FormData(element("attendance-form"))].filter(([, value]) => value));

// Whether the last day comes before the first: such a question has no answer, and an empty list would be none.
function upsideDown() {
  const { start_date: from, end_date: to } = filter();
  const wrong = Boolean(from && to && from > to);
  element("to").setAttribute("aria-invalid", String(wrong));
  return wrong;
}

function wanted() {
  const fields = filter();
  return whose() ? { ...fields, student_id: whose() } : fields;
}

// The sums know days only: with another filter they would count something else than the table.
async function sumUp() {
  const { start_date, end_date, status_filter, student_id } = wanted();
  const sums = element("attendance-sums");
  sums.hidden = Boolean(status_filter || student_id);
  if (sums.hidden) return;
  const days = new URLSearchParams({ ...(start_date && { start_date }), ...(end_date && { end_date }) });
  const { data } = await get(`/attendance/stats/summary?${days}`);
  sums.replaceChildren(
    tile("present", t("status.present"), number(data.present_count)),
    tile("late", t("status.late"), number(data.late_count)),
    // People who did not come, counted for so many days as the server counts at once; no row is written for them.
    ...(data.missing_count === null ? [] : [
      tile(
        "absent", t(start_date || end_date ? "status.absent" : "attendance.absent_today"), number(data.missing_count),
      ),
    ]),
    tile("people", t("nav.students"), number(data.unique_students), "users"),
  );
}

function removal(item) {
  const label = t("attendance.remove_of", { name: item.student_name, when: dateTime(item.timestamp) });
  return make("span", { className: "actions" }, button(t("attendance.remove"), label, async () => {
    const sure = await confirmed({
      title: t("attendance.remove_title"), what: label, hint: t("attendance.remove_hint"), yes: t("attendance.remove"),
    });
    if (!sure) return;
    try {
      await erase(`/attendance/${item.id}`);
      say(element("attendance-note"), t("attendance.removed", { name: item.student_name }), "good");
    } catch (error) {
      say(element("attendance-note"), error.message, "bad");
    }
    await pager.show();
    element("attendance-count").focus();
  }));
}

// What the table shows, whole. The mark tells Excel that the file is UTF-8.
async function save(format) {
  const { student_id, ...fields } = wanted();
  const body = { format, byte_order_mark: true, ...fields, ...(student_id && { student_id: Number(student_id) }) };
  const note = element("attendance-note");
  if (upsideDown()) {
    say(note, t("attendance.wrong_days"), "bad");
    return;
  }
  say(note, t("attendance.exporting"));
  try {
    say(
      note,
      t("attendance.exported", { file: await download("POST", "/attendance/export", body, "attendance") }),
      "good",
    );
  } catch (error) {
    say(note, error.message, "bad");
  }
}

element("attendance-form").addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
// The fields are empty only after the event.
element("attendance-form").addEventListener("reset", () => setTimeout(show));
element("attendance-all").addEventListener("click", () => {
  keep(filter(), "#attendance");
  enter();
});
element("export-csv").addEventListener("click", () => save("csv"));
element("export-excel").addEventListener("click", () => save("excel"));
// New marks come at the top; who reads further down, or is about to press a button of a row, is not disturbed.
listen("attendance_marked", () => {
  if (shown && pager.skip === 0 && !element("attendance-rows").contains(document.activeElement)) pager.show();
});
