"""The process that trains a run: it waits for its turn at the device, obeys wishes and writes the run's folder."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import psutil
import torch

from studio import checkpoints, features, images, registry
from studio.base import BaseGAN
from studio.images import Picture
from studio.places import home, write_atomically
from studio.refused import Phrase, Refused, phrase, words
from studio.training import devices, runs
from studio.training import loop as training
from studio.training.loop import Changed, Ended, Event, Measured, Phase, Progress, Sample, Single, Wish
from studio.training.runs import Run, Status

LEAST_HELD = 8  # pictures, below which a figure of them says nothing
RESERVE = 1 << 16  # bytes kept free for the last words on a full disk


def train(gan: str, source: str, **how: Any) -> Iterator[Event]:
    """Trains here and now, in a new run's folder; yields the events. Arguments and errors: see `start`."""
    return start(gan, source, **how)[1]


def start(
    gan: str, source: str, *, workers: int | None = None, queue: bool = False, **how: Any
) -> tuple[Run, Iterator[Event]]:
    """Begins a run in this process. Arguments and errors: see `runs.create` and `work`."""
    run = runs.create(gan, source, **how)
    return run, work(run, workers=workers, queue=queue)


def resume(
    folder: str,
    source: str | None = None,
    overrides: Sequence[str] = (),
    *,
    steps: int | None = None,
    minutes: float | None = None,
    device: str | None = None,
    workers: int | None = None,
    queue: bool = False,
) -> tuple[Run, Iterator[Event]]:
    """Goes on exactly where a run stopped, in this process.

    Args:
        folder: the run's folder or name.
        source: where its data lies now, if it was moved.
        overrides: ``field=value`` of the Config, from here on.
        steps: in all; minutes: from now. Neither = what is left of the run's goal.
        device: another one than before.
    """
    run = Run(folder if (Path(folder) / "card.json").exists() else runs.folder_of_runs() / folder)
    card = run.card
    _check_shape(run, overrides)
    if source:
        card["data"] = str(source)
    if device:
        card["device"] = devices.device(device).name
    if source or device:
        run._write("card.json", card)
    if run.wish().go == "stop":
        run.ask(go="on")
    return run, work(run, overrides, steps=steps, minutes=minutes, workers=workers, queue=queue)


def _check_shape(run: Run, overrides: Sequence[str]) -> None:
    """
    Raises:
        ValueError: settings that give the networks of a run that has begun another shape; names them.
    """
    if not overrides or not run.has_state:
        return
    kind, state = registry.gan(run.card["gan"]), run.state()
    before, after = kind.configured(state["config"]), runs.changed(kind, state["config"], overrides)
    if before == after:
        return
    try:
        kind(after).load_state_dict(state["gan"])  # which knows what may come and go: a second judge
    except RuntimeError as error:
        one, two = asdict(before), asdict(after)
        names = [name for name in one if one[name] != two[name]]
        was, now = ([f"{name}={told[name]}" for name in names] for told in (one, two))
        raise Refused("training.otherShape", run=run.name, was=was, now=now) from error


def train_slice(run: Run, seconds: float, device: str | None = None) -> Status:
    """Goes on with a run for a while in this process, saves, and leaves; slices one after the other are one training.

    For machines that lend a device for a minute at a time. A slice is at least one step long.

    Args:
        seconds: from now until it begins to leave; reading the data counts, the last step and saving come on top.
        device: the one that is lent; None = the run's own.

    Returns:
        How the run is now: ``paused`` = there is more to do, else one of `runs.OVER`.

    Raises:
        ValueError: it is being trained already, or can't go on; says why.
    """
    deadline = time.monotonic() + seconds
    if device and run.card.get("device") != device:
        with run._writing():
            run._write("card.json", run.card | {"device": devices.device(device).name})
    if run.wish().go != "on":
        run.ask(go="on", single="")
    for _ in work(run, workers=0, deadline=deadline):
        pass
    return run.status()


def work(
    run: Run,
    overrides: Sequence[str] = (),
    *,
    steps: int | None = None,
    minutes: float | None = None,
    workers: int | None = None,
    queue: bool = False,
    deadline: float | None = None,
) -> Iterator[Event]:
    """Trains a run from its last state, or from its beginning, and writes its folder; yields the events as they come.

    Args:
        queue: wait until no other run has the device; False = train beside it.
        deadline: a time of `time.monotonic` after which it saves and leaves, as paused.

    Raises:
        ValueError: the run is being trained already, its data or its device is gone, its state is damaged.
    """
    lock = filelock.FileLock(run.folder / "trainer.lock")
    try:
        lock.acquire(timeout=2)
    except filelock.Timeout as error:
        raise Refused("training.another", run=run.name) from error
    try:
        run._write("pid.json", {"pid": os.getpid(), "since": psutil.Process().create_time()})
        yield from _last_words(run, _work(run, overrides, steps, minutes, workers, queue, deadline))
    finally:
        lock.release()
        with suppress(OSError):
            (run.folder / "pid.json").unlink(missing_ok=True)


