"""The authors' own files of Gated-GAN: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from studio.base import checked
from studio.gans.gated_gan.paper import Config
from studio.refused import Refused

# ---- official checkpoints ---------------------------------------------------------------------------------------


def official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads widths and the number of styles off an official file, and gives the name map: ours -> theirs.

    The files are state dicts of the generator of the PyTorch implementation
    (github.com/colemiller94/gatedGAN).

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    if "fldiscriminator.weight" in names or "aux_clf.weight" in names:
        raise Refused("gated_gan.discriminator")
    if "encoder.model.1.weight" not in names:
        raise Refused("gated_gan.notGenerator", names=list(names)[:3])
    return _official(names)


def _official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """The official layers are numbered in one list each, paddings, norms and ReLUs counted in.

    ======================  ==================================  ==========================================
    ours                    theirs                              where
    ======================  ==================================  ==========================================
    encoder.0, .1, .2       encoder.model.1, .4, .7             7 x 7, then two of stride 2
    gates.k.first, .second  transformer.t.k.conv_block.1, .5    a style's residual block
    blocks.k.first, …       decoder.model.k.conv_block.1, .5    the decoder's residual blocks
    ups.0, ups.1            decoder.model.n, .n + 3             transposed convolutions, n = blocks
    last                    decoder.model.n + 7                 7 x 7
    ======================  ==================================  ==========================================
    """
    styles = len({found[1] for name in names if (found := re.match(r"transformer\.t\.(\d+)\.conv_block", name))})
    blocks = len({found[1] for name in names if (found := re.match(r"decoder\.model\.(\d+)\.conv_block", name))})
    width, inputs = names["encoder.model.1.weight"][:2]
    if inputs != 3 or not styles:
        raise Refused("gated_gan.channels", inputs=inputs, styles=styles)
    config = checked(Config(styles=styles, width=width, blocks=blocks))
    pairs = {f"encoder.{k}.conv": f"encoder.model.{1 + 3 * k}" for k in range(3)}
    for ours, theirs, count in (("gates", "transformer.t", styles), ("blocks", "decoder.model", blocks)):
        for k in range(count):
            pairs[f"{ours}.{k}.first.conv"] = f"{theirs}.{k}.conv_block.1"
            pairs[f"{ours}.{k}.second.conv"] = f"{theirs}.{k}.conv_block.5"
    pairs |= {f"ups.{k}.conv": f"decoder.model.{blocks + 3 * k}" for k in range(2)}
    pairs["last"] = f"decoder.model.{blocks + 7}"
    table = {
        f"generator.{ours}.{leaf}": f"{theirs}.{leaf}" for ours, theirs in pairs.items() for leaf in ("weight", "bias")
    }
    return config, table
