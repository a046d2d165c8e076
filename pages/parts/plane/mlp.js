/*
 * mlp.js: a fully connected network with its gradients and Adam, as `studio/gans/vanilla/paper.py` has them for points
 * in the plane: two hidden layers, doubles all the way. Rows of a batch lie one after the other in flat arrays.
 */

/** Random numbers that a seed repeats. */
export class Random {
  #state; #spare = NaN;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** Evenly in [0, 1): mulberry32. @returns {number} */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Standard normal: Box and Muller's two at a time. @returns {number} */
  normal() {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next())), angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/**
 * @typedef {object} Layer
 * @property {number} ins
 * @property {number} outs
 * @property {Float64Array} w  (outs, ins), row after row, as torch.nn.Linear keeps it
 * @property {Float64Array} b  (outs)
 * @property {Float64Array} dw
 * @property {Float64Array} db
 */

export class MLP {
  /** @type {number[]} */ sizes;
  /** @type {number} */ slope;
  /** @type {boolean} */ squash;

  /**
   * @param {number[]} sizes  numbers in each layer, from the input to the output
   * @param {number} slope  of the hidden layers where they are below 0: 0 = ReLU, 0.2 = D's leaky ReLU
   * @param {boolean} squash  whether tanh keeps the output in [-1, 1]
   * @param {Random} random  draws the weights, as torch.nn.Linear does: evenly within 1 / sqrt(ins)
   */
  constructor(sizes, slope, squash, random) {
    this.sizes = sizes;
    this.slope = slope;
    this.squash = squash;
    /** @type {Layer[]} */
    this.layers = sizes.slice(1).map((outs, k) => {
      const ins = sizes[k], most = 1 / Math.sqrt(ins), draw = () => most * (2 * random.next() - 1);
      return {
        ins, outs, w: new Float64Array(ins * outs).map(draw), b: new Float64Array(outs).map(draw),
        dw: new Float64Array(ins * outs), db: new Float64Array(outs),
      };
    });
    /** @type {Map<number, {seen: Float64Array[], back: Float64Array[]}>} by rows, so that nothing is made anew */
    this.rooms = new Map();
    /** @type {Float64Array[]} what each layer gave, the input first; of the last `forward` */
    this.seen = [];
    /** @type {Float64Array[]} the gradients by it; of the last `backward` */
    this.back = [];
    this.rows = 0;
  }

  /**
   * @param {Float64Array} x  (rows, sizes[0]); kept until `backward`, so it must not be changed before
   * @param {number} rows
   * @returns {Float64Array}  (rows, sizes.at(-1)); overwritten by the next forward of as many rows
   */
  forward(x, rows) {
    this.#room(rows);
    this.seen[0] = x;
    const { layers, slope } = this, last = layers.length - 1;
    for (let k = 0; k <= last; k++) {
      const { ins, outs, w, b } = layers[k], from = this.seen[k], to = this.seen[k + 1];
      let n = 0;
      for (; n + 4 <= rows; n += 4) { // four rows at once: sums that do not wait for each other, a third of the time
        const r0 = n * ins, r1 = r0 + ins, r2 = r1 + ins, r3 = r2 + ins, out = n * outs;
        for (let o = 0, at = 0; o < outs; o++) {
          let s0 = b[o], s1 = s0, s2 = s0, s3 = s0;
          for (let i = 0; i < ins; i++, at++) {
            const weight = w[at];
            s0 += weight * from[r0 + i];
            s1 += weight * from[r1 + i];
            s2 += weight * from[r2 + i];
            s3 += weight * from[r3 + i];
          }
          to[out + o] = s0;
          to[out + outs + o] = s1;
          to[out + 2 * outs + o] = s2;
          to[out + 3 * outs + o] = s3;
        }
      }
      for (; n < rows; n++) {
        for (let o = 0, at = 0; o < outs; o++) {
          let sum = b[o];
          for (let i = 0; i < ins; i++) sum += w[at++] * from[n * ins + i];
          to[n * outs + o] = sum;
        }
      }
      if (k < last) for (let j = 0; j < to.length; j++) to[j] = to[j] > 0 ? to[j] : slope * to[j];
      else if (this.squash) for (let j = 0; j < to.length; j++) to[j] = Math.tanh(to[j]);
    }
    return this.seen[last + 1];
  }

