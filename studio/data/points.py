"""Points: the plane instead of pictures, where a whole distribution can be seen at once."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from studio.data.base import DataSet, Random
from studio.refused import Refused
from studio.toys import points

SIDE = 128  # pixels of the plot of a batch
INKS = ((43, 58, 120), (232, 129, 45))  # of the first cloud of a plot, and of the second


class _Plane(DataSet):
    """What data of points has in common: it comes from no file, and there is no end to it."""

    FILES = False
    ENDLESS = True

    def __init__(self, source: Any, config: Any) -> None:
        super().__init__(source, config)
        self.size = 2

    def understand(self, config: Any) -> tuple[str, list[str]]:
        raise Refused("data.pointsNoFile", asks=self.asks)

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, ...]:
        one = [self.endless(rng, 1) for rng in self._each(indices, rngs)]
        return tuple(torch.cat(parts) for parts in zip(*one, strict=True))

    def picture(self, index: int) -> np.ndarray:
        shown = self.rows(self.batch([index], [None]))[0, 0]
        return ((shown.permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)


class Points(_Plane):
    """``(N, 2)`` float32 in [-1, 1], each drawn anew.

    ``points:0.1,0.2;-0.5,0.3`` is a cloud that somebody has drawn; of ``points:`` alone they are in the Config.

    Args:
        config: may have ``points``: such a text.
    """

    asks: ClassVar = {
        "en": f"a toy set ({', '.join(points.KINDS)}), or points:x,y;x,y;…",
        "ko": f"장난감 데이터({', '.join(points.KINDS)}) 또는 points:x,y;x,y;…",
    }
    TOYS = points.KINDS

    def __init__(self, source: Any, config: Any) -> None:
        self.places: np.ndarray | None = None  # of a cloud that is drawn by hand
        if str(source).startswith("points:"):
            self.places = points.read(str(source).partition(":")[2].strip() or getattr(config, "points", ""))
        super().__init__(source, config)

    def _toy(self) -> str:
        return "by hand" if self.places is not None else super()._toy()

    def endless(self, rng: Random, n: int) -> tuple[Tensor]:
        if self.places is not None:
            return (torch.from_numpy(points.by_hand(self.places, rng, n)),)
        return (torch.from_numpy(points.sample(self.toy, rng, n)),)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        """All points of the batch in one plot."""
        return plot(batch[0])[None, None]


class TwoClouds(_Plane):
    """(x, y), both ``(N, 2)`` float32: unpaired points of a ring on the left and of a squircle on the right, each drawn
    anew (`studio.toys.points.two`)."""

    asks: ClassVar = {"en": "the toy set ring-squircle", "ko": "장난감 데이터 ring-squircle"}
    TOYS = ("ring-squircle",)

    def endless(self, rng: Random, n: int) -> tuple[Tensor, Tensor]:
        x, y = points.two(rng, n)
        return torch.from_numpy(x), torch.from_numpy(y)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Both clouds in one plot, each point in the colour of its angle."""
        middles = (points.X, points.Y)
        return plot(*batch, angles=[angles_of(*pair) for pair in zip(batch, middles, strict=True)])[None, None]


def angles_of(cloud: Tensor, middle: np.ndarray) -> Tensor:
    """Where each point of a cloud ``(N, 2)`` lies around a middle, ``(N,)`` in [0, 2 pi)."""
    return torch.from_numpy(points.angles(cloud.detach().cpu().numpy(), middle))


def plot(*clouds: Tensor, angles: Sequence[Tensor] | None = None) -> Tensor:
    """Point clouds ``(N, 2)`` -> ``(3, SIDE, SIDE)`` in [-1, 1]: the first dark blue, the second orange.

    Args:
        angles: one ``(N,)`` a cloud, by which its points get their colours instead: those of a translated cloud say
            where its points came from.
    """
    paper = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for number, (cloud, ink) in enumerate(zip(clouds, INKS, strict=False)):
        hues = None if angles is None else (angles[number].detach().cpu().numpy() / (2 * np.pi)).tolist()
        places = ((cloud.detach().cpu().numpy() * [0.42, -0.42] + 0.5) * SIDE).round().clip(0, SIDE - 1).astype(int)
        for k, place in enumerate(places.tolist()):
            colour = ink if hues is None else tuple(int(255 * c) for c in colorsys.hsv_to_rgb(hues[k] % 1, 0.85, 0.85))
            cv2.circle(paper, place, 1, colour, -1, cv2.LINE_AA)
    return torch.from_numpy(paper).permute(2, 0, 1).float() / 127.5 - 1
