"""What one does with ProGAN: one noise at every size, a new size faded in by hand, and what its three tricks do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio import images, latents
from studio.base import verb
from studio.gans.progan import paper
from studio.gans.progan.paper import GAIN, doubled, halved
from studio.images import Picture
from studio.latents import points
from studio.layers import minibatch_stddev, pixel_norm
from studio.refused import Refused

CROWD = 8  # pictures of a batch that D looks at


class Sizes(NamedTuple):
    """What `sizes` says: the pictures of one noise, each at its own size, and these sizes."""

    pictures: list[Picture]
    sides: list[int]


class Fade(NamedTuple):
    """What `fade` and `fade_real` say: the picture of half the size, doubled; the one of the new size; their mixture by
    ``alpha``; and the two sizes."""

    before: Picture
    new: Picture
    mixture: Picture
    alpha: float
    sides: tuple[int, int]


class Crowd(NamedTuple):
    """What `crowd` says: the pictures, the number that the minibatch standard deviation adds for them (its map is that
    number everywhere), and the discriminator's mean ``value`` of them, as it is and with a number of 0 instead."""

    picture: Picture
    spread: float
    value: float
    without: float


class Lengths(NamedTuple):
    """What `lengths` says: the ``picture``; for each layer its name and the length of a pixel's features (root mean
    square over the channels): its mean, and the longest there is."""

    picture: Picture
    layers: list[str]
    mean: list[float]
    longest: list[float]


class Paces(NamedTuple):
    """What `paces` says: for each layer of the generator its name, and how far one step of Adam moves its weights, as
    a share of what they are: with the equalised learning rate, and with weights that are scaled once at the start."""

    layers: list[str]
    equalised: list[float]
    usual: list[float]


