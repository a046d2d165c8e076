"""Writing with a generator that is told a label, its input as boxes to click, and a grid of labels and noises."""

from __future__ import annotations

from typing import Any

from pages.parts.said import address, told
from pages.parts.said.mount import component

_write = component("write/write")


def write(gan: str, tag: str, **how: Any) -> None:
    """Mounts it; the arguments are those of `told.write`."""
    _write(key=f"write-{gan}", data=told.write(gan, tag, **how) | {"hide": sorted(address.hidden())})
