"""Recipes: how a checkpoint that ships is trained, as a file that can be run, stopped and continued anywhere.

``checkpoints/<gan>/<tag>/recipe.toml`` says on which data (by name and checksum), what is held out, and the stages:
settings and minutes, one after the other, each beginning with the best networks of the one before:

    data = [{ name = "shoes_256.zip", sha256 = "…", inside = "shoes" }]      # or "toy:digits"
    held_out = ["0001.webp", …]
    bar = 230.0                    # of the figure that is watched: above it, the checkpoint needs training most

    [[stage]]
    minutes = 25
    set = { size = 64, batch = 8, … }
    cuda = { batch = 64 }          # what is set otherwise on a GPU

A stage is a run (`studio.training.runs`), named after GAN, tag and stage, so that it can be watched and steered as any
other. While it trains, a few figures of held-out pictures are taken every few minutes, and the best networks are kept,
not the last.
"""

from __future__ import annotations

import hashlib
import math
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from studio import checkpoints, registry
from studio.places import write_atomically
from studio.refused import Phrase, Refused
from studio.training import process as trainer
from studio.training import runs
from studio.training.loop import Ended, Event
from studio.training.runs import Run

FILE = "recipe.toml"
PART = 16_000_000  # bytes of a file at most, where states are brought back from another machine
LEAST = 0.1  # minutes: less is not worth reading the data


@dataclass(frozen=True)
class Source:
    """Data by its file's name: ``sha256`` of the file, ``inside`` = a folder in it. Toys have a name alone."""

    name: str
    sha256: str = ""
    inside: str = ""


@dataclass(frozen=True)
class Stage:
    """So many minutes of one CPU core with these settings; ``cuda``: what is set otherwise on a GPU."""

    minutes: float
    settings: Mapping[str, Any]
    cuda: Mapping[str, Any] = field(default_factory=dict)

    def texts(self, device: str) -> list[str]:
        """The settings as ``field=value``."""
        return _texts({**self.settings, **(self.cuda if device.startswith("cuda") else {})})


def _texts(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()]


@dataclass(frozen=True)
class Recipe:
    """A recipe file, read. ``begin``: the checkpoint that the first stage begins from; ``card``: facts for the card."""

    gan: str
    tag: str
    data: tuple[Source, ...]
    stages: tuple[Stage, ...]
    held_out: tuple[str, ...] = ()
    hold_out: int = 0  # how many, where names would say nothing (toys)
    bar: float = math.inf
    begin: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.gan}-{self.tag}"

    @property
    def minutes(self) -> float:
        """Of all stages."""
        return sum(stage.minutes for stage in self.stages)


# ---- reading --------------------------------------------------------------------------------------------------------


def recipe(gan: str, tag: str) -> Recipe:
    """The recipe of a checkpoint.

    Raises:
        ValueError: it has none, or the file says what can't be; names it.
    """
    registry.gan(gan)
    path = next((p / gan / checkpoints.checked_tag(tag) / FILE for p in checkpoints.places()
                 if (p / gan / tag / FILE).is_file()), None)  # fmt: skip
    if path is None:
        there = [f"{r.gan} {r.tag}" for r in recipes()]
        raise Refused("recipe.none", gan=gan, tag=tag, there=there)
    return read(path)


def recipes() -> list[Recipe]:
    """All that are there, by GAN and tag."""
    found = {}
    for place in reversed(checkpoints.places()):
        for path in sorted(place.glob(f"*/*/{FILE}")):
            found[path.parent.parent.name, path.parent.name] = path
    return [read(path) for _, path in sorted(found.items())]


