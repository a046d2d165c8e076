"""What the Play tab of StyleGAN shows: faces of nobody, mixed, walked through, bred."""

from __future__ import annotations

from typing import Any

GAN, PART, TAB = "stylegan", "faces", "mixing"


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.faces`."""
    return {"config": card["config"], "sends": ("stargan", "gated_gan")}
