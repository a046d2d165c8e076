r"""StyleGAN: noise no longer enters a generator as its input, but as a style for each of its layers.

A mapping network turns noise z into a style w. The synthesis network begins with a learned constant, and after each
convolution the style says anew how strong each feature is (AdaIN); noise of a layer's own draws what is left to
chance, freckles and hair. Since every layer hears its own w, two faces can be mixed: coarse from one, fine from the
other. Training grows: first pictures of 8 px, then twice the size, each new size faded in. The game, as for FFHQ:

    D:  min  E[softplus(D(G(z)))] + E[softplus(-D(x))] + gamma/2 E[|grad D(x)|²]
    G:  min  E[softplus(-D(G(z)))]

or, as for CelebA-HQ, that of WGAN-GP: E[D(G(z))] - E[D(x)] + 10 E[(|grad D(x̂)| - 1)²] and -E[D(G(z))].

    Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks. CVPR 2019.
    https://arxiv.org/abs/1812.04948

How this differs from the paper: sizes, which are fields of `Config` (the paper's FFHQ is 1024 px); batch and step size
stay the same at all sizes of picture; R1 may be computed now and then only, as in StyleGAN2. Nothing about the
networks does: bilinear up and down, a constant input, AdaIN, noise, mixing (table 1, rows B to F).

Read before: progan, wgan_gp. Read next: stylegan2 (why there are droplets, and what to do without growing).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio import latents
from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option
from studio.data import Images
from studio.features import features
from studio.layers import EqualConv2d, EqualLinear, ResizeConv2d, blur, minibatch_stddev, pixel_norm
from studio.losses import bce, gradient_penalty, r1
from studio.projected import Look, both, eyes_terms, opened, second_judge
from studio.refused import Refused

GAIN = math.sqrt(2)  # of weights before a leaky ReLU


SOFT = (1, 2, 1)  # nearest neighbour, then this filter: bilinear


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the grown pictures.", choices=(16, 32, 64, 128, 256, 512, 1024))
    start: int = option(8, "Pixels a side at the start.", choices=(4, 8, 16, 32, 64))
    stable: int = option(600_000, "Pictures that a size is trained with before the next.", low=0)
    fade: int = option(600_000, "Pictures over which a new size is faded in.", low=1)
    width: int = option(16384, "Channels of a map times its side: 64 px maps have 16384 / 64 = 256.", low=64)
    cap: int = option(512, "No map has more channels than this.", low=4, high=1024)
    z: int = option(512, "Numbers in the noise z.", low=2, high=1024)
    w: int = option(512, "Numbers in a style w.", low=2, high=1024)
    depth: int = option(8, "Layers of the mapping network.", low=1, high=16)
    slow: float = option(0.01, "The mapping network learns this many times as fast.", low=1e-4, high=1)
    mixing: float = option(0.9, "Share of pictures trained with two styles.", low=0, high=1)
    loss: str = option("non-saturating", "The game.", choices=("non-saturating", "wgan-gp"))
    penalty: float = option(10.0, "Weight of D's gradient penalty: gamma of R1, or lambda of WGAN-GP.", low=0)
    penalty_every: int = option(1, "Steps between two computations of R1; WGAN-GP needs it at each.", low=1)
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    mirror: bool = option(True, "Whether half of the pictures are mirrored.")
    batch: int = option(32, "Pictures a step.", low=1, high=256)
    lr: float = option(1e-3, "Adam's step size; its betas are 0 and 0.99.", low=0, high=1)
    ema: float = option(
        0.998, "Decay of the averaged generator that is shown: half is 10,000 pictures old.", low=0, high=1
    )


def channels(config: Config, side: int) -> int:
    return min(config.cap, max(1, config.width // side))


def growth(config: Config, seen: int) -> float:
    """How many times the size has doubled after so many pictures; a fraction while the next size is faded in.

    Stable, fade, stable, fade … stable: 8 px until ``stable``, then to 16 px over ``fade`` pictures, and so on.
    """
    last = int(math.log2(config.size // config.start))
    cycles, within = divmod(max(0, seen - config.stable), config.fade + config.stable)
    return min(last, cycles + min(1.0, within / config.fade))


# ---- the generator: mapping and synthesis ---------------------------------------------------------------------------


class Mapping(nn.Module):
    """Noise to style: z ``(N, z)`` -> w ``(N, w)``, fully connected (section 2)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = [config.z] + [config.w] * config.depth
        self.layers = nn.ModuleList(EqualLinear(a, b, gain=GAIN, slow=config.slow) for a, b in pairwise(sizes))
        self.register_buffer("average", torch.zeros(config.w))  # of w over the training: truncation leads there

    def forward(self, z: Tensor) -> Tensor:
        x = pixel_norm(z)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return x


