"""Label maps to begin a painting with: ten views, drawn by code, of the eleven classes of `studio.toys.landscapes`.

python -m studio.templates FOLDER      writes them as palette PNGs
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from studio.toys.landscapes import (
    BUILDING,
    CLOUD,
    COLOURS,
    GRASS,
    MOUNTAIN,
    ROAD,
    ROCK,
    SAND,
    SKY,
    SNOW,
    TREE,
    WATER,
    noise,
)

SIZE = 256
Point = tuple[float, float]


class Sheet:
    """A label map that is painted like paper cuts, one above the other."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.ids = np.full((SIZE, SIZE), SKY, np.uint8)

    def shape(self, label: int, points: Sequence[Point]) -> None:
        cv2.fillPoly(self.ids, [np.round(points).astype(np.int32)], label)

    def below(self, label: int, points: Sequence[Point], rough: float = 0.0) -> None:
        """All beneath a line from left to right through the points, smooth, with a little noise on it."""
        xs, ys = np.array(points, float).T
        x = np.arange(SIZE)
        t = np.interp(x, xs, np.arange(len(xs)))
        k = t.astype(int).clip(0, len(xs) - 2)
        ease = (t - k) ** 2 * (3 - 2 * (t - k))
        line = ys[k] + (ys[k + 1] - ys[k]) * ease + rough * noise(self.rng, SIZE, 8, 4)[0]
        self.ids[np.arange(SIZE)[:, None] >= line[None]] = label

    def peaks(self, label: int, points: Sequence[Point], rough: float = 3.0, cap: float = 0.0) -> None:
        """Mountains through the points, straight and jagged; above ``cap`` pixels from the top of the sheet snow."""
        xs, ys = np.array(points, float).T
        line = np.interp(np.arange(SIZE), xs, ys) + rough * noise(self.rng, SIZE, 10, 4)[0]
        rows = np.arange(SIZE)[:, None]
        self.ids[rows >= line[None]] = label
        if cap:
            edge = cap + 7 * noise(self.rng, SIZE, 16, 3)[1]
            self.ids[(rows >= line[None]) & (rows < edge[None])] = SNOW

    def clouds(self, *places: tuple[float, float, float]) -> None:
        """Clouds at (x, y) of a half width each, with flat bottoms."""
        for x, y, wide in places:
            for dx, dy, r in ((-0.55, 0.02, 0.34), (0, -0.16, 0.46), (0.5, 0, 0.38), (0.16, 0.06, 0.5)):
                centre = round(x + dx * wide), round(y + dy * wide)
                cv2.ellipse(self.ids, centre, (round(r * wide * 1.35), round(r * wide * 0.6)), 0, 180, 360, CLOUD, -1)
                cv2.ellipse(self.ids, centre, (round(r * wide * 1.35), round(r * wide * 0.2)), 0, 0, 180, CLOUD, -1)

    def trees(self, *places: tuple[float, float, float], conifer: bool = False) -> None:
        """Trees with their foot at (x, y), of a height each."""
        for x, y, high in places:
            self.shape(TREE, [(x - high / 22, y), (x + high / 22, y), (x + high / 30, y - high / 2), (x, y - high / 2)])
            if conifer:
                for k, wide in enumerate((0.22, 0.17, 0.11)):
                    foot = y - high * (0.14 + 0.26 * k)
                    self.shape(TREE, [(x - high * wide, foot), (x + high * wide, foot), (x, foot - high * 0.38)])
            else:
                for dx, dy, r in ((-0.16, 0.55, 0.18), (0.16, 0.57, 0.18), (0, 0.72, 0.24)):
                    cv2.circle(self.ids, (round(x + dx * high), round(y - dy * high)), round(r * high), TREE, -1)

    def rocks(self, *places: tuple[float, float, float]) -> None:
        for x, y, wide in places:
            corners = [(-1, 0), (-0.85, -0.45), (-0.3, -0.8), (0.35, -0.66), (0.9, -0.3), (1, 0)]
            self.shape(ROCK, [(x + dx * wide, y + dy * wide * self.rng.uniform(0.8, 1.2)) for dx, dy in corners])

    def way(self, label: int, points: Sequence[tuple[float, float, float]]) -> None:
        """A road or river through (x, y, half width), from far to near."""
        way = np.array(points, float)
        for _ in range(3):  # corners are cut, and cut again: a soft curve with the same ends (Chaikin)
            a, b = way[:-1], way[1:]
            cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 3)
            way = np.concatenate([way[:1], cut, way[-1:]])
        self.shape(label, [(x - half, y) for x, y, half in way] + [(x + half, y) for x, y, half in way[::-1]])

    def house(self, x: float, y: float, wide: float) -> None:
        self.shape(BUILDING, [(x, y), (x + wide, y), (x + wide, y - 0.62 * wide), (x, y - 0.62 * wide)])
        self.shape(
            BUILDING, [(x - 0.1 * wide, y - 0.6 * wide), (x + 1.1 * wide, y - 0.6 * wide), (x + wide / 2, y - wide)]
        )


