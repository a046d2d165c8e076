"""Segmentations: a photo and what is where in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from studio.data import layouts
from studio.data.base import DataSet, Random, to_batch, window
from studio.data.files import by_folder
from studio.data.keys import LOOKED_AT, Key, key_of
from studio.labels import UNKNOWN, Classes, LabelMap, sampled
from studio.refused import Phrase, Refused, phrase
from studio.toys.landscapes import CLASSES, COLOURS, landscape


def some_maps(files: Any, names: Sequence[str]) -> Iterator[tuple[LabelMap, bool]]:
    """Label maps, spread over the set, without those that are damaged."""
    for name in names[:: max(1, len(names) // LOOKED_AT)]:
        with suppress(ValueError):  # it is named when its turn comes
            yield files.map(name)


def read_key(data: DataSet, names: Sequence[str], maps: Mapping[str, str]) -> Key:
    """The key of a set's label maps.

    Raises:
        ValueError: their values can't be classes; says why.
    """
    try:
        return key_of(some_maps(data.files, [maps[name] for name in names]))
    except Refused as error:
        data.skipped |= dict.fromkeys(names, phrase(error))
        raise data.lacking("data.usable", n=0, source=data.source, least=data.LEAST, asks=data.asks) from error


def ids_of(files: Any, name: str, palette: Classes | None, key: Key | None) -> np.ndarray:
    """A label map's ids by its classes.json, or by the key of its set.

    Raises:
        ValueError: damaged, or of other values.
    """
    return files.ids(name, palette) if key is None else key.read(*files.map(name))


class Segmentations(DataSet):
    """(ids, photo) for SPADE and its kin: ``(N, S, S)`` uint8 with 255 = unknown, ``(N, 3, S, S)`` in [-1, 1].

    The label maps may hold numbers or the colours of ``classes.json`` (see `studio.labels`); without that file the
    classes are what the maps have (see `studio.data.keys`).
    """

    asks: ClassVar = {
        "en": "photos/ and labels/ with equal names, and classes.json with the id, name and colour of each class",
        "ko": "같은 이름의 photos/와 labels/, 그리고 클래스마다 id·이름·색을 적은 classes.json",
    }
    TOYS = ("landscapes",)

    def __init__(self, source: Any, config: Any) -> None:
        both = zip(CLASSES, COLOURS, strict=True)  # the toy set's
        self.classes = Classes([{"id": k, "name": name, "colour": colour} for k, (name, colour) in enumerate(both)])
        self.key: Key | None = None
        self.numbers: np.ndarray | None = None  # what the classes' numbers are to a run that has begun already
        super().__init__(source, config)

    def understand(self, config: Any) -> tuple[str, list[str]]:
        pictures = self.files.pictures()
        found = layouts.maps(pictures)
        if found is None:
            there = list(by_folder(pictures)) or Phrase("data.noPictures")
            raise self.lacking("data.folders", source=self.source, there=there, asks=self.asks)
        photos, labels = found.right, found.left
        self.photos, self.maps = photos, labels
        for each in set(photos) ^ set(labels):
            self.skipped[each] = Phrase("skipped.noPartner")
        both = sorted(set(photos) & set(labels))
        self.palette = self.files.classes()
        self.key = None if self.palette else read_key(self, both, labels)
        self.classes = self.palette or self.key.classes
        return "labels", both

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray] | None:
        """(ids (H, W) uint8, photo (H, W, 3) uint8) of one size, or None if a file is damaged."""
        name = self.names[index]
        if self.toy:
            photo, ids = landscape(np.random.default_rng(int(name[4:])), max(self.size, 64))
            return ids, photo
        photo = self.open(self.photos[name])
        if photo is None:
            return None
        try:
            ids = ids_of(self.files, self.maps[name], self.palette, self.key)
        except ValueError as error:
            self.skipped[name] = phrase(error)
            return None
        if self.numbers is not None:
            ids = self.numbers[ids]
        if (ids.shape[1], ids.shape[0]) != photo.size:
            ids = sampled(ids, photo.height, photo.width)
        return ids, np.asarray(photo)

    def item(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray]:
        """One example at the training size: a square of the photo's shorter side, or, varied by ``rng``, a slightly
        smaller one somewhere in it, mirrored half of the time. A damaged file's place is taken by the next good one."""
        ids, photo = self.next_good(self.pair, index)
        flip, grow, move = False, 1.0, np.full(2, 0.5)
        if rng is not None:
            flip, grow, move = rng.random() < 0.5, rng.uniform(1.0, 1.12), rng.uniform(0, 1, 2)
        scale = self.size * grow / min(photo.shape[:2])
        height, width = (max(self.size, round(side * scale)) for side in photo.shape[:2])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        photo = window(cv2.resize(photo, (width, height), interpolation=how), self.size, move)
        ids = window(sampled(ids, height, width), self.size, move)
        return (ids[:, ::-1], photo[:, ::-1]) if flip else (ids, photo)

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, Tensor]:
        items = [self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]
        return torch.from_numpy(np.stack([ids for ids, _ in items])), to_batch([photo for _, photo in items])

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        ids, photo = batch
        return torch.stack([to_batch(self.classes.colours[ids.cpu().numpy()]), photo.cpu()], dim=1)

    def picture(self, index: int) -> np.ndarray | None:
        found = self.pair(index)
        return None if found is None else found[1]

    def fit(self, config: Any, extras: dict[str, Any]) -> Any:
        return replace(config, labels=len(self.classes))

    def recall(self, facts: dict[str, Any]) -> None:
        """Each class keeps the number that it had when the run began, by its name, or by its colour if colours are all
        that there is.

        Raises:
            ValueError: a class that the run does not know.
        """
        if not (known := facts.get("palette")) or self.toy:
            return
        by = "colour" if self.key is not None and self.key.values is not None and self.key.values.ndim == 2 else "name"
        were = {str(each[by]): each["id"] for each in known}
        here = {str(each[by]): each["id"] for each in self.classes.listed if each["id"] != UNKNOWN}
        if new := [name for name in here if name not in were]:
            raise Refused("data.newClasses", source=self.source, new=new, known=list(were))
        if lost := [name for name in were if name not in here]:
            self.lost = [Phrase("data.lostClasses", names=lost)]
        self.numbers = np.arange(256, dtype=np.uint8)
        for name, number in here.items():
            self.numbers[number] = were[name]
        self.classes = Classes(known)

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say about its input."""
        known = [each for each in self.classes.listed if each["id"] != UNKNOWN]
        return {"drawing": "labels", "palette": known}
