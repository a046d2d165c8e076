"""What the Play tab of Gated-GAN shows: a photo, and a slider for each gate."""

from __future__ import annotations

from typing import Any

from pages.parts.said.told import preset, select, slider
from pages.parts.said.words import book, fill, said, word

GAN, PART, TAB = "gated_gan", "sliders", "style"
SIZES = (256, 384, 512, 768, 1024, 1536, 2048)
DRAFT = 256  # pixels while a slider moves


def styles(card: dict[str, Any]) -> list[str]:
    """The checkpoint's gates, by the names of the folders it learnt from."""
    named = list(card.get("extras", {}).get("styles", []))
    return named + [f"style {k + 1}" for k in range(len(named), card["config"]["styles"])]


def called(style: str) -> str:
    """A style's name for people: in the visitor's language if the catalogue knows it."""
    known = book(GAN)["styles"].get(style)
    return said(known) if known else style.replace("_", " ").capitalize()


def controls(names: list[str]) -> list[dict[str, Any]]:
    helps, group = word("gated_gan.play.gatesHelp"), word("gated_gan.play.gates")
    first = "ukiyoe" if "ukiyoe" in names else names[0]
    each = [
        slider(name, called(name), default=float(name == first), into="gates", group=group, help=helps)
        for name in names
    ]
    picture = word("gated_gan.play.picture")
    return [
        *each,
        slider(
            "identity", called("identity"), into="gates", group=group, help=word("gated_gan.play.identityHelp")
        ),
        slider(
            "stroke", word("gated_gan.play.stroke"), 0.5, 3, 0.1, default=1.0, group=picture,
            help=word("gated_gan.play.strokeHelp"),
        ),
        select(
            "size", word("gated_gan.play.size"), {size: f"{size} px" for size in SIZES}, 512, picture,
            word("gated_gan.play.sizeHelp"),
        ),
    ]  # fmt: skip


def presets(names: list[str]) -> list[dict[str, Any]]:
    """One click = one style, pure."""
    shut = dict.fromkeys([*names, "identity"], 0.0)
    return [preset(called(name), shut | {name: 1.0}) for name in [*names, "identity"]]


def examples(card: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"file": f"/api/{GAN}/{card['tag']}/{name}", "name": word("studio.sliders.example", n=k)}
        for k, name in enumerate(card.get("examples", []), 1)
    ]


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.sliders`."""
    names = styles(card)
    order = [word("gated_gan.play.photo"), *map(called, ["identity", *names])]
    caption = fill(word("gated_gan.play.sheet"), names=", ".join(order))
    return {
        "verb": "stylize", "field": "photo", "controls": controls(names), "presets": presets(names), "sums": "gates",
        "draft": ("size", DRAFT), "examples": examples(card), "sends": ("pix2pix", "stargan"),
        "sheet": {"verb": "sheet", "size": DRAFT, "caption": caption},
        "reads": {"verb": "stylize", "fields": {"gates": '{"identity": 0}', "size": 1024}},
    }  # fmt: skip
