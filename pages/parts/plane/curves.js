/*
 * curves.js: the terms of the value of the game against what D says, with two lines to drag: D(x) and D(G(z)).
 */

import { watch } from "../common/desk.js";
import { h } from "../common/dom.js";
import { mounting, sentence } from "../common/part.js";

const WIDTH = 640, HEIGHT = 380, LEFT = 46, TOP = 12, BOTTOM = 54, RIGHT = 14; // of the drawing
const LOW = -5, HIGH = 5, LEAST = 0.003; // of the curves, and how near to 0 and 1 the lines come

/** @type {Record<string, (d: number) => number>} */
export const CURVES = { real: (d) => Math.log(d), fake: (d) => Math.log(1 - d), fool: (d) => -Math.log(d) };

/** How hard the logit of D is pulled up by each loss of G: its slope, with D = sigmoid(logit). @param {number} d */
export const pull = (d) => ({ fool: 1 - d, fake: d });

/** Which of the notes' cases it is. @param {number} real @param {number} fake */
export function which(real, fake) {
  if (fake > 0.85) return "case1";
  if (fake < 0.1) return real > 0.85 ? "case2" : "starve";
  return Math.abs(real - 0.5) < 0.06 && Math.abs(fake - 0.5) < 0.06 ? "half" : "between";
}

const x = (/** @type {number} */ d) => LEFT + d * (WIDTH - LEFT - RIGHT);
const y = (/** @type {number} */ v) => TOP + ((HIGH - Math.max(LOW, Math.min(HIGH, v))) / (HIGH - LOW)) * (HEIGHT - TOP - BOTTOM);

/** @param {string} tag @param {Record<string, string | number>} facts @param {string} [text] */
function svg(tag, facts, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(facts)) node.setAttribute(name, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

class Curves {
  title; text; value; optimum; slopes; which;
  #data = {}; #at = { real: 0.8, fake: 0.2 }; #game = null; #stop = () => {};

  constructor(parent) {
    this.#build();
    parent.append(this.root);
  }

  update(data) {
    const before = this.#data;
    this.#data = data;
    if (before.desk !== data.desk) {
      this.#stop();
      this.#stop = watch(data.desk, (game) => { this.#game = game; this.take.disabled = !Number.isFinite(game.real); });
    }
    if (JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#speak();
  }

  close() {
    this.#stop();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  #put(values) {
    for (const [name, value] of Object.entries(values)) if (Number.isFinite(value)) this.#at[name] = Math.min(1 - LEAST, Math.max(LEAST, value));
    this.#show();
  }

  #show() {
    const { real, fake } = this.#at, v = CURVES.real(real) + CURVES.fake(fake), pulls = pull(fake), key = which(real, fake);
    for (const [name, d] of Object.entries(this.#at)) {
      const { line, input, figure } = this.lines[name];
      line.setAttribute("transform", `translate(${x(d)} 0)`);
      input.value = d;
      figure.textContent = d.toFixed(2);
    }
    for (const [name, dot] of Object.entries(this.dots)) {
      const d = name === "real" ? real : fake;
      dot.setAttribute("cx", String(x(d)));
      dot.setAttribute("cy", String(y(CURVES[name](d))));
    }
    this.value.textContent = this.say("value", { v: v.toFixed(3) });
    this.slopes.textContent = this.say("slopes", { fool: pulls.fool.toFixed(3), fake: pulls.fake.toFixed(3) });
    this.which.textContent = this.say(key);
    Object.assign(this.root.dataset, { which: key, real, fake, v });
  }

  #drag(event, name) {
    const box = this.drawing.getBoundingClientRect();
    this.#put({ [name]: (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) });
  }

  #build() {
    const text = (tag = "p", name = "") => h(tag, { class: name });
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    for (let v = LOW + 1; v < HIGH; v += 2) this.drawing.append(svg("line", { x1: x(0), x2: x(1), y1: y(v), y2: y(v), class: v === 0 ? "axis" : "grid" }), svg("text", { x: LEFT - 8, y: y(v) + 5, "text-anchor": "end" }, String(v).replace("-", "−")));
    this.drawing.append(svg("line", { x1: x(0), x2: x(1), y1: y(0), y2: y(0), class: "axis" }), svg("text", { x: LEFT - 8, y: y(0) + 5, "text-anchor": "end" }, "0"));
    for (const d of [0, 0.25, 0.5, 0.75, 1]) this.drawing.append(svg("text", { x: x(d), y: HEIGHT - 34, "text-anchor": "middle" }, String(d)));
    const places = Array.from({ length: 240 }, (_, k) => LEAST + ((1 - 2 * LEAST) * k) / 239);
    for (const [name, curve] of Object.entries(CURVES)) {
      this.drawing.append(svg("path", { class: `curve ${name}`, d: places.filter((d) => curve(d) >= LOW && curve(d) <= HIGH).map((d, k) => `${k ? "L" : "M"}${x(d).toFixed(1)},${y(curve(d)).toFixed(1)}`).join("") }));
    }
    this.lines = Object.fromEntries(["real", "fake"].map((name) => {
      const line = svg("g", { class: `line ${name}` });
      line.append(svg("rect", { x: -16, y: TOP, width: 32, height: HEIGHT - TOP - BOTTOM }), svg("line", { x1: 0, x2: 0, y1: TOP, y2: HEIGHT - BOTTOM }), svg("text", { x: 0, y: HEIGHT - 10, "text-anchor": "middle" }, name === "real" ? "D(x)" : "D(G(z))"));
      line.addEventListener("pointerdown", (event) => { line.setPointerCapture(event.pointerId); event.preventDefault(); });
      line.addEventListener("pointermove", (event) => { if (line.hasPointerCapture(event.pointerId)) this.#drag(event, name); });
      this.drawing.append(line);
      const label = text("span"), figure = h("output", {}), input = h("input", { type: "range", min: LEAST, max: 1 - LEAST, step: 0.001, oninput: () => this.#put({ [name]: input.valueAsNumber }) });
      return [name, { line, label, input, figure, row: h("label", { class: `dial ${name}` }, label, input, figure) }];
    }));
    this.dots = Object.fromEntries(Object.keys(CURVES).map((name) => [name, svg("circle", { r: 6, class: `dot ${name}` })]));
    this.drawing.append(...Object.values(this.dots));
    [this.title, this.text] = [text("h2"), text()];
    [this.value, this.optimum, this.slopes, this.which] = [text("p", "value"), text(), text(), text("p", "which")];
    this.which.setAttribute("role", "status");
    this.legend = Object.keys(CURVES).map((name) => h("span", { class: name }));
    this.take = h("button", { type: "button", disabled: true, onclick: () => this.#put(this.#game ?? {}) });
    this.root = h("section", { class: "curves" }, this.title, this.text, h("div", { class: "both" },
      h("div", {}, this.drawing, h("p", { class: "legend" }, ...this.legend)),
      h("div", {}, this.lines.real.row, this.lines.fake.row, this.which, this.value, this.optimum, this.slopes, this.take)));
  }

  #speak() {
    for (const key of ["title", "text", "optimum", "take"]) this[key].textContent = this.say(key);
    this.lines.real.label.textContent = this.say("dx");
    this.lines.fake.label.textContent = this.say("dg");
    this.legend.forEach((node, k) => { node.textContent = this.say(["curveReal", "curveFake", "curveFool"][k]); });
    this.take.title = this.say("takeNone");
    this.drawing.setAttribute("aria-label", this.say("picture"));
    this.#show();
  }
}

export default mounting(Curves);
