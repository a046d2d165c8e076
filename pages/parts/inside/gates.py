"""Look inside a Gated-GAN: the auto-encoder, what each gate does to the code, what a style costs, and its texture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

import studio
from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.words import table, word
from studio.markdown import plain

_gates = component("inside/gates")
CYCLE = 11_378_179  # parameters of a CycleGAN generator with nine residual blocks (arXiv 1703.10593)


def gates(card: Mapping[str, Any], names: Mapping[str, str], textures: Sequence[Mapping[str, str]]) -> None:
    """Mounts it; the picture is the one that `sliders` holds on the Play tab.

    Args:
        names: gate -> its name for people; the identity first.
        textures: squares of real paintings, ``{"file": "/api/…", "style": …}``.
    """
    gan, kind = card["gan"], studio.gan(card["gan"])
    config = kind.configured(card["config"])
    base, each = kind.parameters_of(config)
    paper_base, paper_each = kind.parameters_of(kind.Config())
    distances(card, names)
    _gates(
        key=f"gates-{gan}",
        data={
            "gan": gan, "tag": card["tag"], "page": gan, "desk": f"{gan}/sliders", "names": dict(names),
            "textures": list(textures), "words": table("gated_gan.look"), "hide": sorted(address.hidden()),
            "counts": {
                "width": config.width, "styles": config.styles, "base": base, "each": each,
                "paperBase": paper_base, "paperEach": paper_each, "cycle": CYCLE,
            },
        },
    )  # fmt: skip


def distances(card: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """The card's table: what each gate makes of the test photos against each collection."""
    figures = card.get("figures") or {}
    rows = {name: row for name, row in figures.items() if isinstance(row, dict) and row}
    styles = [name for name in names if name != "identity" and any(name in row for row in rows.values())]
    if not styles:
        return
    st.subheader(word("gated_gan.look.tableTitle"), anchor="distances")
    st.markdown(word("gated_gan.look.tableText", n=plain(figures.get("n", "?")), size=plain(figures.get("size", "?"))))
    cells: dict[str, list[str]] = {"": [plain(_row(name, names)) for name in rows]}
    for style in styles:
        cells[plain(names[style])] = [
            f"**{row[style]:.0f}**" if row[style] == min(row[s] for s in styles) else f"{row[style]:.0f}"
            for row in rows.values()
        ]
    cells[word("gated_gan.look.edges")] = [f"{row['edges']:.2f}" if "edges" in row else "" for row in rows.values()]
    st.table(cells, border="horizontal")


def _row(row: str, names: Mapping[str, str]) -> str:
    """A row of the card, "as monet", "real monet" or "photo", as the visitor says it."""
    kind, _, style = row.partition(" ")
    key = {"as": "rowAs", "real": "rowReal", "photo": "rowPhoto"}.get(kind)
    return word(f"gated_gan.look.{key}", name=names.get(style, style)) if key else row
