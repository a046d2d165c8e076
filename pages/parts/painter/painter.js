/*
 * painter.js: the one drawing canvas of the studio, for Streamlit and Gradio alike.
 *
 * The drawing is a Uint8Array with one class index a pixel: 0 is paper and 1 is pen in a sketch; sky, sea,
 * tree ... in a label map. Nothing is ever anti-aliased, so what a model receives is exactly what was painted:
 * no edge colours that belong to no class. The canvas on screen is only a picture of that array.
 *
 *     import { createPainter } from "/painter.js";
 *     const painter = createPainter(element, { width: 256, height: 256, palette, onChange });
 *     painter.encode();       // about 1 kB of text for a typical sketch
 *     await painter.png();    // the exact picture, as a Blob
 *
 * One file, no imports, no build step: it also runs from a blob: address and inside a shadow root.
 *
 * The payload. `encode` writes bytes, then base64url without padding (so it may stand in an address):
 *
 *     byte 0      version, always 1
 *     byte 1      K - 1, where K = highest class in the drawing + 1
 *     bytes 2-3   width,  little-endian
 *     bytes 4-5   height, little-endian
 *     then one number for each run of equal pixels, row after row, runs going on across the ends of rows:
 *         (length - 1) * K + class
 *     written as a varint: seven bits a byte, lowest first, the top bit set on every byte but the last.
 *
 * The lengths of the runs add up to exactly width * height. In Python, with `data` the decoded bytes:
 *
 *     pixels, number, shift = bytearray(), 0, 0
 *     for byte in data[6:]:
 *         number, shift = number | (byte & 127) << shift, shift + 7
 *         if byte < 128:
 *             length, value = divmod(number, data[1] + 1)
 *             pixels += bytes([value]) * (length + 1)      # a server checks the size before this line
 *             number = shift = 0
 */

/** Every word a person sees or hears. Pass `words` to translate; what is missing stays English. */
export const WORDS = {
  canvas: "Drawing area. Arrow keys move the cursor, Space lowers and lifts the pen, Enter fills.",
  toolbar: "Drawing", tools: "Tools", sizes: "Brush size", history: "History", palette: "Classes",
  brush: "Brush", eraser: "Eraser", fill: "Fill an area", line: "Straight line", eyedropper: "Pick a class from the drawing",
  undo: "Undo", redo: "Redo", clear: "Start over",
  size: "Brush, {px} pixels wide",
  at: "{name}, column {x}, row {y}",
  selected: "{name} selected", filled: "Filled with {name}",
  penDown: "Pen down", penUp: "Pen up", cancelled: "Stroke taken back",
  undone: "Undone", redone: "Redone", cleared: "Empty again",
  groups: {}, // headings of palette groups: {ink: "Ink"}; a group without an entry is shown as it is
};

const TOOLS = { brush: "B", eraser: "E", fill: "G", line: "L", eyedropper: "I" };
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const ACTIONS = { undo: MAC ? "⌘Z" : "Ctrl+Z", redo: MAC ? "⇧⌘Z" : "Ctrl+Y", clear: "Delete" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// A step is about as large as what it changed is complicated; a hundred of the worst imaginable (noise over
// 512 x 512) still fit, so nobody ever meets these limits by drawing.
const MOST_STEPS = 500;
const MOST_BYTES = 64 * 2 ** 20;
const MOST_PIXELS = 4096 * 4096;

/* ------------------------------------------------------------------------------------------ the payload */

function pack(values, kinds, bytes = []) {
  for (let start = 0, end; start < values.length; start = end) {
    for (end = start + 1; end < values.length && values[end] === values[start]; ) end++;
    let number = (end - start - 1) * kinds + values[start];
    for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
    bytes.push(number);
  }
  return bytes;
}

function unpack(bytes, kinds, values) {
  let filled = 0;
  for (let at = 0; at < bytes.length; ) {
    let number = 0, scale = 1, byte;
    do {
      byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 35) throw new Error("This drawing is damaged: a run is cut off.");
      number += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    const end = filled + Math.floor(number / kinds) + 1;
    if (end > values.length) throw new Error("This drawing is damaged: it has more pixels than it says.");
    values.fill(number % kinds, filled, end);
    filled = end;
  }
  if (filled !== values.length) throw new Error("This drawing is damaged: it has fewer pixels than it says.");
  return values;
}

export function encode(indices, width, height) {
  let kinds = 1;
  for (const value of indices) if (value >= kinds) kinds = value + 1;
  const bytes = pack(indices, kinds, [1, kinds - 1, width & 255, width >> 8, height & 255, height >> 8]);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.slice(at, at + 4096));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function decode(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  if (bytes.length < 7 || bytes[0] !== 1) throw new Error("This text is not a drawing of the studio (version 1).");
  const width = bytes[2] + 256 * bytes[3], height = bytes[4] + 256 * bytes[5];
  // Checked before memory is taken: a few bytes may claim to be four thousand million pixels.
  if (!width || !height || width * height > MOST_PIXELS) throw new Error(`A drawing cannot be ${width} x ${height}.`);
  return { indices: unpack(bytes.subarray(6), bytes[1] + 1, new Uint8Array(width * height)), width, height };
}

/* ---------------------------------------------------------------------------------------------- geometry */

/** A growing rectangle, right and bottom exclusive, that remembers where something changed. */
class Box {
  constructor() { this.clear(); }
  clear() { this.left = this.top = Infinity; this.right = this.bottom = -Infinity; }
  get empty() { return this.left >= this.right || this.top >= this.bottom; }
  add(left, top, right, bottom) {
    this.left = Math.min(this.left, left); this.right = Math.max(this.right, right);
    this.top = Math.min(this.top, top); this.bottom = Math.max(this.bottom, bottom);
  }
}

// Rows of a round brush, as [first column, last column + 1]. The bit taken off the squared radius makes
// 3 a plus rather than a square and leaves larger discs free of single-pixel spikes.
const discs = new Map();
function disc(diameter) {
  if (!discs.has(diameter)) {
    const reach = Math.max(diameter ** 2 / 4 - 0.3, 0), middle = diameter / 2 - 0.5, rows = [];
    for (let row = 0; row < diameter; row++) {
      const half = Math.sqrt(Math.max(reach - (row - middle) ** 2, 0));
      rows.push([Math.ceil(middle - half), Math.floor(middle + half) + 1]);
    }
    discs.set(diameter, rows);
  }
  return discs.get(diameter);
}

/** Bresenham: every grid point between two, neighbours touching, so a fast stroke cannot have gaps. */
function walk(x, y, endX, endY, visit) {
  const dx = Math.abs(endX - x), dy = -Math.abs(endY - y), stepX = Math.sign(endX - x), stepY = Math.sign(endY - y);
  for (let error = dx + dy; ; ) {
    visit(x, y);
    if (x === endX && y === endY) return;
    const twice = 2 * error;
    if (twice >= dy) { error += dy; x += stepX; }
    if (twice <= dx) { error += dx; y += stepY; }
  }
}

/** Scanline flood fill, 4-connected: fills whole rows and looks only for where rows begin above and below. */
function flood(indices, width, height, x, y, value, box) {
  const old = indices[y * width + x];
  if (old === value) return;
  const seeds = [[x, y]];
  while (seeds.length) {
    const [seedX, row] = seeds.pop(), start = row * width;
    if (indices[start + seedX] !== old) continue;
    let left = seedX, right = seedX + 1;
    while (left > 0 && indices[start + left - 1] === old) left--;
    while (right < width && indices[start + right] === old) right++;
    indices.fill(value, start + left, start + right);
    box.add(left, row, right, row + 1);
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      const offset = next * width;
      for (let column = left; column < right; column++) {
        const open = indices[offset + column] === old;
        if (open && (column === left || indices[offset + column - 1] !== old)) seeds.push([column, next]);
      }
    }
  }
}

