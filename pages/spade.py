"""SPADE: paint where things are, watch the landscape appear."""

from __future__ import annotations

from typing import Any

import streamlit as st

import studio
from pages.parts.live import live
from pages.parts.modulation import modulation
from pages.parts.page import head, tabs
from pages.parts.read import read
from pages.parts.words import book, said, word
from studio.labels import UNKNOWN, Classes
from studio.toys import distinct_colour

GAN = "spade"
SHOWN = ("sky", "grass", "water", "snow")  # labels that the one-label canvases have, as far as a palette has them


def classes(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The checkpoint's classes as the painter wants them, by their ids from 0 on, and "unknown" last."""
    count, listed = card["config"]["labels"], card.get("extras", {}).get("palette") or []
    known = {each["id"]: each for each in Classes(listed).listed} if listed else {}
    palette = []
    for k in range(count):
        each = known.get(k, {"name": f"class {k}", "colour": distinct_colour(k)})
        palette.append({"id": k, "name": named(each["name"]), "colour": each["colour"]})
    colour = known.get(UNKNOWN, {}).get("colour", "#000000")
    return [*palette, {"id": UNKNOWN, "name": word("spade.play.unknown"), "colour": colour}]


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


def baseline() -> str:
    """The checkpoint that gets its labels at the input only; "" = there is none."""
    return next((tag for tag in studio.tags(GAN) if studio.card(GAN, tag)["config"]["conditioning"] == "concat"), "")


card = head(GAN)
if card:
    config, tag, palette = card["config"], card["tag"], classes(card)
    storage = f"labels-{len(palette)}-{palette[0]['colour'].strip('#')}"  # maps go along to another checkpoint like it
    styles, encoder = config["style"] > 0, config["style"] > 0 and config["encoder"]
    shown = tabs("play", "look", "read")
    with shown["play"]:
        live(
            GAN,
            tag,
            verb="paint",
            field="labels",
            drawing="labels",
            palette=[{"name": each["name"], "colour": each["colour"]} for each in palette],
            storage=storage,
            pen=3 if len(palette) > 4 else 0,
            brush=17,
            brushes=(3, 5, 9, 17, 33),
            noise=styles,
            still="" if styles else word("spade.play.still"),
            styles=("styles", 6),
            photo="style_photo" if encoder else "",
            reads="read",
            ids=[each["id"] for each in palette],
            background=len(palette) - 1,
            examples=templates(card),
            sends=("gated_gan",),
            own="spade.live",
        )
        if styles and not encoder:
            st.caption(word("spade.play.noEncoder"))
    if "look" in shown:
        with shown["look"]:
            wanted = [
                k
                for k, each in enumerate(Classes(card.get("extras", {}).get("palette") or [{"id": 0}]).listed)
                if each["name"] in SHOWN or (isinstance(each["name"], dict) and each["name"].get("en") in SHOWN)
            ]
            modulation(
                GAN, tag, storage=storage, layers=config["conditioning"] == "spade", baseline=baseline(),
                canvases=[palette[k] for k in wanted or range(min(3, config["labels"]))], examples=templates(card),
                words="spade.look",
            )  # fmt: skip
    if "read" in shown and shown["read"].open:
        with shown["read"]:
            read(GAN, card)
else:
    read(GAN, None)
