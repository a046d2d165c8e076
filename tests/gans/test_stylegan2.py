"""StyleGAN2: the textbook, and parity with two official implementations."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from studio import checkpoints
from studio.data import Images
from studio.gans.stylegan2 import GAN
from studio.gans.stylegan2.paper import TAPS, Config, Discriminator, Mapping, Modulated, Synthesis, path_lengths
from studio.layers import blur
from studio.serving.fast import fast, psnr
from studio.training import loop as training

PARITY = json.loads((Path(__file__).parents[1] / "parity" / "stylegan2.json").read_text())
CASES = {case["id"]: case for case in PARITY["cases"]}
GENERATORS = [name for name, case in CASES.items() if case["kind"] == "generator"]
FILTER = torch.outer(torch.tensor(TAPS), torch.tensor(TAPS)).float()


# ---- parity (numbers and formula: tests/parity/README.md) -----------------------------------------------------------


def unit(k: int, n: int) -> np.ndarray:
    j = np.arange(n, dtype=np.int64)
    return 2.0 * ((j + 1009 * (k + 1)) ** 3 * (k + 7) % 999983) / 999983 - 1.0


def official_tensors(rows) -> dict[str, torch.Tensor]:
    made, k = {}, 0
    for name, shape, offset, scale, total in rows:
        if offset is None:
            made[name] = FILTER / FILTER.sum() * (4.0 if "upsample" in name or "blur" in name else 1.0)
            continue
        value = (offset + scale * unit(k, max(1, math.prod(shape)))).astype(np.float32).reshape(shape)
        assert value.astype(np.float64).sum() == pytest.approx(total, abs=1e-3)
        made[name] = torch.from_numpy(value)
        k += 1
    return made


def latent(k: int, size: int, n: int = 1) -> torch.Tensor:
    return torch.from_numpy((math.sqrt(3) * unit(k, n * size)).astype(np.float32).reshape(n, size))


def agrees(made: torch.Tensor, expected) -> None:
    assert list(made.shape) == expected["shape"]
    np.testing.assert_allclose(made.numpy().ravel()[expected["indices"]], expected["values"], atol=2e-5)
    assert abs(float(made.mean()) - expected["mean"]) < 1e-5
    assert abs(float(made.std(correction=0)) - expected["std"]) < 1e-5


@pytest.fixture
def official(tmp_path, home):
    """A case's tensors as a file, adopted and loaded."""

    def load(name: str, wrap=lambda tensors: tensors):
        torch.save(wrap(official_tensors(CASES[name]["state_dict"])), tmp_path / "G.pt")
        checkpoints.adopt(tmp_path / "G.pt", "stylegan2", "official")
        return checkpoints.load("stylegan2", "official")

    return load


@pytest.mark.parametrize("name", GENERATORS)
def test_an_official_file_gives_the_official_pictures(name, official):
    gan, case = official(name), CASES[name]
    outputs = case["outputs"]
    agrees(gan.mapping(latent(0, gan.config.z, 2)), outputs["mapping"])
    ws = torch.stack([latent(5 + k, gan.config.w)[0] for k in range(case["styles"])])[None]
    agrees(gan.synthesis(ws), outputs["constant noise"])
    if "no noise" in outputs:
        agrees(gan.synthesis(ws, 0 * gan.synthesis.noise(1)), outputs["no noise"])
        z = latent(0, gan.config.z, 2)
        agrees(gan.mapping.average + 0.5 * (gan.mapping(z) - gan.mapping.average), outputs["truncated 0.5"])


def test_the_architecture_is_read_off_the_shapes(official):
    gan = official("nvidia_32")
    assert (gan.config.size, gan.config.depth, gan.config.z, gan.config.w) == (32, 2, 12, 16)
    assert gan.config.cap == 24
    assert gan.discriminator is None


