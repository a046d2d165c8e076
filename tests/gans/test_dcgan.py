"""DCGAN: the paper's shapes and widths, noise, seeds, walks, and what its discriminator says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from studio import toys
from studio.data import Images
from studio.gans.dcgan import GAN
from studio.gans.dcgan.paper import Config, Discriminator, Generator
from studio.images import Image, to_picture, to_pictures
from studio.latents import MOST_WALKED
from studio.losses import bce
from studio.verbs import verbs


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval().requires_grad_(False)


def test_the_papers_generator_has_the_papers_widths():
    """Figure 1: 100 numbers -> 1024 maps of 4 x 4 -> 512, 256, 128 -> a picture of 64 x 64."""
    with torch.device("meta"):
        generator = Generator(Config())
        made = [generator.project(torch.empty(1, 100, 1, 1))]
        for up in generator.ups:
            made.append(up(made[-1]))
    assert [tuple(x.shape[1:]) for x in made] == [
        (1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)
    ]  # fmt: skip


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("kernel", [4, 5])
def test_every_size_comes_out_and_is_judged(size, kernel):
    config = Config(size=size, z=4, width=4, judge_width=4, kernel=kernel)
    picture = Generator(config).eval()(torch.zeros(2, 4))
    assert picture.shape == (2, 3, size, size)
    assert Discriminator(config).eval()(picture).shape == (2,)


def test_the_guidelines_of_section_3(gan):
    """Strided convolutions instead of pooling; batch norm in both, but not on G's output and D's input; ReLU, tanh."""
    assert not any(isinstance(m, (nn.MaxPool2d, nn.AvgPool2d, nn.Linear)) for m in gan.modules())
    assert len(gan.generator.norms) == len(gan.generator.ups)  # before each up, so none after the last
    assert len(gan.discriminator.norms) == len(gan.discriminator.downs) - 1
    assert gan.generator(gan.noise(64)).abs().max() <= 1


def test_weights_begin_as_in_section_4():
    torch.manual_seed(0)
    weights = torch.cat(
        [p.detach().flatten() for p in GAN(Config(width=16, judge_width=16)).parameters() if p.ndim == 4]
    )
    assert abs(weights.mean()) < 2e-4
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)


def test_noise_is_uniform_in_the_cube(gan):
    z = gan.noise(4000)
    assert z.shape == (4000, gan.config.z)
    assert z.min() >= -1
    assert z.max() <= 1
    assert z.var().item() == pytest.approx(1 / 3, rel=0.05)


def test_the_losses_are_those_of_the_game():
    """At D = 1/2 each term is log 2; the generator's slope there is -1/2, not the vanishing one of log(1 - D)."""
    logit = torch.zeros(8, requires_grad=True)
    assert bce(logit, True).item() == pytest.approx(math.log(2))
    assert bce(logit, False).item() == pytest.approx(math.log(2))
    (slope,) = torch.autograd.grad(bce(logit, True), logit)
    assert slope.sum().item() == pytest.approx(-0.5)
    far = torch.full((8,), -20.0, requires_grad=True)  # D is sure that it is fake
    (slope,) = torch.autograd.grad(bce(far, True), far)
    assert slope.sum().item() == pytest.approx(-1, abs=1e-6)


def test_a_walk_begins_and_ends_at_its_seeds(gan):
    walk = gan.walk([3, 9], steps=4)
    assert len(walk) == 5
    for at, seed in ((0, 3), (-1, 9)):
        assert np.abs(np.asarray(walk[at], int) - np.asarray(gan.sample(seed), int)).max() <= 1
    far = gan.walk([3, 9, 27], steps=2)
    assert len(far) == 5
    assert np.abs(np.asarray(far[2], int) - np.asarray(gan.sample(9), int)).max() <= 1


