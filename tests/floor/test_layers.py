"""The layers that papers share, against their definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from studio.layers import (
    DoublingConv2d,
    EqualConv2d,
    EqualLinear,
    Norm,
    ResizeConv2d,
    blur,
    double,
    halve,
    minibatch_stddev,
    pixel_norm,
)
from studio.losses import bce, r1


def test_resize_convolution_is_resize_then_convolution():
    torch.manual_seed(0)
    layer = ResizeConv2d(3, 5)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 3, 6, 8)
    by_hand = F.conv2d(F.interpolate(x, scale_factor=2), layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), by_hand, atol=1e-5, rtol=1e-5)


def test_resize_convolution_leaves_no_checkerboard():
    """On a flat map it gives a flat map (away from the border); a transposed convolution does not."""
    torch.manual_seed(0)
    resize, transposed = ResizeConv2d(4, 1), torch.nn.ConvTranspose2d(4, 1, 4, 2, 1)
    torch.nn.init.normal_(resize.weight)
    flat = torch.ones(1, 4, 8, 8)
    with torch.no_grad():
        assert resize(flat)[..., 2:-2, 2:-2].std() < 1e-5
        assert transposed(flat)[..., 2:-2, 2:-2].std() > 1e-3


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_whose_statistics(kind):
    torch.manual_seed(0)
    norm = Norm(3, kind)
    x = torch.randn(4, 3, 5, 5) * torch.arange(1, 5).view(4, 1, 1, 1) + 2
    axes = (0, 2, 3) if kind == "batch" else (2, 3)
    trained = norm.train()(x)
    assert trained.mean(axes).abs().max() < 1e-5
    torch.testing.assert_close(trained.var(axes, correction=0), torch.ones_like(trained.var(axes)), atol=1e-3, rtol=0)
    shown = norm.eval()(x)  # always each picture's own
    assert shown.mean((2, 3)).abs().max() < 1e-5
    torch.testing.assert_close(shown[1:2], norm(x[1:2]))


def test_averages_are_remembered_in_training_only():
    torch.manual_seed(0)
    norm = Norm(2, "instance", momentum=1.0)
    x = torch.randn(3, 2, 8, 8) * 3 + 1
    norm.eval()(x)
    assert norm.running_mean.abs().max() == 0
    norm.train()(x)
    torch.testing.assert_close(norm.running_mean, x.mean((0, 2, 3)))
    by_hand = (x - norm.running_mean.view(1, 2, 1, 1)) / (norm.running_var.view(1, 2, 1, 1) + 1e-5).sqrt()
    torch.testing.assert_close(norm.eval()(x, averages=True), by_hand)


def test_a_single_pixel_is_its_own_mean():
    norm = Norm(2)
    torch.nn.init.constant_(norm.bias, 0.5)
    for mode in (norm.train(), norm.eval()):
        assert torch.equal(mode(torch.randn(3, 2, 1, 1)), torch.full((3, 2, 1, 1), 0.5))


@pytest.mark.parametrize(("logit", "real", "loss"), [(0.0, True, 0.6931), (0.0, False, 0.6931), (2.0, True, 0.1269)])
def test_bce_is_minus_log_likelihood(logit, real, loss):
    assert bce(torch.tensor([logit]), real).item() == pytest.approx(loss, abs=1e-4)
    assert bce(torch.tensor([1000.0]), False).item() == pytest.approx(1000)  # no overflow, no NaN


# ---- ProGAN and its kin ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slow", [1.0, 0.01])
def test_an_equalised_layer_keeps_variance_whatever_its_width(slow):
    torch.manual_seed(0)
    x = torch.randn(4096, 300)
    assert EqualLinear(300, 200, slow=slow)(x).var().item() == pytest.approx(1, rel=0.05)
    assert EqualLinear(300, 200, gain=2**0.5)(x).var().item() == pytest.approx(2, rel=0.05)
    planes = torch.randn(64, 30, 12, 12)
    inner = EqualConv2d(30, 40, 3)(planes)[..., 1:-1, 1:-1]
    assert inner.var().item() == pytest.approx(1, rel=0.1)


def test_slow_layers_learn_slowly():
    """Adam moves stored weights equally; what they stand for moves a hundredth as far, biases too."""
    torch.manual_seed(0)
    moved = {}
    for slow in (1.0, 0.01):
        layer = EqualLinear(8, 8, bias=1.0, slow=slow)
        assert torch.allclose(layer.bias * layer.slow, torch.ones(8))
        before = layer(torch.zeros(1, 8)).detach(), (layer.weight * layer.scale).detach().clone()
        optimizer = torch.optim.Adam(layer.parameters(), 1e-3)
        layer(torch.ones(1, 8)).sum().backward()
        optimizer.step()
        moved[slow] = [
            (layer(torch.zeros(1, 8)) - before[0]).abs().mean().item(),
            (layer.weight * layer.scale - before[1]).abs().mean().item(),
        ]
    for fast, late in zip(moved[1.0], moved[0.01], strict=True):
        assert late == pytest.approx(fast / 100, rel=1e-2)


def test_pixel_norm_makes_the_mean_square_one():
    torch.manual_seed(0)
    x = torch.randn(3, 16, 4, 4) * 7
    torch.testing.assert_close(pixel_norm(x).square().mean(1), torch.ones(3, 4, 4))
    torch.testing.assert_close(pixel_norm(x[:, :, 0, 0]), pixel_norm(x)[:, :, 0, 0])


def test_minibatch_stddev_is_the_groups_spread():
    torch.manual_seed(0)
    x = torch.randn(8, 5, 3, 3)
    made = minibatch_stddev(x, 4)
    assert made.shape == (8, 6, 3, 3)
    assert torch.equal(made[:, :5], x)
    for first in range(2):  # pictures 0 2 4 6, and 1 3 5 7
        by_hand = x[first::2].std(dim=0, correction=0).mean()
        torch.testing.assert_close(made[first::2, 5], by_hand.expand(4, 3, 3), atol=1e-5, rtol=1e-5)
    same = minibatch_stddev(x[:1].expand(4, -1, -1, -1))
    assert same[:, 5].max() < 2e-4  # a generator that always draws the same is found out
    assert minibatch_stddev(x[:1]).shape == (1, 6, 3, 3)
    assert minibatch_stddev(x[:6], 4).shape == (6, 6, 3, 3)  # groups of 3


def test_blur_filters_every_channel_alike_and_keeps_brightness():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 9, 9)
    taps = torch.tensor([1.0, 3, 3, 1]) / 8
    by_hand = F.conv2d(F.pad(x, (2, 1, 2, 1)).flatten(0, 1)[:, None], torch.outer(taps, taps)[None, None])
    torch.testing.assert_close(blur(x, (1, 3, 3, 1), (2, 1)), by_hand.view(2, 3, 9, 9), atol=1e-5, rtol=1e-5)
    for made in (
        blur(torch.ones(1, 2, 8, 8), (1, 2, 1), (1, 1)),
        double(torch.ones(1, 2, 8, 8)),
        halve(torch.ones(1, 2, 8, 8)),
    ):
        torch.testing.assert_close(made[..., 2:-2, 2:-2], torch.ones_like(made[..., 2:-2, 2:-2]))


def test_double_and_halve_are_zeros_between_and_every_second():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 6, 6)
    spread = torch.zeros(1, 2, 12, 12)
    spread[..., ::2, ::2] = x
    torch.testing.assert_close(double(x), blur(spread, (1, 3, 3, 1), (2, 1), gain=4.0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(halve(x), blur(x, (1, 3, 3, 1), (1, 2))[..., ::2, ::2], atol=1e-5, rtol=1e-5)


def test_doubling_convolution_convolves_with_zeros_between():
    torch.manual_seed(0)
    layer, x = DoublingConv2d(3, 5), torch.randn(2, 3, 4, 4)
    spread = torch.zeros(2, 3, 7, 7)
    spread[..., ::2, ::2] = x
    by_hand = F.conv2d(F.pad(spread, (2, 2, 2, 2)), layer.weight.flip(2, 3))
    torch.testing.assert_close(layer(x), by_hand, atol=1e-5, rtol=1e-5)


def test_r1_of_a_linear_critic_is_its_weights_square():
    torch.manual_seed(0)
    weight = torch.randn(3 * 4 * 4, requires_grad=True)
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1(x.flatten(1) @ weight[:, None], x)
    torch.testing.assert_close(penalty, weight.square().sum())
    penalty.backward()
    torch.testing.assert_close(weight.grad, 2 * weight.detach())
