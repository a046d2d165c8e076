/*
 * meters.js: what the game says of itself in figures: the value V over time, both beliefs, how much of what is real is
 * made, and how long G's gradient is with either loss.
 */

import { h } from "../common/dom.js";

export const OPTIMUM = -Math.log(4);
const KEPT = 300; // values of the curve
const LOWEST = -4; // of the curve
const DECADES = 5; // of the bars of lengths, up from 1e-4

/** @param {string} tag @param {Record<string, string | number>} facts */
function svg(tag, facts) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(facts)) node.setAttribute(name, String(value));
  return node;
}

export class Meters {
  /** @type {number[]} */
  #values = []; #every = 1; #skipped = 0;

  constructor() {
    const bar = (/** @type {string} */ name) => {
      const label = h("span", { class: "name" }), fill = h("i", { class: name }), figure = h("b", {});
      return { label, fill, figure, row: h("div", { class: "meter" }, label, h("div", { class: "track" }, fill), figure) };
    };
    this.bars = { real: bar("real"), fake: bar("made"), covered: bar("covered"), fooling: bar("log"), saturating: bar("sat") };
    this.line = svg("path", { class: "value", fill: "none" });
    const y = (/** @type {number} */ v) => 100 * (v / LOWEST);
    this.curve = svg("svg", { viewBox: "0 0 300 100", preserveAspectRatio: "none", role: "img" });
    this.curve.append(svg("line", { x1: 0, x2: 300, y1: y(OPTIMUM), y2: y(OPTIMUM), class: "optimum" }), this.line);
    this.value = h("b", { class: "now" });
    this.title = h("span", {});
    this.best = h("span", { class: "best" });
    this.lengths = h("p", { class: "name" });
    const { real, fake, covered, fooling, saturating } = this.bars;
    this.root = h("div", { class: "meters" },
      h("div", { class: "spark" }, h("p", {}, this.title, this.value, this.best), this.curve),
      real.row, fake.row, covered.row, this.lengths, fooling.row, saturating.row);
  }

  /** @param {(key: string, values?: Record<string, string | number>) => string} say */
  speak(say) {
    const names = { real: say("dx"), fake: say("dg"), covered: say("covered"), fooling: say("lengthLog"), saturating: say("lengthSat") };
    for (const [name, text] of Object.entries(names)) this.bars[/** @type {keyof typeof names} */ (name)].label.textContent = text;
    this.title.textContent = say("value");
    this.best.textContent = say("optimum");
    this.lengths.textContent = say("length");
    this.curve.setAttribute("aria-label", say("value"));
  }

  /** A value of the game after a step of D; after a while every second one is kept, then every fourth … @param {number} v */
  add(v) {
    if (++this.#skipped < this.#every || !Number.isFinite(v)) return;
    this.#skipped = 0;
    this.#values.push(v);
    if (this.#values.length < KEPT) return;
    this.#values = this.#values.filter((_, k) => k % 2);
    this.#every *= 2;
  }

  clear() {
    this.#values = [];
    this.#every = 1;
    this.#skipped = 0;
  }

  /**
   * @param {{v: number, real: number, fake: number}} value
   * @param {{fooling: number, saturating: number, uses: boolean}} pulls  uses: whether the saturating one is in use
   * @param {number} covered
   * @param {string} reached  how it is worded, if not in per cent
   */
  show({ v, real, fake }, pulls, covered, reached) {
    const n = Math.max(60, this.#values.length);
    this.line.setAttribute("d", this.#values.map((each, k) => `${k ? "L" : "M"}${((300 * k) / n).toFixed(1)},${(100 * (Math.max(LOWEST, each) / LOWEST)).toFixed(1)}`).join(""));
    this.value.textContent = Number.isFinite(v) ? v.toFixed(3) : "–";
    const put = (/** @type {keyof Meters["bars"]} */ name, /** @type {number} */ share, /** @type {string} */ figure) => {
      this.bars[name].fill.style.width = `${100 * Math.max(0, Math.min(1, share || 0))}%`;
      this.bars[name].figure.textContent = figure;
    };
    const belief = (/** @type {number} */ x) => (Number.isFinite(x) ? x.toFixed(2) : "–");
    put("real", real, belief(real));
    put("fake", fake, belief(fake));
    put("covered", covered, reached || `${Math.round(100 * covered)}%`);
    for (const name of /** @type {const} */ (["fooling", "saturating"])) {
      const length = pulls[name];
      put(name, (Math.log10(Math.max(length, 1e-4)) + 4) / DECADES, length >= 0.01 ? length.toFixed(2) : length.toExponential(0));
      this.bars[name].row.classList.toggle("used", (name === "saturating") === pulls.uses);
    }
  }
}