def _last_words(run: Run, events: Iterator[Event]) -> Iterator[Event]:
    """Passes events on and writes them down. What ends the training is written down, too, as a failure with its
    reason, even on a full disk."""
    reserve = run.folder / "reserve"
    last = 0
    try:
        if not reserve.exists():
            reserve.write_bytes(bytes(RESERVE))
        for event in events:
            last = event.step
            _note(run, event)
            yield event
            if isinstance(event, Ended):
                return
    except GeneratorExit:  # whoever reads the events has heard enough
        raise
    except BaseException as error:
        with suppress(OSError):
            reserve.unlink(missing_ok=True)
        ended = Ended(last, "failed", reason(error))
        with suppress(OSError):
            _note(run, ended)
        if not isinstance(error, Exception):  # the process is being ended
            raise
        yield ended
        if isinstance(error, ValueError):
            raise


def reason(error: BaseException) -> str:
    """What ended a training, in a sentence that says what to do."""
    text = " ".join(str(error).split())[:300]
    low = text.lower()
    if (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)) or "no space left" in low:
        return Phrase("training.diskFull")
    if "inlinecontainer" in low or "unexpected pos" in low:  # how torch.save words a disk that is full
        return Phrase("training.notWritten")
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in low:
        return Phrase("training.noMemory")
    if "out of memory" in low or ("killed" in low and "worker" in low):
        return Phrase("training.noMemory")
    if isinstance(error, Refused):
        return phrase(error)
    if isinstance(error, ValueError):
        return text
    if any(word in low for word in ("cuda error", "cuda driver", "device-side", "mps backend", "no cuda gpus")):
        return Phrase("training.deviceGone", text=text)
    return Phrase("training.unforeseen", kind=type(error).__name__, text=text)


