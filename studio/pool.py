"""Earlier fakes, which a discriminator is reminded of (Shrivastava et al. 2017, arXiv 1612.07828, section 2.3)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Half of what D sees is one of the last ``most`` fakes, ``(3, size, size)`` each.

    They are buffers, so a resumed training goes on with them. Random numbers are PyTorch's own, which a trainer seeds.
    """

    def __init__(self, most: int, size: int) -> None:
        super().__init__()
        self.register_buffer("kept", torch.zeros(most, 3, size, size))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def forward(self, fakes: Tensor) -> Tensor:
        """As many: each newly made, or taken out of the pool with probability 1/2 and replaced there."""
        given = fakes.clone()
        for k, fake in enumerate(fakes):
            if self.count < len(self.kept):
                self.kept[self.count] = fake
                self.count += 1
            elif len(self.kept) and torch.rand(()) < 0.5:
                place = int(torch.randint(len(self.kept), ()))
                given[k], self.kept[place] = self.kept[place].clone(), fake
        return given

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        if prefix + "kept" in state and state[prefix + "kept"].shape != self.kept.shape:
            state = {prefix + "kept": torch.zeros_like(self.kept), prefix + "count": torch.zeros_like(self.count)}
        super()._load_from_state_dict(state, prefix, *rest)  # fakes of another size: it fills anew
