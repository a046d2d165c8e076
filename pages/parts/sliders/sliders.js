/*
 * sliders.js: a picture, sliders beside it, and what the GAN makes of both while a slider is dragged.
 *
 * It knows no GAN: which sliders there are, into which argument of which verb they go, and all words come as data from
 * `pages/parts/sliders.py`. While something moves a small picture is asked for (`draft`); once it rests, the chosen
 * size. All settings are in the address, in readable form (?gates=ukiyoe:0.7,monet:0.3&stroke=1.5), written by the
 * browser alone: a class of thirty costs the server no rerun.
 */

import { lay, offer, received, send } from "../common/desk.js";
import { h, icon, sender } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { copy, headers, Link, studio } from "../common/link.js";
import { Pin } from "../lesson/pin.js";
import * as upload from "../common/upload.js";

// As in live.js: Streamlit mounts anew whenever the page changes around it; picture and settings outlive that.
const desks = new Map();

export default function mount({ parentElement, data }) {
  if (!desks.has(data.key)) desks.set(data.key, new Sliders());
  const desk = desks.get(data.key);
  if (desk.root.parentNode !== parentElement) parentElement.append(desk.root);
  desk.update(data);
  return () => desk.leave(parentElement);
}

const REST = 350; // milliseconds without a change until the chosen size is asked for
const LONG = 1200; // milliseconds from which on a bar shows how far it is
const MINUTES = 10 * 60_000; // a large picture on a small machine

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const between = (value, low, high) => Math.min(Math.max(value, low), high);
const shortly = (value) => String(Math.round(1000 * value) / 1000);

class Sliders {
  /** @type {any} */
  #data = {};
  #values = {}; #picture = null; #box = null; #blobs = new Map(); #result = null; #sheet = null; #view = "compare"; #split = 50;
  #timers = {}; #pace = 0; #shown = ""; #sheetOf = ""; #example = null; #owed = "";
  #version = 0; #turn = 0; #opening = 0; #found = {}; #named = new Set(); // where sliders stand that a picture sets (`starts`), and those that were moved since

  constructor() {
    this.#build();
  }

