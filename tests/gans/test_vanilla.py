"""The first GAN: the authors' widths, the textbook's optimum, the gradient that vanishes, the turns, the verbs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from studio.data import Images, Points, real
from studio.gans.vanilla import GAN
from studio.gans.vanilla.paper import Config, Discriminator, Generator
from studio.images import Image, to_pictures
from studio.losses import bce
from studio.verbs import jsonable, verbs


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval().requires_grad_(False)


@pytest.fixture
def plane():
    """The game of the page: points instead of pictures."""
    torch.manual_seed(0)
    return GAN(GAN.PLANE, shape=(2,)).train()


# ---- the networks ---------------------------------------------------------------------------------------------------


def test_the_defaults_are_the_authors_widths():
    """Their published settings for MNIST: z of 100, two layers of 1,200 rectifiers; two of 240 maxout units of 5."""
    with torch.device("meta"):
        c, shape = Config(), (1, 28, 28)
        made, judge = Generator(c.z, c.width, shape), Discriminator(c, shape)
    assert [layer.weight.shape for layer in made.layers] == [(1200, 100), (1200, 1200), (784, 1200)]
    assert [layer.weight.shape for layer in judge.layers] == [(1200, 784), (1200, 240)]
    assert judge.verdict.weight.shape == (1, 240)


@pytest.mark.parametrize("size", [16, 28, 32])
@pytest.mark.parametrize("colours", [1, 3])
def test_every_size_comes_out_and_is_judged(size, colours):
    made = GAN(replace(GAN.TINY, size=size, colours=colours)).eval()
    picture = made.generator(made.noise(2))
    assert picture.shape == (2, 3, size, size)
    assert made.discriminator(picture).shape == (2,)
    assert bool((picture[:, 0] == picture[:, 2]).all()) == (colours == 1)


def test_a_maxout_unit_is_the_largest_of_its_pieces():
    judge = Discriminator(replace(GAN.TINY, judge_width=3, pieces=4), (2,)).eval()
    x = torch.randn(5, 2)
    by_hand = judge.layers[0](x).view(5, 3, 4).max(dim=2).values
    by_hand = judge.layers[1](by_hand).view(5, 3, 4).max(dim=2).values
    torch.testing.assert_close(judge(x), judge.verdict(by_hand)[:, 0])


def test_a_grey_gan_sees_the_mean_of_the_colours(gan):
    grey = torch.rand(2, 1, 16, 16)
    tint = torch.tensor([0.3, -0.1, -0.2])[:, None, None]
    torch.testing.assert_close(gan.discriminator(grey + tint), gan.discriminator(grey.expand(-1, 3, -1, -1)))


# ---- the textbook ---------------------------------------------------------------------------------------------------


def test_at_the_optimum_d_is_p_over_p_plus_q_and_v_is_minus_log_4():
    """Proposition 1 and theorem 1, by ascent: on six places, D's logits climb V until they stand still."""
    p = torch.tensor([0.30, 0.05, 0.15, 0.25, 0.05, 0.20])
    q = torch.tensor([0.10, 0.30, 0.15, 0.05, 0.20, 0.20])

    def value(logits, q):
        return (p * F.logsigmoid(logits)).sum() + (q * F.logsigmoid(-logits)).sum()

    logits = torch.zeros(6, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-9)

    def closure():
        optimizer.zero_grad()
        loss = -value(logits, q)
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(torch.sigmoid(logits.detach()), p / (p + q), atol=1e-4, rtol=1e-4)
    middle = (p + q) / 2
    jsd = ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()) / 2
    assert value(logits.detach(), q).item() == pytest.approx(-math.log(4) + 2 * jsd.item(), abs=1e-5)
    assert jsd > 0
    assert value(torch.zeros(6), p).item() == pytest.approx(-math.log(4))  # q = p: D = 1/2 everywhere


def test_the_saturating_gradient_vanishes_where_the_other_does_not():
    """Section 3: as D(G(z)) goes to 0, d/dlogit log(1 - D) = -D goes with it, and d/dlogit -log D = -(1 - D) to -1."""
    for logit in (-2.0, -8.0, -20.0):
        at = torch.full((1,), logit, dtype=torch.float64, requires_grad=True)
        (sat,) = torch.autograd.grad(-bce(at, False), at)
        (log,) = torch.autograd.grad(bce(at, True), at)
        belief = 1 / (1 + math.exp(-logit))
        assert sat.item() == pytest.approx(-belief)
        assert log.item() == pytest.approx(belief - 1)
    assert abs(sat.item()) < 1e-8
    assert abs(log.item()) > 0.999


def test_the_two_losses_of_g_meet_at_one_half():
    at = torch.zeros(1, requires_grad=True)
    (sat,) = torch.autograd.grad(-bce(at, False), at)
    (log,) = torch.autograd.grad(bce(at, True), at)
    assert sat.item() == pytest.approx(log.item())


# ---- the training step ----------------------------------------------------------------------------------------------


def moved(gan, batch, step):
    """Which network a step moved, and what it returned."""
    before = {k: v.clone() for k, v in gan.state_dict().items()}
    losses = gan.train_step((batch,), gan.optimizers(), step)
    changed = {k.split(".")[0] for k, v in gan.state_dict().items() if not torch.equal(v, before[k])}
    return changed, losses


def test_g_has_its_turn_after_k_steps_of_d():
    gan = GAN(replace(GAN.PLANE, k=3), shape=(2,)).train()
    x = torch.rand(8, 2)
    turns = []
    for step in range(6):
        changed, losses = moved(gan, x, step)
        assert "discriminator" in changed
        assert ("fool" in losses) == ("generator" in changed)
        turns.append("fool" in losses)
    assert turns == [False, False, True, False, False, True]


