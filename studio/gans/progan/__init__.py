"""ProGAN: `paper.py` is read top to bottom, `demo.py` has the verbs."""

from studio.gans.progan.demo import GAN

__all__ = ["GAN"]
