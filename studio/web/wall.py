"""The class's wall: pictures that students show, once the teacher has looked at them.

gallery/<id>.png     re-encoded here: nothing of the file that was sent survives but its pixels
        <id>.json    name, GAN, checkpoint, when, whether it hangs yet, and who may take it down
        box.json     whether the box is open

The folder is the whole state. A picture is there from the moment its JSON is, which is written last and atomically: a
server that is killed loses nothing, and two servers with one folder show the same wall. What is rejected is deleted.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import threading
import time
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image

from studio import images
from studio.places import home
from studio.refused import Forbidden, Missing, Refused, Unable

MOST_BYTES = 2 * 2**20  # of a picture as it is sent
MOST_PIXELS = 4096 * 4096  # that are opened
SIDE = 1024  # pixels of the longer side that are kept
NAME = 24  # characters
WAITING = 3  # pictures of one sender that may wait
FROM_ONE_PLACE = 40  # that may wait from one network address: a class may share one
QUEUE = 60  # that may wait in all
HANGING = 200  # that may hang
ORPHAN = 600  # seconds after which a picture without its JSON is left over from a crash
YOUNG = 2_000_000_000  # nanoseconds: a folder that changed so lately may change again under the same time stamp
ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Shown:
    """A picture that was sent. ``hangs``: the teacher has approved it; None = not yet, else when (seconds)."""

    id: str
    name: str
    gan: str
    tag: str
    sent: float
    width: int
    height: int
    hangs: float | None = None
    taker: str = ""  # digest of the secret with which its sender may take it back
    sender: str = ""  # digest of who sent it, and from where: only for counting
    place: str = ""


class NotYours(Forbidden, PermissionError):
    """Neither the teacher nor who sent the picture asks."""


class Full(Unable):
    """There is no room for it now; says what to do."""

    status = 409


class Gallery:
    """The wall in a folder; every method may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._seen: tuple[Any, list[Shown]] = (None, [])
        self._changes = 0
        self._decoding = threading.BoundedSemaphore(2)

    # ---- looking ----------------------------------------------------------------------------------------------------

    def all(self) -> list[Shown]:
        """Every picture, the newest first; those that hang by when they were hung."""
        with self._lock:
            stamp = self._stamp()
            if stamp is None or stamp != self._seen[0]:
                found = [shown for path in self.folder.glob("*.json") if (shown := self._read(path))]
                found.sort(key=lambda shown: (shown.hangs or shown.sent, shown.id), reverse=True)
                self._seen = (stamp, found)
            return self._seen[1]

    def wall(self) -> list[Shown]:
        return [shown for shown in self.all() if shown.hangs is not None]

    def waiting(self) -> list[Shown]:
        """In the order in which they came."""
        return [shown for shown in reversed(self.all()) if shown.hangs is None]

    def find(self, id: str) -> Shown:
        """
        Raises:
            ValueError: it is not here (any more).
        """
        shown = self._read(self.folder / f"{id}.json") if ID.fullmatch(id) else None
        if shown is None:
            raise Missing("wall.gone")
        return shown

    def path(self, shown: Shown) -> Path:
        return self.folder / f"{shown.id}.png"

    @property
    def open(self) -> bool:
        """Whether pictures can be sent."""
        try:
            return bool(json.loads((self.folder / "box.json").read_text(encoding="utf-8"))["open"])
        except (OSError, ValueError, KeyError, TypeError):
            return True

    def version(self) -> str:
        """Changes whenever anything here does."""
        facts = [self.open, [(shown.id, shown.hangs) for shown in self.all()]]
        return sha256(json.dumps(facts).encode()).hexdigest()[:16]

    # ---- what students do -------------------------------------------------------------------------------------------

    def send(
        self, content: bytes, name: str = "", gan: str = "", tag: str = "", sender: str = "", place: str = ""
    ) -> tuple[Shown, str]:
        """A picture for the teacher to look at.

        Args:
            content: of a picture file.
            name: what stands under it; plain text.
            sender, place: who sends it, and from which network address.

        Returns:
            What is kept, and the secret with which its sender may `take_back` it.

        Raises:
            ValueError: no picture, or one that is too large.
            Full: the box is closed, or full.
        """
        if len(content) > MOST_BYTES:
            raise Refused("wall.large", most=MOST_BYTES // 2**20)
        who, where = _digest(sender), _digest(place)
        self._room(who, where)  # before the work
        with self._decoding:
            picture = images.open_picture(content, MOST_PIXELS)
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            encoded = images.png(picture)
        secret = secrets.token_urlsafe(18)
        shown = Shown(
            secrets.token_hex(8), plain(name), gan, tag, time.time(), *picture.size,
            taker=_digest(secret), sender=who, place=where,
        )  # fmt: skip
        with self._lock:
            self._room(who, where)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            self._write(self.path(shown), encoded)
            self._keep(shown)
        return shown, secret

    def take_back(self, id: str, secret: str) -> None:
        """Its sender does not want it shown any more.

        Raises:
            ValueError: it is not here.
            NotYours: that is not its secret.
        """
        if not hmac.compare_digest(self.find(id).taker.encode(), _digest(secret).encode()):
            raise NotYours("wall.notYours")
        self.delete(id)

    # ---- what the teacher does --------------------------------------------------------------------------------------

    def hang(self, id: str) -> Shown:
        """Approves a picture.

        Raises:
            ValueError: it is not here.
            Full: the wall is.
        """
        with self._lock:
            shown = self.find(id)
            if shown.hangs is None:
                if len(self.wall()) >= HANGING:
                    raise Full("wall.full", n=HANGING)
                shown = replace(shown, hangs=time.time())
                self._keep(shown)
            return shown

    def delete(self, id: str) -> None:
        """Takes a picture down, or rejects it: it is deleted.

        Raises:
            ValueError: it is not here.
        """
        with self._lock:
            shown = self.find(id)
            (self.folder / f"{shown.id}.json").unlink(missing_ok=True)
            self.path(shown).unlink(missing_ok=True)
            self._changes += 1

    def clear(self, what: str = "all") -> int:
        """Deletes ``"all"``, or what is ``"waiting"`` or on the ``"wall"``; how many that were."""
        doomed = {"all": self.all, "waiting": self.waiting, "wall": self.wall}[what]()
        for shown in doomed:
            with suppress(ValueError):  # somebody was faster
                self.delete(shown.id)
        return len(doomed)

    def set_open(self, open: bool) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write(self.folder / "box.json", json.dumps({"open": open}).encode())

    # ---- the folder -------------------------------------------------------------------------------------------------

    def _room(self, sender: str, place: str) -> None:
        """
        Raises:
            Full: there is none.
        """
        if not self.open:
            raise Full("wall.closed")
        waiting = self.waiting()
        if Counter(each.sender for each in waiting)[sender] >= WAITING:
            raise Full("wall.yours", n=WAITING)
        if len(waiting) >= QUEUE or Counter(each.place for each in waiting)[place] >= FROM_ONE_PLACE:
            raise Full("wall.many")

    def _stamp(self) -> Any:
        """Equal stamps: nothing has changed. None = it can't be told, look again."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except OSError:
            return "nothing"
        return None if time.time_ns() - changed < YOUNG else (changed, self._changes)

    def _read(self, path: Path) -> Shown | None:
        """What a JSON says; None if it says nothing, or its picture is gone."""
        if not ID.fullmatch(path.stem):
            return None
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            shown = Shown(**{**facts, "id": path.stem})
            return shown if self.path(shown).is_file() else None
        except (OSError, ValueError, TypeError):
            return None

    def _keep(self, shown: Shown) -> None:
        facts = {name: value for name, value in asdict(shown).items() if name != "id"}
        self._write(self.folder / f"{shown.id}.json", json.dumps(facts, ensure_ascii=False).encode())

    def _write(self, path: Path, content: bytes) -> None:
        """All of it or nothing, even if the machine stops in the middle."""
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with open(beside, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.replace(beside, path)
            self._changes += 1
        except OSError as error:
            raise Full("wall.disk", reason=error.strerror) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """What a server that was killed left half done."""
        for path in [*self.folder.glob("*.png"), *self.folder.glob(".*")]:
            with suppress(OSError):
                left = path.name.startswith(".") or not path.with_suffix(".json").exists()
                if left and time.time() - path.stat().st_mtime > ORPHAN:
                    path.unlink()


def plain(name: str) -> str:
    """A name as one short line of text: no control or direction characters, no towers of accents."""
    kept, marks = [], 0
    for letter in unicodedata.normalize("NFC", " ".join(name.split())):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind[0] == "M" else 0
        if kind[0] != "C" and marks <= 2:
            kept.append(letter)
    return "".join(kept)[:NAME].strip()


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:32] if text else ""


_walls: dict[Path, Gallery] = {}


def gallery() -> Gallery:
    """The one under ``STUDIO_HOME``."""
    folder = home() / "gallery"
    return _walls.setdefault(folder, Gallery(folder))
