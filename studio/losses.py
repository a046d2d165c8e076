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
