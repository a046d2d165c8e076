"""Figures for a checkpoint's card: how near, how alike, how varied, how copied.

Pictures come in as float tensors (N, 3, H, W) in [-1, 1], on any device; figures go out as plain floats, computed in
float32. Nothing is changed in place. Chance comes from a local generator on the CPU: a seed means the same places and
directions on every machine. What cannot be measured honestly is a ValueError that says what to do.

    pairs, picture by picture     l1   psnr   ssim
    sets, as distributions        sliced_wasserstein   kid   diversity   apart (all that a card shows)
    a set against its teachers    nearest   copied
    pictures against label maps   segmenter, agreement
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio import features
from studio.refused import Refused

GAUSSIAN = [math.exp(-0.5 * (i / 1.5) ** 2) for i in range(-5, 6)]  # SSIM's window: 11 taps, sigma 1.5
GAUSSIAN = [tap / sum(GAUSSIAN) for tap in GAUSSIAN]
BINOMIAL = [tap / 16 for tap in (1, 4, 6, 4, 1)]  # the pyramid's: Burt & Adelson 1983
PATCH, COARSEST = 7, 16


@torch.no_grad()
def l1(a: Tensor, b: Tensor) -> float:
    """Mean absolute difference over the whole batch, in [0, 1] units: 0 is equal, 1 is black against white."""
    a, b = _checked(a, b, paired=True)
    return (a - b).abs().mean().item() / 2


@torch.no_grad()
def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal to noise in dB on the [0, 1] range, from the whole batch's mean squared error; inf when equal."""
    a, b = _checked(a, b, paired=True)
    error = (a - b).square().mean().item() / 4
    return -10 * math.log10(error) if error else math.inf


