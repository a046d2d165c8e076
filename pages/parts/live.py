"""Draw, and see what the GAN makes of it while the pen moves: one component with the canvas and the picture.

Pictures come from the studio's HTTP routes straight to the browser (`link.js`); Streamlit only says which checkpoint,
which palette, which words, and writes the seed into the address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts import address, catalogue
from pages.parts.pin import pin
from pages.parts.words import table

PARTS = Path(__file__).parent
# The component's own script is a blob: it only fetches the module from the studio, which the browser keeps.
LOADER = """
export default async (component) => {
  const page = component.data.page, path = location.pathname.replace(/\\/+$/, "");
  const base = page && path.endsWith(`/${page}`) ? path.slice(0, -page.length - 1) : path;
  return (await import(`${location.origin}${base}/parts/%s.js`)).default(component);
};
"""


def component(name: str) -> Any:
    """The Streamlit component of ``<name>.js`` and ``<name>.css`` in this folder."""
    css = (PARTS / f"{name}.css").read_text(encoding="utf-8")
    return st.components.v2.component(f"studio_{name}", css=css, js=LOADER % name)


_live = component("live")


def storage_of(gan: str, name: str) -> str:
    """The name under which a browser keeps a drawing."""
    return f"gan-studio/{gan}/{name}"


def live(
    gan: str,
    tag: str,
    *,
    verb: str,
    field: str,
    drawing: str,
    palette: Sequence[Mapping[str, Any]],
    storage: str,
    pen: int = 1,
    brush: int = 3,
    brushes: Sequence[int] = (2, 3, 5, 9, 17),
    noise: bool = True,
    still: str = "",
    styles: tuple[str, int] | None = None,
    photo: str = "",
    reads: str = "",
    ids: Sequence[int] = (),
    background: int = 0,
    examples: Sequence[Mapping[str, str]] = (),
    sends: Sequence[str] = (),
    words: str = "studio.live",
    own: str = "",
) -> None:
    """Mounts canvas and picture.

    Args:
        verb: the verb that is asked, with the drawing in its argument ``field``.
        drawing: ``"sketch"`` (nothing is asked while it is empty) or ``"labels"``.
        palette: classes ``{"name", "colour"}``, optionally ``"group"``; 0 is paper.
        storage: where this browser keeps the drawing; drawings of one kind share it.
        noise: whether the verb takes a seed.
        still: a sentence that says why not, if it doesn't.
        styles: a verb that gives several seeds' pictures, and how many to show as a strip; None = no strip.
        photo: the verb's argument for a photo whose style the picture gets; "" = it has none.
        reads: a verb that reads label maps that are brought along; "" = the nearest colours are taken.
        ids: the number that each class of the palette has in a file; for taking label maps away.
        background: the class that the eraser and an empty canvas have.
        examples: drawings to click, ``{"file": "/api/…", "name": …}``.
        sends: GANs whose pages take the picture; those that have a page are offered.
        words: the section of the catalogue with the component's words.
        own: a section with words of the page's own, which take the place of those.
    """

    def remember_seed() -> None:
        address.put("seed", st.session_state[key].get("seed"))

    key = f"live-{gan}"
    said = table(words) | (table(own) if own else {}) | {"painter": table("studio.painter")}
    _live(
        key=key,
        data={
            "gan": gan, "tag": tag, "page": gan, "verb": verb, "field": field, "drawing": drawing,
            "palette": list(palette), "storage": storage_of(gan, storage), "pen": pen, "brush": brush,
            "brushes": list(brushes), "noise": noise, "still": still, "photo": photo, "reads": reads, "ids": list(ids),
            "styles": {"verb": styles[0], "n": styles[1]} if styles else None, "background": background,
            "hints": any("group" in each for each in palette), "seed": address.number("seed"),
            "examples": list(examples), "sends": catalogue.pages_of(sends, gan), "words": said,
            "pin": pin(), "hide": sorted(address.hidden()),
        },
        on_seed_change=remember_seed,
    )  # fmt: skip
