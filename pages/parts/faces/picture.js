/* picture.js: what the panels of faces.js show and give away: a picture that follows a verb, a curve, a file. */

import { h } from "../common/dom.js";
import { Link } from "../common/link.js";

const MINUTES = 10 * 60_000; // a film, or a projection, on a small machine

/** An <img> that always shows the newest answer to the newest question. */
export class Live {
  takers = [];
  read = null; // (an answer in JSON) -> the picture in it
  shown = null; // told of each picture
  blob = null;

  constructor(desk, verb, alt = "", { gan, tag } = desk.data) {
    this.img = h("img", { alt, draggable: "false" });
    this.figure = h("div", { class: "live-picture" }, this.img);
    this.tag = () => (gan === desk.data.gan ? desk.data.tag : tag);
    this.link = new Link(`${desk.address}/api/${gan}/${verb}`, {
      answered: async (answer) => {
        desk.answered(answer);
        const seen = answer.blob.type.startsWith("image/") ? answer.blob : await this.read?.(JSON.parse(await answer.blob.text()));
        if (seen) this.show(seen);
      },
      troubled: (trouble) => desk.trouble(trouble),
      patience: MINUTES,
    });
  }

  ask(fields) {
    this.link.ask(async () => ({ ...fields, tag: this.tag() }));
  }

  show(blob) {
    if (this.img.src.startsWith("blob:")) URL.revokeObjectURL(this.img.src);
    this.blob = blob;
    for (const button of this.takers.splice(0)) button.disabled = false;
    this.img.src = typeof blob === "string" ? blob : URL.createObjectURL(blob);
    this.shown?.();
  }

  /** A button that takes the picture away, once there is one. */
  taker(button) {
    if (!this.blob) this.takers.push(button);
    button.disabled = !this.blob;
    return button;
  }

  close() {
    this.link.close();
  }
}

/** A file for the visitor. */
export function save(address, name) {
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** The distance after each step, on a logarithmic scale. */
export function draw(canvas, losses, most) {
  const board = canvas.getContext("2d"), { width, height } = canvas, style = getComputedStyle(canvas);
  const logs = losses.map((loss) => Math.log10(Math.max(loss, 1e-6))), low = Math.min(...logs), high = Math.max(...logs);
  board.clearRect(0, 0, width, height);
  board.strokeStyle = style.color;
  board.lineWidth = 2.5;
  board.beginPath();
  logs.forEach((value, k) => board.lineTo((k / (most - 1)) * width, height - 6 - ((value - low) / (high - low || 1)) * (height - 12)));
  board.stroke();
}
