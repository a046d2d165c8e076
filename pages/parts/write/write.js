/*
 * write.js: a generator that is told a label: write with it, click its input, and see every label of one noise.
 *
 * Everything seen here is in the address (?text=2026&seed=3&labels=3,5&at=0.5), written by the browser alone.
 */

import { offer } from "../common/desk.js";
import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";

const MOST = 999_999_999; // the largest seed
const COLUMNS = 8; // of the grid

/**
 * @typedef {object} Told what `told.write` says
 * @property {string} gan
 * @property {string} tag
 * @property {string} page
 * @property {string} lang
 * @property {string[]} labels in the order of the input vector
 * @property {string} text what is written at first
 * @property {Record<string, string>} words
 * @property {string[]} [hide] what the address takes away
 */

class Write {
  /** @type {Told} */ #data;
  #shown = ""; #seed = 1; /** @type {[string, string]} */ #ends = ["", ""]; #timer = 0;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.root = h("section", { class: "write" });
    parent.append(this.root);
  }

  /** @param {Told} data */
  update(data) {
    this.#data = data;
    const shown = [data.gan, data.tag, data.lang].join(" ");
    if (shown === this.#shown) return; // a rerun: what is here is newer
    this.#shown = shown;
    this.#build();
    this.#readAddress();
    this.#ask();
    this.links.grid.ask(async () => this.#fields({ columns: COLUMNS }));
    offer(data.page, { link: () => this.#address(), parts: ["noise", "download", "share"] });
  }

  close() {
    clearTimeout(this.#timer);
    for (const link of Object.values(this.links ?? {})) link.close();
    this.root.remove();
  }

  #build() {
    const { words, labels, hide = [] } = this.#data;
    for (const link of Object.values(this.links ?? {})) link.close();
    const at = `${studio(this.#data.page)}/api/${this.#data.gan}`;
    const link = (verb, answered, where) => new Link(`${at}/${verb}`, { answered, troubled: (trouble) => this.#troubled(trouble, where) });
    this.links = {
      write: link("write", ({ blob }) => this.#put(this.written, blob), () => this.says),
      between: link("between", async ({ blob }) => this.#told(JSON.parse(await blob.text())), () => this.saysToo),
      grid: link("grid", ({ blob }) => this.#put(this.grid, blob), () => this.saysToo),
    };
    this.text = h("input", { type: "text", class: "text", maxlength: 120, autocomplete: "off", spellcheck: "false", "aria-label": words.text, oninput: () => this.#ask() });
    this.seedBox = h("input", { type: "number", min: 0, max: MOST, step: 1, onchange: () => this.#sow(Math.floor(this.seedBox.valueAsNumber)) });
    this.written = h("img", { class: "written", alt: words.picture });
    this.says = h("p", { class: "says", role: "status" });
    this.saysToo = h("p", { class: "says", role: "status" });
    this.save = h("a", { class: "button", download: `${this.#data.gan}.png` }, words.download);
    const hand = h("span", { class: "hand" }, h("label", {}, h("span", {}, words.seed), this.seedBox),
      h("button", { type: "button", class: "button", onclick: () => this.#sow(Math.floor(Math.random() * 99_999)) }, words.other));
    this.boxesOfZ = h("div", { class: "boxes z", "aria-hidden": "true" });
    this.boxes = labels.map((label) => h("button", { type: "button", class: "box", "aria-pressed": "false", onclick: () => this.#choose(label) }, h("b", {}, label), h("span", {}, "0")));
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 0.02, value: 1, oninput: () => this.#ask(false) });
    this.sliderSays = h("span", {});
    this.one = h("img", { class: "one", alt: words.one });
    this.grid = h("img", { class: "sheet", alt: words.grid });
    this.root.replaceChildren(
      h("div", { class: "line" }, this.text, hide.includes("noise") ? "" : hand, hide.includes("download") ? "" : this.save),
      h("p", { class: "hint" }, sentence(words, "hint", { labels: labels.join(" ") })), this.says,
      h("div", { class: "paper" }, this.written),
      h("div", { class: "two" },
        h("div", {}, h("h3", {}, words.vector), h("p", { class: "hint" }, words.vectorHint), this.boxesOfZ,
          h("div", { class: "boxes y", role: "group", "aria-label": words.vector }, ...this.boxes),
          h("label", { class: "mix" }, this.sliderSays, this.slider), this.one, this.saysToo),
        h("div", {}, h("h3", {}, words.grid), h("p", { class: "hint" }, words.gridHint),
          h("div", { class: "grid" }, h("div", { class: "names", "aria-hidden": "true" }, ...labels.map((label) => h("b", {}, label))), this.grid))));
  }

  // ---- what is set, and the address ------------------------------------------------------------------------------

  #readAddress() {
    const asked = new URLSearchParams(location.search), { labels, text } = this.#data;
    const ends = (asked.get("labels") ?? "").split(",").filter((label) => labels.includes(label));
    const seed = Number(asked.get("seed") ?? 1), at = Number(asked.get("at") ?? 1);
    this.#seed = Number.isInteger(seed) && seed >= 0 && seed <= MOST ? seed : 1;
    this.#ends = ends.length > 1 ? [ends[0], ends[1]] : [ends[0] ?? labels[0], ends[0] ?? labels[0]];
    this.text.value = asked.get("text") ?? text;
    this.slider.value = at >= 0 && at <= 1 ? at : 1;
  }

  #address() {
    const address = new URL(location.href), { text } = this.#data;
    const set = { tag: this.#data.tag, text: this.text.value === text ? "" : this.text.value, seed: this.#seed === 1 ? "" : this.#seed, labels: this.#ends.join(","), at: this.slider.value };
    for (const [name, value] of Object.entries(set)) {
      if (value === "") address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    return address;
  }

  /** Another hand: everything is drawn anew. */
  #sow(seed) {
    if (!Number.isFinite(seed)) return;
    this.#seed = Math.min(Math.max(seed, 0), MOST);
    this.links.grid.ask(async () => this.#fields({ columns: COLUMNS }));
    this.#ask();
  }

  /** A box of y: it becomes the label that the slider leads to; the one before is where it leads from. */
  #choose(label) {
    this.#ends = [this.#ends[1], label];
    this.slider.value = 1;
    this.#ask(false);
  }

  // ---- asking and showing ----------------------------------------------------------------------------------------

  #fields(more) {
    return { tag: this.#data.tag, seed: this.#seed, ...more };
  }

  /** @param {boolean} all whether the text, too, is written anew */
  #ask(all = true) {
    const [first, second] = this.#ends;
    this.seedBox.value = this.#seed;
    this.sliderSays.textContent = sentence(this.#data.words, "between", { a: first, b: second });
    if (all) this.links.write.ask(async () => this.#fields({ text: this.text.value }));
    this.links.between.ask(async () => this.#fields({ first, second, at: this.slider.value }));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => history.replaceState(history.state, "", this.#address()), 400); // browsers allow a hundred in half a minute
  }

  #told({ picture, z, y }) {
    this.one.src = picture;
    this.boxesOfZ.replaceChildren(...z.map((value) => h("i", { style: `--value: ${value}`, title: value.toFixed(2) })));
    this.boxes.forEach((box, k) => {
      box.querySelector("span").textContent = Number(y[k].toFixed(2));
      box.style.setProperty("--value", y[k]);
      box.setAttribute("aria-pressed", String(y[k] > 0));
    });
  }

  #put(picture, blob) {
    if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(blob);
    if (picture === this.written) this.save.href = picture.src;
  }

  #troubled(trouble, where) {
    const { words } = this.#data;
    where().textContent = !trouble ? "" : trouble.kind === "refused" ? trouble.says || words.refused : words[trouble.kind] ?? words.away;
  }
}

export default mounting(Write);
