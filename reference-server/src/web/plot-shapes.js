// The drawing of a plot: values become shapes of an SVG, as wide as there is room. Colours, dashes and hatching come
// from views.css by the number of the series, so that no series is told by its colour alone.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const MARGIN = { top: 14, end: 12, bottom: 30, start: 46 };
// One line of a plot whose bars lie, and the part of its width that the names take.
const LINE = 28;
const NAMES = 0.34;
// Rough widths in pixels, to leave out what would overlap.
const LETTER = 7;
const MARKER = 5;
const TICKS = 4;

export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A round number that is at least `most` and that the ticks divide well.
export function roundTop(most) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const found = [1, 2, 4, 5, 8, 10].find((factor) => factor * unit >= most) * unit;
  return Math.max(found, TICKS);
}

// The sign of a series, which differs by its form: circle, square, triangle, diamond.
export function marker(series, x, y, size = MARKER) {
  const className = `mark s${series}`;
  if (series % 4 === 0) return shape("circle", { class: className, cx: x, cy: y, r: size });
  const forms = {
    1: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    2: [[0, -1.2], [1.2, 1], [-1.2, 1]],
    3: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  };
  const points = forms[series % 4].map(([dx, dy]) => `${x + dx * size},${y + dy * size}`).join(" ");
  return shape("polygon", { class: className, points });
}

// The hatching of every series but the first; its colour is that of the series.
export function hatching(series, name) {
  const turned = { 1: "rotate(45)", 2: "rotate(-45)", 3: "rotate(90)" }[series % 4] ?? "";
  const size = 6;
  return shape(
    "pattern",
    { id: name, width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: turned },
    shape("rect", { class: `hatch-back s${series}`, width: size, height: size }),
    shape("line", { class: `hatch s${series}`, x1: 0, y1: 0, x2: 0, y2: size }),
  );
}

// Draws `given` into `svg`, `width` pixels wide; `point` makes the element of one value from its shape and the frame
// that shows its focus, and is told which series and which category it is.
export function draw(svg, given, width, point) {
  svg.replaceChildren();
  const height = given.kind === "across" ? given.categories.length * LINE + MARGIN.bottom + MARGIN.top : HEIGHT;
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
    svg.setAttribute(name, value);
  const top = given.top ?? roundTop(most(given));
  const rightToLeft = getComputedStyle(svg).direction === "rtl";
  // Right to left everything is mirrored, the letters excepted.
  const mirrored = (x) => (rightToLeft ? width - x : x);
  const context = { svg, given, width, height, top, point, mirrored, rightToLeft };
  if (given.kind === "across") drawAcross(context);
  else drawUpright(context);
}

function most({ kind, categories, series }) {
  const sums = categories.map((_, at) => series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
  const all = kind === "lines" ? series.flatMap(({ values }) => values.map((value) => value ?? 0)) : sums;
  return Math.max(1, ...all);
}

const fillOf = (given, series) => (series === 0 ? {} : { fill: `url(#${given.id}-${series})` });

function text(words, x, y, attributes) {
  const made = shape("text", { x, y, ...attributes });
  made.textContent = words;
  return made;
}

function drawUpright({ svg, given, width, height, top, point, mirrored, rightToLeft }) {
  const { categories, series, kind } = given;
  const room = { width: width - MARGIN.start - MARGIN.end, height: height - MARGIN.top - MARGIN.bottom };
  const y = (value) => MARGIN.top + room.height * (1 - value / top);
  const step = room.width / Math.max(1, categories.length);
  const x = (at) => mirrored(MARGIN.start + step * (at + 0.5));
  const axis = shape("g", { class: "axis", "aria-hidden": "true" });
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const value = (top / TICKS) * tick;
    axis.append(
      shape("line", { x1: mirrored(MARGIN.start), x2: mirrored(width - MARGIN.end), y1: y(value), y2: y(value) }),
      text(given.value(value), mirrored(MARGIN.start - 8), y(value) + 4, { "text-anchor": "end" }),
    );
  }
  const longest = Math.max(...categories.map((name) => name.length), 1) * LETTER + LETTER * 2;
  const every = Math.max(1, Math.ceil(longest / step));
  categories.forEach((name, at) => {
    if (at % every === 0) axis.append(text(name, x(at), height - 10, { "text-anchor": "middle" }));
  });
  svg.append(axis);
  if (kind === "lines") {
    series.forEach(({ values }, number) => svg.append(...linesOf(values, number, x, y)));
  }
  const thick = Math.max(2, Math.min(48, step * 0.8));
  const below = categories.map(() => 0);
  series.forEach(({ values }, number) => {
    values.forEach((value, at) => {
      if (value === null) return;
      if (kind === "lines") {
        const frame = { x: x(at) - 10, y: y(value) - 10, width: 20, height: 20 };
        svg.append(point(number, at, marker(number, x(at), y(value)), frame));
        return;
      }
      const [from, to] = [below[at], (below[at] += value)];
      const box = { x: x(at) - thick / 2, y: y(to), width: thick, height: Math.max(0, y(from) - y(to)) };
      const seen = shape("rect", { class: `bar s${number}`, ...box, ...fillOf(given, number) });
      const frame = { x: box.x - 2, y: box.y - 3, width: box.width + 4, height: box.height + 6 };
      svg.append(point(number, at, seen, frame));
    });
  });
  svg.dataset.direction = rightToLeft ? "rtl" : "ltr";
}

// A line for each run of values: where there is none, the line has a gap.
function linesOf(values, number, x, y) {
  const runs = [[]];
  values.forEach((value, at) => {
    if (value === null) runs.push([]);
    else runs.at(-1).push(`${x(at)},${y(value)}`);
  });
  return runs.filter((run) => run.length > 1)
    .map((run) => shape("polyline", { class: `line s${number}`, points: run.join(" ") }));
}

function drawAcross({ svg, given, width, height, top, point, mirrored, rightToLeft }) {
  const { categories, series } = given;
  const start = Math.round(Math.min(220, width * NAMES));
  const room = width - start - MARGIN.end - LETTER * 6;
  const axis = shape("g", { class: "axis", "aria-hidden": "true" });
  const letters = Math.floor((start - 12) / LETTER);
  categories.forEach((name, at) => {
    const told = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
    axis.append(text(told, mirrored(start - 8), MARGIN.top + LINE * (at + 0.5) + 4, { "text-anchor": "end" }));
  });
  const foot = height - MARGIN.bottom;
  axis.append(shape("line", { x1: mirrored(start), x2: mirrored(start), y1: MARGIN.top, y2: foot }));
  svg.append(axis);
  series.forEach(({ values }, number) => {
    values.forEach((value, at) => {
      if (value === null) return;
      const long = Math.max(1, (room * value) / top);
      const thick = (LINE - 8) / series.length;
      const y = MARGIN.top + LINE * at + 4 + thick * number;
      const x = rightToLeft ? mirrored(start) - long : start;
      const look = fillOf(given, number);
      const seen = shape("rect", { class: `bar s${number}`, x, y, width: long, height: thick, ...look });
      const label = text(given.value(value), mirrored(start + long + 6), y + thick / 2 + 4, {
        class: "value", "text-anchor": "start", "aria-hidden": "true",
      });
      svg.append(point(number, at, seen, { x: x - 3, y: y - 3, width: long + 6, height: thick + 6 }), label);
    });
  });
  svg.dataset.direction = rightToLeft ? "rtl" : "ltr";
}
