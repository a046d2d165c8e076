"""Pix2Pix: draw a sketch, watch it become a picture."""

from __future__ import annotations

import streamlit as st

from pages.parts.arms import arms
from pages.parts.demos.pix2pix import GAN, asks, play
from pages.parts.live import live
from pages.parts.look import look
from pages.parts.page import head, rest, tabs
from pages.parts.words import word

card = head(GAN)
shown = tabs(card)
if card:
    tag = card["tag"]
    with shown["play"]:
        live(GAN, tag, **play(card))
    if "look" in shown:
        with shown["look"]:
            judge = "discriminator.safetensors" in card["files"]
            if not judge:
                st.info(word("pix2pix.look.noJudge"))
            look(GAN, tag, judge=judge, other="averages", words="pix2pix.look", **asks(card))
            arms(card)
rest(GAN, card, shown)
