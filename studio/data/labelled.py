"""Labelled: pictures, and what is true of each of them; labels may be unknown, and come in several sets."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from studio import images
from studio.data import layouts
from studio.data import tables as said
from studio.data.base import DataSet, Random, hold_out, to_batch
from studio.data.files import read_as
from studio.data.tables import Lookup, Table
from studio.refused import Phrase, Refused
from studio.toys import digits, faces

DRAWN = {  # the labels of the drawn sets, in the notation of `labels_of`
    "faces": "|".join(faces.HAIR) + " " + " ".join(faces.TRAITS[len(faces.HAIR) :]),
    "digits": "|".join(map(str, sorted(digits.WAYS))),
}


class Labels(NamedTuple):
    """Names of labels; which of them belong to one set, and which exclude each other, as places in ``names``."""

    names: tuple[str, ...]
    sets: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]

    def set_of(self, place: int) -> int:
        """The number of the set that a label belongs to."""
        return next(k for k, places in enumerate(self.sets) if place in places)

    def group_of(self, place: int) -> tuple[int, ...]:
        """The labels that exclude each other and this one, itself among them."""
        return next((group for group in self.groups if place in group), (place,))


def labels_of(text: str) -> Labels:
    """``"black|blond smiling / happy|sad"``: | stands between labels that exclude each other, / between label sets.

    Raises:
        ValueError: no label, a name that comes twice, or a set without names.
    """
    names: list[str] = []
    sets, groups = [], []
    for part in text.split("/"):
        start = len(names)
        for group in re.sub(r"\s*\|\s*", "|", part).split():
            each = [name for name in group.split("|") if name]
            if len(each) > 1:
                groups.append(tuple(range(len(names), len(names) + len(each))))
            names += each
        sets.append(tuple(range(start, len(names))))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not all(sets) or len(names) > 64:
        wrong = Phrase("data.setWithout") if len(names) <= 64 else Phrase("data.manyLabels")
        wrong = Phrase("data.comesTwice", name=twice[0]) if twice else wrong
        raise Refused("data.labels", text=text[:60], wrong=wrong)
    return Labels(tuple(names), tuple(sets), tuple(groups))


class Labelled(DataSet):
    """Pictures ``(N, 3, S, S)`` in [-1, 1] with labels ``(N, L)``: 1, 0, or NaN where nothing is known.

    What the files are is read off them (``kind`` says what was understood):

    - ``table``: a CSV (or CelebA's ``list_attr_celeba.txt``) with a row a picture. A label is a column of 1/0, of
      1/-1 or of yes/no, a number of a column of a few (``level_3``), or it is a word in a column of words: ``black`` is
      true of rows with ``black`` in ``hair``, false of those with another label's word. An empty cell is unknown, and
      so is a word that is no label.
    - ``classes``: a folder for each label, ``smiling/1.png``; true of its own, false of the others of its set. The
      built-in sets are such: their labels are digits, or letters.
    - ``toy``: drawn faces, or drawn digits.

    A training sees each picture as a member of *one* label set, the labels of the others are unknown to it: of the
    sets whose labels a picture has, its name decides. So one file with all labels makes any number of sets.

    Args:
        config: ``size``; ``labels`` (see `labels_of`; empty = all that are there, see `fit`). What else it may have:
            ``partial``: whether a picture may lack some labels of its set. Of a training's pictures: ``balance``: the
            share that is chosen label by label, so that a rare one is seen as often; ``drawn``: the share of drawn
            faces among them; ``mirror``; ``move``: how far they are moved and zoomed, as a share of their side.
    """

    asks: ClassVar = {
        "en": "pictures with a CSV of labels (a row a picture), or a folder of pictures for each label",
        "ko": "그림과 라벨 CSV(그림마다 한 행), 또는 라벨마다 나눈 그림 폴더",
    }
    REAL = ("digits", "hangul")
    TOYS = ("faces", "digits")

    def __init__(self, source: Any, config: Any) -> None:
        self.source, self.text = read_as(source)[0], config.labels.strip()
        if (toy := self._toy()) and not self.text:
            self.text = DRAWN[toy]
        self.labels = labels_of(self.text) if self.text else Labels((), (), ())  # else: what the files have
        self.mirror, self.partial = getattr(config, "mirror", False), getattr(config, "partial", True)
        self.balance, self.drawn, self.move = (getattr(config, name, 0.0) for name in ("balance", "drawn", "move"))
        self.known: dict[str, np.ndarray] = {}  # name -> (L,) of 1, 0, NaN
        self.sure: set[str] | None = None  # names whose labels were given by hand; None = nothing is said of that
        super().__init__(source, config)
        for drawn in dict.fromkeys([*([self.toy] if self.toy else []), *(["faces"] if self.drawn else [])]):
            there = labels_of(DRAWN[drawn]).names
            if unknown := [name for name in self.labels.names if name not in there]:
                raise self._missing(unknown, there, Phrase("data.drawnLabels", drawn=drawn))
        if self.toy == "digits":  # those that are asked for
            self.names = [name for k, name in enumerate(self.names) if self.all_labels(k).any()]
        if not self.toy:
            for name in self.names:
                if not self._sets(self.known[name]):
                    self.skipped[name] = Phrase("skipped.noLabel" if self.partial else "skipped.unknownLabel")
            self.keep([name for name in self.names if name not in self.skipped])
        if len(self.names) < self.LEAST:
            raise self.lacking(
                "data.unlabelled",
                n=len(self.names),
                source=self.source,
                labels=self.labels.names,
                least=self.LEAST,
                asks=self.asks,
            )

    # ---- reading --------------------------------------------------------------------------------------------------

    def understand(self, config: Any) -> tuple[str, list[str]]:
        pictures = self.files.pictures()
        if not pictures:
            raise self.lacking("data.none", source=self.source, asks=self.asks)
        tables, ignored = said.tables_of(self.files, pictures)
        self.skipped |= ignored
        folders = {name: PurePosixPath(layouts.without_splits(str(PurePosixPath(name).parent))) for name in pictures}
        classes = {name: folder.name.replace(" ", "_") for name, folder in folders.items()}
        if not self.text:
            self.text = next(filter(None, map(said.all_of, tables)), "") if tables else _all_folders(pictures)
            if not self.text:
                raise self.lacking("data.nothingSaid", source=self.source, asks=self.asks)
            self.labels = labels_of(self.text)
        if tables:
            offers = [[name for name in self.labels.names if said.finds(table, name)] for table in tables]
            best = max(range(len(tables)), key=lambda k: len(offers[k]))
            missing = [name for name in self.labels.names if name not in offers[best]]
            if missing:
                raise self._missing(
                    missing, said.offered(tables[best]), Phrase("data.columnsOf", table=tables[best].name), " "
                )
            return "table", self._from_table(tables[best], pictures)
        missing = [name for name in self.labels.names if name not in classes.values()]
        if missing:
            raise self._missing(missing, sorted(set(classes.values()) - {""}), Phrase("data.folderNames"))
        return "classes", self._from_folders(classes)

    def _missing(self, names: Sequence[str], there: Sequence[str], where: Phrase, between: str = "|") -> Refused:
        listed = [*list(there)[:40], *(["…"] if len(there) > 40 else [])]
        example = between.join(list(there)[:2]) or "happy|sad"
        return Refused("data.noneNamed", source=self.source, where=where, names=names, there=listed, example=example)

    def _from_folders(self, classes: dict[str, str]) -> list[str]:
        for picture, name in classes.items():
            if name not in self.labels.names:
                self.skipped[picture] = Phrase("skipped.folder", name=name or Phrase("data.noFolderName"))
                continue
            row = np.full(len(self.labels.names), np.nan, np.float32)
            place = self.labels.names.index(name)
            row[list(self.labels.sets[self.labels.set_of(place)])] = 0
            row[place] = 1
            self.known[picture] = row
        return list(self.known)

    def _from_table(self, table: Table, pictures: list[str]) -> list[str]:
        columns = [said.column_of(table, name) for name in self.labels.names]
        signed = said.signs_of(table, [column for column, word in columns if word is None])
        find, told = Lookup(pictures), set()
        trust = next((k for k, name in enumerate(table.header) if name.lower() == "source"), None)
        sure: set[str] = set()
        for number, row in zip(table.lines, table.rows, strict=True):
            file, found = row[table.file], find(row[table.file])
            if len(found) != 1:
                self.skipped[file or f"row {number}"] = Phrase("skipped.several" if found else "skipped.notThere")
                continue
            values = np.array([said.value_of(table, number, row, *column, signed) for column in columns], np.float32)
            for group in self.labels.groups:  # two words in one column: what is not the one word is the other
                if not np.nansum(values[list(group)]) and all(columns[k][1] is not None for k in group):
                    values[list(group)] = np.nan
            picture = found[0]
            if picture in told and not np.array_equal(self.known.get(picture, ()), values, equal_nan=True):
                self.skipped[picture] = Phrase("skipped.contradict")
                self.known.pop(picture, None)
            elif picture not in told:
                self.known[picture] = values
            told.add(picture)
            if trust is not None and row[trust] == "hand":
                sure.add(picture)
        for picture in pictures:
            if picture not in told:
                self.skipped[picture] = Phrase("skipped.noRow", table=table.name)
        if trust is not None and sure:
            self.sure = sure
        return [picture for picture in pictures if picture in self.known]

    # ---- labels ---------------------------------------------------------------------------------------------------

    @classmethod
    def unlabelled(cls, config: Any) -> Any:
        return replace(config, labels="")

    def fit(self, config: Any, extras: dict[str, Any]) -> Any:
        """Where the Config names no labels, those that the data has."""
        return config if config.labels.strip() else replace(config, labels=self.text)

    def _sets(self, row: np.ndarray) -> list[int]:
        """The label sets that a picture with these labels can be a member of."""
        known = ~np.isnan(row)
        whole = [k for k, places in enumerate(self.labels.sets) if known[list(places)].all()]
        return whole or [
            k for k, places in enumerate(self.labels.sets) if self.partial and known[list(places)].any()
        ]  # fmt: skip

    def all_labels(self, index: int) -> np.ndarray:
        """All that is known of a picture, ``(L,)`` of 1, 0 and NaN: for measuring."""
        name = self.names[index]
        if self.toy:
            rng = np.random.default_rng(int(name[4:]))
            known = faces.traits(rng) if self.toy == "faces" else {str(digits.which(rng)): 1}
            return np.array([known.get(each, 0) for each in self.labels.names], np.float32)
        return self.known[name]

    def own_labels(self, index: int) -> np.ndarray:
        """What a training is told of it: the labels of its own set, ``(L,)``; the others are NaN."""
        return self._own(self.all_labels(index), zlib.crc32(self.names[index].encode()))

    def _own(self, row: np.ndarray, chance: int) -> np.ndarray:
        could = self._sets(row)
        own = list(self.labels.sets[could[chance % len(could)]])
        told = np.full_like(row, np.nan)
        told[own] = row[own]
        return told

    @cached_property
    def _rare(self) -> list[list[np.ndarray]]:
        """For each set, for each value of each label: the pictures it is known of."""
        told = np.stack([self.own_labels(k) for k in range(len(self))])
        found = []
        for places in self.labels.sets:
            values = [
                np.flatnonzero(told[:, k] == value) for k in places
                for value in ((1,) if len(self.labels.group_of(k)) > 1 else (1, 0))
            ]  # fmt: skip
            found.append([each for each in values if len(each)])
        return [each for each in found if each]

    def parts(self) -> dict[str, int]:
        rows = np.stack([self.all_labels(k) for k in range(len(self))])
        return dict(zip(self.labels.names, (rows == 1).sum(axis=0).tolist(), strict=True))

    def keep(self, names: Sequence[str]) -> None:
        super().keep(names)
        self.__dict__.pop("_rare", None)

    def set_aside(self, count: int, seed: int = 0) -> list[str]:
        """What lies in a folder for tests; else only pictures that were labelled by hand are good enough to measure on,
        where the table says which are."""
        if not self.toy:
            tested = [name for name in self.names if layouts.is_tested(name)]
            if tested and len(self.names) - len(tested) >= self.LEAST:
                return sorted(tested)
        sure = [name for name in self.names if self.sure is None or name in self.sure]
        return hold_out(self, count, seed, kinds=[sure])

    # ---- pictures -------------------------------------------------------------------------------------------------

    def picture(self, index: int) -> np.ndarray | None:
        name = self.names[index]
        if self.toy:
            rng, side = np.random.default_rng(int(name[4:])), max(self.size, 32)
            return digits.draw(rng, side) if self.toy == "digits" else faces.paint(rng, faces.traits(rng), side)
        found = self.open(name)
        return None if found is None else np.asarray(found)

    def item(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray]:
        """The middle square at the training size, and its labels; with random numbers perhaps another, rarer one, or
        one that is drawn, mirrored and moved."""
        if rng is not None and rng.random() < self.drawn:
            array, known = faces.face(rng, max(self.size, 32))
            row = np.array([known[each] for each in self.labels.names], np.float32)
            return self._varied(array, rng), self._own(row, int(rng.integers(2**31)))
        if rng is not None and rng.random() < self.balance:
            values = self._rare[rng.integers(len(self._rare))]
            places = values[rng.integers(len(values))]
            index = int(places[rng.integers(len(places))])

        def found(k: int) -> tuple[int, np.ndarray] | None:
            array = self.picture(k)
            return None if array is None else (k, array)

        index, array = self.next_good(found, index)
        return self._varied(array, rng), self.own_labels(index)

    def _varied(self, array: np.ndarray, rng: Random | None) -> np.ndarray:
        if rng is not None and self.move:
            high, wide = array.shape[:2]
            grow = 1 + rng.uniform(-1, 1) * self.move
            x, y = rng.uniform(-0.5, 0.5, 2) * self.move * (wide, high)
            how = np.array([[grow, 0, (1 - grow) * wide / 2 + x], [0, grow, (1 - grow) * high / 2 + y]])
            array = cv2.warpAffine(array, how, (wide, high), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if array.shape[:2] != (self.size, self.size):
            array = np.asarray(images.crop_square(images.Image.fromarray(array), self.size))
        return array[:, ::-1] if self.mirror and rng is not None and rng.random() < 0.5 else array

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, Tensor]:
        items = [self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]
        return to_batch([picture for picture, _ in items]), torch.from_numpy(np.stack([told for _, told in items]))

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        return batch[0][:, None]

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say about its input: which labels exclude each other."""
        names = self.labels.names
        return {
            "labels": [[names[k] for k in places] for places in self.labels.sets],
            "exclusive": [[names[k] for k in group] for group in self.labels.groups],
        }


def _all_folders(pictures: Sequence[str]) -> str:
    """A notation of all folders of pictures; folders in different folders are label sets of their own."""
    found: dict[str, set[str]] = {}
    for name in pictures:
        folder = PurePosixPath(layouts.without_splits(str(PurePosixPath(name).parent)))
        if folder.name:
            found.setdefault(str(folder.parent), set()).add(folder.name.replace(" ", "_"))
    return " / ".join("|".join(sorted(names)) for _, names in sorted(found.items()))
