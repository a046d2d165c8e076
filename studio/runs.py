"""A run is a folder, written by the process that trains and read by whoever wants to watch.

runs/<name>/card.json        gan, config, data, what was held out, the command
            events.jsonl     one event a line
            sample-0000100.webp
            resume.pt        the whole state, replaced atomically
            stop             put there by whoever wants it to stop
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from studio import checkpoints, images, registry, training
from studio.base import BaseGAN, checked
from studio.data import hold_out
from studio.images import Picture
from studio.training import Ended, Event, Progress, Sample, write_atomically
from studio.verbs import Argument


class Run:
    """A training's folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def card(self) -> dict[str, Any]:
        """gan, config, data, held_out, started …

        Raises:
            ValueError: no run there.
        """
        try:
            return json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"There is no run in {self.folder}.") from error

    def events(self) -> Iterator[dict[str, Any]]:
        """All events so far, oldest first; a half-written last line is left out."""
        path = self.folder / "events.jsonl"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    def stop(self) -> None:
        """Asks the trainer to save and end; it does so after the step it is in."""
        (self.folder / "stop").touch()

    def state(self) -> dict[str, Any]:
        """The last whole state (tensors and numbers only: nothing in the file is executed)."""
        try:
            return torch.load(self.folder / "resume.pt", map_location="cpu", weights_only=True)
        except FileNotFoundError as error:
            raise ValueError(f"The run {self.name} has no saved state yet.") from error

    def gan(self, shown: bool = True) -> BaseGAN:
        """The network as it stands: the averaged one that is shown, or the trained one."""
        state = self.state()
        kind = registry.gan(self.card["gan"])
        gan = kind(kind.Config(**state["config"]))
        averaged = {k: v for k, v in state["shown"].items() if shown and k.split(".")[0] in gan.demo}
        gan.load_state_dict(state["gan"] | averaged)  # the other player is never averaged: the trained one judges
        gan.extras = self.card.get("facts", {})
        return gan.eval()

    @property
    def samples(self) -> list[Path]:
        return sorted(self.folder.glob("sample-*.webp"))

    def train(self, gan: BaseGAN, data: Any, facts: dict[str, Any], **how: Any) -> Iterator[Event]:
        """Trains in this process and writes the folder; yields the events as they come.

        Args:
            facts: what the card says besides gan and config (data, held_out …).
            how: for `training.train`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "stop").unlink(missing_ok=True)
        card = {"gan": registry.name_of(gan), "config": asdict(gan.config), **facts}
        card |= {"device": _device(how.get("device", "cpu")), "pid": os.getpid()}
        self._write("card.json", card)

        def save(state: dict[str, Any]) -> None:
            write_atomically(self.folder / "resume.pt", lambda path: torch.save(state, path))

        def asked() -> str:
            return "stop" if (self.folder / "stop").exists() else ""

        for event in training.train(gan, data, save=save, asked=asked, **how):
            self._note(event)
            yield event

    def keep(self, tag: str, facts: dict[str, Any], where: Path | None = None, examples: Sequence[Path] = ()) -> Path:
        """Makes a checkpoint of the run as it stands, or a better one of a tag that is there.

        Args:
            facts: what the card says besides what the run knows; what it said before stays, but for measured figures.
            where, and the errors: see `checkpoints.save`.
            examples: pictures to try it on, that go into its folder; the preview is made of them. None = those that
                are there already; without any the preview is the last contact sheet.
        """
        card, state, gan = self.card, self.state(), self.gan()
        minutes = sum(e["seconds"] for e in _last_progress(self.events())) / 60
        origin = {
            "kind": "trained",
            "command": card["command"],
            "data": _data_name(card["data"]),
            "before": card.get("before", []),
            "steps": state["step"],
            "pictures": state["step"] * gan.config.batch,
            "minutes": round(minutes),
            "device": card["device"],
        }
        before: dict[str, Any] = {}
        folder = (where or checkpoints.home() / "checkpoints") / card["gan"] / checkpoints.checked_tag(tag)
        if (folder / "card.json").exists():
            before = checkpoints.card(card["gan"], tag)
            before = {
                k: before[k]
                for k in ("title", "default", "licence", "limits", "arms", "examples", "extras")
                if k in before
            }
        beside = [Path(each) for each in examples] or [folder / name for name in before.get("examples", [])]
        facts = (
            {"title": {"en": tag, "ko": tag}}
            | before
            | {"origin": origin, "held_out": card.get("held_out", []), "figures": {}}
            | facts
        )
        if beside:
            facts["examples"] = [path.name for path in beside]
            with torch.no_grad():
                rows = gan.show([images.open_picture(path) for path in beside])
            columns = [images.to_pictures(row) for row in rows]  # one an example, four beside each other
            bands = [zip(*columns[at : at + 4], strict=True) for at in range(0, len(columns), 4)]
            preview = images.sheet([row for band in bands for row in band])
        else:
            preview = images.open_picture(self.samples[-1]) if self.samples else None
        if "arms" in before:
            beside.append(folder / before["arms"]["file"])
        return checkpoints.save(gan, tag, facts, preview, where=where, beside=beside)

    def _write(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        write_atomically(self.folder / name, lambda path: path.write_text(text, encoding="utf-8"))

    def _note(self, event: Event) -> None:
        line: dict[str, Any] = {"event": type(event).__name__, "time": round(time.time(), 1)}
        if isinstance(event, Sample):
            name = f"sample-{event.step:07d}.webp"
            event.picture.save(self.folder / name, quality=88)
            line |= {"step": event.step, "file": name}
        elif isinstance(event, (Progress, Ended)):
            line |= asdict(event)
        with open(self.folder / "events.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")


def _data_name(source: str) -> str:
    """What a card says of where data lay: the name of the folder or zip, and the folder in it, but no path."""
    parts = Path(source).parts
    zips = [k for k, part in enumerate(parts) if part.lower().endswith(".zip")]
    return "/".join(parts[zips[0] if zips else -1 :])


def _last_progress(events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The last Progress of each session of a run: `seconds` counts from the session's start."""
    last = None
    for event in events:
        if event["event"] == "Progress":
            if last is not None and event["seconds"] < last["seconds"]:
                yield last
            last = event
    if last is not None:
        yield last


