"""The figures of a card, against cases whose answer is known on paper."""

import json
import math
import random

import pytest
import torch
import torch.nn.functional as F

from studio.measure import diversity, l1, nearest, psnr, sliced_wasserstein, ssim

PAIRED = [l1, psnr, ssim]
EVERY = [*PAIRED, sliced_wasserstein, nearest]


def noise(n=8, size=32, seed=0, height=None):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, height or size, size, generator=g) * 1.2 - 0.6


def flat(value, n=2, size=32):
    return torch.full((n, 3, size, size), float(value))


def scenes(n=24, size=64, seed=0):
    """Soft random shapes under some grain: something at every level of the pyramid."""
    layers = [F.interpolate(noise(n, side, seed + side), size, mode="bilinear") for side in (4, 16, size)]
    return sum(layers) / 3


def swd(a, b, **more):
    return sliced_wasserstein(a, b, **{"patches": 32, "directions": 64, **more})


# Pairs


def test_l1_of_a_known_offset_is_half_of_it():
    x = noise()
    assert l1(x, x) == 0
    assert l1(x, x + 0.3) == pytest.approx(0.15, abs=1e-6)
    assert l1(flat(-1), flat(1)) == 1


def test_psnr_of_known_noise():
    x = noise()
    assert psnr(x, x) == math.inf
    assert psnr(flat(-1), flat(1)) == 0
    signs = torch.where(noise(seed=1) > 0, 1.0, -1.0)  # an error of exactly .01 on [0, 1]: 40 dB
    assert psnr(x, x + 0.02 * signs) == pytest.approx(40, abs=1e-3)
    g = torch.Generator().manual_seed(2)
    x = torch.zeros(16, 3, 64, 64)
    assert psnr(x, x + 0.1 * torch.randn(x.shape, generator=g)) == pytest.approx(-20 * math.log10(0.05), abs=0.05)


def test_ssim_of_equals_is_one():
    assert ssim(noise(), noise()) == pytest.approx(1, abs=1e-6)
    assert ssim(flat(1), flat(1)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("p, q", [(0.2, 0.8), (0.0, 1.0), (0.5, 0.6)])
def test_ssim_of_constant_pictures_is_the_luminance_term(p, q):
    expected = (2 * p * q + 1e-4) / (p * p + q * q + 1e-4)
    assert ssim(flat(2 * p - 1), flat(2 * q - 1)) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_lower_contrast_is_the_structure_term():
    """One window, y = c x about one weighted mean: the whole formula on paper, with the window built in float64."""
    g = torch.exp(-torch.arange(-5.0, 6, dtype=torch.float64).square() / (2 * 1.5**2))
    window = torch.outer(g, g) / g.sum() ** 2
    x = (noise(1, 11).double()[:, :1] + 1).expand(-1, 3, -1, -1) / 2
    mean = (window * x[0, 0]).sum()
    variance = (window * (x[0, 0] - mean) ** 2).sum()
    y = mean + 0.4 * (x - mean)
    expected = (2 * 0.4 * variance + 9e-4) / ((1 + 0.4**2) * variance + 9e-4)
    assert ssim(2 * x - 1, 2 * y - 1) == pytest.approx(expected.item(), abs=1e-5)


def test_ssim_invariances():
    a, b = noise(40), (noise(40) + 0.3 * noise(40, seed=1))  # 40: more than one chunk
    figure = ssim(a, b)
    assert 0 < figure < 1
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    for x, y in [(b, a), (a.flip(-1), b.flip(-1)), (a.mT, b.mT), (a[order], b[order]), (a.flip(1), b.flip(1))]:
        assert ssim(x, y) == pytest.approx(figure, abs=1e-6)
    assert figure == pytest.approx(sum(ssim(a[i : i + 1], b[i : i + 1]) for i in range(40)) / 40, abs=1e-6)


# Sets


def test_swd_of_a_set_with_itself_is_zero_in_any_order():
    x = scenes()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(5))
    for other in (x.clone(), x[order]):
        assert swd(x, other) == {"n": 24, "mean": 0, "levels": {"64": 0, "32": 0, "16": 0}}


