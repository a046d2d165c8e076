"""Look inside a critic: where its weights lie, and how steep it is between pairs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.said import address, errors
from pages.parts.said.words import word
from studio import serving
from studio.checkpoints import folder
from studio.images import open_picture
from studio.markdown import plain

LINES = 8  # between a real picture and made ones
ZOOM = 3


def critic(card: dict[str, Any]) -> None:
    """The histogram of its weights, and the slopes at random points of lines to a real picture (an example)."""
    gan, tag = card["gan"], card["tag"]
    try:
        found = serving.server().ask(gan, "weights", {}, tag).value
    except (ValueError, RuntimeError) as error:  # Busy and Failed say what to do
        st.warning(plain(errors.said(error)))
        return
    st.subheader(word(f"{gan}.look.weights"), anchor="weights")
    st.markdown(word(f"{gan}.look.weightsText"))
    weight, count = word(f"{gan}.look.weight"), word(f"{gan}.look.count")
    middles = [round((a + b) / 2, 5) for a, b in zip(found.edges, found.edges[1:], strict=False)]
    st.bar_chart({weight: middles, count: found.counts}, x=weight, y=count, height=260)
    st.caption(word(f"{gan}.look.ends", share=f"{100 * found.share:.1f}", largest=f"{found.largest:.3g}"))
    if card.get("examples"):
        _pairs(gan, tag, list(card["examples"]))


@st.fragment
def _pairs(gan: str, tag: str, examples: list[str]) -> None:
    st.subheader(word(f"{gan}.look.pairs"), anchor="pairs")
    st.markdown(word(f"{gan}.look.pairsText"))
    left, right = st.columns([1, 4])
    seed = left.number_input(word(f"{gan}.look.seed"), 1, 999_999, address.number("seed") or 1, key=f"pairs-{gan}")
    name = examples[seed % len(examples)]
    real = open_picture(folder(gan, tag) / name)
    try:
        found = serving.server().ask(gan, "pairs", {"picture": real, "seed": seed, "count": LINES}, tag).value
    except (ValueError, RuntimeError) as error:
        st.warning(plain(errors.said(error)))
        return
    size = (ZOOM * found.picture.width, ZOOM * found.picture.height)
    right.image(found.picture.resize(size, 0), output_format="PNG")
    at, slope = word(f"{gan}.look.at"), word(f"{gan}.look.slope")
    rows = {word(f"{gan}.look.point"): list(range(1, LINES + 1)), at: found.at, slope: found.slopes}
    columns = {title: st.column_config.NumberColumn(format="%.2f") for title in (at, slope)}
    right.dataframe(rows, hide_index=True, height="content", column_config=columns)
