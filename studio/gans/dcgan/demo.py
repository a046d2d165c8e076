"""What one does with DCGAN: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio import images, measure
from studio.base import verb
from studio.data import Images
from studio.gans.dcgan import paper
from studio.gans.dcgan.paper import COMPANY, MOST, Verdict
from studio.images import Picture


class GAN(paper.GAN):
    """DCGAN with its verbs, previews and figures."""

    def preview(self, batch: tuple[Tensor]) -> Tensor:
        """Eight made pictures a row; there is nothing to compare them with."""
        (picture,) = batch
        made = self.generator(self.noise(8 * len(picture)))
        return made.unflatten(0, (len(picture), 8))

    def made(self, batch: tuple[Tensor]) -> tuple[Tensor, Tensor]:
        return self.generator(self.noise(len(batch[0]))), batch[0]

    def measure(self, data: Images, indices: Sequence[int]) -> dict[str, Any]:
        """As many made pictures as were held out: how far their patches are from real ones', how different they are
        from each other, and how near to the nearest training picture."""
        (real,) = data.batch(indices, [None] * len(indices))
        made = self.generator(self.noise(len(indices), torch.Generator().manual_seed(0))).cpu()
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        found["generator"] = measure.apart(made, real) | {"diversity": round(measure.diversity(made), 4)}
        found["real against real"] = measure.floor(real) | {"diversity": round(measure.diversity(real), 4)}
        others = np.setdiff1d(np.arange(len(data)), np.asarray(indices))
        if len(others):
            (seen,) = data.batch(others, [None] * len(others))
            found["nearest seen"] = measure.copied(made, seen, real)
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        return {"generator": (self.noise(1, torch.Generator().manual_seed(0)),)}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def sample(self, seed: int = 1) -> Picture:
        """Draws a picture from noise.

        Args:
            seed: which noise.
        """
        return images.to_picture(self.generator(self._z(seed)))

    @verb
    def walk(self, seeds: list = (1, 2), steps: int = 8) -> list[Picture]:
        """Walks through the noise from seed to seed; without a jump in the pictures, nothing was learnt by heart.

        Args:
            seeds: at least two, in the order of the walk.
            steps: pictures from each seed to the next; 64 in all at most.
        """
        if len(seeds) < 2 or not all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds):
            raise ValueError(f"seeds = {seeds!r}: give at least two whole numbers.")
        if steps < 1 or (count := steps * (len(seeds) - 1) + 1) > MOST:
            raise ValueError(f"steps = {steps}: a walk has 1 to {MOST} pictures in all; fewer steps, or fewer seeds.")
        ends = torch.cat([self._z(seed) for seed in seeds])
        way = torch.linspace(0, len(seeds) - 1, count, device=self.device)
        k = way.long().clamp_max(len(seeds) - 2)
        return images.to_pictures(self.generator(torch.lerp(ends[k], ends[k + 1], (way - k)[:, None])))

    @verb
    def judge(self, picture: Picture) -> Verdict:
        """Whether the discriminator takes a picture for a real one, when it sees it among 31 made ones.

        Args:
            picture: any; its middle square is looked at.
        """
        if self.discriminator is None:
            raise ValueError("This checkpoint has no discriminator, so there is nobody to judge. Choose another one.")
        size = self.config.size
        x = images.to_tensor(images.crop_square(picture, size)).to(self.device)
        company = self.generator(self.noise(COMPANY, torch.Generator().manual_seed(0)))
        logits = self.discriminator(torch.cat([x, company]), together=True)
        return Verdict(torch.sigmoid(logits[0].float()).item())

    def _z(self, seed: int) -> Tensor:
        return self.noise(1, torch.Generator().manual_seed(seed % 2**63))
