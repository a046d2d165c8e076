/*
 * modulation.js: inside SPADE. The drawing is the one on the Play tab (desk.js); without one, the first template stands
 * in. Nothing is asked while nobody looks.
 *
 *   layers     gamma and beta that the label map gives each normalisation, layer by layer
 *   canvases   one label all over, painted by SPADE and by a net that gets its labels at the input only
 */

import { watch } from "../common/desk.js";
import { h } from "../common/dom.js";
import { headers, Link, studio } from "../common/link.js";
import { mounting, sentence, Sight } from "../common/part.js";

const MAPS = ["map", "gamma", "beta", "strength"];

class Inside {
  #data = {}; #paper = null; #stop = () => {}; #layers = []; #at = -1; #asked = "";

  constructor(parent) {
    this.#build();
    parent.append(this.root);
    this.sight = new Sight(this.root, () => this.#ask());
  }

  update(data) {
    const before = this.#data;
    this.#data = data;
    this.address = studio(data.page);
    if (before.gan !== data.gan) {
      this.link?.close();
      this.link = new Link(`${this.address}/api/${data.gan}/modulation`, {
        answered: async ({ blob }) => this.#show(JSON.parse(await blob.text())), troubled: (trouble) => this.#trouble(trouble),
      });
    }
    this.parts.layers.hidden = !data.layers;
    this.parts.noLayers.hidden = data.layers;
    this.parts.noBaseline.hidden = Boolean(data.baseline);
    if (JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#speak();
    if (before.storage !== data.storage) {
      this.#stop();
      this.#paper = null;
      this.#stop = watch(data.storage, (paper) => { this.#paper = paper; this.sight.stale(); });
    }
    if (before.tag !== data.tag || before.baseline !== data.baseline) {
      this.sight.stale();
      this.#asked = "";
    }
  }

  close() {
    this.#stop();
    clearTimeout(this.again);
    this.sight.close();
    this.link?.close();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  async #ask() {
    const { examples, layers, tag } = this.#data, paper = this.#paper;
    this.parts.standIn.hidden = Boolean(paper) || !examples.length;
    if (layers && (paper || examples.length)) {
      try {
        const map = paper ? await paper.png() : await (await fetch(this.address + examples[0].file)).blob();
        this.#put("map", URL.createObjectURL(map));
        this.link.ask(() => ({ labels: map, channel: this.parts.channel.valueAsNumber || 0, tag }));
      } catch {
        this.#trouble({ kind: "away", failures: 2 });
      }
    }
    this.#compare();
  }

  #trouble(trouble) {
    const bad = trouble && !(trouble.failures < 2);
    this.parts.trouble.hidden = !bad;
    if (bad) this.parts.trouble.textContent = trouble.kind === "refused" ? trouble.says : this.say(trouble.kind);
  }

  /* ---- layers */

  #show(layers) {
    this.#layers = layers;
    this.parts.layer.max = layers.length - 1;
    if (this.#at < 0 || this.#at >= layers.length) this.#at = Math.round(0.7 * (layers.length - 1));
    this.parts.layer.value = this.#at;
    this.#turn();
  }

  #turn() {
    const layer = this.#layers[this.#at];
    if (!layer) return;
    const [height, width] = layer.size, channel = (this.parts.channel.valueAsNumber || 0) % layer.channels;
    this.parts.where.textContent = this.say("where", { name: layer.name, width, height, channel: channel + 1, channels: layer.channels });
    for (const part of ["gamma", "beta", "strength"]) this.#put(part, layer[part]);
    this.parts.gammaCaption.textContent = this.say("gamma", { most: layer.most_gamma.toFixed(2) });
    this.parts.betaCaption.textContent = this.say("beta", { most: layer.most_beta.toFixed(2) });
  }

