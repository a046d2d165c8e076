"""Adversarial losses as formulas: pure functions of the discriminator's logits, averaged over all of them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


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
