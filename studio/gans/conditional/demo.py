"""What one does with a conditional GAN: write with it, ask for every label of one noise, go from one label to another,
and tell its discriminator a wrong label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from studio import images, judges, measure
from studio.base import verb
from studio.data import Classes
from studio.gans.conditional import paper
from studio.gans.conditional.paper import Verdict
from studio.images import Picture
from studio.latents import points
from studio.refused import Refused

LONGEST = 24  # letters of one text
MOST = 16  # columns of a grid
EACH = 20  # pictures of each label that a figure is made of


class Told(NamedTuple):
    """What `between` says: the ``picture``, and the generator's input that it comes of, ``z`` and ``y``."""

    picture: Picture
    z: list[float]
    y: list[float]


class Verdicts(NamedTuple):
    """What `verdicts` says: label -> D's belief, in [0, 1], that the picture is a real one of this label."""

    real: dict[str, float]


class GAN(paper.GAN):
    """Conditional GAN with its verbs, previews and figures."""

    @verb
    def write(self, text: str = "", seed: int = 1) -> Picture:
        """Writes a number or a word, letter by letter.

        Args:
            text: of letters that the model knows, and spaces; without one, all that it knows.
            seed: which noise; one seed is one hand, so all letters of a text are written alike.
        """
        places = [None if letter.isspace() else self._place(letter, text) for letter in self._letters(text)]
        z = self._noise(seed).expand(len(places), -1)
        made = images.to_pictures(self.generator(z, self._one_hot([k or 0 for k in places])))
        blank = images.Image.new("RGB", (self.config.size,) * 2)
        return images.sheet([[blank if k is None else one for k, one in zip(places, made, strict=True)]], gap=0)

    @verb
    def sample(self, seed: int = 1, label: str | None = None) -> Picture:
        """Draws one picture of a label.

        Args:
            seed: which noise.
            label: what to draw; without one, the labels take turns from seed to seed.
        """
        place = seed % len(self.labels) if label is None else self._place(label, label)
        return images.to_picture(self.generator(self._noise(seed), self._one_hot([place])))

    @verb
    def grid(self, seed: int = 1, columns: int = 8) -> Picture:
        """Every label with the same noises: a row a label, a column a z.

        Args:
            seed: of the first column; the others have the seeds that follow.
            columns: how many, 1 to 16.
        """
        columns = int(points.checked(columns, "columns", 1, MOST))
        z = torch.cat([self._noise(seed + k) for k in range(columns)])
        rows = [self.generator(z, self._one_hot([k] * columns)) for k in range(len(self.labels))]
        return images.sheet([images.to_pictures(row) for row in rows])

    @verb
    def between(self, first: str = "", second: str = "", at: float = 0.5, seed: int = 1) -> Told:
        """A picture of something between two labels: nothing of the kind was ever in the training.

        Args:
            first: a label; without one, the first that there is.
            second: another; without one, the second that there is.
            at: 0 = the first label, 1 = the second.
            seed: which noise.
        """
        at = points.checked(at, "at", 0, 1)
        ends = [self._place(name or self.labels[k], name) for k, name in enumerate((first, second))]
        a, b = self._one_hot(ends)
        z, y = self._noise(seed), torch.lerp(a, b, float(at))[None]
        return Told(images.to_picture(self.generator(z, y)), z[0].tolist(), y[0].tolist())

    @verb
    def judge(self, picture: Picture, label: str = "") -> Verdict:
        """Whether the discriminator takes a picture for a real one of a label. Told a wrong one, it says no.

        Args:
            picture: any; its middle square is looked at.
            label: what the discriminator is told that it is; without one, the first that there is.
        """
        place = self._place(label or self.labels[0], label)
        return Verdict(self._beliefs(picture)[place])

    @verb
    def verdicts(self, picture: Picture) -> Verdicts:
        """What the discriminator says of a picture for each label that it can be told.

        Args:
            picture: any; its middle square is looked at.
        """
        return Verdicts(dict(zip(self.labels, self._beliefs(picture), strict=True)))

    # ---- what a GAN promises besides its verbs (studio.base) --------------------------------------------------------

    def preview(self, batch: Sequence[Tensor]) -> Tensor:
        """A row for each example: it, then eight made pictures of its label: ``(N, 9, 3, S, S)``."""
        picture, y = batch
        z = self.noise(8, points.random(0))
        rows = [self.generator(z, one.expand(8, -1)) for one in y]
        return torch.cat([picture[:, None], torch.stack(rows)], dim=1)

    @classmethod
    def columns(cls, config: Any, extras: Any) -> list[dict[str, str]]:
        return [{"en": "real", "ko": "진짜"}, {"en": "made of its label", "ko": "그 라벨로 만든 그림"}]

    def made(self, batch: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        picture, y = batch
        return self.generator(self.noise(len(picture)), y), picture

    def measure(self, data: Classes, indices: Sequence[int]) -> dict[str, Any]:
        """How far it obeys: the share of made pictures in which a small classifier, trained on real ones alone, sees
        the label that was asked for; beside how often that classifier is right on held-out real pictures. Then how far
        made pictures are from real ones of the same labels."""
        real, y = data.batch(indices, [None] * len(indices))
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        asked = self._one_hot(list(range(len(self.labels))) * EACH)
        made = self._many(asked, 1)
        if (judge := judges.find(self.labels, of=data.source)) is not None:
            place = [judge.labels.names.index(name) for name in self.labels]

            def right(x: Tensor, wanted: Tensor) -> Tensor:
                says = torch.cat([judge(part.cpu())[:, place].argmax(1) for part in x.split(64)])
                return says == wanted.argmax(1).cpu()

            obeyed = right(made, asked)
            found["obeyed"] = {"n": len(made), "share": round(float(obeyed.float().mean()), 3)}
            each = obeyed.view(EACH, -1).float().mean(0)
            worst = int(each.argmin())
            found[f"obeyed least: {self.labels[worst]}"] = {"n": EACH, "share": round(float(each[worst]), 3)}
            found["the classifier on real ones"] = {
                "n": len(real), "share": round(float(right(real, y).float().mean()), 3)
            }  # fmt: skip
        like = self._many(y.to(self.device), 2).cpu()
        found["generator"] = measure.apart(like, real) | {"diversity": round(measure.diversity(like), 4)}
        found["real against real"] = measure.floor(real) | {"diversity": round(measure.diversity(real), 4)}
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        return {"generator": (self._noise(0), self._one_hot([0]))}

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def _noise(self, seed: int) -> Tensor:
        return self.noise(1, points.random(seed))

    def _one_hot(self, places: Sequence[int]) -> Tensor:
        """``(N, L)``, a one in each row."""
        return torch.eye(len(self.labels), device=self.device)[list(places)]

    def _many(self, y: Tensor, seed: int) -> Tensor:
        """A picture for each row of y, each of its own noise."""
        z = self.noise(len(y), points.random(seed))
        return torch.cat([self.generator(a, b) for a, b in zip(z.split(64), y.split(64), strict=True)])

    def _letters(self, text: str) -> list[str]:
        """The letters of a text, as the model names them.

        Raises:
            ValueError: too many.
        """
        if not text.strip():
            return list(self.labels)[:LONGEST]
        long = [name for name in self.labels if len(name) > 1]  # cat dog: labels that are words are written apart
        letters = text.split() if long else list(text.strip())
        if len(letters) > LONGEST:
            raise Refused("conditional.long", letters=len(letters), most=LONGEST)
        return letters

    def _place(self, label: str, text: str) -> int:
        """Which label it is.

        Raises:
            ValueError: it is none; names all of the text that are none, and what the model knows.
        """
        if label in self.labels:
            return self.labels.index(label)
        asked = [label] if text == label else self._letters(text)
        unknown = dict.fromkeys(each for each in asked if each not in self.labels and not each.isspace())
        raise Refused("conditional.letters", unknown=[name[:20] for name in unknown], known=list(self.labels))

    def _beliefs(self, picture: Picture) -> list[float]:
        """D's belief for each label."""
        if self.discriminator is None:
            raise Refused("model.noJudge")
        x = images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device)
        every = torch.eye(len(self.labels), device=self.device)
        return torch.sigmoid(self.discriminator(x.expand(len(every), -1, -1, -1), every).float()).tolist()
