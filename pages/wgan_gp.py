"""WGAN-GP: a duel with the plain GAN, its wall, and how steep the critic is."""

from __future__ import annotations

import streamlit as st

from pages.parts.faces.wall import wall
from pages.parts.inside.critic import critic
from pages.parts.inside.duel import duel, values
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio.checkpoints import has_judge

GAN = "wgan_gp"

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
                st.info(word("wgan_gp.look.noCritic"))
            values(card)
rest(GAN, card, shown)
