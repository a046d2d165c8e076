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

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio import images, judges, measure
from studio.base import About, BaseGAN, Losses, Optimizers, Term, checked, descend, option, verb, weighed
from studio.data import Labelled, Labels, labels_of
from studio.features import features
from studio.images import Picture
from studio.layers import Norm, ResizeConv2d
from studio.losses import bce, gradient_penalty, r1
from studio.projected import Look, both, eyes_terms, opened, second_judge

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
            raise ValueError(
                f"A discriminator of {config.judge_depth} halvings needs pictures of {2**config.judge_depth} px at "
                f"least; these have {config.size}. Set judge_depth to {config.size.bit_length() - 1} or less."
            )
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip([3, *wide], wide, strict=False))
        self.source = nn.Conv2d(wide[-1], 1, 3, 1, 1, bias=False)
        self.labels = nn.Conv2d(wide[-1], len(labels_of(config.labels).names), side, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.01)
        return self.source(x), self.labels(x).flatten(1)  # (N, 1, h, w), (N, L)


class Masked(NamedTuple):
    """What `masked` says: the vector that entered G as ``names`` and ``vector``; ``looks``, of which numbers D's loss
    would take note for a picture with this mask; and the ``picture``."""

    names: list[str]
    vector: list[float]
    looks: list[bool]
    picture: Picture


