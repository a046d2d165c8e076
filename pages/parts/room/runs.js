/*
 * runs.js: all runs of this studio at a glance, how each of them is and who waits for whom. The page around it is told
 * which one somebody wants to see: {opened: {name, gan}}.
 */

import { h } from "../common/dom.js";
import { studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";
import { within } from "./track.js";

const BUSY = new Set(["starting", "queued", "training", "paused"]);

class Runs {
  #data = {}; #timer = 0; #shown = ""; #ending = new AbortController();
  /** @type {(name: string, value: any) => any} */
  #tell = () => {};

  constructor(parent) {
    this.list = h("ul");
    this.none = h("p", { class: "none", hidden: true });
    this.root = h("nav", { class: "runs" }, this.list, this.none);
    parent.append(this.root);
    document.addEventListener("visibilitychange", () => document.hidden || this.#ask(), { signal: this.#ending.signal });
  }

  update(data, { setTriggerValue: tell }) {
    const first = !this.#data.words;
    this.#data = data;
    this.#tell = tell;
    this.address = studio(data.page);
    this.none.textContent = data.words.none;
    this.root.setAttribute("aria-label", data.words.label);
    this.#shown = "";
    if (first) this.#ask();
    else this.#show();
  }

  close() {
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  async #ask() {
    clearTimeout(this.#timer);
    let pause = 8000;
    try {
      const response = await fetch(`${this.address}/api/runs`, { signal: within(15_000, this.#ending.signal) });
      if (response.ok) {
        this.all = await response.json();
        this.#show();
        if (this.all.some((run) => BUSY.has(run.how))) pause = 2000;
      }
    } catch {
      if (this.#ending.signal.aborted) return;
    }
    this.#timer = setTimeout(() => this.#ask(), document.hidden ? 20_000 : pause);
  }

  #show() {
    if (!this.all) return;
    const runs = this.all.filter((run) => !this.#data.gan || run.gan === this.#data.gan).slice(0, this.#data.most ?? 200);
    const now = JSON.stringify(runs);
    if (now === this.#shown) return;
    this.#shown = now;
    this.none.hidden = runs.length > 0;
    const before = new Map([...this.list.children].map((item) => [item.dataset.run, item]));
    this.list.replaceChildren(...runs.map((run) => this.#item(run, before.get(run.name))));
  }

  #item(run, old) {
    const share = run.how === "finished" ? 1 : run.goal.minutes ? run.seconds / (60 * run.goal.minutes) : run.goal.steps ? run.step / run.goal.steps : 0;
    const says = run.how === "queued" ? this.say(run.ahead === 1 ? "ahead1" : run.ahead ? "aheadN" : "ahead0", { n: run.ahead }) : this.say(`how.${run.how}`);
    const search = new URLSearchParams(location.search);
    search.set("run", run.name);
    const parts = [says, this.say("steps", { step: run.step.toLocaleString(this.#data.lang) }), new Date(run.created * 1000).toLocaleString(this.#data.lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" })];
    const picture = old?.querySelector("img") ?? h("img", { alt: "", loading: "lazy" });
    const address = run.sample ? `${this.address}/api/runs/${encodeURIComponent(run.name)}/${run.sample.file}?t=${run.sample.time}` : "";
    if (address && picture.getAttribute("src") !== address) picture.src = address;
    return h("li", { "data-run": run.name }, h("a", { href: `?${search}`, onclick: (event) => this.#open(event, run) },
      h("span", { class: "thumb" }, ...(address ? [picture] : [])),
      h("span", { class: "text" }, h("b", {}, run.title), h("span", { class: "line" }, h("i", { class: "lamp", "data-how": run.how }), parts.join(" · ")),
        h("span", { class: "line faint" }, [...(this.#data.gan ? [] : [this.#data.titles?.[run.gan] ?? run.gan]), this.#data.words.toys[run.data.replace(/^toy:|(?<=^points):.*/, "")] ?? run.data].join(" · ")),
        h("span", { class: "bar", "data-how": run.how }, h("i", { style: `width:${Math.min(100, Math.round(100 * share))}%` })))));
  }

  #open(event, run) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = event.currentTarget.href;
    this.#tell("opened", { name: run.name, gan: run.gan });
    setTimeout(() => this.root.isConnected && !location.search.includes("run=") && location.assign(address), 5000); // nobody heard
  }
}

export default mounting(Runs);
