"""Conditional GAN: type, and it is written; the input vector, every label of one noise, and a wrong label for D."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.demos.conditional import GAN, labels_of, play
from pages.parts.said import address, errors
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from pages.parts.write.write import write
from studio import serving
from studio.checkpoints import has_judge
from studio.images import open_picture
from studio.markdown import plain


@st.fragment
def verdicts(card: dict[str, Any]) -> None:
    """One picture, and what D says of it for each label that it is told."""
    labels, tag, ask = labels_of(card), card["tag"], serving.server().ask
    left, right = st.columns([2, 3], gap="large")
    with left:
        asked = st.selectbox(word("conditional.look.which"), labels, min(3, len(labels) - 1), key=f"which-{tag}")
        seed = st.number_input(word("conditional.look.seed"), 0, 999_999_999, address.number("seed") or 1, key="seed")
        own = st.file_uploader(word("conditional.look.upload"), ["png", "jpg", "jpeg", "webp"], key="own")
    try:
        picture = open_picture(own.getvalue()) if own else ask(GAN, "sample", {"seed": seed, "label": asked}, tag).value
        found = ask(GAN, "verdicts", {"picture": picture}, tag).value.real
    except (ValueError, RuntimeError) as error:  # Busy and Failed say what to do
        st.warning(plain(errors.said(error)))
        return
    with left:
        caption = word("conditional.look.yours") if own else word("conditional.look.asked", label=plain(asked))
        st.image(picture.resize((192, 192), 0), caption, output_format="PNG")
    with right:
        told, belief = word("conditional.look.told"), word("conditional.look.belief")
        rows = {told: list(found), belief: [100 * value for value in found.values()]}
        bar = st.column_config.ProgressColumn(belief, format="%.1f%%", min_value=0, max_value=100)
        st.dataframe(rows, hide_index=True, height="content", column_config={belief: bar})


card = head(GAN)
shown = tabs(card)
if card:
    with shown["play"]:
        write(GAN, card["tag"], **play(card))
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            st.subheader(word("conditional.look.title"), anchor="wrong-label")
            st.markdown(word("conditional.look.text"))
            if has_judge(card):
                verdicts(card)
            else:
                st.info(word("conditional.look.noJudge"))
rest(GAN, card, shown)
