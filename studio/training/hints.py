"""Plain words about a training, computed from its events: what the figures of the last minutes usually mean.

Each hint says what was measured, the threshold it crossed, and what one may try. None of them stops a training.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.base import About, Words
from studio.refused import Phrase, sentence, words

COLLAPSED = 0.3  # of the real pictures' diversity …
FALLEN = 0.5  # … or of the highest that this run had reached
SETTLED = 300  # steps, before which little can be said of diversity
IN_A_ROW = 3  # reports or samples, before anything is said: one of them may be chance
EXPLODED = 50.0  # times the usual norm of a gradient


@dataclass(frozen=True)
class Hint:
    """What it looks like (``collapse``, ``won``, ``exploding``, ``not a number``), in words, and by which figure."""

    name: str
    says: Words
    figure: str  # what was measured and the threshold: "diversity 0.12 < 0.30"


def hints(events: Sequence[dict[str, Any]], about: About) -> list[Hint]:
    """What can be said of a run as it stands, most serious first; nothing about a healthy one."""
    found = [_not_a_number(events), _exploding(events), _collapse(events), _won(events, about)]
    return [hint for hint in found if hint]


def _called(player: str) -> str:
    """A player in both languages, where it has the name of many."""
    return Phrase(f"players.{player}") if sentence(f"players.{player}") else player


def _not_a_number(events: Sequence[dict[str, Any]]) -> Hint | None:
    last = next((e for e in reversed(events) if e["event"] == "Ended"), None)
    if last is None or last["how"] != "failed":
        return None
    if last.get("code") != "training.notANumber" and "no longer a number" not in last["why"]:  # so said older runs
        return None
    return Hint(
        "not a number",
        words(Phrase("hints.notANumber")),
        last["why"].split(" at step")[0],
    )


def _exploding(events: Sequence[dict[str, Any]]) -> Hint | None:
    """A gradient far above what it was: compared with the median of the reports before, of the same player."""
    reports = [e["gradients"] for e in events if e["event"] == "Progress" and e.get("gradients")]
    if len(reports) < 4 * IN_A_ROW:
        return None
    for player in reports[-1]:
        norms = [r[player] for r in reports if player in r]
        usual = statistics.median(norms[:-IN_A_ROW])
        now = min(norms[-IN_A_ROW:])
        if now > EXPLODED * max(usual, 1e-6):
            return Hint(
                "exploding",
                words(Phrase("hints.exploding", player=_called(player), times=now / usual)),
                f"gradient {now:.3g} > {EXPLODED:g} x {usual:.3g}",
            )
    return None


def _collapse(events: Sequence[dict[str, Any]]) -> Hint | None:
    """The made pictures resemble each other: far less diverse than real ones, or than they were in this run."""
    samples = [e for e in events if e["event"] == "Sample" and e.get("diversity") is not None]
    settled = [e["diversity"] for e in samples if e["step"] >= SETTLED]
    if len(settled) < IN_A_ROW:
        return None
    now = statistics.median(settled[-IN_A_ROW:])
    best = min(1.0, max(e["diversity"] for e in samples))
    fallen = best > COLLAPSED and now < FALLEN * best
    if now >= COLLAPSED and not fallen:
        return None
    threshold = COLLAPSED if now < COLLAPSED else FALLEN * best
    return Hint(
        "collapse",
        words(Phrase("hints.collapse", share=now)),
        f"diversity {now:.2f} < {threshold:.2f}",
    )


def _won(events: Sequence[dict[str, Any]], about: About) -> Hint | None:
    """The discriminator's own loss is next to nothing: it hardly errs, and what it teaches has no slope."""
    reports = [e["losses"] for e in events if e["event"] == "Progress"][-IN_A_ROW:]
    for name, term in about.terms.items():
        values = [r[name] for r in reports if name in r]
        if term.won is not None and len(values) == IN_A_ROW and max(values) < term.won:
            return Hint(
                "won",
                words(Phrase("hints.won")),
                f"{name} {max(values):.3f} < {term.won:g}",
            )
    return None
