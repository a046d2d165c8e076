r"""The first GAN: one network makes examples from noise, another says real or made, and each learns from the other.

Both are multilayer perceptrons. They play a game for the value of equation 1:

    min_G max_D  V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]

For a G that stays as it is, the best D is p(x) / (p(x) + q(x)), where p is the density of what is real and q of what is
made (proposition 1). Against that D, V = -log 4 + 2 JSD(p, q): least, and -log 4, exactly where what is made is
distributed as what is real, and D = 1/2 everywhere (theorem 1).

Early on D knows every made example, and log(1 - D(G(z))) is flat there: G gets no gradient. So G climbs log D(G(z))
instead, which has the same fixed point and is steep there (section 3).

    Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative Adversarial Nets.
    NIPS 2014. https://arxiv.org/abs/1406.2661

How this differs from the paper: it names neither widths nor step sizes, so the defaults of `Config` are those that the
authors published for MNIST; of these, momentum does not rise and steps do not get smaller here, and weights begin as
PyTorch's layers do. Pixels are in [-1, 1], so G ends in tanh where the paper's ends in a sigmoid. Further fields make
it quick enough for a classroom (Adam, no maxout, no dropout), or let G learn more often than D, to see what comes of
it. The same networks play with points in the plane, where the whole of both distributions can be seen.

Read before: nothing. Read next: dcgan (convolutions), conditional (say which), wgan (another distance).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option
from studio.data import Images
from studio.losses import bce


@dataclass(frozen=True)
class Config:
    size: int = option(28, "Pixels a side of the pictures.", choices=(16, 28, 32))
    colours: int = option(1, "Numbers a pixel: 1 = grey, 3 = red, green and blue.", choices=(1, 3))
    z: int = option(100, "Numbers in the noise z, each normally distributed.", low=1, high=1024)
    width: int = option(1200, "Units of each of the generator's two hidden layers.", low=1, high=4096)
    judge_width: int = option(240, "Units of each of the discriminator's two hidden layers.", low=1, high=4096)
    pieces: int = option(5, "Linear pieces that each maxout unit is the largest of; 1 = leaky ReLU.", low=1, high=16)
    dropout: float = option(0.5, "Share of the discriminator's hidden units that dropout silences.", low=0, high=0.95)
    blind: float = option(0.2, "Share of the numbers it is shown that dropout silences.", low=0, high=0.95)
    k: int = option(1, "Steps of the discriminator for each turn of the generator (algorithm 1).", low=1, high=100)
    turns: int = option(1, "Steps of the generator in each turn: more than the paper's 1 collapse it.", low=1, high=100)
    saturating: bool = option(False, "Whether G minimises log(1 - D(G(z))), as in equation 1, and so starves early.")
    fooling: float = option(1.0, "Weight of fooling the discriminator; 0 switches the term off.", low=0)
    batch: int = option(100, "Examples a step.", low=2, high=1024)
    adam: bool = option(False, "Adam (betas 0.5, 0.999) instead of gradient steps with momentum; it came later.")
    lr: float = option(0.1, "The generator's step size.", low=0, high=100)
    judge_lr: float = option(0.1, "The discriminator's step size.", low=0, high=100)
    momentum: float = option(0.5, "Of gradient steps; Adam has its own.", low=0, high=0.999)
    mirror: bool = option(False, "Whether half of the training pictures are mirrored; digits must not be.")
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


class Generator(nn.Module):
    """z goes through two hidden layers of rectifiers to as many numbers as an example has.

    Shapes at the defaults: (N, 100) -> 1200 -> 1200 -> 784 = (N, 1, 28, 28), shown as (N, 3, 28, 28)
    """

    def __init__(self, z: int, width: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)
        self.layers = nn.ModuleList([nn.Linear(z, width), nn.Linear(width, width), nn.Linear(width, math.prod(shape))])

    def forward(self, z: Tensor) -> Tensor:
        """``(N, z)`` -> examples in [-1, 1]: points ``(N, 2)``, or pictures ``(N, 3, S, S)``, grey ones thrice."""
        *hidden, last = self.layers
        for layer in hidden:
            z = F.relu(layer(z))
        x = torch.tanh(last(z)).unflatten(1, self.shape)
        return x.expand(-1, 3, -1, -1) if grey(self.shape) else x


class Discriminator(nn.Module):
    """An example's numbers go through two hidden layers of maxout units to a single logit; D = sigmoid(logit).

    Shapes at the defaults: (N, 784) -> 5 x 240 -> 240 -> 5 x 240 -> 240 -> (N,)
    """

    def __init__(self, config: Config, shape: Sequence[int]) -> None:
        super().__init__()
        c, self.shape, self.pieces = config, tuple(shape), config.pieces
        self.layers = nn.ModuleList(
            [nn.Linear(math.prod(shape), c.judge_width * c.pieces), nn.Linear(c.judge_width, c.judge_width * c.pieces)]
        )
        self.verdict = nn.Linear(c.judge_width, 1)
        self.blind, self.dropout = nn.Dropout(c.blind), nn.Dropout(c.dropout)

    def forward(self, example: Tensor) -> Tensor:
        """Points ``(N, 2)`` or pictures ``(N, 3, S, S)`` -> logits ``(N,)``; a grey GAN sees the colours' mean."""
        x = example.mean(dim=1) if grey(self.shape) else example
        x = self.blind(x.flatten(1))
        for layer in self.layers:
            x = layer(x)
            x = x.unflatten(1, (-1, self.pieces)).amax(dim=2) if self.pieces > 1 else F.leaky_relu(x, 0.2)
            x = self.dropout(x)
        return self.verdict(x)[:, 0]


