"""StarGAN: drag a slider, and one generator changes the hair, the smile or the age of a face."""

from __future__ import annotations

import streamlit as st

from pages.parts.demos.stargan import GAN, called, labels_of, play
from pages.parts.inside.arms import arms
from pages.parts.inside.masks import masks
from pages.parts.said.words import said, word
from pages.parts.shell.page import head, rest, tabs
from pages.parts.sliders.sliders import sliders
from studio.checkpoints import has_judge
from studio.markdown import plain

card = head(GAN)
shown = tabs(card)
if card:
    labels, tag = labels_of(card), card["tag"]
    judged, size = has_judge(card), card["config"]["size"]
    with shown["play"]:
        sliders(GAN, tag, **play(card))
        st.caption(word("stargan.play.trained", title=plain(said(card["title"])), size=size))
    if "look" in shown:
        with shown["look"]:
            if not judged:
                st.info(word("stargan.look.noJudge"))
            masks(card, labels, {name: called(name) for name in labels.names})
            arms(card)
rest(GAN, card, shown)
