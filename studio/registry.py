"""The folder is the registry: every folder in studio/gans is a GAN of the studio."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.base import About, BaseGAN, words_of
from studio.refused import Missing

FOLDER = Path(__file__).parent / "gans"


def names() -> list[str]:
    """All GANs, by folder name."""
    return sorted(path.parent.name for path in FOLDER.glob("*/paper.py"))


def gan(name: str) -> type[BaseGAN]:
    """The class of a GAN, with its verbs.

    Raises:
        ValueError: there is none of that name; lists those that are there.
    """
    if name not in names():
        raise Missing("model.noGan", name=str(name)[:60], there=names())
    return importlib.import_module(f"studio.gans.{name}").GAN


def name_of(gan: BaseGAN | type[BaseGAN]) -> str:
    """The folder name of a GAN or of its class."""
    kind = gan if isinstance(gan, type) else type(gan)
    return kind.__module__.split(".")[2]


def words(name: str) -> dict[str, Any]:
    """All that a GAN says to visitors, in both languages: its ``words.toml``."""
    return words_of(FOLDER / name)


def course(known: Mapping[str, About]) -> list[str]:
    """Names of GANs in the order of a course: by year; of one year, those first that build on fewer others."""

    def depth(name: str, seen: tuple[str, ...] = ()) -> int:
        before = [each for each in known[name].read_before if each in known and each not in seen]
        return 1 + max((depth(each, (*seen, name)) for each in before), default=0)

    return sorted(known, key=lambda name: (known[name].year, depth(name), name))
