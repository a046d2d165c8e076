/*
 * link.js: asks the studio for pictures while something is being dragged or drawn.
 *
 * One question is on its way at a time, and at most one is waiting: the newest. A slow server or network
 * therefore means fewer pictures, never a backlog, and an older answer never replaces a newer one. If the studio
 * can't be reached, the newest question is asked again, less and less often, until it is answered.
 *
 *     const link = new Link("/api/pix2pix/translate", { answered(answer) { … }, troubled(trouble) { … } });
 *     link.ask(async () => ({ sketch: await painter.png() }));   // called when it is sent, not before
 */

const PATIENCE = 30_000; // milliseconds until an answer is given up
const PAUSES = [300, 700, 1500, 3000, 5000];
const LATER = new Set([408, 425, 429, 500, 502, 503, 504]); // the studio is busy or just starting: worth asking again

/** Where the studio is: the page's own address without the page, so any base path and any proxy are right. */
export function studio(page = "") {
  const path = location.pathname.replace(/\/+$/, "");
  return location.origin + (page && path.endsWith(`/${page}`) ? path.slice(0, -page.length - 1) : path);
}

// Not crypto.randomUUID: a classroom server on plain http is no secure context. And not kept in sessionStorage:
// a duplicated tab would share the name, and two tabs would take each other's turn.
const stranger = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Sent along with every question: which tab asks, where the server counts (it tells nobody), and the page's language. */
/** @type {Record<string, string>} */
export const headers = { "X-Tab": stranger(), get "X-Language"() { return document.documentElement.lang || "en"; } };

/** Milliseconds that a busy server asks for, spread, so that thirty who were told the same don't come back at once. */
export const wanted = (response) => Math.min(60, Number(response.headers.get("Retry-After")) || 0) * (1000 + 500 * Math.random());

/**
 * @typedef {{response: Response, blob: Blob, revision: number, milliseconds: number}} Answer
 * @typedef {{kind: string, status?: number, says?: string, pause?: number, failures?: number}} Trouble
 *   kind: "away", "busy", "refused", or, inside a Link, "overtaken"
 */

export class Link {
  #question = null; #asked = 0; #answered = 0; #busy = false; #failures = 0; #timer = 0; #ending = new AbortController();
  address; answered; troubled; patience; viewer;

  /**
   * `troubled` is told when something is wrong and, with null, when it is right again. `patience`: milliseconds for one
   * answer.
   * @param {string} address
   * @param {{answered: (answer: Answer) => any, troubled?: (trouble: Trouble | null) => any, patience?: number}} tell
   */
  constructor(address, { answered, troubled = () => {}, patience = PATIENCE }) {
    this.address = address;
    this.answered = answered;
    this.troubled = troubled;
    this.patience = patience;
    this.viewer = stranger();
    const now = () => { if (this.#timer) this.#again(0); };
    addEventListener("online", now, { signal: this.#ending.signal });
    addEventListener("focus", now, { signal: this.#ending.signal });
  }

  /** `fields` is called as late as possible and gives {name: value | Blob}; undefined values are left out. */
  ask(fields) {
    this.#question = { fields, revision: ++this.#asked };
    this.#go();
    return this.#asked;
  }

  /** Nothing that was asked so far is wanted any more. */
  forget() {
    this.#question = null;
    this.#answered = this.#asked;
    clearTimeout(this.#timer);
    this.#timer = this.#failures = 0;
    this.troubled(null);
  }

  close() {
    this.forget();
    this.#ending.abort();
  }

  async #go() {
    if (this.#busy || this.#timer || !this.#question || this.#ending.signal.aborted) return;
    const { fields, revision } = this.#question, started = performance.now();
    this.#question = null;
    this.#busy = true;
    /** @type {Trouble | null} */
    let trouble = null;
    try {
      const form = new FormData();
      for (const [name, value] of Object.entries(await fields())) {
        if (value instanceof Blob) form.append(name, value, value instanceof File ? value.name : `${name}.png`);
        else if (value !== undefined && value !== null) form.append(name, value);
      }
      form.append("viewer", this.viewer);
      form.append("revision", String(revision));
      const giveUp = new AbortController(), timer = setTimeout(() => giveUp.abort(), this.patience);
      this.#ending.signal.addEventListener("abort", () => giveUp.abort(), { once: true, signal: giveUp.signal });
      const response = await fetch(this.address, { method: "POST", body: form, headers, signal: giveUp.signal });
      clearTimeout(timer);
      if (response.ok) {
        const blob = await response.blob();
        if (revision > this.#answered) {
          this.#answered = revision;
          await this.answered({ response, blob, revision, milliseconds: performance.now() - started });
        }
      } else if (response.status === 409) trouble = { kind: "overtaken" }; // somebody newer was served instead
      else trouble = { kind: LATER.has(response.status) ? "busy" : "refused", status: response.status, says: await sentence(response), pause: wanted(response) };
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      trouble = { kind: "away", says: String(error) };
    }
    this.#busy = false;
    if (!trouble) {
      this.#failures = 0;
      this.troubled(null);
    } else if (revision > this.#answered) this.#handle(trouble, { fields, revision });
    this.#go();
  }

  #handle(trouble, question) {
    if (trouble.kind === "overtaken") {
      this.#question ??= question; // if nothing newer of ours is waiting, the newest is still owed
      this.#again(60);
    } else if (trouble.kind === "refused") {
      this.#failures = 0; // asking again would not help; the next drawing may
      if (!this.#question) this.troubled(trouble);
    } else {
      this.#question ??= question;
      this.troubled({ ...trouble, failures: ++this.#failures });
      this.#again(Math.max(PAUSES[Math.min(this.#failures, PAUSES.length) - 1], trouble.pause || 0));
    }
  }

  #again(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#timer = 0; this.#go(); }, pause);
  }
}

/** The sentence in an error's JSON, whatever its field is called. */
async function sentence(response) {
  try {
    const { error, detail, says, message } = await response.json();
    return String(error?.message ?? error ?? detail ?? says ?? message ?? "");
  } catch {
    return "";
  }
}

/**
 * Puts text on the clipboard. navigator.clipboard needs https or localhost; a classroom server has neither.
 * `near`: where a text box may stand when the rest of the page can't be reached (an open dialog, the whole screen).
 */
export async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = Object.assign(document.createElement("textarea"), { value: text, style: "position: fixed; opacity: 0" });
    (document.fullscreenElement || near.matches("dialog") ? near : document.body).append(box);
    box.select();
    const copied = document.execCommand("copy");
    box.remove();
    return copied;
  }
}
