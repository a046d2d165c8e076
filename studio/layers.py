"""Layers that several papers share, by definition and not by likeness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Norm(nn.Module):
    """Normalises each channel to mean 0 and variance 1, then scales and shifts it (if ``affine``).

    Whose mean and variance? While training, ``kind`` says: ``"batch"``, those of the whole batch; ``"instance"``,
    each picture's own (arXiv 1607.08022). For a demo always each picture's own: for one picture that is what batch
    normalisation does when it is left in training mode, as pix2pix is tested (arXiv 1611.07004, section 3), and
    with several viewers in a batch nobody's picture depends on anybody else's.

    Averages over the training are kept in ``running_mean`` and ``running_var``, only to show what "eval mode" would
    make of a picture.
    """

    def __init__(self, channels: int, kind: str = "instance", affine: bool = True, momentum: float = 0.1) -> None:
        super().__init__()
        self.kind, self.momentum = kind, momentum
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor, averages: bool = False) -> Tensor:
        if averages:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, training=False)
        kept = (self.running_mean, self.running_var) if self.training else (None, None)
        if self.training and self.kind == "batch":
            return F.batch_norm(x, *kept, self.weight, self.bias, training=True, momentum=self.momentum)
        if x.shape[2] * x.shape[3] == 1:  # a single value is its own mean; PyTorch refuses it, the formula gives 0
            return torch.zeros_like(x) if self.bias is None else torch.zeros_like(x) + self.bias[:, None, None]
        return F.instance_norm(x, *kept, self.weight, self.bias, use_input_stats=True, momentum=self.momentum)


class ResizeConv2d(nn.Module):
    """Doubles the size: nearest-neighbour, then a 3 x 3 convolution (Odena et al. 2016, "Deconvolution and
    checkerboard artifacts").

    Computed as the 4 x 4 transposed convolution with stride 2 that it equals, at 4/9 of the work: of each output
    pixel's nine taps several read the same input pixel, so their weights can be added first.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def kernel(self) -> Tensor:
        """The equal transposed convolution's weight, ``(inputs, outputs, 4, 4)``: taps that share an input, added.

        As one matrix product over the flattened taps: the same sum by padding and adding takes 28 times as long.
        """
        shares = self.weight.new_tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])  # (4 new taps, 3 old ones)
        spread = torch.einsum("ai,bj->ijab", shares, shares).reshape(9, 16)
        return (self.weight.flatten(2) @ spread).unflatten(2, (4, 4)).transpose(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.kernel(), self.bias, stride=2, padding=1)


# ---- what the ProGAN line shares: 1710.10196, 1812.04948, 1912.04958 ------------------------------------------------


class EqualLinear(nn.Module):
    """A linear layer with equalised learning rate (arXiv 1710.10196, section 4.1): ``(N, inputs) -> (N, outputs)``.

    Weights are drawn from N(0, 1) and scaled by He's constant each time they are used, not once at the start: Adam
    moves every weight about equally far, so every layer then learns equally fast.

    Args:
        bias: what the biases begin with.
        gain: of the scale; sqrt(2) makes up for a ReLU that follows.
        slow: the layer learns this many times as fast as the others (0.01 in StyleGAN's mapping network).
    """

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0, gain: float = 1.0, slow: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias / slow))
        nn.init.normal_(self.weight, 0.0, 1 / slow)
        self.scale, self.slow = gain * slow / math.sqrt(inputs), slow

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.slow)


class EqualConv2d(nn.Module):
    """A convolution with equalised learning rate, see `EqualLinear`; ``padding`` 0, or what keeps the size."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, bias: bool = True, gain: float = 1.0, stride: int = 1,
        padding: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        nn.init.normal_(self.weight)
        self.scale = gain / math.sqrt(inputs * kernel**2)
        self.stride, self.padding = stride, kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.padding)


def pixel_norm(x: Tensor) -> Tensor:
    """``x / sqrt(mean of x² over channels)``, of vectors or at each pixel (arXiv 1710.10196, section 4.2)."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def minibatch_stddev(x: Tensor, group: int = 4) -> Tensor:
    """Adds a channel that says how varied the pictures of a group are: ``(N, C, H, W) -> (N, C + 1, H, W)``.

    Arxiv 1710.10196, section 3: the standard deviation over the pictures of a group, for each feature at each place,
    averaged to one number, which every picture of the group gets. A discriminator that sees it can tell a generator
    that always draws the same. Pictures i, i + M, i + 2 M … are a group, M = N / group; if N can't be dealt out so,
    groups are as large as can be.
    """
    n = len(x)
    group = max(k for k in range(1, min(group, n) + 1) if n % k == 0)
    parts = x.view(group, n // group, *x.shape[1:]).float()
    spread = (parts.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (M,)
    plane = spread.to(x.dtype).repeat(group).view(n, 1, 1, 1).expand(-1, 1, *x.shape[2:])
    return torch.cat([x, plane], dim=1)


def blur(x: Tensor, taps: Sequence[float], padding: tuple[int, int], gain: float = 1.0) -> Tensor:
    """Filters each channel by the outer product of ``taps`` (made to sum to 1), times ``gain``.

    padding: zeros before and after, on both axes.
    """
    kernel = _kernel(taps, gain, x)
    if padding[0] == padding[1]:
        return F.conv2d(x, kernel, padding=padding[0], groups=x.shape[1])
    return F.conv2d(F.pad(x, padding * 2), kernel, groups=x.shape[1])


def double(x: Tensor, taps: Sequence[float] = (1, 3, 3, 1)) -> Tensor:
    """Twice the size: zeros between the pixels, then `blur` (arXiv 1912.04958, section 4); taps: an even number."""
    return F.conv_transpose2d(x, _kernel(taps, 4.0, x), stride=2, padding=len(taps) // 2 - 1, groups=x.shape[1])


def halve(x: Tensor, taps: Sequence[float] = (1, 3, 3, 1)) -> Tensor:
    """Half the size: `blur`, then every second pixel; taps: an even number."""
    return F.conv2d(x, _kernel(taps, 1.0, x), stride=2, padding=len(taps) // 2 - 1, groups=x.shape[1])


def _kernel(taps: Sequence[float], gain: float, x: Tensor) -> Tensor:
    """``(C, 1, k, k)`` for a depthwise convolution: on a CPU several times as fast as one pass along each axis."""
    row = torch.tensor(taps, dtype=x.dtype, device=x.device)
    plane = torch.outer(row, row) * (gain / sum(taps) ** 2)
    return plane.expand(x.shape[1], 1, -1, -1)


class DoublingConv2d(nn.Module):
    """A 3 x 3 transposed convolution of stride 2 without padding or bias: ``(N, inputs, H, W) -> (N, outputs, 2 H + 1,
    2 W + 1)``; its weight lies as that of a convolution does, ``(outputs, inputs, 3, 3)``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(outputs, inputs, 3, 3)), None
        nn.init.normal_(self.weight)

    def kernel(self) -> Tensor:
        return self.weight.transpose(0, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.kernel(), stride=2)
