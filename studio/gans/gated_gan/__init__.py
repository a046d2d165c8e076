"""Gated-GAN: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.gated_gan.demo import GAN

__all__ = ["GAN"]
