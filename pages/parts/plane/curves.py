"""The terms of the value of the game against what D says, with lines to drag."""

from __future__ import annotations

from pages.parts.said.mount import component
from pages.parts.said.words import table

_curves = component("plane/curves")


def curves(gan: str, words: str) -> None:
    """Mounts it; it can take its values from the game that `plane` shows of the same GAN.

    Args:
        words: the section of the catalogue with what it says.
    """
    _curves(key=f"curves-{gan}", data={"page": gan, "desk": f"{gan}/game", "words": table(words)})
