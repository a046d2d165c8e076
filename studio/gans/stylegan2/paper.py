r"""StyleGAN2: a picture is made coarse to fine, and at each layer a style says what the layer should draw.

A mapping network turns noise z into a style w. The synthesis network begins with a learned constant; each of its
convolutions is scaled by w, channel by channel, so w may differ from layer to layer: pose from one face, colours
from another. The game is the plain one; two penalties, computed now and then, keep it smooth:

    D:  min  E[softplus(D(G(z)))] + E[softplus(-D(x))] + gamma/2 E[|grad D(x)|²]
    G:  min  E[softplus(-D(G(z)))] + 2 E[(|J^T y| - a)²],   J = dG/dw, y ~ N(0, 1) / side, a = running mean

StyleGAN normalised every map (AdaIN), which drew droplets: a spike in one place lets the rest of its map escape the
normalisation. Here the *weights* are normalised, by what they would do to maps of unit variance (demodulation), and
maps stay as they are (section 2). No growing: skips add up pictures of all sizes (section 4).

    Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: Analyzing and Improving the Image Quality of StyleGAN. CVPR 2020.
    https://arxiv.org/abs/1912.04958

How this differs from the paper: nothing but sizes, which are fields of `Config` (the paper's FFHQ is 1024 px, batch
32). A style scales a convolution's inputs and its outputs, instead of one kernel for each picture: the same numbers,
with nothing to build (`Modulated`). The shown generator is an average over training steps, as there.

Read before: progan, stylegan. Read next: spade (styles that differ from place to place).
"""

from __future__ import annotations

import math
import re
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
from studio.layers import DoublingConv2d, EqualConv2d, EqualLinear, blur, double, halve, minibatch_stddev, pixel_norm
from studio.losses import bce, r1
from studio.projected import Look, both, eyes_terms, opened, second_judge

TAPS = (1, 3, 3, 1)  # the filter wherever sizes change


@dataclass(frozen=True)
class Config:
    size: int = option(256, "Pixels a side of the pictures.", choices=(16, 32, 64, 128, 256, 512, 1024))
    width: int = option(32768, "Channels of a map times its side: 64 px maps have 32768 / 64 = 512.", low=64)
    cap: int = option(512, "No map has more channels than this.", low=4, high=1024)
    z: int = option(512, "Numbers in the noise z.", low=2, high=1024)
    w: int = option(512, "Numbers in a style w.", low=2, high=1024)
    depth: int = option(8, "Layers of the mapping network.", low=1, high=16)
    slow: float = option(0.01, "The mapping network learns this many times as fast.", low=1e-4, high=1)
    mixing: float = option(
        0.9, "Share of pictures trained with two styles, one for coarse, one for fine.", low=0, high=1
    )
    r1: float = option(10.0, "gamma, how much D must be flat at real pictures; 0 switches it off.", low=0)
    r1_every: int = option(16, "Steps between two computations of that penalty.", low=1)
    path: float = option(2.0, "Weight of even path lengths; 0 switches the term off.", low=0)
    path_every: int = option(8, "Steps between two computations of that penalty.", low=1)
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    mirror: bool = option(True, "Whether half of the pictures are mirrored.")
    batch: int = option(32, "Pictures a step.", low=1, high=256)
    lr: float = option(2e-3, "Adam's step size; its betas are 0 and 0.99.", low=0, high=1)
    ema: float = option(0.998, "Decay of the shown, averaged generator: half is 10,000 pictures old.", low=0, high=1)


def path_lengths(pictures: Tensor, ws: Tensor) -> Tensor:
    """``|J^T y|`` for each picture, ``(N,)``, J = d picture / d w and y random: how far a step in W goes (section 3.2).

    y is N(0, 1) over the picture's side, so that the lengths of pictures of all sizes are alike; over layers, the
    root of the mean square.
    """
    y = torch.randn_like(pictures, dtype=torch.float32) / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (slope,) = torch.autograd.grad((pictures.float() * y).sum(), ws, create_graph=True)  # (N, L, w)
    return slope.float().square().sum(dim=2).mean(dim=1).sqrt()