@torch.no_grad()
def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity, at most 1 (equal): mean over windows, channels and pictures. Sides of 11 px or more.

    Wang et al. 2004, "Image quality assessment", section III: Gaussian window of 11, K1 = .01, K2 = .03, L = 1, windows
    wholly inside the picture only. The paper measures luminance; here each colour channel is measured alone.
    """
    a, b = _checked(a, b, paired=True, side=len(GAUSSIAN))
    c1, c2, scores = 0.01**2, 0.03**2, []
    for x, y in zip(((a + 1) / 2).split(32), ((b + 1) / 2).split(32), strict=True):
        # E[xx] - E[x]^2 of bright pictures loses digits that c2 can feel; about each channel's mean it does not.
        zx, zy = (z.mean((2, 3), keepdim=True) for z in (x, y))
        x, y = x - zx, y - zy
        mx, my, xx, yy, xy = (_filter(z, GAUSSIAN) for z in (x, y, x * x, y * y, x * y))  # (n, 3, H-10, W-10)
        luminance = (2 * (mx + zx) * (my + zy) + c1) / ((mx + zx).square() + (my + zy).square() + c1)
        structure = (2 * (xy - mx * my) + c2) / ((xx - mx * mx) + (yy - my * my) + c2)
        scores.append((luminance * structure).mean((1, 2, 3)))
    return torch.cat(scores).mean().item()


@torch.no_grad()
def sliced_wasserstein(a: Tensor, b: Tensor, patches: int = 128, directions: int = 512, seed: int = 0) -> dict:
    """Distance between two sets of pictures, one scale at a time: ProGAN (arXiv 1710.10196), section 5.

    Returns {"n": pictures used of each set, "mean": over levels, "levels": {"64": x, "32": x, "16": x}}, each x 1000
    as in the paper's tables, keyed by the level's shorter side, fine to coarse. Coarse levels judge layout and colour,
    fine levels edges and texture. Few pictures give a large figure even for two draws of the same data, so compare
    figures only at equal n, and beside the figure of two halves of the real data. Symmetric; blind to order.

    How this differs from the paper: n is what you have, not 16,384. Patches are normalised by the statistics of both
    sets together; the authors' code normalises each set by its own, which cannot see a wrong overall tint and divides
    by zero when a generator collapses. Sets of unequal size: the larger is thinned at random to the smaller's n.
    Memory: about n x 0.6 MB at 128 px.
    """
    a, b = _checked(a, b, least=2, side=COARSEST)
    draw, n = torch.Generator().manual_seed(seed), min(len(a), len(b))

    # Each picture is looked at in its own places. Lining both sets up along one random projection first makes those
    # places depend on the picture and not on its index, so a shuffled set is at distance 0 from itself.
    key = torch.randn(a[0].numel(), generator=draw).to(a.device)
    a, b = (x[(x.flatten(1) @ key).argsort(stable=True)] for x in (a, b))
    if len(a) != len(b):
        kept = torch.randperm(max(len(a), len(b)), generator=draw)[:n].to(a.device)
        a, b = (x[kept] if len(x) > n else x for x in (a, b))

    sizes = [level.shape[-2:] for level in _pyramid(a[:1])]
    places = [torch.randint((h - PATCH + 1) * (w - PATCH + 1), (n, patches), generator=draw) for h, w in sizes]
    levels = {}
    for size, x, y in zip(sizes, _patches(a, places), _patches(b, places), strict=True):  # (n * patches, 3, 7, 7)
        mean = sum(z.mean((0, 2, 3), keepdim=True) for z in (x, y)) / 2
        spread = sum((z - mean).square().mean((0, 2, 3), keepdim=True) for z in (x, y)) / 2
        # A level with nothing in it stays at 0 instead of becoming magnified rounding: .001 is 1/8 of an 8-bit step.
        x, y = (((z - mean) / spread.sqrt().clamp_min(1e-3)).flatten(1).T for z in (x, y))  # (147, n * patches)
        slices = F.normalize(torch.randn(directions, len(x), generator=draw), dim=1).to(x.device)
        # In one dimension the optimal transport pairs the sorted values; 32 directions at a time to spare memory.
        apart = [((s @ x).sort().values - (s @ y).sort().values).abs().mean(1) for s in slices.split(32)]
        levels[str(min(size))] = 1000 * torch.cat(apart).mean().item()
    return {"n": n, "mean": sum(levels.values()) / len(levels), "levels": levels}


@torch.no_grad()
def kid(a: Tensor, b: Tensor) -> float:
    """Kernel distance x 1000 between what two sets of pictures are to a network that knows pictures; b the real ones.

    Bińkowski et al. 2018 (arXiv 1801.01401): the squared maximum mean discrepancy under the kernel (x y / d + 1)^3,
    without its diagonals, so that two draws of the same data are at about 0 (it may be below) however few they are.

    How this differs from the paper: the features are EfficientNet-Lite0's (`studio.features.pooled`), each standardised
    by the real set, not Inception's; compare figures of this studio with each other, and with nobody else's.
    """
    a, b = _checked(a, b, least=2, side=features.LEAST)
    return kernel_distance(features.pooled(a), features.pooled(b))


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """`kid` of rows: ``(N, d)`` and, of the real pictures, ``(M, d)``."""
    middle, spread = y.mean(0), y.std(0).clamp_min(1e-6)
    x, y = (((z - middle) / spread).double() for z in (x, y))

    def kernel(p: Tensor, q: Tensor) -> Tensor:
        return (p @ q.T / p.shape[1] + 1) ** 3

    def within(p: Tensor) -> Tensor:
        k, n = kernel(p, p), len(p)
        return (k.sum() - k.diagonal().sum()) / (n * (n - 1))

    return 1000 * float(within(x) + within(y) - 2 * kernel(x, y).mean())


def can_see(pictures: Tensor) -> bool:
    """Whether figures by features can be had: of pictures of 32 px or more, where the network is installed."""
    return min(pictures.shape[2:]) >= features.LEAST and not features.missing()


def apart(made: Tensor, real: Tensor) -> dict[str, Any]:
    """How far made pictures are from real ones, by all that a card shows of two sets: ``swd`` of 16 px or more, ``kid``
    of 32 px or more, where the network for it is installed."""
    found: dict[str, Any] = {}
    side = min(*made.shape[2:], *real.shape[2:])
    if side >= COARSEST:
        found["swd"] = round(sliced_wasserstein(made, real)["mean"], 1)
    if can_see(made):
        found["kid"] = round(kid(made, real), 1)
    return found


def floor(real: Tensor) -> dict[str, Any]:
    """`apart` of one half of the real pictures from the other: what no generator can be expected to undercut.
    Empty if there are fewer than four."""
    half = len(real) // 2
    return {"n": half, **apart(real[:half], real[half : 2 * half])} if half > 1 else {}


@torch.no_grad()
def copied(made: Tensor, seen: Tensor, others: Tensor | None = None) -> dict[str, Any]:
    """How near made pictures come to the nearest that were trained on, by pixels (`nearest`) and by features; beside
    the same of real pictures that were not (``others``). Made ones that are much nearer have been learnt by heart."""
    found: dict[str, Any] = {"n": len(seen)}
    for name, pictures in {"made": made, "held out": others}.items():
        if pictures is None:
            continue
        row = {"pixels": nearest(pictures, seen)[0]}
        if can_see(made):
            row["features"] = nearest_features(features.pooled(pictures), features.pooled(seen))[0]
        found[name] = {
            kind: {"median": round(float(away.median()), 4), "least": round(float(away.min()), 4)}
            for kind, away in row.items()
        }
    return found


def nearest_features(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of ``a``: 1 - correlation with its nearest in ``b``, both standardised by ``b``; and its index."""
    middle, spread = b.mean(0), b.std(0).clamp_min(1e-6)
    a, b = (F.normalize((x - middle) / spread, dim=1) for x in (a, b))
    best = (a @ b.T).max(1)
    return 1 - best.values, best.indices


