"""WGAN: the critic's estimate is a distance, clipped weights lie in their box, RMSProp, and the duel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studio import checkpoints
from studio.gans.wgan import GAN
from studio.gans.wgan.paper import Config, Convolutions, Critic, Perceptron
from studio.images import Image
from studio.losses import clip_weights
from studio.training.duel import fight, plain_optimizers, plain_step
from studio.verbs import verbs


class Mass(nn.Module):
    """A generator that puts all its mass on one point of the plane; `Linear` is a critic that is as steep anywhere."""

    def __init__(self, place: tuple[float, float]) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([place]))

    def forward(self, z: Tensor) -> Tensor:
        return self.place.expand(len(z), -1)


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.01, -0.02]))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.w


def two_masses(place: tuple[float, float], **how) -> GAN:
    """The GAN's own training step between a mass at 0 (real) and one at ``place`` (made)."""
    gan = GAN(Config(size=16, z=2, width=4, critic_width=4, **how))
    gan.generator, gan.critic = Mass(place), Linear()
    return gan


def trained(gan: GAN, steps: int) -> Tensor:
    """The critic's estimate once it is trained; the generator is held still."""
    players = gan.optimizers()
    for group in players["generator"].param_groups:
        group["frozen"] = True
    for step in range(steps):
        losses = gan.train_step((torch.zeros(4, 2),), players, step)
    return -losses["critic"]


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval().requires_grad_(False)


def test_the_estimate_is_the_wasserstein_distance_times_the_slope():
    """The textbook's sentence: of two point masses |a - b| apart, W = |a - b|; what the trained critic says is K W,
    with K its Lipschitz constant."""
    gan = two_masses((-0.6, -0.6), clip=0.05, lr=1e-3)
    estimate = trained(gan, 200)
    slope, distance = gan.critic.w.norm().item(), math.hypot(0.6, 0.6)
    assert estimate.item() == pytest.approx(slope * distance, rel=1e-5)
    assert gan.critic.w.tolist() == pytest.approx([0.05, 0.05])  # in a corner of the box: as steep as it may be


def test_clipping_knows_no_direction():
    """The same two masses side by side: the box lets the critic be steep in a direction that does not matter, so what
    it says depends on the axes; clipping is no true bound of the slope."""
    gan = two_masses((-math.hypot(0.6, 0.6), 0.0), clip=0.05, lr=1e-3)
    assert trained(gan, 200).item() == pytest.approx(0.05 * math.hypot(0.6, 0.6), rel=1e-4)  # was 0.05 * 1.2


def test_far_apart_log_loss_has_no_slope_left_and_the_distance_has():
    """Why a discriminator that has won teaches nothing, and a critic does (section 2, example 1; figure 2)."""
    x = torch.tensor([[-30.0]], requires_grad=True)  # made; the real mass is at 0
    (log,) = torch.autograd.grad(F.softplus(x).sum(), x)  # -log(1 - D), D sure of it
    (distance,) = torch.autograd.grad((-x).sum(), x)  # a critic of slope 1
    assert log.abs().item() < 1e-12
    assert distance.abs().item() == 1


def test_every_weight_is_within_the_box_and_many_at_its_ends():
    torch.manual_seed(0)
    gan = GAN(Config(size=16, z=4, width=4, critic_width=4, n_critic=1, batch=8, clip=0.02, lr=2e-3))
    assert all(p.abs().max() <= 0.02 for p in gan.critic.parameters())  # from the beginning
    players, batch = gan.optimizers(), (torch.rand(8, 3, 16, 16) * 2 - 1,)
    for step in range(40):
        gan.train_step(batch, players, step)
        assert all(p.abs().max() <= 0.02 for p in gan.critic.parameters())
    assert gan.weights().share > 0.3
    outside = nn.Linear(3, 3)
    clip_weights(outside, 0.1)
    assert outside.weight.abs().max() <= 0.1
    assert max(p.abs().max() for p in gan.generator.parameters()) > 0.02  # the generator is free


def test_the_players_use_rmsprop_as_in_algorithm_1():
    players = GAN(Config(size=16, width=4, critic_width=4)).optimizers()
    assert all(isinstance(player, torch.optim.RMSprop) for player in players.values())
    assert all(player.param_groups[0]["lr"] == 5e-5 for player in players.values())
    assert (Config().clip, Config().n_critic, Config().batch) == (0.01, 5, 64)


# ---- networks and verbs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("net", ["convolutions", "mlp"])
def test_every_size_comes_out_and_is_judged(size, net):
    config = Config(size=size, z=4, net=net, width=4, hidden=8, critic_width=4)
    generator = {"convolutions": Convolutions, "mlp": Perceptron}[net](config).eval()
    picture = generator(torch.randn(2, 4))
    assert picture.shape == (2, 3, size, size)
    assert picture.abs().max() <= 1
    assert Critic(config)(picture).shape == (2,)