  #put(part, address) {
    const old = this.parts[part].querySelector("img");
    if (old?.src.startsWith("blob:")) URL.revokeObjectURL(old.src);
    this.parts[part].replaceChildren(h("img", { src: address, alt: this.parts[`${part}Caption`].textContent }));
  }

  /* ---- canvases of one label */

  async #compare() {
    const { tag, baseline, canvases, gan } = this.#data, asked = `${tag}|${baseline}|${canvases.map(({ id }) => id)}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    const rows = [["ours", tag], ...(baseline ? [["theirs", baseline]] : [])], apart = {};
    this.parts.canvases.style.setProperty("--many", canvases.length);
    const cells = [h("span", { class: "corner" }), ...canvases.map(({ name, colour }) =>
      h("span", { class: "label" }, h("i", { style: `background: ${colour}` }), `${this.say("only")} ${name}`))];
    const places = rows.map(([who]) => canvases.map(({ name }) => h("div", { class: "shown", "data-who": who, "data-name": name })));
    rows.forEach(([who], k) => cells.push(h("b", {}, this.say(who)), ...places[k]));
    this.parts.canvases.replaceChildren(...cells);
    this.parts.apart.textContent = "";
    try {
      for (const [k, [who, from]] of rows.entries()) {
        const pictures = [];
        for (const [n, { colour, name }] of canvases.entries()) {
          const form = new FormData();
          form.append("labels", await flat(colour), "labels.png");
          form.append("tag", from);
          if (this.#data.seed !== null) form.append("seed", this.#data.seed);
          const response = await fetch(`${this.address}/api/${gan}/paint`, { method: "POST", body: form, headers });
          if (!response.ok) throw new Error(String(response.status));
          const picture = h("img", { src: URL.createObjectURL(await response.blob()), alt: `${this.say(who)}: ${name}` });
          await picture.decode();
          if (asked !== this.#asked) return;
          places[k][n].replaceChildren(picture);
          pictures.push(picture);
        }
        apart[who] = difference(pictures).toFixed(1);
      }
      this.parts.apart.textContent = this.say(baseline ? "apart" : "apartAlone", apart);
      if (!this.#data.layers) this.#trouble(null);
    } catch {
      if (asked !== this.#asked || !this.root.isConnected) return; // a newer one is under way, or nobody is here
      this.#asked = "";
      this.#trouble({ kind: "away", failures: 2 });
      clearTimeout(this.again);
      this.again = setTimeout(() => this.sight.stale(), 5000);
    }
  }

  #build() {
    const parts = this.parts = {};
    const text = (name, tag = "p", attributes = {}) => (parts[name] = h(tag, attributes));
    const shown = (name) => h("figure", {}, (parts[name] = h("div", { class: "shown" })), text(`${name}Caption`, "figcaption"));
    parts.layer = h("input", { type: "range", min: 0, max: 0, step: 1, value: 0, oninput: () => { this.#at = parts.layer.valueAsNumber; this.#turn(); } });
    parts.channel = h("input", { type: "number", min: 0, max: 9999, step: 1, value: 0, oninput: () => this.sight.stale() });
    parts.layers = h("section", { class: "block" }, text("layersTitle", "h2"), text("layersText"),
      h("div", { class: "knobs" }, h("label", {}, text("layer_", "span"), parts.layer), h("label", {}, text("channel_", "span"), parts.channel)),
      text("where", "p", { class: "where", role: "status" }), h("div", { class: "maps" }, ...MAPS.map(shown)));
    parts.canvases = h("div", { class: "canvases" });
    const one = h("section", { class: "block" }, text("oneTitle", "h2"), text("oneText"), parts.canvases,
      text("apart", "p", { role: "status" }), text("noBaseline", "p", { hidden: true }));
    this.root = h("section", { class: "inside" }, text("standIn", "p", { class: "stand-in", hidden: true }),
      text("trouble", "p", { class: "trouble", role: "status", hidden: true }), text("noLayers", "p", { class: "stand-in", hidden: true }), parts.layers, one);
  }

  #speak() {
    for (const key of ["layersTitle", "layersText", "oneTitle", "oneText", "noBaseline", "noLayers", "standIn"]) this.parts[key].textContent = this.say(key);
    this.parts.layer_.textContent = this.say("layer");
    this.parts.channel_.textContent = this.say("channel");
    this.parts.layer.setAttribute("aria-label", this.say("layerLabel"));
    this.parts.mapCaption.textContent = this.say("map");
    this.parts.strengthCaption.textContent = this.say("strength");
    this.#turn();
    this.#asked = "";
    if (this.sight.seen) this.#compare();
  }
}

/** A canvas of one colour. */
function flat(colour) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 }), context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 64, 64);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Mean difference of all pairs of pictures, in levels of 255. */
function difference(pictures) {
  const pixels = pictures.map((picture) => {
    const context = Object.assign(document.createElement("canvas"), { width: 64, height: 64 }).getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0, 64, 64);
    return context.getImageData(0, 0, 64, 64).data;
  });
  let sum = 0, count = 0;
  for (let a = 0; a < pixels.length; a++) {
    for (let b = a + 1; b < pixels.length; b++) {
      for (let i = 0; i < pixels[a].length; i++) if (i % 4 < 3) { sum += Math.abs(pixels[a][i] - pixels[b][i]); count++; }
    }
  }
  return count ? sum / count : 0;
}

export default mounting(Inside);
