"""Points: the plane instead of pictures, where a whole distribution can be seen at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from studio.data.base import DataSet, Random
from studio.toys import points

SIDE = 128  # pixels of the plot of a batch


class Points(DataSet):
    """``(N, 2)`` float32 in about [-1, 1], each drawn anew: there is no end to them."""

    asks: ClassVar = {"en": "a toy set: gaussians or ring", "ko": "장난감 데이터: gaussians 또는 ring"}
    TOYS = points.KINDS
    FILES = False

    def __init__(self, source: Any, config: Any) -> None:
        self.size = 2
        super().__init__(source, config)

    def understand(self, config: Any) -> tuple[str, list[str]]:
        raise ValueError(f"Points come from no file. Expected {self.asks['en']}.")

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor]:
        drawn = [
            points.sample(self.toy, rng if rng is not None else np.random.default_rng(k), 1)
            for k, rng in zip(indices, rngs, strict=True)
        ]
        return (torch.from_numpy(np.concatenate(drawn)),)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        """All points of the batch in one plot."""
        return plot(batch[0])[None, None]

    def picture(self, index: int) -> np.ndarray:
        return ((plot(self.batch([index], [None])[0]).permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)


def plot(*clouds: Tensor) -> Tensor:
    """Point clouds ``(N, 2)`` -> ``(3, SIDE, SIDE)`` in [-1, 1]: the first dark blue, the second orange."""
    paper = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for cloud, colour in zip(clouds, ((43, 58, 120), (232, 129, 45)), strict=False):
        for x, y in ((cloud.detach().cpu().numpy() * [0.42, -0.42] + 0.5) * SIDE).round().astype(int):
            cv2.circle(paper, (int(np.clip(x, 0, SIDE - 1)), int(np.clip(y, 0, SIDE - 1))), 1, colour, -1, cv2.LINE_AA)
    return torch.from_numpy(paper).permute(2, 0, 1).float() / 127.5 - 1
