"""SPADE: the textbook, parity with the authors' networks, and label maps as people bring them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from studio import checkpoints, losses, measure
from studio.data import Segmentations
from studio.gans import spade
from studio.gans.spade import GAN
from studio.gans.spade.paper import SPADE, Config, Discriminator, Generator, divergence, matching
from studio.images import Image
from studio.labels import open_map
from studio.toys.landscapes import CLASSES, landscape

PARITY = json.loads((Path(__file__).parents[1] / "parity" / "spade.json").read_text())
CASES = {case["id"]: case for case in PARITY["cases"]}


# ---- parity with the official networks (numbers and formulas: tests/parity/README.md) -------------------------------


def unit(k: int, n: int) -> np.ndarray:
    j = np.arange(n, dtype=np.int64)
    return 2.0 * ((j + 1009 * (k + 1)) ** 3 * (k + 7) % 999983) / 999983 - 1.0


def official_tensors(case) -> dict[str, torch.Tensor]:
    made, k = {}, 0
    for name, shape, dtype, _ in case["state_dict"]:
        if dtype != "float32":
            made[name] = torch.ones(shape, dtype=getattr(torch, dtype))
            continue
        leaf = name.rsplit(".", 1)[-1]
        if len(shape) > 1:
            smaller = 0.2 if "conv_img" in name else 0.4 if "mlp_gamma" in name or "mlp_beta" in name else 1.0
            offset, scale = 0.0, (3.0 / np.prod(shape[1:])) ** 0.5 * smaller
        else:
            offset, scale = {"weight": (1.0, 0.2), "running_var": (1.0, 0.5)}.get(leaf, (0.0, 0.1))
        value = (offset + scale * unit(k, int(np.prod(shape)))).astype(np.float32).reshape(shape)
        made[name] = torch.from_numpy(value)
        k += 1
    for name in [n for n in made if n.endswith("weight_u")]:  # the power iteration's vectors, nearly those of the SVD
        base = name.removesuffix("_u")
        matrix, v = made[base + "_orig"].double().flatten(1), made[base + "_v"].double()
        for _ in range(4):
            u = F.normalize(matrix @ v, dim=0)
            v = F.normalize(matrix.T @ u, dim=0)
        made[name], made[base + "_v"] = u.float(), v.float()
    for name, _, dtype, total in case["state_dict"]:
        assert dtype != "float32" or abs(float(made[name].double().sum()) - total) < 1e-4, name
    return made


def grid(k: int, n: int, side: int, most: int) -> torch.Tensor:
    coarse = np.floor((unit(k, n * 64).reshape(n, 8, 8) + 1) / 2 * most).clip(0, most - 1).astype(np.int64)
    return torch.from_numpy(coarse.repeat(side // 8, 1).repeat(side // 8, 2))


def official_input(case, gan: GAN) -> torch.Tensor:
    options, side = case["options"], case["side"]
    ids = grid(1, 2, side, options["label_nc"] + options.get("contain_dontcare_label", False))
    objects = None if options.get("no_instance", True) else grid(2, 2, side, 5)
    return gan.one_hot(torch.where(ids == options["label_nc"], 255, ids), objects)


def agrees(made: torch.Tensor, expected, atol=2e-5) -> None:
    assert list(made.shape) == expected["shape"]
    np.testing.assert_allclose(made.detach().numpy().ravel()[expected["indices"]], expected["values"], atol=atol)
    assert abs(float(made.mean()) - expected["mean"]) < 1e-5
    assert abs(float(made.std(correction=0)) - expected["std"]) < 1e-4


def told(gan: GAN, case) -> GAN:
    """What the authors' table of channels does not tell, since these nets are small."""
    options = case["options"]
    gan.config = replace(
        gan.config, labels=options["label_nc"], unknown=options.get("contain_dontcare_label", False),
        edges=not options.get("no_instance", True),
    )  # fmt: skip
    return gan


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n]["network"] == "G"])
def test_an_official_generator_file_gives_the_official_picture(name, tmp_path, home, monkeypatch):
    case = CASES[name]
    torch.save(official_tensors(case), tmp_path / "latest_net_G.pth")
    if case["options"].get("num_upsampling_layers") == "more":  # of the authors' nets only Cityscapes' is one
        monkeypatch.setitem(spade.official.KNOWN, 36, (0, False, False))
        monkeypatch.setattr(spade.official, "_official_config", as_six(spade.official._official_config))
    checkpoints.adopt(tmp_path / "latest_net_G.pth", "spade", "official")
    gan = told(checkpoints.load("spade", "official"), case)
    x = official_input(case, gan)
    z = torch.from_numpy(unit(3, 2 * 256).astype(np.float32).reshape(2, 256)) * 1.7
    z = (z,) if case["options"].get("use_vae") else ()
    agrees(gan.generator(x, *z), case["outputs"]["eval"])
    gan.generator.train()  # the batch's statistics; but the power iteration rests, whose order of steps is another
    for module in gan.generator.modules():
        if hasattr(module, "_u"):
            module.eval()
    agrees(gan.generator(x, *z), case["outputs"]["train"])


