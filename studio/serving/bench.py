"""How much sooner the server's networks are done than the exact ones: measured on this machine, in one process.

Rounds are paired, exact and served taking turns to go first, and the figure is the median of their ratios, since times
on a machine that also does other things are comparable with nothing else. The networks alone are timed: no reading
and writing of pictures, no queue.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studio import checkpoints, registry
from studio.base import BaseGAN
from studio.layers import ResizeConv2d
from studio.refused import spoken, told
from studio.serving.fast import fastest, paired, psnr

SECONDS = 4.0  # for one row, if three rounds are done by then


@torch.no_grad()
def bench(gan: str | None = None, rounds: int = 15, batch: int = 1, device: str | None = None) -> list[dict[str, Any]]:
    """Times exact against served for a GAN (None: each), in the paper's size ("paper") and for each checkpoint.

    Returns:
        One row each: gan, tag, size, batch, device, plain_ms, served_ms, ratio, and psnr in dB, which is None where
        the server uses the exact networks.

    Raises:
        ValueError: there is no such GAN.
    """
    rows = []
    for name in [gan] if gan else registry.names():
        for tag, exact in _subjects(name, device or "cpu"):
            print(f"bench: {name} {tag} …", file=sys.stderr, flush=True)
            served = fastest(exact, {"files": "random"} if tag == "paper" else checkpoints.card(name, tag))
            rows.append({"gan": name, "tag": tag, **_row(exact, served, rounds, batch)})
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows, for people."""
    lines = [f"{'':30}  size  batch  exact ms  served ms  ratio  likeness"]
    for row in rows:
        likeness = "the exact one" if row["psnr"] is None else f"{row['psnr']:.0f} dB"
        lines.append(
            f"{row['gan'] + ' ' + row['tag']:30} {row['size']:5} {row['batch']:6} {row['plain_ms']:9.1f} "
            f"{row['served_ms']:10.1f} {row['ratio']:6.2f}  {likeness}"
        )
    return "\n".join([*lines, f"({', '.join(sorted({row['device'] for row in rows}))}; medians of paired rounds)"])


def _subjects(name: str, device: str) -> Iterator[tuple[str, BaseGAN]]:
    yield "paper", untrained(name).to(device)
    for tag in checkpoints.tags(name):
        try:
            yield tag, checkpoints.load(name, tag, device)
        except ValueError as error:
            print(f"bench: {told(error, spoken())}", file=sys.stderr)


def untrained(name: str, config: Any = None) -> BaseGAN:
    """The GAN with random weights, in its paper's size (or another), with the networks of its demo alone.

    The weights are larger than those a training begins with, so that maps keep their variance and pictures have
    contrast: on grey pictures any two networks agree.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = registry.gan(name)(config)
        for child, network in list(made.named_children()):
            if child not in made.demo:
                setattr(made, child, None)
                continue
            for layer in network.modules():
                if getattr(layer, "equalised", False):
                    continue  # its weights are N(0, 1), and scaled where they are used
                if isinstance(layer, nn.ConvTranspose2d):  # inputs that one output sees
                    fan = layer.weight[:, 0].numel() / (layer.stride[0] * layer.stride[1])
                elif isinstance(layer, (nn.Conv2d, nn.Linear, ResizeConv2d)):
                    fan = layer.weight[0].numel()
                else:
                    continue
                nn.init.normal_(layer.weight, 0.0, fan**-0.5)
    return made.eval().requires_grad_(False)


def _row(exact: BaseGAN, served: BaseGAN, rounds: int, batch: int) -> dict[str, Any]:
    examples = {child: tuple(_repeated(x, batch) for x in inputs) for child, inputs in exact.example().items()}

    def run(gan: BaseGAN) -> list[Tensor]:
        return [gan.get_submodule(child)(*inputs) for child, inputs in examples.items()]

    pictures, others = run(exact), run(served)  # warm
    same = served.variant == "exact"
    taken = paired(lambda: run(exact), lambda: run(served), rounds, SECONDS)
    plain = statistics.median(a for a, _ in taken)
    return {
        "size": pictures[-1].shape[-1],
        "batch": batch,
        "device": f"cpu, {torch.get_num_threads()} threads" if exact.device.type == "cpu" else str(exact.device),
        "plain_ms": round(plain, 2),
        "served_ms": round(plain if same else statistics.median(b for _, b in taken), 2),
        "ratio": 1.0 if same else round(statistics.median(a / b for a, b in taken), 2),
        "psnr": None if same else round(min(psnr(b, a) for a, b in zip(pictures, others, strict=True)), 1),
    }


def _repeated(x: Tensor, batch: int) -> Tensor:
    return torch.cat([x] * batch)
