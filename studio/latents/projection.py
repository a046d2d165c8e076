"""Projection: the style whose picture is nearest to a given one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from studio import measure
from studio.latents.measures import Eyes, pyramid_distance
from studio.refused import Refused

SEEN = 0.2  # weight of what the network sees beside pixels; both are about as large at the start


class Projected(NamedTuple):
    """Where a projection stands: steps so far, the distance, and ``state``, from which it goes on exactly."""

    step: int
    loss: float
    w: Tensor
    state: dict[str, Any]


def project(
    pictures: Callable[[Tensor], Tensor],
    target: Tensor,
    start: Tensor,
    steps: int,
    state: dict[str, Any] | None = None,
    lr: float = 0.05,
    distance: Callable[[Tensor, Tensor], Tensor] = pyramid_distance,
) -> Iterator[Projected]:
    """Looks for the w whose picture is nearest to a target, by Adam from ``start`` (1912.04958, section 5).

    How this differs from the paper: what ``distance`` compares pictures by is pixels at all sizes of a pyramid of
    averages, alone or beside a perceptual one that is not VGG's (`looks_apart`); noise maps stay as they are; w is not
    shaken, and the step size falls as 1 / (1 + step / 100), so that one never needs to say beforehand when to stop.

    Args:
        pictures: w of the shape of ``start`` -> ``(1, 3, H, W)``, with gradients.
        target: ``(1, 3, H, W)`` in [-1, 1].
        distance: of pictures to pictures, ``(N,)``.
        state: of an earlier `Projected`, to go on from it: 10 steps and 10 more are 20 steps.

    Yields:
        One `Projected` a step.

    Raises:
        ValueError: the state is of another model.
    """
    w, m, v, step = _unpacked(state, start) if state else (start, torch.zeros_like(start), torch.zeros_like(start), 0)
    for _ in range(steps):
        with torch.inference_mode(False), torch.enable_grad():
            # Cloned: a tensor that was made where gradients are forbidden could not have any.
            w = w.detach().clone().requires_grad_()
            loss = distance(pictures(w), target.clone()).mean()
            (slope,) = torch.autograd.grad(loss, w)
        step += 1
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope.square()
        move = (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8)
        w = w.detach() - lr / (1 + step / 100) * move
        yield Projected(step, float(loss.detach()), w, {"step": step} | _packed(w=w, m=m, v=v))


def looks_apart(a: Tensor, b: Tensor) -> Tensor:
    """How far pictures are apart to the eye, ``(N,)``: by pixels, and to a network that knows pictures, if it can look
    at them and is there. Pixels alone find the right colours in the right places, and often a smear."""
    apart = pyramid_distance(a, b)
    return apart + SEEN * Eyes().distance(a, b) if measure.can_see(a) else apart


def _packed(**tensors: Tensor) -> dict[str, str]:
    return {k: base64.b64encode(v.float().cpu().numpy().tobytes()).decode() for k, v in tensors.items()}


def _unpacked(state: dict[str, Any], like: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
    try:
        found = []
        for name in ("w", "m", "v"):
            numbers = np.frombuffer(base64.b64decode(state[name], validate=True), np.float32)
            found.append(torch.from_numpy(numbers.copy()).view(like.shape).to(like.device))
            if not torch.isfinite(found[-1]).all():
                raise ValueError(name)
        step = state["step"]
        if not isinstance(step, int) or not 0 <= step < 10**6:
            raise ValueError("step")
        return found[0], found[1], found[2].abs(), step
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise Refused("model.state") from error
