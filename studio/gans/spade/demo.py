"""What one does with SPADE: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from studio import images, measure
from studio.base import verb
from studio.data import Segmentations
from studio.data.base import to_batch
from studio.gans.spade import official, paper
from studio.gans.spade.concat import Concat
from studio.gans.spade.paper import Config
from studio.images import Picture
from studio.labels import Classes, LabelMap, Reading, open_map, palette, sampled
from studio.refused import Refused
from studio.toys.landscapes import landscape

# ---- the GAN --------------------------------------------------------------------------------------------------------


class Layer(NamedTuple):
    """What `modulation` says of one layer: pictures of gamma and beta (blue = more, orange = less, white = unchanged;
    full colour at ``most``) for one channel, and of how strongly all channels are modulated at each pixel."""

    name: str
    size: tuple[int, int]
    channels: int
    gamma: Picture
    beta: Picture
    most_gamma: float
    most_beta: float
    strength: Picture


class Style(NamedTuple):
    """A seed and the picture it gives."""

    seed: int
    picture: Picture


class MapReading(NamedTuple):
    """What `read` says of a label map: ``ids``, exact, as a grey picture (255 = unknown); ``kind`` "numbers" or
    "colours"; shares of the pixels that were ``snapped`` to a class and that are ``unknown``; the class of each
    ``foreign`` colour, most frequent first; the share of each class that is there."""

    ids: Picture
    kind: str
    snapped: float
    unknown: float
    foreign: list[dict[str, Any]]
    classes: dict[str, float]


def _signed(values: Tensor) -> Picture:
    """``(h, w)`` in [-1, 1] -> orange for less, white for 0, blue for more: told apart by every kind of vision."""
    less, more = torch.tensor([217.0, 95.0, 2.0]), torch.tensor([30.0, 100.0, 200.0])
    ends = torch.where(values[..., None] < 0, less, more)
    mixed = 255 + (ends - 255) * values.abs().clamp(max=1)[..., None]
    return images.Image.fromarray(mixed.round().to(torch.uint8).numpy())


class GAN(paper.GAN):
    """SPADE with its verbs, previews and figures."""

    official = staticmethod(official.official)
    generators: ClassVar[dict[str, Any]] = paper.GAN.generators | {"concat": Concat}

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        file = values.pop("vgg", "")  # until 2026-12 the term was by VGG's features, and off without its weights
        if "perceptual" in values:
            weight = values.pop("perceptual")
            values["alike"] = weight if file else 0.0
        return values

    # ---- looking at it ----------------------------------------------------------------------------------------------

    @property
    def classes(self) -> Classes:
        """The classes that the card names, and "unknown"; a net without a card calls them by their numbers."""
        return palette(self.extras.get("palette") or [], self.config.labels)

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Label map, what the generator makes of it in a style of its own and in the photo's, the photo."""
        ids, photo = batch
        shown = to_batch(self.classes.colours[ids.cpu().numpy()]).to(photo.device)
        own = torch.cat([self._drawn(k) for k in range(len(ids))]) if self.config.style else None
        columns = [shown, self.generator(self.one_hot(ids), own)]
        if self.encoder is not None:
            style = self.encoder(self.encoder.looked_at(photo)).chunk(2, 1)[0]
            columns.append(self.generator(self.one_hot(ids), style))
        return torch.stack([*columns, photo], dim=1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        first = [{"en": "label map", "ko": "라벨 맵"}, {"en": "what is made", "ko": "만든 그림"}]
        seen = [{"en": "in the photo's style", "ko": "사진의 스타일로"}] if config.style and config.encoder else []
        return [*first, *seen, {"en": "the photo", "ko": "실제 사진"}]

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Label map, and what the generator makes of it in two styles."""
        rows = []
        for picture in pictures:
            ids = self._fitted(open_map(picture), square=True)
            made = [self._painted(ids, self._style(seed, None)) for seed in ((1, 2) if self.config.style else (None,))]
            rows.append(torch.cat([to_batch(self.classes.colours[ids][None]).to(self.device), *made]))
        return torch.stack(rows)

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        own = torch.cat([self._drawn(k) for k in range(len(batch[0]))]) if self.config.style else None
        return self.generator(self.one_hot(batch[0]), own), batch[1]

    def measure(self, data: Segmentations, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on maps that were held out, for the card.

        - ``swd``: sliced Wasserstein distance of the pictures (a seed each) to the real photos; lower is better;
        - ``agreement``: share of known pixels where a small segmenter, trained here on the other real pairs, finds the
          class that was painted, and ``mean class``, the same with every class counting alike;
        - ``diversity``: mean difference of eight seeds' pictures of one map.
        """
        others = np.setdiff1d(np.arange(len(data)), np.asarray(indices))
        random = np.random.default_rng(11)
        drawn = ([(k, np.random.default_rng(k)) for k in random.choice(others, 12)] for _ in range(self.judged))
        judge = measure.segmenter((data.batch(*zip(*some, strict=True)) for some in drawn), self.config.labels)
        batches = [data.batch([k], [None]) for k in indices]
        ids, photos = torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])
        made = torch.cat([self._painted(each.numpy(), self._style(k, None)).cpu() for k, each in enumerate(ids)])
        found: dict[str, Any] = {"n": len(ids), "size": self.config.size}
        for name, pictures in {"generator": made, "real photos": photos}.items():
            found[name] = {k: round(v, 3) for k, v in measure.agreement(judge, pictures, ids).items()}
        found["generator"] |= measure.apart(made, photos)
        found["real photos"] |= measure.floor(photos)  # of one half of them to the other
        if self.config.style:
            sets = [torch.cat([self._painted(e.numpy(), self._style(s, None)) for s in range(8)]) for e in ids[:8]]
            found["generator"]["diversity"] = round(sum(measure.diversity(s.cpu()) for s in sets) / len(sets), 4)
        return found

    @property
    def judged(self) -> int:
        """Batches of twelve real pairs from which the measuring segmenter learns: enough at each size."""
        return min(600, self.config.size**2 // 16)

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        c, random = self.config, torch.Generator().manual_seed(0)
        painted = landscape(np.random.default_rng(0), c.size)[1][None] % c.labels
        given: dict[str, tuple[Tensor, ...]] = {}
        if self.encoder is not None:
            photo = torch.rand(1, 3, c.encoder_size, c.encoder_size, generator=random) * 2 - 1
            given["encoder"] = (photo.to(self.device),)
        return given | {"generator": (self.one_hot(torch.from_numpy(painted)), *([self._drawn(0)] if c.style else []))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def paint(
        self,
        labels: LabelMap,
        seed: int | None = None,
        style_photo: Picture | None = None,
        objects: LabelMap | None = None,
    ) -> Picture:
        """Turns a label map into a picture of its shape.

        Args:
            labels: one class a pixel: its number (grey, palette or 16-bit picture; 255 = unknown) or its colour.
            seed: draws the style; leave it out for the mean style. Beside a photo it varies the photo's style.
            style_photo: a photo whose style (light, colours, weather) the picture gets.
            objects: a map of numbers that tells objects of one class apart, for a checkpoint trained with such maps.
        """
        if objects is not None and not self.config.edges:
            raise Refused("spade.noObjects")
        ids = self._fitted(labels)
        several = None if objects is None else sampled(objects.values, *ids.shape)
        if several is not None and several.ndim != 2:
            raise Refused("spade.objects")
        return images.to_picture(self._painted(ids, self._style(seed, style_photo), several))

    @verb
    def styles(self, labels: LabelMap, n: int = 6, seed: int = 1, style_photo: Picture | None = None) -> list:
        """The same label map in several styles.

        Args:
            labels: one class a pixel, as for paint.
            n: how many, 1 to 16.
            seed: the first one's seed; the others have the numbers after it.
            style_photo: a photo whose style the seeds vary.
        """
        if not 1 <= n <= 16:
            raise Refused("spade.styles", n=n)
        ids, seeds = self._fitted(labels), range(seed, seed + n)
        return [Style(k, images.to_picture(self._painted(ids, self._style(k, style_photo)))) for k in seeds]

    @verb
    def modulation(self, labels: LabelMap, channel: int = 0) -> list:
        """Gamma and beta of each layer: how the label map scales and shifts the generator's maps.

        Args:
            labels: one class a pixel, as for paint.
            channel: which channel's maps to show; layers with fewer start again from 0.
        """
        shown, ids = [], torch.from_numpy(self._fitted(labels))[None]
        for name, numbers in self.generator.modulations(self.one_hot(ids)).items():
            gamma, beta = (x[0].cpu() for x in numbers)
            one, two = gamma[channel % len(gamma)], beta[channel % len(beta)]
            strength = (gamma.square() + beta.square()).mean(dim=0).sqrt()
            tops = [max(float(x.abs().max()), 1e-6) for x in (one, two, strength)]
            seen = [_signed(x / top) for x, top in zip((one, two, strength), tops, strict=True)]
            shown.append(Layer(name, tuple(one.shape), len(gamma), seen[0], seen[1], tops[0], tops[1], seen[2]))
        return shown

    @verb
    def read(self, labels: LabelMap) -> MapReading:
        """What a label map is read as: its exact ids, and which colours had to be guessed.

        Args:
            labels: a label map of numbers or colours, from anywhere.
        """
        found: Reading = self.classes.read(labels)
        ids, counts = np.unique(found.ids, return_counts=True)
        total = found.ids.size
        foreign = [
            {"colour": c, "share": n / total, "id": k, "name": self.classes.name(k)} for c, n, k in found.foreign
        ]
        shares = {self.classes.name(int(k)): float(n) / total for k, n in zip(ids, counts, strict=True)}
        grey = images.Image.fromarray(found.ids)
        return MapReading(grey, found.kind, found.snapped / total, found.unknown / total, foreign, shares)

    def _fitted(self, labels: LabelMap, square: bool = False) -> np.ndarray:
        """The ids at a size that the net works at: of about the training's area, in the map's own shape (1:3 at most).

        Raises:
            ValueError: numbers that are no class.
        """
        ids = self.classes.read(labels).ids
        size, step = self.config.size, 1 << self.config.doublings
        shape = 1.0 if square else min(max(ids.shape[1] / ids.shape[0], 1 / 3), 3.0)
        height, width = (max(step, round(size * s / step) * step) for s in (shape**-0.5, shape**0.5))
        return sampled(ids, height, width)

    @torch.no_grad()
    def _painted(self, ids: np.ndarray, z: Tensor | None, objects: np.ndarray | None = None) -> Tensor:
        several = None if objects is None else torch.from_numpy(objects)[None]
        labels = self.one_hot(torch.from_numpy(np.ascontiguousarray(ids))[None], several)
        return self.generator(labels) if z is None else self.generator(labels, z)

    def _style(self, seed: int | None, photo: Picture | None) -> Tensor | None:
        """z ``(1, style)``: the photo's, varied by the seed; or the seed's; or the mean style. None = there is none."""
        if not self.config.style:
            if seed is not None or photo is not None:
                raise Refused("spade.noStyles")
            return None
        if photo is None:
            return torch.zeros(1, self.config.style, device=self.device) if seed is None else self._drawn(seed)
        if self.encoder is None:
            raise Refused("spade.noEncoder")
        side = self.config.encoder_size
        mean, log_variance = self.encoder(images.to_tensor(images.crop_square(photo, side)).to(self.device)).chunk(2, 1)
        return mean if seed is None else mean + self._drawn(seed) * (log_variance / 2).exp()

    def _drawn(self, seed: int) -> Tensor:
        """z from the seed's own generator on the CPU, so that it is the same on every device."""
        random = torch.Generator().manual_seed(seed % 2**63)
        return torch.randn(1, self.config.style, generator=random).to(self.device)