def as_six(function):
    return lambda *parts: replace(function(*parts), doublings=6, size=512)


def test_the_official_encoder_and_discriminator_come_with_their_generator(tmp_path, home):
    """Three files of one training in a folder: the picture, the style and the verdicts are the authors'."""
    for letter, name in (("G", "vae"), ("E", "encoder"), ("D", "discriminator")):
        torch.save(official_tensors(CASES[name]), tmp_path / f"latest_net_{letter}.pth")
    with pytest.raises(ValueError, match=r"\(4, 15, 4, 4\), not \(4, 13, 4, 4\)"):  # a discriminator of other labels
        checkpoints.adopt(tmp_path, "spade", "official")
    (tmp_path / "latest_net_D.pth").unlink()
    checkpoints.adopt(tmp_path, "spade", "official")
    gan = checkpoints.load("spade", "official")
    assert (gan.config.size, gan.config.style, gan.config.encoder) == (64, 256, True)
    photo = torch.from_numpy(unit(0, 2 * 3 * 256 * 256).astype(np.float32).reshape(2, 3, 256, 256))
    agrees(gan.encoder(photo), CASES["encoder"]["outputs"]["eval"])


def test_the_official_discriminator(tmp_path, home):
    case = CASES["discriminator"]
    torch.save(official_tensors(CASES["unknown_and_edges_more"]), tmp_path / "latest_net_G.pth")
    torch.save(official_tensors(case), tmp_path / "latest_net_D.pth")
    checkpoints.adopt(tmp_path, "spade", "official")
    gan = told(checkpoints.load("spade", "official"), case)
    photo = torch.from_numpy(unit(0, 2 * 3 * 64 * 64).astype(np.float32).reshape(2, 3, 64, 64))
    judged = gan.discriminator(official_input(case, gan), photo)
    for ours, theirs in zip(judged, case["outputs"]["eval"], strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            agrees(mine, other, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda s: {k: v for k, v in s.items() if k != "up_1.norm_0.mlp_beta.bias"},
            "up_1.norm_0.mlp_beta.bias is not",
        ),
        (lambda s: s | {"extra.weight": torch.zeros(3)}, "extra.weight is not used"),
        (lambda s: s | {"fc.bias": torch.full((64,), float("nan"))}, "NaN"),
        (lambda s: official_tensors(CASES["encoder"]), "looks like SPADE's encoder"),
        (lambda s: official_tensors(CASES["discriminator"]), "looks like a discriminator"),
        (lambda s: {"conv1.weight": torch.zeros(64, 3, 7, 7)}, "not a generator of SPADE: its first names are conv1"),
        (lambda s: {k.replace("weight_orig", "weight"): v for k, v in s.items()}, "no spectral norm"),
        (lambda s: s | {"head_0.norm_0.mlp_shared.0.weight": torch.zeros(128, 10, 5, 5)}, "5 x 5 kernels"),
    ],
)
def test_a_file_that_does_not_fit_gets_a_sentence(change, sentence, tmp_path, home):
    torch.save(change(official_tensors(CASES["labels"])), tmp_path / "G.pth")
    with pytest.raises(ValueError, match=sentence):
        checkpoints.adopt(tmp_path / "G.pth", "spade", "wrong")
    assert "wrong" not in checkpoints.tags("spade")


@pytest.mark.parametrize(
    ("channels", "said"), [(184, (182, True, True)), (151, (150, True, False)), (36, (35, False, True))]
)
def test_the_authors_data_sets_are_known_by_their_channels(channels, said):
    shapes = {"fc.weight": (1024, channels, 3, 3), "head_0.conv_0.weight_orig": (1024, 1024, 3, 3)}
    shapes |= {"head_0.norm_0.mlp_shared.0.weight": (128, channels, 3, 3), "head_0.norm_0.mlp_gamma.weight": (9, 9, 3)}
    config = spade.official._official_config(shapes, None, None)
    assert (config.labels, config.unknown, config.edges) == said
    assert (config.width, config.style) == (64, 0)
    assert config.doublings == (6 if channels == 36 else 5)


