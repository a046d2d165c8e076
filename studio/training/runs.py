"""A run is a folder, written by the process that trains and read by whoever wants to watch.

runs/<name>/card.json        gan, config, data, what was held out, how long, the command
            events.jsonl     one event a line
            sample-0000100.webp, single-0000101.webp
            resume.pt        the whole state, replaced atomically
            before.pt        the one before it, should that be cut off
            wish.json        what whoever watches wishes: pause, stop, dials, single steps
            trainer.log      what the process said
            ended.json       its exit status, if somebody was there to see it

Nothing of a training lives in the process that watches: reload the page, restart the server, and it is found again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import filelock
import psutil
import torch

from studio import checkpoints, features, images, registry
from studio.base import BaseGAN
from studio.data.files import is_name, read_as, several
from studio.guests import owners
from studio.guests.limits import limits
from studio.places import ROOT, home, write_atomically
from studio.refused import Missing, Phrase, Refused
from studio.training import devices
from studio.training.loop import Wish
from studio.verbs import Argument

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
BEFORE = "before.pt"  # the state before the last
OVER = ("finished", "stopped", "failed")
STARTING = 90  # seconds that a new process may take until it says something
LITTLE = 2 << 20  # bytes: a disk with less is called full


@dataclass(frozen=True)
class Status:
    """How a run is: ``starting``, ``queued``, ``training``, ``paused``, ``finished``, ``stopped`` or ``failed``.

    alive: whether a process is there for it (a paused one may have gone: it is started again when needed).
    ahead: how many runs will use the device before a queued one.
    """

    how: str
    step: int
    why: str
    alive: bool
    ahead: int = 0


class Run:
    """A training's folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.went_back = False  # whether the last state could not be read, and the one before was

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def card(self) -> dict[str, Any]:
        """gan, config, data, held_out, goal …

        Raises:
            ValueError: no run there.
        """
        try:
            return json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Missing("training.noRunIn", folder=self.folder) from error

    # ---- watching ---------------------------------------------------------------------------------------------------

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """All events from number ``after`` on, oldest first; a half-written line is left out."""
        yield from _read_on(self.folder / "events.jsonl")[after:]

    @property
    def samples(self) -> list[Path]:
        return sorted(self.folder.glob("sample-*.webp"))

    @property
    def alive(self) -> bool:
        """Whether the process that wrote its number into ``pid.json`` is still that process."""
        try:
            noted = json.loads((self.folder / "pid.json").read_text(encoding="utf-8"))
            process = psutil.Process(noted["pid"])
            return abs(process.create_time() - noted["since"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, KeyError, psutil.Error):
            return False

    def status(self) -> Status:
        """How it is now, from what it wrote and whether it lives."""
        last, step = None, 0
        for event in self.events():
            step = event.get("step", step)
            if event["event"] in ("Launched", "Queued", "Phase", "Ended"):
                last = event
        if last is None:
            return Status("starting" if self.alive else "stopped", step, "", self.alive)
        alive = self.alive
        if last["event"] == "Ended":
            why = Phrase.kept(last["says"]) if "says" in last else last.get("why", "")  # an older one is English
            return Status(last["how"], step, why, alive)
        if last["event"] == "Launched" and not alive and time.time() - last["time"] < STARTING and not self._exit():
            return Status("starting", step, "", False)
        if not alive:
            paused = last["event"] == "Phase" and last["how"] == "paused"
            return Status("paused" if paused else "failed", step, "" if paused else self._post_mortem(step), False)
        if last["event"] == "Queued":
            return Status("queued", step, "", True, len(ahead(self)))
        return Status("starting" if last["event"] == "Launched" else last["how"], step, "", True)

    def _exit(self) -> dict[str, Any] | None:
        with suppress(OSError, ValueError):
            return json.loads((self.folder / "ended.json").read_text(encoding="utf-8"))
        return None

    def _post_mortem(self, step: int) -> str:
        """Why a process that said no last word is gone, as far as can be told."""
        again = Phrase("training.goOnFrom", step=step) if step else Phrase("training.goOn")
        if shutil.disk_usage(self.folder).free < LITTLE:
            return Phrase("training.diskNow", again=again)
        seen = self._exit() or {}
        if seen.get("code", 0) in (-9, 137):
            return Phrase("training.killed", again=again)
        with suppress(OSError):
            lines = (self.folder / "trainer.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if seen and lines:
                return Phrase("training.endedWith", line=lines[-1][:300], again=again)
        return Phrase("training.gone", again=again)

    # ---- wishes -----------------------------------------------------------------------------------------------------

    def wish(self) -> Wish:
        """What was last wished."""
        try:
            read = json.loads((self.folder / "wish.json").read_text(encoding="utf-8"))
            return Wish(**{k: tuple(v) if isinstance(v, list) else v for k, v in read.items()})
        except (OSError, ValueError, TypeError):
            return Wish()

    def ask(self, **changes: Any) -> Wish:
        """Changes what is wished (`studio.training.Wish`), for the trainer to see before its next step.

        Raises:
            ValueError: a value that can't be.
        """
        terms = registry.gan(self.card["gan"]).about.terms
        players = list(registry.gan(self.card["gan"]).about.objective)
        for name, value in changes.items():
            if name == "go" and value not in ("on", "pause", "stop", "yield"):
                raise Refused("training.go", value=value)
            if name == "off" and not set(value) <= {k for k, term in terms.items() if term.weight}:
                raise Refused("training.switched", value=value)
            if name == "still" and not set(value) <= set(players):
                raise Refused("training.still", value=value, players=players)
            if name == "single" and value not in (*players, "both", ""):
                raise Refused("training.single", value=value, players=players)
            if name == "lr" and not (isinstance(value, (int, float)) and 0 <= value <= 100):
                raise Refused("training.rate", value=value)
        with self._writing():
            wish = replace(self.wish(), **changes)
            self._write("wish.json", asdict(wish))
        return wish

    def pause(self) -> None:
        """Asks the trainer to save and hold; it keeps the device for a while, ready for single steps."""
        self.ask(go="pause")

    def stop(self) -> None:
        """Asks the trainer to save and end; it does so after the step it is in."""
        self.ask(go="stop")

    def resume(self, minutes: float | None = None, steps: int | None = None, device: str | None = None) -> None:
        """Goes on exactly where it stopped, in its own process; a trainer that holds goes on, and none is started.

        Args:
            minutes, steps: a new goal: so many more. None = what is left of the old one.
            device: another one than before.
        """
        allowed = limits()
        allowed.check(queue=busy() + (not self.alive))
        if minutes is not None or steps is not None:
            allowed.check_length(minutes, steps)
        card = self.card
        if minutes is not None or steps is not None or device is not None:
            with self._writing():
                if minutes is not None or steps is not None:
                    done = self.done()
                    card["goal"] = {
                        "minutes": None if minutes is None else done["minutes"] + minutes,
                        "steps": None if steps is None else done["steps"] + steps,
                    }
                card["device"] = devices.device(device).name if device else card.get("device", "cpu")
                self._write("card.json", card)
        self.ask(go="on", single="")
        if not self.alive:
            self._launch()

    def step(self, player: str) -> None:
        """A single step of a player (or ``both``); the run is paused for it, and stays so."""
        limits().check()
        self.ask(go="pause", single=player)
        if not self.alive:
            self._launch()

    def done(self) -> dict[str, float]:
        """Steps and minutes so far, of the last saved state or the last word."""
        step, seconds = 0, 0.0
        for event in self.events():
            step, seconds = event.get("step", step), event.get("seconds") or seconds
        return {"steps": step, "minutes": seconds / 60}

    def rename(self, title: str) -> None:
        """What people call it.

        Raises:
            ValueError: nothing, or more than a line.
        """
        title = " ".join(title.split())
        if not 0 < len(title) <= 80:
            raise Refused("training.title")
        with self._writing():
            self._write("card.json", self.card | {"title": title})

    def delete(self) -> None:
        """Deletes the folder.

        Raises:
            ValueError: it is being trained.
        """
        if self.alive:
            raise Refused("training.busy", run=self.name)
        self.card  # noqa: B018 only a run's folder is ever deleted
        shutil.rmtree(self.folder)

    @classmethod
    def start(cls, gan: str, source: str, **how: Any) -> Run:
        """Begins a run in a process of its own and returns at once. Arguments and errors: see `create`."""
        run = create(gan, source, **how)
        run._launch()
        return run

    def _launch(self) -> None:
        """Starts the trainer, unless another viewer has just done so."""
        with self._writing():
            if not self.alive:
                self._start()

    def _start(self) -> None:
        """The trainer: a process of its own session, that outlives this one."""
        (self.folder / "ended.json").unlink(missing_ok=True)
        self.note({"event": "Launched"})
        root = ROOT
        path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
        with open(self.folder / "trainer.log", "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "studio", "train", "--resume", str(self.folder.resolve()), "--polite"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": path},
            )
        since = psutil.Process(process.pid).create_time()
        self._write("pid.json", {"pid": process.pid, "since": since})

        def see_off() -> None:
            code = process.wait()
            with suppress(OSError):
                self._write("ended.json", {"code": code, "time": round(time.time(), 1)})

        threading.Thread(target=see_off, name=f"trainer {self.name}", daemon=True).start()

    # ---- what was trained -------------------------------------------------------------------------------------------

    @property
    def has_state(self) -> bool:
        return any((self.folder / name).exists() for name in ("resume.pt", BEFORE))

    def state(self) -> dict[str, Any]:
        """The last whole state (tensors and numbers only: nothing in the file is executed)."""
        self.went_back = False
        paths = [path for path in (self.folder / "resume.pt", self.folder / BEFORE) if path.exists()]
        if not paths:
            raise Refused("training.noState", run=self.name)
        for path in paths:
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
            except MemoryError:
                raise
            except Exception:  # cut off, or a disk's damage: torch words it in many ways
                continue
            self.went_back = path.name == BEFORE
            return state
        raise Refused("training.noWhole", run=self.name, command=self.card.get("command", ""))

    def save(self, state: dict[str, Any]) -> None:
        """Writes the whole state, and keeps the one before."""
        path = self.folder / "resume.pt"
        write_atomically(path, lambda beside: torch.save(state, beside), kept=self.folder / BEFORE)

    def best(self) -> dict[str, Any]:
        """The networks that did best on the pictures held out; the last state where nothing was measured."""
        try:
            return torch.load(self.folder / "best.pt", map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return self.state()

    def gan(self, shown: bool = True, best: bool = True) -> BaseGAN:
        """The network that did best, or as it stands now: the averaged one that is shown, or the trained one."""
        state = self.best() if best else self.state()
        kind = registry.gan(self.card["gan"])
        gan = kind(kind.configured(state["config"]))
        gan.load_state_dict(state["gan"])
        if shown:  # of the averages, only what a demo shows: the other player is the one that was trained
            averages = {k: v for k, v in state["shown"].items() if k.split(".")[0] in gan.demo}
            gan.load_state_dict(averages, strict=False)
        gan.extras = self.card.get("facts", {})
        return gan.eval()

    def origin(self) -> dict[str, Any]:
        """Where its networks come from, as a checkpoint's card says it."""
        card, state = self.card, self.best()
        return {
            "kind": "trained",
            "command": card["command"],
            **({"recipe": card["recipe"]} if "recipe" in card else {}),
            "data": data_name(card["data"]),
            "before": card.get("before", []),
            "steps": state["step"],
            "pictures": state["step"] * state["config"]["batch"],
            "minutes": round(state.get("seconds") or _seconds(self.events())) // 60,
            "device": card.get("trained on", card.get("device", "cpu")),
        }

    def keep(self, tag: str, facts: dict[str, Any], where: Path | None = None, examples: Sequence[Path] = ()) -> Path:
        """Makes a checkpoint of the run as it stands, or a better one of a tag that is there.

        Args:
            facts: what the card says besides what the run knows; what it said before stays, but for measured figures.
            where, and the errors: see `checkpoints.save`.
            examples: pictures to try it on, that go into its folder; the preview is made of them. None = those that
                are there already; without any the preview is the last contact sheet.
        """
        card, gan, origin = self.card, self.gan(), self.origin()
        before: dict[str, Any] = {}
        folder = (where or home() / "checkpoints") / card["gan"] / checkpoints.checked_tag(tag)
        if (folder / "card.json").exists():
            before = checkpoints.read_card(folder / "card.json")
            before = {
                k: before[k]
                for k in ("title", "default", "licence", "limits", "arms", "examples", "pictures", "extras")
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
            columns = columns[: max(4, len(columns) - len(columns) % 4)]  # no band that is mostly paper
            bands = [zip(*columns[at : at + 4], strict=True) for at in range(0, len(columns), 4)]
            preview = images.sheet([row for band in bands for row in band])
        else:
            preview = images.open_picture(self.samples[-1]) if self.samples else None
        if "arms" in before:
            beside.append(folder / before["arms"]["file"])
        beside += [folder / name for name in (*before.get("pictures", []), "recipe.toml") if (folder / name).exists()]
        return checkpoints.save(gan, tag, facts, preview, where=where, beside=beside)

    # ---- writing ----------------------------------------------------------------------------------------------------

    def note(self, line: Mapping[str, Any]) -> None:
        """Adds a line to the events."""
        text = json.dumps({"time": round(time.time(), 1)} | dict(line), ensure_ascii=False)
        with open(self.folder / "events.jsonl", "ab+") as log:
            torn = log.tell() > 0 and (log.seek(-1, os.SEEK_END), log.read(1))[1] != b"\n"  # a killed trainer's last
            log.write(b"\n" * torn + text.encode() + b"\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Viewers and trainer change the small files one after the other."""
        with filelock.FileLock(self.folder / "writing.lock", timeout=10):
            yield

    def _write(self, name: str, value: Any) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        write_atomically(self.folder / name, lambda path: path.write_text(text, encoding="utf-8"))


def data_name(source: str) -> str:
    """What a card says of where data lay: the name of the folder or zip, and the folder in it, but no path."""
    names = []
    for part in several(source):
        parts = Path(part).parts
        zips = [k for k, part in enumerate(parts) if part.lower().endswith(".zip")]
        names.append("/".join(parts[zips[0] if zips else -1 :]))
    return "+".join(names)


def _seconds(events: Iterator[dict[str, Any]]) -> float:
    """Seconds of a run of the studio's first version, whose Progress counted from each session's start."""
    total, last = 0.0, 0.0
    for event in events:
        if event["event"] == "Progress":
            total += last if event["seconds"] < last else 0.0
            last = event["seconds"]
    return total + last


_lines: OrderedDict[Path, tuple[int, int, list[dict[str, Any]]]] = OrderedDict()
_reading = threading.Lock()
REMEMBERED = 200  # runs whose events are held in memory


# JSON knows no NaN and no infinity, and neither do browsers: what is not a number is left out.
_CONSTANTS = {"Infinity": sys.float_info.max, "-Infinity": -sys.float_info.max}


def _finite(event: dict[str, Any]) -> dict[str, Any]:
    for name, values in event.items():
        if isinstance(values, dict):
            event[name] = {k: v for k, v in values.items() if v is not None}
    return event


def _read_on(path: Path) -> list[dict[str, Any]]:
    """The events in a file. A class that watches asks each second, so what was read once is not read again."""
    with _reading:
        file, at, events = _lines.get(path, (0, 0, []))
        try:
            now = path.stat()
            if now.st_ino != file or now.st_size < at:
                at, events = 0, []
            if now.st_size > at:
                with open(path, "rb") as log:
                    log.seek(at)
                    whole, newline, _ = log.read().rpartition(b"\n")
                events = list(events)  # whoever was given the old list may be reading it
                for line in whole.splitlines():
                    with suppress(ValueError):  # torn when a trainer was killed
                        events.append(_finite(json.loads(line, parse_constant=_CONSTANTS.get)))
                at += len(whole) + len(newline)
        except FileNotFoundError:
            _lines.pop(path, None)
            return []
        _lines[path] = now.st_ino, at, events
        _lines.move_to_end(path)
        while len(_lines) > REMEMBERED:
            _lines.popitem(last=False)
        return events


# ---- all runs -------------------------------------------------------------------------------------------------------


def folder_of_runs() -> Path:
    return home() / "runs"


def all_runs() -> list[Run]:
    """Every run of this user, the newest first."""
    found = [Run(path.parent) for path in folder_of_runs().glob("*/card.json")]
    return sorted(found, key=lambda run: run.card.get("created", 0), reverse=True)


def find(name: str) -> Run:
    """The run of a name.

    Raises:
        ValueError: not a name, or none of that name.
    """
    if not NAME.fullmatch(name) or not (folder_of_runs() / name / "card.json").exists():
        raise Missing("training.noRun", name=name[:80])
    return Run(folder_of_runs() / name)


def ahead(run: Run) -> list[Run]:
    """Runs that will use a run's device before it does: the one that has it, and those that have waited longer."""
    mine, before = _place(run), []
    for other in all_runs():
        place = _place(other) if other.folder != run.folder and other.alive else None
        if place is not None and mine is not None and place[0] == mine[0] and place[1] < mine[1]:
            before.append(other)
    return before


def busy() -> int:
    """How many runs train or wait."""
    return sum(run.alive for run in all_runs())


def offered(source: str) -> bool:
    """Whether a source is one that a stranger may name: drawn, built in, of torchvision, or uploaded."""
    uploads = (home() / "data").resolve()
    return all(is_name(part) or uploads in Path(part).resolve().parents for part in several(source))


def _place(run: Run) -> tuple[str, float] | None:
    """(device, since when it has or wants it); None = it does neither."""
    last = None
    for event in run.events():
        if event["event"] in ("Queued", "Phase", "Ended"):
            last = event
    if last is None or last["event"] == "Ended":
        return None
    # Whoever trains has the device, whenever it came.
    return run.card.get("device", "cpu"), last["time"] if last["event"] == "Queued" else 0.0


# ---- a new one ------------------------------------------------------------------------------------------------------


def create(
    gan: str,
    source: str,
    *,
    name: str | None = None,
    settings: Sequence[str] = (),
    origin: str | None = None,
    before: Run | None = None,
    held_out: int = 0,
    held: Sequence[str] = (),
    seed: int = 0,
    steps: int | None = None,
    minutes: float | None = None,
    device: str | None = "cpu",
    title: str = "",
    owner: str | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Run:
    """Makes the folder of a new run, after everything about it was checked; nothing is trained yet.

    Args:
        gan: whose.
        source: its data (`studio.data`).
        name: the run's name (under ``STUDIO_HOME/runs``) or folder; None = gan and time.
        settings: ``field=value`` of the Config.
        origin: a checkpoint's tag to begin from; its held-out pictures stay held out. A network that the settings
            give another shape begins anew.
        before: a run whose best networks to begin from, instead of a checkpoint's.
        held_out: how many pictures to set aside, if the origin has not done so.
        held: the pictures to set aside, by name.
        steps, minutes: how long.
        device: None = the fastest that is there.
        title: what people call it.
        owner: the mark of the browser that starts it (`owners`); None = nobody's, it is started in the shell.
        recipe: which one it follows (`studio.training.recipes`): tag and stage.

    Raises:
        ValueError: something can't be, or the server's limits don't allow it; says what to do.
    """
    allowed = limits()
    allowed.check()
    allowed.check_length(minutes, steps)
    allowed.check(queue=1 + busy())
    owners.check_room()
    if allowed.public and not offered(source):
        raise Refused("training.noFolder")
    kind = registry.gan(gan)
    card = checkpoints.card(gan, origin) if origin else {}
    config = changed(kind, card.get("config", {}), settings)
    features.check(config)
    config, data = data_for(kind, source, config) if not origin else (config, kind.Data(source, config))
    config = data.fit(config, card.get("extras", {}))
    allowed.check(pictures=None if data.own else len(data))
    there = set(data.names)
    if lacking := [name for name in held if name not in there]:
        if len(lacking) > 3:
            raise Refused("training.lacksMany", source=source, names=lacking[:3], more=len(lacking) - 3)
        raise Refused("training.lacks", source=source, names=lacking)
    held = list(held) or [name for name in card.get("held_out") or [] if name in there]  # other data has other names
    held = held or (data.set_aside(held_out, seed) if held_out else [])
    _make_room(allowed.runs)
    run = Run(name if name and len(Path(name).parts) > 1 else folder_of_runs() / _named(name, gan))
    if (run.folder / "card.json").exists():
        raise Refused("training.runThere", folder=run.folder)
    begin = f"--from {origin}" if origin else f"--hold-out {held_out}"
    earlier = card.get("origin", {})
    if before is not None:
        begin, earlier = f"--from-run {before.name}", before.origin()
    where = "+".join(part if is_name(part) else str(Path(part).resolve()) for part in several(source))
    where += f"?as={reading}" if (reading := read_as(source)[1]) else ""
    command = f"train {gan} --data {data_name(source)} {begin}"
    if settings:
        command += f" --set {shlex.join(settings)}"
    if recipe:
        command = f"recipe {gan} {recipe['tag']} --data DIR"
    described = {
        "gan": gan,
        "title": title,
        "config": asdict(config),
        "data": where,
        "held_out": held,
        "facts": data.facts(),
        "seed": seed,
        "from": origin,
        **({"from run": str(before.folder.resolve())} if before is not None else {}),
        "before": [*earlier.get("before", []), {k: v for k, v in earlier.items() if k != "before"}] if earlier else [],
        "command": f"python -m studio {command}",
        "goal": {"steps": steps, "minutes": minutes},
        "device": devices.device(device).name,
        "created": time.time(),
        **({"owner": owner} if owner else {}),
        **({"recipe": dict(recipe)} if recipe else {}),
    }
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        run._write("card.json", described)
    except OSError as error:
        raise Refused("training.disk", reason=error.strerror) from error
    return run


def data_for(kind: type[BaseGAN], source: str, config: Any) -> tuple[Any, Any]:
    """(Config, data): where the labels or domains that a preset names are not those of the data, it says its own.

    Raises:
        ValueError: nothing that can be used; or names that nobody but the asker chose, and that are not there.
    """
    try:
        return config, kind.Data(source, config)
    except Refused as error:
        why = error.values.get("says", error) if error.code == "data.leftOut" else error
        plain = kind.Data.unlabelled(config)
        presets = [asdict(each) for each in (kind.Config(), kind.TINY, kind.CLASSROOM)]
        given, same = asdict(config), asdict(plain)
        named = [name for name in given if given[name] != same[name]]
        usual = all(any(given[name] == preset[name] for preset in presets) for name in named)
        if not named or not usual or why.code not in ("data.noneNamed", "data.noneSuch"):
            raise
        return plain, kind.Data(source, plain)


def _make_room(most: int | None) -> None:
    """Deletes the oldest runs that nobody trains, until one more fits."""
    there = all_runs() if most is not None else []
    idle = [run for run in reversed(there) if not run.alive]
    for run in idle[: max(0, len(there) + 1 - (most or 0))]:
        shutil.rmtree(run.folder, ignore_errors=True)


def _named(name: str | None, gan: str) -> str:
    """A free name: as asked, or gan and time."""
    if name is not None:
        if not NAME.fullmatch(name):
            raise Refused("training.runName", name=name[:80])
        return name
    made = owners.unguessable(time.strftime(f"{gan}-%Y%m%d-%H%M%S"))
    taken = {path.name for path in folder_of_runs().glob(f"{made}*")}
    return next(each for each in [made, *(f"{made}-{k}" for k in range(2, 999))] if each not in taken)


def changed(kind: type[BaseGAN], base: dict[str, Any], settings: Sequence[str]) -> Any:
    """The Config of ``base`` with ``field=value`` texts applied.

    Raises:
        ValueError: an unknown field or a value that it can't have.
    """
    return kind.configured({**kind.upgraded(dict(base)), **read_settings(kind, settings)})


def read_settings(kind: type[BaseGAN], settings: Sequence[str]) -> dict[str, Any]:
    """``field=value`` texts as values of the Config's fields."""
    known = {f.name: type(f.default) for f in fields(kind.Config)}
    values = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known:
            raise Refused("values.noField", name=name, there=known)
        values[name] = Argument(name, known[name], False, None, "").read(text)
    return values
