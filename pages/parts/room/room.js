/*
 * room.js: the training room of one run. It shows the run and steers it over the studio's HTTP routes; whoever mounts
 * it is told only what concerns the page around it: {used: {gan, tag}}, {gone: name}, {left: true}, {compare: name}.
 *
 * What others do to the run (a second viewer, the shell) is seen here within a second, and the other way round.
 */

import { Curve, short } from "./curve.js";
import { h, icon } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { headers, studio } from "../common/link.js";
import { Reel } from "./reel.js";
import { Track, within } from "./track.js";

const rooms = new Map(); // a run's room outlives its place on the page: its curves need not be fetched again

export default function mount({ parentElement, data, setTriggerValue, setStateValue }) {
  if (!rooms.has(data.run)) rooms.set(data.run, new Room(data));
  const room = rooms.get(data.run);
  room.enter(parentElement);
  room.update(data, { trigger: setTriggerValue, state: setStateValue });
  return () => room.leave(parentElement);
}

const OVER = new Set(["finished", "stopped", "failed"]);
const WHY = { killed: /killed \(signal 9\)/, gone: /gone without a word/, disk: /disk is full|state could not be written/, memory: /not enough memory/, nan: /no longer a number/, device: /device failed or is gone|There is no device/ };

class Room {
  #data = {}; #words = ""; #shape = ""; #pending = new Map(); #asked = new Set(); #terms = new Map(); #players = new Map(); #other = null; #host = {}; #timers = {}; #single = null; #seconds = 0; #listed = -Infinity; #last = ""; #pointed = null; #room = null;

  constructor(data) {
    this.address = studio(data.page);
    this.#data = data;
    this.#build();
    this.track = new Track(this.address, data.run, {
      changed: () => this.#show(),
      reached: (yes) => this.#reached(yes),
      gone: () => this.#gone(),
      rounds: (when) => this.#rounds(when),
    });
    this.sight = new IntersectionObserver(([entry]) => {
      const came = entry.isIntersecting && !this.track.seen;
      this.track.seen = entry.isIntersecting;
      if (came) this.track.poke();
    });
    this.sight.observe(this.root);
    this.tall = () => { this.reel.sheet.redraw(); this.reel.beside.redraw(); };
  }

  enter(place) {
    if (this.root.parentNode === place) return;
    place.append(this.root);
    addEventListener("resize", this.tall);
    this.track.seen = true;
    this.track.poke();
  }

