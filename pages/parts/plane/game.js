/*
 * game.js: the game of two networks in the plane: `train_step` of studio/gans/vanilla/paper.py, step for step. A test
 * plays both from the same weights with the same points and compares what they have become.
 */

import { Adam, MLP } from "./mlp.js";

export const BEYOND = 1e4; // a logit so far from 0 is as good as none: its belief is 0 or 1 to the last digit

/**
 * @typedef {object} Rules  fields of paper.py's Config
 * @property {number} z
 * @property {number} width
 * @property {number} judge_width
 * @property {number} batch
 * @property {number} lr
 * @property {number} judge_lr
 * @property {boolean} saturating
 */

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
/** log(1 + e^x) = -log(1 - sigmoid(x)) @param {number} x */
export const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export class Game {
  /**
   * @param {Rules} rules
   * @param {import("./mlp.js").Random} random  draws the weights
   */
  constructor(rules, random) {
    const { z, width, judge_width: wide } = rules;
    this.rules = { ...rules };
    this.generator = new MLP([z, width, width, 2], 0, true, random);
    this.discriminator = new MLP([2, wide, wide, 1], 0.2, false, random);
    this.optimizers = {
      generator: new Adam(this.generator, rules.lr, [0.5, 0.999]),
      discriminator: new Adam(this.discriminator, rules.judge_lr, [0.5, 0.999]),
    };
    /** The value of the game at the last step of D, and the two beliefs that it is made of. */
    this.value = { v: NaN, real: NaN, fake: NaN };
    /** Whether a number is none any more, or a logit beyond all bounds: then there is only to begin anew. */
    this.broken = false;
  }

  /**
   * D learns to tell real points from made ones.
   *
   * @param {Float64Array} real  (n, 2)
   * @param {Float64Array} z  (n, z)
   */
  judge(real, z) {
    const n = real.length / 2, { discriminator } = this;
    const made = this.generator.forward(z, z.length / this.rules.z), both = new Float64Array(real.length + made.length);
    both.set(real);
    both.set(made, real.length);
    const rows = both.length / 2, logits = discriminator.forward(both, rows), gradient = new Float64Array(rows);
    let v = 0, believed = 0, doubted = 0, most = 0;
    for (let k = 0; k < rows; k++) {
      const belief = sigmoid(logits[k]), count = k < n ? n : rows - n;
      most = Math.max(most, Math.abs(logits[k]));
      v -= softplus(k < n ? -logits[k] : logits[k]) / count;
      if (k < n) believed += belief / count;
      else doubted += belief / count;
      gradient[k] = (k < n ? belief - 1 : belief) / count; // of -log D(x), and of -log(1 - D(G(z)))
    }
    this.value = { v, real: believed, fake: doubted };
    discriminator.clear();
    discriminator.backward(gradient, true);
    this.optimizers.discriminator.lr = this.rules.judge_lr;
    this.optimizers.discriminator.descend();
    this.broken ||= !(most < BEYOND && Number.isFinite(v));
  }

  /** G learns to have its points called real. @param {Float64Array} z  (n, z) */
  fool(z) {
    const rows = z.length / this.rules.z, { generator, discriminator } = this;
    const logits = discriminator.forward(generator.forward(z, rows), rows);
    generator.clear();
    generator.backward(discriminator.backward(this.#pull(logits, rows), false), true);
    this.optimizers.generator.lr = this.rules.lr;
    this.optimizers.generator.descend();
    this.broken ||= !logits.every((logit) => Math.abs(logit) < BEYOND);
  }

  /** The gradient of G's loss by D's logits. @param {Float64Array} logits @param {number} count */
  #pull(logits, count) {
    const { saturating } = this.rules;
    return logits.map((logit) => -(saturating ? sigmoid(logit) : sigmoid(-logit)) / count);
  }

  /** @param {Float64Array} z @returns {Float64Array} (n, 2) */
  make(z) {
    return this.generator.forward(z, z.length / this.rules.z).slice();
  }

  /** @param {Float64Array} points @returns {Float64Array} (n) what D believes of each */
  believe(points) {
    return this.discriminator.forward(points, points.length / 2).map(sigmoid);
  }

  /**
   * Where G's loss wants each point to go, and how long that arrow is on average: with G's loss as it is, and as it
   * would be with each of the two.
   *
   * @param {Float64Array} points  (n, 2)
   */
  pulls(points) {
    const rows = points.length / 2, logits = this.discriminator.forward(points, rows).slice();
    const slopes = this.discriminator.backward(new Float64Array(rows).fill(1), false), arrows = new Float64Array(2 * rows);
    let fooling = 0, saturating = 0;
    for (let k = 0; k < rows; k++) {
      const slope = Math.hypot(slopes[2 * k], slopes[2 * k + 1]), belief = sigmoid(logits[k]);
      fooling += ((1 - belief) * slope) / rows;
      saturating += (belief * slope) / rows;
      const share = this.rules.saturating ? belief : 1 - belief;
      arrows[2 * k] = share * slopes[2 * k];
      arrows[2 * k + 1] = share * slopes[2 * k + 1];
    }
    return { arrows, fooling, saturating };
  }
}

/**
 * The best answer to G as it is, D(x) = p(x) / (p(x) + q(x)), from points: both densities are counted on a grid and
 * smoothed alike.
 *
 * @param {Float64Array} real
 * @param {Float64Array} made
 * @param {number} side  of the grid over [-reach, reach]
 * @param {number} reach
 * @returns {Float64Array} (side * side), row after row from the top
 */
export function best(real, made, side, reach) {
  const [p, q] = [real, made].map((points) => smooth(count(points, side, reach), side));
  const few = 1e-3 / (side * side); // where there is nothing at all, D may say what it likes: 1/2
  return p.map((density, k) => (density + few) / (density + q[k] + 2 * few));
}

/** @param {Float64Array} points @param {number} side @param {number} reach */
function count(points, side, reach) {
  const found = new Float64Array(side * side), n = points.length / 2;
  for (let k = 0; k < points.length; k += 2) {
    const column = Math.floor(((points[k] + reach) / (2 * reach)) * side), row = Math.floor(((reach - points[k + 1]) / (2 * reach)) * side);
    if (column >= 0 && column < side && row >= 0 && row < side) found[row * side + column] += 1 / n;
  }
  return found;
}

/** @param {Float64Array} grid @param {number} side */
function smooth(grid, side) {
  const taps = [0.061, 0.242, 0.394, 0.242, 0.061];
  let now = grid;
  for (const step of [1, side, 1, side]) {
    const next = new Float64Array(now.length);
    for (let k = 0; k < now.length; k++) {
      const at = step === 1 ? k % side : Math.floor(k / side);
      for (let t = -2; t <= 2; t++) if (at + t >= 0 && at + t < side) next[k] += taps[t + 2] * now[k + t * step];
    }
    now = next;
  }
  return now;
}
