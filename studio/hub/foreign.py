"""A checkpoint's card that comes from elsewhere: read as a stranger's letter, field by field.

A card of this machine was written by the studio. One from the Hub was written by anybody, and what is in it reaches
file names, pages and networks. `read` therefore keeps what it knows and has looked at, refuses what could do harm, and
forgets the rest (`default` among it: a stranger does not choose what this studio opens with).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

from studio import checkpoints, refused, registry
from studio.base import BaseGAN, checked
from studio.labels import Classes

MOST_CARD = 1 << 20  # bytes of a card.json
WEIGHTS = re.compile(r"(weights(-[a-z0-9_]{1,40})?|discriminator)\.safetensors")  # what the studio calls them
PICTURE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.(png|webp|jpg|gif)")
SHA = re.compile(r"[0-9a-f]{64}")
MOST_PICTURES = 40
MOST_LETTERS = 5000  # of a text that people read
MOST_NAMES = 50_000  # pictures that were held out
ORIGIN = ("kind", "command", "data", "run", "steps", "pictures", "minutes", "device", "file", "url", "sha256")


class Refused(refused.Refused):
    """A card that is not the studio's, or that is made to harm; the sentence says which field."""


def read(content: bytes) -> dict[str, Any]:
    """The card in the bytes of a ``card.json``, with only what was looked at.

    Raises:
        Refused: not a card of the studio, of a GAN or with a setting that this studio does not know, or a value that
            can't be.
    """
    if len(content) > MOST_CARD:
        raise Refused("card.large", most=MOST_CARD >> 20)
    try:
        card = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused("card.notJson") from error
    if not isinstance(card, dict) or not {"gan", "tag", "config", "files"} <= set(card):
        raise Refused("card.notOne")
    gan = card["gan"]
    if not isinstance(gan, str) or gan not in registry.names():
        known = ", ".join(registry.names())
        raise Refused("card.noGan", gan=str(gan)[:40], known=known)
    read: dict[str, Any] = {"gan": gan, "tag": _tag(card["tag"])}
    read["config"] = _config(registry.gan(gan), card["config"])
    read["files"] = _files(registry.gan(gan), card["files"])
    read["extras"] = _extras(card.get("extras") or {})
    for name, known in _FIELDS.items():
        if card.get(name) is not None:
            read[name] = known(name, card[name])
    read.setdefault("title", {"en": read["tag"], "ko": read["tag"]})
    if len(pictures(read)) > MOST_PICTURES:
        raise Refused("card.manyPictures", most=MOST_PICTURES)
    return read


def pictures(card: Mapping[str, Any]) -> list[str]:
    """The pictures that a card lists, each once; the preview is not among them."""
    arms = [card["arms"]["file"]] if "arms" in card else []
    return list(dict.fromkeys([*card.get("examples", []), *card.get("pictures", []), *arms]))


# ---- what files and networks are made of: refused, if it is not as the studio writes it -----------------------------


def _no_constant(name: str) -> Any:
    raise Refused("card.constant", name=name)


def _tag(tag: Any) -> str:
    try:
        return checkpoints.checked_tag(tag)
    except ValueError as error:
        raise Refused("card.tag") from error


def _config(kind: Any, config: Any) -> dict[str, Any]:
    """The settings of the network."""
    if not isinstance(config, dict):
        raise Refused("card.noConfig")
    config = kind.upgraded(dict(config))
    known = {field.name: field for field in fields(kind.Config)}
    foreign = sorted(set(config) - set(known))
    if foreign:
        names = ", ".join(name[:40] for name in foreign[:3])
        raise Refused("card.foreignFields", names=names)
    kept = {}
    for name, value in config.items():
        if isinstance(value, str) and len(value) > MOST_LETTERS:
            raise Refused("card.longField", name=name)
        if isinstance(value, int) and abs(value) >= 2**31:
            raise Refused("card.enormous", name=name)
        kept[name] = value
    try:
        checked(kind.Config(**kept))
    except (ValueError, TypeError) as error:
        raise Refused("card.config", why=error) from error
    return kept


def _files(kind: type[BaseGAN], files: Any) -> dict[str, dict[str, Any]]:
    known = checkpoints.files_of(kind)
    if not isinstance(files, dict) or known[0] not in files:
        raise Refused("card.noFile", file=known[0])
    read = {}
    for name, facts in files.items():
        if name not in known:
            raise Refused("card.otherFile", file=name[:60], known=" or ".join(known))
        if (
            not isinstance(facts, dict)
            or not isinstance(facts.get("sha256"), str)
            or not SHA.fullmatch(facts["sha256"])
        ):
            raise Refused("card.noSha", file=name)
        size = facts.get("bytes")
        if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
            raise Refused("card.noSize", file=name)
        read[name] = {"sha256": facts["sha256"], "bytes": size}
    return read


def _picture(name: Any) -> str:
    if not isinstance(name, str) or not PICTURE.fullmatch(name) or PurePosixPath(name).name != name or ".." in name:
        raise Refused("card.picture", file=str(name)[:60])
    return name