def test_the_average_of_several_is_taken_and_its_mean_found(official):
    """rosinality's training states hold g, d and g_ema, and no mean of w."""
    gan = official(
        "rosinality_32",
        lambda t: {"g_ema": t, "g": {k: 0 * v for k, v in t.items()}, "d": {"x": t["conv1.conv.weight"]}},
    )
    z = torch.randn(4096, 16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(gan.mapping.average, gan.mapping(z).mean(dim=0), atol=0.15, rtol=0)
    assert gan.mapping.average.abs().max() > 0.3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s | {"mapping.embed.weight": torch.zeros(4, 4)}, "class label"),
        (lambda s: {k: v for k, v in s.items() if "b16.conv0" not in k}, "not in the file"),
        (lambda s: s | {"synthesis.b4.extra": torch.zeros(3)}, "extra is not used"),
        (lambda s: s | {"synthesis.b8.resample_filter": torch.ones(4, 4)}, "not the paper's filter"),
        (lambda s: s | {"synthesis.b8.conv1.weight": torch.zeros(20, 24, 3, 3)}, "do not halve"),
        (
            lambda s: {"model.0.weight": torch.zeros(64, 6, 4, 4)},
            "not a generator of StyleGAN2: its first names are model",
        ),
        (lambda s: s | {"synthesis.b4.const": torch.full((24, 4, 4), float("nan"))}, "NaN"),
    ],
)
def test_a_file_that_does_not_fit_gets_a_sentence(change, sentence, tmp_path, home):
    torch.save(change(official_tensors(CASES["nvidia_32"]["state_dict"])), tmp_path / "G.pt")
    with pytest.raises(ValueError, match=sentence):
        checkpoints.adopt(tmp_path / "G.pt", "stylegan2", "wrong")
    assert "wrong" not in checkpoints.tags("stylegan2")


def test_the_discriminator_is_the_official_one():
    case = CASES["nvidia_discriminator_32"]
    theirs = official_tensors(case["state_dict"])
    ours = Discriminator(Config(size=32, width=512, cap=24)).eval()
    names = {"colours": "b32.fromrgb", "last": "b4.conv", "flat": "b4.fc", "verdict": "b4.out"}
    for k, side in enumerate((32, 16, 8)):
        names |= {f"blocks.{k}.first": f"b{side}.conv0", f"blocks.{k}.second": f"b{side}.conv1"}
        names |= {f"blocks.{k}.skip": f"b{side}.skip"}
    ours.load_state_dict(
        {f"{n}.{leaf}": theirs[f"{names[n]}.{leaf}"] for n, leaf in (k.rsplit(".", 1) for k in ours.state_dict())}
    )
    x = torch.from_numpy(unit(0, 4 * 3 * 32 * 32).astype(np.float32).reshape(4, 3, 32, 32))
    with torch.no_grad():
        agrees(ours(x), case["outputs"]["logits"])


# ---- the textbook ---------------------------------------------------------------------------------------------------


def test_the_papers_networks_have_the_papers_size():
    """FFHQ's generator has 30.0 M parameters and its discriminator 29.0 M (config F)."""
    with torch.device("meta"):
        config = Config(size=1024)
        counts = [sum(p.numel() for p in net(config).parameters()) for net in (Mapping, Synthesis, Discriminator)]
    assert counts[0] == 8 * (512 * 512 + 512)
    assert sum(counts[:2]) == 30_370_060
    assert counts[2] == 29_012_513


@pytest.mark.parametrize("doubling", [False, True])
def test_scaling_maps_equals_a_kernel_for_each_picture(doubling):
    """Section 2.2 as it is written: w' = s w, w'' = w' / |w'|, one convolution with w'' for each picture."""
    torch.manual_seed(0)
    layer = Modulated(Config(size=16, width=64, w=8), 6, 10, doubling=doubling)
    x, w = torch.randn(3, 6, 8, 8), torch.randn(3, 8)
    made = layer(x, w)
    for k in range(3):
        kernel = layer.conv.weight * (layer.style(w[k : k + 1])[0] * layer.scale)[None, :, None, None]
        kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if doubling:
            by_hand = F.conv_transpose2d(x[k : k + 1], kernel.transpose(0, 1), stride=2)
            by_hand = blur(by_hand, TAPS, (1, 1), gain=4.0)
        else:
            by_hand = F.conv2d(x[k : k + 1], kernel, padding=1)
        torch.testing.assert_close(made[k : k + 1], by_hand, atol=1e-5, rtol=1e-4)


