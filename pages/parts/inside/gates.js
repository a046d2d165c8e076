/*
 * gates.js: inside a Gated-GAN. The picture is the one on the Play tab (desk.js). Nothing is asked while nobody looks.
 *
 *   auto       the photo through the identity gate
 *   branches   the same channels of the code after each gate
 *   count      parameters as styles are added, against one CycleGAN generator a style
 *   textures   a gate that paints noise, beside squares of real paintings
 */

import { watch } from "../common/desk.js";
import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { grouped, mounting, sentence, Sight } from "../common/part.js";

const SIDE = 256;

class Gates {
  #data = {}; #paper = null; #stop = () => {}; #style = null; #seed = 1;

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
      this.autoLink = link("stylize", ({ blob }) => this.#returned(blob));
      this.branchLink = link("branches", async ({ blob }) => this.#branched(JSON.parse(await blob.text())));
      this.textureLink = link("textures", ({ blob }) => this.#put(this.parts.made, blob));
      this.#stop = watch(data.desk, (paper) => {
        if (paper.picture === this.#paper?.picture && paper.tag === this.#paper?.tag) return;
        this.#paper = paper;
        this.sight.stale();
      });
    }
    if (JSON.stringify(before.words) !== JSON.stringify(data.words) || before.tag !== data.tag) {
      this.#speak();
      this.#styles();
      this.#count();
      this.sight.stale();
    }
  }

  close(forever = true) {
    this.#stop();
    this.sight.forget();
    for (const link of [this.autoLink, this.branchLink, this.textureLink]) link?.close();
    if (!forever) return;
    this.sight.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  async #ask() {
    const { tag } = this.#data;
    this.parts.nothing.hidden = Boolean(this.#paper);
    this.parts.auto.hidden = this.parts.branches.hidden = !this.#paper;
    this.#texture();
    if (!this.#paper) return;
    const photo = await this.#paper.picture(SIDE);
    await this.#put(this.parts.photo, photo);
    this.autoLink.ask(() => ({ photo, gates: JSON.stringify({ identity: 1 }), size: SIDE, tag }));
    this.branchLink.ask(() => ({ photo, tag }));
  }

  async #put(place, source) {
    const picture = h("img", { src: source instanceof Blob ? URL.createObjectURL(source) : source, alt: place.dataset.alt ?? "" });
    await picture.decode().catch(() => {});
    const old = place.querySelector("img");
    if (old?.src.startsWith("blob:")) URL.revokeObjectURL(old.src);
    place.replaceChildren(picture);
    return picture;
  }

  async #returned(blob) {
    const back = await this.#put(this.parts.back, blob), photo = this.parts.photo.querySelector("img");
    const { naturalWidth: width, naturalHeight: height } = back;
    const [one, two] = [photo, back].map((picture) => {
      const board = h("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
      board.drawImage(picture, 0, 0, width, height);
      return board.getImageData(0, 0, width, height);
    });
    let total = 0;
    for (let at = 0; at < one.data.length; at++) {
      if (at % 4 === 3) continue;
      const apart = Math.abs(one.data[at] - two.data[at]);
      total += apart;
      one.data[at] = Math.min(255, 4 * apart);
    }
    const canvas = h("canvas", { width, height, role: "img", "aria-label": this.say("autoDifference") });
    canvas.getContext("2d").putImageData(one, 0, 0);
    this.parts.apart.replaceChildren(canvas);
    this.parts.levels.textContent = this.say("autoLevels", { levels: (total / (one.data.length * 0.75)).toFixed(1) });
  }

  #branched({ maps, change }) {
    this.parts.maps.replaceChildren(...Object.entries(maps).map(([gate, picture]) => h("figure", {},
      h("img", { src: picture, alt: "" }), h("figcaption", {}, h("b", {}, this.#data.names[gate] ?? gate), " ",
        gate in change ? this.say("moved", { share: Math.round(100 * change[gate]) }) : this.say("unmoved")))));
  }

  #count() {
    const { base, each, paperBase, paperEach, cycle, width } = this.#data.counts, n = this.parts.count.valueAsNumber;
    const rows = [["countOurs", base + each * n], ["countPaper", paperBase + paperEach * n], ["countCycle", cycle * n]], most = Math.max(...rows.map(([, value]) => value));
    this.parts.countN.textContent = n;
    this.parts.countText.textContent = this.say("countText", { base: grouped(base), each: grouped(each), width, cycle: grouped(cycle) });
    this.parts.bars.replaceChildren(...rows.map(([key, value]) => h("div", { class: "row" }, h("span", {}, this.say(key)),
      h("div", { class: "track" }, h("i", { style: `width: ${Math.max(0.3, (100 * value) / most)}%`, class: key })), h("b", {}, grouped(value)))));
    this.parts.times.textContent = this.say("countTimes", { n, times: ((cycle * n) / (paperBase + paperEach * n)).toFixed(1) });
  }

