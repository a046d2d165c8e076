"""The verbs of a generator in styles: seeds in, pictures out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from studio import images, judges, measure
from studio.images import File, Picture
from studio.latents import measures, points
from studio.latents.measures import Eyes, LabelJudge, Length, PixelJudge, Separability
from studio.latents.points import checked_seeds, lerp, slerp
from studio.latents.projection import looks_apart, project
from studio.refused import Refused
from studio.verbs import verb

MOST_FRAMES = 600  # of one walk: twenty seconds at 30 a second
MOST_PIXELS = 600 * 256**2  # of all pictures of one answer: they lie in memory together
MOST_SAMPLES = 4000  # of one measurement
MOST_STEPS = 1000  # of one call of a projection
FIRST_LOOKS = 47  # faces among which a search begins
AT_ONCE = 16  # pictures of one pass: more are no faster on a CPU, and others wait for it


class Projection(NamedTuple):
    """What `project` says: the picture found, the distance after each step of this call, how many steps in all, and
    ``state``, with which the next call goes on."""

    picture: Picture
    losses: list[float]
    step: int
    state: dict[str, Any]


class Norms(NamedTuple):
    """What `norms` says: ``heat`` = the features' strength at each place (grey = the median, white = ten times it),
    the ``picture`` that comes of it, how ``loud`` each layer's strongest place is against its median (droplets are
    loud), and how much is ``kept`` of the next layer's features away from the spike: 1 = they do not notice it."""

    heat: Picture
    picture: Picture
    loud: list[float]
    kept: float