def test_swd_is_symmetric_even_for_unequal_sizes():
    a, b = scenes(), scenes(seed=100)
    assert swd(a, b)["mean"] > 1
    assert swd(a, b) == swd(b, a)
    thinned = swd(a, b[:9])
    assert thinned["n"] == 9 and thinned == swd(b[:9], a)


def test_swd_sees_blur_at_the_fine_level():
    x = scenes()
    once = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    twice = F.avg_pool2d(F.pad(once, (1, 1, 1, 1), mode="replicate"), 3, 1)
    little, much = swd(x, once)["levels"], swd(x, twice)["levels"]
    for levels in (little, much):
        assert levels["64"] > 2 * levels["32"] > 4 * levels["16"] > 0
    assert much["64"] > little["64"]


def test_swd_sees_a_colour_shift_at_the_coarse_level():
    x, tint = scenes(), torch.tensor([0.2, 0, -0.1])[:, None, None]
    little, much = swd(x, x + tint / 2)["levels"], swd(x, x + tint)["levels"]
    assert max(much["64"], much["32"]) < 0.1  # a constant is in no band but the last
    assert much["16"] > little["16"] > 50


def test_swd_of_two_constant_sets_is_known_on_paper():
    """Pooled mean (p + q) / 2 and deviation |p - q| / 2 put the sets at -1 and +1: a direction d is 2 |sum d| apart,
    with sum d about normal of variance 1 (d is a unit vector of 147), so 2000 sqrt(2 / pi) on average."""
    figure = sliced_wasserstein(flat(-0.3, size=16), flat(0.4, size=16), directions=4096)
    assert figure["mean"] == pytest.approx(2000 * math.sqrt(2 / math.pi), rel=0.03)
    assert swd(flat(0.5), flat(0.5))["mean"] == 0  # collapsed to one colour: no division by zero


def test_swd_levels_go_down_to_16_and_fit_in_a_card():
    figure = swd(noise(2, 96, height=64), noise(2, 96, height=64, seed=1))
    assert list(figure["levels"]) == ["64", "32", "16"]
    assert figure["mean"] == pytest.approx(sum(figure["levels"].values()) / 3)
    assert json.loads(json.dumps(figure)) == figure
    assert list(swd(noise(2, 100), noise(2, 100))["levels"]) == ["100", "50", "25"]


def test_swd_looks_at_every_picture():
    """Brightness orders flat pictures, so the two changed ones stay in the middle, past the first chunk of 64."""
    a = torch.linspace(-0.5, 0.5, 130)[:, None, None, None].expand(-1, 3, 16, 16)
    b = a.clone()
    b[64:66] += 0.002
    assert swd(a, b)["mean"] > 0


def test_swd_of_more_pictures_of_the_same_kind_is_smaller():
    a, b = scenes(128, 16), scenes(128, 16, seed=100)
    assert swd(a, b)["mean"] < 0.7 * swd(a[:8], b[:8])["mean"]


def test_a_seed_is_a_figure_and_the_global_state_is_untouched():
    a, b = scenes(), scenes(30, seed=100)
    before, python, kept = torch.get_rng_state(), random.getstate(), (a.clone(), b.clone())
    assert swd(a, b, seed=3) == swd(a, b, seed=3) != swd(a, b, seed=4)
    for figure in (l1, psnr, ssim):
        assert figure(a, b[:24]) == figure(a, b[:24])
    diversity(a), nearest(a, b)
    assert torch.equal(torch.get_rng_state(), before) and random.getstate() == python
    assert torch.equal(a, kept[0]) and torch.equal(b, kept[1])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        assert swd(a, b, seed=3) == swd(a, b, seed=3)


