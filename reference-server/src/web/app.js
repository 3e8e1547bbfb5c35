// The pages: who is logged in, in which language, and which page is shown.
import { place } from "./address.js";
import { get, logIn, logOut, loggedIn, whenLoggedOut } from "./api.js";
import { connect, disconnect } from "./events.js";
import * as firstRun from "./first-run.js";
import { adapt, point } from "./navigation.js";
import { FIRST, PAGES } from "./pages.js";
import * as passive from "./passive.js";
import { become, may } from "./roles.js";
import * as secondLook from "./second-look.js";
import { LANGUAGES, chosen, speak, t } from "./text.js";
import { keepTyped } from "./typed.js";
import { element, make, say } from "./ui.js";

const pages = new Map(PAGES.map((page) => [page.name, page]));
const open = (name) => pages.has(name) && may(pages.get(name).least);

let shown = null;
let known = null;
// Counts the changes: an answer to an earlier one comes too late.
let turns = 0;

async function whoAmI() {
  const { username, role } = (await get("/auth/me")).data;
  known = username;
  become(role);
  element("who").textContent = username;
  for (const part of document.querySelectorAll("[data-least]")) part.hidden = !may(part.dataset.least);
  adapt();
}

// The page that the address asks for, as far as it is there for this person.
function wanted() {
  // Behind a slash stands what the page is about.
  const [name] = place().slice(1).split("/");
  return open(name) ? name : FIRST;
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
  pages.get(shown)?.module.leave();
  shown = name;
  for (const page of ["login", ...pages.keys()]) element(`page-${page}`).hidden = page !== name;
  point(name);
  document.title = t("title", { page: t(pages.get(name)?.title ?? "login.title") });
  element("session").hidden = name === "login";
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
  if (name === "login") element("username").focus();
  // A new page begins at its heading, for the eye and for the ear.
  else if (!first && !same) element(`${name}-title`).focus();
  if (!same) scrollTo(0, 0);
  await pages.get(name)?.module.enter();
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
