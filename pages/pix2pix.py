"""Pix2Pix: draw a sketch, watch it become a picture."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.arms import arms
from pages.parts.live import live
from pages.parts.look import look
from pages.parts.page import head, rest, tabs
from pages.parts.words import said, word

GAN = "pix2pix"
HINTS = {  # colours to dab under the ink, where a checkpoint was trained with them
    "black": "#2b2b2e", "grey": "#8b8d94", "white": "#f4f1ea", "brown": "#7a4a2b", "tan": "#c79a63", "red": "#c4342d",
    "orange": "#e8812d", "yellow": "#f0c93a", "green": "#4f8a45", "blue": "#2f62b5", "purple": "#6d4a9c",
    "pink": "#ea8fb0",
}  # fmt: skip


def palette(extras: dict[str, Any]) -> list[dict[str, str]]:
    """What can be painted with: the checkpoint's classes, or paper and pen with colour hints if it knows them."""
    if extras.get("palette"):
        return [{"name": said(each["name"]), "colour": each["colour"]} for each in extras["palette"]]
    ink = [("paper", "#ffffff"), ("pen", "#000000")]
    if not extras.get("hints"):
        return [{"name": word(f"pix2pix.ink.{name}"), "colour": colour} for name, colour in ink]
    return [{"name": word(f"pix2pix.ink.{name}"), "colour": colour, "group": "ink"} for name, colour in ink] + [
        {"name": word(f"pix2pix.hints.{name}"), "colour": colour, "group": "hints", "under": 1}  # under the ink
        for name, colour in HINTS.items()
    ]


def examples(card: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"file": f"/api/{GAN}/{card['tag']}/{name}", "name": word("studio.live.example", n=k)}
        for k, name in enumerate(card.get("examples", []), 1)
    ]


card = head(GAN)
shown = tabs(card)
if card:
    extras, tag = card.get("extras", {}), card["tag"]
    drawing = "labels" if extras.get("drawing") == "labels" else "sketch"
    asks = {
        "verb": "translate",
        "field": "sketch",
        "storage": f"labels-{tag}" if drawing == "labels" else "sketch",  # sketches go along to another checkpoint
        "examples": examples(card),
    }
    with shown["play"]:
        live(
            GAN,
            tag,
            drawing=drawing,
            palette=palette(extras),
            brush=17 if drawing == "labels" else 3,
            sends=("gated_gan",),
            **asks,
        )
    if "look" in shown:
        with shown["look"]:
            judge = "discriminator.safetensors" in card["files"]
            if not judge:
                st.info(word("pix2pix.look.noJudge"))
            look(GAN, tag, judge=judge, other="averages", words="pix2pix.look", **asks)
            arms(card)
rest(GAN, card, shown)
