"""What there is to train on, and in which numbers it multiplies fastest: the one place that decides both."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from studio.refused import Refused


@dataclass(frozen=True)
class Device:
    """A device by its name in PyTorch, what it is called, and its memory in bytes (0 = not known)."""

    name: str  # "cpu", "cuda:0", "mps"
    title: str
    memory: int

    @property
    def kind(self) -> str:
        return self.name.split(":")[0]

    @property
    def minutes(self) -> float:
        """A length of training that shows something: a lesson's patience without an accelerator, a break with one."""
        return 3.0 if self.kind == "cpu" else 10.0


def devices() -> list[Device]:
    """What is there, the fastest kind first; the CPU always is."""
    found = []
    if torch.cuda.is_available():
        for k in range(torch.cuda.device_count()):
            found.append(
                Device(f"cuda:{k}", torch.cuda.get_device_name(k), torch.cuda.get_device_properties(k).total_memory)
            )
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", psutil.virtual_memory().total))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found.append(Device("cpu", f"{platform.machine()}, {cores} cores", psutil.virtual_memory().total))
    return found


def device(name: str | None = None) -> Device:
    """The device of that name (``cuda`` = the first one); None = the fastest that is there.

    Raises:
        ValueError: it is not there, or not any more; lists those that are.
    """
    there = devices()
    if name is None:
        return there[0]
    for each in there:
        if name in (each.name, each.kind):
            return each
    raise Refused("training.noDevice", name=name, there=[d.name for d in there])


def precision(device: str | torch.device) -> torch.dtype | None:
    """What networks are trained in under autocast: bf16 where the hardware multiplies in it; None = plain fp32.

    bf16 has the range of fp32, so losses need no scaling; without hardware for it, it is slower than fp32.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if kind == "cpu" and torch.backends.mkldnn.is_available() and torch.cpu._is_amx_tile_supported():
        return torch.bfloat16
    return None


def workers(device: str | torch.device) -> int:
    """Processes that prepare the data so that the device is not kept waiting."""
    cores = os.cpu_count() or 1
    return 1 if torch.device(device).type == "cpu" else max(1, min(8, cores - 1))


def give_way(by: int = 5) -> None:
    """Lets other programs go first, by so many steps of niceness; where a system has none, nothing happens.

    Linux shares the processor out among sessions first (autogroup, sched(7)) and heeds niceness only within one. A
    training that the studio started is a session of its own: without telling the group too, it would take half of the
    processor from whoever plays.
    """
    if hasattr(os, "nice"):
        os.nice(by)
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(by))
