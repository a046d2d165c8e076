"""Which checkpoint: a choice that lives in the address (``?tag=…``)."""

from __future__ import annotations

from typing import Any

import streamlit as st

import studio
from pages.parts.said import address
from pages.parts.said.words import said, word
from studio.checkpoints import all_tags
from studio.markdown import plain


def picker(gan: str, place: Any = st) -> dict[str, Any] | None:
    """The card of the chosen checkpoint; None (and a sentence on the page) if the GAN has none yet.

    With one checkpoint there is nothing to choose, so nothing is shown. The choice goes into ``place``.
    """
    tags, asked = studio.tags(gan, address.visitor()), st.query_params.get("tag")
    if asked not in tags and asked in all_tags(gan):
        tags.append(asked)  # somebody else's, who gave the link away
    if not tags:
        st.info(word("studio.picker.none", gan=gan), icon=":material/inventory_2:")
        return None
    asked = asked or tags[0]
    cards = {tag: studio.card(gan, tag) for tag in tags}
    if asked not in cards:
        st.warning(word("studio.picker.unknown", tag=plain(asked[:40]), shown=plain(title(cards[tags[0]]))))
        asked = tags[0]
    if len(tags) > 1 and "checkpoint" not in address.hidden():
        st.session_state["tag"] = asked
        place.selectbox(
            word("studio.picker.label"),
            tags,
            format_func=lambda tag: title(cards[tag]),
            key="tag",
            on_change=lambda: address.put("tag", st.session_state["tag"]),
            label_visibility="collapsed",
            width=250,
        )
    return cards[asked]


def title(card: dict[str, Any]) -> str:
    """A checkpoint's name for people."""
    return said(card.get("title") or card["tag"])