def read(path: Path) -> Recipe:
    """A recipe file.

    Raises:
        ValueError: it can't be read, lacks something, or sets what the GAN does not know; says which file and what.
    """
    gan, tag = path.parent.parent.name, path.parent.name
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        data = [Source(name=each) if isinstance(each, str) else Source(**each) for each in told.pop("data")]
        stages = [
            Stage(float(each.pop("minutes")), each.pop("set", {}), each.pop("cuda", {}), **each)
            for each in told.pop("stage")
        ]
        found = Recipe(gan, tag, tuple(data), tuple(stages), tuple(told.pop("held_out", ())), **told)
        if not data or not stages:
            raise Refused("recipe.empty")
        config = {}
        for stage in stages:  # settings stay as they are until another stage sets them
            for device in ("cpu", "cuda"):
                config = config | runs.read_settings(registry.gan(gan), stage.texts(device))
                registry.gan(gan).configured(config)
    except (OSError, KeyError, TypeError, ValueError) as error:
        why = Phrase("recipe.lacks", name=str(error)) if isinstance(error, KeyError) else error
        raise Refused("recipe.unusable", gan=gan, tag=tag, why=why) from error
    return found


def config(recipe: Recipe, k: int, device: str = "cpu") -> Any:
    """The Config of a stage, counted from 0."""
    kind = registry.gan(recipe.gan)
    begun = kind.upgraded(dict(checkpoints.card(recipe.gan, recipe.begin)["config"])) if recipe.begin else {}
    texts = [text for stage in recipe.stages[: k + 1] for text in stage.texts(device)]  # a later one overrules
    return runs.changed(kind, begun, texts)


def sources(recipe: Recipe, folder: str | Path | None) -> str:
    """Where a recipe's data lies, as `studio.data` takes it.

    Args:
        folder: where the files are; None = the recipe needs none, it draws its pictures.

    Raises:
        ValueError: a file is missing, or is another one (its checksum differs); names it.
    """
    found = []
    for each in recipe.data:
        if ":" in each.name:
            found.append(each.name)
            continue
        path = Path(folder or "") / each.name
        if folder is None or not path.is_file():
            where = Phrase("recipe.inFolder", folder=folder) if folder else Phrase("recipe.here")
            raise Refused("recipe.needs", file=each.name, where=where)
        if each.sha256 and _checksum(path) != each.sha256:
            raise Refused("recipe.otherFile", path=path, file=each.name)
        found.append(str(path / each.inside) if each.inside else str(path))
    return "+".join(found)


_sums: dict[tuple[str, int, int], str] = {}