def start(
    gan: str,
    source: str,
    name: str | None = None,
    settings: Sequence[str] = (),
    origin: str | None = None,
    held_out: int = 0,
    *,
    seed: int = 0,
    **how: Any,
) -> tuple[Run, Iterator[Event]]:
    """Begins a run of ``gan`` on ``source`` in this process.

    Args:
        name: the run's name (under ``STUDIO_HOME/runs``) or folder; None = gan and time.
        settings: ``field=value`` of the Config.
        origin: a checkpoint's tag to begin from; its held-out pictures stay held out. A network that the settings
            give another shape begins anew.
        held_out: how many pictures to set aside, if the origin has not done so.
        how: for `training.train`.
    """
    kind = registry.gan(gan)
    card = checkpoints.card(gan, origin) if origin else {}
    config = changed(kind, card.get("config", {}), settings)
    data = kind.Data(source, config)
    config = data.settled(config)
    held = card.get("held_out") or (hold_out(data, held_out, seed) if held_out else [])
    torch.manual_seed(seed)
    made = kind(config)
    if origin:
        _take_over(made, checkpoints.load(gan, origin))
    run = Run(
        name
        if name and len(Path(name).parts) > 1
        else checkpoints.home() / "runs" / (name or time.strftime(f"{gan}-%Y%m%d-%H%M%S"))
    )
    if (run.folder / "card.json").exists():
        raise ValueError(
            f"There is a run in {run.folder} already. Go on with --resume {run.folder}, or choose another name."
        )
    begin = f"--from {origin}" if origin else f"--hold-out {held_out}"
    command = f"python -m studio train {gan} --data {_data_name(source)} {begin} --set {' '.join(settings)}"
    earlier = card.get("origin", {})
    before = [*earlier.get("before", []), {k: v for k, v in earlier.items() if k != "before"}] if earlier else []
    facts = {"data": str(source), "held_out": held, "facts": data.facts(), "before": before, "command": command}
    return run, _go(run, made, data, held, facts, seed=seed, **how)


