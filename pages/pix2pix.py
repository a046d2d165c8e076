"""Pix2Pix: draw a sketch, watch it become a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.demos.pix2pix import GAN, asks, play
from pages.parts.live import live
from pages.parts.look import look
from pages.parts.page import head, tabs
from pages.parts.read import figures_table, read
from pages.parts.train import panel
from pages.parts.words import said, word
from studio.checkpoints import folder


def arms(card: dict[str, Any]) -> None:
    """The paper's three arms side by side, where the checkpoint has them."""
    picture = folder(GAN, card["tag"]) / Path(card["arms"]["file"]).name
    if picture.is_file():
        st.subheader(word("pix2pix.arms.title"), anchor="arms")
        st.markdown(word("pix2pix.arms.text"))
        st.image(str(picture))
        st.markdown(said(card["arms"].get("says", "")))
        figures_table(card["arms"].get("figures") or {})


card = head(GAN)
if card:
    tag = card["tag"]
    shown = tabs("play", "look", "train", "read")
    with shown["play"]:
        live(GAN, tag, **play(card))
    if "look" in shown:
        with shown["look"]:
            judge = "discriminator.safetensors" in card["files"]
            if not judge:
                st.info(word("pix2pix.look.noJudge"))
            look(GAN, tag, judge=judge, other="averages", words="pix2pix.look", **asks(card))
            if card.get("arms"):
                arms(card)
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
