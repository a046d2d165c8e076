r"""ProGAN: pictures become large by growing. First 4 pixels a side, then twice as many, and so on.

A large picture is hard to learn in one go: at the start nothing is right, and a discriminator sees that at once. So
both networks begin tiny, with pictures of 4 x 4 pixels, where there is only a background and a head to get right. When
that is learnt, each gets a layer for twice the size, G at its end and D at its beginning, as in a mirror. New layers
know nothing and would disturb the old ones. Therefore they are faded in: alpha goes from 0 to 1,

    G:  (1 - alpha) 2x(toRGB of the old size)   + alpha toRGB of the new one       2x: every pixel four times
    D:  (1 - alpha) fromRGB(0.5x(picture))      + alpha the new layers, halved     0.5x: mean of four pixels
    real pictures:  (1 - alpha) 2x(0.5x(x))     + alpha x                          as sharp as made ones can be

and all layers go on learning. The game is WGAN-GP's with one step of each player in turn, and a drift term that keeps
D's numbers from running away:

    D:  min  E[D(G(z))] - E[D(x)] + 10 E[(|grad D(x')| - 1)²] + 0.001 E[D(x)²]
    G:  min  -E[D(G(z))]

Three more ideas, each with a switch below: D sees how varied a batch is (minibatch standard deviation), the features
of a pixel in G always have the same length (pixel norm), and all layers learn equally fast (equalised learning rate).

    Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation.
    ICLR 2018. https://arxiv.org/abs/1710.10196

How this differs from the paper: sizes, which are fields of `Config` (the paper's faces are 1024 px); batch and step
size stay the same at all sizes of picture; groups of four for the standard deviation, as in the authors' code (the text
says the whole batch). A second judge that knows pictures may be set beside the paper's; its weight is 0 as it stands.

Read before: wgan_gp. Read next: stylegan (the same growing, but the noise enters as a style).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Images
from studio.features import features
from studio.layers import EqualConv2d, EqualLinear, ResizeConv2d, minibatch_stddev, pixel_norm
from studio.losses import gradient_penalty
from studio.projected import Look, both, eyes_terms, opened, second_judge
from studio.refused import Refused

GAIN = math.sqrt(2)  # of weights before a leaky ReLU


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the grown pictures.", choices=(8, 16, 32, 64, 128, 256, 512, 1024))
    start: int = option(4, "Pixels a side at the start; the same as size: no growing.", choices=(4, 8, 16, 32, 64, 128))
    stable: int = option(800_000, "Pictures that a size is trained with before the next.", low=0)
    fade: int = option(800_000, "Pictures over which a new size is faded in; 1 = all at once.", low=1)
    width: int = option(16384, "Channels of a map times its side: 64 px maps have 16384 / 64 = 256.", low=64)
    cap: int = option(512, "No map has more channels than this.", low=4, high=1024)
    z: int = option(512, "Numbers in the noise z.", low=2, high=1024)
    stddev: bool = option(True, "Whether D sees how varied a batch is: the minibatch standard deviation.")
    pixel_norm: bool = option(True, "Whether the features of each pixel in G are brought to the same length.")
    equalised: bool = option(True, "Whether the learning rate is equalised: weights scaled each time they are used.")
    gp: float = option(10.0, "Weight of the gradient penalty (WGAN-GP); 0 switches it off.", low=0)
    drift: float = option(0.001, "Weight of keeping D's numbers for real pictures near 0.", low=0)
    fooling: float = option(1.0, "Weight of moving towards real pictures; 0 switches the term off.", low=0)
    n_critic: int = option(1, "Steps of D for each of G.", low=1, high=100)
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    outlets: float = option(
        0.0, "Weight of keeping the outlets (toRGB) of smaller sizes in step with the picture (the paper: 0).", low=0
    )
    mirror: bool = option(True, "Whether half of the pictures are mirrored.")
    batch: int = option(16, "Pictures a step.", low=1, high=256)
    lr: float = option(1e-3, "Adam's step size; its betas are 0 and 0.99.", low=0, high=1)
    ema: float = option(0.999, "Decay of the averaged generator that is shown.", low=0, high=1)


def channels(config: Config, side: int) -> int:
    return min(config.cap, max(1, config.width // side))


def sides(config: Config) -> list[int]:
    """4, 8, 16 … to the full size."""
    return [2**k for k in range(2, int(math.log2(config.size)) + 1)]


def growth(config: Config, seen: int) -> float:
    """How many times 4 px have doubled after so many pictures; the fraction is alpha, while the next size is faded in.

    Stable, fade, stable, fade … stable: ``start`` until ``stable``, then twice the size over ``fade`` pictures, and so
    on: from 4 px 0, 0 … 1, 1, 1 … 2, 2 for 4 px, 8 px and 16 px.
    """
    first, last = (int(math.log2(side // 4)) for side in (config.start, config.size))
    cycles, within = divmod(max(0, seen - config.stable), config.fade + config.stable)
    return min(last, first + cycles + min(1.0, within / config.fade))


def standing(grown: float) -> tuple[int, float]:
    """(the doubling that is at work, alpha of it): 2.25 -> (3, 0.25), 3 -> (3, 1)."""
    return math.ceil(grown), grown - math.floor(grown) or 1.0


def doubled(x: Tensor) -> Tensor:
    """2x: every pixel four times (nearest neighbour)."""
    return F.interpolate(x, scale_factor=2)


def halved(x: Tensor) -> Tensor:
    """0.5x: the mean of each four pixels."""
    return F.avg_pool2d(x, 2)


def layer(config: Config, made: nn.Module) -> nn.Module:
    """A layer of `studio.layers` with equalised learning rate, or, without it, as layers usually are: scaled once, by
    He's constant, at the start (section 4.1)."""
    if not config.equalised:
        with torch.no_grad():
            made.weight.mul_(made.scale)
        made.scale = 1.0
    return made


