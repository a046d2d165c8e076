r"""StarGAN: one generator turns a picture into any of k kinds, told by labels; a mask lets data sets with different
labels train it together.

The discriminator has two heads: D_src says real or not, D_cls names the labels of what it sees. The generator gets a
picture x and the labels c that it should have, as planes beside the colours; it must be called real, be called c, and
lead back to x if it is then given x's own labels c':

    D:  min  E[D_src(G(x,c))] - E[D_src(x)] + 10 E[(|grad D_src| - 1)^2] + E[-log D_cls(c'|x)]
    G:  min  -E[D_src(G(x,c))] + E[-log D_cls(c|G(x,c))] + 10 E[|x - G(G(x,c),c')|]

k kinds would need k(k-1) generators that each know one way; here one learns all of them from all pictures.

The mask vector (section 3.2): a data set knows only its own labels. The label vector is [c_1, ..., c_n, m]: the labels
of n sets one after the other, zeros where nothing is known, and m, which says whose labels are given. Neither D_cls on
real pictures nor the goal of G looks at what is unknown.

    Choi, Choi, Kim, Ha, Kim, Choo: StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
    Translation. CVPR 2018. https://arxiv.org/abs/1711.09020

How this differs from the paper (each a field of `Config`, the defaults are the paper's): a batch may mix the label
sets, a picture of one with pictures of another, and its targets are drawn among its own set's; all labels are judged
as yes or no (the paper does so for CelebA, and takes a softmax over RaFD's); the generator may also draw *where* it
changes the picture and leave the rest as it is (`blend`, the attention mask of GANimation, arXiv 1807.09251); the
labels may be told again wherever the residual blocks normalise (`told`, as StarGAN v2 does, arXiv 1912.01865, section
3.1), not only as planes at the entrance; the game may be StarGAN v2's as well, log loss and R1 (`game`, `flat`; R1 also
of D_cls); sizes may be doubled by resizing (`upsample`); the averaged generator may be the one that is shown; learning
rates do not fall at the end.

Read before: conditional, wgan_gp, pix2pix, cyclegan. Read next: gated_gan, stylegan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio.base import About, BaseGAN, Losses, Optimizers, Term, descend, option, weighed
from studio.data import Labelled, Labels, labels_of
from studio.features import features
from studio.layers import Norm, ResizeConv2d
from studio.losses import bce, gradient_penalty, r1
from studio.projected import Look, both, eyes_terms, opened, second_judge
from studio.refused import Refused

LAZY = 4  # steps between two computations of the R1 penalty (1912.04958, section 3.1)


LEAST, MOST = -0.5, 1.5  # how far a slider goes; 0 and 1 are the values that were trained


PAPERS = "Black_Hair|Blond_Hair|Brown_Hair Male Young"  # section 5.1


FACES = "black|blond|brown|red / masculine smiling glasses older"  # the studio's portraits, and its drawn faces


@dataclass(frozen=True)
class Config:
    size: int = option(128, "Pixels a side of the pictures.", choices=(32, 64, 128, 256))
    labels: str = option(
        PAPERS, "Names of the labels, | between those that exclude each other, / between sets; empty = the data's."
    )
    partial: bool = option(True, "Whether a picture that lacks some labels of its set is used.")
    mirror: bool = option(True, "Whether half of the pictures are mirrored in training.")
    balance: float = option(
        0.0, "Share of a batch that is drawn label by label, so that rare ones come as often.", low=0, high=1
    )
    drawn: float = option(0.0, "Share of drawn faces among a training's pictures.", low=0, high=1)
    move: float = option(0.0, "How far pictures are moved and zoomed in training, of their side.", low=0, high=0.5)
    width: int = option(64, "Channels of the generator's first layer; they double twice.", low=1, high=256)
    blocks: int = option(6, "Residual blocks of the generator.", low=1, high=16)
    upsample: str = option(
        "transposed",
        "How the generator doubles the size: the paper's transposed convolution, or resize and convolve.",
        choices=("transposed", "resize"),
    )
    blend: bool = option(False, "Whether the generator also draws where to change the picture; the rest stays.")
    told: str = option(
        "planes",
        "Where G hears the labels: the paper's planes beside the colours, or also in the norms of the blocks.",
        choices=("planes", "norms"),
    )
    judge_width: int = option(64, "Channels of the discriminator's first layer; they double.", low=1, high=256)
    judge_depth: int = option(6, "Layers of stride 2 of the discriminator.", low=2, high=8)
    judge_cap: int = option(2048, "No layer of the discriminator has more channels than this.", low=1)
    game: str = option(
        "wasserstein", "Who wins: the paper's WGAN-GP, or the plain log loss.", choices=("wasserstein", "log")
    )
    gp: float = option(10.0, "Weight of the gradient penalty; 0 switches it off.", low=0)
    adversarial: float = option(1.0, "Weight of being called real; 0 switches the term off.", low=0)
    cls: float = option(1.0, "Weight of the labels, for D on real pictures and for G on its own.", low=0)
    rec: float = option(10.0, "Weight of the way back to the picture; 0 switches the term off.", low=0)
    flat: float = option(
        0.0,
        "gamma: how flat D_cls (in the log game D_src too) must be at real pictures: R1, every 4th step; paper: 0.",
        low=0,
    )
    eyes: float = option(
        0.0, "Weight of fooling a second judge that sees by a network that knows pictures (the paper: 0).", low=0
    )
    n_critic: int = option(5, "Steps of the discriminator for each of the generator.", low=1, high=100)
    batch: int = option(16, "Pictures a step.", low=2, high=256)
    lr: float = option(1e-4, "Adam's step size for the generator; its betas are 0.5 and 0.999.", low=0, high=1)
    judge_lr: float = option(1e-4, "The same for the discriminator.", low=0, high=1)
    ema: float = option(0.0, "Decay of the averaged generator that is shown; 0 = show the last one.", low=0, high=1)


def pack(labels: Tensor, sets: Sequence[Sequence[int]]) -> Tensor:
    """Labels ``(N, L)``, NaN = unknown -> the vector that G is given, ``(N, L + n)``: [c_1, ..., c_n, m].

    What is unknown is 0; m says of which sets anything is known. One set needs no mask: then it is just c.
    """
    known = ~labels.isnan()
    mask = [known[:, list(places)].any(1, keepdim=True) for places in sets] if len(sets) > 1 else []
    return torch.cat([torch.where(known, labels, 0.0), *(m.to(labels.dtype) for m in mask)], dim=1)


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """-log D_cls of the labels that are known, summed over a picture's labels, averaged over pictures. Unknown ones
    (NaN) have no part in it, and so no gradient."""
    known = ~labels.isnan()
    each = F.binary_cross_entropy_with_logits(logits, torch.where(known, labels, 0.0), reduction="none")
    return (each * known).sum() / len(labels)


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """By how much the known labels are read rightly, ``(N,)``: logits ``(N, L)``, turned so that more is better."""
    return ((2 * labels.nan_to_num(0.5) - 1) * logits).sum(1)  # 0.5, unknown, has no part in it


def shuffled(labels: Tensor, sets: Sequence[Sequence[int]]) -> Tensor:
    """Target labels: those of the batch, dealt out anew among the pictures of each label set."""
    known = ~labels.isnan()
    own = torch.stack([known[:, list(places)].any(1) for places in sets], dim=1).float().argmax(1)
    mixed = (own + torch.rand(len(labels), device=labels.device)).argsort()  # set by set, in it at random
    order = torch.empty_like(mixed)
    order[own.argsort(stable=True)] = mixed
    return labels[order]


# ---- the generator --------------------------------------------------------------------------------------------------


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))), 3 x 3, padded with zeros.

    ``given`` > 0: each norm's scale and shift also depend on the label vector, linearly; at the start they do not.
    """

    def __init__(self, width: int, given: int = 0) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(Norm(width) for _ in range(2))
        self.told = nn.ModuleList(nn.Linear(given, 2 * width, bias=False) for _ in range(2 if given else 0))
        for linear in self.told:
            nn.init.zeros_(linear.weight)

    def normed(self, k: int, x: Tensor, code: Tensor) -> Tensor:
        y = self.norms[k](self.convs[k](x))
        if not self.told:
            return y
        scale, shift = self.told[k](code.to(y.dtype))[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1) each
        return y * (1 + scale) + shift

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        return x + self.normed(1, F.relu(self.normed(0, x, code)), code)


