"""Pickles of NVIDIA's PyTorch StyleGANs (stylegan2-ada-pytorch, stylegan3), read without running anything in them.

Such a file is a table of networks (``G``, ``D``, ``G_ema`` …). Each is pickled as a call that would compile the Python
source the file carries. Here that call, and each of the few others that a network needs, leads to a function of ours
that keeps tensors and names and forgets the rest. Any other name in the file ends the reading, before it is looked up.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import refused

MOST_BYTES = 2 << 30
MOST_TENSORS = 5000
DEEPEST = 16  # modules within modules

STYLEGAN3 = ("SynthesisInput", "FourierFeature")  # classes that only StyleGAN3 has


class Refused(refused.Refused):
    """The file holds something that is not a network of tensors; the sentence says what."""


class _Module:
    """A network, or a part of one: its class's name, and what it keeps."""

    def __init__(self, meta: Any = None) -> None:
        meta = meta if isinstance(meta, dict) else {}
        state = meta.get("state")
        self.name, self.state = str(meta.get("class_name", "")), state if isinstance(state, dict) else {}


class _Bag(dict):
    """dnnlib's EasyDict: a table, and nothing it could do."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)


class _Nothing:
    """Stands where a number type or a setting stood that no network needs."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _storage(content: Any) -> Tensor:
    """The numbers of a tensor, in one row; they come as a file of torch.save inside the file."""
    if not isinstance(content, bytes):
        raise Refused("pickle.notBytes")
    loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(loaded, (torch.TypedStorage, torch.UntypedStorage)):
        raise Refused("pickle.notNumbers")
    if isinstance(loaded, torch.UntypedStorage):
        raise Refused("pickle.noType")
    return torch.tensor([], dtype=loaded.dtype).set_(loaded._untyped_storage)  # its public name only warns


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    whole = (*size, *stride, offset)
    if not isinstance(storage, Tensor) or not all(type(v) is int and v >= 0 for v in whole) or len(size) != len(stride):
        raise Refused("pickle.noShape")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) if all(size) else -1
    if last >= storage.numel():
        raise Refused("pickle.tooLarge")
    return storage.as_strided(size, stride, offset).clone()


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _made(kind: Any, *_: Any) -> Any:
    """What `copyreg` would make: an empty one of our own classes."""
    if kind not in (_Bag, _Nothing, OrderedDict):
        raise Refused("pickle.unknownKind")
    return kind()


def _bytes(text: Any, *_: Any) -> bytes:
    """How the oldest pickles write bytes."""
    if not isinstance(text, str):
        raise Refused("pickle.notText")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _Module,
    ("dnnlib.util", "EasyDict"): _Bag,
    ("dnnlib", "EasyDict"): _Bag,
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("_codecs", "encode"): _bytes,
    ("copyreg", "_reconstructor"): _made,
    ("copy_reg", "_reconstructor"): _made,
    ("numpy", "dtype"): _Nothing,
    ("numpy.core.multiarray", "scalar"): _Nothing,
    ("numpy._core.multiarray", "scalar"): _Nothing,
    ("torch", "device"): _Nothing,
    ("torch", "Size"): tuple,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _KNOWN:
            return _KNOWN[module, name]
        if module.startswith("dnnlib.tflib"):
            raise Refused("pickle.tensorFlow")
        raise Refused("pickle.asksFor", module=module, name=name)


def read(path: Path) -> dict[str, Tensor]:
    """The generator in a ``.pkl`` by name (``mapping.fc0.weight`` …): the averaged one, ``G_ema``, if there is one.

    Raises:
        ValueError: it would run code, is of StyleGAN3 or of TensorFlow, has no generator, or is cut off.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Refused("pickle.huge", file=path.name, most=MOST_BYTES >> 30)
    try:
        with path.open("rb") as file:
            loaded = _Reader(file).load()
        network = loaded
        if isinstance(loaded, dict):
            network = next((loaded[key] for key in ("G_ema", "G") if isinstance(loaded.get(key), _Module)), None)
        elif isinstance(loaded, (tuple, list)) and len(loaded) == 3:  # (G, D, G_ema), as the first files had it
            network = loaded[2]
        if not isinstance(network, _Module):
            raise Refused("pickle.noGenerator")
        found: dict[str, Tensor] = {}
        _collect(network, "", found, 0)
        return found
    except Refused as error:
        raise Refused("pickle.notRead", file=path.name, why=error) from error
    except Exception as error:  # pickle's own errors are of any kind; so are those of a file that is made to harm
        raise Refused("pickle.broken", file=path.name) from error


def _collect(module: _Module, prefix: str, found: dict[str, Tensor], depth: int) -> None:
    """Parameters and buffers of a module and of those in it, by dotted name."""
    if module.name in STYLEGAN3:
        raise Refused("pickle.styleGan3")
    if depth > DEEPEST or len(found) > MOST_TENSORS:
        raise Refused("pickle.endless")
    for kind in ("_parameters", "_buffers"):
        for name, value in dict(module.state.get(kind) or {}).items():
            if isinstance(value, Tensor):
                found[f"{prefix}{name}"] = value
    for name, inner in dict(module.state.get("_modules") or {}).items():
        if isinstance(inner, _Module):
            _collect(inner, f"{prefix}{name}.", found, depth + 1)
