"""Where data lies: a folder, a zip, a folder inside a zip, a built-in set, or a data set of torchvision."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from studio import images
from studio.data import names as naming
from studio.data.names import PICTURES
from studio.labels import Classes, LabelMap, numbers, open_map
from studio.refused import Phrase, Refused

PALETTES = (
    "classes.json", "palette.json", "label_map.json", "labelmap.json", "labels.json", "categories.json",
    "class_dict.csv", "labelmap.txt", "classes.txt", "labels.txt",
)  # fmt: skip
MOST_FILES = 300_000
MOST_BYTES = 8 << 30  # unpacked, of a zip
MOST_FILE = 256 << 20  # the same of one file in it, which is read whole: a picture of MOST_PIXELS has 150 MB
MOST_LIST = 48 << 20  # bytes of a zip's table of contents, which is read whole before anything can be counted
MOST_RATIO = 200  # unpacked / packed of one file in a zip: pictures hardly shrink, bombs shrink a thousandfold


class Files:
    """The files of a folder or of a zip (or of a folder inside one: ``shoes.zip/bags``), by posix name.

    A zip is read in place and never unpacked, so a name such as ``../x`` can reach nothing; it is refused all the same.
    Names are as `studio.data.names` writes them. ``left_out`` says of pictures that are not among them why.

    Raises:
        ValueError: nothing there, not a zip, encrypted, or a decompression bomb.
    """

    def __init__(self, source: str | Path) -> None:
        self.source, inner = naming.there(Path(source)), ""
        self.zip_path: Path | None = None
        self.left_out: dict[str, str] = {}  # name -> why
        self._as: dict[str, str] = {}  # name -> what its folder or zip calls it, where that is another
        self._looks: dict[str, bool] = {}  # name without a known ending -> whether it is a picture
        for parent in [self.source, *self.source.parents]:
            if parent.is_file():
                self.zip_path, inner = parent, self.source.relative_to(parent).as_posix().strip(".")
                break
        self._zip: tuple[int, zipfile.ZipFile] | None = None
        if self.zip_path is None:
            if not self.source.is_dir():
                raise Refused("data.noFolder", source=source)
            found, broken = naming.below(self.source)
            named = [(naming.clean(name), name) for name in found[: MOST_FILES + 1]]
            self.left_out |= {naming.clean(n): Phrase("skipped.link") for n in broken if not naming.is_system(n)}
        else:
            prefix = naming.clean(inner) + "/" if inner else ""
            named = [(n[len(prefix) :], was) for n, was in self._checked_zip() if n.startswith(prefix)]
        if len(named) > MOST_FILES:
            raise Refused("data.crowd", source=source, most=MOST_FILES)
        self.names = []
        for name, was in named:
            if naming.is_system(name):
                if _ending(name) in PICTURES and not naming.is_double(name):
                    self.left_out[name] = Phrase("skipped.hidden")
                continue
            if name in self._as and self._as[name] != was:  # a Mac's and another's spelling of one name
                self.left_out[f"{name} (2)"] = Phrase("skipped.sameName")
                continue
            if name not in self._as:
                self.names.append(name)
                self._as[name] = was
            if (why := _unread(name)) is not None:
                self.left_out[name] = why
        if not self.names:
            raise Refused("data.noFiles", source=source)

    def _checked_zip(self) -> list[tuple[str, str]]:
        """(name, what the zip calls it) of each file."""
        try:
            if _list_bytes(self.zip_path) > MOST_LIST:
                raise Refused("data.tooManyFiles", most=MOST_FILES)
            listed = self.zip.infolist()
        except (zipfile.BadZipFile, OSError, NotImplementedError, UnicodeDecodeError) as error:
            raise Refused("data.noZip", file=self.zip_path.name) from error
        names, total = [], 0
        for name, info in zip(naming.of_zip(listed), listed, strict=True):
            if name.endswith("/"):
                continue
            if naming.climbs(name):
                raise Refused("data.outside", file=name)
            if info.flag_bits & 1:
                raise Refused("data.locked")
            total += info.file_size
            if max(total / MOST_BYTES, info.file_size / MOST_FILE) > 1 or info.file_size > MOST_RATIO * max(
                info.compress_size, 1000
            ):
                raise Refused("data.bomb")
            names.append((name, info.filename))
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
            return (self.source / self._as[name]).read_bytes()
        return self.zip.read(self._as[name])

    def pictures(self) -> list[str]:
        """Names of pictures: by their endings, or, of a name that has none that is known, by how the file begins."""
        return [n for n in self.names if _ending(n) in PICTURES or (n not in self.left_out and self._is_picture(n))]

    def _is_picture(self, name: str) -> bool:
        if _ending(name) in naming.OTHERS:
            return False
        if name not in self._looks:
            self._looks[name] = naming.looks(self._head(name))
        return self._looks[name]

    def _head(self, name: str) -> bytes:
        try:
            if self.zip_path is None:
                with open(self.source / self._as[name], "rb") as file:
                    return file.read(16)
            with self.zip.open(self._as[name]) as file:
                return file.read(16)
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
            return b""

    def open(self, name: str) -> images.Picture:
        """A picture, upright, RGB.

        Raises:
            ValueError: it is damaged, or not a picture.
        """
        try:
            return images.open_picture(self.read(name))
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise Refused("data.elsewhere") from error

    def map(self, name: str) -> tuple[LabelMap, bool]:
        """A label map as it is in its file, and whether that is a JPEG, whose numbers and colours are not exact.

        Raises:
            ValueError: damaged, or not a picture.
        """
        try:
            content = self.read(name)
            return open_map(content), content.startswith(b"\xff\xd8")
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise Refused("data.elsewhere") from error

    def ids(self, name: str, classes: Classes | None = None) -> np.ndarray:
        """A label map, ``(H, W)`` uint8 with 255 = unknown: its numbers, or those of its colours in ``classes``.

        Raises:
            ValueError: damaged, colours without classes, or numbers that are no class.
        """
        given, lossy = self.map(name)
        if classes is None:
            return numbers(given)
        try:
            return classes.read(given).ids
        except Refused as error:
            if not lossy:
                raise
            known = [each["id"] for each in classes.listed]
            raise Refused("maps.jpeg", share=100 * float(np.mean(~np.isin(given.values, known)))) from error

    def classes(self) -> Classes | None:
        """The palette in ``classes.json``, or in another file that has one, if there is one."""
        return classes_of(self)


def classes_of(files: Any) -> Classes | None:
    """The palette of a set: that of ``classes.json``, or of a file that other programs write; the topmost of several.

    Raises:
        ValueError: a ``classes.json`` that is none.
    """
    known = {name: PurePosixPath(name).name.lower() for name in files.names}
    for wanted in PALETTES:
        there = sorted((n for n, low in known.items() if low == wanted), key=lambda n: (n.count("/"), n))
        for name in there[:1]:
            try:
                return Classes.parse(files.read(name), name)
            except Refused:
                if wanted == PALETTES[0]:
                    raise
    return None


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _unread(name: str) -> str | None:
    """Why a file that is a picture by its ending can't be read; None = it can, or is none."""
    ending = _ending(name)
    if ending in naming.PHONE:
        return Phrase("pictures.phone")
    if ending in naming.CAMERA:
        return Phrase("pictures.raw", kind=ending)
    return Phrase("pictures.kind", kind=ending) if ending in naming.UNREAD else None


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
        self.left_out: dict[str, str] = {}
        found: list[str] = []
        for source, files in zip(sources, map(_opened, sources), strict=True):
            self.left_out |= {f"{source}: {name}": why for name, why in getattr(files, "left_out", {}).items()}
            again = [name for name in files.pictures() if name in self.parts]
            self.left_out |= {f"{source}: {name}": Phrase("skipped.sameName") for name in again}
            found += [name for name in files.pictures() if name not in self.parts]
            self.parts = {name: files for name in files.names} | self.parts
        self.names, wanted = list(self.parts), set(found)
        self._pictures = [name for name in self.names if name in wanted]

    def pictures(self) -> list[str]:
        return list(self._pictures)

    def read(self, name: str) -> bytes:
        return self.parts[name].read(name)

    def open(self, name: str) -> images.Picture:
        return self.parts[name].open(name)

    def map(self, name: str) -> tuple[LabelMap, bool]:
        return self.parts[name].map(name)

    def ids(self, name: str, classes: Classes | None = None) -> np.ndarray:
        return self.parts[name].ids(name, classes)

    def classes(self) -> Classes | None:
        return classes_of(self)


