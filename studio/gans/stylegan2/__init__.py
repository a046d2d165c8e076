"""StyleGAN2: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.stylegan2.demo import GAN

__all__ = ["GAN"]
