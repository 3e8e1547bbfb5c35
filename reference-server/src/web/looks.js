// What is to be seen before it is read: icons, faces without photos, states in colour with their words, figures.
import { t } from "./text.js";
import { make } from "./ui.js";

const SVG = "http://www.w3.org/2000/svg";
// The pairs of colours in app.css.
const HUES = 8;

// An icon of the sprite in the document; it says nothing, the words beside it do.
export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("class", "icon");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawn.append(use);
  return drawn;
}

// The first letters of the first and the last word, as people write them: a letter may be of several signs.
export function initials(name) {
  const words = name.trim().split(/\s+/u).filter((word) => /\p{L}|\p{N}/u.test(word));
  const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const first = (word = "") => [...letters.segment(word)].find(({ segment }) => /\p{L}|\p{N}/u.test(segment))?.segment;
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  // Arabic letters side by side would become a syllable.
  const apart = /\p{Script=Arabic}/u.test(name) ? "\u200c" : "";
  return ends.map(first).join(apart).toLocaleUpperCase() || "?";
}

// The same button or link with an icon before its words.
export function withIcon(one, name) {
  one.prepend(icon(name));
  return one;
}

// A person without a photo: initials on a colour that is always the same for this person.
export function avatar(id, name) {
  const face = make("span", { className: `avatar hue-${Number(id) % HUES}` });
  // They are drawn, not said: the name stands beside them.
  face.dataset.initials = initials(name);
  face.setAttribute("aria-hidden", "true");
  return face;
}

// A person in a list: the avatar, and the name as a link to the person's page.
export const person = (id, name) =>
  make("span", { className: "person" }, avatar(id, name),
    make("a", { href: `#person/${id}` }, make("bdi", { textContent: name })));

// The icon of each state; the colours are those of its class.
const SIGNS = {
  present: "circle-check",
  late: "clock-alert",
  left_early: "door-open",
  excused: "calendar-off",
  absent: "circle-x",
  pending: "circle-dashed",
  good: "circle-check",
  bad: "circle-alert",
  plain: "circle-minus",
};

// A state: colour, sign and word. `kind` is one of the table above, or what the server calls it.
export function chip(kind, text, sign = SIGNS[kind]) {
  const drawn = sign ? [icon(sign)] : [];
  return make("span", { className: `chip ${kind}` }, ...drawn, make("span", { textContent: text }));
}

// A figure that stands out, for a list of `<dl class="tiles">`.
export function tile(kind, text, value, sign = SIGNS[kind]) {
  const term = make("dt", {}, ...(sign ? [icon(sign)] : []), make("span", { textContent: text }));
  return make("div", { className: `tile ${kind}` }, term, make("dd", { textContent: value }));
}

// Why a list is empty, and the next step. `steps` are links and buttons.
export function nothing(sign, title, what, steps = []) {
  return make(
    "div", { className: "nothing" }, icon(sign), make("p", { className: "nothing-title", textContent: t(title) }),
    ...(what ? [make("p", { className: "hint", textContent: t(what) })] : []),
    ...(steps.length ? [make("div", { className: "actions" }, ...steps)] : []),
  );
}