  /** The place is gone, unless the room has moved on already. */
  leave(place) {
    if (this.root.parentNode !== place) return;
    removeEventListener("resize", this.tall);
    this.reel.stop();
    this.root.remove();
    this.track.close();
    this.#other?.close();
    this.sight.disconnect();
    rooms.delete(this.#data.run);
  }

  update(data, host) {
    this.#data = data;
    this.#host = host;
    if (JSON.stringify(data.words) !== this.#words) {
      this.#words = JSON.stringify(data.words);
      this.#speak();
    }
    this.parts.body.classList.toggle("watch", !data.steer);
    if (data.compare !== (this.#other?.name ?? null)) this.#compare(data.compare);
    if (this.track.run) this.#show();
  }

  say(key, values = {}) {
    const text = key.split(".").reduce((found, part) => found?.[part], this.#data.words) ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  number(value) {
    return value.toLocaleString(this.#data.lang);
  }

  time(seconds) {
    const whole = Math.max(0, Math.round(seconds)), two = (value) => String(value).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }

  said(words) {
    return words?.[this.#data.lang] ?? words?.en ?? "";
  }

  player(name) {
    return this.#data.words.players[name] ?? name;
  }

  /* ---- wishes */

  /** What is wished, ours included before the studio has heard of it. */
  get wish() {
    const wish = { ...this.track.run.wish };
    for (const [name, { value }] of this.#pending) wish[name] = value;
    return wish;
  }

  async #ask(wish, quiet = []) {
    /** @type {[string, {value: any, heard: boolean}][]} */
    const ours = ["off", "still", "lr", "go"].filter((name) => name in wish).map((name) => [name, { value: wish[name], heard: false }]);
    for (const [name, each] of ours) this.#pending.set(name, each);
    for (const button of quiet) button.disabled = true;
    this.#show();
    let answer = null;
    try {
      const response = await fetch(this.track.address, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(wish), signal: within(30_000) });
      answer = await response.json();
      if (!response.ok) throw Object.assign(new Error(answer.error), { says: answer.error });
      this.#complain("");
    } catch (error) {
      answer = null;
      this.#complain(error.says ?? this.say("notHeard"));
    }
    for (const [, each] of ours) each.heard = true; // a newer wish of the same dial is not heard yet
    for (const button of quiet) button.disabled = false;
    this.track.poke();
    return answer;
  }

  /** A dial stays where it was put until an answer that was asked for later than it was heard. */
  #rounds(when) {
    if (when === "asked") this.#asked = new Set([...this.#pending].filter(([, each]) => each.heard).map(([name]) => name));
    else for (const name of this.#asked) if (this.#pending.get(name)?.heard) this.#pending.delete(name);
  }

  #complain(text) {
    this.parts.complaint.textContent = text;
    this.parts.complaint.hidden = !text;
  }

  #reached(yes) {
    clearTimeout(this.#timers.back);
    this.parts.away.hidden = false;
    this.parts.away.classList.toggle("back", yes);
    this.parts.away.textContent = this.say(yes ? "back" : "away");
    if (yes) this.#timers.back = setTimeout(() => { this.parts.away.hidden = true; }, 4000);
  }

  #gone() {
    this.track.close();
    this.parts.body.hidden = true;
    this.parts.deleted.hidden = false;
    this.#host.trigger?.("gone", this.#data.run);
  }

  /* ---- showing */

  #show() {
    const { run } = this.track;
    if (!run) return;
    this.parts.body.hidden = false;
    this.#build_terms();
    this.#status();
    this.#progress();
    this.#controls();
    this.#hints();
    this.#dials();
    this.#curves();
    this.#singles();
    this.reel.update(this.track, this.#other, this.parts.by.value);
  }

  #status() {
    const { run } = this.track, { go } = this.wish, { how } = run;
    const leaving = { training: { pause: "pausing", stop: "stopping" }, paused: run.alive ? { stop: "stopping", on: "goingOn" } : {}, queued: { stop: "stopping" } }[how]?.[go];
    const sub = leaving ? this.say(`sub.${leaving}`)
      : how === "queued" ? this.say(run.ahead === 1 ? "sub.ahead1" : run.ahead ? "sub.aheadN" : "sub.ahead0", { n: run.ahead })
      : how === "failed" ? this.#why(run)
      : how === "paused" ? this.say(run.alive ? "sub.held" : "sub.released")
      : how === "finished" || how === "stopped" ? this.say(`sub.${how}`, { steps: this.number(run.step), time: this.time(this.track.seconds()) })
      : how === "starting" ? this.say("sub.starting") : "";
    this.#put(this.parts.how, this.say(`how.${how}`));
    this.#put(this.parts.sub, sub);
    this.parts.lamp.dataset.how = how;
    if (document.activeElement !== this.parts.title) this.#put(this.parts.name, run.title);
  }

  /** The reason in the visitor's language; an older run has written it in English alone: then as far as it is known.
   * @param {Record<string, any>} run */
  #why({ why, says = {} }) {
    const { lang } = this.#data, said = says[lang] || why;
    const known = lang !== "en" && said === why && Object.keys(WHY).find((name) => WHY[name].test(why));
    return known ? this.say(`why.${known}`) : said;
  }

  #put(node, text) {
    if (node.textContent !== text) node.textContent = text; // the same words again would be read aloud again
  }

