r"""Pix2Pix: a picture goes in, the matching picture comes out, and the loss that tells good from bad is learned.

The discriminator sees pairs, (sketch, photo) or (sketch, fake), and judges them patch by patch. The generator wants
its pairs to be called real, and its picture near the photo:

    D:  min  -1/2 E[log D(x, y)] - 1/2 E[log(1 - D(x, G(x, z)))]
    G:  min  -E[log D(x, G(x, z))] + 100 E[|y - G(x, z)|]

L1 alone settles on the average of all photos that fit the sketch, which is blurred; the game alone invents detail
that has little to do with the sketch. Together they draw a sharp picture of *this* sketch (section 4.2, figure 4).

    Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks. CVPR 2017.
    https://arxiv.org/abs/1611.07004

How this differs from the paper (each a field of `Config`, the defaults are the paper's): the deepest layers can be
capped, so that a net fits into 10 MB; the decoder may resize and convolve instead of transposed convolution, which
leaves no checkerboard; the U-Net may end before the last pixel, so that a net trained at 64 px goes on at 128; L1 may
play alone for the first steps; the averaged generator may be the one that is shown.
The paper's z is the dropout of the decoder, also at test time; here it is drawn from a seed, or left out.

Read before: vanilla, conditional, dcgan. Read next: cyclegan (no pairs), spade (labels that are not washed away).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Pairs
from studio.features import features, likeness
from studio.layers import Norm, ResizeConv2d
from studio.losses import bce
from studio.projected import ONLOOKER, Look, both, eyes_terms, opened, second_judge


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the pictures.", choices=(32, 64, 128, 256, 512))
    depth: int = option(
        0, "Levels of the U-Net; 0 = down to one pixel, as the paper. Fewer: sizes may change.", low=0, high=9
    )
    width: int = option(64, "Channels of the generator's first layer; they double down to 8 x.", low=1, high=256)
    cap: int = option(512, "No layer has more channels than this: the deepest ones are most of the weights.", low=1)
    inputs: int = option(3, "Channels of the sketch: 3 (colour) or 1 (grey).", choices=(1, 3))
    norm: str = option("batch", "Whose mean and variance normalise a map in training.", choices=("batch", "instance"))
    affine: bool = option(True, "Whether normalised maps are scaled and shifted by learned numbers.")
    upsample: str = option(
        "transposed",
        "How the decoder doubles the size: the paper's transposed convolution, or resize and convolve.",
        choices=("transposed", "resize"),
    )
    dropout: float = option(
        0.5, "The noise z: this share of the first three decoder layers is dropped.", low=0, high=0.9
    )
    receptive_field: int = option(
        70, "Pixels a side that one verdict sees; 1 = PixelGAN.", choices=(1, 16, 34, 70, 286)
    )
    judge_width: int = option(64, "Channels of the discriminator's first layer.", low=1, high=256)
    l1: float = option(100.0, "Weight of the distance to the photo; 0 switches the term off.", low=0)
    coarse: float = option(
        0.0, "Weight of the same between pictures averaged over 8 x 8 pixels, which is colour (the paper: 0).", low=0
    )
    adversarial: float = option(
        1.0, "Weight of fooling the discriminator; 0 switches the term off, and it only looks on.", low=0
    )
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    alike: float = option(0.0, "Weight of looking like the photo to that network (the paper: 0).", low=0)
    hue: float = option(
        1.0, "How much of the photo's colour counts where a sketch gives none; 0 = the judges choose (the paper: 1).",
        low=0, high=1,
    )  # fmt: skip
    warmup: int = option(0, "Steps at the start in which no judge plays (the paper: 0).", low=0)
    batch: int = option(1, "Pairs a step (section 3.3 uses 1 to 10).", low=1, high=256)
    lr: float = option(2e-4, "Adam's step size for the generator; its betas are 0.5 and 0.999.", low=0, high=1)
    judge_lr: float = option(2e-4, "The same for the discriminator.", low=0, high=1)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)
    hints: float = option(0.0, "Share of sketches with dabs of the photo's colours.", low=0, high=1)


# ---- the generator: a U-Net -----------------------------------------------------------------------------------------


class Down(nn.Module):
    """Leaky ReLU, 4 x 4 convolution of stride 2, norm: half the size. The first has no ReLU, first and last no norm."""

    def __init__(self, config: Config, inputs: int, outputs: int, first: bool = False, last: bool = False) -> None:
        super().__init__()
        plain = first or last
        # A bias just before a norm that has its own shift would do nothing.
        biased = config.norm == "instance" or not config.affine
        self.first = first
        self.conv = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=biased)
        self.norm = None if plain else Norm(outputs, config.norm, config.affine)

    def forward(self, x: Tensor, averages: bool) -> Tensor:
        x = self.conv(x if self.first else F.leaky_relu(x, 0.2))
        return x if self.norm is None else self.norm(x, averages)


class Up(nn.Module):
    """ReLU, upsampling convolution, norm: double the size. The last has no norm; its bias stands."""

    def __init__(self, config: Config, inputs: int, outputs: int, last: bool = False) -> None:
        super().__init__()
        biased = last or config.norm == "instance" or not config.affine
        if config.upsample == "resize":
            self.conv = ResizeConv2d(inputs, outputs, bias=biased)
        else:
            self.conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=biased)
        self.norm = None if last else Norm(outputs, config.norm, config.affine)

    def forward(self, x: Tensor, averages: bool) -> Tensor:
        x = self.conv(F.relu(x))
        return x if self.norm is None else self.norm(x, averages)


class Generator(nn.Module):
    """U-Net (section 3.2.1): down to one pixel and up again; each decoder layer sees the encoder's map of its size.

    Shapes for 256 px, width 64: (N, 3, 256, 256) -> 64 x 128² -> 128 x 64² -> 256 x 32² -> 512 x 16² … 512 x 1²,
    then mirrored with doubled inputs -> (N, 3, 256, 256) in [-1, 1].
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        depth = config.depth or int(math.log2(config.size))
        wide = [min(config.width * min(2**k, 8), config.cap) for k in range(depth)]
        self.downs = nn.ModuleList(
            Down(config, inputs, outputs, first=k == 0, last=k == depth - 1)
            for k, (inputs, outputs) in enumerate(zip([config.inputs, *wide], wide, strict=False))
        )
        ups = [Up(config, wide[-1], wide[-2])]  # the deepest map has no skip beside it
        ups += [Up(config, 2 * wide[k], wide[k - 1]) for k in range(depth - 2, 0, -1)]
        self.ups = nn.ModuleList([*ups, Up(config, 2 * wide[0], 3, last=True)])
        self.drop = config.dropout
        deepest = config.size >> depth
        # (channels, side) of the layers that z drops from
        self.noisy = [(wide[-2 - k], deepest << (k + 1)) for k in range(min(3, depth - 1))]

    @property
    def noise_size(self) -> int:
        """Numbers in one z."""
        return sum(channels * side * side for channels, side in self.noisy)

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, noise_size)``: 0 where a value is dropped, 1 / (1 - p) where it is kept."""
        keep = torch.rand(n, self.noise_size, generator=generator) >= self.drop
        return keep.float() / (1 - self.drop)

    def forward(self, sketch: Tensor, z: Tensor | None = None, averages: bool = False) -> Tensor:
        """``(N, inputs, H, W)``, z ``(N, noise_size)`` or None (no noise) -> ``(N, 3, H, W)``.

        averages: normalise by the training's averages ("eval mode") instead of each picture's own statistics.
        """
        x, skips = sketch, []
        for down in self.downs:
            x = down(x, averages)
            skips.append(x)
        x, at = self.ups[0](skips.pop(), averages), 0
        for k, up in enumerate(self.ups[1:]):
            if z is not None and k < len(self.noisy):
                channels, side = self.noisy[k]
                x = x * z[:, at : at + channels * side * side].view(-1, channels, side, side).to(x.dtype)
                at += channels * side * side
            x = up(torch.cat([skips.pop(), x], dim=1), averages)
        return torch.tanh(x)


# ---- the discriminator: a PatchGAN ----------------------------------------------------------------------------------

STRIDED = {16: 1, 34: 2, 70: 3, 286: 5}  # receptive field -> layers with stride 2


class Discriminator(nn.Module):
    """PatchGAN (section 3.2.2): convolutions only, so each output is a verdict on one patch of the pair.

    (N, inputs + 3, 256, 256) -> logits (N, 1, 30, 30) at receptive field 70. All paddings are 1; at receptive field 1
    all kernels are 1 x 1 and each pixel is judged by itself.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.receptive_field = config.receptive_field
        width, inputs = config.judge_width, config.inputs + 3
        biased = config.norm == "instance" or not config.affine
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        if self.receptive_field == 1:
            shapes = [
                (inputs, width, 1, 1, 0, True),
                (width, 2 * width, 1, 1, 0, biased),
                (2 * width, 1, 1, 1, 0, biased),
            ]
        else:
            n = STRIDED[self.receptive_field]
            wide = [width * min(2**k, 8) for k in range(n + 1)]
            shapes = [(inputs, width, 4, 2, 1, True)]
            shapes += [(wide[k - 1], wide[k], 4, 2 if k < n else 1, 1, biased) for k in range(1, n + 1)]
            shapes += [(wide[n], 1, 4, 1, 1, True)]
        for k, (ins, outs, kernel, stride, padding, bias) in enumerate(shapes):
            self.convs.append(nn.Conv2d(ins, outs, kernel, stride, padding, bias=bias))
            inner = 0 < k < len(shapes) - 1
            self.norms.append(Norm(outs, config.norm, config.affine) if inner else nn.Identity())

    def forward(self, sketch: Tensor, picture: Tensor) -> Tensor:
        x = self.convs[0](torch.cat([sketch, picture], dim=1))
        for conv, norm in zip(self.convs[1:], self.norms[1:], strict=True):
            x = conv(F.leaky_relu(x, 0.2))
            x = norm(x)
        return x  # (N, 1, h, w)

    @property
    def geometry(self) -> tuple[int, int]:
        """(stride, start): the patch that verdict (i, j) sees begins at pixel start + stride * (i, j)."""
        stride, start = 1, 0
        for conv in self.convs:
            start -= conv.padding[0] * stride
            stride *= conv.stride[0]
        return stride, start


