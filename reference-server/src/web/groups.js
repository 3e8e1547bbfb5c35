// Groups and their members; beside them the timetable, the calendar and the excuses of one group or of everybody.
import { place } from "./address.js";
import { download, erase, get, post, put } from "./api.js";
import * as calendar from "./calendar.js";
import * as excuses from "./excuses.js";
import { listen } from "./events.js";
import { open as openImport } from "./import.js";
import { icon, nothing } from "./looks.js";
import { may } from "./roles.js";
import { day } from "./site-time.js";
import { chooser } from "./student-search.js";
import { number, t, told } from "./text.js";
import * as timetable from "./timetable.js";
import { button, carryOut, confirmed, element, make, menu, say, showRows } from "./ui.js";

export const KINDS = {
  class: "groups.class", section: "groups.section", department: "groups.department", shift: "groups.shift",
  other: "groups.other",
};

let shown = false;
let groups = [];
let turns = 0;

// The group that the address names; null for all of them.
const wanted = () => Number(/^#groups\/(\d+)$/.exec(place())?.[1] ?? 0) || null;
const one = () => groups.find(({ group_id: id }) => id === wanted()) ?? null;
const isArchived = (group) => group?.archived ?? false;

const who = chooser(element("members-search"), element("members-found"));

export async function enter() {
  shown = true;
  say(element("groups-note"), "");
  say(element("members-note"), "");
  element("groups-kind").replaceChildren(
    ...Object.keys(KINDS).map((value) => make("option", { value, textContent: told(KINDS, value) })),
  );
  await load();
}

export function leave() {
  shown = false;
  turns += 1;
}

async function load() {
  const mine = ++turns;
  try {
    const { data } = await get("/groups");
    if (mine !== turns || !shown) return;
    groups = data.groups;
  } catch (error) {
    if (mine === turns) say(element("groups-note"), error.message, "bad");
    return;
  }
  const group = one();
  element("groups-title").textContent = group ? group.name : t("groups.title");
  if (group) document.title = t("title", { page: group.name });
  element("groups-all").hidden = group !== null;
  element("group-one").hidden = group === null;
  if (group) await showMembers(group);
  else showGroups();
  const scope = { group: group?.group_id ?? null, groups, isArchived: isArchived(group) };
  await Promise.all([timetable.show(scope), calendar.show(scope), may("operator") && excuses.show(scope)]);
}

function showGroups() {
  const withArchived = element("groups-archived").checked;
  const listed = groups.filter(({ archived }) => withArchived || !archived);
  const begin = may("operator")
    ? [button(t("import.open"), t("import.open"), () => openImport(load), "")]
    : [];
  element("groups-none").replaceChildren(
    ...(listed.length ? [] : [nothing("users-round", "groups.none", "groups.none_what", begin)]),
  );
  element("groups-table").hidden = listed.length === 0;
  const members = listed.reduce((sum, group) => sum + group.members, 0);
  element("groups-count").textContent = listed.length
    ? t("groups.count", { groups: number(listed.length), members: number(members), count: listed.length })
    : "";
  showRows(element("groups-rows"), listed.map((group) => [
    make("a", { href: `#groups/${group.group_id}`, textContent: group.name }),
    group.archived ? t("groups.archived_kind", { kind: told(KINDS, group.kind) }) : told(KINDS, group.kind),
    number(group.members),
    actionsOf(group),
  ]));
}

function actionsOf(group) {
  const { group_id: id, name, archived } = group;
  if (!may("operator")) return "";
  const rest = archived
    ? [button(t("groups.restore"), t("groups.restore_of", { name }), () => restore(group))]
    : [
      button(t("groups.rename"), t("groups.rename_of", { name }), () => rename(group)),
      button(t("groups.remove"), t("groups.remove_of", { name }), () => remove(group), "quiet danger"),
    ];
  const open = make("a", { href: `#groups/${id}`, className: "button quiet", textContent: t("groups.open") });
  open.setAttribute("aria-label", t("groups.open_of", { name }));
  return make("span", { className: "actions" }, open, menu(t("list.more"), t("list.more_of", { name }), rest));
}

const change = (work, done) => carryOut(work, done, load, "groups-note");

const restore = ({ group_id: id, name }) =>
  change(() => post(`/groups/${id}/restore`), t("groups.restored", { name }));

async function remove({ group_id: id, name }) {
  const sure = await confirmed({
    title: t("groups.remove_title"), what: name, hint: t("groups.remove_hint"), yes: t("groups.remove"),
  });
  if (sure) await change(() => erase(`/groups/${id}`), t("groups.removed", { name }));
}

let renamed = null;
function rename(group) {
  renamed = group;
  element("rename-name").value = group.name;
  element("rename-kind").replaceChildren(
    ...Object.keys(KINDS).map((value) => make("option", { value, textContent: told(KINDS, value) })),
  );
  element("rename-kind").value = group.kind;
  say(element("rename-note"), "");
  element("rename").showModal();
}
element("rename-cancel").addEventListener("click", () => element("rename").close());
element("rename-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, kind] = [element("rename-name").value, element("rename-kind").value];
  try {
    await put(`/groups/${renamed.group_id}`, { name, kind });
  } catch (error) {
    say(element("rename-note"), error.message, "bad");
    return;
  }
  element("rename").close();
  say(element("groups-note"), t("groups.renamed", { name }), "good");
  await load();
});