def _checksum(path: Path) -> str:
    stat = path.stat()
    key = (str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    if key not in _sums:
        with open(path, "rb") as file:
            _sums[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _sums[key]


# ---- running --------------------------------------------------------------------------------------------------------


def stands(recipe: Recipe, place: Path | None = None) -> tuple[int, Run | None]:
    """(stage, its run): where a recipe stands on this machine. No run = it has not begun here: then the stage is the
    one that its checkpoint ended in, or the first."""
    place = place or runs.folder_of_runs()
    for k in reversed(range(len(recipe.stages))):
        run = Run(place / f"{recipe.name}-{k + 1}")
        if (run.folder / "card.json").exists():
            return k, run
    return min(max(0, _kept(recipe) - 1), len(recipe.stages) - 1), None


def _kept(recipe: Recipe) -> int:
    """The stage that its checkpoint ended in, counted from 1; 0 = there is none, or it was trained otherwise."""
    if recipe.tag not in checkpoints.tags(recipe.gan):
        return 0
    return checkpoints.card(recipe.gan, recipe.tag).get("origin", {}).get("recipe", {}).get("stage", 0)


def follow(
    recipe: Recipe,
    folder: str | Path | None,
    minutes: float | None = None,
    device: str = "cpu",
    place: Path | None = None,
    workers: int | None = None,
    queue: bool = False,
) -> Iterator[tuple[Run, Event]]:
    """Runs a recipe from wherever it stands, stage after stage; yields the events of each stage's run.

    Args:
        folder: where its data lies.
        minutes: stop after so many, wherever that is; a recipe that is through goes on with its last stage. None = to
            the end of the last stage.
        place: the folder that its runs are in; None = ``STUDIO_HOME/runs``.

    Raises:
        ValueError: data that is missing or another one's, held-out names that it lacks, or what `runs.create` says.
    """
    source, until = sources(recipe, folder), None if minutes is None else time.monotonic() + 60 * minutes
    while True:
        left = math.inf if until is None else (until - time.monotonic()) / 60
        k, run = stands(recipe, place)
        done = run.done()["minutes"] if run else 0.0
        rest = recipe.stages[k].minutes - done
        if run is not None and rest < LEAST:
            if k + 1 < len(recipe.stages):
                k, run, rest = k + 1, None, recipe.stages[k + 1].minutes
            elif until is not None:
                rest = left
        if min(rest, left) < LEAST:
            return
        if run is None:
            run = _begun(recipe, k, source, device, place)
        _join(run.folder)
        _, events = trainer.resume(
            str(run.folder), source, minutes=min(rest, left), device=device, workers=workers, queue=queue
        )
        for event in events:
            yield run, event
        if not isinstance(event, Ended) or event.how != "finished":
            return


def _begun(recipe: Recipe, k: int, source: str, device: str, place: Path | None) -> Run:
    """A stage's new run. It begins from the stage before; where that was trained elsewhere, from the checkpoint; and
    the first one from the checkpoint that the recipe begins with, or from nothing."""
    place = place or runs.folder_of_runs()
    before = Run(place / f"{recipe.name}-{k}")
    begun = k > 0 and (before.folder / "card.json").exists()
    return runs.create(
        recipe.gan,
        source,
        name=str(place / f"{recipe.name}-{k + 1}"),
        settings=_texts(asdict(config(recipe, k, device))),
        origin=None if begun else recipe.tag if _kept(recipe) else recipe.begin or None,
        before=before if begun else None,
        held=recipe.held_out,
        held_out=recipe.hold_out,
        minutes=recipe.stages[k].minutes,
        device=device,
        title=f"{recipe.tag} · {k + 1}/{len(recipe.stages)}",
        recipe={"tag": recipe.tag, "stage": k + 1},
    )


def need(recipe: Recipe, place: Path | None = None) -> float:
    """How much a recipe needs training: its held-out figure as a multiple of its bar; infinite before the first."""
    _, run = stands(recipe, place)
    seen = [e["figures"] for e in run.events() if e["event"] == "Measured"] if run else []
    values = [next(iter(figures.values())) for figures in seen]
    return min(values) / recipe.bar if values and recipe.bar > 0 else math.inf


def facts(run: Run) -> dict[str, Any]:
    """What the card of a checkpoint should say that is made of a recipe's run; nothing for other runs."""
    tag = run.card.get("recipe", {}).get("tag")
    return dict(recipe(run.card["gan"], tag).card) if tag else {}


def follow_all(
    folder: str | Path, minutes: float, device: str = "cpu", place: Path | None = None, **how: Any
) -> Iterator[tuple[Run, Event]]:
    """All recipes by turns, whoever needs it most first, each for an even share of the minutes."""
    waiting, until = sorted(recipes(), key=lambda each: -need(each, place)), time.monotonic() + 60 * minutes
    while waiting:
        left = (until - time.monotonic()) / 60
        if left < LEAST:
            return
        yield from follow(waiting.pop(0), folder, left / (len(waiting) + 1), device, place, **how)


# ---- states that travel ---------------------------------------------------------------------------------------------


def split(folder: Path) -> None:
    """Cuts a run's states into files of 16 MB at most, which can be brought back from another machine."""
    for path in [*folder.glob("*.pt")]:
        content = path.read_bytes()
        if len(content) > PART:
            for number, at in enumerate(range(0, len(content), PART)):
                path.with_name(f"{path.name}.{number:03d}").write_bytes(content[at : at + PART])
            path.unlink()


def _join(folder: Path) -> None:
    """The other way, before a run goes on."""
    for first in [*folder.glob("*.pt.000")]:
        parts: Sequence[Path] = sorted(folder.glob(f"{first.stem}.[0-9][0-9][0-9]"))
        write_atomically(
            first.with_suffix(""), lambda path, parts=parts: path.write_bytes(b"".join(p.read_bytes() for p in parts))
        )
        for part in parts:
            part.unlink()
