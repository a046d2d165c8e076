/*
 * live.js: a drawing on the left, what the GAN makes of it on the right, while the pen moves.
 *
 * Streamlit mounts it through `pages/parts/live/live.py`. The canvas is painter.js, the pictures come over link.js from the
 * studio's HTTP routes; Python is told only what belongs into the address (the seed).
 */

import { createPainter } from "../painter/painter.js";
import { colourIn } from "../painter/colour.js";
import { lay, offer, received, send } from "../common/desk.js";
import { h, icon, sender } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { copy, headers, Link, studio } from "../common/link.js";
import { Pin } from "../lesson/pin.js";
import { Styles } from "./styles.js";
import * as upload from "../common/upload.js";

// Streamlit calls again at each change, and mounts anew when the page around it changes its shape or language. The
// desk of a GAN outlives all that: its drawing, its history and its picture move to the new place.
const desks = new Map();
const PATTERNS = "gan-studio/patterns"; // "on" if classes are to have patterns

export default function mount({ parentElement, data, setStateValue }) {
  if (!desks.has(data.gan)) desks.set(data.gan, new Live());
  const desk = desks.get(data.gan);
  if (desk.root.parentNode !== parentElement) parentElement.append(desk.root);
  desk.update(data, setStateValue);
  return () => desk.leave(parentElement);
}

class Live {
  #data = {}; #sent = []; #seedTimer = 0; #last = ""; #blob = null; #seed = null; #waiting = 0; #file = null; #turn = 0; #whole = null;
  /** @type {(name: string, value: any) => any} */
  #tell = () => {};
  #aligned;

  constructor() {
    this.#build();
  }

