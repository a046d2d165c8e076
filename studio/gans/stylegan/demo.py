"""What one does with StyleGAN: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

import math
from typing import NamedTuple

from studio import images, latents
from studio.base import verb
from studio.gans.stylegan import paper
from studio.images import Picture
from studio.refused import Refused


class Fade(NamedTuple):
    """What `fade` says: the picture of the size before, the one of the new size, and their mixture by ``alpha``."""

    before: Picture
    new: Picture
    mixture: Picture
    alpha: float
    sizes: tuple[int, int]


class GAN(latents.StyleVerbs, paper.GAN):
    """StyleGAN with its verbs, previews and figures."""

    # ---- the demo: what this one alone can; the rest, previews and figures are in studio.latents.demo ---------------

    @verb
    def fade(self, seed: int = 1, alpha: float | None = None, level: int | None = None) -> Fade:
        """How a new size is faded in: the picture of the size before, the new one, and their mixture.

        Args:
            seed: draws the face.
            alpha: 0 = the size before alone, 1 = the new one alone; leave it out for where the training stands.
            level: which doubling, from 1; leave it out for the one that the training is at, or ended with.
        """
        reached, last = float(self.synthesis.grown), int(math.log2(self.config.size // self.config.start))
        if last < 1:
            raise Refused("stylegan.grown")
        level = max(1, math.ceil(round(reached * 256) / 256)) if level is None else level
        if not 1 <= level <= last:
            raise Refused("stylegan.level", level=level, last=last)
        alpha = min(1.0, max(0.0, reached - (level - 1))) if alpha is None else latents.checked(alpha, "alpha", 0, 1)
        ws = self._all(self._w([seed], 0.7))
        found = [images.to_picture(self.synthesis(ws, None, level - 1 + a)) for a in (0.0, 1.0, alpha)]
        side = self.config.start << level
        return Fade(*found, round(alpha, 3), (side // 2, side))
