/*
 * paths.js: the two paths of a growing network as a drawing, from top to bottom: how G doubles and D halves, and how
 * strong each path is while alpha is turned.
 */

import { sentence } from "../common/part.js";

const WIDE = 340, HIGH = 300, LEFT = 86, RIGHT = 254, MIDDLE = 170; // of the drawing, and of its three columns
const THIN = 1.5, THICK = 9; // of a path at 0 and at 1

/** How G grows: features > toRGB > 2x, and features > new layers > toRGB. */
export function doubling(words) {
  return drawn(words, "diagramG", {
    top: (sizes) => sentence(words, "oldLayers", sizes),
    old: ["toRGB", "2×"],
    fresh: [(sizes) => sentence(words, "newLayers", sizes), "toRGB"],
    bottom: (sizes) => sentence(words, "picture", sizes),
  });
}

/** How D grows, its mirror image: picture > 0.5x > fromRGB, and picture > fromRGB > new layers. */
export function halving(words) {
  return drawn(words, "diagramD", {
    top: (sizes) => sentence(words, "picture", sizes),
    old: ["0.5×", "fromRGB"],
    fresh: ["fromRGB", (sizes) => sentence(words, "newLayers", sizes)],
    bottom: (sizes) => sentence(words, "oldLayers", sizes),
  });
}

function drawn(words, label, { top, old, fresh, bottom }) {
  const svg = element("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" });
  const paths = { old: [], fresh: [] }, texts = [];
  const line = (kind, points) => {
    const path = element("path", { d: points, class: kind, fill: "none" });
    paths[kind].push(path);
    svg.append(path);
  };
  line("old", `M${MIDDLE} 40 C${MIDDLE} 62 ${LEFT} 52 ${LEFT} 76 V196 C${LEFT} 224 ${MIDDLE} 214 ${MIDDLE} 236`);
  line("fresh", `M${MIDDLE} 40 C${MIDDLE} 62 ${RIGHT} 52 ${RIGHT} 76 V196 C${RIGHT} 224 ${MIDDLE} 214 ${MIDDLE} 236`);
  const box = (x, y, wide, says, kind) => {
    const text = element("text", { x, y: y + 21, "text-anchor": "middle" });
    svg.append(element("rect", { x: x - wide / 2, y, width: wide, height: 32, rx: 7, class: kind }), text);
    texts.push([text, typeof says === "function" ? says : () => says]);
  };
  box(MIDDLE, 8, 210, top, "still");
  old.forEach((says, k) => box(LEFT, 76 + 54 * k, 96, says, "old"));
  fresh.forEach((says, k) => box(RIGHT, 76 + 54 * k, 166, says, "fresh"));
  const shares = [element("text", { x: LEFT - 10, y: 196, "text-anchor": "end", class: "share" }), element("text", { x: RIGHT + 10, y: 196, "text-anchor": "start", class: "share" })];
  const plus = element("text", { x: MIDDLE, y: 238, "text-anchor": "middle", class: "plus" });
  plus.textContent = "+";
  svg.append(...shares, element("circle", { cx: MIDDLE, cy: 231, r: 13 }), plus);
  svg.append(element("path", { d: `M${MIDDLE} 244 V260`, class: "after" }));
  box(MIDDLE, 260, 210, bottom, "still");
  return {
    node: svg,
    /** @param {number} alpha */
    turn(alpha) {
      for (const [kind, share] of /** @type {["old" | "fresh", number][]} */ ([["old", 1 - alpha], ["fresh", alpha]])) {
        for (const path of paths[kind]) {
          path.setAttribute("stroke-width", (THIN + (THICK - THIN) * share).toFixed(2));
          path.setAttribute("stroke-dasharray", share ? "none" : "4 5");
        }
      }
      shares[0].textContent = `× ${(1 - alpha).toFixed(2)}`;
      shares[1].textContent = `× ${alpha.toFixed(2)}`;
    },
    /** @param {{old: number, new: number}} sizes */
    name(sizes) {
      svg.setAttribute("aria-label", sentence(words, label, sizes));
      for (const [text, says] of texts) text.textContent = says(sizes);
    },
  };
}

function element(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}
