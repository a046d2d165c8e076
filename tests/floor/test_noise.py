"""The verbs of noise, over a generator whose pictures say which z they were made of."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from studio import images
from studio.latents import MOST_WALKED, NoiseVerbs, slerp
from studio.verbs import verb, verbs

SIZE = 8


class Flat(nn.Module):
    """z ``(N, 2)`` -> a picture of one colour: red is the first number, green the second; told, blue is the label."""

    def forward(self, z, label=None):
        blue = torch.zeros(len(z)) if label is None else torch.full((len(z),), float(label))
        return torch.stack([z[:, 0], z[:, 1], blue], 1)[:, :, None, None].expand(-1, -1, SIZE, SIZE)


class Plain(NoiseVerbs):
    config, device = SimpleNamespace(size=SIZE), torch.device("cpu")

    def __init__(self):
        self.generator = Flat()

    def noise(self, n, generator=None):
        return torch.rand(n, 2, generator=generator) * 2 - 1


class Normal(Plain):
    way = staticmethod(slerp)


class Conditional(Plain):
    """Told a label, by overriding one verb."""

    @verb
    def sample(self, seed: int = 1, label: str | None = None) -> images.Picture:
        """Draws what it is told.

        Args:
            seed: which noise.
            label: what to draw.
        """
        return images.to_picture(self.drawn(self.noises([seed]), {"a": -1, "b": 1}.get(label)))


def colour(picture) -> list[float]:
    array = np.asarray(picture, float)
    assert (array == array[0, 0]).all()
    return (array[0, 0] / 127.5 - 1).tolist()


def z_of(seed: int) -> list[float]:
    return (torch.rand(1, 2, generator=torch.Generator().manual_seed(seed % 2**63)) * 2 - 1)[0].tolist()


@pytest.mark.parametrize("seed", [0, 1, -5, 2**70])
def test_a_seed_draws_its_noise(seed):
    assert colour(Plain().sample(seed))[:2] == pytest.approx(z_of(seed), abs=0.01)


def test_a_wall_has_a_seed_after_the_other():
    wall = np.asarray(Plain().wall(5, 6), float) / 127.5 - 1
    assert wall.shape == (2 * (SIZE + 2) - 2, 3 * (SIZE + 2) - 2, 3)  # two rows of three
    for k in range(6):
        at = wall[(SIZE + 2) * (k // 3) + 1, (SIZE + 2) * (k % 3) + 1]
        assert at[:2].tolist() == pytest.approx(z_of(5 + k), abs=0.01)
    assert Plain().wall(5, 1).size == (SIZE, SIZE)


def test_between_is_where_a_walk_passes():
    gan = Plain()
    a, b, c = map(z_of, (3, 9, 27))
    for at, place in ((0, a), (0.25, np.mean([a, b], 0)), (0.5, b), (0.75, np.mean([b, c], 0)), (1, c)):
        assert colour(gan.between([3, 9, 27], at))[:2] == pytest.approx(list(place), abs=0.01)
    walk = gan.walk([3, 9, 27], 4)
    assert len(walk) == 9
    assert all(colour(walk[k]) == colour(gan.between([3, 9, 27], k / 8)) for k in range(9))


def test_normal_noise_is_walked_along_a_great_circle():
    middle = colour(Normal().between([3, 9], 0.5))[:2]
    ends = [torch.tensor([z_of(seed)]) for seed in (3, 9)]
    assert middle == pytest.approx(slerp(*ends, 0.5)[0].tolist(), abs=0.01)
    assert middle != pytest.approx(torch.lerp(*ends, 0.5)[0].tolist(), abs=0.05)


@pytest.mark.parametrize("kind", ["gif", "mp4"])
def test_a_film_is_the_walk(kind):
    film = Plain().film([1, 2, 1], 3, kind, 12)
    assert film.ending == f".{kind}"
    if kind == "gif":
        frames = Image.open(io.BytesIO(film.content))
        assert (frames.n_frames, frames.size) == (7, (SIZE, SIZE))
        assert frames.info["duration"] == 80
        frames.seek(3)
        assert colour(frames.convert("RGB"))[:2] == pytest.approx(z_of(2), abs=0.03)
    else:
        assert film.type == "video/mp4"
        assert b"ftyp" in film.content[:16]
    assert len(Plain().walk([1, 2], MOST_WALKED - 1)) == MOST_WALKED
    assert len(Plain().film([1, 2], 599).content) > 1000  # longer than a walk may be


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda gan: gan.between([1], 0.5), "seeds holds 1 seeds"),
        (lambda gan: gan.between([1, 2.5]), "seeds are whole numbers"),
        (lambda gan: gan.between([1, 2], 1.5), "at = 1.5"),
        (lambda gan: gan.between([1, 2], float("nan")), "at = nan"),
        (lambda gan: gan.between(list(range(99))), "holds 99 seeds"),
        (lambda gan: gan.wall(1, 0), "count = 0"),
        (lambda gan: gan.wall(1, MOST_WALKED + 1), "count = 65"),
        (lambda gan: gan.film([1]), "at least two"),
        (lambda gan: gan.film([1, 2], 600), "1 to 600 pictures"),
        (lambda gan: gan.film([1, 2], 0), "1 to 600 pictures"),
        (lambda gan: gan.film([1, 2], 2, "avi"), "choose gif or mp4"),
        (lambda gan: gan.film([1, 2], 2, "gif", 99), "rate = 99"),
    ],
)
def test_what_can_not_be_gets_a_sentence(ask, says):
    with pytest.raises(ValueError, match=says):
        ask(Plain())


def test_a_label_is_one_verb_more():
    gan = Conditional()
    assert list(verbs(Conditional)) == ["sample", "walk", "between", "wall", "film"]
    assert list(verbs(Conditional)["sample"].arguments) == ["seed", "label"]
    assert colour(gan.sample(3, "a")) == pytest.approx([*z_of(3), -1], abs=0.01)
    assert colour(gan.sample(3, "b")) == pytest.approx([*z_of(3), 1], abs=0.01)
    assert colour(gan.sample(3)) == colour(gan.walk([3, 4], 2)[0])  # the others tell it nothing
