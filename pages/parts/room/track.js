/*
 * track.js: follows a run over HTTP: asks for what is new, at a pace that fits, and puts the events in order.
 *
 * A training that was resumed from an earlier step takes back what came after that step: so do the curves.
 */

const ACTIVE = new Set(["starting", "queued", "training", "paused"]);
const PACE = { active: 1000, over: 5000, unseen: 6000, hidden: 15000, away: [1000, 2000, 4000, 8000] }; // milliseconds
const CHUNK = 20_000; // events that the studio sends at most at once

/** A signal that ends a question after so many milliseconds, or with another signal. */
export function within(milliseconds, other = undefined) {
  const end = new AbortController(), stop = () => { clearTimeout(timer); other?.removeEventListener("abort", stop); end.abort(); };
  const timer = setTimeout(stop, milliseconds); // after an answer this ends nothing, and takes the listener away
  other?.addEventListener("abort", stop);
  return end.signal;
}

export class Track {
  #timer = 0; #busy = false; #failures = 0; #ending = new AbortController(); #again = false; #last = 0;
  address; name; changed; reached; gone; rounds;
  next = 0; losses = new Map(); reports = []; samples = []; measured = []; singles = []; marks = []; saved = null; came = 0;
  dials = { off: [], still: [], lr: 1 };
  phase = null;

  /**
   * `changed(track)` after each answer; `reached(yes)` when the studio stops or starts answering; `gone()`: deleted.
   * @param {string} address
   * @param {string} name
   * @param {{changed?: (track: Track) => any, reached?: (yes: boolean) => any, gone?: () => any, rounds?: (when: string) => any}} tell
   */
  constructor(address, name, { changed = () => {}, reached = () => {}, gone = () => {}, rounds = () => {} } = {}) {
    this.address = `${address}/api/runs/${encodeURIComponent(name)}`;
    this.name = name;
    this.changed = changed;
    this.reached = reached;
    this.gone = gone;
    this.rounds = rounds;
    this.run = null;
    this.seen = true; // whether anybody can see it
    this.clear();
    const now = () => this.poke();
    document.addEventListener("visibilitychange", () => document.hidden || this.poke(), { signal: this.#ending.signal });
    addEventListener("online", now, { signal: this.#ending.signal });
  }

  clear() {
    this.next = this.came = 0;
    this.losses = new Map();
    for (const list of ["reports", "samples", "measured", "singles", "marks"]) this[list] = [];
    this.saved = null;
    this.dials = { off: [], still: [], lr: 1 };
  }

  get active() {
    return this.run !== null && ACTIVE.has(this.run.how);
  }

  /** Asks now, and goes on asking. */
  poke() {
    clearTimeout(this.#timer);
    if (this.#busy) this.#again = true;
    else this.#ask();
  }

  close() {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }

  async #ask() {
    if (this.#ending.signal.aborted) return;
    this.#busy = true;
    this.#again = false;
    this.rounds("asked");
    let more = false;
    try {
      const response = await fetch(`${this.address}?after=${this.next}`, { signal: within(20_000, this.#ending.signal) });
      if (response.status === 404) return this.gone();
      if (!response.ok) throw new Error(`status ${response.status}`);
      const answer = await response.json();
      if (this.#failures > 1) this.reached(true);
      this.#failures = 0;
      more = this.#take(answer);
      this.rounds("answered");
      this.changed(this);
    } catch {
      if (this.#ending.signal.aborted) return;
      if (++this.#failures === 2) this.reached(false);
    } finally {
      this.#busy = false;
    }
    const pace = this.#failures ? PACE.away[Math.min(this.#failures, PACE.away.length) - 1]
      : more || this.#again ? 0 : document.hidden ? PACE.hidden : !this.seen ? PACE.unseen : this.active ? PACE.active : PACE.over;
    this.#timer = setTimeout(() => this.#ask(), pace);
  }

  #take({ events, next, ...run }) {
    if (next < this.next) this.clear(); // another run of the same name
    this.run = run;
    for (const event of events) this.#put(event);
    this.next = next;
    return events.length >= CHUNK;
  }

  #put(event) {
    switch (event.event) {
      case "Phase":
        this.phase = event;
        this.came = performance.now();
        if (event.step < this.#last) this.#forget(event.step);
        break;
      case "Progress":
        for (const [name, value] of Object.entries(event.losses)) {
          if (!this.losses.has(name)) this.losses.set(name, []);
          this.losses.get(name).push([event.step, value]);
        }
        this.reports.push(event);
        this.came = performance.now();
        break;
      case "Sample":
        if (this.samples.at(-1)?.step === event.step) this.samples.pop(); // the one of a stop, and of its resume
        this.samples.push(event);
        break;
      case "Measured":
        this.measured.push(event);
        break;
      case "Single":
        this.singles.push(event);
        break;
      case "Changed": {
        const { off, still, lr } = event, before = this.dials;
        const parts = [
          ...off.filter((name) => !before.off.includes(name)).map((name) => ["off", name]),
          ...before.off.filter((name) => !off.includes(name)).map((name) => ["on", name]),
          ...still.filter((name) => !before.still.includes(name)).map((name) => ["still", name]),
          ...before.still.filter((name) => !still.includes(name)).map((name) => ["moves", name]),
          ...(lr !== before.lr ? [["lr", lr]] : []),
        ];
        this.dials = { off, still, lr };
        if (parts.length) this.marks.push({ step: event.step, parts });
        break;
      }
      case "Saved":
        this.saved = event.step;
        break;
    }
    if (event.step !== undefined && event.event !== "Saved") this.#last = event.step;
  }

  #forget(step) {
    const before = (each) => each.step <= step;
    for (const [name, points] of this.losses) this.losses.set(name, points.filter(([at]) => at <= step));
    this.reports = this.reports.filter(before);
    this.samples = this.samples.filter(before);
    this.measured = this.measured.filter(before);
    this.singles = this.singles.filter(before);
    this.marks = this.marks.filter(before);
  }

  /** Seconds of training so far; runs on between two reports. */
  seconds() {
    const { how } = this.run ?? {};
    const told = Math.max(this.reports.at(-1)?.seconds ?? 0, this.run?.seconds ?? 0);
    return told + (how === "training" && this.came ? Math.min((performance.now() - this.came) / 1000, 11) : 0);
  }

  /** Seconds of training when it made a step. */
  secondsAt(step) {
    let found = 0;
    for (const report of this.reports) if (report.step <= step) found = report.seconds;
    return found;
  }

  /** The last sample at a step or before; its place. */
  sampleAt(step) {
    let found = 0;
    this.samples.forEach((sample, place) => { if (sample.step <= step) found = place; });
    return found;
  }

  picture(sample) {
    return `${this.address}/${sample.file}?t=${sample.time}`; // a resumed run may make the same step's picture anew
  }
}
