"""The small judges: classifiers of a few hundred thousand weights that measure GANs and are never trained against.

    judge = find(["smiling", "glasses"])            # None if no judge knows all of these
    judge.says(pictures)                            # (N, labels): 1 or 0; of labels that exclude each other one is 1

A judge lies in ``checkpoints/judges``: ``<name>.safetensors`` and ``<name>.json``, which says how often it is right
on real pictures that it has not seen. It reads pictures of any size at its own. Train one with

    python -m studio.judges --data faces.zip --labels "black|blond smiling" --without CARD --out checkpoints/judges/x

where CARD is a card.json whose ``held_out`` pictures are kept for measuring.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.data import Labelled, Stream, labels_of
from studio.formats import safe
from studio.places import ROOT
from studio.refused import Refused

FOLDER = ROOT / "checkpoints" / "judges"
WIDE = (32, 64, 96, 128)


class Judge(nn.Module):
    """Four convolutions of stride 2 and a mean over places: ``(N, 3, H, W)`` in [-1, 1] -> logits ``(N, labels)``."""

    def __init__(self, labels: str, size: int = 64) -> None:
        super().__init__()
        self.labels, self.size = labels_of(labels), size
        shapes = zip((3, *WIDE), WIDE, strict=False)
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, 2, 1, bias=False) for i, o in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for o in WIDE)
        self.last = nn.Linear(WIDE[-1], len(self.labels.names))

    def maps(self, x: Tensor) -> list[Tensor]:
        """The feature maps of each layer, for perceptual distances."""
        if x.shape[-2:] != (self.size, self.size):
            x = F.interpolate(x, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False)
        found = []
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.maps(x)[-1].mean((2, 3)))

    def says(self, x: Tensor) -> Tensor:
        """What it takes to be true, ``(N, labels)`` of 1.0 and 0.0; in a group that excludes, the likeliest."""
        return decide(self(x), self.labels.groups)


def decide(logits: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """Logits ``(N, L)`` -> 1.0 and 0.0: by sign, and in groups of labels that exclude each other by the largest."""
    said = (logits > 0).float()
    for group in groups:
        place = list(group)
        said[:, place] = F.one_hot(logits[:, place].argmax(1), len(place)).float()
    return said


def load(path: str | Path) -> Judge:
    """A judge from its file, in eval mode.

    Raises:
        ValueError: there is none.
    """
    path = Path(path).with_suffix(".safetensors")
    try:
        described = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        tensors = safe.read(path)
    except OSError as error:
        raise Refused("model.noSuchJudge", file=path) from error
    judge = Judge(described["labels"], described["size"])
    judge.load_state_dict({name: value.float() for name, value in tensors.items()}, strict=False)
    return judge.eval().requires_grad_(False)


def find(names: Sequence[str], folder: Path = FOLDER, of: str = "") -> Judge | None:
    """The first judge that knows all these labels; None if there is none.

    Args:
        of: data whose own judge is taken before others': two sets may have labels of the same names.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        described = json.loads(path.read_text(encoding="utf-8"))
        known = labels_of(described["labels"]).names
        if set(names) <= set(known) and path.with_suffix(".safetensors").is_file():
            found.append((described.get("data", "") != of, path))
    return load(min(found)[1]) if found else None


# ---- training one ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What `Labelled` wants to know of a judge's data."""

    labels: str
    size: int = 64
    mirror: bool = True  # of digits and letters it must not be
    partial: bool = True
    balance: float = 0.5
    drawn: float = 0.0
    move: float = 0.0


def train(
    source: str, labels: str, held: Sequence[str], steps: int, batch: int = 64, seed: int = 0, size: int = 64,
    mirror: bool = True,
) -> tuple:  # fmt: skip
    """A judge of ``labels`` (one label set), and how often it is right on the ``held`` pictures of the source.

    Returns:
        The judge, ``{label: {"n", "right", "balanced"}}`` (balanced = mean of right among its 1s and among its 0s),
        and the number of pictures it was trained on.
    """
    data = Labelled(source, Asked(labels, size, mirror))
    torch.manual_seed(seed)
    judge = Judge(labels, size).train()
    places = [k for k, name in enumerate(data.names) if name in set(held)]
    real, truth = data.batch(places, [None] * len(places)) if places else (None, None)
    data.keep([name for name in data.names if name not in set(held)])
    optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=1e-3)
    stream = Stream(data, batch, seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (0.02 + 0.98 * (1 - step / steps))
        x, labels = stream[step]
        known = ~labels.isnan()
        each = F.binary_cross_entropy_with_logits(judge(_varied(x)), labels.nan_to_num(0.0), reduction="none")
        optimizer.zero_grad(set_to_none=True)
        loss = (each * known).sum() / known.sum()
        loss.backward()
        optimizer.step()
        if step % 50 == 49:
            print(f"step {step + 1}  loss {float(loss.detach()):.3f}", flush=True)
    judge.eval().requires_grad_(False)
    return judge, right(judge, real, truth) if places else {}, len(data)


def right(judge: Judge, x: Tensor, labels: Tensor) -> dict[str, dict[str, float]]:
    """How often a judge says what is known of pictures, a row a label."""
    said, found = torch.cat([judge.says(part) for part in x.split(64)]), {}
    for k, name in enumerate(judge.labels.names):
        known = ~labels[:, k].isnan()
        hit = (said[known, k] == labels[known, k]).float()
        kinds = [hit[labels[known, k] == value] for value in (0, 1)]
        each = [float(kind.mean()) for kind in kinds if len(kind)]
        found[name] = {
            "n": int(known.sum()), "right": round(float(hit.mean()), 3), "balanced": round(sum(each) / len(each), 3),
        }  # fmt: skip
    return found


def _varied(x: Tensor, most: int = 4) -> Tensor:
    """Moved by a few pixels, lighter or darker, more or less contrast: a judge must not lean on such things."""
    down, right_ = (int(v) for v in torch.randint(0, 2 * most + 1, (2,)))
    moved = F.pad(x, (most,) * 4, mode="replicate")[..., down : down + x.shape[2], right_ : right_ + x.shape[3]]
    light, contrast = torch.randn(2, len(x), 1, 1, 1) * 0.1
    return (moved * (1 + contrast) + light).clamp(-1, 1)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m studio.judges", description="Train a small judge.")
    parser.add_argument("--data", required=True)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--without", required=True, metavar="CARD", help="a card.json: what it held out is not used")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--size", type=int, default=64, help="pixels a side at which it reads pictures")
    parser.add_argument("--upright", action="store_true", help="no picture is mirrored: for digits and letters")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", required=True, help="such as checkpoints/judges/portraits")
    given = parser.parse_args(argv)
    if given.threads:
        torch.set_num_threads(given.threads)
    held = json.loads(Path(given.without).read_text(encoding="utf-8"))["held_out"]
    judge, figures, count = train(
        given.data, given.labels, held, given.steps, size=given.size, mirror=not given.upright
    )
    out = Path(given.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    safe.write(
        out.with_suffix(".safetensors"),
        {k: v.half() for k, v in judge.state_dict().items() if not k.endswith("num_batches_tracked")},
    )
    described = {
        "labels": given.labels, "data": Path(given.data).name, "size": judge.size, "trained_on": count,
        "steps": given.steps,
        "command": f"python -m studio.judges --data {Path(given.data).name} --labels {given.labels!r} "
        f"--without CARD --steps {given.steps} --size {given.size}{' --upright' * given.upright} --out {out.name}",
        "right": figures,
    }  # fmt: skip
    out.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1), np.mean([row["right"] for row in figures.values()]))


if __name__ == "__main__":
    main()
