"""What one does with StarGAN: its verbs, what a sheet shows of it, and what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from studio import images, judges, measure
from studio.base import verb
from studio.data import Labelled
from studio.gans.stargan import official, paper
from studio.gans.stargan.paper import LEAST, MOST, Config, Generator, pack, shuffled
from studio.images import Picture
from studio.refused import Refused


class Masked(NamedTuple):
    """What `masked` says: the vector that entered G as ``names`` and ``vector``; ``looks``, of which numbers D's loss
    would take note for a picture with this mask; and the ``picture``."""

    names: list[str]
    vector: list[float]
    looks: list[bool]
    picture: Picture


def _share(hits: Tensor) -> float | None:
    return round(float(hits.float().mean()), 3) if len(hits) else None


def _quiet(x: Tensor, truth: Tensor) -> Tensor:
    """``(H, W)`` bool: the half of the picture in which pictures with and without a label differ least on average."""
    means = [x[truth == value].mean(0) if (truth == value).any() else x.mean(0) for value in (0, 1)]
    apart = F.avg_pool2d((means[0] - means[1]).abs().mean(0)[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    return apart <= apart.median()


class GAN(paper.GAN):
    """StarGAN with its verbs, previews and figures."""

    official = staticmethod(official.official)

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The picture, and each label turned on (if it excludes others) or over."""
        return self._sheet(batch[0])

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        known, names = cls.about.words["attributes"], cls.labels_of(config).names
        return [{"en": "picture", "ko": "원본"}, *({"en": n, "ko": known.get(n, {}).get("ko", n)} for n in names)]

    def glance(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Each picture with one attribute turned: how often a small judge does not see the edit, and how far the
        edits are from real pictures, together in one figure. Either alone is least where nothing, or all, is changed.
        """
        x, own = batch
        read = torch.cat([judges.decide(self._read(part), self.labels.groups) for part in x.split(32)])
        edited, asked = self._each_turned(x, torch.where(own.isnan(), read, own))
        judge, found = judges.find(self.labels.names), {}
        if measure.can_see(x):
            found["kid"] = measure.kid(edited, x)
        if judge is not None:
            judge = judge.to(x.device)
            places = [judge.labels.names.index(name) for name in self.labels.names]
            turned = torch.arange(len(x), device=x.device) % len(places)
            said = judge.says(edited)[:, places].gather(1, turned[:, None])
            found["missed"] = float((said != asked.gather(1, turned[:, None])).float().mean())
        both = {"score": found["missed"] + found["kid"] / 500} if len(found) == 2 else {}
        return both | found

    def _each_turned(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures ``(N, 3, S, S)`` with one attribute turned each, the attributes in turn; the labels they were asked
        for ``(N, L)``."""
        turns = [k % len(self.labels.names) for k in range(len(x))]
        asked = torch.cat([self._turned(labels[k : k + 1], turn) for k, turn in enumerate(turns)])
        codes = [self._code(asked[k : k + 1], self.labels.set_of(turn)) for k, turn in enumerate(turns)]
        return self._through(x, torch.cat(codes)).clamp(-1, 1), asked

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """The pictures, and three of their labels turned: for a glance, not the whole sheet."""
        count = 1 + len(self.labels.names)
        some = list(range(count)) if count < 5 else [0, *range(2, count, 2)][:4]
        return self._sheet(torch.cat([self._face(picture) for picture in pictures]))[:, some]

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        target = shuffled(batch[1], self.labels.sets)
        return self.generator(batch[0], pack(target, self.labels.sets)), batch[0]

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        random, side = torch.Generator().manual_seed(0), self.config.size
        x = torch.rand(1, 3, side, side, generator=random) * 2 - 1
        code = torch.zeros(1, self.generator.given)
        code[:, 0] = 1
        return {"generator": (x.to(self.device), code.to(self.device))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def edit(self, face: Picture, attributes: dict | None = None) -> Picture:
        """Gives a face attributes; what is not named stays as the discriminator reads it.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: how much of each, {"blond": 1, "smiling": 0.5}; 0 and 1 were trained, -0.5 to 1.5 is accepted.
        """
        x = self._face(face)
        return images.to_picture(self._edited(x, self._labels(x, self._named(attributes)), self._named(attributes)))

    @verb
    def sheet(self, face: Picture) -> Picture:
        """The face, and beside it every attribute: those that exclude others turned on, the rest turned over.

        Args:
            face: a portrait from the front; its middle square is taken.
        """
        return images.sheet([images.to_pictures(self._sheet(self._face(face))[0])])

    @verb
    def reconstruct(self, face: Picture, attributes: dict | None = None) -> Picture:
        """There and back, G(G(x, c), c'): what of a face survives an edit and its undoing.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: the edit to undo; none = the labels it has, there and back.
        """
        x, named = self._face(face), self._named(attributes)
        own = self._labels(x, {}, named)
        there = self._edited(x, self._labels(x, named), named or self.labels.names)
        return images.to_picture(self._edited(there, own, named or self.labels.names, back=True))

    @verb
    def recognise(self, face: Picture) -> dict:
        """What the discriminator's second head reads in a face: for each attribute how sure it is, 0 to 1.

        Args:
            face: a portrait from the front; its middle square is taken.
        """
        read = torch.sigmoid(self._read(self._face(face)).float())[0].tolist()
        return dict(zip(self.labels.names, read, strict=True))

    @verb
    def masked(self, face: Picture, attributes: dict | None = None, mask: str = "") -> Masked:
        """One pass with the vector [c_1, ..., c_n, m] laid open, with the right mask or a wrong one.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: labels of one set; the others of the set are as the discriminator reads them.
            mask: the sets that m says are known, such as A, B or AB; none = no set; empty = the right one.
        """
        x, named = self._face(face), self._named(attributes)
        letters = [chr(ord("A") + k) for k in range(len(self.labels.sets))]
        sets = sorted({self.labels.set_of(self.labels.names.index(name)) for name in named})
        if len(sets) > 1:
            raise Refused("stargan.sets")
        own = sets[0] if sets else 0
        given = mask.strip().upper()
        on = [own] if not given else [] if given == "NONE" else [letters.index(k) for k in given if k in letters]
        if given not in ("", "NONE") and len(on) != len(given):
            raise Refused("stargan.maskName", mask=mask[:20], sets=letters)
        code = self._code(self._labels(x, named), own)
        if len(letters) > 1:
            code[:, len(self.labels.names) :] = torch.tensor([float(k in on) for k in range(len(letters))])
        looks = [self.labels.set_of(k) in on for k in range(len(self.labels.names))]
        return Masked(
            [*self.labels.names, *(letters if len(letters) > 1 else [])],
            [round(value, 4) for value in code[0].tolist()],
            [*looks, *([False] * (code.shape[1] - len(looks)))],
            images.to_picture(self.generator(x, code)),
        )

    # ---- from attributes by name to passes --------------------------------------------------------------------------

    def _face(self, face: Picture) -> Tensor:
        return images.to_tensor(images.crop_square(face, self.config.size)).to(self.device)

    def _named(self, attributes: Mapping[str, Any] | None) -> dict[str, float]:
        """The attributes, checked."""
        found = {}
        for name, value in (attributes or {}).items():
            if name not in self.labels.names:
                raise Refused("stargan.noAttribute", name=name[:40], there=self.labels.names)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not LEAST <= value <= MOST:
                raise Refused("stargan.attribute", name=name, value=str(value)[:40], least=LEAST, most=MOST)
            found[name] = float(value)
        return found

    def _read(self, x: Tensor) -> Tensor:
        """Logits of the labels ``(N, L)`` as the discriminator reads them."""
        if self.discriminator is None:
            raise Refused("stargan.noReader")
        return self.discriminator(x)[1]

    def _labels(self, x: Tensor, named: Mapping[str, float], touched: Mapping[str, float] | None = None) -> Tensor:
        """All labels of the pictures ``(N, L)``: as they are read, but for those that are named.

        Of labels that exclude each other, naming one by v leaves the others 1 - v of what they were. Nothing needs
        to be read if all labels of the sets that are touched are named.
        """
        places = {self.labels.names.index(name): value for name, value in named.items()}
        sets = {self.labels.set_of(self.labels.names.index(name)) for name in (touched or named)}
        needed = {k for number in sets for k in self.labels.sets[number]} or set(range(len(self.labels.names)))
        if needed <= set(places):
            labels = torch.zeros(len(x), len(self.labels.names), device=x.device)
        else:
            labels = judges.decide(self._read(x), self.labels.groups)
        for group in self.labels.groups:
            told = [min(max(places[k], 0.0), 1.0) for k in group if k in places]
            if told:
                labels[:, list(group)] *= max(0.0, 1.0 - sum(told))
        for k, value in places.items():
            labels[:, k] = value
        return labels

    def _code(self, labels: Tensor, number: int) -> Tensor:
        """The vector for one label set: the labels of the others are unknown to it."""
        told, places = torch.full_like(labels, torch.nan), list(self.labels.sets[number])
        told[:, places] = labels[:, places]
        return pack(told, self.labels.sets)

    def _edited(self, x: Tensor, labels: Tensor, names: Sequence[str] | Mapping, back: bool = False) -> Tensor:
        """One pass for each label set that the names belong to, each with its own mask."""
        sets = sorted({self.labels.set_of(self.labels.names.index(name)) for name in names}, reverse=back)
        for number in sets:
            x = self.generator(x, self._code(labels, number))
        return x

    def _turned(self, labels: Tensor, k: int) -> Tensor:
        """The labels with the k-th turned on, if it excludes others, or over."""
        group, turned = self.labels.group_of(k), labels.clone()
        turned[:, list(group)] = 0.0
        turned[:, k] = 1.0 if len(group) > 1 else 1.0 - labels[:, k]
        return turned

    def _sheet(self, x: Tensor) -> Tensor:
        """``(N, 1 + L, 3, H, W)``: the pictures, then each label in its turn, from what the discriminator reads."""
        labels, places = judges.decide(self._read(x), self.labels.groups), range(len(self.labels.names))
        codes = torch.stack([self._code(self._turned(labels, k), self.labels.set_of(k)) for k in places], 1)
        many = x[:, None].expand(-1, len(places), -1, -1, -1)
        made = torch.cat(
            [
                self.generator(a, b)
                for a, b in zip(many.flatten(0, 1).split(8), codes.flatten(0, 1).split(8), strict=True)
            ]
        )
        return torch.cat([x[:, None], made.unflatten(0, (len(x), len(places)))], dim=1)

    @staticmethod
    def parameters_of(config: Config) -> tuple[int, int]:
        """Parameters of a generator without labels, and how many each number of the vector adds."""
        with torch.device("meta"):
            generator = Generator(config)
        told = [linear.weight for block in generator.blocks for linear in block.told]
        each = sum(weight[:, :1].numel() for weight in (generator.first.weight, *told))
        return sum(p.numel() for p in generator.parameters()) - each * generator.given, each

    # ---- figures ----------------------------------------------------------------------------------------------------

    def measure(self, data: Labelled, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on held-out pictures, for the card: a row an attribute, then how much is lost on the way.

        reached: how often a small judge, trained on real pictures alone, sees the attribute after an edit that turns
        it; real: how often that judge is right on the same real pictures; read: how often D's own head is. kept: L1
        between face and edit in the half of the picture in which real faces with and without the attribute differ
        least. Only pictures whose label is known, and differs from what the edit gives, are counted (n).
        """
        x = data.batch(indices, [None] * len(indices))[0].to(self.device)
        truth = torch.from_numpy(np.stack([data.all_labels(k) for k in indices])).to(self.device)
        judge, names = judges.find(self.labels.names), self.labels.names
        labels = torch.cat([judges.decide(self._read(part), self.labels.groups) for part in x.split(32)])
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        for k, name in enumerate(names):
            goal = 1.0 if len(self.labels.group_of(k)) > 1 else 1.0 - truth[:, k]
            some = ~truth[:, k].isnan() & (truth[:, k] != goal)
            if not some.any():
                continue
            asked = self._turned(torch.where(truth.isnan(), labels, truth)[some], k)
            edited = self._through(x[some], self._code(asked, self.labels.set_of(k)))
            quiet = _quiet(x, truth[:, k])
            known = ~truth[:, k].isnan()
            row: dict[str, Any] = {"n": int(some.sum())}
            if judge is not None:
                place = judge.labels.names.index(name)
                row["reached"] = _share(judge.says(edited)[:, place] == asked[:, k])
                row["real"] = _share(judge.says(x[known])[:, place] == truth[known, k])
            row["read"] = _share(labels[known, k] == truth[known, k])
            row["kept"] = round(float((edited - x[some]).abs()[..., quiet].mean()) / 2, 4)
            row["changed"] = round(measure.l1(edited, x[some]), 4)
            found[name] = row
        found["edits"] = measure.apart(self._each_turned(x, labels)[0], x)
        found["real against real"] = measure.floor(x)
        return found | self._drift(x, labels) | self._masks(x, labels, judge)

    def _drift(self, x: Tensor, labels: Tensor) -> dict[str, Any]:
        """L1 to the picture after passes that should change nothing, and after the way there and back."""
        sets = range(len(self.labels.sets))
        once = [self._through(x, self._code(labels, k)) for k in sets]
        found = {"nothing asked, one pass": round(sum(measure.l1(y, x) for y in once) / len(once), 4)}
        if len(sets) > 1:
            twice = once[0]
            for k in sets[1:]:
                twice = self._through(twice, self._code(labels, k))
            found[f"nothing asked, {len(sets)} passes"] = round(measure.l1(twice, x), 4)
        away = [self._through(x, self._code(self._turned(labels, self.labels.sets[k][0]), k)) for k in sets]
        back = [self._through(y, self._code(labels, k)) for k, y in zip(sets, away, strict=True)]
        found["there and back"] = round(sum(measure.l1(y, x) for y in back) / len(back), 4)
        return {name: {"l1": value} for name, value in found.items()}

    def _masks(self, x: Tensor, labels: Tensor, judge: judges.Judge | None) -> dict[str, Any]:
        """How often an edit is reached with the right mask and with another set's."""
        n, count = len(self.labels.names), len(self.labels.sets)
        if judge is None or count < 2:
            return {}
        found = {}
        for title, shift in (("right mask", 0), ("wrong mask", 1)):
            hits, moved = [], []
            for k, name in enumerate(self.labels.names):
                asked, number = self._turned(labels, k), self.labels.set_of(k)
                some = asked[:, k] != labels[:, k]
                if not some.any():
                    continue
                code = self._code(asked, number)
                code[:, n:] = F.one_hot(torch.tensor((number + shift) % count), count).to(code)
                edited = self._through(x[some], code[some])
                hits.append(judge.says(edited)[:, judge.labels.names.index(name)] == asked[some, k])
                moved.append((edited - x[some]).abs().mean((1, 2, 3)) / 2)
            if hits:
                found[title] = {"reached": _share(torch.cat(hits)), "changed": round(float(torch.cat(moved).mean()), 4)}
        return found

    def _through(self, x: Tensor, code: Tensor) -> Tensor:
        return torch.cat([self.generator(a, b) for a, b in zip(x.split(32), code.split(32), strict=True)])
