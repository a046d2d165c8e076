/*
 * grow.js: one noise at every size that a growing generator has been through, and how a new size is faded in, by hand,
 * in made and in real pictures, with the doubling and the halving drawn.
 *
 * The studio gives the picture before and the new one; their mixture is made here (the new one lies over the other, as
 * opaque as alpha says, which is the sum itself), so turning alpha asks nobody. All that is seen is in the address
 * (?seed=3&side=32&alpha=0.3&real=2), written by the browser alone.
 */

import { offer } from "../common/desk.js";
import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";
import { halving, doubling } from "./paths.js";

const MOST = 999_999_999; // the largest seed
const TOUR = 2600; // milliseconds from alpha 0 to 1, when it grows by itself
const REST = 700; // and at each size

/**
 * @typedef {object} Told what `told.grow` says
 * @property {string} gan
 * @property {string} tag
 * @property {string} page
 * @property {string} lang
 * @property {number[]} sides that it has been through, in pixels
 * @property {boolean} kept whether the smaller sizes still draw the same picture
 * @property {{file: string, name: string}[]} examples real pictures
 * @property {{gan: string, title: string}[]} next whose page takes the idea further
 * @property {Record<string, string>} words
 * @property {string[]} [hide] what the address takes away
 */

class Grow {
  /** @type {Told} */ #data;
  #shown = ""; #seed = 1; #side = 0; #alpha = 0.5; #real = 0; /** @type {Blob | null} */ #own = null; #timer = 0; #tour = 0;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.root = h("section", { class: "grow" });
    parent.append(this.root);
  }

  /** @param {Told} data */
  update(data) {
    this.#data = data;
    const shown = [data.gan, data.tag, data.lang].join(" ");
    if (shown === this.#shown) return; // a rerun: what is here is newer
    this.#shown = shown;
    this.#readAddress();
    this.#build();
    this.#askSizes();
    if (data.sides.length > 1) this.#chooseSide(this.#side);
    offer(data.page, { link: () => this.#address(), parts: ["noise", "examples", "upload", "share"] });
  }

  close() {
    this.#halt();
    clearTimeout(this.#timer);
    for (const link of Object.values(this.links ?? {})) link.close();
    this.root.remove();
  }

  // ---- what is there ---------------------------------------------------------------------------------------------

  #build() {
    const { words, sides, examples, next, hide = [] } = this.#data;
    for (const link of Object.values(this.links ?? {})) link.close();
    const at = `${studio(this.#data.page)}/api/${this.#data.gan}`;
    const read = (then) => async ({ blob }) => then(JSON.parse(await blob.text()));
    const link = (verb, then) => new Link(`${at}/${verb}`, { answered: read(then), troubled: (trouble) => this.#troubled(trouble) });
    this.links = {
      sizes: link("sizes", (told) => this.#reached(told)),
      made: link("fade", (told) => this.made.put(told)),
      real: link("fade_real", (told) => this.real.put(told)),
    };
    this.says = h("p", { class: "says", role: "status" });
    this.seedBox = h("input", { type: "number", min: 0, max: MOST, step: 1, inputmode: "numeric", onchange: () => this.#sow(Math.floor(this.seedBox.valueAsNumber)) });
    this.tiles = sides.map((side, k) => this.#tile(side, k));
    const bar = h("div", { class: "line" }, h("label", {}, h("span", {}, words.seed), this.seedBox),
      h("button", { type: "button", class: "button", onclick: () => this.#sow(Math.floor(Math.random() * 99_999)) }, words.other));
    const row = h("div", { class: "row", role: "group", "aria-label": words.row }, ...this.tiles.flatMap(({ times, node }) => [times, node]));
    const parts = [h("h3", {}, words.rowTitle), hide.includes("noise") ? "" : bar, row, h("p", { class: "hint" }, sides.length > 1 ? `${words.rowHint} ${this.#data.kept ? words.kept : words.drifted}` : words.none), this.says];
    if (sides.length > 1) parts.push(...this.#fading(examples, hide));
    if (next.length && !hide.includes("menu")) {
      const query = new URLSearchParams(location.search), lang = query.get("lang");
      parts.push(h("p", { class: "next" }, ...next.map(({ gan }) => h("a", { class: "button", href: `${studio(this.#data.page)}/${gan}${lang ? `?lang=${encodeURIComponent(lang)}` : ""}` }, words.next)), h("span", {}, words.nextText)));
    }
    this.root.replaceChildren(...parts);
    this.seedBox.value = String(this.#seed);
  }

  /** A size of the row: its picture, and what it is called; from the second on it can be chosen. */
  #tile(side, k) {
    const { words } = this.#data, picture = h("img", { alt: "", draggable: "false" }), name = h("span", {}, sentence(words, "side", { side }));
    const node = k ? h("button", { type: "button", class: "size", "aria-pressed": "false", onclick: () => { this.#halt(); this.#chooseSide(side); } }, picture, name) : h("span", { class: "size" }, picture, name);
    return { side, picture, node, times: h("span", { class: "times", "aria-hidden": "true", hidden: !k }, "2×") };
  }

  #fading(examples, hide) {
    const { words } = this.#data;
    this.title = h("h3", {});
    this.slider = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: this.#alpha, "aria-label": words.alpha, oninput: () => { this.#halt(); this.#turn(this.slider.valueAsNumber); } });
    this.output = h("output", {});
    this.player = h("button", { type: "button", class: "button", onclick: () => (this.#tour ? this.#halt() : this.#grow()) }, words.play);
    this.up = doubling(words);
    this.down = halving(words);
    this.made = mixture(words, "before");
    this.real = mixture(words, "beforeReal");
    const input = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => { if (input.files[0]) this.#take(input.files[0]); input.value = ""; } });
    this.thumbs = examples.map(({ file, name }, k) => h("button", { type: "button", class: "thumb", "aria-label": name, title: name, "aria-pressed": "false", onclick: () => this.#choose(k) }, h("img", { src: studio(this.#data.page) + file, alt: "" })));
    const brought = h("div", { class: "line" }, ...(hide.includes("examples") ? [] : this.thumbs), hide.includes("upload") ? "" : h("button", { type: "button", class: "button", onclick: () => input.click() }, words.upload), input);
    return [
      this.title,
      h("label", { class: "alpha" }, h("span", { "aria-hidden": "true" }, "α"), this.slider, this.output, this.player),
      h("p", { class: "hint" }, words.fadeHint),
      h("div", { class: "lanes" },
        h("div", {}, h("h4", {}, words.made), this.up.node, this.made.node),
        h("div", {}, h("h4", {}, words.judged), this.down.node, h("h4", {}, words.real), brought, examples.length && !hide.includes("examples") ? h("p", { class: "hint" }, words.realHint) : "", this.real.node)),
    ];
  }

  // ---- what is set, and the address ------------------------------------------------------------------------------

  #readAddress() {
    const asked = new URLSearchParams(location.search), { sides, examples } = this.#data;
    const whole = (name, low, high, otherwise) => { const value = Number(asked.get(name) ?? NaN); return Number.isInteger(value) && value >= low && value <= high ? value : otherwise; };
    const side = Number(asked.get("side")), alpha = Number(asked.get("alpha") ?? 0.5);
    this.#seed = whole("seed", 0, MOST, 1);
    this.#real = whole("real", 1, examples.length, 1) - 1;
    this.#side = sides.slice(1).includes(side) ? side : sides.at(-1) ?? 0;
    this.#alpha = alpha >= 0 && alpha <= 1 ? alpha : 0.5;
  }

  #address() {
    const address = new URL(location.href), { tag, sides } = this.#data;
    const set = { tag, seed: this.#seed === 1 ? "" : this.#seed, side: this.#side === sides.at(-1) ? "" : this.#side, alpha: this.#alpha === 0.5 ? "" : this.#alpha, real: this.#real ? this.#real + 1 : "" };
    for (const [name, value] of Object.entries(set)) {
      if (value === "") address.searchParams.delete(name);
      else address.searchParams.set(name, String(value));
    }
    return address;
  }

  #remember() {
    clearTimeout(this.#timer); // browsers allow a hundred in half a minute
    this.#timer = setTimeout(() => history.replaceState(history.state, "", this.#address()), 400);
  }

  /** The pictures of the row; a model in mid-growth has not reached all sizes yet. */
  #reached({ pictures, sides }) {
    for (const { side, picture, node, times } of this.tiles) {
      const k = sides.indexOf(side);
      node.hidden = k < 0;
      times.hidden = k < 1;
      if (k >= 0) picture.src = pictures[k];
    }
    if (this.#side && sides.length > 1 && !sides.includes(this.#side)) this.#chooseSide(sides.at(-1));
  }

  // ---- turning ---------------------------------------------------------------------------------------------------

  #sow(seed) {
    if (Number.isFinite(seed)) this.#seed = Math.min(Math.max(seed, 0), MOST);
    this.seedBox.value = String(this.#seed);
    this.#askSizes();
    if (this.#data.sides.length > 1) this.#askMade();
    this.#remember();
  }

  #chooseSide(side) {
    const { words } = this.#data, sizes = { old: side / 2, new: side };
    this.#side = side;
    for (const tile of this.tiles) if (tile.node.tagName === "BUTTON") tile.node.setAttribute("aria-pressed", String(tile.side === side));
    this.title.textContent = sentence(words, "fadeTitle", sizes);
    for (const each of [this.up, this.down, this.made, this.real]) each.name(sizes);
    this.#askMade();
    this.#choose(this.#real, this.#own);
    this.#turn(this.#alpha);
  }

  /** A real picture: an example, or the visitor's own. */
  #choose(k, own = null) {
    this.#real = k;
    this.#own = own;
    this.thumbs.forEach((thumb, i) => thumb.setAttribute("aria-pressed", String(!own && i === k)));
    const example = this.#data.examples[k];
    if (!own && !example) return;
    this.links.real.ask(async () => ({ tag: this.#data.tag, side: this.#side, picture: own ?? await (await fetch(studio(this.#data.page) + example.file)).blob() }));
    this.#remember();
  }

  async #take(file) {
    try {
      (await createImageBitmap(file)).close();
      this.#choose(this.#real, file);
    } catch {
      this.says.textContent = this.#data.words.notPicture;
    }
  }

  #turn(alpha) {
    this.#alpha = Math.round(alpha * 100) / 100;
    this.slider.value = String(this.#alpha);
    this.output.textContent = this.#alpha.toFixed(2);
    for (const each of [this.up, this.down, this.made, this.real]) each.turn(this.#alpha);
    this.#remember();
  }

  /** From the smallest size on, by itself: alpha from 0 to 1, a rest, the next size. */
  #grow() {
    const sides = this.tiles.filter(({ node }) => node.tagName === "BUTTON" && !node.hidden).map(({ side }) => side);
    let k = 0, began = performance.now();
    this.player.textContent = this.#data.words.pause;
    this.#turn(0);
    this.#chooseSide(sides[0]);
    const tick = (now) => {
      const passed = now - began;
      this.#turn(Math.min(1, Math.max(0, passed) / TOUR));
      if (passed > TOUR + REST) {
        if (++k >= sides.length) return this.#halt();
        began = now;
        this.#turn(0);
        this.#chooseSide(sides[k]);
      }
      this.#tour = requestAnimationFrame(tick);
    };
    this.#tour = requestAnimationFrame(tick);
  }

  #halt() {
    cancelAnimationFrame(this.#tour);
    this.#tour = 0;
    if (this.player) this.player.textContent = this.#data.words.play;
  }

  // ---- asking ----------------------------------------------------------------------------------------------------

  #askSizes() {
    this.links.sizes.ask(async () => ({ tag: this.#data.tag, seed: this.#seed }));
  }

  #askMade() {
    this.links.made.ask(async () => ({ tag: this.#data.tag, seed: this.#seed, side: this.#side }));
  }

  #troubled(trouble) {
    const { words } = this.#data;
    this.says.textContent = !trouble ? "" : trouble.kind === "refused" ? trouble.says || words.refused : words[trouble.kind] ?? words.away;
  }
}

/** Three pictures: before, the mixture, the new one. */
function mixture(words, before) {
  const [old, under, over, fresh] = ["", "", "", ""].map(() => h("img", { alt: "", draggable: "false" }));
  const names = ["", "", ""].map(() => h("figcaption", {}));
  const node = h("div", { class: "three" },
    h("figure", {}, h("div", { class: "picture" }, old), names[0]),
    h("figure", {}, h("div", { class: "picture" }, under, over), names[1]),
    h("figure", {}, h("div", { class: "picture" }, fresh), names[2]));
  return {
    node,
    /** @param {{before: string, new: string}} told */
    put(told) {
      old.src = under.src = told.before;
      over.src = fresh.src = told.new;
    },
    /** @param {number} alpha */
    turn(alpha) {
      over.style.opacity = String(alpha);
      names[1].textContent = `${words.mixture}, α = ${alpha.toFixed(2)}`;
    },
    /** @param {{old: number, new: number}} sizes */
    name(sizes) {
      names[0].textContent = `${sentence(words, before, sizes)}, α = 0`;
      names[2].textContent = `${sentence(words, "after", sizes)}, α = 1`;
    },
  };
}

export default mounting(Grow);
