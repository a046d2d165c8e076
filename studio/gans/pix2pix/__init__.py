"""Pix2Pix: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.pix2pix.demo import GAN

__all__ = ["GAN"]
