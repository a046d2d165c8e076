"""The verbs of a generator of noise: a seed in, a picture out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio import images, measure
from studio.images import File, Picture
from studio.latents import points
from studio.latents.demo import MOST_FRAMES, MOST_PIXELS
from studio.refused import Refused
from studio.verbs import verb

MOST_WALKED = 64  # pictures of one walk, and of one wall; also of one pass through the generator


class NoiseVerbs:
    """The demo of a GAN that has ``generator`` (z ``(N, d)`` -> pictures in [-1, 1]) and ``noise(n, generator)``, which
    draws z; with them its previews and figures.

    A picture is named by its seed: z is drawn from it. Between two of them the way is a straight line, as it is right
    in a cube; of a GAN whose z is normally distributed ``way`` is `points.slerp`.

    A generator that is told more than z (a label, say) gets it from the GAN's own `sample`, which takes it as an
    argument and hands it to `drawn`:

        @verb
        def sample(self, seed: int = 1, label: str | None = None) -> Picture:
            return images.to_picture(self.drawn(self.noises([seed]), label))
    """

    way = staticmethod(torch.lerp)  # (a, b, t) -> z between two

    @verb
    def sample(self, seed: int = 1) -> Picture:
        """Draws a picture from noise.

        Args:
            seed: which noise.
        """
        return images.to_picture(self.drawn(self.noises([seed])))

    @verb
    def walk(self, seeds: list = (1, 2), steps: int = 8) -> list[Picture]:
        """Walks through the noise from seed to seed; without a jump in the pictures, nothing was learnt by heart.

        Args:
            seeds: at least two, in the order of the walk.
            steps: pictures from each seed to the next; 64 in all at most.
        """
        return self._walked(seeds, steps, MOST_WALKED)

    @verb
    def between(self, seeds: list = (1, 2), at: float = 0.5) -> Picture:
        """A picture on the way from one seed to another.

        Args:
            seeds: at least two, in the order of the way.
            at: 0 = the first of them, 1 = the last.
        """
        seeds = points.checked_seeds(seeds, least=2)
        place = points.checked(at, "at", 0, 1) * (len(seeds) - 1)
        return images.to_picture(self.drawn(self._on(seeds, torch.tensor([float(place)]))))

    @verb
    def wall(self, seed: int = 1, count: int = 16) -> Picture:
        """Many pictures at once: what this generator draws, and how different it is.

        Args:
            seed: of the first; the others have the seeds that follow.
            count: how many, 1 to 64.
        """
        count = int(points.checked(count, "count", 1, MOST_WALKED))
        made = images.to_pictures(self.drawn(self.noises(range(seed, seed + count))))
        columns = math.ceil(math.sqrt(count))
        return images.sheet([made[k : k + columns] for k in range(0, count, columns)])

    @verb
    def film(self, seeds: list = (1, 2, 1), steps: int = 24, kind: str = "gif", rate: float = 24.0) -> File:
        """The walk through the noise as a film.

        Args:
            seeds: at least two, in the order of the walk; the first again at the end makes a loop.
            steps: frames from each seed to the next; 600 in all at most.
            kind: gif or mp4.
            rate: frames a second, 1 to 50.
        """
        writers = {"gif": images.gif, "mp4": images.mp4}
        if kind not in writers:
            raise Refused("values.movie", kind=kind[:20])
        points.checked(rate, "rate", 1, 50)
        return writers[kind](self._walked(seeds, steps, min(MOST_FRAMES, MOST_PIXELS // self.config.size**2)), rate)

    # ---- what a GAN promises besides its verbs (studio.base) --------------------------------------------------------

    def preview(self, batch: Sequence[Tensor]) -> Tensor:
        """Eight made pictures a row; there is nothing to compare them with: ``(N, 8, 3, S, S)``."""
        made = self.drawn(self.noise(8 * len(batch[0])))
        return made.unflatten(0, (len(batch[0]), 8))

    def made(self, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """As many pictures as there are real ones, and these."""
        return self.drawn(self.noise(len(batch[0]))), batch[0]

    def measure(self, data: Any, indices: Sequence[int]) -> dict[str, Any]:
        """As many made pictures as were held out: how far their patches are from real ones', how different they are
        from each other, and how near to the nearest training picture."""
        real = data.batch(indices, [None] * len(indices))[0]
        made = self.drawn(self.noise(len(indices), points.random(0))).cpu()
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        found["generator"] = measure.apart(made, real) | {"diversity": round(measure.diversity(made), 4)}
        found["real against real"] = measure.floor(real) | {"diversity": round(measure.diversity(real), 4)}
        others = np.setdiff1d(np.arange(len(data)), np.asarray(indices))
        if len(others):
            seen = data.batch(others, [None] * len(others))[0]
            found["nearest seen"] = measure.copied(made, seen, real)
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        return {"generator": (self.noise(1, points.random(0)),)}

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def noises(self, seeds: Sequence[int]) -> Tensor:
        """Seeds -> z ``(N, d)``, each from its own."""
        return torch.cat([self.noise(1, points.random(seed)) for seed in seeds])

    def drawn(self, z: Tensor, *told: Any) -> Tensor:
        """z -> pictures ``(N, 3, S, S)`` in [-1, 1]. told: what else the generator is told, for all of them alike."""
        return torch.cat([self.generator(part, *told) for part in z.split(MOST_WALKED)])

    def _walked(self, seeds: Sequence[int], steps: int, most: int) -> list[Picture]:
        seeds = _several(seeds)
        if steps < 1 or (count := steps * (len(seeds) - 1) + 1) > most:
            raise Refused("values.walk", steps=steps, most=most)
        return images.to_pictures(self.drawn(self._on(seeds, torch.linspace(0, len(seeds) - 1, count))))

    def _on(self, seeds: Sequence[int], places: Tensor) -> Tensor:
        """z at places of a way through the seeds, from 0, the first, to as many as there are, less one."""
        ends, places = self.noises(seeds), places.to(self.device)
        k = places.long().clamp_max(len(ends) - 2)
        return self.way(ends[k], ends[k + 1], (places - k)[:, None])


def _several(seeds: Sequence[int]) -> Sequence[int]:
    """The seeds themselves.

    Raises:
        ValueError: fewer than two, or not whole numbers.
    """
    if len(seeds) < 2 or not all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds):
        raise Refused("values.twoSeeds", seeds=seeds)
    return seeds
