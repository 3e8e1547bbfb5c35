// A person's days: a calendar, the sums, and what was out of the ordinary.
import { asked, keep, place } from "./address.js";
import { get } from "./api.js";
import { listen } from "./events.js";
import { day, later, month as monthName, timeOf, weekBegins, weekday, weekdayNumber } from "./site-time.js";
import { classOf, figures, legend, letterOf, offOf, periodName, statusText, wordOf } from "./status-words.js";
import { list, number, t } from "./text.js";
import { element, make, say, showRows } from "./ui.js";

const WEEK = 7;
// What a reader looks for; the rest is in the calendar.
const TOLD = ["Late", "LeftEarly", "Excused", "Absent"];

let shown = false;
let turns = 0;

const who = () => /^#person\/(\d+)$/.exec(place())?.[1];
const fields = () => ({ from: element("person-from").value, to: element("person-to").value });

export async function enter() {
  shown = true;
  element("person-title").textContent = t("person.title");
  element("person-what").hidden = true;
  element("person-from").value = asked().get("from") ?? "";
  element("person-to").value = asked().get("to") ?? "";
  element("person-rows").href = `#attendance/${who()}`;
  await load();
}

export function leave() {
  shown = false;
  turns += 1;
}

async function load() {
  const mine = ++turns;
  const note = element("person-note");
  const { from, to } = fields();
  const wrong = Boolean(from && to && from > to);
  element("person-to").setAttribute("aria-invalid", String(wrong));
  if (wrong) return say(note, t("attendance.wrong_days"), "bad");
  if (!who()) return say(note, t("person.nobody"), "bad");
  const query = new URLSearchParams({ student_id: who(), ...(from && { from }), ...(to && { to }) });
  let data;
  try {
    ({ data } = await get(`/attendance/person?${query}`));
  } catch (error) {
    if (mine === turns) say(note, error.message, "bad");
    return;
  }
  if (mine !== turns || !shown) return;
  say(note, "");
  element("person-what").hidden = false;
  const { name, roll_number: roll } = data.student;
  element("person-title").textContent = t("person.of", { name, roll });
  document.title = t("title", { page: name });
  element("person-from").value = data.from;
  element("person-to").value = data.to;
  element("person-figures").replaceChildren(...figures(data.counts, { rate: true }));
  element("person-groups").textContent = data.groups.length
    ? t("person.groups", { groups: list(data.groups.map((group) => group.name)) })
    : t("person.no_group");
  showMonths(data.days);
  showDays(data.days);
}

function showMonths(days) {
  const months = Map.groupBy(days, ({ date }) => date.slice(0, 7));
  // The newest is what a reader wants to see first.
  element("person-months").replaceChildren(...[...months].reverse().map(([month, its]) => monthTable(month, its)));
  element("person-legend").replaceChildren(...legend());
}

function monthTable(month, days) {
  const begins = weekBegins();
  const column = (date) => (weekdayNumber(date) - begins + WEEK) % WEEK;
  const cells = new Map(days.map((one) => [Number(one.date.slice(8)), one]));
  const first = `${month}-01`;
  const heads = Array.from({ length: WEEK }, (_, at) => later(first, at - column(first)));
  const head = make("tr", {}, ...heads.map((date) => {
    const made = make("th", { textContent: weekday(date), abbr: weekday(date, "long") });
    made.setAttribute("scope", "col");
    return made;
  }));
  const rows = [];
  let row = make("tr", {}, ...Array.from({ length: column(first) }, () => make("td")));
  for (let date = first; date.startsWith(month); date = later(date, 1)) {
    row.append(cellOf(Number(date.slice(8)), cells.get(Number(date.slice(8)))));
    if (row.children.length === WEEK) {
      rows.push(row);
      row = make("tr");
    }
  }
  if (row.children.length > 0) rows.push(row);
  const caption = make("caption", { textContent: monthName(month) });
  return make("table", { className: "calendar" }, caption, make("thead", {}, head), make("tbody", {}, ...rows));
}

function cellOf(nr, one) {
  const seen = make("span", { className: "nr", textContent: number(nr) });
  if (!one) return make("td", {}, seen);
  const off = offOf(one);
  const made = make("td", { className: off && one.periods.length === 0 ? "off" : "" }, seen);
  if (off) {
    made.title = off;
    made.append(make("span", { className: "hidden", textContent: off }));
  }
  for (const { period, status } of one.periods) {
    const both = { period: periodName(period), status: wordOf(status) };
    const word = one.periods.length > 1 ? t("person.in_period", both) : wordOf(status);
    const letter = make("span", { className: `is ${classOf(status)}`, textContent: letterOf(status), title: word });
    letter.setAttribute("aria-hidden", "true");
    made.append(letter, make("span", { className: "hidden", textContent: ` ${word} ` }), " ");
  }
  return made;
}

function showDays(days) {
  const told = days.toReversed().flatMap(({ date, periods }) =>
    periods.filter(({ status }) => TOLD.includes(status)).map((one) => [
      day(date), periodName(one.period), statusText(one.status), one.time ? timeOf(one.time) : "",
      one.left ? timeOf(one.left) : "", reasonOf(one),
    ]));
  element("person-none").hidden = told.length > 0;
  element("person-table").hidden = told.length === 0;
  showRows(element("person-days"), told);
}

const reasonOf = ({ reason, by }) => (reason && by ? t("person.because", { reason, by }) : reason ?? "");

element("person-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(fields());
  load();
});
listen("attendance_marked", ({ student_id: id }) => {
  if (shown && String(id) === who()) load();
});
listen("statuses_changed", () => { if (shown) load(); });