class StyleVerbs:
    """The demo of a GAN that has ``mapping`` (with ``average``, the mean of w) and ``synthesis`` (with ``styles``, how
    many layers listen to a w; ``sizes``, how many numbers of noise each layer takes; and ``noise``).

    A face is named by its seed: z is drawn from it.
    """

    @verb
    def sample(self, seed: int = 1, truncation: float = 0.7) -> Picture:
        """A face that nobody has.

        Args:
            seed: draws it.
            truncation: 1 = as the generator draws, 0 = the mean face, in between: nearer to the mean, so safer.
        """
        return images.to_picture(self._pictures(self._w([seed], truncation)))

    @verb
    def mix(
        self, rows: list = (1, 2, 3), columns: list = (4, 5, 6), crossover: int = 4, truncation: float = 0.7,
        taken: list | None = None,
    ) -> Picture:  # fmt: skip
        """A grid of mixed styles: coarse from the row's face, fine from the column's.

        Args:
            rows: seeds of the faces that give pose and shape.
            columns: seeds of the faces that give colour and detail.
            crossover: the first layer that listens to the column's face; 0 = all do, as many as there are = none.
            truncation: 1 = as drawn, 0 = the mean face.
            taken: instead of a crossover, the numbers of the layers that listen to the column's face.
        """
        layers = self.synthesis.styles
        rows, columns = checked_seeds(rows, "rows", most=16), checked_seeds(columns, "columns", most=16)
        most = MOST_PIXELS // self.config.size**2
        if len(rows) * len(columns) > most:
            raise Refused("values.grid", rows=len(rows), columns=len(columns), most=most)
        if taken is None:
            crossover = int(points.checked(crossover, "crossover", 0, layers))
            taken = range(crossover, layers)
        first = torch.tensor([k not in self._layers(taken) for k in range(layers)], device=self.device)
        a, b = self._w(rows, truncation), self._w(columns, truncation)
        ws = torch.where(first[:, None], a[:, None, None], b[None, :, None]).flatten(0, 1)  # (rows * columns, L, w)
        made = images.to_pictures(self._pictures(ws))
        return images.sheet([made[k : k + len(columns)] for k in range(0, len(made), len(columns))])

    @verb
    def layers(self, seeds: list = (1, 2, 3), truncation: float = 0.7) -> Picture:
        """A face whose every layer listens to a face of its own.

        Args:
            seeds: one for each layer, coarse to fine; the last stands for all that are missing.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        count = self.synthesis.styles
        seeds = checked_seeds(seeds, most=count)
        seeds += [seeds[-1]] * (count - len(seeds))
        return images.to_picture(self._pictures(self._w(seeds, truncation)[None]))

    @verb
    def between(self, seeds: list = (1, 2), at: float = 0.5, space: str = "w", truncation: float = 0.7) -> Picture:
        """A face on the way from one to another.

        Args:
            seeds: of the faces that the way leads through.
            at: 0 = the first of them, 1 = the last.
            space: w = a straight line between styles, z = a great circle between noises.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        seeds = checked_seeds(seeds)
        place = points.checked(at, "at", 0, 1) * (len(seeds) - 1)
        leg = min(int(place), max(0, len(seeds) - 2))
        way = self._way([seeds[leg], seeds[min(leg + 1, len(seeds) - 1)]], space)
        return images.to_picture(self._pictures(way(torch.tensor([[place - leg]], device=self.device), truncation)))

    @verb
    def walk(self, seeds: list = (1, 2, 3), steps: int = 4, space: str = "w", truncation: float = 0.7) -> list[Picture]:
        """The faces on the way through several, as frames of a film.

        Args:
            seeds: of the faces that the way leads through; name the first again at the end for a loop.
            steps: frames from each to the next; all together at most 600.
            space: w = straight lines between styles, z = great circles between noises.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        seeds = checked_seeds(seeds, least=2)
        frames = (len(seeds) - 1) * int(points.checked(steps, "steps", 1, 10**9)) + 1
        most = min(MOST_FRAMES, MOST_PIXELS // self.config.size**2)
        if frames > most:
            raise Refused("values.film", frames=frames, most=most)
        t = torch.arange(steps, device=self.device)[:, None] / steps
        legs = [self._way(list(pair), space)(t, truncation) for pair in pairwise(seeds)]
        way = torch.cat([*legs, self._w(seeds[-1:], truncation)])
        return [frame for part in way.split(AT_ONCE) for frame in images.to_pictures(self._pictures(part))]

    @verb
    def film(
        self, seeds: list = (1, 2, 1), steps: int = 4, space: str = "w", kind: str = "gif", rate: float = 24.0,
        truncation: float = 0.7,
    ) -> File:  # fmt: skip
        """The walk through several faces as a film.

        Args:
            seeds: of the faces that the way leads through; the first again at the end makes a loop.
            steps: frames from each to the next; all together at most 600.
            space: w = straight lines between styles, z = great circles between noises.
            kind: gif or mp4.
            rate: frames a second, 1 to 50.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        writers = {"gif": images.gif, "mp4": images.mp4}
        if kind not in writers:
            raise Refused("values.movie", kind=kind[:20])
        points.checked(rate, "rate", 1, 50)
        return writers[kind](self.walk(seeds, steps, space, truncation), rate)

    @verb
    def breed(
        self, a: dict | None = None, b: dict | None = None, amount: float = 0.5, truncation: float = 0.7
    ) -> Picture:
        """The child of two faces: its style lies between theirs.

        Args:
            a: the first parent's ancestors, seed -> share, such as {"1": 0.5, "2": 0.5}; a face of its own: {"1": 1}.
            b: the second parent's.
            amount: how much the child takes after the second parent, 0 to 1.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        amount, seeds, shares = points.checked(amount, "amount", 0, 1), [], []
        for name, parent, part in (("a", a, 1 - amount), ("b", b, amount)):
            for seed, share in _ancestors(name, parent or {"ab".index(name) + 1: 1.0}).items():
                seeds.append(seed)
                shares.append(share * part)
        weights = torch.tensor(shares, device=self.device)[:, None]
        w = (self._w(checked_seeds(seeds, "ancestors", most=256), truncation) * weights).sum(dim=0, keepdim=True)
        return images.to_picture(self._pictures(w))

    @verb
    def noise(self, seed: int = 1, layers: str = "all", draw: int = 0, truncation: float = 0.7) -> Picture:
        """What noise does: the same face with noise in all layers, none, the coarse or the fine ones.

        Args:
            seed: draws the face.
            layers: all, none, coarse (below the fine ones), fine, or numbers of layers such as 0,3.
            draw: draws the noise.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        fine = points.bands(self.synthesis.styles)["fine"]
        sizes = self.synthesis.sizes
        known = {"all": range(len(sizes)), "none": (), "coarse": range(fine[0]), "fine": fine}
        if layers in known:
            wanted = set(known[layers])
        elif re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*", layers):
            wanted = {int(k) for k in layers.split(",")}
        else:
            raise Refused("values.whichLayers", layers=layers[:40], known=known)
        noise = self.synthesis.noise(1, points.random(draw))
        parts = [part * (k in wanted) for k, part in enumerate(noise.split(sizes, dim=1))]
        ws = self._all(self._w([seed], truncation))
        return images.to_picture(self.synthesis(ws, torch.cat(parts, dim=1).to(self.device)))

    @verb
    def path_length(self, space: str = "w", n: int = 32, seed: int = 0) -> Length:
        """Perceptual path length: how much pictures change on a very short step through the space; low = smooth.

        Args:
            space: w (styles) or z (noises).
            n: how many steps to take; the standard error tells whether they were enough.
            seed: draws where.
        """
        return self._length(space, int(points.checked(n, "n", 2, MOST_SAMPLES)), seed, self._judge())

    def _length(self, space: str, n: int, seed: int, judge: Any) -> Length:
        gen, exact = points.random(seed), self.exact
        a, b = (torch.randn(n, self.config.z, generator=gen).to(self.device) for _ in range(2))
        t = torch.rand(n, 1, generator=gen).to(self.device)
        if self._space(space) == "z":
            mean, error = measures.path_length(
                (a, b), slerp, lambda z: exact._pictures(exact.mapping(z)), judge.distance, t
            )
        else:
            ends = exact.mapping(a), exact.mapping(b)
            mean, error = measures.path_length(ends, lerp, exact._pictures, judge.distance, t)
        return Length(mean, error, n, judge.by)

    @verb
    def separability(self, space: str = "w", n: int = 200, seed: int = 0) -> Separability:
        """Linear separability: how well a plane in the space tells what a picture shows; 1 = perfectly.

        Args:
            space: w (styles) or z (noises).
            n: how many pictures to make; the surer half counts.
            seed: draws them.
        """
        n, judge = int(points.checked(n, "n", 16, MOST_SAMPLES)), self._judge()
        z = torch.randn(n, self.config.z, generator=points.random(seed)).to(self.device)
        w = torch.cat([self.mapping(part) for part in z.split(AT_ONCE)])
        sureness = judge.sureness(self._pictures(w).clamp(-1, 1))
        at = z if self._space(space) == "z" else w
        return measures.separability(at, sureness, judge.names, judge.by, seed)

    @verb
    def project(self, picture: Picture, steps: int = 20, free: bool = False, state: dict | None = None) -> Projection:
        """Looks for the style whose picture is nearest to one of yours.

        Args:
            picture: its middle square is taken.
            steps: how many to take now; fifty show where it leads, a few hundred are enough.
            free: whether each layer may have a style of its own: nearer, but further from what was learned.
            state: what an earlier call gave back, to go on from there.
        """
        steps, exact = int(points.checked(steps, "steps", 1, MOST_STEPS)), self.exact
        target = images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device)
        start = exact.mapping.average[None] if state else exact._nearest(target)
        start = (exact._all(start) if free else start).clone()
        found = list(
            project(lambda w: exact.synthesis(exact._all(w)), target, start, steps, state, distance=looks_apart)
        )
        made = exact.synthesis(exact._all(found[-1].w))
        return Projection(images.to_picture(made), [each.loss for each in found], found[-1].step, found[-1].state)

    @verb
    def slice(
        self, seeds: list = (1, 2), steps: int = 32, row: float = 0.6, space: str = "w", truncation: float = 0.7
    ) -> Picture:
        """One row of pixels on a walk, frame under frame: what moves draws curves, what is pinned draws straight lines.

        Args:
            seeds: of the faces that the way leads through.
            steps: frames from each to the next; all together at most 600.
            row: which row, 0 = the top, 1 = the bottom.
            space: w = straight lines between styles, z = great circles between noises.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        frames = self.walk(seeds, steps, space, truncation)
        side = self.config.size
        at = min(side - 1, int(points.checked(row, "row", 0, 1) * side))
        strips = [frame.crop((0, at, side, at + 1)) for frame in frames]
        return images.sheet([[strip] for strip in strips], gap=0)

    @verb
    def norms(self, seed: int = 1, layer: int = 3, spike: float = 0.0, truncation: float = 0.7) -> Norms:
        """How strong a layer's features are at each place, and what a planted spike does to those of the next layer.

        Args:
            seed: draws the face.
            layer: whose features to look at, from 0; the spike is planted there.
            spike: how many deviations to add to all features in the middle; 0 = none.
            truncation: 1 = as drawn, 0 = the mean face.
        """
        exact = self.exact
        layer = int(points.checked(layer, "layer", 0, len(exact.synthesis.sizes) - 2))
        points.checked(spike, "spike", 0, 1000)
        ws, seen = exact._all(exact._w([seed], truncation)), {}

        def run(name: str, amount: float) -> Tensor:
            maps = seen[name] = []

            def watch(k: int, features: Tensor) -> Tensor:
                if k == layer and amount:
                    features, middle = features.clone(), features.shape[2] // 2
                    features[:, :, middle, middle] += amount * features.std()
                maps.append(features)
                return features

            return exact.synthesis(ws, watch=watch)

        run("plain", 0.0)
        picture = run("spiked", spike)
        side = self.config.size
        strength = {name: [f.float().square().mean(dim=1).sqrt()[0] for f in maps] for name, maps in seen.items()}
        shown = strength["spiked"][layer]
        heat = (shown.clamp_min(1e-6).log10() - shown.median().clamp_min(1e-6).log10()).clamp(-1, 1)
        heat = F.interpolate(heat[None, None], size=(side, side))
        after, before = seen["spiked"][layer + 1], seen["plain"][layer + 1]
        far = torch.ones(after.shape[2:], dtype=torch.bool)
        middle, reach = after.shape[2] // 2, max(2, after.shape[2] // 5)
        far[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1] = False
        kept = float(after[..., far].std(correction=0) / before[..., far].std(correction=0).clamp_min(1e-9))
        loud = [round(float(s.max() / s.median().clamp_min(1e-9)), 2) for s in strength["spiked"]]
        return Norms(images.to_picture(heat), images.to_picture(picture), loud, round(kept, 3))

    # ---- what a GAN promises besides its verbs (studio.base) --------------------------------------------------------

    def preview(self, batch: tuple[Tensor]) -> Tensor:
        """A real picture, and five that are made, as they come (not truncated): ``(N, 6, 3, S, S)``."""
        (real,) = batch
        made = self._pictures(self._w(range(5 * len(real)), 1.0))
        return torch.cat([real[:, None], made.view(len(real), 5, *made.shape[1:])], dim=1)

    @classmethod
    def columns(cls, config: Any, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"en": "a real picture", "ko": "실제 그림"}, {"en": "what is made", "ko": "만든 그림"}]

    def made(self, batch: tuple[Tensor]) -> tuple[Tensor, Tensor]:
        """As many pictures as there are real ones, and these."""
        return self._pictures(self._w(range(len(batch[0])), 1.0)).clamp(-1, 1), batch[0]

    def show(self, pictures: Sequence[Picture], steps: int = 50) -> Tensor:
        """Pictures, and what a short projection finds for each: ``(N, 2, 3, S, S)``."""
        found = []
        for picture in pictures:
            target = images.to_tensor(images.crop_square(picture, self.config.size)).to(self.device)
            *_, last = project(lambda w: self.synthesis(self._all(w)), target, self.mapping.average[None], steps)
            found.append(torch.stack([target[0], self.synthesis(self._all(last.w))[0]]))
        return torch.stack(found)

    def measure(self, data: Any, indices: Sequence[int]) -> dict[str, Any]:
        """How far made pictures are from real ones that were held out, beside how far real ones are from each other;
        how near they come to those that were trained on; and the measures of Z and W."""
        real = torch.cat([data.batch([k], [None])[0] for k in indices])
        made = self._pictures(self._w(range(len(real)), 1.0)).clamp(-1, 1).cpu()
        found = {"n": len(real), "size": self.config.size, "made": _set_figures(made, real)}
        if (half := len(real) // 2) > 1:
            found["real against real"] = {"n": half, **_set_figures(real[:half], real[half : 2 * half])}
            found["made, same n"] = {"n": half, **_set_figures(made[:half], real[half : 2 * half])}
        if self.config.size >= measure.COARSEST:  # 1812.04948, table 2: how far pictures of several styles are off
            for k in (2, 3, 4):
                several = self._pictures(self._several(len(real), k)).clamp(-1, 1).cpu()
                found[f"made, {k} styles mixed"] = _set_figures(several, real)
        held = set(indices)
        seen = [k for k in range(len(data)) if k not in held and not data.toy]
        if seen:  # small, since all of them are looked at
            side = min(64, self.config.size)
            small = torch.cat([F.adaptive_avg_pool2d(data.batch([k], [None])[0], side) for k in seen])
            ours, others = (F.adaptive_avg_pool2d(x, side) for x in (made, real))
            found["nearest seen"] = measure.copied(ours, small, others)
        for space in ("z", "w"):
            found[f"path length in {space}"] = self.path_length(space, min(200, 4 * len(real)))._asdict()
            if measure.can_see(made):
                found[f"path length in {space}, by features"] = self._length(
                    space, min(100, 2 * len(real)), 0, Eyes()
                )._asdict()
            found[f"separability in {space}"] = self.separability(space, min(2000, 8 * len(real)))._asdict()
        return found

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        z = points.drawn([0], self.config.z, self.device)
        with torch.no_grad():
            ws = self._all(self.mapping(z)).contiguous()
        return {"mapping": (z,), "synthesis": (ws, self.synthesis.noise(1, points.random(0)).to(self.device))}

    # ---- what the verbs are made of ---------------------------------------------------------------------------------

    def _w(self, seeds: Sequence[int], truncation: float) -> Tensor:
        """Seeds -> w ``(N, w)``, truncated."""
        points.checked(truncation, "truncation", -2, 2)
        z = points.drawn(list(seeds), self.config.z, self.device)
        w = torch.cat([self.mapping(part) for part in z.split(AT_ONCE)])
        return w if truncation == 1 else points.truncated(w, self.mapping.average.float(), truncation)

    def _all(self, w: Tensor) -> Tensor:
        """The same w for all layers: ``(N, w) -> (N, L, w)``; one that has layers stays."""
        return w if w.ndim == 3 else w[:, None].expand(-1, self.synthesis.styles, -1)

    def _pictures(self, w: Tensor) -> Tensor:
        """w ``(N, w)`` or ``(N, L, w)`` -> pictures with the network's own noise."""
        return torch.cat([self.synthesis(self._all(part)) for part in w.split(AT_ONCE)])

    def _several(self, n: int, k: int, seed: int = 0) -> Tensor:
        """ws ``(n, L, w)``, each of ``k`` styles that change at random layers."""
        layers, gen = self.synthesis.styles, points.random(seed)
        w = self.mapping(torch.randn(n * k, self.config.z, generator=gen).to(self.device)).view(n, k, -1)
        cuts = torch.stack([torch.randperm(layers - 1, generator=gen)[: k - 1] + 1 for _ in range(n)])  # (n, k - 1)
        which = (torch.arange(layers)[None, :, None] >= cuts[:, None]).sum(dim=2).to(self.device)  # (n, L)
        return torch.gather(w, 1, which[..., None].expand(-1, -1, w.shape[2]))

    def _nearest(self, target: Tensor) -> Tensor:
        """The style ``(1, w)`` to begin a search with: of the mean face and some others, whose looks most like it."""
        w = torch.cat([self.mapping.average[None].to(self.device), self._w(range(FIRST_LOOKS), 0.7)])
        apart = torch.cat([looks_apart(p.clamp(-1, 1), target.expand_as(p)) for p in self._pictures(w).split(AT_ONCE)])
        return w[apart.argmin()][None]

    def _way(self, seeds: list[int], space: str) -> Any:
        """(t ``(N, 1)``, truncation) -> w on the way from one seed to another."""
        if self._space(space) == "z":
            a, b = points.drawn(seeds, self.config.z, self.device).split(1)

            def on(t: Tensor, truncation: float) -> Tensor:
                points.checked(truncation, "truncation", -2, 2)
                return points.truncated(self.mapping(slerp(a, b, t)), self.mapping.average.float(), truncation)

            return on
        return lambda t, truncation: lerp(*self._w(seeds, truncation).split(1), t)

    def _layers(self, taken: Any) -> set[int]:
        count = self.synthesis.styles
        if not all(isinstance(k, int) and not isinstance(k, bool) and 0 <= k < count for k in taken):
            raise Refused("values.layers", taken=str(list(taken))[:60], last=count - 1)
        return set(taken)

    def _space(self, space: str) -> str:
        if space.lower() not in ("z", "w"):
            raise Refused("values.space", space=space[:20])
        return space.lower()

    def _judge(self) -> Any:
        """Who tells how alike two pictures are, and what they show: the trained judge that knows the labels which the
        card names (``extras["judge"]``), else plain facts of pixels."""
        names = self.extras.get("judge")
        judge = judges.find(names) if names else None
        return PixelJudge() if judge is None else LabelJudge(judge.to(self.device), judge.labels.names)


def _set_figures(a: Tensor, b: Tensor) -> dict[str, Any]:
    """How far two sets of pictures are apart, and how varied the first is."""
    return {"diversity": round(measure.diversity(a), 4), **measure.apart(a, b)}


def _ancestors(name: str, parent: dict) -> dict[int, float]:
    """Seed -> share, made to sum to 1.

    Raises:
        ValueError: not seeds, or shares that are negative or all zero.
    """
    try:
        found = {int(seed): float(share) for seed, share in parent.items()}
    except (TypeError, ValueError) as error:
        raise Refused("values.mixture", name=name) from error
    total = sum(found.values())
    if not found or not 0 < total < float("inf") or min(found.values()) < 0:
        raise Refused("values.shares", name=name)
    return {seed: share / total for seed, share in found.items()}
