/*
 * networks.js: the networks of a GAN as a drawing (the Read tab). diagram.py says what stands where; this puts it on the
 * page, as elements and text, never as markup.
 */

import { mounting } from "../common/part.js";

const SVG = "http://www.w3.org/2000/svg", TAGS = new Set(["rect", "path", "text", "tspan"]);

/** @typedef {[string, Record<string, string | number>, string | Part[]]} Part  tag, attributes, text or parts */

/**
 * An element of the drawing.
 * @param {Part} part
 * @returns {SVGElement}
 */
function drawn([tag, attributes, inside]) {
  if (!TAGS.has(tag)) throw new Error(`${tag} is no part of a drawing`);
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (typeof inside === "string") element.textContent = inside;
  else element.append(...inside.map(drawn));
  return element;
}

class Networks {
  /** @type {string} */ #shown = "";

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "networks";
    this.root.tabIndex = 0; // it may be wider than a phone: arrow keys move it
    parent.append(this.root);
  }

  /** @param {{ drawing: { width: number, height: number, label: string, parts: Part[] } }} data */
  update({ drawing }) {
    const told = JSON.stringify(drawing);
    if (told === this.#shown) return;
    this.#shown = told;
    const { width, height, label, parts } = drawing, svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    svg.style.maxWidth = `${width}px`;
    svg.style.minWidth = `${Math.round(width * 0.72)}px`;
    svg.append(...parts.map(drawn));
    this.root.replaceChildren(svg);
  }

  close() {}
}

export default mounting(Networks);
