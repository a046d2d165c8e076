"""StarGAN: drag a slider, and one generator changes the hair, the smile or the age of a face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.demos.stargan import GAN, called, labels_of, play
from pages.parts.masks import masks
from pages.parts.page import head, tabs
from pages.parts.read import figures_table, read
from pages.parts.sliders import sliders
from pages.parts.train import panel
from pages.parts.words import said, word
from studio.checkpoints import folder


def arms(card: dict[str, Any]) -> None:
    """Joint against single training, right against wrong mask, where the checkpoint was measured so."""
    picture = folder(GAN, card["tag"]) / Path(card["arms"]["file"]).name
    st.subheader(word("stargan.arms.title"), anchor="arms")
    st.markdown(said(card["arms"].get("says", "")))
    if picture.is_file():
        st.image(str(picture))
    figures_table(card["arms"].get("figures") or {})


card = head(GAN)
if card:
    labels, tag = labels_of(card), card["tag"]
    judged, size = "discriminator.safetensors" in card["files"], card["config"]["size"]
    shown = tabs("play", "look", "train", "read")
    with shown["play"]:
        sliders(GAN, tag, **play(card))
        st.caption(word("stargan.play.trained", title=said(card["title"]), size=size))
    if "look" in shown:
        with shown["look"]:
            if not judged:
                st.info(word("stargan.look.noJudge"))
            masks(card, labels, {name: called(name) for name in labels.names})
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
