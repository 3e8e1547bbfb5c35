// What happens now, what the cameras saw, and who changed what.
import { get, saveAs } from "./api.js";
import { listen } from "./events.js";
import { may } from "./roles.js";
import { dateTime, number, t, timeOfDay, told } from "./text.js";
import { Pager, button, element, make, say, showRows } from "./ui.js";

const LINES = 100;
const SIGHTS = 50;

const ACTIONS = {
  login: "action.login",
  // By the server itself, and from the command line.
  "delete old rows": "action.retired",
  "encrypt templates": "action.encrypted",
  "decrypt templates": "action.decrypted",
  "template.seen": "action.view_kept",
  "student.enrol": "action.enrolled",
  "student.merge": "action.merged",
  "login failed": "action.login_failed",
  backup: "action.backed_up",
  restore: "action.restored",
  "admin create": "action.user_made",
  "admin passwd": "action.user_changed",
  "admin disable": "action.user_disabled",
  "admin enable": "action.user_enabled",
  "POST /api/v1/auth/logout": "action.logout",
  "POST /api/v1/auth/users": "action.user_made",
  "PUT /api/v1/auth/users/{username}": "action.user_changed",
  "POST /api/v1/models/antispoof": "action.models_fetched",
  "DELETE /api/v1/models/antispoof": "action.models_stopped",
  "POST /api/v1/students/": "action.student_made",
  "PUT /api/v1/students/{student_id}": "action.student_changed",
  "DELETE /api/v1/students/{student_id}": "action.student_erased",
  "DELETE /api/v1/students/{student_id}/templates/seen": "action.views_taken_back",
  "PUT /api/v1/students/{student_id}/consent": "action.consent",
  "DELETE /api/v1/students/{student_id}/consent": "action.consent_withdrawn",
  "PUT /api/v1/students/{student_id}/guardians": "action.guardians",
  "POST /api/v1/notices/{letter_id}/resend": "action.notice_resent",
  "POST /api/v1/notices/channels": "action.channel_added",
  "PUT /api/v1/notices/channels/{channel_id}": "action.channel_changed",
  "DELETE /api/v1/notices/channels/{channel_id}": "action.channel_removed",
  "POST /api/v1/notices/channels/{channel_id}/test": "action.channel_tested",
  "POST /api/v1/notices/rules": "action.rule_added",
  "PUT /api/v1/notices/rules/{rule_id}": "action.rule_changed",
  "DELETE /api/v1/notices/rules/{rule_id}": "action.rule_removed",
  "POST /api/v1/attendance/mark": "action.marked",
  "POST /api/v1/attendance/second-looks/{second_look_id}/confirm": "action.sighting_confirmed",
  "POST /api/v1/attendance/second-looks/{second_look_id}/refuse": "action.sighting_refused",
  "POST /api/v1/face/recognize": "action.marked_by_picture",
  "GET /api/v1/students/{student_id}/export": "action.person_exported",
  "POST /api/v1/attendance/export": "action.exported",
  "GET /api/v1/attendance/register": "action.exported",
  "DELETE /api/v1/attendance/{attendance_id}": "action.mark_removed",
  "POST /api/v1/liveness/session": "action.session",
  "POST /api/v1/liveness/complete": "action.enrolled",
  "POST /api/v1/liveness/verify": "action.verified",
  "POST /api/v1/liveness/register-student": "action.registered",
  "POST /api/v1/detection/start": "action.camera_started",
  "POST /api/v1/detection/stop": "action.camera_stopped",
  "POST /api/v1/detection/stop-all": "action.cameras_stopped",
  "DELETE /api/v1/detection/unknown-faces/{unknown_id}": "action.unknown_dismissed",
  "POST /api/v1/groups": "action.group_made",
  "PUT /api/v1/groups/{group_id}": "action.group_changed",
  "DELETE /api/v1/groups/{group_id}": "action.group_removed",
  "POST /api/v1/groups/{group_id}/restore": "action.group_restored",
  "POST /api/v1/groups/{group_id}/members": "action.members_added",
  "DELETE /api/v1/groups/{group_id}/members/{student_id}": "action.membership_ended",
  "PUT /api/v1/memberships/{membership_id}": "action.membership_changed",
  "POST /api/v1/students/{student_id}/withdraw": "action.student_withdrawn",
  "POST /api/v1/students/{student_id}/readmit": "action.student_readmitted",
  "POST /api/v1/timetables": "action.timetable_set",
  "DELETE /api/v1/timetables/{timetable_id}": "action.timetable_removed",
  "POST /api/v1/calendar": "action.calendar_added",
  "DELETE /api/v1/calendar/{calendar_id}": "action.calendar_removed",
  "POST /api/v1/excuses": "action.excuse_noted",
  "POST /api/v1/excuses/{excuse_id}/withdraw": "action.excuse_withdrawn",
  "POST /api/v1/students/import": "action.list_imported",
  "GET /api/v1/students/export": "action.list_exported",
  "students import": "action.list_imported",
  "students export": "action.list_exported",
  "students import --photos": "action.photos_enrolled",
  "POST /api/v1/cameras": "action.camera_added",
  "POST /api/v1/cameras/test": "action.camera_tried",
  "PUT /api/v1/cameras/{camera_id}": "action.camera_changed",
  "DELETE /api/v1/cameras/{camera_id}": "action.camera_removed",
  "POST /api/v1/cameras/{camera_id}/pause": "action.camera_paused",
  "POST /api/v1/cameras/{camera_id}/resume": "action.camera_resumed",
  "kiosk paired": "action.kiosk_paired",
  "kiosk revoked": "action.kiosk_revoked",
  "kiosk code wrong": "action.kiosk_code_wrong",
  "kiosk PIN wrong": "action.kiosk_pin_wrong",
  "POST /api/v1/kiosks": "action.kiosk_added",
  "PUT /api/v1/kiosks/{kiosk_id}": "action.kiosk_changed",
  "DELETE /api/v1/kiosks/{kiosk_id}": "action.kiosk_removed",
  "POST /api/v1/kiosks/{kiosk_id}/code": "action.kiosk_code",
  "POST /api/v1/kiosks/{kiosk_id}/revoke": "action.kiosk_revoked",
  "POST /api/v1/kiosk/not-me": "action.not_me",
  "POST /api/v1/kiosk/fallback": "action.marked_by_pin",
  "POST /api/v1/detection/laptop-camera/start": "action.camera_started",
  "POST /api/v1/detection/laptop-camera/stop": "action.camera_stopped",
  "POST /api/v1/detection/laptop-camera/switch": "action.camera_switched",
};
const ERRORS = { spoof_suspected: "log.spoof_suspected" };
const SUBJECTS = {
  student_id: "subject.student",
  attendance_id: "subject.mark",
  second_look_id: "subject.sighting",
  unknown_id: "subject.unknown",
  session_id: "subject.session",
  username: "subject.user",
  camera_id: "subject.camera",
  kiosk_id: "subject.kiosk",
  channel_id: "subject.channel",
  rule_id: "subject.rule",
  letter_id: "subject.notice",
  group_id: "subject.group",
  membership_id: "subject.membership",
  timetable_id: "subject.timetable",
  calendar_id: "subject.calendar",
  excuse_id: "subject.excuse",
};

