// The pages: who is logged in, in which language, and which page is shown.
import * as accounts from "./accounts.js";
import { place } from "./address.js";
import { get, logIn, logOut, loggedIn, whenLoggedOut } from "./api.js";
import * as attendance from "./attendance.js";
import * as cameras from "./cameras.js";
import * as devices from "./devices.js";
import { connect, disconnect } from "./events.js";
import * as firstRun from "./first-run.js";
import * as live from "./live.js";
import * as log from "./log.js";
import * as month from "./month-register.js";
import * as passive from "./passive.js";
import * as person from "./person.js";
import * as register from "./register.js";
import { become, may } from "./roles.js";
import * as secondLook from "./second-look.js";
import * as students from "./students.js";
import { LANGUAGES, chosen, speak, t } from "./text.js";
import * as today from "./today.js";
import * as trends from "./trends.js";
import { keepTyped } from "./typed.js";
import { element, make, say } from "./ui.js";

const pages = {
  today,
  month,
  person,
  trends,
  register,
  live,
  cameras,
  attendance,
  "second-look": secondLook,
  students,
  accounts,
  log,
  devices,
};
const TITLES = {
  login: "login.title",
  today: "today.title",
  month: "month.title",
  person: "person.title",
  trends: "trends.title",
  register: "register.title",
  live: "live.title",
  cameras: "cameras.title",
  attendance: "attendance.title",
  "second-look": "second_look.title",
  students: "students.title",
  accounts: "accounts.title",
  log: "log.title",
  devices: "devices.title",
};
// Everybody begins with the question of the day: who is missing.
const FIRST = "today";
const LEAST = { register: "operator", accounts: "admin" };

let shown = null;
let known = null;
// Counts the changes: an answer to an earlier one comes too late.
let turns = 0;

async function whoAmI() {
  const { username, role } = (await get("/auth/me")).data;
  known = username;
  become(role);
  element("who").textContent = username;
  for (const link of document.querySelectorAll("[data-least]")) link.hidden = !may(link.dataset.least);
}

// The page that the address asks for, as far as it is there for this person.
function wanted() {
  // Behind a slash stands what the page is about.
  const [name] = place().slice(1).split("/");
  return Object.hasOwn(pages, name) && may(LEAST[name] ?? "viewer") ? name : FIRST;
}

async function show() {
  const mine = ++turns;
  if (loggedIn() && !known) {
    try {
      await whoAmI();
    } catch (error) {
      // Logged out by now, or without a server: the page's own requests say it.
      if (loggedIn()) say(element("login-note"), error.message, "bad");
    }
    if (mine !== turns) return;
  }
  if (!loggedIn()) known = null;
  const name = loggedIn() ? wanted() : "login";
  const first = shown === null;
  const same = name === shown;
  pages[shown]?.leave();
  shown = name;
  for (const page of ["login", ...Object.keys(pages)]) element(`page-${page}`).hidden = page !== name;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = t("title", { page: t(TITLES[name]) });
  element("nav").hidden = element("session").hidden = element("foot").hidden = name === "login";
  element("banners").replaceChildren();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  if (name === "login") {
    disconnect();
    element("passive").hidden = element("first-run").hidden = true;
  } else {
    connect();
    firstRun.look();
    passive.look();
  }
  // On a phone the links are a row wider than the screen.
  element("nav").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if (name === "login") element("username").focus();
  // A new page begins at its heading, for the eye and for the ear.
  else if (!first && !same) element(`${name}-title`).focus();
  if (!same) scrollTo(0, 0);
  await pages[name]?.enter();
}

element("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const note = element("login-note");
  const submit = element("login-submit");
  say(note, "");
  submit.disabled = true;
  try {
    await logIn(element("username").value, element("password").value);
    element("login-form").reset();
    await show();
  } catch (error) {
    say(note, error.message, "bad");
    element("password").select();
  } finally {
    submit.disabled = false;
  }
});
element("logout").addEventListener("click", logOut);
// An address of the document's own would be taken for a page's.
element("skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("main").focus();
});

const languages = element("language");
languages.append(
  ...Object.entries(LANGUAGES).map(([value, textContent]) => make("option", { value, textContent, lang: value })),
);
languages.addEventListener("change", async () => {
  await speak(languages.value);
  if (loggedIn()) secondLook.count();
  await keepTyped(element("main"), show);
  languages.focus();
});

await speak();
languages.value = chosen();
element("app").hidden = false;
whenLoggedOut(async (why) => {
  await show();
  say(element("login-note"), why, "bad");
});
addEventListener("hashchange", show);
await show();
