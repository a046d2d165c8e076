"""WGAN: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.wgan.demo import GAN

__all__ = ["GAN"]