class Generator(nn.Module):
    """Down twice, residual blocks, up twice (appendix, table 4). The labels are planes beside the colours.

    All paddings are zeros. That is no detail: a constant plane shifts a whole map by a constant, which instance
    normalisation takes away again. Only at the border, where the plane meets zeros, does it leave a trace; mirrored
    borders would leave none, and the labels would have no effect at all. (``told="norms"`` gives the labels a way that
    does not lead through the border: few steps go further with it.)

    Shapes for 128 px, width 64: (N, 3 + L + n, 128²) -> 64 x 128² -> 128 x 64² -> 256 x 32² x 6 blocks -> 128 x 64²
    -> 64 x 128² -> (N, 3, 128²) in [-1, 1].
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        labels, w = labels_of(config.labels), config.width
        self.given = len(labels.names) + (len(labels.sets) if len(labels.sets) > 1 else 0)  # numbers in the vector
        self.first = nn.Conv2d(3 + self.given, w, 7, 1, 3, bias=False)
        self.downs = nn.ModuleList(nn.Conv2d(w * k, 2 * w * k, 4, 2, 1, bias=False) for k in (1, 2))
        self.blocks = nn.ModuleList(
            Residual(4 * w, self.given if config.told == "norms" else 0) for _ in range(config.blocks)
        )
        if config.upsample == "resize":
            self.ups = nn.ModuleList(ResizeConv2d(2 * w * k, w * k, bias=False) for k in (2, 1))
            for up in self.ups:
                nn.init.kaiming_normal_(up.weight)
        else:
            self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * w * k, w * k, 4, 2, 1, bias=False) for k in (2, 1))
        self.norms = nn.ModuleList(Norm(channels) for channels in (w, 2 * w, 4 * w, 2 * w, w))
        self.last = nn.Conv2d(w, 4 if config.blend else 3, 7, 1, 3, bias=False)

    def drawn(self, x: Tensor, code: Tensor) -> Tensor:
        """What the last layer gives, ``(N, 3 or 4, H, W)``: colours before tanh, and the place of the change."""
        planes = code[:, :, None, None].expand(-1, -1, *x.shape[2:]).to(x.dtype)  # (N, L + n, H, W)
        y = torch.cat([x, planes], dim=1)
        for conv, norm in zip([self.first, *self.downs], self.norms, strict=False):
            y = F.relu(norm(conv(y)))  # (N, w, H, W), (N, 2w, H/2, W/2), (N, 4w, H/4, W/4)
        for block in self.blocks:
            y = block(y, code)
        for up, norm in zip(self.ups, self.norms[3:], strict=True):
            y = F.relu(norm(up(y)))
        return self.last(y)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Picture ``(N, 3, H, W)`` in [-1, 1], vector ``(N, L + n)`` -> picture of the same size."""
        y = self.drawn(x, code)
        made = torch.tanh(y[:, :3])
        return made if y.shape[1] == 3 else x + torch.sigmoid(y[:, 3:]) * (made - x)


