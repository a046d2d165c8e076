"""StyleGAN2: faces of nobody, mixed, walked through, bred, found again."""

from __future__ import annotations

import streamlit as st

from pages.parts.demos.stylegan2 import GAN, play
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
            st.subheader(word("stylegan2.look.title"), anchor="droplets")
            st.markdown(word("stylegan2.look.text"))
            faces(GAN, card["tag"], card["config"], LOOK, silent=1, beside=("stylegan", 0), count=12, remembers=False)
            arms(card)
rest(GAN, card, shown)
