"""Pix2Pix: the textbook, and parity with the authors' networks."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from studio import checkpoints
from studio.gans.pix2pix import GAN
from studio.gans.pix2pix.demo import PatchMap
from studio.gans.pix2pix.paper import STRIDED, Config, Discriminator, Generator
from studio.images import Image, to_tensor
from studio.places import ROOT

PARITY = json.loads((Path(__file__).parents[1] / "parity" / "pix2pix.json").read_text())
CASES = {case["id"]: case for case in PARITY["cases"]}


# ---- parity with the official networks (numbers and formula: tests/parity/README.md) --------------------------------


def unit(k: int, n: int) -> np.ndarray:
    j = np.arange(n, dtype=np.int64)
    return 2.0 * ((j + 1009 * (k + 1)) ** 3 * (k + 7) % 999983) / 999983 - 1.0


def official_tensors(rows) -> dict[str, torch.Tensor]:
    made, k = {}, 0
    for name, shape, dtype, total in rows:
        if dtype != "float32":
            made[name] = torch.ones(shape, dtype=getattr(torch, dtype))
            continue
        leaf = name.rsplit(".", 1)[-1]
        if len(shape) == 4:
            offset, scale = 0.0, (3.0 / np.prod(shape[1:])) ** 0.5
        else:
            offset, scale = {"weight": (1.0, 0.2), "running_var": (1.0, 0.5)}.get(leaf, (0.0, 0.1))
        value = (offset + scale * unit(k, int(np.prod(shape)))).astype(np.float32).reshape(shape)
        assert abs(value.astype(np.float64).sum() - total) < 1e-4
        made[name] = torch.from_numpy(value)
        k += 1
    return made


def official_input(case) -> torch.Tensor:
    shape = case["input"]["shape"]
    return torch.from_numpy(unit(0, int(np.prod(shape))).astype(np.float32).reshape(shape))


def agrees(made: torch.Tensor, expected) -> None:
    assert list(made.shape) == expected["shape"]
    np.testing.assert_allclose(made.numpy().ravel()[expected["indices"]], expected["values"], atol=1e-4)
    assert abs(float(made.mean()) - expected["mean"]) < 1e-4
    assert abs(float(made.std(correction=0)) - expected["std"]) < 1e-3


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith("unet")])
def test_an_official_generator_file_gives_the_official_picture(name, tmp_path, home):
    case = CASES[name]
    file = tmp_path / "latest_net_G.pth"
    torch.save(official_tensors(case["state_dict"]), file)
    checkpoints.adopt(file, "pix2pix", "official")
    gan = checkpoints.load("pix2pix", "official")
    x = official_input(case)
    agrees(gan.generator(x), case["outputs"]["train"])
    if "eval" in case["outputs"]:
        agrees(gan.generator(x, averages=True), case["outputs"]["eval"])


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("unet")])
def test_the_discriminator_is_the_official_one(name):
    case = CASES[name]
    arguments = case["arguments"]
    field = 1 if arguments["netD"] == "pixel" else {1: 16, 3: 70, 5: 286}[arguments["n_layers_D"]]
    instance = arguments["norm"] == "instance"
    ours = Discriminator(
        Config(judge_width=arguments["ndf"], receptive_field=field, norm=arguments["norm"], affine=not instance)
    )
    theirs = official_tensors(case["state_dict"])
    values = [v for n, v in theirs.items() if not n.endswith("num_batches_tracked")]
    targets = []  # ours in the order of theirs: conv, then its norm
    for conv, norm in zip(ours.convs, ours.norms, strict=True):
        targets += list(conv.parameters()) + list(norm.parameters())
        targets += [] if instance else list(norm.buffers())
    assert [tuple(t.shape) for t in targets] == [tuple(v.shape) for v in values]
    with torch.no_grad():
        for target, value in zip(targets, values, strict=True):
            target.copy_(value)
        x = official_input(case)
        agrees(ours.eval()(x[:, :3], x[:, 3:]), case["outputs"]["train"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: {k: v for k, v in s.items() if "model.model.3." not in k}, "not in the file|channels"),
        (lambda s: s | {"extra.weight": torch.zeros(3)}, "extra.weight is not used"),
        (lambda s: {k: v.clone().fill_(float("nan")) if v.ndim == 4 else v for k, v in s.items()}, "NaN"),
        (lambda s: {"model.0.weight": torch.zeros(64, 6, 4, 4)}, "looks like a discriminator"),
        (lambda s: {"conv1.weight": torch.zeros(64, 3, 7, 7)}, "not a U-Net of pix2pix: its first names are conv1"),
        (lambda s: {}, "holds no weights"),
    ],
)
def test_a_file_that_does_not_fit_gets_a_sentence(change, sentence, tmp_path, home):
    torch.save(change(official_tensors(CASES["unet_128_batch"]["state_dict"])), tmp_path / "G.pth")
    with pytest.raises(ValueError, match=sentence):
        checkpoints.adopt(tmp_path / "G.pth", "pix2pix", "wrong")
    assert "wrong" not in checkpoints.tags("pix2pix")


# ---- the textbook ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", [1, 16, 34, 70, 286])
def test_one_verdict_sees_exactly_its_receptive_field(field):
    torch.manual_seed(0)
    judge = Discriminator(Config(judge_width=2, receptive_field=field, norm="batch")).eval()
    size = 320
    x = torch.randn(1, 3, size, size, requires_grad=True)
    # Instance statistics would let every pixel see every other; the field is a matter of the convolutions.
    for k, norm in enumerate(judge.norms):
        if hasattr(norm, "kind"):
            judge.norms[k] = torch.nn.Identity()
    logits = judge(torch.zeros(1, 3, size, size), x)
    stride, start = judge.geometry
    i, j = logits.shape[2] // 2, logits.shape[3] // 2
    logits[0, 0, i, j].backward()
    rows = x.grad[0].abs().sum(dim=(0, 2)).nonzero().ravel()
    first, last = start + i * stride, start + i * stride + field - 1
    assert int(rows[0]) == max(0, first)
    assert int(rows[-1]) == min(size - 1, last)


def test_strided_layers_and_fields_belong_together():
    """Each 4 x 4 layer adds 3 strides: n layers of stride 2, then two of stride 1."""
    for field, n in STRIDED.items():
        seen = 1
        for stride in [1, 1] + [2] * n:
            seen = seen * stride + 4 - stride
        assert seen == field


@pytest.mark.parametrize("size", [128, 256])
def test_the_papers_generator_has_the_papers_size(size):
    with torch.device("meta"):
        generator = Generator(Config(size=size, norm="batch"))
    count = sum(p.numel() for p in generator.parameters())
    assert (
        count == {256: 54_413_955, 128: 41_828_995}[size]
    )  # as the official unet_256 and unet_128 report: 54.414, 41.829 M


def test_the_noise_is_dropout_and_its_seed_is_its_own():
    gan = GAN(replace(GAN.TINY, dropout=0.5))
    z = gan._noise(3)
    assert set(z.unique().tolist()) == {0.0, 2.0}
    assert abs(float(z.mean()) - 1) < 0.1
    assert torch.equal(z, gan._noise(3))
    assert not torch.equal(z, gan._noise(4))
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        plain = gan.eval().generator(x)
        assert torch.equal(plain, gan.generator(x, gan._noise(None)))  # ones = no noise
        assert not torch.allclose(plain, gan.generator(x, z))


def test_a_viewer_does_not_see_the_others():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, norm="batch")).eval()  # trained with batch statistics, shown with each picture's own
    x = torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(gan.generator(x)[2:3], gan.generator(x[2:3]), atol=1e-5, rtol=1e-5)
        gan.train()
        assert not torch.allclose(gan.generator(x)[2:3], gan.generator(x[2:3]), atol=1e-3)


@pytest.mark.parametrize(
    ("off", "term"),
    [("adversarial", "fool"), ("l1", "near"), ("coarse", "coarse"), ("alike", "alike"), ("eyes", "seen")],
)
def test_a_term_that_is_switched_off_moves_nothing(off, term):
    """With all terms off the generator stands still; with one on it moves."""
    none = {"adversarial": 0.0, "l1": 0.0, "coarse": 0.0, "alike": 0.0, "eyes": 0.0}
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)

    def moved(**settings) -> bool:
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, **settings)).train()
        before = gan.generator.downs[0].conv.weight.clone()
        losses = gan.train_step(batch, gan.optimizers(), 50)
        assert term in losses or not settings[off]
        return not torch.equal(before, gan.generator.downs[0].conv.weight)

    assert moved(**none | {off: 1.0})
    assert not moved(**none)


def test_warmup_is_l1_alone():
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)

    def after(step: int, **settings) -> torch.Tensor:
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, coarse=0.0, alike=0.0, eyes=0.0, **settings)).train()
        gan.train_step(batch, gan.optimizers(), step)
        return gan.generator.ups[0].conv.weight

    torch.testing.assert_close(after(9, warmup=10), after(9, adversarial=0.0))
    assert not torch.equal(after(10, warmup=10), after(10, adversarial=0.0))
    assert torch.equal(after(10, warmup=10), after(10))


def test_a_guessing_discriminator_loses_log_two():
    gan = GAN(replace(GAN.TINY))
    for p in gan.discriminator.parameters():
        torch.nn.init.zeros_(p)
    losses = gan.train().train_step((torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)), gan.optimizers(), 0)
    assert float(losses["discriminator"].detach()) == pytest.approx(np.log(2), rel=1e-5)


def test_judge_is_a_probability_map_with_its_geometry():
    gan = GAN(GAN.TINY).eval().requires_grad_(False)
    white = Image.new("RGB", (64, 64), "white")
    verdict = gan.judge(white, white)
    assert isinstance(verdict, PatchMap)
    assert verdict.map.shape == (14, 14)
    assert (verdict.map >= 0).all()
    assert (verdict.map <= 1).all()
    assert (verdict.receptive_field, verdict.stride, verdict.start, verdict.size) == (16, 2, -5, 32)


def test_the_lines_of_python_in_the_readme_run(tmp_path, home, monkeypatch, capsys):
    code = re.search(r"```python\n(import studio\n.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    torch.save(official_tensors(CASES["unet_128_batch"]["state_dict"]), tmp_path / "latest_net_G.pth")
    shutil.copy(checkpoints.SHIPPED / "pix2pix" / "edges2shoes" / "sneaker.png", tmp_path / "sketch.png")
    monkeypatch.chdir(tmp_path)
    given: dict = {}
    exec(code.replace("minutes=3", "minutes=0.05"), given)
    assert isinstance(given["shoe"], Image.Image)
    assert "mine" in checkpoints.tags("pix2pix")
    assert "Progress" in capsys.readouterr().out


def test_without_a_discriminator_judge_says_so(tmp_path, home):
    torch.save(official_tensors(CASES["unet_128_batch"]["state_dict"]), tmp_path / "G.pth")
    checkpoints.adopt(tmp_path / "G.pth", "pix2pix", "alone")
    white = Image.new("RGB", (64, 64), "white")
    with pytest.raises(ValueError, match="no discriminator"):
        checkpoints.load("pix2pix", "alone").judge(white, white)


def test_any_shape_of_sketch_is_fitted_in_whole():
    gan = GAN(GAN.TINY).eval().requires_grad_(False)
    for size in [(1, 1), (300, 20), (20, 300), (256, 256)]:
        assert gan.translate(Image.new("RGB", size, "white")).size == (32, 32)


def test_grey_inputs_take_the_mean_of_the_colours():
    gan = GAN(replace(GAN.TINY, inputs=1)).eval().requires_grad_(False)
    picture = Image.new("RGB", (32, 32), (30, 60, 90))
    torch.testing.assert_close(gan._input(picture), to_tensor(Image.new("RGB", (32, 32), (60, 60, 60)))[:, :1])
    assert gan.translate(picture).size == (32, 32)
