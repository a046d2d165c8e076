"""The first GAN: its game in the plane, live; digits beside their nearest real ones; what each of the two wants."""

from __future__ import annotations

import streamlit as st

from pages.parts.demos.vanilla import GAN, ROOMS, among, play
from pages.parts.faces.wall import wall
from pages.parts.plane.curves import curves
from pages.parts.plane.plane import plane
from pages.parts.plane.twins import twins
from pages.parts.said import address
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio.checkpoints import has_judge


def choose() -> None:
    address.put("show", None if st.session_state["room"] == ROOMS[0] else st.session_state["room"])


card = head(GAN)
if not card:  # the game needs no checkpoint
    plane(GAN, **play())
shown = tabs(card)
if card:
    with shown["play"]:
        asked = st.query_params.get("show", ROOMS[0])
        st.session_state["room"] = asked if asked in ROOMS else ROOMS[0]
        room = st.segmented_control(
            word("vanilla.play.label"),
            ROOMS,
            format_func=lambda name: word(f"vanilla.play.{name}"),
            key="room",
            required=True,
            label_visibility="collapsed",
            on_change=choose,
        )
        if room == "plane":
            plane(GAN, card["tag"], **play(card))
        else:
            if source := among(card):
                twins(GAN, card["tag"], source, "vanilla.twins")
            else:
                st.info(word("vanilla.twins.none"))
            st.subheader(word("vanilla.play.walkTitle"), anchor="walk")
            wall(GAN, card["tag"])
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            curves(GAN, "vanilla.curves")
            st.subheader(word("vanilla.look.title"), anchor="verdicts")
            if has_judge(card):
                st.markdown(word("vanilla.look.text"))
                wall(GAN, card["tag"], judge=True, count=24)
            else:
                st.info(word("vanilla.look.noJudge"))
rest(GAN, card, shown)
