"""A map that repeats itself, computed once where it is alike: for layers that see only a few pixels around each.

A painted label map is flat nearly everywhere. A layer whose value at a pixel depends on the pixels within a small
``reach`` alone, such as SPADE's modulation, then computes the same values over and over. `Tiled` cuts the map into
tiles, each with as much around it as the layer sees, runs the layer on those that differ, and lays the results out.
What comes out is the same to rounding. A map that doesn't repeat itself goes through as it is.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TILE = 8  # pixels a side
LEAST = 48  # pixels a side of a map that is worth cutting
MOST = 0.5  # of the tiles may differ, beyond which all are computed at once


class _Bare(threading.local):
    """Whether convolutions of this thread leave their padding out: their tile has what is around it already."""

    on = False


bare = _Bare()


class Cut:
    """A map in tiles: the distinct ones with what is around them, and where each goes.

    Layers that get one map share one cut: it is made once, and kept until each of them has had it.
    """

    def __init__(self, reach: int, users: int) -> None:
        self.reach, self.users = reach, users
        self.kept = _Kept()

    def __deepcopy__(self, memo: Any) -> Cut:
        return Cut(self.reach, self.users)

    def __call__(self, x: Tensor) -> _Pieces | None:
        """The pieces of ``(N, C, H, W)``; None = it is as well computed whole."""
        kept = self.kept
        if kept.x is not x:
            kept.x, kept.left, kept.pieces = x, self.users, self._made(x)
        pieces, kept.left = kept.pieces, kept.left - 1
        if kept.left <= 0:
            kept.x = kept.pieces = None
        return pieces

    def _made(self, x: Tensor) -> _Pieces | None:
        n, _, height, width = x.shape
        if height % TILE or width % TILE or min(height, width) < LEAST:
            return None
        rows, columns, r, side = height // TILE, width // TILE, self.reach, TILE + 2 * self.reach
        # Each pixel's values become one number, and each tile's numbers one number: equal ones are equal tiles. Whole
        # numbers, which wrap around alike everywhere; two 64-bit sums of unlike tiles don't meet by chance.
        codes = F.pad(_hashed(x, 1), (r, r, r, r))  # (N, H + 2r, W + 2r); beyond the border is a pixel of its own, 0
        codes = codes.unfold(1, side, TILE).unfold(2, side, TILE).reshape(n * rows * columns, side * side)
        _, where, counts = torch.unique(_hashed(codes, 1), return_inverse=True, return_counts=True)
        if len(counts) > MOST * len(where):
            return None
        first = torch.full((len(counts),), len(where), dtype=torch.long, device=x.device)
        first.scatter_reduce_(0, where, torch.arange(len(where), device=x.device), "amin")
        windows = F.pad(x, (r, r, r, r)).unfold(2, side, TILE).unfold(3, side, TILE)  # (N, C, rows, columns, s, s)
        at_n, at_row, at_column = first // (rows * columns), first // columns % rows, first % columns
        edges = torch.stack([at_row == 0, at_row == rows - 1, at_column == 0, at_column == columns - 1], dim=1)
        batches = []
        for edge in torch.unique(edges, dim=0).tolist():
            chosen = (edges == torch.tensor(edge, device=x.device)).all(dim=1).nonzero()[:, 0]
            tiles = windows[at_n[chosen], :, at_row[chosen], at_column[chosen]]
            # At the border of the map the tile ends there, too, so that the layer's own padding is where it was.
            top, bottom, left, right = (0 if beyond else r for beyond in edge)
            inside = tiles[:, :, r - top : side - r + bottom, r - left : side - r + right]
            batches.append((chosen, inside.contiguous(memory_format=_format(x)), top, left, any(edge)))
        return _Pieces(batches, where.view(n, rows, columns))


class _Pieces:
    """What a `Cut` gives: batches of (places among the distinct tiles, tiles, rows above, columns left, whether they
    are at the map's border), and which distinct tile is where."""

    def __init__(self, batches: list[tuple[Tensor, Tensor, int, int, bool]], where: Tensor) -> None:
        self.batches, self.where = batches, where

    def laid(self, results: list[Tensor]) -> Tensor:
        """The layer's results for the batches -> the whole map ``(N, C, H, W)``, channels last."""
        n, rows, columns = self.where.shape
        count = sum(len(places) for places, *_ in self.batches)
        distinct = results[0].new_empty(count, TILE, TILE, results[0].shape[1])
        for (places, _, top, left, _), made in zip(self.batches, results, strict=True):
            if made.shape[2] == TILE:  # computed without what is around it
                top = 0
            if made.shape[3] == TILE:
                left = 0
            distinct[places] = made[:, :, top : top + TILE, left : left + TILE].permute(0, 2, 3, 1)
        whole = results[0].new_empty(n, rows, TILE, columns, TILE, distinct.shape[-1])
        whole.permute(0, 1, 3, 2, 4, 5).copy_(distinct[self.where])
        return whole.view(n, rows * TILE, columns * TILE, -1).permute(0, 3, 1, 2)


class _Kept(threading.local):
    x: Tensor | None = None
    pieces: _Pieces | None = None
    left: int = 0


class Tiled(nn.Module):
    """A layer that sees ``layer.reach`` pixels far and gives maps of its input's size, computed on distinct tiles.

    Args:
        bare: whether its convolutions can leave their padding out (`bare.on`), so that nothing is computed around a
            tile that isn't needed there.
    """

    def __init__(self, layer: nn.Module, cut: Cut, bare: bool = False) -> None:
        super().__init__()
        self.layer, self.cut, self.bare = layer, cut, bare

    def forward(self, x: Tensor) -> Any:
        pieces = self.cut(x)
        if pieces is None:
            return self.layer(x)
        made = [self._run(tiles, self.bare and not border) for _, tiles, _, _, border in pieces.batches]
        if isinstance(made[0], Tensor):
            return pieces.laid(made)
        return tuple(pieces.laid(list(results)) for results in zip(*made, strict=True))

    def _run(self, tiles: Tensor, alone: bool) -> Any:
        bare.on = alone
        try:
            return self.layer(tiles)
        finally:
            bare.on = False


def _hashed(values: Tensor, dim: int) -> Tensor:
    """One whole number for the values along a dimension, 0 for none: sums of odd multiples of their bits, mod 2^64."""
    if values.is_floating_point():
        values = values.float().view(torch.int32)
    random = torch.Generator().manual_seed(values.shape[dim])
    factors = torch.randint(-(2**62), 2**62, (values.shape[dim],), generator=random) * 2 + 1
    shape = [-1 if k == dim else 1 for k in range(values.ndim)]
    mixed = values.long() * factors.to(values.device).view(shape)
    return (mixed ^ (mixed >> 29)).sum(dim) * 2 + 1


def _format(x: Tensor) -> torch.memory_format:
    last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