  #progress() {
    const { track } = this, { run } = track, { goal, config } = run, report = track.reports.at(-1);
    if (run.how !== "training") this.#seconds = 0;
    const seconds = (this.#seconds = Math.max(this.#seconds, track.seconds())), step = run.step;
    const share = goal.minutes ? seconds / (60 * goal.minutes) : goal.steps ? step / goal.steps : 0;
    const percent = Math.min(100, Math.round(run.how === "finished" ? 100 : 100 * share));
    this.parts.fill.style.width = `${percent}%`;
    this.parts.bar.setAttribute("aria-valuenow", percent);
    this.parts.bar.dataset.how = run.how;
    const left = goal.minutes ? 60 * goal.minutes - seconds : report?.rate ? ((goal.steps - step) * (config.batch ?? 1)) / report.rate : null;
    const active = run.how === "training" || run.how === "paused";
    const facts = {
      time: goal.minutes ? `${this.time(seconds)} / ${this.time(60 * goal.minutes)}` : this.time(seconds),
      left: active && left !== null ? this.time(left) : "–",
      step: goal.steps ? `${this.number(step)} / ${this.number(goal.steps)}` : this.number(step),
      rate: run.how === "training" && report ? this.number(Number(report.rate.toPrecision(report.rate < 10 ? 2 : 3))) : "–",
      memory: active && run.alive && report?.memory ? `${this.number(Math.round(report.memory))} MB` : "–",
      device: run.device.replace(/^cpu/, "CPU"),
      data: this.#data.words.toys[run.data.replace(/^toy:|(?<=^points):.*/, "")] ?? run.data,
      size: config.size ? `${config.size} px` : "–",
    };
    for (const [name, value] of Object.entries(facts)) this.#put(this.parts.facts[name], value);
  }

