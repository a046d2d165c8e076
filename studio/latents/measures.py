"""The measures of entanglement of 1812.04948, section 4, and what they need to see of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from studio import features
from studio.latents.points import random


class Length(NamedTuple):
    """``mean`` perceptual path length over ``n`` short steps, ``error`` = its standard error, ``by`` = measured how."""

    mean: float
    error: float
    n: int
    by: str


def path_length(
    ends: tuple[Tensor, Tensor],
    between: Callable[[Tensor, Tensor, Tensor], Tensor],
    pictures: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    t: Tensor,
    step: float = 1e-4,
) -> tuple[float, float]:
    """Perceptual path length (1812.04948, section 4.1): how much pictures change on a very short step, over step².

    Args:
        ends: where the ways begin and end, ``(N, d)`` each.
        between: `slerp` in Z, `lerp` in W.
        pictures: points -> pictures.
        distance: of pictures to pictures, ``(N,)``; quadratic in small changes.
        t: ``(N, 1)``, where on the way: all over it ("full"), or 0 ("end").

    Returns:
        The mean, and its standard error.
    """
    found = []
    for a, b, at in zip(ends[0].split(8), ends[1].split(8), t.split(8), strict=True):
        here, there = pictures(torch.cat([between(a, b, at), between(a, b, at + step)])).chunk(2)
        found.append(distance(here, there).double() / step**2)
    lengths = torch.cat(found)
    return float(lengths.mean()), float(lengths.std() / math.sqrt(len(lengths))) if len(lengths) > 1 else 0.0


class Separability(NamedTuple):
    """``score`` = exp of the entropies' sum, 1 at best; ``error`` = its standard error (bootstrap); ``entropies`` in
    nats, by attribute; ``n`` latents of the surer half, ``by`` = who gave the labels."""

    score: float
    error: float
    entropies: dict[str, float]
    n: int
    by: str


def separability(
    latents: Tensor, sureness: Tensor, names: Sequence[str], by: str, seed: int = 0, rounds: int = 200
) -> Separability:
    """Linear separability (1812.04948, section 4.2): how well a plane in latent space tells what pictures show.

    For each attribute a linear support vector machine is fitted to the latents of the half of the pictures of which
    the classifier is surest; H(Y | X) is how many nats its verdict X leaves open about the classifier's label Y.

    How this differs from the paper: it has 100,000 latents for an attribute and fits and asks on the same; with a
    thousand a plane would learn them by heart, so each half is asked of the plane that was fitted to the other.

    Args:
        latents: ``(N, d)``, z or w.
        sureness: ``(N, A)``, logits of the classifier: the sign is the label.
    """
    gen, found, counts = random(seed), {}, []
    for k, name in enumerate(names):
        kept = sureness[:, k].abs().argsort(descending=True, stable=True)[: max(4, len(latents) // 2)]
        kept = kept[torch.randperm(len(kept), generator=gen).to(kept.device)]
        x, y = latents[kept].double(), sureness[kept, k] > 0
        half = len(kept) // 2
        verdict = torch.cat([_plane(x[half:], y[half:])(x[:half]), _plane(x[:half], y[:half])(x[half:])])
        cell = (verdict.long() * 2 + y.long()).cpu()
        counts.append(torch.bincount(cell, minlength=4).double())
        found[name] = _entropy(counts[-1])
    again = []
    for _ in range(rounds):
        total = sum(
            _entropy(torch.bincount(torch.multinomial(c, int(c.sum()), True, generator=gen), minlength=4))
            for c in counts
        )
        again.append(math.exp(total))
    return Separability(math.exp(sum(found.values())), float(np.std(again)), found, len(kept), by)


def _plane(x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """A linear support vector machine (squared hinge, ridge): ``(N, d)``, labels -> its verdicts. By Newton's method,
    which for this convex, piecewise quadratic loss ends in a few steps."""
    middle, size = x.mean(0), x.std().clamp_min(1e-9)
    sign = torch.where(y, 1.0, -1.0).to(x)

    def lifted(points: Tensor) -> Tensor:
        flat = (points.double() - middle) / size
        return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)

    rows = lifted(x)
    ridge = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
    ridge[-1, -1] = 1e-6  # the threshold is free
    plane = rows.new_zeros(rows.shape[1])
    for _ in range(20):
        inside = (sign * (rows @ plane)) < 1  # those that the margin is too narrow for
        part, to = rows[inside], sign[inside]
        better = torch.linalg.solve(ridge + part.T @ part, part.T @ to)
        if torch.allclose(better, plane, atol=1e-9):
            break
        plane = better
    return lambda points: lifted(points) @ plane > 0


def _entropy(counts: Tensor) -> float:
    """H(Y | X) in nats of counts (x0 y0, x0 y1, x1 y0, x1 y1)."""
    joint = counts.double().view(2, 2) / counts.sum()
    given = joint / joint.sum(dim=1, keepdim=True).clamp_min(1e-12)
    return float(-(joint * given.clamp_min(1e-12).log()).sum()) + 0.0


def pyramid_distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference, ``(N,)``, averaged over the pictures at all sizes from their own down to 4 px."""
    found = []
    while True:
        found.append((a - b).square().flatten(1).mean(dim=1))
        if min(a.shape[-2:]) < 8:
            return torch.stack(found).mean(dim=0)
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)


