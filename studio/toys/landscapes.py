"""Cartoon landscapes with their label maps: sky and clouds, ridges in haze, a lake, a beach, snow, a road, houses.

What stands further back is painted first, and each thing that is painted writes its class into the label map, so the
map is exact.
"""

from __future__ import annotations

import colorsys
import copy
from collections.abc import Sequence

import cv2
import numpy as np

CLASSES = (
    "sky", "cloud", "mountain", "water", "grass", "tree", "rock", "sand", "snow", "road", "building",
)  # fmt: skip
COLOURS = (
    "#87b5e5", "#e8eef5", "#7a6a8a", "#2f62b5", "#7bb03c", "#2c6e35", "#8a8074", "#d9c48f", "#ffffff", "#6e6e73",
    "#b5573c",
)  # fmt: skip
SKY, CLOUD, MOUNTAIN, WATER, GRASS, TREE, ROCK, SAND, SNOW, ROAD, BUILDING = range(11)
# Hours: the sky at the top and at the horizon, the sun's colour, and how much light falls on the land.
HOURS = (
    ((70, 130, 215), (190, 220, 245), (255, 250, 235), 1.0),  # noon
    ((110, 165, 225), (235, 225, 200), (255, 240, 200), 0.92),  # late afternoon
    ((70, 75, 140), (250, 165, 95), (255, 205, 130), 0.72),  # sunset
    ((95, 90, 150), (250, 195, 190), (255, 225, 205), 0.8),  # sunrise
    ((175, 185, 195), (215, 220, 222), (235, 235, 235), 0.78),  # overcast
    ((18, 26, 66), (62, 80, 130), (215, 220, 235), 0.5),  # night
)
OFTEN = (0.34, 0.2, 0.14, 0.1, 0.16, 0.06)

Random = np.random.Generator


def draw(rng: Random, size: int = 256) -> np.ndarray:
    """A landscape, ``(size, size, 3)`` uint8."""
    return landscape(rng, size)[0]


def summer(rng: Random, size: int = 256) -> np.ndarray:
    """A green landscape without snow, ``(size, size, 3)`` uint8."""
    return landscape(rng, size, ("lake", "meadow", "village", "forest"), snowy=0.0)[0]


def winter(rng: Random, size: int = 256) -> np.ndarray:
    """The same kinds of landscapes under snow: the ground, the mountains, the trees."""
    return landscape(rng, size, ("lake", "meadow", "village", "forest"), snowy=1.0)[0]


ALL = ("lake", "beach", "meadow", "winter", "desert", "village", "sea", "forest")


