"""Official checkpoints, taken over by their names and shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio import formats, registry
from studio.base import checked
from studio.checkpoints.shelf import SHIPPED, build, checked_tag, save
from studio.refused import Refused


def adopt(
    path: str | Path | Sequence[str | Path],
    gan: str,
    tag: str,
    title: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Takes over an official checkpoint: reads its architecture off names and shapes and writes a checkpoint.

    Args:
        path: the file, such as ``latest_net_G.pth``; a folder with those of several networks; or several files that
            belong together (the names in each then begin with its number, ``0/``, ``1/`` …). Nothing in them is
            executed.
        gan: which GAN it is a checkpoint of.
        tag: the name it gets; it goes to ``STUDIO_HOME``.
        settings: fields of the Config that a file cannot tell.

    Returns:
        The new checkpoint's folder.

    Raises:
        ValueError: says what the file looks like and what was expected.
    """
    kind = registry.gan(gan)
    checked_tag(tag)
    if not hasattr(kind, "official"):
        raise Refused("model.noOfficial", gan=gan)
    if (SHIPPED / gan / tag).exists():
        raise Refused("model.taken", tag=tag)
    paths = [Path(path)] if isinstance(path, (str, Path)) else [Path(each) for each in path]
    read = [formats.read(each) for each in paths]
    tensors = read[0] if len(read) == 1 else {f"{k}/{n}": v for k, each in enumerate(read) for n, v in each.items()}
    alone = len(paths) == 1 and paths[0].is_file()  # several files are networks that belong together
    made = _built(kind, [tensors, *(formats.others(tensors) if alone else [])], settings)
    files = [
        {"file": each.name, "sha256": hashlib.sha256(each.read_bytes()).hexdigest()}
        for path in paths
        for each in formats.files(path)
    ]
    facts = {
        "title": {"en": title or tag, "ko": title or tag},
        "origin": {"kind": "adopted", **files[0], **({"beside": files[1:]} if files[1:] else {})},
        "licence": "as the file's authors say",
        "limits": {"en": "Not measured here.", "ko": "여기서 측정하지 않았습니다."},
    }
    return save(made, tag, facts, half=False)


def _built(kind: Any, readings: Sequence[Mapping[str, Any]], settings: Mapping[str, Any] | None) -> Any:
    """The network of a file, by its names, or by what they are inside of a wrapper (`formats.others`).

    Raises:
        ValueError: what does not fit, of the names as they are.
    """
    first: ValueError | None = None
    for names in readings:
        try:
            # Their tensors may lie otherwise than ours.
            laid = kind.laid_out(names) if hasattr(kind, "laid_out") else names
            config, table = kind.official({name: tuple(value.shape) for name, value in laid.items()})
            if settings:
                config = checked(replace(config, **settings))
            return build(kind, config, dict(laid), table)
        except ValueError as error:
            first = first or error
        except (KeyError, IndexError, AttributeError, TypeError, ArithmeticError):
            if first is None:
                raise
    raise first
