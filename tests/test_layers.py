"""The layers that papers share, against their definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from studio.layers import Norm, ResizeConv2d
from studio.losses import bce


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
