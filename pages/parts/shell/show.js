/*
 * show.js: the studio's welcome: an example is drawn before your eyes and becomes a picture while it grows.
 *
 * Each example is shown once, then the last one stays: a room full of open home pages must not keep the server busy.
 */

import { Link, studio } from "../common/link.js";
import { mounting } from "../common/part.js";

const SECONDS = 2.4, REST = 2.2;

class Show {
  #data = {}; #started = false; #frame = 0; #timer = 0; #picture = null;

  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "show";
    this.canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
    this.board = this.canvas.getContext("2d", { willReadFrequently: true });
    this.frame = Object.assign(document.createElement("div"), { className: "made" });
    this.root.append(this.canvas, Object.assign(document.createElement("span"), { className: "arrow", ariaHidden: "true", textContent: "→" }), this.frame);
    parent.append(this.root);
    this.#wipe();
  }

  update(data) {
    this.#data = data;
    this.address = studio(data.page);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", data.words.sketch);
    if (this.#picture) this.#picture.alt = data.words.picture;
    if (this.#started) return;
    this.#started = true;
    this.link = new Link(`${this.address}/api/${data.gan}/${data.verb}`, { answered: ({ blob }) => this.#made(blob) });
    this.#play(0);
  }

  close() {
    this.link?.close();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.root.remove();
  }

  #wipe() {
    this.board.fillStyle = "#fff";
    this.board.fillRect(0, 0, 256, 256);
  }

  async #play(turn) {
    const example = this.#data.examples[turn];
    if (!example) return;
    const picture = new Image();
    picture.src = this.address + example.file;
    try {
      await picture.decode();
    } catch {
      return this.#play(turn + 1);
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches, started = performance.now();
    const draw = (now) => {
      const share = still || document.hidden ? 1 : Math.min((now - started) / (1000 * SECONDS), 1), wide = Math.max(1, Math.round(256 * share));
      this.#wipe();
      this.board.drawImage(picture, 0, 0, (picture.naturalWidth * wide) / 256, picture.naturalHeight, 0, 0, wide, 256);
      this.link.ask(() => this.#form());
      if (share < 1) this.#frame = requestAnimationFrame(draw);
      else if (turn + 1 < this.#data.examples.length && !still) this.#timer = setTimeout(() => this.#play(turn + 1), 1000 * REST);
    };
    this.#frame = requestAnimationFrame(draw);
  }

  async #form() {
    const sketch = await new Promise((done) => this.canvas.toBlob(done, "image/png"));
    return { [this.#data.field]: sketch, tag: this.#data.tag };
  }

  async #made(blob) {
    const picture = new Image();
    picture.src = URL.createObjectURL(blob);
    picture.alt = this.#data.words.picture;
    await picture.decode().catch(() => {});
    if (this.#picture) URL.revokeObjectURL(this.#picture.src);
    this.frame.replaceChildren(picture);
    this.#picture = picture;
  }
}

export default mounting(Show);
