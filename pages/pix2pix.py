"""Pix2Pix: draw a sketch, watch it become a picture."""

from __future__ import annotations

import streamlit as st

from pages.parts.demos.pix2pix import GAN, asks, play
from pages.parts.inside.arms import arms
from pages.parts.inside.look import look
from pages.parts.live.live import live
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio.checkpoints import has_judge

card = head(GAN)
shown = tabs(card)
if card:
    tag = card["tag"]
    with shown["play"]:
        live(GAN, tag, **play(card))
    if "look" in shown:
        with shown["look"]:
            judge = has_judge(card)
            if not judge:
                st.info(word("pix2pix.look.noJudge"))
            look(GAN, tag, judge=judge, other="averages", words="pix2pix.look", **asks(card))
            arms(card)
rest(GAN, card, shown)
