"""Weights by name, strictly: every target is filled once, every source is used once, every shape fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from studio.refused import Phrase, Refused

# What old files carry and no network of ours needs: a counter of batches.
IGNORED = ("num_batches_tracked",)


def fill(
    module: nn.Module,
    source: Mapping[str, Tensor],
    table: Mapping[str, str] | None = None,
    optional: Iterable[str] = (),
) -> None:
    """Fills ``module``'s parameters and buffers from ``source``; the tensors are taken over, not copied.

    Args:
        table: ours -> theirs; None = the names are alike.
        optional: endings of our names that may stay as they are (``running_mean`` …).

    Raises:
        ValueError: an unfilled target, an unused source, a wrong shape, or a value that is not finite; all named.
    """
    targets = dict(module.state_dict(keep_vars=True))
    table = dict(table) if table is not None else {name: name for name in source if not name.endswith(IGNORED)}
    wrong = [Phrase("weights.notInFile", theirs=theirs) for theirs in table.values() if theirs not in source]
    wrong += [Phrase("weights.noPlace", ours=ours) for ours in table if ours not in targets]
    left = [n for n in targets if n not in table and not n.endswith((*optional, *IGNORED))]
    wrong += [Phrase("weights.unfilled", name=name) for name in left]
    unused = set(source) - set(table.values())
    wrong += [Phrase("weights.unused", name=name) for name in sorted(unused) if not name.endswith(IGNORED)]
    if len(set(table.values())) < len(table):
        wrong.append(Phrase("weights.twoPlaces"))
    for ours, theirs in table.items():
        if ours in targets and theirs in source:
            if tuple(targets[ours].shape) != tuple(source[theirs].shape):
                shapes = {"found": str(tuple(source[theirs].shape)), "wanted": str(tuple(targets[ours].shape))}
                wrong.append(Phrase("weights.shape", theirs=theirs, **shapes))
            elif not torch.isfinite(source[theirs]).all():
                wrong.append(Phrase("weights.notFinite", theirs=theirs))
    if wrong:
        if len(wrong) > 5:
            raise Refused("weights.manyWrong", wrong=wrong[:5], more=len(wrong) - 5)
        raise Refused("weights.wrong", wrong=wrong)
    filled = {ours: source[theirs].float() for ours, theirs in table.items()}
    for name in left_as_is(targets, table):
        filled[name] = _fresh(name, targets[name])
    module.load_state_dict(filled, assign=True)


def left_as_is(targets: Mapping[str, Tensor], table: Mapping[str, str]) -> list[str]:
    return [name for name in targets if name not in table]


def _fresh(name: str, target: Tensor) -> Tensor:
    """A value for an optional target: what the layer begins with, also if the network was built without memory."""
    if not target.is_meta:
        return target.detach()
    made = torch.ones if name.endswith("running_var") else torch.zeros
    return made(target.shape, dtype=target.dtype)
