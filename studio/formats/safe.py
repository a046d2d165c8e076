"""safetensors files."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from studio.refused import Refused


def read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise Refused("files.safetensors", file=path.name) from error


def write(path: Path, tensors: dict[str, Tensor]) -> None:
    path.write_bytes(save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}))
