// Why students are absent, of everybody or of one group's members.
import { get, post } from "./api.js";
import { day } from "./site-time.js";
import { chooser } from "./student-search.js";
import { t } from "./text.js";
import { button, carryOut, confirmed, element, make, say, showRows } from "./ui.js";

// Older excuses stand on the person's page.
const SHOWN = 200;

let scope = { group: null };
const who = chooser(element("excuses-who"), element("excuses-found"));

export async function show(wanted) {
  scope = wanted;
  let listed;
  try {
    listed = (await get("/excuses")).data.excuses;
    if (scope.group !== null) {
      const { members } = (await get(`/groups/${scope.group}/members?all=true`)).data;
      const ids = new Set(members.map(({ student_id: id }) => id));
      listed = listed.filter(({ student_id: id }) => ids.has(id));
    }
  } catch (error) {
    say(element("excuses-note"), error.message, "bad");
    return;
  }
  element("excuses-none").hidden = listed.length > 0;
  element("excuses-table").hidden = listed.length === 0;
  const newest = listed.toReversed().slice(0, SHOWN);
  showRows(element("excuses-rows"), newest.map((excuse) => [
    make("a", { href: `#person/${excuse.student_id}`, textContent: excuse.student_name }),
    excuse.student_roll_number,
    day(excuse.first_day),
    day(excuse.last_day),
    excuse.reason,
    excuse.withdrawn_by ? t("excuses.withdrawn_by", { name: excuse.withdrawn_by }) : excuse.created_by,
    excuse.withdrawn_by
      ? ""
      : make("span", { className: "actions" }, button(
        t("excuses.withdraw"), t("excuses.withdraw_of", { name: excuse.student_name }), () => withdraw(excuse),
      )),
  ]));
}

const reload = () => show(scope);

async function withdraw({ excuse_id: id, student_name: name, first_day: first, last_day: last }) {
  const sure = await confirmed({
    title: t("excuses.withdraw_title"), what: `${name}, ${day(first)} – ${day(last)}`,
    hint: t("excuses.withdraw_hint"), yes: t("excuses.withdraw"),
  });
  if (sure) await carryOut(() => post(`/excuses/${id}/withdraw`), t("excuses.withdrawn"), reload, "excuses-note");
}

element("excuses-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const student = await who.chosen();
  if (!student) return say(element("excuses-note"), t("members.nobody"), "bad");
  const value = (field) => element(`excuses-${field}`).value;
  const [first_day, last_day] = [value("first"), value("last") || value("first")];
  const wrong = last_day < first_day;
  element("excuses-last").setAttribute("aria-invalid", String(wrong));
  if (wrong) return say(element("excuses-note"), t("attendance.wrong_days"), "bad");
  const body = { student_id: student.id, first_day, last_day, reason: value("reason") };
  const done = await carryOut(
    () => post("/excuses", body), t("excuses.added", { name: student.name }), reload, "excuses-note",
  );
  if (!done) return;
  element("excuses-form").reset();
  who.clear();
});
