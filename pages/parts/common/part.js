/* part.js: what the parts of a page have in common. */

/** A component's default export: one `Kind(parent)` for each place on the page, as long as the place is there. */
export function mounting(Kind) {
  const there = new WeakMap();
  return ({ parentElement, data, ...tell }) => {
    if (!there.has(parentElement)) there.set(parentElement, new Kind(parentElement));
    there.get(parentElement).update(data, tell);
    return () => {
      there.get(parentElement)?.close();
      there.delete(parentElement);
    };
  };
}

/** 8430528 -> "8,430,528", which reads the same in English and Korean. */
export const grouped = (number) => Math.round(number).toString().replace(/\B(?=(\d{3})+$)/g, ",");

/** The sentence of a (dotted) key, with its {values} put in; a key that is not there shows itself. */
export function sentence(words, key, values = {}) {
  const text = key.split(".").reduce((found, part) => found?.[part], words) ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/**
 * Calls `ask` when what `root` shows is out of date: not while nobody looks, which costs a class of thirty nothing,
 * and not at each turn of something, but `pause` milliseconds after the last.
 */
export class Sight {
  #seen = false; #stale = true; #timer = 0;
  ask; pause;

  constructor(root, ask, pause = 150) {
    this.ask = ask;
    this.pause = pause;
    this.observer = new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      if (this.#seen && this.#stale) this.#later(0);
    });
    this.observer.observe(root);
  }

  get seen() {
    return this.#seen;
  }

  /** It is out of date. */
  stale() {
    this.#stale = true;
    if (this.#seen) this.#later(this.pause);
  }

  forget() {
    clearTimeout(this.#timer);
  }

  close() {
    this.forget();
    this.observer.disconnect();
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stale = false;
      this.ask();
    }, pause);
  }
}