def test_diversity_is_the_mean_over_pairs():
    assert diversity(flat(0.3)) == 0
    assert diversity(torch.cat([flat(-1, 1), flat(1, 1)])) == pytest.approx(1)
    x = noise(9)
    pairs = [(x[i] - x[j]).abs().mean().item() / 2 for i in range(9) for j in range(i)]
    assert diversity(x) == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)
    collapsed = x[:2].repeat(8, 1, 1, 1)
    assert diversity(collapsed) < 0.6 * diversity(noise(16))


def test_nearest_finds_planted_copies():
    teachers, pupils = scenes(300, 32, seed=7), scenes(280, 32, seed=500)  # 280: more than one chunk
    planted = {0: 299, 17: 3, 279: 120}
    for i, j in planted.items():
        pupils[i] = teachers[j]
    distance, index = nearest(pupils, teachers)
    assert distance.shape == index.shape == (280,)
    for i, j in planted.items():
        assert index[i] == j and distance[i] == 0
    rest = [i for i in range(280) if i not in planted]
    assert distance[rest].min() > 0.02
    brute = (pupils[1] - teachers).abs().mean((1, 2, 3)) / 2
    assert index[1] == brute.argmin() and distance[1].item() == pytest.approx(brute.min().item(), abs=1e-6)


def test_nearest_looks_past_the_grain():
    x = scenes(8, 64)
    grain = 0.2 * (-1.0) ** (torch.arange(64)[:, None] + torch.arange(64))  # a checkerboard averages away at 32 px
    distance, index = nearest(x + grain, x)
    assert index.tolist() == list(range(8)) and distance.max() < 1e-6


def test_half_precision_and_gradients_are_welcome():
    a, b = noise().requires_grad_(), noise(seed=1)
    for figure in PAIRED:
        assert type(figure(a, b)) is float
        assert figure(a.half(), b.half()) == pytest.approx(figure(a, b), rel=1e-2)
        assert figure(a.double(), b.double()) == figure(a, b)
    assert not nearest(a, b)[0].requires_grad
    assert type(diversity(a.bfloat16())) is type(swd(a, b)["mean"]) is float


# Errors: the first words say what is wrong, the rest what to do.


def spoilt(value):
    x = noise()
    x[1, 2, 3, 4] = value
    return x


@pytest.mark.parametrize(
    "bad, says",
    [
        (noise()[0], "permute channels"),
        (noise().permute(0, 2, 3, 1), "permute channels"),
        (noise()[:, :1], "expand grey"),
        (torch.zeros(8, 3, 32, 32, dtype=torch.uint8), "127.5 - 1"),
        (noise()[:0], "pass more"),
        (noise(size=48), "resize one set"),
        (spoilt(math.nan), "earlier checkpoint"),
        (spoilt(-math.inf), "earlier checkpoint"),
        (spoilt(1.01), r"clamp\(-1, 1\)"),
        (spoilt(-255), "convert 0..255"),
    ],
)
@pytest.mark.parametrize("figure", EVERY)
def test_errors_say_what_to_do_on_either_side(figure, bad, says):
    with pytest.raises(ValueError, match=says):
        figure(noise(), bad)
    with pytest.raises(ValueError, match=says):
        figure(bad, noise())


@pytest.mark.parametrize(
    "call, says",
    [
        *[(lambda f=f: f(noise(8), noise(7)), "partner") for f in PAIRED],
        (lambda: ssim(noise(size=10), noise(size=10)), "at least 11 px"),
        (lambda: sliced_wasserstein(noise(size=12), noise(size=12)), "at least 16 px"),
        (lambda: sliced_wasserstein(noise(1), noise(8)), "at least 2 picture"),
        (lambda: diversity(noise(1)), "at least 2 picture"),
        (lambda: diversity(spoilt(math.nan)), "earlier checkpoint"),
        (lambda: diversity(spoilt(2)), "clamp"),
    ],
)
def test_errors_of_one_figure(call, says):
    with pytest.raises(ValueError, match=says):
        call()
