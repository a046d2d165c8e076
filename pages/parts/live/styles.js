/*
 * styles.js: one drawing in several styles: a strip of seeds to choose from, and the style of a photo.
 *
 * The strip is asked for when the hand rests: it costs as much as several pictures, and the one being painted is first.
 */

import { h } from "../common/dom.js";
import { Link } from "../common/link.js";
import * as upload from "../common/upload.js";

const REST = 600; // milliseconds without a change before the strip is asked for
const SIDE = 256; // pixels that a photo needs to tell its style

export class Styles {
  say; choose; changed; note;
  photo = null;
  #link = null; #timer = 0; #first = 1; #asked = ""; #data = {}; #fields = null; #seed = null;

  /** say(key) gives words; choose(seed) and changed() tell the desk; note(text, wrong) says what went wrong. */
  constructor({ say, choose, changed, note }) {
    this.say = say;
    this.choose = choose;
    this.changed = changed;
    this.note = note;
    this.#build();
  }

  /** `data`: {address, gan, verb ("" = no strip), n, photo (the argument for a photo, "" = none), tag}. */
  update(data) {
    const before = this.#data;
    this.#data = data;
    if (before.address !== data.address || before.gan !== data.gan || before.verb !== data.verb) {
      this.#link?.close();
      this.#link = data.verb ? new Link(`${data.address}/api/${data.gan}/${data.verb}`, { answered: (answer) => this.#show(answer) }) : null;
    }
    this.parts.strip.hidden = !data.verb;
    this.parts.photo.hidden = !data.photo;
    if (!data.photo) this.photo = null;
  }

  /** What a question for a picture takes along. */
  get fields() {
    return this.#data.photo && this.photo ? { [this.#data.photo]: this.photo } : {};
  }

  /** The drawing changed: `fields()` gives what to ask, `key` tells two drawings apart, `seed` is the one shown large. */
  show(key, fields, seed) {
    this.#seed = seed;
    this.#press();
    this.#fields = fields;
    this.#later(key);
  }

  #later(key) {
    if (!this.#link || this.parts.strip.hidden) return;
    const asked = `${key}|${this.#data.tag}|${this.#first}|${this.photo?.name ?? ""}${this.photo?.size ?? ""}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.parts.strip.classList.add("old");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), REST);
  }

  #ask() {
    const { n, tag } = this.#data;
    this.#link.ask(async () => ({ ...(await this.#fields()), ...this.fields, n, seed: this.#first, tag }));
  }

  async #show({ blob }) {
    const found = JSON.parse(await blob.text());
    this.parts.thumbs.replaceChildren(...found.map(({ seed, picture }) => {
      const text = this.say("styleSeed", { seed });
      return h("button", { type: "button", class: "thumb", value: seed, "aria-label": text, title: text, onclick: () => this.choose(seed) },
        h("img", { src: picture, alt: "", width: 64, height: 64 }));
    }));
    this.parts.strip.classList.remove("old");
    this.#press();
  }

  #press() {
    for (const button of this.parts.thumbs.children) button.setAttribute("aria-pressed", Number(button.value) === this.#seed);
  }

  #more() {
    this.#first = this.#first > 900_000 ? 1 : this.#first + this.#data.n;
    this.#asked = "";
    this.changed();
  }

  async #take(file) {
    if (!file) return;
    try {
      const picture = await upload.open(file);
      if (!picture) throw new Error("not a picture");
      this.photo = Object.assign(await upload.small(picture, SIDE), { name: `${this.#data.photo}-${Date.now()}.jpg` });
      this.note("");
    } catch (error) {
      return this.note(this.say(error.word ?? "notPicture"), true);
    }
    this.#lay();
  }

  #lay() {
    const { shown, photoButton, dropButton } = this.parts, old = shown.querySelector("img");
    if (old) URL.revokeObjectURL(old.src);
    old?.remove();
    if (this.photo) shown.append(h("img", { src: URL.createObjectURL(this.photo), alt: this.say("stylePhoto") }));
    shown.hidden = dropButton.hidden = !this.photo;
    photoButton.setAttribute("aria-pressed", Boolean(this.photo));
    this.changed();
  }

  #build() {
    const parts = this.parts = {};
    const button = (name, act) => (parts[name] = h("button", { type: "button", class: "button", onclick: act }));
    const input = h("input", { type: "file", accept: "image/*", tabindex: -1, "aria-hidden": "true", hidden: true, onchange: () => { this.#take(input.files[0]); input.value = ""; } });
    parts.title = h("span", { class: "label" });
    parts.thumbs = h("div", { class: "thumbs", role: "group" });
    parts.strip = h("div", { class: "strip" }, parts.title, parts.thumbs, button("moreButton", () => this.#more()));
    parts.shown = h("span", { class: "photo", hidden: true });
    parts.photo = h("div", { class: "from" }, input, button("photoButton", () => input.click()), parts.shown, button("dropButton", () => { this.photo = null; this.#lay(); }));
    parts.dropButton.hidden = true;
    this.root = h("div", { class: "styles" }, parts.photo, parts.strip);
  }

  speak() {
    const { parts } = this, put = (node, key) => { node.textContent = this.say(key); };
    put(parts.title, "styles");
    put(parts.moreButton, "stylesMore");
    put(parts.photoButton, "stylePhoto");
    put(parts.dropButton, "stylePhotoDrop");
    parts.photoButton.title = this.say("stylePhotoHelp");
    parts.thumbs.setAttribute("aria-label", this.say("styles"));
  }
}
