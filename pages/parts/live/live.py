"""Draw, and see what the GAN makes of it while the pen moves: one component with the canvas and the picture.

Pictures come from the studio's HTTP routes straight to the browser (`link.js`); Streamlit only says which checkpoint,
which palette, which words, and writes the seed into the address.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.lesson.pin import pin
from pages.parts.said import address, told
from pages.parts.said.mount import component

_live = component("live/live")


def live(gan: str, tag: str, **how: Any) -> None:
    """Mounts canvas and picture; the arguments are those of `told.live`."""

    def remember_seed() -> None:
        address.put("seed", st.session_state[key].get("seed"))

    key = f"live-{gan}"
    data = told.live(gan, tag, **how) | {"seed": address.number("seed"), "pin": pin(), "hide": sorted(address.hidden())}
    _live(key=key, data=data, on_seed_change=remember_seed)