def test_demodulated_maps_have_unit_variance_whatever_the_style():
    """Of inputs that are independent with unit variance: that is what demodulation assumes (section 2.2)."""
    torch.manual_seed(0)
    config = Config(size=16, width=512, cap=48, w=8)
    layer = Modulated(config, 48, 48)
    x = torch.randn(2, 48, 64, 64)
    for loud in (0.1, 1.0, 30.0):
        made = layer(x, loud * torch.randn(2, 8))[..., 1:-1, 1:-1]
        torch.testing.assert_close(made.var(dim=(2, 3)), torch.ones(2, 48), atol=0.12, rtol=0)


def test_a_spike_does_not_silence_the_rest_of_its_map():
    """The droplet's mechanism: AdaIN divides a map by its own deviation, demodulation by what was to be expected."""
    torch.manual_seed(0)
    layer = Modulated(Config(size=16, width=512, cap=8, w=8), 8, 8)
    x, w = torch.randn(1, 8, 16, 16), torch.randn(1, 8)
    spiked = x.clone()
    spiked[..., 8, 8] += 500
    away = torch.ones(16, 16, dtype=torch.bool)
    away[6:11, 6:11] = False
    plain, droplet = layer(x, w), layer(spiked, w)
    torch.testing.assert_close(droplet[..., away], plain[..., away])
    assert F.instance_norm(droplet)[..., away].std() < 0.3 * F.instance_norm(plain)[..., away].std()


def test_path_length_of_a_linear_generator_is_its_matrix_norm():
    """J^T y of g(w) = A w / layers is A^T y in every layer's w; over many y its mean square is |A|² / pixels."""
    torch.manual_seed(0)
    matrix = torch.randn(3 * 8 * 8, 5)
    ws = torch.randn(20_000, 2, 5, requires_grad=True)
    lengths = path_lengths((ws.mean(dim=1) @ matrix.T).view(-1, 3, 8, 8), ws)
    expected = (matrix / 2).square().sum() / 64
    assert lengths.square().mean().item() == pytest.approx(expected.item(), rel=0.02)
    assert lengths.requires_grad is False or lengths.grad_fn is not None


def test_a_layer_listens_to_its_own_style():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).eval().requires_grad_(False)
    ws = torch.randn(1, gan.synthesis.styles, 16)
    plain = gan.synthesis(ws)
    for k in range(gan.synthesis.styles):
        other = ws.clone()
        other[:, k] += 1
        assert not torch.allclose(gan.synthesis(other), plain, atol=1e-4), k


def test_noise_is_added_where_it_is_wanted_only():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).eval().requires_grad_(False)
    ws, noise = torch.randn(1, gan.synthesis.styles, 16), gan.synthesis.noise(1)
    assert torch.equal(gan.synthesis(ws, noise), gan.synthesis(ws, 0 * noise))  # at first its strength is 0
    for layer in gan.synthesis.layers:
        layer.strength.fill_(1.0)
    at = 0
    for size in gan.synthesis.sizes:
        part = torch.zeros_like(noise)
        part[:, at : at + size] = noise[:, at : at + size]
        assert not torch.allclose(gan.synthesis(ws, part), gan.synthesis(ws, 0 * noise), atol=1e-4)
        at += size
    assert at == noise.shape[1]


