/*
 * faces.js: faces of nobody. A wall of seeds to choose from, and beside it what can be done with the chosen ones:
 * look at one, mix styles, walk from one to the next, take noise away, breed, find a picture again.
 *
 * It knows no GAN: how many layers there are, which of them are coarse, and all words come as data from
 * `pages/parts/faces.py`. All settings are in the address (?mode=mix&rows=1,2,3), written by the browser alone.
 */

import { lay, offer, send } from "../common/desk.js";
import { h } from "../common/dom.js";
import { headers, studio, wanted } from "../common/link.js";
import { Pin } from "../lesson/pin.js";
import * as upload from "../common/upload.js";
import { draw, Live, save } from "./picture.js";

// As in live.js: Streamlit mounts anew whenever the page changes around it; the choice of faces outlives that.
const desks = new Map();

export default function mount({ parentElement, data }) {
  if (!desks.has(data.key)) desks.set(data.key, new Faces());
  const desk = desks.get(data.key);
  if (desk.root.parentNode !== parentElement) parentElement.append(desk.root);
  desk.update(data);
  return () => desk.leave(parentElement);
}

const AT_ONCE = 3; // questions of one wall on their way: a class of walls must not fill the server's line
const LEG = 2000; // milliseconds from one face to the next
const STEPS = 24; // frames from one face to the next in a film
const STEPS_AT_ONCE = 10; // of a projection, until its stop button is looked at
const MOST_STEPS = 300;
const MOST_SEED = 999_999_999;
const between = (value, low, high) => Math.min(Math.max(value, low), high);
const shortly = (value) => String(Math.round(1000 * value) / 1000);
const whole = (text) => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : null);

class Faces {
  data = {}; #shown = ""; #round = 0; #thumbs = new Map(); #timers = {}; #lives = []; #search = 0; #turn = 0;
  #state = null;

