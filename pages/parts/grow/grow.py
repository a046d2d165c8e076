"""One noise at every size, and a new size faded in by hand: for a GAN that grows."""

from __future__ import annotations

from typing import Any

from pages.parts.said import address, told
from pages.parts.said.mount import component

_grow = component("grow/grow")


def grow(gan: str, tag: str, **how: Any) -> None:
    """Mounts it; the arguments are those of `told.grow`."""
    _grow(key=f"grow-{gan}", data=told.grow(gan, tag, **how) | {"hide": sorted(address.hidden())})
