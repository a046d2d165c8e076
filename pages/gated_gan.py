"""Gated-GAN: open the gates and watch a photo become a painting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pages.parts.demos.gated_gan import GAN, called, play, styles
from pages.parts.gates import gates
from pages.parts.page import head, tabs
from pages.parts.read import read
from pages.parts.sliders import sliders
from pages.parts.train import panel


def squares(card: dict[str, Any]) -> list[dict[str, str]]:
    """Squares of real paintings that the checkpoint brings along: ``texture-<style>.webp``."""
    found = {Path(name).stem.removeprefix("texture-"): name for name in card.get("pictures", [])}
    return [{"file": f"/api/{GAN}/{card['tag']}/{name}", "style": style} for style, name in found.items()]


card = head(GAN)
if card:
    names, tag = styles(card), card["tag"]
    shown = tabs("play", "look", "train", "read")
    with shown["play"]:
        sliders(GAN, tag, **play(card))
    if "look" in shown:
        with shown["look"]:
            gates(card, {name: called(name) for name in ["identity", *names]}, squares(card))
    if "train" in shown and shown["train"].open:
        with shown["train"]:
            panel(GAN)
    if "read" in shown and shown["read"].open:
        with shown["read"]:
            read(GAN, card)
else:
    shown = tabs("train", "read")
    with shown["train"]:
        panel(GAN)
    if "read" in shown and shown["read"].open:
        with shown["read"]:
            read(GAN, None)
