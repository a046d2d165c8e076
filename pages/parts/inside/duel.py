"""A duel that a checkpoint came with (studio.training.duel): two arms side by side, second by second."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.said.words import word
from studio.checkpoints import folder
from studio.images import open_picture

ARMS = ("plain", "own")
ZOOM = 3  # screen pixels of a sheet's pixel, at most


def duel(card: dict[str, Any]) -> None:
    """The card's ``duel``, or how one is made."""
    gan, found = card["gan"], card.get("duel")
    st.subheader(word(f"{gan}.duel.title"), anchor="duel")
    if not found or not (picture := folder(gan, card["tag"]) / "duel.webp").is_file():
        st.info(word(f"{gan}.duel.none"))
        return
    st.markdown(word(f"{gan}.duel.text"))
    _arms(gan, found, open_picture(picture))


@st.fragment
def _arms(gan: str, found: dict[str, Any], sheets: Any) -> None:
    seconds = found["seconds"]
    at = st.select_slider(word(f"{gan}.duel.seconds"), seconds, seconds[-1], key=f"duel-{gan}")
    row = seconds.index(at)
    wide, high = sheets.width // len(ARMS), sheets.height // len(seconds)
    for k, (arm, column) in enumerate(zip(ARMS, st.columns(len(ARMS), gap="large"), strict=True)):
        told = found["arms"][arm]
        with column:
            st.markdown(f"**{word(f'{gan}.duel.{arm}')}**")
            cut = sheets.crop((k * wide, row * high, (k + 1) * wide, (row + 1) * high))
            st.image(cut.resize((ZOOM * wide, ZOOM * high), 0), output_format="PNG")
            seen = told["seen"][row]
            if "classes" in seen:
                most = round(100 * seen["most"])
                st.markdown(
                    word(f"{gan}.duel.found", classes=seen["classes"], all=10, most=most, steps=f"{seen['step']:,}")
                )
            _curve(gan, arm, [point for point in told["curve"] if point["second"] <= at + 1])
    st.caption(word(f"{gan}.duel.classes"))


def _curve(gan: str, arm: str, points: list[dict[str, float]]) -> None:
    """The plain GAN's losses; of the other arm the critic's estimate, the distance of its means."""
    second = word(f"{gan}.duel.second")
    if arm == "plain":
        lines = {word(f"{gan}.duel.{name}"): [p.get(name) for p in points] for name in ("judge", "fool")}
        st.caption(word(f"{gan}.duel.lossPlain"))
    else:
        lines = {word(f"{gan}.duel.estimate"): [-p["critic"] for p in points]}
        st.caption(word(f"{gan}.duel.lossOwn"))
    st.line_chart({second: [p["second"] for p in points]} | lines, x=second, y=list(lines), height=220)


def values(card: dict[str, Any]) -> None:
    """What the critic says of real and of made pictures at the end of the duel, as two heaps."""
    gan, found = card["gan"], card.get("duel")
    if not found:
        return
    st.subheader(word(f"{gan}.look.values"), anchor="values")
    st.markdown(word(f"{gan}.look.valuesText"))
    last = found["arms"]["own"]["seen"][-1]
    real, made = sorted(last["real"]), sorted(last["made"])
    low, high = min(real[0], made[0]), max(real[-1], made[-1])
    step = (high - low) / 20 or 1.0
    rows = {word(f"{gan}.look.value"): [round(low + (k + 0.5) * step, 2) for k in range(20)]}
    for name, heap in (("real", real), ("made", made)):
        counts = [0] * 20
        for value in heap:
            counts[min(19, int((value - low) / step))] += 1
        rows[word(f"{gan}.look.{name}")] = counts
    value = word(f"{gan}.look.value")
    st.bar_chart(rows, x=value, y=[name for name in rows if name != value], stack=False, height=260)
