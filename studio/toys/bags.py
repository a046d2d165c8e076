"""Cartoon handbags on white, in colours of the same kinds as the drawn shoes': to be translated into each other."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np


def draw(rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """A cartoon handbag on white, ``(size, size, 3)`` uint8: body, flap or zip, handle or strap, clasp, shading."""
    paper = np.full((256, 256, 3), 255, np.uint8)

    def hue(value: float) -> tuple[int, int, int]:
        colour = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.25, 0.95), value)
        return tuple(int(c * 255) for c in colour)

    cloth, trim = hue(rng.uniform(0.35, 0.95)), hue(rng.uniform(0.5, 1.0))
    dark = tuple(int(0.6 * c) for c in cloth)
    middle, ground, high = rng.uniform(118, 138), rng.uniform(205, 228), rng.uniform(78, 120)
    low, top = rng.uniform(72, 98), rng.uniform(56, 84)  # half widths
    brow = ground - high
    arch, thick = rng.uniform(40, 78), int(rng.integers(5, 12))
    reach = top * rng.uniform(0.5, 0.85)
    cv2.ellipse(paper, (int(middle), int(brow + 6)), (int(reach), int(arch)), 0, 180, 360, dark, thick, cv2.LINE_AA)
    corners = [(middle - low, ground), (middle + low, ground), (middle + top, brow), (middle - top, brow)]
    mask = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(mask, [np.array(corners).round().astype(np.int32)], 255, cv2.LINE_AA)
    round_off = int(rng.integers(3, 12))
    mask = cv2.GaussianBlur(mask, (0, 0), round_off)
    share = np.clip((mask.astype(np.float32) - 108) / 40, 0, 1)[..., None]
    light = 1.15 - 0.4 * np.clip((np.mgrid[0:256, 0:256][0] - brow) / high, 0, 1)
    coloured = np.clip(np.array(cloth, np.float32) * light[..., None], 0, 255)
    paper = (paper * (1 - share) + coloured * share).astype(np.uint8)
    if rng.random() < 0.6:  # a flap with a clasp
        down = brow + high * rng.uniform(0.35, 0.6)
        flap = [(middle - top + 2, brow + 4), (middle + top - 2, brow + 4), (middle + top * 0.86, down - 14),
                (middle, down + 6), (middle - top * 0.86, down - 14)]  # fmt: skip
        cv2.fillPoly(paper, [np.array(flap).round().astype(np.int32)], dark, cv2.LINE_AA)
        cv2.circle(paper, (int(middle), int(down - 4)), int(rng.integers(5, 10)), trim, -1, cv2.LINE_AA)
    else:  # a zip, and a pocket
        line = int(brow + 0.18 * high)
        cv2.line(paper, (int(middle - top * 0.8), line), (int(middle + top * 0.8), line), trim, 4, cv2.LINE_AA)
        left, right = int(middle - low * 0.5), int(middle + low * 0.5)
        cv2.rectangle(paper, (left, int(ground - high * 0.5)), (right, int(ground - 12)), dark, 3, cv2.LINE_AA)
    return paper if size == 256 else cv2.resize(paper, (size, size), interpolation=cv2.INTER_AREA)