def grey(shape: Sequence[int]) -> bool:
    """Whether examples are pictures of one number a pixel."""
    return len(shape) == 3 and shape[0] == 1


class Verdict(NamedTuple):
    """What `judge` says: ``real`` in [0, 1], the discriminator's belief that the picture is a real one."""

    real: float


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="Vanilla GAN",
        year=2014,
        paper="Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative Adversarial "
        "Nets. NIPS 2014.",
        link="https://arxiv.org/abs/1406.2661",
        objective={
            "discriminator": r"\max_D\; V(D,G) = \mathbb{E}[\log D(x)] + \mathbb{E}[\log(1-D(G(z)))]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(G(z))]",
        },
        terms={
            "real": Term(r"-\log D(x)"),
            "fake": Term(r"-\log(1-D(G(z)))", won=0.01),
            "fool": Term(r"-\log D(G(z))", weight="fooling"),
        },
        read_next=("dcgan", "conditional", "wgan"),
        diagram=(("z", "generator", "G(z)"), ("x or G(z)", "discriminator", "D")),
    )

    Config = Config

    TINY = Config(size=16, z=8, width=32, judge_width=16, pieces=2, batch=8, lr=0.05, judge_lr=0.05)

    CLASSROOM = Config(
        z=64, width=256, judge_width=128, pieces=2, dropout=0.3, blind=0.0, batch=64, adam=True, lr=5e-4, judge_lr=5e-4,
        ema=0.99,
    )  # fmt: skip

    # The game that the page plays in the plane (pages/parts/plane/game.js), with shape (2,).
    PLANE = Config(
        z=2, width=32, judge_width=32, pieces=1, dropout=0.0, blind=0.0, batch=64, adam=True, lr=2e-3, judge_lr=4e-3
    )  # fmt: skip

    Data = Images

    demo = ("generator",)

    def __init__(self, config: Config | None = None, shape: Sequence[int] | None = None) -> None:
        """shape: of an example: ``(2,)`` = points in the plane; else pictures as the config says."""
        super().__init__(config)
        c = self.config
        shape = (c.colours, c.size, c.size) if shape is None else shape
        self.generator = Generator(c.z, c.width, shape)
        self.discriminator = Discriminator(c, shape)

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config

        def stepping(network: nn.Module, lr: float) -> Optimizer:
            weights = network.parameters()
            return Adam(weights, lr, betas=(0.5, 0.999)) if c.adam else SGD(weights, lr, momentum=c.momentum)

        return {
            "discriminator": stepping(self.discriminator, c.judge_lr),
            "generator": stepping(self.generator, c.lr),
        }

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, z)``, standard normal; drawn on the CPU, so that a seed is the same on every device."""
        return torch.randn(n, self.config.z, generator=generator).to(self.device)

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        x, c = batch[0], self.config  # (N, 3, S, S) in [-1, 1], or points (N, 2)

        # 1. The discriminator climbs V: it learns to tell real examples from made ones.
        real = bce(self.discriminator(x), True)
        fake = bce(self.discriminator(self.generator(self.noise(len(x))).detach()), False)
        descend(optimizers["discriminator"], real + fake)
        losses = {"real": real, "fake": fake}

        # 2. After k such steps it is the generator's turn: it learns to have what it makes called real.
        if (step + 1) % c.k == 0:
            for _ in range(c.turns):
                made = self.discriminator(self.generator(self.noise(len(x))))
                fool = -bce(made, False) if c.saturating else bce(made, True)
                descend(optimizers["generator"], c.fooling * fool)
            losses["fool"] = fool
        return losses
