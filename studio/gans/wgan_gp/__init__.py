"""WGAN-GP: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.wgan_gp.demo import GAN

__all__ = ["GAN"]
