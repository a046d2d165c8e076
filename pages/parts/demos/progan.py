"""What the Play tab of ProGAN shows: one noise at every size, and a new size faded in by hand."""

from __future__ import annotations

from typing import Any

import studio
from pages.parts.said.words import word

GAN, PART, TAB = "progan", "grow", "growing"


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.grow`."""
    config = studio.gan(GAN).configured(card["config"])
    examples = [
        {"file": f"/api/{GAN}/{card['tag']}/{name}", "name": word("studio.sliders.example", n=k)}
        for k, name in enumerate(card.get("examples", []), 1)
    ]
    sides = [config.start]
    while sides[-1] < config.size:
        sides.append(2 * sides[-1])
    kept = config.outlets > 0
    return {"sides": sides, "words": "progan.grow", "kept": kept, "examples": examples, "next": ("stylegan",)}
