/*
 * clouds.js: where the real points are: the clouds of `studio/toys/points.py`, and one that somebody draws.
 */

export const MODES = 8;
export const SPREAD = 0.05; // standard deviation of a Gaussian, and half the width of a line
export const MOST_DRAWN = 150; // places of a drawing: they are in the address
const APART = 0.04; // the least distance of two of them
const RADIUS = 0.8;

/** @typedef {import("./mlp.js").Random} Random */
/** @typedef {[number, number]} Place */

/** @type {(angle: number) => Place} */
const circle = (angle) => [RADIUS * Math.cos(angle), RADIUS * Math.sin(angle)];

/** @type {Record<string, (random: Random) => Place>} the middle of a point of each cloud */
const CLOUDS = {
  gaussians: (random) => circle((2 * Math.PI * Math.floor(MODES * random.next())) / MODES),
  ring: (random) => circle(2 * Math.PI * random.next()),
  moons: (random) => {
    const upper = random.next() < 0.5, t = Math.PI * random.next();
    const x = upper ? Math.cos(t) : 1 - Math.cos(t), y = upper ? Math.sin(t) : 0.5 - Math.sin(t);
    return [0.55 * (x - 0.5), 0.55 * (y - 0.25)];
  },
  spiral: (random) => {
    const t = Math.sqrt(random.next()), [x, y] = circle(4 * Math.PI * t);
    return [(0.85 * t * x) / RADIUS, (0.85 * t * y) / RADIUS];
  },
};

export const KINDS = [...Object.keys(CLOUDS), "drawn"];

/** The middles of the eight Gaussians. @type {Place[]} */
export const CENTRES = Array.from({ length: MODES }, (_, k) => circle((2 * Math.PI * k) / MODES));

/**
 * @param {string} kind  of `KINDS`
 * @param {Random} random
 * @param {number} n
 * @param {Place[]} [places]  what is drawn, of which "drawn" takes its points
 * @returns {Float64Array}  (n, 2) in [-1, 1]; empty if nothing is drawn
 */
export function sample(kind, random, n, places = []) {
  const draw = CLOUDS[kind] ?? (() => places[Math.floor(places.length * random.next())]);
  if (!CLOUDS[kind] && !places.length) return new Float64Array(0);
  const points = new Float64Array(2 * n), inside = (/** @type {number} */ x) => Math.max(-1, Math.min(1, x));
  for (let k = 0; k < n; k++) {
    const [x, y] = draw(random);
    points[2 * k] = inside(x + SPREAD * random.normal());
    points[2 * k + 1] = inside(y + SPREAD * random.normal());
  }
  return points;
}

/**
 * Adds a place to a drawing. One outside of the plane, no number, or as good as one that is there is passed over.
 *
 * @param {Place[]} places
 * @param {number} x
 * @param {number} y
 * @returns {boolean} whether there is room for more
 */
export function add(places, x, y) {
  if (places.length >= MOST_DRAWN) return false;
  if (!(Math.abs(x) <= 1 && Math.abs(y) <= 1)) return true;
  if (!places.some(([a, b]) => Math.hypot(a - x, b - y) < APART)) places.push([x, y]);
  return true;
}

/** @param {Place[]} places @returns {string} "0.10,-0.25;…", as `studio.toys.points.read` has it */
export const written = (places) => places.map((place) => place.map((x) => x.toFixed(2)).join(",")).join(";");

/** What `written` wrote; whatever is no place in the plane is left out. @param {string} text @returns {Place[]} */
export function read(text) {
  /** @type {Place[]} */
  const places = [];
  for (const part of text.split(";")) {
    const [x, y, more] = part.split(",");
    if (x?.trim() && y?.trim() && more === undefined && !add(places, Number(x), Number(y))) break;
  }
  return places;
}

/**
 * How much of what is real is made, too: the share of the real points that have a made one near.
 *
 * @param {Float64Array} real
 * @param {Float64Array} made
 * @param {number} near
 * @returns {number} 0 to 1
 */
export function covered(real, made, near = 3 * SPREAD) {
  let found = 0;
  for (let k = 0; k < real.length; k += 2) {
    for (let i = 0; i < made.length; i += 2) {
      if ((made[i] - real[k]) ** 2 + (made[i + 1] - real[k + 1]) ** 2 < near * near) {
        found++;
        break;
      }
    }
  }
  return real.length ? (2 * found) / real.length : 0;
}

/** How far points are from their middle, on average. @param {Float64Array} points (n, 2) @returns {number} */
export function spread(points) {
  const n = points.length / 2;
  let x = 0, y = 0, far = 0;
  for (let k = 0; k < points.length; k += 2) {
    x += points[k] / n;
    y += points[k + 1] / n;
  }
  for (let k = 0; k < points.length; k += 2) far += Math.hypot(points[k] - x, points[k + 1] - y) / n;
  return far;
}