  update(data) {
    const before = this.#data;
    this.#data = data;
    this.address = studio(data.page);
    const asked = ({ gan, verb, sheet, starts }) => [gan, verb, sheet?.verb, starts?.verb];
    if (!same(asked(before), asked(data))) this.#connect();
    if ((this.#view === "sheet" && !data.sheet) || (this.#view === "crop" && !data.crop)) this.#view = "compare";
    if (!same(before.controls, data.controls) || !same(before.presets, data.presets) || !same(before.words, data.words)) {
      const known = this.#values;
      this.#values = Object.fromEntries(data.controls.map(({ key, default: value }) => [key, key in known ? known[key] : value]));
      this.#readAddress();
      this.#makeControls();
    }
    if (!same(before.words, data.words)) this.#speak();
    if (!same(before.examples, data.examples)) this.#listExamples();
    if (!same(before.sends, data.sends) || !same(before.words, data.words)) this.#listSends();
    const { parts } = this;
    for (const part of ["examples", "upload", "download", "share", "views", "presets"]) parts[part].hidden = data.hide.includes(part);
    parts.examples.hidden ||= !data.examples.length;
    parts.presets.hidden ||= !data.presets.length;
    parts.sends.hidden = data.hide.includes("send") || !data.sends.length;
    for (const button of parts.views.children) button.hidden = (button.value === "sheet" && !data.sheet) || (button.value === "crop" && !data.crop);
    this.pin.update({ address: this.address, words: data.pin, gan: data.gan, tag: data.tag });
    this.#offer();
    if (before.tag !== data.tag) { // it is the other checkpoint's
      this.sheets?.forget();
      this.#sheetOf = "";
      this.#sheet = null;
    }
    if (!this.#picture) {
      if (!this.#opening) this.#first(); // unless one is on its way
    } else {
      if (before.tag !== data.tag) {
        this.#startFrom();
        if (this.#view !== "crop") this.#showView();
      }
      this.#ask();
    }
  }

  leave(place) {
    if (this.root.parentNode !== place) return;
    this.#darken();
    this.root.remove();
  }

  say(key, values = {}) {
    const text = key.split(".").reduce((found, part) => found?.[part], this.#data.words) ?? key;
    return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  #connect() {
    for (const link of [this.quick, this.slow, this.sheets, this.reader]) link?.close();
    const { gan, verb, sheet, starts } = this.#data, at = (name) => `${this.address}/api/${gan}/${name}`;
    const troubled = (trouble) => this.#trouble(trouble);
    this.quick = new Link(at(verb), { answered: (answer) => this.#answered(answer, true), troubled });
    this.slow = null; // made for each picture: a newer one ends it
    this.reader = starts ? new Link(at(starts.verb), { answered: async ({ blob }) => this.#started(JSON.parse(await blob.text())), troubled }) : null;
    this.sheets = sheet ? new Link(at(sheet.verb), { answered: ({ blob }) => this.#showSheet(blob), troubled, patience: MINUTES }) : null;
  }

  /* ---- settings, and the address */

  get #inAddress() {
    const found = {};
    for (const { key, into, default: usual } of this.#data.controls) {
      const value = this.#values[key];
      if (into) {
        found[into] ??= [];
        if (this.#starts(into) ? this.#named.has(key) : value !== usual) found[into].push(`${key}:${shortly(value)}`);
      } else found[key] = value === usual ? [] : [typeof value === "number" ? shortly(value) : value];
    }
    found.example = this.#example > 0 ? [this.#example + 1] : [];
    return found;
  }

  #readAddress() {
    const asked = new URLSearchParams(location.search);
    for (const { key, into, low, high, choices, default: usual } of this.#data.controls) {
      let text = asked.get(into || key);
      if (into && text !== null) text = text.split(",").map((part) => [part.slice(0, part.lastIndexOf(":")), part.slice(part.lastIndexOf(":") + 1)]).find(([name]) => name === key)?.[1] ?? String(usual);
      if (text === null || (this.#starts(into) && !asked.get(into).split(",").some((part) => part.startsWith(`${key}:`)))) continue;
      if (this.#starts(into)) this.#named.add(key);
      if (choices) this.#values[key] = choices.find(({ value }) => String(value) === text)?.value ?? this.#values[key];
      else if (text.trim() && Number.isFinite(Number(text))) this.#values[key] = between(Number(text), low, high);
    }
    const example = Number(asked.get("example"));
    if (example >= 1 && example <= this.#data.examples.length) this.#example = Math.floor(example) - 1;
  }

  #writeAddress() {
    clearTimeout(this.#timers.address);
    this.#timers.address = setTimeout(() => { // browsers allow a hundred changes in half a minute
      if (!this.root.isConnected) return;
      const address = new URL(location.href);
      for (const [name, value] of Object.entries(this.#inAddress)) {
        if (value.length) address.searchParams.set(name, value.join(","));
        else address.searchParams.delete(name);
      }
      const plain = address.search.replaceAll("%3A", ":").replaceAll("%2C", ","); // as people read it
      history.replaceState(history.state, "", address.pathname + plain + address.hash);
    }, 300);
  }

  /** `values`: {key: value} of some controls; the others stay. */
  #set(values, moving = false) {
    Object.assign(this.#values, values);
    const { controls, starts } = this.#data, moved = controls.filter(({ key, into }) => key in values && this.#starts(into));
    for (const { key } of moved) {
      this.#named.add(key); // of those that exclude each other, the last one that was moved counts
      for (const group of starts.excludes) if (group.includes(key)) for (const other of group) if (!(other in values)) this.#named.delete(other);
    }
    if (moved.length) this.#settle();
    for (const control of controls) if (control.key in values) this.#showValue(control);
    this.#sum();
    this.#writeAddress();
    this.#ask(moving);
  }

  #fields() {
    const fields = {};
    for (const { key, into } of this.#data.controls) {
      if (this.#starts(into)) {
        fields[into] ??= {};
        if (this.#named.has(key)) fields[into][key] = this.#values[key];
      } else if (into) (fields[into] ??= {})[key] = this.#values[key];
      else fields[key] = this.#values[key];
    }
    for (const [name, value] of Object.entries(fields)) if (typeof value === "object") fields[name] = JSON.stringify(value);
    return { ...fields, ...this.#data.fixed, tag: this.#data.tag };
  }

  #sum() {
    const { sum } = this.#data;
    this.parts.sum.hidden = !sum;
    if (!sum) return;
    const total = this.#data.controls.filter(({ into }) => into === sum.into).reduce((all, { key }) => all + this.#values[key], 0);
    const key = total > 1.0005 ? "sumOver" : total < 0.9995 ? "sumUnder" : "sumOne";
    this.parts.sum.textContent = this.say(key, { sum: total.toFixed(2), rest: Math.max(0, 1 - total).toFixed(2) });
    this.parts.sum.dataset.sum = total.toFixed(2);
  }

  /* ---- sliders that a picture sets: they stand where it is, and only those that were moved are sent */

  #starts(into) {
    return Boolean(into) && this.#data.starts?.into === into;
  }

  #startFrom() {
    const { starts, field, tag } = this.#data;
    if (starts) this.reader.ask(async () => ({ [field]: await this.#blob(this.#data.most), tag }));
  }

  /** `read`: {key: how sure it is, 0 to 1}. */
  #started(read) {
    const { starts, controls } = this.#data;
    this.#found = Object.fromEntries(Object.entries(read).map(([key, sure]) => [key, sure > 0.5 ? 1 : 0]));
    for (const group of starts.excludes) {
      const likeliest = group.reduce((best, key) => (read[key] > read[best] ? key : best));
      for (const key of group) this.#found[key] = key === likeliest ? 1 : 0;
    }
    this.#settle();
    for (const control of controls) if (control.key in read) this.inputs[control.key].range.title = this.say("found", { share: Math.round(100 * read[control.key]) });
    lay(this.#data.key, this.#paper);
  }

  /** What was not moved stands where the picture is; of what excludes what was moved, so much is left. */
  #settle() {
    const { controls, starts } = this.#data;
    for (const control of controls) {
      const { key, into } = control;
      if (!this.#starts(into) || this.#named.has(key)) continue;
      const group = starts.excludes.find((each) => each.includes(key)) ?? [];
      const taken = group.filter((other) => this.#named.has(other)).reduce((all, other) => all + between(this.#values[other], 0, 1), 0);
      this.#values[key] = (this.#found[key] ?? 0) * Math.max(0, 1 - taken);
      this.#showValue(control);
    }
  }

  /** What other parts of the page may take: the picture, and what is asked of it. */
  get #paper() {
    const { into } = this.#data.starts ?? {};
    return { picture: (most) => this.#blob(most), version: this.#version, tag: this.#data.tag, named: into ? JSON.parse(this.#fields()[into]) : null, found: this.#found };
  }

  /* ---- the picture that goes in */

  /** What is there at first: what another page has sent, else the example of the address, else the first. */
  #first() {
    const sent = received(this.#data.gan);
    if (sent) this.#take(sent);
    else if (this.#data.examples.length) this.#loadExample(between(this.#example ?? 0, 0, this.#data.examples.length - 1));
    else this.#state("empty");
  }

  /** Places the picture that `opening` comes to, an example or (null) one's own, unless another was chosen by then. */
  async #choose(example, opening, wrong) {
    const turn = (this.#opening = ++this.#turn);
    try {
      const picture = await opening();
      if (turn !== this.#turn) return;
      this.#example = example;
      await this.#place(picture);
      if (turn !== this.#turn) return;
      this.#note("");
      this.#writeAddress();
    } catch (error) {
      if (turn === this.#turn) this.#note(this.say(error.word ?? wrong), true);
    } finally {
      if (turn === this.#turn) this.#opening = 0;
    }
  }

  #loadExample(index) {
    return this.#choose(index, async () => {
      const picture = new Image();
      picture.src = this.address + this.#data.examples[index].file;
      await picture.decode();
      return createImageBitmap(picture);
    }, "noExample");
  }

  async #take(file) {
    if (!file) return;
    this.#note(this.say("reading"));
    await this.#choose(null, async () => (await upload.open(file)) ?? this.#readThere(file), "notPicture");
  }

  /** Formats that this browser can't read the studio may: TIFF, say. It is asked for the picture unchanged. */
  async #readThere(file) {
    if (!this.#data.reads) throw new Error("not a picture");
    const form = new FormData();
    form.append(this.#data.field, file, "photo");
    for (const [name, value] of Object.entries(this.#data.reads.fields)) form.append(name, value);
    const response = await fetch(`${this.address}/api/${this.#data.gan}/${this.#data.reads.verb}`, { method: "POST", body: form, headers });
    if (!response.ok) throw Object.assign(new Error("refused"), { word: response.status === 413 ? "tooLarge" : "notPicture" });
    return createImageBitmap(await response.blob());
  }

  /** On a phone the system's camera; elsewhere, where the browser may, the lamp goes on and the picture is live here. */
  async #camera(input) {
    const { lens, video } = this.parts;
    if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices?.getUserMedia) return input.click();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
      this.#darken(); // that of an earlier click
      video.srcObject = stream;
      if (!this.root.isConnected) return this.#darken(); // the page was left meanwhile
      lens.hidden = false;
      this.#note("");
      await video.play();
    } catch {
      this.#note(this.say("noCamera"), true);
      this.#darken();
    }
  }

  async #snap() {
    const { video } = this.parts;
    if (video.videoWidth) await this.#choose(null, () => createImageBitmap(video), "noCamera");
    this.#darken();
  }

  #darken() {
    for (const track of this.parts.video.srcObject?.getTracks() ?? []) track.stop();
    this.parts.video.srcObject = null;
    this.parts.lens.hidden = true;
  }

  async #place(bitmap) {
    this.#picture = bitmap;
    this.#box = null;
    if (this.#data.crop) {
      const side = Math.min(bitmap.width, bitmap.height);
      this.#box = { side, x: (bitmap.width - side) / 2, y: (bitmap.height - side) * 0.35 }; // faces are above the middle
    }
    await this.#cut();
    if (this.#view === "crop") this.#showView();
  }

  /** The picture, or its cropped square, anew: everything that was, or is being, made of the old one is void. */
  async #cut() {
    const version = ++this.#version;
    this.#blobs.clear();
    for (const link of [this.quick, this.sheets, this.reader]) link?.forget();
    this.#stopWhole();
    this.#shown = this.#sheetOf = "";
    this.#result = this.#sheet = null;
    this.#offerSeen();
    const { width, height } = this.#cutSize(this.#data.crop ? 512 : 1024);
    this.parts.frame.style.setProperty("--ratio", width / height);
    this.parts.after.removeAttribute("src");
    this.parts.frame.classList.add("fresh");
    const blob = await this.#blob(1024), old = this.parts.before.src;
    if (version !== this.#version) return; // a newer one is being cut
    this.parts.before.src = URL.createObjectURL(blob);
    if (old) URL.revokeObjectURL(old);
    lay(this.#data.key, this.#paper);
    this.#state("picture");
    this.#startFrom();
    this.#ask();
    if (this.#view === "sheet") this.#showView();
  }

  #cutSize(most) {
    const { width, height } = this.#box ? { width: this.#box.side, height: this.#box.side } : this.#picture;
    const scale = Math.min(1, most / Math.max(width, height));
    return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  }

  /** What is sent: no more pixels than are wanted back. */
  #blob(most) {
    const size = Math.min(most, this.#data.most);
    if (!this.#blobs.has(size)) {
      const { x, y } = this.#box ?? { x: 0, y: 0 }, from = this.#box ? { width: this.#box.side, height: this.#box.side } : this.#picture;
      const { width, height } = this.#cutSize(size);
      const canvas = h("canvas", { width, height }), board = canvas.getContext("2d");
      board.fillStyle = "#fff";
      board.fillRect(0, 0, width, height);
      board.imageSmoothingQuality = "high";
      board.drawImage(this.#picture, x, y, from.width, from.height, 0, 0, width, height);
      this.#blobs.set(size, new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.94)));
    }
    return this.#blobs.get(size);
  }

  /* ---- asking */

  get #sized() {
    return this.#data.draft ? Number(this.#values[this.#data.draft.field]) : 0;
  }

  #ask(moving = false) {
    if (!this.#picture || !this.quick) return;
    const asked = JSON.stringify([this.#data.tag, this.#fields()]), { draft, field } = this.#data;
    if (asked === this.#shown && !moving) return;
    const final = this.#sized, small = draft && final > draft.size;
    this.#stopWhole();
    this.#shown = "";
    this.parts.frame.dataset.asked = this.quick.ask(async () => ({
      ...this.#fields(), [field]: await this.#blob(small ? draft.size : final || this.#data.most), ...(small ? { [draft.field]: draft.size } : {}),
    }));
    this.#timers.wait ??= setTimeout(() => this.root.classList.add("waiting"), 500);
    if (small) this.#timers.rest = setTimeout(() => { this.#owed = asked; this.#askWhole(); }, REST);
    else this.#shown = asked;
  }

  /** Whoever moves something no longer wants the chosen size of what was. */
  #stopWhole() {
    this.slow?.close();
    this.slow = null;
    this.#progress(0);
    clearTimeout(this.#timers.rest);
    this.#owed = "";
  }

  /** The chosen size, once nothing moves any more and the small picture is there. */
  #askWhole() {
    const asked = this.#owed, { frame } = this.parts;
    if (!asked || frame.dataset.revision !== frame.dataset.asked) return;
    this.#owed = "";
    const final = this.#sized, { width, height } = this.#cutSize(1e9), scale = final / Math.max(width, height);
    const expected = this.#pace * width * height * scale * scale;
    const slow = (this.slow = new Link(`${this.address}/api/${this.#data.gan}/${this.#data.verb}`, {
      answered: async (answer) => {
        this.#progress(0);
        await this.#answered(answer, false);
        if (this.slow === slow) this.#shown = asked;
      },
      troubled: (trouble) => { if (trouble) this.#progress(0); this.#trouble(trouble); },
      patience: MINUTES,
    }));
    slow.ask(async () => ({ ...this.#fields(), [this.#data.field]: await this.#blob(final) }));
    this.#progress(expected);
  }

  /** How far a large picture is, by the pace of the small ones; it waits at 97 % if that was too hopeful. */
  #progress(expected) {
    const { bar, left } = this.parts, began = performance.now();
    clearInterval(this.#timers.progress);
    bar.hidden = left.hidden = !(expected > LONG);
    if (bar.hidden) return;
    const step = () => {
      const share = (performance.now() - began) / expected;
      bar.value = share < 0.9 ? share : 0.97 - 0.07 * Math.exp(9 * (0.9 - share));
      left.textContent = this.say("making", { size: this.#sized, seconds: Math.max(1, Math.ceil((expected * Math.max(0, 1 - share)) / 1000)) });
    };
    step();
    this.#timers.progress = setInterval(step, 200);
  }

  async #answered({ response, blob, revision, milliseconds }, quick) {
    const picture = new Image(), version = this.#version;
    picture.src = URL.createObjectURL(blob);
    try {
      await picture.decode();
    } catch {
      return this.#trouble({ kind: "refused", says: this.say("noPicture") });
    }
    if (version !== this.#version) return URL.revokeObjectURL(picture.src); // of a picture that is no longer here
    clearTimeout(this.#timers.wait);
    this.#timers.wait = undefined;
    this.root.classList.remove("waiting");
    const old = this.parts.after.src;
    this.parts.after.src = picture.src;
    if (old) URL.revokeObjectURL(old);
    this.parts.frame.classList.remove("fresh");
    this.#result = blob;
    this.#offerSeen();
    if (quick) this.parts.frame.dataset.revision = revision;
    this.parts.frame.dataset.size = Math.max(picture.naturalWidth, picture.naturalHeight);
    this.parts.frame.dataset.state = "picture";
    const spent = Number(response.headers.get("X-Milliseconds"));
    // A running mean, so that one slow moment of the machine is no prophecy.
    const pace = spent / (picture.naturalWidth * picture.naturalHeight);
    if (quick && spent) this.#pace = this.#pace ? 0.7 * this.#pace + 0.3 * pace : pace;
    this.#badge(response.headers, milliseconds, picture);
    lay(this.#data.key, this.#paper);
    if (quick) this.#askWhole();
  }

  #badge(headers, milliseconds, picture) {
    const get = (name) => headers.get(`X-${name}`) ?? "", spent = Number(get("Milliseconds")), variant = get("Variant");
    const facts = [spent && `${spent < 10 ? spent.toFixed(1) : Math.round(spent)} ms`, get("Device").toUpperCase(), `${picture.naturalWidth} × ${picture.naturalHeight}`, variant && this.say(`variant.${variant}`)];
    this.parts.badge.textContent = facts.filter(Boolean).join(" · ");
    this.parts.badge.title = this.say("badge", { network: Math.round(spent), there: Math.round(milliseconds), batch: get("Batch") || 1 });
  }

  #state(state) {
    this.parts.frame.dataset.state = state;
    this.parts.sentence.textContent = state === "empty" ? this.say("empty") : "";
    this.parts.shareButton.disabled = state === "empty";
    this.#offerSeen();
  }

  /** What is seen now, and may be taken away. */
  get #seen() {
    return this.#view === "sheet" ? this.#sheet : this.#result;
  }

  /** No button takes away what has not come yet. */
  #offerSeen() {
    for (const button of [this.parts.savePicture, this.pin.button]) button.disabled = !this.#seen;
    for (const button of this.parts.sends.children) button.disabled = !this.#result;
  }

  #trouble(trouble) {
    const { frame, sentence } = this.parts;
    if (!trouble) {
      if (frame.dataset.state === "trouble") this.#state(this.#picture ? "picture" : "empty");
      return;
    }
    if (trouble.kind !== "refused" && trouble.failures < 2) return; // one hiccup is not worth a word
    if (trouble.kind === "refused") this.#shown = "";
    clearTimeout(this.#timers.wait);
    this.#timers.wait = undefined;
    this.root.classList.remove("waiting");
    frame.dataset.state = "trouble";
    sentence.textContent = trouble.kind !== "refused" ? this.say(trouble.kind) : trouble.says ? this.say("refusedWith", { says: trouble.says }) : this.say("refused");
  }

  /* ---- ways of looking at it */

  #chooseView(view) {
    this.#view = view;
    this.#showView();
  }

  #showView() {
    const { frame, views, caption, cropper } = this.parts, view = this.#view;
    frame.dataset.view = view;
    for (const button of views.children) button.setAttribute("aria-pressed", button.value === view);
    caption.textContent = view === "sheet" ? this.#data.sheet.caption : view === "difference" ? this.say("differenceHelp") : view === "crop" ? this.say("cropHelp") : "";
    cropper.hidden = view !== "crop";
    if (view === "crop" && this.#picture) this.#showCrop();
    if (view === "sheet" && this.#picture) this.#askSheet();
    this.#offerSeen();
  }

  #askSheet() {
    const { sheet, field, tag } = this.#data;
    if (this.#sheetOf === tag) return;
    this.#sheetOf = tag;
    this.#sheet = null;
    this.parts.sheet.removeAttribute("src");
    this.#timers.wait ??= setTimeout(() => this.root.classList.add("waiting"), 500);
    this.parts.tiles.replaceChildren();
    this.sheets.ask(async () => ({ [field]: await this.#blob(sheet.size), ...(sheet.sized === false ? {} : { size: sheet.size }), tag }));
  }

  async #showSheet(blob) {
    clearTimeout(this.#timers.wait);
    this.#timers.wait = undefined;
    this.root.classList.remove("waiting");
    this.#sheet = blob;
    this.#offerSeen();
    const { tiles } = this.#data.sheet;
    if (tiles) { // pictures side by side, two pixels of paper between them
      const bitmap = await createImageBitmap(blob), { height } = bitmap, width = (bitmap.width - 2 * (tiles.length - 1)) / tiles.length;
      this.parts.tiles.replaceChildren(...tiles.map((tile, k) => {
        const caption = typeof tile === "string" ? tile : this.#found[tile.key] ? tile.off : tile.on; // what is there is taken away
        const canvas = h("canvas", { width, height, role: "img", "aria-label": caption });
        canvas.getContext("2d").drawImage(bitmap, k * (width + 2), 0, width, height, 0, 0, width, height);
        return h("figure", {}, canvas, h("figcaption", {}, caption));
      }));
      return;
    }
    this.parts.sheet.src = URL.createObjectURL(blob);
    this.parts.sheet.onload = () => URL.revokeObjectURL(this.parts.sheet.src);
  }

  #splitAt(percent) {
    this.#split = between(percent, 0, 100);
    this.parts.frame.style.setProperty("--split", `${this.#split}%`);
    this.parts.handle.setAttribute("aria-valuenow", Math.round(this.#split));
  }

  #drag(event) {
    if (this.#view !== "compare" || (event.type === "pointermove" && !this.parts.stage.hasPointerCapture(event.pointerId))) return;
    if (event.type === "pointerdown") this.parts.stage.setPointerCapture(event.pointerId);
    const { left, width } = this.parts.stage.getBoundingClientRect();
    this.#splitAt((100 * (event.clientX - left)) / width);
  }

  /* ---- the crop box: a square on the whole picture */

  #showCrop() {
    const { width, height } = this.#picture, { whole, box, zoom } = this.parts;
    const scale = Math.min(1, 900 / Math.max(width, height));
    whole.width = Math.round(width * scale);
    whole.height = Math.round(height * scale);
    whole.getContext("2d").drawImage(this.#picture, 0, 0, whole.width, whole.height);
    this.parts.cropArea.style.setProperty("--ratio", width / height);
    zoom.max = 100;
    this.#placeBox();
    box.focus({ preventScroll: true });
  }

  #placeBox() {
    const { width, height } = this.#picture, box = this.#box, most = Math.min(width, height);
    box.side = between(box.side, Math.min(most, Math.max(24, most / 10)), most);
    box.x = between(box.x, 0, width - box.side);
    box.y = between(box.y, 0, height - box.side);
    Object.assign(this.parts.box.style, { left: `${(100 * box.x) / width}%`, top: `${(100 * box.y) / height}%`, width: `${(100 * box.side) / width}%`, height: `${(100 * box.side) / height}%` });
    this.parts.zoom.value = Math.round((100 * box.side) / most);
    clearTimeout(this.#timers.crop);
    this.#timers.crop = setTimeout(() => this.#cut(), 120);
  }

  #moveBox(event) {
    const { box, cropArea } = this.parts;
    if (event.type === "pointerdown") {
      cropArea.setPointerCapture(event.pointerId);
      this.grip = { x: event.clientX, y: event.clientY, from: { ...this.#box }, corner: event.target === this.parts.corner };
      box.focus({ preventScroll: true });
    } else if (this.grip && cropArea.hasPointerCapture(event.pointerId)) {
      const scale = this.#picture.width / cropArea.getBoundingClientRect().width, { from } = this.grip;
      const [dx, dy] = [(event.clientX - this.grip.x) * scale, (event.clientY - this.grip.y) * scale];
      Object.assign(this.#box, this.grip.corner ? { side: Math.min(from.side + Math.max(dx, dy), this.#picture.width - from.x, this.#picture.height - from.y) } : { x: from.x + dx, y: from.y + dy });
      this.#placeBox();
    }
  }

  #scaleBox(factor) {
    const box = this.#box, side = box.side * factor;
    box.x += (box.side - side) / 2;
    box.y += (box.side - side) / 2;
    box.side = side;
    this.#placeBox();
  }

  #steerBox(event) {
    const step = this.#box.side * (event.shiftKey ? 0.1 : 0.02);
    const [x, y] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] ?? [0, 0];
    const factor = { "+": 1 / 1.05, "=": 1 / 1.05, "-": 1.05 }[event.key];
    if (!x && !y && !factor) return;
    event.preventDefault();
    if (factor) this.#scaleBox(factor);
    else {
      this.#box.x += x;
      this.#box.y += y;
      this.#placeBox();
    }
  }

  /* ---- taking things away */

  #save() {
    const settings = Object.values(this.#inAddress).flat().join("-").replaceAll(":", "");
    const address = URL.createObjectURL(this.#seen), name = [this.#data.gan, this.#data.tag, this.#view === "sheet" ? "all" : settings].filter(Boolean).join("-");
    h("a", { href: address, download: `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  /** What is seen here, as an address; a picture of one's own is not in it. */
  #link() {
    const address = new URL(location.href);
    address.searchParams.set("tag", this.#data.tag);
    for (const [name, value] of Object.entries(this.#inAddress)) {
      if (value.length) address.searchParams.set(name, value.join(","));
      else address.searchParams.delete(name);
    }
    return address;
  }

  /** The lesson link of this page, and what it can hide. */
  #offer() {
    const { examples, presets, sends, pin } = this.#data;
    const there = { examples: examples.length, upload: true, presets: presets.length, views: true, download: true, pin, share: true, send: sends.length };
    offer(this.#data.page, { link: () => this.#link(), parts: Object.keys(there).filter((part) => there[part]) });
  }

  async #share() {
    const copied = await copy(this.#link().href, this.root);
    this.#note(this.say(!copied ? "notCopied" : this.#example === null ? "copiedSettings" : "copied"));
  }

  #note(text, wrong = false) {
    this.parts.note.textContent = text;
    this.parts.note.classList.toggle("wrong", wrong);
  }

  /* ---- what people see */

  #makeControls() {
    const { controls, presets } = this.#data, groups = new Map();
    this.inputs = {};
    for (const control of controls) {
      const { key, label, help, low, high, step, choices, group = "" } = control, id = `slider-${this.#data.gan}-${key}`;
      if (!groups.has(group)) groups.set(group, h("fieldset", { class: "set" }, ...(group ? [h("legend", {}, group)] : [])));
      if (choices) {
        const select = h("select", { id, onchange: () => this.#set({ [key]: choices[select.selectedIndex].value }) }, ...choices.map(({ value, label: name }) => h("option", { value }, name)));
        this.inputs[key] = { select };
        groups.get(group).append(h("div", { class: "choice", title: help }, h("label", { for: id }, label), select));
        continue;
      }
      const range = h("input", { type: "range", id, min: low, max: high, step, oninput: () => this.#set({ [key]: range.valueAsNumber }, true), onchange: () => this.#set({ [key]: range.valueAsNumber }) });
      const number = h("input", { type: "number", min: low, max: high, step, "aria-label": label, inputmode: "decimal", onchange: () => {
        const value = number.valueAsNumber;
        this.#set({ [key]: Number.isFinite(value) ? between(value, low, high) : this.#values[key] });
      } });
      this.inputs[key] = { range, number };
      groups.get(group).append(h("div", { class: "slider", title: help }, h("label", { for: id }, label), range, number));
    }
    this.parts.controls.replaceChildren(...groups.values());
    for (const control of controls) this.#showValue(control);
    this.parts.presetList.replaceChildren(...presets.map(({ label, values }) => h("button", { type: "button", class: "button", onclick: () => this.#set(values) }, label)));
    this.#sum();
  }

  #showValue({ key, low, high, choices }) {
    const { range, number, select } = this.inputs[key], value = this.#values[key];
    if (choices) {
      select.selectedIndex = choices.findIndex((choice) => choice.value === value);
      return;
    }
    if (range.valueAsNumber !== value) range.value = value;
    if (number.valueAsNumber !== value) number.value = shortly(value);
    range.style.setProperty("--share", `${(100 * (value - low)) / (high - low)}%`);
  }

  #reset() {
    this.#named.clear();
    this.#settle();
    this.#set(Object.fromEntries(this.#data.controls.filter(({ into }) => !this.#starts(into)).map(({ key, default: value }) => [key, value])));
  }

  /** A mixture nobody has thought of: of the sliders that belong to one sum, or of all numbers. */
  #roll() {
    const { controls, sum, starts } = this.#data;
    if (starts) { // one of those that exclude each other, or none, and some of the others turned over
      const turned = {}, pick = (list) => list[Math.floor(Math.random() * list.length)];
      for (const group of starts.excludes) if (Math.random() < 0.7) turned[pick(group)] = 1;
      for (const { key, into } of controls) if (this.#starts(into) && !starts.excludes.flat().includes(key) && Math.random() < 0.4) turned[key] = 1 - (this.#found[key] ?? 0);
      this.#named.clear();
      return this.#set(turned);
    }
    const numbers = controls.filter(({ choices, into }) => !choices && (sum ? into === sum.into : true));
    const draws = numbers.map(({ low, high }) => (sum ? -Math.log(1 - Math.random()) : low + (high - low) * Math.random()));
    const total = sum ? draws.reduce((all, value) => all + value, 0) : 1;
    this.#set(Object.fromEntries(numbers.map(({ key }, k) => [key, Math.round((100 * draws[k]) / total) / 100])));
  }

  #listExamples() {
    this.parts.thumbs.replaceChildren(...this.#data.examples.map(({ file, name }, index) => {
      const button = h("button", { type: "button", class: "thumb", "aria-label": name, title: name, onclick: () => { this.#note(""); this.#loadExample(index); } },
        h("img", { src: this.address + file, alt: "", width: 64, height: 64, onerror: () => button.remove() }));
      return button;
    }));
  }

  #listSends() {
    this.parts.sends.replaceChildren(...this.#data.sends.map(({ gan, title }) => sender(this.say("send", { title }), title, !this.#result, () => send(gan, this.#result, this.address))));
  }

  #build() {
    const parts = this.parts = {};
    const button = (name, mark, act) => (parts[name] = h("button", { type: "button", class: "button", onclick: act }, icon(ICONS[mark]), h("span", {})));
    const picker = (name, mark, capture) => {
      const input = h("input", { type: "file", accept: "image/*,.tif,.tiff", capture, tabindex: -1, "aria-hidden": "true", onchange: () => { this.#take(input.files[0]); input.value = ""; } });
      return [input, button(name, mark, () => (capture ? this.#camera(input) : input.click()))];
    };
    const view = (value) => h("button", { type: "button", value, onclick: () => this.#chooseView(value) });

    parts.before = h("img", { class: "before", draggable: "false" });
    parts.after = h("img", { class: "after", draggable: "false" });
    parts.sheet = h("img", { class: "sheet" });
    parts.tiles = h("div", { class: "tiles" });
    parts.handle = h("div", { class: "handle", role: "slider", tabindex: 0, "aria-valuemin": 0, "aria-valuemax": 100, onkeydown: (event) => {
      const step = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#splitAt(this.#split + step);
    } });
    const drag = (event) => this.#drag(event);
    parts.stage = h("div", { class: "stage", onpointerdown: drag, onpointermove: drag }, parts.before, parts.after, parts.handle, h("span", { class: "tag left" }), h("span", { class: "tag right" }));
    parts.whole = h("canvas", {});
    parts.corner = h("i", {});
    const move = (event) => this.#moveBox(event);
    parts.box = h("div", { class: "box", tabindex: 0, role: "application", onkeydown: (event) => this.#steerBox(event) }, parts.corner);
    parts.cropArea = h("div", { class: "crop-area", onpointerdown: move, onpointermove: move, onwheel: (event) => { event.preventDefault(); this.#scaleBox(event.deltaY > 0 ? 1.05 : 1 / 1.05); } }, parts.whole, parts.box);
    parts.zoom = h("input", { type: "range", min: 10, max: 100, value: 100, oninput: () => {
      const most = Math.min(this.#picture.width, this.#picture.height);
      this.#scaleBox((most * parts.zoom.valueAsNumber) / 100 / this.#box.side);
    } });
    parts.zoomLabel = h("span", {});
    parts.cropper = h("div", { class: "cropper", hidden: true }, parts.cropArea, h("label", {}, parts.zoomLabel, parts.zoom));
    parts.video = h("video", { playsinline: true, muted: true });
    parts.lens = h("div", { class: "lens", hidden: true }, parts.video, h("div", { class: "group" }, button("snapButton", "camera", () => this.#snap()), button("closeButton", "undo", () => this.#darken())));
    parts.sentence = h("p", { class: "sentence", role: "status" });
    parts.frame = h("figure", { class: "frame", "data-state": "empty", "data-view": "compare" }, parts.stage, parts.sheet, parts.tiles, parts.cropper, parts.lens, parts.sentence, h("div", { class: "progress" }));
    parts.views = h("div", { class: "views", role: "group" }, ...["compare", "result", "difference", "sheet", "crop"].map(view));
    button("fullscreen", "wide", () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen()));
    parts.fullscreen.hidden = !document.fullscreenEnabled;
    parts.caption = h("p", { class: "caption" });
    parts.bar = h("progress", { max: 1, hidden: true });
    parts.left = h("span", { class: "left-time", hidden: true, role: "status" });
    parts.badge = h("span", { class: "badge" });
    parts.download = h("span", { class: "group" }, button("savePicture", "save", () => this.#save()));
    this.pin = new Pin(() => this.#seen);
    parts.share = h("span", { class: "group" }, button("shareButton", "link", () => this.#share()));
    parts.sends = h("span", { class: "group" });

    parts.thumbs = h("div", { class: "thumbs", role: "group" });
    parts.examplesTitle = h("span", { class: "label" });
    parts.examples = h("div", { class: "examples" }, parts.examplesTitle, parts.thumbs);
    parts.upload = h("div", { class: "upload" }, ...picker("uploadButton", "upload"), ...picker("cameraButton", "camera", "environment"));
    parts.note = h("p", { class: "note", role: "status" });
    parts.controls = h("div", { class: "controls" });
    parts.sum = h("p", { class: "sum", role: "status" });
    parts.presetsTitle = h("span", { class: "label" });
    parts.presetList = h("div", { class: "preset-list", role: "group" });
    parts.presets = h("div", { class: "presets" }, parts.presetsTitle, parts.presetList);
    parts.tools = h("div", { class: "tools" }, button("resetButton", "undo", () => this.#reset()), button("rollButton", "dice", () => this.#roll()));

    this.root = h("section", { class: "sliders" }, h("div", { class: "room" },
      h("div", { class: "main" }, h("div", { class: "top" }, parts.views, parts.fullscreen), parts.frame, parts.caption,
        h("div", { class: "wait" }, parts.bar, parts.left),
        h("div", { class: "under" }, parts.badge, parts.download, this.pin.button, parts.share, parts.sends)),
      h("div", { class: "side" }, parts.presets, parts.controls, parts.sum, parts.tools, h("div", { class: "extras" }, parts.examples, parts.upload), parts.note)));
    this.#splitAt(50);
    this.#showViewButtons();
    this.#offerSeen();

    const on = (node, type, act) => node.addEventListener(type, act);
    const accepts = (event) => !parts.upload.hidden && [...(event.dataTransfer?.types ?? [])].includes("Files");
    on(this.root, "dragover", (event) => { if (accepts(event)) { event.preventDefault(); this.root.classList.add("over"); } });
    on(this.root, "dragleave", () => this.root.classList.remove("over"));
    on(this.root, "drop", (event) => {
      this.root.classList.remove("over");
      if (!accepts(event)) return;
      event.preventDefault();
      this.#take(event.dataTransfer.files[0]);
    });
    on(document, "paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file && !parts.upload.hidden && this.root.offsetParent) this.#take(file);
    });
    on(window, "popstate", () => { // back and forward
      if (!this.root.isConnected) return;
      this.#values = Object.fromEntries(this.#data.controls.map(({ key, default: value }) => [key, value]));
      this.#named.clear();
      this.#readAddress();
      this.#settle();
      for (const control of this.#data.controls) this.#showValue(control);
      this.#sum();
      this.#ask();
    });
  }

  #showViewButtons() {
    for (const button of this.parts.views.children) button.setAttribute("aria-pressed", button.value === this.#view);
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
    label(parts.fullscreen, "fullscreen", false);
    label(parts.savePicture, "savePicture");
    label(parts.shareButton, "share");
    label(parts.uploadButton, "upload");
    parts.uploadButton.title = this.say("uploadHelp");
    label(parts.cameraButton, "camera");
    label(parts.snapButton, "snap");
    label(parts.closeButton, "cancel");
    label(parts.resetButton, "reset");
    label(parts.rollButton, "roll");
    parts.examplesTitle.textContent = this.say("examples");
    parts.thumbs.setAttribute("aria-label", this.say("examples"));
    parts.presetsTitle.textContent = this.say("presets");
    parts.presetList.setAttribute("aria-label", this.say("presets"));
    parts.views.setAttribute("aria-label", this.say("views"));
    parts.handle.setAttribute("aria-label", this.say("handle"));
    parts.box.setAttribute("aria-label", this.say("box"));
    parts.zoomLabel.textContent = this.say("zoom");
    parts.before.alt = this.say("original");
    parts.after.alt = this.say("picture");
    parts.sheet.alt = this.say("sheetAlt");
    const [left, right] = parts.stage.querySelectorAll(".tag");
    left.textContent = this.say("original");
    right.textContent = this.say("result");
    for (const button of parts.views.children) button.textContent = this.say(`kinds.${button.value}`);
    if (parts.frame.dataset.state === "empty") parts.sentence.textContent = this.say("empty");
    this.#showView();
  }
}
