"""Pictures that visitors upload to train on: kept under ``STUDIO_HOME/data``, named by what is in them.

data/<first letters of the sha256>/upload.json    its title, when it came
                                   <name>.zip     as it was uploaded; single pictures are packed into one

The same pictures uploaded twice are kept once. Nothing is deleted but by hand. On a public server everybody sees his
own only (`studio.guests.owners`): a cookie says which browser asks, and marks in upload.json whose the pictures are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from studio.data import Files
from studio.data.files import PICTURES
from studio.guests import owners
from studio.guests.limits import limits
from studio.places import home, write_atomically
from studio.refused import Refused
from studio.training import runs

MOST_MEGABYTES = 500  # .streamlit/config.toml says so, too: what is larger is refused before it is sent
PIECE = 1 << 20


@dataclass(frozen=True)
class Upload:
    """What was uploaded; ``source`` is what a training takes."""

    name: str  # of its folder
    title: str
    source: str
    bytes: int
    files: int
    created: float
    owners: tuple[str, ...] = ()


def folder() -> Path:
    return home() / "data"


def most_megabytes() -> int:
    """How large an upload may be here."""
    return min(MOST_MEGABYTES, limits().megabytes or MOST_MEGABYTES)


def uploads(cookie: str | None = None) -> list[Upload]:
    """Those of the browser that asks, or all, the newest first; a damaged one is passed over."""
    return [upload for upload in _all() if owners.may(upload.owners, cookie)]


def _all() -> list[Upload]:
    found = []
    for path in folder().glob("*/upload.json"):
        try:
            found.append(_read(path.parent))
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found, key=lambda each: each.created, reverse=True)


def find(name: str, cookie: str | None = None) -> Upload:
    """The upload of that name.

    Raises:
        ValueError: there is none, or it is another browser's.
    """
    for each in uploads(cookie):
        if each.name == name:
            return each
    raise Refused("uploads.gone")


def keep(files: Sequence[tuple[str, IO[bytes]]], cookie: str | None = None) -> Upload:
    """Keeps a zip, or any number of pictures.

    Args:
        files: (name, open file) of each.
        cookie: of the browser that brings them.

    Raises:
        ValueError: neither one zip nor pictures; too large; a zip that can't be read or is a trap; a full disk.
    """
    zips = [name for name, _ in files if name.lower().endswith(".zip")]
    others = [name for name, _ in files if PurePosixPath(name).suffix.lower() not in PICTURES | {".zip"}]
    if others:
        raise Refused("uploads.neither", file=others[0])
    if not files or (zips and len(files) > 1):
        raise Refused("uploads.both")
    limits().check(megabytes=sum(_size(file) for _, file in files) / 1e6)
    if (most := limits().runs) is not None:
        for spare in [each for each in _all() if not used_by(each)][max(0, most - 1) :]:  # the oldest
            shutil.rmtree(folder() / spare.name, ignore_errors=True)
    try:
        owners.check_room()
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder(), prefix=".coming-") as coming:
            return _settle(Path(coming), files, bool(zips), owners.mark(cookie))
    except OSError as error:
        raise Refused("uploads.disk", reason=error.strerror) from error


def delete(name: str, cookie: str | None = None) -> None:
    """Deletes an upload. Runs that were trained on it stay, but can't go on.

    If another browser has brought the same pictures, they stay for that one.

    Raises:
        ValueError: there is none, or a run that trains needs it.
    """
    limits().check()
    upload = find(name, cookie)
    others = [each for each in upload.owners if each != owners.mark(cookie)]
    if others and owners.public():
        _note(folder() / upload.name, owners=others)
        return
    for run in used_by(upload):
        if run.alive:
            raise Refused("uploads.used", title=upload.title, run=run.name)
    shutil.rmtree(folder() / upload.name)


def used_by(upload: Upload) -> list[runs.Run]:
    """The runs that were trained on it."""
    place = (folder() / upload.name).resolve()
    return [run for run in runs.all_runs() if place in Path(run.card["data"]).parents]


def _size(file: IO[bytes]) -> int:
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    return size


def _settle(coming: Path, files: Sequence[tuple[str, IO[bytes]]], is_zip: bool, owner: str | None) -> Upload:
    """Writes the zip, looks into it, and puts it where its content says."""
    title = PurePosixPath(files[0][0]).name
    if not is_zip and len(files) > 1:
        title = f"{PurePosixPath(title).stem} … ({len(files)})"
    name = re.sub(r"[^\w.-]+", "-", PurePosixPath(files[0][0]).stem).strip("-.")[:60] or "pictures"
    path = coming / f"{name}.zip"
    if is_zip:
        with open(path, "wb") as out:
            shutil.copyfileobj(files[0][1], out, PIECE)
    else:
        _pack(path, files)
    digest = hashlib.sha256()
    with open(path, "rb") as content:
        while piece := content.read(PIECE):
            digest.update(piece)
    inside = Files(path)  # or says why it can't be read
    count = len(inside.pictures())
    if not count:
        raise Refused("uploads.empty", title=title)
    place = folder() / digest.hexdigest()[:12]
    if not (place / "upload.json").exists():
        facts = {"title": title, "file": path.name, "inner": _inner(inside.names), "files": count, "owners": []}
        text = json.dumps(facts | {"created": time.time()}, ensure_ascii=False)
        (coming / "upload.json").write_text(text, encoding="utf-8")
        del inside
        shutil.rmtree(place, ignore_errors=True)
        whole = coming / "whole"
        whole.mkdir()
        for each in (path, coming / "upload.json"):
            os.replace(each, whole / each.name)
        os.replace(whole, place)
    there = _read(place)
    if owner and owner not in there.owners:
        _note(place, owners=[*there.owners, owner])
    return _read(place)


def _note(place: Path, **facts: object) -> None:
    path = place / "upload.json"
    text = json.dumps(json.loads(path.read_text(encoding="utf-8")) | facts, ensure_ascii=False)
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def _pack(path: Path, files: Sequence[tuple[str, IO[bytes]]]) -> None:
    """Pictures into a zip, the same bytes for the same pictures."""
    taken: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        for given, file in sorted(files, key=lambda each: each[0]):
            parts = [
                re.sub(r"[^\w .()-]+", "-", part).lstrip(".") for part in PurePosixPath(given).parts if part != "/"
            ]  # a name that begins with a dot would be passed over
            stem, k = "/".join(filter(None, parts)) or "picture.png", 1
            name = stem
            while name in taken:  # two folders may hold pictures of one name
                k += 1
                name = f"{Path(stem).stem}-{k}{Path(stem).suffix}"
            taken.add(name)
            with packed.open(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), "w") as out:
                shutil.copyfileobj(file, out, PIECE)


def _inner(names: Sequence[str]) -> str:
    """The folder that holds everything, where a whole folder was packed: ``cats/A/1.png`` … -> ``cats``."""
    inner: tuple[str, ...] = ()
    while True:
        heads = {PurePosixPath(name).parts[len(inner)] for name in names}
        if len(heads) != 1 or any(len(PurePosixPath(name).parts) <= len(inner) + 1 for name in names):
            return "/".join(inner)
        inner += tuple(heads)


def _read(place: Path) -> Upload:
    facts = json.loads((place / "upload.json").read_text(encoding="utf-8"))
    path = place / Path(facts["file"]).name
    source = path / facts["inner"] if facts["inner"] else path
    marks = tuple(facts.get("owners", ()))
    return Upload(place.name, facts["title"], str(source), path.stat().st_size, facts["files"], facts["created"], marks)
