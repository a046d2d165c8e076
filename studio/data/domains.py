"""Two domains: pictures of one kind and pictures of another, and no picture belongs to any other."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from studio import images
from studio.data.base import DataSet, Random, hold_out, to_batch
from studio.data.files import opened, several
from studio.data.layouts import LABELS, PHOTOS, SPLITS
from studio.data.layouts import TESTED as HELD
from studio.data.names import clean
from studio.data.tables import Lookup, tables_of
from studio.refused import Phrase, Refused
from studio.toys import bags, landscapes, shoes

KNOWN = (("traina", "trainb"), ("a", "b"), ("x", "y"))  # folders whose names say that they are the two domains
TESTED = HELD | {"testa", "testb", "vala", "valb"}  # no training sees what is in them
LEAST = 2  # pictures of a domain
DRAWN: dict[str, dict[str, Callable[[Random, int], np.ndarray]]] = {  # toy sets: domain -> who draws it
    "seasons": {"summer": landscapes.summer, "winter": landscapes.winter},
    "bags": {"shoes": shoes.draw, "bags": bags.draw},
}


class TwoDomains(DataSet):
    """(x, y), unpaired: ``(N, 3, S, S)`` twice in [-1, 1], a picture of each domain, drawn independently.

    What the two domains are is read off the source (``kind`` is always ``domains``, ``called`` says their names):

    - two sources joined by ``+``: ``photos.zip+paintings.zip/monet``; all pictures of the first, all of the second;
    - folders ``trainA`` and ``trainB``, ``A`` and ``B``, or two of any name, the first in the alphabet first;
    - more than two folders, or a table of labels: ``domains`` says which, ``"brown|black"`` (see `Side`).

    What lies in folders ``testA`` and ``testB``, or in one called ``test`` or ``val``, is set aside for measuring.

    An epoch shows each picture at least once; of a smaller domain each comes as often as it takes.

    Args:
        config: ``size`` (of the square). What else it may have: ``load``: pixels of the shorter side to which a picture
            is shrunk before a square is cut out of it somewhere; ``mirror``: whether half of a training's pictures are
            mirrored (true, if nothing is said); ``domains``.
    """

    asks: ClassVar = {
        "en": "two folders of pictures (trainA/ and trainB/, A/ and B/, or two of any name), two sources joined by +, "
        "or pictures with labels and domains='brown|black'",
        "ko": "사진 폴더 두 개(trainA/와 trainB/, A/와 B/, 또는 아무 이름이나 두 개), +로 이은 두 자료, "
        "또는 라벨이 있는 사진과 domains='brown|black'",
    }
    TOYS = tuple(DRAWN)

    def __init__(self, source: Any, config: Any) -> None:
        self.text = getattr(config, "domains", "").strip()
        self.load = max(getattr(config, "load", 0), config.size)
        self.mirror = getattr(config, "mirror", True)
        self.sides: tuple[list[str], list[str]] = ([], [])  # names of the pictures of x, and of y
        self.called: tuple[str, str] = ("", "")
        self.tested: list[str] = []
        super().__init__(source, config)
        if self.toy:
            self.called, self.sides = tuple(DRAWN[self.toy]), (self.names, self.names)

    # ---- reading ----------------------------------------------------------------------------------------------------

    def opened(self) -> Any:
        parts = several(self.source)
        return _Apart(parts) if len(parts) == 2 and not self.text else super().opened()

    def understand(self, config: Any) -> tuple[str, list[str]]:
        pictures = _photos(self.files.pictures())
        if not pictures:
            raise self.lacking("data.none", source=self.source, asks=self.asks)
        if isinstance(self.files, _Apart):
            self.called = tuple(map(_last, several(self.source)))
            self.sides = tuple([name for name in pictures if name.startswith(f"{side}/")] for side in _Apart.LETTERS)
        elif self.text:
            self._by_labels(pictures)
        else:
            self._by_folders(pictures)
        for called, names in zip(self.called, self.sides, strict=True):
            if len(names) < LEAST:
                raise Refused(
                    "data.domainFew", domain=called, source=self.source, n=len(names), least=LEAST, asks=self.asks
                )
        self.tested = [name for name in [*self.sides[0], *self.sides[1]] if _folders(name) & TESTED]
        return "domains", [*self.sides[0], *self.sides[1]]

    def _by_folders(self, pictures: Sequence[str]) -> None:
        """The two folders that there are, at whatever depth they begin to differ."""
        paths = {name: [part for part in PurePosixPath(name).parts if _same(part) not in SPLITS] for name in pictures}
        depth = 0
        while all(len(path) > depth + 1 for path in paths.values()) and len({p[depth] for p in paths.values()}) == 1:
            depth += 1
        groups: dict[str, list[str]] = {}
        for name, path in paths.items():
            groups.setdefault(path[depth] if len(path) > depth + 1 else "", []).append(name)
        known = {_same(name): name for name in groups}
        pair = next((pair for pair in KNOWN if set(pair) <= set(known)), None)
        if pair is not None:
            first, second = (known[each] for each in pair)
            self.called = tuple(re.sub(r"(?i)^train", "", each) for each in (first, second))
            tests = [[known[test] for kind in ("test", "val") if (test := kind + each[-1]) in known] for each in pair]
            self.sides = tuple(
                [name for group in (own, *those) for name in groups[group]]
                for own, those in zip((first, second), tests, strict=True)
            )
            return
        named = sorted(name for name in groups if name)
        if len(named) != 2:
            there = [name or Phrase("data.inNoFolder") for name in sorted(groups)]
            raise Refused("data.noDomains", source=self.source, there=there, asks=self.asks)
        self.called = named[0], named[1]
        self.sides = groups[named[0]], groups[named[1]]
        self.skipped |= dict.fromkeys(groups.get("", []), Phrase("skipped.neitherFolder"))

    def _by_labels(self, pictures: Sequence[str]) -> None:
        """The pictures of which what ``domains`` says is true."""
        sides = [Side.of(part) for part in self.text.split("|")]
        if len(sides) != 2:
            raise Refused("data.twoDomains", text=self.text[:60])
        told = _told(self.files, pictures)
        for side in sides:
            for each in side.conditions:
                if not any(each.holds(facts) for facts in told.values()):
                    raise Refused("data.noneSuch", source=self.source, condition=each, there=_offered(told))
        found = [[name for name, facts in told.items() if side.holds(facts)] for side in sides]
        for name in set(found[0]) & set(found[1]):
            self.skipped[name] = Phrase("skipped.bothDomains")
        self.called = sides[0].name, sides[1].name
        self.sides = tuple([name for name in names if name not in self.skipped] for names in found)

    @classmethod
    def unlabelled(cls, config: Any) -> Any:
        return replace(config, domains="") if hasattr(config, "domains") else config

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say: the names of the two domains."""
        return {"domains": list(self.called)}

    def recall(self, facts: dict[str, Any]) -> None:
        """The domains in the order that the run knows them in.

        Raises:
            ValueError: folders or labels of other names.
        """
        known = [_same(clean(name)) for name in facts.get("domains") or []]
        here = [_same(name) for name in self.called]
        if len(known) != 2 or known == here or isinstance(self.files, _Apart):  # a source may have been moved
            return
        if known != here[::-1]:
            raise Refused("data.otherDomains", source=self.source, there=list(self.called), known=facts["domains"])
        self.called, self.sides = self.called[::-1], self.sides[::-1]
        self.names = [*self.sides[0], *self.sides[1]] if not self.toy else self.names
        self.__dict__.pop("_place", None)

    def parts(self) -> dict[str, int]:
        return {called: len(names) for called, names in zip(self.called, self.sides, strict=True)}

    # ---- what is set aside ------------------------------------------------------------------------------------------

    def set_aside(self, count: int, seed: int = 0) -> list[str]:
        """What lies in folders for it, and of a domain that has none ``count`` pictures."""
        if self.toy:
            return super().set_aside(count, seed)
        tested = set(self.tested)
        kinds = [names for names in self.sides if not tested & set(names)]
        return sorted([*(hold_out(self, count, seed, kinds=kinds) if kinds else []), *self.tested])

    def keep(self, names: Sequence[str]) -> None:
        """Keeps only these, and of them none that lies in a folder of tests: what is left is trained on."""
        tested = set(self.tested)
        self._only([name for name in names if name not in tested])

    def _only(self, names: Sequence[str]) -> None:
        super().keep(names)
        wanted = set(self.names)
        self.sides = tuple([name for name in side if name in wanted] for side in self.sides)
        self.__dict__.pop("_place", None)
        for called, side in zip(self.called, self.sides, strict=True):
            if not side:
                raise Refused("data.domainHeld", domain=called)

    def aside(self, names: Sequence[str]) -> TwoDomains:
        """Both pictures of an example are of these names then, where both domains have some among them."""
        alone, wanted = copy.copy(self), set(names)
        if all(wanted & set(side) for side in self.sides):
            alone._only(names)
        return alone

    def checked(self, most: int | None = None) -> dict[str, Any]:
        found = super().checked(most)
        self._only(self.names)
        return found

    # ---- pictures ---------------------------------------------------------------------------------------------------

    @cached_property
    def _place(self) -> dict[str, tuple[int, int]]:
        """Name -> (domain, place in its list)."""
        return {name: (side, k) for side, names in enumerate(self.sides) for k, name in enumerate(names)}

    def picture(self, index: int) -> np.ndarray | None:
        return self._read(self.names[index], 0)

    def _read(self, name: str, domain: int, number: int | None = None) -> np.ndarray | None:
        """A picture of a domain; a drawn one is that of the name, or of another number."""
        if self.toy:
            rng = np.random.default_rng((int(name[4:]) if number is None else number, domain))
            return DRAWN[self.toy][self.called[domain]](rng, max(self.load, 32))
        found = self.open(name)
        return None if found is None else np.asarray(found)

    def _good(self, domain: int, at: int) -> np.ndarray:
        """The picture at a place of a domain, or the next that is not damaged."""
        names = self.sides[domain]
        for shift in range(len(names)):
            found = self._read(names[(at + shift) % len(names)], domain)
            if found is not None:
                return found
        raise Refused("data.unread", source=self.source)

    def item(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray]:
        """The picture of the index, and any of the other domain; without random numbers one after the other."""
        name, any_at = self.names[index], index if rng is None else int(rng.integers(2**31))
        if self.toy:
            pair = self._read(name, 0), self._read(name, 1, None if rng is None else any_at)
        else:
            own, at = self._place[name]
            both = {own: self._good(own, at), 1 - own: self._good(1 - own, any_at)}
            pair = both[0], both[1]
        return self.cut(pair[0], rng), self.cut(pair[1], rng)

    def cut(self, array: np.ndarray, rng: Random | None) -> np.ndarray:
        """A square of the training size out of a picture whose shorter side is ``load``: its middle, or, varied,
        anywhere, and mirrored half of the time."""
        flip, move = False, np.full(2, 0.5)
        if rng is not None:
            flip, move = self.mirror and rng.random() < 0.5, rng.uniform(0, 1, 2)
        array = _shrunk(array, self.load)
        top, left = ((np.array(array.shape[:2]) - self.size) * move).astype(int)
        array = array[top : top + self.size, left : left + self.size]
        return array[:, ::-1] if flip else array

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, Tensor]:
        x, y = zip(*(self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)), strict=True)
        return to_batch(x), to_batch(y)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        return torch.stack(batch[:2], dim=1)

    # ---- for measuring ----------------------------------------------------------------------------------------------

    def whole(self, names: Sequence[str], size: int, domain: int) -> Tensor:
        """The middle squares of those pictures that are of the domain (0 = x, 1 = y), ``(N, 3, size, size)``; damaged
        ones are left out."""
        of = names if self.toy else [name for name in names if self._place.get(name, (2, 0))[0] == domain]
        found = [array for name in of if (array := self._read(name, domain)) is not None]
        squares = [np.asarray(images.crop_square(images.Image.fromarray(array), size)) for array in found]
        return to_batch(squares) if squares else torch.zeros(0, 3, size, size)


