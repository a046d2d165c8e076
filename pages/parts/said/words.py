"""Every word that a visitor reads, in English and Korean. The folder ``book`` is the catalogue.

``book/studio.toml`` has what pages share, ``words.toml`` in a GAN's folder what that GAN and its page say:

    [tabs]
    play = { en = "Play", ko = "그려 보기" }

`word("studio.tabs.play")` says it in the visitor's language; `{name}` in it is filled in by `name=`.

No front end is known here. Whoever serves a visitor says which language is spoken: for a while (`speaking`), or, where
each thread has its own visitor, by a function that finds it out (`ask`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from studio import registry

FOLDER = Path(__file__).parent / "book"
LANGUAGES = {"en": "English", "ko": "한국어"}

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)
_asked: list[Callable[[], str]] = []


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Inside, that language is spoken, in this thread or task only."""
    before = _spoken.set(chosen)
    try:
        yield
    finally:
        _spoken.reset(before)


def ask(function: Callable[[], str]) -> None:
    """From now on this function is asked for the visitor's language, wherever `speaking` has not said it."""
    _asked[:] = [function]


def language() -> str:
    """What the visitor speaks; English if nobody can tell."""
    return _spoken.get() or (_asked[0]() if _asked else "en")


def understood(asked: str, spoken: str = "") -> str:
    """The language that an address asks for (``?lang=``); else the first of what a browser speaks
    (``ko-KR,ko;q=0.9``); else English."""
    if asked in LANGUAGES:
        return asked
    first = spoken.strip().lower()[:2]
    return first if first in LANGUAGES else "en"


@cache
def book(name: str) -> dict[str, Any]:
    """One file of the catalogue, or the words of a GAN."""
    path = FOLDER / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else registry.words(name)


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