def _work(
    run: Run,
    overrides: Sequence[str],
    steps: int | None,
    minutes: float | None,
    workers: int | None,
    queue: bool,
    deadline: float | None,
) -> Iterator[Event]:
    card = run.card
    device = devices.device(card.get("device", "cpu"))
    turn = _turn(run, device.name) if queue else nullcontext(True)
    with turn as mine:
        if not mine:
            yield Ended(0, "stopped")
            return
        state = run.state() if run.has_state else None
        kind = registry.gan(card["gan"])
        config = runs.changed(kind, state["config"] if state else card["config"], overrides)
        features.check(config)
        data = kind.Data(card["data"], config)
        data.recall(card.get("facts") or {})
        torch.manual_seed(card.get("seed", 0))
        gan = kind(config)
        gan.extras = card.get("facts") or {}
        if state is None and card.get("from"):
            _take_over(gan, checkpoints.load(card["gan"], card["from"]))
        if state is None and card.get("from run"):
            _take_over(gan, Run(card["from run"]).gan())
        if steps is None and minutes is None:
            steps, minutes = _left(card.get("goal") or {}, state)
        held = data.held(card.get("held_out") or [])
        said = [*data.lost, *([Phrase("training.wentBack", step=state["step"])] if run.went_back else [])]
        shown = data.aside(held) if held else data
        some = [shown.names.index(name) for name in (held or data.names)]
        some = some[:: max(1, len(some) // 10)][:10]
        examples = shown.batch(some, [np.random.default_rng(k) for k in range(len(some))])
        glance = _glance(shown, kind, held)
        aside = set(held)
        data.keep([name for name in data.names if name not in aside])
        with run._writing():  # it may have been given another title while it waited
            run._write(
                "card.json",
                run.card | {"config": asdict(config), "trained on": _words(device), "notices": list(map(words, said))},
            )

        def save(state: dict[str, Any]) -> None:
            run.save(state)
            run.note({"event": "Saved", "step": state["step"]})

        yield Phase(state["step"] if state else 0, "training")
        yield from training.train(
            gan,
            data,
            steps=steps,
            minutes=minutes,
            examples=examples,
            resume=state,
            save=save,
            asked=_asked(run) if deadline is None else _until(deadline, _asked(run)),
            device=device.name,
            seed=card.get("seed", 0),
            workers=devices.workers(device.name) if workers is None else workers,
            glance=glance,
            keep=lambda networks: write_atomically(run.folder / "best.pt", lambda path: torch.save(networks, path)),
        )


def _glance(data: Any, kind: type[BaseGAN], held: Sequence[str]) -> Any:
    """Held-out examples to look at on the way; None if there are too few, or nothing to see them by."""
    some = [data.names.index(name) for name in held]
    some = some[:: max(1, len(some) // kind.GLANCE)][: kind.GLANCE]
    if len(some) < LEAST_HELD or features.missing():
        return None
    return data.batch(some, [np.random.default_rng((7, k)) for k in range(len(some))])


def _left(goal: dict[str, Any], state: dict[str, Any] | None) -> tuple[int | None, float | None]:
    """What is left of a run's goal: (steps in all, minutes from now)."""
    if goal.get("steps") is None and goal.get("minutes") is None:
        raise Refused("training.long")
    minutes = goal.get("minutes")
    if minutes is not None and state is not None:
        minutes = max(0.0, minutes - state.get("seconds", 0.0) / 60)
    return goal.get("steps"), minutes


def _asked(run: Run) -> Callable[[], Wish]:
    """Reads the wish when its file changes, and takes a single step out of it so that it is made once."""
    path, seen, wish, looked = run.folder / "wish.json", -1, Wish(), 0.0

    def asked() -> Wish:
        nonlocal seen, wish, looked
        try:
            stamp = path.stat().st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != seen:
            seen, wish = stamp, run.wish()
            if wish.single:
                once, wish = wish, run.ask(single="")
                return once
        if wish.go == "pause" and time.monotonic() - looked > 2:
            looked = time.monotonic()
            if _somebody_waits(run):
                return Wish("yield", wish.off, wish.still, wish.lr)
        return wish

    return asked


def _until(deadline: float, asked: Callable[[], Wish]) -> Callable[[], Wish]:
    """The same wishes, until the time is over; a pause is over at once, for the device is only lent."""
    first = True

    def looked() -> Wish:
        nonlocal first
        wish, late = asked(), time.monotonic() >= deadline and not first
        first = False  # at least one step, or slices would never come to an end
        return replace(wish, go="yield", single="") if wish.go == "pause" or (wish.go == "on" and late) else wish

    return looked


def _somebody_waits(run: Run) -> bool:
    waiting = [other for other in runs.all_runs() if other.folder != run.folder and other.status().how == "queued"]
    return any(other.card.get("device") == run.card.get("device") for other in waiting)


@contextmanager
def _turn(run: Run, device: str) -> Iterator[bool]:
    """Waits until nobody who came earlier wants the device and nobody has it; False = it was called off."""
    place = home() / "locks"
    place.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(place / f"{device.replace(':', '-')}.lock")
    run.note({"event": "Queued"})
    while True:
        if not runs.ahead(run):
            with suppress(filelock.Timeout):
                lock.acquire(timeout=0)
                break
        if run.wish().go == "stop":
            yield False
            return
        time.sleep(0.5)
    try:
        yield True
    finally:
        lock.release()


def _take_over(gan: BaseGAN, origin: BaseGAN) -> None:
    """Gives ``gan`` the networks of ``origin`` whose tensors all have their place here: a network may have grown."""
    for child, network in origin.named_children():
        if network is not None and getattr(gan, child, None) is not None:
            theirs, ours = gan.grown(child, network.state_dict(), origin.config), gan.get_submodule(child).state_dict()
            if all(k in ours and ours[k].shape == v.shape for k, v in theirs.items()):
                gan.get_submodule(child).load_state_dict(theirs, strict=False)


def _note(run: Run, event: Event) -> None:
    line: dict[str, Any] = {"event": type(event).__name__}
    if isinstance(event, (Sample, Single)):
        values = {k: v for k, v in vars(event).items() if k != "picture"}
        if event.picture is not None:
            kind = "sample" if isinstance(event, Sample) else "single"
            values["file"] = f"{kind}-{event.step:07d}.webp"
            event.picture.save(run.folder / values["file"], quality=88)
        line |= values
    elif isinstance(event, (Phase, Progress, Measured, Changed, Ended)):
        line |= asdict(event)
    if isinstance(event, Ended) and isinstance(event.why, Phrase):
        line |= {"code": event.why.code, "says": words(event.why)}
    run.note(line)


def _words(device: devices.Device) -> str:
    """The device in words, for the card: no machine's name, but what it is."""
    return f"cpu, {torch.get_num_threads()} threads" if device.kind == "cpu" else device.title


# ---- several runs ---------------------------------------------------------------------------------------------------


@torch.no_grad()
def compare(
    folders: Sequence[str | Path], pictures: Sequence[Path] = (), source: str | None = None, n: int = 8
) -> Picture:
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
    data.recall(card.get("facts") or {})
    some = [data.names.index(name) for name in data.held(card.get("held_out") or []) or data.names]
    some = some[:: max(1, len(some) // n)][:n]
    batch = data.batch(some, [np.random.default_rng(k) for k in range(len(some))])
    shown = []
    for gan in gans:
        torch.manual_seed(0)
        shown.append(gan.preview(batch))
    return _side_by_side(shown)


def _side_by_side(shown: Sequence[torch.Tensor]) -> Picture:
    """Each (n, columns, 3, H, W) -> one sheet, with the columns that all share once, at the left."""
    columns = range(shown[0].shape[1])
    alike = [c for c in columns if all(torch.equal(each[:, c], shown[0][:, c]) for each in shown)]
    own = [each[:, c] for each in shown for c in columns if c not in alike]
    table = torch.stack([*(shown[0][:, c] for c in alike), *own], dim=1)
    return images.sheet([images.to_pictures(row) for row in table])
