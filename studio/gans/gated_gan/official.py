"""The authors' own files of Gated-GAN: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from studio.base import checked
from studio.gans.gated_gan.paper import Config

# ---- official checkpoints ---------------------------------------------------------------------------------------


def official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads widths and the number of styles off an official file, and gives the name map: ours -> theirs.

    The files are state dicts of the generator of the PyTorch implementation
    (github.com/colemiller94/gatedGAN).

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    if "fldiscriminator.weight" in names or "aux_clf.weight" in names:
        raise ValueError("This is the discriminator (netD…). Gated-GAN needs the generator's file (netG…).")
    if "encoder.model.1.weight" not in names:
        raise ValueError(
            f"This is not a generator of Gated-GAN: its first names are {', '.join(list(names)[:3]) or 'none'}. "
            "Expected names such as encoder.model.1.weight and transformer.t.0.conv_block.1.weight."
        )
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
        raise ValueError(f"This generator takes {inputs} channels and has {styles} styles; it needs 3 and at least 1.")
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
