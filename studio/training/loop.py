"""train(): any GAN, any data -> a stream of events.

Nothing here knows a particular GAN: it feeds `train_step`, averages the shown networks, keeps a state from which it
can go on exactly, obeys what whoever watches wishes, and says what happens. What is written where is the business of
`studio.training.runs`.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import psutil
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from studio import images, measure
from studio.base import BaseGAN
from studio.data import Stream
from studio.refused import Phrase, Refused
from studio.training import devices

PATIENCE = 20 * 60  # seconds that a paused trainer keeps its device, ready for single steps
BOTH = "both"
DIRECTIONS = (".0._u", ".0._v")  # what torch.nn.utils.parametrizations.spectral_norm keeps between two steps


# ---- what is told ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phase:
    """What the trainer is doing from here on: ``training`` or ``paused``."""

    step: int
    how: str


@dataclass(frozen=True)
class Progress:
    """Where the training is: the mean of each loss term since the last one, pictures a second, seconds trained in
    all, memory in MB, the norm of each player's gradient."""

    step: int
    losses: dict[str, float]
    rate: float
    seconds: float
    memory: float = 0.0
    gradients: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A contact sheet of the averaged networks on the same examples each time.

    ``diversity``: how different from each other the made pictures are, as a share of the real ones' (None: unknown).
    """

    step: int
    picture: images.Picture = field(repr=False)
    diversity: float | None = None


@dataclass(frozen=True)
class Measured:
    """Figures of the averaged networks on pictures that were held out; of the first one less is better.

    best: whether this is the least so far; then the networks were kept.
    """

    step: int
    figures: dict[str, float]
    best: bool


@dataclass(frozen=True)
class Single:
    """One step that somebody asked for, of one player or of both.

    The terms before and after are of the same pictures and the same noise; ``moved`` is the length of each player's
    step as a share of the length of its weights; the picture shows what is made before, after, and the difference.
    """

    step: int
    player: str
    before: dict[str, float]
    after: dict[str, float]
    moved: dict[str, float]
    picture: images.Picture | None = field(repr=False)


@dataclass(frozen=True)
class Changed:
    """Somebody turned a dial: terms without weight, players that stand still, the learning rate as a multiple."""

    step: int
    off: tuple[str, ...]
    still: tuple[str, ...]
    lr: float


@dataclass(frozen=True)
class Ended:
    """How it ended: ``finished``, ``stopped``, ``paused`` (somebody else needs the device) or ``failed``, and why;
    after how many seconds of training in all (None: unknown)."""

    step: int
    how: str
    why: str = ""
    seconds: float | None = None


Event = Phase | Progress | Sample | Measured | Single | Changed | Ended


# ---- what is wished -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What whoever watches wishes of the trainer, looked at before each step.

    go: ``on``, ``pause``, ``stop``, or ``yield`` (end a pause, because another run waits for the device).
    off, still, lr: see `Changed`.
    single: a player's name or ``both``: one step, in a pause.
    """

    go: str = "on"
    off: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    lr: float = 1.0
    single: str = ""


def train(
    gan: BaseGAN,
    data: Any,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    examples: Any = None,
    resume: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
    asked: Callable[[], Wish] = Wish,
    device: str = "cpu",
    seed: int = 0,
    workers: int = 0,
    save_every: float = 60.0,
    glance: Any = None,
    glance_every: float = 180.0,
    keep: Callable[[dict[str, Any]], None] | None = None,
) -> Iterator[Event]:
    """Trains until ``steps`` in all, or for ``minutes`` from now, or until ``asked()`` wishes it to stop.

    A step is a function of (state, seed, step): the batch and all random numbers follow from (seed, step), so a
    training that was stopped and resumed is the training that was never stopped.

    Args:
        examples: a batch for the contact sheets; None = the data's first.
        resume: a state as ``save`` was given one.
        save: called with the whole state, at an interval, at a pause and at the end.
        asked: what whoever watches wishes; called before each step.
        save_every: seconds between states (longer if saving takes long).
        glance: examples that were held out; None = nothing is measured on the way.
        glance_every: seconds between two looks at them (longer if looking takes long: a twentieth of the time at most).
        keep: called with the networks whenever they were the best so far (see `Measured`).

    Yields:
        events, and one Ended at last; a loss that is not finite ends it as failed, without saving.

    Raises:
        ValueError: no length, or a device that is not there.
    """
    if steps is None and minutes is None:
        raise Refused("training.long")
    trainer = _Trainer(gan, data, examples, resume, device, seed, workers)
    trainer.glance, trainer.glance_every, trainer.keep = glance, glance_every, keep or (lambda networks: None)
    yield from trainer.run(steps, minutes, save or (lambda state: None), asked, save_every)


