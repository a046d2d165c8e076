"""Losses and penalties against cases that can be done by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from studio.losses import bce, clip_weights, gradient_penalty, hinge, least_squares, r1


@pytest.mark.parametrize("shape", [(2,), (7,), (3, 4, 4), (1, 1, 2, 2)])
def test_the_penalty_of_a_linear_critic_is_that_of_its_slope(shape):
    """f(x) = w x + b has the slope w everywhere: the penalty is (|w| - 1)², whichever points are drawn."""
    torch.manual_seed(0)
    w = torch.randn(shape, requires_grad=True)
    real, fake = torch.randn(5, *shape), torch.randn(5, *shape)
    penalty = gradient_penalty(lambda x: (x * w).flatten(1).sum(1) + 3, real, fake)
    norm = w.detach().norm()
    assert penalty.item() == pytest.approx((norm.item() - 1) ** 2, rel=1e-5)
    (slope,) = torch.autograd.grad(penalty, w)
    torch.testing.assert_close(slope, 2 * (norm - 1) * w.detach() / norm, rtol=1e-4, atol=1e-5)


def test_the_penalty_looks_between_the_fake_and_its_own_real_point():
    """f(x) = |x|² / 2 has the slope x: of points between 0 and one of length 3 the penalty is (3 t - 1)², t even."""
    torch.manual_seed(0)
    real = torch.tensor([[3.0, 0.0]]).expand(200_000, 2)
    penalty = gradient_penalty(lambda x: x.square().sum(1) / 2, real, torch.zeros_like(real))
    assert penalty.item() == pytest.approx(1.0, abs=0.01)  # the mean of (3 t - 1)² over [0, 1]


def test_the_penalty_draws_one_share_a_picture_as_before():
    """A training that began before points were understood goes on with the same random numbers."""
    torch.manual_seed(3)
    share = torch.rand(4, 1, 1, 1)
    after = torch.rand(1)
    torch.manual_seed(3)
    real, fake = torch.ones(4, 3, 2, 2), torch.zeros(4, 3, 2, 2)
    seen = []
    gradient_penalty(lambda x: seen.append(x.detach()) or x.flatten(1).sum(1), real, fake)
    assert torch.equal(seen[0], share.expand_as(real))
    assert torch.equal(torch.rand(1), after)


def test_clipping_moves_what_is_outside_and_nothing_else():
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.5], [0.05, -0.05]]))
        layer.bias.copy_(torch.tensor([2.0, 0.0]))
    clip_weights(layer, 0.1)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.1, -0.1], [0.05, -0.05]]))
    torch.testing.assert_close(layer.bias.detach(), torch.tensor([0.1, 0.0]))
    assert layer.weight.requires_grad  # it goes on learning
    assert layer.weight.grad_fn is None


def test_what_a_guessing_discriminator_loses():
    """At logit 0 it says 1/2: log 2 of the logarithm, 1 of the hinge, and 1 and 0 of squares to the labels 1 and 0."""
    zero = torch.zeros(4)
    assert bce(zero, True).item() == bce(zero, False).item() == pytest.approx(math.log(2))
    assert hinge(zero, True).item() == hinge(zero, False).item() == 1
    assert (least_squares(zero, True).item(), least_squares(zero, False).item()) == (1, 0)


def test_r1_of_a_linear_critic_is_the_square_of_its_slope():
    w = torch.tensor([3.0, 4.0])
    real = torch.randn(6, 2, requires_grad=True)
    assert r1(real @ w, real).item() == pytest.approx(25)
