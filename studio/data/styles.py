"""Styles: photos to be painted, and collections of paintings to learn from; no picture belongs to any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from studio.data.base import DataSet, Random, hold_out, to_batch
from studio.data.files import by_folder
from studio.data.layouts import PHOTOS, SPLITS, TRAINED, word
from studio.data.layouts import TESTED as HELD
from studio.data.names import clean
from studio.refused import Phrase, Refused
from studio.toys import textures

SEEN = PHOTOS | TRAINED | {"content", "contents", "traincontent", "콘텐츠", ""}  # "" = in no folder at all
TESTED = HELD | {"testcontent"}  # photos too, and always held out


class Styles(DataSet):
    """(photo, painting, style): ``(N, 3, S, S), (N, 3, S, S)`` in [-1, 1] and ``(N,)`` whole numbers.

    The folders' names say what is what: ``photos`` (or ``content``, ``train``, or no folder at all) are photos,
    ``test`` (or ``val``) are photos that no training sees, and every other folder is a style of that name. Sources
    may be joined: ``paintings.zip+photos.zip``.

    Photo and painting are drawn independently, each style as often as any other, however many paintings it has.
    Both are shrunk until their shorter side is about ``load`` pixels, and a square is cut out; so a collection's
    strokes keep their size whatever the square's.

    Args:
        config: ``size`` (of the square), ``load``, ``styles`` (for toys: how many), ``added`` (see `fit`).
    """

    asks: ClassVar = {
        "en": "one folder a style, and a folder photos",
        "ko": "화풍마다 폴더 하나, 그리고 photos 폴더 하나",
    }
    TOYS = ("textures",)

    def __init__(self, source: Any, config: Any) -> None:
        self.load, self.first, self.before = max(config.load, config.size), 0, []
        self.added = getattr(config, "added", 0)
        self.gates: dict[str, int] = {}  # style -> number of its gate, where a run has begun already
        self.known: list[str] = []  # all gates' names then
        self.paintings: dict[str, list[str]] = {}
        self.photos: list[str] = []
        super().__init__(source, config)
        if self.toy:
            self.styles = list(textures.KINDS)[: config.styles]
            self.photos = self.names

    def understand(self, config: Any) -> tuple[str, list[str]]:
        self.tested: list[str] = []
        for folder, names in by_folder(self.files.pictures()).items():
            parts = PurePosixPath(folder).parts
            kind = next((part for part in reversed(parts) if word(part) not in SPLITS), parts[-1] if parts else "")
            if word(kind) in SEEN | TESTED:
                self.photos += names
                self.tested += names if {word(part) for part in parts} & TESTED else []
            else:
                self.paintings.setdefault(kind, []).extend(names)
        self.styles = sorted(self.paintings)
        if not self.photos or not self.styles:
            lacks = "photos" if self.styles else Phrase("data.paintingFolders")
            raise Refused(
                "data.styleFolders",
                source=self.source,
                lacks=lacks,
                asks=self.asks,
                there=sorted(by_folder(self.files.pictures())),
            )
        return "styles", [*self.photos, *(name for style in self.styles for name in self.paintings[style])]

    # ---- what a training needs to know ------------------------------------------------------------------------------

    def fit(self, config: Any, extras: dict[str, Any]) -> Any:
        """The Config with as many gates as there are styles here; with ``added``, so many more than there were."""
        found = len(self.styles)
        if config.added and not self.toy:
            if config.added != found:
                raise Refused("data.added", source=self.source, n=found, styles=self.styles, added=config.added)
            self.first, self.before = config.styles, list(extras.get("styles", []))
            if again := sorted(set(self.before) & set(self.styles)):
                raise Refused("data.knownStyles", again=again)
            return replace(config, styles=config.styles + found)
        return replace(config, styles=found)

    def recall(self, facts: dict[str, Any]) -> None:
        """Each style goes to the gate that has its name, however many there are now; a style that is added to others
        comes after them, also when its training goes on.

        Raises:
            ValueError: a style that no gate is of.
        """
        known = [clean(style) for style in facts.get("styles") or []]
        if not known:
            return
        old = known[: len(known) - self.added] if self.added else []
        own = {word(style): k for k, style in enumerate(known) if k >= len(old)}
        if new := [style for style in self.styles if word(style) not in own]:
            raise Refused("data.newStyles", source=self.source, new=new, there=self.styles, known=known)
        self.gates = {style: own[word(style)] for style in self.styles}
        here = set(self.gates.values())
        lost = [style for k, style in enumerate(known) if k >= len(old) and k not in here]
        self.lost = [Phrase("data.lostStyles", names=lost)] if lost else []
        self.before, self.first = old, len(old)
        self.known = known

    def gate(self, style: str) -> int:
        """The number of a style's gate."""
        return self.gates.get(style, self.first + self.styles.index(style))

    def facts(self) -> dict[str, Any]:
        """The gates' names, in their order."""
        return {"styles": self.known or self.before + self.styles}

    def parts(self) -> dict[str, int]:
        return {"photos": len(self.photos)} | {style: len(self.paintings.get(style, [])) for style in self.styles}

    def set_aside(self, count: int, seed: int = 0) -> list[str]:
        """``count`` paintings of each style, and the photos of a ``test`` folder, or ``count`` photos without one."""
        if self.toy:
            return super().set_aside(count, seed)
        kinds = [self.paintings[style] for style in self.styles] + ([] if self.tested else [self.photos])
        return sorted(hold_out(self, count, seed, kinds=kinds) + self.tested)

    def keep(self, names: Sequence[str]) -> None:
        super().keep(names)
        wanted = set(self.names)
        self.photos = [name for name in self.photos if name in wanted]
        self.paintings = {s: [n for n in listed if n in wanted] for s, listed in self.paintings.items()}
        if not self.photos or not all(self.paintings.values()):
            raise Refused("data.held")

    # ---- pictures ---------------------------------------------------------------------------------------------------

    def picture(self, index: int) -> np.ndarray | None:
        return self._read(self.names[index])

    def _read(self, name: str, style: int | None = None) -> np.ndarray | None:
        if self.toy:
            rng, side = np.random.default_rng((int(name[4:]), 0 if style is None else 1 + style)), max(self.load, 32)
            if style is None:
                return textures.scene(rng, side)
            return textures.draw_kind(self.styles[style], rng, side)
        found = self.open(name)
        return None if found is None else np.asarray(found)

    def _good(self, names: Sequence[str], at: int, style: int | None = None) -> np.ndarray:
        """The picture at a place of a list, or the next that is not damaged."""
        for shift in range(len(names)):
            found = self._read(names[(at + shift) % len(names)], style)
            if found is not None:
                return found
        raise Refused("data.unread", source=self.source)

    def item(self, index: int, rng: Random | None) -> tuple[np.ndarray, np.ndarray, int]:
        """One example. Without random numbers: the middle of the index's photo, and style and painting in turn."""
        name = self.names[index]
        if rng is None:
            style, at = index % len(self.styles), index
        else:
            style, at = int(rng.integers(len(self.styles))), int(rng.integers(2**31))
        photo = self._read(name) if name in self._photos else None
        photo = self._good(self.photos, at) if photo is None else photo
        painting = self._good(self.names, at, style) if self.toy else self._good(self.paintings[self.styles[style]], at)
        return self.cut(photo, rng), self.cut(painting, rng), self.gate(self.styles[style])

    @property
    def _photos(self) -> set[str]:
        if getattr(self, "_photo_list", None) is not self.photos:  # `keep` makes a new list
            self._photo_list, self._photo_set = self.photos, set(self.photos)
        return self._photo_set

    def cut(self, array: np.ndarray, rng: Random | None) -> np.ndarray:
        """A square at the training size: a little larger or smaller, moved, mirrored half of the time."""
        height, width = array.shape[:2]
        grow, move, flip = 1.0, np.array([0.5, 0.5]), False
        if rng is not None:
            grow, move, flip = rng.uniform(0.85, 1.2), rng.uniform(0, 1, 2), rng.random() < 0.5
        side = max(self.size, round(self.load * grow))
        scale = side / min(height, width)
        wide, high = max(self.size, round(width * scale)), max(self.size, round(height * scale))
        if (high, wide) != (height, width):
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            array = cv2.resize(array, (wide, high), interpolation=how)
        top, left = (np.array([high - self.size, wide - self.size]) * move).astype(int)
        array = array[top : top + self.size, left : left + self.size]
        return array[:, ::-1] if flip else array

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor, Tensor, Tensor]:
        items = [self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]
        photos, paintings, styles = zip(*items, strict=True)
        return to_batch(photos), to_batch(paintings), torch.tensor(styles)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        return torch.stack(batch[:2], dim=1)

    # ---- for measuring ----------------------------------------------------------------------------------------------

    def whole(self, names: Sequence[str], size: int, style: int | None = None) -> Tensor:
        """The pictures' middle squares at another size, ``(N, 3, size, size)``; damaged ones are left out."""
        found = []
        for name in names:
            array = self._read(name, style)
            if array is not None:
                side = min(array.shape[:2])
                top, left = (array.shape[0] - side) // 2, (array.shape[1] - side) // 2
                square = array[top : top + side, left : left + side]
                how = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
                found.append(cv2.resize(square, (size, size), interpolation=how))
        return to_batch(found)