def test_the_papers_generator_has_the_papers_size():
    """As the authors' code reports for ADE20K (151 channels, no style): 96.5 million."""
    with torch.device("meta"):
        generator = Generator(Config(style=0, encoder=False))
    assert sum(p.numel() for p in generator.parameters()) == 96_492_483


# ---- the textbook ---------------------------------------------------------------------------------------------------


def tiny(**fields) -> GAN:
    torch.manual_seed(0)
    return GAN(replace(GAN.TINY, edges=False, unknown=False, **fields)).eval().requires_grad_(False)


def one_label(gan: GAN, label: int) -> torch.Tensor:
    side = gan.config.size
    return gan.one_hot(torch.full((1, side, side), label))


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("training", [True, False])
def test_with_gamma_and_beta_0_spade_is_plain_normalisation(norm, training):
    torch.manual_seed(0)
    layer = SPADE(replace(GAN.TINY, norm=norm), 6).train(training)
    for made in (layer.modulation.gamma, layer.modulation.beta):
        nn.init.zeros_(made.weight)
        nn.init.zeros_(made.bias)
    x, labels = torch.randn(4, 6, 8, 8) * 3 + 1, torch.rand(4, GAN.TINY.channels, 8, 8)
    whole = training and norm == "batch"  # else each picture by itself; in a demo "batch" has its averages, 0 and 1 yet
    expected = x
    if training or norm == "instance":
        over = (0, 2, 3) if whole else (2, 3)
        variance = x.var(over, correction=0, keepdim=True)
        expected = (x - x.mean(over, keepdim=True)) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(layer(x, labels), expected, atol=2e-5, rtol=2e-5)


def test_gamma_scales_and_beta_shifts_where_the_label_is():
    layer = SPADE(replace(GAN.TINY, labels=2, unknown=False, edges=False, hidden=2, kernel=1), 1).eval()
    with torch.no_grad():
        made = layer.modulation
        for conv in (made.shared, made.gamma, made.beta):
            conv.weight.zero_()
            conv.bias.zero_()
        made.shared.weight[0, 0, 1, 1] = made.shared.weight[1, 1, 1, 1] = 1  # hidden = labels
        made.gamma.weight[0, 0], made.beta.weight[0, 1] = 2.0, 5.0  # label 0: times 3; label 1: plus 5
    labels = torch.zeros(1, 2, 4, 4)
    labels[:, 0, :, :2] = labels[:, 1, :, 2:] = 1
    x = torch.randn(1, 1, 4, 4)
    made = layer(x, labels)
    torch.testing.assert_close(made[..., :2], 3 * x[..., :2], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(made[..., 2:], x[..., 2:] + 5, atol=1e-4, rtol=1e-4)


def test_one_label_over_the_canvas_is_washed_away_by_concatenation_but_not_by_spade():
    """Section 3.2: normalisation takes a constant's mean away, and the mean is all that a one-label map has."""
    for conditioning, survives in (("concat", False), ("spade", True)):
        gan = tiny(conditioning=conditioning)
        z = torch.randn(1, gan.config.style)
        sky, grass = (gan.generator(one_label(gan, label), z) for label in (0, 4))
        apart = float((sky - grass).abs().mean())
        assert (apart > 0.01) is survives, f"{conditioning}: {apart}"
        assert survives or apart < 1e-5
    two = torch.zeros(1, 32, 32, dtype=torch.uint8)
    two[:, 16:] = 4
    gan = tiny(conditioning="concat")  # with two labels there is something that a mean does not take away
    assert float((gan.generator(gan.one_hot(two)) - gan.generator(gan.one_hot(two.flip(1)))).abs().mean()) > 0.01


def test_hinge_is_zero_beyond_the_margin_and_the_distance_before_it():
    logits = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])
    assert float(losses.hinge(logits, True)) == pytest.approx((3 + 2 + 1 + 0.5) / 6)
    assert float(losses.hinge(logits, False)) == pytest.approx((1 + 1.5 + 2 + 4) / 6)
    logits = torch.tensor([1.5, -0.5], requires_grad=True)
    losses.hinge(logits, True).backward()
    assert logits.grad.tolist() == [0.0, -0.5]  # clear enough is good enough


