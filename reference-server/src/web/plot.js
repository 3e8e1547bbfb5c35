// Plots that the eye, the ear and the keyboard read alike: an SVG whose every value can be reached by the arrow keys
// and says what it is, and the same values as a table.
import { draw, hatching, marker, shape } from "./plot-shapes.js";
import { t } from "./text.js";
import { make, showRows } from "./ui.js";

let plots = 0;
const watched = new WeakMap();

// Fills `figure`. `given` is:
//   kind        "bars" (upright, one series on another), "lines", or "across" (lying bars)
//   title       what is to be seen
//   first       what the categories are, for the table's first column
//   categories  the names along the axis
//   series      [{ name, values }], a value for each category, null where there is none
//   value       a function that writes a number as the axis and the ear shall have it
//   top         the end of the axis; the largest value, rounded, without it
//   none        what to say when there is no value at all
export function plot(figure, given) {
  watched.get(figure)?.disconnect();
  const heading = make("figcaption", { textContent: given.title });
  figure.className = "plot";
  if (!given.series.some(({ values }) => values.some((value) => value !== null))) {
    figure.replaceChildren(heading, make("p", { className: "hint", textContent: given.none ?? t("plot.none") }));
    return;
  }
  const named = { ...given, id: `plot-${(plots += 1)}` };
  const svg = shape("svg", { role: "group", "aria-label": given.title, "aria-describedby": `${named.id}-keys` });
  const said = make("p", { className: "plot-said" });
  said.setAttribute("aria-hidden", "true");
  const keys = make("p", { className: "hidden", id: `${named.id}-keys`, textContent: t("plot.keys") });
  const frame = make("div", { className: "plot-frame" }, svg);
  figure.replaceChildren(heading, ...legend(named), frame, said, keys, tableOf(named));
  follow(figure, frame, svg, named, said);
}

// The names of the series beside their signs; a single one needs none.
function legend({ series, kind, id }) {
  if (series.length < 2) return [];
  return [make("ul", { className: "plot-legend" }, ...series.map(({ name }, number) => {
    const sign = shape("svg", { width: 18, height: 14, "aria-hidden": "true" });
    if (kind === "lines") {
      sign.append(shape("line", { class: `line s${number}`, x1: 0, x2: 18, y1: 7, y2: 7 }), marker(number, 9, 7, 4));
    } else {
      const fill = number === 0 ? {} : { fill: `url(#${id}-${number})` };
      sign.append(shape("rect", { class: `bar s${number}`, x: 1, y: 1, width: 16, height: 12, ...fill }));
    }
    return make("li", {}, sign, ` ${name}`);
  }))];
}

function tableOf({ title, first, categories, series, value }) {
  const body = make("tbody");
  const heads = [first, ...series.map(({ name }) => name)].map((textContent, at) => {
    const head = make("th", { textContent, className: at === 0 ? "" : "number" });
    head.setAttribute("scope", "col");
    return head;
  });
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body);
  showRows(body, categories.map((name, at) => [
    name, ...series.map(({ values }) => (values[at] === null ? "" : value(values[at]))),
  ]));
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, table);
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", title);
  return make("details", {}, make("summary", { textContent: t("plot.table") }), scroll);
}

// Draws it, and again whenever there is more or less room. One value is in the order of the Tab key; the arrow keys go
// on from there.
function follow(figure, frame, svg, given, said) {
  let current = null;
  let drawn = 0;
  const points = new Map();
  const key = (series, at) => `${series} ${at}`;
  const told = (series, at) => {
    const { name, values } = given.series[series];
    return t("plot.value", { category: given.categories[at], series: name, value: given.value(values[at]) });
  };
  const say = (series, at) => { said.textContent = told(series, at); };
  const choose = (series, at, focus = true) => {
    const next = points.get(key(series, at));
    if (!next) return false;
    if (current) points.get(key(...current))?.setAttribute("tabindex", "-1");
    current = [series, at];
    next.setAttribute("tabindex", "0");
    if (focus) next.focus();
    return true;
  };
  const point = (series, at, seen, box) => {
    const ring = shape("rect", { class: "ring", rx: 3, ...box });
    const heard = { role: "img", tabindex: "-1", "aria-label": told(series, at) };
    const made = shape("g", { class: "point", ...heard }, seen, ring);
    made.addEventListener("focus", () => {
      choose(series, at, false);
      say(series, at);
      made.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    made.addEventListener("pointerenter", () => say(series, at));
    points.set(key(series, at), made);
    return made;
  };
  const redraw = (width) => {
    const held = svg.contains(document.activeElement);
    drawn = width;
    points.clear();
    draw(svg, given, width, point);
    const hatched = given.series.map((_, number) => number).slice(1);
    svg.prepend(shape("defs", {}, ...hatched.map((number) => hatching(number, `${given.id}-${number}`))));
    const [series, at] = current ?? [...points.keys()][0].split(" ").map(Number);
    choose(series, at, held);
  };
  // The next value in a direction; what is missing is stepped over.
  const walk = (bySeries, byCategory) => {
    let [series, at] = current;
    do {
      [series, at] = [series + bySeries, at + byCategory];
      if (!(series in given.series) || !(at in given.categories)) return;
    } while (!choose(series, at));
  };
  const end = (from, by) => {
    for (let at = from; at in given.categories; at += by) if (choose(current[0], at)) return;
  };
  svg.addEventListener("keydown", (event) => {
    const sign = svg.dataset.direction === "rtl" ? -1 : 1;
    const [along, over] = given.kind === "across" ? [["ArrowUp", "ArrowDown"], ["ArrowLeft", "ArrowRight"]]
      : [["ArrowLeft", "ArrowRight"], ["ArrowDown", "ArrowUp"]];
    const turned = (by, keys) => (keys[0] === "ArrowLeft" ? by * sign : by);
    const moves = {
      [along[0]]: () => walk(0, turned(-1, along)),
      [along[1]]: () => walk(0, turned(1, along)),
      [over[0]]: () => walk(turned(-1, over), 0),
      [over[1]]: () => walk(turned(1, over), 0),
      Home: () => end(0, 1),
      End: () => end(given.categories.length - 1, -1),
    };
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    moves[event.key]();
  });
  svg.addEventListener("pointerleave", () => { if (!svg.contains(document.activeElement)) said.textContent = ""; });
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width > 0 && width !== drawn) redraw(width);
  });
  watched.set(figure, observer);
  observer.observe(frame);
}