  update(data, setStateValue) {
    const before = this.#data;
    this.#data = data;
    this.#tell = setStateValue;
    this.address = studio(data.page);
    if (before.drawing !== data.drawing || JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#speak();
    this.#adoptSeed(before.seed, data.seed);
    if (before.gan !== data.gan) {
      this.link?.close();
      this.link = new Link(`${this.address}/api/${data.gan}/${data.verb}`, {
        answered: (answer) => this.#show(answer), troubled: (trouble) => this.#trouble(trouble),
      });
    }
    this.styles.update({ address: this.address, gan: data.gan, tag: data.tag, verb: data.noise ? data.styles?.verb ?? "" : "", n: data.styles?.n, photo: data.photo ?? "" });
    if (before.storage !== data.storage) this.#makePainter();
    else if (JSON.stringify(before.palette) !== JSON.stringify(data.palette)) this.#recolour(data.palette, data.palette.length < before.palette.length);
    if (JSON.stringify(before.examples) !== JSON.stringify(data.examples)) this.#listExamples();
    for (const part of ["examples", "upload", "noise", "download", "share"]) this.parts[part].hidden = data.hide.includes(part);
    this.parts.sends.hidden = data.hide.includes("send");
    this.parts.examples.hidden ||= !data.examples.length;
    this.parts.noise.hidden ||= !data.noise;
    this.parts.still.hidden = data.noise || !data.still || data.hide.includes("noise");
    this.parts.still.textContent = data.still ?? "";
    this.styles.root.hidden = data.hide.includes("styles") || !(data.photo || (data.styles && data.noise));
    this.parts.patterns.hidden = data.drawing === "sketch" || data.hide.includes("patterns");
    this.parts.maps.hidden = !data.ids?.length || data.hide.includes("download");
    (data.ids?.length ? this.parts.maps : this.parts.download).append(this.parts.saveDrawing); // both kinds of a label map stand together
    this.parts.colour.hidden = !data.hints || data.hide.includes("colour");
    this.parts.cameraButton.hidden = data.drawing !== "sketch";
    this.root.dataset.drawing = data.drawing;
    this.root.classList.toggle("hinted", data.hints);
    if (JSON.stringify(before.sends) !== JSON.stringify(data.sends) || JSON.stringify(before.words) !== JSON.stringify(data.words)) this.#listSends();
    this.pin.update({ address: this.address, words: data.pin, gan: data.gan, tag: data.tag });
    this.#offer();
    this.#ask();
    const sent = received(data.gan);
    if (sent) this.#take(sent);
  }

  /** The place is gone, unless the desk has moved on already. */
  leave(place) {
    if (this.root.parentNode !== place) return;
    this.root.querySelector(".painter")?.dispatchEvent(new PointerEvent("pointerleave")); // or it would listen to keys
    this.root.remove();
  }

  say(key, values = {}) {
    const text = key.split(".").reduce((found, part) => found?.[part], this.#data.words) ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  /* ---- the canvas */

  #makePainter() {
    const { palette, pen, brush, brushes, storage, words, drawing, background } = this.#data;
    const fresh = drawing !== "sketch" && !kept(storage), patterns = drawing !== "sketch" && kept(PATTERNS) === "on";
    const hide = [...this.#data.hide, ...(drawing === "sketch" ? ["eyedropper"] : [])];
    this.painter?.destroy();
    this.#last = "";
    this.#turn++; // what is still being read was for the other drawing
    this.#file = this.#whole = null;
    this.parts.guess.hidden = true;
    this.#note("");
    this.painter = createPainter(this.parts.painter, {
      width: 256, height: 256, palette, pen, brush, brushes, storage, hide, words: words.painter, background: background ?? 0, patterns,
      onChange: (painter) => this.#drawn(painter),
    });
    const stage = this.parts.painter.querySelector(".painter-stage");
    stage.append(this.parts.here);
    // Canvas and picture begin at the same height, however many rows the toolbar takes.
    this.#aligned?.disconnect();
    this.#aligned = new ResizeObserver(() => { this.parts.bar.style.minHeight = `${stage.getBoundingClientRect().top - this.parts.painter.getBoundingClientRect().top - 10}px`; });
    this.#aligned.observe(this.parts.painter);
    this.parts.patternsButton.setAttribute("aria-pressed", patterns);
    if (!this.#openLink() && fresh) this.#begin();
    this.#drawn(this.painter);
  }

  /** Colours that a smaller palette lacks come back with them, if nothing was drawn meanwhile. */
  #recolour(palette, fewer) {
    const whole = this.painter.encode();
    this.painter.setPalette(palette);
    const left = this.painter.encode();
    if (fewer) this.#whole = { whole, left };
    else if (this.#whole?.left === left) this.painter.load({ rle: this.#whole.whole });
  }

  get #empty() {
    return this.#data.drawing === "sketch" && this.painter.indices.every((value) => value === 0);
  }

  #drawn(painter) {
    if (painter !== this.painter) return;
    this.parts.here.hidden = !this.#empty;
    this.#ask();
  }

  /** A drawing handed over in the address: …#drawing=<the painter's payload>. */
  #openLink() {
    const found = /#drawing=([\w-]+)/.exec(location.hash);
    if (!found) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    try {
      this.painter.load({ rle: found[1] });
    } catch {
      this.#note(this.say("badLink"));
    }
    return true;
  }

  /** A label map that nobody has painted yet begins with the first example: one label all over shows little. */
  async #begin() {
    const [first] = this.#data.examples, painter = this.painter, blank = painter.encode(), turn = ++this.#turn;
    if (!first) return;
    const picture = h("img", { src: this.address + first.file });
    let bitmap;
    try {
      await picture.decode();
      bitmap = await createImageBitmap(picture);
    } catch {
      return; // then it begins empty
    }
    if (turn === this.#turn && painter === this.painter && painter.encode() === blank) this.#place(bitmap, "sketch");
  }

  /* ---- from drawing to picture */

  #ask() {
    if (!this.painter || !this.link) return;
    const { tag, storage } = this.#data, seed = this.#seed;
    if (this.#empty) {
      this.#last = "";
      this.link.forget();
      this.#blob = null;
      this.#state("empty");
      lay(storage, { empty: true, tag, seed, png: () => this.painter.png(), picture: null });
      return;
    }
    const drawn = this.painter.encode(), asked = `${tag}|${seed}|${this.styles.photo?.name ?? ""}|${drawn}`;
    if (asked === this.#last) return;
    this.#last = asked;
    const drawing = async () => ({ [this.#data.field]: await this.painter.png() });
    this.parts.frame.dataset.asked = this.link.ask(async () => ({ ...(await drawing()), ...this.styles.fields, tag: this.#data.tag, seed: this.#seed }));
    this.styles.show(drawn, drawing, seed);
    if (!this.#waiting) this.#waiting = setTimeout(() => this.root.classList.add("waiting"), 500);
  }

  async #show({ response, blob, revision, milliseconds }) {
    const picture = new Image();
    picture.src = URL.createObjectURL(blob);
    picture.alt = this.say("picture");
    picture.draggable = false;
    try {
      await picture.decode();
    } catch {
      return this.#trouble({ kind: "refused", says: this.say("noPicture") });
    }
    this.#calm();
    if (this.#empty) return URL.revokeObjectURL(picture.src); // wiped while it was on its way
    const old = this.parts.frame.querySelector("img");
    if (old) {
      old.replaceWith(picture);
      URL.revokeObjectURL(old.src);
    } else this.parts.frame.prepend(picture);
    this.#blob = blob;
    this.#state("picture");
    this.parts.frame.dataset.revision = revision;
    this.#badge(response.headers, milliseconds);
    lay(this.#data.storage, { empty: false, tag: this.#data.tag, seed: this.#seed, png: () => this.painter.png(), picture: blob });
  }

  #calm() {
    clearTimeout(this.#waiting);
    this.#waiting = 0;
    this.root.classList.remove("waiting");
  }

  #badge(headers, milliseconds) {
    const get = (name) => headers.get(`X-${name}`) ?? "";
    const spent = Number(get("Milliseconds")), variant = get("Variant");
    const facts = [spent && `${spent < 10 ? spent.toFixed(1) : Math.round(spent)} ms`, get("Device").toUpperCase(), get("Size") && `${get("Size")} px`,
      variant && (this.#data.words.variant[variant] ?? variant)];
    this.parts.badge.textContent = facts.filter(Boolean).join(" · ");
    this.parts.badge.title = this.say("badge", { network: Math.round(spent), there: Math.round(milliseconds), batch: get("Batch") || 1 });
  }

  #state(state) {
    this.parts.frame.dataset.state = state;
    if (state !== "picture") this.#calm();
    for (const button of [this.parts.saveDrawing, this.parts.shareButton]) button.disabled = state === "empty";
    this.#offerPicture();
    if (state === "empty") {
      this.parts.frame.querySelector("img")?.remove();
      this.parts.sentence.textContent = this.say("empty");
      this.parts.badge.textContent = "";
    } else if (state === "picture") this.parts.sentence.textContent = "";
  }

  /** No button takes away what has not come yet. */
  #offerPicture() {
    for (const button of [this.parts.savePicture, this.pin.button, ...this.parts.sends.children]) button.disabled = !this.#blob;
  }

  #trouble(trouble) {
    if (!trouble) {
      if (this.parts.frame.dataset.state === "trouble") this.#state(this.#blob ? "picture" : "empty");
      return;
    }
    if (trouble.kind !== "refused" && trouble.failures < 2) return; // one hiccup is not worth a word
    if (trouble.kind === "refused") this.#last = "";
    this.#state("trouble");
    this.parts.sentence.textContent = trouble.kind !== "refused" ? this.say(trouble.kind)
      : trouble.says ? this.say("refusedWith", { says: trouble.says }) : this.say("refused");
  }

  /* ---- noise */

  #adoptSeed(before, given) {
    if (given === before) return;
    const echo = this.#sent.indexOf(given);
    if (echo >= 0) this.#sent.splice(0, echo + 1); // our own words coming back: newer ones may be under way
    else this.#setSeed(given ?? this.#begun());
  }

  /** The address's seed; "off" = none; where it says nothing, the one that the checkpoint begins with. */
  #begun() {
    const asked = new URLSearchParams(location.search).get("seed");
    return asked === null ? this.#data.begin ?? null : /^\d{1,15}$/.test(asked) ? Number(asked) : null;
  }

  /** How the address says it. */
  get #told() {
    return this.#seed ?? (this.#data.begin == null ? null : "off");
  }

  #chooseSeed(seed) {
    this.#setSeed(seed);
    this.#ask();
    clearTimeout(this.#seedTimer);
    this.#seedTimer = setTimeout(() => { // the address can wait until the dice rest
      this.#sent.push(this.#seed);
      this.#tell("seed", this.#told);
    }, 400);
  }

  #setSeed(seed) {
    this.#seed = seed;
    this.parts.noiseSwitch.setAttribute("aria-checked", seed !== null);
    this.parts.seedBox.hidden = seed === null;
    if (seed !== null && this.parts.seed.valueAsNumber !== seed) this.parts.seed.value = seed;
  }

  /* ---- drawings from elsewhere */

  #listExamples() {
    this.parts.thumbs.replaceChildren(...this.#data.examples.map(({ file, name }) => {
      const picture = h("img", { src: this.address + file, alt: "", width: 64, height: 64, onerror: () => button.remove() });
      const button = h("button", { type: "button", class: "thumb", "aria-label": name, title: name, onclick: () => this.#loadExample(picture) }, picture);
      return button;
    }));
  }

