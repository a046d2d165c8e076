"""A duel: the plain GAN's loss against a GAN's own, with the same networks, data, z and seconds.

    python -m studio.training.duel wgan_gp mlp-digits --data real:digits --seconds 60

Both arms begin with the same weights and are given the same pictures in the same order; each is trained for so many
seconds of one core. What can be seen of them is written down at certain seconds: ``duel.webp`` (a row of sheets for
each second, plain on the left) and the card's ``duel`` (curves, classes drawn, the critic's values).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from studio import checkpoints, images, judges, registry
from studio.base import BaseGAN, Losses, Optimizers, descend
from studio.data import Stream
from studio.images import Picture
from studio.losses import bce

SHOTS = (2, 5, 10, 20, 30, 45, 60)  # seconds at which both arms are looked at
COLUMNS, ROWS = 8, 4  # of a sheet
COUNTED = 300  # made pictures in which classes are counted …
LEAST = 0.02  # … each from this share on
HELD = 64  # pictures whose values the critic says


def plain_optimizers(gan: BaseGAN) -> dict[str, Optimizer]:
    """Adam with DCGAN's betas for both players, at the GAN's own step size."""
    return {
        name: Adam(getattr(gan, name).parameters(), gan.config.lr, (0.5, 0.999)) for name in ("critic", "generator")
    }


def plain_step(gan: BaseGAN, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
    """The first GAN's step (1406.2661, algorithm 1, with the loss of section 3), the critic's number as a logit."""
    (picture,) = batch
    fake = gan.generator(gan.noise(len(picture)))
    judge = bce(gan.critic(picture), True) + bce(gan.critic(fake.detach()), False)
    descend(optimizers["critic"], judge)
    fool = bce(gan.critic(fake), True)
    descend(optimizers["generator"], fool)
    return {"judge": judge, "fool": fool}


def train(
    gan: BaseGAN, data: Any, step: Callable, players: Optimizers, seconds: float, seed: int, shots: Sequence[float]
) -> tuple[list[dict[str, float]], list[dict[str, Any]]]:
    """Trains for so many seconds of this process's CPU time; looking costs none of them.

    Returns:
        The curve, about a point a second: means of the losses since the last one, and what was seen at each of the
        shots (see `look`).
    """
    stream, spent, k = Stream(data, gan.config.batch, seed), 0.0, 0
    curve, seen, since, left = [], [], {}, list(shots)
    places = range(0, len(data), max(1, len(data) // HELD))
    real = data.batch(places, [None] * len(places))[0]
    while spent < seconds:
        start = time.process_time()
        losses = step(gan, stream[k], players, k)
        spent, k = spent + time.process_time() - start, k + 1
        for name, value in losses.items():
            since.setdefault(name, []).append(float(value.detach()))
        if spent >= len(curve) + 1:
            curve.append({"second": round(spent, 2)} | {name: sum(v) / len(v) for name, v in since.items()})
            since = {}
        while left and spent >= left[0]:
            seen.append(look(gan, real, data.source) | {"second": left.pop(0), "step": k})
    return curve, seen


@torch.no_grad()
def look(gan: BaseGAN, real: Tensor, source: str) -> dict[str, Any]:
    """What can be seen of an arm: a sheet of the same z each time, how many classes it draws, what its critic says."""
    gan.eval()
    made = gan.drawn(gan.noise(COUNTED, torch.Generator().manual_seed(0)))
    rows = [images.to_pictures(made[k : k + COLUMNS]) for k in range(0, COLUMNS * ROWS, COLUMNS)]
    found: dict[str, Any] = {"sheet": images.sheet(rows)}
    if (judge := judges.find([str(k) for k in range(10)], of=source)) is not None:
        shares = torch.bincount(torch.cat([judge(x).argmax(1) for x in made.split(64)]), minlength=10) / len(made)
        found |= {"classes": int((shares >= LEAST).sum()), "most": float(shares.max())}
    for name, pictures in (("real", real), ("made", made[: len(real)])):
        found[name] = gan.critic(pictures).tolist()
    gan.train()
    return found


def fight(
    kind: type[BaseGAN], config: Any, source: str, seconds: float, seed: int = 0
) -> tuple[dict[str, Any], Picture]:
    """Trains both arms.

    Returns:
        What the card says of it, and the sheets: a row for each shot, the plain GAN's on the left.
    """
    data, shots = kind.Data(source, config), [second for second in SHOTS if second <= seconds]
    found: dict[str, Any] = {"data": source, "seconds": shots, "seed": seed, "arms": {}}
    sheets = []
    for arm, step in (("plain", plain_step), ("own", kind.train_step)):
        torch.manual_seed(seed)
        gan = kind(config).train()
        players = gan.optimizers() if arm == "own" else plain_optimizers(gan)
        curve, seen = train(gan, data, step, players, seconds, seed, shots)
        sheets.append([each.pop("sheet") for each in seen])
        found["arms"][arm] = {"curve": [_short(point) for point in curve], "seen": [_short(each) for each in seen]}
    return found, images.sheet([list(row) for row in zip(*sheets, strict=True)], gap=0)


def keep(gan: str, tag: str, found: dict[str, Any], sheets: Picture) -> None:
    """Puts a fight into a checkpoint's folder and card."""
    sheets.save(checkpoints.folder(gan, tag) / "duel.webp", lossless=True)
    checkpoints.update_card(gan, tag, duel=found)


def _short(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers as they stand in a card."""
    return {k: [round(x, 3) for x in v] if isinstance(v, list) else round(v, 4) for k, v in values.items()}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        "python -m studio.training.duel", description="Plain GAN against a GAN's own loss."
    )
    parser.add_argument("gan")
    parser.add_argument("tag")
    parser.add_argument("--data", default="real:digits")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(argv)
    torch.set_num_threads(1)
    kind = registry.gan(given.gan)
    config = kind.configured(checkpoints.card(given.gan, given.tag)["config"])
    found, sheets = fight(kind, config, given.data, given.seconds, given.seed)
    keep(given.gan, given.tag, found, sheets)
    for arm, told in found["arms"].items():
        for each in told["seen"]:
            print(arm, {k: v for k, v in each.items() if k not in ("real", "made")})


if __name__ == "__main__":
    main()