/** The end of a line turned to the nearest multiple of 45 degrees. */
function snap(startX, startY, x, y) {
  const dx = x - startX, dy = y - startY, turn = Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) * (Math.PI / 4);
  const signX = Math.round(Math.cos(turn) * 0.9), signY = Math.round(Math.sin(turn) * 0.9);
  const long = signX && signY ? Math.round((Math.abs(dx) + Math.abs(dy)) / 2) : Math.max(Math.abs(dx), Math.abs(dy));
  return [startX + signX * long, startY + signY * long];
}

/* ------------------------------------------------------------------------------------------------- a PNG */

function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  let crc = -1;
  for (const byte of bytes.subarray(4, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  view.setUint32(bytes.length - 4, ~crc);
  return bytes;
}

/* ------------------------------------------------------------------------------------------------ patterns */

// By which classes are told apart without their colours, on request: whether pixel (x, y) of the screen is marked.
const MARKS = [
  () => false,
  (x, y) => y % 8 === 3,
  (x, y) => (x + y) % 8 === 0,
  (x) => x % 8 === 3,
  (x, y) => ((x - y) & 7) === 0,
  (x, y) => x % 8 < 2 && y % 8 < 2,
  (x, y) => x % 8 === 3 || y % 8 === 3,
  (x, y) => (x + y) % 8 === 0 || ((x - y) & 7) === 0,
  (x, y) => ((x >> 2) + (y >> 2)) % 2 === 0,
  (x, y) => y % 4 === 1,
  (x) => x % 4 === 1,
  (x, y) => y % 6 === Math.abs((x % 6) - 3),
];

/** The colour of a class's marks: the colour itself made darker, or lighter if it is dark. In memory order. */
function markOf(colour) {
  const parts = [0, 8, 16].map((shift) => (colour >> shift) & 255);
  const end = 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] > 110 ? 0 : 255;
  const [red, green, blue] = parts.map((part) => Math.round(part + 0.6 * (end - part)));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/* -------------------------------------------------------------------------------------------------- DOM */

/** Strings become text nodes and attributes, never markup: a class may be named "<img onerror=...>". */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [kind, shape] of Object.entries(ICONS[name])) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", shape);
    path.setAttribute("class", `painter-${kind}`);
    svg.append(path);
  }
  return svg;
}

/** One Tab stop for a whole row of buttons; the arrow keys move inside it (the ARIA toolbar pattern). */
function rove(container, signal) {
  const buttons = () => [...container.querySelectorAll("button:not([hidden])")];
  const stop = (button) => buttons().forEach((other) => { other.tabIndex = other === button ? 0 : -1; });
  container.addEventListener("focusin", (event) => stop(event.target), { signal });
  container.addEventListener("keydown", (event) => {
    const all = buttons(), at = all.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || at < 0) return;
    const button = all.at(to % all.length);
    button.focus();
    if (button.getAttribute("role") === "radio") button.click(); // radio buttons choose as they are walked through
    event.preventDefault();
    event.stopPropagation();
  }, { signal });
  return () => stop(container.querySelector("[aria-checked=true]") ?? buttons()[0]);
}

/* ---------------------------------------------------------------------------------------------- the painter */

export class Painter {
  static encode = encode;
  static decode = decode;

  // What `options` may set:
  width = 256;
  height = 256;
  background = 0;
  pen = 1;
  brush = 3;
  brushes = [2, 3, 5, 9, 17];
  /** @type {{name: string, colour: string, group?: string, under?: number}[]} `under`: a class that it never covers */
  palette = [{ name: "paper", colour: "#ffffff" }, { name: "pen", colour: "#000000" }];
  patterns = false; // whether each class is marked by a pattern, too: on the screen only
  pressure = false; // a pen's pressure varies the width only on request: sketches should keep the training width
  /** @type {string | null} the name under which this browser keeps the drawing */
  storage = null;
  /** @type {string[]} */
  hide = [];
  words = WORDS;
  /** @type {(painter: Painter, how: {final: boolean}) => any} */
  onChange = () => {};

  tool = "brush";
  indices = new Uint8Array(0); // class of each pixel, row by row

  #before; // the drawing as of the last finished action: what a cancelled stroke goes back to
  #touched = new Box(); // where `indices` may differ from #before
  #stale = new Box(); // where the screen may differ from `indices`
  #history = []; // steps, oldest first; those from #done on can be redone
  #done = 0;
  #stroke = null; // the action in progress, by pointer or by keyboard
  #told = false; // onChange has seen an unfinished state of it
  #fingers = new Set();
  #hovered = false;
  #frame = 0;
  #cursor; // of the keyboard, in grid pixels
  #previous = "brush"; // the tool an eyedropper hands back to
  #colours = new Uint32Array(256);
  #marks = new Uint32Array(256);
  #ending = new AbortController();

  constructor(element, options = {}) {
    Object.assign(this, options);
    this.words = { ...WORDS, ...this.words };
    this.indices = new Uint8Array(this.width * this.height).fill(this.background);
    this.#cursor = { x: this.width >> 1, y: this.height >> 1 };
    this.#build(element);
    this.#takePalette(this.palette);
    this.setWords(this.words);
    this.#restore();
    this.#before = this.indices.slice();
    this.#stale.add(0, 0, this.width, this.height);
    this.#paint();
    this.setTool("brush");
    this.setBrush(this.brush);
  }

