"""The fast variant of a network, for demos: the same picture to within 40 dB, sooner. The exact one is left alone.

Two variants of a network exist: exact (fp32, as its file says) and fast. `fast` makes the second of the first by
replacing layers by kind, so a GAN's file knows nothing of it:

- convolutions, also transposed and resizing ones, with their weights laid out once, for the size of map they get;
- convolutions of one kind that get the same map (SPADE's gamma and beta) as a single one;
- instance normalisation as group normalisation with one channel a group: the same formula, a better kernel;
- channels last, and bf16 where the machine multiplies in it (AMX, CUDA).

Whether that is faster is a fact of the machine and of the network's size: `fastest` measures, then chooses.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import math
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio import registry
from studio.base import BaseGAN
from studio.layers import DoublingConv2d, Norm, ResizeConv2d
from studio.places import home, write_atomically

FAITHFUL = 40.0  # dB to the exact picture, below which a variant is not used
WORTH = 1.05  # times as fast, below which it is not worth the memory; such a small gain may be noise
SECONDS = 1.0  # that measuring a network may take, if three rounds are done by then


@torch.no_grad()
def fast(network: nn.Module, *example: Tensor, dtype: torch.dtype | None = None) -> nn.Module:
    """The fast variant of a network, for inference; the network itself stays as it is.

    Args:
        example: its inputs for one picture. Other batches and sizes work too, at less speed.
        dtype: what it computes in; None = bf16 where that is fast on the example's device, else fp32. Inputs and
            outputs are fp32 all the same.
    """
    dtype = dtype or best_dtype(example[0].device)
    made = copy.deepcopy(network).eval().requires_grad_(False)
    for layer in made.modules():
        if hasattr(layer, "settle"):  # it can compute ahead what depends on its weights alone
            layer.settle()
    (sizes, siblings), layers = _traced(made, example), dict(made.named_modules())
    quick = {name: _quick(layers[name], size, dtype) for name, size in sizes.items()}
    for names in siblings:
        quick |= _joined({name: layers[name] for name in names}, sizes[names[0]], dtype)
    made.to(dtype=dtype, memory_format=torch.channels_last)
    for name, layer in quick.items():
        if layer is not None:
            made.set_submodule(name, layer)
    made.register_forward_pre_hook(
        lambda _, inputs, named: (_each(inputs, lambda x: _enter(x, dtype)), _each(named, lambda x: _enter(x, dtype))),
        with_kwargs=True,
    )
    made.register_forward_hook(lambda _, inputs, output: _each(output, lambda x: x.float().contiguous()))
    return made


def best_dtype(device: torch.device) -> torch.dtype:
    """bf16 where the machine has units for it. (AVX-512 alone emulates it, at a fraction of fp32's speed.)"""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    facts = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return torch.bfloat16 if facts.get("amx_bf16") else torch.float32


class Conv(nn.Module):
    """A convolution, transposed or not, whose weights lie as oneDNN wants them for maps of one size.

    The operators are those of PyTorch's own compiler, and private; without them (Windows, Mac, CUDA, another PyTorch)
    it is a plain convolution.
    """

    def __init__(self, like: nn.Module, weight: Tensor, bias: Tensor | None, size: torch.Size) -> None:
        super().__init__()
        padding, self.border = [0, 0] if like.padding == "valid" else list(like.padding), None
        if like.padding_mode != "zeros":
            padding, self.border = [0, 0], (like._reversed_padding_repeated_twice, like.padding_mode)
            size = F.pad(torch.empty(size, device="meta"), *self.border).shape
        stride, dilation, beyond = list(like.stride), list(like.dilation), list(like.output_padding)
        self.run: Callable[..., Tensor] = torch.convolution
        self.rest: tuple[Any, ...] = (stride, padding, dilation, like.transposed, beyond, like.groups)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        if weight.device.type == "cpu":
            kind = "_convolution_transpose" if like.transposed else "_convolution"
            shape = (padding, *([beyond] if like.transposed else []), stride, dilation, like.groups)
            try:
                packed = getattr(torch.ops.mkldnn, f"_reorder{kind}_weight")(weight, *shape, list(size))
                run, rest = getattr(torch.ops.mkldnn, f"{kind}_pointwise"), (*shape, "none", [], "")
                run(torch.zeros(size, dtype=weight.dtype), packed, bias, *rest)
                weight, self.run, self.rest = packed, run, rest
            except (AttributeError, RuntimeError, TypeError):
                pass
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x if self.border is None else F.pad(x, *self.border), self.weight, self.bias, *self.rest)


