r"""SPADE: paint where the sky, the sea and the trees are, and the network paints the landscape.

The generator grows a picture from a style vector. What is where reaches it through its normalisation layers: each
normalises a map, x^ = (x - mean) / deviation, and then scales and shifts every pixel by numbers that a small
convolutional net makes of the label map m:

    SPADE(x, m) = (1 + gamma(m)) x^ + beta(m)        spatially-adaptive, "(de)normalisation", section 3.1

    D:  min  E[max(0, 1 - D(m, x))] + E[max(0, 1 + D(m, G(m, z)))]                              hinge, at two scales
    G:  min  -E[D(m, G(m, z))] + 10 |features of D| + 10 |features of a net that knows pictures|
             + 0.05 KL(q(z|x) || N(0, 1))

A net that gets m only as its input must carry it through layers whose normalisation takes the mean of each map away.
Where m is one label over the whole picture, the mean is all that there is: sky or grass, what comes out is the same.
``conditioning="concat"`` is such a net, to see it happen.

    Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization. CVPR 2019.
    https://arxiv.org/abs/1903.07291

How this differs from the paper (each a field of `Config`, the defaults are the paper's): the net that knows pictures is
EfficientNet-Lite0 and not VGG-19 (`studio.features`); a judge that sees by it may stand beside the discriminators, or
in their place (`eyes`, arXiv 2111.01007); some pictures may be painted in a random style, which the encoder must then
recognise (`free`, `recognised`; BicycleGAN, arXiv 1711.11586), or styles come to be ignored; an L1 distance to the
photo may help a short training; gamma and beta may be made by 1 x 1 kernels, and of fewer hidden maps, which makes a
net that paints while the brush moves; the picture may take fewer doublings, and the style vector a first map of fixed
size, so that a net trained at 64 px goes on at 128; the encoder may do without its normalisation, which hides a photo's
brightness from it; the averaged generator may be the one that is shown. Adam's betas are the authors' code's.
Synchronised batch normalisation is plain batch normalisation here: one machine has one batch. A demo normalises by the
training's averages, as theirs.

Read before: pix2pix, wgan. Read next: stylegan (whose styles have no place), stylegan2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Adam, Optimizer

from studio import images, measure
from studio.base import About, BaseGAN, Losses, Optimizers, Term, checked, descend, option, verb, weighed
from studio.data import Segmentations
from studio.data.base import to_batch
from studio.features import features, likeness
from studio.images import Picture
from studio.labels import Classes, LabelMap, Reading, open_map, palette, sampled
from studio.layers import Norm
from studio.losses import hinge
from studio.projected import ONLOOKER, Look, both, eyes_terms, opened, second_judge
from studio.toys.landscapes import landscape


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the pictures.", choices=(32, 64, 128, 256, 512))
    labels: int = option(150, "Classes of the label map; a training takes as many as its data has.", low=1, high=255)
    unknown: bool = option(True, "Whether pixels of no class have a channel of their own, or none at all.")
    edges: bool = option(False, "Whether a further channel has the borders between objects (the instance map).")
    conditioning: str = option(
        "spade",
        "How the label map reaches the generator: in each normalisation, or only as its input.",
        choices=("spade", "concat"),
    )
    width: int = option(
        64, "The deepest maps have 16 times as many channels; they halve with the last doublings.", low=1
    )
    doublings: int = option(5, "How often the size doubles from the first map to the picture.", low=3, high=7)
    hidden: int = option(128, "Maps between the label map and gamma and beta.", low=1, high=512)
    kernel: int = option(3, "Side of the kernels that make gamma and beta of the hidden maps.", choices=(1, 3))
    norm: str = option(
        "batch", "Whose mean and variance normalise a map before gamma and beta.", choices=("batch", "instance")
    )
    style: int = option(256, "Numbers in a style vector; 0 = none, the first map is made of the labels.", low=0)
    start: int = option(
        0,
        "Side of the map that is made of a style; 0 = that of the first map; if less, it is enlarged.",
        low=0,
        high=64,
    )
    encoder: bool = option(True, "Whether an encoder reads the style off a photo.")
    encoder_size: int = option(256, "Pixels a side at which the encoder looks at a photo.", choices=(32, 64, 128, 256))
    encoder_norm: bool = option(True, "Whether the encoder normalises its maps, as the authors' does.")
    judges: int = option(2, "Discriminators; each next one sees the picture at half the size.", low=1, high=4)
    judge_layers: int = option(4, "Layers of a discriminator before its verdict.", low=2, high=6)
    judge_width: int = option(64, "Channels of a discriminator's first layer.", low=1, high=256)
    adversarial: float = option(1.0, "Weight of fooling the discriminators; 0 switches the term off.", low=0)
    features: float = option(10.0, "Weight of looking alike to the discriminators' layers; 0 = off.", low=0)
    alike: float = option(10.0, "Weight of looking alike to a network that knows pictures.", low=0)
    eyes: float = option(0.0, "Weight of fooling a further judge that sees by that network (the paper: 0).", low=0)
    kl: float = option(0.05, "Weight of keeping styles normally distributed.", low=0)
    near: float = option(0.0, "Weight of the L1 distance to the photo (the paper has none).", low=0)
    free: float = option(
        0.0,
        "Share of a batch that is painted in a style drawn at random, not the photo's (the paper: 0).",
        low=0,
        high=1,
    )
    recognised: float = option(
        0.0, "Weight of the encoder recognising such a style in what was made of it (the paper: 0).", low=0
    )
    warmup: int = option(0, "Steps at the start in which no judge plays (the paper: 0).", low=0)
    batch: int = option(32, "Pairs a step.", low=1, high=256)
    lr: float = option(1e-4, "Adam's step size for generator and encoder; its betas are 0 and 0.9.", low=0, high=1)
    judge_lr: float = option(4e-4, "The same for the discriminators.", low=0, high=1)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)

    @property
    def channels(self) -> int:
        """Channels of a label map as the networks see it."""
        return self.labels + self.unknown + self.edges


# ---- normalisation that knows where it is ---------------------------------------------------------------------------


class Modulation(nn.Module):
    """Label map (N, L, h, w) -> gamma and beta, both (N, C, h, w): two convolutions deep (figure 3)."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        k = config.kernel
        self.shared = nn.Conv2d(config.channels, config.hidden, 3, padding=1)
        self.gamma = nn.Conv2d(config.hidden, channels, k, padding=k // 2)
        self.beta = nn.Conv2d(config.hidden, channels, k, padding=k // 2)

    def forward(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.relu(self.shared(labels))
        return self.gamma(hidden), self.beta(hidden)


class SPADE(nn.Module):
    """Normalises without learned numbers, then scales and shifts each pixel as the label map says."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.norm, self.batch = Norm(channels, config.norm, affine=False), config.norm == "batch"
        self.modulation = Modulation(config, channels)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        gamma, beta = self.modulation(labels)
        normalised = self.norm(x, averages=self.batch and not self.training)
        return torch.addcmul(beta, normalised, 1 + gamma)


class Plain(nn.Module):
    """What takes SPADE's place in the baseline: instance normalisation, scaled and shifted alike everywhere."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.norm = Norm(channels, "instance")

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return self.norm(x)


class Block(nn.Module):
    """Residual block: norm, leaky ReLU, 3 x 3 convolution, twice; the shortcut learns if channels change (figure 4)."""

    def __init__(self, config: Config, inputs: int, outputs: int) -> None:
        super().__init__()
        norm = SPADE if config.conditioning == "spade" else Plain
        middle = min(inputs, outputs)
        self.norm_0, self.norm_1 = norm(config, inputs), norm(config, middle)
        self.conv_0 = spectral_norm(nn.Conv2d(inputs, middle, 3, padding=1))
        self.conv_1 = spectral_norm(nn.Conv2d(middle, outputs, 3, padding=1))
        self.norm_s = norm(config, inputs) if inputs != outputs else None
        self.conv_s = spectral_norm(nn.Conv2d(inputs, outputs, 1, bias=False)) if inputs != outputs else None

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        shortcut = x if self.conv_s is None else self.conv_s(self.norm_s(x, labels))
        x = self.conv_0(F.leaky_relu(self.norm_0(x, labels), 0.2))
        return shortcut + self.conv_1(F.leaky_relu(self.norm_1(x, labels), 0.2))


class Stem(nn.Module):
    """The baseline's way in: the label map, halved by convolutions as pix2pixHD's, to the size of the first map."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.width * min(2**k, 16) for k in range(config.doublings + 1)]
        # Reflected borders: zeros beyond the edge would tell, along it, what normalisation takes away everywhere.
        first = nn.Conv2d(config.channels, wide[0], 7, padding=3, padding_mode="reflect")
        rest = [
            nn.Conv2d(wide[k], wide[k + 1], 3, 2, 1, padding_mode="reflect") for k in range(config.doublings)
        ]  # fmt: skip
        self.convs = nn.ModuleList([first, *rest])
        self.norms = nn.ModuleList(Norm(channels, "instance") for channels in wide)
        self.out = nn.Conv2d(wide[-1], 16 * config.width, 1)

    def forward(self, labels: Tensor) -> Tensor:
        x = labels
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return self.out(x)


class Generator(nn.Module):
    """From a style vector (or the smallest label map) up to the picture, one block a size (figures 4 and 11).

    Shapes for 256 px, width 64: style (N, 256) -> 1024 x 8² -> block, double -> two blocks at 16² -> double, block:
    512 x 32² -> 256 x 64² -> 128 x 128² -> 64 x 256² -> (N, 3, 256, 256) in [-1, 1]. With 6 doublings there is one
    more between the two blocks of the middle, with 7 also one more block at the end; with fewer than 5 the last ones
    are left out. Any size works whose sides divide by 2 to the doublings.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.doublings = config.doublings
        ups = min(config.doublings, 5) - 1 + (config.doublings == 7)
        wide = [config.width * 16] * 3 + [max(1, config.width * 16 >> (k + 1)) for k in range(ups)]
        self.double = [False, True, config.doublings > 5] + [True] * ups
        deepest = 16 * config.width
        self.side = config.start or config.size >> config.doublings
        self.stem = Stem(config) if config.conditioning == "concat" else None
        if config.style:
            self.first: nn.Module | None = nn.Linear(config.style, deepest * self.side**2)
        else:
            self.first = nn.Conv2d(config.channels, deepest, 3, padding=1) if self.stem is None else None
        self.blocks = nn.ModuleList(Block(config, a, b) for a, b in zip([deepest, *wide], wide, strict=False))
        self.last = nn.Conv2d(wide[-1], 3, 3, padding=1)
        self.styles = config.style

    def forward(self, labels: Tensor, z: Tensor | None = None, inside: bool = False) -> Any:
        """Labels ``(N, L, H, W)``, one 1 a pixel; z ``(N, style)``, None = the mean style -> ``(N, 3, H, W)``.

        inside: instead of the picture, (gamma, beta) of each SPADE layer by its name.
        """
        maps = self._maps(labels)
        if inside:
            return {name: layer.modulation(maps[labels.shape[2] // smaller]) for name, layer, smaller in self.layers()}
        x = self._start(maps, z)
        for block, double in zip(self.blocks, self.double, strict=True):
            if double:
                x = F.interpolate(x, scale_factor=2)
            x = block(x, maps[x.shape[2]])
        return torch.tanh(self.last(F.leaky_relu(x, 0.2)))

    def _maps(self, labels: Tensor) -> dict[int, Tensor]:
        """The label map at each size, by its height; each is made once, and layers of one size share it."""
        height, width = labels.shape[2:]
        sizes = [(height >> k, width >> k) for k in range(self.doublings + 1)]
        return {h: labels if h == height else F.interpolate(labels, (h, w)) for h, w in sizes}

    def _start(self, maps: dict[int, Tensor], z: Tensor | None) -> Tensor:
        labels, smallest = maps[max(maps)], maps[min(maps)]
        x: Any = 0.0 if self.stem is None else self.stem(labels)
        if not self.styles:
            return x if self.first is None else self.first(smallest)
        if z is None:
            z = labels.new_zeros(len(labels), self.styles)
        begun = self.first(z).view(len(z), -1, self.side, self.side)
        if begun.shape[2:] != smallest.shape[2:]:
            begun = F.interpolate(begun, smallest.shape[2:])
        return x + begun

    def layers(self) -> Iterator[tuple[str, SPADE, int]]:
        """(name, layer, how many times its map is smaller than the picture) of each SPADE layer, in their order."""
        smaller = 1 << self.doublings
        for k, (block, double) in enumerate(zip(self.blocks, self.double, strict=True)):
            smaller = smaller // 2 if double else smaller
            for part in ("norm_s", "norm_0", "norm_1"):
                layer = getattr(block, part)
                if layer is not None:
                    yield f"blocks.{k}.{part}", layer, smaller


# ---- the encoder and the discriminators -----------------------------------------------------------------------------


class Encoder(nn.Module):
    """Photo -> mean and log variance of its style (figure 14): strided convolutions down to 4 x 4, then linear."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.size, self.normed = config.encoder_size, config.encoder_norm
        wide = [3, *(config.width * min(2**k, 8) for k in range(int(math.log2(config.encoder_size // 4))))]
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 3, 2, 1, bias=not self.normed)) for a, b in pairwise(wide)
        )
        self.norms = nn.ModuleList(
            Norm(b, "instance", affine=False) if self.normed else nn.Identity() for b in wide[1:]
        )
        self.mean = nn.Linear(wide[-1] * 16, config.style)
        self.log_variance = nn.Linear(wide[-1] * 16, config.style)

    def forward(self, photo: Tensor) -> Tensor:
        """``(N, 3, encoder_size, encoder_size)`` -> ``(N, 2 * style)``: the means, then the log variances."""
        x = photo
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return torch.cat([self.mean(x.flatten(1)), self.log_variance(x.flatten(1))], dim=1)


class PatchJudge(nn.Module):
    """Verdicts on the patches of (labels, picture), and every layer's maps on the way there (figure 13)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.judge_width * min(2**k, 8) for k in range(config.judge_layers)]
        convs = [nn.Conv2d(config.channels + 3, wide[0], 4, 2, 2)]
        for k in range(1, config.judge_layers):
            stride = 1 if k == config.judge_layers - 1 else 2
            convs.append(spectral_norm(nn.Conv2d(wide[k - 1], wide[k], 4, stride, 2, bias=False)))
        self.convs = nn.ModuleList([*convs, nn.Conv2d(wide[-1], 1, 4, 1, 2)])
        self.norms = nn.ModuleList(Norm(channels, "instance", affine=False) for channels in wide[1:])

    def forward(self, pair: Tensor) -> list[Tensor]:
        maps = [F.leaky_relu(self.convs[0](pair), 0.2)]
        for conv, norm in zip(self.convs[1:-1], self.norms, strict=True):
            maps.append(F.leaky_relu(norm(conv(maps[-1])), 0.2))
        return [*maps, self.convs[-1](maps[-1])]


class Discriminator(nn.Module):
    """The same kind of judge at several scales: one for texture, the next, at half the size, for layout."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.judges = nn.ModuleList(PatchJudge(config) for _ in range(config.judges))

    def forward(self, labels: Tensor, picture: Tensor) -> list[list[Tensor]]:
        """For each judge: the maps of its layers, the verdicts (N, 1, h, w) last."""
        pair, found = torch.cat([labels, picture], dim=1), []
        for k, judge in enumerate(self.judges):
            pair = F.avg_pool2d(pair, 3, 2, 1, count_include_pad=False) if k else pair
            found.append(judge(pair))
        return found


# ---- the terms of the objective -------------------------------------------------------------------------------------


def verdict(judged: Sequence[Sequence[Tensor]], real: bool) -> Tensor:
    """Hinge loss of what the judges say, averaged over them."""
    return sum(hinge(maps[-1], real) for maps in judged) / len(judged)


def matching(ours: Sequence[Sequence[Tensor]], theirs: Sequence[Sequence[Tensor]]) -> Tensor:
    """L1 between the maps of two pictures in all layers but the verdict: summed over layers, averaged over judges
    (pix2pixHD, arXiv 1711.11585, equation 4)."""
    pairs = [
        (a, b) for mine, other in zip(ours, theirs, strict=True) for a, b in zip(mine[:-1], other[:-1], strict=True)
    ]
    return sum(F.l1_loss(a, b.detach()) for a, b in pairs) / len(ours)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)): summed over a style's numbers, averaged over pictures (arXiv 1312.6114)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1).mean()


# ---- the GAN --------------------------------------------------------------------------------------------------------


class Layer(NamedTuple):
    """What `modulation` says of one layer: pictures of gamma and beta (blue = more, orange = less, white = unchanged;
    full colour at ``most``) for one channel, and of how strongly all channels are modulated at each pixel."""

    name: str
    size: tuple[int, int]
    channels: int
    gamma: Picture
    beta: Picture
    most_gamma: float
    most_beta: float
    strength: Picture


class Style(NamedTuple):
    """A seed and the picture it gives."""

    seed: int
    picture: Picture


class MapReading(NamedTuple):
    """What `read` says of a label map: ``ids``, exact, as a grey picture (255 = unknown); ``kind`` "numbers" or
    "colours"; shares of the pixels that were ``snapped`` to a class and that are ``unknown``; the class of each
    ``foreign`` colour, most frequent first; the share of each class that is there."""

    ids: Picture
    kind: str
    snapped: float
    unknown: float
    foreign: list[dict[str, Any]]
    classes: dict[str, float]


class GAN(BaseGAN):
    about = About(
        title="SPADE",
        year=2019,
        idea={
            "en": "Paint where things are, get the landscape: the label map scales and shifts every normalisation, so "
            "it is never washed away.",
            "ko": "무엇이 어디에 있는지 칠하면 풍경이 됩니다. 라벨 지도가 모든 정규화의 크기와 위치를 정하므로 "
            "씻겨 나가지 않습니다.",
        },
        paper="Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization. CVPR 2019.",
        link="https://arxiv.org/abs/1903.07291",
        objective={
            "discriminator": r"\min_D\; \mathbb{E}[\max(0,1-D(m,x))] + \mathbb{E}[\max(0,1+D(m,G(m,z)))]",
            "generator": r"\min_{G,E}\; -\mathbb{E}[D(m,G(m,z))] + \lambda_{F}\,\mathcal{L}_{F} + "
            r"\lambda_{P}\,\mathcal{L}_{P} + \lambda_{KL}\,D_{KL}(q(z|x)\,\Vert\,\mathcal{N}(0,1))",
        },
        terms={
            "discriminator": Term(
                r"\max(0,1-D(m,x)) + \max(0,1+D(m,G(m,z)))",
                {
                    "en": "How badly the discriminators tell photos from painted pictures; 2 = they are guessing.",
                    "ko": "판별자들이 사진과 만든 그림을 얼마나 못 가리는지. 2면 찍는 것과 같습니다.",
                },
                won=0.05,
            ),
            "fool": Term(
                r"-D(m,G(m,z))",
                {
                    "en": "How far the generator is from fooling the discriminators; below 0 they are taken in.",
                    "ko": "생성자가 판별자들을 속이기까지 얼마나 남았는지. 0보다 작으면 속은 것입니다.",
                },
                weight="adversarial",
            ),
            "features": Term(
                r"\mathcal{L}_F=\tfrac1K\sum_{k,i}\lVert D_k^{(i)}(m,x)-D_k^{(i)}(m,G(m,z))\rVert_1",
                {
                    "en": "How differently the photo and the picture look to the discriminators' layers.",
                    "ko": "판별자들의 층에서 볼 때 사진과 만든 그림이 얼마나 다른지.",
                },
                weight="features",
            ),
            "kl": Term(
                r"D_{KL}(q(z|x)\,\Vert\,\mathcal{N}(0,1))",
                {
                    "en": "How far the encoder's styles are from the normal distribution that seeds draw from.",
                    "ko": "인코더가 읽은 스타일이 시드가 뽑는 정규분포에서 얼마나 먼지.",
                },
                weight="kl",
            ),
            "near": Term(
                r"\lVert x-G(m,z)\rVert_1",
                {
                    "en": "Mean distance to the photo (L1); not part of the paper's objective.",
                    "ko": "사진과의 평균 거리(L1). 논문의 목적 함수에는 없습니다.",
                },
                weight="near",
            ),
            **eyes_terms("m,"),
            "recognised": Term(
                r"\lVert z-\mu(G(m,z))\rVert_1",
                {
                    "en": "How far the style that the encoder reads in a picture is from the one it was painted in; "
                    "so that styles are not ignored. Not in the paper.",
                    "ko": "그림에서 인코더가 읽은 스타일이 실제로 쓴 스타일과 얼마나 다른지. 스타일이 무시되지 "
                    "않게 합니다. 논문에는 없습니다.",
                },
                weight="recognised",
            ),
        },
        read_before=("pix2pix", "wgan"),
        read_next=("stylegan", "stylegan2"),
    )
    Config = Config
    TINY = Config(
        size=32, labels=11, edges=True, width=4, doublings=3, hidden=8, style=8, encoder_size=32, judges=2,
        judge_layers=3, judge_width=8, near=10.0, alike=1.0, eyes=0.1, free=0.25,
        recognised=0.1, batch=4, lr=2e-3, judge_lr=2e-3,
    )  # fmt: skip
    CLASSROOM = Config(
        size=64, labels=11, unknown=False, width=6, doublings=4, hidden=32, kernel=1, style=16, start=4,
        encoder_size=64, encoder_norm=False, judge_layers=3, judge_width=16, near=10.0, batch=8, lr=5e-4,
        judge_lr=5e-4, ema=0.99,
    )  # fmt: skip
    Data = Segmentations
    demo = ("generator", "encoder")

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        c = self.config
        if c.size >> c.doublings < 1 or (c.start and (c.size >> c.doublings) % c.start):
            raise ValueError(
                f"{c.size} px and {c.doublings} doublings begin with a map of {c.size / 2**c.doublings:g} px; that "
                f"must be at least 1 and divide by start = {c.start}."
            )
        self.generator = Generator(c)
        self.encoder = Encoder(c) if c.style and c.encoder else None
        self.discriminator = Discriminator(c)
        self.demo = ("generator", "encoder") if self.encoder else ("generator",)
        for name, p in self.named_parameters():  # section A: Glorot. Where a weight is normalised its size is nothing
            if p.ndim > 1 and "parametrizations" not in name:
                nn.init.xavier_normal_(p)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
        self.eyes = second_judge(c, planes=c.channels)

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        file = values.pop("vgg", "")  # until 2026-12 the term was by VGG's features, and off without its weights
        if "perceptual" in values:
            weight = values.pop("perceptual")
            values["alike"] = weight if file else 0.0
        return values

    def optimizers(self) -> dict[str, Optimizer]:
        c, own = self.config, [self.generator, *([self.encoder] if self.encoder is not None else [])]
        return {
            "discriminator": Adam(both(self.discriminator, self.eyes), c.judge_lr, betas=(0.0, 0.9)),
            "generator": Adam((p for part in own for p in part.parameters()), c.lr, betas=(0.0, 0.9)),
        }

    def train_step(self, batch: tuple[Tensor, Tensor], optimizers: Optimizers, step: int) -> Losses:
        ids, photo = batch  # (N, H, W) uint8, (N, 3, H, W) in [-1, 1]
        c, labels, playing = self.config, self.one_hot(ids), step >= self.config.warmup
        z, losses, own = self._style_of(photo)  # the first `own` pictures are painted in their photo's style
        fake = self.generator(labels, z)
        losses["near"] = F.l1_loss(fake[:own], photo[:own])

        # 1. The discriminators learn to tell (labels, photo) from (labels, fake). So does one that knows pictures.
        judged = []
        if playing and (c.adversarial or c.features or step % ONLOOKER == 0):
            yes, no = self.discriminator(labels, photo), self.discriminator(labels, fake.detach())
            losses["discriminator"] = verdict(yes, True) + verdict(no, False)
            judged.append(losses["discriminator"])
        if c.eyes or c.alike:
            look = Look(len(photo), photo.device)
            theirs, ours, shown = features(look(photo)), features(look(fake)), look.moved(labels)
            losses["alike"] = likeness([x[:own] for x in ours], [x[:own] for x in theirs])
        if playing and c.eyes:
            losses["eyes"] = self.eyes.told(theirs, ours, shown)
            judged.append(losses["eyes"])
        if judged:
            descend(optimizers["discriminator"], sum(judged))

        # 2. Generator and encoder learn to fool them, looking like the photo to their layers, with styles kept normal.
        if playing and (c.adversarial or c.features):
            with torch.no_grad():
                real = self.discriminator(labels[:own], photo[:own])
            made = self.discriminator(labels, fake)
            losses["fool"] = -sum(maps[-1].mean() for maps in made) / len(made)
            losses["features"] = matching([[x[:own] for x in maps] for maps in made], real)
        if playing and c.eyes:
            losses["seen"] = self.eyes.fooled(ours, shown)
        if own < len(photo) and c.recognised:
            losses["recognised"] = F.l1_loss(self.encoder(self._looked_at(fake[own:])).chunk(2, 1)[0], z[own:])
        weights = {
            "fool": c.adversarial, "features": c.features, "alike": c.alike, "kl": c.kl, "near": c.near,
            "recognised": c.recognised, "seen": c.eyes * opened(step - c.warmup),
        }  # fmt: skip
        descend(optimizers["generator"], weighed(losses, weights))
        return losses

    def _style_of(self, photo: Tensor) -> tuple[Tensor | None, dict[str, Tensor], int]:
        """Styles ``(N, style)``: drawn from what the encoder reads off the photos, for all but the last ones (`free`),
        whose styles are any; the divergence; and how many are the photo's own. Without encoder, any style for all."""
        c, n = self.config, len(photo)
        if self.encoder is None:
            return (torch.randn(n, c.style, device=photo.device) if c.style else None), {}, n
        own = n - int(c.free * n + 0.5)
        mean, log_variance = self.encoder(self._looked_at(photo[:own])).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        anyone = torch.randn(n - own, c.style, device=photo.device)
        return torch.cat([z, anyone.to(z)]), {"kl": divergence(mean, log_variance)}, own

    def _looked_at(self, photo: Tensor) -> Tensor:
        side = self.config.encoder_size
        if photo.shape[2:] == (side, side):
            return photo
        smaller = photo.shape[2] > side
        return F.interpolate(photo, (side, side), mode="bilinear", align_corners=False, antialias=smaller)

    def one_hot(self, ids: Tensor, objects: Tensor | None = None) -> Tensor:
        """``(N, H, W)`` ids, and numbers of objects of the same shape -> ``(N, channels, H, W)`` of 0 and 1.

        Pixels of no class have the channel "unknown", or none. Borders between objects have the last channel;
        without ``objects`` each painted region counts as one.
        """
        c, ids = self.config, ids.to(self.device).long()
        planes = torch.arange(c.labels + c.unknown, device=ids.device)[:, None, None]
        if c.unknown:
            ids = torch.where(ids >= c.labels, c.labels, ids)
        found = (ids[:, None] == planes).float()
        if not c.edges:
            return found
        objects = ids if objects is None else objects.to(self.device).long()
        across, down = objects[:, :, 1:] != objects[:, :, :-1], objects[:, 1:] != objects[:, :-1]
        border = F.pad(across, (1, 0)) | F.pad(across, (0, 1)) | F.pad(down, (0, 0, 1, 0)) | F.pad(down, (0, 0, 0, 1))
        return torch.cat([found, border[:, None].float()], dim=1)

    # ---- looking at it ----------------------------------------------------------------------------------------------

    @property
    def classes(self) -> Classes:
        """The classes that the card names, and "unknown"; a net without a card calls them by their numbers."""
        return palette(self.extras.get("palette") or [], self.config.labels)

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Label map, what the generator makes of it in a style of its own and in the photo's, the photo."""
        ids, photo = batch
        shown = to_batch(self.classes.colours[ids.cpu().numpy()]).to(photo.device)
        own = torch.cat([self._drawn(k) for k in range(len(ids))]) if self.config.style else None
        columns = [shown, self.generator(self.one_hot(ids), own)]
        if self.encoder is not None:
            columns.append(self.generator(self.one_hot(ids), self.encoder(self._looked_at(photo)).chunk(2, 1)[0]))
        return torch.stack([*columns, photo], dim=1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        first = [{"en": "label map", "ko": "라벨 맵"}, {"en": "what is made", "ko": "만든 그림"}]
        seen = [{"en": "in the photo's style", "ko": "사진의 스타일로"}] if config.style and config.encoder else []
        return [*first, *seen, {"en": "the photo", "ko": "실제 사진"}]

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Label map, and what the generator makes of it in two styles."""
        rows = []
        for picture in pictures:
            ids = self._fitted(open_map(picture), square=True)
            made = [self._painted(ids, self._style(seed, None)) for seed in ((1, 2) if self.config.style else (None,))]
            rows.append(torch.cat([to_batch(self.classes.colours[ids][None]).to(self.device), *made]))
        return torch.stack(rows)

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        own = torch.cat([self._drawn(k) for k in range(len(batch[0]))]) if self.config.style else None
        return self.generator(self.one_hot(batch[0]), own), batch[1]

    def measure(self, data: Segmentations, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on maps that were held out, for the card.

        - ``swd``: sliced Wasserstein distance of the pictures (a seed each) to the real photos; lower is better;
        - ``agreement``: share of known pixels where a small segmenter, trained here on the other real pairs, finds the
          class that was painted, and ``mean class``, the same with every class counting alike;
        - ``diversity``: mean difference of eight seeds' pictures of one map.
        """
        others = np.setdiff1d(np.arange(len(data)), np.asarray(indices))
        random = np.random.default_rng(11)
        drawn = ([(k, np.random.default_rng(k)) for k in random.choice(others, 12)] for _ in range(self.judged))
        judge = measure.segmenter((data.batch(*zip(*some, strict=True)) for some in drawn), self.config.labels)
        batches = [data.batch([k], [None]) for k in indices]
        ids, photos = torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])
        made = torch.cat([self._painted(each.numpy(), self._style(k, None)).cpu() for k, each in enumerate(ids)])
        found: dict[str, Any] = {"n": len(ids), "size": self.config.size}
        for name, pictures in {"generator": made, "real photos": photos}.items():
            found[name] = {k: round(v, 3) for k, v in measure.agreement(judge, pictures, ids).items()}
        found["generator"] |= measure.apart(made, photos)
        found["real photos"] |= measure.floor(photos)  # of one half of them to the other
        if self.config.style:
            sets = [torch.cat([self._painted(e.numpy(), self._style(s, None)) for s in range(8)]) for e in ids[:8]]
            found["generator"]["diversity"] = round(sum(measure.diversity(s.cpu()) for s in sets) / len(sets), 4)
        return found

    @property
    def judged(self) -> int:
        """Batches of twelve real pairs from which the measuring segmenter learns: enough at each size."""
        return min(600, self.config.size**2 // 16)

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        c, random = self.config, torch.Generator().manual_seed(0)
        painted = landscape(np.random.default_rng(0), c.size)[1][None] % c.labels
        given: dict[str, tuple[Tensor, ...]] = {}
        if self.encoder is not None:
            photo = torch.rand(1, 3, c.encoder_size, c.encoder_size, generator=random) * 2 - 1
            given["encoder"] = (photo.to(self.device),)
        return given | {"generator": (self.one_hot(torch.from_numpy(painted)), *([self._drawn(0)] if c.style else []))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def paint(
        self,
        labels: LabelMap,
        seed: int | None = None,
        style_photo: Picture | None = None,
        objects: LabelMap | None = None,
    ) -> Picture:
        """Turns a label map into a picture of its shape.

        Args:
            labels: one class a pixel: its number (grey, palette or 16-bit picture; 255 = unknown) or its colour.
            seed: draws the style; leave it out for the mean style. Beside a photo it varies the photo's style.
            style_photo: a photo whose style (light, colours, weather) the picture gets.
            objects: a map of numbers that tells objects of one class apart, for a checkpoint trained with such maps.
        """
        if objects is not None and not self.config.edges:
            raise ValueError("This checkpoint was trained without maps of objects. Leave objects out.")
        ids = self._fitted(labels)
        several = None if objects is None else sampled(objects.values, *ids.shape)
        if several is not None and several.ndim != 2:
            raise ValueError("A map of objects holds numbers (a grey or 16-bit picture), not colours.")
        return images.to_picture(self._painted(ids, self._style(seed, style_photo), several))

    @verb
    def styles(self, labels: LabelMap, n: int = 6, seed: int = 1, style_photo: Picture | None = None) -> list:
        """The same label map in several styles.

        Args:
            labels: one class a pixel, as for paint.
            n: how many, 1 to 16.
            seed: the first one's seed; the others have the numbers after it.
            style_photo: a photo whose style the seeds vary.
        """
        if not 1 <= n <= 16:
            raise ValueError(f"n = {n}: 1 to 16 styles can be shown.")
        ids, seeds = self._fitted(labels), range(seed, seed + n)
        return [Style(k, images.to_picture(self._painted(ids, self._style(k, style_photo)))) for k in seeds]

    @verb
    def modulation(self, labels: LabelMap, channel: int = 0) -> list:
        """Gamma and beta of each layer: how the label map scales and shifts the generator's maps.

        Args:
            labels: one class a pixel, as for paint.
            channel: which channel's maps to show; layers with fewer start again from 0.
        """
        if self.config.conditioning != "spade":
            raise ValueError("This checkpoint gets the label map as its input only, so there is no modulation to show.")
        shown = []
        for name, numbers in self.generator(
            self.one_hot(torch.from_numpy(self._fitted(labels))[None]), inside=True
        ).items():
            gamma, beta = (x[0].cpu() for x in numbers)
            one, two = gamma[channel % len(gamma)], beta[channel % len(beta)]
            strength = (gamma.square() + beta.square()).mean(dim=0).sqrt()
            tops = [max(float(x.abs().max()), 1e-6) for x in (one, two, strength)]
            seen = [_signed(x / top) for x, top in zip((one, two, strength), tops, strict=True)]
            shown.append(Layer(name, tuple(one.shape), len(gamma), seen[0], seen[1], tops[0], tops[1], seen[2]))
        return shown

    @verb
    def read(self, labels: LabelMap) -> MapReading:
        """What a label map is read as: its exact ids, and which colours had to be guessed.

        Args:
            labels: a label map of numbers or colours, from anywhere.
        """
        found: Reading = self.classes.read(labels)
        ids, counts = np.unique(found.ids, return_counts=True)
        total = found.ids.size
        foreign = [
            {"colour": c, "share": n / total, "id": k, "name": self.classes.name(k)} for c, n, k in found.foreign
        ]
        shares = {self.classes.name(int(k)): float(n) / total for k, n in zip(ids, counts, strict=True)}
        grey = images.Image.fromarray(found.ids)
        return MapReading(grey, found.kind, found.snapped / total, found.unknown / total, foreign, shares)

    def _fitted(self, labels: LabelMap, square: bool = False) -> np.ndarray:
        """The ids at a size that the net works at: of about the training's area, in the map's own shape (1:3 at most).

        Raises:
            ValueError: numbers that are no class.
        """
        ids = self.classes.read(labels).ids
        size, step = self.config.size, 1 << self.config.doublings
        shape = 1.0 if square else min(max(ids.shape[1] / ids.shape[0], 1 / 3), 3.0)
        height, width = (max(step, round(size * s / step) * step) for s in (shape**-0.5, shape**0.5))
        return sampled(ids, height, width)

    @torch.no_grad()
    def _painted(self, ids: np.ndarray, z: Tensor | None, objects: np.ndarray | None = None) -> Tensor:
        several = None if objects is None else torch.from_numpy(objects)[None]
        labels = self.one_hot(torch.from_numpy(np.ascontiguousarray(ids))[None], several)
        return self.generator(labels) if z is None else self.generator(labels, z)

    def _style(self, seed: int | None, photo: Picture | None) -> Tensor | None:
        """z ``(1, style)``: the photo's, varied by the seed; or the seed's; or the mean style. None = there is none."""
        if not self.config.style:
            if seed is not None or photo is not None:
                raise ValueError(
                    "This checkpoint has no styles: it was trained to draw one picture of a label map. Leave seed and "
                    "style_photo out, or choose another checkpoint."
                )
            return None
        if photo is None:
            return torch.zeros(1, self.config.style, device=self.device) if seed is None else self._drawn(seed)
        if self.encoder is None:
            raise ValueError("This checkpoint has no encoder, so it can't read the style of a photo. Use a seed.")
        side = self.config.encoder_size
        mean, log_variance = self.encoder(images.to_tensor(images.crop_square(photo, side)).to(self.device)).chunk(2, 1)
        return mean if seed is None else mean + self._drawn(seed) * (log_variance / 2).exp()

    def _drawn(self, seed: int) -> Tensor:
        """z from the seed's own generator on the CPU, so that it is the same on every device."""
        random = torch.Generator().manual_seed(seed % 2**63)
        return torch.randn(1, self.config.style, generator=random).to(self.device)

    # ---- official checkpoints ---------------------------------------------------------------------------------------

    @classmethod
    def official(cls, names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
        """Reads the architecture off the names and shapes of official files, and gives the name map: ours -> theirs.

        The files are those of the authors' code (github.com/NVlabs/SPADE): ``latest_net_G.pth`` alone, or a folder
        with the ``_G``, ``_E`` and ``_D`` of one training, whose names then begin with ``G.``, ``E.``, ``D.``.

        Raises:
            ValueError: the file is something else; says what it looks like.
        """
        parts: dict[str, dict[str, Sequence[int]]] = {}
        prefixed = all(name[:2] in ("G.", "E.", "D.") for name in names)
        for name, shape in names.items():
            parts.setdefault(name[0] if prefixed else "", {})[name[2:] if prefixed else name] = shape
        shapes = parts.get("G", parts.get("", {}))
        if "head_0.norm_0.mlp_shared.0.weight" not in shapes:
            raise ValueError(_looks_like(names))
        config = _official_config(shapes, parts.get("E"), parts.get("D"))
        table = _official_generator(config, shapes)
        table = {f"generator.{ours}": ("G." if prefixed else "") + theirs for ours, theirs in table.items()}
        for k in range(6 if "E" in parts else 0):
            table |= _weights(f"encoder.convs.{k}", f"E.layer{k + 1}.0", bias=not config.encoder_norm)
        if "E" in parts:
            table |= _weights("encoder.mean", "E.fc_mu", False) | _weights("encoder.log_variance", "E.fc_var", False)
            table |= {"encoder.mean.bias": "E.fc_mu.bias", "encoder.log_variance.bias": "E.fc_var.bias"}
        for judge in range(config.judges if "D" in parts else 0):
            for k in range(config.judge_layers + 1):
                inner = 0 < k < config.judge_layers
                theirs = f"D.discriminator_{judge}.model{k}.0" + (".0" if inner else "")
                table |= _weights(f"discriminator.judges.{judge}.convs.{k}", theirs, bias=not inner, spectral=inner)
        return config, table


KNOWN = {  # channels of a label map -> (classes, a channel for unknown, a channel of borders between objects)
    184: (182, True, True),  # COCO-Stuff
    183: (182, True, False),
    152: (150, True, True),
    151: (150, True, False),  # ADE20K
    36: (35, False, True),  # Cityscapes
}


def _weights(ours: str, theirs: str, bias: bool = True, spectral: bool | None = None) -> dict[str, str]:
    """Names of one convolution; with spectral norm its weight is kept with the two vectors of the power iteration."""
    if spectral is None:
        spectral = ".convs." in ours
    found = {f"{ours}.weight": f"{theirs}.weight"}
    if spectral:
        kept = f"{ours}.parametrizations.weight"
        found = {f"{kept}.original": f"{theirs}.weight_orig"}
        found |= {f"{kept}.0._u": f"{theirs}.weight_u", f"{kept}.0._v": f"{theirs}.weight_v"}
    return found | ({f"{ours}.bias": f"{theirs}.bias"} if bias else {})


def _official_generator(config: Config, shapes: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """
    =========================  ==========================================
    ours                       theirs
    =========================  ==========================================
    first, last                fc, conv_img
    blocks.0, .1, .2, .3 …     head_0, G_middle_0, G_middle_1, up_0 …
    conv_0, conv_1, conv_s     conv_0, conv_1, conv_s (spectral norm)
    norm_k.norm                norm_k.param_free_norm (averages alone)
    norm_k.modulation.shared   norm_k.mlp_shared.0
    norm_k.modulation.gamma …  norm_k.mlp_gamma, norm_k.mlp_beta
    =========================  ==========================================
    """
    table = _weights("first", "fc") | _weights("last", "conv_img")
    theirs = ["head_0", "G_middle_0", "G_middle_1", *(f"up_{k}" for k in range(5))]
    for k, block in enumerate(name for name in theirs if f"{name}.conv_0.weight_orig" in shapes):
        for part in "01s":
            if f"{block}.conv_{part}.weight_orig" not in shapes:
                continue
            table |= _weights(f"blocks.{k}.conv_{part}", f"{block}.conv_{part}", bias=part != "s", spectral=True)
            ours, norm = f"blocks.{k}.norm_{part}", f"{block}.norm_{part}"
            for mine, other in (("shared", "mlp_shared.0"), ("gamma", "mlp_gamma"), ("beta", "mlp_beta")):
                table |= _weights(f"{ours}.modulation.{mine}", f"{norm}.{other}")
            for kept in ("running_mean", "running_var"):
                if f"{norm}.param_free_norm.{kept}" in shapes:
                    table[f"{ours}.norm.{kept}"] = f"{norm}.param_free_norm.{kept}"
    return table


def _official_config(
    shapes: Mapping[str, Sequence[int]],
    encoder: Mapping[str, Sequence[int]] | None,
    judges: Mapping[str, Sequence[int]] | None,
) -> Config:
    hidden, channels, kernel = shapes["head_0.norm_0.mlp_shared.0.weight"][:3]
    if kernel != 3 or "head_0.conv_0.weight_orig" not in shapes:
        what = f"{kernel} x {kernel} kernels in SPADE" if kernel != 3 else "no spectral norm"
        raise ValueError(f"This SPADE generator has {what}; the studio reads those of the paper (spectralspade…3x3).")
    labels, unknown, edges = KNOWN.get(channels, (channels, False, False))
    deepest, start = shapes["head_0.conv_0.weight_orig"][0], shapes["fc.weight"]
    # Nothing in a file tells 5 doublings from 6; of the authors' models only Cityscapes' (36 channels) has 6.
    doublings = 7 if "up_4.conv_0.weight_orig" in shapes else 6 if channels == 36 else 5
    style, side = (start[1], math.isqrt(start[0] // deepest)) if len(start) == 2 else (0, 512 >> 6 if edges else 8)
    if style and side**2 * deepest != start[0]:
        raise ValueError("This generator begins with a map that is not square; the studio reads square ones.")
    size = side << doublings if style else {5: 256, 6: 512, 7: 512}[doublings]
    if size not in (32, 64, 128, 256, 512):
        raise ValueError(f"This generator seems to paint {size} px, which the studio does not; 32 to 512 are known.")
    settings: dict[str, Any] = {}
    if encoder and ("layer6.0.weight_orig" not in encoder or encoder["layer1.0.weight_orig"][0] * 16 != deepest):
        raise ValueError("This encoder does not belong to this generator: it has other widths, or fewer layers.")
    if judges is not None:
        first = [name for name in judges if name.startswith("discriminator_0.") and len(judges[name]) == 4]
        settings["judges"] = len({name.split(".")[0] for name in judges})
        settings["judge_layers"], settings["judge_width"] = len(first) - 1, judges[first[0]][0]
    return checked(
        Config(
            size=size, labels=labels, unknown=unknown, edges=edges, width=deepest // 16, doublings=doublings,
            hidden=hidden, kernel=shapes["head_0.norm_0.mlp_gamma.weight"][2],
            norm="batch" if "head_0.norm_0.param_free_norm.running_mean" in shapes else "instance",
            style=style, encoder=encoder is not None, **settings,
        )
    )  # fmt: skip


def _looks_like(names: Mapping[str, Sequence[int]]) -> str:
    """A sentence for a file that is no SPADE generator."""
    wanted = "SPADE needs the generator (…_net_G.pth); put encoder and generator into one folder and adopt that."
    if "fc_mu.weight" in names or "E.fc_mu.weight" in names:
        return f"This looks like SPADE's encoder (…_net_E.pth). {wanted}"
    if any(name.startswith(("discriminator_0.", "D.discriminator_0.")) for name in names):
        return f"This looks like a discriminator (…_net_D.pth). {wanted}"
    return (
        f"This is not a generator of SPADE: its first names are {', '.join(list(names)[:3]) or 'none'}. "
        "Expected names such as fc.weight and head_0.norm_0.mlp_shared.0.weight."
    )


def _signed(values: Tensor) -> Picture:
    """``(h, w)`` in [-1, 1] -> orange for less, white for 0, blue for more: told apart by every kind of vision."""
    less, more = torch.tensor([217.0, 95.0, 2.0]), torch.tensor([30.0, 100.0, 200.0])
    ends = torch.where(values[..., None] < 0, less, more)
    mixed = 255 + (ends - 255) * values.abs().clamp(max=1)[..., None]
    return images.Image.fromarray(mixed.round().to(torch.uint8).numpy())
