"""Styles read off photos: the encoder q(z|x) (section 3.2, "multi-modal synthesis"; figure 14)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from studio.layers import Norm


class Encoder(nn.Module):
    """Photo -> mean and log variance of its style (figure 14): strided convolutions down to 4 x 4, then linear."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.size, self.normed = config.encoder_size, config.encoder_norm
        wide = [3, *(config.width * min(2**k, 8) for k in range(int(math.log2(config.encoder_size // 4))))]
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 3, 2, 1, bias=not self.normed)) for a, b in pairwise(wide)
        )
        self.norms = nn.ModuleList(
            Norm(b, "instance", affine=False) if self.normed else nn.Identity() for b in wide[1:]
        )
        self.mean = nn.Linear(wide[-1] * 16, config.style)
        self.log_variance = nn.Linear(wide[-1] * 16, config.style)

    def forward(self, photo: Tensor) -> Tensor:
        """``(N, 3, encoder_size, encoder_size)`` -> ``(N, 2 * style)``: the means, then the log variances."""
        x = photo
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return torch.cat([self.mean(x.flatten(1)), self.log_variance(x.flatten(1))], dim=1)

    def looked_at(self, photo: Tensor) -> Tensor:
        """``(N, 3, H, W)`` of any size -> the same at the size that it reads."""
        if photo.shape[2:] == (self.size, self.size):
            return photo
        smaller = photo.shape[2] > self.size
        return F.interpolate(photo, (self.size, self.size), mode="bilinear", align_corners=False, antialias=smaller)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)): summed over a style's numbers, averaged over pictures (arXiv 1312.6114)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1).mean()
