"""Files of torch.save, read without running anything in them."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio.refused import Refused

WRAPPERS = (
    "state_dict", "model", "model_state_dict", "model_state", "state_dict_ema", "model_ema", "params_ema", "params",
    "netG_state_dict", "generator_state_dict", "gen_state_dict", "G_state_dict", "netG", "net_G", "net_g", "generator",
    "weights", "checkpoint", "net", "network",
)  # fmt: skip
"""Names under which trainers keep a state dict, beside their own state: the first that is there is taken."""


def read(path: Path) -> dict[str, Tensor]:
    """The state dict in a ``.pth`` file, also where it lies under ``state_dict``, ``model``, ``netG`` … (`WRAPPERS`).

    Of several state dicts by name (``g_ema``, ``d`` …) each tensor's name begins with its dict's: ``g_ema.input``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols; they load, or are refused
            with torch.serialization.safe_globals([Namespace]):  # settings of a command line: a bag of plain values
                loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _is_script(path):
            raise Refused("files.script", file=path.name) from error
        raise Refused("files.program", file=path.name) from error
    except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise Refused("files.script" if _is_script(path) else "files.torch", file=path.name) from error
    if isinstance(loaded, torch.jit.ScriptModule) or _is_script(path):
        raise Refused("files.script", file=path.name)
    loaded = _inner(loaded)
    if not isinstance(loaded, dict):
        raise Refused("files.notByName", file=path.name, kind=type(loaded).__name__)
    found = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    for group, inner in loaded.items():
        if isinstance(inner, dict):
            found |= {f"{group}.{name}": value for name, value in inner.items() if isinstance(value, Tensor)}
    return found


def _inner(loaded: Any) -> Any:
    """The state dict itself, out of what trainers wrap it in: however deep, and where it has several names, the average
    before the generator before the rest. Several state dicts without such a name stay together."""
    for _ in range(6):
        if not isinstance(loaded, dict) or any(isinstance(value, Tensor) for value in loaded.values()):
            return loaded
        key = next((key for key in WRAPPERS if isinstance(loaded.get(key), dict) and _holds(loaded[key])), None)
        if key is None:
            return loaded
        loaded = loaded[key]
    return loaded


def _holds(found: dict[Any, Any], depth: int = 4) -> bool:
    """Whether there are tensors in it."""
    return any(
        isinstance(value, Tensor) or (depth > 0 and isinstance(value, dict) and _holds(value, depth - 1))
        for value in found.values()
    )


def _is_script(path: Path) -> bool:
    """Whether it is a TorchScript archive: a program with its weights."""
    try:
        with zipfile.ZipFile(path) as found:
            return any(name.endswith("/constants.pkl") or "/code/" in name for name in found.namelist())
    except (zipfile.BadZipFile, OSError):
        return False