def test_guessing_judges_lose_two():
    gan = tiny().train().requires_grad_(True)
    for judge in gan.discriminator.judges:
        nn.init.zeros_(judge.convs[-1].weight)
    batch = torch.randint(11, (2, 32, 32)), torch.rand(2, 3, 32, 32)
    said = gan.train_step(batch, gan.optimizers(), 0)
    assert float(said["discriminator"].detach()) == pytest.approx(2.0)


def test_divergence_is_that_of_two_normal_distributions():
    mean, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(dim=1).mean()
    torch.testing.assert_close(divergence(mean, log_variance), expected)
    assert float(divergence(torch.zeros(2, 3), torch.zeros(2, 3))) == 0


def test_matching_leaves_the_verdict_out_and_moves_only_ours():
    ours = [[torch.ones(1, 2, 3, 3, requires_grad=True), torch.zeros(1, 1, 2, 2)] for _ in range(2)]
    theirs = [[torch.full((1, 2, 3, 3), 3.0, requires_grad=True), torch.full((1, 1, 2, 2), 99.0)] for _ in range(2)]
    loss = matching(ours, theirs)
    assert float(loss.detach()) == 2.0
    loss.backward()
    assert ours[0][0].grad is not None
    assert theirs[0][0].grad is None


def test_spectral_norm_is_the_largest_singular_value():
    gan = tiny().train()
    conv = gan.generator.blocks[0].conv_0
    with torch.no_grad():
        for _ in range(200):
            assert conv.weight is not None  # each look is one step of the power iteration
    original = conv.parametrizations.weight.original.flatten(1)
    largest = torch.linalg.svdvals(original)[0]
    torch.testing.assert_close(conv.weight.flatten(1), original / largest, atol=1e-4, rtol=1e-3)
    assert float(torch.linalg.svdvals(conv.weight.flatten(1))[0]) == pytest.approx(1, abs=1e-3)


def test_each_judge_sees_the_picture_at_half_the_size_of_the_one_before():
    judges = Discriminator(replace(GAN.TINY, judges=3))
    shapes = [maps[0].shape for maps in judges(torch.zeros(1, GAN.TINY.channels, 32, 32), torch.zeros(1, 3, 32, 32))]
    assert [s[2] for s in shapes] == [17, 9, 5]
    assert all(len(maps) == GAN.TINY.judge_layers + 1 for maps in judges(torch.zeros(1, GAN.TINY.channels, 32, 32),
                                                                        torch.zeros(1, 3, 32, 32)))  # fmt: skip


def test_a_demo_normalises_by_the_averages_and_training_by_the_batch():
    gan = tiny()
    x = torch.cat([one_label(gan, k) for k in (0, 3, 5, 7)])
    z = torch.randn(4, gan.config.style)
    alone = gan.generator(x[1:2], z[1:2])
    torch.testing.assert_close(gan.generator(x, z)[1:2], alone, atol=1e-5, rtol=1e-5)
    gan.train()
    assert not torch.allclose(
        gan.generator(x, z)[1:2], gan.generator(x[1:2].repeat(2, 1, 1, 1), z[1:2].repeat(2, 1))[:1]
    )


@pytest.mark.parametrize("doublings", [3, 4, 5, 6, 7])
@pytest.mark.parametrize("style", [0, 8])
def test_any_number_of_doublings_gives_the_picture_its_size(doublings, style):
    gan = tiny(size=128, doublings=doublings, style=style, width=2, encoder=False)
    assert gan.generator(one_label(gan, 1)).shape == (1, 3, 128, 128)


def test_what_was_trained_at_64_goes_on_at_128():
    small, large = (tiny(size=size, doublings=4, start=4, encoder_size=32) for size in (64, 128))
    for child in ("generator", "encoder"):
        large.get_submodule(child).load_state_dict(small.get_submodule(child).state_dict())
    assert large.paint(np.zeros((128, 128), np.uint8) if False else open_map(np.zeros((9, 9), np.uint8))).size == (
        128,
        128,
    )


def test_sizes_that_do_not_go_together_get_a_sentence():
    with pytest.raises(ValueError, match=r"begin with a map of 0\.25 px"):
        GAN(replace(GAN.TINY, doublings=7))
    with pytest.raises(ValueError, match="divide by start = 3"):
        GAN(replace(GAN.TINY, start=3))