def test_mixing_share_and_crossover():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, mixing=0.5))
    ws = gan.styles(2000)
    changes = (ws[:, 1:] != ws[:, :-1]).any(dim=2)
    assert (changes.sum(dim=1) <= 1).all()
    assert changes.any(dim=1).float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (changes.sum(dim=0) > 100).all()  # every layer is where it may cross over
    assert (GAN(replace(GAN.TINY, mixing=0.0)).styles(50).std(dim=1) == 0).all()


def test_penalties_come_now_and_then_and_adam_is_slowed_for_them():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, r1_every=4, path_every=2)).train()
    optimizers, batch = gan.optimizers(), (torch.rand(4, 3, 16, 16),)
    seen = [set(gan.train_step(batch, optimizers, step)) - {"discriminator", "fool"} for step in range(5)]
    assert seen == [{"steep", "uneven"}, set(), {"uneven"}, set(), {"steep", "uneven"}]
    assert optimizers["discriminator"].param_groups[0]["lr"] == pytest.approx(2e-3 * 4 / 5)
    assert optimizers["generator"].param_groups[0]["betas"] == (0.0, pytest.approx(0.99 ** (2 / 3)))
    off = GAN(replace(GAN.TINY, r1=0.0, path=0.0))
    assert set(off.train_step(batch, off.optimizers(), 0)) == {"discriminator", "fool"}
    assert off.optimizers()["discriminator"].param_groups[0]["lr"] == 2e-3


def test_the_means_follow_the_training():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()
    optimizers = gan.optimizers()
    for step in range(3):
        gan.train_step((torch.rand(4, 3, 16, 16),), optimizers, step)
    assert gan.mapping.average.abs().max() > 0
    assert 0 < gan.synthesis.path_running_mean < 1


def test_a_guessing_discriminator_loses_twice_log_two():
    gan = GAN(GAN.TINY)
    torch.nn.init.zeros_(gan.discriminator.verdict.weight)
    losses = gan.train().train_step((torch.rand(4, 3, 16, 16),), gan.optimizers(), 1)
    assert float(losses["discriminator"].detach()) == pytest.approx(2 * math.log(2), rel=1e-5)


def test_a_resumed_training_is_the_one_that_never_stopped():
    def run(parts):
        torch.manual_seed(0)
        state = None
        for steps in parts:
            gan, saved = GAN(GAN.TINY), []
            data = Images("toy:shoes", gan.config)
            list(training.train(gan, data, steps=steps, resume=state, save=saved.append))
            state = {k: v for k, v in saved[-1].items()}
            state = torch.utils._pytree.tree_map(lambda v: v.clone() if isinstance(v, torch.Tensor) else v, state)
        return state

    whole, parts = run([9]), run([4, 9])
    for group in ("gan", "shown"):
        for name, value in whole[group].items():
            assert torch.equal(value, parts[group][name]), name
    assert whole["gan"]["synthesis.path_running_mean"] > 0


def test_the_fast_variant_is_the_same_picture():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).eval().requires_grad_(False)
    _, inputs = gan.example().popitem()
    quick = fast(gan.synthesis, *inputs, dtype=torch.float32)
    torch.testing.assert_close(quick(*inputs), gan.synthesis(*inputs), atol=1e-4, rtol=1e-4)
    assert all(m.norms is None for m in gan.synthesis.modules() if isinstance(m, Modulated))
    ours = [m for m in quick.modules() if isinstance(m, Modulated) and m.demodulate]
    assert ours and all(m.norms is not None for m in ours)
    assert psnr(fast(gan.synthesis, *inputs, dtype=torch.bfloat16)(*inputs), gan.synthesis(*inputs)) > 30


def test_a_step_in_half_precision_is_finite():
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()
    with torch.autocast("cpu", torch.bfloat16):
        losses = gan.train_step((torch.rand(4, 3, 16, 16),), gan.optimizers(), 0)
    assert all(torch.isfinite(v) for v in losses.values())
    assert all(v.dtype == torch.float32 for v in gan.state_dict().values())
