"""The shapes data comes in, from a folder, a zip, or drawn by the studio itself (``toy``).

A data set is a list of names and two pure functions: `item(index, rng)` gives one example, `batch(indices, rngs)`
stacks several. Which examples a training step sees is a function of (seed, step) alone (`Stream`), so a training that
was stopped and resumed sees what it would have seen.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from studio import images, sketches, toys

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
MOST_FILES = 300_000
MOST_BYTES = 8 << 30  # unpacked, of a zip
MOST_RATIO = 200  # unpacked / packed of one file in a zip: pictures hardly shrink, bombs shrink a thousandfold


class Files:
    """The files of a folder or of a zip (or of a folder inside one: ``shoes.zip/bags``), by posix name.

    A zip is read in place and never unpacked, so a name such as ``../x`` can reach nothing; it is refused all the same.

    Raises:
        ValueError: nothing there, not a zip, encrypted, or a decompression bomb.
    """

    def __init__(self, source: str | Path) -> None:
        self.source, inner = Path(source), ""
        self.zip_path: Path | None = None
        for parent in [self.source, *self.source.parents]:
            if parent.is_file():
                self.zip_path, inner = parent, self.source.relative_to(parent).as_posix().strip(".")
                break
        self._zip: tuple[int, zipfile.ZipFile] | None = None
        if self.zip_path is None:
            if not self.source.is_dir():
                raise ValueError(f"There is no folder or zip {source}.")
            found = sorted(p for p in self.source.rglob("*") if p.is_file())
            self.names = [p.relative_to(self.source).as_posix() for p in found][: MOST_FILES + 1]
            self.prefix = ""
        else:
            self.prefix = inner + "/" if inner else ""
            self.names = [n[len(self.prefix) :] for n in self._checked_zip() if n.startswith(self.prefix)]
        self.names = [
            n for n in self.names if not n.startswith("__MACOSX") and not PurePosixPath(n).name.startswith(".")
        ]
        if len(self.names) > MOST_FILES:
            raise ValueError(f"{source} holds more than {MOST_FILES:,} files; that is too many.")
        if not self.names:
            raise ValueError(f"{source} holds no files.")

    def _checked_zip(self) -> list[str]:
        try:
            listed = self.zip.infolist()
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise ValueError(f"{self.zip_path.name} is not a zip file that can be read.") from error
        names, total = [], 0
        for info in listed:
            if info.is_dir():
                continue
            path = PurePosixPath(info.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
                raise ValueError(
                    f"The zip has a file named {info.filename!r}, which points outside of it. Pack it anew."
                )
            if info.flag_bits & 1:
                raise ValueError("The zip is encrypted. Pack it without a password.")
            total += info.file_size
            if total > MOST_BYTES or info.file_size > MOST_RATIO * max(info.compress_size, 1000):
                raise ValueError("The zip unpacks to far more than it holds (a decompression bomb); it was not opened.")
            names.append(info.filename)
        return names

    @property
    def zip(self) -> zipfile.ZipFile:
        # Each loader process opens its own: a forked file handle would share its position with its parent's.
        if self._zip is None or self._zip[0] != os.getpid():
            self._zip = os.getpid(), zipfile.ZipFile(self.zip_path)
        return self._zip[1]

    def __getstate__(self) -> dict[str, Any]:  # nor can an open zip be sent to one
        return {**self.__dict__, "_zip": None}

    def read(self, name: str) -> bytes:
        if self.zip_path is None:
            return (self.source / name).read_bytes()
        return self.zip.read(self.prefix + name)

    def pictures(self) -> list[str]:
        return [n for n in self.names if PurePosixPath(n).suffix.lower() in PICTURES]


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


class Pairs:
    """(sketch, photo) pairs for pix2pix and its kin: ``(N, inputs, S, S), (N, 3, S, S)`` in [-1, 1].

    What the files are is read off them (``kind`` says what was understood):

    - ``labels``: ``photos/`` and ``labels/`` with equal names (label maps of class ids, coloured by ``classes.json``);
    - ``folders``: two folders with equal names, the input first in the alphabet (``A/ B/``, ``edges/ photos/``);
    - ``side by side``: every picture is twice as wide as high, the input on the left (the original datasets' form);
    - ``photos``: anything else; the sketches are drawn from them (`studio.sketches`), anew each time;
    - ``toy``: drawn by the studio, no files needed.

    Args:
        source: a folder, a zip, a folder inside a zip, or ``"toy"``.
        config: size, inputs and hints are read off it.
    """

    asks: ClassVar[str] = "pictures, side-by-side pairs, two folders of equal names, or photos + label maps"
    LEAST = 2

    def __init__(self, source: str | Path, config: Any) -> None:
        self.source, self.size = str(source), config.size
        self.inputs, self.hints = config.inputs, config.hints
        self.skipped: dict[str, str] = {}  # name -> why
        self.palette: list[dict[str, Any]] | None = None
        self.files = None if self.source == "toy" else Files(source)
        if self.files is None:
            self.kind, self.names = "toy", [f"toy-{k:04d}" for k in range(2000)]
        else:
            self.kind, self.names = self._understand()
        if len(self.names) < self.LEAST:
            raise ValueError(
                f"{source} holds {len(self.names)} pairs; at least {self.LEAST} are needed. Expected {self.asks}."
            )

    def _understand(self) -> tuple[str, list[str]]:
        pictures = self.files.pictures()
        if not pictures:
            raise ValueError(f"{self.source} holds no pictures. Expected {self.asks}.")
        folders: dict[str, dict[str, str]] = {}
        for name in pictures:
            folders.setdefault(str(PurePosixPath(name).parent), {})[_stem(name)] = name
        if {"photos", "labels"} <= set(folders):
            self.left, self.right = folders["labels"], folders["photos"]
            self._read_palette()
            return "labels", self._both()
        if len(folders) == 2:
            first, second = sorted(folders)
            if len(set(folders[first]) & set(folders[second])) >= max(self.LEAST, len(folders[first]) // 2):
                self.left, self.right = folders[first], folders[second]
                return "folders", self._both()
        some = [self._open(n) for n in pictures[:: max(1, len(pictures) // 12)]]
        some = [p for p in some if p is not None]
        self.right = {n: n for n in pictures}
        beside = bool(some) and all(p.width == 2 * p.height for p in some)
        return ("side by side" if beside else "photos"), pictures

    def _both(self) -> list[str]:
        for stem in set(self.left) ^ set(self.right):
            self.skipped[stem] = "has no partner of the same name"
        return sorted(set(self.left) & set(self.right))

    def _read_palette(self) -> None:
        listed = json.loads(self.files.read("classes.json")) if "classes.json" in self.files.names else None
        if isinstance(listed, dict):
            listed = listed.get("classes", listed)
        if isinstance(listed, dict):
            listed = [{"id": int(k), **(v if isinstance(v, dict) else {"name": v})} for k, v in listed.items()]
        self.palette = listed or [{"id": k, "name": f"class {k}"} for k in range(32)]
        self.colours = np.full((256, 3), 255, np.uint8)
        for k, each in enumerate(self.palette):
            colour = each.get("colour") or each.get("color") or toys.distinct_colour(k)
            each["colour"] = colour if isinstance(colour, str) else "#{:02x}{:02x}{:02x}".format(*colour)
            self.colours[each["id"]] = tuple(bytes.fromhex(each["colour"].lstrip("#")))

    def _open(self, name: str) -> Image.Image | None:
        try:
            return images.open_picture(self.files.read(name))
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            self.skipped[name] = str(error)
            return None

    def __len__(self) -> int:
        return len(self.names)

    def pair(self, index: int, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray] | None:
        """(sketch, photo) as ``(H, W, 3)`` uint8 of the file's own size, or None if a file is damaged."""
        name = self.names[index]
        if self.kind == "toy":
            photo = toys.shoe(np.random.default_rng(index))
            return sketches.pair(photo, rng, self.hints)
        photo = self._open(self.right[name])
        if photo is None:
            return None
        if self.kind == "side by side":
            half = photo.width // 2
            both = photo.crop((0, 0, half, photo.height)), photo.crop((half, 0, 2 * half, photo.height))
            return np.asarray(both[0]), np.asarray(both[1])
        if self.kind == "folders":
            left = self._open(self.left[name])
            return None if left is None else (np.asarray(left), np.asarray(photo))
        if self.kind == "labels":
            try:
                ids = np.asarray(Image.open(io.BytesIO(self.files.read(self.left[name]))))
            except OSError as error:
                self.skipped[name] = str(error)
                return None
            return self.colours[ids if ids.ndim == 2 else ids[..., 0]], np.asarray(photo)
        photo = np.asarray(images.fit(photo, 256, 256) if photo.size != (256, 256) else photo)
        return sketches.pair(photo, rng, self.hints)

    def item(self, index: int, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
        """One example at the training size, varied by ``rng``: mirrored half of the time, a little larger, moved.

        A damaged file is skipped: the next good one takes its place.
        """
        for shift in range(len(self.names)):
            found = self.pair((index + shift) % len(self.names), rng)
            if found is not None:
                return tuple(self._varied(found, rng))
        raise ValueError(f"No picture of {self.source} can be read.")

    def _varied(self, pair: tuple[np.ndarray, np.ndarray], rng: np.random.Generator | None) -> list[np.ndarray]:
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
            result.append(_window(array, size, move)[:, ::-1] if flip else _window(array, size, move))
        return result

    def batch(self, indices: Sequence[int], rngs: Sequence[np.random.Generator | None]) -> tuple[Tensor, Tensor]:
        pairs = [self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]
        sketch, photo = (
            torch.from_numpy(np.stack([p[side] for p in pairs])).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1
            for side in (0, 1)
        )
        return (sketch if self.inputs == 3 else sketch.mean(dim=1, keepdim=True)), photo

    def thumbnails(self) -> np.ndarray | None:
        """``(len, 16 * 16 * 3)`` float32 in [0, 1]: to find near-duplicates; None for toys, which have none."""
        if self.kind == "toy":
            return None
        rows = []
        for k in range(len(self)):
            found = self.pair(k, None) if self.kind != "photos" else (None, self._open(self.right[self.names[k]]))
            photo = None if found is None else found[1]
            small = Image.new("RGB", (16, 16)) if photo is None else photo
            small = small if isinstance(small, Image.Image) else Image.fromarray(small)
            rows.append(np.asarray(small.resize((16, 16), Image.Resampling.BOX), np.float32).ravel() / 255)
        return np.stack(rows)

    def facts(self) -> dict[str, Any]:
        """What the trained checkpoint's card should say about its input."""
        return {
            "drawing": self.kind if self.kind in ("labels",) else "sketch",
            "palette": self.palette,
            "hints": self.hints > 0,
        }


def _window(array: np.ndarray, size: int, move: np.ndarray) -> np.ndarray:
    """``size`` x ``size`` out of a larger picture, or a smaller one on paper; ``move`` in [0, 1] says where."""
    height, width = array.shape[:2]
    if height >= size:
        top, left = (np.array([height - size, width - size]) * move).astype(int)
        return array[top : top + size, left : left + size]
    paper = np.full((size, size, array.shape[2]), 255, np.uint8)
    top, left = (np.array([size - height, size - width]) * move).astype(int)
    paper[top : top + height, left : left + width] = array
    return paper


def hold_out(data: Any, count: int, seed: int = 0, near: float = 0.045) -> list[str]:
    """Names of ``count`` examples to set aside, none of which has a near-duplicate among the others.

    Two pictures are near-duplicates if their 16 x 16 thumbnails differ by less than ``near`` on average; a split that
    put one of them on each side would measure memory.
    """
    small = data.thumbnails()
    lone = np.ones(len(data), bool)
    for k in range(len(small) if small is not None else 0):
        distance = np.abs(small - small[k]).mean(axis=1)
        distance[k] = 1
        lone[k] = distance.min() > near
    candidates = np.flatnonzero(lone)
    if len(candidates) < count:
        raise ValueError(
            f"Only {len(candidates)} of {len(data)} pictures have no near-duplicate; hold out fewer than {count}."
        )
    chosen = np.random.default_rng(seed).choice(candidates, count, replace=False)
    return sorted(data.names[k] for k in chosen)


class Stream(torch.utils.data.Dataset):
    """Step -> batch, as a function of (seed, step): each epoch a new order, each example its own generator."""

    def __init__(self, data: Any, batch: int, seed: int = 0) -> None:
        self.data, self.n, self.seed = data, batch, seed

    def __getitem__(self, step: int) -> Any:
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
