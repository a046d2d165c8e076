"""The authors' own files of StarGAN: whose names and shapes they have, and where each tensor belongs here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from studio.base import checked
from studio.data import labels_of
from studio.gans.stargan.paper import PAPERS, Config
from studio.refused import Phrase, Refused

# ---- official checkpoints ---------------------------------------------------------------------------------------


def official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Reads the architecture off official files' names and shapes, and gives the name map: ours -> theirs.

    The files are the state dicts ``…-G.ckpt`` and ``…-D.ckpt`` of the authors' code (github.com/yunjey/stargan);
    G alone will do, with D the face's own attributes can be read. What the labels are called no file tells: with
    five of them the paper's names are taken, else ``labels`` must be set.

    Raises:
        ValueError: the file is something else; says what it looks like.
    """
    files: dict[str, dict[str, Sequence[int]]] = {}
    for name, shape in names.items():
        prefix = re.match(r"(\d+/)?(module\.)?", name).group()
        files.setdefault(prefix, {})[name[len(prefix) :]] = shape
    generator = next((p for p, each in files.items() if len(each.get("main.0.weight", ())) == 4
                      and each["main.0.weight"][-1] == 7), None)  # fmt: skip
    judge = next((p for p, each in files.items() if "conv1.weight" in each and "conv2.weight" in each), None)
    if generator is None or len(files) > 1 + (judge is not None):
        other = Phrase("stargan.somethingElse", names=list(names)[:3])
        looks = other if judge is None else Phrase("stargan.discriminator")
        raise Refused("stargan.notGenerator", looks=looks)
    config, table = _official_generator(files[generator], generator)
    if judge is not None:
        config, more = _official_judge(config, files[judge], judge)
        table |= more
    return checked(Config(**config)), table


def _official_generator(names: Mapping[str, Sequence[int]], prefix: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Their generator is one sequence ``main``, in which also ReLUs are counted.

    ======================  =============================================
    ours                    theirs
    ======================  =============================================
    first, norms.0          main.0, main.1
    downs.k, norms.k+1      main.3k+3, main.3k+4
    blocks.k.convs.0, .1    main.k+9.main.0, .3
    blocks.k.norms.0, .1    main.k+9.main.1, .4
    ups.k, norms.k+3        main.9+blocks+3k, main.10+blocks+3k
    last                    main.9+blocks+6
    ======================  =============================================
    """
    blocks = len({name.split(".")[1] for name in names if re.match(r"main\.\d+\.main\.", name)})
    width, given = names["main.0.weight"][0], names["main.0.weight"][1] - 3
    known = len(labels_of(PAPERS).names)
    labels = PAPERS if given == known else " ".join(f"label_{k}" for k in range(1, given + 1))
    end = 9 + blocks
    convs = {"first": "0", "downs.0": "3", "downs.1": "6", "ups.0": f"{end}", "ups.1": f"{end + 3}",
             "last": f"{end + 6}"}  # fmt: skip
    norms = {"norms.0": "1", "norms.1": "4", "norms.2": "7", "norms.3": f"{end + 1}", "norms.4": f"{end + 4}"}
    for k in range(blocks):
        convs |= {f"blocks.{k}.convs.{j}": f"{9 + k}.main.{3 * j}" for j in (0, 1)}
        norms |= {f"blocks.{k}.norms.{j}": f"{9 + k}.main.{3 * j + 1}" for j in (0, 1)}
    table = {f"generator.{ours}.weight": f"{prefix}main.{theirs}.weight" for ours, theirs in convs.items()}
    for ours, theirs in norms.items():
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            if f"main.{theirs}.{leaf}" in names or leaf in ("weight", "bias"):
                table[f"generator.{ours}.{leaf}"] = f"{prefix}main.{theirs}.{leaf}"
    return {"width": width, "blocks": blocks, "labels": labels}, table


def _official_judge(
    config: dict[str, Any], names: Mapping[str, Sequence[int]], prefix: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Theirs is ``main`` with a convolution at every even place, then conv1 (real or not) and conv2 (labels)."""
    depth = len([name for name in names if re.fullmatch(r"main\.\d+\.weight", name)])
    width, side = names["main.0.weight"][0], names["conv2.weight"][-1]
    read, given = names["conv2.weight"][0], len(labels_of(config["labels"]).names)
    if read != given:
        raise Refused("stargan.mask", given=given, read=read)
    config |= {"size": side << depth, "judge_width": width, "judge_depth": depth, "judge_cap": width << (depth - 1)}
    table = {"discriminator.source.weight": f"{prefix}conv1.weight"}
    table |= {"discriminator.labels.weight": f"{prefix}conv2.weight"}
    for k in range(depth):
        for leaf in ("weight", "bias"):
            table[f"discriminator.convs.{k}.{leaf}"] = f"{prefix}main.{2 * k}.{leaf}"
    return config, table
