"""Draw, and see what the GAN makes of it while the pen moves: one component with the canvas and the picture.

Pictures come from the studio's HTTP routes straight to the browser (`link.js`); Streamlit only says which checkpoint,
which palette, which words, and writes the seed into the address.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts import address, told
from pages.parts.pin import pin
from pages.parts.told import storage_of as storage_of

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


def live(gan: str, tag: str, **how: Any) -> None:
    """Mounts canvas and picture; the arguments are those of `told.live`."""

    def remember_seed() -> None:
        address.put("seed", st.session_state[key].get("seed"))

    key = f"live-{gan}"
    data = told.live(gan, tag, **how) | {"seed": address.number("seed"), "pin": pin(), "hide": sorted(address.hidden())}
    _live(key=key, data=data, on_seed_change=remember_seed)
