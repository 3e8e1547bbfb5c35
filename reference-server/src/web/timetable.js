// The versions of a timetable: of the site, or of one group.
import { erase, get, post } from "./api.js";
import { may } from "./roles.js";
import { day, later, timeOf, weekday } from "./site-time.js";
import { list, t } from "./text.js";
import { button, carryOut, element, make, say } from "./ui.js";

// Any Monday: the days of the week are named after it.
const MONDAY = "2024-01-01";
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

let scope = { group: null, isArchived: false };
let rows = 0;

const nameOf = (word) => weekday(later(MONDAY, WEEK.indexOf(word)), "long");
const daysOf = (weekdays) => list(weekdays.split(" ").map(nameOf));

export async function show(wanted) {
  scope = wanted;
  let data;
  try {
    ({ data } = await get("/timetables"));
  } catch (error) {
    say(element("timetable-note"), error.message, "bad");
    return;
  }
  const own = data.timetables.filter(({ group_id: id }) => id === scope.group);
  const now = own.findLast(({ valid_from: from }) => from <= data.today);
  element("timetable-now").textContent = own.length
    ? ""
    : scope.group
      ? t("timetable.of_site")
      : t("timetable.usual", { days: daysOf(data.usual_weekdays) });
  element("timetable-versions").replaceChildren(
    ...own.map((version) => versionOf(version, version === now, data.today)),
  );
  const form = element("timetable-form");
  form.closest("details").hidden = !may("operator") || scope.isArchived;
  if (form.closest("details").open) return;
  const first = now ?? own.at(-1);
  fill(first?.weekdays ?? data.usual_weekdays, first?.periods ?? [], data.today);
}

function versionOf(version, holds, today) {
  const { timetable_id: id, valid_from: from, weekdays, periods } = version;
  const times = periods.length
    ? list(periods.map(periodInWords))
    : t("timetable.once");
  const values = { from: day(from), days: daysOf(weekdays), periods: times };
  const later = from > today ? t("timetable.will_hold", values) : t("timetable.held", values);
  const what = holds ? t("timetable.holds", values) : later;
  const line = make("li", { textContent: `${what} ` });
  if (from > today && may("operator"))
    line.append(button(t("timetable.remove"), t("timetable.remove_of", { from: day(from) }), () => remove(id)));
  return line;
}

function periodInWords({ name, begins, late_after: late, check_out_from: out }) {
  const time = (clock) => (clock ? timeOf(clock) : "");
  const values = { name, begins: time(begins), late: time(late), out: time(out) };
  if (late && out) return t("timetable.period_both", values);
  if (late) return t("timetable.period_late", values);
  return out ? t("timetable.period_out", values) : t("timetable.period", values);
}

const reload = () => show(scope);
const remove = (id) => carryOut(() => erase(`/timetables/${id}`), t("timetable.removed"), reload, "timetable-note");

function fill(weekdays, periods, today) {
  element("timetable-from").value = today;
  element("timetable-from").min = "";
  const chosen = weekdays.split(" ");
  element("timetable-weekdays").replaceChildren(...WEEK.map((word) => {
    const box = make("input", { type: "checkbox", name: "weekday", value: word, checked: chosen.includes(word) });
    return make("label", { className: "check" }, box, make("span", { textContent: nameOf(word) }));
  }));
  element("timetable-periods").replaceChildren(...periods.map(periodRow));
}

function periodRow(period = {}) {
  const nr = (rows += 1);
  const field = (key, type, text, value = "", required = true) => {
    const id = `period-${nr}-${key}`;
    const input = make("input", { id, name: key, type, value, required });
    return make("div", {}, make("label", { htmlFor: id, textContent: t(text) }), input);
  };
  const row = make(
    "div", { className: "filter period" },
    field("name", "text", "timetable.name", period.name),
    field("begins", "time", "timetable.begins", period.begins),
    field("late_after", "time", "timetable.late", period.late_after ?? "", false),
    field("check_out_from", "time", "timetable.out", period.check_out_from ?? "", false),
  );
  row.append(button(t("timetable.less"), t("timetable.less"), () => row.remove()));
  return row;
}

element("timetable-more").addEventListener("click", () => {
  const row = periodRow();
  element("timetable-periods").append(row);
  row.querySelector("input").focus();
});

element("timetable-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const weekdays = [...element("timetable-weekdays").querySelectorAll("input:checked")].map(({ value }) => value);
  if (weekdays.length === 0) return say(element("timetable-note"), t("timetable.no_weekday"), "bad");
  const periods = [...element("timetable-periods").children].map((row) => Object.fromEntries(
    [...row.querySelectorAll("input")].map(({ name, value }) => [name, value || null]),
  ));
  const body = {
    group_id: scope.group, valid_from: element("timetable-from").value, weekdays: weekdays.join(" "), periods,
  };
  const done = await carryOut(() => post("/timetables", body), t("timetable.saved"), reload, "timetable-note");
  if (done) element("timetable-form").closest("details").open = false;
});