element("groups-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, kind] = [element("groups-name").value, element("groups-kind").value];
  const added = await change(() => post("/groups", { name, kind }), t("groups.added", { name }));
  if (added) element("groups-name").value = "";
});
element("groups-archived").addEventListener("change", showGroups);
element("groups-import").prepend(icon("upload"));
element("groups-import").addEventListener("click", () => openImport(load));
for (const format of ["csv", "xlsx"]) {
  element(`groups-${format}`).addEventListener("click", async () => {
    try {
      // Excel takes CSV without the mark for another encoding.
      const mark = format === "csv" ? "&byte_order_mark=true" : "";
      const name = await download("GET", `/students/export?format=${format}${mark}`, undefined, `students.${format}`);
      say(element("groups-note"), t("groups.exported", { name }), "good");
    } catch (error) {
      say(element("groups-note"), error.message, "bad");
    }
  });
}

async function showMembers(group) {
  element("members-form").hidden = !may("operator") || isArchived(group);
  let members;
  try {
    ({ members } = (await get(`/groups/${group.group_id}/members?all=true`)).data);
  } catch (error) {
    say(element("members-note"), error.message, "bad");
    return;
  }
  element("members-none").hidden = members.length > 0;
  element("members-table").hidden = members.length === 0;
  showRows(element("members-rows"), members.map((member) => [
    make("a", { href: `#person/${member.student_id}`, textContent: member.student_name }),
    member.student_roll_number,
    day(member.from_day),
    member.until_day ? day(member.until_day) : t("members.no_end"),
    may("operator") && !member.until_day
      ? make("span", { className: "actions" }, button(
        t("members.end"), t("members.end_of", { name: member.student_name }), () => end(group, member),
      ))
      : "",
  ]));
}

async function end(group, { student_id: id, student_name: name }) {
  const sure = await confirmed({
    title: t("members.end_title"), what: `${name}, ${group.name}`, hint: t("members.end_hint"), yes: t("members.end"),
  });
  if (!sure) return;
  const ending = () => erase(`/groups/${group.group_id}/members/${id}`);
  await carryOut(ending, t("members.ended", { name }), load, "members-note");
}

element("members-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [group, student] = [one(), await who.chosen()];
  if (!student) return say(element("members-note"), t("members.nobody"), "bad");
  const from_day = element("members-from").value || null;
  const done = await carryOut(
    () => post(`/groups/${group.group_id}/members`, { student_ids: [student.id], from_day }),
    t("members.added", { name: student.name }), load, "members-note",
  );
  if (done) who.clear();
});

listen("roster_changed", () => { if (shown) load(); });
