/*
 * wall.js: pictures made of nothing but a seed: a wall to choose from, and a walk from one chosen seed to the next.
 *
 * A click on the wall puts its seed at the end of the walk, or takes it out again. The walk's pictures come all at
 * once, so the slider moves through them without asking the studio.
 */

import { offer } from "../common/desk.js";
import { h } from "../common/dom.js";
import { headers, Link, studio, wanted } from "../common/link.js";
import { mounting } from "../common/part.js";
import { Pin } from "../lesson/pin.js";

const AT_ONCE = 3; // questions of one wall on their way: a class of walls must not fill the server's line

class Wall {
  /** @type {(name: string, value: any) => any} */
  #say = () => {};
  #data = {}; #first = 0; #chosen = []; #shown = ""; #frames = []; #timer = 0; #round = 0; #beliefs = new Map();

  constructor(parent) {
    this.root = h("div", { class: "wall" });
    parent.append(this.root);
  }

  update(data, { setStateValue }) {
    this.#data = data;
    this.#say = (name, value) => setStateValue(name, value);
    this.address = studio(data.page);
    if (!data.judge) offer(data.page, { link: () => this.#link(), parts: ["noise", "download", ...(data.pin ? ["pin"] : []), "share"] });
    const shown = `${data.gan} ${data.tag} ${data.lang} ${data.judge}`;
    if (shown === this.#shown) return; // a rerun: what is here is newer than what Streamlit knows
    this.#shown = shown;
    this.#first = data.seed ?? 1;
    this.#chosen = data.seeds ?? [];
    this.#frames = []; // of another net
    this.#build();
    this.#fill();
    this.#walk();
  }

  close() {
    this.#round++;
    this.link?.close();
    clearInterval(this.#timer);
    this.root.remove();
  }

  #build() {
    const { words, count, hide = [] } = this.#data;
    const step = (by) => () => { this.#first = Math.max(0, this.#first + by); this.#fill(); this.#tell(); };
    this.seed = h("input", { type: "number", min: 0, max: 999999999, step: 1, inputmode: "numeric", "aria-label": words.first, onchange: () => { const wanted = Math.floor(+this.seed.value); this.#first = Number.isFinite(wanted) && wanted >= 0 ? Math.min(wanted, 999999999) : this.#first; this.#fill(); this.#tell(); } });
    this.tiles = Array.from({ length: count }, (_, k) => {
      const picture = h("img", { alt: "", draggable: "false" });
      const tile = h("button", { type: "button", class: "tile", "aria-pressed": "false", onclick: () => this.#choose(this.#first + k) }, picture, h("span", { class: "place" }), h("span", { class: "belief" }));
      return Object.assign(tile, { picture });
    });
    this.grid = h("div", { class: "grid", role: "group", "aria-label": words.wall, onkeydown: (event) => this.#steer(event) }, ...this.tiles);
    this.sentence = h("p", { class: "sentence", role: "status" });
    this.large = h("img", { class: "large", alt: words.picture, hidden: true });
    this.slider = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": words.walk, oninput: () => { this.#pause(); this.#show(); } });
    this.play = h("button", { type: "button", class: "button", onclick: () => (this.#timer ? this.#pause() : this.#run()) }, words.play);
    this.clear = h("button", { type: "button", class: "button", onclick: () => { this.#chosen = []; this.#mark(); this.#walk(); this.#tell(); } }, words.clear);
    this.save = h("a", { class: "button", download: "" }, words.download);
    this.badge = h("span", { class: "badge" });
    this.pin = new Pin(async () => (this.#frames.length ? (await fetch(this.save.href)).blob() : null));
    this.pin.update({ address: this.address, words: this.#data.pin, gan: this.#data.gan, tag: this.#data.tag });
    const bar = h("div", { class: "bar" },
      h("button", { type: "button", class: "button", "aria-label": words.back, title: words.back, onclick: step(-count) }, "←"),
      h("label", {}, h("span", {}, words.first), this.seed),
      h("button", { type: "button", class: "button", "aria-label": words.next, title: words.next, onclick: step(count) }, "→"),
      h("button", { type: "button", class: "button", onclick: () => { this.#first = Math.floor(Math.random() * 99_999_999); this.#fill(); this.#tell(); } }, words.shuffle));
    const left = h("div", { class: "left" }, hide.includes("noise") ? "" : bar, this.grid);
    const right = h("div", { class: "right" }, h("div", { class: "frame" }, this.large, this.sentence), this.slider, h("div", { class: "under" }, this.badge, this.play, this.clear, hide.includes("download") ? "" : this.save, this.pin.button));
    this.root.replaceChildren(left, this.#data.judge ? this.sentence : right);
    this.root.classList.toggle("judged", Boolean(this.#data.judge));
    this.link?.close();
    this.link = new Link(`${this.address}/api/${this.#data.gan}/walk`, { answered: (answer) => this.#arrived(answer), troubled: (trouble) => this.#troubled(trouble) });
    this.#mark();
  }

  /** What is seen here, as an address. */
  #link() {
    const address = new URL(location.href);
    address.searchParams.set("tag", this.#data.tag);
    address.searchParams.set("seed", String(this.#first));
    if (this.#chosen.length) address.searchParams.set("walk", this.#chosen.join(","));
    else address.searchParams.delete("walk");
    return address;
  }

  #tell() {
    this.#say("seed", this.#first);
    this.#say("seeds", this.#chosen.join(","));
  }

  // ---- the wall ------------------------------------------------------------------------------------------------

  /** Asks for the wall's pictures, a few at a time; a newer wall ends an older one. */
  async #fill() {
    const round = ++this.#round, first = this.#first;
    this.seed.value = first;
    this.#beliefs.clear();
    if (this.#data.judge) this.sentence.textContent = "";
    this.#mark();
    for (const { picture } of this.tiles) {
      if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
      picture.removeAttribute("src"); // what is seen is what a click takes
    }
    const waiting = this.tiles.map((_, k) => k);
    const work = async () => {
      while (waiting.length && round === this.#round) {
        const k = waiting.shift();
        const blob = await this.#post("sample", { seed: first + k });
        if (round !== this.#round) return;
        if (!blob) continue;
        this.#put(this.tiles[k].picture, URL.createObjectURL(blob));
        if (this.#data.judge) {
          const verdict = await this.#post("judge", { picture: blob });
          if (verdict && round === this.#round) this.#believe(k, JSON.parse(await verdict.text()).real);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** One question, asked again a few times if the studio is busy; null = it said no. */
  async #post(verb, fields) {
    for (const usual of [300, 1000, 3000, 0]) {
      let pause = usual;
      const form = new FormData();
      for (const [name, value] of Object.entries({ tag: this.#data.tag, ...fields })) form.append(name, value);
      try {
        const answer = await fetch(`${this.address}/api/${this.#data.gan}/${verb}`, { method: "POST", body: form, headers });
        if (answer.ok) return await answer.blob();
        if (answer.status < 429) {
          this.#troubled({ kind: "refused", says: (await answer.json().catch(() => ({}))).error });
          return null;
        }
        if (pause) pause = Math.max(pause, wanted(answer));
      } catch { /* away: asked again */ }
      if (pause) await new Promise((done) => setTimeout(done, pause));
    }
    this.#troubled({ kind: "away" });
    return null;
  }

  #put(picture, address) {
    if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
    picture.src = address;
  }

  #believe(k, real) {
    this.#beliefs.set(k, real);
    const mark = this.tiles[k].querySelector(".belief");
    mark.textContent = `${Math.round(100 * real)}%`;
    mark.style.setProperty("--real", real);
  }

  #choose(seed) {
    const place = this.#chosen.indexOf(seed);
    if (place >= 0) this.#chosen.splice(place, 1);
    else if (this.#chosen.length < this.#data.most) this.#chosen.push(seed);
    this.#mark();
    this.#walk();
    this.#tell();
  }

  /** Numbers the chosen tiles, and names every tile for whoever listens. */
  #mark() {
    const { words } = this.#data;
    this.tiles.forEach((tile, k) => {
      const seed = this.#first + k, place = this.#chosen.indexOf(seed);
      tile.setAttribute("aria-pressed", String(place >= 0));
      tile.setAttribute("aria-label", words.tile.replace("{seed}", seed));
      tile.title = words.tile.replace("{seed}", seed);
      tile.querySelector(".place").textContent = place >= 0 ? place + 1 : "";
      tile.querySelector(".belief").textContent = "";
    });
  }

  #steer(event) {
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const at = this.tiles.indexOf(event.target);
    if (!by || at < 0) return;
    event.preventDefault();
    this.tiles[Math.min(Math.max(at + by, 0), this.tiles.length - 1)].focus();
  }

  // ---- the walk ------------------------------------------------------------------------------------------------

  #walk() {
    if (this.#data.judge) return;
    this.#pause();
    const { words, most, tag, frames } = this.#data, n = this.#chosen.length;
    this.clear.disabled = n === 0;
    if (n === 0) {
      this.link.forget();
      this.#frames = [];
      this.large.hidden = true;
      this.sentence.textContent = words.empty.replace("{most}", most);
      this.badge.textContent = "";
    } else {
      const seeds = n === 1 ? [this.#chosen[0], this.#chosen[0]] : this.#chosen;
      this.link.ask(async () => ({ seeds: JSON.stringify(seeds), steps: n === 1 ? 1 : Math.floor(frames / (n - 1)), tag }));
    }
    this.#controls();
  }

  async #arrived({ response, blob, milliseconds }) {
    const { words } = this.#data;
    this.#frames = JSON.parse(await blob.text());
    if (this.#chosen.length === 1) this.#frames = this.#frames.slice(0, 1);
    this.slider.max = Math.max(this.#frames.length - 1, 0);
    this.slider.value = this.#chosen.length > 2 ? this.slider.max : 0;
    this.sentence.textContent = this.#chosen.length === 1 ? words.another : "";
    this.badge.textContent = words.badge.replace("{n}", this.#frames.length).replace("{ms}", Math.round(milliseconds)).replace("{device}", response.headers.get("x-device") ?? "cpu");
    this.#controls();
    this.#show();
    if (this.#chosen.length > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.#run();
  }

  #controls() {
    const moving = this.#frames.length > 1;
    this.slider.hidden = this.play.hidden = !moving;
    this.save.hidden = this.#frames.length === 0;
    this.pin.button.disabled = this.save.hidden;
  }

  #show() {
    const k = Math.min(+this.slider.value, this.#frames.length - 1);
    if (k < 0) return;
    this.large.src = this.#frames[k];
    this.large.hidden = false;
    this.save.href = this.#frames[k];
    this.save.download = `${this.#data.gan}-${this.#chosen.join("-")}-${k}.png`;
  }

  #run() {
    this.#pause();
    let by = +this.slider.value < +this.slider.max ? 1 : -1;
    this.play.textContent = this.#data.words.pause;
    this.#timer = setInterval(() => {
      const next = +this.slider.value + by;
      if (next < 0 || next > +this.slider.max) by = -by;
      this.slider.value = +this.slider.value + by;
      this.#show();
    }, 70);
  }

  #pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
    if (this.play) this.play.textContent = this.#data.words.play;
  }

  #troubled(trouble) {
    if (!trouble) return;
    const { words } = this.#data;
    this.sentence.textContent = trouble.kind === "refused" ? trouble.says || words.refused : words[trouble.kind] ?? words.away;
  }
}

export default mounting(Wall);
