r"""Gated-GAN: one network paints a photo in many styles, and gates decide how much of each.

An encoder turns a photo into a code, a decoder turns a code into a picture, and between them stands one small
transformer for each style. A gate opens one of them, or several in a mixture; the last gate is the identity, so the
network is also an auto-encoder, which keeps the photo's content in the code:

    D:  min  1/2 E[(D(y) - 1)^2] + 1/2 E[D(G(x, s))^2]  -  lambda E[log C(s | y)]
    G:  min  E[(D(G(x, s)) - 1)^2]  -  lambda E[log C(s | G(x, s))]  +  10 E[|x - G(x, identity)|]  +  1e-6 TV

D asks "painted or made?", C asks "whose style?": two heads on one network. C learns from real paintings alone. (As one
classifier of K styles + "fake", the two questions get in each other's way: a fake that looks like a Monet is pushed to
"fake" and to "Monet" by gradients that lie over each other, section 3.3. ``merged`` shows it.)

    Chen, Xu, Yang, Song, Tao: Gated-GAN: Adversarial Gated Networks for Multi-Collection Style Transfer. TIP 2019.
    https://arxiv.org/abs/1904.02296

How this differs from the paper (each a field of `Config`, the defaults are the paper's and its published code's): the
decoder may have fewer residual blocks, and may resize and convolve instead of transposed convolution; only the inside
of residual blocks may be normalised (a net that is normalised throughout never knows how bright or colourful its photo
was, and has to guess); the auto-encoder may play alone for the first steps; the discriminator may do without norms and
be kept flat at paintings (Mescheder et al. 2018, arXiv 1801.04406); the averaged generator may be the one that is
shown. D aims at 1 for real pictures, where the authors' code aims at 0.9.

Read before: pix2pix, cyclegan. Read next: stargan (many domains with labels instead of gates), spade.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio import images, measure
from studio.base import About, BaseGAN, Losses, Optimizers, Term, checked, descend, option, verb, weighed
from studio.data import Styles
from studio.features import features, likeness
from studio.images import Picture
from studio.layers import Norm, ResizeConv2d
from studio.losses import least_squares, r1
from studio.projected import Look, both, eyes_terms, opened, second_judge


@dataclass(frozen=True)
class Config:
    styles: int = option(4, "Gates beside the identity; a training takes it from its data.", low=1, high=64)
    size: int = option(128, "Pixels a side of the squares that are trained on.", choices=(32, 64, 96, 128, 192, 256))
    load: int = option(143, "Pixels of a picture's shorter side before a square is cut out of it.", low=32, high=1024)
    width: int = option(64, "Channels of the generator's first layer; the code has 4 x as many.", low=1, high=256)
    blocks: int = option(5, "Residual blocks of the decoder.", low=0, high=12)
    norm: str = option(
        "all",
        "Where maps are normalised: after each convolution (the paper), or only between the two of a residual block, "
        "so that the photo's own colours and contrast pass.",
        choices=("all", "inner"),
    )
    upsample: str = option(
        "transposed",
        "How the decoder doubles the size: the paper's transposed convolution, or resize and convolve.",
        choices=("transposed", "resize"),
    )
    judge_width: int = option(64, "Channels of the discriminator's first layer.", low=1, high=256)
    judge_layers: int = option(3, "Its layers of stride 2: one verdict sees 16, 34 or 70 pixels.", low=1, high=3)
    judge_norm: str = option(
        "instance",
        "Whether the discriminator's maps are normalised (the paper), or not: then it sees how bright, colourful and "
        "rich in contrast a picture is.",
        choices=("instance", "none"),
    )
    merged: bool = option(False, "One classifier of K styles and 'fake' instead of two heads: the problem, to see it.")
    adversarial: float = option(1.0, "Weight of fooling the discriminator; 0 switches the term off.", low=0)
    classifier: float = option(10.0, "Weight of the style classifier, in both players (the script: 1).", low=0)
    rebuild: float = option(10.0, "Weight of the auto-encoder through the identity gate.", low=0)
    smooth: float = option(1e-6, "Weight of the total variation, summed over a picture.", low=0)
    flat: float = option(
        0.0, "gamma: how much both verdicts must be flat at paintings (R1, every 8th step; the paper: 0).", low=0
    )
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    alike: float = option(
        0.0, "Weight of showing what the photo shows, to the deep layers of that network (the paper: 0).", low=0
    )
    pool: int = option(50, "Earlier fakes that the discriminator is reminded of; 0 = only the newest.", low=0, high=500)
    warmup: int = option(0, "Steps at the start in which the auto-encoder plays alone (the paper: 0).", low=0)
    added: int = option(
        0, "Gates that are added to a trained model, the last ones: everything else of G stands still.", low=0, high=64
    )
    batch: int = option(1, "Photos, and paintings, a step.", low=1, high=256)
    lr: float = option(2e-4, "Adam's step size for the generator; its betas are 0.5 and 0.999.", low=0, high=1)
    judge_lr: float = option(2e-4, "The same for the discriminator.", low=0, high=1)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


# ---- the generator: encoder, gated transformers, decoder ------------------------------------------------------------


Statistics = list[tuple[Tensor, Tensor]]  # a (mean, 1 / deviation) for each norm, in the order they are met


class Layer(nn.Module):
    """A convolution, its norm (if it has one; it has no numbers to learn), and ReLU if ``active``."""

    def __init__(self, conv: nn.Module, normed: bool = True, active: bool = True) -> None:
        super().__init__()
        outputs = conv.weight.shape[1 if isinstance(conv, nn.ConvTranspose2d) else 0]
        self.conv, self.active = conv, active
        self.norm = Norm(outputs, "instance", affine=False) if normed else None
        # The authors' N(0, 0.02) relies on the norm behind it; without one, maps must keep their size by themselves.
        fan = conv.weight.numel() / outputs
        nn.init.normal_(conv.weight, 0.0, 0.02 if normed or not active else (2 / fan) ** 0.5)

    def forward(self, x: Tensor, over: Whole | None = None) -> Tensor:
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x) if over is None else over(x)
        return F.relu(x) if self.active else x


class Whole:
    """Normalises by the statistics of a whole picture that is seen in parts, instead of each part's own.

    First the parts of a sample go through together, as one batch, and the statistics over all of them are noted;
    then every part is normalised by these, so that no seam shows where parts meet.
    """

    def __init__(self, noted: Statistics | None = None) -> None:
        self.noted: Statistics = [] if noted is None else noted
        self.learning, self.at = noted is None, 0

    def __call__(self, x: Tensor) -> Tensor:
        if self.learning:
            variance, mean = torch.var_mean(x.float(), (0, 2, 3), correction=0)
            self.noted.append((mean, (variance + 1e-5).rsqrt()))
        mean, scale = (each.to(x.dtype)[:, None, None] for each in self.noted[self.at])
        self.at += 1
        return (x - mean) * scale


def conv(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    """Same size out as in; the border mirrors the picture, so no dark frame is drawn."""
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, padding_mode="reflect")


class Residual(nn.Module):
    """x + what two 3 x 3 convolutions make of it. One of them is all that a style has of its own."""

    def __init__(self, channels: int, normed: bool = True) -> None:
        super().__init__()
        self.first = Layer(conv(channels, channels, 3))
        self.second = Layer(conv(channels, channels, 3), normed, active=False)

    def forward(self, x: Tensor, over: Whole | None = None) -> Tensor:
        return x + self.second(self.first(x, over), over)


class Generator(nn.Module):
    """``(N, 3, H, W)`` in [-1, 1] and gates ``(N, styles + 1)`` -> ``(N, 3, H, W)``; sides are multiples of 4.

    Shapes for width 64: (N, 3, H, W) -> 64 x H x W -> 128 x H/2 x W/2 -> the code, 256 x H/4 x W/4 -> gates -> the
    code again -> residual blocks -> 128 x H/2 x W/2 -> 64 x H x W -> (N, 3, H, W).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, normed = config.width, config.norm == "all"
        self.encoder = nn.ModuleList([
            Layer(conv(3, w, 7), normed),
            Layer(nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), normed),
            Layer(nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1), normed),
        ])  # fmt: skip
        self.gates = nn.ModuleList(Residual(4 * w, normed) for _ in range(config.styles))  # the identity needs none
        self.blocks = nn.ModuleList(Residual(4 * w, normed) for _ in range(config.blocks))

        def double(inputs: int) -> nn.Module:
            if config.upsample == "resize":
                return ResizeConv2d(inputs, inputs // 2)
            return nn.ConvTranspose2d(inputs, inputs // 2, 3, stride=2, padding=1, output_padding=1)

        self.ups = nn.ModuleList([Layer(double(4 * w), normed), Layer(double(2 * w), normed)])
        self.last = conv(w, 3, 7)

    def encode(self, photo: Tensor, over: Whole | None = None) -> Tensor:
        for layer in self.encoder:
            photo = layer(photo, over)
        return photo  # the code (N, 4 * width, H/4, W/4)

    def mix(self, code: Tensor, gates: Tensor, over: Whole | None = None) -> Tensor:
        """Each item's own mixture: what passes the gates, weighed by them. A gate that is shut costs nothing."""
        mixed = code * gates[:, -1, None, None, None]  # the identity
        for k, block in enumerate(self.gates):
            opened = gates[:, k].nonzero()[:, 0]
            if len(opened) == len(code):
                mixed = mixed + block(code, over) * gates[:, k, None, None, None]
            elif len(opened):
                mixed = mixed.index_add(0, opened, block(code[opened], over) * gates[opened, k, None, None, None])
        return mixed

    def decode(self, code: Tensor, over: Whole | None = None) -> Tensor:
        for layer in (*self.blocks, *self.ups):
            code = layer(code, over)
        return torch.tanh(self.last(code))

    def forward(
        self, photo: Tensor, gates: Tensor, features: bool = False, noted: Statistics | None = None, note: bool = False
    ) -> Any:
        """The picture; or the mixed code (``features``); or the norms' statistics over all items (``note``), by which
        parts of that picture are normalised when they are given back (``noted``)."""
        over = Whole(noted) if note or noted is not None else None
        mixed = self.mix(self.encode(photo, over), gates, over)
        if features:
            return mixed
        picture = self.decode(mixed, over)
        return over.noted if note else picture


# ---- the discriminator: two questions -------------------------------------------------------------------------------


class Discriminator(nn.Module):
    """``(N, 3, H, W)`` -> (painted or made? ``(N, 1, h, w)``, whose style? ``(N, styles, h, w)``), patch by patch.

    Merged, it is one classifier: (None, ``(N, styles + 1, h, w)``), whose last class is "made".
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.judge_width * 2**k for k in range(config.judge_layers + 1)]
        self.convs = nn.ModuleList([nn.Conv2d(3, wide[0], 4, 2, 1)])
        self.norms = nn.ModuleList([nn.Identity()])
        for k, (inputs, outputs) in enumerate(pairwise(wide), 1):
            self.convs.append(nn.Conv2d(inputs, outputs, 4, 2 if k < config.judge_layers else 1, 1))
            normed = config.judge_norm == "instance"
            self.norms.append(Norm(outputs, "instance", affine=False) if normed else nn.Identity())
        self.painted = None if config.merged else nn.Conv2d(wide[-1], 1, 4, 1, 1)
        # A head for each style, so that a model that learns another one keeps those it has.
        heads = config.styles + config.merged
        self.whose = nn.ModuleList(nn.Conv2d(wide[-1], 1, 4, 1, 1) for _ in range(heads))

    def forward(self, picture: Tensor) -> tuple[Tensor | None, Tensor]:
        for layer, norm in zip(self.convs, self.norms, strict=True):
            picture = F.leaky_relu(norm(layer(picture)), 0.2)
        whose = torch.cat([head(picture) for head in self.whose], dim=1)
        return None if self.painted is None else self.painted(picture), whose


class Pool(nn.Module):
    """Earlier fakes (Shrivastava et al. 2017, arXiv 1612.07828): half of what D sees is one of the last ``most``.

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


def class_loss(logits: Tensor, style: Tensor) -> Tensor:
    """-log of the probability of each item's style, averaged over patches: ``(N, K, h, w)``, ``(N,)``."""
    return F.cross_entropy(logits, style[:, None, None].expand(-1, *logits.shape[2:]))


def total_variation(picture: Tensor) -> Tensor:
    """Squared differences of neighbours, summed over a picture, averaged over the batch."""
    across, down = picture.diff(dim=3).square().sum(), picture.diff(dim=2).square().sum()
    return (across + down) / len(picture)


# ---- the GAN --------------------------------------------------------------------------------------------------------

ONE_PASS = 1024 * 1024  # pixels that are painted in one go; larger pictures in parts
MOST = 12_000_000  # pixels of a result: a larger photo is made smaller
LEAST = 16  # pixels a side that the network can mirror the border of
LAZY = 8  # steps between two computations of the R1 penalty (1912.04958, section 3.1)
DEEP = 2  # of the network that knows pictures, the layers from here on: things, not strokes and colours
PART, MARGIN = 512, 64  # pixels a side of a part, and of what it sees beyond its border


class Branches(NamedTuple):
    """What each gate makes of the code: ``maps`` a sheet of feature maps a gate (the same channels in all),
    ``change`` how far its code is from the encoder's, as a share of the code's own size; ``channels`` which."""

    maps: dict[str, Picture]
    change: dict[str, float]
    channels: list[int]


class GAN(BaseGAN):
    about = About(
        title="Gated-GAN",
        year=2019,
        idea={
            "en": "One network paints a photo in many styles: each style is a gate, and gates can be half open.",
            "ko": "신경망 하나가 사진을 여러 화풍으로 그립니다. 화풍마다 게이트가 있고, 반만 열 수도 있습니다.",
        },
        paper="Chen, Xu, Yang, Song, Tao: Gated-GAN: Adversarial Gated Networks for Multi-Collection Style Transfer. "
        "IEEE TIP 2019.",
        link="https://arxiv.org/abs/1904.02296",
        objective={
            "discriminator": r"\min_D\; \tfrac12\,\mathbb{E}[(D(y)-1)^2] + \tfrac12\,\mathbb{E}[D(G(x,s))^2]"
            r" - \lambda\,\mathbb{E}[\log C(s\mid y)]",
            "generator": r"\min_G\; \mathbb{E}[(D(G(x,s))-1)^2] - \lambda\,\mathbb{E}[\log C(s\mid G(x,s))]"
            r" + \mu\,\mathbb{E}[\lVert x-G(x,\mathrm{id})\rVert_1] + \nu\,\mathrm{TV}(G(x,s))",
        },
        terms={
            "discriminator": Term(
                r"\tfrac12(D(y)-1)^2+\tfrac12D(G(x,s))^2",
                {
                    "en": "How badly the discriminator tells paintings from what is made; 0.25 = it is guessing.",
                    "ko": "판별자가 진짜 그림과 만든 그림을 얼마나 못 가리는지. 0.25면 찍는 것과 같습니다.",
                },
                won=0.01,
            ),
            "knows": Term(
                r"-\log C(s\mid y)",
                {
                    "en": "How badly the classifier tells whose style a real painting is.",
                    "ko": "분류기가 진짜 그림의 화풍을 얼마나 못 맞히는지.",
                },
                weight="classifier",
            ),
            "fool": Term(
                r"(D(G(x,s))-1)^2",
                {
                    "en": "How far the generator is from fooling the discriminator.",
                    "ko": "생성자가 판별자를 속이기까지 얼마나 남았는지.",
                },
                weight="adversarial",
            ),
            "style": Term(
                r"-\log C(s\mid G(x,s))",
                {
                    "en": "How far what is made is from being taken for the style that was asked for.",
                    "ko": "만든 그림이 요청한 화풍으로 보이기까지 얼마나 남았는지.",
                },
                weight="classifier",
            ),
            "near": Term(
                r"\lVert x-G(x,\mathrm{id})\rVert_1",
                {
                    "en": "Mean distance of the photo to itself, once through the identity gate (L1).",
                    "ko": "항등 게이트를 지난 사진과 원래 사진의 평균 거리(L1).",
                },
                weight="rebuild",
            ),
            "steep": Term(
                r"\lVert\nabla_y\,(D(y)+\log C(s\mid y))\rVert^2",
                {
                    "en": "How steep both verdicts are at paintings (R1); flat ones leave no cliffs that speckle jumps "
                    "over. Not in the paper.",
                    "ko": "그림에서 두 판정이 얼마나 가파른지(R1). 평평하면 자글거림으로 속일 수 없습니다. "
                    "논문에는 없습니다.",
                },
                weight="flat",
            ),
            "rough": Term(
                r"\mathrm{TV}(G(x,s))",
                {
                    "en": "Total variation of what is made: its speckle.",
                    "ko": "만든 그림의 전체 변동량, 곧 자글거림.",
                },
                weight="smooth",
            ),
            **eyes_terms(),
        },
        read_before=("pix2pix", "cyclegan"),
        read_next=("stargan", "spade"),
    )
    Config = Config
    TINY = Config(
        styles=3, size=32, load=36, width=6, blocks=1, upsample="resize", judge_width=6, judge_layers=1, pool=4,
        flat=0.1, eyes=0.1, alike=0.1, batch=4, lr=2e-3, judge_lr=1e-3,
    )  # fmt: skip
    CLASSROOM = Config(
        styles=3, size=64, load=96, width=16, blocks=2, norm="inner", upsample="resize", judge_width=16, judge_layers=2,
        classifier=2.0, pool=50, warmup=60, batch=2, lr=8e-4, judge_lr=6e-4, ema=0.99,
    )  # fmt: skip
    Data = Styles
    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        c = self.config
        if c.added >= c.styles:
            raise ValueError(f"added = {c.added}: of {c.styles} gates at least one must have been there before.")
        self.generator = Generator(c)
        self.discriminator = Discriminator(c)
        self.eyes = second_judge(c, verdicts=c.styles)
        self.pool = Pool(c.pool, c.size)
        for p in [self.generator.last.weight, *self.discriminator.parameters()]:  # as the authors; `Layer` has the rest
            if p.ndim == 4:
                nn.init.normal_(p, 0.0, 0.02)
        if c.judge_norm == "none":  # as in `Layer`: maps must keep their size by themselves
            for conv in self.discriminator.convs:
                nn.init.kaiming_normal_(conv.weight, 0.2)
        for p in self.parameters():
            if p.ndim == 1:
                nn.init.zeros_(p)

    @staticmethod
    def parameters_of(config: Config) -> tuple[int, int]:
        """(what the generator has besides its gates, what each style adds): at width 64, 6,657,539 and 1,180,160."""
        w, code = config.width, 4 * config.width
        block = 2 * (9 * code * code + code)  # two 3 x 3 convolutions, each with its bias
        outer = 2 * 3 * 49 * w + w + 3  # the 7 x 7 ones
        inner = 2 * 9 * (2 * w * w + 8 * w * w) + (2 + 4 + 2 + 1) * w  # two down, two up
        return outer + inner + config.blocks * block, block

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        # Section 3.4: to a trained model a style is added by training its gate alone.
        moving = self.generator.gates[c.styles - c.added :] if c.added else self.generator
        return {
            "discriminator": Adam(both(self.discriminator, self.eyes), c.judge_lr, betas=(0.5, 0.999)),
            "generator": Adam(moving.parameters(), c.lr, betas=(0.5, 0.999)),
        }

    def train_step(self, batch: tuple[Tensor, Tensor, Tensor], optimizers: Optimizers, step: int) -> Losses:
        photo, painting, style = batch  # (N, 3, H, W) twice, in [-1, 1]; (N,)
        c, g = self.config, self.generator
        code = g.encode(photo)
        near = F.l1_loss(g.decode(code), photo)  # through the identity gate
        if step < c.warmup and not c.added:
            descend(optimizers["generator"], c.rebuild * near)
            return {"near": near}
        fake = g.decode(g.mix(code, F.one_hot(style, c.styles + 1).to(photo)))

        # 1. The discriminator learns to tell paintings from fakes, and whose style a painting is.
        real, knows = self.verdict(painting, style, True)
        made, _ = self.verdict(self.pool(fake.detach()), style, False)
        losses = {"discriminator": (real + made) / 2, "knows": knows, "near": near}
        judged = losses["discriminator"] + c.classifier * knows
        if c.eyes or c.alike:  # a judge that knows pictures learns the same, with a verdict for each style
            look = Look(len(photo), photo.device)
            ours, theirs = features(look(fake)), features(look(photo))
            losses["alike"] = likeness(ours[DEEP:], theirs[DEEP:])
        if c.eyes:
            losses["eyes"] = self.eyes.told(features(look(painting)), ours, kinds=style)
            judged = judged + losses["eyes"]
        descend(optimizers["discriminator"], judged)
        if c.flat and step % LAZY == 0:  # its verdicts must not be cliffs: G would learn specks that jump over them
            where = painting.detach().requires_grad_()
            losses["steep"] = r1(self.surely(where, style), where)
            descend(optimizers["discriminator"], c.flat / 2 * LAZY * losses["steep"])

        # 2. The generator learns to fool it, in the style that was asked for, without losing the photo.
        losses["fool"], losses["style"] = self.verdict(fake, style, True)
        losses["rough"] = total_variation(fake)
        if c.eyes:
            losses["seen"] = self.eyes.fooled(ours, kinds=style)
        weights = {
            "fool": c.adversarial, "style": c.classifier, "near": c.rebuild, "rough": c.smooth, "alike": c.alike,
            "seen": c.eyes * opened(step - c.warmup),
        }  # fmt: skip
        descend(optimizers["generator"], weighed(losses, weights))
        return losses

    def surely(self, picture: Tensor, style: Tensor) -> Tensor:
        """How much D takes each picture for painted and C for its style, averaged over patches: ``(N,)``."""
        painted, whose = self.discriminator(picture)
        own = whose.log_softmax(1)[torch.arange(len(style)), style].mean((1, 2))
        return own if painted is None else own + painted.mean((1, 2, 3))

    def verdict(self, picture: Tensor, style: Tensor, real: bool) -> tuple[Tensor, Tensor]:
        """(how far D is from calling it real or fake, how far C is from its style; 0 where C is not asked)."""
        painted, whose = self.discriminator(picture)
        if painted is None:  # merged: "Monet" is real and Monet's, "fake" is one more class
            return class_loss(whose, style if real else torch.full_like(style, self.config.styles)), whose.new_zeros(())
        return least_squares(painted, real), class_loss(whose, style) if real else whose.new_zeros(())

    def preview(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """The photo, what the identity gate gives back, and the photo in each style."""
        photo = batch[0]
        each = torch.eye(self.config.styles + 1, device=photo.device)
        return torch.stack([photo, *(self.generator(photo, each[k].expand(len(photo), -1)) for k in self._order)], 1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        first = [{"en": "photo", "ko": "사진"}, {"en": "identity gate", "ko": "항등 게이트"}]
        return [*first, *({"en": name, "ko": name} for name in extras.get("styles", []))]

    @property
    def _order(self) -> list[int]:
        return [self.config.styles, *range(self.config.styles)]

    def made(self, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        photo, painting, style = batch
        return self.generator(photo, F.one_hot(style, self.config.styles + 1).to(photo)), painting

    GLANCE = 160

    def glance(self, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
        """The mean over the styles, of as many photos as there are paintings of each; then each style's own."""
        photo, painting, style = batch
        found, gates = {}, torch.eye(self.config.styles + 1, device=photo.device)
        for k in style.unique().tolist():
            real, some = painting[style == k], photo[: int((style == k).sum())]
            if len(real) < 2 or not measure.can_see(real):
                return {}
            made = [self.generator(x, gates[k].expand(len(x), -1)) for x in some.split(16)]
            found[f"gate {k}"] = measure.kid(torch.cat(made).float().clamp(-1, 1), real)
        return {"kid": sum(found.values()) / len(found), **found}

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """The same of whole pictures, cut to their middle squares, as large as `load` allows."""
        side = max(LEAST, self.config.load // 4 * 4)
        squares = images.to_tensor([images.crop_square(picture, side) for picture in pictures])
        return self.preview((squares.to(self.device),))

    def measure(self, data: Styles, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on photos and paintings that were held out.

        A row for what each gate makes of the photos, for the photos as they are, and for other paintings of each
        collection; a column for the distance to each collection (`measure.sliced_wasserstein` at 128 px, or as large
        as it was trained for; all rows at equal n), and ``edges``: how well its edges agree with the photo's
        (`edge_agreement`).
        """
        side, styles = max(s for s in (32, 64, 128) if s <= self.config.load), list(data.styles)
        names = [data.names[k] for k in indices]
        held = set(names)
        photos = data.whole([n for n in names if data.toy or n in data._photos], side)
        listed = {s: names if data.toy else [n for n in data.paintings[s] if n in held] for s in styles}
        own = {s: data.whole(listed[s], side, k) for k, s in enumerate(styles)}
        n = min(len(photos), *(len(each) for each in own.values()))
        if n < 2:
            raise ValueError("Too few pictures are held out: at least 2 photos and 2 paintings of each style.")

        def distances(pictures: Tensor) -> dict[str, float]:
            near = {s: measure.apart(pictures[:n], own[s][:n]) for s in styles}
            return {s: row["swd"] for s, row in near.items()} | {
                f"{s} kid": row["kid"] for s, row in near.items() if "kid" in row
            }

        gates = torch.eye(self.config.styles + 1, device=self.device)
        found: dict[str, Any] = {"n": n, "size": side, "photos": len(photos)}
        for name, gate in [*zip(styles, gates[data.first :], strict=False), ("identity", gates[-1])]:
            parts = [self.generator(x.to(self.device), gate.expand(len(x), -1)).cpu() for x in photos.split(4)]
            made = torch.cat(parts).clamp(-1, 1)
            found[f"as {name}"] = distances(made) | {"edges": round(edge_agreement(made, photos), 3)}
        found["photo"] = distances(photos) | {"edges": 1.0}
        for k, s in enumerate(styles):
            others = names if data.toy else [name for name in data.paintings[s] if name not in held]
            # Evenly spread over the collection; of toys, other drawings.
            some = [f"toy-{9000 + j:05d}" for j in range(n)] if data.toy else others[:: max(1, len(others) // n)][:n]
            found[f"real {s}"] = distances(data.whole(some, side, k)) if len(some) >= n else {}
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        """A photo of 256 px, as the paper shows them, all gates open: each network is met."""
        side = 256 if self.config.size > 32 else 32
        photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
        gates = torch.full((1, self.config.styles + 1), 1 / (self.config.styles + 1))
        return {"generator": (photo.to(self.device), gates.to(self.device))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @property
    def styles(self) -> list[str]:
        """The gates' names: of the collections' folders, or numbers."""
        named = list(self.extras.get("styles", []))
        return named + [f"style {k + 1}" for k in range(len(named), self.config.styles)]

    @verb
    def stylize(
        self, photo: Picture, gates: dict | None = None, size: int | None = None, stroke: float = 1.0
    ) -> Picture:
        """Paints a photo in a style, or in a mixture of styles.

        Args:
            photo: any picture, of any size and shape; a landscape is best.
            gates: how far each style's gate is open, {"ukiyoe": 0.7, "monet": 0.3}; what is missing from a sum of 1
                is the photo itself, a sum above 1 is scaled down to 1. Left out: the first style.
            size: pixels of the result's longer side, 16 to 6000; left out: as the photo. At most 12 million pixels.
            stroke: how large the strokes are, 0.25 to 4; 2 = twice as large.
        """
        if not math.isfinite(stroke) or not 0.25 <= stroke <= 4:
            raise ValueError(f"stroke = {stroke}: this must be from 0.25 to 4.")
        if size is not None and not LEAST <= size <= 6000:
            raise ValueError(f"size = {size}: this must be from {LEAST} to 6000 pixels.")
        opened = self._gates({self.styles[0]: 1.0} if gates is None else gates)
        return self._painted(photo, opened, size, stroke)

    @verb
    def sheet(self, photo: Picture, size: int = 256) -> Picture:
        """The photo, what the identity gate gives back, and the photo in every style, in one picture.

        Args:
            photo: any picture.
            size: pixels of each picture's longer side, 16 to 1024.
        """
        if not LEAST <= size <= 1024:
            raise ValueError(f"size = {size}: this must be from {LEAST} to 1024 pixels.")
        each = torch.eye(self.config.styles + 1)
        rows = [self._painted(photo, each[k : k + 1], size) for k in self._order]
        rows.insert(0, photo.resize(rows[0].size, images.Image.Resampling.LANCZOS))
        columns = min(3, len(rows))
        return images.sheet([rows[k : k + columns] for k in range(0, len(rows), columns)], gap=4)

    @verb
    def textures(self, style: str = "", seed: int = 0, size: int = 256) -> Picture:
        """What a style makes of nothing: a gate paints noise, and its texture is what remains (section 4.4).

        Args:
            style: the style; left out: the first.
            seed: draws the noise.
            size: pixels a side, 16 to 1024.
        """
        if not LEAST <= size <= 1024:
            raise ValueError(f"size = {size}: this must be from {LEAST} to 1024 pixels.")
        draw, side = torch.Generator().manual_seed(seed % 2**63), -(-size // 4) * 4
        noise = torch.randn(1, 3, side, side, generator=draw).mul(0.5).clamp(-1, 1)  # on the CPU: the same everywhere
        gates = self._gates({style or self.styles[0]: 1.0})
        made = self.generator(noise.to(self.device), gates.to(self.device))
        return images.to_picture(made[:, :, :size, :size])

    @verb
    def branches(self, photo: Picture) -> Branches:
        """What each gate makes of the photo's code: twelve of its feature maps, side by side.

        Args:
            photo: any picture; it is looked at with 256 pixels along its longer side.
        """
        x, _ = self._padded(_scaled(photo, 256))
        each = torch.eye(self.config.styles + 1, device=self.device)
        codes = {
            name: self.generator(x, each[k : k + 1], features=True)[0].float()
            for name, k in zip(["identity", *self.styles], self._order, strict=True)
        }
        plain = codes["identity"]
        # The channels in which the gates differ most, so that there is something to compare.
        apart = torch.stack([codes[s] for s in self.styles]).var(dim=(0, 2, 3))
        channels = apart.argsort(descending=True, stable=True)[:12].tolist()
        low, high = (torch.stack([edge(c[channels].flatten(1), 1).values for c in codes.values()])
                     for edge in (torch.min, torch.max))  # fmt: skip
        low, high = low.amin(0)[:, None, None], high.amax(0)[:, None, None]
        maps = {}
        for name, code in codes.items():
            shown = (code[channels] - low) / (high - low).clamp_min(1e-6) * 2 - 1
            tiles = images.to_pictures(shown[:, None])
            maps[name] = images.sheet([tiles[k : k + 4] for k in range(0, len(tiles), 4)], gap=1)
        change = {s: float((codes[s] - plain).norm() / plain.norm().clamp_min(1e-6)) for s in self.styles}
        return Branches(maps, change, channels)

    def _gates(self, asked: Mapping[str, Any]) -> Tensor:
        """``(1, styles + 1)`` of what was asked for; the identity gets what is missing from 1.

        Raises:
            ValueError: an unknown style, or a gate that is no number, negative or not finite.
        """
        names = self.styles
        opened = torch.zeros(1, len(names) + 1)
        for name, value in asked.items():
            if name != "identity" and name not in names:
                raise ValueError(f"There is no style {str(name)[:40]!r} here. There are: {', '.join(names)}, identity.")
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ValueError(f"{name} = {str(value)[:20]}: a gate is a number from 0 (shut) on; 1 = fully open.")
            opened[0, len(names) if name == "identity" else names.index(name)] = min(float(value), 1e6)
        total = float(opened.sum())
        if total > 1:
            return opened / total
        opened[0, -1] += 1 - total
        return opened

    def _painted(self, photo: Picture, gates: Tensor, size: int | None, stroke: float = 1.0) -> Picture:
        target = _fitted(photo.size, size)
        seen = _fitted(photo.size, max(LEAST, round(max(target) / stroke)))
        x, (height, width) = self._padded(photo.resize(seen, images.Image.Resampling.LANCZOS))
        gates = gates.to(self.device)
        if x.shape[2] * x.shape[3] <= ONE_PASS:
            made = self.generator(x, gates)
        else:
            made = self._in_parts(x, gates)
        painted = images.to_picture(made[:, :, :height, :width])
        return painted if painted.size == target else painted.resize(target, images.Image.Resampling.BICUBIC)

    def _padded(self, photo: Picture) -> tuple[Tensor, tuple[int, int]]:
        """The tensor with sides that the network can halve twice, continued by its last pixels; and the photo's own."""
        x = images.to_tensor(photo)
        height, width = x.shape[2:]
        below, right = (max(LEAST, -(-side // 4) * 4) - side for side in (height, width))
        return F.pad(x, (0, right, 0, below), mode="replicate").to(self.device), (height, width)

    def _in_parts(self, x: Tensor, gates: Tensor) -> Tensor:
        """A large picture, part by part, each normalised by statistics of the whole picture (`Whole`).

        The statistics are those of sixteen squares that are spread over it. Parts overlap by more than what a pixel
        depends on closely, and only their middles are kept.
        """
        height, width = x.shape[2:]
        side = [min(256, each) for each in (height, width)]
        tops, lefts = _spread(height, side[0], 16 if width <= 256 else 4), _spread(width, side[1], 4)
        if height <= 256:
            lefts = _spread(width, side[1], 16)
        sample = torch.cat([x[:, :, t : t + side[0], a : a + side[1]] for t in tops for a in lefts])
        noted = self.generator(sample, gates.expand(len(sample), -1), note=True)
        made = torch.empty_like(x, device="cpu")
        for top in range(0, height, PART):
            for left in range(0, width, PART):
                t, b = max(0, top - MARGIN), min(height, top + PART + MARGIN)
                a, z = max(0, left - MARGIN), min(width, left + PART + MARGIN)
                part = self.generator(x[:, :, t:b, a:z], gates, noted=noted).cpu()
                inner = part[:, :, top - t : top - t + PART, left - a : left - a + PART]
                made[:, :, top : top + inner.shape[2], left : left + inner.shape[3]] = inner
        return made

    # ---- official checkpoints ---------------------------------------------------------------------------------------

    @classmethod
    def official(cls, names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
        """Reads widths and the number of styles off an official file, and gives the name map: ours -> theirs.

        The files are state dicts of the generator of the PyTorch implementation
        (github.com/colemiller94/gatedGAN).

        Raises:
            ValueError: the file is something else; says what it looks like.
        """
        if "fldiscriminator.weight" in names or "aux_clf.weight" in names:
            raise ValueError("This is the discriminator (netD…). Gated-GAN needs the generator's file (netG…).")
        if "encoder.model.1.weight" not in names:
            raise ValueError(
                f"This is not a generator of Gated-GAN: its first names are {', '.join(list(names)[:3]) or 'none'}. "
                "Expected names such as encoder.model.1.weight and transformer.t.0.conv_block.1.weight."
            )
        return _official(names)


def edge_agreement(made: Tensor, photos: Tensor) -> float:
    """How well the edges of two sets of pictures agree, pair by pair: the correlation of their gradients' sizes, in
    [-1, 1]; 1 = the same edges, 0 = unrelated. Grey, after a slight blur, so that brushwork is not an edge."""

    def edges(x: Tensor) -> Tensor:
        grey = F.avg_pool2d(x.mean(dim=1, keepdim=True), 4, 2)
        size = (grey.diff(dim=3)[:, :, 1:].square() + grey.diff(dim=2)[..., 1:].square()).sqrt().flatten(1)
        size = size - size.mean(dim=1, keepdim=True)
        return size / size.norm(dim=1, keepdim=True).clamp_min(1e-9)

    return float((edges(made) * edges(photos)).sum(dim=1).mean())


def _fitted(photo: tuple[int, int], size: int | None) -> tuple[int, int]:
    """(width, height) with the longer side ``size``, or the photo's own; never more than `MOST` pixels."""
    scale = 1.0 if size is None else size / max(photo)
    scale = min(scale, math.sqrt(MOST / (photo[0] * photo[1])))
    return max(1, round(photo[0] * scale)), max(1, round(photo[1] * scale))


def _scaled(photo: Picture, size: int) -> Picture:
    return photo.resize(_fitted(photo.size, size), images.Image.Resampling.LANCZOS)


def _spread(length: int, side: int, count: int) -> list[int]:
    """Where ``count`` windows begin that lie evenly over a length; multiples of 4, none twice."""
    last = length - side
    return sorted({round(last * k / max(1, count - 1)) // 4 * 4 for k in range(count)})


def _official(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """The official layers are numbered in one list each, paddings, norms and ReLUs counted in.

    ======================  ==================================  ==========================================
    ours                    theirs                              where
    ======================  ==================================  ==========================================
    encoder.0, .1, .2       encoder.model.1, .4, .7             7 x 7, then two of stride 2
    gates.k.first, .second  transformer.t.k.conv_block.1, .5    a style's residual block
    blocks.k.first, …       decoder.model.k.conv_block.1, .5    the decoder's residual blocks
    ups.0, ups.1            decoder.model.n, .n + 3             transposed convolutions, n = blocks
    last                    decoder.model.n + 7                 7 x 7
    ======================  ==================================  ==========================================
    """
    styles = len({found[1] for name in names if (found := re.match(r"transformer\.t\.(\d+)\.conv_block", name))})
    blocks = len({found[1] for name in names if (found := re.match(r"decoder\.model\.(\d+)\.conv_block", name))})
    width, inputs = names["encoder.model.1.weight"][:2]
    if inputs != 3 or not styles:
        raise ValueError(f"This generator takes {inputs} channels and has {styles} styles; it needs 3 and at least 1.")
    config = checked(Config(styles=styles, width=width, blocks=blocks))
    pairs = {f"encoder.{k}.conv": f"encoder.model.{1 + 3 * k}" for k in range(3)}
    for ours, theirs, count in (("gates", "transformer.t", styles), ("blocks", "decoder.model", blocks)):
        for k in range(count):
            pairs[f"{ours}.{k}.first.conv"] = f"{theirs}.{k}.conv_block.1"
            pairs[f"{ours}.{k}.second.conv"] = f"{theirs}.{k}.conv_block.5"
    pairs |= {f"ups.{k}.conv": f"decoder.model.{blocks + 3 * k}" for k in range(2)}
    pairs["last"] = f"decoder.model.{blocks + 7}"
    table = {
        f"generator.{ours}.{leaf}": f"{theirs}.{leaf}" for ours, theirs in pairs.items() for leaf in ("weight", "bias")
    }
    return config, table
