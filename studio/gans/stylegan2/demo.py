"""What one does with StyleGAN2: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

from studio import latents
from studio.gans.stylegan2 import official, paper


class GAN(latents.StyleVerbs, paper.GAN):
    """StyleGAN2 with its verbs, previews and figures."""

    laid_out = staticmethod(official.laid_out)
    official = staticmethod(official.official)
