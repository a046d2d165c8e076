"""What one does with Gated-GAN: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from studio import images, measure
from studio.base import verb
from studio.data import Styles
from studio.gans.gated_gan import official, paper
from studio.gans.gated_gan.paper import Config
from studio.images import Picture
from studio.refused import Refused

# ---- the GAN --------------------------------------------------------------------------------------------------------

ONE_PASS = 1024 * 1024  # pixels that are painted in one go; larger pictures in parts
PART, MARGIN = 512, 64  # pixels a side of a part, and of what it sees beyond its border


MOST = 12_000_000  # pixels of a result: a larger photo is made smaller


LEAST = 16  # pixels a side that the network can mirror the border of


class Branches(NamedTuple):
    """What each gate makes of the code: ``maps`` a sheet of feature maps a gate (the same channels in all),
    ``change`` how far its code is from the encoder's, as a share of the code's own size; ``channels`` which."""

    maps: dict[str, Picture]
    change: dict[str, float]
    channels: list[int]


def edge_agreement(made: Tensor, photos: Tensor) -> float:
    """How well the edges of two sets of pictures agree, pair by pair: the correlation of their gradients' sizes, in
    [-1, 1]; 1 = the same edges, 0 = unrelated. Grey, after a slight blur, so that brushwork is not an edge."""

    def edges(x: Tensor) -> Tensor:
        grey = F.avg_pool2d(x.mean(dim=1, keepdim=True), 4, 2)
        size = (grey.diff(dim=3)[:, :, 1:].square() + grey.diff(dim=2)[..., 1:].square()).sqrt().flatten(1)
        size = size - size.mean(dim=1, keepdim=True)
        return size / size.norm(dim=1, keepdim=True).clamp_min(1e-9)

    return float((edges(made) * edges(photos)).sum(dim=1).mean())


def _fitted(photo: tuple[int, int], size: int | None) -> tuple[int, int]:
    """(width, height) with the longer side ``size``, or the photo's own; never more than `MOST` pixels."""
    scale = 1.0 if size is None else size / max(photo)
    scale = min(scale, math.sqrt(MOST / (photo[0] * photo[1])))
    return max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))


def _scaled(photo: Picture, size: int) -> Picture:
    return photo.resize(_fitted(photo.size, size), images.Image.Resampling.LANCZOS)