class Joint(nn.Module):
    """Convolutions of one kind that get the same map, computed as one when the first of them is called."""

    def __init__(self, layers: Sequence[nn.Module], size: torch.Size, dtype: torch.dtype) -> None:
        super().__init__()
        weights, biases = [], []
        for layer in layers:
            weights.append(layer.weight)
            biases.append(layer.weight.new_zeros(len(layer.weight)) if layer.bias is None else layer.bias)
        self.channels = [len(weight) for weight in weights]
        weight = torch.cat(weights).to(dtype, memory_format=torch.channels_last)
        self.conv = Conv(layers[0], weight, torch.cat(biases).to(dtype), size)
        self.kept = _Kept()

    def forward(self, x: Tensor, k: int) -> Tensor:
        if self.kept.x is not x:  # by identity: an equal map of somebody else is another one
            self.kept.x, self.kept.parts = x, dict(enumerate(self.conv(x).split(self.channels, dim=1)))
        part = self.kept.parts.pop(k, None)
        if part is None:  # asked twice
            part = self.conv(x).split(self.channels, dim=1)[k]
        if not self.kept.parts:
            self.kept.x = None
        return part


class _Kept(threading.local):
    """What a `Joint` has computed and not yet given out, in each thread."""

    x: Tensor | None = None
    parts: Mapping[int, Tensor] = MappingProxyType({})

    def __deepcopy__(self, memo: Any) -> _Kept:
        return _Kept()


class Part(nn.Module):
    """One of the convolutions of a `Joint`."""

    def __init__(self, joint: Joint, k: int) -> None:
        super().__init__()
        self.joint, self.k = joint, k

    def forward(self, x: Tensor) -> Tensor:
        return self.joint(x, self.k)


class GroupNorm(nn.Module):
    """`Norm` for demos: each picture's own statistics, as group normalisation with one channel a group."""

    def __init__(self, norm: Norm) -> None:
        super().__init__()
        self.norm = norm
        # In half precision an average would lose more than the map that it is taken from.
        self.averages = norm.running_mean.clone(), norm.running_var.clone()

    def forward(self, x: Tensor, averages: bool = False) -> Tensor:
        if averages:
            return F.batch_norm(x, *self.averages, *self._affine(torch.float32))
        return torch.group_norm(x, x.shape[1], *self._affine(x.dtype))  # F.group_norm refuses 1 x 1 maps

    def _affine(self, dtype: torch.dtype) -> list[Tensor | None]:
        return [None if p is None else p.to(dtype) for p in (self.norm.weight, self.norm.bias)]


def _quick(layer: nn.Module, size: torch.Size, dtype: torch.dtype) -> nn.Module | None:
    """What takes a layer's place; None = it stays."""
    if _behaves_as(layer, Norm):
        return GroupNorm(layer)
    if _behaves_as(layer, ResizeConv2d) or _behaves_as(layer, DoublingConv2d):  # transposed convolutions, as they are
        weight, padding = layer.kernel(), 1 if isinstance(layer, ResizeConv2d) else 0
        like = nn.ConvTranspose2d(*weight.shape[:2], weight.shape[-1], stride=2, padding=padding, device="meta")
    elif any(_behaves_as(layer, kind) for kind in (nn.Conv2d, nn.ConvTranspose2d)) and layer.padding != "same":
        weight, like = layer.weight, layer
    else:
        return None
    bias = None if layer.bias is None else layer.bias.to(dtype, copy=True)
    return Conv(like, weight.to(dtype, memory_format=torch.channels_last, copy=True), bias, size)


def _behaves_as(layer: nn.Module, kind: type[nn.Module], watched: int = 0) -> bool:
    """Whether it is one of the kind, perhaps with parametrised weights (spectral norm), but with no ways of its own.

    watched: how many hooks of ours there are.
    """
    hooked = layer._forward_hooks or len(layer._forward_pre_hooks) > watched
    return isinstance(layer, kind) and type(layer).forward is kind.forward and not hooked


def _joined(layers: Mapping[str, nn.Module], size: torch.Size, dtype: torch.dtype) -> dict[str, nn.Module]:
    joint = Joint(list(layers.values()), size, dtype)
    return {name: Part(joint, k) for k, name in enumerate(layers)}


