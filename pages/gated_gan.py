"""Gated-GAN: open the gates and watch a photo become a painting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.parts.demos.gated_gan import GAN, called, play, styles
from pages.parts.inside.gates import gates
from pages.parts.shell.page import head, rest, tabs
from pages.parts.sliders.sliders import sliders


def squares(card: dict[str, Any]) -> list[dict[str, str]]:
    """Squares of real paintings that the checkpoint brings along: ``texture-<style>.webp``."""
    found = {Path(name).stem.removeprefix("texture-"): name for name in card.get("pictures", [])}
    return [{"file": f"/api/{GAN}/{card['tag']}/{name}", "style": style} for style, name in found.items()]


card = head(GAN)
shown = tabs(card)
if card:
    names, tag = styles(card), card["tag"]
    with shown["play"]:
        sliders(GAN, tag, **play(card))
    if "look" in shown:
        with shown["look"]:
            gates(card, {name: called(name) for name in ["identity", *names]}, squares(card))
rest(GAN, card, shown)
