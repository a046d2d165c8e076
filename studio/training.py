"""train(): any GAN, any data -> a stream of events.

Nothing here knows a particular GAN: it feeds `train_step`, averages the shown networks, keeps a state from which it
can go on exactly, and says what happens. What is written where is the business of `studio.runs`.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from studio import images
from studio.base import BaseGAN
from studio.data import Stream


@dataclass(frozen=True)
class Progress:
    """Where the training is: the mean of each loss term since the last one, images a second, seconds so far."""

    step: int
    losses: dict[str, float]
    rate: float
    seconds: float


@dataclass(frozen=True)
class Sample:
    """A contact sheet of the averaged networks on the same examples each time."""

    step: int
    picture: images.Picture = field(repr=False)


@dataclass(frozen=True)
class Ended:
    """How it ended: ``finished``, ``stopped`` or ``failed``, and why."""

    step: int
    how: str
    why: str = ""


Event = Progress | Sample | Ended


def train(
    gan: BaseGAN,
    data: Any,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    examples: Any = None,
    resume: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
    asked: Callable[[], str] = lambda: "",
    device: str = "cpu",
    seed: int = 0,
    workers: int = 0,
    every: float = 10.0,
    save_every: float = 120.0,
) -> Iterator[Event]:
    """Trains until ``steps`` in all, or for ``minutes`` from now, or until ``asked()`` says "stop".

    A step is a function of (state, seed, step): the batch and all random numbers follow from (seed, step), so a
    training that was stopped and resumed is the training that was never stopped.

    Args:
        examples: a batch for the contact sheets; None = the data's first.
        resume: a state as ``save`` was given one.
        save: called with the whole state, at an interval and at the end.
        asked: "" to go on, "stop" to end.
        every, save_every: seconds between Progress events and between states.

    Yields:
        Progress, Sample, and one Ended at last; a loss that is not finite ends it as failed, without saving.
    """
    if steps is None and minutes is None:
        raise ValueError("Say how long: steps or minutes.")
    gan.to(device, memory_format=gan.layout).train()
    shown = copy.deepcopy(gan)
    optimizers = gan.optimizers()
    step = 0
    if resume is not None:
        step, seed = resume["step"], resume["seed"]
        gan.load_state_dict(resume["gan"])
        shown.load_state_dict(resume["shown"])
        for name, optimizer in optimizers.items():
            chosen = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
            optimizer.load_state_dict(resume["optimizers"][name])
            for group, settings in zip(optimizer.param_groups, chosen, strict=True):
                group.update(settings)  # a resumed run may have been given another lr

    def state() -> dict[str, Any]:
        return {
            "step": step,
            "seed": seed,
            "config": asdict(gan.config),
            "gan": gan.state_dict(),
            "shown": shown.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in optimizers.items()},
        }

    stream = Stream(data, gan.config.batch, seed)
    examples = examples if examples is not None else data.batch(range(min(8, len(data))), [None] * min(8, len(data)))
    last = steps if steps is not None else 2**31 - 1
    batches = iter(DataLoader(stream, batch_size=None, sampler=range(step, last), num_workers=workers))
    began = said = saved = time.monotonic()
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}  # of each term: some are computed only now and then
    since = 0
    next_sample = step
    first = step
    how, why = "finished", ""
    while step < last and (minutes is None or time.monotonic() - began < 60 * minutes):
        if asked() == "stop":
            how = "stopped"
            break
        torch.manual_seed(seed * 1_000_003 + step)
        batch = [part.to(device) for part in next(batches)]
        losses = gan.train_step(batch, optimizers, step)
        step += 1
        average(shown, gan, getattr(gan.config, "ema", 0.0), step)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
            counts[name] = counts.get(name, 0) + 1
        since += 1
        bad = [name for name, total in sums.items() if not math.isfinite(total)]
        if bad:
            why = f"{', '.join(bad)} is no longer a number at step {step}. Go on from the last state with a smaller lr."
            yield Ended(step, "failed", why)
            return
        now = time.monotonic()
        if now - said >= every or step == last:
            means = {name: total / counts[name] for name, total in sums.items()}
            yield Progress(step, means, since * stream.n / (now - said), now - began)
            sums, counts, since, said = {}, {}, 0, time.monotonic()
        if step >= next_sample:
            yield Sample(step, contact(shown, examples, device))
            # Often at first, when it changes fast; then at even steps of a tenth.
            next_sample = step + max(25, (step - first) // 10 if step - first > 250 else 25)
        if save is not None and now - saved >= save_every:
            save(state())
            saved = time.monotonic()
    if step > first:
        yield Sample(step, contact(shown, examples, device))
    if save is not None:
        save(state())
    yield Ended(step, how, why)


@torch.no_grad()
def average(shown: BaseGAN, gan: BaseGAN, decay: float, step: int) -> None:
    """Moves the averaged networks towards the trained ones; early on faster, so that the start is soon forgotten."""
    decay = min(decay, (1 + step) / (10 + step)) if decay else 0.0
    for name in gan.demo:
        ours, theirs = shown.get_submodule(name).state_dict(), gan.get_submodule(name).state_dict()
        floats = [k for k in ours if ours[k].is_floating_point()]
        torch._foreach_lerp_([ours[k] for k in floats], [theirs[k] for k in floats], 1 - decay)


@torch.no_grad()
def contact(shown: BaseGAN, examples: Any, device: str) -> images.Picture:
    """One row per example, as the GAN's `preview` lays them out."""
    shown.eval()
    rows = shown.preview([part.to(device) for part in examples])
    return images.sheet([images.to_pictures(row) for row in rows])


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Writes beside ``path`` and then takes its place, so that a full disk or a power cut leaves the old file whole."""
    beside = path.with_name(path.name + f".{os.getpid()}.tmp")
    try:
        write(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
