"""StyleGAN: growth, AdaIN, styles, noise, both games."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.utils import _pytree

from studio.data import Images
from studio.gans.stylegan import GAN
from studio.gans.stylegan.paper import SOFT, Block, Config, Discriminator, Layer, Mapping, Synthesis, faded, growth
from studio.layers import blur
from studio.training import loop as training


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(replace(GAN.TINY, size=32)).eval().requires_grad_(False)


# ---- growth ---------------------------------------------------------------------------------------------------------


def test_growth_is_stable_then_fades_and_so_on():
    config = Config(size=64, start=8, stable=100, fade=50)
    expected = {0: 0, 99: 0, 100: 0, 125: 0.5, 150: 1, 249: 1, 250: 1, 275: 1.5, 300: 2, 425: 2.5, 450: 3, 10**9: 3}
    for seen, doublings in expected.items():
        assert growth(config, seen) == pytest.approx(doublings), seen
    assert growth(replace(config, start=64), 10**9) == 0
    way = [growth(config, seen) for seen in range(1000)]
    assert way == sorted(way)


def test_a_new_size_is_faded_in_without_a_jump(gan):
    """At alpha = 0 and 1 both sides of a doubling agree; in between the picture is the mixture of both paths."""
    ws, noise = torch.randn(2, gan.synthesis.styles, 16), gan.synthesis.noise(2)

    def at(grown):
        return gan.synthesis(ws, noise, grown)

    before, after = at(1.0), at(2.0)
    torch.testing.assert_close(at(1.25), torch.lerp(before, after, 0.25), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(at(1 + 1 / 256), before, atol=0.05, rtol=0.05)
    assert not torch.allclose(before, after, atol=1e-2)
    small = F.avg_pool2d(at(0.0), 4)
    torch.testing.assert_close(F.interpolate(small, scale_factor=4), at(0.0))  # 8 px, enlarged


def test_the_discriminator_fades_its_own_way_in(gan):
    picture = torch.randn(4, 3, 32, 32)
    verdicts = {grown: gan.discriminator(picture, grown) for grown in (1.0, 1.5, 2.0)}
    features, judge = {}, gan.discriminator
    hook = judge.blocks[2].register_forward_hook(lambda *_: features.update(entered=True))
    assert not torch.allclose(verdicts[1.0], verdicts[1.5]) and not torch.allclose(verdicts[1.5], verdicts[2.0])
    judge(picture, 1.0)
    assert not features  # the largest block has no say yet
    judge(picture, 1.001)
    assert features
    hook.remove()
    torch.testing.assert_close(judge(picture, 1 + 1e-6), judge(picture, 1.0), atol=1e-3, rtol=1e-3)


def test_real_pictures_are_as_sharp_as_made_ones_can_be():
    torch.manual_seed(0)
    real = torch.randn(2, 3, 32, 32)
    assert torch.equal(faded(real, 2.0, 8), real)
    torch.testing.assert_close(faded(real, 0.0, 8), F.interpolate(F.avg_pool2d(real, 4), scale_factor=4))
    half = torch.lerp(faded(real, 1.0, 8), real, 0.5)
    torch.testing.assert_close(faded(real, 1.5, 8), half)


def test_training_grows_by_the_pictures_it_has_seen():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()  # 8 pictures stable, 16 to fade, 4 a step
    optimizers, batch, reached = gan.optimizers(), (torch.rand(4, 3, 16, 16),), []
    before = gan.synthesis.layers[-1].conv.weight.clone()
    for step in (0, 2, 4, 6, 100):
        gan.train_step(batch, optimizers, step)
        reached.append(float(gan.synthesis.grown))
        if step == 2:
            assert torch.equal(before, gan.synthesis.layers[-1].conv.weight)  # not yet in the game
    assert reached == [0, 0, 0.5, 1, 1]
    assert not torch.equal(before, gan.synthesis.layers[-1].conv.weight)


def test_an_averaged_growth_that_is_nearly_whole_counts_as_whole(gan):
    ws = torch.randn(1, gan.synthesis.styles, 16)
    whole = gan.synthesis(ws)
    gan.synthesis.grown.fill_(1.9999)
    assert torch.equal(gan.synthesis(ws), whole)


def test_fade_shows_both_paths(gan):
    gan.synthesis.grown.fill_(1.25)
    shown = gan.fade(3)
    assert shown.alpha == 0.25
    assert shown.sizes == (16, 32)
    assert shown.before.tobytes() != shown.new.tobytes()
    assert gan.fade(3, 0.0).mixture.tobytes() == shown.before.tobytes()
    assert gan.fade(3, 1.0).mixture.tobytes() == shown.new.tobytes()
    assert gan.fade(3, 1.0, 1).mixture.tobytes() == shown.before.tobytes()
    for ask, sentence in (((3, 1.5), "alpha = 1.5"), ((3, 0.5, 3), "choose 1 to 2"), ((3, 0.5, 0), "choose 1 to 2")):
        with pytest.raises(ValueError, match=sentence):
            gan.fade(*ask)
    with pytest.raises(ValueError, match="never grew"):
        GAN(replace(GAN.TINY, start=16)).fade()
    with pytest.raises(ValueError, match="start = 64"):
        GAN(replace(GAN.TINY, start=64))


# ---- the networks ---------------------------------------------------------------------------------------------------


def test_the_papers_networks_have_the_papers_size():
    """FFHQ at 1024 px: the generator has 26.2 M parameters (section 2), the discriminator 23.1 M (ProGAN's)."""
    with torch.device("meta"):
        config = Config(size=1024)
        parts = [sum(p.numel() for p in net(config).parameters()) for net in (Mapping, Synthesis, Discriminator)]
    assert round(sum(parts[:2]) / 1e6, 1) == 26.2
    assert round(parts[2] / 1e6, 1) == 23.1


def test_adain_gives_each_map_the_styles_mean_and_deviation():
    torch.manual_seed(0)
    layer = Layer(Config(size=16, width=64, w=8), 6, 8)
    w = torch.randn(3, 8)
    made = layer(torch.randn(3, 6, 8, 8) * 9 + 2, w, torch.randn(1, 1, 8, 8))
    size, shift = layer.style(w).chunk(2, dim=1)
    torch.testing.assert_close(made.mean(dim=(2, 3)), shift, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(made.std(dim=(2, 3), correction=0), (1 + size).abs(), atol=1e-4, rtol=1e-4)


def test_a_spike_silences_the_rest_of_its_map():
    """What StyleGAN2's paper calls droplets: to draw strongly in one place makes all the rest of the map weak."""
    torch.manual_seed(0)
    layer = Layer(Config(size=16, width=256, cap=16, w=8), 16, 16)
    x, w, still = torch.randn(1, 16, 16, 16), torch.randn(1, 8), torch.zeros(1, 1, 16, 16)
    spiked = x.clone()
    spiked[..., 8, 8] += 500
    plain, droplet = layer(x, w, still)[..., :5, :5], layer(spiked, w, still)[..., :5, :5]
    assert droplet.std(dim=(2, 3)).mean() < 0.3 * plain.std(dim=(2, 3)).mean()


def test_doubling_is_bilinear():
    """Nearest neighbour and the filter 1 2 1; the convolution in between changes nothing if it is the identity."""
    x = torch.randn(1, 2, 8, 8)
    made = blur(F.interpolate(x, scale_factor=2), SOFT, (1, 1))
    smooth = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(made[..., 1:-1, 1:-1], smooth[..., 1:-1, 1:-1], atol=1e-5, rtol=1e-5)


def test_halving_is_convolution_then_the_mean_of_two_by_two():
    torch.manual_seed(0)
    block = Block(3, 5)
    torch.nn.init.normal_(block.second.bias)
    x = torch.randn(2, 3, 8, 8)
    y = blur(F.leaky_relu(block.first(x), 0.2), SOFT, (1, 1))
    by_hand = F.conv2d(y, block.second.weight * block.second.scale, padding=1)
    by_hand = F.leaky_relu(F.avg_pool2d(by_hand, 2) + block.second.bias[:, None, None], 0.2)
    torch.testing.assert_close(block(x), by_hand, atol=1e-5, rtol=1e-5)


def test_every_layer_hears_its_own_style_and_noise(gan):
    ws, noise = torch.randn(1, gan.synthesis.styles, 16), gan.synthesis.noise(1)
    for layer in gan.synthesis.layers:
        layer.strength.fill_(0.7)
    plain, at = gan.synthesis(ws, 0 * noise), 0
    for k, size in enumerate(gan.synthesis.sizes):
        other, part = ws.clone(), 0 * noise
        other[:, k] += 1
        part[:, at : at + size] = noise[:, at : at + size]
        assert not torch.allclose(gan.synthesis(other, 0 * noise), plain, atol=1e-4), k
        assert not torch.allclose(gan.synthesis(ws, part), plain, atol=1e-4), k
        at += size


def test_mixing_crosses_over_among_the_layers_that_draw(gan):
    ws = gan.styles(500, 0.0)  # at 8 px: four layers
    changes = (ws[:, 1:] != ws[:, :-1]).any(dim=2).any(dim=0)
    assert changes.tolist() == [True] * 3 + [False] * 4


# ---- the games ------------------------------------------------------------------------------------------------------


def test_both_games_play_and_differ():
    batch = (torch.rand(4, 3, 16, 16),)
    found = {}
    for loss in ("non-saturating", "wgan-gp"):
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, loss=loss, stable=0)).train()
        torch.nn.init.zeros_(gan.discriminator.verdict.weight)
        found[loss] = {k: float(v.detach()) for k, v in gan.train_step(batch, gan.optimizers(), 100).items()}
    plain, wasserstein = found["non-saturating"], found["wgan-gp"]
    assert plain["discriminator"] == pytest.approx(2 * math.log(2), rel=1e-5)  # it is guessing
    assert wasserstein["discriminator"] == pytest.approx(0, abs=1e-6)
    assert (plain["steep"], wasserstein["steep"]) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-5))


