"""What the page of every GAN begins with: its name and idea, and the tabs."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

import studio
from pages.parts.room.panel import panel
from pages.parts.said import address
from pages.parts.said.words import said, word
from pages.parts.shell.picker import picker
from pages.parts.shell.read import read


def head(gan: str) -> dict[str, Any] | None:
    """Title, year and the one idea, and the choice of a checkpoint beside them.

    Returns:
        The chosen checkpoint's card; None = the GAN has none yet, and a sentence on the page says so.
    """
    about = studio.gan(gan).about
    top = st.container(horizontal=True, key="top")
    if "title" not in address.hidden():
        top.html(
            f"<header class='studio-head'><h1>{escape(about.title)} <small>{about.year}</small></h1>"
            f"<p>{escape(said(about.idea))}</p></header>"
        )
    return picker(gan, top)


def tabs(card: dict[str, Any] | None) -> dict[str, Any]:
    """Tabs that the address knows (``?tab=look``), in any language; ``?hide=`` takes all but the first away. Without a
    checkpoint there is nothing to play with: Train and Read are left."""
    names = ("play", "look", "train", "read") if card else ("train", "read")
    shown = [name for name in names if name == names[0] or name not in address.hidden()]
    labels = {name: word(f"studio.tabs.{name}") for name in shown}

    def remember() -> None:
        chosen = next((name for name, label in labels.items() if label == st.session_state[key]), names[0])
        address.put("tab", None if chosen == names[0] else chosen)

    key, asked = f"tabs-{address.language()}", st.query_params.get("tab")
    st.session_state[key] = labels.get(asked, labels[names[0]])
    return dict(zip(shown, st.tabs(list(labels.values()), key=key, on_change=remember), strict=True))


def rest(gan: str, card: dict[str, Any] | None, shown: dict[str, Any]) -> None:
    """The tabs that are alike on every page: Train and Read."""
    if "train" in shown and (shown["train"].open or not card):
        with shown["train"]:
            panel(gan)
    if "read" in shown and shown["read"].open:
        with shown["read"]:
            read(gan, card)
