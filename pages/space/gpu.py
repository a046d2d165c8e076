"""Training on a Space: in slices of at most a minute where a GPU is lent (ZeroGPU), else in its own process as always.

Nothing of this is imported or done anywhere else: the package `spaces` is touched only where ZeroGPU says that it is
there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from studio.training import process as trainer
from studio.training import runs
from studio.training.runs import Run, Status

MINUTE = 60  # seconds of a GPU call
LEAVES = 42  # seconds after which a slice begins to leave: the last step, the pictures and saving need some, too


def lent() -> bool:
    """Whether this is a Space with ZeroGPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true") and find_spec("spaces") is not None


def within_a_call(function: Callable[[str], None]) -> Callable[[str], None]:
    """The function, run in a GPU call where a GPU is lent; elsewhere as it is."""
    if not lent():
        return function
    import spaces

    return spaces.GPU(duration=MINUTE)(function)


def _slice(name: str) -> None:
    """One slice of the run of that name, on the GPU that is lent, or on its own device."""
    trainer.train_slice(runs.find(name), LEAVES, "cuda" if lent() else None)


# The GPU call is made in a process of its own: what comes back is the run's folder, so it is given a name and no Run.
slice_of = within_a_call(_slice)


def slices(run: Run) -> Iterator[Status]:
    """Trains a run slice by slice until its goal, or until somebody pauses or stops it; yields how it is after each."""
    run.ask(go="on", single="")
    while run.wish().go == "on":
        slice_of(run.name)
        status = run.status()
        yield status
        if status.how in runs.OVER:
            return
