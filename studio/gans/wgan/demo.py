"""What one does with WGAN: what noise gives, what the critic says, how its weights lie and how steep it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from studio import images, latents
from studio.base import verb
from studio.gans.wgan import paper
from studio.images import Picture
from studio.latents import points
from studio.refused import Refused

BINS = 41  # of the histogram of weights
COMPANY = 31  # made pictures whose values stand beside that of a judged one


class Criticism(NamedTuple):
    """What `criticise` says: the critic's ``value`` of the picture, and its values of 31 made ones, lowest first. Only
    differences mean something: the critic's zero lies anywhere."""

    value: float
    made: list[float]


class Weights(NamedTuple):
    """What `weights` says: how many of the critic's weights lie between two ``edges``, the largest one's size, and the
    ``share`` of weights within a hundredth of it."""

    edges: list[float]
    counts: list[int]
    largest: float
    share: float


class Pairs(NamedTuple):
    """What `pairs` says: a ``picture`` of three rows, real, the point between, and made; where each point lies on its
    line (1 = at the real picture), and how steep the critic is there."""

    picture: Picture
    at: list[float]
    slopes: list[float]


class GAN(latents.NoiseVerbs, paper.GAN):
    """WGAN with its verbs, previews and figures; those of noise are in studio.latents.noise."""

    way = staticmethod(latents.slerp)

    @verb
    def criticise(self, picture: Picture) -> Criticism:
        """The critic's number for a picture, beside those of 31 made ones: higher = more like a real one.

        Args:
            picture: any; its middle square is looked at.
        """
        critic = self._critic()
        value = critic(images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device))
        made = critic(self.drawn(self.noise(COMPANY, points.random(0))))
        return Criticism(value.item(), sorted(made.tolist()))

    @verb
    def weights(self) -> Weights:
        """How the critic's weights are distributed: clipped ones pile up at both ends."""
        every = torch.cat([p.detach().float().flatten().cpu() for p in self._critic().parameters()])
        largest = float(every.abs().max())
        counts, edges = torch.histogram(every, BINS, range=(-largest, largest) if largest else (-1.0, 1.0))
        share = float((every.abs() >= 0.99 * largest).float().mean())
        return Weights(edges.tolist(), [int(n) for n in counts], largest, share)

    @verb
    def pairs(self, picture: Picture, seed: int = 1, count: int = 8) -> Pairs:
        """Random points on the lines between a picture and made ones, and how steep the critic is at each.

        Args:
            picture: stands for the real ones; its middle square is taken.
            seed: draws the made pictures and the points.
            count: how many lines, 1 to 16.
        """
        count, draw = int(points.checked(count, "count", 1, 16)), points.random(seed)
        real = images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device).expand(count, -1, -1, -1)
        made, share = self.drawn(self.noise(count, draw)), torch.rand(count, 1, 1, 1, generator=draw).to(self.device)
        between = share * real + (1 - share) * made
        critic = self._critic()
        with torch.inference_mode(False), torch.enable_grad():
            x = between.clone().requires_grad_()
            (slope,) = torch.autograd.grad(critic(x).sum(), x)
        rows = [images.to_pictures(row) for row in (real, between, made)]
        return Pairs(images.sheet(rows), share.flatten().tolist(), slope.flatten(1).norm(dim=1).tolist())

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Each picture, and the way from it to a made one: the line on which slopes are looked at."""
        real = torch.cat([images.to_tensor(images.crop_square(each, self.config.size)) for each in pictures])
        real = real.to(self.device)
        made = self.drawn(self.noise(len(real), points.random(0)))
        return torch.stack([torch.lerp(real, made, at) for at in (0.0, 0.25, 0.5, 0.75, 1.0)], dim=1)

    def _critic(self) -> torch.nn.Module:
        """The critic, exact.

        Raises:
            ValueError: the checkpoint has none.
        """
        if (critic := self.exact.critic) is None:
            raise Refused("model.noCritic")
        return critic
