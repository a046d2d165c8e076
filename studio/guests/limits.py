"""What visitors of a public server may train: one setting, ``STUDIO_TRAIN``.

Not set: everything; on a Space of Hugging Face, `SPACE`. ``off``: nothing.
``minutes=5 steps=2000 pictures=5000 megabytes=50 queue=3 runs=20``: that much at most, and no folders of the server's
disk; what is not named is not limited.

It is for strangers. In a classroom (`studio.guests.visitors`) the teacher may train whatever it says: whoever answers a
request or runs a page says first whose it is, with `granted` or `grant`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields

from studio.guests.visitors import classroom
from studio.refused import Phrase, Refused


@dataclass(frozen=True)
class Limits:
    """At most so many; None = no limit. ``queue`` counts the runs that wait or train, ``runs`` those that are kept, and
    uploads and models made of them likewise: the oldest give way, so that strangers can't fill the disk."""

    off: bool = False
    minutes: float | None = None
    steps: int | None = None
    pictures: int | None = None
    megabytes: int | None = None
    queue: int | None = None
    runs: int | None = None
    folders: bool = True  # of this machine's disk may be opened, if nothing else is limited

    @property
    def public(self) -> bool:
        """Whether strangers may be here: then no folder of this machine is offered or opened."""
        return self != Limits()

    def check(self, **wanted: float | None) -> None:
        """
        Raises:
            ValueError: training is off, or more is wanted of something than is allowed; names the limit.
        """
        if self.off:
            raise Refused("training.off")
        for name, value in wanted.items():
            most = getattr(self, name)
            if most is not None and value is not None and value > most:
                raise Refused(
                    "training.limit",
                    value=value,
                    name=Phrase(f"training.of{name.capitalize()}"),
                    most=most,
                    help=HELP[name],
                )

    def check_length(self, minutes: float | None, steps: int | None) -> None:
        """
        Raises:
            ValueError: no length, one that is longer than allowed, or one in a measure that is not limited.
        """
        if minutes is None and steps is None:
            raise Refused("training.long")
        if (minutes is not None and not 0 < minutes < 1e6) or (steps is not None and not 0 < steps < 1e12):
            raise Refused("training.positive")
        self.check(minutes=minutes, steps=steps)
        if self.minutes is not None and minutes is None and self.steps is None:
            raise Refused("training.minutes", most=self.minutes)
        if self.steps is not None and steps is None and self.minutes is None:
            raise Refused("training.steps", most=self.steps)


HELP = {
    "minutes": Phrase("training.shorter"),
    "steps": Phrase("training.fewer"),
    "pictures": Phrase("training.pictures"),
    "megabytes": Phrase("training.smaller"),
    "queue": Phrase("training.queue"),
    "runs": Phrase("training.deleteOne"),
}


SPACE = "minutes=10 pictures=5000 megabytes=50 queue=2 runs=20"  # where strangers are and nobody has said otherwise

_standing: ContextVar[str] = ContextVar("standing", default="")


def grant(standing: str) -> None:
    """From now on, in this thread: `limits` are those of a visitor of this standing (`visitors.standing`)."""
    _standing.set(standing)


@contextmanager
def granted(standing: str) -> Iterator[None]:
    """The same, within a ``with``; threads that are started with this context have it, too."""
    token = _standing.set(standing)
    try:
        yield
    finally:
        _standing.reset(token)


def trusted() -> bool:
    """Whether the teacher asks."""
    return bool(_standing.get())


def limits() -> Limits:
    """The server's limits, for whoever asks.

    Raises:
        ValueError: the setting can't be read; nothing is trained before it is mended.
    """
    if _standing.get():
        return Limits(folders=_standing.get() == "here")
    text = os.environ.get("STUDIO_TRAIN", "").strip() or (SPACE if os.environ.get("SPACE_ID") else "")
    if text in ("", "on"):
        return Limits(folders=not classroom())
    if text == "off":
        return Limits(off=True)
    known = {f.name for f in fields(Limits)} - {"off", "folders"}
    values: dict[str, float] = {}
    for part in text.replace(",", " ").split():
        name, _, value = part.partition("=")
        try:
            values[name] = float(value) if name == "minutes" else int(value)
        except ValueError:
            values[name] = -1
        if name not in known or values[name] < 0:
            raise Refused("server.trainSetting", text=text, part=part, known=[f"{each}=N" for each in sorted(known)])
    return Limits(**values)