class _Trainer:
    """The networks, their averages, the optimizers and the stream of batches, at a step."""

    def __init__(
        self,
        gan: BaseGAN,
        data: Any,
        examples: Any,
        resume: dict[str, Any] | None,
        device: str,
        seed: int,
        workers: int,
    ) -> None:
        self.device = devices.device(device).name
        self.dtype = devices.precision(self.device)
        self.gan = gan.to(self.device).train()
        gan.to(memory_format=torch.channels_last if self.dtype is not None else gan.layout)
        self.shown = copy.deepcopy(gan)
        self.optimizers = gan.optimizers()
        self.config, self.rates = gan.config, {}
        self.step, self.seed, self.seconds = 0, seed, 0.0
        self.best = math.inf  # of the held-out figure
        self.wish = Wish()
        for name, optimizer in self.optimizers.items():
            self.rates[name] = [group["lr"] for group in optimizer.param_groups]
        if resume is not None:
            self._restore(resume)
        self.data, self.workers = data, workers
        n = min(8, len(data))
        self.examples = examples if examples is not None else data.batch(range(n), [None] * n)

    def _restore(self, state: dict[str, Any]) -> None:
        self.step, self.seed, self.seconds = state["step"], state["seed"], state.get("seconds", 0.0)
        self.best = state.get("best", math.inf)
        self.gan.load_state_dict(state["gan"])
        self.shown.load_state_dict(state["shown"])
        for name, optimizer in self.optimizers.items():
            chosen = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
            optimizer.load_state_dict(_fitting(state["optimizers"][name], optimizer))
            for group, settings in zip(optimizer.param_groups, chosen, strict=True):
                group.update(settings)  # a resumed run may have been given another lr

    def state(self) -> dict[str, Any]:
        return self.networks() | {
            "seed": self.seed,
            "best": self.best,
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
        }

    def networks(self) -> dict[str, Any]:
        """What a checkpoint is made of."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "config": asdict(self.config),
            "gan": self.gan.state_dict(),
            "shown": self.shown.state_dict(),
        }

    # ---- the loop ---------------------------------------------------------------------------------------------------

    def run(
        self,
        steps: int | None,
        minutes: float | None,
        save: Callable[[dict[str, Any]], None],
        asked: Callable[[], Wish],
        save_every: float,
    ) -> Iterator[Event]:
        stream = Stream(self.data, self.config.batch, self.seed)
        last = steps if steps is not None else 2**31 - 1
        self.batches = iter(
            DataLoader(stream, batch_size=None, sampler=range(self.step, last), num_workers=self.workers)
        )
        clock = _Clock(self.seconds, None if minutes is None else self.seconds + 60 * minutes)
        losses, said, saved, sampled = _Mean(), clock.seconds, clock.seconds, -math.inf
        drawing = 0.0  # seconds that the last sheet took: at most a twentieth of the time goes into sheets
        looking, looked = 0.0, -math.inf if self.best == math.inf else clock.seconds
        first, how, pause = self.step, "finished", save_every
        while self.step < last and not clock.over:
            wish = asked()
            if wish.go == "stop":
                how = "stopped"
                break
            if change := self._obey(wish):
                yield change
            if wish.go in ("pause", "yield") or wish.single:
                clock.hold()
                self.seconds = clock.seconds
                save(self.state())
                yield Phase(self.step, "paused")
                how = yield from self._paused(asked, save, wish)
                if how != "training":
                    yield Ended(self.step, how, seconds=self.seconds)
                    return
                clock.go_on()
                how = "finished"
                yield Phase(self.step, "training")
                continue
            self._hold(wish.still)
            losses.add(self._learn(self._next()))
            clock.tick()
            now = clock.seconds
            report = now - said >= min(max(1.0, (now - clock.began) / 200), 10.0)
            look = self.device == "cpu" or report or self.step % 50 == 0 or now - saved >= pause  # a GPU would wait
            if look and (bad := losses.not_finite()):
                yield Ended(self.step, "failed", Phrase("training.notANumber", names=list(bad), step=self.step))
                return
            if report or self.step == last:
                rate = losses.steps * self.config.batch / max(now - said, 1e-9)
                yield Progress(self.step, losses.take(), rate, now, self._memory(), self._gradients())
                said = now
            if now - sampled >= max(min(max(2.0, 0.04 * (now - clock.began)), 300.0), 20 * drawing):
                started = time.monotonic()
                sample = self._sample()
                drawing, sampled = time.monotonic() - started, now
                yield sample
            if self.glance is not None and now - looked >= max(self.glance_every, 20 * looking):
                started, self.seconds = time.monotonic(), now
                yield from self._measured()
                looking, looked = time.monotonic() - started, now
            if now - saved >= pause:
                self.seconds = now
                started = time.monotonic()
                save(self.state())
                pause = max(save_every, 20 * (time.monotonic() - started))
                saved = now
        self.seconds = clock.seconds
        if self.step > first:
            yield self._sample()
            if self.glance is not None:
                yield from self._measured()
        save(self.state())
        yield Ended(self.step, how, seconds=self.seconds)

    def _next(self) -> list[Tensor]:
        return [part.to(self.device, non_blocking=True) for part in next(self.batches)]

    def _learn(self, batch: list[Tensor]) -> dict[str, Tensor]:
        """One step of the algorithm box; its random numbers follow from (seed, step)."""
        losses = self._terms(batch)
        self.step += 1
        average(self.shown, self.gan, getattr(self.config, "ema", 0.0), self.step)
        return losses

    def _terms(self, batch: list[Tensor]) -> dict[str, Tensor]:
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        with self._autocast():
            return self.gan.train_step(batch, self.optimizers, self.step)

    def _autocast(self) -> Any:
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, self.dtype)

    def _sample(self) -> Sample:
        self.shown.config = self.config
        return Sample(self.step, contact(self.shown, self.examples, self.device), self._diversity())

    def _measured(self) -> Iterator[Measured]:
        """Looks at the held-out examples; keeps the networks if they never were better. Some GANs can't say."""
        self.shown.config = self.config
        with torch.no_grad():
            self.shown.eval()
            torch.manual_seed(self.seed)
            figures = self.shown.glance([part.to(self.device) for part in self.glance])
        value = next(iter(figures.values()), math.nan)
        if better := value < self.best:
            self.best = value
            self.keep(self.networks())
        if figures:
            yield Measured(self.step, {name: round(float(v), 4) for name, v in figures.items()}, better)

    @torch.no_grad()
    def _diversity(self) -> float | None:
        try:
            torch.manual_seed(self.seed)
            made, real = self.shown.made([part.to(self.device) for part in self.examples])
            among = measure.diversity(real.float())
            return round(measure.diversity(made.float()) / among, 4) if among > 0 else None
        except (NotImplementedError, ValueError):  # a GAN that makes no pictures, or fewer than two of them
            return None

    def _gradients(self) -> dict[str, float]:
        """The norm of the gradient that each player last went down."""
        found = {}
        for name, optimizer in self.optimizers.items():
            gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            if gradients:
                found[name] = float(torch.stack(torch._foreach_norm(gradients)).norm())
        return found

    def _memory(self) -> float:
        if self.device.startswith("cuda"):
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        return psutil.Process().memory_info().rss / 2**20

    # ---- dials and single steps -------------------------------------------------------------------------------------

    def _obey(self, wish: Wish) -> Changed | None:
        """Turns the dials. Names that the GAN doesn't know are passed over: a wish may be of an older version."""
        wanted = (wish.off, wish.still, wish.lr)
        if wanted == (self.wish.off, self.wish.still, self.wish.lr):
            return None
        self.wish = replace(self.wish, off=wish.off, still=wish.still, lr=wish.lr)
        terms = type(self.gan).about.terms
        weights = {terms[name].weight: 0.0 for name in wish.off if name in terms and terms[name].weight}
        self.gan.config = replace(self.config, **weights)
        self._hold(wish.still)
        return Changed(self.step, *wanted)

    def _hold(self, still: Any) -> None:
        """Sets who stands still, and everybody's learning rate: the Config's, times the GAN's own schedule, times the
        dial."""
        share = self.wish.lr * self.gan.rate(self.step)
        for name, optimizer in self.optimizers.items():
            for group, rate in zip(optimizer.param_groups, self.rates[name], strict=True):
                group["frozen"], group["lr"] = name in still, rate * share

    def _paused(self, asked: Callable[[], Wish], save: Callable[[dict[str, Any]], None], wish: Wish) -> Iterator[Event]:
        """Waits, and makes single steps; returns how it goes on: training, stopped or paused (for good)."""
        since = time.monotonic()
        while True:
            if wish.single:
                yield self._single(wish.single)
                save(self.state())
                since = time.monotonic()
            elif wish.go == "on":
                return "training"
            elif wish.go == "stop":
                return "stopped"
            elif wish.go == "yield" or time.monotonic() - since > PATIENCE:
                return "paused"
            else:
                time.sleep(0.05)
            wish = asked()
            if change := self._obey(wish):
                yield change

    def _single(self, player: str) -> Single:
        """One step of ``player``, and what it changed. Looking at the terms leaves no trace in the networks."""
        batch = self._next()
        before, shown = self._look(batch)
        weights = {name: [p.detach().clone() for p in self._weights(name)] for name in self.optimizers}
        self._hold([name for name in self.optimizers if player not in (name, BOTH)])
        self._learn(batch)
        self.step -= 1  # the same noise as before
        after, changed = self._look(batch)
        self.step += 1
        self._hold(self.wish.still)
        moved = {}
        for name, old in weights.items():
            step = sum(float((p.detach() - q).square().sum()) for p, q in zip(self._weights(name), old, strict=True))
            moved[name] = math.sqrt(step / max(sum(float(q.square().sum()) for q in old), 1e-12))
        picture = None
        if shown is not None:
            apart = (changed - shown).abs().amax(dim=(1, 2, 3), keepdim=True)
            difference = (changed - shown) / apart.clamp_min(1e-6)
            rows = [images.to_pictures(each) for each in (shown, changed, difference)]
            picture = images.sheet(rows)
        return Single(self.step, player, before, after, moved, picture)

    def _weights(self, player: str) -> list[Tensor]:
        return [p for group in self.optimizers[player].param_groups for p in group["params"]]

    def _look(self, batch: list[Tensor]) -> tuple[dict[str, float], Tensor | None]:
        """The terms on a batch, and up to eight pictures that are made of it, with nobody moving."""
        kept = {name: value.clone() for name, value in self.gan.named_buffers()}
        self._hold(self.optimizers)
        terms = {name: float(value.detach()) for name, value in self._terms(batch).items()}
        torch.manual_seed(self.seed)
        try:
            with torch.no_grad(), self._autocast():
                made = self.gan.made([part[:8] for part in batch])[0].float()
        except NotImplementedError:
            made = None
        with torch.no_grad():
            for name, value in self.gan.named_buffers():
                value.copy_(kept[name])
        self._hold(self.wish.still)
        return terms, made


