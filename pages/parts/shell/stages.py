"""What a GAN's networks do with shapes: each is run once, and what its stages give is written down."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from studio import registry

Shape = tuple[int, ...]  # without the batch


class Step(NamedTuple):
    """A row of `About.diagram`."""

    inputs: tuple[tuple[str, ...], ...]  # symbols; several in one place = one or the other
    network: str  # a child of the GAN
    outputs: tuple[str, ...]
    again: bool  # the same network once more

    @property
    def symbols(self) -> list[str]:
        return [symbol for choice in self.inputs for symbol in choice]


class Stage(NamedTuple):
    """A part of a network: ``gives`` has the shape that comes out of it, ``takes`` the one that goes in."""

    name: str
    gives: Shape
    takes: Shape


@dataclass(frozen=True)
class Network:
    """What one run of a network showed."""

    weights: int
    stages: list[Stage] = field(default_factory=list)
    skips: list[tuple[int, int]] = field(default_factory=list)  # the second stage is also given what the first made
    takes: list[Shape] = field(default_factory=list)
    gives: list[Shape | None] = field(default_factory=list)  # None = more than a tensor


def steps(rows: Sequence[tuple[str, str, str]]) -> list[Step]:
    """`About.diagram`, taken apart."""
    return [
        Step(
            tuple(tuple(choice.split(" or ")) for choice in given.split(" and ")),
            network.rstrip("'"),
            tuple(gives.split(" and ")),
            network.endswith("'"),
        )
        for given, network, gives in rows
    ]


LARGE = 256  # pixels a side from which on a run takes longer than PyTorch takes to learn to run on shapes alone


@cache
def networks(gan: str, config: Any) -> dict[str, Network]:
    """Each network of the diagram as this Config builds it: of large pictures it is run on shapes alone, if it can be.
    One that does not run yet (a student's) has no stages."""
    kind = registry.gan(gan)
    try:
        if getattr(config, "size", 0) >= LARGE:
            with suppress(NotImplementedError, RuntimeError):  # what it does depends on the numbers
                return _run(kind, config, "meta")
        return _run(kind, config, "cpu")
    except Exception:
        return {step.network: Network(0) for step in steps(kind.about.diagram)}


@torch.no_grad()
def _run(kind: Any, config: Any, device: str) -> dict[str, Network]:
    with torch.random.fork_rng(devices=[]), torch.device(device):
        gan = kind(config).eval()
    examples, known, found = gan.example(), {}, {}
    for step in steps(gan.about.diagram):
        network = getattr(gan, step.network, None)
        if network is None or step.network in found:  # a checkpoint may do without one of them
            continue
        if step.network in examples:
            given = examples[step.network]
        else:  # a judge: what the networks before it gave and were given
            given = tuple(next(known[s] for s in reversed(choice) if s in known) for choice in step.inputs)
        stages, gave = _watched(network, (*given, *_further(gan, network, len(given))))
        known |= {s: x for choice, x in zip(step.inputs, given, strict=False) for s in choice}
        known |= dict(zip(step.outputs, gave, strict=False))
        weights = sum(p.numel() for p in network.parameters())
        stages, skips = _together(stages, _skips(stages))
        shapes = [_shape(x) if isinstance(x, Tensor) else None for x in gave]
        found[step.network] = Network(weights, stages, skips, list(map(_shape, given)), shapes)
    return found


def _further(gan: Any, network: nn.Module, given: int) -> list[Any]:
    """What else a network must be told, such as how far pictures have grown: the GAN's own buffer of that name."""
    wanted = list(inspect.signature(network.forward).parameters.values())[given:]
    buffers = {name.split(".")[-1]: buffer for name, buffer in gan.named_buffers()}
    return [float(buffers[each.name]) for each in wanted if each.default is each.empty and each.name in buffers]


def _watched(network: nn.Module, given: Sequence[Any]) -> tuple[list[Stage], list[Any]]:
    """Runs it: the stages in the order in which they are met, and what it gives. A stage is a child that has a matrix
    or kernels, or such a member of a list; norms and activations are no stages."""
    met: dict[str, Stage] = {}
    hooks = []
    for name, child in network.named_children():
        inner = child.named_children() if isinstance(child, nn.ModuleList) else [("", child)]
        for k, part in inner:
            if any(p.ndim > 1 for p in part.parameters()):

                def note(_: Any, args: Any, output: Any, called: str = f"{name} {k}".strip()) -> None:
                    met.setdefault(called, Stage(called, _shape(output), _shape(args)))

                hooks.append(part.register_forward_hook(note))
    try:
        gave = network(*given)
    finally:
        for hook in hooks:
            hook.remove()
    parts = list(gave) if isinstance(gave, tuple) else [gave]
    return list(met.values()), [part for part in parts if part is not None]


def _shape(value: Any) -> Shape:
    """Of a tensor; of what is given to a network, of the first; of a list of maps, of the last, which it ends with."""
    if isinstance(value, (tuple, list)) and len(value):
        return _shape(value[0 if isinstance(value, tuple) else -1])
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else ()


def _skips(stages: Sequence[Stage]) -> list[tuple[int, int]]:
    """Which earlier stage's maps stand beside those of the stage before: found by their channels and sides."""
    found: list[tuple[int, int]] = []
    for k in range(2, len(stages)):
        takes, before = stages[k].takes, stages[k - 1].gives
        if len(takes) != 3 or len(before) != 3 or takes[1:] != before[1:] or takes[0] <= before[0]:
            continue
        beside = (takes[0] - before[0], *takes[1:])
        earlier = [j for j in range(k - 1) if stages[j].gives == beside and j not in dict(found)]
        if earlier:
            found.append((earlier[-1], k))
    return found


def _together(stages: Sequence[Stage], skips: Sequence[tuple[int, int]]) -> tuple[list[Stage], list[tuple[int, int]]]:
    """Members of one list that follow each other and give the same shape become one: "blocks 0–5"."""
    rows: list[list[Stage]] = []
    place = []
    for stage in stages:
        base, _, number = stage.name.partition(" ")
        last = rows[-1][-1] if rows else None
        if number and last and last.gives == stage.gives and last.name.partition(" ")[0] == base:
            rows[-1].append(stage)
        else:
            rows.append([stage])
        place.append(len(rows) - 1)
    named = [
        row[0] if len(row) == 1 else Stage(f"{row[0].name}–{row[-1].name.split()[-1]}", row[0].gives, row[0].takes)
        for row in rows
    ]
    return named, [(place[a], place[b]) for a, b in skips]
