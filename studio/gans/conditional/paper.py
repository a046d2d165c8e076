r"""Conditional GAN: generator and discriminator are both told what the picture should be, so one can ask for it.

The first GAN draws whatever it likes. Here both players get a label y besides: the generator draws a picture *of y*
from noise z, and the discriminator says whether the picture is real *for y*. It sees real pictures with their own
labels only, so a perfect 3 that is called a 5 is a fake, and so the generator has to obey (equation 2):

    D:  min  -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]
    G:  min  -E[log D(G(z|y)|y)]

y is a vector of zeros with a one at the label's place (one-hot), simply put beside z. Nothing keeps it from being
something between two labels later.

    Mirza, Osindero: Conditional Generative Adversarial Nets. 2014. https://arxiv.org/abs/1411.1784

How this differs from the paper: its networks are fully connected (maxout in the discriminator) and learn by plain
gradient descent with momentum; these are small convolutional ones in the manner of DCGAN, with Adam, because they obey
within a minute or two on one core. As in the paper, y goes through a layer of its own in both networks before it is
joined to z, or to what has become of x. The averaged generator may be the one that is shown. G maximises log D instead
of minimising log(1 - D) (1406.2661, section 3).

Read before: vanilla, dcgan. Read next: pix2pix (the label is a picture), stargan (labels change a picture).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option
from studio.data import Classes, labels_of
from studio.losses import bce

MNIST = "0|1|2|3|4|5|6|7|8|9"  # section 4.1


@dataclass(frozen=True)
class Config:
    size: int = option(32, "Pixels a side of the pictures.", choices=(16, 32, 64))
    labels: str = option(MNIST, "Names of the labels, | between them; empty = the data's.")
    z: int = option(100, "Numbers in the noise z, each uniform in [-1, 1] (section 4.1).", low=1, high=1024)
    width: int = option(64, "Channels of the generator's last hidden layer; they double towards the noise.", low=1)
    judge_width: int = option(64, "Channels of the discriminator's first layer; they double towards the end.", low=1)
    batch: int = option(100, "Pictures a step (section 4.1).", low=2, high=1024)
    lr: float = option(2e-4, "Adam's step size; its betas are 0.5 and 0.999.", low=0, high=1)
    judge_lr: float = option(2e-4, "The same for the discriminator.", low=0, high=1)
    fooling: float = option(1.0, "Weight of fooling the discriminator; 0 switches the term off.", low=0)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


def doublings(config: Config) -> int:
    """How often 4 pixels must double to be the picture's size."""
    return (config.size // 4).bit_length() - 1


class Generator(nn.Module):
    """z and y, a layer each, add up to 4 x 4 pixels; then each transposed convolution of stride 2 doubles the size.

    Shapes for 32 px, width 64, ten labels: (N, 100), (N, 10) -> 256 x 4² -> 128 x 8² -> 64 x 16² -> (N, 3, 32, 32)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        n, labels = doublings(config), len(labels_of(config.labels).names)
        wide = [config.width << k for k in range(n - 1, -1, -1)]
        self.drawn = nn.Linear(config.z, wide[0] * 16, bias=False)
        self.told = nn.Linear(labels, wide[0] * 16, bias=False)  # of z and y side by side, one layer would be the same
        nn.init.normal_(self.drawn.weight, 0.0, (3 / config.z) ** 0.5)  # z and y begin equally loud, with variance 1,
        nn.init.normal_(self.told.weight)  # though all numbers of z are at work, and of y only one
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in wide)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(ins, outs, 4, 2, 1, bias=outs == 3)
            for ins, outs in zip(wide, [*wide[1:], 3], strict=True)
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """``(N, z)`` in [-1, 1] and labels ``(N, L)`` -> ``(N, 3, size, size)`` in [-1, 1]."""
        x = (self.drawn(z) + self.told(y.to(z.dtype))).unflatten(1, (-1, 4, 4))
        for norm, up in zip(self.norms, self.ups, strict=True):
            x = up(F.relu(norm(x)))
        return torch.tanh(x)


class Discriminator(nn.Module):
    """x goes down to 4 x 4 pixels by strided convolutions and into a hidden layer, y into one of its own; both side by
    side go into a third, which decides (section 4.1).

    No normalisation: each picture is judged by itself.

    Shapes for 32 px, width 64: (N, 3, 32²) -> 64 x 16² -> 128 x 8² -> 256 x 4² -> 128 and (N, 10) -> 128; both -> 128
    -> (N,)
    """

    HIDDEN = 128

    def __init__(self, config: Config) -> None:
        super().__init__()
        n, labels, hidden = doublings(config), len(labels_of(config.labels).names), self.HIDDEN
        wide = [config.judge_width << k for k in range(n)]
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip([3, *wide], wide, strict=False))
        self.seen = nn.Linear(wide[-1] * 16, hidden)
        self.told = nn.Linear(labels, hidden, bias=False)
        nn.init.normal_(self.told.weight)
        self.join = nn.Linear(2 * hidden, hidden)
        self.verdict = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Pictures ``(N, 3, size, size)`` and the labels that it is told ``(N, L)`` -> logits ``(N,)``."""
        for down in self.downs:
            x = F.leaky_relu(down(x), 0.2)
        x, y = F.leaky_relu(self.seen(x.flatten(1)), 0.2), F.leaky_relu(self.told(y.to(x.dtype)), 0.2)
        return self.verdict(F.leaky_relu(self.join(torch.cat([x, y], dim=1)), 0.2))[:, 0]


class Verdict(NamedTuple):
    """What `judge` says: ``real`` in [0, 1], D's belief that this is a real picture of the label that it is told."""

    real: float


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="Conditional GAN",
        year=2014,
        paper="Mirza, Osindero: Conditional Generative Adversarial Nets. 2014.",
        link="https://arxiv.org/abs/1411.1784",
        objective={
            "discriminator": r"\min_D\; -\mathbb{E}[\log D(x|y)] - \mathbb{E}[\log(1-D(G(z|y)|y))]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(G(z|y)|y)]",
        },
        terms={
            "real": Term(r"-\log D(x|y)"),
            "fake": Term(r"-\log(1-D(G(z|y)|y))", won=0.01),
            "fool": Term(r"-\log D(G(z|y)|y)", weight="fooling"),
        },
        read_before=("vanilla", "dcgan"),
        read_next=("pix2pix", "stargan"),
        diagram=(("z and y", "generator", "G(z|y)"), ("x or G(z|y) and y", "discriminator", "D")),
    )

    Config = Config

    TINY = Config(size=16, labels=MNIST, z=8, width=8, judge_width=8, batch=8)

    CLASSROOM = Config(labels="", z=32, width=16, judge_width=16, batch=32, lr=2e-3, judge_lr=1e-3, ema=0.98)

    Data = Classes

    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.generator = Generator(self.config)
        self.discriminator = Discriminator(self.config)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of what it can be asked for."""
        return labels_of(self.config.labels).names

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "discriminator": Adam(self.discriminator.parameters(), c.judge_lr, betas=(0.5, 0.999)),
            "generator": Adam(self.generator.parameters(), c.lr, betas=(0.5, 0.999)),
        }

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, z)``, uniform in [-1, 1]; drawn on the CPU, so that a seed is the same on every device."""
        return (torch.rand(n, self.config.z, generator=generator) * 2 - 1).to(self.device)

    def train_step(self, batch: tuple[Tensor, Tensor], optimizers: Optimizers, step: int) -> Losses:
        picture, y = batch  # (N, 3, H, W) in [-1, 1], (N, L) one-hot
        fake = self.generator(self.noise(len(picture)), y)  # asked for what is in the data, as often

        # 1. The discriminator learns to tell real pictures from made ones; it is told of each what it should be.
        real = bce(self.discriminator(picture, y), True)
        made = bce(self.discriminator(fake.detach(), y), False)
        descend(optimizers["discriminator"], real + made)

        # 2. The generator learns to have its pictures called real pictures of what it was asked for.
        fool = bce(self.discriminator(fake, y), True)
        descend(optimizers["generator"], self.config.fooling * fool)
        return {"real": real, "fake": made, "fool": fool}
