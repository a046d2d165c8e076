/*
 * space.js: the studio's parts in a page of Gradio. Each tab is a place; a part is mounted in it when the tab is first
 * seen, in a shadow root, so that Gradio's styles and the part's leave each other alone (as Streamlit does it, too).
 *
 * The address says what a visitor sees, as in the studio's own pages: ?at=style&gates=ukiyoe:0.7&lang=ko. Parameters
 * other than `at`, `lang` and `hide` belong to one tab, and leave the address with it.
 */

import { h } from "../common/dom.js";
import { studio } from "../common/link.js";

const KEPT = ["lang", "hide", "__theme"];
const AGAIN = 3000; // milliseconds until a server that does not answer is asked again
const places = new Map();
let tabs = [];

const asked = () => new URLSearchParams(location.search);
const kept = () => [...asked()].filter(([name]) => KEPT.includes(name)); // what goes along to another tab
const at = () => (tabs.includes(asked().get("at")) ? asked().get("at") : tabs[0]);

/** Writes the address without loading it: {name: value, or null to take it out}. */
function put(values) {
  const query = asked();
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  const plain = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ","); // as people read it
  history.replaceState(history.state, "", location.pathname + (plain ? `?${plain}` : "") + location.hash);
}

/** A tab was chosen. */
export function go(name) {
  if (name !== at()) {
    history.replaceState(history.state, "", `${location.pathname}?${new URLSearchParams([["at", name], ...kept()])}`);
  }
  places.get(name)?.enter();
}

/** Opens another tab with parameters, as a link would. */
function open(name, values) {
  location.assign(`${location.pathname}?${new URLSearchParams([["at", name], ...Object.entries(values), ...kept()])}`);
}

/** The run that the address names; "" = none. For Gradio's own buttons. */
export const run = () => (at() === "train" ? asked().get("run") ?? "" : "");

/** A training has begun: its room opens. */
export function watch(name) {
  if (!name || run() === name) return;
  put({ run: name, compare: null });
  places.get("train")?.load();
}

/** The page's own head: the language, and what the address hides. */
export function head(element, names) {
  tabs = names;
  const query = asked(), lang = document.documentElement.lang = understood();
  document.body.dataset.hide = (query.get("hide") ?? "").split(",").join(" ");
  for (const link of element.querySelectorAll("a[data-lang]")) {
    const to = asked();
    to.set("lang", link.dataset.lang);
    link.href = `?${to}`;
    link.toggleAttribute("aria-current", link.dataset.lang === lang);
    link.onclick = () => { const now = asked(); now.set("lang", link.dataset.lang); link.href = `?${now}`; };
  }
  for (const place of places.values()) place.enter();
}

const understood = () => {
  const named = asked().get("lang"), spoken = (navigator.language || "en").slice(0, 2).toLowerCase();
  return [named, spoken].find((each) => each === "en" || each === "ko") ?? "en";
};

/** Gradio has rendered a tab's place. */
export function show(element) {
  const spot = element.querySelector(".studio-place"), { tab } = spot.dataset;
  if (places.get(tab)?.host === spot) return;
  places.set(tab, new Place(spot, tab));
  places.get(tab).enter();
}

class Place {
  #entered = false; #timer = 0; #leave = null; #turn = 0;

  constructor(host, name) {
    this.host = host;
    this.name = name;
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  }

  /** Mounts the tab's part, if it is the one that is looked at. */
  enter() {
    if (this.#entered || !tabs.length || at() !== this.name) return;
    this.#entered = true;
    this.load();
  }

  async load() {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    try {
      const response = await fetch(`${studio()}/space/${this.name}${location.search}`, { signal: AbortSignal.timeout(20_000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const told = await response.json(), part = told.part ? (await import(`../${told.part}.js`)).default : null;
      if (turn === this.#turn) this.#mount(told, part);
    } catch (error) {
      if (turn !== this.#turn) return;
      console.warn(error);
      if (!this.stage) this.root.replaceChildren(h("p", { role: "status" }, this.host.dataset[document.documentElement.lang] ?? this.host.dataset.en));
      this.#timer = setTimeout(() => this.load(), AGAIN);
    }
  }

  #mount(told, part) {
    this.#leave?.();
    this.#leave = null;
    this.stage = h("div", { class: "space-stage" });
    this.root.replaceChildren(h("style", {}, told.css), ...this.#head(told), ...(told.note ? [h("p", { class: "space-note", role: "status" }, told.note)] : []), this.stage);
    if (!part) {
      const { says, button } = told.none;
      this.stage.append(h("p", { class: "space-none" }, says, h("button", { type: "button", onclick: () => open("train", { gan: told.head.gan }) }, button)));
      return;
    }
    const state = (name, value) => put({ [name]: value });
    this.#leave = part({ parentElement: this.stage, data: told.data, setStateValue: state, setTriggerValue: (name, value) => this.#told(name, value) });
  }

  #head({ head, checkpoints }) {
    const hidden = new Set((asked().get("hide") ?? "").split(","));
    if (!head || hidden.has("title")) return [];
    const choice = checkpoints && Object.keys(checkpoints.named).length > 1 && !hidden.has("checkpoint")
      ? [h("label", {}, h("span", {}, checkpoints.label), h("select", { "aria-label": checkpoints.label, onchange: ({ target }) => { put({ tag: target.value }); this.load(); } },
        ...Object.entries(checkpoints.named).map(([tag, title]) => h("option", { value: tag, selected: tag === checkpoints.chosen }, title))))]
      : [];
    return [h("header", { class: "space-head" }, h("h1", {}, head.title, " ", h("small", {}, head.year)), h("p", {}, head.idea), ...choice)];
  }

  /** What the training's parts tell the page around them. */
  #told(name, value) {
    if (name === "opened") watch(value.name);
    else if (name === "gone" || name === "left") {
      put({ run: null, compare: null });
      this.load();
    } else if (name === "used") location.assign(`${studio()}/${value.gan}?${new URLSearchParams([["tag", value.tag], ...kept()])}`);
  }
}
