"""Cartoon shoes on white."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np


def _curve(points: np.ndarray, n: int = 24) -> np.ndarray:
    """A closed smooth curve through ``points`` (Catmull-Rom), as integer pixels."""
    p = np.asarray(points, float)
    before, after, later = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.linspace(0, 1, n, endpoint=False)[:, None, None]
    way = 0.5 * (
        2 * p + (after - before) * t + (2 * before - 5 * p + 4 * after - later) * t**2
        + (3 * p - before - 3 * after + later) * t**3
    )  # fmt: skip
    return way.transpose(1, 0, 2).reshape(-1, 2).round().astype(np.int32)


def draw(rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """A cartoon shoe on white, ``(size, size, 3)`` uint8: sole, heel, upper, opening, laces or strap, shading."""
    paper = np.full((256, 256, 3), 255, np.uint8)

    def hue(value: float) -> tuple[int, int, int]:
        colour = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.25, 0.95), value)
        return tuple(int(c * 255) for c in colour)

    upper, sole = hue(rng.uniform(0.35, 0.95)), hue(rng.choice([0.15, 0.9]))
    toe, heel = rng.uniform(20, 45), rng.uniform(205, 235)
    ground, thick = rng.uniform(175, 200), rng.uniform(8, 24)
    ankle, instep = rng.uniform(60, 120), rng.uniform(100, 140)
    lift = rng.choice([0, 0, rng.uniform(20, 50)])  # a heel
    body = [
        (toe, ground), (toe + 4, ground - 22), (toe + 45, ground - 42), (toe + 85, instep), (heel - 62, ankle + 6),
        (heel - 8, ankle), (heel + 4, ground - lift - 30), (heel, ground - lift), (heel - 90, ground - lift * 0.4),
    ]  # fmt: skip
    outline = _curve(body)
    mask = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
    light = 1.15 - 0.45 * np.clip((np.mgrid[0:256, 0:256][0] - ankle) / (ground - ankle), 0, 1)
    light = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 6)[..., None]
    cloth = np.clip(np.array(upper, np.float32) * light, 0, 255)
    share = mask[..., None] / 255
    paper = (paper * (1 - share) + cloth * share).astype(np.uint8)
    low = _curve([(toe - 4, ground - 4), (heel - 88, ground - lift * 0.4 - 4), (heel + 4, ground - lift - 6),
                  (heel + 4, ground - lift + thick), (heel - 88, ground - lift * 0.4 + thick),
                  (toe, ground + thick)])  # fmt: skip
    cv2.fillPoly(paper, [low], sole, cv2.LINE_AA)
    if lift:
        block = np.array([(heel - 24, ground - lift + 4), (heel + 2, ground - lift + 4), (heel - 2, ground + thick),
                          (heel - 16, ground + thick)]).round().astype(np.int32)  # fmt: skip
        cv2.fillPoly(paper, [block], sole, cv2.LINE_AA)
    trim = hue(rng.uniform(0.5, 1.0))
    middle = (heel - 35, ankle + 4)
    cv2.ellipse(
        paper, tuple(int(v) for v in middle), (26, 6), 0, 0, 360, tuple(int(c * 0.45) for c in upper), -1, cv2.LINE_AA
    )
    if rng.random() < 0.6:  # laces
        for k in range(int(rng.integers(3, 6))):
            x, y = toe + 78 + 11 * k, instep + 12 - (instep - ankle) * 0.16 * k
            cv2.line(paper, (int(x - 6), int(y + 14)), (int(x + 8), int(y)), trim, 3, cv2.LINE_AA)
    else:  # a strap
        x = int(rng.uniform(90, 140))
        cv2.line(paper, (x, int(ground - 6)), (x + 42, int(instep - 8)), trim, int(rng.integers(6, 14)), cv2.LINE_AA)
    if rng.random() < 0.5:
        side = _curve([(toe + 70, ground - 14), (toe + 120, ground - 34), (heel - 40, ground - lift - 50),
                       (toe + 125, ground - 22)])  # fmt: skip
        cv2.fillPoly(paper, [side], trim, cv2.LINE_AA)
    return paper if size == 256 else cv2.resize(paper, (size, size), interpolation=cv2.INTER_AREA)
