"""Showing a picture to the class: only where there is one."""

from __future__ import annotations

from typing import Any

from pages.parts.said import address
from pages.parts.said.words import table
from studio.guests import visitors


def pin() -> dict[str, Any] | None:
    """The words of the button and its dialog (`pin.js`); None = there is no class, or the address hides them."""
    return table("lesson.pin") if visitors.classroom() and "pin" not in address.hidden() else None
