// The pages, in the order of the navigation. A page is one line here, and a section `page-NAME` of the document:
// its module's `enter` and `leave`, the group it stands in, its icon, its short name and its title, who may open it at
// the least, its rank among those that a telephone's bar has room for, and the element that counts what waits there.
import * as accounts from "./accounts.js";
import * as attendance from "./attendance.js";
import * as cameras from "./cameras.js";
import * as devices from "./devices.js";
import * as groups from "./groups.js";
import * as live from "./live.js";
import * as log from "./log.js";
import * as month from "./month-register.js";
import * as notices from "./notices.js";
import * as person from "./person.js";
import * as register from "./register.js";
import * as secondLook from "./second-look.js";
import * as students from "./students.js";
import * as today from "./today.js";
import * as trends from "./trends.js";

// One name of a group for each; its heading is read and shown.
export const GROUPS = { day: "nav.of_day", cameras: "nav.of_cameras", office: "nav.of_office" };

const page = (group, name, module, icon, text, title, more = {}) =>
  ({ least: "viewer", ...more, group, name, module, icon, text, title });

export const PAGES = [
  page("day", "today", today, "layout-dashboard", "nav.today", "today.title", { rank: 1 }),
  page("day", "month", month, "calendar-days", "nav.month", "month.title"),
  page("day", "attendance", attendance, "list-checks", "nav.attendance", "attendance.title", { rank: 2 }),
  page("day", "students", students, "users", "nav.students", "students.title", { rank: 3 }),
  page("day", "groups", groups, "users-round", "nav.groups", "groups.title"),
  page("day", "register", register, "user-plus", "nav.register", "register.title", { rank: 5, least: "operator" }),
  page("day", "trends", trends, "chart-line", "nav.trends", "trends.title"),
  // Reached from a name, not from a link of its own.
  page("day", "person", person, null, null, "person.title"),
  page("day", "second-look", secondLook, "scan-eye", "nav.second_look", "second_look.title",
    { rank: 6, badge: "second-look-open" }),
  page("cameras", "live", live, "video", "nav.live", "live.title", { rank: 4 }),
  page("cameras", "cameras", cameras, "cctv", "nav.cameras", "cameras.title"),
  page("cameras", "devices", devices, "tablet-smartphone", "nav.devices", "devices.title"),
  page("office", "accounts", accounts, "user-cog", "nav.accounts", "accounts.title", { least: "admin" }),
  page("office", "notices", notices, "bell", "nav.notices", "notices.title", { least: "admin" }),
  page("office", "log", log, "scroll-text", "nav.log", "log.title"),
];

// Everybody begins with the question of the day: who is missing.
export const FIRST = "today";