def channels(config: Config, side: int) -> int:
    return min(config.cap, max(1, config.width // side))


def active(x: Tensor) -> Tensor:
    """Leaky ReLU; the root of two keeps the variance about where it was."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


# ---- the generator: mapping and synthesis ---------------------------------------------------------------------------


class Mapping(nn.Module):
    """Noise to style: z ``(N, z)`` -> w ``(N, w)``, fully connected (1812.04948, section 2)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = [config.z] + [config.w] * config.depth
        self.layers = nn.ModuleList(EqualLinear(a, b, slow=config.slow) for a, b in pairwise(sizes))
        self.register_buffer("average", torch.zeros(config.w))  # of w over the training: truncation leads there

    def forward(self, z: Tensor) -> Tensor:
        x = pixel_norm(z)
        for layer in self.layers:
            x = active(layer(x))
        return x


class Modulated(nn.Module):
    """A convolution whose weights each picture's style scales (section 2.2): ``(N, inputs, H, W), (N, w)``.

    The style s scales the weights of each input channel, which is the same as scaling that channel. Demodulation
    divides each output channel by the norm of its scaled weights, ``sqrt(sum over i, k of (s_i w_ijk)²)``, which is
    ``sqrt(sum over i of s_i² (sum over k of w_ijk²))``: a matrix product of s² with weights squared.
    """

    def __init__(self, config: Config, inputs: int, outputs: int, kernel: int = 3, doubling: bool = False) -> None:
        super().__init__()
        self.style = EqualLinear(config.w, inputs, bias=1.0)
        if doubling:
            self.conv = DoublingConv2d(inputs, outputs)
        else:
            self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
            nn.init.normal_(self.conv.weight)
            self.conv.equalised = True  # `scale` is in the style
        self.scale, self.doubling, self.demodulate = 1 / math.sqrt(inputs * kernel**2), doubling, kernel > 1
        self.norms: Tensor | None = None  # of the weights, squared, if they were computed ahead

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        s = self.style(w) * self.scale  # (N, inputs)
        y = self.conv(x * s[:, :, None, None])
        if self.doubling:  # zeros between the pixels, convolved; now blurred
            y = blur(y, TAPS, (1, 1), gain=4.0)  # (N, outputs, 2 H, 2 W)
        if self.demodulate:
            norms = self.norms if self.norms is not None else self.squared()
            y = y * torch.rsqrt(F.linear(s.float().square(), norms) + 1e-8)[:, :, None, None].to(y.dtype)
        return y

    def squared(self) -> Tensor:
        """The squared norm of each kernel: ``(outputs, inputs)``."""
        return self.conv.weight.float().square().sum(dim=(2, 3))

    def settle(self) -> None:
        """Computes ahead what depends on weights alone, for a network that learns no more."""
        if self.demodulate:
            self.norms = self.squared()


class Layer(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU: the block of figure 2d."""

    def __init__(self, config: Config, inputs: int, side: int, doubling: bool) -> None:
        super().__init__()
        outputs = channels(config, side)
        self.conv = Modulated(config, inputs, outputs, doubling=doubling)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(1))
        self.register_buffer("noise", torch.randn(side, side))  # where noise is wanted that stays the same
        self.side = side

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        x = self.conv(x, w) + noise * self.strength
        return active(x + self.bias[:, None, None])


class ToRGB(nn.Module):
    """A 1 x 1 modulated convolution without demodulation: features to a picture ``(N, 3, H, W)``."""

    def __init__(self, config: Config, inputs: int) -> None:
        super().__init__()
        self.conv = Modulated(config, inputs, 3, kernel=1)
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.conv(x, w) + self.bias[:, None, None]


class Synthesis(nn.Module):
    """Styles to a picture: ws ``(N, L, w)`` -> ``(N, 3, S, S)``, about in [-1, 1]; L = 2 log2(S) - 2.

    A constant 4 x 4 map; one layer at 4², two at each size above. At each size what there is becomes a picture, which
    is added to the one of half the size, doubled (figure 7b). Layer k listens to w k, each ToRGB to the next layer's.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        sides = [2**k for k in range(2, int(math.log2(config.size)) + 1)]
        self.constant = nn.Parameter(torch.randn(1, channels(config, 4), 4, 4))
        self.layers, self.colours = nn.ModuleList([Layer(config, channels(config, 4), 4, False)]), nn.ModuleList()
        for half, side in pairwise(sides):
            self.layers.append(Layer(config, channels(config, half), side, True))
            self.layers.append(Layer(config, channels(config, side), side, False))
        for side in sides:
            self.colours.append(ToRGB(config, channels(config, side)))
        self.styles = 2 * len(sides)
        self.register_buffer("path_running_mean", torch.zeros(()))  # a of the path length penalty
        self.sizes = [layer.side**2 for layer in self.layers]

    def noise(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Noise for all layers, from N(0, 1), one after the other: ``(n, sum of their sizes)``."""
        return torch.randn(n, sum(self.sizes), generator=generator)

    def forward(self, ws: Tensor, noise: Tensor | None = None, watch: latents.Watch | None = None) -> Tensor:
        """
        Args:
            noise: as `noise` gives it, zeros for none; None = the network's own, always the same.
            watch: ``watch(k, features of layer k)`` gives the features to go on with: to look, or to change them.
        """
        watch = watch or (lambda _, features: features)
        x = self.constant.expand(len(ws), -1, -1, -1)
        if noise is None:
            maps = [layer.noise[None, None] for layer in self.layers]
        else:
            parts = noise.split(self.sizes, dim=1)
            maps = [p.view(-1, 1, layer.side, layer.side) for p, layer in zip(parts, self.layers, strict=True)]
        x = watch(0, self.layers[0](x, ws[:, 0], maps[0]))
        picture = self.colours[0](x, ws[:, 1])
        for k in range(1, len(self.layers), 2):
            x = watch(k, self.layers[k](x, ws[:, k], maps[k]))
            x = watch(k + 1, self.layers[k + 1](x, ws[:, k + 1], maps[k + 1]))
            picture = double(picture, TAPS) + self.colours[(k + 1) // 2](x, ws[:, k + 2])
        return picture


# ---- the discriminator ----------------------------------------------------------------------------------------------


class Block(nn.Module):
    """Two convolutions, the second to half the size, and a 1 x 1 beside them (figure 7c): variance stays the same."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3)
        self.second = EqualConv2d(inputs, outputs, 3, stride=2, padding=0)
        self.skip = EqualConv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = active(self.first(x))
        y = active(self.second(blur(y, TAPS, (2, 2))))  # (N, outputs, H/2, W/2)
        return (y + self.skip(halve(x, TAPS))) * math.sqrt(0.5)


class Discriminator(nn.Module):
    """A residual network with the minibatch's spread before its end: ``(N, 3, S, S)`` -> logits ``(N, 1)``."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sides = [2**k for k in range(int(math.log2(config.size)), 2, -1)]
        deep = channels(config, 4)
        self.colours = EqualConv2d(3, channels(config, config.size), 1)
        self.blocks = nn.ModuleList(Block(channels(config, s), channels(config, s // 2)) for s in sides)
        self.last = EqualConv2d(deep + 1, deep, 3)
        self.flat = EqualLinear(deep * 16, deep)
        self.verdict = EqualLinear(deep, 1)

    def forward(self, picture: Tensor) -> Tensor:
        x = active(self.colours(picture))
        for block in self.blocks:
            x = block(x)
        x = active(self.last(minibatch_stddev(x)))  # (N, deep, 4, 4)
        return self.verdict(active(self.flat(x.flatten(1))))


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="StyleGAN2",
        year=2020,
        paper="Karras, Laine, Aittala, Hellsten, Lehtinen, Aila: Analyzing and Improving the Image Quality of "
        "StyleGAN. CVPR 2020.",
        link="https://arxiv.org/abs/1912.04958",
        objective={
            "discriminator": r"\min_D\; -\mathbb{E}[\log D(x)] - \mathbb{E}[\log(1-D(G(z)))] "
            r"+ \tfrac{\gamma}{2}\,\mathbb{E}[\lVert\nabla D(x)\rVert^2]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(G(z))] "
            r"+ 2\,\mathbb{E}[(\lVert J_w^{\mathsf T}y\rVert_2-a)^2]",
        },
        terms={
            "discriminator": Term(r"-\log D(x)-\log(1-D(G(z)))", won=0.05),
            "fool": Term(r"-\log D(G(z))"),
            "steep": Term(r"\lVert\nabla D(x)\rVert^2", weight="r1"),
            "uneven": Term(r"(\lVert J_w^{\mathsf T}y\rVert_2-a)^2", weight="path"),
            **{name: term for name, term in eyes_terms().items() if name != "alike"},
        },
        read_before=("progan", "stylegan"),
        read_next=("spade",),
        diagram=(
            ("z", "mapping", "w"),
            ("w and n", "synthesis", "G(z)"),
            ("x or G(z)", "discriminator", "D"),
        ),
    )

    Config = Config

    TINY = Config(size=16, width=128, cap=16, z=16, w=16, depth=2, r1=1.0, batch=4, ema=0.9)

    CLASSROOM = Config(
        size=32, width=1024, cap=64, z=64, w=64, depth=4, r1=0.2, path=0.5, batch=8, ema=0.99, mirror=False
    )  # fmt: skip

    Data = Images

    demo = ("mapping", "synthesis")

    layout = torch.channels_last  # a step takes a seventh less time on a CPU

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.mapping = Mapping(self.config)
        self.synthesis = Synthesis(self.config)
        self.discriminator = Discriminator(self.config)
        self.eyes = second_judge(self.config)

    def grown(self, child: str, state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
        more = int(math.log2(self.config.size // config.size))  # D's blocks are counted from the largest size
        if child != "discriminator" or more <= 0:
            return state
        ours = self.discriminator.state_dict()
        moved = {
            re.sub(r"^blocks\.(\d+)", lambda m: f"blocks.{int(m[1]) + more}", name): v for name, v in state.items()
        }
        return {name: value for name, value in moved.items() if not name.startswith("colours.")} | {
            name: value for name, value in ours.items() if name.startswith("colours.")
        }

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        made = [*self.mapping.parameters(), *self.synthesis.parameters()]
        players = {"discriminator": (both(self.discriminator, self.eyes), c.r1 and c.r1_every)}
        players["generator"] = (made, c.path and c.path_every)
        found = {}
        for name, (parameters, every) in players.items():
            # A penalty every k steps is a step of its own, k + 1 instead of k: Adam is slowed to match (appendix B).
            slowed = every / (every + 1) if every else 1.0
            found[name] = Adam(parameters, c.lr * slowed, betas=(0.0, 0.99**slowed))
        return found

    def train_step(self, batch: tuple[Tensor], optimizers: Optimizers, step: int) -> Losses:
        (real,), c, n = batch, self.config, len(batch[0])

        # 1. The discriminator learns to tell real pictures from made ones.
        fake = self.draw(self.styles(n)).detach()
        d = bce(self.discriminator(real), True) + bce(self.discriminator(fake), False)
        descend(optimizers["discriminator"], d)
        losses = {"discriminator": d}

        # 2. Now and then: it must be flat at real pictures.
        if c.r1 and step % c.r1_every == 0:
            real = real.detach().requires_grad_()
            losses["steep"] = r1(self.discriminator(real), real)
            descend(optimizers["discriminator"], c.r1 / 2 * c.r1_every * losses["steep"])

        # 3. The generator learns to fool it.
        ws = self.styles(n)
        made = self.draw(ws)
        losses["fool"] = g = bce(self.discriminator(made), True)
        if c.eyes:  # and a judge that knows pictures, which has learnt just before
            look = Look(n, made.device)
            theirs, ours = features(look(real.detach())), features(look(made))
            losses["eyes"] = self.eyes.told(theirs, ours)
            descend(optimizers["discriminator"], losses["eyes"])
            losses["seen"] = self.eyes.fooled(ours)
            g = g + c.eyes * opened(step) * losses["seen"]
        descend(optimizers["generator"], g)
        self.mapping.average.lerp_(ws[:, 0].detach().float().mean(dim=0), 0.005)

        # 4. Now and then: a step in W must change the picture equally much, whereto ever and wherever.
        if c.path and step % c.path_every == 0:
            ws = self.styles(max(1, n // 2))
            lengths = path_lengths(self.draw(ws), ws)
            usual = self.synthesis.path_running_mean.lerp_(lengths.detach().mean(), 0.01)
            losses["uneven"] = (lengths - usual).square().mean()
            descend(optimizers["generator"], c.path * c.path_every * losses["uneven"])
        return losses

    def styles(self, n: int) -> Tensor:
        """ws ``(n, L, w)`` to train with: some have a second style from a random layer on (mixing regularisation)."""
        c, layers = self.config, self.synthesis.styles
        a, b = self.mapping(torch.randn(2 * n, c.z, device=self.device)).chunk(2)
        crossover = torch.randint(1, layers, (n,), device=self.device)
        crossover[torch.rand(n, device=self.device) >= c.mixing] = layers
        return latents.mixed(a, b, crossover, layers)

    def draw(self, ws: Tensor) -> Tensor:
        """Pictures with fresh noise."""
        return self.synthesis(ws, self.synthesis.noise(len(ws)).to(ws.device))
