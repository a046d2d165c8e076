"""The fast variant makes the exact one's pictures; it is used where that pays; the bench says by how much."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

import studio
from studio import checkpoints, registry
from studio.layers import Norm, ResizeConv2d
from studio.serving import bench, fast
from studio.toys.shoes import draw as shoe

NAMES = registry.names()
PIX2PIX = registry.gan("pix2pix")
FIELDS = ["gan", "tag", "size", "batch", "device", "plain_ms", "served_ms", "ratio", "psnr"]


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """One thread, no gradients, nothing decided yet."""
    monkeypatch.setattr(fast, "_decided", {})
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


@pytest.fixture(params=NAMES)
def gan(request):
    return bench.untrained(request.param, registry.gan(request.param).TINY)


def pix2pix(**fields):
    return bench.untrained("pix2pix", PIX2PIX.Config(**{"size": 32, "width": 8, "cap": 32, **fields}))


def several(inputs, n=3):
    """Inputs of n pictures: the example's, and the same upside down, in other scales."""
    return tuple(torch.cat([x if k == 0 else x.flip(-1) / (k + 1) for k in range(n)]) for x in inputs)


# ---- the same picture -----------------------------------------------------------------------------------------------


def test_fast_is_exact(gan):
    for child, inputs in gan.example().items():
        exact = gan.get_submodule(child)
        quick = fast.fast(exact, *inputs, dtype=torch.float32)
        assert quick(*inputs).dtype == torch.float32
        assert exact(*inputs).std() > 0.01, "nothing to compare"
        assert fast.psnr(quick(*inputs), exact(*inputs)) >= 60


def test_fast_in_bf16_is_near(gan):
    for child, inputs in gan.example().items():
        exact = gan.get_submodule(child)
        quick = fast.fast(exact, *inputs, dtype=torch.bfloat16)
        assert quick(*inputs).dtype == torch.float32
        assert 40 <= fast.psnr(quick(*inputs), exact(*inputs)) < 90


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_in_a_batch_each_gets_what_it_gets_alone(gan, dtype):
    for child, inputs in gan.example().items():
        exact = gan.get_submodule(child)
        quick = fast.fast(exact, *inputs, dtype=dtype)
        together = quick(*several(inputs, 8))
        for k in range(8):
            alone = tuple(x[k : k + 1] for x in several(inputs, 8))
            assert fast.psnr(together[k : k + 1], quick(*alone)) >= (100 if dtype == torch.float32 else 45)
            assert fast.psnr(together[k : k + 1], exact(*alone)) >= (60 if dtype == torch.float32 else 40)


def test_the_exact_network_is_left_alone(gan):
    before = {name: value.clone() for name, value in gan.state_dict().items()}
    for child, inputs in gan.example().items():
        exact = gan.get_submodule(child)
        picture = exact(*inputs)
        hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in exact.modules()]
        for dtype in (torch.float32, torch.bfloat16):
            quick = fast.fast(exact, *inputs, dtype=dtype)
            quick(*inputs)
            for value in [*quick.parameters(), *quick.buffers()]:
                if not value.is_mkldnn:  # packed: its own copy, and not writable
                    value.zero_()
        assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in exact.modules()]
        assert torch.equal(exact(*inputs), picture)
    after = gan.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("upsample", ["transposed", "resize"])
@pytest.mark.parametrize(("inputs", "affine"), [(1, True), (3, False)])
def test_every_pix2pix(norm, upsample, inputs, affine):
    gan = pix2pix(norm=norm, upsample=upsample, inputs=inputs, affine=affine)
    for layer in gan.generator.modules():
        if isinstance(layer, Norm):
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
            if affine:
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.uniform_(-0.5, 0.5)
    (sketch, _), noise = gan.example()["generator"], gan.generator.noise(2, torch.Generator().manual_seed(1))
    sketch = several([sketch], 2)[0]
    for dtype, least in {torch.float32: 60, torch.bfloat16: 40}.items():
        quick = fast.fast(gan.generator, *gan.example()["generator"], dtype=dtype)
        for averages in (False, True):
            exact = gan.generator(sketch, noise, averages=averages)
            assert fast.psnr(quick(sketch, noise, averages=averages), exact) >= least
        assert fast.psnr(quick(sketch), gan.generator(sketch)) >= least
        assert not torch.allclose(quick(sketch), quick(sketch, None, True), atol=0.05), "averages make another picture"


