"""WGAN: a duel with the plain GAN, its wall, and where the clipped weights lie."""

from __future__ import annotations

import streamlit as st

from pages.parts.faces.wall import wall
from pages.parts.inside.critic import critic
from pages.parts.inside.duel import duel, values
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio.checkpoints import has_judge

GAN = "wgan"

card = head(GAN)
shown = tabs(card)
if card:
    with shown["play"]:
        duel(card)
        wall(GAN, card["tag"])
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            if has_judge(card):
                critic(card)
            else:
                st.info(word("wgan.look.noCritic"))
            values(card)
rest(GAN, card, shown)
