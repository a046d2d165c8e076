/*
 * reel.js: the contact sheets of a run as one film: what the same few examples looked like, from the first step to now.
 *
 * A sheet has a row for each example; the rows are dealt into bands beside each other, so that they fill the screen.
 */

import { h, icon } from "../common/dom.js";
import { ICONS } from "../common/icons.js";

const GAP = 2; // pixels between the pictures of a sheet, as the studio sets them
const NEAR = 3; // pictures that are fetched before they are asked for

export class Sheet {
  #given = null; #drawn = ""; #address = ""; #pictures = new Map(); #width = 0;

  /** `high()`: how many CSS pixels it may be high. */
  constructor(high) {
    this.high = high;
    this.canvas = h("canvas", { role: "img" });
    this.caption = h("figcaption");
    this.root = h("figure", { class: "sheet" }, this.canvas, this.caption);
    this.sight = new ResizeObserver(([entry]) => {
      if (Math.abs(entry.contentRect.width - this.#width) < 1) return;
      this.#width = entry.contentRect.width;
      this.#draw();
    });
    this.sight.observe(this.root);
  }

  /** Shows the picture at an address, `side` pixels a picture in it. What was shown stays until it is there. */
  async show(address, side) {
    this.#address = address;
    const picture = await this.fetch(address);
    if (address !== this.#address || !picture) return;
    this.#given = { picture, side };
    this.#draw();
  }

  /** A picture, fetched once. */
  fetch(address) {
    if (!this.#pictures.has(address)) {
      const picture = new Image();
      picture.src = address;
      this.#pictures.set(address, picture.decode().then(() => picture, () => { this.#pictures.delete(address); return null; }));
    }
    return this.#pictures.get(address);
  }

  redraw() {
    this.#drawn = "";
    this.#draw();
  }

  close() {
    this.sight.disconnect();
  }

  #draw() {
    if (!this.#given || !this.#width) return;
    const { picture, side } = this.#given, pixels = devicePixelRatio || 1, high = this.high();
    const drawn = [picture.src, this.#width, high, pixels].join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const cell = side + GAP, fits = (picture.naturalWidth + GAP) % cell === 0 && (picture.naturalHeight + GAP) % cell === 0;
    const across = fits ? (picture.naturalWidth + GAP) / cell : 1, down = fits ? (picture.naturalHeight + GAP) / cell : 1;
    const wide = fits ? side : picture.naturalWidth, tall = fits ? side : picture.naturalHeight, between = fits ? side / 5 : 0, gap = fits ? side / 24 : 0;
    let best = null;
    for (let bands = 1; bands <= down; bands++) {
      const rows = Math.ceil(down / bands);
      if (bands > 1 && Math.ceil(down / (bands - 1)) === rows) continue;
      const width = bands * (across * (wide + gap) - gap) + (bands - 1) * between, height = rows * (tall + gap) - gap;
      const scale = Math.min(this.#width / width, high / height);
      if (!best || scale > best.scale * 1.02) best = { bands, rows, width, height, scale };
    }
    const { rows, width, height, scale } = best;
    const at = scale * pixels;
    Object.assign(this.canvas, { width: Math.round(width * at), height: Math.round(height * at) });
    Object.assign(this.canvas.style, { width: `${width * scale}px`, height: `${height * scale}px` });
    const board = this.canvas.getContext("2d");
    board.imageSmoothingEnabled = true;
    board.imageSmoothingQuality = "high";
    for (let k = 0; k < across * down; k++) {
      const column = k % across, row = Math.floor(k / across), band = Math.floor(row / rows);
      const x = (band * (across * (wide + gap) - gap + between) + column * (wide + gap)) * at, y = (row % rows) * (tall + gap) * at;
      board.drawImage(picture, fits ? column * cell : 0, fits ? row * cell : 0, wide, tall, Math.round(x), Math.round(y), Math.round(wide * at), Math.round(tall * at));
    }
  }
}

export class Reel {
  #track = null; #other = null; #place = 0; #follow = true; #timer = 0;
  say; said; time; number; // the room's own

  /** `moved(step)`: other pictures are shown. */
  constructor({ high, moved }) {
    this.moved = moved;
    this.sheet = new Sheet(high);
    this.beside = new Sheet(high);
    this.beside.root.hidden = true;
    this.slide = h("input", { type: "range", min: 0, max: 0, value: 0, step: 1, oninput: () => { this.stop(); this.#go(this.slide.valueAsNumber); } });
    this.play = h("button", { type: "button", class: "button round", onclick: () => (this.#timer ? this.stop() : this.start()) });
    this.latest = h("button", { type: "button", class: "button", onclick: () => { this.stop(); this.follow(); } });
    this.says = h("output", { class: "when" });
    this.empty = h("p", { class: "nothing" });
    this.columns = h("p", { class: "columns" });
    this.row = h("div", { class: "scrubber" }, this.play, this.slide, this.latest, this.says);
    this.root = h("section", { class: "reel" }, h("div", { class: "sheets" }, this.sheet.root, this.beside.root, this.empty), this.columns, this.row);
    for (const eager of ["pointerenter", "focusin"]) this.row.addEventListener(eager, () => this.#fetchAll(), { once: true });
  }

  speak(say, said, time, number) {
    this.say = say;
    this.said = said;
    this.time = time;
    this.number = number;
    this.slide.setAttribute("aria-label", say("scrubber"));
    this.latest.textContent = say("latest");
    this.empty.textContent = say("noSamples");
    this.#buttons();
    this.#tell();
  }

  /** The run whose film it is, and another one beside it (null = none), compared at the same "step" or "share". */
  update(track, other = null, by = "step") {
    this.#track = track;
    this.#other = other?.run ? other : null;
    const named = (track.run?.columns ?? []).map((each) => this.said?.(each) ?? each.en);
    this.columns.textContent = named.length ? `${this.say("columns")} ${named.join(" · ")}` : "";
    this.by = by;
    const count = track.samples.length;
    this.empty.hidden = count > 0;
    this.row.classList.toggle("off", count < 2);
    this.slide.max = Math.max(0, count - 1);
    if (this.#follow || this.#place >= count) this.#place = Math.max(0, count - 1);
    this.#show();
  }

  follow() {
    this.#follow = true;
    this.#place = Math.max(0, this.#track.samples.length - 1);
    this.#show();
  }

  /** To the pictures of a step. */
  seek(step) {
    this.stop();
    this.#go(this.#track.sampleAt(step));
  }

  get step() {
    return this.#track?.samples[this.#place]?.step ?? null;
  }

  start() {
    const { samples } = this.#track ?? { samples: [] };
    if (samples.length < 2) return;
    this.#fetchAll();
    const pause = Math.max(60, Math.min(400, 7000 / samples.length));
    if (this.#place >= samples.length - 1) this.#go(0);
    const turn = async () => {
      const next = this.#place + 1;
      if (next >= this.#track.samples.length) return this.stop();
      await this.sheet.fetch(this.#track.picture(this.#track.samples[next]));
      if (!this.#timer) return;
      this.#go(next);
      this.#timer = setTimeout(turn, pause);
    };
    this.#timer = setTimeout(turn, pause);
    this.#buttons();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#buttons();
  }

  close() {
    this.stop();
    this.sheet.close();
    this.beside.close();
  }

  #buttons() {
    if (!this.say) return;
    const playing = this.#timer !== 0;
    this.play.replaceChildren(icon(ICONS[playing ? "hold" : "play"]));
    this.play.setAttribute("aria-label", this.say(playing ? "hold" : "play"));
    this.play.title = this.say(playing ? "hold" : "play");
  }

  #go(place) {
    this.#place = place;
    this.#follow = !this.#timer && place >= this.#track.samples.length - 1;
    this.#show();
  }

  async #fetchAll() {
    const { samples } = this.#track ?? { samples: [] };
    for (const sample of samples) await this.sheet.fetch(this.#track.picture(sample));
  }

  #show() {
    const track = this.#track, sample = track.samples[this.#place];
    this.slide.value = this.#place;
    this.latest.setAttribute("aria-pressed", this.#follow);
    this.beside.root.hidden = !this.#other || !this.#other.samples.length;
    this.#tell();
    if (!sample) return;
    this.sheet.show(track.picture(sample), track.run.config.size);
    for (let near = 1; near <= NEAR && !this.#follow; near++)
      for (const place of [this.#place - near, this.#place + near]) if (track.samples[place]) this.sheet.fetch(track.picture(track.samples[place]));
    if (!this.beside.root.hidden) {
      const theirs = this.#other.samples[this.#theirs(sample)];
      this.beside.show(this.#other.picture(theirs), this.#other.run.config.size);
    }
    this.moved(sample.step);
  }

  #theirs(sample) {
    const last = (track) => track.samples.at(-1).step || 1;
    return this.#other.sampleAt(this.by === "share" ? (sample.step / last(this.#track)) * last(this.#other) : sample.step);
  }

  #tell() {
    const track = this.#track, sample = track?.samples[this.#place];
    if (!this.say || !sample) return;
    const words = (of, each) => this.say("at", { step: this.number(each.step), time: this.time(of.secondsAt(each.step)) });
    this.says.textContent = words(track, sample);
    this.slide.setAttribute("aria-valuetext", words(track, sample));
    this.sheet.canvas.setAttribute("aria-label", this.say("sheet", { step: this.number(sample.step) }));
    this.sheet.caption.textContent = "";
    if (!this.beside.root.hidden) {
      const theirs = this.#other.samples[this.#theirs(sample)];
      this.sheet.caption.textContent = `${track.run.title} · ${words(track, sample)}`;
      this.beside.caption.textContent = `${this.#other.run.title} · ${words(this.#other, theirs)}`;
      this.beside.canvas.setAttribute("aria-label", this.say("sheet", { step: this.number(theirs.step) }));
    }
  }
}