class Eyes:
    """Alike is what looks alike to the network that knows pictures (`studio.features`)."""

    by = features.NAME

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """See `_unit_distance`."""
        return _unit_distance(features.features(a), features.features(b))


def _unit_distance(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> Tensor:
    """Features are made unit vectors at each place, and squared differences averaged over places and layers, as
    perceptual distances do (Zhang et al. 2018, arXiv 1801.03924), without weights of their own: ``(N,)``."""
    apart = [
        (F.normalize(x, dim=1, eps=1e-6) - F.normalize(y, dim=1, eps=1e-6)).square().sum(dim=1).mean(dim=(1, 2))
        for x, y in zip(ours, theirs, strict=True)
    ]
    return torch.stack(apart).mean(dim=0)


class PixelJudge:
    """What can be said of any picture without a trained judge: how alike two are, and four plain facts of one."""

    by = "pixels: averages at all sizes, and brightness, warmth, light from the left, busyness against the median"
    names = ("bright", "warm", "lit from the left", "busy")

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        return pyramid_distance(a, b)

    def sureness(self, pictures: Tensor) -> Tensor:
        """``(N, 3, H, W) -> (N, 4)``: how far above the median of these pictures each fact is."""
        half = pictures.shape[3] // 2
        grey = pictures.mean(dim=1)
        facts = [
            grey.mean(dim=(1, 2)),
            (pictures[:, 0] - pictures[:, 2]).mean(dim=(1, 2)),
            (grey[:, :, :half] - grey[:, :, half:].flip(2)[:, :, :half]).mean(dim=(1, 2)),
            grey.diff(dim=1).abs().mean(dim=(1, 2)) + grey.diff(dim=2).abs().mean(dim=(1, 2)),
        ]
        found = torch.stack(facts, dim=1)
        return found - found.median(dim=0).values


class LabelJudge:
    """A small trained judge (studio.judges): alike is what has like features in its layers; labels are its own.

    Args:
        judge: ``judge.maps(pictures)`` gives the features of each layer, ``judge(pictures)`` logits.
        names: of its labels.
    """

    def __init__(self, judge: Any, names: Sequence[str]) -> None:
        self.judge, self.names = judge, tuple(names)
        self.by = f"the studio's small judge: its features, and {', '.join(names)}"

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """See `_unit_distance`."""
        return _unit_distance(self.judge.maps(a), self.judge.maps(b))

    def sureness(self, pictures: Tensor) -> Tensor:
        return torch.cat([self.judge(part) for part in pictures.split(64)])
