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
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from studio import images, measure
from studio.base import About, BaseGAN, Losses, Optimizers, Term, checked, descend, option, verb, weighed
from studio.data import Pairs
from studio.data.sketches import extract
from studio.features import features, likeness
from studio.images import Picture
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


class PatchMap(NamedTuple):
    """What `judge` says: ``map`` (h, w) in [0, 1], 1 = real; the patch of verdict (i, j) begins at pixel
    ``start + stride * (i, j)`` and is ``receptive_field`` pixels wide (partly outside the picture at the border)."""

    map: np.ndarray
    receptive_field: int
    stride: int
    start: int
    size: int


# ---- the GAN --------------------------------------------------------------------------------------------------------


class GAN(BaseGAN):
    about = About(
        title="Pix2Pix",
        year=2017,
        idea={
            "en": "Draw a sketch, get the picture: a generator learns from pairs, a discriminator learns what looks "
            "right, patch by patch.",
            "ko": "스케치를 그리면 사진이 됩니다. 생성자는 그림 쌍에서 배우고, "
            "판별자는 조각마다 무엇이 진짜 같은지 배웁니다.",
        },
        paper="Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks. CVPR 2017.",
        link="https://arxiv.org/abs/1611.07004",
        objective={
            "discriminator": r"\min_D\; -\tfrac12\,\mathbb{E}[\log D(x,y)] - \tfrac12\,\mathbb{E}[\log(1-D(x,G(x,z)))]",
            "generator": r"\min_G\; -\mathbb{E}[\log D(x,G(x,z))] + \lambda\,\mathbb{E}[\lVert y-G(x,z)\rVert_1]",
        },
        terms={
            "discriminator": Term(
                r"-\tfrac12\log D(x,y)-\tfrac12\log(1-D(x,G(x,z)))",
                {
                    "en": "How badly the discriminator tells real pairs from drawn ones; 0.69 = it is guessing.",
                    "ko": "판별자가 진짜 쌍과 만든 쌍을 얼마나 못 가리는지. 0.69면 찍는 것과 같습니다.",
                },
                won=0.02,
            ),
            "fool": Term(
                r"-\log D(x,G(x,z))",
                {
                    "en": "How far the generator is from fooling the discriminator.",
                    "ko": "생성자가 판별자를 속이기까지 얼마나 남았는지.",
                },
                weight="adversarial",
            ),
            "near": Term(
                r"\lVert y-G(x,z)\rVert_1",
                {"en": "Mean distance to the photo (L1).", "ko": "사진과의 평균 거리(L1)."},
                weight="l1",
            ),
            "coarse": Term(
                r"\lVert \downarrow_8 y-\downarrow_8 G(x,z)\rVert_1",
                {
                    "en": "The same between pictures averaged over 8 x 8 pixels: their colours. Not in the paper.",
                    "ko": "8 x 8 픽셀씩 평균 낸 그림 사이의 같은 거리, 곧 색. 논문에는 없습니다.",
                },
                weight="coarse",
            ),
            **eyes_terms("x,"),
        },
        read_before=("vanilla", "conditional", "dcgan"),
        read_next=("cyclegan", "spade"),
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
        losses = {"near": F.l1_loss(fake, photo)}
        if c.coarse:
            losses["coarse"] = F.l1_loss(F.avg_pool2d(fake, 8), F.avg_pool2d(photo, 8))

        # 1. The discriminator learns to tell (sketch, photo) from (sketch, fake). So does a judge that knows pictures.
        judged = []
        if playing and (c.adversarial or step % ONLOOKER == 0):
            yes, no = self.discriminator(sketch, photo), self.discriminator(sketch, fake.detach())
            losses["discriminator"] = (bce(yes, True) + bce(no, False)) / 2
            judged.append(losses["discriminator"])
        if c.eyes or c.alike:
            look = Look(len(photo), photo.device)
            theirs, ours, shown = features(look(photo)), features(look(fake)), look.moved(sketch)
            losses["alike"] = likeness(ours, theirs)
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

    def preview(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Sketch, what the generator makes of it, the photo."""
        sketch, photo = batch
        return torch.stack([sketch.expand(-1, 3, -1, -1), self.generator(sketch), photo], dim=1)

    @classmethod
    def columns(cls, config: Config, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        return [
            {"en": "what is given", "ko": "입력"},
            {"en": "what is made", "ko": "만든 그림"},
            {"en": "the photo", "ko": "실제 사진"},
        ]

    def made(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return self.generator(batch[0]), batch[1]

    def glance(self, batch: tuple[Tensor, Tensor]) -> dict[str, float]:
        """With the distance to the photos beside."""
        made = torch.cat([self.generator(part) for part in batch[0].split(16)])
        return super().glance(batch) | {"l1": measure.l1(made, batch[1]), "unlike": 1 - measure.ssim(made, batch[1])}

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """Sketch, and what the generator makes of it."""
        sketch = torch.cat([self._input(picture) for picture in pictures])
        return torch.stack([sketch.expand(-1, 3, -1, -1), self.generator(sketch)], dim=1)

    def measure(self, data: Pairs, indices: Sequence[int]) -> dict[str, Any]:
        """Figures on examples that were held out, for the card: this generator, and the mean photo as the bar to clear.

        Sketches are drawn by the hand of seed = place in the list: without colour, and once more with it if the net
        was trained with hints.
        """
        kinds = (
            {"with colour": 1.0, "without colour": 1e-9} if self.config.hints and data.kind != "labels" else {"": 0.0}
        )
        found: dict[str, Any] = {"n": len(indices), "size": self.config.size}
        for kind, data.hints in kinds.items():
            batches = [data.batch([k], [_hand(place)]) for place, k in enumerate(indices)]
            photos = torch.cat([photo for _, photo in batches])
            made = torch.cat([self.generator(sketch.to(self.device)).cpu() for sketch, _ in batches])
            average = photos.mean(dim=0, keepdim=True).expand_as(photos)
            for name, pictures in {"generator": made, "mean photo": average}.items():
                found[f"{name} {kind}".strip()] = {
                    "l1": round(measure.l1(pictures, photos), 4),
                    "ssim": round(measure.ssim(pictures, photos), 4),
                    **measure.apart(pictures, photos),
                }
            found["real against real"] = measure.floor(photos)
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        c, random = self.config, torch.Generator().manual_seed(0)
        sketch = torch.rand(1, c.inputs, c.size, c.size, generator=random) * 2 - 1
        return {"generator": (sketch.to(self.device), self._noise(None))}

    # ---- the demo ---------------------------------------------------------------------------------------------------

    @verb
    def translate(self, sketch: Picture, seed: int | None = None) -> Picture:
        """Turns a drawing into a picture.

        Args:
            sketch: dark strokes on white; the whole drawing is fitted in. For labels: the palette's colours.
            seed: draws the dropout noise z; leave it out for the picture without noise.
        """
        return images.to_picture(self.generator(self._input(sketch), self._noise(seed)))

    @verb
    def judge(self, sketch: Picture, picture: Picture) -> PatchMap:
        """What the discriminator thinks of each patch of a pair.

        Args:
            sketch: the drawing.
            picture: the photo or the generator's picture that belongs to it.
        """
        if self.discriminator is None:
            raise ValueError("This checkpoint has no discriminator, so there is nobody to judge. Choose another one.")
        other = images.to_tensor(picture, self.config.size).to(self.device)
        logits = self.discriminator(self._input(sketch), other)[0, 0]
        stride, start = self.discriminator.geometry
        verdicts = torch.sigmoid(logits.float()).cpu().numpy()
        return PatchMap(verdicts, self.discriminator.receptive_field, stride, start, self.config.size)

    @verb
    def averages(self, sketch: Picture) -> Picture:
        """The same drawing normalised by the training's averages, as `eval()` would do: why pix2pix is not run so.

        Args:
            sketch: the drawing.
        """
        return images.to_picture(self.generator(self._input(sketch), self._noise(None), averages=True))

    @verb
    def trace(self, photo: Picture) -> Picture:
        """The sketch that a steady hand would draw of a photo.

        Args:
            photo: an object on a plain background is best.
        """
        return images.Image.fromarray(extract(np.asarray(images.fit(photo, 256, 256)))).convert("RGB")

    def _input(self, sketch: Picture) -> Tensor:
        x = images.to_tensor(sketch, self.config.size).to(self.device)
        return x if self.config.inputs == 3 else x.mean(dim=1, keepdim=True)

    def _noise(self, seed: int | None) -> Tensor:
        """z from the seed's own generator on the CPU, so that it is the same on every device; ones = no noise."""
        if seed is None:
            return torch.ones(1, self.generator.noise_size, device=self.device)
        return self.generator.noise(1, torch.Generator().manual_seed(seed % 2**63)).to(self.device)

    # ---- official checkpoints ---------------------------------------------------------------------------------------

    @classmethod
    def official(cls, names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
        """Reads the architecture off an official file's names and shapes, and gives the name map: ours -> theirs.

        The files are state dicts of ``UnetGenerator`` and ``NLayerDiscriminator`` of the authors' PyTorch code
        (github.com/junyanz/pytorch-CycleGAN-and-pix2pix).

        Raises:
            ValueError: the file is something else; says what it looks like.
        """
        if any(name.startswith("model.model.") for name in names):
            return _official_unet(names)
        if ("model.0.weight" in names and len(names["model.0.weight"]) == 4) or "net.0.weight" in names:
            raise ValueError(
                "This looks like a discriminator (…_net_D.pth) or a CycleGAN generator. Pix2Pix needs the generator "
                "of the U-Net kind: its names begin with model.model.0 (…_net_G.pth of a pix2pix training)."
            )
        raise ValueError(
            f"This is not a U-Net of pix2pix: its first names are {', '.join(list(names)[:3]) or 'none'}. "
            "Expected names such as model.model.0.weight and model.model.1.model.1.weight."
        )


def _hand(seed: int) -> np.random.Generator:
    """The hand that draws a sketch for measuring: the same for every checkpoint."""
    return np.random.default_rng((7, seed))


def _official_unet(names: Mapping[str, Sequence[int]]) -> tuple[Config, dict[str, str]]:
    """Blocks are nested: ``model.model.1.model.3.model.3 …``: its down layers, the next block, its up layers.

    ====================  ===========================  =====================================
    ours                  theirs (P = block's prefix)  where
    ====================  ===========================  =====================================
    downs.0.conv          P.0                          outermost block
    ups.last.conv         P.3                          outermost block
    downs.k.conv, .norm   P.1, P.2                     middle blocks
    ups.m.conv, .norm     P.5, P.6                     middle blocks
    downs.last.conv       P.1                          innermost block (no norm on one pixel)
    ups.0.conv, .norm     P.3, P.4                     innermost block
    ====================  ===========================  =====================================
    """
    depth = max(len(re.findall(r"model", name)) for name in names) - 1
    prefix = ["model.model"]
    for k in range(1, depth):
        prefix.append(prefix[-1] + (".1.model" if k == 1 else ".3.model"))
    kernel = names.get("model.model.0.weight")
    if depth < 5 or kernel is None or len(kernel) != 4 or tuple(kernel[2:]) != (4, 4):
        raise ValueError(f"This looks like nested blocks {depth} deep, but not like the U-Net of pix2pix.")
    outputs = names[f"{prefix[0]}.3.weight"][1] if f"{prefix[0]}.3.weight" in names else 0
    if outputs != 3:
        raise ValueError(f"This U-Net makes pictures of {outputs} channels; the studio shows 3 (RGB).")
    affine = f"{prefix[1]}.2.weight" in names
    biased = f"{prefix[1]}.1.bias" in names
    config = checked(
        Config(
            size=2**depth,
            width=kernel[0],
            cap=names[f"{prefix[-1]}.1.weight"][0],
            inputs=kernel[1],
            norm="instance" if biased else "batch",
            affine=affine,
        )
    )

    table: dict[str, str] = {}

    def put(ours: str, theirs: str, bias: bool) -> None:
        table[f"{ours}.weight"] = f"{theirs}.weight"
        if bias:
            table[f"{ours}.bias"] = f"{theirs}.bias"

    def put_norm(ours: str, theirs: str) -> None:
        if affine:
            put(ours, theirs, bias=True)
        if f"{theirs}.running_mean" in names:
            table[f"{ours}.running_mean"] = f"{theirs}.running_mean"
            table[f"{ours}.running_var"] = f"{theirs}.running_var"

    put("downs.0.conv", f"{prefix[0]}.0", biased)
    put(f"ups.{depth - 1}.conv", f"{prefix[0]}.3", True)
    for k in range(1, depth - 1):
        put(f"downs.{k}.conv", f"{prefix[k]}.1", biased)
        put_norm(f"downs.{k}.norm", f"{prefix[k]}.2")
        put(f"ups.{depth - 1 - k}.conv", f"{prefix[k]}.5", biased)
        put_norm(f"ups.{depth - 1 - k}.norm", f"{prefix[k]}.6")
    put(f"downs.{depth - 1}.conv", f"{prefix[-1]}.1", biased)
    put("ups.0.conv", f"{prefix[-1]}.3", biased)
    put_norm("ups.0.norm", f"{prefix[-1]}.4")
    return config, {f"generator.{ours}": theirs for ours, theirs in table.items()}
