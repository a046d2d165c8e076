"""StyleGAN: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.stylegan.demo import GAN

__all__ = ["GAN"]