def _fitting(saved: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What an optimizer remembers, if its last players have come or gone since: a second judge that was switched on
    begins anew, one that was switched off is forgotten."""
    own = optimizer.state_dict()["param_groups"]
    groups = [*saved["param_groups"], *own[len(saved["param_groups"]) :]][: len(own)]
    known = {place for group in groups for place in group["params"]}
    return {"param_groups": groups, "state": {k: v for k, v in saved["state"].items() if k in known}}


class _Clock:
    """Seconds of training: those before, and those since, without the pauses."""

    def __init__(self, before: float, until: float | None) -> None:
        self.began, self.until = before, until
        self.seconds, self._since = before, time.monotonic()

    @property
    def over(self) -> bool:
        return self.until is not None and self.seconds >= self.until

    def tick(self) -> None:
        now = time.monotonic()
        self.seconds += now - self._since
        self._since = now

    def hold(self) -> None:
        self.tick()

    def go_on(self) -> None:
        self._since = time.monotonic()


class _Mean:
    """Loss terms, added up on their device until somebody wants to know."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.steps = 0

    def add(self, losses: dict[str, Tensor]) -> None:
        self.steps += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach().float()
            self.counts[name] = self.counts.get(name, 0) + 1

    def not_finite(self) -> list[str]:
        return [name for name, total in self.sums.items() if not math.isfinite(total)]

    def take(self) -> dict[str, float]:
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts, self.steps = {}, {}, 0
        return means


@torch.no_grad()
def average(shown: BaseGAN, gan: BaseGAN, decay: float, step: int) -> None:
    """Moves the averaged networks towards the trained ones; early on faster, so that the start is soon forgotten.

    Networks that are not shown are not averaged: the copy has them as they are. Nor are spectral norm's vectors: they
    are directions of length 1, not weights. Their average is shorter, the norm that it measures too small, and what the
    layer gives grows from layer to layer.
    """
    early = min(decay, (1 + step) / (10 + step)) if decay else 0.0
    for name, _ in gan.named_children():
        decay = early if name in gan.demo else 0.0
        ours, theirs = shown.get_submodule(name).state_dict(), gan.get_submodule(name).state_dict()
        floats = [k for k in ours if ours[k].is_floating_point() and not k.endswith(DIRECTIONS)]
        torch._foreach_lerp_([ours[k] for k in floats], [theirs[k] for k in floats], 1 - decay)
        for k in ours:
            if k.endswith(DIRECTIONS):
                ours[k].copy_(theirs[k])


@torch.no_grad()
def contact(shown: BaseGAN, examples: Any, device: str) -> images.Picture:
    """One row per example, as the GAN's `preview` lays them out. Noise in it is the same each time."""
    shown.eval()
    torch.manual_seed(0)
    rows = shown.preview([part.to(device) for part in examples])
    return images.sheet([images.to_pictures(row) for row in rows])
