// How attendance goes: arrivals through the day, rates by week and by group.
import { asked, keep } from "./address.js";
import { get } from "./api.js";
import { plot } from "./plot.js";
import { day, percent, timeOf } from "./site-time.js";
import { figures, offerGroups } from "./status-words.js";
import { number, t } from "./text.js";
import { element, say } from "./ui.js";

// More lying bars than these scroll.
const LONG = 16;

let shown = false;
let turns = 0;

const fields = () => Object.fromEntries(["from", "to", "group"].map((name) => [name, element(`trends-${name}`).value]));

export async function enter() {
  shown = true;
  element("trends-what").hidden = true;
  element("trends-from").value = asked().get("from") ?? "";
  element("trends-to").value = asked().get("to") ?? "";
  await load(asked().get("group") ?? "");
}

export function leave() {
  shown = false;
  turns += 1;
}

async function load(group = element("trends-group").value) {
  const mine = ++turns;
  const note = element("trends-note");
  const { from, to } = fields();
  const wrong = Boolean(from && to && from > to);
  element("trends-to").setAttribute("aria-invalid", String(wrong));
  if (wrong) return say(note, t("attendance.wrong_days"), "bad");
  const wanted = Object.entries({ from, to, group }).filter(([, value]) => value);
  let data;
  try {
    ({ data } = await get(`/attendance/trends?${new URLSearchParams(wanted)}`));
  } catch (error) {
    if (mine === turns) say(note, error.message, "bad");
    return;
  }
  if (mine !== turns || !shown) return;
  offerGroups(element("trends-group"), data.choices, group, t("views.all_groups"));
  element("trends-from").value = data.from;
  element("trends-to").value = data.to;
  const some = data.counts.expected > 0;
  say(note, some ? "" : t("trends.none"));
  element("trends-what").hidden = !some;
  if (some) show(data);
}

function show(data) {
  const always = ["expected", "present", "late", "missing"];
  element("trends-figures").replaceChildren(
    ...figures(data.counts, { rate: true, always }),
  );
  element("trends-days").textContent = t("trends.days", { count: data.days });
  const at = data.arrivals.map((bin) => timeOf(bin.time));
  plot(element("trends-arrivals"), {
    kind: "bars", title: t("trends.arrivals"), first: t("trends.time"), categories: at, value: number,
    none: t("trends.no_arrivals"),
    series: [
      { name: t("status.present"), values: data.arrivals.map((bin) => bin.present) },
      { name: t("status.late"), values: data.arrivals.map((bin) => bin.late) },
    ],
  });
  const all = data.arrivals.reduce((sum, bin) => sum + bin.present + bin.late, 0);
  let here = 0;
  plot(element("trends-arrived"), {
    kind: "lines", title: t("trends.arrived"), first: t("trends.time"), categories: at, value: percent, top: 1,
    none: t("trends.no_arrivals"),
    series: [{
      name: t("trends.here"), values: data.arrivals.map((bin) => (here += bin.present + bin.late) / all),
    }],
  });
  plot(element("trends-weeks"), {
    kind: "lines", title: t("trends.weeks"), first: t("trends.week"), value: percent, top: 1,
    categories: data.weeks.map((week) => day(week.begins, { day: "numeric", month: "short" })),
    series: [
      { name: t("figures.rate"), values: data.weeks.map((week) => week.rate) },
      { name: t("status.late"), values: data.weeks.map((week) => week.late_rate) },
      { name: t("figures.missing"), values: data.weeks.map((week) => week.missing_rate) },
      { name: t("status.excused"), values: data.weeks.map((week) => week.excused_rate) },
    ],
  });
  const groups = data.groups.filter((group) => group.rate !== null).sort((one, other) => one.rate - other.rate);
  plot(element("trends-groups"), {
    kind: "across", title: t("trends.groups"), first: t("views.group"), value: percent, top: 1,
    categories: groups.map((group) => group.name ?? t("views.no_group")),
    series: [{ name: t("figures.rate"), values: groups.map((group) => group.rate) }],
  });
  element("trends-groups").classList.toggle("long", groups.length > LONG);
}

element("trends-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(fields(), "#trends");
  load();
});
element("trends-group").addEventListener("change", () => {
  keep(fields(), "#trends");
  load();
});
