"""The authors' own files of Pix2Pix: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from studio.base import checked
from studio.gans.pix2pix.paper import Config
from studio.refused import Refused

# ---- official checkpoints ---------------------------------------------------------------------------------------


def official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads the architecture off an official file's names and shapes, and gives the name map: ours -> theirs.

    The files are state dicts of ``UnetGenerator`` and ``NLayerDiscriminator`` of the authors' PyTorch code
    (github.com/junyanz/pytorch-CycleGAN-and-pix2pix).

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    if any(name.startswith("model.model.") for name in names):
        return _official_unet(names)
    if ("model.0.weight" in names and len(names["model.0.weight"]) == 4) or "net.0.weight" in names:
        raise Refused("pix2pix.discriminator")
    raise Refused("pix2pix.notUnet", names=list(names)[:3])


def _official_unet(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Blocks are nested: ``model.model.1.model.3.model.3 …``: its down layers, the next block, its up layers.

    ====================  ===========================  =====================================
    ours                  theirs (P = block's prefix)  where
    ====================  ===========================  =====================================
    downs.0.conv          P.0                          outermost block
    ups.last.conv         P.3                          outermost block
    downs.k.conv, .norm   P.1, P.2                     middle blocks
    ups.m.conv, .norm     P.5, P.6                     middle blocks
    downs.last.conv       P.1                          innermost block (no norm on one pixel)
    ups.0.conv, .norm     P.3, P.4                     innermost block
    ====================  ===========================  =====================================
    """
    depth = max(len(re.findall(r"model", name)) for name in names) - 1
    prefix = ["model.model"]
    for k in range(1, depth):
        prefix.append(prefix[-1] + (".1.model" if k == 1 else ".3.model"))
    kernel = names.get("model.model.0.weight")
    if depth < 5 or kernel is None or len(kernel) != 4 or tuple(kernel[2:]) != (4, 4):
        raise Refused("pix2pix.notNested", depth=depth)
    outputs = names[f"{prefix[0]}.3.weight"][1] if f"{prefix[0]}.3.weight" in names else 0
    if outputs != 3:
        raise Refused("pix2pix.channels", outputs=outputs)
    affine = f"{prefix[1]}.2.weight" in names
    biased = f"{prefix[1]}.1.bias" in names
    config = checked(
        Config(
            size=2**depth,
            width=kernel[0],
            cap=names[f"{prefix[-1]}.1.weight"][0],
            inputs=kernel[1],
            norm="instance" if biased else "batch",
            affine=affine,
        )
    )

    table: dict[str, str] = {}

    def put(ours: str, theirs: str, bias: bool) -> None:
        table[f"{ours}.weight"] = f"{theirs}.weight"
        if bias:
            table[f"{ours}.bias"] = f"{theirs}.bias"

    def put_norm(ours: str, theirs: str) -> None:
        if affine:
            put(ours, theirs, bias=True)
        if f"{theirs}.running_mean" in names:
            table[f"{ours}.running_mean"] = f"{theirs}.running_mean"
            table[f"{ours}.running_var"] = f"{theirs}.running_var"

    put("downs.0.conv", f"{prefix[0]}.0", biased)
    put(f"ups.{depth - 1}.conv", f"{prefix[0]}.3", True)
    for k in range(1, depth - 1):
        put(f"downs.{k}.conv", f"{prefix[k]}.1", biased)
        put_norm(f"downs.{k}.norm", f"{prefix[k]}.2")
        put(f"ups.{depth - 1 - k}.conv", f"{prefix[k]}.5", biased)
        put_norm(f"ups.{depth - 1 - k}.norm", f"{prefix[k]}.6")
    put(f"downs.{depth - 1}.conv", f"{prefix[-1]}.1", biased)
    put("ups.0.conv", f"{prefix[-1]}.3", biased)
    put_norm("ups.0.norm", f"{prefix[-1]}.4")
    return config, {f"generator.{ours}": theirs for ours, theirs in table.items()}
