/* dom.js: elements without markup. */

import { ICONS } from "./icons.js";

/**
 * Strings become text and attributes, never markup.
 * @param {string} tag
 * @param {Record<string, any>} attributes `on…` listens; true = there, false and null = not there
 * @param {...any} children
 * @returns {any} the element: which kind, its user knows by the tag
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/**
 * A line drawing, 24 x 24.
 * @param {string} path
 */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS(svg.namespaceURI, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** A button that hands a picture on: it `says` so, or, where a narrow page hides that, only whose page it is (.short). */
export function sender(says, title, disabled, onclick) {
  return h("button", { type: "button", class: "button", "aria-label": says, title: says, disabled, onclick },
    icon(ICONS.send), h("span", {}, says), h("span", { class: "short" }, title));
}