def is_own(part: str) -> bool:
    """Whether a source is of the studio itself: drawn by it, or built in."""
    return part == "toy" or part.startswith(("toy:", "points:", "real:"))


def is_name(part: str) -> bool:
    """Whether a source is a name, and no place on the disk."""
    return is_own(part) or part.startswith("torchvision:")


def read_as(source: str | Path) -> tuple[str, str]:
    """``photos.zip?as=photos`` -> the source, and what its files shall be taken for ("" = nothing is said)."""
    path, sign, reading = str(source).rpartition("?as=")
    return (path, reading) if sign and re.fullmatch(r"[a-z ]+", reading) else (str(source), "")


def several(source: str | Path) -> list[str]:
    """The sources that are joined by ``+``; a path that has a + in its own name is one."""
    whole, found = read_as(source)[0], []
    parts = whole.split("+")
    if len(parts) == 1 or (not is_name(whole) and _is_there(whole)):
        return [whole]
    while parts:  # the longest name that is there
        ends = (k for k in range(len(parts), 1, -1) if _is_there("+".join(parts[:k])))
        end = next(ends, 1)
        found.append("+".join(parts[:end]))
        parts = parts[end:]
    return found


def _is_there(source: str) -> bool:
    """Whether it is a path, or one inside a zip."""
    try:
        path = naming.there(Path(source))
        return path.exists() or any(parent.is_file() for parent in path.parents)
    except (OSError, ValueError):  # no name at all
        return False


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