  /**
   * Adds to each layer's dw and db; only the gradient of the input is returned if the weights are to be let alone.
   *
   * @param {Float64Array} gradient  of the loss by what the last `forward` gave; it is used up
   * @param {boolean} weights  whether dw and db are wanted
   * @returns {Float64Array}  of the loss by the input
   */
  backward(gradient, weights) {
    const { layers, rows, slope } = this, last = layers.length - 1;
    let above = gradient;
    for (let k = last; k >= 0; k--) {
      const { ins, outs, w } = layers[k], to = this.seen[k + 1], below = this.back[k];
      if (k < last) for (let j = 0; j < above.length; j++) above[j] *= to[j] > 0 ? 1 : slope;
      else if (this.squash) for (let j = 0; j < above.length; j++) above[j] *= 1 - to[j] * to[j];
      below.fill(0);
      for (let n = 0; n < rows; n++) {
        const row = n * ins;
        let o = 0;
        for (; o + 4 <= outs; o += 4) {
          const g = n * outs + o, g0 = above[g], g1 = above[g + 1], g2 = above[g + 2], g3 = above[g + 3];
          const w0 = o * ins, w1 = w0 + ins, w2 = w1 + ins, w3 = w2 + ins;
          for (let i = 0; i < ins; i++) below[row + i] += g0 * w[w0 + i] + g1 * w[w1 + i] + g2 * w[w2 + i] + g3 * w[w3 + i];
        }
        for (; o < outs; o++) {
          const g = above[n * outs + o];
          for (let i = 0; i < ins; i++) below[row + i] += g * w[o * ins + i];
        }
      }
      if (weights) learn(layers[k], this.seen[k], above, rows);
      above = below;
    }
    return above;
  }

  clear() {
    for (const { dw, db } of this.layers) {
      dw.fill(0);
      db.fill(0);
    }
  }

  /** @returns {Float64Array[]} weights and biases, layer after layer */
  get parameters() {
    return this.layers.flatMap(({ w, b }) => [w, b]);
  }

  /** @returns {Float64Array[]} */
  get gradients() {
    return this.layers.flatMap(({ dw, db }) => [dw, db]);
  }

  /** @param {number} rows */
  #room(rows) {
    if (!this.rooms.has(rows)) {
      const room = () => this.sizes.map((size) => new Float64Array(rows * size));
      this.rooms.set(rows, { seen: room(), back: room() });
    }
    Object.assign(this, this.rooms.get(rows), { rows });
  }
}

/**
 * Adds a layer's gradients by its weights, from what came in and the gradients by what went out.
 *
 * @param {Layer} layer
 * @param {Float64Array} from
 * @param {Float64Array} above
 * @param {number} rows
 */
function learn({ ins, outs, dw, db }, from, above, rows) {
  let n = 0;
  for (; n + 4 <= rows; n += 4) {
    const r0 = n * ins, r1 = r0 + ins, r2 = r1 + ins, r3 = r2 + ins;
    for (let o = 0, at = 0; o < outs; o++) {
      const g = n * outs + o, g0 = above[g], g1 = above[g + outs], g2 = above[g + 2 * outs], g3 = above[g + 3 * outs];
      db[o] += g0 + g1 + g2 + g3;
      for (let i = 0; i < ins; i++, at++) dw[at] += g0 * from[r0 + i] + g1 * from[r1 + i] + g2 * from[r2 + i] + g3 * from[r3 + i];
    }
  }
  for (; n < rows; n++) {
    for (let o = 0, at = 0; o < outs; o++) {
      const g = above[n * outs + o];
      db[o] += g;
      for (let i = 0; i < ins; i++, at++) dw[at] += g * from[n * ins + i];
    }
  }
}

/** Kingma and Ba 2014 (arXiv 1412.6980), algorithm 1, as torch.optim.Adam computes it. */
export class Adam {
  /**
   * @param {MLP} net
   * @param {number} lr
   * @param {[number, number]} betas
   */
  constructor(net, lr, betas) {
    this.net = net;
    this.lr = lr;
    this.betas = betas;
    this.step = 0;
    this.mean = net.parameters.map((p) => new Float64Array(p.length));
    this.square = net.parameters.map((p) => new Float64Array(p.length));
  }

  /** One step down the gradients that `net` holds. */
  descend() {
    const [b1, b2] = this.betas, { parameters, gradients } = this.net;
    this.step++;
    const first = 1 - b1 ** this.step, second = Math.sqrt(1 - b2 ** this.step);
    parameters.forEach((p, k) => {
      const g = gradients[k], m = this.mean[k], v = this.square[k];
      for (let i = 0; i < p.length; i++) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= ((this.lr / first) * m[i]) / (Math.sqrt(v[i]) / second + 1e-8);
      }
    });
  }
}
