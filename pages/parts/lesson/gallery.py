"""The class's wall as a component (`gallery.js`): it asks the studio's HTTP routes itself, Streamlit says the words."""

from __future__ import annotations

from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.words import table

_gallery = component("lesson/gallery")


def gallery() -> None:
    """Mounts the wall; to the teacher, what waits to be looked at as well."""
    _gallery(
        key="gallery",
        data={
            "page": "gallery", "words": table("lesson.wall"), "lang": address.language(),
            "hide": sorted(address.hidden()),
        },
    )  # fmt: skip