# ---- what a sketch leaves open --------------------------------------------------------------------------------------


def coloured(sketch: Tensor) -> Tensor:
    """``(N, 1, 1, 1)``, whether each sketch says what colours are meant: a colour, or an area that is filled.

    Ink is grey and thin: no window of 7 pixels a side is without paper. (Some dense drawings have a few such windows.)
    """
    colour = sketch.amax(1, keepdim=True) - sketch.amin(1, keepdim=True) > 0.3
    filled = F.max_pool2d(sketch.amin(1, keepdim=True), 7, 1, 3) < 0.8
    return torch.maximum(colour, filled).float().mean((1, 2, 3), keepdim=True) > 0.004


def paled(picture: Tensor, colour: Tensor) -> Tensor:
    """A picture of which only a share of its colour is left: 1 = itself, 0 = grey."""
    grey = picture.mean(1, keepdim=True)
    return grey + (picture - grey) * colour


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="Pix2Pix",
        year=2017,
        paper="Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks. CVPR 2017.",
        link="https://arxiv.org/abs/1611.07004",
        objective={
            "discriminator": r"\min_D\; -\tfrac12\,\mathbb{E}[\log D(x,y)] - \tfrac12\,\mathbb{E}[\log(1-D(x,G(x,z)))]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(x,G(x,z))] + \lambda\,\mathbb{E}[\lVert y-G(x,z)\rVert_1]",
        },
        terms={
            "discriminator": Term(r"-\tfrac12\log D(x,y)-\tfrac12\log(1-D(x,G(x,z)))", won=0.02),
            "fool": Term(r"-\log D(x,G(x,z))", weight="adversarial"),
            "near": Term(r"\lVert y-G(x,z)\rVert_1", weight="l1"),
            "coarse": Term(r"\lVert \downarrow_8 y-\downarrow_8 G(x,z)\rVert_1", weight="coarse"),
            **eyes_terms("x,"),
        },
        read_before=("vanilla", "conditional", "dcgan"),
        read_next=("cyclegan", "spade"),
        diagram=(("x and z", "generator", "G(x, z)"), ("x and y or G(x, z)", "discriminator", "D")),
    )

    Config = Config

    TINY = Config(
        size=32, width=8, cap=32, judge_width=8, receptive_field=16, norm="instance", eyes=0.1, alike=1.0, batch=4
    )

    CLASSROOM = Config(
        size=64, depth=5, width=24, cap=192, judge_width=16, receptive_field=34, norm="instance", upsample="resize",
        l1=80.0, batch=8, lr=4e-4, judge_lr=3e-4, ema=0.99,
    )  # fmt: skip

    Data = Pairs

    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.generator = Generator(self.config)
        self.discriminator = Discriminator(self.config)
        for name, p in self.named_parameters():  # section 6.2: weights from N(0, 0.02)
            if p.ndim == 4:
                nn.init.normal_(p, 0.0, 0.02)
            elif "norm" not in name:
                nn.init.zeros_(p)
        self.eyes = second_judge(self.config, planes=self.config.inputs)

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "discriminator": Adam(both(self.discriminator, self.eyes), c.judge_lr, betas=(0.5, 0.999)),
            "generator": Adam(self.generator.parameters(), c.lr, betas=(0.5, 0.999)),
        }

    def train_step(self, batch: tuple[Tensor, Tensor], optimizers: Optimizers, step: int) -> Losses:
        sketch, photo = batch  # (N, inputs, H, W), (N, 3, H, W) in [-1, 1]
        c, playing = self.config, step >= self.config.warmup
        fake = self.generator(sketch, self.generator.noise(len(sketch)).to(sketch.device))
        known = torch.where(coloured(sketch), 1.0, c.hue)
        like, right = paled(fake, known), paled(photo, known)
        losses = {"near": F.l1_loss(like, right)}
        if c.coarse:
            losses["coarse"] = F.l1_loss(F.avg_pool2d(like, 8), F.avg_pool2d(right, 8))

        # 1. The discriminator learns to tell (sketch, photo) from (sketch, fake). So does a judge that knows pictures.
        judged = []
        if playing and (c.adversarial or step % ONLOOKER == 0):
            yes, no = self.discriminator(sketch, photo), self.discriminator(sketch, fake.detach())
            losses["discriminator"] = (bce(yes, True) + bce(no, False)) / 2
            judged.append(losses["discriminator"])
        if c.eyes or c.alike:
            look = Look(len(photo), photo.device)
            theirs, ours, shown = features(look(photo)), features(look(fake)), look.moved(sketch)
            losses["alike"] = likeness(ours, theirs) if c.hue == 1 else likeness(look(like), look(right))
        if playing and c.eyes:
            losses["eyes"] = self.eyes.told(theirs, ours, shown)
            judged.append(losses["eyes"])
        if judged:
            descend(optimizers["discriminator"], sum(judged))

        # 2. The generator learns to fool them, staying near the photo.
        if playing and c.adversarial:
            losses["fool"] = bce(self.discriminator(sketch, fake), True)
        if playing and c.eyes:
            losses["seen"] = self.eyes.fooled(ours, shown)
        weights = {
            "fool": c.adversarial, "near": c.l1, "coarse": c.coarse, "alike": c.alike,
            "seen": c.eyes * opened(step - c.warmup),
        }  # fmt: skip
        descend(optimizers["generator"], weighed(losses, weights))
        return losses
