"""Checkpoints: a folder with a card, weights and a preview.

    checkpoints/<gan>/<tag>/card.json  weights.safetensors  discriminator.safetensors  preview.webp

What the demo needs is in ``weights.safetensors`` (a GAN may say that a network of it has a file of its own,
``weights-<network>.safetensors``); what only a training needs, the judge above all, whatever its GAN calls it, is in
``discriminator.safetensors``.

They are looked for beside the code, where the studio's own are, and then in ``STUDIO_HOME`` (default
``~/.gan-studio``), where everything goes that a visitor adopts or trains.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from studio import formats, images, registry
from studio.base import BaseGAN
from studio.checkpoints import weights
from studio.formats import safe
from studio.guests import owners
from studio.places import ROOT, home, write_atomically
from studio.refused import Missing, Phrase, Refused

SHIPPED = ROOT / "checkpoints"
TAG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
WEIGHTS, JUDGE = "weights.safetensors", "discriminator.safetensors"
HUB = "hub:"  # before the name of a repo on the Hub; no tag has a colon


def places() -> list[Path]:
    return [SHIPPED, home() / "checkpoints"]


def checked_tag(tag: str) -> str:
    """The tag itself.

    Raises:
        ValueError: it could not be a folder's name on every system.
    """
    if not isinstance(tag, str) or not TAG.fullmatch(tag):
        raise Refused("model.tag", tag=str(tag)[:80])
    return tag


def tags(gan: str, cookie: str | None = None) -> list[str]:
    """The checkpoints of a GAN, the default first, then by name.

    Args:
        cookie: of the browser that asks. On a public server those that other browsers made are not listed
            (`studio.guests.owners`); whoever knows the name of one can still use it.
    """
    found = _found(gan)
    listed = [tag for tag, card in found.items() if "owner" not in card or owners.may(card["owner"], cookie)]
    return sorted(listed, key=lambda tag: (not found[tag].get("default", False), "owner" in found[tag], tag))


def all_tags(gan: str) -> list[str]:
    """Also those that are not listed: their names are taken."""
    return list(_found(gan))


def _found(gan: str) -> dict[str, dict[str, Any]]:
    """Every checkpoint's card by its tag."""
    found: dict[str, dict[str, Any]] = {}
    for place in places():
        for path in sorted(place.glob(f"{gan}/*/card.json")):
            if TAG.fullmatch(path.parent.name) and path.parent.name not in found:
                try:
                    found[path.parent.name] = read_card(path)
                except ValueError:
                    continue  # a folder that is being written, or spoiled: `doctor` names it
    return found


def folder(gan: str, tag: str | None = None) -> Path:
    """Where a checkpoint lies; None = the GAN's default.

    Raises:
        ValueError: none of that name; lists those that are there.
    """
    registry.gan(gan)
    known = tags(gan)
    if tag is None and known:
        tag = known[0]
    if tag is not None and checked_tag(tag) in _found(gan):
        return next(place / gan / tag for place in places() if (place / gan / tag / "card.json").exists())
    there = Phrase("model.thereAre", there=known) if known else Phrase("model.noneYet")
    if tag is None:
        raise Missing("model.noCheckpoint", gan=gan, there=there)
    raise Missing("model.noSuchTag", gan=gan, tag=tag, there=there)


def card(gan: str, tag: str | None = None) -> dict[str, Any]:
    """What is known about a checkpoint."""
    return read_card(folder(gan, tag) / "card.json")


