"""Made pictures, each beside the real one that is nearest to it."""

from __future__ import annotations

import streamlit as st

from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.words import table
from studio.data import real

_twins = component("plane/twins")


def twins(gan: str, tag: str, among: str, words: str, count: int = 24) -> None:
    """Mounts it. The GAN has the verb ``nearest(seed, count, among)``.

    Args:
        among: the built-in set that it learnt from.
        words: the section of the catalogue with what it says.
    """

    def remember() -> None:
        address.put("seed", st.session_state[key].get("seed"))

    key, told = f"twins-{gan}", real.about(among)
    _twins(
        key=key,
        data={
            "gan": gan, "tag": tag, "page": gan, "among": among, "count": count, "seed": address.number("seed"),
            "total": len(told["classes"]) * told["each"], "lang": address.language(), "words": table(words),
        },
        on_seed_change=remember,
    )  # fmt: skip