class _Apart:
    """Two sources side by side: names begin with the letter of theirs, so that equal names stay apart."""

    LETTERS = ("x", "y")

    def __init__(self, sources: Sequence[str]) -> None:
        self.parts = dict(zip(self.LETTERS, map(opened, sources), strict=True))
        self.names = [f"{letter}/{name}" for letter, part in self.parts.items() for name in part.names]
        both = [(letter, getattr(part, "left_out", {})) for letter, part in self.parts.items()]
        self.left_out = {f"{letter}/{name}": why for letter, left in both for name, why in left.items()}

    def pictures(self) -> list[str]:
        return [f"{letter}/{name}" for letter, part in self.parts.items() for name in part.pictures()]

    def open(self, name: str) -> images.Picture:
        return self.parts[name[0]].open(name[2:])

    def read(self, name: str) -> bytes:
        return self.parts[name[0]].read(name[2:])


def _shrunk(array: np.ndarray, side: int) -> np.ndarray:
    """The picture with a shorter side of so many pixels."""
    high, wide = array.shape[:2]
    scale = side / min(high, wide)
    to = max(side, round(wide * scale)), max(side, round(high * scale))
    if to == (wide, high):
        return array
    return cv2.resize(array, to, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _photos(pictures: Sequence[str]) -> list[str]:
    """The pictures without label maps that lie beside photos."""
    if not any(_folders(name) & PHOTOS for name in pictures):
        return list(pictures)
    return [name for name in pictures if not _folders(name) & LABELS]


def _folders(name: str) -> set[str]:
    return {_same(part) for part in PurePosixPath(name).parent.parts}


def _last(source: str) -> str:
    """What a source is called, as the name of a domain."""
    return PurePosixPath(source.replace("\\", "/")).name.removesuffix(".zip").rpartition(":")[2]


def _same(word: str) -> str:
    """A word as it is compared: however its letters are put together, large or small, with spaces or underscores."""
    return unicodedata.normalize("NFC", word).strip().casefold().replace(" ", "_")


# ---- domains by labels ----------------------------------------------------------------------------------------------


class _Facts(NamedTuple):
    """What is known of a picture: the folders that it lies in, and its row of a table, column -> cell."""

    folders: set[str]
    row: dict[str, str]


class Condition(NamedTuple):
    """``brown``: a folder of that name, or a cell with that word in any column; ``colour=brown``: in this one;
    ``snow>0.2``, ``snow<0.2``: a column of numbers."""

    column: str
    sign: str
    value: str

    @classmethod
    def of(cls, text: str) -> Condition:
        parts = re.fullmatch(r"\s*(?:([^=<>]+?)\s*([=<>])\s*)?([^=<>]+?)\s*", text)
        if parts is None:
            raise Refused("data.noCondition", text=text.strip()[:60])
        if parts[2] in ("<", ">") and not re.fullmatch(r"-?\d*\.?\d+", parts[3]):
            raise Refused("data.noNumber", text=text.strip()[:60])
        return cls(_same(parts[1] or ""), parts[2] or "", _same(parts[3]))

    def holds(self, facts: _Facts) -> bool:
        if not self.sign:
            return self.value in facts.folders or self.value in facts.row.values()
        cell = facts.row.get(self.column, "")
        if self.sign == "=":
            return cell == self.value
        try:
            return float(cell) > float(self.value) if self.sign == ">" else float(cell) < float(self.value)
        except ValueError:
            return False  # an empty cell, say: nothing is known

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.value}"


