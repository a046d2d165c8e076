/*
 * pin.js: "show to the class": a picture goes to the teacher, who hangs it on the class's wall. It can be taken back.
 *
 *     const pin = new Pin(() => blob);                     // the picture that is seen now
 *     under.append(pin.button);
 *     pin.update({ address, words, gan, tag });            // words: null = there is no class, and no button
 */

import { h, icon } from "../common/dom.js";
import { ICONS } from "../common/icons.js";
import { headers } from "../common/link.js";
import { sentence } from "../common/part.js";

const SIDE = 1024, MOST = 1.9e6; // as studio/gallery.py takes them
const NAME = "gan-studio/pinned-as", SENT = "gan-studio/pinned"; // what this tab keeps: the name, and the secrets of what it sent
const LOOK = `
dialog.pinning { width: min(30rem, calc(100vw - 1.6rem)); max-height: calc(100dvh - 1.6rem); padding: 1.4rem; overflow: auto; border: 1px solid var(--st-border-color); border-radius: 18px;
  background: var(--st-background-color); color: var(--st-text-color); font-family: var(--st-font); font-size: 1rem; line-height: 1.4; box-shadow: 0 18px 60px #0006; }
dialog.pinning::backdrop { background: #0b0c12a6; }
.pinning h2 { margin: 0 0 .8rem; font-size: 1.35rem; line-height: 1.25; font-weight: 700; }
.pinning .seen { display: block; width: auto; height: auto; max-width: 100%; max-height: 15rem; min-height: 6rem; margin: 0 auto .9rem; object-fit: contain; background: #fff; border-radius: 8px; box-shadow: 0 0 0 6px #fff, 0 0 0 7px var(--st-border-color), 0 10px 24px #0003; }
.pinning label { display: grid; gap: .25rem; } .pinning label small { opacity: .8; }
.pinning input { width: 100%; min-height: 44px; padding: 0 .7rem; border: 1px solid var(--st-border-color); border-radius: 10px; background: var(--st-secondary-background-color); color: inherit; font: inherit; }
.pinning .acts { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .9rem; }
.pinning button { min-height: 42px; padding: 0 .9rem; border: 1px solid var(--st-border-color); border-radius: 10px; background: none; color: inherit; font: inherit; cursor: pointer; }
.pinning button:hover { background: color-mix(in srgb, currentColor 8%, transparent); }
.pinning button.main { background: var(--st-primary-color); border-color: var(--st-primary-color); color: #fff; font-weight: 600; }
.pinning button:disabled { opacity: .5; cursor: default; }
.pinning :is(button, input):focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.pinning .says { margin: .7rem 0 0; min-height: 1.4em; } .pinning .wrong { font-weight: 600; color: var(--st-red-text-color, #b3261e); }
.pinning ul { list-style: none; margin: .9rem 0 0; padding: .6rem 0 0; border-top: 1px solid var(--st-border-color); display: grid; gap: .35rem; } .pinning ul:empty { display: none; }
.pinning li { display: flex; align-items: center; gap: .6rem; } .pinning li span { flex: 1; min-width: 0; overflow-wrap: anywhere; } .pinning li button { min-height: 36px; padding: 0 .7rem; }
.pinning li i { display: inline-block; width: .7em; height: .7em; margin-right: .45em; border-radius: 50%; background: #8b8fa3; } .pinning [data-how=waits] i { background: #e0a100; } .pinning [data-how=hangs] i { background: #1f9d55; }
`;

export class Pin {
  #data = {}; #dialog = null; #timer = 0; #blob = null;

