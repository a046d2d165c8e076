"""Official checkpoint files -> {name: tensor}. These readers know nothing of GANs and execute nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from studio.formats import nvidia_pkl, safe, torch_file

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

    Raises:
        ValueError: no such file, unknown kind, damaged, or a file that would run code; says what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    if path.suffix.lower() not in READERS:
        raise ValueError(f"{path.name}: checkpoint files end in {', '.join(READERS)}.")
    tensors = READERS[path.suffix.lower()](path)
    if not tensors:
        raise ValueError(f"{path.name} holds no weights.")
    if all(name.startswith("module.") for name in tensors):  # saved from DataParallel
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors
