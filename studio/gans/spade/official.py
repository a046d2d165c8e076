"""The authors' own files of SPADE: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studio.base import checked
from studio.gans.spade.paper import Config
from studio.refused import Phrase, Refused

# ---- official checkpoints ---------------------------------------------------------------------------------------


def official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads the architecture off the names and shapes of official files, and gives the name map: ours -> theirs.

    The files are those of the authors' code (github.com/NVlabs/SPADE): ``latest_net_G.pth`` alone, or a folder
    with the ``_G``, ``_E`` and ``_D`` of one training, whose names then begin with ``G.``, ``E.``, ``D.``.

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    parts: dict[str, dict[str, Sequence[int]]] = {}
    prefixed = all(name[:2] in ("G.", "E.", "D.") for name in names)
    for name, shape in names.items():
        parts.setdefault(name[0] if prefixed else "", {})[name[2:] if prefixed else name] = shape
    shapes = parts.get("G", parts.get("", {}))
    if "head_0.norm_0.mlp_shared.0.weight" not in shapes:
        raise _unknown(names)
    config = _official_config(shapes, parts.get("E"), parts.get("D"))
    table = _official_generator(config, shapes)
    table = {f"generator.{ours}": ("G." if prefixed else "") + theirs for ours, theirs in table.items()}
    for k in range(6 if "E" in parts else 0):
        table |= _weights(f"encoder.convs.{k}", f"E.layer{k + 1}.0", bias=not config.encoder_norm)
    if "E" in parts:
        table |= _weights("encoder.mean", "E.fc_mu", False) | _weights("encoder.log_variance", "E.fc_var", False)
        table |= {"encoder.mean.bias": "E.fc_mu.bias", "encoder.log_variance.bias": "E.fc_var.bias"}
    for judge in range(config.judges if "D" in parts else 0):
        for k in range(config.judge_layers + 1):
            inner = 0 < k < config.judge_layers
            theirs = f"D.discriminator_{judge}.model{k}.0" + (".0" if inner else "")
            table |= _weights(f"discriminator.judges.{judge}.convs.{k}", theirs, bias=not inner, spectral=inner)
    return config, table


def _official_generator(config: Config, shapes: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """
    =========================  ==========================================
    ours                       theirs
    =========================  ==========================================
    first, last                fc, conv_img
    blocks.0, .1, .2, .3 …     head_0, G_middle_0, G_middle_1, up_0 …
    conv_0, conv_1, conv_s     conv_0, conv_1, conv_s (spectral norm)
    norm_k.norm                norm_k.param_free_norm (averages alone)
    norm_k.modulation.shared   norm_k.mlp_shared.0
    norm_k.modulation.gamma …  norm_k.mlp_gamma, norm_k.mlp_beta
    =========================  ==========================================
    """
    table = _weights("first", "fc") | _weights("last", "conv_img")
    theirs = ["head_0", "G_middle_0", "G_middle_1", *(f"up_{k}" for k in range(5))]
    for k, block in enumerate(name for name in theirs if f"{name}.conv_0.weight_orig" in shapes):
        for part in "01s":
            if f"{block}.conv_{part}.weight_orig" not in shapes:
                continue
            table |= _weights(f"blocks.{k}.conv_{part}", f"{block}.conv_{part}", bias=part != "s", spectral=True)
            ours, norm = f"blocks.{k}.norm_{part}", f"{block}.norm_{part}"
            for mine, other in (("shared", "mlp_shared.0"), ("gamma", "mlp_gamma"), ("beta", "mlp_beta")):
                table |= _weights(f"{ours}.modulation.{mine}", f"{norm}.{other}")
            for kept in ("running_mean", "running_var"):
                if f"{norm}.param_free_norm.{kept}" in shapes:
                    table[f"{ours}.norm.{kept}"] = f"{norm}.param_free_norm.{kept}"
    return table


def _official_config(
    shapes: Mapping[str, Sequence[int]],
    encoder: Mapping[str, Sequence[int]] | None,
    judges: Mapping[str, Sequence[int]] | None,
) -> Config:
    hidden, channels, kernel = shapes["head_0.norm_0.mlp_shared.0.weight"][:3]
    if kernel != 3 or "head_0.conv_0.weight_orig" not in shapes:
        what = Phrase("spade.kernels", side=kernel) if kernel != 3 else Phrase("spade.noSpectral")
        raise Refused("spade.notPapers", what=what)
    labels, unknown, edges = KNOWN.get(channels, (channels, False, False))
    deepest, start = shapes["head_0.conv_0.weight_orig"][0], shapes["fc.weight"]
    # Nothing in a file tells 5 doublings from 6; of the authors' models only Cityscapes' (36 channels) has 6.
    doublings = 7 if "up_4.conv_0.weight_orig" in shapes else 6 if channels == 36 else 5
    style, side = (start[1], math.isqrt(start[0] // deepest)) if len(start) == 2 else (0, 512 >> 6 if edges else 8)
    if style and side**2 * deepest != start[0]:
        raise Refused("spade.notSquare")
    size = side << doublings if style else {5: 256, 6: 512, 7: 512}[doublings]
    if size not in (32, 64, 128, 256, 512):
        raise Refused("spade.size", size=size)
    settings: dict[str, Any] = {}
    if encoder and ("layer6.0.weight_orig" not in encoder or encoder["layer1.0.weight_orig"][0] * 16 != deepest):
        raise Refused("spade.otherEncoder")
    if judges is not None:
        first = [name for name in judges if name.startswith("discriminator_0.") and len(judges[name]) == 4]
        settings["judges"] = len({name.split(".")[0] for name in judges})
        settings["judge_layers"], settings["judge_width"] = len(first) - 1, judges[first[0]][0]
    return checked(
        Config(
            size=size, labels=labels, unknown=unknown, edges=edges, width=deepest // 16, doublings=doublings,
            hidden=hidden, kernel=shapes["head_0.norm_0.mlp_gamma.weight"][2],
            norm="batch" if "head_0.norm_0.param_free_norm.running_mean" in shapes else "instance",
            style=style, encoder=encoder is not None, **settings,
        )
    )  # fmt: skip


KNOWN = {  # channels of a label map -> (classes, a channel for unknown, a channel of borders between objects)
    184: (182, True, True),  # COCO-Stuff
    183: (182, True, False),
    152: (150, True, True),
    151: (150, True, False),  # ADE20K
    36: (35, False, True),  # Cityscapes
}


def _weights(ours: str, theirs: str, bias: bool = True, spectral: bool | None = None) -> dict[str, str]:
    """Names of one convolution; with spectral norm its weight is kept with the two vectors of the power iteration."""
    if spectral is None:
        spectral = ".convs." in ours
    found = {f"{ours}.weight": f"{theirs}.weight"}
    if spectral:
        kept = f"{ours}.parametrizations.weight"
        found = {f"{kept}.original": f"{theirs}.weight_orig"}
        found |= {f"{kept}.0._u": f"{theirs}.weight_u", f"{kept}.0._v": f"{theirs}.weight_v"}
    return found | ({f"{ours}.bias": f"{theirs}.bias"} if bias else {})


def _unknown(names: Mapping[str, Sequence[int]]) -> Refused:
    """Of a file that is no SPADE generator."""
    if "fc_mu.weight" in names or "E.fc_mu.weight" in names:
        return Refused("spade.encoder", wanted=Phrase("spade.wanted"))
    if any(name.startswith(("discriminator_0.", "D.discriminator_0.")) for name in names):
        return Refused("spade.discriminator", wanted=Phrase("spade.wanted"))
    return Refused("spade.notGenerator", names=list(names)[:3])
