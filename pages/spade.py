"""SPADE: paint where things are, watch the landscape appear."""

from __future__ import annotations

import streamlit as st

import studio
from pages.parts.demos.spade import GAN, begin, classes, play, storage, templates
from pages.parts.inside.arms import arms
from pages.parts.inside.modulation import modulation
from pages.parts.live.live import live
from pages.parts.said.words import book, said, word
from pages.parts.shell.page import head, rest, tabs

SHOWN = ("sky", "grass", "water", "snow")  # labels that the one-label canvases have, as far as a palette has them


def baseline() -> str:
    """The checkpoint that gets its labels at the input only; "" = there is none."""
    return next((tag for tag in studio.tags(GAN) if studio.card(GAN, tag)["config"]["conditioning"] == "concat"), "")


card = head(GAN)
shown = tabs(card)
if card:
    config, tag, painted = card["config"], card["tag"], classes(card)
    styles, encoder = config["style"] > 0, config["style"] > 0 and config["encoder"]
    with shown["play"]:
        live(GAN, tag, **play(card))
        if styles and not encoder:
            st.caption(word("spade.play.noEncoder"))
    if "look" in shown:
        with shown["look"]:
            names = {said(book("spade")["classes"][name]) for name in SHOWN}
            canvases = [each for each in painted if each["name"] in names] or painted[: min(3, config["labels"])]
            modulation(
                GAN, tag, storage=storage(painted), layers=config["conditioning"] == "spade", baseline=baseline(),
                canvases=canvases, examples=templates(card),
                seed=begin(card), words="spade.look",
            )  # fmt: skip
            arms(card)
rest(GAN, card, shown)
