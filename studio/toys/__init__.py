"""Pictures drawn by code: for tests, and for classrooms without files or network.

One set is one file here; its ``draw(rng, size)`` gives one picture, the rest of the file what else it knows of it
(labels, attributes, points).
"""

from __future__ import annotations

import importlib

import numpy as np


def picture(name: str, rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """One picture of the set ``studio/toys/<name>.py``, ``(size, size, 3)`` uint8, drawn from the random numbers."""
    return importlib.import_module(f"studio.toys.{name}").draw(rng, size)
