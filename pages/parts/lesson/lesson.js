/*
 * lesson.js: hands out what is seen here. A link that carries the whole state of the page, and its QR code; the teacher
 * ticks what the class is not to see.
 *
 * The page's own component knows what its link is (`offer` of desk.js); without one, the address is the link.
 */

import { offered } from "../common/desk.js";
import { h, icon } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { copy, headers, studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";

const NEAR = new Set(["localhost", "127.0.0.1", "[::1]"]); // names that a phone understands as itself

class Lesson {
  #data = {}; #shown = ""; #facts = {}; #hide = new Set(); #timer = 0; #round = 0;

  constructor(parent) {
    this.root = h("div", { class: "lesson" });
    parent.append(this.root);
  }

  update(data) {
    this.#data = data;
    this.address = studio(data.page);
    const shown = JSON.stringify([data.words, data.hide]);
    this.root.hidden = data.hide.includes("share");
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#build();
  }

  close() {
    clearTimeout(this.#timer);
    this.dialog.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  async #open() {
    this.#hide = new Set(this.#data.hide);
    this.#list();
    this.#draw();
    this.dialog.classList.remove("big");
    this.dialog.showModal();
    try {
      this.#facts = await (await fetch(`${this.address}/api/class`, { headers })).json();
    } catch {
      this.#facts = {}; // then the link is this page's own
    }
    const whole = this.drawing.checked && this.#link.length > this.#facts.most;
    if (whole) this.drawing.checked = false; // a code that can be read; who wants the drawing ticks it, and copies the link
    this.#draw();
    if (whole) this.said.textContent = this.say("tooLong");
  }

  /* ---- the link */

  /** The whole state of this page as an address that a phone can reach. */
  get #link() {
    const { page, tag, lang } = this.#data, link = new URL(offered(page)?.link() ?? location.href);
    if (/^#key=/.test(link.hash) || !this.drawing.checked) link.hash = "";
    if (this.#near && this.#facts.address) {
      const there = new URL(this.#facts.address);
      Object.assign(link, { protocol: there.protocol, hostname: there.hostname, port: there.port });
    }
    if (tag) link.searchParams.set("tag", tag);
    if (this.language.checked) link.searchParams.set("lang", lang);
    else link.searchParams.delete("lang");
    const hide = [...this.#hide].join(",");
    if (hide) link.searchParams.set("hide", hide);
    else link.searchParams.delete("hide");
    link.search = link.search.replaceAll("%2C", ",").replaceAll("%3A", ":"); // as people read it
    return link.href;
  }

  get #near() {
    return NEAR.has(location.hostname);
  }

  #draw() {
    const link = this.#link, short = link.replace(/^https?:\/\//, ""), [where] = short.split(/[?#]/);
    this.opens.href = link;
    this.short.textContent = short.length > 160 ? `${short.slice(0, 157)}…` : short;
    this.short.title = link;
    this.where.textContent = where;
    this.only.hidden = !(this.#near && this.#facts.most && !this.#facts.address);
    this.said.textContent = "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#code(link), this.picture.src ? 150 : 0); // ticks come in quick succession
  }

  async #code(link) {
    const round = ++this.#round, long = link.length > (this.#facts.most ?? Infinity);
    let picture = null, says = this.say(long ? "tooLong" : "noCode");
    try {
      if (long) throw new RangeError("no phone reads it");
      const answer = await fetch(`${this.address}/api/class/qr`, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify({ link }) });
      if (answer.ok) picture = await answer.blob();
    } catch { /* away, or too long */ }
    if (round !== this.#round) return;
    if (this.picture.src) URL.revokeObjectURL(this.picture.src);
    this.code.hidden = !picture;
    this.none.hidden = Boolean(picture);
    this.none.textContent = says;
    if (picture) this.picture.src = this.large.src = URL.createObjectURL(picture);
    else this.picture.removeAttribute("src");
    this.code.dataset.link = link;
  }

  /* ---- what people see */

  #list() {
    const { page, parts } = this.#data, offer = offered(page), own = offer?.parts ?? [];
    const names = [...new Set([...parts, ...own, ...this.#data.hide])].filter((name) => this.#data.words.parts[name]);
    this.ticks.replaceChildren(...names.map((name) => {
      const input = h("input", { type: "checkbox", value: name, checked: this.#hide.has(name), onchange: () => {
        if (input.checked) this.#hide.add(name);
        else this.#hide.delete(name);
        this.#draw();
      } });
      return h("label", { class: "tick" }, input, h("span", {}, this.say(`parts.${name}`)));
    }));
    const hash = offer && new URL(offer.link()).hash;
    this.drawing.checked = Boolean(hash);
    this.drawing.parentNode.hidden = !hash;
  }

  #all(hidden) {
    for (const input of this.ticks.querySelectorAll("input")) {
      input.checked = hidden;
      if (hidden) this.#hide.add(input.value);
      else this.#hide.delete(input.value);
    }
    this.#draw();
  }

  #build() {
    const { words } = this.#data, tick = (text) => { const input = h("input", { type: "checkbox", checked: true, onchange: () => this.#draw() }); return [input, h("label", { class: "tick" }, input, h("span", {}, text))]; };
    const drawing = tick(words.drawing), language = tick(words.language);
    this.drawing = drawing[0];
    this.language = language[0];
    this.ticks = h("div", { class: "ticks" });
    this.picture = h("img", { alt: words.code });
    this.large = h("img", { alt: words.code });
    this.code = h("button", { type: "button", class: "qr", title: words.enlarge, "aria-label": words.enlarge, hidden: true, onclick: () => this.dialog.classList.add("big") }, this.picture);
    this.none = h("p", { class: "qr none" }, "…");
    this.short = h("p", { class: "address" });
    this.where = h("span", {});
    this.only = h("p", { class: "warn", hidden: true }, words.onlyHere);
    this.said = h("p", { class: "said", role: "status" });
    this.opens = h("a", { class: "button", target: "_blank", rel: "noopener" }, words.open);
    const take = h("button", { type: "button", class: "button main", onclick: async () => { this.said.textContent = this.say((await copy(this.#link, this.dialog)) ? "copied" : "notCopied"); } }, words.copy);
    this.dialog = h("dialog", { "aria-label": words.title, onclick: (event) => { if (event.target === this.dialog) this.dialog.close(); },
      oncancel: (event) => { if (this.dialog.classList.contains("big")) { event.preventDefault(); this.dialog.classList.remove("big"); } } },
      h("div", { class: "head" }, h("h2", {}, words.title), h("button", { type: "button", class: "button close", "aria-label": words.close, title: words.close, onclick: () => this.dialog.close() }, "×")),
      h("div", { class: "two" },
        h("div", {}, this.code, this.none, this.short, this.only),
        h("div", {},
          h("fieldset", {}, h("legend", {}, words.carries), drawing[1], language[1]),
          h("fieldset", {}, h("legend", {}, words.hides), this.ticks,
            h("button", { type: "button", class: "quick", onclick: () => this.#all(true) }, words.onlyPicture), " · ",
            h("button", { type: "button", class: "quick", onclick: () => this.#all(false) }, words.everything)),
          h("div", { class: "acts" }, take, this.opens), this.said)),
      h("button", { type: "button", class: "screen", "aria-label": words.shrink, onclick: () => this.dialog.classList.remove("big") }, this.large, this.where));
    this.root.replaceChildren(h("button", { type: "button", class: "button opener", title: words.help, onclick: () => this.#open() }, icon(ICONS.code), h("span", {}, words.title)), this.dialog);
  }
}

export default mounting(Lesson);