def landscape(
    rng: Random, size: int = 256, kinds: Sequence[str] = ALL, snowy: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(photo, ids): ``(size, size, 3)`` uint8 and ``(size, size)`` uint8 of the classes 0 … 10.

    Args:
        kinds: of which to draw one.
        snowy: 1 = everything lies under snow, 0 = nothing does; None = as it comes.
    """
    scene = _Scene(rng, size)
    scene.white = snowy == 1
    kind = rng.choice(list(kinds))
    scene.sky(cloudy=rng.choice([0.0, 0.3, 0.55, 0.75]))
    if kind not in ("sea", "beach") or rng.random() < 0.35:
        for depth in sorted(rng.uniform(0.15, 0.85, rng.integers(1, 4)))[::-1]:
            scene.ridge(depth, snowy=(kind == "winter" or rng.random() < 0.25) if snowy is None else scene.white)
    ground = SNOW if scene.white else {"winter": SNOW, "desert": SAND, "beach": SAND}.get(kind, GRASS)
    if kind == "sea":
        scene.water(0.0, 1.0)
        scene.rocks(rng.integers(1, 5), WATER)
        return scene.done()
    scene.land(ground)
    if kind in ("lake", "beach") or rng.random() < 0.15:
        low = rng.uniform(0.05, 0.3)
        scene.water(*((0.0, rng.uniform(0.4, 0.65)) if kind == "beach" else (low, low + rng.uniform(0.25, 0.5))))
    if kind == "village" or (kind in ("meadow", "desert", "winter") and rng.random() < 0.4):
        scene.road()
    if kind == "village" or rng.random() < 0.1:
        scene.houses(rng.integers(1, 5))
    if kind not in ("desert", "beach") or rng.random() < 0.3:
        scene.trees(rng.integers(14, 40) if kind == "forest" else rng.integers(0, 9))
    scene.rocks(rng.integers(0, 4), None)
    return scene.done()


def noise(rng: Random, size: int, cells: int, octaves: int = 4) -> np.ndarray:
    """Soft clouds of noise, ``(size, size)`` float32 around 0: random grids, ever finer and fainter, smoothly grown."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        side = min(cells << octave, size)
        grid = rng.standard_normal((side + 1, side + 1)).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    return total


class _Scene:
    """A picture and its label map while they are painted; lengths are shares of the side."""

    def __init__(self, rng: Random, size: int) -> None:
        self.rng, self.size = rng, size
        self.top, self.low, self.sun, self.light = (
            np.array(part, np.float32) if isinstance(part, tuple) else part
            for part in HOURS[rng.choice(len(HOURS), p=OFTEN)]
        )
        self.horizon = rng.uniform(0.38, 0.68)
        self.y, self.x = (axis.astype(np.float32) / size for axis in np.mgrid[0:size, 0:size])
        self.picture = np.zeros((size, size, 3), np.float32)
        self.ids = np.zeros((size, size), np.uint8)
        self.grain = noise(rng, size, 16, 3) * 0.5
        self.white = False  # whether trees carry snow

    def done(self) -> tuple[np.ndarray, np.ndarray]:
        return self.picture.clip(0, 255).astype(np.uint8), self.ids

    def paint(self, mask: np.ndarray, colour: np.ndarray, label: int) -> None:
        """``colour`` (…, 3) where ``mask`` (H, W) bool."""
        self.picture[mask] = colour if colour.ndim == 1 else colour[mask]
        self.ids[mask] = label

    def window(self, left: float, right: float, top: float, bottom: float) -> _Scene:
        """A part of the scene to paint a small thing in: views, so what is painted there is painted here."""
        x0, x1, y0, y1 = (min(max(int(v * self.size), 0), self.size) for v in (left, right, top, bottom))
        part, at = copy.copy(self), (slice(y0, y1 + 1), slice(x0, x1 + 1))
        part.x, part.y, part.grain = self.x[at], self.y[at], self.grain[at]
        part.picture, part.ids = self.picture[at], self.ids[at]
        return part

    def hue(self, hue: float, colourful: float, value: float, spread: float = 0.03) -> np.ndarray:
        """A colour near (hue, saturation, value) in this hour's light, ``(3,)``."""
        h, s, v = hue + self.rng.normal() * spread, colourful * self.rng.uniform(0.8, 1.15), value
        rgb = np.array(colorsys.hsv_to_rgb(h % 1, min(s, 1), v), np.float32) * 255
        return rgb * self.light * (0.55 + 0.45 * self.low / 255)

    def textured(self, colour: np.ndarray, strength: float, grain: np.ndarray | None = None) -> np.ndarray:
        return colour * (1 + strength * (self.grain if grain is None else grain))[..., None]

    # ---- what there is ----------------------------------------------------------------------------------------------

    def sky(self, cloudy: float) -> None:
        far = np.clip(self.y / self.horizon, 0, 1)[..., None] ** 1.4
        sky = self.top * (1 - far) + self.low * far
        sx, sy = self.rng.uniform(0.1, 0.9), self.rng.uniform(0.05, self.horizon)
        away = np.hypot(self.x - sx, self.y - sy)
        glow = np.exp(-away * self.rng.uniform(4, 9))[..., None]
        sky = sky + (self.sun - sky) * np.clip(glow + (away < 0.03)[..., None], 0, 1) * 0.85
        self.paint(np.ones_like(self.ids, bool), sky, SKY)
        if not cloudy:
            return
        puffs = noise(self.rng, self.size, int(self.rng.integers(2, 5)), 5)
        flat = float(self.rng.uniform(1.3, 2.6))  # clouds are wider than high
        puffs = cv2.resize(puffs, (round(self.size * flat), self.size), interpolation=cv2.INTER_LINEAR)[:, : self.size]
        puffs = puffs - 1.2 * np.clip(self.y / self.horizon - 0.75, 0, 1)  # thinner towards the horizon
        height = puffs - np.quantile(puffs[: max(1, round(self.horizon * self.size))], 1 - cloudy)
        soft = cv2.GaussianBlur(height, (0, 0), self.size / 36)
        lit = np.clip(0.86 + 0.5 * (height - soft) + 0.12 * soft, 0.6, 1.08)[..., None]
        white = (0.45 * self.sun + 0.3 * self.low + 0.25 * 255) * (0.45 + 0.55 * self.light)
        share = np.clip(height * 2.2, 0, 0.96)[..., None]
        self.picture += (white * lit - self.picture) * share
        self.ids[height > 0.15] = CLOUD

    def ridge(self, depth: float, snowy: bool) -> None:
        """A chain of mountains; the further away (``depth`` to 1), the more of the horizon's haze lies over it."""
        rough = self.rng.uniform(0.05, 0.28) * (0.5 + depth / 2)
        line = np.zeros(self.size, np.float32)
        for octave in range(6):
            points = self.rng.standard_normal(3 + (2 << octave)).astype(np.float32)
            line += cv2.resize(points[None], (self.size, 1), interpolation=cv2.INTER_LINEAR)[0] * 0.5**octave
        crest = self.horizon - rough * (0.6 + 0.45 * line) - 0.04 * depth
        below = self.y - crest[None]
        mask = (below >= 0) & (self.y < self.horizon + 0.02)
        rock = self.hue(self.rng.choice([0.62, 0.08, 0.3]), 0.22, 0.5)
        slope = np.gradient(crest)[None] * self.size
        shade = 1 + 0.35 * np.clip(slope * 0.6 + 0.3 * self.grain, -1, 1)
        haze = 0.2 + 0.65 * depth
        self.paint(mask, (rock * shade[..., None]) * (1 - haze) + self.low * haze, MOUNTAIN)
        if snowy and rough > 0.09:
            cap = mask & (below < rough * (0.35 + 0.25 * self.grain))
            white = np.float32([240, 244, 250]) * (0.3 + 0.7 * self.light) * shade[..., None]
            self.paint(cap, white * (1 - haze / 2) + self.low * haze / 2, SNOW)

    def land(self, label: int) -> None:
        """The ground from the horizon to the viewer, in a few overlapping hills."""
        hue, colourful, value = {SNOW: (0.6, 0.06, 0.97), SAND: (0.11, 0.38, 0.86), GRASS: (0.25, 0.62, 0.62)}[label]
        start = self.horizon
        for k in range(int(self.rng.integers(1, 4))):
            points = self.rng.standard_normal(5).astype(np.float32)
            wave = cv2.resize(points[None], (self.size, 1), interpolation=cv2.INTER_CUBIC)[0]
            edge = start + 0.035 * wave * (1 if k else 0.3)
            colour = self.hue(hue, colourful, value * (0.86 + 0.1 * k), 0.02)
            near = np.clip((self.y - start) / (1 - start), 0, 1)[..., None]
            wide = self.textured(colour, 0.1 if label != GRASS else 0.22) * (0.85 + 0.25 * near)
            self.paint(self.y >= edge[None], wide, label)
            start += self.rng.uniform(0.1, 0.25)

    def water(self, first: float, last: float) -> None:
        """A lake or the sea between two shares of the way from the horizon to the viewer; it mirrors what is above."""
        y0, y1 = (self.horizon + share * (1 - self.horizon) for share in (first, last))
        shore = noise(self.rng, self.size, 3, 3) * 0.022
        mask = (self.y + shore * (first > 0) >= y0) & (self.y + shore < (y1 if last < 1 else 2))
        if first > 0:  # a lake has two sides
            middle, half = self.rng.uniform(0.3, 0.7), self.rng.uniform(0.35, 0.9)
            mask &= np.abs(self.x - middle) < half * np.sqrt(
                np.clip(1 - ((self.y - (y0 + y1) / 2) / (y1 - y0) * 2) ** 2, 0, 1)
            )
        rows = np.clip(2 * y0 * self.size - np.arange(self.size), 0, self.size - 1).astype(int)
        mirrored = cv2.GaussianBlur(self.picture[rows], (0, 0), sigmaX=self.size / 60, sigmaY=self.size / 200)
        deep = self.hue(0.56, 0.6, 0.5)
        grow = np.clip((self.y - y0) / max(y1 - y0, 1e-3), 0, 1)[..., None]
        waves = np.sin((self.y * self.rng.uniform(60, 110) + 2 * self.grain) * (1.6 - self.y))[..., None]
        colour = mirrored * (0.62 - 0.3 * grow) + deep * (0.38 + 0.3 * grow)
        self.paint(mask, colour * (1 + 0.06 * waves), WATER)

    def road(self) -> None:
        """From the viewer to a point at the horizon, with a bend."""
        near, far, bend = self.rng.uniform(0.25, 0.75), self.rng.uniform(0.2, 0.8), self.rng.uniform(-0.2, 0.2)
        t = np.clip((self.y - self.horizon) / (1 - self.horizon), 0, 1)
        middle = far + (near - far) * t + bend * np.sin(np.pi * t)
        half = 0.006 + self.rng.uniform(0.08, 0.16) * t**1.3
        away = np.abs(self.x - middle) / half
        inside = (away < 1) & (self.y > self.horizon + 0.01) & (self.ids != WATER)
        grey = self.hue(0.6, 0.05, 0.45)
        self.paint(inside, self.textured(grey, 0.08), ROAD)
        dashes = inside & (away < 0.07) & (np.sin(40 / (t + 0.12)) > 0)
        self.paint(dashes, self.hue(0.14, 0.1, 0.9), ROAD)

    def houses(self, count: int) -> None:
        for depth in sorted(self.rng.uniform(0.02, 0.35, count)):
            base = self.horizon + depth * (1 - self.horizon)
            tall = (0.05 + 0.28 * depth) * self.rng.uniform(0.8, 1.6)
            wide = tall * self.rng.uniform(0.8, 1.8)
            left = self.rng.uniform(0, 1 - wide)
            wall, tile = self.hue(self.rng.choice([0.05, 0.1, 0.58]), 0.25, 0.9), self.hue(0.02, 0.6, 0.5)
            lit = self.light < 0.6 and self.rng.random() < 0.8
            part = self.window(left - 0.1 * wide, left + 1.1 * wide, base - tall - wide / 2, base)
            away = np.abs(part.x - left - wide / 2)
            inside = (away < wide / 2) & (part.y > base - tall) & (part.y < base)
            part.paint(inside, part.textured(wall, 0.05), BUILDING)
            over = (part.y <= base - tall) & (part.y > base - tall - wide * 0.45 + away * 0.9) & (away < wide * 0.55)
            part.paint(over, tile, BUILDING)
            u, v = (part.x - left) / wide * 3 % 1, (part.y - base + tall) / tall * 2 % 1
            panes = inside & (np.abs(u - 0.5) < 0.2) & (np.abs(v - 0.5) < 0.22)
            part.paint(panes, np.float32([250, 215, 120]) if lit else self.hue(0.6, 0.3, 0.35), BUILDING)

    def trees(self, count: int) -> None:
        conifer = self.rng.random() < 0.5
        for depth in sorted(self.rng.uniform(0.0, 0.75, count) ** 1.3):
            base = self.horizon + depth * (1 - self.horizon) + 0.01
            tall = (0.05 + 0.42 * depth) * self.rng.uniform(0.7, 1.3)
            middle = self.rng.uniform(0, 1)
            row, column = min(int(base * self.size), self.size - 1), min(int(middle * self.size), self.size - 1)
            if self.ids[row, column] in (WATER, ROAD, BUILDING):
                continue
            part = self.window(middle - 0.42 * tall, middle + 0.42 * tall, base - 1.1 * tall, base)
            up = (base - part.y) / tall  # 0 at the foot, 1 at the tip
            side = (part.x - middle) / tall
            trunk = (np.abs(side) < 0.035) & (up > 0) & (up < 0.4)
            part.paint(trunk, self.hue(0.07, 0.45, 0.35), TREE)
            ragged = 0.05 * part.grain
            if conifer:
                steps = 0.3 * (1 - up) * (0.75 + 0.25 * np.sin(up * 34))
                crown = (up > 0.12) & (up < 1) & (np.abs(side) + ragged < steps)
            else:
                crown = (side / 0.34) ** 2 + ((up - 0.66) / 0.36) ** 2 + 4 * ragged < 1
            leaf = self.hue(0.6, 0.06, 0.9) if self.white else self.hue(0.34 if conifer else 0.28, 0.6, 0.42)
            light = 1 + 0.3 * np.clip(side * 2 + up - 0.5, -1, 1) + 0.25 * part.grain
            part.paint(crown, leaf * light[..., None], TREE)

    def rocks(self, count: int, only: int | None) -> None:
        for depth in sorted(self.rng.uniform(0.08, 0.9, count)):
            base = self.horizon + depth * (1 - self.horizon)
            wide = (0.03 + 0.14 * depth) * self.rng.uniform(0.6, 1.4)
            high, middle = wide * self.rng.uniform(0.5, 1.1), self.rng.uniform(0, 1)
            part = self.window(middle - 1.3 * wide, middle + 1.3 * wide, base - 1.4 * high, base + 0.2 * high)
            u, v = (part.x - middle) / wide, (base - part.y) / high
            lump = (np.abs(u) ** 3 + np.abs(v) ** 2 + 0.2 * part.grain < 1) & (v > -0.12)
            if only is not None:
                lump &= part.ids == only
            stone = self.hue(0.08, 0.12, 0.55)
            part.paint(
                lump, stone * (1 + 0.35 * np.clip(v + u * 0.5 - 0.4, -1, 1) + 0.15 * part.grain)[..., None], ROCK
            )
