/*
 * desk.js: what lies on the visitor's desk: the drawing on the Play tab and how it is being translated.
 *
 * The components of a page are separate for Streamlit, but they are modules of one browser page. What one of them
 * draws the others hear about here, without a trip to the server: a class of thirty costs no rerun a stroke.
 */

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