class GAN(latents.NoiseVerbs, paper.GAN):
    """ProGAN with its verbs, previews and figures; those of noise are in studio.latents.noise."""

    way = staticmethod(latents.slerp)

    @verb
    def sizes(self, seed: int = 1) -> Sizes:
        """One noise at every size that the generator has been through, each drawn by the layers up to there.

        Args:
            seed: which noise.
        """
        z, tops = self.noises([seed]), range(*self._reach())
        return Sizes([images.to_picture(self._at(z, top)) for top in tops], [4 << top for top in tops])

    @verb
    def fade(self, seed: int = 1, alpha: float = 0.5, side: int | None = None) -> Fade:
        """How a new size is faded in, in a made picture: half the size doubled, the new size, and their mixture.

        Args:
            seed: which noise.
            alpha: 0 = the old size alone, 1 = the new one alone.
            side: the new size in pixels; leave it out for the largest.
        """
        z, top, alpha = self.noises([seed]), self._doubling(side), points.checked(alpha, "alpha", 0, 1)
        return self._faded(doubled(self._at(z, top - 1)), self._at(z, top), alpha)

    @verb
    def fade_real(self, picture: Picture, alpha: float = 0.5, side: int | None = None) -> Fade:
        """The same for a real picture, which must not be sharper than a made one can be: halved and doubled again, as
        it is, and their mixture.

        Args:
            picture: any; its middle square is taken.
            alpha: 0 = halved and doubled, 1 = as it is.
            side: the new size in pixels; leave it out for the largest.
        """
        top, alpha = self._doubling(side), points.checked(alpha, "alpha", 0, 1)
        real = images.to_tensor(images.crop_square(picture, self.config.size))
        new = F.avg_pool2d(real, self.config.size // (4 << top))
        return self._faded(doubled(halved(new)), new, alpha)

    @verb
    def crowd(self, seed: int = 1, alike: float = 0.0) -> Crowd:
        """What the minibatch standard deviation tells D of eight made pictures, as they become more alike.

        Args:
            seed: of the first picture; the others have the seeds that follow.
            alike: 0 = eight noises of their own, 1 = all have the first one's.
        """
        alike, judge = points.checked(alike, "alike", 0, 1), self._judge()
        z = self.noises(range(seed, seed + CROWD))
        made = self.generator(self.way(z, z[:1].expand_as(z), torch.full((CROWD, 1), alike, device=self.device)))
        seen = minibatch_stddev(judge.features(made, float(self.exact.generator.grown)))
        blind = seen.clone()
        blind[:, -1] = 0
        values = [judge.verdict(x if judge.stddev else x[:, :-1]).mean().item() for x in (seen, blind)]
        return Crowd(images.sheet([images.to_pictures(made)]), seen[:, -1].mean().item(), *values)

    @verb
    def lengths(self, seed: int = 1, normalised: bool = True) -> Lengths:
        """How long the features of a pixel are in each layer, with pixel norm after each or without: a picture, too.

        Args:
            seed: which noise.
            normalised: whether the features are brought to length 1 after each layer, as in training.
        """
        net, norm = self.exact.generator, pixel_norm if normalised else torch.Tensor.contiguous
        found: dict[str, Tensor] = {}

        def kept(name: str, x: Tensor) -> Tensor:
            x = norm(F.leaky_relu(x, 0.2))
            found[name] = x.square().mean(dim=1).sqrt()
            return x

        x = kept("4 px, z", net.flat(pixel_norm(self.noises([seed]))).unflatten(1, (-1, 4, 4)))
        x = kept("4 px", net.first(x))
        top = self._reach()[1] - 1
        for k, block in enumerate(net.blocks[:top]):
            x = kept(f"{8 << k} px, 2x", block.first(x * block.scale))
            x = kept(f"{8 << k} px", block.second(x))
        mean, longest = ([float(f(x)) for x in found.values()] for f in (torch.mean, torch.amax))
        return Lengths(images.to_picture(net.colours[top](x)), list(found), mean, longest)

    @verb
    def paces(self) -> Paces:
        """How far one step of Adam moves each layer of the generator, as a share of its weights: with the equalised
        learning rate, and without."""
        net, found = self.exact.generator, Paces([], [], [])
        layers = [("4 px, z", net.flat, net.flat.scale, GAIN / 4), ("4 px", net.first, net.first.scale, GAIN)]
        for k, block in enumerate(net.blocks):
            layers.append((f"{8 << k} px, 2x", block.first, block.scale, GAIN))
            layers.append((f"{8 << k} px", block.second, block.second.scale, GAIN))
        layers += [(f"RGB {4 << k} px", colour, colour.scale, 1.0) for k, colour in enumerate(net.colours)]
        for name, made, scale, gain in layers:
            he = gain / math.sqrt(made.weight[0].numel())  # what weights from N(0, 1) are scaled by
            size = float((made.weight * scale).square().mean().sqrt())
            found.layers.append(name)
            found.equalised.append(self.config.lr * he / size)
            found.usual.append(self.config.lr / size)
        return found

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Each picture at all sizes that the generator has been through: what it has to be learnt from."""
        size = self.config.size
        real = torch.cat([images.to_tensor(images.crop_square(each, size)) for each in pictures]).to(self.device)
        return torch.stack([paper.faded(real, float(top)) for top in range(*self._reach())], dim=1)

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def drawn(self, z: Tensor, *told: Any) -> Tensor:
        """As every generator's of noise, in [-1, 1]: the last layer of this one has no bounds."""
        return super().drawn(z, *told).clamp(-1, 1)

    def _reach(self) -> tuple[int, int]:
        """The doublings of 4 px that the generator has been through: the first, and one more than the last."""
        grown = round(float(self.exact.generator.grown) * 256) / 256
        first = int(math.log2(self.config.start // 4))
        return min(first, math.ceil(grown)), math.ceil(grown) + 1

    def _doubling(self, side: int | None) -> int:
        """How often 4 px must double to be the new size.

        Raises:
            ValueError: it never faded in to that size.
        """
        first, end = self._reach()
        sides = [4 << top for top in range(first + 1, end)]
        if not sides:
            raise Refused("progan.grown")
        if side is not None and side not in sides:
            raise Refused("progan.side", side=side, sides=sides)
        return end - 1 if side is None else (side // 4).bit_length() - 1

    def _at(self, z: Tensor, top: int) -> Tensor:
        """The pictures after so many doublings of 4 px, at their own size."""
        return F.avg_pool2d(self.generator(z, float(top)), self.config.size // (4 << top))

    def _faded(self, before: Tensor, new: Tensor, alpha: float) -> Fade:
        pictures = [images.to_picture(x) for x in (before, new, torch.lerp(before, new, alpha))]
        return Fade(*pictures, round(alpha, 3), (new.shape[2] // 2, new.shape[2]))

    def _judge(self) -> nn.Module:
        """The discriminator, exact.

        Raises:
            ValueError: the checkpoint has none.
        """
        if (judge := self.exact.discriminator) is None:
            raise Refused("model.noJudge")
        return judge