def lake(s: Sheet) -> None:
    s.clouds((62, 52, 40), (190, 34, 30))
    s.peaks(MOUNTAIN, [(0, 100), (46, 62), (84, 96), (132, 44), (176, 92), (214, 66), (256, 104)], cap=78)
    s.below(TREE, [(0, 124), (70, 134), (150, 128), (256, 120)], 2)
    s.below(WATER, [(0, 144), (256, 140)])
    s.below(GRASS, [(0, 214), (70, 224), (130, 236), (200, 226), (256, 206)], 1.5)
    s.trees((28, 232, 92), (60, 242, 70), (232, 226, 84), conifer=True)
    s.rocks((120, 240, 16), (148, 246, 11))


def beach(s: Sheet) -> None:
    s.clouds((150, 40, 44), (60, 70, 26))
    s.below(WATER, [(0, 112), (256, 112)])
    s.below(MOUNTAIN, [(150, 113), (176, 104), (206, 98), (236, 106), (256, 104)])
    s.ids[112:, 150:] = np.where(s.ids[112:, 150:] == MOUNTAIN, WATER, s.ids[112:, 150:])
    s.ids[112:, :150] = WATER
    s.ids[:112, :150] = np.where(s.ids[:112, :150] == MOUNTAIN, SKY, s.ids[:112, :150])
    s.below(SAND, [(0, 176), (60, 190), (130, 200), (200, 222), (256, 240)], 1.5)
    s.rocks((206, 216, 15), (226, 224, 9))
    s.trees((18, 196, 84), (44, 204, 66))


def snow(s: Sheet) -> None:
    s.peaks(MOUNTAIN, [(0, 96), (60, 40), (96, 84), (150, 30), (206, 90), (256, 58)], cap=100)
    s.below(SNOW, [(0, 138), (90, 146), (170, 134), (256, 142)], 1.5)
    s.way(WATER, [(136, 146, 4), (128, 166, 12), (150, 190, 22), (140, 222, 34), (160, 256, 52)])
    s.trees((22, 196, 70), (48, 214, 86), (80, 186, 52), (210, 190, 66), (238, 214, 92), (186, 178, 44), conifer=True)
    s.rocks((108, 226, 12))


def meadow(s: Sheet) -> None:
    s.clouds((70, 44, 46), (176, 62, 38), (236, 30, 24))
    s.below(MOUNTAIN, [(0, 118), (60, 104), (120, 116), (190, 98), (256, 112)], 1.5)
    s.below(TREE, [(0, 126), (80, 130), (170, 122), (256, 128)], 2.5)
    s.below(GRASS, [(0, 136), (128, 140), (256, 134)])
    s.trees((196, 196, 88), (60, 160, 34), (86, 164, 28))


