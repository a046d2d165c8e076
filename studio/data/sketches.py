"""Photograph -> the sketch that a hand might have drawn of it.

A net that only ever saw an edge detector's clean one-pixel lines fails on what people draw: wobbly lines, one thick
pen, gaps, an outline and nothing inside. So the training sketches are drawn as a hand would: edges are found at a
random level of detail, whole strokes are left out, the paper is warped a little so that lines wobble, the pen has a
random width, and sometimes only the outline is there. Optional dabs of colour say which colour goes where.

Everything here is numpy and OpenCV on ``(H, W, 3)`` uint8 pictures; a `numpy.random.Generator` decides, so the same
generator gives the same sketch. ``rng=None`` is the steady hand: what an uploaded photo is turned into.
"""

from __future__ import annotations

import cv2
import numpy as np

INK, PAPER = 0, 255


def foreground(photo: np.ndarray, tolerance: int = 14) -> np.ndarray:
    """Mask ``(H, W)`` bool of the object on a plain background: all that cannot be reached from the border.

    The background's colour is the border's median. A photo without a plain background gives a mask that is nearly
    full or nearly empty; `extract` then does without the outline.
    """
    border = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])
    away = cv2.split(cv2.absdiff(photo, np.full_like(photo, np.median(border, axis=0).astype(np.uint8))))
    far = (cv2.max(cv2.max(away[0], away[1]), away[2]) > tolerance).astype(np.uint8)
    far = cv2.morphologyEx(far, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outside = np.pad(1 - far, 1, constant_values=1)
    _, regions = cv2.connectedComponents(outside, connectivity=4)
    inside = (regions != regions[0, 0])[1:-1, 1:-1].astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside)
    large = stats[:, cv2.CC_STAT_AREA] >= 0.002 * inside.size
    large[0] = False
    return large[parts]


