// The board of a day: who is here, who is missing, group by group, as it happens.
import { asked, keep } from "./address.js";
import { get } from "./api.js";
import { listen } from "./events.js";
import { may } from "./roles.js";
import { day, timeOf } from "./site-time.js";
import { figures, offOf, offerGroups, offerPeriods, periodName, personLink } from "./status-words.js";
import { dateTime, t } from "./text.js";
import { element, make, say } from "./ui.js";

// Many marks at once, as at the beginning of a day, are one new board.
const GATHERED = 400;
// Time passes too: who was expected is missing from a minute on.
const MINUTE = 60_000;
// A list this long is folded.
const FOLDED = 12;
const LISTS = [
  ["missing_students", "today.missing", true],
  ["late_students", "today.late", true],
  ["left_early_students", "today.left_early", false],
  ["excused_students", "today.excused", false],
];

let shown = false;
let turns = 0;
let waiting = null;
let clock = null;
let last = "";
// What a person has opened or folded, by group and list.
const folds = new Map();

// The day that a person asked for; without one it is today, whichever day that will be.
let wished = "";

const fields = () => ({
  date: wished,
  group: element("today-group").value,
  period: element("today-period").value,
});

export async function enter() {
  shown = true;
  last = "";
  wished = asked().get("date") ?? "";
  clearInterval(clock);
  clock = setInterval(load, MINUTE);
  await load({ group: asked().get("group") ?? "", period: asked().get("period") ?? "" });
}

export function leave() {
  shown = false;
  turns += 1;
  clearInterval(clock);
  clearTimeout(waiting);
}

async function load(wanted = {}) {
  const mine = ++turns;
  const { date, group, period } = { ...fields(), ...wanted };
  const query = new URLSearchParams(Object.entries({ date, group, period }).filter(([, value]) => value));
  let data;
  try {
    ({ data } = await get(`/attendance/today?${query}`));
  } catch (error) {
    if (mine === turns) say(element("today-note"), error.message, "bad");
    return;
  }
  if (mine !== turns || !shown) return;
  say(element("today-note"), "");
  offerGroups(element("today-group"), data.choices, group, t("views.all_groups"));
  offerPeriods(element("today-periods"), element("today-period"), data.periods, data.period);
  element("today-date").value = data.date;
  // The same answer changes nothing, and nobody is disturbed.
  const told = JSON.stringify(data);
  if (told === last) return;
  last = told;
  showEmpty(data);
  element("today-figures").replaceChildren(...figures(data.totals));
  element("today-changed").textContent = data.changed_at
    ? t("today.changed", { when: dateTime(data.changed_at) })
    : t("today.no_marks");
  showBoard(data.groups);
}

// Why there is nothing to see, and what to do.
function showEmpty(data) {
  const off = offOf(data.day);
  const link = (href, key) => make("a", { href, className: "button", textContent: t(key) });
  const nobody = data.students === 0;
  const none = !nobody && data.totals.expected === 0;
  const box = element("today-empty");
  const noGroups = !nobody && data.choices.every(({ group_id: id }) => id === null);
  box.hidden = !(nobody || none || noGroups);
  element("today-sums").hidden = nobody;
  const begin = [link("#register", "today.register"), link("#groups", "today.import")];
  const [title, what, actions] = nobody
    ? [t("today.nobody"), t("today.nobody_what"), begin]
    : none
      ? [off ? t("today.off", { why: off, day: day(data.date) }) : t("today.none"), t("today.none_what"), []]
      : [t("today.no_groups"), t("today.no_groups_what"), [link("#groups", "today.make_groups")]];
  element("today-empty-title").textContent = title;
  element("today-empty-what").textContent = what;
  element("today-empty-do").replaceChildren(...(may("operator") ? actions : []));
}

// Cards that are the same stay as they are, and the focus with them.
const cards = new Map();
function showBoard(groups) {
  const board = element("today-board");
  const held = board.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const before = new Map(cards);
  cards.clear();
  for (const group of groups) {
    const told = JSON.stringify(group) + document.documentElement.lang;
    const known = before.get(group.group_id);
    cards.set(group.group_id, known?.told === told ? known : { told, card: cardOf(group) });
  }
  const wanted = [...cards.values()].map(({ card }) => card);
  if (wanted.length !== board.children.length || wanted.some((card, at) => board.children[at] !== card))
    board.replaceChildren(...wanted);
  if (held && document.activeElement?.dataset?.key !== held)
    board.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

function cardOf(group) {
  const name = group.name ?? t("views.no_group");
  const off = offOf(group.day);
  const whose = make("bdi", { textContent: name });
  const heading = make("h2", {}, make("a", { href: `#month?group=${group.group_id ?? 0}` }, whose));
  heading.firstChild.dataset.key = `group ${group.group_id}`;
  const time = group.period && { period: periodName(group.period), begins: timeOf(group.begins) };
  const when = off || (group.late_after
    ? t("today.times", { ...time, late: timeOf(group.late_after) })
    : t("today.time", time));
  return make(
    "section", { className: "card" }, heading, make("p", { className: "hint", textContent: when }),
    ...(group.expected > 0 ? [make("dl", { className: "figures" }, ...figures(group))] : []),
    ...LISTS.flatMap(([list, key, open]) => listOf(group, list, key, open)),
  );
}

function listOf(group, list, key, open) {
  const students = group[list];
  if (students.length === 0) return [];
  const place = `${group.group_id} ${list}`;
  const items = students.map((student) => {
    const link = personLink(student);
    link.dataset.key = `${place} ${student.student_id}`;
    const more = student.reason ?? (student.time ? timeOf(student.time) : student.roll_number);
    return make("li", {}, link, make("bdi", { className: "hint", textContent: more }));
  });
  const summary = make("summary", { textContent: t(key, { count: students.length }) });
  summary.dataset.key = place;
  const made = make("details", {}, summary, make("ul", { className: "names" }, ...items));
  made.open = folds.get(place) ?? (open && students.length <= FOLDED);
  summary.addEventListener("click", () => folds.set(place, !made.open));
  return [made];
}

function follow() {
  if (!shown || waiting) return;
  waiting = setTimeout(() => {
    waiting = null;
    if (shown) load();
  }, GATHERED);
}

element("today-form").addEventListener("submit", (event) => event.preventDefault());
element("today-form").addEventListener("change", ({ target }) => {
  wished = target === element("today-date") ? target.value : wished;
  // Another day or group may have other periods.
  const wanted = target === element("today-period") ? {} : { period: "" };
  keep({ ...fields(), ...wanted }, "#today");
  load(wanted);
});
element("today-now").addEventListener("click", () => {
  wished = "";
  keep({ ...fields(), period: "" }, "#today");
  load({ period: "" });
});
listen("attendance_marked", follow);
listen("statuses_changed", follow);
// What happened while nothing was heard.
listen("connection", (open) => { if (open) follow(); });
