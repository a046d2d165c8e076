"""What a visitor is refused, said by a code with values, and worded in both languages from one place.

    raise Refused("pictures.large", width=9000, height=9000, most=40)

The code is a section and a name of ``refused.toml``, beside this file; a GAN's own sentences are in its folder, under
``[errors]`` of its ``words.toml``, and their codes begin with its name (``stargan.sets``). There a sentence is
``{"en", "ko"}``, with the values in braces, formatted as Python does: ``{width:,}``, ``{name!r}``. A value may also be

- a list: its parts with commas between them (``{wrong:;}``: semicolons), or "none";
- ``{"en", "ko"}``, a `Phrase` or another error: said in the same language. ``{why:clause}`` leaves its full stop out.

`str` of an error is its English sentence; whoever serves a visitor asks for another by `told`.
"""

from __future__ import annotations

import os
import string
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

LANGUAGES = ("en", "ko")
BOOK = Path(__file__).with_suffix(".toml")
GANS = Path(__file__).parent / "gans"
KEPT = {"en": "{words}", "ko": "{words}"}  # what was said in all languages once
NOTHING = {"en": "none", "ko": "없음"}
LONGEST = 300  # letters of a clause: an error of somebody else's may be a page


class Told(Exception):
    """An error that says what is wrong, and what to do, in the visitor's language.

    Args:
        code: of its sentence. What is no code is a sentence itself, and is English: so says it who has only that.
        values: what is filled in.
    """

    status: ClassVar[int] = 500  # of an HTTP answer

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def __str__(self) -> str:
        return self.said("en")

    def said(self, language: str) -> str:
        return worded(self.code, self.values, language)

    @property
    def headers(self) -> dict[str, str]:
        """What an HTTP answer says besides."""
        return {}


class Refused(Told, ValueError):
    """What was asked for can't be: the visitor can mend it."""

    status = 400


class Missing(Refused):
    """There is nothing of that name (any more)."""

    status = 404


class Forbidden(Refused):
    """This visitor may not."""

    status = 403


class Unable(Told, RuntimeError):
    """It was asked for rightly, and can't be had now, or not here."""


class Later(Unable):
    """Not now. ``retry_after``: whole seconds until it is worth asking again."""

    status = 503

    def __init__(self, code: str, retry_after: int = 1, **values: Any) -> None:
        super().__init__(code, **values)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)}


class Phrase(str):
    """A part of a sentence, or one that is no error; as a text it is English.

    Args: as `Told`.
    """

    code: str
    values: dict[str, Any]

    def __new__(cls, code: str, **values: Any) -> Phrase:
        made = super().__new__(cls, worded(code, values, "en"))
        made.code, made.values = code, values
        return made

    @classmethod
    def kept(cls, words: Mapping[str, str]) -> Phrase:
        """What `words` wrote down."""
        return cls("{words}", words=dict(words))

    def said(self, language: str) -> str:
        return worded(self.code, self.values, language)


def told(sentence: object, language: str) -> str:
    """An error or a phrase in a language; a text, or somebody else's error, as it is."""
    return sentence.said(language) if isinstance(sentence, (Told, Phrase)) else str(sentence)


def phrase(error: BaseException) -> str:
    """What an error says, to be kept without it."""
    return Phrase(error.code, **error.values) if isinstance(error, Told) else str(error)


def refusal(phrase: str) -> Refused:
    """The other way round: an error that says it."""
    return Refused(phrase.code, **phrase.values) if isinstance(phrase, Phrase) else Refused(phrase)


def spoken() -> str:
    """The language of whoever types in the shell, as the system was told it (``LC_ALL``, ``LC_MESSAGES``, ``LANG``)."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return said[:2].lower() if said[:2].lower() in LANGUAGES else "en"


def words(sentence: object) -> dict[str, str]:
    """The same in all languages, to be written down for whoever reads it later."""
    return {language: told(sentence, language) for language in LANGUAGES}


def worded(code: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence of a code, filled in."""
    found = KEPT if code == KEPT["en"] else sentence(code)
    if found is None:
        return code
    return _Filled(language).vformat(found.get(language) or found["en"], (), values)


def sentence(code: str) -> dict[str, str] | None:
    """``{"en", "ko"}`` as the catalogue has it; None = it knows no such code."""
    section, _, name = code.partition(".")
    if not name.isalnum():
        return None
    return book().get(section, {}).get(name) or _of_gan(section).get(name)


@cache
def book() -> dict[str, dict[str, dict[str, str]]]:
    """The catalogue: section -> name -> ``{"en", "ko"}``."""
    return tomllib.loads(BOOK.read_text(encoding="utf-8"))


@cache
def _of_gan(name: str) -> dict[str, dict[str, str]]:
    path = GANS / name / "words.toml"
    if not name.isidentifier() or not path.is_file():
        return {}
    return tomllib.loads(path.read_text(encoding="utf-8")).get("errors", {})


class _Filled(string.Formatter):
    """Python's own formatting, of values that are said in a language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return super().convert_field(self._said(value), conversion)

    def format_field(self, value: Any, spec: str) -> str:
        if type(value) in (list, tuple, set, frozenset) or isinstance(value, Mapping):  # of a table: its names
            listed = [str(self._said(each)) for each in value]
            return (f"{spec or ','} ".join(listed)) or NOTHING[self.language]
        if spec == "clause":
            return str(value)[:LONGEST].rstrip(".")
        return super().format_field(value, spec)

    def _said(self, value: Any) -> Any:
        if isinstance(value, (BaseException, Phrase)):
            return told(value, self.language)
        if isinstance(value, Mapping) and "en" in value:
            return value.get(self.language) or value["en"]
        return value