class Odd(nn.Module):
    """What later GANs may hold: borders, groups, dilation, spectral norm, a layer used twice, one with its own ways."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 7, padding=3, padding_mode="reflect")
        self.body = nn.Sequential(Norm(8), nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4), nn.ReLU())
        self.twice = spectral_norm(nn.Conv2d(8, 8, 3, padding="same", bias=False))
        self.normed = spectral_norm(nn.Conv2d(8, 8, 3, 2, 1))
        self.up = nn.ConvTranspose2d(8, 8, 3, 2, 1, output_padding=1, groups=2)
        self.resize = ResizeConv2d(8, 4)
        self.valid, self.own = nn.Conv2d(4, 4, 1, padding="valid"), Doubled(4, 3, 1)
        self.unused = nn.Conv2d(3, 3, 1)
        nn.init.normal_(self.resize.weight, 0.0, 0.1)

    def forward(self, x, shift=0.0):
        x = self.body(self.stem(x))
        x = self.twice(self.twice(x) + shift)
        return {"map": x, "pictures": [self.own(self.valid(self.resize(self.up(self.normed(x)))))], "n": len(x)}


class Doubled(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_odd_networks(dtype):
    torch.manual_seed(0)
    exact = Odd().eval()
    quick = fast.fast(exact, torch.randn(1, 1, 16, 16), dtype=dtype)
    for n, height, width in [(1, 16, 16), (3, 16, 16), (2, 24, 12)]:
        x, shift = torch.randn(n, 1, height, width), torch.randn(n, 1, 1, 1)
        a, b = exact(x, shift=shift), quick(x, shift=shift)
        assert b["n"] == n
        assert fast.psnr(b["map"], a["map"]) >= (100 if dtype == torch.float32 else 40)
        assert fast.psnr(b["pictures"][0], a["pictures"][0]) >= (100 if dtype == torch.float32 else 40)
    kinds = {name: type(layer).__name__ for name, layer in quick.named_children()}
    assert kinds["stem"] == kinds["normed"] == kinds["up"] == kinds["resize"] == "Conv"
    assert kinds["own"] == "Doubled"


class Siblings(nn.Module):
    """Convolutions that get one map, of one kind and of others; one of them twice."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, padding=1), spectral_norm(nn.Conv2d(3, 5, 3, padding=1, bias=False))
        self.other, self.twice = nn.Conv2d(3, 8, 5, padding=2), nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x, late=False):
        y = self.two(x.flip(-1)) if late else self.two(x)
        return torch.cat([self.one(x), y, self.other(x), self.twice(x) + self.twice(x + 1)], dim=1)


def test_convolutions_of_one_kind_that_get_one_map_are_computed_as_one(monkeypatch):
    torch.manual_seed(0)
    exact = Siblings().eval()
    quick = fast.fast(exact, torch.randn(1, 3, 16, 16), dtype=torch.float32)
    kinds = {name: type(layer).__name__ for name, layer in quick.named_children()}
    assert kinds == {"one": "Part", "two": "Part", "other": "Conv", "twice": "Conv"}
    assert quick.one.joint is quick.two.joint
    calls, run = [], fast.Conv.forward
    monkeypatch.setattr(fast.Conv, "forward", lambda self, x: calls.append(1) or run(self, x))
    for n, late in [(1, False), (3, False), (2, True), (1, True), (1, False)]:
        x = torch.randn(n, 3, 16, 16)
        assert fast.psnr(quick(x, late), exact(x, late)) >= 100
    assert quick.one.joint.kept.x is None, "nothing is kept"
    assert len(calls) == 3 * 4 + 2 * 5, "one call for both; two where they get different maps"