# ---- what the GAN knows about its input -----------------------------------------------------------------------------


def _extras(extras: Any) -> dict[str, Any]:
    if not isinstance(extras, dict) or len(extras) > 32 or not all(re.fullmatch(r"[a-z]{1,32}", k) for k in extras):
        raise Refused("card.extras")
    return {name: _EXTRAS.get(name, _simple)(name, value) for name, value in extras.items() if value is not None}


def _simple(name: str, value: Any, depth: int = 2) -> Any:
    """What a GAN's own page may ask of its card: a switch, a number, a line, or lists of these."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _line(name, value)
    if isinstance(value, list) and depth and len(value) <= 256:
        return [_simple(name, each, depth - 1) for each in value]
    return _number(name, value)


def _palette(name: str, listed: Any) -> list[dict[str, Any]]:
    try:
        if not isinstance(listed, list) or len(listed) > 256:
            raise ValueError
        return [each | {"name": _words(name, each["name"])} for each in Classes(listed).listed]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused("card.palette") from error


def _names(name: str, listed: Any) -> list[str]:
    if not isinstance(listed, list) or len(listed) > 256:
        raise Refused("card.names", name=name)
    return [_line(name, each) for each in listed]


def _sets(name: str, listed: Any) -> list[list[str]]:
    if not isinstance(listed, list) or len(listed) > 256:
        raise Refused("card.sets", name=name)
    return [_names(name, each) for each in listed]


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused("card.flag", name=name)
    return value


_EXTRAS: dict[str, Callable[[str, Any], Any]] = {
    "drawing": lambda name, value: _line(name, value),
    "hints": _flag,
    "palette": _palette,
    "styles": _names,
    "labels": _sets,
    "judge": _names,
    "exclusive": _sets,
}


# ---- what people read -----------------------------------------------------------------------------------------------


def _line(name: str, value: Any) -> str:
    """One short line of text, without what moves a cursor."""
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise Refused("card.line", name=name)
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_LETTERS:
        raise Refused("card.text", name=name, most=MOST_LETTERS)
    return "".join(letter for letter in value if letter.isprintable() or letter in "\n\t")


def _words(name: str, value: Any) -> str | dict[str, str]:
    """A text, or the same in English and Korean."""
    if isinstance(value, dict) and set(value) == {"en", "ko"}:
        return {language: _text(name, text) for language, text in value.items()}
    return _text(name, value)


def _title(name: str, value: Any) -> dict[str, str]:
    said = value if isinstance(value, dict) else {"en": value, "ko": value}
    if set(said) != {"en", "ko"}:
        raise Refused("card.title")
    return {language: _line(name, text) for language, text in said.items()}


def _number(name: str, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e15:
        raise Refused("card.number", name=name)
    return value


def _figures(name: str, table: Any, deep: int = 3) -> dict[str, Any]:
    """``{"n": 80, "plain": {"l1": 0.1, "levels": {…}, "by": "whom"}, …}``."""
    if not isinstance(table, dict) or len(table) > 200:
        raise Refused("card.table", name=name)
    read: dict[str, Any] = {}
    for key, value in table.items():
        key = _line(name, key)
        if isinstance(value, dict) and deep:
            read[key] = _figures(name, value, deep - 1)
        elif isinstance(value, str):
            read[key] = _line(name, value)
        elif value is not None:
            read[key] = _number(name, value)
    return read


def _origin(name: str, origin: Any, before: bool = True) -> dict[str, Any]:
    if not isinstance(origin, dict):
        raise Refused("card.origin")
    read: dict[str, Any] = {}
    for key in ORIGIN if before else (*ORIGIN, "hub", "revision"):  # its own place on the Hub is for `hub` to say
        if origin.get(key) is not None:
            value = origin[key]
            read[key] = _text(name, value) if isinstance(value, str) else _number(name, value)
    if before and origin.get("before"):
        if not isinstance(origin["before"], list) or len(origin["before"]) > 100:
            raise Refused("card.endless")
        read["before"] = [_origin(name, each, before=False) for each in origin["before"]]
    return read


def _held_out(name: str, listed: Any) -> list[str]:
    if not isinstance(listed, list) or len(listed) > MOST_NAMES:
        raise Refused("card.heldOut")
    return [_line(name, each) for each in listed]


def _listed(name: str, listed: Any) -> list[str]:
    if not isinstance(listed, list):
        raise Refused("card.list", name=name)
    return [_picture(each) for each in listed]


def _arms(name: str, arms: Any) -> dict[str, Any]:
    """A picture of one training with and without its terms, with the figures."""
    if not isinstance(arms, dict):
        raise Refused("card.arms")
    read: dict[str, Any] = {"file": _picture(arms.get("file"))}
    if arms.get("says"):
        read["says"] = _words(name, arms["says"])
    if arms.get("figures"):
        read["figures"] = _figures(name, arms["figures"])
    return read


_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "title": _title,
    "licence": _words,
    "limits": _words,
    "origin": _origin,
    "held_out": _held_out,
    "figures": _figures,
    "examples": _listed,
    "pictures": _listed,
    "arms": _arms,
}
