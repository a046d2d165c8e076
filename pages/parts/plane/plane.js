/*
 * plane.js: the game of a GAN, live, with points in the plane. The networks are trained here in the browser, with the
 * rules that the page is told (GAN.PLANE of studio/gans/vanilla/paper.py): a class of thirty costs the server nothing.
 *
 * A round is k steps of D and then as many of G as "turns" says. A picture is painted after what fits into BUDGET.
 */

import { lay } from "../common/desk.js";
import { h } from "../common/dom.js";
import { mounting, sentence } from "../common/part.js";
import { add, CENTRES, covered, KINDS, MODES, MOST_DRAWN, read, sample, spread, written } from "./clouds.js";
import { best, Game } from "./game.js";
import { CELLS, Ground, REACH, SIDE } from "./ground.js";
import { Meters } from "./meters.js";
import { Random } from "./mlp.js";

const BUDGET = 10; // milliseconds of training between two pictures: more than 20 of them a second on a slow machine
const SPEEDS = [1, 6, 30, 100, Infinity]; // rounds a second
const TIMES = [0.1, 0.3, 1, 3, 10, 100, 1000, 10000]; // the dial of the step sizes
const SHOWN = 260; // points of each kind
const AHEAD = 200;
const DIALS = { real: "gaussians", turns: 1, k: 1, times: 1, saturating: false, speed: 2, drawn: "" };

const KEPT = 5000; // milliseconds
/** The game of a page that has just been built anew (another language does that): it goes on where it was. */
let left = /** @type {any} */ (null);

class Plane {
  judges; fools; aheads; anews; erases;
  #data = {}; #tell = /** @type {(name: string, value: any) => void} */ (() => {}); #dials = { ...DIALS }; #places = []; #running = false; #frame = 0; #seen = true; #told = "";

