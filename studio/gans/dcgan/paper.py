r"""DCGAN: a generator of transposed convolutions draws from noise, a discriminator of convolutions says real or fake.

The game is that of the first GAN; what is new is which convolutional networks play it well (section 3): strides
instead of pooling, batch normalisation in both, no hidden dense layers, ReLU in the generator and leaky ReLU in the
discriminator. With z uniform in [-1, 1]:

    D:  min  -E[log D(x)] - E[log(1 - D(G(z)))]
    G:  min  -E[log D(G(z))]

    Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
    Networks. ICLR 2016. https://arxiv.org/abs/1511.06434

How this differs from the paper: nothing at the defaults of `Config`, but that the paper does not say how wide its
discriminator is (here 128, as the generator's last layer). Further fields make it small enough for a classroom, and
may show an averaged generator. For the demo, batch normalisation uses its averages of the training, so that a seed
gives the same picture in any company.

Read before: vanilla. Read next: conditional (say which digit), wgan (another distance), progan (large pictures).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option
from studio.data import Images
from studio.losses import bce

COMPANY = 31  # made pictures that a judged one comes with


@dataclass(frozen=True)
class Config:
    size: int = option(64, "Pixels a side of the pictures.", choices=(16, 32, 64, 128))
    z: int = option(100, "Numbers in the noise z, each uniform in [-1, 1].", low=1, high=1024)
    width: int = option(128, "Channels of the generator's last hidden layer; they double towards the noise.", low=1)
    judge_width: int = option(128, "Channels of the discriminator's first layer; they double towards the end.", low=1)
    kernel: int = option(5, "Side of the convolutions: the paper's 5, or 4, a multiple of the stride.", choices=(4, 5))
    mirror: bool = option(False, "Whether half of the training pictures are mirrored; digits must not be.")
    batch: int = option(128, "Pictures a step (section 4).", low=2, high=1024)
    lr: float = option(2e-4, "Adam's step size; its betas are 0.5 and 0.999 (section 4).", low=0, high=1)
    judge_lr: float = option(2e-4, "The same for the discriminator.", low=0, high=1)
    fooling: float = option(1.0, "Weight of fooling the discriminator; 0 switches the term off.", low=0)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


def doublings(config: Config) -> int:
    """How often 4 pixels must double to be the picture's size."""
    return int(math.log2(config.size)) - 2


class Generator(nn.Module):
    """z is projected to 4 x 4 pixels, then each transposed convolution of stride 2 doubles the size (figure 1).

    Shapes for 64 px, width 128: (N, 100) -> 1024 x 4² -> 512 x 8² -> 256 x 16² -> 128 x 32² -> (N, 3, 64, 64)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        n, kernel = doublings(config), config.kernel
        wide = [config.width << k for k in range(n - 1, -1, -1)]
        self.project = nn.ConvTranspose2d(config.z, wide[0], 4, bias=False)  # of one pixel: a dense layer
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in wide)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(ins, outs, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2, bias=outs == 3)
            for ins, outs in zip(wide, [*wide[1:], 3], strict=True)
        )

    def forward(self, z: Tensor) -> Tensor:
        """``(N, z)`` in [-1, 1] -> ``(N, 3, size, size)`` in [-1, 1]."""
        x = self.project(z[:, :, None, None])
        for norm, up in zip(self.norms, self.ups, strict=True):  # no norm on the output (section 3)
            x = up(F.relu(norm(x)))
        return torch.tanh(x)


class Discriminator(nn.Module):
    """Convolutions of stride 2 halve the size down to 4 x 4 pixels, which a last one weighs into a single logit.

    Shapes for 64 px, width 128: (N, 3, 64, 64) -> 128 x 32² -> 256 x 16² -> 512 x 8² -> 1024 x 4² -> (N,)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.judge_width << k for k in range(doublings(config))]
        kernel, padding = config.kernel, (config.kernel - 1) // 2
        self.downs = nn.ModuleList(
            nn.Conv2d(ins, outs, kernel, 2, padding, bias=ins == 3) for ins, outs in zip([3, *wide], wide, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in wide[1:])
        self.verdict = nn.Conv2d(wide[-1], 1, 4)

    def forward(self, picture: Tensor, together: bool = False) -> Tensor:
        """``(N, 3, size, size)`` -> logits ``(N,)``.

        together: normalise by this batch's own statistics, as in training. Averages would not do for this network:
        real and made pictures come to it in batches of their own, and it tells them by those statistics, too.
        """
        x = F.leaky_relu(self.downs[0](picture), 0.2)  # no norm on the input (section 3)
        for down, norm in zip(self.downs[1:], self.norms, strict=True):
            x = down(x)
            if together:
                x = F.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)
            else:
                x = norm(x)
            x = F.leaky_relu(x, 0.2)
        return self.verdict(x).flatten()


class Verdict(NamedTuple):
    """What `judge` says: ``real`` in [0, 1], the discriminator's belief that the picture is a real one, when it comes
    in the company of made ones."""

    real: float


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="DCGAN",
        year=2015,
        paper="Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative "
        "Adversarial Networks. ICLR 2016.",
        link="https://arxiv.org/abs/1511.06434",
        objective={
            "discriminator": r"\min_D\; -\mathbb{E}[\log D(x)] - \mathbb{E}[\log(1-D(G(z)))]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(G(z))]",
        },
        terms={
            "real": Term(r"-\log D(x)"),
            "fake": Term(r"-\log(1-D(G(z)))", won=0.01),
            "fool": Term(r"-\log D(G(z))", weight="fooling"),
        },
        read_before=("vanilla",),
        read_next=("conditional", "wgan", "progan"),
        diagram=(("z", "generator", "G(z)"), ("x or G(z)", "discriminator", "D")),
    )

    Config = Config

    TINY = Config(size=16, z=8, width=8, judge_width=8, batch=8, kernel=4)

    CLASSROOM = Config(
        size=32, z=64, width=32, judge_width=24, kernel=4, batch=32, lr=5e-4, judge_lr=3e-4, ema=0.98
    )  # fmt: skip

    Data = Images

    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.generator = Generator(self.config)
        self.discriminator = Discriminator(self.config)
        for name, p in self.named_parameters():  # section 4: weights from N(0, 0.02)
            if p.ndim == 4:
                nn.init.normal_(p, 0.0, 0.02)
            elif "norms" not in name:
                nn.init.zeros_(p)

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "discriminator": Adam(self.discriminator.parameters(), c.judge_lr, betas=(0.5, 0.999)),
            "generator": Adam(self.generator.parameters(), c.lr, betas=(0.5, 0.999)),
        }

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, z)``, uniform in [-1, 1] (section 4); drawn on the CPU, so that a seed is the same on every device."""
        return (torch.rand(n, self.config.z, generator=generator) * 2 - 1).to(self.device)

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        (picture,) = batch  # (N, 3, H, W) in [-1, 1]
        fake = self.generator(self.noise(len(picture)))

        # 1. The discriminator learns to tell real pictures from made ones, each kind in a batch of its own.
        real = bce(self.discriminator(picture), True)
        made = bce(self.discriminator(fake.detach()), False)
        descend(optimizers["discriminator"], real + made)

        # 2. The generator learns to have its pictures called real.
        fool = bce(self.discriminator(fake), True)
        descend(optimizers["generator"], self.config.fooling * fool)
        return {"real": real, "fake": made, "fool": fool}