def read_card(path: Path) -> dict[str, Any]:
    """A checkpoint's card by its file.

    Raises:
        ValueError: it can't be read, or lacks a field.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if not {"gan", "tag", "config", "files"} <= set(read):
            raise Refused("model.lacksField")
        return read
    except (OSError, ValueError, TypeError) as error:
        raise Refused("model.noCard", file=path, why=error) from error


def has_judge(card: Mapping[str, Any]) -> bool:
    """Whether a checkpoint came with what only a training needs, its discriminator or critic: then it can be asked what
    it thinks of a picture, and be trained on."""
    return JUDGE in card["files"]


def files_of(gan: type[BaseGAN]) -> list[str]:
    """The files of weights that a checkpoint of a GAN may have; the first is always there."""
    return [WEIGHTS, *(_file_of(gan, child) for child in gan.apart), JUDGE]


def _file_of(gan: BaseGAN | type[BaseGAN], child: str) -> str:
    """The file that a network of a GAN is kept in."""
    if child not in gan.demo:
        return JUDGE
    return f"weights-{child}.safetensors" if child in gan.apart else WEIGHTS


def load(gan: str, tag: str | None = None, device: str | None = None) -> BaseGAN:
    """A GAN with a checkpoint's weights, ready for its verbs: in eval mode, without gradients.

    Args:
        gan, tag: None = the GAN's default checkpoint.
        device: ``"cpu"``, ``"cuda"``, ``"mps"``; None = cpu.

    Raises:
        ValueError: no such checkpoint, of another GAN, damaged, or not finite.
    """
    place = folder(gan, tag)
    described = read_card(place / "card.json")
    if described["gan"] != gan:
        raise Refused("model.anothers", tag=place.name, theirs=described["gan"], gan=gan)
    kind = registry.gan(gan)
    config = kind.configured(described["config"])
    tensors: dict[str, Tensor] = {}
    for name, facts in described["files"].items():
        tensors |= _read_file(place / Path(name).name, facts)
    loaded = build(kind, config, tensors)
    loaded.extras = described.get("extras", {})
    loaded.to(device or "cpu")
    return loaded


def build(kind: type[BaseGAN], config: Any, tensors: dict[str, Tensor], table: dict[str, str] | None = None) -> BaseGAN:
    """A GAN from tensors by name. Networks that they say nothing about, and no demo needs, are left out (None)."""
    with torch.device("meta"), _NoInit():  # no memory and no random numbers for weights that are replaced at once
        made = kind(config)
    ours = set(table) if table is not None else set(tensors)
    for name, _ in list(made.named_children()):
        if not any(n.startswith(name + ".") for n in ours) and name not in made.demo:
            setattr(made, name, None)
    weights.fill(made, tensors, table, optional=("running_mean", "running_var"))
    return made.eval().requires_grad_(False)


class _NoInit(TorchFunctionMode):
    """Skips torch.nn.init: on tensors without memory it would first import a compiler, for seconds, and then do
    nothing."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if getattr(function, "__module__", "") == "torch.nn.init":
            return args[0] if args else (kwargs or {}).get("tensor")
        return function(*args, **(kwargs or {}))


def _read_file(path: Path, facts: dict[str, Any]) -> dict[str, Tensor]:
    if not path.is_file():
        raise Refused("model.missing", file=path.name)
    if (what := formats.not_a_file_of_weights(path)) is not None:  # cloned without git-lfs, say
        raise Refused(what, file=path.name)
    if hashlib.sha256(path.read_bytes()).hexdigest() != facts.get("sha256"):
        raise Refused("model.changed", file=path.name)
    return safe.read(path)


def save(
    gan: BaseGAN,
    tag: str,
    facts: dict[str, Any],
    preview: images.Picture | None = None,
    *,
    where: Path | None = None,
    half: bool = True,
    beside: Sequence[Path] = (),
) -> Path:
    """Writes a checkpoint; the folder appears whole or not at all, and an older one of the tag is replaced.

    Args:
        facts: the card besides gan, tag, config and files (title, origin, licence, limits, figures …).
        where: the checkpoints folder; None = ``STUDIO_HOME``.
        half: half precision, as shipped; values too large for it keep the file in fp32.
        beside: further files for the folder, such as example inputs.

    Raises:
        ValueError: weights that are not finite, or a disk that is full (what was there stays).
    """
    name = registry.name_of(gan)
    target = (where or home() / "checkpoints") / name / checked_tag(tag)
    parts: dict[str, dict[str, Tensor]] = {}
    for child, network in gan.named_children():
        if next(network.parameters(), None) is None:
            continue  # what a training remembers besides weights (earlier fakes): it begins anew
        file = _file_of(gan, child)
        for key, value in network.state_dict().items():
            if not torch.isfinite(value).all():
                raise Refused("model.notFinite", network=child, name=key)
            parts.setdefault(file, {})[f"{child}.{key}"] = value
    with appearing(target) as fresh:
        files = {}
        for file, tensors in parts.items():
            if half and all(v.abs().max() < 6e4 for v in tensors.values() if v.numel()):
                tensors = {k: v.half() for k, v in tensors.items()}
            safe.write(fresh / file, tensors)
            content = (fresh / file).read_bytes()
            files[file] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for file in beside:
            shutil.copyfile(file, fresh / file.name)
        if preview is not None:
            preview.save(fresh / "preview.webp", quality=90)
        described = {
            "gan": name,
            "tag": tag,
            "config": asdict(gan.config),
            "files": files,
            "extras": gan.extras,
            **facts,
        }
        (fresh / "card.json").write_text(card_text(described), encoding="utf-8")
    return target


def card_text(card: Mapping[str, Any]) -> str:
    """A card as it is written."""
    return json.dumps(card, indent=1, ensure_ascii=False) + "\n"


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A folder to fill, which then takes the place of `target`: whole, or, if anything goes wrong, not at all.

    Raises:
        ValueError: the disk is full or can't be written; what was there stays.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        yield fresh
        old = target.with_name(f".{target.name}.{os.getpid()}.old")
        if target.exists():
            os.replace(target, old)
        os.replace(fresh, target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise Refused("model.full", reason=error.strerror) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def update_card(gan: str, tag: str, **facts: Any) -> None:
    """Adds to or replaces facts of a card (measured figures, say)."""
    path = folder(gan, tag) / "card.json"
    text = card_text({**read_card(path), **facts})
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))