def forest(s: Sheet) -> None:
    s.below(TREE, [(0, 66), (60, 88), (128, 106), (190, 82), (256, 58)], 5)
    s.below(GRASS, [(0, 176), (110, 150), (150, 150), (256, 178)], 1.5)
    s.way(ROAD, [(130, 150, 3), (122, 172, 9), (138, 204, 20), (118, 256, 44)])
    s.trees((26, 216, 170), (70, 190, 112), (232, 220, 180), (190, 188, 108))
    s.rocks((176, 226, 14))


def desert(s: Sheet) -> None:
    s.below(
        ROCK,
        [(0, 112), (34, 110), (40, 74), (96, 72), (104, 112), (150, 116), (158, 92), (196, 90), (204, 116), (256, 114)],
    )
    s.below(SAND, [(0, 128), (70, 120), (140, 132), (256, 122)])
    s.below(SAND, [(0, 190), (90, 164), (170, 196), (256, 176)])
    s.rocks((58, 206, 18), (88, 212, 10), (206, 222, 14))


def village(s: Sheet) -> None:
    s.clouds((196, 42, 40))
    s.peaks(MOUNTAIN, [(0, 92), (70, 60), (130, 100), (190, 72), (256, 106)], cap=74)
    s.below(TREE, [(0, 122), (128, 130), (256, 118)], 3)
    s.below(GRASS, [(0, 138), (128, 144), (256, 136)])
    s.way(ROAD, [(150, 146, 3), (138, 170, 8), (160, 206, 18), (150, 256, 38)])
    s.house(60, 164, 34)
    s.house(104, 156, 26)
    s.house(186, 168, 38)
    s.trees((40, 172, 46), (240, 176, 62), (22, 206, 72))


def coast(s: Sheet) -> None:
    s.clouds((120, 34, 60), (220, 58, 34))
    s.below(WATER, [(0, 104), (256, 104)])
    s.shape(
        ROCK,
        [
            (256, 74),
            (222, 66),
            (206, 88),
            (186, 98),
            (172, 130),
            (150, 148),
            (166, 186),
            (132, 214),
            (150, 256),
            (256, 256),
        ],
    )
    s.shape(
        GRASS, [(256, 74), (222, 66), (210, 82), (214, 108), (196, 126), (208, 160), (188, 192), (204, 256), (256, 256)]
    )
    s.rocks((78, 168, 22), (106, 196, 14), (46, 214, 12))


def river(s: Sheet) -> None:
    s.clouds((52, 40, 32))
    s.peaks(MOUNTAIN, [(0, 52), (56, 84), (112, 118), (140, 118), (190, 76), (256, 40)], cap=62)
    s.below(GRASS, [(0, 136), (128, 128), (256, 138)], 1.5)
    s.way(WATER, [(126, 129, 3), (116, 144, 8), (146, 166, 16), (108, 198, 28), (138, 256, 54)])
    s.trees((40, 182, 60), (70, 168, 40), (18, 214, 78), (206, 178, 56), (232, 204, 80), (184, 160, 34), conifer=True)
    s.rocks((74, 224, 13), (190, 236, 16))


def sea(s: Sheet) -> None:
    s.clouds((74, 62, 52), (188, 84, 44), (140, 28, 36))
    s.below(WATER, [(0, 132), (256, 132)])


TEMPLATES: dict[str, Callable[[Sheet], None]] = {
    each.__name__: each for each in (lake, beach, snow, meadow, forest, desert, village, coast, river, sea)
}


def template(name: str) -> np.ndarray:
    """The ids of a template, ``(256, 256)`` uint8."""
    sheet = Sheet(list(TEMPLATES).index(name))
    TEMPLATES[name](sheet)
    return sheet.ids


def main(folder: str) -> None:
    colours = [int(colour[k : k + 2], 16) for colour in COLOURS for k in (1, 3, 5)]
    for name in TEMPLATES:
        picture = Image.fromarray(template(name))
        picture.putpalette(colours)
        picture.save(Path(folder) / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