  async #loadExample(picture) {
    if (!picture.naturalWidth) return;
    const turn = ++this.#turn;
    this.#file = null;
    this.parts.guess.hidden = true;
    this.#note("");
    const bitmap = await createImageBitmap(picture);
    if (turn === this.#turn) this.#place(bitmap, "sketch");
  }

  /** A picture becomes the drawing, in one step that undo takes back. */
  #place(picture, kind) {
    const { palette, drawing, pen } = this.#data;
    if (drawing !== "sketch") { // an example, in exactly the palette's colours
      const { snapped } = this.painter.load({ image: picture });
      const share = Math.round((100 * snapped) / this.painter.indices.length);
      if (share > 0) this.#note(this.say("snapped", { share }));
      return;
    }
    const pixels = upload.fit(picture, 256);
    if (kind === "sketch" && upload.isOurs(pixels, palette)) this.painter.load({ image: picture });
    else this.painter.load({ indices: upload.ink(pixels, 256, kind === "sketch" ? palette : [], pen), width: 256, height: 256 });
  }

  async #take(file, as = null) {
    if (!file) return;
    const turn = ++this.#turn;
    this.#file = file;
    this.parts.guess.hidden = true;
    this.#note(this.say("reading"));
    try {
      if (this.#data.reads) return await this.#readMap(file, turn);
      const picture = await upload.open(file);
      if (turn !== this.#turn) return; // something else was chosen meanwhile
      if (picture && this.#data.drawing !== "sketch") {
        this.#note("");
        this.#place(picture, "sketch"); // it may have something to say
      } else {
        const kind = as ?? (picture && upload.isSketch(upload.fit(picture, 256)) ? "sketch" : "photo");
        const drawn = kind === "sketch" && picture ? picture : await this.#trace(picture ? await upload.small(picture) : file);
        if (turn !== this.#turn) return;
        this.#place(drawn, drawn === picture ? "sketch" : "photo");
        this.parts.guess.hidden = !picture;
        for (const button of this.parts.guess.querySelectorAll("button")) button.setAttribute("aria-pressed", button.value === kind);
        this.#note("");
      }
    } catch (error) {
      if (turn === this.#turn) this.#note(error.says && this.#data.drawing === "labels" ? this.say("refusedWith", { says: error.says }) : this.say(error.word ?? "notPicture"), true);
    }
  }

  /** The studio's own extractor draws the sketch of a photo. */
  async #trace(file) {
    return createImageBitmap(await (await this.#inquire("trace", "photo", file)).blob());
  }

  /** Asks a verb once about a file. */
  async #inquire(verb, field, file) {
    const form = new FormData();
    form.append(field, file, field);
    form.append("tag", this.#data.tag);
    let response;
    try {
      response = await fetch(`${this.address}/api/${this.#data.gan}/${verb}`, { method: "POST", body: form, headers });
    } catch {
      throw Object.assign(new Error("away"), { word: "away" });
    }
    if (!response.ok) {
      const says = response.status === 400 ? (await response.json().catch(() => ({}))).error : "";
      throw Object.assign(new Error("refused"), { says, word: response.status === 413 ? "tooLarge" : response.status >= 500 ? "busy" : "notPicture" });
    }
    return response;
  }

  /** A label map, read by the studio itself: numbers arrive exactly, and what had to be guessed is reported. */
  async #readMap(file, turn) {
    const { reads, field, ids } = this.#data;
    const found = await (await this.#inquire(reads, field, file)).json(), picture = h("img", { src: found.ids });
    await picture.decode();
    const { naturalWidth: width, naturalHeight: height } = picture;
    const board = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
    board.drawImage(picture, 0, 0);
    const pixels = board.getImageData(0, 0, width, height).data, index = new Map(ids.map((id, k) => [id, k]));
    const side = Math.max(width, height), indices = new Uint8Array(side * side).fill(this.painter.background);
    const left = (side - width) >> 1, top = (side - height) >> 1; // all of it, on unknown
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) indices[(y + top) * side + x + left] = index.get(pixels[4 * i]) ?? this.painter.background;
    }
    if (turn !== this.#turn) return;
    this.painter.load({ indices, width: side, height: side });
    const percent = (share) => (share > 0 && share < 0.001 ? "< 0.1" : (100 * share).toFixed(1));
    const name = (id) => this.#data.palette[index.get(id)]?.name ?? id;
    const guessed = found.foreign.slice(0, 4).map(({ colour, id }) => `${colour} → ${name(id)}`).join(", ");
    const said = [this.say(`readAs.${found.kind}`)];
    if (found.snapped > 0) said.push(this.say("guessed", { share: percent(found.snapped), colours: guessed }));
    if (found.unknown > 0) said.push(this.say("unknownShare", { share: percent(found.unknown) }));
    this.#note(said.join(" "));
  }

  /** Colours the drawing in at random, as hints for the net; undo takes it back. */
  #colour() {
    const { palette, pen } = this.#data, { indices, width, height } = this.painter;
    const colours = [...palette.keys()].filter((each) => palette[each].under === pen);
    const coloured = colourIn(indices, width, height, { paper: 0, pen, colours });
    if (coloured) this.painter.load({ indices: coloured, width, height });
    this.#note(coloured ? "" : this.say("notClosed"), !coloured);
  }

  #note(text, wrong = false) {
    this.parts.note.textContent = text;
    this.parts.note.classList.toggle("wrong", wrong);
  }

  /* ---- taking things away */

  #save(blob, name) {
    const address = URL.createObjectURL(blob);
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  get #name() {
    return [this.#data.gan, this.#data.tag, this.#seed].filter((part) => part !== null).join("-");
  }

  /** What is seen here, as an address. */
  #link() {
    const address = new URL(location.href);
    address.searchParams.set("tag", this.#data.tag);
    if (this.#told === null) address.searchParams.delete("seed");
    else address.searchParams.set("seed", this.#told);
    address.hash = this.#empty ? "" : `drawing=${this.painter.encode()}`;
    return address;
  }

  async #share() {
    this.#note(this.say((await copy(this.#link().href, this.root)) ? "copied" : "notCopied"));
  }

  /** The lesson link of this page, and what it can hide. */
  #offer() {
    const { drawing, noise, still, hints, styles, photo, sends, examples, pin } = this.#data;
    const there = { examples: examples.length, upload: true, noise: noise || still, colour: hints, patterns: drawing !== "sketch", styles: (styles && noise) || photo, download: true, pin, share: true, send: sends.length };
    offer(this.#data.page, { link: () => this.#link(), parts: Object.keys(there).filter((part) => there[part]) });
  }

  #listSends() {
    this.parts.sends.replaceChildren(...this.#data.sends.map(({ gan, title }) => sender(this.say("send", { title }), title, !this.#blob, () => send(gan, this.#blob, this.address))));
  }

  /** Patterns besides colours, for eyes that see them alike; this browser remembers. */
  #pattern() {
    const on = !this.painter.patterns;
    this.painter.setPatterns(on);
    this.parts.patternsButton.setAttribute("aria-pressed", on);
    try {
      localStorage.setItem(PATTERNS, on ? "on" : "off");
    } catch { /* forbidden: it does not outlive the page */ }
  }

  #widen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
  }

  /* ---- what people see */

  #build() {
    const parts = this.parts = {};
    const button = (name, mark, act) => (parts[name] = h("button", { type: "button", class: "button", onclick: act }, icon(ICONS[mark]), h("span", {})));
    const picker = (name, mark, capture) => {
      const input = h("input", { type: "file", accept: "image/*", capture, tabindex: -1, "aria-hidden": "true", onchange: () => { this.#take(input.files[0]); input.value = ""; } });
      return [input, button(name, mark, () => input.click())];
    };
    const guess = (kind) => h("button", { type: "button", value: kind, onclick: () => this.#take(this.#file, kind) });

    parts.noiseSwitch = h("button", { type: "button", role: "switch", class: "switch", "aria-checked": "false",
      onclick: () => this.#chooseSeed(this.#seed === null ? this.parts.seed.valueAsNumber || 1 : null) }, h("i", {}), h("span", {}));
    parts.seed = h("input", { type: "number", min: 0, max: 999999, step: 1, value: 1, inputmode: "numeric", onchange: () => {
      const value = Math.min(Math.max(Math.round(parts.seed.valueAsNumber) || 0, 0), 999999);
      this.#chooseSeed(value);
    } });
    parts.seedLabel = h("span", {});
    parts.seedBox = h("span", { class: "seed", hidden: true }, h("label", {}, parts.seedLabel, parts.seed),
      button("dice", "dice", () => this.#chooseSeed(1 + Math.floor(Math.random() * 9999))));
    parts.noise = h("div", { class: "noise" }, parts.noiseSwitch, parts.seedBox);

    button("fullscreen", "wide", () => this.#widen());
    parts.fullscreen.hidden = !document.fullscreenEnabled;
    parts.here = h("div", { class: "here", "aria-hidden": "true" }, h("span", {}));
    parts.sentence = h("p", { class: "sentence", role: "status" });
    parts.frame = h("figure", { class: "frame", "data-state": "empty" }, parts.sentence, h("div", { class: "progress" }));
    parts.badge = h("span", { class: "badge" });
    parts.download = h("span", { class: "group" }, button("savePicture", "picture", () => this.#save(this.#blob, `${this.#name}.png`)),
      button("saveDrawing", "drawing", async () => this.#save(await this.painter.png(), `${this.#name}-drawing.png`)));
    parts.maps = h("span", { class: "group" }, button("saveIds", "drawing", async () => this.#save(await this.painter.png({ ids: this.#data.ids }), `${this.#name}-labels.png`)));
    this.pin = new Pin(() => this.#blob);
    parts.share = h("span", { class: "group" }, button("shareButton", "link", () => this.#share()));
    parts.sends = h("span", { class: "group" });
    this.#offerPicture();

    parts.painter = h("div", { class: "pen" });
    parts.thumbs = h("div", { class: "thumbs", role: "group" });
    parts.examplesTitle = h("span", { class: "label" });
    parts.examples = h("div", { class: "examples" }, parts.examplesTitle, parts.thumbs);
    parts.guessTitle = h("span", {});
    parts.guess = h("span", { class: "guess", role: "group", hidden: true }, parts.guessTitle, guess("sketch"), guess("photo"));
    parts.upload = h("div", { class: "upload" }, ...picker("uploadButton", "upload"), ...picker("cameraButton", "camera", "environment"), parts.maps, parts.guess);
    parts.cameraButton.classList.add("touch");
    parts.colour = h("div", { class: "colour" }, button("colourButton", "colour", () => this.#colour()));
    parts.note = h("p", { class: "note", role: "status" });
    parts.still = h("p", { class: "still", hidden: true });
    parts.patterns = h("div", { class: "patterns" }, button("patternsButton", "patterns", () => this.#pattern()));
    this.styles = new Styles({
      say: (key, values) => this.say(key, values), choose: (seed) => this.#chooseSeed(seed), changed: () => { this.#last = ""; this.#ask(); },
      note: (text, wrong) => this.#note(text, wrong),
    });

    parts.bar = h("div", { class: "bar" }, parts.noise, parts.still, parts.colour, parts.patterns, parts.fullscreen);
    this.root = h("section", { class: "live" }, h("div", { class: "room" },
      h("div", { class: "left" }, parts.painter, h("div", { class: "extras" }, parts.examples, parts.upload), parts.note),
      h("div", { class: "right" }, parts.bar, parts.frame, h("div", { class: "under" }, parts.badge, parts.download, this.pin.button, parts.share, parts.sends)),
      this.styles.root));

    const on = (node, type, act) => node.addEventListener(type, act);
    on(this.root, "dragover", (event) => { if (this.#accepts(event)) { event.preventDefault(); this.root.classList.add("over"); } });
    on(this.root, "dragleave", () => this.root.classList.remove("over"));
    on(this.root, "drop", (event) => {
      this.root.classList.remove("over");
      if (!this.#accepts(event)) return;
      event.preventDefault();
      this.#take(event.dataTransfer.files[0]);
    });
    on(document, "paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file && !parts.upload.hidden && this.root.offsetParent) this.#take(file);
    });
    on(window, "hashchange", () => this.root.isConnected && this.#openLink());
    // Back and forward, taken from the address itself: Python may have skipped a run, and then tells of no change.
    on(window, "popstate", () => {
      if (!this.root.isConnected) return;
      clearTimeout(this.#seedTimer);
      this.#setSeed(this.#begun());
      this.#ask();
    });
  }

  #accepts(event) {
    return !this.parts.upload.hidden && [...(event.dataTransfer?.types ?? [])].includes("Files");
  }

  #speak() {
    const { parts } = this;
    const label = (node, key, visible = true) => {
      const text = this.say(key);
      node.setAttribute("aria-label", text);
      node.title = text;
      const span = node.querySelector("span");
      if (span) span.textContent = visible ? text : "";
    };
    label(parts.noiseSwitch, "noise");
    parts.noiseSwitch.title = this.say("noiseHelp");
    parts.seedLabel.textContent = this.say("seed");
    label(parts.dice, "dice", false);
    label(parts.fullscreen, "fullscreen", false);
    label(parts.savePicture, "savePicture");
    label(parts.saveDrawing, "saveDrawing");
    label(parts.shareButton, "share");
    label(parts.uploadButton, "upload");
    label(parts.colourButton, "colour");
    label(parts.patternsButton, "patterns");
    parts.patternsButton.title = this.say("patternsHelp");
    label(parts.saveIds, "saveIds");
    parts.saveIds.title = this.say("saveIdsHelp");
    this.styles.speak();
    parts.colourButton.title = this.say("colourHelp");
    label(parts.cameraButton, "camera");
    parts.uploadButton.title = this.say(this.#data.drawing === "sketch" ? "uploadHelp" : "uploadLabels");
    parts.uploadButton.setAttribute("aria-label", parts.uploadButton.title);
    parts.here.firstChild.textContent = this.say("here");
    parts.examplesTitle.textContent = this.say("examples");
    parts.thumbs.setAttribute("aria-label", this.say("examples"));
    parts.guessTitle.textContent = this.say("guess");
    for (const button of parts.guess.querySelectorAll("button")) button.textContent = this.say(`kinds.${button.value}`);
    this.painter?.setWords(this.#data.words.painter);
    if (parts.frame.dataset.state === "empty") parts.sentence.textContent = this.say("empty");
    const picture = parts.frame.querySelector("img");
    if (picture) picture.alt = this.say("picture");
  }
}

/** What this browser keeps under a name; null if nothing, or if it may keep nothing. */
function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