const pager = new Pager("log", 25, "log.none", async ({ skip, limit }) => {
  const page = await get(`/audit?skip=${skip}&limit=${limit}`);
  showRows(element("log-rows"), page.items.map((entry) => [
    dateTime(entry.timestamp), entry.actor, told(ACTIONS, entry.action), subjectOf(entry.subject, entry.people),
    detailsOf(entry),
  ]));
  return page;
});

export async function enter() {
  element("audit").hidden = !may("admin");
  await Promise.all([sights(), ...(may("admin") ? [pager.first(), backups()] : [])]);
}

// The line about the back-ups: the last one, or why there is none.
async function backups() {
  const line = element("log-backup");
  let data;
  try {
    ({ data } = await get("/backups"));
  } catch (error) {
    return say(line, error.message, "bad");
  }
  const size = (bytes) => number(bytes / 1e6, { maximumFractionDigits: 1 });
  const last = data.last && {
    at: dateTime(data.last.made_at),
    file: data.last.file,
    size: data.last.bytes === null ? "" : t("log.backup_size", { size: size(data.last.bytes) }),
  };
  const lines = [];
  if (!data.is_scheduled) lines.push(t("log.backup_off"));
  else lines.push(last ? t("log.backup_last", last) : t("log.backup_none"));
  if (data.failed) {
    const { at, reason } = data.failed;
    lines.push(t("log.backup_failed", { at: dateTime(at), reason }));
  } else if (data.next_at) lines.push(t("log.backup_next", { at: dateTime(data.next_at) }));
  say(line, lines.join(" "), data.failed ? "bad" : "");
}
export function leave() {}

