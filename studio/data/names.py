"""The one room for names: what files are called in folders and zips, on whatever machine they were made.

Everything that reads a folder or a zip takes its names from here, and gives its callers one form of them: NFC (a Mac
takes letters apart, 강 in three pieces), slashes between folders (PowerShell 5 writes backslashes), read in the
encoding that the machine had which packed them, and without what machines leave behind for themselves.
"""

from __future__ import annotations

import os
import re
import struct
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

ENCODINGS = ("utf-8", "cp949")  # of names that do not say theirs; what is neither is cp437, as zip has it
UTF8, UNICODE_PATH = 0x800, 0x7075  # the flag of a zip's entry, and the number of the field, that say it in UTF-8
SYSTEM = {
    "__macosx", "@eadir", "@recycle", "#recycle", "#snapshot", "$recycle.bin", "system volume information",
    "lost+found", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r",
}  # fmt: skip

PICTURES = {
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".avif",
    ".avifs", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
}  # fmt: skip
"""Endings of what `studio.images` reads."""
PHONE = {".heic", ".heif", ".hif"}  # what a phone saves, and no library here reads
CAMERA = {".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"}
UNREAD = {
    ".psd", ".psb", ".svg", ".eps", ".ai", ".pdf", ".jxl", ".jp2", ".j2k", ".tga", ".exr", ".hdr", ".ico", ".xcf",
    ".dcm", ".nii", ".mp4", ".mov", ".avi", ".mkv", ".webm",
}  # fmt: skip
OTHERS = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".xml", ".html", ".htm", ".yaml", ".yml", ".toml", ".log", ".ini",
    ".py", ".ipynb", ".npy", ".npz", ".mat", ".pkl", ".pt", ".pth", ".safetensors", ".zip", ".gz", ".tar", ".7z",
    ".rar", ".xlsx", ".xls", ".docx", ".hwp", ".db", ".exe", ".dll", ".url", ".lnk",
}  # fmt: skip
"""Files that need not be looked into to know that they are no pictures."""


def clean(name: str) -> str:
    """A name as all of the studio writes it: NFC, with slashes."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8, as the system hands them over
        name = decoded([os.fsencode(name)])[0]
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./")


def decoded(raw: Sequence[bytes]) -> list[str]:
    """Names that do not say their encoding; one machine wrote them all, so one encoding that fits all comes first."""
    for encoding in ENCODINGS:
        try:
            return [each.decode(encoding) for each in raw]
        except UnicodeDecodeError:
            continue
    return [_alone(each) for each in raw]


def _alone(raw: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp437")


def of_zip(listed: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The name of each entry. Where none is told in UTF-8, Windows wrote it as its country does."""
    said = [_said(info) for info in listed]
    silent = [k for k, name in enumerate(said) if name is None]
    for k, name in zip(silent, decoded([listed[k].orig_filename.encode("cp437") for k in silent]), strict=True):
        said[k] = name
    return [clean(name) for name in said]


def _said(info: zipfile.ZipInfo) -> str | None:
    """The name of an entry whose encoding is known."""
    if info.flag_bits & UTF8 or info.orig_filename.isascii():
        return info.orig_filename
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == UNICODE_PATH and length > 5:  # a version, a checksum, the name
            return extra[9 : 4 + length].decode("utf-8", "replace")
        extra = extra[4 + length :]
    return None


def is_system(name: str) -> bool:
    """Whether a machine left it for itself: hidden, or a folder of thumbnails, a bin, a checkpoint of a notebook."""
    return any(part.startswith(".") or part.lower() in SYSTEM for part in PurePosixPath(name).parts)


def is_double(name: str) -> bool:
    """Whether it is what a Mac writes beside each file, ``._1.png``: no picture whatever its ending."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._")


def climbs(name: str) -> bool:
    """Whether a name in a zip points outside of it."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:(/|$)", name) is not None


def below(folder: Path) -> tuple[list[str], list[str]]:
    """(files below a folder as the system calls them, links that lead nowhere); links are followed, in no circle."""
    found, broken = [], []
    for place, files in _walked(folder, {folder.resolve()}):
        for file in files:
            path = place / file
            name = path.relative_to(folder).as_posix()
            if path.is_file():
                found.append(name)
            elif path.is_symlink():
                broken.append(name)
    return sorted(found, key=lambda name: PurePosixPath(name).parts), sorted(broken)


def _walked(folder: Path, above: set[Path]) -> Iterator[tuple[Path, list[str]]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # not ours to read
        return
    yield folder, [entry.name for entry in entries if not entry.is_dir()]
    for entry in entries:
        if not entry.is_dir():
            continue
        place = Path(entry.path)
        real = place.resolve()
        if real not in above:  # a link to a folder that this one lies in would go round for ever
            yield from _walked(place, above | {real})


def there(path: Path) -> Path:
    """The path itself, or the one on the disk that has the same name written otherwise (NFC and NFD)."""
    if path.exists() or not path.parts:
        return path
    parent = there(path.parent) if path.parent != path else path
    if not parent.is_dir():
        return parent / path.name
    wanted = clean(path.name)
    return next((each for each in parent.iterdir() if clean(each.name) == wanted), parent / path.name)


def looks(head: bytes) -> bool:
    """Whether a file begins as a picture does that can be read."""
    return (
        head.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"))
        or (head[:2] == b"BM" and head[6:10] == bytes(4))
    )
