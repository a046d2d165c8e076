/*
 * look.js: inside a GAN with a patch discriminator. The drawing is the one on the Play tab (desk.js); without one, the
 * first example stands in. Nothing is asked while nobody looks.
 *
 *   patches   the discriminator's verdict on each patch of the picture, with the patch under the pointer
 *   compare   the same drawing through another verb, beside the picture
 */

import { watch } from "../common/desk.js";
import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { mounting, sentence, Sight } from "../common/part.js";

const FAKE = [217, 95, 2], REAL = [30, 100, 200]; // orange and blue: told apart by every kind of colour vision
const SIZES = [1, 16, 70, 286];

class Look {
  #data = {}; #paper = null; #map = null; #at = null; #field = null; #stop = () => {}; #shown = {};

  constructor(parent) {
    this.#build();
    parent.append(this.root);
    this.sight = new Sight(this.root, () => this.#ask());
  }

  update(data) {
    const before = this.#data;
    this.#data = data;
    this.address = studio(data.page);
    if (JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#speak();
    if (before.gan !== data.gan) {
      this.translateLink?.close(); this.judgeLink?.close(); this.otherLink?.close();
      const link = (verb, answered) => new Link(`${this.address}/api/${data.gan}/${verb}`, { answered, troubled: (trouble) => this.#trouble(trouble) });
      this.translateLink = link(data.verb, ({ blob }) => this.#pair(blob));
      this.judgeLink = link("judge", async ({ blob }) => this.#judged(JSON.parse(await blob.text())));
      this.otherLink = link(data.other, ({ blob }) => this.#put("other", blob));
    }
    this.parts.patches.hidden = !data.judge;
    this.parts.compare.hidden = !data.other;
    if (before.storage !== data.storage) {
      this.#stop();
      this.#stop = watch(data.storage, (paper) => { this.#paper = paper; this.sight.stale(); });
    }
    if (before.tag !== data.tag) this.sight.stale();
  }

  close() {
    this.#stop();
    this.sight.close();
    for (const link of [this.translateLink, this.judgeLink, this.otherLink]) link?.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  /** The sketch first, then its picture (if Play has not made it yet), then what is asked about the pair. */
  async #ask() {
    const paper = this.#paper, drawn = paper && !paper.empty;
    this.parts.standIn.hidden = drawn || !this.#data.examples.length;
    this.parts.nothing.hidden = drawn || this.#data.examples.length > 0;
    this.parts.all.hidden = !this.parts.nothing.hidden;
    if (!this.parts.nothing.hidden) return;
    try {
      this.sketch = drawn ? await paper.png() : await (await fetch(this.address + this.#data.examples[0].file)).blob();
    } catch {
      return this.#trouble({ kind: "away", failures: 2 });
    }
    this.#put("sketch", this.sketch);
    this.seed = drawn ? paper.seed : null;
    if (drawn && paper.picture && paper.tag === this.#data.tag) {
      this.translateLink.forget(); // what was asked before there was a picture
      this.#pair(paper.picture);
    } else this.translateLink.ask(() => ({ [this.#data.field]: this.sketch, tag: this.#data.tag, seed: this.seed }));
  }

  #pair(picture) {
    this.#put("picture", picture);
    this.#put("same", picture);
    const { tag, field } = this.#data;
    if (this.#data.judge) this.judgeLink.ask(() => ({ sketch: this.sketch, picture, tag }));
    if (this.#data.other) this.otherLink.ask(() => ({ [field]: this.sketch, tag }));
  }

  async #put(part, blob) {
    const picture = new Image();
    picture.src = URL.createObjectURL(blob);
    picture.alt = this.say(`alt.${part}`);
    await picture.decode().catch(() => {});
    const old = this.parts[part].querySelector("img");
    if (old) URL.revokeObjectURL(old.src);
    old?.remove();
    this.parts[part].prepend(picture);
    this.#shown[part] = picture;
    if (part === "other" || part === "same") this.#difference();
  }

  #difference() {
    const { same, other } = this.#shown;
    if (!same || !other) return;
    const [one, two] = [same, other].map((picture) => {
      const context = Object.assign(document.createElement("canvas"), { width: 128, height: 128 }).getContext("2d", { willReadFrequently: true });
      context.drawImage(picture, 0, 0, 128, 128);
      return context.getImageData(0, 0, 128, 128).data;
    });
    let sum = 0;
    one.forEach((value, at) => { sum += Math.abs(value - two[at]); });
    this.parts.difference.textContent = this.say("difference", { levels: ((sum / one.length) * 4 / 3).toFixed(1) });
  }

  #trouble(trouble) {
    const bad = trouble && !(trouble.failures < 2);
    this.parts.trouble.hidden = !bad;
    if (bad) this.parts.trouble.textContent = trouble.kind === "refused" ? trouble.says : this.say(trouble.kind);
  }

  /* ---- the patch map */

  #judged(found) {
    this.#map = found;
    const rows = found.map.length, columns = found.map[0].length;
    this.#field ??= found.receptive_field;
    if (!this.#at || this.#at.row >= rows || this.#at.column >= columns) this.#at = { row: rows >> 1, column: columns >> 1 };
    const first = found.start + found.receptive_field / 2 - found.stride / 2, percent = (pixels) => `${(100 * pixels) / found.size}%`;
    Object.assign(this.parts.heat, { width: columns, height: rows });
    Object.assign(this.parts.heat.style, { left: percent(first), top: percent(first), width: percent(columns * found.stride), height: percent(rows * found.stride) });
    const mean = found.map.flat().reduce((sum, value) => sum + value, 0) / (rows * columns);
    this.parts.mean.textContent = this.say("mean", { count: `${columns} × ${rows}`, mean: mean.toFixed(2) });
    this.parts.sizes.replaceChildren(...[...new Set([...SIZES, found.receptive_field])].sort((a, b) => a - b).map((size) =>
      h("button", { type: "button", value: size, "aria-pressed": size === this.#field, onclick: () => { this.#field = size; this.#point(); } }, String(size))));
    this.#paint();
    this.#point();
  }

  #paint() {
    if (!this.#map) return;
    const { map } = this.#map, context = this.parts.heat.getContext("2d");
    const image = context.createImageData(map[0].length, map.length), strength = this.parts.strength.valueAsNumber / 100;
    const values = map.flat(), least = Math.min(...values), most = Math.max(...values), stretch = this.parts.stretch.checked && most > least;
    values.forEach((value, at) => {
      const real = stretch ? (value - least) / (most - least) : value, colour = real < 0.5 ? FAKE : REAL;
      image.data.set([...colour, 255 * strength * Math.min(1, 0.12 + 1.76 * Math.abs(real - 0.5))], 4 * at);
    });
    context.putImageData(image, 0, 0);
    const place = (value) => (stretch ? (value - least) / (most - least) : value);
    this.parts.scale.replaceChildren(...(stretch ? [least, (least + most) / 2, most] : [0, 0.5, 1]).map((value) => h("span", { style: `left: ${100 * place(value)}%` }, value.toFixed(2))));
  }

  /** The rectangle of the chosen receptive field around the chosen patch's middle, and what the verdict is. */
  #point() {
    if (!this.#map) return;
    const { map, start, stride, size, receptive_field: own } = this.#map, { row, column } = this.#at;
    const percent = (pixels) => `${(100 * pixels) / size}%`, corner = (at) => start + at * stride + own / 2 - this.#field / 2;
    Object.assign(this.parts.field.style, { left: percent(corner(column)), top: percent(corner(row)), width: percent(this.#field), height: percent(this.#field) });
    const inner = (at) => start + at * stride + own / 2 - stride / 2;
    Object.assign(this.parts.cell.style, { left: percent(inner(column)), top: percent(inner(row)), width: percent(stride), height: percent(stride) });
    const value = map[row][column];
    this.parts.value.textContent = value.toFixed(2);
    this.parts.verdict.textContent = this.say(value < 0.35 ? "looksDrawn" : value > 0.65 ? "looksReal" : "unsure");
    this.parts.where.textContent = this.say("where", { row: row + 1, column: column + 1, own });
    for (const button of this.parts.sizes.children) button.setAttribute("aria-pressed", Number(button.value) === this.#field);
    this.parts.other_size.hidden = this.#field === own;
    this.parts.other_size.textContent = this.say("otherSize", { size: this.#field, own });
    this.parts.other_size.hidden = this.#field === own;
  }

  #hover(event) {
    if (!this.#map) return;
    const { left, top, width } = this.parts.picture.getBoundingClientRect(), { map, start, stride, size, receptive_field: own } = this.#map;
    const nearest = (offset, count) => Math.min(Math.max(Math.round(((offset / width) * size - start - own / 2) / stride), 0), count - 1);
    this.#at = { row: nearest(event.clientY - top, map.length), column: nearest(event.clientX - left, map[0].length) };
    this.#point();
  }

  #steer(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !this.#map) return;
    event.preventDefault();
    const { map } = this.#map;
    this.#at = { row: Math.min(Math.max(this.#at.row + step[0], 0), map.length - 1), column: Math.min(Math.max(this.#at.column + step[1], 0), map[0].length - 1) };
    this.#point();
  }

  #build() {
    const parts = this.parts = {};
    const text = (name, tag = "p", attributes = {}) => (parts[name] = h(tag, attributes));
    parts.heat = h("canvas", { class: "heat", "aria-hidden": "true" });
    parts.field = h("div", { class: "field", "aria-hidden": "true" });
    parts.cell = h("div", { class: "cell", "aria-hidden": "true" });
    parts.picture = h("div", { class: "picture", tabindex: 0, role: "application", onpointermove: (event) => this.#hover(event), onpointerdown: (event) => this.#hover(event), onkeydown: (event) => this.#steer(event) }, parts.heat, parts.field, parts.cell);
    parts.strength = h("input", { type: "range", min: 0, max: 100, value: 70, oninput: () => this.#paint() });
    parts.stretch = h("input", { type: "checkbox", onchange: () => this.#paint() });
    parts.scale = h("div", { class: "ticks", "aria-hidden": "true" });
    parts.sizes = h("div", { class: "sizes", role: "group" });
    parts.patches = h("section", { class: "block" }, text("patchesTitle", "h2"), h("div", { class: "pair" }, parts.picture, h("div", { class: "says" },
      text("patchesText"), h("div", { class: "readout", role: "status" }, text("value", "strong"), h("div", {}, text("verdict", "b"), text("where", "span"))),
      h("div", { class: "legend" }, h("div", { class: "ends" }, text("drawn", "span"), text("real", "span")), h("div", { class: "ramp" }), parts.scale),
      h("div", { class: "knobs" }, h("label", {}, text("strengthLabel", "span"), parts.strength), h("label", {}, parts.stretch, text("stretchLabel", "span"))),
      h("div", { class: "knobs" }, text("sizesLabel", "span"), parts.sizes), text("other_size", "p", { class: "small" }), text("mean", "p", { class: "small" }))));
    const shown = (name) => h("figure", {}, (parts[name] = h("div", { class: "shown" })), text(`${name}Caption`, "figcaption"));
    parts.compare = h("section", { class: "block" }, text("compareTitle", "h2"), h("div", { class: "three" }, shown("sketch"), shown("same"), shown("other")),
      text("difference", "p", { class: "small" }), text("compareText"));
    parts.all = h("div", {}, text("standIn", "p", { class: "stand-in" }), text("trouble", "p", { class: "trouble", role: "status", hidden: true }), parts.patches, parts.compare);
    this.root = h("section", { class: "look" }, text("nothing", "p", { class: "stand-in", hidden: true }), parts.all);
  }

  #speak() {
    for (const key of ["patchesTitle", "patchesText", "drawn", "real", "strengthLabel", "stretchLabel", "sizesLabel", "compareTitle", "compareText",
      "sketchCaption", "sameCaption", "otherCaption", "standIn", "nothing"]) this.parts[key].textContent = this.say(key);
    this.parts.picture.setAttribute("aria-label", this.say("mapLabel"));
    this.parts.sizes.setAttribute("aria-label", this.say("sizesLabel"));
    if (this.#map) this.#judged(this.#map);
    this.#difference();
  }
}

export default mounting(Look);
