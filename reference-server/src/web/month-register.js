// The register: a group's month as a sheet, on the screen, on paper and as a file.
import { asked, keep } from "./address.js";
import { download, get } from "./api.js";
import { listen } from "./events.js";
import { day, month as monthName, percent, weekday } from "./site-time.js";
import { classOf, legend, offOf, offerGroups, offerPeriods, periodName, personLink, sign } from "./status-words.js";
import { number, t } from "./text.js";
import { element, make, say } from "./ui.js";

// Marks that come while a sheet is looked at; they are few by then.
const GATHERED = 2000;
const ALL = "all";

let shown = false;
let turns = 0;
let waiting = null;

const fields = () => ({
  group: element("month-group").value,
  month: element("month-month").value,
  period: element("month-period").value,
});
const query = (wanted) => new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));

export async function enter() {
  shown = true;
  element("month-sheets").replaceChildren();
  await load({
    group: asked().get("group") ?? "", month: asked().get("month") ?? "", period: asked().get("period") ?? "",
  });
}

export function leave() {
  shown = false;
  turns += 1;
  clearTimeout(waiting);
}

async function load(wanted = {}) {
  const mine = ++turns;
  const { group, month, period } = { ...fields(), ...wanted };
  const note = element("month-note");
  try {
    const one = group === ALL ? {} : { group };
    const { data } = await get(`/attendance/register?${query({ ...one, month, period })}`);
    if (mine !== turns || !shown) return;
    const chosen = group === ALL ? ALL : String(data.group?.group_id ?? 0);
    offerGroups(element("month-group"), data.choices, chosen);
    if (data.choices.length > 1)
      element("month-group").append(make("option", { value: ALL, textContent: t("views.all_groups") }));
    element("month-group").value = chosen;
    element("month-month").value = data.month;
    offerPeriods(element("month-periods"), element("month-period"), data.periods, data.period);
    if (data.periods.length > 1)
      element("month-period").prepend(make("option", { value: "", textContent: t("month.first_period") }));
    element("month-period").value = data.period ?? "";
    for (const id of ["month-print", "month-csv", "month-xlsx"]) element(id).disabled = data.choices.length === 0;
    if (group !== ALL) {
      element("month-sheets").replaceChildren(...sheetOf(data));
      say(note, data.choices.length === 0 ? t("month.nobody") : data.rows.length === 0 ? t("month.no_members") : "");
      return;
    }
    await loadAll(mine, data, period);
  } catch (error) {
    if (mine === turns) say(note, error.message, "bad");
  }
}

// One group after the other, so that no answer is large; the sheets appear as they come.
async function loadAll(mine, { choices, month }, period) {
  const sheets = element("month-sheets");
  const note = element("month-note");
  sheets.replaceChildren();
  for (const [at, { group_id: id }] of choices.entries()) {
    say(note, t("month.loading", { done: at, all: choices.length }));
    const { data } = await get(`/attendance/register?${query({ group: String(id ?? 0), month, period })}`);
    if (mine !== turns || !shown) return;
    if (data.rows.length > 0) sheets.append(...sheetOf(data));
  }
  say(note, t("month.loaded", { count: sheets.children.length }), "good");
}

function sheetOf(data) {
  if (data.rows.length === 0) return [];
  const name = data.group?.name ?? t("views.no_group");
  const title = t("month.sheet", { group: name, month: monthName(data.month) });
  const head = make(
    "div", { className: "sheet-head" }, make("h2", { textContent: title }),
    make("p", { textContent: t("month.members", { count: data.rows.length }) }),
    ...(data.periods.length > 1 ? [make("p", { textContent: ofPeriod(data) })] : []),
  );
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, tableOf(data, title));
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", title);
  const foot = make(
    "div", { className: "sheet-foot" }, make("ul", { className: "sheet-legend" }, ...legend()),
    make(
      "p", { className: "signature" }, make("span", { textContent: t("month.place_day") }),
      make("span", { textContent: t("month.signature") }),
    ),
  );
  return [make("section", { className: "card sheet" }, head, scroll, foot)];
}

// Where the timetable changed within the month, the days begin with other periods.
const ofPeriod = ({ period }) =>
  t("month.period", { period: period === null ? t("month.first_period") : periodName(period) });

function headCell(text, className = "", scope = "col") {
  const made = make("th", { textContent: text, className });
  made.setAttribute("scope", scope);
  return made;
}

const SUMS = [
  ["present", "Present"],
  ["late", "Late"],
  ["left_early", "LeftEarly"],
  ["excused", "Excused"],
  ["missing", "Absent"],
];

