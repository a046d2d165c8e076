"""Files of torch.save, read without running anything in them."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from argparse import Namespace
from pathlib import Path

import torch
from torch import Tensor

from studio.refused import Refused


def read(path: Path) -> dict[str, Tensor]:
    """The state dict in a ``.pth`` file, also where it lies under ``state_dict`` or ``model``.

    Of several state dicts by name (``g_ema``, ``d`` …) each tensor's name begins with its dict's: ``g_ema.input``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols; they load, or are refused
            with torch.serialization.safe_globals([Namespace]):  # settings of a command line: a bag of plain values
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise Refused("files.program", file=path.name) from error
    except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise Refused("files.torch", file=path.name) from error
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict):
        raise Refused("files.notByName", file=path.name, kind=type(loaded).__name__)
    found = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    for group, inner in loaded.items():
        if isinstance(inner, dict):
            found |= {f"{group}.{name}": value for name, value in inner.items() if isinstance(value, Tensor)}
    return found
