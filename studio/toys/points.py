"""Points in the plane: the smallest data in which a whole distribution, and its modes, can be seen at once.

One cloud: eight Gaussians on a circle, a ring, two moons, a spiral, or one that somebody has drawn. Two clouds, to be
translated into each other: a ring on the left, a squircle on the right.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from studio.refused import Refused

Random = np.random.Generator
MODES = 8
SPREAD = 0.05  # standard deviation of a Gaussian, and half the width of a line
MOST_DRAWN = 1000  # points of a cloud that is drawn by hand


# ---- one cloud ------------------------------------------------------------------------------------------------------


def gaussians(rng: Random, n: int) -> np.ndarray:
    """The centres of eight Gaussians of equal weight on a circle of radius 0.8: the toy of Metz et al. 2017 (arXiv
    1611.02163, section 3.3.1)."""
    return _circle(rng.integers(MODES, size=n) * (2 * np.pi / MODES))


def ring(rng: Random, n: int) -> np.ndarray:
    """Even on that circle."""
    return _circle(rng.uniform(0, 2 * np.pi, n))


def moons(rng: Random, n: int) -> np.ndarray:
    """Two half circles, one standing, one hanging, each with an end inside the other."""
    upper, t = rng.random(n) < 0.5, rng.uniform(0, np.pi, n)
    x, y = np.where(upper, np.cos(t), 1 - np.cos(t)), np.where(upper, np.sin(t), 0.5 - np.sin(t))
    return 0.55 * np.stack([x - 0.5, y - 0.25], axis=1)


def spiral(rng: Random, n: int) -> np.ndarray:
    """Two turns outwards, as many points on each stretch of the way."""
    t = np.sqrt(rng.random(n))  # the radius grows with the angle, and so does the length of a turn
    return 0.85 * t[:, None] * _circle(4 * np.pi * t) / 0.8


CLOUDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "gaussians": gaussians, "ring": ring, "moons": moons, "spiral": spiral,
}  # fmt: skip
KINDS = tuple(CLOUDS)


def sample(kind: str, rng: Random, n: int) -> np.ndarray:
    """``(n, 2)`` float32 in [-1, 1]: points of a cloud of `KINDS`, scattered by `SPREAD`."""
    return _scattered(rng, CLOUDS[kind](rng, n))


def by_hand(places: np.ndarray, rng: Random, n: int) -> np.ndarray:
    """The same of a cloud that somebody has drawn: each point is near one of the places ``(k, 2)``."""
    return _scattered(rng, places[rng.integers(len(places), size=n)])


def read(text: str) -> np.ndarray:
    """``"0.1,0.2; -0.5,0.3"`` -> places ``(k, 2)``: what somebody has drawn, as text.

    Raises:
        ValueError: not pairs of numbers, none, too many, or one outside of the plane; names it.
    """
    pairs = [part.strip() for part in text.split(";") if part.strip()]
    if not pairs or len(pairs) > MOST_DRAWN:
        raise Refused("points.count", n=len(pairs), most=MOST_DRAWN)
    found = []
    for pair in pairs:
        try:
            x, y = map(float, pair.split(","))
        except ValueError as error:
            raise Refused("points.none", point=pair[:40]) from error
        if not (abs(x) <= 1 and abs(y) <= 1):  # also if it is no number
            raise Refused("points.outside", point=pair[:40])
        found.append((x, y))
    return np.array(found)


def covered(points: np.ndarray) -> int:
    """How many of the eight Gaussians have a point within three standard deviations."""
    centres = _circle(np.arange(MODES) * (2 * np.pi / MODES))
    near = np.linalg.norm(points[:, None] - centres[None], axis=2) < 3 * SPREAD
    return int(near.any(axis=0).sum())


def _circle(angle: np.ndarray) -> np.ndarray:
    return 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _scattered(rng: Random, centres: np.ndarray) -> np.ndarray:
    return (centres + rng.normal(0, SPREAD, centres.shape)).clip(-1, 1).astype(np.float32)


# ---- two clouds -----------------------------------------------------------------------------------------------------

X, Y = np.array([-0.5, 0.0]), np.array([0.5, 0.0])  # the middles of the two
RADIUS = 0.4
THIN = 0.02  # standard deviation across their lines
NEAR = 0.1  # a point so near to a line has reached it


def x_at(angle: np.ndarray) -> np.ndarray:
    """Points of the ring on the left, ``(n, 2)``, by their angles around its middle."""
    return X + RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def y_at(angle: np.ndarray) -> np.ndarray:
    """Points of the squircle x⁴ + y⁴ = r⁴ on the right, by their angles."""
    cos, sin = np.cos(angle), np.sin(angle)
    return Y + (RADIUS / (cos**4 + sin**4) ** 0.25)[:, None] * np.stack([cos, sin], axis=1)


def angles(points: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Each point's angle around a middle (`X` or `Y`), in [0, 2 pi): where it came from, to give it a colour."""
    away = points - middle
    return np.arctan2(away[:, 1], away[:, 0]) % (2 * math.pi)


def two(rng: Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Both clouds, ``(n, 2)`` float32 each, drawn independently: no point of the one belongs to one of the other."""
    first, second = rng.uniform(0, 2 * np.pi, (2, n))
    noise = rng.normal(0, THIN, (2, n, 2))
    return (x_at(first) + noise[0]).astype(np.float32), (y_at(second) + noise[1]).astype(np.float32)


def reached(points: np.ndarray) -> int:
    """How many of eight equal parts of the squircle have a point near them: 1 = all were sent to one place."""
    at = angles(points, Y)
    near = np.linalg.norm(points - y_at(at), axis=1) < NEAR
    return len(set((at[near] / (2 * math.pi) * MODES).astype(int) % MODES))