@torch.no_grad()
def diversity(pictures: Tensor, size: int = 32) -> float:
    """Mean absolute difference, in [0, 1] units at `size` px, over all pairs of different pictures of one set.

    0 means that all are the same picture. A figure far below that of the real data hints at mode collapse; blur and
    low contrast lower it too. Exact over all pairs without forming them: for one pixel, sort its n values; the gap
    after the k-th is crossed by k (n - k) of the n (n - 1) / 2 pairs.
    """
    [pictures] = _checked(pictures, least=2)
    values, n = _small(pictures, size).sort(0).values, len(pictures)  # (N, 3 * size * size)
    k = torch.arange(1, n, device=values.device, dtype=torch.float32)
    crossed = k * (n - k) / (n * (n - 1) / 2)
    return (values.diff(dim=0) * crossed[:, None]).sum(0).mean().item() / 2


@torch.no_grad()
def nearest(a: Tensor, b: Tensor, size: int = 32) -> tuple[Tensor, Tensor]:
    """For each picture of `a`: the distance (N,) to its nearest in `b`, and that one's index (N,).

    Distance is the mean absolute difference in [0, 1] units at `size` px, blind to fine texture, so that a training
    picture learnt by heart is found although its grain differs. 0 is a copy.
    """
    a, b = (_small(x, size) for x in _checked(a, b))
    found = [torch.cdist(rows, b, p=1).min(1) for rows in a.split(256)]
    return torch.cat([f.values for f in found]) / a.shape[1] / 2, torch.cat([f.indices for f in found])


class Segmenter(nn.Module):
    """A small judge of what is where: ``(N, 3, S, S)`` -> class logits ``(N, classes, S, S)``; S divides by 8."""

    def __init__(self, classes: int, width: int = 20) -> None:
        super().__init__()

        def layer(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(4, outputs), nn.ReLU())

        wide = [width, 2 * width, 3 * width, 4 * width]
        self.downs = nn.ModuleList(layer(a, b) for a, b in zip([3, *wide], wide, strict=False))
        self.ups = nn.ModuleList(layer(wide[k + 1] + wide[k], wide[k]) for k in (2, 1, 0))
        self.out = nn.Conv2d(width, classes, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        x, seen = pictures, []
        for k, down in enumerate(self.downs):
            seen.append(down(F.avg_pool2d(x, 2) if k else x))
            x = seen[-1]
        for up, skip in zip(self.ups, seen[-2::-1], strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2), skip], dim=1))
        return self.out(x)


def segmenter(batches: Iterable[tuple[Tensor, Tensor]], classes: int, size: int = 64, seed: int = 0) -> Segmenter:
    """A `Segmenter` trained on real pairs: ids ``(N, H, W)`` with 255 = unknown, photos ``(N, 3, H, W)`` in [-1, 1].

    It looks at ``size`` px at most. Its own mistakes are in every agreement, so quote the real photos' beside.
    """
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        judge = Segmenter(classes)
        optimizer = torch.optim.Adam(judge.parameters(), 4e-3)
        for k, (ids, photos) in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = 4e-3 / (1 + k / 60)
            ids, photos = _shrunk(ids, photos, size)
            loss = F.cross_entropy(judge(photos), ids, ignore_index=255)
            if loss.isfinite():  # a batch of nothing but unknown pixels has none
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return judge.eval().requires_grad_(False)


@torch.no_grad()
def agreement(judge: Segmenter, pictures: Tensor, ids: Tensor, size: int = 64) -> dict[str, float]:
    """How often the judge sees in a picture what its label map says, over the pixels of known class.

    Returns {"agreement": share of pixels, "mean class": the same with every class that occurs counting alike}.
    """
    ids, pictures = _shrunk(ids, pictures, size)
    found = torch.cat([judge(part).argmax(1) for part in pictures.split(32)])
    known = ids != 255
    right = (found == ids) & known
    shares = [right[ids == k].float().mean().item() for k in ids[known].unique()]
    if not shares:
        raise Refused("measure.unknown")
    return {"agreement": right.sum().item() / known.sum().item(), "mean class": sum(shares) / len(shares)}


