// The way to the pages: a rail beside them, and on a telephone a bar below with the most used and the rest behind More.
import { icon } from "./looks.js";
import { GROUPS, PAGES } from "./pages.js";
import { may } from "./roles.js";
import { element, make } from "./ui.js";

// So many links stand in a telephone's bar beside More.
const IN_BAR = 4;

const nav = element("nav");
const more = make("button", { type: "button", id: "nav-more", className: "nav-more" }, icon("ellipsis"));
const places = new Map();

// A text that follows the language.
function text(key) {
  const span = make("span");
  span.dataset.text = key;
  return span;
}

function linkOf({ name, icon: sign, text: key, badge }) {
  const link = make("a", { href: `#${name}` }, icon(sign), text(key));
  if (badge) link.append(make("span", { id: badge, className: "badge", hidden: true }));
  const place = make("li", {}, link);
  places.set(name, place);
  return place;
}

function groupOf([group, key]) {
  const head = text(key);
  head.id = `nav-${group}`;
  head.className = "nav-head";
  const links = make("ul", {}, ...PAGES.filter((page) => page.icon && page.group === group).map(linkOf));
  links.setAttribute("aria-labelledby", head.id);
  return make("div", { className: "nav-group" }, head, links);
}

function unfold(open) {
  nav.classList.toggle("open", open);
  more.setAttribute("aria-expanded", String(open));
}

// Shows what the person who is logged in may open.
export function adapt() {
  const open = PAGES.filter(({ name, least }) => places.has(name) && may(least));
  const used = open.filter(({ rank }) => rank).sort((one, other) => one.rank - other.rank).slice(0, IN_BAR);
  for (const page of PAGES) {
    const place = places.get(page.name);
    if (!place) continue;
    place.hidden = !open.includes(page);
    place.classList.toggle("in-bar", used.includes(page));
  }
  for (const group of nav.querySelectorAll(".nav-group")) group.hidden = !group.querySelector("li:not([hidden])");
}

// Tells which page is shown.
export function point(name) {
  unfold(false);
  nav.hidden = name === "login";
  for (const [of, place] of places) {
    const link = place.querySelector("a");
    if (of === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  more.classList.toggle("current", places.has(name) && !places.get(name).classList.contains("in-bar"));
}

more.append(text("nav.more"));
more.addEventListener("click", () => unfold(!nav.classList.contains("open")));
nav.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !nav.classList.contains("open")) return;
  unfold(false);
  more.focus();
});
// A link to the page that is shown already changes no address.
nav.addEventListener("click", ({ target }) => target.closest("a") && unfold(false));
addEventListener("pointerdown", ({ target }) => nav.contains(target) || unfold(false));
nav.append(...Object.entries(GROUPS).map(groupOf), more);
unfold(false);
