"""Where things of this user lie."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The writable place of this user's checkpoints, runs and data: ``STUDIO_HOME``, or ``~/.gan-studio``."""
    return Path(os.environ.get("STUDIO_HOME") or Path.home() / ".gan-studio")
