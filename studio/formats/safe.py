"""safetensors files."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor


def read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is not a whole safetensors file. Download it again.") from error


def write(path: Path, tensors: dict[str, Tensor]) -> None:
    path.write_bytes(save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}))