def _traced(network: nn.Module, example: tuple[Tensor, ...]) -> tuple[dict[str, torch.Size], list[list[str]]]:
    """The shape of the maps that each layer gets, by its name; and layers that can be computed as one."""
    sizes: dict[str, torch.Size] = {}
    calls: dict[str, int] = {}
    alike: dict[Any, list[str]] = {}
    seen: list[Tensor] = []  # kept alive, so that no two maps have one identity
    hooks = []
    for name, layer in network.named_modules():

        def note(layer: nn.Module, inputs: tuple[Any, ...], name: str = name) -> None:
            if name and inputs and isinstance(inputs[0], Tensor) and inputs[0].ndim == 4:
                sizes[name] = inputs[0].shape
                calls[name] = calls.get(name, 0) + 1
                if _behaves_as(layer, nn.Conv2d, watched=1) and layer.groups == 1 and layer.padding != "same":
                    seen.append(inputs[0])
                    form = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.padding_mode)
                    alike.setdefault((id(inputs[0]), form), []).append(name)

        hooks.append(layer.register_forward_pre_hook(note))
    network(*example)
    for hook in hooks:
        hook.remove()
    once = [[name for name in names if calls[name] == 1] for names in alike.values()]
    return sizes, [names for names in once if len(names) > 1]


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The value with its tensors of fractions changed, wherever in it they are."""
    if isinstance(value, Tensor):
        return change(value) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {name: _each(part, change) for name, part in value.items()}
    return type(value)(_each(part, change) for part in value) if type(value) in (tuple, list) else value


def _enter(x: Tensor, dtype: torch.dtype) -> Tensor:
    if x.ndim != 4:
        return x.to(dtype)
    # A copy, because a map of one channel counts as channels last whatever its strides are, and layers look at those.
    return torch.empty_like(x, dtype=dtype, memory_format=torch.channels_last).copy_(x)


# ---- the choice -----------------------------------------------------------------------------------------------------


def fastest(gan: BaseGAN, key: Mapping[str, Any] | None = None) -> BaseGAN:
    """The GAN with each network of its demo as the variant that serves best here; `variant` then says "fast".

    Fast is used where it was measured to be faster and within 40 dB. The decision is kept, in memory and in
    ``STUDIO_HOME/fast.json``. The GAN that was given stays as it is.

    Args:
        key: what tells its weights from others: the card of its checkpoint.
    """
    decision, made = _Decision(gan, key or {}), copy.copy(gan)
    made.__dict__["_modules"] = dict(gan._modules)
    made.__dict__["_exact"] = gan
    try:
        for child, inputs in gan.example().items():
            exact = gan.get_submodule(child)
            if decision.known.get(child) is not False:
                quick = fast(exact, *inputs)
                if child not in decision.known:
                    decision.known[child] = worth(exact, quick, inputs)
                if decision.known[child]:
                    setattr(made, child, quick)
                    made.variant = "fast"
        decision.keep()
    except Exception as error:  # whatever it is, the exact one is there
        logging.getLogger(__name__).warning("%s is served exact: %s", registry.name_of(gan), error)
        return gan
    return made if made.variant == "fast" else gan


@torch.no_grad()
def worth(exact: nn.Module, quick: nn.Module, inputs: tuple[Tensor, ...]) -> bool:
    """Whether the quick network is faster than the exact one, and faithful to it."""
    if not psnr(quick(*inputs), exact(*inputs)) >= FAITHFUL:  # also when it is nan
        return False
    rounds = paired(lambda: exact(*inputs), lambda: quick(*inputs), rounds=9, seconds=SECONDS)
    return statistics.median(a / b for a, b in rounds) >= WORTH


def psnr(made: Tensor, exact: Tensor) -> float:
    """Decibels, 200 at most; of pictures on their range of 2, of anything else on its own range."""
    reach = 2.0 if exact.abs().max() <= 1 else float(exact.max() - exact.min())
    error = float((made - exact).square().mean()) / (reach**2 or 1.0)
    return -10 * math.log10(error + 1e-20)


def paired(first: Callable, second: Callable, rounds: int, seconds: float) -> list[tuple[float, float]]:
    """Milliseconds of both, side by side and taking turns to go first: a noisy machine slows both alike.

    Three rounds at least; no more when ``seconds`` are over.
    """
    taken: list[tuple[float, float]] = []
    began = time.perf_counter()
    while len(taken) < rounds and (len(taken) < 3 or time.perf_counter() - began < seconds):
        if len(taken) % 2:
            b, a = _milliseconds(second), _milliseconds(first)
        else:
            a, b = _milliseconds(first), _milliseconds(second)
        taken.append((a, b))
    return taken


def _milliseconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - began) * 1e3


_decided: dict[str, dict[str, bool]] = {}


class _Decision:
    """What was decided about a GAN on this machine: ``known``, child network -> whether it is served fast."""

    def __init__(self, gan: BaseGAN, key: Mapping[str, Any]) -> None:
        method = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()  # another method, another decision
        facts = [registry.name_of(gan), asdict(gan.config), key.get("files"), machine(gan.device), method]
        self.id = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self.path = home() / "fast.json"
        found = _decided.get(self.id) or self._read().get(self.id)
        whole = isinstance(found, dict) and all(isinstance(value, bool) for value in found.values())
        self.known: dict[str, bool] = dict(found) if whole else {}

    def keep(self) -> None:
        if _decided.get(self.id) == self.known:
            return
        _decided[self.id] = dict(self.known)
        text = json.dumps({**self._read(), self.id: self.known}, indent=1) + "\n"
        with suppress(OSError):  # a home that can't be written: then it is measured again next time
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, lambda beside: beside.write_text(text, encoding="utf-8"))

    def _read(self) -> dict[str, Any]:
        try:
            read = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}


def machine(device: torch.device) -> list[Any]:
    """What the speed of a network depends on, as far as PyTorch tells."""
    if device.type == "cuda":
        return [torch.__version__, torch.cuda.get_device_name(device)]
    facts = [getattr(torch.cpu, "get_capabilities", dict)().get(name) for name in ("cpu_name", "amx_bf16")]
    return [torch.__version__, device.type, torch.backends.cpu.get_cpu_capability(), torch.get_num_threads(), *facts]
