"""Adversarial losses and penalties as formulas: pure functions of the discriminator's logits, or of itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bce(logits: Tensor, real: bool) -> Tensor:
    """-log D where D should say real, -log(1 - D) where it should say fake; D = sigmoid(logits).

    Goodfellow et al. 2014 (arXiv 1406.2661), with the generator's non-saturating form of section 3: to fool is to
    be called real.
    """
    return F.softplus(-logits if real else logits).mean()


def least_squares(logits: Tensor, real: bool) -> Tensor:
    """(D - 1)^2 where D should say real, D^2 where it should say fake; D = the logits as they are.

    Mao et al. 2016 (arXiv 1611.04076), with its labels 0 and 1 (equation 9): unlike the logarithm it goes on pulling
    at fakes that are on the right side already, but far from real.
    """
    return (logits - float(real)).square().mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """(|grad D(x)| - 1)^2 at a random point of the line from each fake to its real example, averaged over them.

    WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028), section 4. The norm is each example's own; where it is 0 its
    derivative is not defined, hence the tiny constant.

    Args:
        critic: examples -> logits, of any shape that begins with N.
        real, fake: as many of each, ``(N, 3, H, W)`` pictures or ``(N, 2)`` points.
    """
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    x = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return ((slope.flatten(1).square().sum(1) + 1e-12).sqrt() - 1).square().mean()


@torch.no_grad()
def clip_weights(module: nn.Module, limit: float) -> None:
    """Moves each of the module's weights into [-limit, limit]: how the first WGAN keeps its critic from being steep.

    Arjovsky et al. 2017 (arXiv 1701.07875), algorithm 1, line 7; the paper's c is 0.01.
    """
    for p in module.parameters():
        p.clamp_(-limit, limit)


def r1(logits: Tensor, real: Tensor) -> Tensor:
    """How steep the discriminator is on real pictures: ``|grad D(x)|²``, averaged over the batch; to be minimised.

    Mescheder et al. 2018 (arXiv 1801.04406), section 4.1, without its factor gamma / 2.

    Args:
        logits: ``D(real)``; each must depend on its own picture, or on the batch through statistics.
        real: pictures that require gradients.
    """
    (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(dim=1).mean()


def hinge(logits: Tensor, real: bool) -> Tensor:
    """max(0, 1 - logit) where the discriminator should say real, max(0, 1 + logit) where fake: verdicts that are
    clear enough teach nothing more. The generator then wants the mean logit high.

    Lim and Ye 2017 (arXiv 1705.02894); Miyato et al. 2018 (arXiv 1802.05957), equation 17.
    """
    return F.relu(1 - logits if real else 1 + logits).mean()
