/*
 * ground.js: paints the plane: D's belief as the ground's colour, real points as rings, made points as discs, and where
 * G is pulled as arrows.
 */

export const REACH = 1.15; // the plane is seen from -REACH to REACH; its points are within 1
export const SIDE = 40; // cells of the ground a side
const LONGEST = 0.3, SCALE = 0.12; // of an arrow, and its length for a gradient of 1

/** @typedef {{real: string, made: string, text: string, ground: number[][]}} Inks  ground: RGB of D = 0, 1/2, 1 */

/** The middles of the ground's cells, row after row from the top. */
export const CELLS = Float64Array.from({ length: 2 * SIDE * SIDE }, (_, k) => {
  const at = Math.floor(k / 2), part = (/** @type {number} */ j) => REACH * ((2 * j + 1) / SIDE - 1);
  return k % 2 ? -part(Math.floor(at / SIDE)) : part(at % SIDE);
});

export class Ground {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.board = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.cells = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
    this.small = /** @type {CanvasRenderingContext2D} */ (this.cells.getContext("2d"));
    this.pixels = this.small.createImageData(SIDE, SIDE);
  }

  /** As many pixels as the screen has there. Returns whether that changed. */
  fit() {
    const side = Math.max(64, Math.min(1600, Math.round(this.canvas.clientWidth * (globalThis.devicePixelRatio || 1))));
    if (this.canvas.width === side) return false;
    this.canvas.width = this.canvas.height = side;
    return true;
  }

  /** The colours of the theme that is on. @param {Element} element @returns {Inks} */
  inks(element) {
    const style = getComputedStyle(element), paper = this.#rgb(style.getPropertyValue("--st-background-color"), "#fff");
    const dark = paper[0] + paper[1] + paper[2] < 384, mix = (/** @type {number[]} */ to, /** @type {number} */ share) => paper.map((x, k) => x + share * (to[k] - x));
    return {
      real: dark ? "#8ab8ff" : "#1d4fa8", made: dark ? "#ffab5e" : "#c44f00", text: dark ? "#ffffff" : "#1c1e2b",
      ground: [mix([238, 118, 20], dark ? 0.5 : 0.5), paper, mix([52, 120, 230], dark ? 0.55 : 0.45)],
    };
  }

  /** @param {string} colour @param {string} usual @returns {number[]} */
  #rgb(colour, usual) {
    this.small.fillStyle = usual;
    this.small.fillStyle = colour.trim() || usual; // nonsense leaves the one before
    const hex = String(this.small.fillStyle);
    return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) || 0);
  }

  /** @param {Float64Array} belief (SIDE * SIDE) in [0, 1] @param {Inks} inks */
  colour(belief, { ground: [low, middle, high] }) {
    const { data } = this.pixels;
    for (let k = 0; k < belief.length; k++) {
      const d = belief[k], to = d < 0.5 ? low : high, share = Number.isFinite(d) ? Math.min(1, Math.abs(2 * d - 1)) ** 0.6 : 0; // also what D only suspects is seen
      for (let c = 0; c < 3; c++) data[4 * k + c] = middle[c] + share * (to[c] - middle[c]);
      data[4 * k + 3] = 255;
    }
    this.small.putImageData(this.pixels, 0, 0);
  }

  /**
   * @param {{real: Float64Array, made: Float64Array, arrows: Float64Array | null, places: [number, number][]}} seen
   * @param {Inks} inks
   */
  paint({ real, made, arrows, places }, inks) {
    const { board, canvas } = this, side = canvas.width, unit = side / (2 * REACH);
    const x = (/** @type {number} */ at) => (at + REACH) * unit, y = (/** @type {number} */ at) => (REACH - at) * unit;
    board.imageSmoothingEnabled = true;
    board.drawImage(this.cells, 0, 0, side, side);
    board.lineWidth = Math.max(1, side / 500);
    board.strokeStyle = inks.text;
    board.globalAlpha = 0.25;
    board.strokeRect(x(-1), y(1), 2 * unit, 2 * unit);
    board.globalAlpha = 0.5;
    for (const [a, b] of places) board.strokeRect(x(a) - side / 130, y(b) - side / 130, side / 65, side / 65);
    const size = Math.max(2.2, side / 170);
    board.globalAlpha = 0.8;
    board.strokeStyle = inks.real;
    board.lineWidth = Math.max(1.2, side / 380);
    board.beginPath(); // of all at once: a path is cheap, its start is not
    for (let k = 0; k < real.length; k += 2) {
      board.moveTo(x(real[k]) + size, y(real[k + 1]));
      board.arc(x(real[k]), y(real[k + 1]), size, 0, 2 * Math.PI);
    }
    board.stroke();
    board.fillStyle = inks.made;
    board.globalAlpha = 0.9;
    board.beginPath();
    for (let k = 0; k < made.length; k += 2) {
      if (!Number.isFinite(made[k] + made[k + 1])) continue;
      board.moveTo(x(made[k]), y(made[k + 1]));
      board.arc(x(made[k]), y(made[k + 1]), size * 1.1, 0, 2 * Math.PI);
    }
    board.fill();
    if (arrows) this.#arrows(made, arrows, inks, unit, x, y);
    board.globalAlpha = 1;
  }

  /**
   * @param {Float64Array} made @param {Float64Array} arrows @param {Inks} inks @param {number} unit
   * @param {(at: number) => number} x @param {(at: number) => number} y
   */
  #arrows(made, arrows, inks, unit, x, y) {
    const { board } = this, side = this.canvas.width;
    board.strokeStyle = inks.text;
    board.lineWidth = Math.max(1.2, side / 420);
    board.globalAlpha = 0.75;
    board.beginPath();
    for (let k = 0; k < made.length; k += 8) { // of every fourth point
      const long = Math.hypot(arrows[k], arrows[k + 1]), shown = Math.min(LONGEST, SCALE * long);
      if (!(shown * unit > 2)) continue;
      const dx = (arrows[k] / long) * shown, dy = (arrows[k + 1] / long) * shown;
      const [x0, y0, x1, y1] = [x(made[k]), y(made[k + 1]), x(made[k] + dx), y(made[k + 1] + dy)];
      const head = Math.min(0.4 * shown * unit, side / 60), angle = Math.atan2(y1 - y0, x1 - x0);
      board.moveTo(x0, y0);
      board.lineTo(x1, y1);
      for (const turn of [2.6, -2.6]) {
        board.moveTo(x1, y1);
        board.lineTo(x1 + head * Math.cos(angle + turn), y1 + head * Math.sin(angle + turn));
      }
    }
    board.stroke();
  }

  /** Where a pointer is in the plane. @param {PointerEvent} event @returns {[number, number]} */
  place(event) {
    const box = this.canvas.getBoundingClientRect(), part = (/** @type {number} */ at, /** @type {number} */ all) => REACH * ((2 * at) / all - 1);
    return [part(event.clientX - box.left, box.width), -part(event.clientY - box.top, box.height)];
  }
}
