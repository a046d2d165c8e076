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
`concat.py` has such a net, to see it happen (``conditioning="concat"``); `style.py` what reads a style off a photo.

    Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization. CVPR 2019.
    https://arxiv.org/abs/1903.07291

How this differs from the paper (each a field of `Config`, the defaults are the paper's): the net that knows pictures is
EfficientNet-Lite0 and not VGG-19; a judge that sees by it may stand beside the discriminators or for them (`eyes`,
arXiv 2111.01007); some pictures may be painted in a random style, which the encoder must then recognise (`free`,
`recognised`; BicycleGAN, arXiv 1711.11586); an L1 distance to the photo may help a short training; gamma and beta may
come of 1 x 1 kernels and fewer maps; with fewer doublings, and a style's first map of fixed size, a net trained at 64
px goes on at 128; the encoder may do without normalisation, which hides a photo's brightness from it; the averaged
generator may be shown. Adam's betas are the authors' code's. Batches are one machine's.

Read before: pix2pix, wgan. Read next: stylegan (whose styles have no place), stylegan2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Segmentations
from studio.features import features, likeness
from studio.gans.spade.style import Encoder, divergence
from studio.labels import planes
from studio.layers import Norm
from studio.losses import hinge
from studio.projected import ONLOOKER, Look, both, eyes_terms, opened, second_judge
from studio.refused import Refused


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the pictures.", choices=(32, 64, 128, 256, 512))
    labels: int = option(150, "Classes of the label map; a training takes as many as its data has.", low=1, high=255)
    unknown: bool = option(True, "Whether pixels of no class have a channel of their own, or none at all.")
    edges: bool = option(False, "Whether a further channel has the borders between objects (the instance map).")
    conditioning: str = option(
        "spade", "Where the label map enters: each normalisation, or the input alone.", choices=("spade", "concat")
    )
    width: int = option(64, "The deepest maps have 16 times as many channels; the last doublings halve them.", low=1)
    doublings: int = option(5, "How often the size doubles from the first map to the picture.", low=3, high=7)
    hidden: int = option(128, "Maps between the label map and gamma and beta.", low=1, high=512)
    kernel: int = option(3, "Side of the kernels that make gamma and beta of the hidden maps.", choices=(1, 3))
    norm: str = option("batch", "Whose mean and variance SPADE normalises by.", choices=("batch", "instance"))
    style: int = option(256, "Numbers in a style vector; 0 = none, the first map is made of the labels.", low=0)
    start: int = option(0, "Side of the map made of a style, then enlarged; 0 = the first map's own.", low=0, high=64)
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
    free: float = option(0.0, "Share of a batch painted in a random style (the paper: 0).", low=0, high=1)
    recognised: float = option(0.0, "Weight of the encoder recognising such a style (the paper: 0).", low=0)
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


class Block(nn.Module):
    """Residual block: norm, leaky ReLU, 3 x 3 convolution, twice; the shortcut learns if channels change (figure 4)."""

    def __init__(self, config: Config, inputs: int, outputs: int, norm: type[nn.Module] = SPADE) -> None:
        super().__init__()
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


class Generator(nn.Module):
    """From a style vector (or the smallest label map) up to the picture, one block a size (figures 4 and 11).

    Shapes for 256 px, width 64: style (N, 256) -> 1024 x 8² -> block, double -> two blocks at 16² -> double, block:
    512 x 32² -> 256 x 64² -> 128 x 128² -> 64 x 256² -> (N, 3, 256, 256) in [-1, 1]. With 6 doublings there is one
    more between the two blocks of the middle, with 7 also one more block at the end; with fewer than 5 the last ones
    are left out. Any size works whose sides divide by 2 to the doublings.
    """

    norm: ClassVar[type[nn.Module]] = SPADE  # of its blocks

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.doublings, self.styles, deepest = config.doublings, config.style, 16 * config.width
        ups = min(config.doublings, 5) - 1 + (config.doublings == 7)
        wide = [deepest] * 3 + [max(1, deepest >> (k + 1)) for k in range(ups)]
        self.double = [False, True, config.doublings > 5] + [True] * ups
        self.side = config.start or config.size >> config.doublings
        if config.style:
            self.first: nn.Module | None = nn.Linear(config.style, deepest * self.side**2)
        else:
            self.first = nn.Conv2d(config.channels, deepest, 3, padding=1)
        pairs = zip([deepest, *wide], wide, strict=False)
        self.blocks = nn.ModuleList(Block(config, a, b, self.norm) for a, b in pairs)
        self.last = nn.Conv2d(wide[-1], 3, 3, padding=1)

    def forward(self, labels: Tensor, z: Tensor | None = None) -> Tensor:
        """Labels ``(N, L, H, W)``, one 1 a pixel; z ``(N, style)``, None = the mean style -> ``(N, 3, H, W)``."""
        maps = self.maps(labels)
        x = self.begun(maps, z)
        for block, double in zip(self.blocks, self.double, strict=True):
            if double:
                x = F.interpolate(x, scale_factor=2)
            x = block(x, maps[x.shape[2]])
        return torch.tanh(self.last(F.leaky_relu(x, 0.2)))

    def maps(self, labels: Tensor) -> dict[int, Tensor]:
        """The label map at each size, by its height; each is made once, and layers of one size share it."""
        height, width = labels.shape[2:]
        sizes = [(height >> k, width >> k) for k in range(self.doublings + 1)]
        return {h: labels if h == height else F.interpolate(labels, (h, w)) for h, w in sizes}

    def begun(self, maps: dict[int, Tensor], z: Tensor | None) -> Tensor:
        """The first map, ``(N, 16 * width, h, w)``."""
        smallest = maps[min(maps)]
        if not self.styles:
            return self.first(smallest)
        z = smallest.new_zeros(len(smallest), self.styles) if z is None else z
        return F.interpolate(self.first(z).view(len(z), -1, self.side, self.side), smallest.shape[2:])

    def modulations(self, labels: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """(gamma, beta), ``(N, C, h, w)`` both, of each SPADE layer by its name, in their order."""
        maps, found, height = self.maps(labels), {}, labels.shape[2] >> self.doublings
        for k, (block, double) in enumerate(zip(self.blocks, self.double, strict=True)):
            height *= 2 if double else 1
            for name in ("norm_s", "norm_0", "norm_1"):
                if (layer := getattr(block, name)) is not None:
                    found[f"blocks.{k}.{name}"] = layer.modulation(maps[height])
        return found


# ---- the discriminators ----------------------------------------------------------------------------------------------


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
    """L1 between two pictures' maps in all layers but the verdict, averaged over judges (arXiv 1711.11585, eq. 4)."""
    judges = zip(ours, theirs, strict=True)
    pairs = [(a, b) for mine, other in judges for a, b in zip(mine[:-1], other[:-1], strict=True)]
    return sum(F.l1_loss(a, b.detach()) for a, b in pairs) / len(ours)


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="SPADE",
        year=2019,
        paper="Park, Liu, Wang, Zhu: Semantic Image Synthesis with Spatially-Adaptive Normalization. CVPR 2019.",
        link="https://arxiv.org/abs/1903.07291",
        objective={
            "discriminator": r"\min_D\; \mathbb{E}[\max(0,1-D(m,x))] + \mathbb{E}[\max(0,1+D(m,G(m,z)))]",
            "generator": r"\min_{G,E}\; -\mathbb{E}[D(m,G(m,z))] + \lambda_{F}\,\mathcal{L}_{F} + "
            r"\lambda_{P}\,\mathcal{L}_{P} + \lambda_{KL}\,D_{KL}(q(z|x)\,\Vert\,\mathcal{N}(0,1))",
        },
        terms={
            "discriminator": Term(r"\max(0,1-D(m,x)) + \max(0,1+D(m,G(m,z)))", won=0.05),
            "fool": Term(r"-D(m,G(m,z))", weight="adversarial"),
            "features": Term(
                r"\mathcal{L}_F=\tfrac1K\sum_{k,i}\lVert D_k^{(i)}(m,x)-D_k^{(i)}(m,G(m,z))\rVert_1", weight="features"
            ),
            "kl": Term(r"D_{KL}(q(z|x)\,\Vert\,\mathcal{N}(0,1))", weight="kl"),
            "near": Term(r"\lVert x-G(m,z)\rVert_1", weight="near"),
            **eyes_terms("m,"),
            "recognised": Term(r"\lVert z-\mu(G(m,z))\rVert_1", weight="recognised"),
        },
        read_before=("pix2pix", "wgan"),
        read_next=("stylegan", "stylegan2"),
        diagram=(
            ("x", "encoder", "z"),
            ("m and z", "generator", "G(m, z)"),
            ("m and x or G(m, z)", "discriminator", "D"),
        ),
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

    generators: ClassVar[dict[str, type[nn.Module]]] = {"spade": Generator}  # demo.py adds the baseline of concat.py

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        c = self.config
        if c.size >> c.doublings < 1 or (c.start and (c.size >> c.doublings) % c.start):
            raise Refused(
                "spade.start", size=c.size, doublings=c.doublings, first=c.size / 2**c.doublings, start=c.start
            )
        self.generator = self.generators[c.conditioning](c)
        self.encoder = Encoder(c) if c.style and c.encoder else None
        self.discriminator = Discriminator(c)
        self.demo = ("generator", "encoder") if self.encoder else ("generator",)
        for name, p in self.named_parameters():  # section A: Glorot. Where a weight is normalised its size is nothing
            if p.ndim > 1 and "parametrizations" not in name:
                nn.init.xavier_normal_(p)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
        self.eyes = second_judge(c, planes=c.channels)

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
            losses["recognised"] = F.l1_loss(self.encoder(self.encoder.looked_at(fake[own:])).chunk(2, 1)[0], z[own:])
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
        mean, log_variance = self.encoder(self.encoder.looked_at(photo[:own])).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        anyone = torch.randn(n - own, c.style, device=photo.device)
        return torch.cat([z, anyone.to(z)]), {"kl": divergence(mean, log_variance)}, own

    def one_hot(self, ids: Tensor, objects: Tensor | None = None) -> Tensor:
        """``(N, H, W)`` ids, and numbers of objects of the same shape -> ``(N, channels, H, W)`` of 0 and 1.

        Without ``objects`` each painted region counts as one (`studio.labels.planes`).
        """
        c, objects = self.config, None if objects is None else objects.to(self.device)
        return planes(ids.to(self.device), c.labels, c.unknown, c.edges, objects)
