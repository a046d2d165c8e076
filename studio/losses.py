"""Adversarial losses as formulas: pure functions of the discriminator's logits, averaged over all of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def bce(logits: Tensor, real: bool) -> Tensor:
    """-log D where D should say real, -log(1 - D) where it should say fake; D = sigmoid(logits).

    Goodfellow et al. 2014 (arXiv 1406.2661), with the generator's non-saturating form of section 3: to fool is to
    be called real.
    """
    return F.softplus(-logits if real else logits).mean()


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """How steep the discriminator is on real pictures: ``|grad D(x)|²``, averaged over the batch; to be minimised.

    Mescheder et al. 2018 (arXiv 1801.04406), section 4.1, without its factor gamma / 2.

    Args:
        logits: ``D(real)``; each must depend on its own picture, or on the batch through statistics.
        real: pictures that require gradients.
    """
    (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(dim=1).mean()