class Layer(nn.Module):
    """Convolution, noise, bias, leaky ReLU, AdaIN: ``(N, inputs, h, h), (N, w) -> (N, outputs, H, H)``.

    The first layer has no convolution: it dresses the constant. AdaIN (equation 1) makes each map's mean 0 and its
    deviation 1, then gives it those that the style says.
    """

    def __init__(self, config: Config, inputs: int, side: int, doubling: bool = False, first: bool = False) -> None:
        super().__init__()
        outputs = channels(config, side)
        self.side, self.doubling, self.scale = side, doubling, GAIN / math.sqrt(inputs * 9)
        if first:
            self.conv = None
        else:
            kind = ResizeConv2d(inputs, outputs, bias=False) if doubling else None
            self.conv = kind or nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            nn.init.normal_(self.conv.weight)
            self.conv.equalised = True
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(outputs))  # of the noise, feature by feature
        self.style = EqualLinear(config.w, 2 * outputs)
        self.register_buffer("noise", torch.randn(side, side))  # where noise is wanted that stays the same

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        if self.conv is not None:
            x = self.conv(x * self.scale)  # equalised learning rate: scaling x is scaling the weights
        if self.doubling:
            x = blur(x, SOFT, (1, 1))
        x = F.leaky_relu(x + noise * self.strength[:, None, None] + self.bias[:, None, None], 0.2)
        size, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return torch.group_norm(x, x.shape[1], eps=1e-8) * (1 + size) + shift  # each map by itself


class Synthesis(nn.Module):
    """Styles to a picture: ws ``(N, L, w)`` -> ``(N, 3, S, S)``, about in [-1, 1]; L = 2 log2(S) - 2.

    Two layers at each size from 4² up; the picture is drawn from the features of the largest size alone. While it
    grows, that is the size reached so far (``grown`` doublings from ``start``), and the picture is enlarged to S.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        sides = [2**k for k in range(2, int(math.log2(config.size)) + 1)]
        self.constant = nn.Parameter(torch.ones(1, channels(config, 4), 4, 4))
        self.layers = nn.ModuleList([Layer(config, channels(config, 4), 4, first=True)])
        self.layers.append(Layer(config, channels(config, 4), 4))
        for half, side in pairwise(sides):
            self.layers.append(Layer(config, channels(config, half), side, doubling=True))
            self.layers.append(Layer(config, channels(config, side), side))
        self.colours = nn.ModuleList(EqualConv2d(channels(config, side), 3, 1) for side in sides)
        self.styles, self.size = len(self.layers), config.size
        self.sizes = [layer.side**2 for layer in self.layers]
        self.below = int(math.log2(config.start)) - 2  # doublings before the start
        self.register_buffer("grown", torch.tensor(float(math.log2(config.size // config.start))))

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Noise for all layers, from N(0, 1), one after the other: ``(n, sum of their sizes)``."""
        return torch.randn(n, sum(self.sizes), generator=generator)

    def forward(
        self, ws: Tensor, noise: Tensor | None = None, grown: float | None = None, watch: latents.Watch | None = None
    ) -> Tensor:
        """
        Args:
            noise: as `noise` gives it, zeros for none; None = the network's own, always the same.
            grown: doublings, and as a fraction how far the next is faded in; None = as far as it has come.
            watch: ``watch(k, features of layer k)`` gives the features to go on with: to look, or to change them.
        """
        # Averaged over a training, the number nears a whole one without ever reaching it; 1/256 can't be seen.
        grown = round((float(self.grown) if grown is None else grown) * 256) / 256
        top, alpha = self.below + math.ceil(grown), grown - math.floor(grown) or 1.0
        if noise is None:
            maps = [layer.noise[None, None] for layer in self.layers]
        else:
            parts = noise.split(self.sizes, dim=1)
            maps = [p.view(-1, 1, layer.side, layer.side) for p, layer in zip(parts, self.layers, strict=True)]
        x, below = self.constant.expand(len(ws), -1, -1, -1), None
        for k in range(2 * top + 2):
            if k == 2 * top and alpha < 1:
                below = self.colours[top - 1](x)  # the picture of the size before
            x = self.layers[k](x, ws[:, k], maps[k])
            x = x if watch is None else watch(k, x)
        picture = self.colours[top](x)
        if below is not None:
            picture = torch.lerp(F.interpolate(below, scale_factor=2), picture, alpha)
        return F.interpolate(picture, size=(self.size, self.size)) if picture.shape[2] < self.size else picture


