"""Pairs: a picture and the picture it should become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from studio import images, toys
from studio.data import layouts, sketches
from studio.data.base import DataSet, Random, to_batch, window
from studio.data.keys import Key
from studio.data.segmentations import ids_of, read_key
from studio.labels import Classes
from studio.refused import Phrase, phrase


class Pairs(DataSet):
    """(sketch, photo) pairs for pix2pix and its kin: ``(N, inputs, S, S), (N, 3, S, S)`` in [-1, 1].

    What the files are is read off them (``kind`` says what was understood):

    - ``labels``: ``photos/`` and ``labels/`` with equal names (label maps of class ids, coloured by ``classes.json``);
    - ``folders``: two folders with equal names, the input first in the alphabet (``A/ B/``, ``edges/ photos/``) unless
      their names say otherwise, or names such as ``1_A.png`` and ``1_B.png`` (see `studio.data.layouts`);
    - ``side by side``: the pictures are twice as wide as high, or wider, the input on the left (the original form);
    - ``photos``: anything else; the sketches are drawn from them (`studio.data.sketches`), anew each time;
    - ``toy``: drawn by the studio, no files needed.

    Where several are possible, ``readings`` lists them, and ``?as=photos`` behind the source chooses; ``?as=turned``
    are the two folders the other way round.
    """

    asks: ClassVar = {
        "en": "pictures, side-by-side pairs, two folders of equal names, or photos/ + labels/",
        "ko": "사진, 나란히 붙은 그림 쌍, 같은 이름의 두 폴더, 또는 photos/ + labels/",
    }
    TOYS = ("shoes",)

    def __init__(self, source: Any, config: Any) -> None:
        self.inputs, self.hints = config.inputs, config.hints
        self.palette: list[dict[str, Any]] | None = None
        super().__init__(source, config)

    def understand(self, config: Any) -> tuple[str, list[str]]:
        pictures = self.files.pictures()
        if not pictures:
            raise self.lacking("data.none", source=self.source, asks=self.asks)
        maps, two = layouts.maps(pictures), layouts.two(pictures, self.LEAST)
        shape, sure = self._beside(pictures)
        could = ["labels"] * (maps is not None) + ["folders", "turned"] * (two is not None and maps is None)
        could += ["side by side", "photos"] if shape and sure else ["photos"] + ["side by side"] * (shape is not None)
        self.readings = tuple(could)
        kind = self.reading if self.reading in could else could[0]
        if kind == "labels":
            self.left, self.right = maps.left, maps.right
            self._read_palette()
            return kind, self._both()
        if kind in ("folders", "turned"):
            self.called = two.called if kind == "folders" else two.called[::-1]
            self.left, self.right = (two.left, two.right) if kind == "folders" else (two.right, two.left)
            names = {*two.left.values(), *two.right.values()}
            self.skipped |= {name: Phrase("skipped.noPair") for name in pictures if name not in names}
            return "folders", self._both()
        self.right, self.shape = {n: n for n in pictures}, shape
        return kind, pictures

    def _beside(self, pictures: Sequence[str]) -> tuple[float | None, bool]:
        """(width / height of what could be two pictures side by side, whether it is taken to be that).

        Twice as wide as high is the original form, and nobody's camera makes what is wider. What is narrower, such as
        two upright photos beside each other, is taken for two if the edges in both halves lie in the same places.
        """
        some = [self.open(n) for n in pictures[:: max(1, len(pictures) // 12)][:16]]
        some = [p for p in some if p is not None]
        if not some:
            return None, False
        [(shape, _)] = Counter(round(p.width / p.height, 2) for p in some).most_common(1)
        alike = [p for p in some if p.width % 2 == 0 and abs(p.width / p.height / shape - 1) < 0.02]
        if shape < 1.2 or len(alike) < 2 * len(some) / 3:
            return None, False
        return shape, shape >= 1.99 or float(np.mean([_alike(p) for p in alike])) > 0.5

    def _both(self) -> list[str]:
        for each in set(self.left) ^ set(self.right):
            self.skipped[each] = Phrase("skipped.noPartner")
        return sorted(set(self.left) & set(self.right))

    def _read_palette(self) -> None:
        self.classes = self.files.classes()
        self.key = None if self.classes else read_key(self, self._both(), self.left)
        shown = self.classes or _as_before(self.key)
        self.palette, self.colours = shown.listed, shown.colours

    def pair(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray] | None:
        """(sketch, photo) as ``(H, W, 3)`` uint8 of the file's own size, or None if a file is damaged."""
        name = self.names[index]
        if self.kind == "toy":
            photo = toys.picture(self.toy, np.random.default_rng(int(name[4:])))
            return sketches.pair(photo, rng, self.hints)
        photo = self.open(self.right[name])
        if photo is None:
            return None
        if self.kind == "side by side":
            if abs(photo.width / photo.height / self.shape - 1) > 0.05:
                self.skipped[name] = Phrase("skipped.otherShape", width=photo.width, height=photo.height)
                return None
            half = photo.width // 2
            both = photo.crop((0, 0, half, photo.height)), photo.crop((half, 0, 2 * half, photo.height))
            return np.asarray(both[0]), np.asarray(both[1])
        if self.kind == "folders":
            left = self.open(self.left[name])
            return None if left is None else (np.asarray(left), np.asarray(photo))
        if self.kind == "labels":
            try:
                ids = ids_of(self.files, self.left[name], self.classes, self.key)
            except ValueError as error:
                self.skipped[name] = phrase(error)
                return None
            return self.colours[ids], np.asarray(photo)
        photo = np.asarray(images.fit(photo, 256, 256) if photo.size != (256, 256) else photo)
        return sketches.pair(photo, rng, self.hints)

    def item(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray]:
        """One example at the training size, varied by ``rng``: mirrored half of the time, a little larger, moved.

        A damaged file is skipped: the next good one takes its place.
        """
        return tuple(self._varied(self.next_good(lambda k: self.pair(k, rng), index), rng))

    def _varied(self, pair: tuple[np.ndarray, np.ndarray], rng: Random | None) -> list[np.ndarray]:
        size = self.size
        flip, grow, move = False, 1.0, np.zeros(2)
        if rng is not None:
            flip, move = rng.random() < 0.5, rng.uniform(0, 1, 2)
            # Photos on plain paper may also be smaller; others are cropped out of 286/256, as in section 6.2.
            grow = rng.uniform(0.8, 1.12) if self.kind in ("photos", "toy") else rng.uniform(1.0, 1.12)
        result = []
        for nearest, array in zip((self.kind == "labels", False), pair, strict=True):
            side = max(1, round(size * grow))
            how = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if side < len(array) else cv2.INTER_CUBIC
            array = cv2.resize(array, (side, side), interpolation=how)
            result.append(window(array, size, move)[:, ::-1] if flip else window(array, size, move))
        return result

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, Tensor]:
        pairs = [self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]
        sketch, photo = (to_batch([pair[side] for pair in pairs]) for side in (0, 1))
        return (sketch if self.inputs == 3 else sketch.mean(dim=1, keepdim=True)), photo

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        sketch, photo = batch
        return torch.stack([sketch.expand(-1, 3, -1, -1), photo], dim=1)

    def picture(self, index: int) -> np.ndarray | None:
        if self.kind == "photos":  # its sketch need not be drawn
            photo = self.open(self.right[self.names[index]])
            return None if photo is None else np.asarray(photo)
        found = self.pair(index, None)
        return None if found is None else found[1]

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say about its input."""
        return {
            "drawing": self.kind if self.kind in ("labels",) else "sketch",
            "palette": self.palette,
            "hints": self.hints > 0,
        }


def _as_before(key: Key) -> Classes:
    """Plain numbers have the colours of 32 classes, however many there are: so checkpoints were trained."""
    return Classes([{"id": k} for k in range(max(32, len(key.classes)))]) if key.values is None else key.classes


def _alike(both: images.Picture) -> float:
    """How well the edges in the left half of a picture lie where those in its right half do, at most 1."""
    grey = cv2.resize(np.asarray(both.convert("L")), (128, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    edges = [np.hypot(*np.gradient(half)).ravel() for half in (grey[:, :64], grey[:, 64:])]
    if min(edge.std() for edge in edges) < 1e-3:
        return 0.0
    return float(np.corrcoef(*edges)[0, 1])
