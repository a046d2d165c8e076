"""What the Play tab of Pix2Pix shows: a drawing and the picture that it becomes."""

from __future__ import annotations

from typing import Any

from pages.parts.said.words import said, word

GAN, PART, TAB = "pix2pix", "live", "sketch"
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


def asks(card: dict[str, Any]) -> dict[str, Any]:
    """The verb, and what is sent to it: the same on Play and Look inside."""
    storage = f"labels-{card['tag']}" if _labels(card) else "sketch"  # sketches go along to another checkpoint
    return {"verb": "translate", "field": "sketch", "storage": storage, "examples": examples(card)}


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.live`."""
    labels = _labels(card)
    return asks(card) | {
        "drawing": "labels" if labels else "sketch",
        "palette": palette(card.get("extras", {})),
        "brush": 17 if labels else 3,
        "sends": ("gated_gan",),
    }


def _labels(card: dict[str, Any]) -> bool:
    return card.get("extras", {}).get("drawing") == "labels"
