"""Layers that several papers share, by definition and not by likeness."""

from __future__ import annotations

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