def test_the_verbs_of_noise_are_what_they_were(gan):
    """Since they lie on the floor: a seed's noise, and the straight line between two, to the last pixel."""
    z = [gan.noise(1, torch.Generator().manual_seed(seed)) for seed in (3, 9, 27)]
    assert np.array_equal(np.asarray(gan.sample(3)), np.asarray(to_picture(gan.generator(z[0]))))
    way = torch.linspace(0, 2, 9)
    k = way.long().clamp_max(1)
    line = to_pictures(gan.generator(torch.lerp(torch.cat(z)[k], torch.cat(z)[k + 1], (way - k)[:, None])))
    assert all(np.array_equal(*map(np.asarray, pair)) for pair in zip(gan.walk([3, 9, 27], 4), line, strict=True))
    assert [(name, list(verb.arguments)) for name, verb in verbs(GAN).items()] == [
        ("sample", ["seed"]), ("walk", ["seeds", "steps"]), ("between", ["seeds", "at"]), ("wall", ["seed", "count"]),
        ("film", ["seeds", "steps", "kind", "rate"]), ("judge", ["picture"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "steps", "sentence"),
    [
        ([3], 4, "at least two"),
        ([], 4, "at least two"),
        ([1, "a"], 4, "whole numbers"),
        ([1, 2.5], 4, "whole numbers"),
        ([1, True], 4, "whole numbers"),
        ([1, 2], 0, "1 to 64 pictures"),
        ([1, 2], MOST_WALKED, "fewer steps"),
        ([1, 2], 10_000, "fewer steps"),
        (list(range(500)), 1, "fewer seeds"),
    ],
)
def test_walks_that_can_not_be(gan, seeds, steps, sentence):
    with pytest.raises(ValueError, match=sentence):
        gan.walk(seeds, steps)


def test_the_same_seed_is_the_same_picture_in_any_company(gan):
    alone, walked = gan.sample(5), gan.walk([5, 5], steps=3)
    assert all(np.abs(np.asarray(each, int) - np.asarray(alone, int)).max() <= 1 for each in walked)
    assert not np.array_equal(np.asarray(gan.sample(6)), np.asarray(alone))


def test_judge_looks_at_any_picture(gan):
    for size in [(16, 16), (1, 1), (300, 20)]:
        assert 0 <= gan.judge(Image.new("RGB", size, "white")).real <= 1
    gan.discriminator = None
    with pytest.raises(ValueError, match="nobody to judge"):
        gan.judge(Image.new("RGB", (8, 8)))


def test_toy_digits_vary_and_are_the_digit_they_say():
    from studio.toys.digits import digit

    drawn = [digit(np.random.default_rng(k), 32) for k in range(300)]
    assert {which for _, which in drawn} == set(range(10))
    assert len({picture.tobytes() for picture, _ in drawn}) == 300
    shares = [(picture > 127).mean() for picture, _ in drawn]
    assert min(shares) > 0.02
    assert max(shares) < 0.4
    assert np.array_equal(toys.picture("digits", np.random.default_rng(7), 32), digit(np.random.default_rng(7), 32)[0])
    # A digit resembles its own kind more than the other kinds do: the mean pictures know most of them again.
    means = np.stack([np.mean([p for p, w in drawn if w == k], axis=0) for k in range(10)]).reshape(10, -1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    fresh = [digit(np.random.default_rng(1000 + k), 32) for k in range(200)]
    right = np.mean([np.argmax(means @ p.reshape(-1).astype(float)) == w for p, w in fresh])
    assert right > 0.7


def test_images_crop_the_middle_and_mirror_only_if_asked(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40], wide[:, 20:30] = 255, (255, 0, 0)
    for k in range(2):
        Image.fromarray(wide).save(tmp_path / f"{k}.png")
    data = Images(tmp_path, Config(size=16, mirror=True))
    (batch,) = data.batch([0] * 20, [np.random.default_rng(k) for k in range(20)])
    left = {tuple(row.round().int().tolist()) for row in batch[:, :, 8, 2]}
    assert left == {(1, -1, -1), (1, 1, 1)}  # red is on the left, or on the right where mirrored
    (batch,) = Images(tmp_path, Config(size=16)).batch([0] * 20, [np.random.default_rng(k) for k in range(20)])
    assert len({tuple(row.round().int().tolist()) for row in batch[:, :, 8, 2]}) == 1
