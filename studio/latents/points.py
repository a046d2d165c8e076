"""Points of Z and W, and ways between them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from studio.refused import Refused

Watch = Callable[[int, Tensor], Tensor]  # (number of a layer, its features) -> features to go on with
MOST_SEEDS = 64  # in one list


def checked_seeds(seeds: Any, name: str = "seeds", least: int = 1, most: int = MOST_SEEDS) -> list[int]:
    """The seeds themselves, as a list of whole numbers.

    Raises:
        ValueError: not a list of whole numbers, or too few or too many of them.
    """
    if not isinstance(seeds, (list, tuple)):
        seeds = [seeds]
    if not all(isinstance(s, int) and not isinstance(s, bool) for s in seeds):
        raise Refused("values.seeds", name=name, seeds=str(list(seeds))[:60])
    if not least <= len(seeds) <= most:
        raise Refused("values.seedCount", name=name, n=len(seeds), least=least, most=most)
    return list(seeds)


def checked(value: float, name: str, low: float, high: float) -> float:
    """The value itself.

    Raises:
        ValueError: it is not within the limits.
    """
    if not low <= value <= high:  # also when it is nan
        raise Refused("values.range", name=name, value=value, low=low, high=high)
    return value


def random(seed: int) -> torch.Generator:
    """Random numbers of a seed, on the CPU: the same on every device."""
    return torch.Generator().manual_seed(seed % 2**63)


def drawn(seeds: Sequence[int], size: int, device: Any = "cpu") -> Tensor:
    """z ``(N, size)`` from N(0, 1), each from its own seed."""
    return torch.cat([torch.randn(1, size, generator=random(seed)) for seed in seeds]).to(device)


def lerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """The straight line from a (t = 0) to b (t = 1): how to walk in W."""
    return a + (b - a) * t


def slerp(a: Tensor, b: Tensor, t: Tensor | float) -> Tensor:
    """The great circle from a to b, along the last axis; lengths that differ change evenly.

    How to walk in Z: nearly all of a high-dimensional normal distribution lies near a sphere, and a straight line
    would cut through its empty inside.
    """
    p, q = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    angle = torch.acos((p * q).sum(-1, keepdim=True).clamp(-1 + 1e-7, 1 - 1e-7))
    direction = (torch.sin((1 - t) * angle) * p + torch.sin(t * angle) * q) / torch.sin(angle)
    length = lerp(a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True), t)
    return F.normalize(direction, dim=-1) * length


def truncated(w: Tensor, average: Tensor, amount: float) -> Tensor:
    """``average + amount (w - average)`` (1812.04948, appendix B): 1 = as drawn, 0 = the mean, negative = opposites."""
    return lerp(average, w, amount)


def mixed(a: Tensor, b: Tensor, crossover: Tensor | int, layers: int) -> Tensor:
    """Styles of a for the layers before the crossover, of b from it on: w ``(N, d)`` twice -> ws ``(N, layers, d)``.

    crossover: one for all pictures, or ``(N,)``: 0 = all b, ``layers`` = all a.
    """
    limit = torch.as_tensor(crossover, device=a.device).view(-1, 1, 1)
    first = torch.arange(layers, device=a.device).view(1, -1, 1) < limit
    return torch.where(first, a[:, None], b[:, None])


def bands(layers: int) -> dict[str, range]:
    """Which layers are coarse, middle and fine, as ranges (1812.04948, section 3.1: 4²-8², 16²-32², 64² and above).

    Each size has two layers. Of small models the largest size is fine even if it is below 64².
    """
    coarse = min(4, layers)
    middle = max(coarse, min(8, layers - 2))
    return {"coarse": range(coarse), "middle": range(coarse, middle), "fine": range(middle, layers)}


def walk(points: Tensor, steps: int, between: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    """A way through points ``(K, d)``, ``steps`` from each to the next: ``((K - 1) * steps + 1, d)``."""
    t = torch.linspace(0, 1, steps + 1, device=points.device)[:-1, None]
    legs = [between(a[None], b[None], t) for a, b in itertools.pairwise(points)]
    return torch.cat([*legs, points[-1:]])
