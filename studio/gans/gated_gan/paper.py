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

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Styles
from studio.features import features, likeness
from studio.layers import Norm, ResizeConv2d
from studio.losses import least_squares, r1
from studio.pool import Pool
from studio.projected import Look, both, eyes_terms, opened, second_judge
from studio.refused import Refused


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


def class_loss(logits: Tensor, style: Tensor) -> Tensor:
    """-log of the probability of each item's style, averaged over patches: ``(N, K, h, w)``, ``(N,)``."""
    return F.cross_entropy(logits, style[:, None, None].expand(-1, *logits.shape[2:]))


def total_variation(picture: Tensor) -> Tensor:
    """Squared differences of neighbours, summed over a picture, averaged over the batch."""
    across, down = picture.diff(dim=3).square().sum(), picture.diff(dim=2).square().sum()
    return (across + down) / len(picture)


LAZY = 8  # steps between two computations of the R1 penalty (1912.04958, section 3.1)


DEEP = 2  # of the network that knows pictures, the layers from here on: things, not strokes and colours


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="Gated-GAN",
        year=2019,
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
            "discriminator": Term(r"\tfrac12(D(y)-1)^2+\tfrac12D(G(x,s))^2", won=0.01),
            "knows": Term(r"-\log C(s\mid y)", weight="classifier"),
            "fool": Term(r"(D(G(x,s))-1)^2", weight="adversarial"),
            "style": Term(r"-\log C(s\mid G(x,s))", weight="classifier"),
            "near": Term(r"\lVert x-G(x,\mathrm{id})\rVert_1", weight="rebuild"),
            "steep": Term(r"\lVert\nabla_y\,(D(y)+\log C(s\mid y))\rVert^2", weight="flat"),
            "rough": Term(r"\mathrm{TV}(G(x,s))", weight="smooth"),
            **eyes_terms(),
        },
        read_before=("pix2pix", "cyclegan"),
        read_next=("stargan", "spade"),
        diagram=(("x and s", "generator", "G(x, s)"), ("y or G(x, s)", "discriminator", "D and C")),
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
            raise Refused("gated_gan.added", added=c.added, styles=c.styles)
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