class Side(NamedTuple):
    """What must be true of a domain's pictures: one condition, or several with ``&`` between them
    (``type=heels & colour=red``)."""

    name: str
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, text: str) -> Side:
        """
        Raises:
            ValueError: no label; says how one is written.
        """
        return cls(text.strip(), tuple(Condition.of(part) for part in text.split("&")))

    def holds(self, facts: _Facts) -> bool:
        return all(each.holds(facts) for each in self.conditions)


def _told(files: Any, pictures: Sequence[str]) -> dict[str, _Facts]:
    """What folders and tables say of each picture. A row names its file as `tables.Lookup` says."""
    rows: dict[str, dict[str, str]] = {}
    find = Lookup(pictures)
    for table in tables_of(files, pictures)[0]:
        head = [_same(column) for column in table.header]
        for row in table.rows:
            said = {
                column: _same(cell) for k, (column, cell) in enumerate(zip(head, row, strict=True)) if k != table.file
            }
            rows |= dict.fromkeys(find(row[table.file]), said)
    return {name: _Facts(_folders(name), rows.get(name, {})) for name in pictures}


def _offered(told: dict[str, _Facts]) -> str:
    """What there is to choose from: folders, words of columns that have few, and columns of numbers."""
    folders = {folder for facts in told.values() for folder in facts.folders}
    columns: dict[str, set[str]] = {}
    for facts in told.values():
        for column, cell in facts.row.items():
            if cell:
                columns.setdefault(column, set()).add(cell)
    found = sorted(folders)
    for column, cells in columns.items():
        numbers = all(re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell) for cell in cells)
        found += [f"{column}>…"] if numbers else sorted(cells) if len(cells) <= 64 else []
    return ", ".join(found[:40]) + (" …" if len(found) > 40 else "") or "no folders and no table"
