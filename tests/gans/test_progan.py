"""ProGAN: growth, fading on both sides, the three tricks, what is refused, an exact resume across a growth step."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from studio import checkpoints
from studio.data import Images
from studio.gans.progan import GAN
from studio.gans.progan.paper import Config, Discriminator, Generator, faded, growth, halved
from studio.images import Image
from studio.layers import minibatch_stddev
from studio.training import loop as training
from studio.training.runs import changed
from studio.verbs import verbs

PARITY = Path(__file__).parents[1] / "parity" / "progan.json"


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(replace(GAN.TINY, size=32)).eval().requires_grad_(False)


# ---- the textbook's sentences ---------------------------------------------------------------------------------------


def test_a_new_layer_does_not_disturb_the_old_ones(gan):
    """The textbook's sentence: as alpha begins at 0, the picture is the old one, doubled, whatever the new layers
    draw; at 1 the old outlet has no say; in between both are added, (1 - alpha) and alpha."""
    z = torch.randn(3, 16)
    before, after = gan.generator(z, 2.0), gan.generator(z, 3.0)
    for alpha in (1 / 256, 0.25, 0.5, 0.75):
        torch.testing.assert_close(gan.generator(z, 2 + alpha), torch.lerp(before, after, alpha), atol=1e-5, rtol=1e-5)
    gan.generator.blocks[2].second.weight.mul_(1000)  # nonsense in the new layers
    torch.testing.assert_close(gan.generator(z, 2.0), before)
    gan.generator.colours[2].weight.mul_(1000)  # nonsense in the old outlet
    wild = gan.generator(z, 3.0)
    gan.generator.colours[2].weight.div_(1000)
    torch.testing.assert_close(gan.generator(z, 3.0), wild)


def test_the_networks_are_mirror_images():
    """What G puts on at its end, D puts on at its beginning: as many maps at each size, both ways."""
    config = Config(size=64, width=2048, cap=256)
    with torch.device("meta"):
        g, d = Generator(config), Discriminator(config)
    assert [c.weight.shape[1] for c in g.colours] == [c.weight.shape[0] for c in d.colours] == [256, 256, 128, 64, 32]
    for up, down in zip(g.blocks, d.blocks, strict=True):
        assert up.first.weight.shape[:2] == down.second.weight.shape[:2][::-1]
        assert up.second.weight.shape == down.first.weight.shape


def test_the_papers_networks_have_the_papers_size():
    """At 1024 px each has about 23.1 M parameters (table 2)."""
    with torch.device("meta"):
        parts = [sum(p.numel() for p in net(Config(size=1024)).parameters()) for net in (Generator, Discriminator)]
    assert [round(n / 1e6, 1) for n in parts] == [23.1, 23.1]


def test_the_papers_settings():
    config = Config()
    assert (config.start, config.stable, config.fade, config.n_critic) == (4, 800_000, 800_000, 1)
    assert (config.gp, config.drift, config.lr, config.ema) == (10, 0.001, 1e-3, 0.999)
    assert config.stddev and config.pixel_norm and config.equalised
    assert not (config.eyes or config.outlets)
    players = GAN(GAN.TINY).optimizers()
    assert all(player.param_groups[0]["betas"] == (0.0, 0.99) for player in players.values())


# ---- growth ---------------------------------------------------------------------------------------------------------


def test_growth_is_stable_then_fades_and_so_on():
    config = Config(size=32, stable=100, fade=50)
    expected = {0: 0, 99: 0, 100: 0, 125: 0.5, 150: 1, 249: 1, 250: 1, 275: 1.5, 300: 2, 425: 2.5, 450: 3, 10**9: 3}
    for seen, doublings in expected.items():
        assert growth(config, seen) == pytest.approx(doublings), seen
    assert growth(replace(config, start=8), 0) == 1  # doublings are of 4 px, wherever it begins
    assert growth(replace(config, start=32), 0) == growth(replace(config, start=32), 10**9) == 3
    way = [growth(config, seen) for seen in range(1000)]
    assert way == sorted(way)


def test_real_pictures_are_as_sharp_as_made_ones_can_be():
    torch.manual_seed(0)
    real = torch.randn(2, 3, 32, 32)
    assert torch.equal(faded(real, 3.0), real)
    torch.testing.assert_close(faded(real, 0.0), F.interpolate(F.avg_pool2d(real, 8), scale_factor=8))
    torch.testing.assert_close(faded(real, 2.5), torch.lerp(faded(real, 2.0), real, 0.5))
    for grown in (0.3, 1.0, 1.7, 2.0):  # nothing is in them that a made picture of that stage could not show
        side = 4 << math.ceil(grown)
        torch.testing.assert_close(F.interpolate(F.avg_pool2d(faded(real, grown), 32 // side), size=(32, 32)),
                                   faded(real, grown))  # fmt: skip


def test_the_discriminator_fades_the_other_way(gan):
    torch.manual_seed(1)
    picture, judge = torch.randn(4, 3, 32, 32), gan.discriminator
    entered = []
    hook = judge.blocks[2].register_forward_hook(lambda *_: entered.append(True))
    before = judge(picture, 2.0)
    assert not entered  # the largest block has no say yet
    near = judge(picture, 2 + 1e-6)
    assert entered
    hook.remove()
    torch.testing.assert_close(near, before, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(judge(picture, 2.5), before, atol=1e-4)
    torch.testing.assert_close(judge(picture, 3 - 1e-6), judge(picture, 3.0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(judge(picture), judge(picture, 3.0))


def test_training_grows_by_the_pictures_it_has_seen():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()  # 8 pictures stable, 16 to fade, 4 a step
    optimizers, batch, reached = gan.optimizers(), (torch.rand(4, 3, 16, 16),), []
    before = gan.generator.blocks[-1].second.weight.clone()
    for step in (0, 2, 4, 6, 100):
        gan.train_step(batch, optimizers, step)
        reached.append(float(gan.generator.grown))
        if step == 6:
            assert torch.equal(before, gan.generator.blocks[-1].second.weight)  # not yet in the game
    assert reached == [0, 0, 0.5, 1, 2]
    assert not torch.equal(before, gan.generator.blocks[-1].second.weight)


def test_an_averaged_growth_that_is_nearly_whole_counts_as_whole(gan):
    z = torch.randn(2, 16)
    whole = gan.generator(z)
    gan.generator.grown.fill_(2.9999)
    assert torch.equal(gan.generator(z), whole)


@pytest.mark.parametrize("stop", [1, 3, 5, 8])
def test_a_training_that_was_stopped_across_a_growth_step_goes_on_exactly(stop):
    """Steps 2 to 5 fade 8 px in, 8 to 11 fade 16 px in: stopped at, in and between them."""
    data = Images("toy", GAN.TINY)

    def run(steps: int, resume: dict | None = None) -> dict:
        torch.manual_seed(0)
        kept: list[dict] = []
        told = list(training.train(GAN(GAN.TINY), data, steps=steps, resume=resume, save=kept.append))
        assert told[-1].how == "finished"
        return kept[-1]

    straight, resumed = run(11), run(11, run(stop))
    assert straight["step"] == resumed["step"] == 11
    for part in ("gan", "shown"):
        assert all(torch.equal(v, resumed[part][name]) for name, v in straight[part].items()), part


# ---- the three tricks -----------------------------------------------------------------------------------------------


def test_pixel_norm_makes_all_features_as_long(gan):
    found = gan.lengths(3)
    assert found.mean == pytest.approx([1.0] * 8, abs=1e-3)
    assert found.longest == pytest.approx([1.0] * 8, abs=1e-3)
    loose = gan.lengths(3, normalised=False)
    assert max(loose.mean) < 0.9 or max(loose.longest) > 1.1
    torch.manual_seed(0)
    without = GAN(replace(GAN.TINY, size=32, pixel_norm=False)).eval().requires_grad_(False)
    features = without.generator.features(without.noises([3]), 3)[-1]
    assert features.square().mean(1).sqrt().mean() == pytest.approx(loose.mean[-1], rel=1e-4)


def test_with_the_equalised_rate_a_step_is_the_same_share_of_every_layer(gan):
    found = gan.paces()
    assert len(found.layers) == len(found.equalised) == len(found.usual) == 2 + 2 * 3 + 4
    assert found.equalised == pytest.approx([1e-3] * len(found.layers), rel=0.6)  # few weights: N(0, 1) by chance
    assert max(found.usual) / min(found.usual) > 2


def test_switched_off_the_first_picture_is_the_same_and_the_first_step_is_not():
    """Scaled when used or once at the start, the function is the same; what a step does to it is not."""
    made = {}
    for equalised in (True, False):
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, equalised=equalised))
        z = torch.randn(2, 16)
        for batch in range(2):
            made[equalised, batch] = gan.generator(z, 2.0).detach()
            gan.train_step((torch.zeros(4, 3, 16, 16),), gan.optimizers(), 100)
    torch.testing.assert_close(made[True, 0], made[False, 0], atol=1e-5, rtol=1e-4)
    moved = {key: float((made[key, 1] - made[key, 0]).abs().mean()) for key in (True, False)}
    assert moved[False] > 2 * moved[True]


def test_the_standard_deviation_tells_a_crowd_from_copies(gan):
    assert gan.crowd(1, 0.0).spread > 1.5 * gan.crowd(1, 0.8).spread > 100 * gan.crowd(1, 1.0).spread
    same = gan.crowd(1, 1.0)
    assert same.spread == pytest.approx(1e-4, rel=1e-3)  # nothing but the root of the tiny constant
    varied = gan.crowd(1, 0.0)
    assert varied.value != pytest.approx(varied.without)
    x = torch.randn(4, 5, 4, 4)
    plane = minibatch_stddev(x)[:, -1]
    by_hand = x.std(0, correction=0).mean()
    torch.testing.assert_close(plane, by_hand.expand(4, 4, 4), atol=1e-5, rtol=1e-5)
    blind = Discriminator(replace(gan.config, stddev=False))
    pictures = torch.randn(3, 3, 32, 32)
    alone = [blind(picture[None], 3.0) for picture in pictures]
    torch.testing.assert_close(blind(pictures, 3.0), torch.cat(alone))


# ---- the game -------------------------------------------------------------------------------------------------------


def test_drift_keeps_the_numbers_near_0_and_the_penalty_is_off_when_told_so():
    gan = GAN(replace(GAN.TINY, gp=0.0)).train()
    torch.nn.init.constant_(gan.discriminator.value.bias, 5.0)
    losses = gan.train_step((torch.zeros(4, 3, 16, 16),), gan.optimizers(), 0)
    assert set(losses) == {"discriminator", "drift", "fool"}
    assert losses["drift"].item() == pytest.approx(25, rel=0.5)
    assert abs(losses["discriminator"].item()) < 2  # a shift of all numbers is no advantage


def test_the_discriminator_may_take_more_steps():
    gan = GAN(replace(GAN.TINY, n_critic=3)).train()
    players, batch = gan.optimizers(), (torch.zeros(4, 3, 16, 16),)
    assert ["fool" in gan.train_step(batch, players, step) for step in range(6)] == [True, False, False] * 2


def test_outlets_follow_the_picture_and_change_nothing_else():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()
    z, net = torch.randn(8, 16), gan.generator
    before = net(z, 2.0).detach()
    optimizer = torch.optim.Adam(net.parameters(), 0.05)
    first = None
    for _ in range(150):
        loss = net.apart(z, 2)
        first = first if first is not None else loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2 * first
    torch.testing.assert_close(net(z, 2.0), before)
    assert (net.at(z, 1) - halved(net.at(z, 2))).square().mean() < 0.2 * first
    assert net.apart(z, 0).item() == 0


# ---- verbs ----------------------------------------------------------------------------------------------------------


def test_one_noise_at_every_size(gan):
    found = gan.sizes(7)
    assert found.sides == [4, 8, 16, 32]
    assert [picture.size for picture in found.pictures] == [(side, side) for side in found.sides]
    assert np.array_equal(np.asarray(found.pictures[-1]), np.asarray(gan.sample(7)))
    gan.generator.grown.fill_(1.25)  # in mid-growth: what it has not reached is not shown
    assert gan.sizes(7).sides == [4, 8, 16]


def test_fading_by_hand_is_what_the_training_does(gan):
    made = gan.fade(3, 0.25, 16)
    assert made.sides == (8, 16)
    mixture = F.avg_pool2d(gan.generator(gan.noises([3]), 1.25), 2)
    expected = ((mixture[0].permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round()
    assert np.abs(np.asarray(made.mixture, float) - expected.numpy()).max() <= 1
    assert gan.fade(3, 0.0).mixture.tobytes() == gan.fade(3, 0.0).before.tobytes()
    assert gan.fade(3, 1.0).mixture.tobytes() == gan.fade(3).new.tobytes()


@pytest.mark.parametrize("size", [(33, 77), (100, 61), (7, 7), (640, 480)])
def test_real_pictures_of_any_size_are_faded(gan, size):
    """Sizes that are no power of two: the middle square is taken and brought to one that is."""
    picture = Image.effect_noise(size, 90).convert("RGB")
    for side in (8, 16, 32):
        found = gan.fade_real(picture, 0.5, side)
        assert found.mixture.size == found.before.size == found.new.size == (side, side)
        pairs = np.asarray(found.before).reshape(side // 2, 2, side // 2, 2, 3)
        assert (pairs == pairs[:, :1, :, :1]).all()  # every pixel four times


@pytest.mark.parametrize("size", [0, 1, 12, 48, 100, 127, 2048])
def test_a_size_that_can_not_be_grown_to_is_refused(size):
    for wrong in ({"size": size}, {"start": size}):
        with pytest.raises(ValueError, match=rf"{size}.*8, 16, 32, 64|{size}.*4, 8, 16, 32"):
            Config(**wrong) and GAN(Config(**wrong))
    with pytest.raises(ValueError, match="16"):
        changed(GAN, {}, [f"size={size}"])


def test_what_can_not_be_is_refused_in_both_languages(gan):
    from studio.refused import told

    asks = {
        "side = 64": lambda: gan.fade(1, 0.5, 64),
        "side = 4": lambda: gan.fade(1, 0.5, 4),
        "side = 12": lambda: gan.fade_real(Image.new("RGB", (9, 9)), 0.5, 12),
        "alpha = 1.5": lambda: gan.fade(1, 1.5),
        "never grew": lambda: GAN(replace(GAN.TINY, start=16)).fade(),
        "start = 64": lambda: GAN(replace(GAN.TINY, start=64)),
    }
    for sentence, ask in asks.items():
        with pytest.raises(ValueError, match=sentence) as error:
            ask()
        assert any("가" <= letter <= "힣" for letter in told(error.value, "ko"))
    gan.discriminator = None
    with pytest.raises(ValueError, match="discriminator"):
        gan.crowd()


def test_verbs_are_those_of_noise_and_its_own():
    assert {"sizes", "fade", "fade_real", "crowd", "lengths", "paces"} <= set(verbs(GAN))
    assert {"sample", "walk", "between", "wall", "film"} <= set(verbs(GAN))


# ---- parity with the authors' networks ------------------------------------------------------------------------------


def unit(k: int, n: int) -> np.ndarray:
    j = np.arange(n, dtype=np.int64)
    return 2.0 * ((j + 1009 * (k + 1)) ** 3 * (k + 7) % 999983) / 999983 - 1.0


def filled(rows: list, first: int) -> dict[str, Tensor]:
    """Their variables by name; dense and convolution weights as PyTorch has them."""
    found = {}
    for k, (name, shape, total) in enumerate(rows, first):
        values = (unit(k, math.prod(shape)) * (0.1 if name.endswith("bias") else 3**0.5)).astype(np.float32)
        assert np.float64(values).sum() == pytest.approx(total, abs=1e-2 + 1e-5 * abs(total))
        x = torch.from_numpy(values.reshape(shape))
        x = {4: lambda x: x.permute(3, 2, 0, 1), 2: lambda x: x.T, 1: lambda x: x}[x.ndim](x)
        if "Conv0_up" in name and x.ndim == 4:  # theirs is a transposed convolution, whose kernel is turned
            x = x.transpose(0, 1).flip(2, 3)
        found[name] = x.contiguous()
    return found


def put(layer: torch.nn.Module, found: dict[str, Tensor], name: str) -> None:
    layer.load_state_dict({part: found.pop(f"{name}/{part}") for part in ("weight", "bias")})


def test_the_networks_are_the_authors():
    told = json.loads(PARITY.read_text(encoding="utf-8"))
    config = Config(size=32, width=256, cap=24, z=24)
    g, d = Generator(config), Discriminator(config)
    theirs, judge = filled(told["rows"]["G"], 0), filled(told["rows"]["D"], 100)
    theirs["4x4/Dense/bias"] = theirs["4x4/Dense/bias"].repeat_interleave(16)  # theirs: one a map
    put(g.flat, theirs, "4x4/Dense")
    put(g.first, theirs, "4x4/Conv")
    put(d.last, judge, "4x4/Conv")
    put(d.flat, judge, "4x4/Dense0")
    put(d.value, judge, "4x4/Dense1")
    for k, side in enumerate((8, 16, 32)):
        put(g.blocks[k].first, theirs, f"{side}x{side}/Conv0_up")
        put(g.blocks[k].second, theirs, f"{side}x{side}/Conv1")
        put(d.blocks[k].first, judge, f"{side}x{side}/Conv0")
        put(d.blocks[k].second, judge, f"{side}x{side}/Conv1_down")
    for k in range(4):
        put(g.colours[k], theirs, f"ToRGB_lod{3 - k}")
        put(d.colours[k], judge, f"FromRGB_lod{3 - k}")
    assert not theirs and not judge
    z = 2 * torch.from_numpy(unit(0, 4 * 24).astype(np.float32)).view(4, 24)
    pictures = torch.from_numpy(unit(1, 4 * 3 * 32 * 32).astype(np.float32)).view(4, 3, 32, 32)
    for stage in told["lods"]:
        grown = 3 - stage["lod"]
        with torch.no_grad():
            for net, given, numbers in ((g, z, stage["G"]), (d, pictures, stage["D"])):
                made = net(given, grown).flatten()
                if net is g:  # ours knows 256 stages of a fade
                    made = F.interpolate(g.at(z, math.ceil(grown), grown - math.floor(grown) or 1.0), size=32).flatten()
                torch.testing.assert_close(
                    made[numbers["indices"]], torch.tensor(numbers["values"]), atol=2e-4, rtol=2e-4
                )
                assert made.mean().item() == pytest.approx(numbers["mean"], abs=1e-4)


# ---- what ships -----------------------------------------------------------------------------------------------------


def test_the_shipped_one_is_small_and_was_grown():
    tag = checkpoints.tags("progan")[0]
    folder, card = checkpoints.folder("progan", tag), checkpoints.card("progan", tag)
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) < 3_000_000
    assert card["config"]["size"] == 64
    assert card["config"]["start"] == 4
    made, real = card["figures"]["generator"], card["figures"]["real against real"]
    assert made["diversity"] > 0.8 * real["diversity"]
    assert made["kid"] < 3530  # StyleGAN's shipped one at 32 px, on the same 300
