"""What the Play tab of SPADE shows: a label map to paint, and the landscape."""

from __future__ import annotations

from typing import Any

from pages.parts.said.words import book, said, word
from studio.labels import palette

GAN, PART, TAB = "spade", "live", "painter"


def classes(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The checkpoint's classes in the visitor's language, by their ids from 0 on, and "unknown" last."""
    listed = palette(card.get("extras", {}).get("palette") or [], card["config"]["labels"]).listed
    return [{**each, "name": named(each["name"])} for each in listed]


def named(name: str | dict[str, str]) -> str:
    """A class's name in the visitor's language: the card's, or, of a usual English word, the catalogue's."""
    usual = book("spade")["classes"]
    return said(usual[name] if isinstance(name, str) and name in usual else name)


def templates(card: dict[str, Any]) -> list[dict[str, str]]:
    known = book("spade")["templates"]
    return [
        {
            "file": f"/api/{GAN}/{card['tag']}/{name}",
            "name": said(known[stem])
            if (stem := name.partition(".")[0]) in known
            else word("studio.live.example", n=k),
        }
        for k, name in enumerate(card.get("examples", []), 1)
    ]


def storage(painted: list[dict[str, Any]]) -> str:
    """Maps go along to another checkpoint with the same palette."""
    return f"labels-{len(painted)}-{painted[0]['colour'].strip('#')}"


def begin(card: dict[str, Any]) -> int | None:
    """The seed of the style that a visitor sees first, as the card says; None = the mean style."""
    return card.get("extras", {}).get("seed") if card["config"]["style"] else None


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.live`."""
    config, painted = card["config"], classes(card)
    styles = config["style"] > 0
    return {
        "verb": "paint", "field": "labels", "drawing": "labels",
        "palette": [{"name": each["name"], "colour": each["colour"]} for each in painted],
        "storage": storage(painted), "pen": 3 if len(painted) > 4 else 0, "brush": 17, "brushes": (3, 5, 9, 17, 33),
        "noise": styles, "begin": begin(card),
        "still": "" if styles else word("spade.play.still"), "styles": ("styles", 6),
        "photo": "style_photo" if styles and config["encoder"] else "", "reads": "read",
        "ids": [each["id"] for each in painted], "background": len(painted) - 1, "examples": templates(card),
        "sends": ("gated_gan",), "own": "spade.live",
    }  # fmt: skip
