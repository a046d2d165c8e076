"""The folder is the registry: every file in studio/gans is a GAN of the studio."""

from __future__ import annotations

import importlib
from pathlib import Path

from studio.base import BaseGAN

FOLDER = Path(__file__).parent / "gans"


def names() -> list[str]:
    """All GANs, by file name."""
    return sorted(p.stem for p in FOLDER.glob("*.py") if not p.stem.startswith("_"))


def gan(name: str) -> type[BaseGAN]:
    """The class of a GAN.

    Raises:
        ValueError: there is none of that name; lists those that are there.
    """
    if name not in names():
        raise ValueError(f"There is no GAN named {str(name)[:60]!r}. The studio has: {', '.join(names())}.")
    return importlib.import_module(f"studio.gans.{name}").GAN


def name_of(gan: BaseGAN | type[BaseGAN]) -> str:
    """The file name of a GAN or of its class."""
    kind = gan if isinstance(gan, type) else type(gan)
    return kind.__module__.rsplit(".", 1)[-1]