  /* ---- what a page may call */

  encode() {
    return encode(this.indices, this.width, this.height);
  }

  /**
   * The drawing as an opaque 8-bit PNG: palette colours, or with `ids` the class of each pixel as its grey value;
   * `ids` may also be a list of the value for each class.
   * Written by hand because a canvas adds alpha, may convert colours, and in privacy-minded browsers adds noise.
   */
  async png({ ids = false } = {}) {
    const raw = new Uint8Array((1 + this.width * (ids ? 1 : 3)) * this.height);
    for (let i = 0, at = 0; i < this.indices.length; i++) {
      if (i % this.width === 0) at++; // each row starts with its filter: 0, none
      const colour = this.#colours[this.indices[i]];
      if (ids) raw[at++] = ids === true ? this.indices[i] : ids[this.indices[i]];
      else for (let shift = 0; shift < 24; shift += 8) raw[at++] = colour >> shift; // a Uint8Array keeps the low byte
    }
    const stream = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
    const header = new DataView(new ArrayBuffer(13));
    header.setUint32(0, this.width);
    header.setUint32(4, this.height);
    header.setUint16(8, 0x0800 + (ids ? 0 : 2)); // eight bits; grey or RGB
    return new Blob([
      new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]),
      chunk("IHDR", new Uint8Array(header.buffer)),
      chunk("IDAT", new Uint8Array(await new Response(stream).arrayBuffer())),
      chunk("IEND", new Uint8Array()),
    ], { type: "image/png" });
  }

  /**
   * Replaces the drawing in one undoable step by {rle}, {indices, width, height} or {image}. Another size is
   * resampled without blending. Says how many pixels were `exact` and how many had to be `snapped` to the
   * nearest class, and whether the size was `resized`. Loading what is there already is no change: nobody is told.
   */
  load(source) {
    const given = source.rle != null ? decode(source.rle) : source.image ? this.#read(source.image) : source;
    if (given.indices.length !== given.width * given.height) throw new Error("This drawing does not have width x height pixels.");
    const { width, height } = this, fitted = new Uint8Array(width * height);
    let snapped = given.snapped ?? 0;
    for (let y = 0, i = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * given.height) / height) * given.width;
      for (let x = 0; x < width; x++, i++) {
        const value = given.indices[row + Math.floor(((x + 0.5) * given.width) / width)];
        if (value < this.palette.length) fitted[i] = value;
        else { fitted[i] = this.background; snapped++; }
      }
    }
    this.#replace(fitted);
    const resized = given.resized ?? (given.width !== width || given.height !== height);
    return { exact: fitted.length - snapped, snapped, resized };
  }

  clear() {
    this.#replace(new Uint8Array(this.indices.length).fill(this.background));
    this.#announce("cleared");
  }

  undo() {
    this.#cancel();
    if (!this.#done) return;
    this.#toggle(this.#history[--this.#done]);
    this.#announce("undone");
  }

  redo() {
    this.#cancel();
    if (this.#done === this.#history.length) return;
    this.#toggle(this.#history[this.#done++]);
    this.#announce("redone");
  }

  /** Choosing a class means wanting to paint with it, so it also puts the eraser or the eyedropper down. */
  select(index) {
    if (!this.palette[index]) return;
    if (this.tool === "eraser" || this.tool === "eyedropper") this.setTool(this.#previous);
    this.#choose(index);
    this.#announce("selected", { name: this.palette[index].name });
  }

  setTool(name) {
    if (!TOOLS[name]) throw new Error(`There is no tool "${name}"; there are ${Object.keys(TOOLS).join(", ")}.`);
    if (name === "brush" || name === "fill" || name === "line") this.#previous = name;
    this.tool = name;
    this.#show();
    this.#point(...this.#pointed, name);
  }

  setBrush(px) {
    this.brush = Math.min(Math.max(Math.round(px), 1), Math.max(this.width, this.height));
    this.#show();
    this.#point(...this.#pointed, this.tool);
  }

  setPatterns(on) {
    this.patterns = on;
    this.#stale.add(0, 0, this.width, this.height);
    this.#paint();
    this.#listClasses();
  }

  setWords(words = {}) {
    this.words = { ...WORDS, ...words };
    const label = (node, text, keys) => {
      node.setAttribute("aria-label", text);
      if (keys) node.title = `${text} (${keys})`;
    };
    for (const [name, button] of Object.entries(this.#buttons)) label(button, this.words[name], { ...TOOLS, ...ACTIONS }[name]);
    for (const [px, button] of this.#sizes) label(button, this.#say("size", { px }), "[ ]");
    for (const [name, node] of Object.entries(this.#parts)) label(node, this.words[name]);
    this.#listClasses();
  }

  setPalette(palette) {
    this.#cancel();
    const fewer = palette.length < this.palette.length;
    this.#takePalette(palette);
    this.#stale.add(0, 0, this.width, this.height);
    if (fewer) { // classes that are gone become background, and no step of the past may bring them back
      this.#history = [];
      this.#done = 0;
      this.indices.forEach((value, i) => { if (value >= palette.length) this.indices[i] = this.background; });
      this.#before.set(this.indices);
      this.#settle();
    } else this.#paint();
  }

  destroy() {
    this.#ending.abort();
    cancelAnimationFrame(this.#frame);
    this.#root.remove();
  }

  /* ---- the drawing and its history */

  #takePalette(palette) {
    if (!palette.length || palette.length > 255) throw new Error("A palette has 1 to 255 classes.");
    palette.forEach(({ name, colour }, i) => {
      const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
      if (!hex) throw new Error(`The colour of "${name}" should look like #a0c4ff, not ${colour}.`);
      const [red, green, blue] = hex.slice(1).map((two) => parseInt(two, 16));
      this.#colours[i] = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian: R, G, B, A in memory
      this.#marks[i] = markOf(this.#colours[i]);
    });
    this.palette = palette;
    this.#listClasses();
    this.#choose(Math.min(this.pen, palette.length - 1));
  }

  /** Paint and eraser suffice for a sketch: with two classes there is nothing to choose from. */
  get #sketching() { return this.palette.length <= 2 || this.hide.includes("palette"); }

  #change(left, top, right, bottom) {
    left = Math.max(left, 0); right = Math.min(right, this.width);
    top = Math.max(top, 0); bottom = Math.min(bottom, this.height);
    if (left >= right || top >= bottom) return;
    this.#touched.add(left, top, right, bottom);
    this.#refresh(left, top, right, bottom);
  }

  #refresh(left, top, right, bottom) {
    this.#stale.add(left, top, right, bottom);
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
      if (!this.#stroke) return;
      this.#told = true;
      this.onChange(this, { final: false });
    });
  }

  /** Takes the unfinished action off the drawing again. */
  #revert() {
    const { left, top, right, bottom, empty } = this.#touched;
    if (empty) return;
    for (let y = top, at; y < bottom; y++) {
      at = y * this.width;
      this.indices.set(this.#before.subarray(at + left, at + right), at + left);
    }
    this.#touched.clear();
    this.#refresh(left, top, right, bottom);
  }

  /** Ends an action: what it changed becomes one step of the history. */
  #commit() {
    this.#stroke = null;
    this.#cross.dataset.down = false;
    const { left, top, right, bottom, empty } = this.#touched;
    this.#touched.clear();
    const change = empty ? [] : new Uint8Array((right - left) * (bottom - top));
    let kinds = 1;
    for (let y = top, n = 0; y < bottom; y++) {
      for (let i = y * this.width + left; i < y * this.width + right; i++) {
        // Before XOR after: applied to the one it gives the other, so a step is both undo and redo, and it is
        // zero, hence next to nothing once packed, wherever the action changed nothing.
        const value = (change[n++] = this.indices[i] ^ this.#before[i]);
        if (value >= kinds) kinds = value + 1;
        this.#before[i] = this.indices[i];
      }
    }
    if (kinds > 1) {
      this.#history.length = this.#done; // a new action ends what could be redone
      this.#history.push({ left, top, right, bottom, kinds, runs: Uint8Array.from(pack(change, kinds)) });
      let bytes = this.#history.reduce((sum, step) => sum + step.runs.length, 0);
      while (this.#history.length > MOST_STEPS || bytes > MOST_BYTES) bytes -= this.#history.shift().runs.length;
      this.#done = this.#history.length;
    }
    if (kinds > 1 || this.#told) this.#settle();
    else this.#paint();
  }

  #cancel() {
    if (!this.#stroke) return;
    this.#revert();
    this.#commit();
  }

  #replace(indices) {
    this.#cancel();
    this.indices.set(indices);
    this.#change(0, 0, this.width, this.height);
    this.#commit();
  }

  #toggle({ left, top, right, bottom, kinds, runs }) {
    const change = unpack(runs, kinds, new Uint8Array((right - left) * (bottom - top)));
    for (let y = top, n = 0; y < bottom; y++) {
      for (let i = y * this.width + left; i < y * this.width + right; i++) this.#before[i] = this.indices[i] ^= change[n++];
    }
    this.#stale.add(left, top, right, bottom);
    this.#settle();
  }

  #settle() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#told = false;
    this.#paint();
    this.#show();
    try {
      if (this.storage) localStorage.setItem(this.storage, this.encode());
    } catch { /* private window, storage full or forbidden: the drawing just does not outlive the page */ }
    this.onChange(this, { final: true });
  }

  #restore() {
    try {
      const kept = this.storage && localStorage.getItem(this.storage);
      if (!kept) return;
      const { indices, width, height } = decode(kept);
      if (width !== this.width || height !== this.height) return;
      this.indices.set(indices.map((value) => (value < this.palette.length ? value : this.background))); // of a larger palette
      // Later, so that the page has its painter in hand when it hears about the drawing of last time.
      queueMicrotask(() => this.#ending.signal.aborted || this.onChange(this, { final: true }));
    } catch { /* written by another version, or no storage here: start empty */ }
  }

  /** A picture as class indices: fitted inside the grid without blending, each pixel to the nearest palette colour. */
  #read(image) {
    const { width, height } = this, canvas = h("canvas", { width, height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const wide = image.naturalWidth || image.width, high = image.naturalHeight || image.height;
    const scale = Math.min(width / wide, height / high), fitWide = Math.round(wide * scale), fitHigh = Math.round(high * scale);
    context.fillStyle = this.palette[this.background].colour;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, (width - fitWide) >> 1, (height - fitHigh) >> 1, fitWide, fitHigh);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    const nearest = new Map();
    for (let i = this.palette.length; i--; ) nearest.set(this.#colours[i], { index: i, exact: true });
    let snapped = 0;
    const indices = Uint8Array.from(pixels, (colour) => {
      if (!nearest.has(colour)) nearest.set(colour, { index: this.#nearest(colour), exact: false });
      const { index, exact } = nearest.get(colour);
      if (!exact) snapped++;
      return index;
    });
    return { indices, width, height, snapped, resized: wide !== width || high !== height };
  }

  #nearest(colour) {
    let best = 0, least = Infinity;
    for (let i = 0; i < this.palette.length; i++) {
      let distance = 0;
      for (let shift = 0; shift < 24; shift += 8) {
        distance += (((colour >> shift) & 255) - ((this.#colours[i] >> shift) & 255)) ** 2;
      }
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  /* ---- strokes: a pointer and the keyboard both begin one, move it and end it */

  #begin(by, tool, x, y, size = this.brush) {
    const ink = tool === "eraser" ? this.background : this.pen;
    this.#stroke = { by, tool, ink, x, y, size, startX: x, startY: y };
    this.#cross.dataset.down = by === "keys";
    this.#move(x, y);
  }

  #move(x, y, { size = this.#stroke.size, straight = false } = {}) {
    const stroke = this.#stroke, column = Math.floor(x), row = Math.floor(y);
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    if (stroke.tool === "brush" || stroke.tool === "eraser") {
      this.#draw(stroke.x, stroke.y, x, y, size, stroke.ink);
    } else if (stroke.tool === "line") {
      this.#revert(); // the preview is the drawing itself, taken back at each move
      const [endX, endY] = straight ? snap(stroke.startX, stroke.startY, x, y) : [x, y];
      this.#draw(stroke.startX, stroke.startY, endX, endY, size, stroke.ink);
    } else if (stroke.tool === "fill" && !stroke.poured && inside) {
      stroke.poured = true;
      const box = new Box();
      const found = this.indices[row * this.width + column];
      if (found !== this.palette[stroke.ink]?.under) flood(this.indices, this.width, this.height, column, row, stroke.ink, box);
      this.#change(box.left, box.top, box.right, box.bottom);
    } else if (stroke.tool === "eyedropper" && inside) {
      const found = this.indices[row * this.width + column];
      if (found !== this.pen) this.#choose(found);
    }
    Object.assign(stroke, { x, y, size });
  }

  #finish() {
    const { tool } = this.#stroke;
    this.#commit();
    if (tool === "eyedropper") this.setTool(this.#previous); // what was picked is to be painted with
  }

  /** Stamps the round brush at every grid point from (x, y) to (endX, endY); coordinates are continuous. */
  #draw(x, y, endX, endY, size, ink) {
    const [left, top, right, bottom] = [x, y, endX, endY].map((at) => Math.round(at - size / 2)); // corners of the stamp
    const over = this.palette[ink]?.under;
    walk(left, top, right, bottom, (column, row) => {
      for (const [first, end] of disc(size)) {
        const from = Math.max(column + first, 0), to = Math.min(column + end, this.width), at = row++ * this.width;
        if (at < 0 || at >= this.indices.length || from >= to) continue;
        if (over === undefined) this.indices.fill(ink, at + from, at + to);
        else for (let k = at + from; k < at + to; k++) if (this.indices[k] !== over) this.indices[k] = ink;
      }
    });
    this.#change(Math.min(left, right), Math.min(top, bottom), Math.max(left, right) + size, Math.max(top, bottom) + size);
  }

  /* ---- pointers */

  /** A pointer's place in the grid. The rectangle is asked for each time: scroll, zoom and any CSS size are right. */
  #at(event) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * this.width, ((event.clientY - top) / height) * this.height];
  }

  #toolOf(event) {
    const right = event.button === 2 || event.buttons & 2, otherEndOfPen = event.button === 5 || event.buttons & 32;
    if (right || otherEndOfPen) return "eraser";
    return event.altKey && this.#buttons.eyedropper && !this.#sketching ? "eyedropper" : this.tool;
  }

  #sizeOf(event) {
    if (!this.pressure || event.pointerType !== "pen") return this.brush;
    return Math.max(1, Math.round(this.brush * (0.4 + 1.2 * event.pressure))); // half pressure is the size chosen
  }

  #pointerDown(event) {
    const touch = event.pointerType === "touch";
    if (touch) {
      if (event.isPrimary) this.#fingers.clear(); // heals after a lift we were never told about
      this.#fingers.add(event.pointerId);
    }
    const by = this.#stroke?.by;
    if (by === "keys") this.#finish();
    else if (by?.type === "touch") this.#cancel(); // a second finger means a gesture; a pen means the first was a palm
    else if (by) return; // a palm beside a pen at work, or another button of the mouse
    if ((touch && this.#fingers.size > 1) || ![0, 2, 5].includes(event.button)) return;
    try { this.#canvas.setPointerCapture(event.pointerId); } catch { /* made up by a script */ }
    this.#hideCross();
    const tool = this.#toolOf(event), [x, y] = this.#at(event);
    this.#begin({ id: event.pointerId, type: event.pointerType }, tool, x, y, this.#sizeOf(event));
    this.#point(x, y, tool);
    this.#stage.append(this.#ring);
  }

  #pointerMove(event) {
    const drawing = this.#stroke?.by.id === event.pointerId;
    if (drawing && !event.buttons) this.#finish(); // released where we could not hear it
    else if (drawing) {
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) {
        this.#move(...this.#at(move), { size: this.#sizeOf(move), straight: event.shiftKey });
      }
    }
    if (event.pointerType === "touch" && !drawing) return;
    this.#hideCross();
    this.#point(...this.#at(event), this.#stroke?.tool ?? this.#toolOf(event));
    if (!this.#ring.isConnected) this.#stage.append(this.#ring);
  }

  #pointerUp(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#stroke?.by.id === event.pointerId) {
      // The browser takes a touch back when the system wanted it (a palm, an edge swipe): then it never was a stroke.
      if (event.type === "pointercancel") this.#cancel();
      else this.#finish();
    }
    if (event.pointerType === "touch") this.#ring.remove();
  }

  /* ---- the keyboard */

  #key(event) {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    // With a Korean or Greek layout `key` is not a Latin letter; then the place of the key decides.
    const latin = /^[a-z]$/i.test(event.key) || !/^Key[A-Z]$/.test(event.code), key = latin ? event.key : event.code.slice(3);
    const letter = key.length === 1 ? key.toLowerCase() : key;
    if (this.#shortcut(letter, event) || (target === this.#stage && this.#steer(key, event))) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #shortcut(key, event) {
    const shown = (name) => this.#buttons[name]?.hidden === false;
    if (event.ctrlKey || event.metaKey) {
      const name = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
      if (!name || event.altKey || !shown(name)) return false;
      this[name]();
      return true;
    }
    if ((key === "[" || key === "]") && !this.hide.includes("sizes")) {
      const sizes = [...this.brushes].sort((a, b) => a - b);
      const px = key === "[" ? sizes.findLast((px) => px < this.brush) : sizes.find((px) => px > this.brush);
      if (px) this.setBrush(px);
      this.#announce("size", { px: this.brush });
      return true;
    }
    if (event.altKey) return false;
    const tool = Object.keys(TOOLS).find((name) => TOOLS[name].toLowerCase() === key);
    if (tool && shown(tool)) {
      this.setTool(tool);
      this.#announce(tool);
    } else if (key === "Escape" && this.#stroke) {
      this.#cancel();
      this.#announce("cancelled");
    } else if (key === "Delete" && shown("clear")) this.clear();
    else if (/^[1-9]$/.test(key) && !this.#sketching) this.select(key - 1);
    else return false;
    return true;
  }

  /** Drawing without a pointer: arrows steer a crosshair, Space lowers and lifts the pen, Enter fills. */
  #steer(key, event) {
    const { x, y } = this.#cursor, keys = this.#stroke?.by === "keys";
    if (event.ctrlKey || event.metaKey || event.altKey || (this.#stroke && !keys)) return false;
    if (ARROWS[key]) {
      const [dx, dy] = ARROWS[key], far = event.shiftKey ? 8 : 1;
      this.#cursor.x = Math.min(Math.max(x + dx * far, 0), this.width - 1);
      this.#cursor.y = Math.min(Math.max(y + dy * far, 0), this.height - 1);
      if (keys) this.#move(this.#cursor.x + 0.5, this.#cursor.y + 0.5);
      this.#announceCursor();
    } else if (key === " ") {
      if (event.repeat) return true;
      if (!keys) this.#begin("keys", this.tool, x + 0.5, y + 0.5);
      const said = { fill: "filled", eyedropper: "selected" }[this.#stroke.tool]; // these two are done at once
      if (keys || said) this.#finish();
      this.#announce(said ?? (keys ? "penUp" : "penDown"), { name: this.palette[this.pen].name });
    } else if (key === "Enter") {
      if (keys) this.#finish();
      this.#begin("keys", "fill", x + 0.5, y + 0.5);
      this.#finish();
      this.#announce("filled", { name: this.palette[this.pen].name });
    } else return false;
    this.#showCross();
    return true;
  }

  #say(word, values = {}) {
    return this.words[word].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  #announce(word, values) {
    this.#live.textContent = this.#say(word, values);
  }

  #announceCursor() {
    const { x, y } = this.#cursor;
    this.#announce("at", { name: this.palette[this.indices[y * this.width + x]].name, x: x + 1, y: y + 1 });
  }

  /* ---- what people see */

  #root; #stage; #canvas; #screen; #picture; #pixels; #ring; #tip; #cross; #live; #classes;
  #pointed = [0, 0]; #buttons = {}; #parts = {}; #sizes = new Map(); #resetClasses = () => {};

  #build(element) {
    const { signal } = this.#ending, { width, height } = this;
    const button = (name, act, mark) => {
      const node = h("button", { type: "button", class: "painter-button", "data-name": name }, mark);
      node.addEventListener("click", act, { signal });
      return node;
    };
    const group = (part, buttons) => {
      if (!buttons.length) return "";
      return (this.#parts[part] = h("div", { role: "group", class: `painter-${part}` }, ...buttons));
    };
    const shown = (names) => Object.keys(names).filter((name) => !this.hide.includes(name));
    const tools = shown(TOOLS).map((name) => (this.#buttons[name] = button(name, () => this.setTool(name), icon(name))));
    const history = shown(ACTIONS).map((name) => (this.#buttons[name] = button(name, () => this[name](), icon(name))));
    const sizes = this.hide.includes("sizes") ? [] : this.brushes.map((px) => {
      const dot = h("span", { class: "painter-dot", style: `width: ${Math.min(4 + 2 * Math.round(0.6 * px), 26)}px` });
      this.#sizes.set(px, button(`size-${px}`, () => this.setBrush(px), dot));
      return this.#sizes.get(px);
    });
    const groups = [group("tools", tools), group("history", history), group("sizes", sizes)];
    const toolbar = this.#parts.toolbar = h("div", { role: "toolbar", class: "painter-toolbar" }, ...groups);

    this.#canvas = h("canvas", { width, height, class: "painter-canvas" });
    this.#screen = this.#canvas.getContext("2d", { alpha: false });
    this.#picture = new ImageData(width, height);
    this.#pixels = new Uint32Array(this.#picture.data.buffer);
    // The cursor is two small elements placed in percent of the stage rather than a second canvas: they are
    // sharp on any screen and need nobody to tell them about a new size.
    this.#tip = h("span", { class: "painter-tip" });
    this.#ring = h("div", { class: "painter-ring", "aria-hidden": "true" }, this.#tip);
    this.#cross = h("div", { class: "painter-cross", "aria-hidden": "true" });
    const drawn = { class: "painter-stage", tabindex: 0, role: "application", style: `aspect-ratio: ${width} / ${height}` };
    this.#stage = this.#parts.canvas = h("div", drawn, this.#canvas);
    this.#classes = this.#parts.palette = h("div", { class: "painter-palette", role: "radiogroup" });
    this.#live = h("div", { class: "painter-live", "aria-live": "polite" });
    this.#root = h("div", { class: "painter", style: `--painter-ratio: ${width / height}` },
      h("style", {}, CSS), h("div", { class: "painter-body" }, toolbar, this.#stage, this.#classes), this.#live);
    element.append(this.#root);
    rove(toolbar, signal)();
    this.#resetClasses = rove(this.#classes, signal);
    this.#listen(signal);
  }

  #listen(signal) {
    const on = (node, type, act, options) => node.addEventListener(type, act, { signal, ...options });
    on(this.#canvas, "pointerdown", (event) => this.#pointerDown(event));
    on(this.#canvas, "pointermove", (event) => this.#pointerMove(event));
    on(this.#canvas, "pointerup", (event) => this.#pointerUp(event));
    on(this.#canvas, "pointercancel", (event) => this.#pointerUp(event));
    on(this.#canvas, "lostpointercapture", (event) => this.#pointerUp(event));
    on(this.#canvas, "pointerleave", () => this.#stroke || this.#ring.remove());
    on(this.#canvas, "contextmenu", (event) => event.preventDefault());
    // Scribble on an iPad swallows quick strokes of the pencil unless somebody objects:
    // mikepk.com/2020/10/iOS-safari-scribble-bug
    on(this.#canvas, "touchmove", (event) => event.preventDefault(), { passive: false });
    on(this.#stage, "focus", () => this.#stage.matches(":focus-visible") && this.#showCross());
    on(this.#stage, "blur", () => {
      if (this.#stroke?.by === "keys") this.#finish();
      this.#hideCross();
    });
    // Keys reach the painter that has the focus; failing that, the one under the pointer, unless another has the focus.
    on(this.#root, "keydown", (event) => this.#key(event));
    on(this.#root, "pointerenter", () => { this.#hovered = true; });
    on(this.#root, "pointerleave", () => { this.#hovered = false; });
    on(document, "keydown", (event) => {
      if (this.#hovered && !event.composedPath().some((node) => node.classList?.contains("painter"))) this.#key(event);
    });
  }

  #paint() {
    const { left, top, right, bottom, empty } = this.#stale;
    if (empty) return;
    for (let y = top; y < bottom; y++) {
      const start = y * this.width;
      for (let i = start + left; i < start + right; i++) this.#pixels[i] = this.#colours[this.indices[i]];
      if (!this.patterns) continue;
      for (let i = start + left; i < start + right; i++) if (MARKS[this.indices[i] % MARKS.length](i - start, y)) this.#pixels[i] = this.#marks[this.indices[i]];
    }
    this.#screen.putImageData(this.#picture, 0, 0, left, top, right - left, bottom - top);
    this.#stale.clear();
  }

  #choose(index) {
    this.pen = index;
    this.#show();
  }

  /** Brings buttons and swatches in line with the state. */
  #show() {
    const press = (node, on) => node?.setAttribute("aria-pressed", on);
    for (const name of Object.keys(TOOLS)) press(this.#buttons[name], name === this.tool);
    for (const [px, node] of this.#sizes) press(node, px === this.brush);
    this.#buttons.undo?.setAttribute("aria-disabled", !this.#done); // not `disabled`, which would throw the focus away
    this.#buttons.redo?.setAttribute("aria-disabled", this.#done === this.#history.length);
    for (const swatch of this.#classes.querySelectorAll("button")) {
      swatch.setAttribute("aria-checked", Number(swatch.dataset.index) === this.pen);
    }
    this.#stage.dataset.tool = this.tool;
    this.#root.style.setProperty("--painter-ink", this.palette[this.pen]?.colour);
    this.#resetClasses();
  }

  #listClasses() {
    const groups = new Map();
    this.palette.forEach((entry, index) => {
      const about = { type: "button", role: "radio", class: "painter-swatch", "data-index": index, title: entry.name };
      const swatch = h("button", about,
        this.#sample(index),
        h("span", { class: "painter-name" }, entry.name),
        ...(index < 9 ? [h("kbd", { class: "painter-digit", "aria-hidden": "true" }, index + 1)] : []));
      swatch.addEventListener("click", () => this.select(index));
      const key = entry.group ?? "";
      groups.set(key, [...(groups.get(key) ?? []), swatch]);
    });
    this.#classes.replaceChildren(...[...groups].map(([key, swatches]) => {
      const name = (Object.hasOwn(this.words.groups, key) && this.words.groups[key]) || key;
      const list = h("div", { class: "painter-swatches" }, ...swatches);
      return name ? h("div", { role: "group", "aria-label": name }, h("div", { class: "painter-heading" }, name), list) : list;
    }));
    this.#classes.hidden = this.#sketching;
    this.#root.classList.toggle("painter-sketching", this.#sketching);
    this.#root.classList.toggle("painter-many", this.palette.length > 10);
    this.#root.classList.toggle("painter-smooth", this.palette.length <= 2); // a label map shows its pixels
    // Picking paper with an eyedropper would turn the brush into an eraser nobody can see.
    if (this.#buttons.eyedropper) this.#buttons.eyedropper.hidden = this.#sketching;
    this.#show();
  }

  /** A class's colour, with its pattern if patterns are asked for. */
  #sample(index) {
    const place = h("span", { class: "painter-colour", style: `background: ${this.palette[index].colour}` });
    if (!this.patterns) return place;
    const canvas = h("canvas", { width: 24, height: 24 }), context = canvas.getContext("2d"), picture = context.createImageData(24, 24);
    const pixels = new Uint32Array(picture.data.buffer), mark = MARKS[index % MARKS.length];
    for (let i = 0; i < pixels.length; i++) pixels[i] = mark(i % 24, (i / 24) | 0) ? this.#marks[index] : this.#colours[index];
    context.putImageData(picture, 0, 0);
    place.append(canvas);
    return place;
  }

  /** Puts the ring where the pointer or the crosshair is; whether it can be seen is decided by appending it. */
  #point(x, y, tool) {
    const size = tool === "fill" || tool === "eyedropper" ? 0 : this.brush, column = Math.floor(x), row = Math.floor(y);
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    const under = inside && this.palette[this.indices[row * this.width + column]];
    this.#pointed = [x, y];
    this.#ring.dataset.tool = this.#stage.dataset.tool = tool;
    this.#place(this.#ring, x, y);
    this.#ring.style.width = `${(100 * size) / this.width}%`;
    this.#ring.style.setProperty("--painter-under", under ? under.colour : "transparent");
    this.#tip.textContent = tool === "eyedropper" && under ? under.name : "";
  }

  #place(node, x, y) {
    node.style.left = `${(100 * x) / this.width}%`;
    node.style.top = `${(100 * y) / this.height}%`;
  }

  #showCross() {
    const x = this.#cursor.x + 0.5, y = this.#cursor.y + 0.5;
    // The frame of the keyboard: :focus-visible would also frame the picture when a mouse user presses a shortcut.
    this.#stage.append(this.#ring, this.#cross);
    this.#stage.classList.add("painter-steered");
    this.#place(this.#cross, x, y);
    this.#point(x, y, this.tool);
  }

  #hideCross() {
    this.#cross.remove();
    this.#stage.classList.remove("painter-steered");
    if (!this.#stroke) this.#ring.remove();
  }
}

export const createPainter = (element, options) => new Painter(element, options);

/* ------------------------------------------------------------------------------------------ icons and looks */

// On a 24 x 24 grid: `line` is drawn in the text colour, `solid` filled with it, `ink` filled with the chosen class.
const ICONS = {
  brush: {
    line: "M20.5 3.5c-4 1.2-8.6 5.3-10.9 9.1l1.8 1.8c3.8-2.3 7.9-6.9 9.1-10.9z",
    ink: "M8.3 13.7c-2.1-.3-3.7 1.1-4 3.2-.2 1.5-.9 2.5-2.1 3.1 2.9 1.3 8.2.9 8.4-3.9z",
  },
  eraser: { line: "M13.8 4.2 20 10.4 11.4 19H7.6L4 15.4zM8.7 9.3l6.2 6.2M11.4 19H20" },
  fill: {
    line: "M9.5 3.5l8.5 8.5-6.3 6.3a1.5 1.5 0 0 1-2.1 0l-6-6a1.5 1.5 0 0 1 0-2.1l6.2-6.2M3.5 11.2H17",
    ink: "M20.3 14.5c1.2 1.8 1.9 2.9 1.9 3.9a1.9 1.9 0 0 1-3.8 0c0-1 .7-2.1 1.9-3.9z",
  },
  line: {
    line: "M6.5 17.5l11-11",
    ink: "M7.5 16.5a2.3 2.3 0 1 1-3.3 3.3 2.3 2.3 0 0 1 3.3-3.3zM19.8 4.2a2.3 2.3 0 1 1-3.3 3.3 2.3 2.3 0 0 1 3.3-3.3z",
  },
  eyedropper: {
    line: "M12.5 7.5l-7.6 7.6c-.7.7-.9 1.5-.9 2.4v2.5h2.5c.9 0 1.7-.2 2.4-.9l7.6-7.6",
    solid: "M17 3.6a2.4 2.4 0 0 1 3.4 3.4l-2.5 2.5.6.6-1.6 1.6-6.2-6.2 1.6-1.6.6.6z",
  },
  undo: { line: "M8.5 4.5 4 9l4.5 4.5M4 9h9.5a5.5 5.5 0 0 1 0 11H9" },
  redo: { line: "M15.5 4.5 20 9l-4.5 4.5M20 9h-9.5a5.5 5.5 0 0 0 0 11H15" },
  clear: { line: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.9 12.5h9.2L17.5 7M10.5 11v5M13.5 11v5" },
};

// Colours come from Streamlit's theme, else Gradio's, else from the text colour around us, which is right on any
// page, light or dark. Sizes follow the width of the painter, not of the window: it may sit in a narrow column.
const CSS = `
.painter {
  --painter-accent: var(--st-primary-color, var(--color-accent, #d6336c));
  --painter-line: var(--st-border-color, var(--border-color-primary, color-mix(in srgb, currentColor 20%, transparent)));
  --painter-soft:
    var(--st-secondary-background-color, var(--background-fill-secondary, color-mix(in srgb, currentColor 7%, transparent)));
  --painter-target: 40px;
  container-type: inline-size; position: relative; width: 100%;
  color: var(--st-text-color, inherit); font-size: 14px; line-height: 1.25; font-family: var(--st-font, inherit);
  -webkit-tap-highlight-color: transparent;
}
.painter *, .painter *::before, .painter *::after { box-sizing: border-box; }
.painter [hidden] { display: none !important; }
.painter-body {
  --painter-most: calc(max(20rem, 76svh) * var(--painter-ratio));
  display: grid; gap: 10px; grid-template-columns: minmax(0, var(--painter-most)); justify-content: center;
}
.painter-toolbar { display: flex; flex-wrap: wrap; gap: 4px; }
.painter-toolbar > div { display: flex; flex: 1 1 auto; border-radius: 12px; background: var(--painter-soft); }
.painter button {
  all: unset; box-sizing: border-box; position: relative; cursor: pointer; border-radius: 10px;
  user-select: none; -webkit-user-select: none; touch-action: manipulation;
}
.painter .painter-button {
  display: grid; place-items: center; flex: 1 1 var(--painter-target); min-width: var(--painter-target);
  height: var(--painter-target);
}
.painter button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.painter button:active { background: color-mix(in srgb, currentColor 16%, transparent); }
.painter button:focus-visible { outline: 2px solid var(--painter-accent); outline-offset: -2px; }
.painter .painter-button[aria-pressed=true] {
  background: color-mix(in srgb, var(--painter-accent) 16%, transparent); color: var(--painter-accent);
}
.painter .painter-button[aria-pressed=true]::after {
  content: ""; position: absolute; inset: auto 30% 3px; height: 3px; border-radius: 2px; background: currentColor;
}
.painter .painter-button[aria-disabled=true] { opacity: .32; cursor: default; background: none; }
.painter svg { width: 24px; height: 24px; overflow: visible; }
.painter-line { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.painter-solid { fill: currentColor; }
.painter-ink { fill: var(--painter-ink, currentColor); stroke: currentColor; stroke-width: 1.2; stroke-linejoin: round; }
.painter-dot { display: block; aspect-ratio: 1; border-radius: 50%; background: currentColor; }
.painter-stage {
  position: relative; width: 100%; overflow: hidden; contain: layout paint; outline-offset: 2px;
  box-shadow: 0 0 0 1px var(--painter-line); /* no round corners: they would take the corner pixels out of reach */
}
.painter-stage:focus { outline: none; }
.painter-stage.painter-steered { outline: 3px solid var(--painter-accent); }
.painter-canvas {
  display: block; width: 100%; height: 100%; image-rendering: pixelated;
  touch-action: none; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; cursor: none;
}
.painter-smooth .painter-canvas { image-rendering: auto; }
.painter-stage[data-tool=fill] .painter-canvas, .painter-stage[data-tool=eyedropper] .painter-canvas { cursor: crosshair; }
.painter-ring, .painter-cross { position: absolute; pointer-events: none; translate: -50% -50%; }
.painter-ring { aspect-ratio: 1; min-width: 5px; border-radius: 50%; border: 1px solid #fff; outline: 1.5px solid #000; }
.painter-ring[data-tool=fill] { border: 0; outline: 0; }
.painter-ring[data-tool=eyedropper] {
  min-width: 44px; border: 6px solid var(--painter-under); outline: 2px solid #fff;
  box-shadow: 0 0 0 3px #0008, inset 0 0 0 2px #fff;
}
.painter-tip {
  position: absolute; inset: auto auto calc(100% + 12px) 50%; translate: -50%; padding: 3px 8px; border-radius: 6px;
  background: #000c; color: #fff; font-weight: 600; white-space: nowrap;
}
.painter-tip:empty { display: none; }
.painter-cross::before, .painter-cross::after {
  content: ""; position: absolute; translate: -50% -50%; background: #000; box-shadow: 0 0 0 1px #fff;
}
.painter-cross::before { width: 34px; height: 2px; }
.painter-cross::after { width: 2px; height: 34px; }
.painter-cross[data-down=true]::before, .painter-cross[data-down=true]::after { background: var(--painter-accent); }
.painter-heading { margin: 8px 2px 4px; font-size: 12px; font-weight: 600; letter-spacing: .02em; opacity: .75; }
.painter-palette > :first-child .painter-heading { margin-top: 0; }
.painter-swatches { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.3rem, 1fr)); gap: 4px; }
.painter-palette { max-height: 22rem; overflow-y: auto; }
.painter .painter-swatch {
  display: flex; align-items: center; gap: 7px; min-height: var(--painter-target); padding: 3px 7px 3px 5px; min-width: 0;
}
.painter .painter-swatch[aria-checked=true] {
  background: color-mix(in srgb, var(--painter-accent) 14%, transparent); box-shadow: inset 0 0 0 2px var(--painter-accent);
  font-weight: 600;
}
.painter-colour {
  flex: none; width: 28px; height: 28px; border-radius: 8px;
  box-shadow: inset 0 0 0 1px color-mix(in srgb, currentColor 35%, transparent);
}
.painter-colour canvas { display: block; width: 100%; height: 100%; border-radius: inherit; }
.painter-name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.painter-digit { font: inherit; font-size: 11px; opacity: .5; }
.painter-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (min-width: 34rem) {
  .painter:not(.painter-sketching) .painter-body {
    grid-template-columns: minmax(0, var(--painter-most)) minmax(9rem, 12.5rem);
  }
  .painter-toolbar { --painter-target: 44px; grid-column: 1 / -1; gap: 8px; }
  .painter-toolbar > div { flex-grow: 0; padding: 2px; }
  .painter-sizes { order: -1; } .painter-tools { order: -2; } .painter-history { margin-left: auto; }
  .painter-palette { height: 0; min-height: 100%; max-height: none; } /* as high as the stage, never higher */
  .painter-swatches { grid-template-columns: 1fr; gap: 2px; }
}
@media (pointer: fine) {
  @container (min-width: 34rem) {
    .painter .painter-swatch { min-height: 36px; }
    .painter-many .painter-swatch { min-height: 30px; padding-block: 1px; }
    .painter-many .painter-colour { width: 24px; height: 24px; border-radius: 7px; }
  }
}
@media (pointer: coarse) { .painter-digit { display: none; } }
`;
