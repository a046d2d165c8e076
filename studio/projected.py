"""A judge that sees by a network that knows pictures (Sauer et al. 2021, "Projected GANs", arXiv 2111.01007).

A discriminator of our own begins by knowing nothing, and learns for hours what an edge is. This one is given the maps
of `studio.features`, mixed at random across channels and scales so that no depth can be overlooked (section 3.2), and
learns only a small head on each:

    look = Look(len(real), device)                         # one draw a step, for both pictures and both players
    seen, made = features(look(real)), features(look(fake))
    d, fool = judge.told(seen, made), judge.fooled(made)

Where a pair says what is right, it takes the place of a paper's own judge; without pairs it stands beside that one,
which sees pixels, with a small weight (docs/eyes.md has the trials).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from studio.base import Term
from studio.features import CHANNELS, LEAST
from studio.losses import hinge
from studio.refused import Refused

MIXED = 64  # channels of the mixed maps
RATE = 2e-4  # Adam's, with betas 0 and 0.99, as section 4 has it
OPENING = 100  # steps in which a generator comes to heed it: it begins from nothing
ONLOOKER = 4  # a paper's judge that nobody must fool learns every so many steps, so that its verdicts can be shown


class Look:
    """One draw of how pictures are looked at: moved by up to an eighth, a little lighter, paler, more contrasty.

    Augmentation keeps a judge from learning real pictures by heart (Zhao et al. 2020, arXiv 2006.10738), and must be
    the same for real and made pictures and for both players: with plain pictures for one of them, a generator finds
    what the judge has never seen and is called real for it.

    Args:
        n: pictures a batch; picture k of each batch is looked at in the same way.
        colour: how much colours change, 1 = brightness by .2, saturation by .5, contrast by .3 either way.
    """

    def __init__(self, n: int, device: torch.device | str = "cpu", colour: float = 1.0, moved: float = 0.125) -> None:
        draw = torch.rand(5, n, 1, 1, 1)
        light, pale, contrast = (draw[:3] * 2 - 1).to(device) * colour
        self.light, self.pale, self.contrast = 0.2 * light, 1 + 0.5 * pale, 1 + 0.3 * contrast
        self.shift, self.most = draw[3:, :, 0, 0, 0], moved

    def __call__(self, x: Tensor) -> Tensor:
        """Pictures ``(n, 3, H, W)`` in [-1, 1] -> the same, changed; gradients flow back."""
        x = x + self.light
        grey = x.mean(dim=1, keepdim=True)
        x = grey + (x - grey) * self.pale
        middle = x.mean(dim=(1, 2, 3), keepdim=True)
        return self.moved(middle + (x - middle) * self.contrast)

    def moved(self, x: Tensor) -> Tensor:
        """Maps ``(n, C, H, W)`` that belong to the pictures (sketches, labels): only moved. The border is mirrored."""
        height, width = x.shape[2:]
        most = int(height * self.most), int(width * self.most)
        padded = F.pad(x, (most[1], most[1], most[0], most[0]), mode="reflect")
        down, across = (
            ((2 * m + 1) * s).long().clamp_max(2 * m).tolist() for m, s in zip(most, self.shift, strict=True)
        )
        rows = [
            padded[k : k + 1, :, d : d + height, a : a + width]
            for k, (d, a) in enumerate(zip(down, across, strict=True))
        ]
        return torch.cat(rows)


class Projection(nn.Module):
    """Maps at four strides -> four maps of 64 channels, each mixed with the deeper ones; fixed at random.

    Each through a 1 x 1 convolution (cross-channel mixing, 3.2.1); then from the deepest up the doubled sum through a
    3 x 3 convolution (cross-scale mixing, 3.2.2). Kaiming's scale keeps their size.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS, mixed: int = MIXED) -> None:
        super().__init__()
        for k, c in enumerate(channels):  # buffers: they belong to the judge that learnt by them, and never learn
            self.register_buffer(f"across_{k}", torch.randn(mixed, c, 1, 1) / c**0.5)
        for k in range(len(channels) - 1):
            self.register_buffer(f"scales_{k}", torch.randn(mixed, mixed, 3, 3) / (9 * mixed) ** 0.5)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        mixed = [F.conv2d(x, self.get_buffer(f"across_{k}")) for k, x in enumerate(maps)]
        for k in range(len(mixed) - 2, -1, -1):
            deeper = F.interpolate(mixed[k + 1], mixed[k].shape[2:], mode="bilinear", align_corners=False)
            mixed[k] = F.conv2d(mixed[k] + deeper, self.get_buffer(f"scales_{k}"), padding=1)
        return mixed


class Head(nn.Module):
    """One mixed map -> verdicts ``(N, verdicts, h, w)``: ``strided`` halvings, then two 3 x 3 convolutions."""

    def __init__(self, inputs: int, strided: int, verdicts: int, width: int) -> None:
        super().__init__()
        wide = [inputs] + [width] * (strided + 1)
        convs = [nn.Conv2d(a, width, 4, 2, 1) for a in wide[:strided]]
        convs += [nn.Conv2d(wide[strided], width, 3, 1, 1), nn.Conv2d(width, verdicts, 3, 1, 1)]
        self.convs = nn.ModuleList(spectral_norm(conv) for conv in convs)

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs[:-1]:
            x = F.leaky_relu(conv(x), 0.2)
        return self.convs[-1](x)