def _take_over(gan: BaseGAN, origin: BaseGAN) -> None:
    """Gives ``gan`` the networks of ``origin`` that have the same shapes."""
    for child, network in origin.named_children():
        if network is not None:
            theirs, ours = network.state_dict(), gan.get_submodule(child).state_dict()
            if {k: v.shape for k, v in theirs.items()} == {k: v.shape for k, v in ours.items()}:
                gan.get_submodule(child).load_state_dict(theirs)


def resume(
    folder: str, source: str | None = None, overrides: Sequence[str] = (), **how: Any
) -> tuple[Run, Iterator[Event]]:
    """Goes on exactly where a run stopped. ``source``: where its data lies now, if it was moved."""
    run = Run(folder if Path(folder).exists() else checkpoints.home() / "runs" / folder)
    card, state = run.card, run.state()
    kind = registry.gan(card["gan"])
    config = changed(kind, state["config"], overrides)
    data = kind.Data(source or card["data"], config)
    made = kind(config)
    kept = {k: card.get(k) for k in ("data", "held_out", "facts", "before", "command")}
    return run, _go(run, made, data, card.get("held_out") or [], kept, resume=state, **how)


@torch.no_grad()
def compare(folders: Sequence[str], pictures: Sequence[Path] = (), source: str | None = None, n: int = 8) -> Picture:
    """Several runs of one GAN on the same pictures: a row a picture.

    The columns that are alike in all runs (the sketch, the photo) come first, then each run's own.

    Args:
        pictures: files to show; none = examples that the first run held out.
        source: where the data lies now, if not where the first run's card says.
        n: rows, at most.
    """
    gans = [Run(folder).gan() for folder in folders]
    if pictures:
        opened = [images.open_picture(path) for path in pictures[:n]]
        return _side_by_side([gan.show(opened) for gan in gans])
    card = Run(folders[0]).card
    data = gans[0].Data(source or card["data"], gans[0].config)
    some = [data.names.index(name) for name in card["held_out"] or data.names]
    some = some[:: max(1, len(some) // n)][:n]
    batch = data.batch(some, [np.random.default_rng(k) for k in range(len(some))])
    return _side_by_side([gan.preview(batch) for gan in gans])


def _side_by_side(shown: Sequence[torch.Tensor]) -> Picture:
    """Each (n, columns, 3, H, W) -> one sheet, with the columns that all share once, at the left."""
    columns = range(shown[0].shape[1])
    alike = [c for c in columns if all(torch.equal(each[:, c], shown[0][:, c]) for each in shown)]
    own = [each[:, c] for each in shown for c in columns if c not in alike]
    table = torch.stack([*(shown[0][:, c] for c in alike), *own], dim=1)
    return images.sheet([images.to_pictures(row) for row in table])


def changed(kind: type[BaseGAN], base: dict[str, Any], settings: Sequence[str]) -> Any:
    """The Config of ``base`` with ``field=value`` texts applied.

    Raises:
        ValueError: an unknown field or a value that it can't have.
    """
    known = {f.name: type(f.default) for f in fields(kind.Config)}
    values = dict(base)
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known:
            raise ValueError(f"There is no field {name!r}. There are: {', '.join(known)}.")
        values[name] = Argument(name, known[name], False, None, "").read(text)
    return checked(kind.Config(**values))


def _go(run: Run, gan: BaseGAN, data: Any, held: Sequence[str], facts: dict[str, Any], **how: Any) -> Iterator[Event]:
    """Splits the data, chooses the examples of the contact sheets (held out, if any are) and trains."""
    some = [data.names.index(name) for name in (held or data.names)]
    some = some[:: max(1, len(some) // 10)][:10]
    examples = data.batch(some, [np.random.default_rng(k) for k in range(len(some))])
    aside = set(held)
    gan.extras = facts["facts"] or {}
    data.keep([name for name in data.names if name not in aside])
    return run.train(gan, data, facts, examples=examples, **how)


def _device(name: str) -> str:
    """The device in words, for the card."""
    if name.startswith("cuda"):
        return torch.cuda.get_device_name(name)
    return f"{name}, {torch.get_num_threads()} threads" if name == "cpu" else name