# ---- the GAN --------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        title="StarGAN",
        year=2018,
        idea={
            "en": "One generator for every attribute: tell it which labels a face should have, and it draws that face.",
            "ko": "생성자 하나로 모든 속성을 바꿉니다. 얼굴이 가져야 할 라벨을 알려 주면 그 얼굴을 그립니다.",
        },
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
            "critic": Term(
                r"D_{src}(G(x,c))-D_{src}(x)",
                {
                    "en": "How much higher the discriminator rates fakes than real pictures; below 0 it tells them "
                    "apart, and its size estimates how far apart they are. (In the log game: its cross entropy; 1.39 "
                    "means that it can't tell them apart.)",
                    "ko": "판별자가 진짜보다 가짜에 준 점수의 차이. 0보다 작으면 둘을 구별하고 있으며, "
                    "크기는 둘 사이의 거리를 어림합니다. (로그 게임에서는 교차 엔트로피이며, 1.39면 전혀 구별하지 "
                    "못합니다.)",
                },
            ),
            "penalty": Term(
                r"(\lVert\nabla D_{src}(\hat x)\rVert_2-1)^2",
                {
                    "en": "How far the discriminator's slope between real and fake is from 1.",
                    "ko": "진짜와 가짜 사이에서 판별자의 기울기가 1에서 얼마나 벗어났는지.",
                },
                weight="gp",
            ),
            "recognise": Term(
                r"-\log D_{cls}(c'|x)",
                {
                    "en": "How badly the discriminator reads the known labels of real pictures.",
                    "ko": "판별자가 진짜 사진의 알려진 라벨을 얼마나 못 읽는지.",
                },
                weight="cls",
            ),
            "steep": Term(
                r"\lVert\nabla_x \textstyle\sum_k \pm D_{cls}^k(x)\rVert^2",
                {
                    "en": "How steep the reading of labels is at real pictures (R1); where it is flat, specks that "
                    "nobody sees do not pass for a smile. In the log game D_src is kept flat too. Not in the paper.",
                    "ko": "진짜 사진에서 라벨 판정이 얼마나 가파른지(R1). 평평하면 눈에 보이지 않는 점들을 웃음으로 "
                    "읽지 않습니다. 로그 게임에서는 D_src도 함께 평평하게 합니다. 논문에는 없습니다.",
                },
                weight="flat",
            ),
            "fool": Term(
                r"-D_{src}(G(x,c))",
                {
                    "en": "How far the generator's pictures are from being rated as real; its zero is arbitrary.",
                    "ko": "생성한 그림이 진짜로 평가받기까지 남은 정도. 0점의 위치는 임의입니다.",
                },
                weight="adversarial",
            ),
            "reach": Term(
                r"-\log D_{cls}(c|G(x,c))",
                {
                    "en": "How badly the generator's pictures show the labels that were asked for.",
                    "ko": "생성한 그림에 요청한 라벨이 얼마나 드러나지 않는지.",
                },
                weight="cls",
            ),
            "back": Term(
                r"\lVert x-G(G(x,c),c')\rVert_1",
                {
                    "en": "Mean distance (L1) to the picture after the way there and back.",
                    "ko": "바꿨다가 되돌린 그림과 원본의 평균 거리(L1).",
                },
                weight="rec",
            ),
            **{name: term for name, term in eyes_terms().items() if name != "alike"},
        },
        read_before=("conditional", "wgan_gp", "pix2pix", "cyclegan"),
        read_next=("gated_gan", "stylegan"),
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

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """The picture, and each label turned on (if it excludes others) or over."""
        return self._sheet(batch[0])

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"en": "picture", "ko": "원본"}, *({"en": name, "ko": name} for name in cls.labels_of(config).names)]

    def glance(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Each picture with one attribute turned: how often a small judge does not see the edit, and how far the
        edits are from real pictures, together in one figure. Either alone is least where nothing, or all, is changed.
        """
        x, own = batch
        read = torch.cat([judges.decide(self._read(part), self.labels.groups) for part in x.split(32)])
        edited, asked = self._each_turned(x, torch.where(own.isnan(), read, own))
        judge, found = judges.find(self.labels.names), {}
        if measure.can_see(x):
            found["kid"] = measure.kid(edited, x)
        if judge is not None:
            judge = judge.to(x.device)
            places = [judge.labels.names.index(name) for name in self.labels.names]
            turned = torch.arange(len(x), device=x.device) % len(places)
            said = judge.says(edited)[:, places].gather(1, turned[:, None])
            found["missed"] = float((said != asked.gather(1, turned[:, None])).float().mean())
        both = {"score": found["missed"] + found["kid"] / 500} if len(found) == 2 else {}
        return both | found

    def _each_turned(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures ``(N, 3, S, S)`` with one attribute turned each, the attributes in turn; the labels they were asked
        for ``(N, L)``."""
        turns = [k % len(self.labels.names) for k in range(len(x))]
        asked = torch.cat([self._turned(labels[k : k + 1], turn) for k, turn in enumerate(turns)])
        codes = [self._code(asked[k : k + 1], self.labels.set_of(turn)) for k, turn in enumerate(turns)]
        return self._through(x, torch.cat(codes)).clamp(-1, 1), asked

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """The pictures, and three of their labels turned: for a glance, not the whole sheet."""
        count = 1 + len(self.labels.names)
        some = list(range(count)) if count < 5 else [0, *range(2, count, 2)][:4]
        return self._sheet(torch.cat([self._face(picture) for picture in pictures]))[:, some]

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        target = shuffled(batch[1], self.labels.sets)
        return self.generator(batch[0], pack(target, self.labels.sets)), batch[0]

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        random, side = torch.Generator().manual_seed(0), self.config.size
        x = torch.rand(1, 3, side, side, generator=random) * 2 - 1
        code = torch.zeros(1, self.generator.given)
        code[:, 0] = 1
        return {"generator": (x.to(self.device), code.to(self.device))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def edit(self, face: Picture, attributes: dict | None = None) -> Picture:
        """Gives a face attributes; what is not named stays as the discriminator reads it.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: how much of each, {"blond": 1, "smiling": 0.5}; 0 and 1 were trained, -0.5 to 1.5 is accepted.
        """
        x = self._face(face)
        return images.to_picture(self._edited(x, self._labels(x, self._named(attributes)), self._named(attributes)))

    @verb
    def sheet(self, face: Picture) -> Picture:
        """The face, and beside it every attribute: those that exclude others turned on, the rest turned over.

        Args:
            face: a portrait from the front; its middle square is taken.
        """
        return images.sheet([images.to_pictures(self._sheet(self._face(face))[0])])

    @verb
    def reconstruct(self, face: Picture, attributes: dict | None = None) -> Picture:
        """There and back, G(G(x, c), c'): what of a face survives an edit and its undoing.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: the edit to undo; none = the labels it has, there and back.
        """
        x, named = self._face(face), self._named(attributes)
        own = self._labels(x, {}, named)
        there = self._edited(x, self._labels(x, named), named or self.labels.names)
        return images.to_picture(self._edited(there, own, named or self.labels.names, back=True))

    @verb
    def recognise(self, face: Picture) -> dict:
        """What the discriminator's second head reads in a face: for each attribute how sure it is, 0 to 1.

        Args:
            face: a portrait from the front; its middle square is taken.
        """
        read = torch.sigmoid(self._read(self._face(face)).float())[0].tolist()
        return dict(zip(self.labels.names, read, strict=True))

    @verb
    def masked(self, face: Picture, attributes: dict | None = None, mask: str = "") -> Masked:
        """One pass with the vector [c_1, ..., c_n, m] laid open, with the right mask or a wrong one.

        Args:
            face: a portrait from the front; its middle square is taken.
            attributes: labels of one set; the others of the set are as the discriminator reads them.
            mask: the sets that m says are known, such as A, B or AB; none = no set; empty = the right one.
        """
        x, named = self._face(face), self._named(attributes)
        letters = [chr(ord("A") + k) for k in range(len(self.labels.sets))]
        sets = sorted({self.labels.set_of(self.labels.names.index(name)) for name in named})
        if len(sets) > 1:
            raise ValueError("These attributes belong to several label sets; one pass takes those of one.")
        own = sets[0] if sets else 0
        given = mask.strip().upper()
        on = [own] if not given else [] if given == "NONE" else [letters.index(k) for k in given if k in letters]
        if given not in ("", "NONE") and len(on) != len(given):
            raise ValueError(f"mask = {mask[:20]!r}: name label sets, {', '.join(letters)}, or none.")
        code = self._code(self._labels(x, named), own)
        if len(letters) > 1:
            code[:, len(self.labels.names) :] = torch.tensor([float(k in on) for k in range(len(letters))])
        looks = [self.labels.set_of(k) in on for k in range(len(self.labels.names))]
        return Masked(
            [*self.labels.names, *(letters if len(letters) > 1 else [])],
            [round(value, 4) for value in code[0].tolist()],
            [*looks, *([False] * (code.shape[1] - len(looks)))],
            images.to_picture(self.generator(x, code)),
        )

    # ---- from attributes by name to passes --------------------------------------------------------------------------

    def _face(self, face: Picture) -> Tensor:
        return images.to_tensor(images.crop_square(face, self.config.size)).to(self.device)

    def _named(self, attributes: Mapping[str, Any] | None) -> dict[str, float]:
        """The attributes, checked."""
        found = {}
        for name, value in (attributes or {}).items():
            if name not in self.labels.names:
                raise ValueError(f"There is no attribute {name[:40]!r}. There are: {', '.join(self.labels.names)}.")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not LEAST <= value <= MOST:
                raise ValueError(
                    f"{name} = {str(value)[:40]}: this must be a number from {LEAST} to {MOST}; 0 and 1 are what was "
                    "trained."
                )
            found[name] = float(value)
        return found

    def _read(self, x: Tensor) -> Tensor:
        """Logits of the labels ``(N, L)`` as the discriminator reads them."""
        if self.discriminator is None:
            raise ValueError(
                "This checkpoint has no discriminator, so nobody reads what a face already has. "
                "Adopt the file …-D.ckpt together with …-G.ckpt, or name every attribute of the label set."
            )
        return self.discriminator(x)[1]

    def _labels(self, x: Tensor, named: Mapping[str, float], touched: Mapping[str, float] | None = None) -> Tensor:
        """All labels of the pictures ``(N, L)``: as they are read, but for those that are named.

        Of labels that exclude each other, naming one by v leaves the others 1 - v of what they were. Nothing needs
        to be read if all labels of the sets that are touched are named.
        """
        places = {self.labels.names.index(name): value for name, value in named.items()}
        sets = {self.labels.set_of(self.labels.names.index(name)) for name in (touched or named)}
        needed = {k for number in sets for k in self.labels.sets[number]} or set(range(len(self.labels.names)))
        if needed <= set(places):
            labels = torch.zeros(len(x), len(self.labels.names), device=x.device)
        else:
            labels = judges.decide(self._read(x), self.labels.groups)
        for group in self.labels.groups:
            told = [min(max(places[k], 0.0), 1.0) for k in group if k in places]
            if told:
                labels[:, list(group)] *= max(0.0, 1.0 - sum(told))
        for k, value in places.items():
            labels[:, k] = value
        return labels

    def _code(self, labels: Tensor, number: int) -> Tensor:
        """The vector for one label set: the labels of the others are unknown to it."""
        told, places = torch.full_like(labels, torch.nan), list(self.labels.sets[number])
        told[:, places] = labels[:, places]
        return pack(told, self.labels.sets)

    def _edited(self, x: Tensor, labels: Tensor, names: Sequence[str] | Mapping, back: bool = False) -> Tensor:
        """One pass for each label set that the names belong to, each with its own mask."""
        sets = sorted({self.labels.set_of(self.labels.names.index(name)) for name in names}, reverse=back)
        for number in sets:
            x = self.generator(x, self._code(labels, number))
        return x

    def _turned(self, labels: Tensor, k: int) -> Tensor:
        """The labels with the k-th turned on, if it excludes others, or over."""
        group, turned = self.labels.group_of(k), labels.clone()
        turned[:, list(group)] = 0.0
        turned[:, k] = 1.0 if len(group) > 1 else 1.0 - labels[:, k]
        return turned

    def _sheet(self, x: Tensor) -> Tensor:
        """``(N, 1 + L, 3, H, W)``: the pictures, then each label in its turn, from what the discriminator reads."""
        labels, places = judges.decide(self._read(x), self.labels.groups), range(len(self.labels.names))
        codes = torch.stack([self._code(self._turned(labels, k), self.labels.set_of(k)) for k in places], 1)
        many = x[:, None].expand(-1, len(places), -1, -1, -1)
        made = torch.cat(
            [
                self.generator(a, b)
                for a, b in zip(many.flatten(0, 1).split(8), codes.flatten(0, 1).split(8), strict=True)
            ]
        )
        return torch.cat([x[:, None], made.unflatten(0, (len(x), len(places)))], dim=1)

    # ---- for the page -----------------------------------------------------------------------------------------------

    @staticmethod
    def labels_of(config: Config) -> Labels:
        """The labels of a checkpoint, from its card's config."""
        return labels_of(config.labels)

    @staticmethod
    def parameters_of(config: Config) -> tuple[int, int]:
        """Parameters of a generator without labels, and how many each number of the vector adds."""
        with torch.device("meta"):
            generator = Generator(config)
        told = [linear.weight for block in generator.blocks for linear in block.told]
        each = sum(weight[:, :1].numel() for weight in (generator.first.weight, *told))
        return sum(p.numel() for p in generator.parameters()) - each * generator.given, each

    # ---- figures ----------------------------------------------------------------------------------------------------

    def measure(self, data: Labelled, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on held-out pictures, for the card: a row an attribute, then how much is lost on the way.

        reached: how often a small judge, trained on real pictures alone, sees the attribute after an edit that turns
        it; real: how often that judge is right on the same real pictures; read: how often D's own head is. kept: L1
        between face and edit in the half of the picture in which real faces with and without the attribute differ
        least. Only pictures whose label is known, and differs from what the edit gives, are counted (n).
        """
        x = data.batch(indices, [None] * len(indices))[0].to(self.device)
        truth = torch.from_numpy(np.stack([data.all_labels(k) for k in indices])).to(self.device)
        judge, names = judges.find(self.labels.names), self.labels.names
        labels = torch.cat([judges.decide(self._read(part), self.labels.groups) for part in x.split(32)])
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        for k, name in enumerate(names):
            goal = 1.0 if len(self.labels.group_of(k)) > 1 else 1.0 - truth[:, k]
            some = ~truth[:, k].isnan() & (truth[:, k] != goal)
            if not some.any():
                continue
            asked = self._turned(torch.where(truth.isnan(), labels, truth)[some], k)
            edited = self._through(x[some], self._code(asked, self.labels.set_of(k)))
            quiet = _quiet(x, truth[:, k])
            known = ~truth[:, k].isnan()
            row: dict[str, Any] = {"n": int(some.sum())}
            if judge is not None:
                place = judge.labels.names.index(name)
                row["reached"] = _share(judge.says(edited)[:, place] == asked[:, k])
                row["real"] = _share(judge.says(x[known])[:, place] == truth[known, k])
            row["read"] = _share(labels[known, k] == truth[known, k])
            row["kept"] = round(float((edited - x[some]).abs()[..., quiet].mean()) / 2, 4)
            row["changed"] = round(measure.l1(edited, x[some]), 4)
            found[name] = row
        found["edits"] = measure.apart(self._each_turned(x, labels)[0], x)
        found["real against real"] = measure.floor(x)
        return found | self._drift(x, labels) | self._masks(x, labels, judge)

    def _drift(self, x: Tensor, labels: Tensor) -> dict[str, Any]:
        """L1 to the picture after passes that should change nothing, and after the way there and back."""
        sets = range(len(self.labels.sets))
        once = [self._through(x, self._code(labels, k)) for k in sets]
        found = {"nothing asked, one pass": round(sum(measure.l1(y, x) for y in once) / len(once), 4)}
        if len(sets) > 1:
            twice = once[0]
            for k in sets[1:]:
                twice = self._through(twice, self._code(labels, k))
            found[f"nothing asked, {len(sets)} passes"] = round(measure.l1(twice, x), 4)
        away = [self._through(x, self._code(self._turned(labels, self.labels.sets[k][0]), k)) for k in sets]
        back = [self._through(y, self._code(labels, k)) for k, y in zip(sets, away, strict=True)]
        found["there and back"] = round(sum(measure.l1(y, x) for y in back) / len(back), 4)
        return {name: {"l1": value} for name, value in found.items()}

    def _masks(self, x: Tensor, labels: Tensor, judge: judges.Judge | None) -> dict[str, Any]:
        """How often an edit is reached with the right mask and with another set's."""
        n, count = len(self.labels.names), len(self.labels.sets)
        if judge is None or count < 2:
            return {}
        found = {}
        for title, shift in (("right mask", 0), ("wrong mask", 1)):
            hits, moved = [], []
            for k, name in enumerate(self.labels.names):
                asked, number = self._turned(labels, k), self.labels.set_of(k)
                some = asked[:, k] != labels[:, k]
                if not some.any():
                    continue
                code = self._code(asked, number)
                code[:, n:] = F.one_hot(torch.tensor((number + shift) % count), count).to(code)
                edited = self._through(x[some], code[some])
                hits.append(judge.says(edited)[:, judge.labels.names.index(name)] == asked[some, k])
                moved.append((edited - x[some]).abs().mean((1, 2, 3)) / 2)
            if hits:
                found[title] = {"reached": _share(torch.cat(hits)), "changed": round(float(torch.cat(moved).mean()), 4)}
        return found

    def _through(self, x: Tensor, code: Tensor) -> Tensor:
        return torch.cat([self.generator(a, b) for a, b in zip(x.split(32), code.split(32), strict=True)])

    # ---- official checkpoints ---------------------------------------------------------------------------------------

    @classmethod
    def official(cls, names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
        """Reads the architecture off official files' names and shapes, and gives the name map: ours -> theirs.

        The files are the state dicts ``…-G.ckpt`` and ``…-D.ckpt`` of the authors' code (github.com/yunjey/stargan);
        G alone will do, with D the face's own attributes can be read. What the labels are called no file tells: with
        five of them the paper's names are taken, else ``labels`` must be set.

        Raises:
            ValueError: the file is something else; says what it looks like.
        """
        files: dict[str, dict[str, Sequence[int]]] = {}
        for name, shape in names.items():
            prefix = re.match(r"(\d+/)?(module\.)?", name).group()
            files.setdefault(prefix, {})[name[len(prefix) :]] = shape
        generator = next((p for p, each in files.items() if len(each.get("main.0.weight", ())) == 4
                          and each["main.0.weight"][-1] == 7), None)  # fmt: skip
        judge = next((p for p, each in files.items() if "conv1.weight" in each and "conv2.weight" in each), None)
        if generator is None or len(files) > 1 + (judge is not None):
            looks = "a discriminator (…-D.ckpt); give the generator …-G.ckpt, or both" if judge is not None else (
                f"something else: its first names are {', '.join(list(names)[:3]) or 'none'}"
            )  # fmt: skip
            raise ValueError(
                f"This looks like {looks}. Expected StarGAN's generator, with names such as main.0.weight (7 x 7) and "
                "main.9.main.0.weight."
            )
        config, table = _official_generator(files[generator], generator)
        if judge is not None:
            config, more = _official_judge(config, files[judge], judge)
            table |= more
        return checked(Config(**config)), table


def _share(hits: Tensor) -> float | None:
    return round(float(hits.float().mean()), 3) if len(hits) else None


def _quiet(x: Tensor, truth: Tensor) -> Tensor:
    """``(H, W)`` bool: the half of the picture in which pictures with and without a label differ least on average."""
    means = [x[truth == value].mean(0) if (truth == value).any() else x.mean(0) for value in (0, 1)]
    apart = F.avg_pool2d((means[0] - means[1]).abs().mean(0)[None, None], 5, 1, 2, count_include_pad=False)[0, 0]
    return apart <= apart.median()


def _official_generator(names: Mapping[str, Sequence[int]], prefix: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Their generator is one sequence ``main``, in which also ReLUs are counted.

    ======================  =============================================
    ours                    theirs
    ======================  =============================================
    first, norms.0          main.0, main.1
    downs.k, norms.k+1      main.3k+3, main.3k+4
    blocks.k.convs.0, .1    main.k+9.main.0, .3
    blocks.k.norms.0, .1    main.k+9.main.1, .4
    ups.k, norms.k+3        main.9+blocks+3k, main.10+blocks+3k
    last                    main.9+blocks+6
    ======================  =============================================
    """
    blocks = len({name.split(".")[1] for name in names if re.match(r"main\.\d+\.main\.", name)})
    width, given = names["main.0.weight"][0], names["main.0.weight"][1] - 3
    known = len(labels_of(PAPERS).names)
    labels = PAPERS if given == known else " ".join(f"label_{k}" for k in range(1, given + 1))
    end = 9 + blocks
    convs = {"first": "0", "downs.0": "3", "downs.1": "6", "ups.0": f"{end}", "ups.1": f"{end + 3}",
             "last": f"{end + 6}"}  # fmt: skip
    norms = {"norms.0": "1", "norms.1": "4", "norms.2": "7", "norms.3": f"{end + 1}", "norms.4": f"{end + 4}"}
    for k in range(blocks):
        convs |= {f"blocks.{k}.convs.{j}": f"{9 + k}.main.{3 * j}" for j in (0, 1)}
        norms |= {f"blocks.{k}.norms.{j}": f"{9 + k}.main.{3 * j + 1}" for j in (0, 1)}
    table = {f"generator.{ours}.weight": f"{prefix}main.{theirs}.weight" for ours, theirs in convs.items()}
    for ours, theirs in norms.items():
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            if f"main.{theirs}.{leaf}" in names or leaf in ("weight", "bias"):
                table[f"generator.{ours}.{leaf}"] = f"{prefix}main.{theirs}.{leaf}"
    return {"width": width, "blocks": blocks, "labels": labels}, table


def _official_judge(
    config: dict[str, Any], names: Mapping[str, Sequence[int]], prefix: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Theirs is ``main`` with a convolution at every even place, then conv1 (real or not) and conv2 (labels)."""
    depth = len([name for name in names if re.fullmatch(r"main\.\d+\.weight", name)])
    width, side = names["main.0.weight"][0], names["conv2.weight"][-1]
    read, given = names["conv2.weight"][0], len(labels_of(config["labels"]).names)
    if read != given:
        raise ValueError(
            f"The generator is given {given} numbers and the discriminator reads {read} labels. Files of a training "
            "on several data sets have a mask among those numbers: adopt the generator alone, or files of one set."
        )
    config |= {"size": side << depth, "judge_width": width, "judge_depth": depth, "judge_cap": width << (depth - 1)}
    table = {"discriminator.source.weight": f"{prefix}conv1.weight"}
    table |= {"discriminator.labels.weight": f"{prefix}conv2.weight"}
    for k in range(depth):
        for leaf in ("weight", "bias"):
            table[f"discriminator.convs.{k}.{leaf}"] = f"{prefix}main.{2 * k}.{leaf}"
    return config, table