def test_several_steps_in_a_turn_are_as_many_steps_of_g():
    gan = GAN(replace(GAN.PLANE, turns=4), shape=(2,)).train()
    optimizers = gan.optimizers()
    gan.train_step((torch.rand(8, 2),), optimizers, 0)
    steps = {name: int(next(iter(o.state.values()))["step"]) for name, o in optimizers.items()}
    assert steps == {"generator": 4, "discriminator": 1}


def test_saturating_is_the_term_of_equation_1(plane):
    for saturating in (False, True):
        plane.config = replace(plane.config, saturating=saturating)
        _, losses = moved(plane, torch.rand(8, 2), 0)
        assert (losses["fool"] < 0) == saturating  # log(1 - D) is below 0, -log D above


def test_the_paper_s_own_optimizer_is_gradient_steps_with_momentum():
    gan = GAN(replace(GAN.TINY, momentum=0.7))
    assert all(isinstance(o, torch.optim.SGD) for o in gan.optimizers().values())
    assert gan.optimizers()["generator"].param_groups[0]["momentum"] == 0.7


def test_it_learns_all_eight_gaussians_and_collapses_with_ten_steps_a_turn():
    """What the page shows, by paper.py: 400 rounds reach the eight places; ten steps of G a turn leave one heap."""
    from studio.toys.points import covered

    reached, wide = {}, {}
    for turns in (1, 10):
        torch.manual_seed(1)
        gan = GAN(replace(GAN.PLANE, turns=turns), shape=(2,)).train()
        optimizers, rng, data = gan.optimizers(), np.random.default_rng(1), Points("toy:gaussians", gan.config)
        for step in range(400 if turns == 1 else 150):
            gan.train_step(data.endless(rng, gan.config.batch), optimizers, step)
        with torch.no_grad():
            made = gan.generator(gan.noise(500))
        reached[turns], wide[turns] = covered(made.numpy()), (made - made.mean(0)).norm(dim=1).mean().item()
    assert reached[1] >= 7
    assert reached[10] <= 2
    assert wide[10] < 0.3 < wide[1]


# ---- its verbs ------------------------------------------------------------------------------------------------------


def test_noise_is_normal(gan):
    z = gan.noise(4000)
    assert z.mean().item() == pytest.approx(0, abs=0.02)
    assert z.std().item() == pytest.approx(1, rel=0.02)


def test_a_walk_begins_and_ends_at_its_seeds_and_stays_at_one(gan):
    walk = gan.walk([3, 9], steps=4)
    for at, seed in ((0, 3), (-1, 9)):
        assert np.abs(np.asarray(walk[at], int) - np.asarray(gan.sample(seed), int)).max() <= 1
    alone = gan.sample(5)
    for each in gan.walk([5, 5], steps=3):
        assert np.abs(np.asarray(each, int) - np.asarray(alone, int)).max() <= 1


def test_the_nearest_real_picture_is_the_nearest():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, size=28)).eval().requires_grad_(False)
    found = gan.nearest(seed=4, count=3)
    assert len(found.made) == len(found.real) == len(found.apart) == 3
    assert np.array_equal(np.asarray(found.made[1]), np.asarray(gan.sample(5)))
    made = np.asarray(found.made[0].convert("L"), float)
    away = np.abs(real.tiles("digits") - made).mean(axis=(1, 2)) / 255
    assert found.apart[0] == pytest.approx(away.min(), abs=0.003)
    assert np.array_equal(np.asarray(found.real[0])[..., 0], real.tiles("digits")[away.argmin()])
    assert found.apart[0] > 2 * found.usual  # an untrained one makes fog
    assert jsonable(found)["made"][0].startswith("data:image/png")


def test_a_real_picture_has_itself_as_its_nearest(monkeypatch):
    gan = GAN(replace(GAN.TINY, size=28)).eval().requires_grad_(False)
    tile = torch.from_numpy(np.array(real.tiles("digits")[7])).float()[None, None].expand(1, 3, -1, -1) / 127.5 - 1
    monkeypatch.setattr(gan, "drawn", lambda z: tile)
    found = gan.nearest(seed=1, count=1)
    assert found.apart == [0.0]
    assert np.array_equal(np.asarray(found.real[0]), np.asarray(to_pictures(tile)[0]))
    assert 0.02 < found.usual < 0.2


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [({"count": 0}, "count"), ({"count": 65}, "count"), ({"among": "faces"}, "digits"), ({"among": "../x"}, "digits")],
)
def test_neighbours_that_can_not_be(gan, asked, sentence):
    with pytest.raises(ValueError, match=sentence):
        gan.nearest(**asked)


def test_judge_looks_at_any_picture(gan):
    for size in [(16, 16), (1, 1), (300, 20)]:
        assert 0 <= gan.judge(Image.new("RGB", size, "white")).real <= 1
    gan.discriminator = None
    with pytest.raises(ValueError, match="nobody to judge"):
        gan.judge(Image.new("RGB", (8, 8)))


def test_the_verbs_are_those_of_noise_and_two_of_its_own():
    assert list(verbs(GAN)) == ["sample", "walk", "between", "wall", "film", "nearest", "judge"]


def test_it_learns_from_the_built_in_digits():
    data = Images("real:digits", GAN.TINY)
    gan = GAN(GAN.TINY).train()
    losses = gan.train_step(data.batch(range(8), [None] * 8), gan.optimizers(), 0)
    assert set(losses) == {"real", "fake", "fool"}
