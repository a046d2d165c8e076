/*
 * gallery.js: the class's wall, for the projector: the newest picture first, new ones arrive by themselves. The teacher
 * also sees what waits, in a view of its own: what is projected never shows what nobody has looked at.
 *
 * The server answers "unchanged" to most questions, so a room full of open walls costs it little.
 */

import { offer } from "../common/desk.js";
import { h, icon } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { headers, studio } from "../common/link.js";
import { mounting, sentence } from "../common/part.js";

const PAUSE = 2500, HIDDEN = 15_000; // milliseconds between two looks

class Gallery {
  #data = {}; #facts = null; #tag = ""; #timer = 0; #shown = ""; #large = ""; #ending = new AbortController(); #join = false;

  constructor(parent) {
    this.root = h("section", { class: "gallery" });
    parent.append(this.root);
    const again = () => document.hidden || this.#look();
    document.addEventListener("visibilitychange", again, { signal: this.#ending.signal });
  }

  update(data) {
    this.#data = data;
    this.address = `${studio(data.page)}/api`;
    const shown = JSON.stringify([data.words, data.hide]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.view = new URLSearchParams(location.search).get("view") === "waiting" ? "waiting" : "wall";
    offer(data.page, { link: () => { const link = new URL(location.href); link.searchParams.delete("view"); return link; }, parts: [] });
    this.#build();
    if (this.#facts) this.#show();
    else if (!this.#key()) this.#look();
  }

  close() {
    clearTimeout(this.#timer);
    this.#ending.abort();
    this.root.remove();
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  /* ---- who this is */

  /** The teacher's link: the key stands behind the #, which no browser sends and no log keeps. */
  #key() {
    const [, key] = /^#key=([\w-]{1,80})$/.exec(location.hash) ?? [];
    if (!key) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    this.#enter(key);
    return true;
  }

  async #enter(key) {
    const answer = await this.#ask("class/key", { method: "POST", body: { key } });
    if (answer?.ok) {
      const here = new URL(location.href);
      here.searchParams.set("view", "waiting");
      location.replace(here); // anew: the rest of the page learns it, too
      return;
    }
    this.#note(this.say(!answer ? "away" : answer.status === 429 ? "tooOften" : "wrongKey"));
    this.#look();
  }

  /* ---- asking */

  /**
   * @param {string} path
   * @param {{method?: string, body?: any}} how
   */
  async #ask(path, { method = "GET", body } = {}) {
    try {
      return await fetch(`${this.address}/${path}`, { method, headers: { ...headers, ...(body ? { "Content-Type": "application/json" } : {}), ...(path === "gallery" && this.#tag ? { "If-None-Match": this.#tag } : {}) }, cache: "no-store", body: body && JSON.stringify(body), signal: this.#ending.signal });
    } catch {
      return null;
    }
  }

  async #look() {
    clearTimeout(this.#timer);
    const answer = await this.#ask("gallery");
    if (this.#ending.signal.aborted) return;
    if (answer?.ok) {
      this.#tag = answer.headers.get("ETag") ?? "";
      this.#facts = await answer.json();
      if (this.#away) this.#note("");
      this.#away = false;
      this.#show();
    } else if (answer?.status !== 304) {
      this.#away = true;
      this.#note(this.say("away"));
    } else if (this.#away) {
      this.#away = false;
      this.#note("");
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), document.hidden ? HIDDEN : PAUSE);
  }

  #away = false;

  /** Something the teacher does; the wall is looked at again at once. */
  async #do(path, how) {
    const done = this.#heard(await this.#ask(path, how));
    await this.#look();
    if (!done && this.#facts) this.#show(); // what was not done stands as it stood
  }

  /** Says what became of it; whether it was done. */
  #heard(answer) {
    const done = answer?.ok || answer?.status === 404;
    this.#note(done ? "" : this.say(answer?.status === 409 ? "full" : "away"));
    return done;
  }

  #approve(id) {
    return this.#do(`gallery/${id}`, { method: "POST", body: { hang: true } });
  }

  /** All that wait, up to the first that finds no room. */
  async #approveAll() {
    for (const { id } of [...this.#facts.waiting]) if (!this.#heard(await this.#ask(`gallery/${id}`, { method: "POST", body: { hang: true } }))) break;
    await this.#look();
  }

  #delete(id) {
    return this.#do(`gallery/${id}`, { method: "DELETE" });
  }

  /* ---- what people see */

  #turn(view) {
    this.view = view;
    const here = new URL(location.href);
    if (view === "waiting") here.searchParams.set("view", view);
    else here.searchParams.delete("view");
    history.replaceState(history.state, "", here);
    this.#show();
  }

  #show() {
    const { pictures, waiting, open, teacher } = this.#facts, queue = teacher && this.view === "waiting";
    this.views.hidden = !teacher;
    for (const button of this.views.children) button.setAttribute("aria-pressed", String((button.value === "waiting") === Boolean(queue)));
    this.waits.textContent = this.say("waiting", { n: waiting?.length ?? 0 });
    this.waits.classList.toggle("some", Boolean(waiting?.length));
    this.count.textContent = pictures.length === 1 ? this.say("one") : this.say("count", { n: pictures.length });
    this.desk.hidden = this.queue.hidden = !queue;
    this.wall.hidden = queue || !pictures.length;
    this.wall.classList.toggle("few", pictures.length <= 3);
    this.box.checked = open;
    this.all.disabled = this.none.disabled = !waiting?.length;
    this.clear.disabled = !pictures.length;
    this.#hang(this.wall, pictures, (picture) => this.#tile(picture));
    if (teacher) this.#hang(this.queue, waiting, (picture) => this.#card(picture));
    const nothing = queue ? !waiting.length : !pictures.length;
    this.nothing.hidden = !nothing;
    if (nothing) {
      const [title, help] = queue ? ["nothing", "nothingHelp"] : ["empty", open ? "emptyHelp" : "boxClosed"];
      this.nothing.children[0].textContent = this.say(title);
      this.nothing.children[1].textContent = this.say(help);
      this.join.hidden = queue;
      if (!queue) this.#invite();
    }
    this.enter.hidden = this.keyForm.hidden ? teacher : true;
    this.leave.hidden = !teacher || !this.withKey;
    if (teacher && this.withKey === undefined) this.#whoAmI();
    if (this.large.open && !this.#pictures.some(({ id }) => id === this.#large)) this.large.close(); // taken down
  }

  async #whoAmI() {
    this.withKey = false;
    const answer = await this.#ask("class");
    this.withKey = answer?.ok ? (await answer.json()).key : false;
    this.leave.hidden = !this.withKey;
  }

  /** The list shows exactly these pictures; those that stay are left alone, so that nothing flickers. */
  #hang(list, pictures, made) {
    const there = new Map([...list.children].map((item) => [item.dataset.id, item])), first = list.dataset.filled !== "yes";
    list.dataset.filled = "yes";
    const wanted = pictures.map((picture) => {
      const known = there.get(picture.id);
      if (known) return known;
      const item = made(picture);
      item.dataset.id = picture.id;
      item.style.setProperty("--ratio", Math.min(2.4, Math.max(0.5, picture.width / picture.height)).toFixed(3));
      if (!first) item.classList.add("new-one");
      return item;
    });
    const stay = new Set(wanted);
    for (const item of [...list.children]) if (!stay.has(item)) item.remove();
    wanted.forEach((item, k) => { if (list.children[k] !== item) list.insertBefore(item, list.children[k] ?? null); });
  }

  #by({ name, title }) {
    return h("p", { class: "by" }, h("b", {}, name), h("span", {}, title));
  }

  #picture({ id, name, width, height }) {
    return h("img", { src: `${this.address}/gallery/${id}.png`, alt: this.say("picture", { name: name || this.say("nameless") }), width, height, draggable: "false", decoding: "async" });
  }

  #tile(picture) {
    const item = h("li", {}, h("button", { type: "button", class: "open", title: this.say("enlarge"), onclick: () => this.#enlarge(picture.id) }, this.#picture(picture)), this.#by(picture));
    if (this.#facts.teacher) item.append(h("button", { type: "button", class: "remove", onclick: () => this.#delete(picture.id) }, this.say("takeDown")));
    return item;
  }

  #card(picture) {
    const act = (key, main, go) => h("button", { type: "button", class: main ? "button main" : "button", onclick: async ({ currentTarget: button }) => { button.disabled = true; await go(picture.id); button.disabled = false; } }, this.say(key));
    return h("li", {}, h("button", { type: "button", class: "open", title: this.say("enlarge"), onclick: () => this.#enlarge(picture.id) }, this.#picture(picture)), this.#by(picture),
      h("div", { class: "acts" }, act("approve", true, (id) => this.#approve(id)), act("reject", false, (id) => this.#delete(id))));
  }

  get #pictures() {
    return this.view === "waiting" && this.#facts.teacher ? this.#facts.waiting : this.#facts.pictures;
  }

  #enlarge(id) {
    const picture = this.#pictures.find((each) => each.id === id);
    if (!picture) return;
    this.#large = id;
    const old = this.large.querySelector("img");
    old.replaceWith(this.#picture(picture));
    this.caption.replaceChildren(h("b", {}, picture.name), h("span", {}, picture.title));
    if (!this.large.open) this.large.showModal();
  }

  #step(by) {
    const all = this.#pictures, at = all.findIndex(({ id }) => id === this.#large);
    if (all.length) this.#enlarge(all[(at + by + all.length) % all.length].id);
  }

  /** How to join in: the studio's address as a QR code, while nothing hangs. */
  async #invite() {
    if (this.#join) return;
    this.#join = true;
    const later = () => { this.#join = false; setTimeout(() => this.root.isConnected && !this.nothing.hidden && this.#invite(), PAUSE); };
    const said = await this.#ask("class");
    if (!said?.ok) return later();
    const facts = await said.json();
    const near = /^(localhost|127\.|\[::1\])/.test(location.hostname), link = near ? facts?.address : studio(this.#data.page);
    if (!link) return;
    const answer = await this.#ask("class/qr", { method: "POST", body: { link } });
    if (!answer?.ok) return later();
    this.join.replaceChildren(h("img", { src: URL.createObjectURL(await answer.blob()), alt: this.say("join") }), h("small", {}, link.replace(/^https?:\/\//, "")));
  }

  #note(text) {
    this.note.textContent = text;
  }

  /** A button that asks back once. */
  #twice(key, count, act) {
    const button = h("button", { type: "button", class: "button", onclick: () => {
      if (button.classList.contains("sure")) {
        calm();
        act();
      } else {
        button.classList.add("sure");
        button.textContent = this.say("sure", { n: count() });
        timer = setTimeout(calm, 4000);
      }
    } }, this.say(key));
    let timer = 0;
    const calm = () => { clearTimeout(timer); button.classList.remove("sure"); button.textContent = this.say(key); };
    return button;
  }

  #build() {
    const { words, hide } = this.#data, view = (value) => h("button", { type: "button", value, onclick: () => this.#turn(value) }, words.wall);
    this.waits = view("waiting");
    this.views = h("div", { class: "views", role: "group", "aria-label": words.views, hidden: true }, view("wall"), this.waits);
    this.count = h("span", { class: "count", role: "status" });
    const wide = h("button", { type: "button", class: "button", title: words.fullscreen, "aria-label": words.fullscreen, hidden: !document.fullscreenEnabled, onclick: () => (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen()) }, icon(ICONS.wide));
    this.note = h("p", { class: "note", role: "alert" });
    this.wall = h("ul", { class: "wall" });
    this.queue = h("ul", { class: "queue", hidden: true });
    this.box = h("input", { type: "checkbox", onchange: () => this.#do("gallery/box", { method: "POST", body: { open: this.box.checked } }) });
    this.all = h("button", { type: "button", class: "button main", onclick: () => this.#approveAll() }, words.approveAll);
    this.none = this.#twice("rejectAll", () => this.#facts.waiting.length, () => this.#do("gallery?what=waiting", { method: "DELETE" }));
    this.clear = this.#twice("clear", () => this.#facts.pictures.length, () => this.#do("gallery?what=wall", { method: "DELETE" }));
    this.desk = h("div", { class: "desk", hidden: true }, h("label", { class: "box" }, this.box, h("span", {}, words.boxOpen)), this.all, this.none, this.clear);
    this.join = h("div", { class: "join" });
    this.nothing = h("div", { class: "nothing", hidden: true }, h("b", {}), h("span", {}), this.join);
    this.#join = false;
    this.enter = h("button", { type: "button", class: "plain", hidden: true, onclick: () => { this.keyForm.hidden = false; this.enter.hidden = true; this.keyForm.querySelector("input").focus(); } }, words.teacher);
    this.leave = h("button", { type: "button", class: "plain", hidden: true, onclick: async () => { await this.#ask("class/key", { method: "DELETE" }); location.replace(location.pathname); } }, words.leave);
    const key = h("input", { type: "password", autocomplete: "off", "aria-label": words.key, placeholder: words.key });
    this.keyForm = h("form", { hidden: true, onsubmit: (event) => { event.preventDefault(); if (key.value.trim()) this.#enter(key.value.trim()); } }, key, h("button", { type: "submit", class: "button" }, words.enter), h("small", {}, words.keyHelp));
    this.caption = h("div", { class: "caption" });
    const round = (key_, mark, act) => h("button", { type: "button", class: "round", title: this.say(key_), "aria-label": this.say(key_), onclick: act }, mark);
    this.large = h("dialog", { "aria-label": words.enlarge, onkeydown: (event) => { const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]; if (by) this.#step(by); }, onclick: (event) => { if (event.target.matches("dialog, .large, img")) this.large.close(); } },
      Object.assign(round("close", "×", () => this.large.close()), { className: "round shut" }),
      h("div", { class: "large" }, round("back", "‹", () => this.#step(-1)), h("img", { alt: "" }), round("next", "›", () => this.#step(1)), this.caption));
    this.root.replaceChildren(
      h("header", { class: "top" }, hide.includes("title") ? "" : h("h1", {}, words.title), this.count, this.views, wide),
      this.note, this.desk, this.queue, this.wall, this.nothing,
      h("footer", { class: "foot" }, this.enter, this.leave, this.keyForm), this.large);
  }
}

export default mounting(Gallery);
