"""What goes wrong, in the visitor's language. The backend says it in English; ``words/errors.toml`` knows the rest.

A sentence is found again by its English template: ``{0}``, ``{1}`` … stand for what was filled in, which is said in
the visitor's language too where it is a sentence of the catalogue itself. What is not there stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pages.parts.words import book

HOLE = re.compile(r"\{(\d)\}")


def told(sentence: object, language: str) -> str:
    """A sentence of the backend, or the error that brings it, in a language of the catalogue."""
    text = str(sentence)
    if language == "en" or len(text) > 4000:
        return text
    for pattern, words in _templates():
        if (found := pattern.fullmatch(text)) and language in words:
            return HOLE.sub(lambda hole: told(found.group(int(hole[1]) + 1), language), words[language])
    return text


@cache
def _templates() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """The most outspoken first: "size = {0}: from {1} to 1024 pixels" before "{0} = {1}: from {2} to {3}"."""
    listed = sorted(_sentences(), key=lambda words: -len(HOLE.sub("", words["en"])))
    return [(re.compile(_pattern(words["en"]), re.DOTALL), words) for words in listed]


def _pattern(english: str) -> str:
    parts = HOLE.split(english)  # text, number, text, number … text
    return "".join(re.escape(part) if k % 2 == 0 else "(.+?)" for k, part in enumerate(parts))


def _sentences() -> Iterator[dict[str, str]]:
    for section in book("errors").values():
        yield from section.values()
