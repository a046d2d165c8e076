"""A wall of pictures by seed, and a walk from seed to seed: for GANs that draw from noise."""

from __future__ import annotations

import streamlit as st

from pages.parts.lesson.pin import pin
from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.words import table

MOST = 5  # seeds of one walk
_wall = component("faces/wall")


def wall(gan: str, tag: str, *, judge: bool = False, count: int = 48, frames: int = 48) -> None:
    """Mounts it. The GAN has the verbs ``sample(seed)`` and ``walk(seeds, steps)``.

    Args:
        judge: instead of the walk, what the discriminator believes of each picture (verb ``judge(picture)``).
        count: pictures on the wall.
        frames: pictures of a walk, about.
    """

    def remember() -> None:
        state = st.session_state[key]
        address.put("seed", state.get("seed"))
        address.put("walk", state.get("seeds") or None)

    key = f"wall-{gan}-{judge}"
    _wall(
        key=key,
        data={
            "gan": gan, "tag": tag, "page": gan, "judge": judge, "count": count, "frames": frames, "most": MOST,
            "seed": address.number("seed"), "seeds": _seeds(), "lang": address.language(),
            "words": table("studio.wall"), "pin": pin(), "hide": sorted(address.hidden()),
        },
        on_seed_change=remember,
        on_seeds_change=remember,
    )  # fmt: skip


def _seeds() -> list[int]:
    """``?walk=3,17``: the seeds of the walk; nonsense is left out."""
    parts = st.query_params.get("walk", "").split(",")
    return [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10][:MOST]