  #controls() {
    const { run, saved, samples } = this.track, { how } = run, { go } = this.wish, { parts } = this;
    const over = OVER.has(how), busy = (how === "training" && go !== "on") || (how === "paused" && run.alive && go !== "pause") || (how === "queued" && go === "stop");
    const done = run.goal.minutes ? run.seconds >= 60 * run.goal.minutes - 1 : run.goal.steps ? run.step >= run.goal.steps : false;
    parts.pause.hidden = how !== "training";
    parts.on.hidden = how !== "paused" && !(how === "stopped" && !done);
    parts.resume.hidden = how !== "failed";
    parts.stop.hidden = over || (how === "paused" && !run.alive); // then there is nothing to stop
    parts.more.hidden = !(how === "finished" || how === "stopped");
    parts.use.hidden = !(over || how === "paused") || (saved === null && !samples.length);
    parts.use.classList.toggle("primary", how === "finished" || (how === "stopped" && done));
    parts.pause.disabled = parts.on.disabled = parts.stop.disabled = busy;
    this.#put(parts.resume, saved === null ? this.say("again") : this.say("resume", { step: this.number(saved) }));
    parts.remove.disabled = run.alive;
    parts.download.toggleAttribute("inert", saved === null && !samples.length);
    parts.download.href = `${this.track.address}/model.zip`;
    parts.nearest.disabled = saved === null && !samples.length;
  }

  #hints() {
    const { hints } = this.track.run, now = JSON.stringify([hints, this.#data.lang]);
    if (now === this.#last) return;
    this.#last = now;
    this.parts.hints.replaceChildren(...hints.map((hint) => h("article", { class: "hint", "data-name": hint.name },
      h("h3", {}, this.#data.words.hint[hint.name.replaceAll(" ", "")] ?? hint.name), h("p", {}, this.said(hint.says)), h("code", {}, hint.figure))));
    this.parts.hints.hidden = !hints.length;
  }

  /* ---- the terms of the objective, and the players */

  #build_terms() {
    const { run } = this.track, shape = JSON.stringify([run.terms, run.players, this.#data.lang]);
    if (shape === this.#shape) return;
    this.#shape = shape;
    for (const { curve } of this.#terms.values()) curve.close();
    this.#terms.clear();
    this.#players.clear();
    const cards = run.terms.map((term) => this.#term(term.name, {
      formula: math(term.formula), says: this.said(term.says),
      weight: term.weight ? h("span", { class: "weight" }, `${term.weight} = ${term.value}`) : null,
      toggle: term.weight ? (on) => this.#switch("off", term.name, !on) : null,
    }));
    cards.push(this.#term("diversity", { formula: "", says: this.say("diversityHelp"), title: this.say("diversity") }));
    cards.push(this.#term("heldOut", { formula: "", says: this.say("heldOutHelp"), title: this.say("heldOut") }));
    this.parts.terms.replaceChildren(...cards);
    this.parts.players.replaceChildren(...run.players.map((player) => {
      const toggle = this.#toggle((on) => this.#switch("still", player.name, !on)), gradient = h("span", { class: "gradient" });
      this.#players.set(player.name, { toggle, gradient });
      return h("article", { class: "player" }, h("header", {}, h("h3", {}, this.player(player.name)), toggle), h("div", { class: "formula" }, math(player.formula)), gradient);
    }));
    const others = ["both", ...run.players.map(({ name }) => name)];
    this.parts.steppers.replaceChildren(...others.map((name) => {
      const button = h("button", { type: "button", class: "button", value: name, onclick: () => this.#step(name) }, name === "both" ? this.say("both") : this.player(name));
      return button;
    }));
  }

  #term(name, { formula, says, weight = null, toggle = null, title = "" }) {
    const value = h("output", { class: "value" }), curve = new Curve({ pointed: (step) => this.#point(step), chosen: (step) => this.reel.seek(step) });
    const knob = toggle ? this.#toggle(toggle) : null;
    curve.root.setAttribute("aria-label", this.say("curve", { name: title || name }));
    const card = h("article", { class: "term" },
      h("header", {}, title ? h("h3", {}, title) : h("div", { class: "formula" }, formula), value),
      h("div", { class: "info" }, h("p", { class: "says" }, ...(title ? [] : [h("code", {}, name), " "]), says), ...(knob ? [h("div", { class: "knobs" }, weight, knob)] : [])), curve.root);
    this.#terms.set(name, { value, curve, knob, card });
    return card;
  }

  #toggle(flip) {
    const button = h("button", { type: "button", role: "switch", class: "switch", onclick: () => flip(button.getAttribute("aria-checked") !== "true") }, h("i"), h("span"));
    return button;
  }

  #switch(dial, name, without) {
    const now = new Set(this.wish[dial]);
    if (without) now.add(name);
    else now.delete(name);
    this.#ask({ [dial]: [...now] });
  }

  #dials() {
    const { off, still, lr } = this.wish, report = this.track.reports.at(-1);
    for (const [name, { knob, card }] of this.#terms) {
      if (!knob) continue;
      const on = !off.includes(name);
      knob.setAttribute("aria-checked", on);
      this.#put(knob.lastChild, this.say(on ? "inPlay" : "outOfPlay"));
      knob.setAttribute("aria-label", `${name}: ${knob.lastChild.textContent}`);
      card.classList.toggle("off", !on);
    }
    for (const [name, { toggle, gradient }] of this.#players) {
      const moves = !still.includes(name);
      toggle.setAttribute("aria-checked", moves);
      this.#put(toggle.lastChild, this.say(moves ? "learns" : "still"));
      toggle.setAttribute("aria-label", `${this.player(name)}: ${toggle.lastChild.textContent}`);
      const length = report?.gradients?.[name];
      this.#put(gradient, length === undefined ? "" : this.say("gradient", { length: short(length) }));
    }
    if (document.activeElement !== this.parts.lr) this.parts.lr.value = Math.log10(Math.max(lr, 0.1));
    this.#tellRate(lr);
  }

  #tellRate(lr) {
    const text = `× ${Number(lr.toPrecision(2))}`;
    this.#put(this.parts.lrValue, text);
    this.parts.lr.setAttribute("aria-valuetext", text);
    this.parts.lrReset.hidden = lr === 1;
  }

  #turnRate(now) {
    const lr = now ? 1 : Number((10 ** this.parts.lr.valueAsNumber).toPrecision(2));
    if (now) this.parts.lr.value = 0;
    this.#pending.set("lr", { value: lr, heard: false });
    this.#tellRate(lr);
    clearTimeout(this.#timers.lr);
    this.#timers.lr = setTimeout(() => this.#ask({ lr }), now ? 0 : 350);
  }

  #curves() {
    const { track } = this, other = this.#other?.run ? this.#other : null;
    const last = Math.max(1, track.run.step, track.reports.at(-1)?.step ?? 0, other?.reports.at(-1)?.step ?? 0);
    const marks = track.marks.map(({ step, parts }) => ({ step, says: parts.map(([what, name]) => this.#mark(what, name)).join(", ") }));
    const extra = {
      diversity: (of) => of.samples.filter((each) => each.diversity !== null && each.diversity !== undefined).map((each) => [each.step, each.diversity]),
      heldOut: (of) => of.measured.map((each) => [each.step, Object.values(each.figures)[0]]),
    };
    for (const [name, { value, curve, card }] of this.#terms) {
      const points = extra[name] ?? ((of) => of.losses.get(name) ?? []);
      const ours = points(track), theirs = other ? points(other) : [];
      if (name in extra) card.hidden = !ours.length;
      curve.update({ ours, theirs, marks, last });
      curve.point(curve.at, this.reel.step);
      if (curve.at === null) this.#put(value, ours.length ? short(ours.at(-1)[1]) : "–");
    }
  }

  #mark(what, name) {
    if (what === "lr") return this.say("mark.lr", { lr: Number(name.toPrecision(2)) });
    return this.say(`mark.${what}`, { name: what === "still" || what === "moves" ? this.player(name) : name });
  }

  /** The pointer is at a step of one curve: all of them say what they were there. */
  #point(step) {
    this.#pointed = step;
    for (const { value, curve } of this.#terms.values()) {
      curve.point(step, this.reel.step);
      const found = step === null ? this.track.losses.size && curve.valueAt(Infinity) : curve.valueAt(step);
      value.classList.toggle("past", step !== null);
      this.#put(value, Number.isFinite(found) && found !== null ? short(found) : "–");
    }
  }

  /** Whether it copies: what it makes beside the nearest pictures that it was trained on. */
  async #nearest() {
    const { near, nearest } = this.parts, picture = near.querySelector("img"), says = near.querySelector("figcaption");
    near.hidden = false;
    near.setAttribute("aria-busy", "true");
    nearest.disabled = true;
    this.#put(says, this.say("nearestWait"));
    try {
      const answer = await fetch(`${this.track.address}/nearest.webp`);
      if (!answer.ok) throw new Error((await answer.json()).error);
      if (picture.src) URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(await answer.blob());
      picture.alt = this.say("nearestSays");
      this.#put(says, this.say("nearestSays"));
    } catch (error) {
      this.#put(says, error.message);
    } finally {
      near.removeAttribute("aria-busy");
      nearest.disabled = false;
    }
  }

  /* ---- single steps */

  async #step(player) {
    this.parts.steps.classList.add("waiting");
    clearTimeout(this.#timers.step);
    this.#timers.step = setTimeout(() => this.parts.steps.classList.remove("waiting"), 30_000);
    if (!(await this.#ask({ single: player }, [...this.parts.steppers.children]))) this.parts.steps.classList.remove("waiting");
  }

  #singles() {
    const { run, singles } = this.track, last = singles.at(-1), shown = last ? `${last.time} ${last.step} ${this.#data.lang}` : "";
    for (const button of this.parts.steppers.children) if (!this.parts.steps.classList.contains("waiting")) button.disabled = run.how === "finished" || run.how === "queued";
    this.#put(this.parts.stepsHelp, this.say(run.how === "training" ? "stepsHelp" : run.how === "finished" ? "stepsOver" : "stepsPaused"));
    if (shown === this.#single) return;
    this.#single = shown;
    this.parts.steps.classList.remove("waiting");
    this.parts.single.hidden = !last;
    if (!last) return;
    const { parts } = this, names = [...new Set([...Object.keys(last.before), ...Object.keys(last.after)])];
    parts.singleTitle.textContent = this.say("singleTitle", { step: this.number(last.step), player: last.player === "both" ? this.say("both") : this.player(last.player) });
    parts.table.replaceChildren(
      h("thead", {}, h("tr", {}, ...["term", "before", "after", "change"].map((key) => h("th", { scope: "col" }, this.say(`table.${key}`))))),
      h("tbody", {}, ...names.map((name) => {
        const [before, after] = [last.before[name], last.after[name]], change = after - before, known = Number.isFinite(change);
        const way = !known || Math.abs(change) < 1e-7 ? "same" : change < 0 ? "down" : "up";
        return h("tr", { "data-way": way }, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, before === undefined ? "–" : short(before)), h("td", {}, after === undefined ? "–" : short(after)),
          h("td", {}, !known ? "–" : way === "same" ? "=" : `${way === "down" ? "▼" : "▲"} ${short(Math.abs(change))}`));
      })));
    const most = Math.max(...Object.values(last.moved), 1e-12);
    parts.moved.replaceChildren(...Object.entries(last.moved).map(([name, share]) => h("div", {}, h("span", {}, this.player(name)), h("i", {}, h("b", { style: `width:${(100 * share) / most}%` })),
      h("output", {}, share === 0 ? this.say("notMoved") : this.say("moved", { share: short(100 * share) })))));
    parts.pictures.hidden = !last.file;
    if (last.file) {
      parts.picture.src = this.track.picture(last);
      parts.picture.alt = this.say("singlePicture");
    }
  }

  /* ---- another run beside */

  async #list() {
    if (performance.now() - this.#listed < 3000) return;
    this.#listed = performance.now();
    try {
      const runs = await (await fetch(`${this.address}/api/runs`, { signal: within(10_000) })).json();
      const mine = runs.filter((run) => run.gan === this.#data.gan && run.name !== this.#data.run), chosen = this.#other?.name ?? "";
      this.parts.other.replaceChildren(h("option", { value: "" }, this.say("compareNone")), ...mine.map((run) => h("option", { value: run.name }, run.title === run.name ? run.name : `${run.title} (${run.name.replace(`${run.gan}-`, "")})`)));
      this.parts.other.value = chosen;
      this.parts.compare.hidden = !mine.length && !chosen;
    } catch {
      this.#listed = -Infinity; // next time
    }
  }

  #compare(name) {
    this.#other?.close();
    this.#other = null;
    if (name) {
      this.#other = new Track(this.address, name, { changed: () => this.track.run && this.#show(), gone: () => this.#compare(null) });
      this.#other.poke();
    }
    this.parts.other.value = name ?? "";
    this.parts.by.hidden = !name;
    this.root.classList.toggle("two", Boolean(name));
    if (this.track.run) this.#show();
  }

  /* ---- afterwards */

  async #use() {
    this.parts.use.classList.add("waiting");
    const answer = await this.#ask({ use: true }, [this.parts.use]);
    this.parts.use.classList.remove("waiting");
    if (answer?.tag) this.#leave("used", answer, `${this.address}/${answer.gan}`, { tag: answer.tag });
  }

  /** Tells the page around it; a page that has just lost its server hears nothing, so after a while we go by ourselves. */
  #leave(name, value, address, query = {}) {
    this.#host.trigger?.(name, value);
    const kept = [...new URLSearchParams(location.search)].filter(([key]) => key === "lang" || key === "hide");
    this.#timers.leave = setTimeout(() => {
      if (this.root.isConnected && this.#data.run === new URLSearchParams(location.search).get("run")) location.assign(`${address}?${new URLSearchParams([...kept, ...Object.entries(query)])}`);
    }, 5000);
  }

  async #rename() {
    const title = this.parts.title.value.trim();
    this.parts.naming.hidden = true;
    this.parts.rename.hidden = false;
    if (title && title !== this.track.run.title) await this.#ask({ title });
  }

  async #remove() {
    this.parts.sure.hidden = true;
    this.parts.remove.hidden = false;
    try {
      const response = await fetch(this.track.address, { method: "DELETE", headers });
      if (!response.ok) throw Object.assign(new Error(), { says: (await response.json()).error });
      this.#gone();
    } catch (error) {
      this.#complain(error.says ?? this.say("notHeard"));
    }
  }

  /* ---- the elements */

  #build() {
    const button = (kind, onclick) => h("button", { type: "button", class: `button ${kind}`, onclick });
    const p = (this.parts = {
      lamp: h("i", { class: "lamp", "aria-hidden": "true" }), how: h("strong"), sub: h("span", { class: "sub" }),
      pause: button("", () => this.#ask({ go: "pause" })), on: button("primary", () => this.#ask({ go: "on" })),
      resume: button("primary", () => this.#ask({ go: "on" })), stop: button("", () => this.#ask({ go: "stop" })),
      more: h("span", { class: "more" }), minutes: h("input", { type: "number", min: 0.1, max: 100000, step: "any", value: this.#data.minutes ?? 3 }),
      use: button("", () => this.#use()), full: button("round", () => this.#full()),
      fill: h("i"), away: h("p", { class: "away", role: "status", hidden: true }), complaint: h("p", { class: "complaint", role: "alert", hidden: true }),
      deleted: h("p", { class: "nothing", hidden: true }), hints: h("div", { class: "hints", "aria-live": "polite", hidden: true }), terms: h("div", { class: "terms" }),
      players: h("div", { class: "players" }), lr: h("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0 }), lrValue: h("output"),
      lrReset: button("small", () => this.#turnRate(true)), steppers: h("div", { class: "steppers" }), stepsHelp: h("p", { class: "help" }),
      single: h("div", { class: "single", hidden: true }), singleTitle: h("h3"), table: h("table"), moved: h("div", { class: "moved" }), pictures: h("div", { class: "pictures" }),
      picture: h("img", { alt: "" }), rows: h("div", { class: "rows", "aria-hidden": "true" }),
      compare: h("label", { class: "compare", hidden: true }), other: h("select"), by: h("select", { hidden: true }),
      name: h("h2"), title: h("input", { type: "text", maxlength: 80 }), naming: h("form", { class: "naming", hidden: true }), rename: button("small steer", () => this.#naming()),
      leave: button("round", () => this.#leave("left", true, location.pathname, this.#data.page === this.#data.gan ? { tab: "train" } : {})),
      download: h("a", { class: "button", download: "" }), nearest: button("", () => this.#nearest()), close: button("", () => { p.near.hidden = true; p.nearest.focus(); }), remove: button("", () => { p.sure.hidden = false; p.remove.hidden = true; p.yes.focus(); }),
      sure: h("span", { class: "sure", hidden: true }), yes: button("danger", () => this.#remove()), no: button("", () => { p.sure.hidden = true; p.remove.hidden = false; p.remove.focus(); }),
      facts: {}, labels: {}, heads: {}, notes: {},
    });
    p.bar = h("div", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, p.fill);
    p.go = button("primary", () => { const minutes = p.minutes.valueAsNumber; if (minutes > 0) this.#ask({ go: "on", minutes }, [p.go]); });
    p.moreLabel = h("label");
    p.more.append(p.go, p.moreLabel);
    p.okay = h("button", { type: "submit", class: "button small" });
    p.naming.append(p.title, p.okay);
    p.naming.addEventListener("submit", (event) => { event.preventDefault(); this.#rename(); });
    p.title.addEventListener("keydown", (event) => { if (event.key === "Escape") { p.title.value = this.track.run.title; this.#rename(); } });
    p.sureText = h("span");
    p.sure.append(p.sureText, p.yes, p.no);
    p.compareText = h("span");
    p.compare.append(p.compareText, p.other);
    for (const event of ["pointerdown", "focus"]) p.other.addEventListener(event, () => this.#list());
    p.other.addEventListener("change", () => { const name = p.other.value || null; this.#compare(name); this.#host.state?.("compare", name); });
    p.by.addEventListener("change", () => this.#show());
    p.lr.addEventListener("input", () => this.#turnRate(false));
    p.lr.addEventListener("dblclick", () => this.#turnRate(true));
    p.pictures.append(p.rows, p.picture);
    p.singleBody = h("div", { class: "changes" }, p.table, p.moved);
    p.single.append(p.singleTitle, p.singleBody, p.pictures);
    const facts = ["time", "left", "step", "rate", "memory", "size", "data", "device"].map((name) => {
      p.facts[name] = h("dd");
      p.labels[name] = h("dt");
      return h("div", { class: name }, p.labels[name], p.facts[name]);
    });
    const head = (name) => (p.heads[name] = h("h2"));
    this.reel = new Reel({ high: () => this.#high(), moved: () => this.track.run && this.#point(this.#pointed) });
    p.lrLabel = h("label", { class: "turn" });
    p.lrText = h("span");
    p.lrLabel.append(p.lrText, p.lr);
    p.note = h("p", { class: "help" });
    p.steps = h("section", { class: "steps steer" }, head("steps"), p.stepsHelp, p.steppers, p.single);
    p.body = h("div", { class: "body", hidden: true },
      h("header", { class: "top" }, h("div", { class: "title" }, p.leave, p.name, p.naming, p.rename), h("div", { class: "actions steer" }, p.pause, p.on, p.resume, p.more, p.use, p.stop), p.full),
      h("div", { class: "now" }, h("div", { class: "status", role: "status" }, p.lamp, h("div", {}, p.how, p.sub)), h("dl", { class: "facts" }, ...facts)),
      p.bar, p.away, p.complaint,
      h("div", { class: "main" },
        h("div", { class: "left" }, this.reel.root, h("div", { class: "beside" }, p.compare, p.by)),
        h("div", { class: "right" }, p.hints, h("section", {}, head("terms"), p.terms))),
      h("div", { class: "below" },
        h("section", { class: "dials steer" }, head("players"), p.players, h("div", { class: "lr" }, p.lrLabel, p.lrValue, p.lrReset), p.note), p.steps),
      h("footer", { class: "steer" }, p.download, p.nearest, p.remove, p.sure));
    p.near = h("figure", { class: "near", hidden: true }, h("img", { alt: "" }), h("figcaption", { role: "status" }), p.close);
    p.nearest.closest("footer").before(p.near);
    this.root = h("div", { class: "training" }, p.body, p.deleted);
  }

  #speak() {
    const p = this.parts;
    for (const key of ["pause", "on", "stop", "use", "download", "nearest", "close", "remove", "yes", "no", "okay"]) p[key].textContent = this.say(key);
    for (const key of ["time", "left", "step", "rate", "memory", "size", "data", "device"]) p.labels[key].textContent = this.say(`facts.${key}`);
    for (const key of ["terms", "players", "steps"]) p.heads[key].textContent = this.say(`heads.${key}`);
    for (const [part, key] of [["full", "full"], ["rename", "rename"], ["lrReset", "lrReset"], ["leave", "leave"]]) { p[part].title = this.say(key); p[part].setAttribute("aria-label", this.say(key)); }
    for (const key of ["full", "rename", "leave"]) p[key].replaceChildren(icon(ICONS[key === "full" ? "wide" : key]));
    p.lrReset.textContent = "× 1";
    p.title.setAttribute("aria-label", this.say("rename"));
    p.bar.setAttribute("aria-label", this.say("progress"));
    p.go.textContent = this.say("trainOn");
    p.moreLabel.replaceChildren(p.minutes, this.say("minutes"));
    p.sureText.textContent = this.say("sure");
    p.compareText.textContent = this.say("compare");
    p.by.setAttribute("aria-label", this.say("by"));
    p.by.replaceChildren(h("option", { value: "step" }, this.say("sameStep")), h("option", { value: "share" }, this.say("sameShare")));
    p.lrText.textContent = this.say("lr");
    p.note.textContent = this.say("dialsHelp");
    p.deleted.textContent = this.say("deleted");
    p.rows.replaceChildren(...["before", "after", "difference"].map((key) => h("span", {}, this.say(`rows.${key}`))));
    this.#listed = -Infinity;
    this.#list();
    this.reel.speak((key, values) => this.say(key, values), (words) => this.said(words), (seconds) => this.time(seconds), (value) => this.number(value));
    this.#shape = this.#last = "";
    this.#single = null;
  }

  #naming() {
    this.parts.naming.hidden = false;
    this.parts.rename.hidden = true;
    this.parts.title.value = this.track.run.title;
    this.parts.title.select();
  }

  #full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.().catch(() => {});
  }

  /** How high the pictures may be, so that the scrubber is on the same screen; the same until the window changes. */
  #high() {
    const shape = `${innerWidth} ${innerHeight} ${this.root.clientWidth} ${document.fullscreenElement !== null}`;
    if (this.#room?.shape === shape) return this.#room.high;
    const scrolled = document.fullscreenElement ? this.root.scrollTop : document.querySelector("[data-testid=stMain]")?.scrollTop ?? scrollY;
    const left = innerHeight - (this.reel.root.getBoundingClientRect().top + scrolled) - 112, phone = this.root.clientWidth < 700;
    this.#room = { shape, high: Math.max(Math.min(left, 0.8 * innerHeight), phone ? 0.5 * innerHeight : 260) };
    return this.#room.high;
  }
}

/** MathML as the studio sends it -> an element; nothing but formulas gets through. */
function math(text) {
  const found = new DOMParser().parseFromString(text, "text/html").querySelector("math");
  if (!found) return "";
  for (const each of found.querySelectorAll("script, a, [href], maction, annotation-xml")) each.remove();
  found.setAttribute("lang", "en"); // or Korean pages would take the bars of a norm from a Korean font
  return document.importNode(found, true);
}