  constructor(picture) {
    this.picture = picture;
    this.text = h("span", {});
    this.button = h("button", { type: "button", class: "button pin", hidden: true, onclick: () => this.#open() }, icon(ICONS.pin), this.text);
  }

  update(data) {
    this.#data = data;
    this.button.hidden = !data.words;
    if (!data.words) return;
    this.text.textContent = data.words.button;
    this.button.title = data.words.help;
    this.button.setAttribute("aria-label", data.words.button);
  }

  say(key, values) {
    return sentence(this.#data.words, key, values);
  }

  async #open() {
    this.#blob = await this.picture();
    if (!this.#blob) return;
    this.#build();
    this.button.after(this.#dialog);
    this.#dialog.showModal();
    this.seen.src = URL.createObjectURL(this.#blob);
    this.#look();
  }

  #build() {
    const { words } = this.#data;
    this.#dialog?.remove();
    this.seen = h("img", { class: "seen", alt: "" });
    this.name = h("input", { maxlength: 24, autocomplete: "off", value: kept(NAME) ?? "", placeholder: words.nobody });
    this.says = h("p", { class: "says", role: "status" });
    this.list = h("ul", {});
    this.go = h("button", { type: "submit", class: "main" }, words.send);
    const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); this.#send(); } },
      h("label", {}, h("span", {}, words.name), this.name, h("small", {}, words.nameHelp)),
      h("div", { class: "acts" }, this.go, h("button", { type: "button", onclick: () => this.#dialog.close() }, words.close)));
    this.#dialog = h("dialog", { class: "pinning", "aria-label": words.button, onclose: () => { clearTimeout(this.#timer); URL.revokeObjectURL(this.seen.src); this.button.focus(); },
      onclick: (event) => { if (event.target === this.#dialog) this.#dialog.close(); }, onkeydown: (event) => event.stopPropagation(), onpaste: (event) => event.stopPropagation() },
      h("style", {}, LOOK), h("h2", {}, words.button), this.seen, form, this.says, this.list);
  }

  async #send() {
    const { address, gan, tag } = this.#data, name = this.name.value;
    keep(NAME, name);
    this.go.disabled = true;
    this.#note(this.say("sending"));
    try {
      const blob = await fitting(this.#blob), query = new URLSearchParams({ name, gan, tag: tag ?? "" });
      const answer = await fetch(`${address}/api/gallery?${query}`, { method: "POST", headers: { ...headers, "Content-Type": blob.type }, body: blob });
      const said = await answer.json();
      if (!answer.ok) throw Object.assign(new Error("refused"), { says: this.#data.words[REASONS.find(([pattern]) => pattern.test(said.error ?? ""))?.[1]] ?? said.error });
      remember([...mine(), { id: said.id, secret: said.secret, name: said.name }]);
      this.#note(this.say("sent"));
      this.#look();
    } catch (error) {
      this.#note(error.says ?? this.say("away"), true);
      this.go.disabled = false;
    }
  }

  /** How the pictures that this tab has sent are now; looked at again while the dialog is open. */
  async #look() {
    clearTimeout(this.#timer);
    const sent = mine();
    if (sent.length) {
      try {
        const answer = await fetch(`${this.#data.address}/api/gallery?mine=${sent.map(({ id }) => id).join(",")}`, { headers });
        if (answer.ok) this.#list(sent, (await answer.json()).mine);
      } catch { /* away: next time */ }
    } else this.list.replaceChildren();
    if (this.#dialog.open) this.#timer = setTimeout(() => this.#look(), 4000);
  }

  #list(sent, how) {
    remember(sent.filter(({ id }) => how[id] !== "gone"));
    this.list.replaceChildren(...sent.map(({ id, secret, name }) => h("li", { "data-how": how[id] },
      h("span", {}, h("i", {}), [name, this.say(how[id])].filter(Boolean).join(": ")),
      how[id] === "gone" ? "" : h("button", { type: "button", onclick: () => this.#takeBack(id, secret) }, this.say("takeBack")))));
  }

  async #takeBack(id, secret) {
    try {
      const answer = await fetch(`${this.#data.address}/api/gallery/${id}`, { method: "DELETE", headers: { ...headers, "X-Secret": secret } });
      if (answer.ok || answer.status === 404) {
        remember(mine().filter((each) => each.id !== id));
        this.#note(this.say("takenBack"));
        this.go.disabled = false;
      }
    } catch {
      this.#note(this.say("away"), true);
    }
    this.#look();
  }

  #note(text, wrong = false) {
    this.says.textContent = text;
    this.says.classList.toggle("wrong", wrong);
  }
}

/** @type {[RegExp, string][]} */
const REASONS = [[/of yours wait/, "tooManyOwn"], [/box is closed/, "closed"], [/wait already/, "tooMany"], [/faster than|Too many/, "slower"]];

/** The picture as it is, if it is small enough; else smaller. */
async function fitting(blob) {
  const bitmap = await createImageBitmap(blob), scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && blob.size < MOST && ["image/png", "image/jpeg", "image/webp"].includes(blob.type)) return blob;
  const canvas = h("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) }), board = canvas.getContext("2d");
  board.imageSmoothingQuality = "high";
  board.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.93));
}

function kept(name) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

function keep(name, text) {
  try {
    sessionStorage.setItem(name, text);
  } catch { /* forbidden: it does not outlive the page */ }
}

let sentHere = null; // if this browser keeps nothing

function mine() {
  if (sentHere) return sentHere;
  try {
    return JSON.parse(sessionStorage.getItem(SENT) ?? "[]");
  } catch {
    return [];
  }
}

function remember(list) {
  try {
    sessionStorage.setItem(SENT, JSON.stringify(list.slice(-50)));
  } catch {
    sentHere = list;
  }
}
