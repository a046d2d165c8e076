"""Official checkpoint files -> {name: tensor}. These readers know nothing of GANs and execute nothing."""

from __future__ import annotations

from collections.abc import Callable
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
    tensors = READERS[path.suffix.lower()](path)
    if not tensors:
        raise Refused("files.noWeights", file=path.name)
    if all(name.startswith("module.") for name in tensors):  # saved from DataParallel
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


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
