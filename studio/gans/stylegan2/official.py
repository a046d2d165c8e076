"""The authors' own files of StyleGAN2: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping as Table
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from studio import latents
from studio.base import checked
from studio.gans.stylegan2.paper import TAPS, Config, active
from studio.layers import pixel_norm
from studio.refused import Refused

# ---- official checkpoints ---------------------------------------------------------------------------------------


def laid_out(tensors: Table[str, Tensor]) -> dict[str, Tensor]:
    """The generator's tensors of an official file in our shapes, names as they are; of several (``g``, ``d``,
    ``g_ema``) the averaged one. Filters are taken out once they are found to be the paper's.

    Raises:
        ValueError: a filter that is another, which would give other pictures.
    """
    for prefix in ("g_ema.", "g."):
        if any(name.startswith(prefix) for name in tensors):
            average = {k: v for k, v in tensors.items() if k == "latent_avg"}
            tensors = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)} | average
            break
    found = {}
    for name, value in tensors.items():
        if name.endswith(("resample_filter", "blur.kernel", "upsample.kernel")):
            paper = torch.outer(torch.tensor(TAPS), torch.tensor(TAPS)).float()
            if value.shape != paper.shape or not torch.allclose(value / value.sum(), paper / paper.sum(), atol=1e-5):
                raise Refused("stylegan2.filter", name=name)
        elif name.endswith("noise_strength"):
            found[name] = value.reshape(1)
        elif name.endswith(".const"):
            found[name] = value[None] if value.ndim == 3 else value
        elif name == "latent_avg" or (name.endswith(".bias") and "to_rgb" in name and "modulation" not in name):
            found[name] = value.flatten()
        elif value.ndim == 5 or name.startswith("noises."):
            found[name] = value[0] if value.ndim == 5 else value[0, 0]
        else:
            found[name] = value
    if "style.1.weight" in found and "latent_avg" not in found:  # training states lack it
        found["latent_avg"] = _average(found)
    return found


def official(names: Table[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads the architecture off an official file's names and shapes, and gives the name map: ours -> theirs.

    Either NVIDIA's (github.com/NVlabs/stylegan2-ada-pytorch) or rosinality's (github.com/rosinality/
    stylegan2-pytorch).

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    if "mapping.embed.weight" in names:
        raise Refused("stylegan2.labelled")
    theirs = "mapping.fc" if "mapping.fc0.weight" in names else "style."
    first = 0 if theirs == "mapping.fc" else 1
    depth = sum(bool(re.fullmatch(re.escape(theirs) + r"\d+\.weight", name)) for name in names)
    weights = [
        n
        for n in names
        if re.fullmatch(r"synthesis\.b\d+\.conv1\.weight|conv1\.conv\.weight|convs\.\d*[13579]\.conv\.weight", n)
    ]
    if not depth or not weights or "synthesis.input.freqs" in names:
        raise Refused("stylegan2.notGenerator", names=list(names)[:3])
    wide = [names[n][0] for n in sorted(weights, key=_place)]  # at 4, 8, 16 … px
    size = 4 << (len(wide) - 1)
    z, w = names[f"{theirs}{first}.weight"][1], names[f"{theirs}{first}.weight"][0]
    width = max(n * 4 << k for k, n in enumerate(wide))
    if wide != [min(wide[0], width // (4 << k)) for k in range(len(wide))]:
        raise Refused("stylegan2.channels", channels=wide)
    config = checked(Config(size=size, width=width, cap=wide[0], z=z, w=w, depth=depth))
    return config, _nvidia(config) if first == 0 else _rosinality(config)


def _place(name: str) -> int:
    """Orders the layers' names by size."""
    numbers = re.findall(r"\d+", name)
    return -1 if name.startswith("conv1") else int(numbers[0])


