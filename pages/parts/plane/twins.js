/*
 * twins.js: pictures that were made, each beside the real one that is nearest to it (the verb `nearest`).
 */

import { h } from "../common/dom.js";
import { Link, studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";

const MOST_SEED = 999_999_999;

class Twins {
  title; text; trouble; label;
  #data = {}; #first = 1; #shown = "";

  constructor(parent) {
    this.#build();
    parent.append(this.root);
  }

  update(data, { setStateValue }) {
    const before = this.#data;
    this.#data = data;
    this.tell = setStateValue ?? (() => {});
    if (before.gan !== data.gan) {
      this.link?.close();
      this.link = new Link(`${studio(data.page)}/api/${data.gan}/nearest`, { answered: async ({ blob }) => this.#show(JSON.parse(await blob.text())), troubled: (trouble) => this.#trouble(trouble) });
      this.#first = data.seed ?? 1;
    }
    this.#speak();
    const shown = `${data.gan} ${data.tag} ${data.among} ${data.lang}`;
    if (shown === this.#shown) return; // a rerun
    this.#shown = shown;
    this.#ask();
  }

  close() {
    this.link?.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  #go(first) {
    this.#first = Number.isFinite(first) ? Math.min(MOST_SEED, Math.max(0, Math.floor(first))) : this.#first;
    this.tell("seed", this.#first);
    this.#ask();
  }

  #ask() {
    const { tag, count, among } = this.#data, seed = this.#first;
    this.seed.value = seed;
    this.link.ask(() => ({ seed, count, among, tag }));
    this.asked = seed;
  }

  /** `found`: {made, real, apart, usual} */
  #show({ made, real, apart, usual }) {
    const { total } = this.#data, first = this.asked;
    this.text.textContent = this.say("text", { n: total, usual: usual.toFixed(3) });
    this.grid.replaceChildren(...made.map((picture, k) => h("figure", {},
      h("img", { src: picture, alt: this.say("made", { seed: first + k }), title: this.say("made", { seed: first + k }) }),
      h("img", { src: real[k], class: "real", alt: this.say("real"), title: this.say("real") }),
      h("figcaption", {}, apart[k].toFixed(3)))));
    this.root.dataset.first = first;
  }

  #trouble(trouble) {
    const bad = trouble && !(trouble.failures < 2);
    this.trouble.hidden = !bad;
    if (bad) this.trouble.textContent = trouble.kind === "refused" ? trouble.says : this.say(trouble.kind);
  }

  #build() {
    const text = (tag, facts = {}) => h(tag, facts);
    [this.title, this.text, this.trouble, this.label] = [text("h2"), text("p"), text("p", { class: "trouble", role: "status", hidden: true }), text("span")];
    this.seed = h("input", { type: "number", min: 0, max: MOST_SEED, step: 1, inputmode: "numeric", onchange: () => this.#go(this.seed.valueAsNumber) });
    this.more = h("button", { type: "button", onclick: () => this.#go(this.#first + this.#data.count > MOST_SEED ? 0 : this.#first + this.#data.count) });
    this.grid = h("div", { class: "grid" });
    this.root = h("section", { class: "twins" }, this.title, this.text, h("div", { class: "bar" }, h("label", {}, this.label, this.seed), this.more), this.trouble, this.grid);
  }

  #speak() {
    this.title.textContent = this.say("title");
    this.label.textContent = this.say("first");
    this.more.textContent = this.say("more");
  }
}

export default mounting(Twins);