def _shrunk(ids: Tensor, pictures: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Both at ``size`` px at most: ids by nearest, pictures by area."""
    if pictures.shape[-1] > size:
        pictures = F.interpolate(pictures, (size, size), mode="area")
    ids = F.interpolate(ids[:, None].float(), pictures.shape[-2:], mode="nearest-exact")[:, 0].long()
    return ids, pictures


def _small(x: Tensor, size: int) -> Tensor:
    """Pictures averaged down to at most `size` px a side, as rows (N, 3 * size * size); never enlarged."""
    return F.adaptive_avg_pool2d(x, [min(size, side) for side in x.shape[-2:]]).flatten(1)


def _filter(x: Tensor, taps: list[float]) -> Tensor:
    """Separable filter, valid region only. Shifted sums, not conv2d: cuDNN would round to TF32 by default."""
    h, w = (side - len(taps) + 1 for side in x.shape[-2:])
    x = sum(tap * x[..., i : i + w] for i, tap in enumerate(taps))
    return sum(tap * x[..., i : i + h, :] for i, tap in enumerate(taps))


def _pyramid(x: Tensor) -> list[Tensor]:
    """Laplacian pyramid, fine to coarse: halved while both sides are even and stay at 16 px or more."""
    levels = []
    while min(x.shape[-2:]) >= 2 * COARSEST and not any(side % 2 for side in x.shape[-2:]):
        half = _filter(F.pad(x, (2, 2, 2, 2), mode="reflect"), BINOMIAL)[..., ::2, ::2]
        grown = torch.zeros_like(x)
        grown[..., ::2, ::2] = 4 * half  # 4: three of four pixels are empty
        levels.append(x - _filter(F.pad(grown, (2, 2, 2, 2), mode="reflect"), BINOMIAL))
        x = half
    return [*levels, x]


def _patches(x: Tensor, places: list[Tensor]) -> list[Tensor]:
    """The 7 x 7 patches at `places`, flat indices (N, patches) for each level -> (N * patches, 3, 7, 7) for each."""
    taken = [[] for _ in places]
    for start in range(0, len(x), 64):
        for level, place, into in zip(_pyramid(x[start : start + 64]), places, taken, strict=True):
            windows = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (64, 3, H-6, W-6, 7, 7), a view
            at, columns = place[start : start + 64].to(x.device), windows.shape[3]
            rows = torch.arange(len(at), device=x.device)[:, None]
            into.append(windows[rows, :, at // columns, at % columns].flatten(0, 1))
    return [torch.cat(parts) for parts in taken]


def _checked(*sets: Tensor, least: int = 1, side: int = 1, paired: bool = False) -> list[Tensor]:
    """The sets as float32, or a ValueError that says what to do."""
    for x in sets:
        if x.dim() != 4 or x.shape[1] != 3:
            raise ValueError(
                f"Pictures are (N, 3, H, W), not {tuple(x.shape)}: permute channels to second place, "
                "expand grey pictures to 3 channels."
            )
        if not x.is_floating_point():
            raise ValueError(f"Pictures are floats in [-1, 1], not {x.dtype}: convert 8-bit ones with x / 127.5 - 1.")
        if len(x) < least:
            raise Refused("measure.few", least=least, n=len(x))
        if min(x.shape[-2:]) < side:
            raise Refused("measure.small", least=side, height=x.shape[-2], width=x.shape[-1])
        if not x.isfinite().all():
            raise Refused("measure.notFinite")
        if (peak := x.abs().max().item()) > 1 + 1e-3:  # half precision may land a hair above 1
            raise ValueError(
                f"Pictures lie in [-1, 1], but these reach {peak:.4g}: clamp a generator's output with "
                "x.clamp(-1, 1), convert 0..255 with x / 127.5 - 1."
            )
    if len({x.shape[1:] for x in sets}) > 1:
        raise ValueError(
            f"Pictures differ in size, {' and '.join(str(tuple(x.shape)) for x in sets)}: "
            "resize one set to the other's first."
        )
    if paired and len({len(x) for x in sets}) > 1:
        raise ValueError(
            f"Pairs need as many pictures on both sides, not {' and '.join(str(len(x)) for x in sets)}: "
            "pass each picture with its partner."
        )
    return [x.float() for x in sets]
