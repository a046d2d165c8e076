"""Patterned "styles" with a name each, and simple scenes to paint in them: Gated-GAN's toy set.

A style is what a real collection has in common: a few colours and a way of making marks.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Random = np.random.Generator
Paint = Callable[[Random, int], np.ndarray]


def _near(rng: Random, colour: tuple[int, int, int], spread: int = 18) -> tuple[int, ...]:
    """A colour of a palette, as a hand would mix it: never twice the same."""
    return tuple(int(v) for v in np.clip(np.array(colour) + rng.integers(-spread, spread + 1, 3), 0, 255))


def _paper(rng: Random, size: int, colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((size, size, 3), _near(rng, colour), np.uint8)


def dots(rng: Random, size: int) -> np.ndarray:
    """Red and blue dots on cream, in rows that are shifted against each other."""
    paper, step = _paper(rng, size, (245, 236, 205)), max(4, round(size * rng.uniform(0.07, 0.1)))
    for row, y in enumerate(range(0, size + step, step)):
        for x in range(-(row % 2) * step // 2, size + step, step):
            colour = _near(rng, (200, 50, 40) if rng.random() < 0.6 else (40, 70, 170))
            cv2.circle(paper, (x, y), max(1, round(step * rng.uniform(0.25, 0.42))), colour, -1, cv2.LINE_AA)
    return paper


def hatching(rng: Random, size: int) -> np.ndarray:
    """Black pen on white: parallel strokes, crossed where it is dark."""
    paper, step = _paper(rng, size, (244, 244, 240)), max(2, round(size * rng.uniform(0.03, 0.045)))
    dark = cv2.resize(rng.random((4, 4)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    layers = [paper, paper.copy()]
    for turn, layer in zip((1, -1), layers, strict=True):
        for start in range(-size, 2 * size, step):
            ends = (0, start), (size, start + turn * size)
            cv2.line(layer, *ends, _near(rng, (30, 30, 36)), max(1, size // 128), cv2.LINE_AA)
    crossed = np.minimum(*layers)
    return np.where((dark > np.median(dark))[..., None], crossed, layers[0])


def waves(rng: Random, size: int) -> np.ndarray:
    """Bands of blue and white that swell like a woodcut sea."""
    y, x = np.mgrid[0:size, 0:size] / size
    bend = rng.uniform(0.03, 0.07) * np.sin(2 * np.pi * (rng.uniform(1.5, 3) * x + rng.random()))
    band = np.floor((y + bend) * rng.integers(9, 14)).astype(int)
    inks = [(24, 54, 110), (74, 120, 170), (236, 240, 236), (150, 190, 205)]
    return np.array([_near(rng, inks[k % 4]) for k in range(band.max() - band.min() + 1)], np.uint8)[band - band.min()]


def mosaic(rng: Random, size: int) -> np.ndarray:
    """Gold, green and wine-red stones with dark joints."""
    count = int(rng.integers(70, 120))
    points = rng.uniform(0, size, (count, 2))
    inks = [(206, 160, 50), (46, 104, 74), (120, 30, 50), (226, 200, 130)]
    colours = np.array([_near(rng, inks[int(rng.integers(4))]) for _ in range(count)], np.uint8)
    y, x = np.mgrid[0:size, 0:size]
    apart = (x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2
    first, second = np.sqrt(np.partition(apart, 1, axis=2)[..., :2]).transpose(2, 0, 1)
    stones = colours[apart.argmin(axis=2)]
    stones[second - first < max(1.0, size * 0.012)] = (40, 34, 30)
    return stones


def brush(rng: Random, size: int) -> np.ndarray:
    """Short thick strokes of yellow, orange and violet, lying along a swirl."""
    count, thick = 350, max(2, round(size * 0.035))
    paper, places = _paper(rng, size, (90, 70, 120)), rng.uniform(0, size, (count, 2))
    away = places - rng.uniform(0.2, 0.8, 2) * size
    angles = np.arctan2(away[:, 1], away[:, 0]) + rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.2, count)
    steps = np.stack([np.cos(angles), np.sin(angles)], 1) * size * rng.uniform(0.02, 0.035, (count, 1))
    inks = np.array([(236, 190, 60), (222, 120, 40), (130, 90, 160), (245, 225, 150)])[rng.integers(4, size=count)]
    inks = np.clip(inks + rng.integers(-18, 19, (count, 3)), 0, 255).tolist()
    ends = np.concatenate([places - steps, places + steps], 1).astype(int).tolist()
    for (a, b, c, d), ink in zip(ends, inks, strict=True):
        cv2.line(paper, (a, b), (c, d), ink, thick, cv2.LINE_AA)
    return paper


def weave(rng: Random, size: int) -> np.ndarray:
    """Green and pink threads, over and under."""
    step = max(4, round(size * rng.uniform(0.05, 0.07)))
    y, x = np.mgrid[0:size, 0:size]
    over = ((x // step + y // step) % 2).astype(bool)
    along = np.where(over, y % step, x % step) / step
    light = (0.65 + 0.35 * np.sin(np.pi * along))[..., None]
    inks = np.where(over[..., None], _near(rng, (96, 150, 90)), _near(rng, (220, 140, 160)))
    return (inks * light).astype(np.uint8)


KINDS: dict[str, Paint] = {
    "waves": waves, "brush": brush, "hatching": hatching, "mosaic": mosaic, "dots": dots, "weave": weave,
}  # fmt: skip


def draw(rng: Random, size: int = 256) -> np.ndarray:
    """A picture of any of the styles, ``(size, size, 3)`` uint8."""
    return draw_kind(list(KINDS)[int(rng.integers(len(KINDS)))], rng, size)


def draw_kind(kind: str, rng: Random, size: int = 256) -> np.ndarray:
    """A picture of one style.

    Raises:
        ValueError: there is no such style; lists those that there are.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no texture {kind!r}. There are: {', '.join(KINDS)}.")
    return np.ascontiguousarray(KINDS[kind](rng, size))


