/*
 * upload.js: from a file that somebody brings (a scan, a photo of paper, a photo of a shoe, something else
 * entirely) to a drawing on the grid. All of it happens in the browser.
 */

const MOST_BYTES = 40 * 2 ** 20;

/** The picture in a file, upright, or null if this browser can't read it. */
export async function open(file) {
  if (file.size > MOST_BYTES) throw Object.assign(new Error("too large"), { word: "tooLarge" });
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
}

/** The whole picture, small enough for a square of `side`; shrunk by halves, so thin lines survive. ImageData. */
export function fit(picture, side) {
  let { width, height } = picture, source = picture;
  const scale = Math.min(side / width, side / height), [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  while (width > 2 * wide && height > 2 * high) {
    [width, height] = [width >> 1, height >> 1];
    const smaller = board(width, height);
    smaller.drawImage(source, 0, 0, width, height);
    source = smaller.canvas;
  }
  const paper = board(wide, high);
  paper.drawImage(source, 0, 0, wide, high);
  return paper.getImageData(0, 0, wide, high);
}

function board(width, height) {
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  return context;
}

/** Lightness (0 to 255) and colourfulness of each pixel. */
function look({ data, width, height }) {
  const light = new Float32Array(width * height), colour = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < light.length; i++, at += 4) {
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
    light[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    colour[i] = Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  return { light, colour };
}

/** How light the paper is at (x, y): a plane through the lighter pixels, so a lamp on one side of the desk is allowed for. */
function paperOf(light, width) {
  let [a, b, c] = [0, 0, 0];
  /** @type {(x: number, y: number) => number} */
  let tilted = () => -Infinity;
  for (let turn = 0; turn < 6; turn++) {
    let [n, x1, y1, xx, xy, yy, z1, xz, yz] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < light.length; i += 3) {
      const x = (i % width) / width - 0.5, y = Math.floor(i / width) / width - 0.5, z = light[i];
      if (z < tilted(x, y) - 6) continue; // ink, or whatever lies on the paper
      n++; x1 += x; y1 += y; xx += x * x; xy += x * y; yy += y * y; z1 += z; xz += x * z; yz += y * z;
    }
    const det = (p, q, r, s, t, u, v, w, m) => p * (t * m - u * w) - q * (s * m - u * v) + r * (s * w - t * v);
    const whole = det(n, x1, y1, x1, xx, xy, y1, xy, yy) || 1;
    [a, b, c] = [det(z1, x1, y1, xz, xx, xy, yz, xy, yy) / whole, det(n, z1, y1, x1, xz, xy, y1, yz, yy) / whole, det(n, x1, z1, x1, xx, xz, y1, xy, yz) / whole];
    tilted = (x, y) => a + b * x + c * y;
  }
  return (x, y) => Math.max(tilted(x / width - 0.5, y / width - 0.5), 20);
}

/** A guess: mostly paper, dark lines, hardly anything between and hardly any colour is a sketch. */
export function isSketch(pixels) {
  const { light, colour } = look(pixels), { width } = pixels, paper = paperOf(light, width);
  let bright = 0, middle = 0, coloured = 0;
  light.forEach((value, i) => {
    const share = value / paper(i % width, Math.floor(i / width));
    if (share > 0.86) bright++;
    else if (share > 0.45) middle++;
    if (colour[i] > 60) coloured++;
  });
  return bright > 0.66 * light.length && middle < 0.14 * light.length && coloured < 0.1 * light.length;
}

/**
 * Class indices on a square of `side`, the picture in its middle: ink where it is darker than the paper around it, so
 * that a shadow on a photo of paper doesn't count.
 */
export function ink(pixels, side, palette, pen) {
  const { width, height, data } = pixels, { light, colour } = look(pixels), paper = paperOf(light, width), reach = 16;
  const sums = new Float64Array((width + 1) * (height + 1)); // summed-area table: any rectangle's mean in four reads
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + (row += light[y * width + x]);
  }
  const colours = palette.map(({ colour: hex }, index) => ({ index, rgb: [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) }))
    .filter(({ rgb }) => Math.max(...rgb) - Math.min(...rgb) > 40);
  const classOf = (x, y, i) => {
    if (colours.length && colour[i] > 70) {
      const distance = ({ rgb }) => rgb.reduce((sum, part, k) => sum + (part - data[4 * i + k]) ** 2, 0);
      return colours.reduce((best, next) => (distance(next) < distance(best) ? next : best)).index;
    }
    const [left, top, right, bottom] = [Math.max(x - reach, 0), Math.max(y - reach, 0), Math.min(x + reach, width), Math.min(y + reach, height)];
    const at = (column, row) => sums[row * (width + 1) + column];
    const around = (at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top)) / ((right - left) * (bottom - top));
    return light[i] < 0.42 * paper(x, y) || light[i] < around - 0.13 * paper(x, y) ? pen : 0;
  };
  const indices = new Uint8Array(side * side), left = (side - width) >> 1, top = (side - height) >> 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) indices[(y + top) * side + x + left] = classOf(x, y, i);
  }
  return indices;
}

/** Whether the picture is one of our own drawings: (nearly) all pixels are exactly palette colours. */
export function isOurs({ data }, palette) {
  const known = new Set(palette.map(({ colour }) => parseInt(colour.slice(1), 16)));
  let exact = 0;
  for (let at = 0; at < data.length; at += 4) exact += known.has((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]) ? 1 : 0;
  return exact > 0.998 * (data.length / 4);
}

/** The picture as a file that is no larger than needed, for the server. */
export async function small(picture, most = 1024) {
  const scale = Math.min(1, most / Math.max(picture.width, picture.height));
  const paper = board(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  paper.drawImage(picture, 0, 0, paper.canvas.width, paper.canvas.height);
  return new Promise((done) => paper.canvas.toBlob(done, "image/jpeg", 0.92));
}