  #styles() {
    const names = Object.entries(this.#data.names).filter(([gate]) => gate !== "identity");
    if (!names.some(([gate]) => gate === this.#style)) this.#style = names[0]?.[0];
    this.parts.choose.replaceChildren(...names.map(([gate, name]) => h("button", { type: "button", value: gate, "aria-pressed": String(gate === this.#style), onclick: () => {
      this.#style = gate;
      for (const button of this.parts.choose.children) button.setAttribute("aria-pressed", button.value === gate);
      this.#texture();
    } }, name)));
    this.parts.count.value = this.#data.counts.styles;
  }

  #texture() {
    const { tag, textures } = this.#data, real = textures.find(({ style }) => style === this.#style);
    this.textureLink.ask(() => ({ style: this.#style, seed: this.#seed, size: SIDE, tag }));
    this.parts.madeCaption.textContent = this.say("textureMade", { seed: this.#seed });
    this.parts.realCaption.textContent = this.say(real ? "textureReal" : "textureNone");
    if (real) this.#put(this.parts.real, this.address + real.file);
    else this.parts.real.replaceChildren();
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
    parts.auto = h("section", { class: "block", hidden: true }, text("autoTitle", "h2"), text("autoText"),
      h("div", { class: "three" }, shown("photo", "autoPhoto"), shown("back", "autoBack"), shown("apart", "autoDifference")), text("levels", "p", { class: "small" }));
    parts.maps = h("div", { class: "maps" });
    parts.branches = h("section", { class: "block", hidden: true }, text("branchTitle", "h2"), text("branchText"), parts.maps);
    parts.count = h("input", { type: "range", id: "gates-count", min: 1, max: 50, step: 1, value: 4, oninput: () => this.#count() });
    parts.bars = h("div", { class: "bars" });
    const count = h("section", { class: "block" }, text("countTitle", "h2"), text("countText"),
      h("div", { class: "knob" }, text("countStyles", "label", { for: "gates-count" }), parts.count, text("countN", "b")), parts.bars, text("times"));
    parts.choose = h("div", { class: "choose", role: "group" });
    parts.again = h("button", { type: "button", class: "button", onclick: () => { this.#seed++; this.#texture(); } });
    const textures = h("section", { class: "block" }, text("textureTitle", "h2"), text("textureText"), h("div", { class: "knob" }, parts.choose, parts.again),
      h("div", { class: "two" }, shown("made", "madeCaption"), shown("real", "realCaption")));
    this.root = h("section", { class: "gates" }, text("trouble", "p", { class: "trouble", role: "status", hidden: true }), text("nothing", "p", { class: "stand-in" }),
      parts.auto, parts.branches, textures, count);
  }

  #speak() {
    for (const key of ["nothing", "autoTitle", "autoText", "autoPhoto", "autoBack", "autoDifference", "branchTitle", "branchText", "countTitle", "countStyles",
      "textureTitle", "textureText", "again"]) this.parts[key].textContent = this.say(key);
    this.parts.choose.setAttribute("aria-label", this.say("textureTitle"));
    this.parts.photo.dataset.alt = this.say("autoPhoto");
    this.parts.back.dataset.alt = this.say("autoBack");
  }
}

export default mounting(Gates);
