// The ring around the face: the upper half shows where the head points, where it shall point, and the way between; the
// lower half how far the registration has come.
const CENTRE = [200, 150];
const RADIUS = 132;
// Degrees on the ring for each degree of the head: the gates begin at 15, and 36 is as far as anybody needs to turn.
const SCALE = 2.5;
const FURTHEST = 90;
// Where the lower half begins and ends, from the left to the right.
const BEGIN = -104;
const END = -256;

const point = (angle) => {
  const radians = (angle * Math.PI) / 180;
  return [CENTRE[0] + RADIUS * Math.sin(radians), CENTRE[1] - RADIUS * Math.cos(radians)];
};

function arc(from, to) {
  const [[x1, y1], [x2, y2]] = [point(from), point(to)];
  const large = Math.abs(to - from) > 180 ? 1 : 0;
  const sweep = to > from ? 1 : 0;
  return `M${x1.toFixed(1)} ${y1.toFixed(1)}A${RADIUS} ${RADIUS} 0 ${large} ${sweep} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
}

// A nod is shown on the right of the upper half: level in its middle, up towards the top.
const LEVEL = 45;
const NOD_SCALE = 2.2;

// Yaw is positive to the right edge of the picture, and so is the angle on the ring.
const onRing = (yaw) => Math.max(-FURTHEST, Math.min(FURTHEST, yaw * SCALE));

const nodOnRing = (rise) => Math.max(0, Math.min(FURTHEST, LEVEL - rise * NOD_SCALE));

export class Ring {
  #part = {};

  constructor(svg) {
    for (const name of ["track", "zone", "way", "tip", "head", "rest", "passed"])
      this.#part[name] = svg.querySelector(`.${name}`);
    this.#part.track.setAttribute("d", arc(-FURTHEST, FURTHEST));
    this.#part.rest.setAttribute("d", arc(BEGIN, END));
    this.clear();
  }

  clear() {
    for (const name of ["zone", "way", "tip", "head"]) this.#part[name].setAttribute("visibility", "hidden");
    this.progress(0, 1);
  }

  progress(passed, all) {
    const { passed: part } = this.#part;
    part.setAttribute("visibility", passed > 0 ? "visible" : "hidden");
    part.setAttribute("d", arc(BEGIN, BEGIN + (END - BEGIN) * (passed / all)));
  }

  // `gate` holds the two yaws between which the head shall point; `yaw` where it does, null for no face.
  aim(gate, yaw) {
    this.#aim(gate, yaw, onRing);
  }

  // `gate` holds the two rises between which the face shall look, `rise` how far up it does.
  aimAtNod(gate, rise) {
    this.#aim(gate, rise, nodOnRing);
  }

  #aim([low, high], value, place) {
    const { zone, way, tip, head } = this.#part;
    const show = (part, shown) => part.setAttribute("visibility", shown ? "visible" : "hidden");
    const [from, to] = [place(low), place(high)];
    const reached = value !== null && value >= low && value <= high;
    show(zone, true);
    zone.setAttribute("d", arc(from, to));
    zone.classList.toggle("reached", reached);
    show(head, value !== null);
    const between = value !== null && !reached;
    show(way, between);
    show(tip, between);
    if (value === null) return;
    const at = place(value);
    const [x, y] = point(at);
    head.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    if (!between) return;
    // To the near edge of the zone, and a little into it.
    const inwards = Math.sign(to - from) * 4;
    const edge = value < low ? from + inwards : to - inwards;
    way.setAttribute("d", arc(at, edge));
    const [tx, ty] = point(edge);
    tip.setAttribute(
      "transform",
      `translate(${tx.toFixed(1)} ${ty.toFixed(1)}) rotate(${(edge + (edge > at ? 0 : 180)).toFixed(1)})`,
    );
  }
}
