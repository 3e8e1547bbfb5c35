// Holidays and extra days, of everybody or of one group.
import { erase, get, post } from "./api.js";
import { may } from "./roles.js";
import { day } from "./site-time.js";
import { t, told } from "./text.js";
import { button, carryOut, confirmed, element, make, say, showRows } from "./ui.js";

const KINDS = { holiday: "calendar.holiday", extra_day: "calendar.extra_day" };

let scope = { group: null, groups: [], isArchived: false };

export async function show(wanted) {
  scope = wanted;
  const kind = element("calendar-kind").value || "holiday";
  element("calendar-kind").replaceChildren(
    ...Object.keys(KINDS).map((value) => make("option", { value, textContent: told(KINDS, value) })),
  );
  element("calendar-kind").value = kind;
  element("calendar-form").hidden = !may("operator") || scope.isArchived;
  let entries;
  try {
    ({ entries } = (await get("/calendar")).data);
  } catch (error) {
    say(element("calendar-note"), error.message, "bad");
    return;
  }
  // A group has its own days and those of everybody.
  const listed = entries.filter(({ group_id: id }) => scope.group === null || id === null || id === scope.group);
  element("calendar-none").hidden = listed.length > 0;
  element("calendar-table").hidden = listed.length === 0;
  showRows(element("calendar-rows"), listed.map((entry) => [
    day(entry.first_day), day(entry.last_day), entry.name, told(KINDS, entry.kind), groupOf(entry),
    may("operator")
      ? make("span", { className: "actions" }, button(
        t("calendar.remove"), t("calendar.remove_of", { name: entry.name }), () => remove(entry), "quiet danger",
      ))
      : "",
  ]));
}

const groupOf = ({ group_id: id }) =>
  (id === null ? t("calendar.everybody") : scope.groups.find((group) => group.group_id === id)?.name ?? "");

const reload = () => show(scope);

async function remove({ calendar_id: id, name, first_day: first, last_day: last }) {
  const sure = await confirmed({
    title: t("calendar.remove_title"), what: `${name}, ${day(first)} – ${day(last)}`,
    hint: t("calendar.remove_hint"), yes: t("calendar.remove"),
  });
  if (sure) await carryOut(() => erase(`/calendar/${id}`), t("calendar.removed", { name }), reload, "calendar-note");
}

element("calendar-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const value = (field) => element(`calendar-${field}`).value;
  const [first_day, last_day] = [value("first"), value("last") || value("first")];
  const wrong = last_day < first_day;
  element("calendar-last").setAttribute("aria-invalid", String(wrong));
  if (wrong) return say(element("calendar-note"), t("attendance.wrong_days"), "bad");
  const body = { group_id: scope.group, kind: value("kind"), first_day, last_day, name: value("name") };
  const done = await carryOut(
    () => post("/calendar", body), t("calendar.added", { name: body.name }), reload, "calendar-note",
  );
  if (done) element("calendar-form").reset();
});
