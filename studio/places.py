"""Where things of this user lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # where studio/, pages/ and checkpoints/ lie


def home() -> Path:
    """The writable place of this user's checkpoints, runs and data: ``STUDIO_HOME``, or ``~/.gan-studio``."""
    return Path(os.environ.get("STUDIO_HOME") or Path.home() / ".gan-studio")


def write_atomically(path: Path, write: Callable[[Path], None], kept: Path | None = None) -> None:
    """Writes beside ``path`` and then takes its place, so that a full disk or a power cut leaves the old file whole.

    Args:
        kept: where the file that was there before goes; None = it goes away.
    """
    beside = path.with_name(path.name + f".{os.getpid()}.tmp")
    try:
        write(beside)
        if kept is not None and path.exists():
            os.replace(path, kept)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