def test_the_papers_perceptron_has_four_hidden_layers_of_512_and_no_norm():
    with torch.device("meta"):
        net = Perceptron(Config(net="mlp"))
    assert [(each.in_features, each.out_features) for each in net.layers] == [(100, 512), *[(512, 512)] * 3]
    assert not any("Norm" in type(m).__name__ for m in [*net.modules(), *Critic(Config(critic_width=4)).modules()])


def test_the_critic_takes_more_steps_than_the_generator():
    gan = GAN(Config(size=16, z=4, width=4, critic_width=4, n_critic=5, batch=4)).train()
    players, batch = gan.optimizers(), (torch.zeros(4, 3, 16, 16),)
    moved = []
    for step in range(10):
        before = gan.generator.ups[0].weight.detach().clone()
        assert "critic" in (losses := gan.train_step(batch, players, step))
        moved.append(not torch.equal(before, gan.generator.ups[0].weight))
        assert ("fool" in losses) == moved[-1]
    assert moved == [True, False, False, False, False] * 2


def test_weights_in_a_histogram(gan):
    found = gan.weights()
    every = torch.cat([p.flatten() for p in gan.critic.parameters()])
    assert sum(found.counts) == len(every)
    assert found.largest == pytest.approx(float(every.abs().max()))
    assert len(found.edges) == len(found.counts) + 1
    assert found.share == pytest.approx(float((every.abs() >= 0.99 * every.abs().max()).float().mean()))


def test_slopes_between_pairs_are_those_of_the_critic(gan):
    class Steep(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 3 * x.flatten(1)[:, 0] + 4 * x.flatten(1)[:, 1]

    gan.critic = Steep()
    with torch.inference_mode():  # as the server asks
        found = gan.pairs(Image.new("RGB", (20, 20), "white"), seed=3, count=5)
    assert found.slopes == pytest.approx([5.0] * 5, rel=1e-5)
    assert len(found.at) == 5
    assert all(0 <= at < 1 for at in found.at)
    assert found.at != gan.pairs(Image.new("RGB", (20, 20)), seed=4, count=5).at
    for wrong in (0, 17):
        with pytest.raises(ValueError, match="count"):
            gan.pairs(Image.new("RGB", (20, 20)), count=wrong)


def test_criticism_and_a_checkpoint_without_a_critic(gan):
    found = gan.criticise(Image.new("RGB", (30, 10), "white"))
    assert len(found.made) == 31
    assert found.made == sorted(found.made)
    gan.critic = None
    for ask in (lambda: gan.criticise(Image.new("RGB", (8, 8))), gan.weights):
        with pytest.raises(ValueError, match="no critic"):
            ask()


def test_walks_are_great_circles_and_end_at_their_seeds(gan):
    walk = gan.walk([3, 9], steps=2)
    for at, seed in ((0, 3), (-1, 9)):
        assert np.abs(np.asarray(walk[at], int) - np.asarray(gan.sample(seed), int)).max() <= 1
    a, b = torch.randn(2, 1, 64)
    half = gan.way(a, b, torch.tensor([[0.5]]))
    assert half.norm() == pytest.approx(float((a.norm() + b.norm()) / 2), rel=0.1)
    assert {"criticise", "weights", "pairs", "sample", "walk"} <= set(verbs(GAN))


# ---- the duel -------------------------------------------------------------------------------------------------------


def test_the_other_arm_plays_the_first_gans_game(gan):
    gan.requires_grad_(True)
    gan.critic.value.weight.data.zero_()
    gan.critic.value.bias.data.zero_()
    losses = plain_step(gan, (torch.zeros(4, 3, 16, 16),), plain_optimizers(gan), 0)
    assert losses["judge"].item() == pytest.approx(2 * math.log(2))  # it knows nothing yet


def test_a_duel_is_fair(monkeypatch):
    """Both arms begin with the same weights, and are looked at at the same seconds with the same z."""
    monkeypatch.setattr("studio.training.duel.SHOTS", (0,))
    found, sheets = fight(GAN, GAN.TINY, "toy:digits", 0.01)
    assert found["seconds"] == [0]
    assert set(found["arms"]) == {"plain", "own"}
    for arm in found["arms"].values():
        assert len(arm["seen"]) == 1
        assert 1 <= arm["seen"][0]["classes"] <= 10
        assert len(arm["seen"][0]["made"]) == len(arm["seen"][0]["real"])
    assert sheets.width > sheets.height


# ---- what ships -----------------------------------------------------------------------------------------------------


def test_the_shipped_one_is_small_and_has_its_duel():
    folder, card = checkpoints.folder("wgan", "digits"), checkpoints.card("wgan", "digits")
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) < 2_000_000
    assert (folder / "duel.webp").is_file()
    duel = card["duel"]
    last = {arm: told["seen"][-1] for arm, told in duel["arms"].items()}
    assert duel["seconds"][-1] == 60
    assert last["own"]["classes"] >= 5
    weights = checkpoints.load("wgan", "digits").weights()
    assert weights.largest <= card["config"]["clip"] * 1.001
    assert weights.share > 0.1