// An erasure's entry is its receipt, which can be had again as long as the log is kept.
const ERASURES = ["DELETE /api/v1/students/{student_id}", "student.merge"];

function detailsOf(entry) {
  const { action, subject } = entry;
  const details = withNames(entry.details ?? "", entry.people);
  if (!ERASURES.includes(action) || !/ deleted/.test(details)) return details;
  const label = t("log.receipt_of", { subject: subjectOf(subject) });
  return make(
    "span", { className: "details" },
    make("span", { textContent: details }),
    button(t("log.receipt"), label, () => saveReceipt(entry)),
  );
}

function saveReceipt({ id, timestamp, actor, subject, details }) {
  const student = Number(subject.split(" ").at(-1));
  const receipt = {
    student_id: student, erased_at: timestamp, erased_by: actor, erased: details, audit_entry: id,
  };
  saveAs(new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }), `erasure_${student}.json`);
}

// What went wrong, in the words of this page; the server names students by their numbers.
function errorOf(message) {
  return (message ?? "").split("; ").map((part) => {
    const pairs = part.startsWith("ambiguous_identity") ? [...part.matchAll(/students (\d+) and (\d+)/g)] : [];
    if (pairs.length === 0) return told(ERRORS, part);
    return pairs.map(([, one, other]) => t("log.ambiguous", { one, other })).join(" ");
  }).join(" ");
}

// The person of a number, as called now. Who was erased has no name any more, here neither.
function personOf(id, people) {
  const { name, roll_number: roll } = people.find(({ student_id: known }) => known === Number(id)) ?? {};
  return name === undefined ? `${id} (${t("subject.gone")})` : t("merge.named", { name, roll });
}

// `student_id 7` as the server keeps it, with the name where the server tells the people of the entry.
function subjectOf(subject, people) {
  const [kind, ...rest] = (subject ?? "").split(" ");
  const named = told(SUBJECTS, kind, null);
  if (!named) return subject ?? "";
  return `${named} ${people && kind === "student_id" ? personOf(rest[0], people) : rest.join(" ")}`;
}

// The details are in the words of the server, with the numbers of people.
const withNames = (details, people) =>
  details.replace(/student_id (\d+(?:, \d+)*)/g, (_, ids) =>
    ids.split(", ").map((id) => personOf(id, people)).join(", "));

async function sights() {
  const count = element("sights-count");
  try {
    const { logs } = (await get(`/detection/logs?limit=${SIGHTS}`)).data;
    count.textContent = logs.length ? t("log.sights", { count: logs.length }) : t("log.no_sights");
    showRows(
      element("sights-rows"),
      logs.map((entry) => [
        dateTime(entry.timestamp),
        entry.camera_location ?? "",
        number(entry.faces_detected),
        number(entry.students_recognized),
        entry.processing_time === null
          ? ""
          : t("log.milliseconds", { time: number(entry.processing_time * 1000, { maximumFractionDigits: 0 }) }),
        errorOf(entry.error_message),
      ]),
    );
  } catch (error) {
    count.textContent = error.message;
  }
}

listen("log_line", ({ level, message, timestamp }) => {
  const lines = element("lines");
  element("lines-none").hidden = true;
  // The server writes its log in English.
  const time = make("span", { className: "hint", textContent: timeOfDay(timestamp) });
  lines.prepend(
    make("li", { className: level === "INFO" ? "" : "bad" }, make("span", { lang: "en", textContent: message }), time),
  );
  while (lines.children.length > LINES) lines.lastElementChild.remove();
});
element("sights-refresh").addEventListener("click", sights);
