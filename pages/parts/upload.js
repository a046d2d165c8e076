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

/** The whole picture in the middle of a square of paper, as ImageData; shrunk by halves, so thin lines survive. */
export function fit(picture, side) {
  let { width, height } = picture, source = picture;
  const scale = Math.min(side / width, side / height), [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  while (width > 2 * wide && height > 2 * high) {
    [width, height] = [width >> 1, height >> 1];
    const smaller = board(width, height);
    smaller.drawImage(source, 0, 0, width, height);
    source = smaller.canvas;
  }
  const paper = board(side, side);
  paper.drawImage(source, (side - wide) >> 1, (side - high) >> 1, wide, high);
  return paper.getImageData(0, 0, side, side);
}

function board(width, height) {
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  return context;
}

/** Lightness (0 to 255) and colourfulness of each pixel, and how light the paper is. */
function look({ data, width, height }) {
  const light = new Float32Array(width * height), colour = new Uint8Array(width * height), counts = new Uint32Array(256);
  for (let i = 0, at = 0; i < light.length; i++, at += 4) {
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
    light[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    colour[i] = Math.max(red, green, blue) - Math.min(red, green, blue);
    counts[Math.floor(light[i])]++;
  }
  let paper = 255;
  for (let above = 0; paper > 1 && (above += counts[paper]) < 0.08 * light.length; ) paper--;
  return { light, colour, paper };
}

/** A guess: mostly paper, dark lines, hardly anything between and hardly any colour is a sketch. */
export function isSketch(pixels) {
  const { light, colour, paper } = look(pixels);
  let bright = 0, middle = 0, coloured = 0;
  for (let i = 0; i < light.length; i++) {
    const share = light[i] / paper;
    if (share > 0.8) bright++;
    else if (share > 0.4) middle++;
    if (colour[i] > 60) coloured++;
  }
  return bright > 0.66 * light.length && middle < 0.16 * light.length && coloured < 0.1 * light.length;
}

/** Class indices of a sketch: ink where it is darker than the paper around it, so shadows on a photo of paper don't count. */
export function ink(pixels, palette, pen) {
  const { width, height, data } = pixels, { light, colour, paper } = look(pixels), reach = 16;
  const sums = new Float64Array((width + 1) * (height + 1)); // summed-area table: any rectangle's mean in four reads
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + (row += light[y * width + x]);
  }
  const colours = palette.map(({ colour: hex }, index) => ({ index, rgb: [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) }))
    .filter(({ rgb }) => Math.max(...rgb) - Math.min(...rgb) > 40);
  return Uint8Array.from(light, (value, i) => {
    const x = i % width, y = (i - x) / width;
    if (colours.length && colour[i] > 70) {
      const distance = ({ rgb }) => rgb.reduce((sum, part, k) => sum + (part - data[4 * i + k]) ** 2, 0);
      return colours.reduce((best, next) => (distance(next) < distance(best) ? next : best)).index;
    }
    const [left, top, right, bottom] = [Math.max(x - reach, 0), Math.max(y - reach, 0), Math.min(x + reach, width), Math.min(y + reach, height)];
    const at = (column, row) => sums[row * (width + 1) + column];
    const around = (at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top)) / ((right - left) * (bottom - top));
    return value < 0.42 * paper || value < around - 0.13 * paper ? pen : 0;
  });
}

/** Whether the picture is one of our own drawings: (nearly) all pixels are exactly palette colours. */
export function isOurs({ data }, palette) {
  const known = new Set(palette.map(({ colour }) => parseInt(colour.slice(1), 16)));
  let exact = 0;
  for (let at = 0; at < data.length; at += 4) exact += known.has((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  return exact > 0.998 * (data.length / 4);
}

/** The picture as a file that is no larger than needed, for the server. */
export async function small(picture, most = 1024) {
  const scale = Math.min(1, most / Math.max(picture.width, picture.height));
  const paper = board(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
  paper.drawImage(picture, 0, 0, paper.canvas.width, paper.canvas.height);
  return new Promise((done) => paper.canvas.toBlob(done, "image/jpeg", 0.92));
}
