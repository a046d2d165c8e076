"""Measured figures as a table: for a checkpoint's card and for trained arms."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.said.words import word
from studio.markdown import plain


def figures_table(figures: dict[str, Any]) -> None:
    """Measured figures, ``{"n", "size", "plain": {"l1": …}, …}``, a row for each; nothing if there are none."""
    rows = {name: row for name, row in figures.items() if isinstance(row, dict)}
    if rows:
        st.markdown(f"**{word('studio.read.figures')}**")
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        cells = {plain(name.upper()): [plain(figure(row.get(name))) for row in rows.values()] for name in columns}
        st.table({"": [plain(name) for name in rows]} | cells, border="horizontal")
        st.caption(
            word("studio.read.figuresNote", n=plain(figures.get("n", "?")), size=plain(figures.get("size", "?")))
        )


def figure(value: Any) -> str:
    """One figure, as it stands in a cell."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
