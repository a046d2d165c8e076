"""Where data lies: a folder, a zip, a folder inside a zip, a built-in set, or a data set of torchvision."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from studio import images
from studio.labels import Classes, numbers, open_map
from studio.refused import Refused

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
MOST_FILES = 300_000
MOST_BYTES = 8 << 30  # unpacked, of a zip
MOST_FILE = 256 << 20  # the same of one file in it, which is read whole: a picture of MOST_PIXELS has 150 MB
MOST_LIST = 48 << 20  # bytes of a zip's table of contents, which is read whole before anything can be counted
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
                raise Refused("data.noFolder", source=source)
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
            raise Refused("data.crowd", source=source, most=MOST_FILES)
        if not self.names:
            raise Refused("data.noFiles", source=source)

    def _checked_zip(self) -> list[str]:
        try:
            if _list_bytes(self.zip_path) > MOST_LIST:
                raise Refused("data.tooManyFiles", most=MOST_FILES)
            listed = self.zip.infolist()
        except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
            raise Refused("data.noZip", file=self.zip_path.name) from error
        names, total = [], 0
        for info in listed:
            if info.is_dir():
                continue
            path = PurePosixPath(info.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
                raise Refused("data.outside", file=info.filename)
            if info.flag_bits & 1:
                raise Refused("data.locked")
            total += info.file_size
            if max(total / MOST_BYTES, info.file_size / MOST_FILE) > 1 or info.file_size > MOST_RATIO * max(
                info.compress_size, 1000
            ):
                raise Refused("data.bomb")
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

    def open(self, name: str) -> images.Picture:
        """A picture, upright, RGB.

        Raises:
            ValueError: it is damaged, or not a picture.
        """
        try:
            return images.open_picture(self.read(name))
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise Refused("data.elsewhere") from error

    def ids(self, name: str, classes: Classes | None = None) -> np.ndarray:
        """A label map, ``(H, W)`` uint8 with 255 = unknown: its numbers, or those of its colours in ``classes``.

        Raises:
            ValueError: damaged, colours without classes, or numbers that are no class.
        """
        try:
            given = open_map(self.read(name))
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise Refused("data.elsewhere") from error
        return numbers(given) if classes is None else classes.read(given).ids

    def classes(self) -> Classes | None:
        """The palette in ``classes.json``, if there is one."""
        return Classes.parse(self.read("classes.json")) if "classes.json" in self.names else None


def _list_bytes(path: Path) -> int:
    """How long a zip's table of contents says that it is: at its end, and of a large one in a record before that."""
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        start = max(0, file.tell() - (1 << 16) - 200)
        file.seek(start)
        end = file.read()
    at = end.rfind(b"PK\5\6")
    size = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    large = end.rfind(b"PK\6\6", 0, max(at, 0))  # zip64
    return int.from_bytes(end[large + 40 : large + 48], "little") if large >= 0 else size


def stem(name: str) -> str:
    """``photos/12.webp`` -> ``12``: by stems, files of two folders belong together."""
    return PurePosixPath(name).stem


def by_folder(names: list[str]) -> dict[str, list[str]]:
    """Names by the folder they lie in, folders in the order of the alphabet; "" = those in none."""
    found: dict[str, list[str]] = {}
    for name in names:
        parent = str(PurePosixPath(name).parent)
        found.setdefault("" if parent == "." else parent, []).append(name)
    return dict(sorted(found.items()))


class Together:
    """Several sources as one, ``paintings.zip+photos.zip/train``: each name belongs to the first that has it."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.parts: dict[str, Any] = {}
        for files in map(_opened, sources):
            self.parts = {name: files for name in files.names} | self.parts
        self.names = list(self.parts)

    def pictures(self) -> list[str]:
        return [n for n in self.names if PurePosixPath(n).suffix.lower() in PICTURES]

    def read(self, name: str) -> bytes:
        return self.parts[name].read(name)

    def open(self, name: str) -> images.Picture:
        return self.parts[name].open(name)

    def ids(self, name: str) -> np.ndarray:
        return self.parts[name].ids(name)


def is_own(part: str) -> bool:
    """Whether a source is of the studio itself: drawn by it, or built in."""
    return part == "toy" or part.startswith(("toy:", "points:", "real:"))


def is_name(part: str) -> bool:
    """Whether a source is a name, and no place on the disk."""
    return is_own(part) or part.startswith("torchvision:")


def several(source: str | Path) -> list[str]:
    """The sources that are joined by ``+``; a path that has a + in its own name is one."""
    whole = str(source)
    return [whole] if "+" not in whole or (not is_name(whole) and Path(whole).exists()) else whole.split("+")


def opened(source: str | Path) -> Any:
    """The files behind a source as users write it: a path, ``real:digits``, ``torchvision:MNIST``, or several of them
    joined by ``+``."""
    parts = several(source)
    return _opened(parts[0]) if len(parts) == 1 else Together(parts)


def _opened(source: str) -> Any:
    name = source.partition(":")[2]
    if source.startswith("torchvision:"):
        from studio.data.torchvision import Torchvision

        return Torchvision(name)
    if source.startswith("real:"):
        from studio.data.real import Real

        return Real(name)
    return Files(source)
