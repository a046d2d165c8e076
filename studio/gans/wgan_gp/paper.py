r"""WGAN-GP: WGAN's critic, kept from being steep by a penalty on its slope instead of by clipping its weights.

Clipping makes a critic simple: its weights pile up at -c and c, and its slopes vanish or explode from layer to layer.
What is wanted is a slope of at most 1, and the best critic has a slope of exactly 1 almost everywhere on the straight
lines between the pictures that belong together (proposition 1). So just that is asked for, at a random point of the
line from a made picture to a real one (equation 3):

    critic:  min  E[f(G(z))] - E[f(x)] + 10 E[(|grad f(x')| - 1)^2],   x' = t x + (1 - t) G(z),  t uniform in [0, 1]
    G:       min  -E[f(G(z))]

Then hardly anything about the networks matters any more: a generator without any normalisation learns, with which a
plain GAN draws the same picture for ever. The slope is each picture's own, so the critic may not normalise over a
batch.

    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs. NIPS 2017.
    https://arxiv.org/abs/1704.00028

How this differs from the paper: pictures may be small; the generator is DCGAN's, or a multilayer perceptron (four
hidden layers, no norm), instead of the residual ones of section 5; betas are those of algorithm 1 (0 and 0.9); the
averaged generator may be the one that is shown.

Read before: wgan. Read next: progan, stargan (both use this penalty), stylegan2 (a penalty on real pictures alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Images
from studio.losses import gradient_penalty


@dataclass(frozen=True)
class Config:
    size: int = option(64, "Pixels a side of the pictures.", choices=(16, 32, 64))
    z: int = option(100, "Numbers in the noise z, each normally distributed.", low=1, high=1024)
    net: str = option(
        "convolutions", "The generator: DCGAN's, or a perceptron without any norm.", choices=("convolutions", "mlp")
    )
    width: int = option(64, "Channels of the convolutional generator's last hidden layer; they double.", low=1)
    hidden: int = option(512, "Units of each of the perceptron's four hidden layers (figure 2).", low=1, high=4096)
    critic_width: int = option(64, "Channels of the critic's first layer; they double towards the end.", low=1)
    colours: int = option(3, "Channels that the generator draws: 3, or 1 = grey.", choices=(1, 3))
    mirror: bool = option(False, "Whether half of the training pictures are mirrored; digits must not be.")
    batch: int = option(64, "Pictures a step (algorithm 1).", low=2, high=1024)
    lr: float = option(1e-4, "Adam's step size for both players; its betas are 0 and 0.9.", low=0, high=1)
    n_critic: int = option(5, "Steps of the critic for each of the generator (algorithm 1).", low=1, high=100)
    gp: float = option(10.0, "Weight of the gradient penalty (algorithm 1); 0 switches it off.", low=0)
    fooling: float = option(1.0, "Weight of moving towards real pictures; 0 switches the term off.", low=0)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


def doublings(config: Config) -> int:
    """How often 4 pixels must double to be the picture's size."""
    return (config.size // 4).bit_length() - 1


class Convolutions(nn.Module):
    """DCGAN's generator: 4 x 4 pixels of z, then transposed convolutions of stride 2 with batch normalisation.

    Shapes for 64 px, width 64: (N, 100) -> 512 x 4² -> 256 x 8² -> 128 x 16² -> 64 x 32² -> (N, 3, 64, 64)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.width << k for k in range(doublings(config) - 1, -1, -1)]
        self.project = nn.ConvTranspose2d(config.z, wide[0], 4, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels in wide)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, 2, 1) for i, o in zip(wide, [*wide[1:], config.colours], strict=True)
        )

    def forward(self, z: Tensor) -> Tensor:
        """``(N, z)`` -> ``(N, 3, size, size)`` in [-1, 1]."""
        x = self.project(z[:, :, None, None])
        for norm, up in zip(self.norms, self.ups, strict=True):
            x = up(F.relu(norm(x)))
        return torch.tanh(x).expand(-1, 3, -1, -1)


class Perceptron(nn.Module):
    """Four hidden layers of ReLUs and nothing that helps: the generator that plain GANs collapse with (figure 2).

    Shapes for 64 px: (N, 100) -> 512 -> 512 -> 512 -> 512 -> (N, 3, 64, 64)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.size, wide = config.size, [config.z, *[config.hidden] * 4]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(wide))
        self.last = nn.Linear(config.hidden, config.colours * config.size**2)

    def forward(self, z: Tensor) -> Tensor:
        """``(N, z)`` -> ``(N, 3, size, size)`` in [-1, 1]."""
        x = z
        for layer in self.layers:
            x = F.relu(layer(x))
        return torch.tanh(self.last(x)).unflatten(1, (-1, self.size, self.size)).expand(-1, 3, -1, -1)


