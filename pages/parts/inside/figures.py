"""Measured figures as a table: for a checkpoint's card and for trained arms."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.said.words import book, language, said, word
from studio.markdown import plain

NAMES = ("attributes", "styles", "classes")  # sections of a GAN's words that name what a row or a column is about


def figures_table(figures: dict[str, Any], gan: str) -> None:
    """Measured figures, ``{"n", "size", "plain": {"l1": …}, …}``, a row for each; nothing if there are none."""
    rows = {name: row for name, row in figures.items() if isinstance(row, dict)}
    if rows:
        st.markdown(f"**{word('studio.read.figures')}**")
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        cells = {_head(name, gan): [plain(figure(row.get(name), gan)) for row in rows.values()] for name in columns}
        st.table({"": [plain(called(name, gan)) for name in rows]} | cells, border="horizontal")
        st.caption(
            word("studio.read.figuresNote", n=plain(figures.get("n", "?")), size=plain(figures.get("size", "?")))
        )


def called(name: str, gan: str) -> str:
    """What a row or column of a card's figures is called in the visitor's language: by the GAN's ``[figures]``, or
    those of all. ``as {name}`` and ``{name} kid`` there stand for each style or attribute; a name that nobody knows
    stays."""
    if language() == "en":
        return name
    theirs = book(gan)
    known = book("studio")["figures"] | theirs.get("figures", {})
    if name in known:
        return said(known[name])
    own = {key: said(words) for section in NAMES for key, words in theirs.get(section, {}).items()}
    if name in own:
        return own[name]
    (stem, _, last), (first, _, rest) = name.rpartition(" "), name.partition(" ")
    for about, pattern in ((last, f"{stem} {{name}}"), (first, f"{{name}} {rest}")):
        if pattern in known:
            return said(known[pattern]).replace("{name}", own.get(about, about))
    return name


def _head(name: str, gan: str) -> str:
    """Figures that all know by their letters (SSIM), and English ones, stand in capitals."""
    known = called(name, gan)
    return plain(name.upper() if known == name else known)


def figure(value: Any, gan: str = "") -> str:
    """One figure, as it stands in a cell; of several, each with its name."""
    if isinstance(value, dict):
        return ", ".join(f"{called(name, gan) if gan else name} {figure(each)}" for name, each in value.items())
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
