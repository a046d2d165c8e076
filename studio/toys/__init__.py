"""Pictures drawn by code: for tests, and for classrooms without files or network.

One set is one file here; its ``draw(rng, size)`` gives one picture, the rest of the file what else it knows of it
(labels, attributes, points).
"""

from __future__ import annotations

import colorsys
import importlib

import numpy as np


def picture(name: str, rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """One picture of the set ``studio/toys/<name>.py``, ``(size, size, 3)`` uint8, drawn from the random numbers."""
    return importlib.import_module(f"studio.toys.{name}").draw(rng, size)


def distinct_colour(k: int) -> str:
    """The k-th of a row of colours that are easy to tell apart: steps of the golden angle around the wheel."""
    r, g, b = colorsys.hsv_to_rgb((0.08 + k * 0.61803) % 1, 0.55 + 0.3 * (k % 2), 0.95 - 0.25 * (k % 3) / 2)
    return f"#{round(r * 255):02x}{round(g * 255):02x}{round(b * 255):02x}"
