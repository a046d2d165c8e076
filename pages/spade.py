"""SPADE: paint where things are, watch the landscape appear."""

from __future__ import annotations

from typing import Any

import streamlit as st

import studio
from pages.parts.arms import arms
from pages.parts.live import live
from pages.parts.modulation import modulation
from pages.parts.page import head, rest, tabs
from pages.parts.words import book, said, word
from studio.labels import palette

GAN = "spade"
SHOWN = ("sky", "grass", "water", "snow")  # labels that the one-label canvases have, as far as a palette has them


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


def baseline() -> str:
    """The checkpoint that gets its labels at the input only; "" = there is none."""
    return next((tag for tag in studio.tags(GAN) if studio.card(GAN, tag)["config"]["conditioning"] == "concat"), "")


card = head(GAN)
shown = tabs(card)
if card:
    config, tag, painted = card["config"], card["tag"], classes(card)
    storage = f"labels-{len(painted)}-{painted[0]['colour'].strip('#')}"  # maps go along to another checkpoint like it
    styles, encoder = config["style"] > 0, config["style"] > 0 and config["encoder"]
    with shown["play"]:
        live(
            GAN,
            tag,
            verb="paint",
            field="labels",
            drawing="labels",
            palette=[{"name": each["name"], "colour": each["colour"]} for each in painted],
            storage=storage,
            pen=3 if len(painted) > 4 else 0,
            brush=17,
            brushes=(3, 5, 9, 17, 33),
            noise=styles,
            still="" if styles else word("spade.play.still"),
            styles=("styles", 6),
            photo="style_photo" if encoder else "",
            reads="read",
            ids=[each["id"] for each in painted],
            background=len(painted) - 1,
            examples=templates(card),
            sends=("gated_gan",),
            own="spade.live",
        )
        if styles and not encoder:
            st.caption(word("spade.play.noEncoder"))
    if "look" in shown:
        with shown["look"]:
            names = {said(book("spade")["classes"][name]) for name in SHOWN}
            canvases = [each for each in painted if each["name"] in names] or painted[: min(3, config["labels"])]
            modulation(
                GAN, tag, storage=storage, layers=config["conditioning"] == "spade", baseline=baseline(),
                canvases=canvases, examples=templates(card),
                words="spade.look",
            )  # fmt: skip
            arms(card)
rest(GAN, card, shown)
