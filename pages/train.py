"""The training room: choose a GAN, train it, and see every run of this studio."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.parts.room.panel import panel, run_in_address
from pages.parts.said import address, catalogue
from pages.parts.said.words import word

there = {each.name: each for each in catalogue.gans() if each.about}
run = run_in_address()
asked = run.card["gan"] if run else st.query_params.get("gan", catalogue.FIRST)
gan = asked if asked in there else next(iter(there))

if not run and "title" not in address.hidden():
    st.html(
        f"<header class='studio-head'><h1>{escape(word('train.page.title'))}</h1>"
        f"<p>{escape(word('train.page.text'))}</p></header>"
    )


def choose() -> None:
    """Which GAN a new training is of."""
    st.session_state["which"] = gan
    st.selectbox(
        word("train.page.gan"),
        list(there),
        format_func={name: each.about.title for name, each in there.items()}.get,
        key="which",
        on_change=lambda: address.put("gan", st.session_state["which"]),
        width=360,
    )


panel(gan, choose)