@pytest.mark.parametrize(
    ("off", "term"),
    [("near", "near"), ("features", "features"), ("adversarial", "fool"), ("alike", "alike"), ("eyes", "seen")],
)
def test_a_term_that_is_switched_off_moves_nothing(off, term):
    batch = torch.randint(11, (2, 32, 32)), torch.rand(2, 3, 32, 32)

    def moved(**settings) -> bool:
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, **settings)).train()
        before = gan.generator.last.weight.clone()
        gan.train_step(batch, gan.optimizers(), 50)
        return not torch.equal(before, gan.generator.last.weight)

    none = {"near": 0.0, "features": 0.0, "adversarial": 0.0, "alike": 0.0, "eyes": 0.0, "recognised": 0.0}
    assert term in GAN.about.terms and GAN.about.terms[term].weight == off
    assert moved(**none | {off: 1.0})
    assert not moved(**none)


def test_the_encoder_learns_with_the_generator_and_only_from_what_is_on():
    batch = torch.randint(11, (2, 32, 32)), torch.rand(2, 3, 32, 32)
    gan = GAN(GAN.TINY).train()
    before = gan.encoder.mean.weight.clone()
    gan.train_step(batch, gan.optimizers(), 0)
    assert not torch.equal(before, gan.encoder.mean.weight)


def test_a_picture_like_the_photo_is_like_it_to_the_network_that_knows_pictures():
    """The perceptual term is counted where a picture is painted in its photo's style; those in a style of their own are
    judged, and their style must be recognised."""
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, free=0.5)).train()
    batch = torch.randint(11, (4, 32, 32)), torch.rand(4, 3, 32, 32) * 2 - 1
    z, losses, own = gan._style_of(batch[1])
    assert (len(z), own) == (4, 2)
    assert "kl" in losses
    first = gan.train_step(batch, gan.optimizers(), 0)
    assert {"alike", "eyes", "seen", "recognised"} <= set(first)
    torch.manual_seed(0)
    plain = GAN(replace(GAN.TINY, eyes=0.0, alike=0.0, free=0.0)).train()
    assert not {"alike", "eyes", "seen", "recognised"} & set(plain.train_step(batch, plain.optimizers(), 0))


# ---- label maps -----------------------------------------------------------------------------------------------------


def test_one_hot_has_one_channel_for_unknown_or_none_and_one_for_borders():
    ids = torch.tensor([[[0, 0, 2, 255], [0, 0, 2, 255]]], dtype=torch.uint8)
    plain = GAN(replace(GAN.TINY, labels=3, unknown=False, edges=False)).one_hot(ids)
    assert plain.shape == (1, 3, 2, 4)
    assert plain.sum(dim=1).tolist() == [[[1, 1, 1, 0]] * 2]
    full = GAN(replace(GAN.TINY, labels=3, unknown=True, edges=True)).one_hot(ids)
    assert full.shape == (1, 5, 2, 4)
    assert full[:, :4].sum(dim=1).eq(1).all()
    assert full[0, 3].tolist() == [[0, 0, 0, 1]] * 2
    assert full[0, 4].tolist() == [[0, 1, 1, 1]] * 2
    objects = GAN(replace(GAN.TINY, labels=3, edges=True)).one_hot(ids, torch.tensor([[[7, 8, 8, 8]] * 2]))
    assert objects[0, -1].tolist() == [[1, 1, 0, 0]] * 2


@pytest.mark.parametrize(
    ("given", "expected"), [((64, 64), (32, 32)), ((64, 128), (48, 24)), ((7, 5), (24, 40)), ((900, 10), (16, 56))]
)
def test_the_picture_has_the_maps_shape(given, expected):
    assert tiny().paint(open_map(np.zeros(given, np.uint8))).size == expected


def test_numbers_colours_and_palettes_of_one_map_give_one_picture():
    gan = tiny()
    gan.extras = {"palette": [{"id": k, "name": n, "colour": f"#{20 * k:02x}40a0"} for k, n in enumerate(CLASSES)]}
    ids = landscape(np.random.default_rng(3), 64)[1]
    indexed = Image.fromarray(ids)
    indexed.putpalette(gan.classes.colours.ravel().tolist())
    kinds = [
        Image.fromarray(ids),
        Image.fromarray(gan.classes.colours[ids]),
        Image.fromarray(ids.astype(np.uint16)),
        indexed,
    ]
    pictures = [np.asarray(gan.paint(open_map(kind), seed=1)) for kind in [*kinds, ids]]
    assert all(np.array_equal(pictures[0], other) for other in pictures[1:])


