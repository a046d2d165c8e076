/*
 * curve.js: one curve over the whole run, and another run's beside it; SVG, so that it is sharp on every projector.
 *
 * The thin line is what was reported, the thick one its running mean. The scale follows all but the wildest hundredth.
 */

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 46, RIGHT = 10, TOP = 16, BOTTOM = 20;

function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const short = (value) => {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4);
};

const tick = (value) => (Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? short(value) : String(Number(value.toPrecision(3))));

export class Curve {
  at = null; shown = null; #width = 0; #height = 0; #given = { ours: [], theirs: [], marks: [], last: 1 }; #scale = null; #drawn = "";

  /** `pointed(step | null)` while the pointer or the keyboard is at a step; `chosen(step)` when it is clicked. */
  /** @param {{pointed?: (step: number | null) => any, chosen?: (step: number) => any}} tell */
  constructor({ pointed = () => {}, chosen = () => {} }) {
    this.parts = {
      axis: s("g", { class: "axis" }), marks: s("g", { class: "marks" }), raw: s("path", { class: "raw" }), theirs: s("path", { class: "theirs" }),
      ours: s("path", { class: "ours" }), shown: s("line", { class: "shown" }), at: s("line", { class: "at" }), dot: s("circle", { class: "dot", r: 4.5 }),
      label: s("text", { class: "label", y: 11 }),
    };
    this.root = s("svg", { class: "curve", tabindex: 0, role: "slider", "aria-valuemin": 0 }, ...Object.values(this.parts));
    this.sight = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      if (Math.abs(width - this.#width) < 1 && Math.abs(height - this.#height) < 1) return;
      [this.#width, this.#height] = [width, height];
      this.#draw();
    });
    this.sight.observe(this.root);
    const step = (event) => this.#stepAt(event.clientX - this.root.getBoundingClientRect().left);
    this.root.addEventListener("pointermove", (event) => pointed(step(event)));
    this.root.addEventListener("pointerleave", () => pointed(null));
    this.root.addEventListener("blur", () => pointed(null));
    this.root.addEventListener("click", (event) => chosen(step(event)));
    this.root.addEventListener("keydown", (event) => {
      const points = this.#given.ours;
      if (!points.length) return;
      const here = points.indexOf(nearest(points, this.at ?? Infinity)), far = Math.max(1, Math.round(points.length / 20));
      const to = { ArrowLeft: here - 1, ArrowRight: here + 1, ArrowDown: here - far, ArrowUp: here + far, PageDown: here - far, PageUp: here + far, Home: 0, End: points.length - 1 }[event.key];
      if (to !== undefined) pointed(points[Math.max(0, Math.min(points.length - 1, to))][0]);
      else if (event.key === "Enter" && this.at !== null) chosen(this.at);
      else return;
      event.preventDefault();
    });
  }

  /** ours, theirs: [step, value] in order; marks: [{step, says}]; last: the step at the right edge. */
  update(given) {
    this.#given = given;
    this.#draw();
  }

  /** The step that is pointed at on any of the curves, or null; the step of the pictures that are shown. */
  point(at, shown) {
    [this.at, this.shown] = [at, shown];
    const { parts } = this, x = (step) => this.#x(step), points = this.#given.ours;
    const line = (node, step) => {
      node.style.display = step === null || !this.#scale ? "none" : "";
      if (step !== null && this.#scale) for (const [name, value] of Object.entries({ x1: x(step), x2: x(step), y1: TOP, y2: this.#height - BOTTOM })) node.setAttribute(name, value);
    };
    line(parts.shown, shown);
    line(parts.at, at);
    const found = at === null || !points.length ? null : nearest(points, at);
    parts.dot.style.display = parts.label.style.display = found && this.#scale ? "" : "none";
    if (!found || !this.#scale) return;
    const mark = this.#given.marks.findLast((each) => Math.abs(x(each.step) - x(found[0])) < 6);
    const beside = nearest(this.#given.theirs, found[0]);
    const text = `${found[0].toLocaleString()}: ${short(found[1])}${beside ? ` | ${short(beside[1])}` : ""}${mark ? ` · ${mark.says}` : ""}`;
    parts.dot.setAttribute("cx", x(found[0]));
    parts.dot.setAttribute("cy", this.#y(found[1]));
    parts.label.textContent = text;
    const right = x(found[0]) > (this.#width + LEFT) / 2;
    parts.label.setAttribute("text-anchor", right ? "end" : "start");
    parts.label.setAttribute("x", x(found[0]) + (right ? -6 : 6));
    this.root.setAttribute("aria-valuenow", found[0]);
    this.root.setAttribute("aria-valuetext", text);
  }

  /** Our value at a step or just before. */
  valueAt(step) {
    return nearest(this.#given.ours, step)?.[1] ?? null;
  }

  close() {
    this.sight.disconnect();
  }

  #x(step) {
    return LEFT + ((this.#width - LEFT - RIGHT) * step) / this.#given.last;
  }

  #y(value) {
    const { low, high } = this.#scale;
    return TOP + (this.#height - TOP - BOTTOM) * (1 - (Math.max(low, Math.min(high, value)) - low) / (high - low));
  }

  #stepAt(x) {
    return Math.max(0, Math.min(this.#given.last, ((x - LEFT) / Math.max(1, this.#width - LEFT - RIGHT)) * this.#given.last));
  }

  #draw() {
    const { ours, theirs, marks, last } = this.#given, drawn = [this.#width, this.#height, last, ours.length, ours.at(-1)?.[0], theirs.length, theirs.at(-1)?.[0], marks.length].join();
    if (!this.#width || !this.#height || drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#scale = scale([...ours, ...theirs].map(([, value]) => value));
    this.root.setAttribute("aria-valuemax", last);
    const { parts } = this;
    if (!this.#scale) {
      for (const name of ["raw", "ours", "theirs"]) parts[name].setAttribute("d", "");
      parts.axis.replaceChildren();
      return;
    }
    const smooth = mean(ours);
    parts.raw.setAttribute("d", this.#path(ours));
    parts.ours.setAttribute("d", this.#path(smooth));
    parts.theirs.setAttribute("d", this.#path(mean(theirs)));
    const bottom = this.#height - BOTTOM;
    parts.axis.replaceChildren(
      ...this.#scale.ticks.flatMap((value) => [
        s("line", { x1: LEFT, x2: this.#width - RIGHT, y1: this.#y(value), y2: this.#y(value) }),
        s("text", { x: LEFT - 6, y: this.#y(value) + 4, "text-anchor": "end" }, tick(value)),
      ]),
      s("text", { x: LEFT, y: bottom + 15 }, "0"),
      s("text", { x: this.#width - RIGHT, y: bottom + 15, "text-anchor": "end" }, Math.round(last).toLocaleString()),
    );
    let free = Infinity;
    parts.marks.replaceChildren(...marks.toReversed().map(({ step, says }) => {
      const x = this.#x(step), wide = 6.2 * says.length + 12, right = x + wide < this.#width;
      const fits = right ? x + wide < free : x < free;
      if (fits) free = right ? x : x - wide;
      return s("g", {}, s("line", { x1: x, x2: x, y1: TOP - 4, y2: bottom }), ...(fits ? [s("text", { x: x + (right ? 4 : -4), y: bottom - 5, "text-anchor": right ? "start" : "end" }, says)] : []), s("title", {}, says));
    }));
    const [step, value] = ours.at(-1) ?? [0, NaN];
    this.root.setAttribute("aria-valuenow", step);
    this.root.setAttribute("aria-valuetext", `${step.toLocaleString()}: ${short(value)}`);
    this.point(this.at, this.shown);
  }

  #path(points) {
    const wide = Math.max(1, this.#width - LEFT - RIGHT), most = Math.ceil(points.length / (2 * wide));
    let d = "";
    points.forEach(([step, value], place) => {
      if (most > 1 && place % most && place !== points.length - 1) return;
      d += `${d ? "L" : "M"}${this.#x(step).toFixed(1)} ${this.#y(value).toFixed(1)}`;
    });
    return d;
  }
}

/** The point next to a step; undefined = there is none at all. */
function nearest(points, step) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  return points[low > 0 && step - points[low - 1][0] < points[low][0] - step ? low - 1 : low];
}

/** A running mean over a fortieth of the curve, as far as it has come. */
function mean(points) {
  const keep = 1 - 1 / Math.max(1, Math.min(points.length / 40, 30));
  let now = null;
  return points.map(([step, value]) => [step, (now = now === null ? value : keep * now + (1 - keep) * value)]);
}

/** {low, high, ticks} that show nearly all values; 0 is kept in sight where it is not far. */
function scale(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return null;
  const most = sorted.length > 30 ? Math.floor(sorted.length * 0.99) - 1 : sorted.length - 1, least = sorted.length > 30 ? Math.ceil(sorted.length * 0.01) : 0;
  let low = sorted[least], high = sorted[most];
  if (low > 0 && low < 0.6 * high) low = 0;
  if (high < 0 && high > 0.6 * low) high = 0;
  if (high - low < 1e-9) [low, high] = [low - Math.max(Math.abs(low) * 0.1, 1e-6), high + Math.max(Math.abs(high) * 0.1, 1e-6)];
  high += 0.06 * (high - low);
  const rough = (high - low) / 3, ten = 10 ** Math.floor(Math.log10(rough)), unit = [1, 2, 5, 10].find((each) => each * ten >= rough) * ten, ticks = [];
  for (let at = Math.ceil(low / unit) * unit; at <= high; at += unit) ticks.push(Math.abs(at) < unit / 1e6 ? 0 : at);
  return { low, high, ticks };
}