def test_r1_may_come_now_and_then():
    gan = GAN(replace(GAN.TINY, penalty_every=3)).train()
    optimizers, batch = gan.optimizers(), (torch.rand(4, 3, 16, 16),)
    seen = ["steep" in gan.train_step(batch, optimizers, step) for step in range(4)]
    assert seen == [True, False, False, True]
    off = GAN(replace(GAN.TINY, penalty=0.0)).train()
    assert set(off.train_step(batch, off.optimizers(), 0)) == {"discriminator", "fool"}


def test_a_resumed_training_is_the_one_that_never_stopped():
    """Also while a size is being faded in."""

    def run(parts):
        torch.manual_seed(0)
        state = None
        for steps in parts:
            gan, saved = GAN(GAN.TINY), []
            list(training.train(gan, Images("toy:shoes", gan.config), steps=steps, resume=state, save=saved.append))
            state = _pytree.tree_map(lambda v: v.clone() if isinstance(v, torch.Tensor) else v, saved[-1])
        return state

    whole, parts = run([7]), run([4, 7])
    assert 0 < whole["gan"]["synthesis.grown"] <= 1
    for group in ("gan", "shown"):
        for name, value in whole[group].items():
            assert torch.equal(value, parts[group][name]), name


@pytest.mark.parametrize("loss", ["non-saturating", "wgan-gp"])
def test_a_step_in_half_precision_is_finite(loss):
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, loss=loss)).train()
    with torch.autocast("cpu", torch.bfloat16):
        for step in (0, 4, 100):
            losses = gan.train_step((torch.rand(4, 3, 16, 16),), gan.optimizers(), step)
            assert all(torch.isfinite(v) for v in losses.values())
    assert all(v.dtype == torch.float32 for v in gan.state_dict().values())
