"""Arms: the same net trained several times on one short, equal budget, to show what one part of it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages.parts.inside.figures import figures_table
from pages.parts.said.words import book, said, word
from studio.checkpoints import folder
from studio.markdown import plain


def arms(card: dict[str, Any]) -> None:
    """The card's ``arms``: ``{"file": a sheet of pictures, "says": {"en", "ko"}, "figures": {arm: {…}}}``, under the
    title (and the text, if there is one) of the page's words; nothing if the card has none."""
    found, gan = card.get("arms"), card["gan"]
    if not found:
        return
    st.subheader(word(f"{gan}.arms.title"), anchor="arms")
    if "text" in book(gan)["arms"]:
        st.markdown(word(f"{gan}.arms.text"))
    picture = folder(gan, card["tag"]) / Path(found.get("file", "")).name
    if picture.is_file():
        st.image(str(picture))
    st.markdown(plain(said(found.get("says", ""))))
    figures_table(found.get("figures") or {}, gan)
