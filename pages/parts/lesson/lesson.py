"""A lesson: who looks at this page, the link and QR code that hand it out."""

from __future__ import annotations

import streamlit as st

import studio
from pages.parts.said import address, catalogue
from pages.parts.said.mount import component
from pages.parts.said.words import table
from studio.checkpoints import all_tags
from studio.guests import limits, visitors

_lesson = component("lesson/lesson")


def greet_visitor() -> None:
    """Whoever this page is for may do what somebody of their standing may: the teacher may train."""
    context = st.context
    # Streamlit says None for this machine itself; the standing asks for the name in the address, too.
    client = context.ip_address or "127.0.0.1"
    limits.grant(visitors.standing(client, context.headers.to_dict(), context.cookies.to_dict()))


def share(page: str) -> None:
    """A button that hands out what is seen here: as a link, and as a QR code to point phones at.

    Args:
        page: its name in the address; "" = the first one.
    """
    is_gan = page in {each.name for each in catalogue.gans() if each.about}
    tags, asked = studio.tags(page, address.visitor()) if is_gan else [], st.query_params.get("tag")
    chosen = asked if is_gan and asked in all_tags(page) else next(iter(tags), None)
    parts = [
        "menu",
        "title",
        *(["checkpoint"] if len(tags) > 1 else []),
        *(["look", "train", "read"] if chosen else []),
    ]
    _lesson(
        key="lesson",
        data={
            "page": page, "lang": address.language(), "hide": sorted(address.hidden()), "words": table("lesson.share"),
            "tag": chosen,
            "parts": parts,
        },
    )  # fmt: skip
