/*
 * desk.js: what lies on the visitor's desk: the drawing on the Play tab and how it is being translated.
 *
 * The components of a page are separate for Streamlit, but they are modules of one browser page. What one of them
 * draws the others hear about here, without a trip to the server: a class of thirty costs no rerun a stroke.
 */

import { small } from "./upload.js";

const papers = new Map(), readers = new Map();

/** `paper`: {empty, png() -> Promise<Blob>, tag, seed, picture: Blob | null} */
export function lay(name, paper) {
  papers.set(name, paper);
  for (const reader of readers.get(name) ?? []) reader(paper);
}

/** Calls `reader` now, if there is something, and at each change. Returns how to stop. */
export function watch(name, reader) {
  if (!readers.has(name)) readers.set(name, new Set());
  readers.get(name).add(reader);
  if (papers.has(name)) reader(papers.get(name));
  return () => readers.get(name).delete(reader);
}

const offers = new Map();

/** What a page's lesson link is made of: {link() -> URL of what is seen now, parts: [what `hide=` can take away]}. */
export function offer(page, { link, parts }) {
  offers.set(page, { link, parts });
}

export const offered = (page) => offers.get(page);

const parcel = (to) => `gan-studio/sent/${to}`;

/** Goes to another page of the studio, at `address`, with a picture; this tab keeps it on the way there. */
export async function send(to, blob, address) {
  const picture = await small(await createImageBitmap(blob)), reader = new FileReader();
  await new Promise((done) => { reader.onload = done; reader.readAsDataURL(picture); });
  try {
    sessionStorage.setItem(parcel(to), String(reader.result));
  } catch { /* full, or forbidden: the other page begins with its own example */ }
  const query = new URLSearchParams(location.search), carried = new URLSearchParams();
  for (const name of ["lang", "hide"]) if (query.has(name)) carried.set(name, query.get(name));
  location.assign(`${address}/${to}${carried.size ? `?${carried}` : ""}`);
}

/** What was sent to a page, once: a Blob, or null. */
export function received(to) {
  let text = null;
  try {
    text = sessionStorage.getItem(parcel(to));
    sessionStorage.removeItem(parcel(to));
  } catch { /* forbidden */ }
  const [, kind, content] = /^data:(image\/\w+);base64,(.+)$/.exec(text ?? "") ?? [];
  return content ? new Blob([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], { type: kind }) : null;
}
