"""Handwritten-looking digits, white on black as in MNIST: strokes with a wobbling hand."""

from __future__ import annotations

import cv2
import numpy as np

Random = np.random.Generator
# Ways to write each digit: strokes in a unit square, y down; "~" = a smooth curve through the points, "-" = straight.
WAYS: dict[int, list[list[tuple[str, list[tuple[float, float]]]]]] = {
    0: [
        [("~", [(.5, .08), (.28, .24), (.22, .5), (.28, .76), (.5, .92), (.72, .76), (.78, .5), (.72, .24),
                (.5, .08)])],
    ],
    1: [
        [("-", [(.5, .08), (.5, .92)])],
        [("-", [(.32, .28), (.53, .08), (.53, .92)])],
        [("-", [(.32, .28), (.53, .08), (.53, .92)]), ("-", [(.32, .92), (.74, .92)])],
    ],
    2: [
        [("~", [(.24, .28), (.36, .11), (.6, .1), (.74, .27), (.6, .52), (.24, .9)]), ("-", [(.24, .9), (.8, .88)])],
        [("~", [(.26, .26), (.4, .1), (.66, .14), (.7, .34), (.5, .62), (.28, .84), (.24, .72), (.4, .74), (.8, .9)])],
    ],
    3: [
        [("~", [(.26, .18), (.48, .08), (.7, .22), (.62, .4), (.44, .47)]),
         ("~", [(.44, .47), (.7, .55), (.76, .74), (.56, .91), (.24, .84)])],
        [("-", [(.26, .1), (.74, .1), (.46, .44)]),
         ("~", [(.46, .44), (.72, .54), (.76, .74), (.54, .91), (.24, .82)])],
    ],
    4: [
        [("-", [(.6, .08), (.2, .64), (.84, .64)]), ("-", [(.62, .36), (.6, .94)])],
        [("-", [(.28, .1), (.24, .5), (.74, .5)]), ("-", [(.72, .1), (.68, .94)])],
    ],
    5: [
        [("-", [(.74, .1), (.32, .1), (.28, .46)]),
         ("~", [(.28, .46), (.54, .4), (.76, .58), (.68, .84), (.44, .92), (.22, .8)])],
    ],
    6: [
        [("~", [(.68, .1), (.42, .3), (.26, .6), (.32, .86), (.56, .92), (.74, .74), (.62, .54), (.4, .56),
                (.27, .72)])],
    ],
    7: [
        [("-", [(.2, .12), (.78, .12), (.42, .94)])],
        [("-", [(.2, .12), (.78, .12), (.42, .94)]), ("-", [(.36, .52), (.74, .5)])],
    ],
    8: [
        [("~", [(.5, .48), (.29, .3), (.38, .11), (.62, .11), (.71, .3), (.5, .48)]),
         ("~", [(.5, .48), (.26, .7), (.38, .91), (.62, .91), (.74, .7), (.5, .48)])],
    ],
    9: [
        [("~", [(.72, .3), (.6, .11), (.38, .12), (.27, .32), (.42, .51), (.66, .45), (.73, .28)]),
         ("~", [(.73, .28), (.72, .6), (.6, .93)])],
        [("~", [(.72, .3), (.6, .11), (.38, .12), (.27, .32), (.42, .51), (.66, .45), (.73, .28)]),
         ("-", [(.73, .2), (.73, .93)])],
    ],
}  # fmt: skip


def draw(rng: Random, size: int = 32) -> np.ndarray:
    """A digit, ``(size, size, 3)`` uint8."""
    return digit(rng, size)[0]


def which(rng: Random) -> int:
    """Which digit these random numbers would draw: the first of them, so that a label costs no drawing."""
    return int(rng.integers(10))


def digit(rng: Random, size: int = 32) -> tuple[np.ndarray, int]:
    """A digit and which one it is: slanted, turned, wobbled, with a pen of its own width."""
    number = which(rng)
    strokes = WAYS[number][rng.integers(len(WAYS[number]))]
    side = max(4 * size, 128)
    turn, slant = rng.normal(0, 0.1), rng.normal(0.1, 0.15)
    wide, high = rng.uniform(0.48, 0.74), rng.uniform(0.62, 0.8)
    shape = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array(
        [[wide, -slant * wide], [0, high]]
    )
    middle = 0.5 + rng.uniform(-0.05, 0.05, 2)
    paper = np.zeros((side, side), np.uint8)
    pen = max(1, round(side * rng.uniform(0.05, 0.105)))
    for kind, points in strokes:
        path = np.array(points) - 0.5
        path = (
            _smooth(path + rng.normal(0, 0.02, path.shape)) if kind == "~" else path + rng.normal(0, 0.015, path.shape)
        )
        places = ((path @ shape.T + middle) * side * 16).round().astype(np.int32)
        cv2.polylines(paper, [places], False, 255, pen, cv2.LINE_AA, shift=4)
    small = cv2.resize(paper, (size, size), interpolation=cv2.INTER_AREA)
    return np.repeat(small[:, :, None], 3, axis=2), number


def _smooth(p: np.ndarray, n: int = 12) -> np.ndarray:
    """Catmull-Rom through open points."""
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, n)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    way = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return way.transpose(1, 0, 2).reshape(-1, 2)
