"""Official checkpoint files -> {name: tensor}. These readers know nothing of GANs and execute nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from torch import Tensor

from studio.formats import nvidia_pkl, safe, torch_file
from studio.refused import Phrase, Refused

READERS: dict[str, Callable[[Path], dict[str, Tensor]]] = {
    ".safetensors": safe.read,
    ".pth": torch_file.read,
    ".pt": torch_file.read,
    ".ckpt": torch_file.read,
    ".bin": torch_file.read,
    ".pkl": nvidia_pkl.read,
}


def read(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint file by name; a wrapping ``module.`` is taken off.

    Of a folder with the networks of one training (``latest_net_G.pth``, ``latest_net_E.pth``), the tensors of all,
    with names that begin with the network's: ``G.fc.weight``.

    Raises:
        ValueError: no such file, unknown kind, damaged, or a file that would run code; says what to do.
    """
    path = Path(path)
    if path.is_dir():
        parts = {file: read(file) for file in files(path)}
        return {f"{_network(file)}.{name}": value for file, found in parts.items() for name, value in found.items()}
    if not path.is_file():
        raise Refused("files.none", file=path)
    if path.suffix.lower() not in READERS:
        raise Refused("files.ending", file=path.name, endings=READERS)
    if (what := not_a_file_of_weights(path)) is not None:
        raise Refused(what, file=path.name)
    tensors = READERS[path.suffix.lower()](path)
    if not tensors:
        raise Refused("files.noWeights", file=path.name)
    if strange := sorted({str(value.dtype) for value in tensors.values() if "float8" in str(value.dtype)}):
        raise Refused("files.eightBit", file=path.name, kind=strange[0].removeprefix("torch."))
    return unwrapped(tensors)


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what wrapped the networks: ``module.`` (several devices), ``_orig_mod.`` (torch.compile), and the
    like, one or several, wherever they stand."""
    found = {"." + name: value for name, value in tensors.items()}
    for wrapper in ("._orig_mod.", "._fsdp_wrapped_module.", ".module."):
        found = _without(found, wrapper)
    return {name.removeprefix("."): value for name, value in found.items()}


def others(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """What else a file's names may mean, where they are not those of a network: each group of names that begin alike
    (``netG.``, ``ema_model.``), without its beginning; averages first, then generators, and nothing else of several."""
    groups: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        head, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(head, {})[rest] = value

    def rank(head: str) -> tuple[int, int]:
        kinds = [re.search(form, head) is not None for form in (r"(?i)ema|avg|average", r"(?i)^(net_?)?g|gen")]
        return (kinds.index(True) if True in kinds else len(kinds)), -len(groups[head])

    for head in sorted(groups, key=rank)[:8]:
        if len(groups) == 1 or rank(head)[0] < 2:
            yield groups[head]
            yield from others(groups[head])


def _without(tensors: dict[str, Tensor], wrapper: str) -> dict[str, Tensor]:
    """The names without a wrapper, unless two would be one then (a network that has a part of that name)."""
    short = {}
    for name, value in tensors.items():
        while wrapper in name:
            name = name.replace(wrapper, ".")
        short[name] = value
    return short if len(short) == len(tensors) else tensors


def not_a_file_of_weights(path: Path) -> str | None:
    """The code of what a file is instead: a pointer that git left, a web page; None = it may be one."""
    with open(path, "rb") as file:
        head = file.read(512)
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith(b"version https://git-lfs"):
        return "files.pointer"
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<script")):
        return "files.page"
    return None


def files(path: str | Path) -> list[Path]:
    """The file itself; of a folder, the networks that lie in it.

    Raises:
        ValueError: a folder without networks, or with several states of one.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    found = [f for f in sorted(path.iterdir()) if f.suffix.lower() in READERS and _network(f)]
    names = [_network(f) for f in found]
    if not found or len(set(names)) < len(names):
        what = Phrase("files.severalStates" if found else "files.noNetworks")
        raise Refused("files.folder", folder=path.name, what=what)
    return found


def _network(file: Path) -> str:
    return file.stem.partition("_net_")[2]
