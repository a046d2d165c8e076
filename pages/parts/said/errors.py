"""What goes wrong, in the language of whoever is served; the words are the backend's own (`studio.refused`)."""

from __future__ import annotations

from pages.parts.said.words import language
from studio.refused import told


def said(error: object) -> str:
    """An error of the backend, or a phrase of it, in the visitor's language."""
    return told(error, language())
