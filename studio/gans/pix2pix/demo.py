"""What one does with Pix2Pix: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from studio import images, measure
from studio.base import verb
from studio.data import Pairs
from studio.data.sketches import extract
from studio.gans.pix2pix import official, paper
from studio.gans.pix2pix.paper import Config
from studio.images import Picture
from studio.refused import Refused


class PatchMap(NamedTuple):
    """What `judge` says: ``map`` (h, w) in [0, 1], 1 = real; the patch of verdict (i, j) begins at pixel
    ``start + stride * (i, j)`` and is ``receptive_field`` pixels wide (partly outside the picture at the border)."""

    map: np.ndarray
    receptive_field: int
    stride: int
    start: int
    size: int


def _hand(seed: int) -> np.random.Generator:
    """The hand that draws a sketch for measuring: the same for every checkpoint."""
    return np.random.default_rng((7, seed))


class GAN(paper.GAN):
    """Pix2Pix with its verbs, previews and figures."""

    official = staticmethod(official.official)

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Sketch, what the generator makes of it, the photo."""
        sketch, photo = batch
        return torch.stack([sketch.expand(-1, 3, -1, -1), self.generator(sketch), photo], dim=1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        return [
            {"en": "what is given", "ko": "입력"},
            {"en": "what is made", "ko": "만든 그림"},
            {"en": "the photo", "ko": "실제 사진"},
        ]

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return self.generator(batch[0]), batch[1]

    def glance(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        """With the distance to the photos beside."""
        made = torch.cat([self.generator(part) for part in batch[0].split(16)])
        return super().glance(batch) | {"l1": measure.l1(made, batch[1]), "unlike": 1 - measure.ssim(made, batch[1])}

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Sketch, and what the generator makes of it."""
        sketch = torch.cat([self._input(picture) for picture in pictures])
        return torch.stack([sketch.expand(-1, 3, -1, -1), self.generator(sketch)], dim=1)

    def measure(self, data: Pairs, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on examples that were held out, for the card: this generator, and the mean photo as the bar to clear.

        Sketches are drawn by the hand of seed = place in the list: without colour, and once more with it if the net
        was trained with hints.
        """
        kinds = (
            {"with colour": 1.0, "without colour": 1e-9} if self.config.hints and data.kind != "labels" else {"": 0.0}
        )
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        for kind, data.hints in kinds.items():
            batches = [data.batch([k], [_hand(place)]) for place, k in enumerate(indices)]
            photos = torch.cat([photo for _, photo in batches])
            made = torch.cat([self.generator(sketch.to(self.device)).cpu() for sketch, _ in batches])
            average = photos.mean(dim=0, keepdim=True).expand_as(photos)
            for name, pictures in {"generator": made, "mean photo": average}.items():
                found[f"{name} {kind}".strip()] = {
                    "l1": round(measure.l1(pictures, photos), 4),
                    "ssim": round(measure.ssim(pictures, photos), 4),
                    **measure.apart(pictures, photos),
                }
            found["real against real"] = measure.floor(photos)
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        c, random = self.config, torch.Generator().manual_seed(0)
        sketch = torch.rand(1, c.inputs, c.size, c.size, generator=random) * 2 - 1
        return {"generator": (sketch.to(self.device), self._noise(None))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def translate(self, sketch: Picture, seed: int | None = None) -> Picture:
        """Turns a drawing into a picture.

        Args:
            sketch: dark strokes on white; the whole drawing is fitted in. For labels: the palette's colours.
            seed: draws the dropout noise z; leave it out for the picture without noise.
        """
        return images.to_picture(self.generator(self._input(sketch), self._noise(seed)))

    @verb
    def judge(self, sketch: Picture, picture: Picture) -> PatchMap:
        """What the discriminator thinks of each patch of a pair.

        Args:
            sketch: the drawing.
            picture: the photo or the generator's picture that belongs to it.
        """
        if self.discriminator is None:
            raise Refused("model.noJudge")
        other = images.to_tensor(picture, self.config.size).to(self.device)
        logits = self.discriminator(self._input(sketch), other)[0, 0]
        stride, start = self.discriminator.geometry
        verdicts = torch.sigmoid(logits.float()).cpu().numpy()
        return PatchMap(verdicts, self.discriminator.receptive_field, stride, start, self.config.size)

    @verb
    def averages(self, sketch: Picture) -> Picture:
        """The same drawing normalised by the training's averages, as `eval()` would do: why pix2pix is not run so.

        Args:
            sketch: the drawing.
        """
        return images.to_picture(self.generator(self._input(sketch), self._noise(None), averages=True))

    @verb
    def trace(self, photo: Picture) -> Picture:
        """The sketch that a steady hand would draw of a photo.

        Args:
            photo: an object on a plain background is best.
        """
        return images.Image.fromarray(extract(np.asarray(images.fit(photo, 256, 256)))).convert("RGB")

    def _input(self, sketch: Picture) -> Tensor:
        x = images.to_tensor(sketch, self.config.size).to(self.device)
        return x if self.config.inputs == 3 else x.mean(dim=1, keepdim=True)

    def _noise(self, seed: int | None) -> Tensor:
        """z from the seed's own generator on the CPU, so that it is the same on every device; ones = no noise."""
        if seed is None:
            return torch.ones(1, self.generator.noise_size, device=self.device)
        return self.generator.noise(1, torch.Generator().manual_seed(seed % 2**63)).to(self.device)
