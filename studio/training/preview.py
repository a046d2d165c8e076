"""What a training would see of some data, before it starts: what it was understood to be, and some of its examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studio import images, registry
from studio.guests.limits import limits
from studio.images import Picture
from studio.refused import Refused, words
from studio.training import runs

LOOKED_AT = 500  # pictures that are opened, at most about twice as many: a look, not an inspection
ACROSS, DOWN = 8, 3  # examples on the contact sheet


@dataclass(frozen=True)
class Preview:
    """kind, count, how many were opened, sizes -> how many of those, name -> why it is skipped; a contact sheet of
    examples as the net will see them; why something is skipped -> how many; classes, styles or domains -> how many;
    what else the files could be taken for; what was done to some pictures -> how many."""

    kind: str
    count: int
    looked: int
    sizes: dict[str, int]
    skipped: dict[str, str]
    sheet: Picture
    reasons: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The same as JSON, with what is said in both languages."""
        return {
            "kind": self.kind,
            "count": self.count,
            "looked": self.looked,
            "sizes": self.sizes,
            "parts": self.parts,
            "readings": list(self.readings),
            "notes": [{"count": n, "says": words(why)} for why, n in self.notes.items()],
            "reasons": [{"count": n, "says": words(why)} for why, n in self.reasons.items()],
            "skipped": {name: words(why) for name, why in self.skipped.items()},
        }


def preview(gan: str, source: str, config: Any, most: int = LOOKED_AT) -> Preview:
    """Opens the data as a training of ``gan`` with this Config would.

    Raises:
        ValueError: nothing that can be used; says what was expected. On a public server: a folder of its own.
    """
    kind = registry.gan(gan)
    if limits().public and not runs.offered(source):
        raise Refused("training.noFolders")
    config, data = runs.data_for(kind, source, config)
    limits().check(pictures=None if data.own else len(data))
    found = {"kind": data.kind, "count": len(data), "looked": 0, "sizes": {}, "skipped": {}}
    if not data.toy:
        found = data.checked(most)
    places = np.linspace(0, len(data) - 1, min(ACROSS * DOWN, len(data))).astype(int).tolist()
    rows = data.rows(data.batch(places, [np.random.default_rng(k) for k in places]))
    if rows.shape[1] > 1:  # pairs and their like: the parts of an example below each other
        rows = rows[:: max(1, len(rows) // ACROSS)][:ACROSS].transpose(0, 1)
    else:
        rows = [rows[at : at + ACROSS, 0] for at in range(0, len(rows), ACROSS)]
    return Preview(**found, sheet=images.sheet([images.to_pictures(row) for row in rows]))


def thumbnail(gan: str, source: str) -> Picture:
    """A few pictures of a set that the studio has itself (``toy:shoes``), as small as they are."""
    kind = registry.gan(gan)
    sheet = preview(gan, source, kind.Data.unlabelled(kind.CLASSROOM)).sheet
    cell = (sheet.width + 2) // ACROSS
    side = min(DOWN * cell, sheet.height + 2) - 2
    return sheet.crop((0, 0, side, side))
