/*
 * colour.js: colours a drawing in, as a hand with a fill tool would: each closed part gets one colour of a small scheme.
 *
 * Few outlines drawn by hand are really closed. So the ink is thought thicker, by as little as needed, until it closes;
 * the colour then flows back to the line that was drawn.
 */

/**
 * The same drawing with its paper parts coloured in, or null if nothing in it is closed, even with thick ink.
 * @param {Uint8Array} indices class of each pixel, row by row
 * @param {number} width
 * @param {number} height
 * @param {{paper: number, pen: number, colours: number[], random?: () => number}} classes to use; `random` in [0, 1)
 */
export function colourIn(indices, width, height, { paper, pen, colours, random = Math.random }) {
  const ink = indices.map((value) => (value === pen ? 1 : 0));
  const away = distance(ink, width, height, 8);
  const tries = [0, 1, 2, 3, 4, 6, 8].map((reach) => closed(ink, away, reach, width, height));
  const most = Math.max(...tries.map(({ area }) => area));
  if (most < 0.01 * indices.length) return null;
  // The thinnest ink that closes most of it: thicker ink would swallow the small parts.
  const { parts, areas } = tries.find(({ area }) => area > 0.6 * most);

  const pick = () => colours[Math.floor(random() * colours.length)];
  const scheme = [pick(), pick(), pick()];
  const largest = areas.indexOf(Math.max(...areas));
  const chosen = areas.map((area, part) => {
    const luck = random();
    return part === largest || luck < 0.5 ? scheme[0] : luck < 0.8 ? scheme[1] : scheme[2];
  });
  return indices.map((value, at) => (value === pen ? pen : parts[at] ? chosen[parts[at] - 1] : paper));
}

/** Steps to the nearest ink for each pixel, up to `most` (4-connected rings, near enough to round). */
function distance(ink, width, height, most) {
  const away = ink.map((is) => (is ? 0 : 255));
  let rim = [...away.keys()].filter((at) => away[at] === 0);
  for (let step = 1; step <= most; step++) {
    const next = [];
    for (const at of rim)
      for (const near of neighbours(at, width, height))
        if (away[near] === 255) { away[near] = step; next.push(near); }
    rim = next;
  }
  return away;
}

/** Parts that the border can't reach when ink is `reach` pixels thicker: {parts: 0 or 1 … n a pixel, areas, area}. */
function closed(ink, away, reach, width, height) {
  const parts = new Uint16Array(ink.length), areas = [];
  const open = (at) => !ink[at] && away[at] > reach;
  const outside = 65535;
  const spread = (from, part, may) => {
    let rim = from, count = rim.length;
    for (const at of rim) parts[at] = part;
    while (rim.length) {
      const next = [];
      for (const at of rim)
        for (const near of neighbours(at, width, height))
          if (!parts[near] && may(near)) { parts[near] = part; next.push(near); }
      count += next.length;
      rim = next;
    }
    return count;
  };
  const border = [];
  for (let at = 0; at < ink.length; at++) {
    const x = at % width, y = (at / width) | 0;
    if ((x === 0 || y === 0 || x === width - 1 || y === height - 1) && open(at)) border.push(at);
  }
  spread(border, outside, open);
  for (let at = 0; at < ink.length; at++)
    if (!parts[at] && open(at) && areas.length < outside - 1) areas.push(spread([at], areas.length + 1, open));

  // Back to the drawn line: parts and the outside grow alike through what the thick ink had taken.
  let rim = [...parts.keys()].filter((at) => parts[at]);
  for (let step = 0; step <= reach + 1 && rim.length; step++) {
    const next = [];
    for (const at of rim)
      for (const near of neighbours(at, width, height))
        if (!parts[near] && !ink[near]) { parts[near] = parts[at]; next.push(near); }
    rim = next;
  }
  for (let at = 0; at < parts.length; at++) if (parts[at] === outside) parts[at] = 0;
  return { parts, areas, area: areas.reduce((sum, each) => sum + each, 0) };
}

function* neighbours(at, width, height) {
  const x = at % width;
  if (x > 0) yield at - 1;
  if (x < width - 1) yield at + 1;
  if (at >= width) yield at - width;
  if (at < width * (height - 1)) yield at + width;
}
