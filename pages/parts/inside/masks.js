/*
 * masks.js: inside a StarGAN. The face is the one on the Play tab (desk.js). Nothing is asked while nobody looks.
 *
 *   builder   the vector [c_A, c_B, m] for one label set, what D's loss notes of it, and the same face with the right
 *             and with a wrong mask
 *   planes    what enters G: three colours and a plane for each number of that vector
 *   back      there and back, G(G(x, c), c')
 *   count     k(k-1) networks that know one way each, against one that knows all
 */

import { watch } from "../common/desk.js";
import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { grouped, mounting, sentence, Sight } from "../common/part.js";

const letter = (k) => String.fromCharCode(65 + k);

class Masks {
  #data = {}; #paper = null; #stop = () => {}; #label = null; #wrong = null;

  constructor(parent) {
    this.#build();
    parent.append(this.root);
    this.sight = new Sight(this.root, () => this.#ask(), 200);
  }

  update(data) {
    const before = this.#data;
    this.#data = data;
    this.address = studio(data.page);
    if (before.gan !== data.gan) {
      this.close(false);
      const link = (verb, answered) => new Link(`${this.address}/api/${data.gan}/${verb}`, { answered, troubled: (trouble) => this.#trouble(trouble) });
      const json = (act) => async ({ blob }) => act(JSON.parse(await blob.text()));
      this.rightLink = link("masked", json((found) => this.#answered("right", found)));
      this.wrongLink = link("masked", json((found) => this.#answered("wrong", found)));
      this.editLink = link("edit", ({ blob }) => this.#put(this.parts.there, blob));
      this.backLink = link("reconstruct", ({ blob }) => this.#returned(blob));
      this.#stop = watch(data.desk, (paper) => {
        const facts = ({ version, tag, named, found }) => JSON.stringify([version, tag, named, found]);
        if (this.#paper && facts(paper) === facts(this.#paper)) return;
        this.#paper = paper;
        this.sight.stale();
      });
    }
    if (JSON.stringify([before.words, before.tag, before.sets]) !== JSON.stringify([data.words, data.tag, data.sets])) {
      if (!data.sets.flat().includes(this.#label)) this.#label = data.sets.at(-1)[0];
      this.#speak();
      this.#choices();
      this.#count();
      this.sight.stale();
    }
  }

  close(forever = true) {
    this.#stop();
    this.sight.forget();
    for (const link of [this.rightLink, this.wrongLink, this.editLink, this.backLink]) link?.close();
    if (!forever) return;
    this.sight.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  get #set() {
    return this.#data.sets.findIndex((set) => set.includes(this.#label));
  }

  /** The labels of the chosen set as the face has them, with the chosen one turned on, or over. */
  get #asked() {
    const found = this.#paper?.found ?? {}, group = this.#data.excludes.find((each) => each.includes(this.#label));
    const asked = Object.fromEntries(this.#data.sets[this.#set].map((name) => [name, found[name] ?? 0]));
    if (group) for (const name of group) asked[name] = name === this.#label ? 1 : 0;
    else asked[this.#label] = 1 - asked[this.#label];
    return asked;
  }

  async #ask() {
    const { tag, size, judged } = this.#data, { parts } = this;
    parts.nothing.hidden = Boolean(this.#paper);
    parts.builder.hidden = parts.planes.hidden = !this.#paper;
    parts.back.hidden = !this.#paper || !judged;
    if (!this.#paper) return;
    const face = await this.#paper.picture(2 * size), attributes = JSON.stringify(this.#asked), mask = this.#wrong;
    this.face = await this.#put(parts.face, face);
    this.rightLink.ask(() => ({ face, attributes, tag }));
    parts.wrongFigure.hidden = this.#data.sets.length < 2;
    if (this.#data.sets.length > 1) this.wrongLink.ask(() => ({ face, attributes, mask, tag }));
    if (!judged) return;
    const named = JSON.stringify(Object.keys(this.#paper.named ?? {}).length ? this.#paper.named : { [this.#label]: this.#asked[this.#label] });
    await this.#put(parts.away, face);
    this.editLink.ask(() => ({ face, attributes: named, tag }));
    this.backLink.ask(() => ({ face, attributes: named, tag }));
  }

  async #put(place, source) {
    const picture = h("img", { src: source instanceof Blob ? URL.createObjectURL(source) : source, alt: place.dataset.alt ?? "" });
    await picture.decode().catch(() => {});
    const old = place.querySelector("img");
    if (old?.src.startsWith("blob:")) URL.revokeObjectURL(old.src);
    place.replaceChildren(picture);
    return picture;
  }

  /** `found`: {names, vector, looks, picture} */
  async #answered(which, found) {
    await this.#put(this.parts[which], found.picture);
    if (which === "wrong" || this.#data.sets.length < 2) this.#showVector(found);
    if (which === "right") this.#showPlanes(found);
    const [right, wrong] = ["right", "wrong"].map((part) => this.parts[part].querySelector("img"));
    if (right && wrong && this.face) {
      const changed = (picture) => this.#apart(this.face, picture, picture).levels.toFixed(1);
      this.parts.changes.textContent = this.say("changes", { right: changed(right), wrong: changed(wrong) });
    }
  }

  #showVector({ names, vector, looks }) {
    const { sets } = this.#data, many = sets.length > 1, cells = [];
    let at = 0;
    for (const [k, set] of sets.entries()) {
      const group = h("div", { class: "part" }, h("b", {}, many ? `c${letter(k)}` : "c"));
      for (const name of set) {
        const label = this.#data.names[name] ?? name, ignored = this.say(looks[at] ? "noted" : "ignored");
        group.append(h("span", { class: `cell ${looks[at] ? "" : "out"}`, title: `${label}: ${ignored}` }, h("i", {}, label), h("strong", {}, String(vector[at]))));
        at++;
      }
      cells.push(group);
    }
    if (many) cells.push(h("div", { class: "part mask" }, h("b", {}, "m"), ...names.slice(at).map((name, k) => h("span", { class: "cell" }, h("i", {}, name), h("strong", {}, String(vector[at + k]))))));
    this.parts.vector.replaceChildren(...cells);
    const seen = names.filter((_, k) => looks[k]).map((name) => this.#data.names[name] ?? name);
    this.parts.seen.textContent = seen.length ? this.say("seen", { names: seen.join(", ") }) : this.say("seenNone");
  }

  #showPlanes({ names, vector }) {
    const plane = (name, paint) => {
      const canvas = h("canvas", { width: 64, height: 64, role: "img", "aria-label": name });
      paint(canvas.getContext("2d"));
      return h("figure", {}, canvas, h("figcaption", {}, name));
    };
    const colours = ["R", "G", "B"].map((name, k) => plane(name, (board) => {
      board.drawImage(this.face, 0, 0, 64, 64);
      const pixels = board.getImageData(0, 0, 64, 64);
      for (let i = 0; i < pixels.data.length; i += 4) pixels.data.fill(pixels.data[i + k], i, i + 3);
      board.putImageData(pixels, 0, 0);
    }));
    const flat = names.map((name, k) => plane(`${this.#data.names[name] ?? `m: ${name}`} = ${vector[k]}`, (board) => {
      const grey = Math.round(255 * Math.min(1, Math.max(0, vector[k])));
      board.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      board.fillRect(0, 0, 64, 64);
    }));
    this.parts.stack.replaceChildren(...colours, ...flat);
  }

  /** Mean levels between two pictures at the size of `like`, and the difference as ImageData (times 4). */
  #apart(one, two, like) {
    const { naturalWidth: width, naturalHeight: height } = like;
    const [a, b] = [one, two].map((picture) => {
      const board = h("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
      board.imageSmoothingQuality = "high";
      board.drawImage(picture, 0, 0, width, height);
      return board.getImageData(0, 0, width, height);
    });
    let total = 0;
    for (let at = 0; at < a.data.length; at++) {
      if (at % 4 === 3) continue;
      const apart = Math.abs(a.data[at] - b.data[at]);
      total += apart;
      a.data[at] = Math.min(255, 4 * apart);
    }
    return { levels: total / (a.data.length * 0.75), pixels: a };
  }

  async #returned(blob) {
    const back = await this.#put(this.parts.returned, blob), away = this.parts.away.querySelector("img");
    if (!away) return;
    const { levels, pixels } = this.#apart(away, back, back);
    const canvas = h("canvas", { width: pixels.width, height: pixels.height, role: "img", "aria-label": this.say("backDifference") });
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    this.parts.apart.replaceChildren(canvas);
    this.parts.levels.textContent = this.say("backLevels", { levels: levels.toFixed(1) });
  }

  #choices() {
    const { sets, names } = this.#data, { parts } = this, many = sets.length > 1;
    const button = (value, text, chosen, act) => h("button", { type: "button", value, "aria-pressed": String(chosen), onclick: () => { act(value); this.#choices(); this.sight.stale(); } }, text);
    parts.sets.replaceChildren(...sets.map((set, k) => button(letter(k), this.say("set", { letter: letter(k) }), k === this.#set, () => { this.#label = set[0]; this.#wrong = null; })));
    parts.setsRow.hidden = parts.masksRow.hidden = !many;
    parts.labels.replaceChildren(...sets[this.#set].map((name) => button(name, names[name] ?? name, name === this.#label, () => { this.#label = name; })));
    const own = letter(this.#set), other = letter((this.#set + 1) % sets.length);
    this.#wrong ??= other;
    parts.masks.replaceChildren(...[[own, "maskRight"], [other, "maskWrong"], [sets.map((_, k) => letter(k)).join(""), "maskAll"], ["none", "maskNone"]]
      .map(([value, key]) => button(value, this.say(key), value === this.#wrong, () => { this.#wrong = value; })));
    parts.wrongCaption.textContent = this.say(this.#wrong === own ? "rightCaption" : "wrongCaption");
  }

  #count() {
    const { paperBase, paperEach } = this.#data.counts, k = this.parts.k.valueAsNumber;
    const one = paperBase + paperEach * k, pairs = k * (k - 1), all = pairs * paperBase;
    this.parts.kN.textContent = k;
    const rows = [["countOne", one, 1], ["countPairs", all, pairs]];
    this.parts.bars.replaceChildren(...rows.map(([key, value, n]) => h("div", { class: "row" }, h("span", {}, this.say(key, { n: grouped(n) })),
      h("div", { class: "track" }, h("i", { style: `width: ${Math.max(0.3, (100 * value) / Math.max(one, all))}%`, class: key })), h("b", {}, grouped(value)))));
    this.parts.drawn.replaceChildren(this.#arrows(k), this.#star(k));
  }

  #svg(k, lines, centre) {
    const make = (tag, facts) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(facts)) node.setAttribute(name, value);
      return node;
    };
    const svg = make("svg", { viewBox: "-110 -110 220 220", role: "img" }), at = (i) => [90 * Math.sin((2 * Math.PI * i) / k), -90 * Math.cos((2 * Math.PI * i) / k)];
    svg.append(make("path", { d: lines(at), class: "lines" }));
    for (let i = 0; i < k; i++) svg.append(make("circle", { cx: at(i)[0], cy: at(i)[1], r: 8, class: "kind" }));
    if (centre) svg.append(make("circle", { cx: 0, cy: 0, r: 16, class: "centre" }));
    return svg;
  }

  #arrows(k) {
    const svg = this.#svg(k, (at) => {
      let path = "";
      for (let i = 0; i < k; i++) for (let j = i + 1; j < k; j++) path += `M${at(i)}L${at(j)}`;
      return path;
    });
    svg.setAttribute("aria-label", this.say("drawnPairs", { n: k * (k - 1) }));
    return h("figure", {}, svg, h("figcaption", {}, this.say("drawnPairs", { n: k * (k - 1) })));
  }

  #star(k) {
    const svg = this.#svg(k, (at) => Array.from({ length: k }, (_, i) => `M0,0L${at(i)}`).join(""), true);
    svg.setAttribute("aria-label", this.say("drawnOne"));
    return h("figure", {}, svg, h("figcaption", {}, this.say("drawnOne")));
  }

  #trouble(trouble) {
    if (trouble && trouble.kind !== "refused" && trouble.failures < 2) return;
    this.parts.trouble.hidden = !trouble;
    this.parts.trouble.textContent = !trouble ? "" : trouble.kind === "refused" ? trouble.says : this.say(trouble.kind);
  }

  #build() {
    const parts = this.parts = {};
    const text = (name, tag = "p", attributes = {}) => (parts[name] = h(tag, attributes));
    const shown = (name, caption) => h("figure", {}, (parts[name] = h("div", { class: "shown" })), text(caption, "figcaption"));
    const row = (name, key, list) => (parts[name] = h("div", { class: "knob" }, text(key, "span"), (parts[list] = h("div", { class: "choose", role: "group" }))));
    parts.vector = h("div", { class: "vector" });
    parts.builder = h("section", { class: "block", hidden: true }, text("maskTitle", "h2"), text("maskText"),
      row("setsRow", "setsLabel", "sets"), row("labelsRow", "labelsLabel", "labels"), row("masksRow", "masksLabel", "masks"),
      parts.vector, text("seen", "p", { role: "status" }),
      h("div", { class: "three" }, shown("face", "faceCaption"), shown("right", "rightCaption2"), (parts.wrongFigure = shown("wrong", "wrongCaption"))), text("changes", "p", { class: "small" }));
    parts.stack = h("div", { class: "stack" });
    parts.planes = h("section", { class: "block", hidden: true }, text("planesTitle", "h2"), text("planesText"), parts.stack);
    parts.back = h("section", { class: "block", hidden: true }, text("backTitle", "h2"), text("backText"),
      h("div", { class: "four" }, shown("away", "backFace"), shown("there", "backThere"), shown("returned", "backBack"), shown("apart", "backDifference")), text("levels", "p", { class: "small" }));
    parts.k = h("input", { type: "range", id: "masks-k", min: 2, max: 24, step: 1, value: 5, oninput: () => this.#count() });
    parts.bars = h("div", { class: "bars" });
    parts.drawn = h("div", { class: "drawn" });
    const count = h("section", { class: "block" }, text("countTitle", "h2"), text("countText"),
      h("div", { class: "knob" }, text("countK", "label", { for: "masks-k" }), parts.k, text("kN", "b")), parts.bars, parts.drawn);
    this.root = h("section", { class: "masks" }, text("trouble", "p", { class: "trouble", role: "status", hidden: true }), text("nothing", "p", { class: "stand-in" }),
      parts.builder, parts.planes, parts.back, count);
  }

  #speak() {
    const { parts } = this;
    for (const key of ["nothing", "maskTitle", "setsLabel", "labelsLabel", "masksLabel", "faceCaption", "planesTitle", "planesText", "backTitle", "backText",
      "backFace", "backThere", "backBack", "backDifference", "countTitle", "countText", "countK"]) parts[key].textContent = this.say(key);
    const sets = this.#data.sets.map((set, k) => `${letter(k)} = ${set.map((name) => this.#data.names[name] ?? name).join(", ")}`).join("; ");
    parts.maskText.textContent = this.say(this.#data.sets.length > 1 ? "maskText" : "maskOne", { sets });
    parts.rightCaption2.textContent = this.say("rightCaption");
    for (const [list, key] of [["sets", "setsLabel"], ["labels", "labelsLabel"], ["masks", "masksLabel"]]) parts[list].setAttribute("aria-label", this.say(key));
    for (const [part, key] of [["face", "faceCaption"], ["right", "rightCaption"], ["wrong", "wrongCaption"], ["away", "backFace"], ["there", "backThere"], ["returned", "backBack"]]) parts[part].dataset.alt = this.say(key);
  }
}

export default mounting(Masks);
