"""A verb: what a visitor can ask of a GAN. Declared once in the GAN's file; shell, HTTP and pages read it from there.

    @verb
    def translate(self, sketch: Picture, seed: int | None = None) -> Picture:
        \"""Draw the shoe.

        Args:
            sketch: dark strokes on white.
            seed: draws the noise; None = no noise.
        \"""

The signature is the interface: names, types and defaults come from it, the words from its docstring. Values arrive
as text (a form field, a shell argument) or as Python values; `Verb.bind` makes them what the signature says, or
raises a ValueError with a sentence.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np
from PIL import Image

from studio.images import File, Picture, open_picture
from studio.labels import LabelMap, open_map
from studio.refused import Phrase, Refused

NOTHING = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of a verb: its name, its type (Picture, LabelMap, int, float, str …), default and sentence."""

    name: str
    type: type
    optional: bool  # None is a value
    default: Any
    says: str

    @property
    def required(self) -> bool:
        return self.default is NOTHING

    @property
    def is_picture(self) -> bool:
        return self.type is Picture

    @property
    def is_map(self) -> bool:
        """A label map: a picture too, but of numbers or a palette's colours, and never blended."""
        return self.type is LabelMap

    @property
    def is_file(self) -> bool:
        return self.is_picture or self.is_map

    def read(self, value: Any) -> Any:
        """Text or a Python value -> a value of this argument's type.

        Raises:
            ValueError: with the argument's name and what was expected.
        """
        word = value.strip().lower() if isinstance(value, str) else value
        if word in (None, "") or (word in ("none", "null") and (self.optional or self.type is not str)):
            if self.optional:
                return None
            raise Refused("values.missing", name=self.name, says=self.says or Phrase("kinds.needed"))
        if self.is_file:
            return open_picture(value) if self.is_picture else open_map(value)
        try:
            return _READERS[self.type](value)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Refused("values.kind", name=self.name, value=str(value)[:60], what=_NAMES[self.type]) from error


def _int(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise ValueError
    return number


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}[
        str(value).strip().lower()
    ]


def _boolean(value: Any) -> bool:
    try:
        return _bool(value)
    except KeyError as error:
        raise ValueError from error


def _str(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 10_000:
        raise ValueError
    return value


def _dict(value: Any) -> dict:
    value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, Mapping):
        raise ValueError
    return dict(value)


def _list(value: Any) -> list:
    """``[1, 2]``, or ``1, 2`` as people write it."""
    if isinstance(value, str):
        value = json.loads(value if value.strip().startswith("[") else f"[{value}]")
    if not isinstance(value, (list, tuple)) or len(value) > 10_000:
        raise ValueError
    return list(value)


def _picture(value: Any) -> Any:
    return open_picture(value) if isinstance(value, (str, PurePath, bytes, np.ndarray)) else value


def _map(value: Any) -> Any:
    return open_map(value) if isinstance(value, (str, PurePath, bytes, np.ndarray, Image.Image)) else value


_READERS: dict[type, Callable] = {int: _int, float: _float, bool: _boolean, str: _str, dict: _dict, list: _list}
_NAMES = {
    int: Phrase("kinds.whole"),
    float: Phrase("kinds.number"),
    bool: Phrase("kinds.boolean"),
    str: Phrase("kinds.text"),
    dict: Phrase("kinds.table"),
    list: Phrase("kinds.list"),
}


@dataclass(frozen=True)
class Verb:
    """A declared verb: the function and what its signature and docstring say."""

    name: str
    function: Callable

    @cached_property
    def arguments(self) -> dict[str, Argument]:
        hints = typing.get_type_hints(self.function)
        words = _sentences(self.function.__doc__ or "")
        found = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:  # without self
            kind, optional = hints[name], False
            if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
                kinds = [k for k in typing.get_args(kind) if k is not type(None)]
                kind, optional = kinds[0], len(kinds) < len(typing.get_args(kind))
            kind = typing.get_origin(kind) or kind
            if kind not in (Picture, LabelMap) and kind not in _READERS:
                raise TypeError(f"{self.function.__qualname__}: {name} has a type that no front end can ask for")
            found[name] = Argument(name, kind, optional, parameter.default, words.get(name, ""))
        return found

    @cached_property
    def returns(self) -> type:
        kind = typing.get_type_hints(self.function).get("return", NOTHING)
        return typing.get_origin(kind) or kind

    @cached_property
    def files(self) -> dict[int | str, Callable]:
        """How pictures and label maps are opened that Python gives to the verb, by place and by name."""
        found = {}
        for place, (name, argument) in enumerate(self.arguments.items()):
            if argument.is_file:
                found[place] = found[name] = _picture if argument.is_picture else _map
        return found

    @property
    def says(self) -> str:
        return (inspect.getdoc(self.function) or "").split("\n\n")[0].replace("\n", " ")

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Named values, as text or as they are -> keyword arguments for the verb.

        Raises:
            ValueError: an unknown name, a missing value, a value of the wrong kind.
        """
        unknown = set(values) - set(self.arguments)
        if unknown:
            known = ", ".join(self.arguments)
            raise Refused("values.unknown", verb=self.name, names=sorted(unknown), known=known)
        bound = {}
        for name, argument in self.arguments.items():
            if name in values:
                bound[name] = argument.read(values[name])
            elif argument.required:
                raise Refused("values.needs", verb=self.name, name=name, says=argument.says or Phrase("kinds.give"))
        return bound


def verb(function: Callable) -> Callable:
    """Declares a method as a verb of its GAN. Where it asks for a picture or a label map, Python may also give a file's
    path, its bytes or an array: ``gan.translate("sketch.png")``."""
    declared = Verb(function.__name__, function)

    @functools.wraps(function)
    def called(gan: Any, *given: Any, **named: Any) -> Any:
        files = declared.files
        given = tuple(files[k](value) if k in files else value for k, value in enumerate(given))
        named = {name: files[name](value) if name in files else value for name, value in named.items()}
        return function(gan, *given, **named)

    called.verb = declared
    return called


def verbs(gan: type | object) -> dict[str, Verb]:
    """The verbs of a GAN, in the order of its file."""
    kind = gan if isinstance(gan, type) else type(gan)
    members = [m for base in reversed(kind.__mro__) for m in vars(base).values()]
    return {m.verb.name: m.verb for m in members if hasattr(m, "verb")}


def jsonable(value: Any) -> Any:
    """What a verb returns -> what JSON can say. Pictures become data addresses, arrays lists."""
    if isinstance(value, Image.Image):
        import base64

        from studio.images import png

        return "data:image/png;base64," + base64.b64encode(png(value)).decode()
    if isinstance(value, File):
        import base64

        return f"data:{value.type};base64," + base64.b64encode(value.content).decode()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return jsonable(value.tolist())
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None  # JSON has no NaN
    return value


def _sentences(doc: str) -> dict[str, str]:
    """The ``Args:`` section of a docstring -> {name: sentence}."""
    section = re.search(r"Args:\n(.*?)(?:\n\s*\n|\Z)", inspect.cleandoc(doc), re.S)
    found: dict[str, str] = {}
    name = None
    for line in (section.group(1) if section else "").splitlines():
        start = re.match(r"\s{4}(\w+):\s*(.*)", line)
        if start:
            name = start.group(1)
            found[name] = start.group(2)
        elif name:
            found[name] += " " + line.strip()
    return found
