"""Every word that a visitor reads, in English and Korean. The folder ``words`` is the catalogue.

``words/studio.toml`` has what pages share, ``words/<gan>.toml`` what one page says:

    [tabs]
    play = { en = "Play", ko = "그려 보기" }

`word("studio.tabs.play")` says it in the visitor's language; `{name}` in it is filled in by `name=`.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pages.parts.address import language

FOLDER = Path(__file__).parent / "words"


@cache
def book(name: str) -> dict[str, Any]:
    """One file of the catalogue."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def word(key: str, **values: Any) -> str:
    """The text of ``file.section.name`` in the visitor's language."""
    return fill(said(_find(key)), **values)


def table(key: str) -> dict[str, Any]:
    """All texts of ``file.section`` in the visitor's language, as JavaScript wants them: placeholders are left."""

    def read(found: dict[str, Any]) -> dict[str, Any]:
        return {name: said(value) if "en" in value else read(value) for name, value in found.items()}

    return read(_find(key))


def said(words: dict[str, str] | str) -> str:
    """``{"en": …, "ko": …}``, as GANs and cards have it, in the visitor's language."""
    return words if isinstance(words, str) else words.get(language()) or words.get("en", "")


def fill(text: str, **values: Any) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def _find(key: str) -> dict[str, Any]:
    name, *path = key.split(".")
    found: Any = book(name)
    for part in path:
        found = found[part]
    return found