class ProjectedJudge(nn.Module):
    """The maps of `studio.features` -> verdicts at four scales, each ``(N, verdicts, h, w)``.

    Args:
        planes: channels of a condition (label map, sketch) that every head sees beside its map, averaged to its size.
        verdicts: one, or one for each class or style.
        width: channels of the heads.
    """

    def __init__(self, planes: int = 0, verdicts: int = 1, width: int = MIXED) -> None:
        super().__init__()
        self.projection = Projection()
        strided = range(len(CHANNELS) - 1, -1, -1)
        self.heads = nn.ModuleList(Head(MIXED + planes, s, verdicts, width) for s in strided)

    def forward(self, maps: Sequence[Tensor], planes: Tensor | None = None) -> list[Tensor]:
        found = []
        for head, x in zip(self.heads, self.projection(maps), strict=True):
            if planes is not None:
                x = torch.cat([x, F.adaptive_avg_pool2d(planes, x.shape[2:])], dim=1)
            found.append(head(x))
        return found

    def told(
        self,
        real: Sequence[Tensor],
        made: Sequence[Tensor],
        planes: Tensor | None = None,
        kinds: Tensor | None = None,
    ) -> Tensor:
        """What the judge minimises: the hinge of its verdicts on real and on made pictures, summed over the scales.

        Args:
            real, made: their maps; no gradient flows to who made them.
            planes: the condition of picture k of both.
            kinds: the class ``(N,)`` of picture k of both. Its own verdict should be right, and of a real picture those
                of all other classes should be wrong.
        """
        made = [x.detach() for x in made]
        yes, no = self(real, planes), self(made, planes)
        return sum(_told(a, True, kinds) + _told(b, False, kinds) for a, b in zip(yes, no, strict=True))

    def fooled(self, made: Sequence[Tensor], planes: Tensor | None = None, kinds: Tensor | None = None) -> Tensor:
        """What a generator minimises: minus the mean verdict (of the class that was asked for), over the scales."""
        return -sum(_own(verdicts, kinds).mean() for verdicts in self(made, planes)) / len(self.heads)


def _own(verdicts: Tensor, kinds: Tensor | None) -> Tensor:
    return verdicts if kinds is None else verdicts[torch.arange(len(kinds), device=kinds.device), kinds]


def _told(verdicts: Tensor, real: bool, kinds: Tensor | None) -> Tensor:
    own = hinge(_own(verdicts, kinds), real)
    if not real or kinds is None or verdicts.shape[1] == 1:
        return own
    others = torch.ones(verdicts.shape[:2], dtype=torch.bool, device=verdicts.device)
    others[torch.arange(len(kinds), device=kinds.device), kinds] = False
    return own + hinge(verdicts[others], False)


def opened(step: int) -> float:
    """How much of its weight the judge has ``step`` steps after it began to learn: 0 before, 1 after a hundred."""
    return min(1.0, max(0.0, (step + 1) / OPENING))


def second_judge(config: Any, **how: Any) -> ProjectedJudge | None:
    """The judge that a Config with a weight for its ``eyes`` asks for, or None.

    Raises:
        ValueError: its pictures are too small to be looked at.
    """
    if not config.eyes:
        return None
    if config.size < LEAST:
        raise Refused("features.eyes", eyes=config.eyes, least=LEAST, size=config.size)
    return ProjectedJudge(**how)


def both(own: nn.Module, eyes: ProjectedJudge | None) -> list[dict[str, Any]]:
    """The parameters of a discriminator and of the judge beside it, as one player's groups for Adam."""
    groups: list[dict[str, Any]] = [{"params": list(own.parameters())}]
    if eyes is not None:
        groups.append({"params": list(eyes.heads.parameters()), "lr": RATE, "betas": (0.0, 0.99)})
    return groups


def eyes_terms(given: str = "") -> dict[str, Term]:
    """The terms that the second judge and likeness bring, for a GAN's `about`; ``given``: its condition, in TeX."""
    return {
        "eyes": Term(
            rf"\textstyle\sum_k \max(0,1-E_k({given}y)) + \max(0,1+E_k({given}G))",
            weight="eyes",
            says={
                "en": "How badly a second judge, which sees by a network that knows pictures, tells real from made at "
                "four scales; 8 = it is guessing. Not in the paper.",
                "ko": "사진을 아는 신경망으로 보는 둘째 판별자가 네 크기에서 진짜와 만든 그림을 얼마나 못 가리는지. "
                "8이면 찍는 것과 같습니다. 논문에는 없습니다.",
            },
        ),
        "seen": Term(
            rf"-\tfrac14\textstyle\sum_k E_k({given}G)",
            weight="eyes",
            says={
                "en": "How far the generator is from fooling that judge; below 0 it is taken in. Not in the paper.",
                "ko": "생성자가 그 판별자를 속이기까지 얼마나 남았는지. 0보다 작으면 속은 것입니다. 논문에는 없습니다.",
            },
        ),
        "alike": Term(
            r"\tfrac14\textstyle\sum_k \lVert f_k(y)-f_k(G)\rVert_1 / \lVert f_k(y)\rVert_1",
            weight="alike",
            says={
                "en": "How differently both pictures look to that network (EfficientNet-Lite0). Not in the paper.",
                "ko": "그 신경망(EfficientNet-Lite0)이 볼 때 두 그림이 얼마나 다른지. 논문에는 없습니다.",
            },
        ),
    }
