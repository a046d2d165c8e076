"""Pictures drawn by code: for tests, and for classrooms without files or network."""

from __future__ import annotations

import numpy as np

from studio.toys.shoes import distinct_colour, shoe

__all__ = ["distinct_colour", "picture", "shoe"]


def picture(name: str, rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """One picture of a toy set, ``(size, size, 3)`` uint8."""
    return {"shoes": shoe}[name](rng, size)