# ---- the discriminator ----------------------------------------------------------------------------------------------


class Block(nn.Module):
    """Two convolutions, the second to half the size: blurred, convolved and averaged by twos."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3, gain=GAIN)
        self.second = EqualConv2d(inputs, outputs, 3, gain=GAIN)

    def forward(self, x: Tensor) -> Tensor:
        x = blur(F.leaky_relu(self.first(x), 0.2), SOFT, (1, 1))
        # 3 x 3 and then the mean of 2 x 2 is one convolution 4 x 4 of stride 2, at 4/9 of the work.
        shares = x.new_tensor([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]) / 2  # (4 new taps, 3 old ones)
        spread = torch.einsum("ai,bj->ijab", shares, shares).reshape(9, 16)
        kernel = ((self.second.weight * self.second.scale).flatten(2) @ spread).unflatten(2, (4, 4))
        return F.leaky_relu(F.conv2d(x, kernel, self.second.bias, stride=2, padding=1), 0.2)


class Discriminator(nn.Module):
    """The way back, growing with the generator: ``(N, 3, S, S)`` -> logits ``(N, 1)``."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sides = [2**k for k in range(2, int(math.log2(config.size)) + 1)]
        deep = channels(config, 4)
        self.colours = nn.ModuleList(EqualConv2d(3, channels(config, s), 1, gain=GAIN) for s in sides)
        self.blocks = nn.ModuleList(Block(channels(config, b), channels(config, a)) for a, b in pairwise(sides))
        self.last = EqualConv2d(deep + 1, deep, 3, gain=GAIN)
        self.flat = EqualLinear(deep * 16, deep, gain=GAIN)
        self.verdict = EqualLinear(deep, 1)
        self.below = int(math.log2(config.start)) - 2

    def forward(self, picture: Tensor, grown: float) -> Tensor:
        top, alpha = self.below + math.ceil(grown), grown - math.floor(grown) or 1.0
        picture = F.avg_pool2d(picture, picture.shape[2] // (4 << top))  # to the size reached so far
        x = F.leaky_relu(self.colours[top](picture), 0.2)
        for k in range(top, 0, -1):
            x = self.blocks[k - 1](x)
            if k == top and alpha < 1:
                x = torch.lerp(F.leaky_relu(self.colours[k - 1](F.avg_pool2d(picture, 2)), 0.2), x, alpha)
        x = F.leaky_relu(self.last(minibatch_stddev(x)), 0.2)  # (N, deep, 4, 4)
        return self.verdict(F.leaky_relu(self.flat(x.flatten(1)), 0.2))


def faded(real: Tensor, grown: float, start: int) -> Tensor:
    """Real pictures as sharp as made ones can be: while a size is faded in, mixed with those of half the size."""
    side, alpha = start << math.ceil(grown), grown - math.floor(grown) or 1.0
    small = F.avg_pool2d(real, real.shape[2] // side)
    if alpha < 1:
        small = torch.lerp(F.interpolate(F.avg_pool2d(small, 2), scale_factor=2), small, alpha)
    return F.interpolate(small, size=real.shape[2:])


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="StyleGAN",
        year=2019,
        paper="Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks. CVPR "
        "2019.",
        link="https://arxiv.org/abs/1812.04948",
        objective={
            "discriminator": r"\min_D\; -\mathbb{E}[\log D(x)] - \mathbb{E}[\log(1-D(G(z)))] "
            r"+ \tfrac{\gamma}{2}\,\mathbb{E}[\lVert\nabla D(x)\rVert^2]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(G(z))]",
        },
        terms={
            "discriminator": Term(r"-\log D(x)-\log(1-D(G(z)))", won=0.05),
            "fool": Term(r"-\log D(G(z))"),
            "steep": Term(r"\lVert\nabla D(x)\rVert^2", weight="penalty"),
            **{name: term for name, term in eyes_terms().items() if name != "alike"},
        },
        read_before=("progan", "wgan_gp"),
        read_next=("stylegan2",),
        diagram=(
            ("z", "mapping", "w"),
            ("w and n", "synthesis", "G(z)"),
            ("x or G(z)", "discriminator", "D"),
        ),
    )

    Config = Config

    TINY = Config(
        size=16, start=8, stable=8, fade=16, width=128, cap=16, z=16, w=16, depth=2, penalty=1.0, batch=4, ema=0.9,
    )  # fmt: skip

    CLASSROOM = Config(
        size=32, start=8, stable=1500, fade=1500, width=1024, cap=64, z=64, w=64, depth=4, penalty=0.5,
        penalty_every=4, batch=8, lr=2e-3, ema=0.99, mirror=False,
    )  # fmt: skip

    Data = Images

    demo = ("mapping", "synthesis")

    layout = torch.channels_last

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        if self.config.start > self.config.size:
            raise Refused("stylegan.start", start=self.config.start, size=self.config.size)
        self.mapping = Mapping(self.config)
        self.synthesis = Synthesis(self.config)
        self.discriminator = Discriminator(self.config)
        self.eyes = second_judge(self.config)

    def optimizers(self) -> dict[str, Optimizer]:
        made = [*self.mapping.parameters(), *self.synthesis.parameters()]
        players = {"discriminator": both(self.discriminator, self.eyes), "generator": made}
        return {name: Adam(p, self.config.lr, betas=(0.0, 0.99), eps=1e-8) for name, p in players.items()}

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        c, n = self.config, len(batch[0])
        grown = growth(c, step * c.batch)
        self.synthesis.grown.fill_(grown)
        real = faded(batch[0], grown, c.start)

        # 1. The discriminator learns to tell real pictures from made ones, without being too steep.
        fake = self.draw(self.styles(n, grown), grown).detach().float()
        wasserstein, losses, d = c.loss == "wgan-gp", {}, torch.zeros(())
        if c.penalty and wasserstein:
            losses["steep"] = gradient_penalty(lambda x: self.discriminator(x, grown), real, fake)
            d = c.penalty * losses["steep"]
        elif c.penalty and step % c.penalty_every == 0:
            where = real.detach().requires_grad_()
            losses["steep"] = r1(self.discriminator(where, grown), where)
            d = c.penalty / 2 * c.penalty_every * losses["steep"]
        yes, no = self.discriminator(real, grown), self.discriminator(fake, grown)
        if wasserstein:  # and not far from zero: ProGAN's drift term
            losses["discriminator"] = no.mean() - yes.mean()
            d = d + 0.001 * yes.square().mean()
        else:
            losses["discriminator"] = bce(yes, True) + bce(no, False)
        descend(optimizers["discriminator"], d + losses["discriminator"])

        # 2. The generator learns to fool it.
        ws = self.styles(n, grown)
        made = self.draw(ws, grown)
        verdict = self.discriminator(made, grown)
        losses["fool"] = g = -verdict.mean() if wasserstein else bce(verdict, True)
        if c.eyes:  # and a judge that knows pictures, which has learnt just before
            look = Look(n, made.device)
            theirs, ours = features(look(real.detach())), features(look(made))
            losses["eyes"] = self.eyes.told(theirs, ours)
            descend(optimizers["discriminator"], losses["eyes"])
            losses["seen"] = self.eyes.fooled(ours)
            g = g + c.eyes * opened(step) * losses["seen"]
        descend(optimizers["generator"], g)
        self.mapping.average.lerp_(ws[:, 0].detach().float().mean(dim=0), 0.005)
        return losses

    def styles(self, n: int, grown: float) -> Tensor:
        """ws ``(n, L, w)`` to train with: some have a second style from a random layer on (mixing regularisation)."""
        c, layers = self.config, self.synthesis.styles
        used = 2 * (self.synthesis.below + math.ceil(grown)) + 2  # layers that draw by now
        a, b = self.mapping(torch.randn(2 * n, c.z, device=self.device)).chunk(2)
        crossover = torch.randint(1, used, (n,), device=self.device)
        crossover[torch.rand(n, device=self.device) >= c.mixing] = layers
        return latents.mixed(a, b, crossover, layers)

    def draw(self, ws: Tensor, grown: float) -> Tensor:
        """Pictures with fresh noise."""
        return self.synthesis(ws, self.synthesis.noise(len(ws)).to(ws.device), grown)
