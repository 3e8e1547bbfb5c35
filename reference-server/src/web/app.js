// The pages: who is logged in, and which one is shown.
import * as accounts from "./accounts.js";
import { get, logIn, logOut, loggedIn, say, whenLoggedOut } from "./api.js";
import * as attendance from "./attendance.js";
import * as live from "./live.js";
import * as log from "./log.js";
import * as register from "./register.js";
import * as students from "./students.js";

const pages = { register, live, attendance, students, accounts, log };
const element = (id) => document.getElementById(id);
let shown = null;

// The server refuses what a role may not do; the page only spares the click.
async function whoAmI() {
  try {
    const { role } = (await get("/auth/me")).data;
    for (const link of document.querySelectorAll("[data-admin]")) link.hidden = role !== "admin";
  } catch { /* The page says it with its own request. */ }
}

function show() {
  // Behind a slash stands what the page is about.
  const [wanted] = location.hash.slice(1).split("/");
  const name = !loggedIn() ? "login" : wanted in pages ? wanted : "register";
  if (name === shown) return;
  pages[shown]?.leave();
  shown = name;
  for (const page of ["login", ...Object.keys(pages)]) element(`page-${page}`).hidden = page !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name !== "login") whoAmI();
  element("nav").hidden = element("logout").hidden = name === "login";
  pages[name]?.enter();
  if (name === "login") element("username").focus();
}

element("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const note = element("login-note");
  say(note, "");
  try {
    await logIn(element("username").value, element("password").value);
    element("login-form").reset();
    show();
    element("main").focus();
  } catch (error) {
    say(note, error.message, "bad");
    element("password").select();
  }
});
element("logout").addEventListener("click", logOut);
whenLoggedOut(show);
addEventListener("hashchange", show);
show();
