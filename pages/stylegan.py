"""StyleGAN: faces of nobody, mixed, walked through, bred, found again; and how a new size is faded in."""

from __future__ import annotations

import streamlit as st

from pages.parts.demos.stylegan import GAN, play
from pages.parts.faces.faces import LOOK, entanglement, faces
from pages.parts.inside.arms import arms
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs

card = head(GAN)
shown = tabs(card)
if card:
    with shown["play"]:
        faces(GAN, card["tag"], **play(card))
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            entanglement(GAN, card["tag"])
            st.subheader(word("stylegan.look.title"), anchor="droplets")
            st.markdown(word("stylegan.look.text"))
            grew = ("fade",) if card["config"]["start"] < card["config"]["size"] else ()
            faces(GAN, card["tag"], card["config"], (*LOOK, *grew), beside=("stylegan2", 1), count=12, remembers=False)
            arms(card)
rest(GAN, card, shown)