def test_a_seed_a_photo_or_both_decide_the_style():
    gan = tiny()
    ids, photo = (
        open_map(np.zeros((32, 32), np.uint8)),
        Image.effect_noise((90, 30), 80).convert("RGB"),
    )  # a strange shape
    made = [gan.paint(ids), gan.paint(ids, 1), gan.paint(ids, 2), gan.paint(ids, None, photo), gan.paint(ids, 1, photo)]
    arrays = [np.asarray(p).tobytes() for p in made]
    assert len(set(arrays)) == len(arrays)
    assert [np.asarray(s.picture).tobytes() for s in gan.styles(ids, 2)] == arrays[1:3]
    with pytest.raises(ValueError, match="1 to 16"):
        gan.styles(ids, 17)


def test_without_styles_a_seed_gets_a_sentence():
    gan, ids = tiny(style=0), open_map(np.zeros((32, 32), np.uint8))
    assert gan.paint(ids).size == (32, 32)
    with pytest.raises(ValueError, match="has no styles"):
        gan.paint(ids, seed=1)
    with pytest.raises(ValueError, match="has no encoder"):
        tiny(encoder=False).paint(ids, style_photo=Image.new("RGB", (8, 8)))
    with pytest.raises(ValueError, match="without maps of objects"):
        gan.paint(ids, objects=ids)


def test_modulation_shows_the_map_in_every_layer():
    gan, ids = tiny(kernel=1), np.zeros((32, 32), np.uint8)
    ids[16:] = 4
    layers = gan.modulation(open_map(ids), channel=3)
    assert [layer.name for layer in layers][:2] == ["blocks.0.norm_0", "blocks.0.norm_1"]
    assert layers[-1].size == (32, 32)
    gamma = np.asarray(layers[-1].gamma)
    assert len(np.unique(gamma[4:12, 2:-2].reshape(-1, 3), axis=0)) == 1  # flat inside a label, another in the next
    assert not np.array_equal(gamma[8, 8], gamma[24, 8])
    with pytest.raises(ValueError, match="input only"):
        tiny(conditioning="concat").modulation(open_map(ids))


def test_reading_reports_what_was_guessed():
    gan = tiny()
    ids = np.repeat(np.repeat(np.uint8([[0, 4], [3, 255]]), 16, 0), 16, 1)
    colours = gan.classes.colours[ids]
    near = gan.classes.colours[0] ^ 1  # nearly the colour of class 0
    colours[0, 0] = near
    alpha = np.where(ids == 255, 0, 255).astype(np.uint8)
    found = gan.read(open_map(np.dstack([colours, alpha])))
    assert (found.kind, found.snapped, found.unknown) == ("colours", 1 / 1024, 0.25)
    assert found.foreign == [{"colour": "#" + bytes(near).hex(), "share": 1 / 1024, "id": 0, "name": "class 0"}]
    assert np.array_equal(np.asarray(found.ids), ids)
    assert found.classes == {"class 0": 0.25, "class 3": 0.25, "class 4": 0.25, "unknown": 0.25}


# ---- measuring ------------------------------------------------------------------------------------------------------


def test_the_segmenter_finds_what_was_painted_and_misses_what_was_not():
    data = Segmentations("toy", GAN.TINY)
    batches = [data.batch(range(8 * k, 8 * k + 8), [None] * 8) for k in range(20)]
    judge = measure.segmenter(batches * 5, len(CLASSES), size=32)
    ids, photos = data.batch(range(200, 232), [None] * 32)
    right = measure.agreement(judge, photos, ids, size=32)["agreement"]
    wrong = measure.agreement(judge, photos.roll(1, 0), ids, size=32)["agreement"]
    assert right > 0.6
    assert right > wrong + 0.15
    assert measure.agreement(judge, photos, torch.where(ids == 0, 255, ids), size=32)["agreement"] != right
    with pytest.raises(ValueError, match="all unknown"):
        measure.agreement(judge, photos, torch.full_like(ids, 255), size=32)


def test_a_map_may_be_a_file_an_array_or_a_picture(tmp_path):
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).eval()
    ids = np.zeros((32, 32), np.uint8)
    ids[16:] = 1
    path = tmp_path / "map.png"
    Image.fromarray(ids).save(path)
    made = [gan.paint(each, seed=3).tobytes() for each in (path, str(path), ids, Image.fromarray(ids))]
    assert len(set(made)) == 1