  constructor() {
    this.root = h("section", { class: "faces" });
    addEventListener("popstate", () => {
      if (!this.root.isConnected || !this.#state) return;
      const { active, parents, generation } = this, before = JSON.stringify(this.#state);
      if (this.data.remembers) this.#read();
      if (JSON.stringify(this.#state) === before) return void Object.assign(this, { active, parents, generation }); // something else of the page
      this.#open();
      this.#fill();
    });
  }

  update(data) {
    const before = this.data;
    this.data = data;
    this.address = studio(data.page);
    const shown = JSON.stringify([data.gan, data.tag, data.words, data.hide, data.modes]);
    if (shown === this.#shown) return; // a rerun: what is here is newer than what Streamlit knows
    this.#shown = shown;
    if (!this.#state) this.#read();
    else {
      if (before.layers.length !== data.layers.length) this.#state.taken = this.#usual.taken; // of other layers
      if (!data.modes.includes(this.#state.mode)) this.#state.mode = data.modes[0];
    }
    if (before.tag !== data.tag) this.#thumbs.clear();
    this.#build();
    this.#fill();
    this.#open();
    if (data.remembers) offer(data.page, { link: () => this.#link(), parts: ["views", "download", ...(data.pin ? ["pin"] : []), ...(data.sends.length ? ["send"] : []), "share"] });
  }

  leave(place) {
    if (this.root.parentNode !== place) return;
    this.#still();
    this.root.remove();
  }

  say(key, values = {}) {
    const text = key.split(".").reduce((found, part) => found?.[part], this.data.words) ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  /* ---- settings, and the address */

  get #usual() {
    const layers = this.data.layers.length;
    return { mode: this.data.modes[0], first: 1, face: 1, psi: 0.7, rows: [1, 2, 3], columns: [4, 5, 6], taken: this.#range(Math.min(4, layers), layers), walk: [1, 2, 3], at: 0, draw: 0 };
  }

  #range(from, to) {
    return Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);
  }

  #read() {
    const asked = new URLSearchParams(this.data.remembers ? location.search : ""), state = (this.#state = this.#usual);
    if (this.data.modes.includes(asked.get("mode"))) state.mode = asked.get("mode");
    for (const name of ["first", "face", "draw"]) state[name] = whole(asked.get(name) ?? "") ?? state[name];
    for (const [name, low, high] of /** @type {[string, number, number][]} */ ([["psi", -1, 1.5], ["at", 0, 1]])) {
      const text = asked.get(name);
      if (text?.trim() && Number.isFinite(Number(text))) state[name] = between(Number(text), low, high);
    }
    for (const [name, least, most] of /** @type {[string, number, number][]} */ ([["rows", 2, 6], ["columns", 2, 6], ["walk", 2, 6]])) {
      const seeds = (asked.get(name) ?? "").split(",").map(whole);
      if (seeds.length >= least && seeds.length <= most && !seeds.includes(null)) state[name] = seeds;
    }
    if (asked.has("taken")) state.taken = asked.get("taken").split(",").map(whole).filter((k) => k !== null && k < this.data.layers.length);
    this.active = { mix: 0, walk: 0, breed: 0 };
    this.parents = [{ [state.walk[0]]: 1 }, { [state.walk[1]]: 1 }];
    this.generation = 0;
  }

  #write() {
    clearTimeout(this.#timers.address);
    this.#timers.address = setTimeout(() => { // browsers allow a hundred changes in half a minute
      if (!this.root.isConnected || !this.data.remembers) return;
      const address = this.#link();
      history.replaceState(history.state, "", address.pathname + address.search.replaceAll("%2C", ",") + address.hash);
    }, 300);
  }

  /** This page's address with all settings that differ from the usual ones. */
  #link() {
    const address = new URL(location.href), usual = this.#usual;
    for (const [name, value] of Object.entries(this.#state)) {
      const text = Array.isArray(value) ? value.join(",") : typeof value === "number" ? shortly(value) : value;
      if (JSON.stringify(value) === JSON.stringify(usual[name])) address.searchParams.delete(name);
      else address.searchParams.set(name, text);
    }
    return address;
  }

  /** Some settings change: the panel shows it. `anew`: the panel's parts are other ones now. */
  #set(values, anew = false) {
    Object.assign(this.#state, values);
    this.#write();
    if (anew) this.#open();
    else this.#refresh?.();
    this.#mark();
  }

  /* ---- the wall */

  #build() {
    const { words, count, modes, hide } = this.data, at = (by) => () => this.#turnTo(this.#state.first + by);
    const button = (text, act, label = text) => h("button", { type: "button", class: "button", "aria-label": label, title: label, onclick: act }, text);
    this.seed = h("input", { type: "number", min: 0, max: MOST_SEED, step: 1, inputmode: "numeric", "aria-label": words.first, onchange: () => this.#turnTo(Math.floor(this.seed.valueAsNumber)) });
    this.tiles = Array.from({ length: count }, (_, k) => {
      const picture = h("img", { alt: "", draggable: "false" }), mark = h("span", { class: "place" });
      return Object.assign(h("button", { type: "button", class: "tile", onclick: () => this.#choose(this.#state.first + k) }, picture, mark), { picture, mark });
    });
    this.grid = h("div", { class: "grid", role: "group", "aria-label": words.wall, onkeydown: (event) => this.#steer(event) }, ...this.tiles);
    this.nobody = h("p", { class: "hint" }, words.nobody);
    this.views = h("div", { class: "views", role: "group", "aria-label": words.modes }, ...modes.map((mode) =>
      h("button", { type: "button", value: mode, onclick: () => this.#set({ mode }, true) }, words.kinds[mode])));
    this.views.hidden = hide.includes("views") || modes.length < 2;
    this.psi = h("input", { type: "range", min: -1, max: 1.5, step: 0.05, "aria-label": words.psi, oninput: () => this.#set({ psi: this.psi.valueAsNumber }) });
    this.psiValue = h("output", {});
    this.panel = h("div", { class: "panel" });
    this.badge = h("span", { class: "badge" });
    this.note = h("p", { class: "note", role: "status" });
    this.tools = h("div", { class: "under" });
    this.root.replaceChildren(h("div", { class: "room" },
      h("div", { class: "left" },
        h("div", { class: "bar" }, button("←", at(-count), words.back), h("label", {}, h("span", {}, words.first), this.seed), button("→", at(count), words.next), button(words.shuffle, () => this.#turnTo(Math.floor(Math.random() * MOST_SEED)))),
        this.grid, this.nobody),
      h("div", { class: "right" }, this.views, this.panel,
        h("label", { class: "row psi" }, h("span", { title: words.psiHelp }, words.psi), this.psi, this.psiValue),
        this.note, h("div", { class: "under" }, this.badge, this.tools))));
  }

  #turnTo(first) {
    if (Number.isFinite(first)) this.#state.first = between(first, 0, MOST_SEED);
    this.#write();
    this.#fill();
  }

  /** Asks for the wall's pictures, a few at a time; a newer wall ends an older one. */
  async #fill() {
    const round = ++this.#round, { first } = this.#state;
    this.seed.value = first;
    this.#mark();
    for (const { picture } of this.tiles) picture.removeAttribute("src"); // what is seen is what a click takes
    const waiting = this.tiles.map((_, k) => k).sort((a, b) => Number(this.#thumbs.has(first + b)) - Number(this.#thumbs.has(first + a))); // those at hand first
    const work = async () => {
      while (waiting.length && round === this.#round) {
        const k = waiting.shift(), blob = await this.#thumb(first + k);
        if (blob && round === this.#round) this.tiles[k].picture.src = blob;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** The address of a seed's picture as the wall shows it; each is asked for once. */
  #thumb(seed) {
    if (this.#thumbs.size > 2000) this.#thumbs.clear();
    if (!this.#thumbs.has(seed)) this.#thumbs.set(seed, this.#post("sample", { seed, truncation: 0.7 }).then((blob) => {
      if (!blob) this.#thumbs.delete(seed);
      return blob && URL.createObjectURL(blob);
    }));
    return this.#thumbs.get(seed);
  }

  /** One question, asked again a few times if the studio is busy; null = it said no. */
  async #post(verb, fields) {
    for (const usual of [300, 1000, 3000, 0]) {
      let pause = usual;
      const form = new FormData();
      for (const [name, value] of Object.entries({ tag: this.data.tag, ...fields })) form.append(name, value);
      try {
        const answer = await fetch(`${this.address}/api/${this.data.gan}/${verb}`, { method: "POST", body: form, headers });
        if (answer.ok) return await answer.blob();
        if (answer.status < 429) {
          this.trouble({ kind: "refused", says: (await answer.json().catch(() => ({}))).error });
          return null;
        }
        if (pause) pause = Math.max(pause, wanted(answer));
      } catch { /* away: asked again */ }
      if (pause) await new Promise((done) => setTimeout(done, pause));
    }
    this.trouble({ kind: "away" });
    return null;
  }

  /** A face of the wall is clicked: where it goes depends on what is being done. */
  #choose(seed) {
    const state = this.#state, { mode } = state;
    if (mode === "mix") {
      const slots = [...state.rows, ...state.columns], n = state.rows.length;
      slots[this.active.mix] = seed;
      this.active.mix = (this.active.mix + 1) % slots.length;
      this.#set({ rows: slots.slice(0, n), columns: slots.slice(n) }, true);
    } else if (mode === "walk") {
      const walk = [...state.walk];
      walk[this.active.walk] = seed;
      this.active.walk = (this.active.walk + 1) % walk.length;
      this.#set({ walk }, true);
    } else if (mode === "breed") {
      this.parents[this.active.breed] = { [seed]: 1 };
      this.active.breed = 1 - this.active.breed;
      this.generation = 0;
      this.#open();
    } else if (mode === "find") this.#set({ face: seed, mode: this.data.modes.includes("face") ? "face" : mode }, true);
    else this.#set({ face: seed });
  }

  /** Marks the tiles that are in use, and names every tile for whoever listens. */
  #mark() {
    const { first, mode, face, rows, columns, walk } = this.#state;
    const used = { mix: [...rows, ...columns], walk, breed: this.parents.flatMap((p) => (Object.keys(p).length === 1 ? [Number(Object.keys(p)[0])] : [])), find: [] }[mode] ?? [face];
    this.tiles.forEach((tile, k) => {
      const seed = first + k, place = used.indexOf(seed), name = this.say("tile", { seed });
      tile.setAttribute("aria-pressed", String(place >= 0));
      tile.setAttribute("aria-label", name);
      tile.title = name;
      tile.mark.textContent = place >= 0 && used.length > 1 ? place + 1 : "";
    });
  }

  #steer(event) {
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const at = this.tiles.indexOf(event.target);
    if (!by || at < 0) return;
    event.preventDefault();
    this.tiles[between(at + by, 0, this.tiles.length - 1)].focus();
  }

  /* ---- what is being done: each panel is built by a method of its mode, and gives a function that shows the settings */

  #refresh = null;

  #open() {
    this.#still();
    for (const live of this.#lives.splice(0)) live.close();
    this.#times = [];
    this.tools.replaceChildren();
    this.#note("");
    for (const view of this.views.children) view.setAttribute("aria-pressed", String(view.value === this.#state.mode));
    const [panel, refresh] = this[`_${this.#state.mode}`]();
    this.panel.replaceChildren(...[panel].flat());
    this.#refresh = () => {
      this.psi.value = this.#state.psi;
      this.psiValue.textContent = shortly(this.#state.psi);
      refresh();
    };
    this.psi.parentNode.hidden = ["find", "fade", "norms"].includes(this.#state.mode);
    this.#refresh();
    this.#mark();
    this.#write();
  }

  #live(verb, alt, of) {
    const live = new Live(this, verb, alt, of);
    this.#lives.push(live);
    return live;
  }

  #button(key, act, values) {
    return h("button", { type: "button", class: "button", onclick: act }, this.say(key, values));
  }

  #save(live, name) {
    return live.taker(this.#button("download", () => save(live.img.src, `${this.data.gan}-${name()}.png`)));
  }

  /** Shows what a live picture shows now to the class. */
  #pin(live) {
    const { pin: words, gan, tag } = this.data, pin = new Pin(() => live.blob);
    pin.update({ address: this.address, words, gan, tag });
    return live.taker(pin.button);
  }

  #captioned(live, caption) {
    return h("figure", {}, live.figure, h("figcaption", {}, caption));
  }

  /** A face, and the mean face beside it: what truncation leads to. */
  _face() {
    const face = this.#live("sample", this.say("picture")), mean = this.#live("sample", this.say("mean"));
    mean.ask({ seed: 0, truncation: 0 });
    const { hide, sends } = this.data;
    if (!hide.includes("download")) this.tools.append(this.#save(face, () => this.#state.face));
    this.tools.append(this.#pin(face));
    if (!hide.includes("send")) this.tools.append(...sends.map(({ gan, title }) => face.taker(this.#button("send", () => send(gan, face.blob, this.address), { title }))));
    face.shown = () => lay(this.data.key, { picture: async () => face.blob, tag: this.data.tag });
    const name = h("figcaption", {});
    return [h("div", { class: "pair" }, h("figure", { class: "wide" }, face.figure, name), this.#captioned(mean, this.say("mean"))), () => {
      name.textContent = this.say("tile", { seed: this.#state.face });
      face.ask({ seed: this.#state.face, truncation: this.#state.psi });
    }];
  }

  /** Rows give some layers their style, columns the others. */
  _mix() {
    const { layers, bands, words } = this.data, state = this.#state, n = state.rows.length;
    const grid = this.#live("mix", this.say("grid"));
    const slot = (seed, k) => {
      const img = h("img", { alt: "" });
      this.#thumb(seed).then((address) => address && (img.src = address));
      const name = this.say(k < n ? "rowSlot" : "columnSlot", { seed });
      return h("button", { type: "button", class: "slot", title: name, "aria-label": name, "aria-pressed": String(this.active.mix === k), onclick: () => { this.active.mix = k; this.#open(); } }, img);
    };
    const slider = h("input", { type: "range", min: 0, max: layers.length, step: 1, "aria-label": words.crossover, oninput: () => this.#set({ taken: this.#range(slider.valueAsNumber, layers.length) }) });
    const says = h("output", {});
    const flip = (from, to) => {
      const own = this.#range(from, to), taken = new Set(this.#state.taken), all = own.every((k) => taken.has(k));
      for (const k of own) all ? taken.delete(k) : taken.add(k);
      this.#set({ taken: [...taken].sort((a, b) => a - b) });
    };
    const switches = layers.map((side, k) => h("button", { type: "button", class: "layer", title: this.say("layer", { k, side }), "aria-label": this.say("layer", { k, side }), onclick: () => flip(k, k + 1) }, String(side)));
    const groups = Object.entries(bands).filter(([, [from, to]]) => to > from).map(([band, [from, to]]) => h("div", { class: "band", style: `flex: ${to - from}` },
      h("button", { type: "button", class: "name", onclick: () => flip(from, to) }, words.bands[band]), h("div", { class: "switches" }, ...switches.slice(from, to))));
    const count = h("select", { "aria-label": words.count, onchange: () => {
      const m = Number(count.value), more = (seeds, from) => Array.from({ length: m }, (_, k) => seeds[k] ?? from + k);
      this.active.mix = 0;
      this.#set({ rows: more(this.#state.rows, 11), columns: more(this.#state.columns, 21) }, true);
    } }, ...[2, 3, 4, 5, 6].map((m) => h("option", { value: m, selected: m === n }, `${m} × ${m}`)));
    if (!this.data.hide.includes("download")) this.tools.append(this.#save(grid, () => `mix-${this.#state.rows.join("-")}`));
    this.tools.append(this.#pin(grid));
    const table = h("div", { class: "mixing", style: `--n: ${n}; grid-template-columns: minmax(3rem, 1fr) minmax(0, ${n}fr)` }, h("span", { class: "corner" }, count), h("div", { class: "columns" }, ...state.columns.map((seed, k) => slot(seed, n + k))), h("div", { class: "rows" }, ...state.rows.map(slot)), grid.figure);
    return [[table, h("label", { class: "row" }, h("span", {}, words.crossover), slider, says), h("div", { class: "bands" }, ...groups), h("p", { class: "hint" }, words.mixHint)], () => {
      const { rows, columns, taken, psi } = this.#state, chosen = new Set(taken);
      switches.forEach((node, k) => node.setAttribute("aria-pressed", String(chosen.has(k))));
      const from = layers.length - taken.length, straight = taken.every((k) => k >= from);
      slider.value = straight ? from : Math.min(...taken);
      says.textContent = straight ? this.say("from", { k: from }) : this.say("apart");
      grid.ask({ rows: JSON.stringify(rows), columns: JSON.stringify(columns), taken: JSON.stringify(taken), truncation: psi });
    }];
  }

  /** The same way in Z and in W. */
  _walk() {
    const { words } = this.data, pair = ["z", "w"].map((space) => ({ space, live: this.#live("between", this.say("picture")) }));
    const slots = this.#state.walk.map((seed, k) => {
      const img = h("img", { alt: "" }), name = this.say("stop", { n: k + 1, seed });
      this.#thumb(seed).then((address) => address && (img.src = address));
      return h("button", { type: "button", class: "slot", title: name, "aria-label": name, "aria-pressed": String(this.active.walk === k), onclick: () => { this.active.walk = k; this.#open(); } }, img);
    });
    const slider = h("input", { type: "range", min: 0, max: 1, step: 0.002, "aria-label": words.at, oninput: () => { this.#still(); this.#set({ at: slider.valueAsNumber }); } });
    const play = this.#button("play", () => (this.#turn ? this.#still() : this.#run()));
    this.#stopped = () => (play.textContent = words.play);
    this.#running = () => (play.textContent = words.pause);
    const length = (by) => () => {
      const walk = by > 0 ? [...this.#state.walk, this.#state.walk.at(-1) + 1] : this.#state.walk.slice(0, -1);
      this.active.walk = Math.min(this.active.walk, walk.length - 1);
      this.#set({ walk }, true);
    };
    const fewer = this.#button("fewer", length(-1)), more = this.#button("more", length(1));
    fewer.disabled = slots.length <= 2;
    more.disabled = slots.length >= 6;
    const bar = h("progress", { max: 1, hidden: true, "aria-label": words.filming });
    const film = (kind, space) => this.#button("film", () => this.#film(kind, space, bar), { kind: kind.toUpperCase(), space: space.toUpperCase() });
    if (!this.data.hide.includes("download")) this.tools.append(film("gif", "w"), film("mp4", "w"), film("gif", "z"), film("mp4", "z"));
    return [[h("div", { class: "pair" }, ...pair.map(({ space, live }) => this.#captioned(live, words.spaces[space]))), h("div", { class: "row" }, play, slider), h("div", { class: "stops" }, ...slots, fewer, more), bar, h("p", { class: "hint" }, words.walkHint)], () => {
      const { walk, at, psi } = this.#state;
      slider.value = at;
      for (const { space, live } of pair) live.ask({ seeds: JSON.stringify(walk), at, space, truncation: psi });
    }];
  }

  #stopped = null; #running = null;

  #run() {
    let last = performance.now(), by = this.#state.at >= 1 ? -1 : 1;
    const step = (now) => {
      const legs = this.#state.walk.length - 1;
      let at = this.#state.at + (by * (now - last)) / (LEG * legs);
      last = now;
      if (at >= 1 || at <= 0) by = -by;
      this.#set({ at: between(at, 0, 1) });
      this.#turn = requestAnimationFrame(step);
    };
    this.#turn = requestAnimationFrame(step);
    this.#running?.();
  }

  #still() {
    cancelAnimationFrame(this.#turn);
    this.#turn = 0;
    this.#search++;
    this.#stopped?.();
  }

  /** A film of the walk, there and back to the first. The bar goes by the pace of the pictures so far. */
  async #film(kind, space, bar) {
    const { walk, psi } = this.#state, seeds = [...walk, walk[0]], frames = (seeds.length - 1) * STEPS + 1;
    const expected = frames * (this.pace || 40) + 500, began = performance.now();
    bar.hidden = false;
    clearInterval(this.#timers.film);
    this.#timers.film = setInterval(() => { const share = (performance.now() - began) / expected; bar.value = share < 0.9 ? share : 0.97 - 0.07 * Math.exp(9 * (0.9 - share)); }, 100);
    const blob = await this.#post("film", { seeds: JSON.stringify(seeds), steps: STEPS, space, kind, truncation: psi });
    clearInterval(this.#timers.film);
    bar.hidden = true;
    if (!blob) return;
    const address = URL.createObjectURL(blob);
    save(address, `${this.data.gan}-${walk.join("-")}-${space}.${kind}`);
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  /** The paper's four panels, and one layer's noise alone. */
  _noise() {
    const { words, noises } = this.data, kinds = ["all", "none", "coarse", "fine"];
    const lives = kinds.map((kind) => ({ kind, live: this.#live("noise", this.say("picture")) })), own = this.#live("noise", this.say("picture"));
    const noisy = noises.length, choice = h("input", { type: "range", min: 0, max: noisy - 1, value: noisy - 1, step: 1, "aria-label": words.oneLayer, oninput: () => this.#refresh() });
    const caption = h("figcaption", {});
    this.tools.append(this.#button("redraw", () => this.#set({ draw: this.#state.draw + 1 })));
    return [[h("div", { class: "panels" }, ...lives.map(({ kind, live }) => this.#captioned(live, words.noises[kind])), h("figure", {}, own.figure, caption)), h("label", { class: "row" }, h("span", {}, words.oneLayer), choice), h("p", { class: "hint" }, words.noiseHint)], () => {
      const { face: seed, draw, psi: truncation } = this.#state;
      for (const { kind, live } of lives) live.ask({ seed, layers: kind, draw, truncation });
      own.ask({ seed, layers: choice.value, draw, truncation });
      caption.textContent = this.say("noiseOf", { k: choice.value, side: this.data.noises[Number(choice.value)] });
    }];
  }

  /** Two parents, four children; a child that is clicked takes a parent's place. */
  _breed() {
    const amounts = [0.2, 0.4, 0.6, 0.8];
    const parents = [0, 1].map((k) => this.#live("breed", this.say(k ? "mother" : "father")));
    const children = amounts.map((amount) => ({ amount, live: this.#live("breed", this.say("child")) }));
    const child = (amount) => {
      const shares = {};
      [1 - amount, amount].forEach((part, k) => { for (const [seed, share] of Object.entries(this.parents[k])) shares[seed] = (shares[seed] ?? 0) + part * share; });
      const kept = Object.entries(shares).filter(([, share]) => share > 0.01), total = kept.reduce((all, [, share]) => all + share, 0);
      return Object.fromEntries(kept.map(([seed, share]) => [seed, Math.round((1e4 * share) / total) / 1e4]));
    };
    const parent = (k) => {
      const name = this.say(k ? "mother" : "father");
      return h("button", { type: "button", class: "slot large", "aria-label": name, title: name, "aria-pressed": String(this.active.breed === k), onclick: () => { this.active.breed = k; this.#open(); } }, parents[k].figure);
    };
    const brood = children.map(({ amount, live }) => h("button", { type: "button", class: "slot large", "aria-label": this.say("childOf", { share: Math.round(100 * amount) }), title: this.say("childOf", { share: Math.round(100 * amount) }), onclick: () => {
      this.parents[this.active.breed] = child(amount);
      this.active.breed = 1 - this.active.breed;
      this.generation++;
      this.#open();
    } }, live.figure));
    this.tools.append(this.#button("again", () => { this.parents = [{ [this.#state.walk[0]]: 1 }, { [this.#state.walk[1]]: 1 }]; this.generation = 0; this.#open(); }));
    return [[h("div", { class: "family" }, parent(0), h("span", { class: "and" }, "+"), parent(1)), h("div", { class: "brood" }, ...brood), h("p", { class: "hint" }, this.say("breedHint", { n: this.generation }))], () => {
      const { psi: truncation } = this.#state, [a, b] = this.parents.map((p) => JSON.stringify(p));
      parents.forEach((live, k) => live.ask({ a, b, amount: k, truncation }));
      for (const { amount, live } of children) live.ask({ a, b, amount, truncation });
    }];
  }

  /** Which style draws what is nearest to a picture of the visitor's. */
  _find() {
    const { words } = this.data, target = h("img", { alt: words.target }), found = h("img", { alt: words.found });
    const curve = h("canvas", { class: "curve", width: 480, height: 160, role: "img", "aria-label": words.curve });
    const free = h("input", { type: "checkbox" }), count = h("span", { class: "count", role: "status" });
    let file = null, latest = 0;
    const begin = this.#button("begin", () => run()), halt = this.#button("halt", () => stop());
    const input = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => take(input.files[0]) });
    const take = async (given) => {
      if (!given) return;
      const search = ++this.#search; // a newer picture, or leaving, makes this one void
      try {
        const bitmap = await upload.open(given);
        if (!bitmap) throw new Error("not a picture");
        const side = Math.min(bitmap.width, bitmap.height), canvas = h("canvas", { width: 512, height: 512 });
        canvas.getContext("2d").drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) * 0.35, side, side, 0, 0, 512, 512); // faces are above the middle
        const read = await new Promise((done) => canvas.toBlob(done, "image/png"));
        if (search !== this.#search) return;
        file = read;
        target.src = URL.createObjectURL(file);
        begin.disabled = false;
        await run();
      } catch {
        this.#note(this.say("notPicture"), true);
      }
    };
    const idle = () => {
      begin.disabled = free.disabled = false;
      halt.disabled = true;
    };
    const stop = () => {
      this.#search++;
      idle();
    };
    const run = async () => {
      if (!file) return;
      const search = (latest = ++this.#search), picture = file; // a newer picture ends an older search
      begin.disabled = free.disabled = true;
      halt.disabled = false;
      const losses = [];
      let state = null;
      while (search === this.#search && losses.length < MOST_STEPS) {
        const blob = await this.#post("project", { picture, steps: STEPS_AT_ONCE, free: free.checked, ...(state ? { state: JSON.stringify(state) } : {}) });
        if (!blob || search !== this.#search) break;
        const answer = JSON.parse(await blob.text());
        state = answer.state;
        losses.push(...answer.losses);
        found.src = answer.picture;
        count.textContent = this.say("steps", { n: answer.step, loss: answer.losses.at(-1).toFixed(4) });
        draw(curve, losses, MOST_STEPS);
      }
      if (search === latest) idle(); // also when the page was left meanwhile
    };
    begin.disabled = halt.disabled = true;
    const own = this.#button("upload", () => input.click());
    const drawn = this.#button("ownFace", async () => { const address = await this.#thumb(this.#state.face); if (address) await take(new File([await (await fetch(address)).blob()], "face.png", { type: "image/png" })); });
    return [[h("div", { class: "pair" }, h("figure", {}, h("div", { class: "live-picture" }, target), h("figcaption", {}, words.target)), h("figure", {}, h("div", { class: "live-picture" }, found), h("figcaption", {}, words.found))), h("div", { class: "row wrap" }, input, own, drawn, begin, halt, h("label", {}, free, " ", words.free)), curve, count, h("p", { class: "hint" }, words.findHint)], () => {}];
  }

  /** How a new size is faded in: the size before, the new one, and their mixture. */
  _fade() {
    const { words, size } = this.data, levels = Math.max(1, Math.round(Math.log2(size / this.data.start || 1)));
    const mixture = this.#live("fade", this.say("picture")), before = h("img", { alt: words.before }), after = h("img", { alt: words.after });
    const alpha = h("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": words.alpha, oninput: () => this.#refresh() }), says = h("output", {});
    const level = h("input", { type: "range", min: 1, max: levels, step: 1, "aria-label": words.level, oninput: () => this.#refresh() });
    level.value = levels;
    const names = [h("figcaption", {}), h("figcaption", {})];
    mixture.read = (answer) => {
      before.src = answer.before;
      after.src = answer.new;
      answer.sizes.forEach((side, k) => (names[k].textContent = this.say(k ? "newSize" : "oldSize", { side })));
      return answer.mixture;
    };
    const framed = (img, caption) => h("figure", {}, h("div", { class: "live-picture" }, img), caption);
    return [[h("div", { class: "panels three" }, framed(before, names[0]), this.#captioned(mixture, words.mixture), framed(after, names[1])), h("label", { class: "row" }, h("span", {}, "α"), alpha, says), h("label", { class: "row" }, h("span", {}, words.level), level), h("p", { class: "hint" }, words.fadeHint)], () => {
      says.textContent = shortly(alpha.valueAsNumber);
      mixture.ask({ seed: this.#state.face, alpha: alpha.valueAsNumber, level: level.value });
    }];
  }

  /** This GAN, and the other one beside it if there is one: what is compared. */
  get #compared() {
    const { gan, tag, title, noises, beside } = this.data;
    return [{ gan, tag, title, noises }, ...(beside ? [beside] : [])];
  }

  /** How strong a layer's features are, and what a spike does to those of the next. */
  _norms() {
    const { words, noises } = this.data, last = noises.length - 2;
    const columns = this.#compared.map((of) => {
      const heat = this.#live("norms", words.heat, of), picture = h("img", { alt: words.picture }), kept = h("p", { class: "figure", role: "status" }), loud = h("p", { class: "hint" });
      heat.read = (answer) => {
        picture.src = answer.picture;
        kept.textContent = this.say("kept", { share: Math.round(100 * answer.kept) });
        loud.textContent = this.say("loud", { list: answer.loud.map((value) => value.toFixed(1)).join(" · ") });
        return answer.heat;
      };
      // The same place in both: the last layer of that size, of those that have one after them.
      const at = (side) => Math.max(0, of.noises.slice(0, -1).findLastIndex((own) => own <= side));
      return { heat, at, node: h("div", {}, h("h4", {}, of.title), h("div", { class: "pair" }, this.#captioned(heat, words.heat), h("figure", {}, h("div", { class: "live-picture" }, picture), h("figcaption", {}, words.outcome))), kept, loud) };
    });
    const layer = h("input", { type: "range", min: 0, max: last, step: 1, "aria-label": words.whichLayer, oninput: () => this.#refresh() }), side = h("output", {});
    layer.value = Math.min(3, last);
    const spike = h("input", { type: "range", min: 0, max: 300, step: 5, value: 0, "aria-label": words.spike, oninput: () => this.#refresh() }), amount = h("output", {});
    return [[h("div", { class: "compared" }, ...columns.map(({ node }) => node)), h("label", { class: "row" }, h("span", {}, words.whichLayer), layer, side), h("label", { class: "row" }, h("span", {}, words.spike), spike, amount), h("p", { class: "hint" }, words.normsHint)], () => {
      side.textContent = `${noises[layer.valueAsNumber]}²`;
      amount.textContent = spike.value;
      columns.forEach(({ heat, at }, k) => heat.ask({ seed: this.#state.face, layer: k ? at(noises[layer.valueAsNumber]) : layer.value, spike: spike.value }));
    }];
  }

  /** One row of pixels, frame under frame: what is pinned draws straight lines. */
  _slice() {
    const { words } = this.data, compared = this.#compared.map((of) => [of, this.#live("slice", words.slice, of)]);
    const row = h("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0.6, "aria-label": words.rowOf, oninput: () => this.#refresh() });
    return [[h("div", { class: "pair" }, ...compared.map(([{ title }, live]) => this.#captioned(live, title))), h("label", { class: "row" }, h("span", {}, words.rowOf), row), h("p", { class: "hint" }, words.sliceHint)], () => {
      const { face, psi: truncation } = this.#state, seeds = JSON.stringify([face, face + 1]);
      for (const [, live] of compared) live.ask({ seeds, steps: 48, row: row.value, truncation });
    }];
  }

  /* ---- what the studio says */

  #times = [];

  answered({ response, milliseconds }) {
    const now = performance.now(), network = Number(response.headers.get("X-Milliseconds"));
    this.#times = [...this.#times, now].filter((time) => now - time < 1000);
    this.pace = network || milliseconds;
    const variant = this.say(`variant.${response.headers.get("X-Variant") ?? "exact"}`);
    this.badge.textContent = this.say("badge", { ms: Math.round(network), device: response.headers.get("X-Device") ?? "cpu", size: response.headers.get("X-Size") ?? "", variant, rate: this.#times.length });
    this.root.dataset.answers = Number(this.root.dataset.answers ?? 0) + 1;
  }

  trouble(trouble) {
    if (!trouble) this.#note("");
    else if (trouble.kind === "refused") this.#note(trouble.says || this.say("refused"), true);
    else this.#note(this.say(trouble.kind === "busy" ? "busy" : "away"), true);
  }

  #note(text, wrong = false) {
    this.note.textContent = text;
    this.note.classList.toggle("wrong", wrong);
  }
}
