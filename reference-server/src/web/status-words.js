// How a student's day is called: its word, its letter in a sheet and its class.
import { percent } from "./site-time.js";
import { number, t, told } from "./text.js";
import { make } from "./ui.js";

const WORDS = {
  Present: "status.present",
  Late: "status.late",
  LeftEarly: "status.left_early",
  Excused: "status.excused",
  Absent: "status.absent",
  Pending: "status.pending",
};
const LETTERS = {
  Present: "letter.present",
  Late: "letter.late",
  LeftEarly: "letter.left_early",
  Excused: "letter.excused",
  Absent: "letter.absent",
  Pending: "letter.pending",
};
const CLASSES = {
  Present: "present",
  Late: "late",
  LeftEarly: "left_early",
  Excused: "excused",
  Absent: "absent",
  Pending: "pending",
};
// The counts of an answer, in the order of the figures.
const FIGURES = [
  ["expected", "figures.expected"],
  ["present", "status.present"],
  ["late", "status.late"],
  ["left_early", "status.left_early"],
  ["excused", "status.excused"],
  ["missing", "figures.missing"],
  ["pending", "status.pending"],
];
const DAYS = { holiday: "views.holiday", free: "views.free" };

export const wordOf = (status) => told(WORDS, status);
export const letterOf = (status) => told(LETTERS, status);
export const classOf = (status) => CLASSES[status] ?? "";

// A letter for the eye and the word for the ear.
export function sign(status) {
  const seen = make("span", { textContent: letterOf(status) });
  seen.setAttribute("aria-hidden", "true");
  return [seen, make("span", { className: "hidden", textContent: wordOf(status) })];
}

export const statusText = (status) =>
  make("span", { className: `status ${classOf(status)}`, textContent: wordOf(status) });

// What every letter of a sheet or a calendar means.
export const legend = () =>
  Object.keys(LETTERS).map((status) =>
    make("li", { textContent: t("letter.means", { letter: letterOf(status), word: wordOf(status) }) }));

// Why nobody is expected on a day; empty for a day of school.
export function offOf({ kind, name }) {
  if (kind === "school") return "";
  return name ? t("views.off_for", { why: told(DAYS, kind), name }) : told(DAYS, kind);
}

// Figures that stand out; those that are 0 and mean nothing then are left out.
export function figures(counts, { rate = false, always = ["expected", "present", "missing"] } = {}) {
  const shown = FIGURES.filter(([name]) => always.includes(name) || counts[name] > 0);
  const made = shown.map(([name, key]) =>
    make(
      "div", { className: `${name}${counts[name] > 0 ? " some" : ""}` },
      make("dt", { textContent: t(key) }), make("dd", { textContent: number(counts[name]) }),
    ));
  if (rate && counts.rate !== null) {
    made.unshift(make(
      "div", { className: "rate" },
      make("dt", { textContent: t("figures.rate") }), make("dd", { textContent: percent(counts.rate) }),
    ));
  }
  return made;
}

// The one period of a day without a timetable has no name that anybody chose.
const WHOLE_DAY = "day";
export const periodName = (name) => (name === WHOLE_DAY ? t("views.whole_day") : name);

export const personLink = ({ student_id: id, name }) =>
  make("a", { href: `#person/${id}` }, make("bdi", { textContent: name }));

// Fills a choice of groups; the group that the address names stays chosen where there is one.
export function offerGroups(select, groups, chosen, first) {
  const options = [
    ...(first ? [make("option", { value: "", textContent: first })] : []),
    ...groups.map(({ group_id: id, name }) =>
      make("option", { value: String(id ?? 0), textContent: name ?? t("views.no_group") })),
  ];
  select.replaceChildren(...options);
  select.value = options.some(({ value }) => value === chosen) ? chosen : options[0]?.value ?? "";
}

export function offerPeriods(field, select, periods, chosen) {
  field.hidden = periods.length < 2;
  select.replaceChildren(...periods.map((name) => make("option", { value: name, textContent: periodName(name) })));
  select.value = chosen ?? "";
}