# ---- the discriminator ----------------------------------------------------------------------------------------------


class Discriminator(nn.Module):
    """PatchGAN with a second head (appendix, table 5): convolutions of stride 2, no normalisation (WGAN-GP wants each
    picture judged by itself).

    (N, 3, 128²) -> 64 x 64² -> ... -> 2048 x 2² -> D_src (N, 1, 2, 2), a verdict a patch, and D_cls (N, L).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide = [min(config.judge_width * 2**k, config.judge_cap) for k in range(config.judge_depth)]
        side = config.size >> config.judge_depth
        if side < 1:
            raise Refused(
                "stargan.small",
                halvings=config.judge_depth,
                least=2**config.judge_depth,
                size=config.size,
                most=config.size.bit_length() - 1,
            )
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip([3, *wide], wide, strict=False))
        self.source = nn.Conv2d(wide[-1], 1, 3, 1, 1, bias=False)
        self.labels = nn.Conv2d(wide[-1], len(labels_of(config.labels).names), side, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.01)
        return self.source(x), self.labels(x).flatten(1)  # (N, 1, h, w), (N, L)


# ---- the GAN -------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        __file__,
        title="StarGAN",
        year=2018,
        paper="Choi, Choi, Kim, Ha, Kim, Choo: StarGAN: Unified Generative Adversarial Networks for Multi-Domain "
        "Image-to-Image Translation. CVPR 2018.",
        link="https://arxiv.org/abs/1711.09020",
        objective={
            "discriminator": r"\min_D\; \mathbb{E}[D_{src}(G(x,c))]-\mathbb{E}[D_{src}(x)]"
            r"+\lambda_{gp}\mathbb{E}[(\lVert\nabla D_{src}(\hat x)\rVert_2-1)^2]"
            r"+\lambda_{cls}\mathbb{E}[-\log D_{cls}(c'|x)]",
            "generator": r"\min_G\; -\mathbb{E}[D_{src}(G(x,c))]+\lambda_{cls}\mathbb{E}[-\log D_{cls}(c|G(x,c))]"
            r"+\lambda_{rec}\mathbb{E}[\lVert x-G(G(x,c),c')\rVert_1]",
        },
        terms={
            "critic": Term(r"D_{src}(G(x,c))-D_{src}(x)"),
            "penalty": Term(r"(\lVert\nabla D_{src}(\hat x)\rVert_2-1)^2", weight="gp"),
            "recognise": Term(r"-\log D_{cls}(c'|x)", weight="cls"),
            "steep": Term(r"\lVert\nabla_x \textstyle\sum_k \pm D_{cls}^k(x)\rVert^2", weight="flat"),
            "fool": Term(r"-D_{src}(G(x,c))", weight="adversarial"),
            "reach": Term(r"-\log D_{cls}(c|G(x,c))", weight="cls"),
            "back": Term(r"\lVert x-G(G(x,c),c')\rVert_1", weight="rec"),
            **{name: term for name, term in eyes_terms().items() if name != "alike"},
        },
        read_before=("conditional", "wgan_gp", "pix2pix", "cyclegan"),
        read_next=("gated_gan", "stylegan"),
        diagram=(
            ("x and c", "generator", "G(x, c)"),
            ("x or G(x, c)", "discriminator", "D_src and D_cls"),
            ("G(x, c) and c'", "generator'", "G(G(x, c), c')"),
        ),
    )

    Config = Config

    TINY = Config(
        size=32, labels=FACES, width=8, blocks=1, judge_width=8, judge_depth=4, n_critic=1, flat=0.1, eyes=0.1, batch=4,
        lr=5e-4, judge_lr=5e-4,
    )  # fmt: skip

    CLASSROOM = Config(
        size=32, labels=FACES, width=16, blocks=3, told="norms", upsample="resize", blend=True, judge_width=24,
        judge_depth=4, game="log", flat=0.5, adversarial=2.0, cls=1.5, n_critic=1, batch=16, lr=5e-4, judge_lr=5e-4,
        balance=0.5, ema=0.99,
    )  # fmt: skip

    Data = Labelled

    demo = ("generator",)

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.labels = labels_of(self.config.labels)
        self.generator = Generator(self.config)
        self.discriminator = Discriminator(self.config)
        self.eyes = second_judge(self.config)

    def grown(self, child: str, state: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
        ours = getattr(self, child).state_dict()  # D looks at twice the size through one layer more
        return ours | {name: value for name, value in state.items() if name in ours and value.shape == ours[name].shape}

    def optimizers(self) -> dict[str, Optimizer]:
        c = self.config
        return {
            "discriminator": Adam(both(self.discriminator, self.eyes), c.judge_lr, betas=(0.5, 0.999)),
            "generator": Adam(self.generator.parameters(), c.lr, betas=(0.5, 0.999)),
        }

    def train_step(self, batch: tuple[Tensor, Tensor], optimizers: Optimizers, step: int) -> Losses:
        x, own = batch  # (N, 3, H, W) in [-1, 1], (N, L) of 1, 0 and NaN
        target, c = shuffled(own, self.labels.sets), self.config
        generator_too = (step + 1) % c.n_critic == 0
        with torch.set_grad_enabled(generator_too):
            fake = self.generator(x, pack(target, self.labels.sets))

        # 1. The discriminator learns to rate real above fake, and to read the labels of real pictures.
        (real_score, read), (fake_score, _) = self.discriminator(x), self.discriminator(fake.detach())
        losses = {"critic": fake_score.mean() - real_score.mean(), "recognise": label_loss(read, own)}
        if c.game == "wasserstein":
            losses["penalty"] = gradient_penalty(lambda point: self.discriminator(point)[0], x, fake)
            d = losses["critic"] + c.gp * losses["penalty"]
        else:
            losses["critic"] = d = bce(real_score, True) + bce(fake_score, False)
        d = d + c.cls * losses["recognise"]
        if c.eyes:  # a judge that knows pictures learns to tell them, too
            look = Look(len(x), x.device)
            losses["eyes"] = self.eyes.told(features(look(x)), ours := features(look(fake)))
            d = d + losses["eyes"]
        descend(optimizers["discriminator"], d)
        if c.flat and step % LAZY == 0:  # labels that hang on a few pixels teach G to change those, and nothing else
            where = x.detach().requires_grad_()
            score, read = self.discriminator(where)
            sure = margins(read, own) if c.game == "wasserstein" else margins(read, own) + score.mean((1, 2, 3))
            losses["steep"] = r1(sure, where)
            descend(optimizers["discriminator"], c.flat / 2 * LAZY * losses["steep"])
        if not generator_too:
            return losses

        # 2. The generator learns to be rated real, to be read as the target, and to lead back.
        score, read = self.discriminator(fake)
        losses["fool"] = -score.mean() if c.game == "wasserstein" else bce(score, True)
        losses["reach"] = label_loss(read, target)
        losses["back"] = F.l1_loss(self.generator(fake, pack(own, self.labels.sets)), x)
        if c.eyes:
            losses["seen"] = self.eyes.fooled(ours)
        weights = {"fool": c.adversarial, "reach": c.cls, "back": c.rec, "seen": c.eyes * opened(step)}
        descend(optimizers["generator"], weighed(losses, weights))
        return losses

    # ---- for the page -----------------------------------------------------------------------------------------------

    @staticmethod
    def labels_of(config: Config) -> Labels:
        """The labels of a checkpoint, from its card's config."""
        return labels_of(config.labels)
