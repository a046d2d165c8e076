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


def hinge(logits: Tensor, real: bool) -> Tensor:
    """max(0, 1 - logit) where the discriminator should say real, max(0, 1 + logit) where fake: verdicts that are
    clear enough teach nothing more. The generator then wants the mean logit high.

    Lim and Ye 2017 (arXiv 1705.02894); Miyato et al. 2018 (arXiv 1802.05957), equation 17.
    """
    return F.relu(1 - logits if real else 1 + logits).mean()
