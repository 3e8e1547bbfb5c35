// The pages: who is logged in, and which one is shown.
import { logIn, logOut, loggedIn, say, whenLoggedOut } from "./api.js";
import * as attendance from "./attendance.js";
import * as live from "./live.js";
import * as register from "./register.js";

const pages = { register, live, attendance };
const element = (id) => document.getElementById(id);
let shown = null;

function show() {
  const wanted = location.hash.slice(1);
  const name = !loggedIn() ? "login" : wanted in pages ? wanted : "register";
  if (name === shown) return;
  pages[shown]?.leave();
  shown = name;
  for (const page of ["login", ...Object.keys(pages)]) element(`page-${page}`).hidden = page !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
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