# ---- the generator --------------------------------------------------------------------------------------------------


class Doubling(nn.Module):
    """Twice the size, and two convolutions: ``(N, inputs, h, h) -> (N, outputs, 2 h, 2 h)``."""

    def __init__(self, config: Config, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ResizeConv2d(inputs, outputs)  # 2x and a 3 x 3 convolution as one
        self.first.equalised, self.scale = config.equalised, GAIN / math.sqrt(inputs * 9)
        nn.init.normal_(self.first.weight, 0.0, 1.0 if config.equalised else self.scale)
        self.scale = self.scale if config.equalised else 1.0
        self.second = layer(config, EqualConv2d(outputs, outputs, 3, gain=GAIN))
        self.norm = pixel_norm if config.pixel_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(F.leaky_relu(self.first(x * self.scale), 0.2))  # scaling x is scaling the weights
        return self.norm(F.leaky_relu(self.second(x), 0.2))


class Generator(nn.Module):
    """Noise to a picture, by way of all sizes.

    Shapes for 64 px, width 16384, cap 512:
    (N, 512) -> 512 x 4² -> 512 x 8² -> 512 x 16² -> 512 x 32² -> 256 x 64² -> (N, 3, 64, 64)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        deep = channels(config, 4)
        self.size = config.size
        self.flat = layer(config, EqualLinear(config.z, deep * 16, gain=GAIN / 4))  # / 4: as the authors' code has it
        self.first = layer(config, EqualConv2d(deep, deep, 3, gain=GAIN))
        self.blocks = nn.ModuleList(
            Doubling(config, channels(config, half), channels(config, side)) for half, side in pairwise(sides(config))
        )
        self.colours = nn.ModuleList(
            layer(config, EqualConv2d(channels(config, side), 3, 1)) for side in sides(config)
        )  # toRGB
        self.norm = pixel_norm if config.pixel_norm else nn.Identity()
        self.register_buffer("grown", torch.tensor(math.log2(config.size // 4)))

    def forward(self, z: Tensor, grown: float | None = None) -> Tensor:
        """``(N, z)`` -> ``(N, 3, size, size)``, about in [-1, 1]; while small, enlarged to the full size.

        Args:
            grown: doublings of 4 px, and as a fraction how far the next is faded in; None = as far as it has come.
        """
        # Averaged over a training, the number nears a whole one without ever reaching it; 1/256 can't be seen.
        top, alpha = standing(round((float(self.grown) if grown is None else grown) * 256) / 256)
        picture = self.at(z, top, alpha)
        return F.interpolate(picture, size=(self.size, self.size)) if picture.shape[2] < self.size else picture

    def at(self, z: Tensor, top: int, alpha: float = 1.0) -> Tensor:
        """The picture after ``top`` doublings of 4 px, at its own size; alpha: how far the last of them has come."""
        *below, x = self.features(z, top)
        picture = self.colours[top](x)
        return torch.lerp(doubled(self.colours[top - 1](below[-1])), picture, alpha) if alpha < 1 else picture

    def features(self, z: Tensor, top: int) -> list[Tensor]:
        """``(N, C, side, side)`` of each size, from 4 px to the one after ``top`` doublings."""
        x = F.leaky_relu(self.flat(pixel_norm(z)), 0.2).unflatten(1, (-1, 4, 4))  # z: a place on a sphere
        found = [self.norm(F.leaky_relu(self.first(self.norm(x)), 0.2))]
        for block in self.blocks[:top]:
            found.append(block(found[-1]))
        return found

    def apart(self, z: Tensor, top: int) -> Tensor:
        """How far each smaller size's picture is from the next one, halved; only the outlets can change it."""
        with torch.no_grad():
            features = self.features(z, top)
            picture, wanted = self.colours[top](features.pop()), []
            for _ in features:
                wanted.append(picture := halved(picture))
        drawn = [colour(x) for colour, x in zip(self.colours, features, strict=False)]
        found = [(a - b).square().mean() for a, b in zip(drawn, reversed(wanted), strict=True)]
        return torch.stack(found).sum() if found else z.new_zeros((), requires_grad=True)


# ---- the discriminator ----------------------------------------------------------------------------------------------


class Halving(nn.Module):
    """Two convolutions, and half the size: ``(N, inputs, 2 h, 2 h) -> (N, outputs, h, h)``."""

    def __init__(self, config: Config, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = layer(config, EqualConv2d(inputs, inputs, 3, gain=GAIN))
        self.second = layer(config, EqualConv2d(inputs, outputs, 3, gain=GAIN))

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.first(x), 0.2)
        # 3 x 3 and then the mean of 2 x 2 is one convolution 4 x 4 of stride 2, at 4/9 of the work.
        shares = x.new_tensor([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]) / 2  # (4 new taps, 3 old ones)
        spread = torch.einsum("ai,bj->ijab", shares, shares).reshape(9, 16)
        kernel = ((self.second.weight * self.second.scale).flatten(2) @ spread).unflatten(2, (4, 4))
        return F.leaky_relu(F.conv2d(x, kernel, self.second.bias, stride=2, padding=1), 0.2)


class Discriminator(nn.Module):
    """The way back, growing with the generator: ``(N, 3, S, S)`` -> any number ``(N,)``, no probability."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        deep = channels(config, 4)
        self.stddev = config.stddev
        self.colours = nn.ModuleList(
            layer(config, EqualConv2d(3, channels(config, side), 1, gain=GAIN)) for side in sides(config)
        )  # fromRGB
        self.blocks = nn.ModuleList(
            Halving(config, channels(config, side), channels(config, half)) for half, side in pairwise(sides(config))
        )
        self.last = layer(config, EqualConv2d(deep + config.stddev, deep, 3, gain=GAIN))
        self.flat = layer(config, EqualLinear(deep * 16, deep, gain=GAIN))
        self.value = layer(config, EqualLinear(deep, 1))

    def forward(self, picture: Tensor, grown: float | None = None) -> Tensor:
        """grown: as the generator's; None = the full size."""
        x = self.features(picture, len(self.blocks) if grown is None else grown)
        return self.verdict(minibatch_stddev(x) if self.stddev else x)

    def features(self, picture: Tensor, grown: float) -> Tensor:
        """``(N, deep, 4, 4)``"""
        top, alpha = standing(grown)
        picture = F.avg_pool2d(picture, picture.shape[2] // (4 << top))  # to the size reached so far
        x = F.leaky_relu(self.colours[top](picture), 0.2)
        for k in range(top, 0, -1):
            x = self.blocks[k - 1](x)
            if k == top and alpha < 1:
                x = torch.lerp(F.leaky_relu(self.colours[k - 1](halved(picture)), 0.2), x, alpha)
        return x

    def verdict(self, x: Tensor) -> Tensor:
        """``(N, deep + 1, 4, 4)``, the last map says how varied the batch is -> numbers ``(N,)``"""
        x = F.leaky_relu(self.last(x), 0.2)
        return self.value(F.leaky_relu(self.flat(x.flatten(1)), 0.2)).flatten()


def faded(real: Tensor, grown: float) -> Tensor:
    """Real pictures as sharp as made ones can be: while a size is faded in, mixed with those of half the size."""
    top, alpha = standing(grown)
    small = F.avg_pool2d(real, real.shape[2] // (4 << top))
    if alpha < 1:
        small = torch.lerp(doubled(halved(small)), small, alpha)
    return F.interpolate(small, size=real.shape[2:])


# ---- the GAN --------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="ProGAN",
        year=2018,
        paper="Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and "
        "Variation. ICLR 2018.",
        link="https://arxiv.org/abs/1710.10196",
        objective={
            "discriminator": r"\min_D\; \mathbb{E}[D(G(z))]-\mathbb{E}[D(x)]"
            r"+\lambda\,\mathbb{E}[(\lVert\nabla D(\hat x)\rVert_2-1)^2]+\epsilon\,\mathbb{E}[D(x)^2]",
            "generator": r"\min_G\; -\mathbb{E}[D(G(z))]",
        },
        terms={
            "discriminator": Term(r"D(G(z))-D(x)"),
            "penalty": Term(r"(\lVert\nabla D(\hat x)\rVert_2-1)^2", weight="gp"),
            "drift": Term(r"D(x)^2", weight="drift"),
            "fool": Term(r"-D(G(z))", weight="fooling"),
            "outlets": Term(r"(\tfrac12 G(z)-G_{half}(z))^2", weight="outlets"),
            **{name: term for name, term in eyes_terms().items() if name != "alike"},
        },
        read_before=("wgan_gp",),
        read_next=("stylegan",),
        diagram=(("z", "generator", "G(z)"), ("x or G(z)", "discriminator", "D")),
    )

    Config = Config

    TINY = Config(size=16, stable=8, fade=16, width=128, cap=16, z=16, batch=4, ema=0.9)

    CLASSROOM = Config(
        size=32, stable=1000, fade=1000, width=512, cap=64, z=64, batch=8, lr=2e-3, ema=0.99, mirror=False
    )  # fmt: skip

    Data = Images

    demo = ("generator",)

    layout = torch.channels_last

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        if self.config.start > self.config.size:
            raise Refused("progan.start", start=self.config.start, size=self.config.size)
        self.generator = Generator(self.config)
        self.discriminator = Discriminator(self.config)
        self.eyes = second_judge(self.config)

    def optimizers(self) -> dict[str, Optimizer]:
        players = {
            "discriminator": both(self.discriminator, self.eyes),
            "generator": list(self.generator.parameters()),
        }
        return {name: Adam(p, self.config.lr, betas=(0.0, 0.99), eps=1e-8) for name, p in players.items()}

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, z)``, normally distributed; drawn on the CPU, so that a seed is the same on every device."""
        return torch.randn(n, self.config.z, generator=generator).to(self.device)

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        c, n = self.config, len(batch[0])
        grown = growth(c, step * c.batch)
        self.generator.grown.fill_(grown)
        real = faded(batch[0], grown)  # (N, 3, S, S) in [-1, 1]

        # 1. The discriminator learns to say larger numbers of real pictures than of made ones, at a slope of 1.
        fake = self.generator(self.noise(n), grown).detach().float()
        yes, no = self.discriminator(real, grown), self.discriminator(fake, grown)
        losses = {"discriminator": no.mean() - yes.mean(), "drift": yes.square().mean()}
        if c.gp:
            losses["penalty"] = gradient_penalty(lambda x: self.discriminator(x, grown), real, fake)
        d = weighed(losses, {"discriminator": 1.0, "penalty": c.gp, "drift": c.drift})
        descend(optimizers["discriminator"], d)
        if step % c.n_critic:
            return losses

        # 2. The generator moves its pictures to where the discriminator says larger numbers.
        made = self.generator(self.noise(n), grown)
        losses["fool"] = -self.discriminator(made, grown).mean()
        g = c.fooling * losses["fool"]
        if c.eyes:  # and a judge that knows pictures, which has learnt just before
            look = Look(n, made.device)
            theirs, ours = features(look(real)), features(look(made))
            losses["eyes"] = self.eyes.told(theirs, ours)
            descend(optimizers["discriminator"], losses["eyes"])
            losses["seen"] = self.eyes.fooled(ours)
            g = g + c.eyes * opened(step) * losses["seen"]
        if c.outlets:
            losses["outlets"] = self.generator.apart(self.noise(n), math.floor(grown))
            g = g + c.outlets * losses["outlets"]
        descend(optimizers["generator"], g)
        return losses
