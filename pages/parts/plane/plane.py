"""The game of a GAN in the plane, live: its networks are trained in the visitor's browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.said import address, told
from pages.parts.said.mount import component

# A dial of plane.js -> its name in the address; as the lesson's links have it: ?gsteps=10&dsteps=1
NAMES = {
    "real": "real", "turns": "gsteps", "k": "dsteps", "times": "lr", "saturating": "saturating", "speed": "speed",
    "drawn": "drawn",
}  # fmt: skip
MOST = 4000  # letters of a value in the address

_plane = component("plane/plane")


def plane(gan: str, tag: str = "", **play: Any) -> None:
    """Mounts it; what its dials say is in the address.

    Args:
        play: the arguments of `told.plane`.
    """

    def remember() -> None:
        state = st.session_state[key]
        for name, at in NAMES.items():
            if (value := state.get(name)) is not None:
                address.put(at, None if value in ("", False) else int(value) if value is True else value)

    key = f"plane-{gan}"
    listeners = {f"on_{name}_change": remember for name in NAMES}
    _plane(key=key, data=told.plane(gan, tag, **play) | {"dials": dials(st.query_params)}, **listeners)


def dials(query: Mapping[str, str]) -> dict[str, Any]:
    """What the address says of the dials; what is no number there is left out."""
    found: dict[str, Any] = {}
    for name, at in NAMES.items():
        text = query.get(at, "")[:MOST]
        if name in ("real", "drawn"):
            found[name] = text
        elif text:
            try:
                found[name] = float(text)
            except ValueError:
                continue
    return {
        name: value for name, value in found.items() if value == value and value not in (float("inf"), -float("inf"))
    }