function tableOf({ days, rows, sums }, title) {
  const caption = make("caption", { className: "hidden", textContent: title });
  const dayHead = ({ date, ...off }) => {
    const made = headCell("", offOf(off) ? "off" : "");
    const seen = [make("span", { textContent: weekday(date, "narrow") }), make("br"), number(Number(date.slice(8)))];
    const short = make("span", {}, ...seen);
    short.setAttribute("aria-hidden", "true");
    const why = offOf(off);
    const heard = why ? t("views.off_for", { why: day(date), name: why }) : day(date);
    made.append(short, make("span", { className: "hidden", textContent: heard }));
    if (why) made.title = heard;
    return made;
  };
  const sumHead = ([, status]) => {
    const made = headCell("", "sum");
    made.append(...sign(status));
    return made;
  };
  const rate = headCell("", "sum rate");
  const percentSign = make("span", { textContent: t("month.percent") });
  percentSign.setAttribute("aria-hidden", "true");
  rate.append(percentSign, make("span", { className: "hidden", textContent: t("figures.rate") }));
  const who = [headCell(t("student.name")), headCell(t("student.roll"), "roll")];
  const heads = [...who, ...days.map(dayHead), ...SUMS.map(sumHead), rate];
  const columns = ["who", "roll", ...days.map(() => ""), ...SUMS.map(() => "sum"), "rate"];
  const widths = make("colgroup", {}, ...columns.map((className) => make("col", { className })));
  // On paper every page says whose it is.
  const again = headCell(title, "", "colgroup");
  again.colSpan = heads.length;
  const head = [make("tr", { className: "sheet-title" }, again), make("tr", {}, ...heads)];
  const body = rows.map((row) => make(
    "tr", {}, named(row), make("td", { className: "roll" }, make("bdi", { textContent: row.roll_number })),
    ...row.statuses.map((status, at) => cellOf(status, days[at])),
    ...SUMS.map(([name]) => make("td", { className: "sum", textContent: row[name] ? number(row[name]) : "" })),
    make("td", { className: "sum rate", textContent: row.rate === null ? "" : percent(row.rate) }),
  ));
  // Of a day that is to come nobody knows how many will be here.
  const known = (at) => rows.some(({ statuses }) => ![null, "Pending", "Excused"].includes(statuses[at]));
  const here = make(
    "tr", {}, headCell(t("month.here"), "", "row"), make("td"),
    ...sums.map(({ expected, here: count }, at) => make("td", {
      className: offOf(days[at]) ? "off" : "", textContent: expected && known(at) ? number(count) : "",
    })),
    ...SUMS.map(() => make("td")), make("td"),
  );
  return make(
    "table", { className: "month" }, caption, widths, make("thead", {}, ...head), make("tbody", {}, ...body),
    make("tfoot", {}, here),
  );
}

function named(row) {
  const made = headCell("", "", "row");
  made.append(personLink(row));
  made.title = row.name;
  return made;
}

function cellOf(status, off) {
  if (status === null) return make("td", { className: offOf(off) ? "off" : "" });
  return make("td", { className: classOf(status) }, ...sign(status));
}

async function save(format) {
  const note = element("month-note");
  const { group, ...rest } = fields();
  const one = group === ALL ? { all: "true" } : { group };
  say(note, t("attendance.exporting"));
  try {
    const file = await download(
      "GET", `/attendance/register?${query({ ...rest, ...one, format })}`, undefined, `register.${format}`,
    );
    say(note, t("attendance.exported", { file }), "good");
  } catch (error) {
    say(note, error.message, "bad");
  }
}

element("month-form").addEventListener("submit", (event) => event.preventDefault());
element("month-form").addEventListener("change", ({ target }) => {
  // A field of the month that is half typed is empty.
  if (!element("month-month").checkValidity()) return;
  const wanted = target === element("month-period") ? {} : { period: "" };
  keep({ ...fields(), ...wanted }, "#month");
  load(wanted);
});
element("month-print").addEventListener("click", () => print());
element("month-csv").addEventListener("click", () => save("csv"));
element("month-xlsx").addEventListener("click", () => save("xlsx"));
// A sheet that somebody reads with the keyboard is not made anew under the fingers.
const follow = () => {
  if (!shown || waiting || element("month-group").value === ALL) return;
  waiting = setTimeout(() => {
    waiting = null;
    if (shown && !element("month-sheets").contains(document.activeElement)) load();
  }, GATHERED);
};
listen("attendance_marked", follow);
listen("statuses_changed", follow);
