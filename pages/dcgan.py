"""DCGAN: pictures from noise, and what lies between two of them."""

from __future__ import annotations

import streamlit as st

from pages.parts.faces.wall import wall
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio.checkpoints import has_judge

GAN = "dcgan"

card = head(GAN)
shown = tabs(card)
if card:
    with shown["play"]:
        wall(GAN, card["tag"])
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            st.subheader(word("dcgan.look.title"), anchor="verdicts")
            st.markdown(word("dcgan.look.text"))
            if has_judge(card):
                wall(GAN, card["tag"], judge=True, count=24)
            else:
                st.info(word("dcgan.look.noJudge"))
rest(GAN, card, shown)
