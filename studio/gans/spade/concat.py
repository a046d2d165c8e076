"""The net that SPADE is compared with (section 4.3, "pix2pixHD++"): the label map enters at the bottom and only there.

The same blocks, doublings and judges, without `paper.SPADE`: instance normalisation, alike everywhere.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from studio.gans.spade.paper import Config, Generator
from studio.layers import Norm
from studio.refused import Refused


class Plain(nn.Module):
    """What takes SPADE's place: instance normalisation with one learned scale and shift a channel."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.norm = Norm(channels, "instance")

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return self.norm(x)


class Stem(nn.Module):
    """The way in: the label map, halved by convolutions as pix2pixHD's, to the size of the first map."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.width * min(2**k, 16) for k in range(config.doublings + 1)]
        # Reflected borders: zeros beyond the edge would tell, along it, what normalisation takes away everywhere.
        first = nn.Conv2d(config.channels, wide[0], 7, padding=3, padding_mode="reflect")
        rest = [nn.Conv2d(a, b, 3, 2, 1, padding_mode="reflect") for a, b in pairwise(wide)]
        self.convs = nn.ModuleList([first, *rest])
        self.norms = nn.ModuleList(Norm(channels, "instance") for channels in wide)
        self.out = nn.Conv2d(wide[-1], 16 * config.width, 1)

    def forward(self, labels: Tensor) -> Tensor:
        """``(N, L, H, W)`` -> ``(N, 16 * width, h, w)``."""
        x = labels
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return self.out(x)


class Concat(Generator):
    """`paper.Generator`, begun with all that it will ever learn of the label map."""

    norm = Plain

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.stem = Stem(config)
        if not config.style:
            self.first = None  # would be made of the labels, too

    def begun(self, maps: dict[int, Tensor], z: Tensor | None) -> Tensor:
        seen = self.stem(maps[max(maps)])
        return seen if self.first is None else seen + super().begun(maps, z)

    def modulations(self, labels: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        raise Refused("spade.noModulation")