def edges(photo: np.ndarray, blur: float, detail: float) -> np.ndarray:
    """One-pixel edges ``(H, W)`` uint8 0/1: Canny on the lightness and on both colour axes.

    Args:
        blur: sigma of the smoothing in pixels; larger = fewer, larger shapes.
        detail: 0 (only the strongest edges) to 1.
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(photo, (0, 0), blur), cv2.COLOR_RGB2LAB)
    strong = 170 - 120 * detail
    found = np.zeros(photo.shape[:2], np.uint8)
    for axis, weight in zip(cv2.split(lab), (1.0, 0.6, 0.6), strict=True):
        found |= cv2.Canny(axis, strong * weight * 0.4, strong * weight, L2gradient=True)
    return (found > 0).astype(np.uint8)


def extract(photo: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """The sketch of a photo: ``(H, W)`` uint8, dark strokes (0) on white (255).

    Args:
        photo: ``(H, W, 3)`` uint8, best 256 px.
        rng: the hand. None = steady: medium detail, outline closed, pen of 2 px at 256.
    """
    height, width = photo.shape[:2]
    unit = max(height, width) / 256  # all lengths below are pixels at 256
    steady = rng is None
    detail = 0.5 if steady else rng.beta(1.6, 1.6)
    blur = (1.4 if steady else rng.uniform(1.0, 2.8)) * unit
    strokes = edges(photo, blur, detail)

    mask = foreground(photo)
    framed = 0.03 < mask.mean() < 0.97  # there is an object on a background
    outline = _outline(mask, 0.0 if steady else rng.choice([0.0, 0.0, 1.0, 2.0]) * unit) if framed else 0

    count, parts, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    length = stats[:, cv2.CC_STAT_AREA] / unit
    keep = length > (10 if steady else rng.uniform(6, 30))
    if not steady:
        drop = rng.choice([0.0, 0.15, 0.4, 0.7])  # some people draw every seam, some hardly any
        keep &= rng.random(count) > drop * np.exp(-length / 250)
        if framed and rng.random() < 0.12:
            keep[:] = False  # outline only
    keep[0] = False
    strokes = keep[parts].astype(np.uint8)
    bare = strokes.sum() < 2 * (height + width)  # too little to be a drawing without its outline
    if framed and (steady or bare or rng.random() < 0.85):
        near = cv2.dilate(outline, np.ones((5, 5), np.uint8))
        strokes = np.where(near > 0, 0, strokes).astype(np.uint8) | outline  # one line, not two beside each other

    if not steady:
        strokes = _gaps(strokes, rng, unit)
        strokes = _wobble(strokes, rng, unit)
    pen = (2.0 if steady else rng.uniform(1.0, 4.0)) * unit
    return _ink(strokes, pen)


def _outline(mask: np.ndarray, rough: float) -> np.ndarray:
    """The border of the mask as one-pixel lines; ``rough`` pixels of simplification, as a quick hand has it."""
    canvas = np.zeros(mask.shape, np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        if len(contour) > 12:
            cv2.polylines(canvas, [cv2.approxPolyDP(contour, rough, True) if rough else contour], True, 1)
    return canvas


def _gaps(strokes: np.ndarray, rng: np.random.Generator, unit: float) -> np.ndarray:
    """Takes the pen off the paper here and there."""
    ys, xs = np.nonzero(strokes)
    if len(ys) == 0:
        return strokes
    strokes = strokes.copy()
    for k in rng.integers(len(ys), size=rng.integers(0, 9)):
        cv2.circle(strokes, (int(xs[k]), int(ys[k])), max(1, round(rng.uniform(1, 7) * unit)), 0, -1)
    return strokes


def _wobble(strokes: np.ndarray, rng: np.random.Generator, unit: float) -> np.ndarray:
    """Warps the paper by two smooth random fields: a coarse one (proportions) and a fine one (an unsteady hand)."""
    height, width = strokes.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    for cells, most in ((4, 5.0), (16, 1.8)):
        size = rng.uniform(0, most) * unit
        field = rng.standard_normal((2, cells, cells)).astype(np.float32) * size * 0.7
        xs += cv2.resize(field[0], (width, height), interpolation=cv2.INTER_CUBIC)
        ys += cv2.resize(field[1], (width, height), interpolation=cv2.INTER_CUBIC)
    thick = cv2.dilate(strokes * 255, np.ones((2, 2), np.uint8))  # or one-pixel lines would tear
    return (cv2.remap(thick, xs, ys, cv2.INTER_LINEAR) > 110).astype(np.uint8)


def _ink(strokes: np.ndarray, pen: float) -> np.ndarray:
    """Lines of ``pen`` pixels with a soft rim, whatever the width: distance to the line, not repeated dilation."""
    away = cv2.distanceTransform(1 - strokes, cv2.DIST_L2, 3)
    return (np.clip(away - pen / 2 + 0.5, 0, 1) * 255).astype(np.uint8)


def colour_hints(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Paper with dabs or fills of the photo's own colours, ``(H, W, 3)`` uint8: what goes under the ink.

    Half of the time a few dabs, otherwise whole regions filled with flat colour (as the fill tool does).
    """
    height, width = photo.shape[:2]
    unit = max(height, width) / 256
    paper = np.full_like(photo, PAPER)
    mask = foreground(photo)
    ys, xs = np.nonzero(mask if mask.any() else np.ones_like(mask))
    if rng.random() < 0.5:
        for k in rng.integers(len(ys), size=rng.integers(1, 8)):
            x, y, radius = int(xs[k]), int(ys[k]), max(1, round(rng.uniform(2, 9) * unit))
            around = photo[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1].reshape(-1, 3)
            colour = tuple(int(v) for v in np.median(around, axis=0))
            end = (round(x + rng.normal() * 12 * unit), round(y + rng.normal() * 8 * unit))
            cv2.line(paper, (x, y), end, colour, 2 * radius)
        return paper
    smooth = cv2.resize(photo, (int(rng.integers(6, 24)),) * 2, interpolation=cv2.INTER_AREA).astype(np.float32)
    levels = int(rng.integers(2, 6))  # few colours in large areas
    some = rng.integers(len(ys), size=min(len(ys), 400))
    palette = photo[ys[some], xs[some]].astype(np.float32)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 6, 1.0)
    cv2.setRNGSeed(int(rng.integers(2**31 - 1)))  # k-means draws its start from OpenCV's own generator
    _, _, centres = cv2.kmeans(palette, levels, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    smooth = cv2.resize(smooth, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR).reshape(-1, 3)
    away = (centres**2).sum(axis=1) - 2 * smooth @ centres.T  # squared distance, less what is alike for all centres
    near = away.argmin(axis=1).astype(np.uint8).reshape(height // 2, width // 2)
    flat = centres.astype(np.uint8)[cv2.resize(near, (width, height), interpolation=cv2.INTER_NEAREST)]
    grow = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=int(rng.integers(0, 3)))
    return np.where(grow[..., None] > 0, flat, paper)


def pair(photo: np.ndarray, rng: np.random.Generator | None, hints: float) -> tuple[np.ndarray, np.ndarray]:
    """(sketch, photo), both ``(H, W, 3)`` uint8, with colour under the ink in the share ``hints`` of all sketches."""
    ink = np.repeat(extract(photo, rng)[..., None], 3, axis=2)
    if rng is None or rng.random() >= hints:
        return ink, photo
    return cv2.multiply(colour_hints(photo, rng), ink, scale=1 / 255), photo
