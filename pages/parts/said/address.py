"""What the address says: ``?lang=ko&tag=edges2shoes&seed=7&tab=look&hide=menu,upload``.

All that defines what a visitor sees is in the address, so a teacher can hand out a link. Streamlit forgets the
address's parameters on the way to another page; links between pages are therefore made with `carried`.
"""

from __future__ import annotations

import streamlit as st

from pages.parts.said import words
from pages.parts.said.words import LANGUAGES as LANGUAGES
from studio.guests import owners

CARRIED = ("lang", "hide")  # these go along to the next page


def language() -> str:
    """``?lang=`` of the address; without one, what the browser speaks."""
    return words.understood(st.query_params.get("lang", ""), st.context.locale or "")


words.ask(language)


def hidden() -> set[str]:
    """What ``?hide=`` takes away; the section ``share.parts`` of book/lesson.toml lists it all."""
    return {part.strip() for part in st.query_params.get("hide", "").split(",") if part.strip()}


def carried() -> dict[str, str]:
    """The parameters that a link to another page takes along."""
    return {name: st.query_params[name] for name in CARRIED if name in st.query_params}


def visitor() -> str | None:
    """The cookie of this browser; None = it has none (`studio.guests.owners`)."""
    return st.context.cookies.get(owners.COOKIE)


def put(name: str, value: str | int | None) -> None:
    """Writes a parameter into the address, or takes it out (None)."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)


def number(name: str) -> int | None:
    """A whole number from the address; None if there is none, or nonsense."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