def _nvidia(config: Config) -> dict[str, str]:
    """
    =====================================  ===========================================
    ours                                   theirs, at side S
    =====================================  ===========================================
    mapping.layers.k, mapping.average      mapping.fck, mapping.w_avg
    synthesis.constant                     synthesis.b4.const
    synthesis.layers.k .conv.conv.weight   synthesis.bS.conv0 (doubling), conv1 .weight
    .conv.style, .bias, .strength, .noise  .affine, .bias, .noise_strength, .noise_const
    synthesis.colours.k                    synthesis.bS.torgb
    =====================================  ===========================================
    """
    table = {"mapping.average": "mapping.w_avg", "synthesis.constant": "synthesis.b4.const"}
    for k in range(config.depth):
        table |= {f"mapping.layers.{k}.{p}": f"mapping.fc{k}.{p}" for p in ("weight", "bias")}
    parts = {"conv.conv.weight": "weight", "conv.style.weight": "affine.weight", "conv.style.bias": "affine.bias"}
    parts["bias"] = "bias"
    noisy = parts | {"strength": "noise_strength", "noise": "noise_const"}
    for k in range(int(math.log2(config.size)) - 1):
        block = f"synthesis.b{4 << k}"
        table |= {f"synthesis.colours.{k}.{a}": f"{block}.torgb.{b}" for a, b in parts.items()}
        table |= {f"synthesis.layers.{2 * k}.{a}": f"{block}.conv1.{b}" for a, b in noisy.items()}
        if k:
            table |= {f"synthesis.layers.{2 * k - 1}.{a}": f"{block}.conv0.{b}" for a, b in noisy.items()}
    return table


def _rosinality(config: Config) -> dict[str, str]:
    """
    ======================================  ==========================================
    ours                                    theirs
    ======================================  ==========================================
    mapping.layers.k, mapping.average       style.(k + 1), latent_avg
    synthesis.constant                      input.input
    synthesis.layers.0, layers.k            conv1, convs.(k - 1)
    .conv.conv.weight, .conv.style          .conv.weight, .conv.modulation
    .bias, .strength, .noise                .activate.bias, .noise.weight, noises.noise_k
    synthesis.colours.0, colours.k          to_rgb1, to_rgbs.(k - 1)
    ======================================  ==========================================
    """
    table = {"mapping.average": "latent_avg", "synthesis.constant": "input.input"}
    for k in range(config.depth):
        table |= {f"mapping.layers.{k}.{p}": f"style.{k + 1}.{p}" for p in ("weight", "bias")}
    style = {"conv.conv.weight": "conv.weight"}
    style |= {f"conv.style.{p}": f"conv.modulation.{p}" for p in ("weight", "bias")}
    for k in range(2 * int(math.log2(config.size)) - 3):
        theirs = f"convs.{k - 1}" if k else "conv1"
        parts = style | {"bias": "activate.bias", "strength": "noise.weight"}
        table |= {f"synthesis.layers.{k}.{a}": f"{theirs}.{b}" for a, b in parts.items()}
        table[f"synthesis.layers.{k}.noise"] = f"noises.noise_{k}"
    for k in range(int(math.log2(config.size)) - 1):
        theirs = f"to_rgbs.{k - 1}" if k else "to_rgb1"
        table |= {f"synthesis.colours.{k}.{a}": f"{theirs}.{b}" for a, b in (style | {"bias": "bias"}).items()}
    return table


def _average(tensors: Table[str, Tensor]) -> Tensor:
    """The mean of w over 4096 z, by the mapping network of a rosinality file."""
    x = pixel_norm(torch.randn(4096, tensors["style.1.weight"].shape[1], generator=latents.random(0)))
    for k in range(1, sum(name.startswith("style.") for name in tensors) // 2 + 1):
        weight, bias = tensors[f"style.{k}.weight"].float(), tensors[f"style.{k}.bias"].float()
        x = active(F.linear(x, weight * (0.01 / math.sqrt(weight.shape[1])), bias * 0.01))
    return x.mean(dim=0)
