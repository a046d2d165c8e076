"""A run is a folder, written by the process that trains and read by whoever wants to watch.

    runs/<name>/card.json        gan, config, data, what was held out, how it ended
                events.jsonl     one event a line
                sample-0000100.webp
                resume.pt        the whole state, replaced atomically
                stop             put there by whoever wants it to stop
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from studio import registry, training
from studio.base import BaseGAN
from studio.training import Ended, Event, Progress, Sample, write_atomically


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
        gan.load_state_dict(state["gan"])
        if shown:
            gan.load_state_dict(state["shown"])
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
        card = {"gan": registry.name_of(gan), "config": asdict(gan.config), **facts, "pid": os.getpid()}
        self._write("card.json", card)

        def save(state: dict[str, Any]) -> None:
            write_atomically(self.folder / "resume.pt", lambda path: torch.save(state, path))

        def asked() -> str:
            return "stop" if (self.folder / "stop").exists() else ""

        for event in training.train(gan, data, save=save, asked=asked, **how):
            self._note(event)
            yield event

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