def _spread(length: int, side: int, count: int) -> list[int]:
    """Where ``count`` windows begin that lie evenly over a length; multiples of 4, none twice."""
    last = length - side
    return sorted({round(last * k / max(1, count - 1)) // 4 * 4 for k in range(count)})


class GAN(paper.GAN):
    """Gated-GAN with its verbs, previews and figures."""

    official = staticmethod(official.official)

    @staticmethod
    def parameters_of(config: Config) -> tuple[int, int]:
        """(what the generator has besides its gates, what each style adds): at width 64, 6,657,539 and 1,180,160."""
        w, code = config.width, 4 * config.width
        block = 2 * (9 * code * code + code)  # two 3 x 3 convolutions, each with its bias
        outer = 2 * 3 * 49 * w + w + 3  # the 7 x 7 ones
        inner = 2 * 9 * (2 * w * w + 8 * w * w) + (2 + 4 + 2 + 1) * w  # two down, two up
        return outer + inner + config.blocks * block, block

    def preview(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The photo, what the identity gate gives back, and the photo in each style."""
        photo = batch[0]
        each = torch.eye(self.config.styles + 1, device=photo.device)
        return torch.stack([photo, *(self.generator(photo, each[k].expand(len(photo), -1)) for k in self._order)], 1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        first = [{"en": "photo", "ko": "사진"}, {"en": "identity gate", "ko": "항등 게이트"}]
        known = cls.about.words["styles"]
        styles = ({"en": name, "ko": known.get(name, {}).get("ko", name)} for name in extras.get("styles", []))
        return [*first, *styles]

    @property
    def _order(self) -> list[int]:
        return [self.config.styles, *range(self.config.styles)]

    def made(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        photo, painting, style = batch
        return self.generator(photo, F.one_hot(style, self.config.styles + 1).to(photo)), painting

    GLANCE = 160

    def glance(self, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
        """The mean over the styles, of as many photos as there are paintings of each; then each style's own."""
        photo, painting, style = batch
        found, gates = {}, torch.eye(self.config.styles + 1, device=photo.device)
        for k in style.unique().tolist():
            real, some = painting[style == k], photo[: int((style == k).sum())]
            if len(real) < 2 or not measure.can_see(real):
                return {}
            made = [self.generator(x, gates[k].expand(len(x), -1)) for x in some.split(16)]
            found[f"gate {k}"] = measure.kid(torch.cat(made).float().clamp(-1, 1), real)
        return {"kid": sum(found.values()) / len(found), **found}

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """The same of whole pictures, cut to their middle squares, as large as `load` allows."""
        side = max(LEAST, self.config.load // 4 * 4)
        squares = images.to_tensor([images.crop_square(picture, side) for picture in pictures])
        return self.preview((squares.to(self.device),))

    def measure(self, data: Styles, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on photos and paintings that were held out.

        A row for what each gate makes of the photos, for the photos as they are, and for other paintings of each
        collection; a column for the distance to each collection (`measure.sliced_wasserstein` at 128 px, or as large
        as it was trained for; all rows at equal n), and ``edges``: how well its edges agree with the photo's
        (`edge_agreement`).
        """
        side, styles = max(s for s in (32, 64, 128) if s <= self.config.load), list(data.styles)
        names = [data.names[k] for k in indices]
        held = set(names)
        photos = data.whole([n for n in names if data.toy or n in data._photos], side)
        listed = {s: names if data.toy else [n for n in data.paintings[s] if n in held] for s in styles}
        own = {s: data.whole(listed[s], side, k) for k, s in enumerate(styles)}
        n = min(len(photos), *(len(each) for each in own.values()))
        if n < 2:
            raise Refused("gated_gan.fewHeld")

        def distances(pictures: Tensor) -> dict[str, float]:
            near = {s: measure.apart(pictures[:n], own[s][:n]) for s in styles}
            return {s: row["swd"] for s, row in near.items()} | {
                f"{s} kid": row["kid"] for s, row in near.items() if "kid" in row
            }

        gates = torch.eye(self.config.styles + 1, device=self.device)
        found: dict[str, Any] = {"n": n, "size": side, "photos": len(photos)}
        for name, gate in [*((s, gates[data.gate(s)]) for s in styles), ("identity", gates[-1])]:
            parts = [self.generator(x.to(self.device), gate.expand(len(x), -1)).cpu() for x in photos.split(4)]
            made = torch.cat(parts).clamp(-1, 1)
            found[f"as {name}"] = distances(made) | {"edges": round(edge_agreement(made, photos), 3)}
        found["photo"] = distances(photos) | {"edges": 1.0}
        for k, s in enumerate(styles):
            others = names if data.toy else [name for name in data.paintings[s] if name not in held]
            # Evenly spread over the collection; of toys, other drawings.
            some = [f"toy-{9000 + j:05d}" for j in range(n)] if data.toy else others[:: max(1, len(others) // n)][:n]
            found[f"real {s}"] = distances(data.whole(some, side, k)) if len(some) >= n else {}
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        """A photo of 256 px, as the paper shows them, all gates open: each network is met."""
        side = 256 if self.config.size > 32 else 32
        photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
        gates = torch.full((1, self.config.styles + 1), 1 / (self.config.styles + 1))
        return {"generator": (photo.to(self.device), gates.to(self.device))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @property
    def styles(self) -> list[str]:
        """The gates' names: of the collections' folders, or numbers."""
        named = list(self.extras.get("styles", []))
        return named + [f"style {k + 1}" for k in range(len(named), self.config.styles)]

    @verb
    def stylize(
        self, photo: Picture, gates: dict | None = None, size: int | None = None, stroke: float = 1.0
    ) -> Picture:
        """Paints a photo in a style, or in a mixture of styles.

        Args:
            photo: any picture, of any size and shape; a landscape is best.
            gates: how far each style's gate is open, {"ukiyoe": 0.7, "monet": 0.3}; what is missing from a sum of 1
                is the photo itself, a sum above 1 is scaled down to 1. Left out: the first style.
            size: pixels of the result's longer side, 16 to 6000; left out: as the photo. At most 12 million pixels.
            stroke: how large the strokes are, 0.25 to 4; 2 = twice as large.
        """
        if not math.isfinite(stroke) or not 0.25 <= stroke <= 4:
            raise Refused("gated_gan.stroke", stroke=stroke)
        if size is not None and not LEAST <= size <= 6000:
            raise Refused("gated_gan.size", size=size, least=LEAST)
        opened = self._gates({self.styles[0]: 1.0} if gates is None else gates)
        return self._painted(photo, opened, size, stroke)

    @verb
    def sheet(self, photo: Picture, size: int = 256) -> Picture:
        """The photo, what the identity gate gives back, and the photo in every style, in one picture.

        Args:
            photo: any picture.
            size: pixels of each picture's longer side, 16 to 1024.
        """
        if not LEAST <= size <= 1024:
            raise Refused("gated_gan.smallSize", size=size, least=LEAST)
        each = torch.eye(self.config.styles + 1)
        rows = [self._painted(photo, each[k : k + 1], size) for k in self._order]
        rows.insert(0, photo.resize(rows[0].size, images.Image.Resampling.LANCZOS))
        columns = min(3, len(rows))
        return images.sheet([rows[k : k + columns] for k in range(0, len(rows), columns)], gap=4)

    @verb
    def textures(self, style: str = "", seed: int = 0, size: int = 256) -> Picture:
        """What a style makes of nothing: a gate paints noise, and its texture is what remains (section 4.4).

        Args:
            style: the style; left out: the first.
            seed: draws the noise.
            size: pixels a side, 16 to 1024.
        """
        if not LEAST <= size <= 1024:
            raise Refused("gated_gan.smallSize", size=size, least=LEAST)
        draw, side = torch.Generator().manual_seed(seed % 2**63), -(-size // 4) * 4
        noise = torch.randn(1, 3, side, side, generator=draw).mul(0.5).clamp(-1, 1)  # on the CPU: the same everywhere
        gates = self._gates({style or self.styles[0]: 1.0})
        made = self.generator(noise.to(self.device), gates.to(self.device))
        return images.to_picture(made[:, :, :size, :size])

    @verb
    def branches(self, photo: Picture) -> Branches:
        """What each gate makes of the photo's code: twelve of its feature maps, side by side.

        Args:
            photo: any picture; it is looked at with 256 pixels along its longer side.
        """
        x, _ = self._padded(_scaled(photo, 256))
        each = torch.eye(self.config.styles + 1, device=self.device)
        codes = {
            name: self.generator(x, each[k : k + 1], features=True)[0].float()
            for name, k in zip(["identity", *self.styles], self._order, strict=True)
        }
        plain = codes["identity"]
        # The channels in which the gates differ most, so that there is something to compare.
        apart = torch.stack([codes[s] for s in self.styles]).var(dim=(0, 2, 3))
        channels = apart.argsort(descending=True, stable=True)[:12].tolist()
        low, high = (torch.stack([edge(c[channels].flatten(1), 1).values for c in codes.values()])
                     for edge in (torch.min, torch.max))  # fmt: skip
        low, high = low.amin(0)[:, None, None], high.amax(0)[:, None, None]
        maps = {}
        for name, code in codes.items():
            shown = (code[channels] - low) / (high - low).clamp_min(1e-6) * 2 - 1
            tiles = images.to_pictures(shown[:, None])
            maps[name] = images.sheet([tiles[k : k + 4] for k in range(0, len(tiles), 4)], gap=1)
        change = {s: float((codes[s] - plain).norm() / plain.norm().clamp_min(1e-6)) for s in self.styles}
        return Branches(maps, change, channels)

    def _gates(self, asked: Mapping[str, Any]) -> Tensor:
        """``(1, styles + 1)`` of what was asked for; the identity gets what is missing from 1.

        Raises:
            ValueError: an unknown style, or a gate that is no number, negative or not finite.
        """
        names = self.styles
        opened = torch.zeros(1, len(names) + 1)
        for name, value in asked.items():
            if name != "identity" and name not in names:
                raise Refused("gated_gan.noStyle", name=str(name)[:40], there=names)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise Refused("gated_gan.gate", name=name, value=str(value)[:20])
            opened[0, len(names) if name == "identity" else names.index(name)] = min(float(value), 1e6)
        total = float(opened.sum())
        if total > 1:
            return opened / total
        opened[0, -1] += 1 - total
        return opened

    def _painted(self, photo: Picture, gates: Tensor, size: int | None, stroke: float = 1.0) -> Picture:
        target = _fitted(photo.size, size)
        seen = _fitted(photo.size, max(LEAST, round(max(target) / stroke)))
        x, (height, width) = self._padded(photo.resize(seen, images.Image.Resampling.LANCZOS))
        gates = gates.to(self.device)
        if x.shape[2] * x.shape[3] <= ONE_PASS:
            made = self.generator(x, gates)
        else:
            made = self._in_parts(x, gates)
        painted = images.to_picture(made[:, :, :height, :width])
        return painted if painted.size == target else painted.resize(target, images.Image.Resampling.BICUBIC)

    def _padded(self, photo: Picture) -> tuple[Tensor, tuple[int, int]]:
        """The tensor with sides that the network can halve twice, continued by its last pixels; and the photo's own."""
        x = images.to_tensor(photo)
        height, width = x.shape[2:]
        below, right = (max(LEAST, -(-side // 4) * 4) - side for side in (height, width))
        return F.pad(x, (0, right, 0, below), mode="replicate").to(self.device), (height, width)

    def _in_parts(self, x: Tensor, gates: Tensor) -> Tensor:
        """A large picture, part by part, each normalised by statistics of the whole picture (`Whole`).

        The statistics are those of sixteen squares that are spread over it. Parts overlap by more than what a pixel
        depends on closely, and only their middles are kept.
        """
        height, width = x.shape[2:]
        side = [min(256, each) for each in (height, width)]
        tops, lefts = _spread(height, side[0], 16 if width <= 256 else 4), _spread(width, side[1], 4)
        if height <= 256:
            lefts = _spread(width, side[1], 16)
        sample = torch.cat([x[:, :, t : t + side[0], a : a + side[1]] for t in tops for a in lefts])
        noted = self.generator(sample, gates.expand(len(sample), -1), note=True)
        made = torch.empty_like(x, device="cpu")
        for top in range(0, height, PART):
            for left in range(0, width, PART):
                t, b = max(0, top - MARGIN), min(height, top + PART + MARGIN)
                a, z = max(0, left - MARGIN), min(width, left + PART + MARGIN)
                part = self.generator(x[:, :, t:b, a:z], gates, noted=noted).cpu()
                inner = part[:, :, top - t : top - t + PART, left - a : left - a + PART]
                made[:, :, top : top + inner.shape[2], left : left + inner.shape[3]] = inner
        return made
