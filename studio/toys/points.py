"""Points in the plane: eight Gaussians on a circle, and a ring. The smallest data in which modes can be counted."""

from __future__ import annotations

import numpy as np

KINDS = ("gaussians", "ring")
MODES = 8
SPREAD = 0.05  # standard deviation of a Gaussian, and half the ring's width


def sample(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """``(n, 2)`` float32 in about [-1, 1]: ``gaussians``, eight of equal weight on a circle of radius 0.8 (the toy of
    Metz et al. 2017, arXiv 1611.02163, section 3.3.1), or ``ring``, even on that circle."""
    if kind == "gaussians":
        angle = rng.integers(MODES, size=n) * (2 * np.pi / MODES)
    else:
        angle = rng.uniform(0, 2 * np.pi, n)
    centre = 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (centre + rng.normal(0, SPREAD, (n, 2))).astype(np.float32)


def covered(points: np.ndarray) -> int:
    """How many of the eight Gaussians have a point within three standard deviations."""
    angle = np.arange(MODES) * (2 * np.pi / MODES)
    centres = 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    near = np.linalg.norm(points[:, None] - centres[None], axis=2) < 3 * SPREAD
    return int(near.any(axis=0).sum())
