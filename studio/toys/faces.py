"""Cartoon faces whose traits are known: hair colour, masculine, smiling, glasses, older; none depends on another."""

from __future__ import annotations

import cv2
import numpy as np

HAIR = {"black": (38, 33, 36), "brown": (104, 68, 44), "blond": (224, 190, 112), "red": (178, 72, 36)}
TRAITS = (*HAIR, "masculine", "smiling", "glasses", "older")
SKIN = [(250, 220, 196), (240, 200, 170), (222, 172, 136), (190, 138, 104), (146, 100, 74), (104, 70, 52)]
IRIS = [(88, 60, 40), (60, 90, 130), (70, 110, 70), (90, 90, 96)]
FINE = 6  # binary digits behind the point of a drawn coordinate
FRAME = 0.84  # of what is drawn, the middle is shown: the face fills the picture, as in portraits


def draw(rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """A face, ``(size, size, 3)`` uint8."""
    return face(rng, size)[0]


def face(rng: np.random.Generator, size: int = 256) -> tuple[np.ndarray, dict[str, int]]:
    """A face and what is true of it, ``{trait: 0 or 1}``; exactly one hair colour is 1."""
    known = traits(rng)
    return paint(rng, known, size), known


def traits(rng: np.random.Generator) -> dict[str, int]:
    """Only what would be true: the first random numbers of a face, so that a label costs no drawing."""
    hair = list(HAIR)[rng.integers(len(HAIR))]
    chances = {"masculine": 0.5, "smiling": 0.5, "glasses": 0.35, "older": 0.3}
    return {name: int(name == hair) for name in HAIR} | {n: int(rng.random() < p) for n, p in chances.items()}


def paint(rng: np.random.Generator, known: dict[str, int], size: int = 256) -> np.ndarray:
    """A face of these traits; everything else about it comes from the random numbers."""
    man, glad, old = known["masculine"], known["smiling"], known["older"]
    side = int(np.clip(2 * size, 64, 512))  # drawn at twice the size: fine lines survive shrinking
    board = _Board(round(side / FRAME))
    skin = _shade(SKIN[rng.integers(len(SKIN))], rng, 8)
    hair = _shade(HAIR[next(name for name in HAIR if known[name])], rng, 10)
    if old:
        hair = tuple(int(0.72 * c + 0.28 * 205) for c in hair)  # greying, but its colour can still be told
    dark, light = _times(skin, 0.8), _times(skin, 1.06)
    backdrop = rng.integers(90, 235, 3)
    board.fade(backdrop, backdrop * rng.uniform(0.6, 0.95))

    x, y = 50 + rng.uniform(-3, 3), 52 + rng.uniform(-3, 2)
    wide, high = rng.uniform(19.5, 22.5) + 1.2 * man, rng.uniform(25, 28)
    cloth = tuple(int(c) for c in rng.integers(30, 225, 3))
    long_hair = rng.random() < (0.08 if man else 0.85)
    if long_hair:  # behind the shoulders
        length, spread = rng.uniform(20, 40), rng.uniform(5, 11)
        board.oval(x, y + length / 2 - 6, wide + spread, high + length / 2, _times(hair, 0.85))
    board.oval(x, 108, rng.uniform(36, 42) + 5 * man, 26, cloth)
    board.box(x - 7 - 2 * man, y + 12, x + 7 + 2 * man, 86, dark)
    board.oval(x, 85, 8 + 2 * man, 5, dark)
    for way in (-1, 1):
        board.oval(x + way * wide, y + 2, 4, 6, dark)
    board.oval(x, y, wide, high, skin)
    if man:  # a square jaw
        board.shape([(x - wide + 1, y + 3), (x + wide - 1, y + 3), (x + 12, y + high), (x - 12, y + high)], skin)
    board.oval(x - 11, y + 9, 5.5, 4, _blend(skin, (232, 110, 100), 0.1 + 0.12 * (not man)))
    board.oval(x + 11, y + 9, 5.5, 4, _blend(skin, (232, 110, 100), 0.1 + 0.12 * (not man)))

    eyes, apart = y - 2 + rng.uniform(-1, 1), rng.uniform(8.3, 10)
    iris = IRIS[rng.integers(len(IRIS))]
    open_wide = rng.uniform(2.6, 3.6) - 0.7 * glad
    for way in (-1, 1):
        board.oval(x + way * apart, eyes, 4.6, open_wide, (250, 250, 248))
        board.oval(x + way * apart, eyes, 2.4, min(2.4, open_wide), iris)
        board.oval(x + way * apart, eyes, 1.2, 1.2, (15, 15, 18))
        board.oval(x + way * apart - 0.8, eyes - 0.9, 0.6, 0.6, (255, 255, 255))
        lash = 0.9 if man else 1.7
        board.arc(x + way * apart, eyes + 0.4, 5, open_wide + 0.9, 195, 345, (30, 24, 26), lash)
        brow = eyes - 6.4 - 0.5 * glad + rng.uniform(-0.5, 0.5)
        board.arc(x + way * apart, brow + 3, 6, 3.4, 205, 335, _times(hair, 0.72), 2.5 if man else 1.3)
    nose = y + 7.5 + rng.uniform(-0.8, 0.8)
    board.arc(x, nose, 2.6 + man, 2, 20, 160, _times(skin, 0.66), 1.3)

    lips = _blend(skin, (200, 60, 66), 0.35 if man else 0.75)
    mouth, half = y + 15 + rng.uniform(-0.8, 0.8), rng.uniform(6, 7.4)
    if glad:
        half += 2
        board.smile(x, mouth - 1.5, half, rng.uniform(4.4, 6), lips, (252, 250, 246))
        for way in (-1, 1):
            board.arc(x + way * (half + 2), mouth - 1.5, 2.4, 4.5, *((200, 330) if way < 0 else (210, 340)), dark, 1)
    else:
        bend = rng.uniform(-1.4, 0.6)
        board.line([(x - half, mouth + 0.6), (x, mouth - bend * 0.4), (x + half, mouth + 0.6)], lips, 2.2)
        board.line([(x - half * 0.5, mouth + 2.2), (x + half * 0.5, mouth + 2.2)], _blend(lips, light, 0.5), 1.4)
    if man and rng.random() < 0.35:
        board.veil(x, mouth + 4, wide * 0.72, 8, _times(hair, 0.7), 0.45)
        board.line([(x - half * 0.8, mouth + 0.4), (x + half * 0.8, mouth + 0.4)], lips, 1.6)
    if old:
        crease = _times(skin, 0.7)
        for way in (-1, 1):
            board.line([(x + way * 5.5, y + 8.5), (x + way * 9, y + 14)], crease, 1.2)
            board.arc(x + way * apart, eyes + 3.2, 4.6, 2.2, 30, 150, crease, 1)
            board.line([(x + way * (apart + 6), eyes - 0.5), (x + way * (apart + 8.4), eyes - 2)], crease, 0.9)
            board.line([(x + way * (apart + 6), eyes + 0.8), (x + way * (apart + 8.4), eyes + 1.8)], crease, 0.9)
        for k in range(2 + int(rng.random() < 0.5)):
            board.arc(x, y - 12.5 - 2.6 * k, 9, 2.2, 205, 335, crease, 0.9)

    top = y - high
    if man:
        thin = 2.5 * old  # the line of the hair moves up
        board.crown(x, top, wide, rng.uniform(10, 13) - thin, rng.uniform(-6, 6), hair)
    else:
        board.crown(x, top, wide + 1.5, rng.uniform(12, 15) - old, rng.uniform(-9, 9), hair)
        if rng.random() < 0.35:  # a fringe
            board.oval(x + rng.uniform(-4, 4), top + 9, wide * 0.72, 6, hair)
    if long_hair:
        for way in (-1, 1):
            board.oval(x + way * (wide + 2.5), y + 8, 5.5, 20 + 6 * rng.random(), hair)
            board.line([(x + way * (wide + 3), y - 8), (x + way * (wide + 4), y + 22)], _times(hair, 1.18), 1.1)
    board.arc(x - 4, top + 9, wide * 0.62, 9, 215, 300, _times(hair, 1.25), 1.6)
    if known["glasses"]:
        rim = (28, 28, 32) if rng.random() < 0.7 else tuple(int(c) for c in rng.integers(40, 180, 3))
        thick, tall = rng.uniform(1.3, 2.3), rng.uniform(5, 6.4)
        for way in (-1, 1):
            board.ring(x + way * apart, eyes + 0.6, 7, tall, rim, thick, rng.random() < 0.5)
            board.line([(x + way * (apart + 7), eyes - 0.6), (x + way * (wide + 1), eyes - 2)], rim, thick)
        board.line([(x - apart + 7, eyes), (x + apart - 7, eyes)], rim, thick)
    edge = (len(board.paper) - side) // 2
    picture = board.paper[edge : edge + side, edge : edge + side].astype(np.float32) * rng.uniform(0.92, 1.06)
    picture = picture.clip(0, 255).astype(np.uint8)
    return picture if side == size else cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def _times(colour: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(int(min(255, c * factor)) for c in colour)


def _blend(a: tuple[int, ...], b: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(int((1 - share) * p + share * q) for p, q in zip(a, b, strict=True))


def _shade(colour: tuple[int, ...], rng: np.random.Generator, much: float) -> tuple[int, ...]:
    return tuple(int(np.clip(c + d, 0, 255)) for c, d in zip(colour, rng.normal(0, much, 3), strict=True))


class _Board:
    """Paper on which coordinates run from 0 to 100, whatever its pixels; they are fractions of pixels, too."""

    def __init__(self, side: int) -> None:
        self.paper, self.unit = np.zeros((side, side, 3), np.uint8), side / 100

    def _fine(self, *values: float) -> tuple[int, ...]:
        return tuple(round(value * self.unit * (1 << FINE)) for value in values)

    def _points(self, points: list[tuple[float, float]]) -> np.ndarray:
        return np.array([self._fine(*point) for point in points], np.int32)

    def _pen(self, width: float) -> int:
        return max(1, round(width * self.unit))

    def fade(self, upper: np.ndarray, lower: np.ndarray) -> None:
        t = np.linspace(0, 1, len(self.paper), dtype=np.float32)[:, None, None]
        self.paper[:] = (np.asarray(upper, np.float32) * (1 - t) + np.asarray(lower, np.float32) * t).astype(np.uint8)

    def oval(self, x: float, y: float, wide: float, high: float, colour: tuple[int, ...]) -> None:
        size = self._fine(wide, high)
        cv2.ellipse(self.paper, self._fine(x, y), size, 0, 0, 360, colour, -1, cv2.LINE_AA, FINE)

    def arc(self, x: float, y: float, wide: float, high: float, start: float, end: float, colour, pen: float) -> None:
        size = self._fine(wide, high)
        cv2.ellipse(self.paper, self._fine(x, y), size, 0, start, end, colour, self._pen(pen), cv2.LINE_AA, FINE)

    def ring(self, x: float, y: float, wide: float, high: float, colour, pen: float, round_: bool) -> None:
        if round_:
            self.arc(x, y, wide, high, 0, 360, colour, pen)
        else:
            self.line(
                [(x - wide, y - high + 1), (x + wide, y - high + 1), (x + wide - 1, y + high), (x - wide + 1, y + high),
                 (x - wide, y - high + 1)], colour, pen)  # fmt: skip

    def box(self, left: float, top: float, right: float, bottom: float, colour: tuple[int, ...]) -> None:
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def shape(self, points: list[tuple[float, float]], colour: tuple[int, ...]) -> None:
        cv2.fillPoly(self.paper, [self._points(points)], colour, cv2.LINE_AA, FINE)

    def line(self, points: list[tuple[float, float]], colour: tuple[int, ...], pen: float) -> None:
        cv2.polylines(self.paper, [self._points(points)], False, colour, self._pen(pen), cv2.LINE_AA, FINE)

    def veil(self, x: float, y: float, wide: float, high: float, colour: tuple[int, ...], share: float) -> None:
        before = self.paper.copy()
        self.oval(x, y, wide, high, colour)
        self.paper[:] = cv2.addWeighted(self.paper, share, before, 1 - share, 0)

    def smile(
        self, x: float, y: float, wide: float, deep: float, lips: tuple[int, ...], teeth: tuple[int, ...]
    ) -> None:
        """An open mouth: a half moon, its upper row of teeth."""
        angles = np.linspace(0, np.pi, 16)
        for colour, w, d in ((lips, wide, deep), (teeth, wide * 0.86, deep * 0.55)):
            low = [(x + w * np.cos(a), y + d * np.sin(a)) for a in angles]
            self.shape([(x - w, y - 0.6), (x, y + 0.5), (x + w, y - 0.6), *low], colour)

    def crown(self, x: float, top: float, wide: float, deep: float, parting: float, colour: tuple[int, ...]) -> None:
        """Hair on the head: around the skull outside, from temple to temple inside."""
        outer = np.linspace(np.pi, 2 * np.pi, 20)
        inner = np.linspace(2 * np.pi, np.pi, 20)
        high = 26.0
        around = [(x + (wide + 2.5) * np.cos(a), top + high + (high + 5) * np.sin(a)) for a in outer]
        edge = [
            (
                x + (wide - 2.5) * np.cos(a),
                top + high - 2 + (high - deep) * np.sin(a) * (1 - 0.02 * parting * np.cos(a)),
            )
            for a in inner
        ]
        self.shape([*around, *edge], colour)
