"""The family: all GANs as a tree by idea, each edge the one sentence that changed."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.parts.family.family import family
from pages.parts.said import address
from pages.parts.said.words import word

if "title" not in address.hidden():
    st.html(
        f"<header class='studio-head'><h1>{escape(word('studio.family.title'))}</h1>"
        f"<p>{escape(word('studio.family.text'))}</p></header>"
    )
family(st.query_params.get("at", ""))
