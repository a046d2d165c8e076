"""What one does with the first GAN: what noise gives, what is nearest to it, and what the discriminator believes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from studio import images, latents, measure
from studio.base import verb
from studio.data import real
from studio.gans.vanilla import paper
from studio.gans.vanilla.paper import Verdict
from studio.images import Picture
from studio.latents import points
from studio.refused import Refused

USUAL = 400  # real pictures by which it is said how near to each other real ones are


class Neighbours(NamedTuple):
    """What `nearest` says: pictures that were ``made``, beside each the ``real`` one of the set that is nearest to it,
    how far ``apart`` they are, and how far a real picture usually is from its nearest (``usual``). Distances are mean
    differences of pixels, 0 = equal, 1 = black against white."""

    made: list[Picture]
    real: list[Picture]
    apart: list[float]
    usual: float


class GAN(latents.NoiseVerbs, paper.GAN):
    """The first GAN with its verbs, previews and figures; those of noise are in studio.latents.noise."""

    way = staticmethod(points.slerp)  # z is normally distributed

    @verb
    def nearest(self, seed: int = 1, count: int = 12, among: str = "digits") -> Neighbours:
        """Lays each made picture beside the nearest of a set of real ones: as in figure 2, to see whether it is a copy.

        Args:
            seed: of the first picture; the others have the seeds that follow.
            count: how many, 1 to 64.
            among: a built-in set of real pictures, such as digits.
        """
        count = int(points.checked(count, "count", 1, latents.MOST_WALKED))
        if among not in real.names():
            raise Refused("values.choice", name="among", value=among[:40], choices=list(real.names()))
        known = _set(among, self.config.size)
        made = self.drawn(self.noises(range(seed, seed + count))).float().cpu()
        apart, which = measure.nearest(made, known, self.config.size)
        away = [round(x, 4) for x in apart.tolist()]
        usual = _usual(among, self.config.size)
        return Neighbours(images.to_pictures(made), images.to_pictures(known[which]), away, usual)

    @verb
    def judge(self, picture: Picture) -> Verdict:
        """Whether the discriminator takes a picture for a real one.

        Args:
            picture: any; its middle square is looked at.
        """
        if self.discriminator is None:
            raise Refused("model.noJudge")
        x = images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device)
        return Verdict(torch.sigmoid(self.discriminator(x).float())[0].item())


@cache
def _set(name: str, size: int) -> Tensor:
    """A built-in set, ``(N, 3, size, size)`` in [-1, 1]."""
    tiles = np.stack([cv2.resize(tile, (size, size), interpolation=cv2.INTER_AREA) for tile in real.tiles(name)])
    return torch.from_numpy(tiles)[:, None].expand(-1, 3, -1, -1).float() / 127.5 - 1


@cache
def _usual(name: str, size: int) -> float:
    """The median distance of its pictures to the nearest other one."""
    known = _set(name, size)[:, :1].flatten(1)
    some = torch.arange(0, len(known), max(1, len(known) // USUAL))
    away = torch.cdist(known[some], known, p=1) / known.shape[1] / 2
    away[torch.arange(len(some)), some] = float("inf")
    return round(float(away.min(dim=1).values.median()), 4)