def test_threads_that_share_joint_convolutions_do_not_mix():
    quick = fast.fast(Siblings().eval(), torch.randn(1, 3, 16, 16), dtype=torch.float32)
    inputs = [torch.randn(1, 3, 16, 16) for _ in range(4)]
    expected = [quick(x) for x in inputs]
    wrong = []

    def work(k):
        with torch.no_grad():
            wrong.extend(k for _ in range(30) if not torch.allclose(quick(inputs[k]), expected[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_spade_makes_gamma_and_beta_at_once_and_bakes_spectral_norm():
    gan = bench.untrained("spade", replace(registry.gan("spade").TINY, width=2))
    quick = fast.fast(gan.generator, *gan.example()["generator"], dtype=torch.float32)
    layer = quick.blocks[1].norm_0.modulation
    assert layer.gamma.joint is layer.beta.joint
    assert layer.shared.joint is quick.blocks[2].norm_1.modulation.shared.joint, (
        "one map of labels serves all layers of a size"
    )
    assert not any("parametrizations" in name for name, _ in quick.named_parameters())


def gone(*_):
    raise RuntimeError("not compiled with oneDNN")


WITHOUT = {
    "no operators": SimpleNamespace(),
    "operators that refuse": SimpleNamespace(
        **{f"{kind}_pointwise": gone for kind in ("_convolution", "_convolution_transpose")},
        _reorder_convolution_weight=gone,
        _reorder_convolution_transpose_weight=gone,
    ),
    "packing that can't be run": SimpleNamespace(
        **{f"{kind}_pointwise": gone for kind in ("_convolution", "_convolution_transpose")},
        _reorder_convolution_weight=lambda weight, *_: weight[:1],
        _reorder_convolution_transpose_weight=lambda weight, *_: weight[:1],
    ),
}


@pytest.mark.parametrize("without", WITHOUT.values(), ids=WITHOUT)
@pytest.mark.parametrize("upsample", ["transposed", "resize"])
def test_without_packing_it_is_still_right(without, upsample, monkeypatch):
    gan = pix2pix(upsample=upsample)
    inputs = gan.example()["generator"]
    monkeypatch.setattr(torch.ops, "mkldnn", without)
    for dtype, least in {torch.float32: 60, torch.bfloat16: 40}.items():
        quick = fast.fast(gan.generator, *inputs, dtype=dtype)
        assert not any(value.is_mkldnn for value in quick.parameters())
        assert fast.psnr(quick(*several(inputs)), gan.generator(*several(inputs))) >= least


# ---- the choice -----------------------------------------------------------------------------------------------------


def always(monkeypatch, ratio):
    """Pretends that fast is `ratio` times as fast."""
    monkeypatch.setattr(fast, "paired", lambda *_, **__: [(ratio, 1.0)] * 3)


def test_fastest_is_fast_where_it_pays(home, monkeypatch):
    gan = pix2pix()
    always(monkeypatch, 1.5)
    served = fast.fastest(gan)
    assert (gan.variant, served.variant) == ("exact", "fast")
    assert served.generator is not gan.generator
    assert served.config is gan.config
    assert served.device == torch.device("cpu")
    sketch = Image.fromarray(shoe(np.random.default_rng(0)))
    for verb in ("translate", "averages"):
        pictures = [np.asarray(getattr(each, verb)(sketch)).astype(int) for each in (gan, served)]
        assert pictures[0].std() > 10
        assert abs(pictures[0] - pictures[1]).max() <= (1 if fast.best_dtype(gan.device) == torch.float32 else 40)


def test_fastest_is_exact_where_fast_is_not_faster(home, monkeypatch):
    gan = pix2pix()
    always(monkeypatch, 1.02)
    assert fast.fastest(gan) is gan


def test_fastest_is_exact_where_fast_is_slow(home, monkeypatch):
    gan, make = pix2pix(), fast.fast

    def slow(network, *example):
        made = make(network, *example)
        made.register_forward_pre_hook(lambda *_: time.sleep(0.05))
        return made

    monkeypatch.setattr(fast, "fast", slow)
    assert fast.fastest(gan) is gan


@pytest.mark.parametrize("wrong", [lambda x: x + 0.05, lambda x: x * torch.nan], ids=["another picture", "nan"])
def test_fastest_is_exact_where_fast_is_wrong(home, monkeypatch, wrong):
    gan, make = pix2pix(), fast.fast

    def spoiled(network, *example):
        made = make(network, *example)
        made.register_forward_hook(lambda _, inputs, output: wrong(output))
        return made

    always(monkeypatch, 9.0)
    monkeypatch.setattr(fast, "fast", spoiled)
    assert fast.fastest(gan) is gan


def test_fastest_is_exact_where_fast_breaks(home, monkeypatch, caplog):
    gan = pix2pix()
    monkeypatch.setattr(fast, "fast", gone)
    assert fast.fastest(gan) is gan
    assert "pix2pix is served exact: not compiled with oneDNN" in caplog.text
    monkeypatch.setattr(PIX2PIX, "example", fast.BaseGAN.example)
    assert fast.fastest(gan) is gan


def test_a_decision_is_kept(home, monkeypatch):
    gan, card = pix2pix(), {"files": {"weights.safetensors": {"sha256": "a"}}, "title": "A"}
    always(monkeypatch, 2.0)
    assert fast.fastest(gan, card).variant == "fast"
    assert list(json.loads((home / "fast.json").read_text()).values()) == [{"generator": True}]

    always(monkeypatch, 0.5)
    assert fast.fastest(gan, {**card, "title": "B"}).variant == "fast", "from memory"
    fast._decided.clear()
    assert fast.fastest(gan, card).variant == "fast", "from the file"
    assert fast.fastest(gan, {"files": {"weights.safetensors": {"sha256": "b"}}}).variant == "exact", "other weights"
    torch.set_num_threads(2)
    assert fast.fastest(gan, card).variant == "exact", "other threads"
    assert len(json.loads((home / "fast.json").read_text())) == 3


@pytest.mark.parametrize("spoil", [b"", b"\xff\xfe", b"[]", b'{"%s": 3}', b'{"%s": {"generator": "yes"}}', b"{"])
def test_a_spoiled_file_is_ignored(home, monkeypatch, spoil):
    gan = pix2pix()
    home.mkdir()
    (home / "fast.json").write_bytes(spoil.replace(b"%s", fast._Decision(gan, {}).id.encode()))
    always(monkeypatch, 0.5)
    assert fast.fastest(gan).variant == "exact"
    assert list(json.loads((home / "fast.json").read_text()).values()) == [{"generator": False}]


def test_a_home_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "file" / "home"))
    always(monkeypatch, 2.0)
    assert fast.fastest(pix2pix()).variant == "fast"


def test_a_checkpoint_is_loaded_fast(home, monkeypatch):
    checkpoints.save(pix2pix(), "kept", {"title": {"en": "Kept", "ko": "보관"}})
    always(monkeypatch, 2.0)
    assert checkpoints.load("pix2pix", "kept").variant == "exact"
    assert studio.load("pix2pix", "kept", fast=True).variant == "fast"


def test_rounds_are_paired_and_take_turns():
    order = []
    taken = fast.paired(lambda: order.append("a"), lambda: order.append("b"), rounds=4, seconds=60)
    assert "".join(order) == "abbaabba"
    assert len(taken) == 4
    assert len(fast.paired(lambda: None, lambda: None, rounds=9, seconds=0)) == 3


# ---- the bench ------------------------------------------------------------------------------------------------------


def test_bench(home, monkeypatch, capsys):
    make = bench.untrained
    monkeypatch.setattr(bench, "untrained", lambda name, config=None: make(name, config or registry.gan(name).TINY))
    checkpoints.save(pix2pix(), "kept", {"title": {"en": "Kept", "ko": "보관"}})
    rows = bench.bench("pix2pix", rounds=3, batch=2)
    assert "bench: pix2pix paper" in capsys.readouterr().err
    assert {"paper", "kept"} <= {row["tag"] for row in rows}
    for row in rows:
        assert list(row) == FIELDS
        assert row["plain_ms"] > 0
        assert row["served_ms"] > 0
        assert (row["psnr"] is None) == (row["ratio"] == 1.0 and row["plain_ms"] == row["served_ms"])
    assert rows[0]["gan"] == "pix2pix"
    assert rows[0]["size"] == 32
    json.loads(json.dumps(rows, allow_nan=False))
    assert "pix2pix paper" in bench.table(rows)


def test_where_fast_does_not_pay_nothing_is_slower(home, monkeypatch):
    make = bench.untrained
    monkeypatch.setattr(bench, "untrained", lambda name, config=None: make(name, config or registry.gan(name).TINY))
    always(monkeypatch, 0.5)
    row = bench.bench("pix2pix", rounds=3)[0]
    assert (row["ratio"], row["psnr"], row["served_ms"]) == (1.0, None, row["plain_ms"])
    assert "the exact one" in bench.table([row])


def test_the_paper_has_contrast_and_only_what_the_demo_needs(gan):
    assert {child for child, network in gan.named_children() if network is not None} == set(gan.demo)
    assert set(gan.example()) <= set(gan.demo)
    before = torch.get_rng_state()
    again = bench.untrained(registry.name_of(gan), type(gan).TINY)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in gan.state_dict().items())
