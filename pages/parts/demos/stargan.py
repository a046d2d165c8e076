"""What the Play tab of StarGAN shows: a face, and a slider for each attribute."""

from __future__ import annotations

from typing import Any

import studio
from pages.parts.said.told import slider
from pages.parts.said.words import word
from studio.checkpoints import has_judge

GAN, PART, TAB = "stargan", "sliders", "faces"
LOW, HIGH = -0.5, 1.5
NAMED = (  # the studio's portraits, then CelebA: what the catalogue has names for
    "black", "blond", "brown", "red", "masculine", "smiling", "glasses", "older",
    "Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young",
)  # fmt: skip


def called(name: str) -> str:
    """An attribute's name for people: in the visitor's language if the catalogue knows it."""
    return word(f"stargan.attributes.{name}") if name in NAMED else name.replace("_", " ")


def controls(labels: Any) -> list[dict[str, Any]]:
    """A slider for each attribute; those that exclude each other stand under one heading."""
    found = []
    for place, name in enumerate(labels.names):
        letter = chr(ord("A") + labels.set_of(place)) if len(labels.sets) > 1 else ""
        group, help = ("one", "oneHelp") if len(labels.group_of(place)) > 1 else ("any", "anyHelp")
        group = word(f"stargan.play.{group}") + (f" ({word('stargan.play.set', letter=letter)})" if letter else "")
        help = word(f"stargan.play.{help}")
        found.append(slider(name, called(name), LOW, HIGH, into="attributes", group=group, help=help))
    return found


def tile(name: str, excludes: list[list[str]]) -> str | dict[str, str]:
    """The caption of an attribute's tile in the sheet: it is turned on, or turned over."""
    if any(name in group for group in excludes):
        return called(name)
    return {"key": name, "on": f"{called(name)} → 1", "off": f"{called(name)} → 0"}


def examples(card: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"file": f"/api/{GAN}/{card['tag']}/{name}", "name": word("studio.sliders.example", n=k)}
        for k, name in enumerate(card.get("examples", []), 1)
    ]


def labels_of(card: dict[str, Any]) -> Any:
    """The checkpoint's attributes."""
    kind = studio.gan(GAN)
    return kind.labels_of(kind.configured(card["config"]))


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.sliders`."""
    labels, size = labels_of(card), card["config"]["size"]
    judged = has_judge(card)
    excludes = [[labels.names[k] for k in group] for group in labels.groups]
    return {
        "verb": "edit", "field": "face", "controls": controls(labels), "examples": examples(card), "crop": True,
        "most": 2 * size, "sends": ("gated_gan",),
        "starts": {"verb": "recognise", "into": "attributes", "excludes": excludes} if judged else None,
        "sheet": {
            "verb": "sheet", "size": size, "sized": False, "caption": word("stargan.play.sheet"),
            "tiles": [word("studio.sliders.original"), *(tile(name, excludes) for name in labels.names)],
        } if judged else None,
    }  # fmt: skip