GENERATORS = {"convolutions": Convolutions, "mlp": Perceptron}


class Critic(nn.Module):
    """Convolutions of stride 2 down to 4 x 4 pixels, and a weighted sum of what is left: any number, no probability.

    Shapes for 64 px, width 64: (N, 3, 64, 64) -> 64 x 32² -> 128 x 16² -> 256 x 8² -> 512 x 4² -> (N,)
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [config.critic_width << k for k in range(doublings(config))]
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip([3, *wide], wide, strict=False))
        self.value = nn.Conv2d(wide[-1], 1, 4)

    def forward(self, picture: Tensor) -> Tensor:
        """``(N, 3, size, size)`` -> numbers ``(N,)``."""
        x = picture
        for down in self.downs:
            x = F.leaky_relu(down(x), 0.2)
        return self.value(x).flatten()


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="WGAN-GP",
        year=2017,
        paper="Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs. NIPS 2017.",
        link="https://arxiv.org/abs/1704.00028",
        objective={
            "critic": r"\min_w\; \mathbb{E}[f_w(G(z))]-\mathbb{E}[f_w(x)]"
            r"+\lambda\,\mathbb{E}[(\lVert\nabla f_w(\hat x)\rVert_2-1)^2]",
            "generator": r"\min_G\; -\mathbb{E}[f_w(G(z))]",
        },
        terms={
            "critic": Term(r"f_w(G(z))-f_w(x)"),
            "penalty": Term(r"(\lVert\nabla f_w(\hat x)\rVert_2-1)^2", weight="gp"),
            "fool": Term(r"-f_w(G(z))", weight="fooling"),
        },
        read_before=("wgan",),
        read_next=("progan", "stargan", "stylegan2"),
        diagram=(("z", "generator", "G(z)"), ("x or G(z)", "critic", "f")),
    )

    Config = Config

    TINY = Config(size=16, z=8, width=8, critic_width=8, batch=8, lr=5e-4, n_critic=1)

    CLASSROOM = Config(
        size=16, z=24, net="mlp", hidden=256, critic_width=16, colours=1, batch=32, lr=1e-3, n_critic=2, ema=0.98
    )  # fmt: skip

    Data = Images

    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.generator = GENERATORS[self.config.net](self.config)
        self.critic = Critic(self.config)

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "critic": Adam(self.critic.parameters(), c.lr, betas=(0.0, 0.9)),
            "generator": Adam(self.generator.parameters(), c.lr, betas=(0.0, 0.9)),
        }

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """``(n, z)``, normally distributed; drawn on the CPU, so that a seed is the same on every device."""
        return torch.randn(n, self.config.z, generator=generator).to(self.device)

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        (picture,) = batch  # (N, 3, H, W) in [-1, 1]

        # 1. The critic learns to say larger numbers of real pictures than of made ones, at a slope of 1.
        fake = self.generator(self.noise(len(picture))).detach()
        apart = self.critic(fake).mean() - self.critic(picture).mean()
        losses = {"critic": apart}
        if self.config.gp:
            losses["penalty"] = gradient_penalty(self.critic, picture, fake)
        descend(optimizers["critic"], weighed(losses, {"critic": 1.0, "penalty": self.config.gp}))

        # 2. Each n_critic steps the generator moves its pictures to where the critic says larger numbers.
        if step % self.config.n_critic == 0:
            losses["fool"] = -self.critic(self.generator(self.noise(len(picture)))).mean()
            descend(optimizers["generator"], self.config.fooling * losses["fool"])
        return losses