  constructor(parent) {
    this.#build();
    parent.append(this.root);
    this.ground = new Ground(this.canvas);
    this.observer = new IntersectionObserver(([entry]) => { this.#seen = entry.isIntersecting; this.#wake(); });
    this.observer.observe(this.canvas);
    this.resized = new ResizeObserver(() => this.#wake());
    this.resized.observe(this.canvas);
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys);
  }

  update(data, { setStateValue }) {
    const before = this.#data;
    this.#data = data;
    this.#tell = setStateValue ?? (() => {});
    if (!before.rules) {
      const asked = data.dials ?? Object.fromEntries(new URLSearchParams(location.search)), kind = KINDS.includes(asked.real) ? asked.real : DIALS.real;
      const within = (name, low, high) => (Number.isFinite(Number(asked[name] ?? NaN)) ? Math.min(high, Math.max(low, Math.round(Number(asked[name])))) : DIALS[name]);
      this.#dials = {
        ...DIALS, real: kind, saturating: ["1", "true"].includes(String(asked.saturating)), times: TIMES.find((times) => times === Number(asked.times)) ?? 1,
        turns: within("turns", 0, 20), k: within("k", 0, 20), speed: within("speed", 0, SPEEDS.length - 1),
      };
      this.#places = read(String(asked.drawn ?? ""));
      if (!this.#back()) this.#anew();
    }
    if (JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#speak();
    this.#wake();
  }

  close() {
    const { random, game, z, counts, points, blank } = this;
    left = game && { mark: this.#mark(), when: performance.now(), running: this.#running, places: this.#places, own: { random, game, z, counts, points, blank } };
    cancelAnimationFrame(this.#frame);
    document.removeEventListener("keydown", this.keys);
    this.observer.disconnect();
    this.resized.disconnect();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  // ---- the game ------------------------------------------------------------------------------------------------

  /** What must be the same for a game to go on. */
  #mark() {
    return JSON.stringify([this.#data.gan, this.#data.rules, this.#dials]);
  }

  /** Takes up the game that was left a moment ago, if it is this one. */
  #back() {
    const kept = left;
    left = null;
    if (kept?.mark !== this.#mark() || performance.now() - kept.when > KEPT) return false;
    Object.assign(this, kept.own);
    this.#places = kept.places;
    this.#running = kept.running;
    return true;
  }

  #anew() {
    const { rules, seed } = this.#data;
    this.random = new Random(seed ?? Math.floor(Math.random() * 2 ** 31));
    this.game = new Game(rules, this.random);
    this.z = this.#noise(SHOWN);
    this.counts = { d: 0, g: 0, rounds: 0, place: 0 };
    this.meters.clear();
    this.#real();
    this.#wake();
  }

  #noise(n) {
    return new Float64Array(n * this.#data.rules.z).map(() => this.random.normal());
  }

  /** The real points that are shown; those that D learns from are drawn anew for each step. */
  #real() {
    this.points = sample(this.#dials.real, this.random, SHOWN, this.#places);
    this.blank = !this.points.length;
  }

  #step(who) {
    const { game, counts } = this, { rules } = this.#data, { saturating, times } = this.#dials;
    if (game.broken || this.blank) return;
    Object.assign(game.rules, { saturating, lr: times * rules.lr, judge_lr: times * rules.judge_lr });
    if (who === "d") {
      game.judge(sample(this.#dials.real, this.random, rules.batch, this.#places), this.#noise(rules.batch));
      this.meters.add(game.value.v);
    } else game.fool(this.#noise(rules.batch));
    counts[who]++;
  }

  /** The next step of a round. */
  #next() {
    const { k, turns } = this.#dials, { counts } = this;
    if (counts.place >= k + turns) counts.place = 0;
    this.#step(counts.place < k ? "d" : "g");
    if (++counts.place === k + turns) counts.rounds++;
  }

  #train(now) {
    const { k, turns, speed } = this.#dials, round = k + turns, passed = Math.min(250, now - (this.last ?? now));
    this.owed = Math.min(SPEEDS[speed] === Infinity ? Infinity : (this.owed || 0) + (passed / 1000) * SPEEDS[speed] * round, 1e6);
    if (!round) return;
    const end = performance.now() + BUDGET;
    for (; this.owed >= 1 && !this.game.broken && performance.now() < end; this.owed--) this.#next();
    if (SPEEDS[speed] !== Infinity) this.owed = Math.min(this.owed, 20 * round); // what is not done now is not caught up for long
    if (this.game.broken) this.#run(false);
  }

  #wake() {
    if (!this.#frame && this.game) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now) {
    this.#frame = 0;
    if (!this.canvas.isConnected || !this.#seen) { // nobody looks: the game waits
      this.last = undefined;
      return;
    }
    if (this.#running) this.#train(now);
    this.fps = this.last && this.#running ? 0.9 * (this.fps || 30) + (0.1 * 1000) / Math.max(1, now - this.last) : this.fps;
    this.last = this.#running ? now : undefined;
    const fitted = this.ground.fit();
    this.pictures = (this.pictures ?? 0) + 1;
    this.#paint(!this.#running || fitted || this.pictures % 6 === 0);
    if (this.#running) this.#wake();
  }

  /** @param all  also what is read: figures and sentences need not change sixty times a second */
  #paint(all) {
    const { game } = this, inks = this.ground.inks(this.root), made = game.make(this.z), pulls = game.pulls(made), ground = this.shade.value;
    if (all || (this.counts.d !== this.coloured && this.pictures % 2)) {
      const half = () => new Float64Array(SIDE * SIDE).fill(0.5);
      this.ground.colour(ground === "belief" ? game.believe(CELLS) : ground === "best" && !this.blank ? this.#best() : half(), inks);
      this.coloured = this.counts.d;
    }
    this.ground.paint({ real: this.points, made, arrows: this.arrows.checked ? pulls.arrows : null, places: this.#dials.real === "drawn" ? this.#places : [] }, inks);
    if (all) this.#figures(made, pulls);
  }

  #figures(made, pulls) {
    const { value } = this.game, { saturating, real } = this.#dials, share = covered(this.points, made), eight = real === "gaussians", places = eight ? this.#modes(made) : 0;
    this.meters.show(value, { ...pulls, uses: saturating }, eight ? places / MODES : share, eight ? this.say("modes", { n: places }) : "");
    const wide = spread(made), { rounds, d, g } = this.counts, fps = this.#running ? Math.round(this.fps || 0) : 0;
    this.#status({ ...pulls, share, spread: wide });
    lay(`${this.#data.gan}/game`, { real: value.real, fake: value.fake });
    this.counter.textContent = this.say("rounds", { rounds, d, g, fps });
    Object.assign(this.root.dataset, { rounds, d, g, fps, share: share.toFixed(3), places, spread: wide.toFixed(3), v: value.v, length: saturating ? pulls.saturating : pulls.fooling });
  }

  #best() {
    const z = this.#noise(2000);
    return best(sample(this.#dials.real, this.random, 2000, this.#places), this.game.make(z), SIDE, REACH);
  }

  /** How many of the eight places have at least a hundredth of the made points. */
  #modes(made) {
    const at = CENTRES.map(() => 0);
    for (let k = 0; k < made.length; k += 2) CENTRES.forEach(([x, y], place) => { if (Math.hypot(made[k] - x, made[k + 1] - y) < 0.15) at[place]++; });
    return at.filter((n) => n >= made.length / 200).length;
  }

  /** What is going on, in a sentence. */
  #status({ fooling, saturating, share, spread: wide }) {
    const { game, counts } = this, { k, turns } = this.#dials, { real, fake } = game.value, starved = fooling / Math.max(saturating, 1e-12);
    const key = game.broken ? "broken" : this.blank ? "drawHere" : k + turns === 0 ? "resting" : counts.d + counts.g === 0 ? "begun"
      : this.#dials.real === "drawn" && this.#places.length >= MOST_DRAWN ? "full"
      : counts.g > 100 && wide < 0.25 && turns > k ? "collapse"
      : fake < 0.1 && real > 0.8 ? (this.#dials.saturating && starved > 5 ? "starving" : "won")
      : !k || !turns ? "lone" : share > 0.9 && Math.abs(real - 0.5) < 0.12 && Math.abs(fake - 0.5) < 0.12 ? "equal" : "going";
    const text = this.say(key, { times: starved > 1e6 ? "> 10⁶" : Math.round(starved).toString(), n: MOST_DRAWN });
    this.root.dataset.state = key;
    this.sentence.classList.toggle("bad", key === "broken");
    if (key !== "starving" || this.#told !== key) this.sentence.textContent = text;
    this.#told = key;
  }

  // ---- what a visitor does -------------------------------------------------------------------------------------

  #run(on) {
    this.#running = on && !this.game.broken && !this.blank;
    this.owed = 0;
    this.runs.textContent = this.say(this.#running ? "pause" : "run");
    this.runs.setAttribute("aria-pressed", String(this.#running));
    this.#wake();
  }

  #one(who, times = 1) {
    this.#run(false);
    this.counts.place = 0;
    for (let k = 0; k < times; k++) this.#step(who);
    this.#wake();
  }

  #set(name, value) {
    this.#dials[name] = value;
    if (name === "real") this.#real();
    this.counts.place = 0;
    this.#dial();
    if (this.blank) this.#run(false);
    this.#told = "";
    this.#tell(name, value);
    this.#wake();
  }

  #key(event) {
    const act = { " ": () => this.#run(!this.#running), d: () => this.#one("d"), g: () => this.#one("g") }[event.key];
    const [on] = event.composedPath(), own = on.matches?.("button, a, [role=tab]") && event.key === " ";
    if (!act || own || event.ctrlKey || event.metaKey || event.altKey || !this.#seen || !this.canvas.isConnected) return;
    if (on.matches?.("textarea, select, [contenteditable], input:not([type=range], [type=checkbox])") || (on.type === "checkbox" && event.key === " ")) return;
    event.preventDefault();
    act();
  }

  #draws(event) {
    if (this.#dials.real !== "drawn" || !(event.buttons & 1)) return;
    add(this.#places, ...this.ground.place(event));
    this.#real();
    this.#told = "";
    this.#wake();
  }

  #build() {
    const button = (act, name = "") => h("button", { type: "button", class: `button ${name}`, onclick: act });
    const range = (name, low, high, value) => {
      const label = h("span", {}), figure = h("output", {}), input = h("input", { type: "range", min: low, max: high, step: 1, oninput: () => this.#set(name, value ? value(input.valueAsNumber) : input.valueAsNumber) });
      return { label, figure, input, row: h("label", { class: "dial" }, label, input, figure) };
    };
    const check = (act) => { const input = h("input", { type: "checkbox", onchange: act }), label = h("span", {}); return { input, label, row: h("label", { class: "check" }, input, label) }; };
    this.canvas = h("canvas", { role: "img", onpointerdown: (event) => { if (this.#dials.real === "drawn") { this.canvas.setPointerCapture(event.pointerId); this.#draws(event); } }, onpointermove: (event) => this.#draws(event), onpointerup: () => { if (this.#dials.real === "drawn") this.#tell("drawn", written(this.#places)); } });
    this.kinds = KINDS.map((kind) => Object.assign(button(() => this.#set("real", kind), "kind"), { kind }));
    this.runs = button(() => this.#run(!this.#running), "primary");
    [this.judges, this.fools, this.aheads, this.anews, this.erases] = [() => this.#one("d"), () => this.#one("g"), () => this.#one("d", AHEAD), () => { this.#run(false); this.#told = ""; this.#anew(); }, () => { this.#places.length = 0; this.#real(); this.#run(false); this.#tell("drawn", ""); }].map((act) => button(act));
    this.dials = { speed: range("speed", 0, SPEEDS.length - 1), turns: range("turns", 0, 20), k: range("k", 0, 20), times: range("times", 0, TIMES.length - 1, (at) => TIMES[at]) };
    this.saturates = check(() => this.#set("saturating", this.saturates.input.checked));
    const arrows = check(() => this.#wake());
    this.arrows = arrows.input;
    this.arrowsLabel = arrows.label;
    this.arrows.checked = true;
    this.shade = h("select", { onchange: () => this.#wake() }, ...["belief", "best", "plain"].map((value) => h("option", { value })));
    this.shadeLabel = h("span", {});
    this.meters = new Meters();
    this.sentence = h("p", { class: "status", role: "status" });
    this.counter = h("p", { class: "counter" });
    this.hint = h("p", { class: "hint" });
    this.reals = h("span", { class: "name" });
    this.legend = ["legendReal", "legendMade", "legendSays", "legendDoubts"].map((key) => h("span", { class: key }));
    this.root = h("section", { class: "plane" },
      h("div", { class: "left" }, h("div", { class: "row kinds", role: "group" }, this.reals, ...this.kinds, this.erases), this.canvas, h("p", { class: "legend" }, ...this.legend), this.counter),
      h("div", { class: "right" }, h("div", { class: "row" }, this.runs, this.judges, this.fools, this.anews), this.sentence,
        this.dials.speed.row, this.dials.turns.row, this.dials.k.row, this.saturates.row, this.meters.root,
        h("div", { class: "row" }, this.aheads), this.dials.times.row,
        h("div", { class: "row" }, h("label", { class: "check" }, this.shadeLabel, this.shade), arrows.row), this.hint));
  }

  #speak() {
    const { dials } = this;
    for (const each of this.kinds) each.textContent = this.say(each.kind);
    for (const [node, key] of [[this.judges, "judge"], [this.fools, "fool"], [this.aheads, "ahead"], [this.anews, "anew"], [this.erases, "erase"], [this.hint, "keys"], [this.reals, "reals"], [this.saturates.label, "saturating"], [this.arrowsLabel, "arrows"], [this.shadeLabel, "ground"], [dials.speed.label, "speed"], [dials.turns.label, "turns"], [dials.k.label, "k"], [dials.times.label, "lr"]]) node.textContent = this.say(key);
    for (const option of this.shade.options) option.textContent = this.say(option.value);
    for (const each of this.legend) each.textContent = this.say(each.className);
    this.canvas.setAttribute("aria-label", this.say("canvas"));
    this.root.setAttribute("aria-label", this.say("title"));
    this.meters.speak((key, values) => this.say(key, values));
    this.#told = "";
    this.#dial();
    this.#run(this.#running);
  }

  /** Puts the dials where they stand. */
  #dial() {
    const { real, turns, k, times, saturating, speed } = this.#dials, { dials } = this;
    for (const each of this.kinds) each.setAttribute("aria-pressed", String(each.kind === real));
    this.erases.hidden = real !== "drawn";
    this.canvas.classList.toggle("drawing", real === "drawn");
    const puts = { speed: [speed, this.say(`speed${speed}`)], turns: [turns, turns], k: [k, k], times: [TIMES.indexOf(times), times] };
    for (const [name, [value, figure]] of Object.entries(puts)) Object.assign(dials[name].input, { value }) && (dials[name].figure.textContent = figure);
    this.saturates.input.checked = saturating;
  }
}

export default mounting(Plane);