def scene(rng: Random, size: int = 256) -> np.ndarray:
    """What is to be painted: a sky with a sun, two ranges of hills, a meadow, perhaps trees and a house."""
    top, low = np.array(_near(rng, (110, 160, 220), 30)), np.array(_near(rng, (225, 225, 230), 20))
    paper = (top + (low - top) * np.linspace(0, 1, size)[:, None, None] + np.zeros((size, size, 1))).astype(np.uint8)
    sun = tuple(int(v) for v in rng.uniform([0.1, 0.08], [0.9, 0.35]) * size)
    cv2.circle(paper, sun, round(size * rng.uniform(0.04, 0.08)), _near(rng, (250, 235, 170), 5), -1, cv2.LINE_AA)
    across = np.arange(size + 1)
    for height, colour in ((0.45, (120, 130, 150)), (0.6, (90, 120, 90)), (0.75, (110, 150, 80))):
        swell = sum(np.sin(across / size * np.pi * rng.uniform(1, 5) + rng.uniform(0, 6)) / 3 for _ in range(3))
        ridge = size * (height + 0.08 * swell)
        points = np.concatenate([np.stack([across, ridge], 1), [(size, size), (0, size)]]).round().astype(np.int32)
        cv2.fillPoly(paper, [points], _near(rng, colour), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 6))):
        x, y, r = rng.uniform(0, size), size * rng.uniform(0.68, 0.9), size * rng.uniform(0.03, 0.08)
        cv2.line(paper, (int(x), int(y)), (int(x), int(y + 2 * r)), (80, 60, 40), max(1, round(r / 4)), cv2.LINE_AA)
        cv2.circle(paper, (int(x), int(y)), max(1, int(r)), _near(rng, (50, 100, 50)), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        x, y, w = size * rng.uniform(0.1, 0.7), size * rng.uniform(0.68, 0.8), size * rng.uniform(0.1, 0.2)
        wall = (int(x), int(y)), (int(x + w), int(y + 0.7 * w))
        cv2.rectangle(paper, *wall, _near(rng, (225, 210, 190)), -1)
        roof = np.array([(x - 0.1 * w, y), (x + 1.1 * w, y), (x + 0.5 * w, y - 0.5 * w)]).round().astype(np.int32)
        cv2.fillPoly(paper, [roof], _near(rng, (160, 70, 50)), cv2.LINE_AA)
    return paper
