"""What every shape of data promises, the order in which a training sees it, and what is set aside for measuring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from studio.data.files import is_own, opened, read_as, several
from studio.data.names import clean
from studio.refused import Phrase, Refused, phrase

Random = np.random.Generator
TOYS_DRAWN = 4000  # pictures in a toy set: each is drawn from its own number


class DataSet:
    """A list of ``names`` and pure functions of (index, random numbers): `batch` gives what `train_step` takes.

    Args:
        source: a folder, a zip, a folder inside a zip, ``torchvision:NAME``, ``real:NAME``, which comes with the
            studio, or ``toy`` / ``toy:NAME``, which it draws itself.
        config: the GAN's; ``size`` and the like are read off it.

    Raises:
        ValueError: nothing that can be used; says what was expected.
    """

    asks: ClassVar[dict[str, str]]  # {"en", "ko"}: what files are understood
    TOYS: ClassVar[tuple[str, ...]]  # names of drawn sets; the first is what ``toy`` means
    REAL: ClassVar[tuple[str, ...]] = ()  # built-in sets that are offered for it (studio.data.real)
    TORCHVISION: ClassVar[tuple[str, ...]] = ()  # sets of torchvision that it can use
    FILES: ClassVar[bool] = True  # whether it can be read from files; False = it is only ever drawn
    ENDLESS: ClassVar[bool] = False  # whether a training's examples are drawn anew, a batch at once (see `endless`)
    LEAST: ClassVar[int] = 2

    def __init__(self, source: str | Path, config: Any) -> None:
        self.source, self.reading = read_as(source)
        self.size = getattr(config, "size", 0)  # points have none
        self.ranges: dict[str, str] = {}  # name -> what is black and white in it, of pictures of other depths
        self.lost: list[str] = []  # what a run that goes on, or is measured, no longer finds here
        self.readings: tuple[str, ...] = ()  # what the files could be taken for, where that is not sure
        self.skipped: dict[str, str] = {}  # name -> why
        self.toy = self._toy()
        self.files = None if self.toy else self.opened()
        self.kind, self.names = "toy", [f"toy-{k:05d}" for k in range(TOYS_DRAWN)]
        if self.files is not None:
            self.skipped |= getattr(self.files, "left_out", {})
            self.kind, self.names = self.understand(config)
        if len(self.names) < self.LEAST:
            raise self.lacking("data.few", source=source, n=len(self.names), least=self.LEAST, asks=self.asks)

    @classmethod
    def sources(cls) -> list[str]:
        """What is offered without any files, as a source: the drawn sets, then the built-in ones."""
        return [*(f"toy:{name}" for name in cls.TOYS), *(f"real:{name}" for name in cls.REAL)]

    @classmethod
    def unlabelled(cls, config: Any) -> Any:
        """The Config without what only fits some data (names of labels …): for a look at any."""
        return config

    @property
    def own(self) -> bool:
        """Whether all of it is the studio's own: drawn, or built in. Nobody's upload is meant by a server's limits."""
        return all(is_own(part) for part in several(self.source))

    def _toy(self) -> str:
        if self.source != "toy" and not self.source.startswith("toy:"):
            return ""
        name = self.source.partition(":")[2] or self.TOYS[0]
        if name not in self.TOYS:
            raise Refused("data.noToy", name=name, there=self.TOYS)
        return name

    # ---- what a shape of data says of itself ------------------------------------------------------------------------

    def understand(self, config: Any) -> tuple[str, list[str]]:
        """(kind, names): what the files are taken to be, read off their names and contents."""
        raise NotImplementedError

    def opened(self) -> Any:
        """The files of the source."""
        return opened(self.source)

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, ...]:
        """Examples, stacked; each varied by its own random numbers, or as it is (None)."""
        raise NotImplementedError

    def endless(self, rng: Random, n: int) -> tuple[Tensor, ...]:
        """A batch of examples that nobody has seen before, of a set that is `ENDLESS`."""
        raise NotImplementedError

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        """A batch to look at: ``(N, columns, 3, H, W)`` in [-1, 1]."""
        raise NotImplementedError

    def picture(self, index: int) -> np.ndarray | None:
        """The example's picture, ``(H, W, 3)`` uint8, unvaried; None = its file is damaged."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say about its input."""
        return {}

    def fit(self, config: Any, extras: dict[str, Any]) -> Any:
        """The Config of a training that begins on this data: what only the data can know (how many classes …) set.

        Args:
            extras: what the checkpoint that it begins from says about its input; empty without one.
        """
        return config

    def recall(self, facts: dict[str, Any]) -> None:
        """Takes up what `facts` said when the run began, in the process that trains it or goes on."""

    def held(self, names: Sequence[str]) -> list[str]:
        """Those of the pictures that were held out that are here, as they are called here; what is gone is said."""
        there = set(self.names)
        found = [name for name in map(clean, names) if name in there]
        if gone := len(names) - len(found):
            self.lost = [*self.lost, Phrase("data.heldGone", n=gone, all=len(names))]
        return found

    def set_aside(self, count: int, seed: int = 0) -> list[str]:
        """Names to hold out of a training; a shape of several kinds of pictures takes ``count`` of each kind."""
        return hold_out(self, count, seed)

    def aside(self, names: Sequence[str]) -> DataSet:
        """The data to take examples of names that were set aside from: itself, or, of a shape whose examples have parts
        that belong to no name, one that takes those from among these names, too."""
        return self

    # ---- what follows from it ---------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.names)

    def keep(self, names: Sequence[str]) -> None:
        """Keeps only the examples of these names, in the order they have."""
        wanted = set(names)
        self.names = [name for name in self.names if name in wanted]

    def open(self, name: str) -> Image.Image | None:
        """A picture of the files; a damaged one is noted in ``skipped`` and is None."""
        try:
            found = self.files.open(name)
            if (span := found.info.get("range")) is not None and span != (0.0, 255.0):
                self.ranges[name] = Phrase("data.range", low=span[0], high=span[1])
            return found
        except ValueError as error:
            self.skipped[name] = phrase(error)
            return None

    def _each(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> list[Random]:
        """Random numbers for each drawn example: those that are given, else those of its name."""
        both = zip(indices, rngs, strict=True)
        return [np.random.default_rng(int(self.names[k][4:])) if rng is None else rng for k, rng in both]

    def next_good(self, get: Any, index: int) -> Any:
        """``get(k)`` of the first k from ``index`` on that is not None: damaged files are passed over."""
        for shift in range(len(self.names)):
            found = get((index + shift) % len(self.names))
            if found is not None:
                return found
        raise Refused("data.unread", source=self.source)

    def thumbnails(self) -> np.ndarray | None:
        """``(len, 16 * 16 * 3)`` float32 in [0, 1], to find near-duplicates; None for toys, which have none."""
        if self.toy:
            return None
        rows = []
        for k in range(len(self)):
            found = self.picture(k)
            small = Image.new("RGB", (16, 16)) if found is None else Image.fromarray(found)
            rows.append(np.asarray(small.resize((16, 16), Image.Resampling.BOX), np.float32).ravel() / 255)
        return np.stack(rows)

    def checked(self, most: int | None = None) -> dict[str, Any]:
        """Opens the pictures and says what was understood; damaged ones are taken out of ``names``.

        Args:
            most: look at so many at most, spread over the set; None = at all of them.

        Returns:
            kind, count, looked (how many were opened), sizes (the five most frequent, ``"256 x 256"`` -> count),
            readings, notes (what was done -> to how many), skipped (name -> why), reasons (see `reasons`),
            parts (see `parts`).
        """
        places = range(len(self)) if most is None else range(0, len(self), max(1, len(self) // most))
        sizes: Counter[str] = Counter()
        bad = set()
        for k in places:
            found = self.picture(k)
            if found is None:
                bad.add(self.names[k])
            else:
                sizes[f"{found.shape[1]} x {found.shape[0]}"] += 1
        self.names = [name for name in self.names if name not in bad]
        if len(self.names) < self.LEAST:
            raise self.lacking(
                "data.usable", n=len(self.names), source=Path(self.source).name, least=self.LEAST, asks=self.asks
            )
        return {
            "kind": self.kind,
            "count": len(self.names),
            "looked": len(places),
            "sizes": dict(sizes.most_common(5)),
            "skipped": dict(self.skipped),
            "reasons": self.reasons(),
            "parts": self.parts(),
            "readings": self.readings,
            "notes": counted(self.ranges),
        }

    def parts(self) -> dict[str, int]:
        """What there is of each kind: classes, styles or domains, and how many examples each has."""
        return {}

    def reasons(self) -> dict[str, int]:
        """Why files were left out, and how many for each reason, the most frequent first."""
        return counted(self.skipped)

    def lacking(self, code: str, **values: Any) -> Refused:
        """The error that too little remains, with the reason for which most was left out, if anything was."""
        says = Refused(code, **values)
        if not self.skipped:
            return says
        why, n = next(iter(self.reasons().items()))
        return Refused("data.leftOut", says=says, n=n, all=len(self.skipped), why=why)


def counted(skipped: Mapping[str, str]) -> dict[str, int]:
    """Reasons of the same kind as one: ``name -> why`` becomes ``why -> how many``; of each the first stands for all,
    with its name."""
    kinds: dict[str, list[str]] = {}
    for name, why in skipped.items():
        kinds.setdefault(getattr(why, "code", why), []).append(name)
    most = sorted(kinds.values(), key=len, reverse=True)
    return {Phrase("skipped.such", name=names[0], why=skipped[names[0]]): len(names) for names in most}


def hold_out(
    data: DataSet, count: int, seed: int = 0, near: float = 0.045, kinds: Sequence[Sequence[str]] | None = None
) -> list[str]:
    """Names of ``count`` examples to set aside, none of which has a near-duplicate among the others.

    Two pictures are near-duplicates if their 16 x 16 thumbnails differ by less than ``near`` on average; a split that
    put one of them on each side would measure memory.

    Args:
        kinds: names; ``count`` of each kind are taken. None = all are of one kind.
    """
    small = data.thumbnails()
    place = {name: k for k, name in enumerate(data.names)}
    rng, chosen = np.random.default_rng(seed), []
    for names in kinds if kinds is not None else [data.names]:
        found: list[str] = []
        for name in (names[k] for k in rng.permutation(len(names))):
            if len(found) == count:
                break
            if small is not None:
                distance = np.abs(small - small[place[name]]).mean(axis=1)
                distance[place[name]] = 1
                if distance.min() <= near:
                    continue
            found.append(name)
        if len(found) < count:
            raise Refused("data.duplicates", n=len(found), all=len(names), wanted=count)
        chosen += found
    return sorted(chosen)


class Stream(torch.utils.data.Dataset):
    """Step -> batch, as a function of (seed, step): each epoch a new order, each example its own generator.

    So a training that was stopped and resumed sees what it would have seen.
    """

    def __init__(self, data: DataSet, batch: int, seed: int = 0) -> None:
        self.data, self.n, self.seed = data, batch, seed

    def __getitem__(self, step: int) -> Any:
        if self.data.ENDLESS:
            return self.data.endless(np.random.default_rng((self.seed, 2, step)), self.n)
        places = range(step * self.n, (step + 1) * self.n)
        indices = [self._order(place // len(self.data))[place % len(self.data)] for place in places]
        return self.data.batch(indices, [np.random.default_rng((self.seed, 1, place)) for place in places])

    def _order(self, epoch: int) -> np.ndarray:
        if getattr(self, "_epoch", None) != epoch:
            self._epoch = epoch
            self._permutation = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.data))
        return self._permutation

    def __len__(self) -> int:
        return 2**31


# ---- pictures -------------------------------------------------------------------------------------------------------


def to_batch(arrays: Sequence[np.ndarray]) -> Tensor:
    """``(H, W, 3)`` uint8 arrays -> ``(N, 3, H, W)`` in [-1, 1]."""
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def window(array: np.ndarray, size: int, move: np.ndarray) -> np.ndarray:
    """``size`` x ``size`` out of a larger picture, or a smaller one on paper; ``move`` in [0, 1] says where."""
    height, width = array.shape[:2]
    if height >= size:
        top, left = (np.array([height - size, width - size]) * move).astype(int)
        return array[top : top + size, left : left + size]
    paper = np.full((size, size, array.shape[2]), 255, np.uint8)
    top, left = (np.array([size - height, size - width]) * move).astype(int)
    paper[top : top + height, left : left + width] = array
    return paper
