"""What the Play tab of the first GAN shows: its game in the plane, with the paper's rules."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import studio

GAN, PART, TAB = "vanilla", "plane", "game"
ROOMS = ("plane", "digits")  # what the Play tab shows, one at a time; as the address has it


def play(card: dict[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of `told.plane`: the same with any checkpoint, since the game begins anew in each browser."""
    rules = asdict(studio.gan(GAN).PLANE)
    asked = ("z", "width", "judge_width", "batch", "lr", "judge_lr", "saturating")
    return {"rules": {name: rules[name] for name in asked}, "words": "vanilla.plane"}


def among(card: dict[str, Any]) -> str:
    """The built-in set of real pictures that a checkpoint learnt from; "" = none, or several."""
    source = str(card.get("origin", {}).get("data", ""))
    return source.removeprefix("real:") if source.startswith("real:") and "+" not in source else ""
