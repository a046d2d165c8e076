"""Gated-GAN: the textbook, its data, and parity with the PyTorch implementation's generator."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio import checkpoints
from studio.data import Styles
from studio.gans import gated_gan
from studio.gans.gated_gan import GAN
from studio.gans.gated_gan.demo import edge_agreement
from studio.gans.gated_gan.paper import Config, Discriminator, Generator, class_loss, total_variation
from studio.layers import Norm
from studio.losses import least_squares
from studio.pool import Pool
from studio.toys import textures
from studio.training import loop as training
from studio.training import process as trainer
from studio.training import runs

PARITY = json.loads((Path(__file__).parents[1] / "parity" / "gated_gan.json").read_text())
INNER = replace(GAN.TINY, norm="inner")


@pytest.fixture
def gan():
    torch.manual_seed(0)
    made = GAN(GAN.TINY).eval().requires_grad_(False)
    # As after a training: with the first weights of 0.02 all styles look alike, and nothing could be told apart.
    for p in made.generator.parameters():
        if p.ndim == 4:
            torch.nn.init.normal_(p, 0.0, p[0].numel() ** -0.5)
    return made


def photo(width: int = 48, height: int = 32) -> Image.Image:
    return Image.fromarray(textures.scene(np.random.default_rng(1), 64)).resize((width, height))


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.int16)


# ---- parity with the official generator (tests/parity/README.md) ----------------------------------------------------


def unit(k: int, n: int) -> np.ndarray:
    j = np.arange(n, dtype=np.int64)
    return 2.0 * ((j + 1009 * (k + 1)) ** 3 * (k + 7) % 999983) / 999983 - 1.0


@pytest.fixture(scope="module")
def official_state() -> dict[str, torch.Tensor]:
    made = {}
    for k, (name, shape, _, total) in enumerate(PARITY["state_dict"]):
        scale = (3.0 / np.prod(shape[1:])) ** 0.5 if len(shape) == 4 else 0.1
        value = (scale * unit(k, int(np.prod(shape)))).astype(np.float32).reshape(shape)
        assert abs(value.astype(np.float64).sum() - total) < 1e-4
        made[name] = torch.from_numpy(value)
    return made


def test_an_official_file_gives_the_official_pictures(official_state, tmp_path, home):
    torch.save(official_state, tmp_path / "netG.pth")
    checkpoints.adopt(tmp_path / "netG.pth", "gated_gan", "official")
    gan = checkpoints.load("gated_gan", "official")
    assert (gan.config.styles, gan.config.width, gan.config.blocks) == (4, 64, 5)
    shape = PARITY["input"]["shape"]
    x = torch.from_numpy(unit(0, int(np.prod(shape))).astype(np.float32).reshape(shape))
    for expected in PARITY["outputs"]:
        made = gan.generator(x, torch.tensor([expected["gates"]], dtype=torch.float32))
        assert list(made.shape) == expected["shape"]
        np.testing.assert_allclose(made.numpy().ravel()[expected["indices"]], expected["values"], atol=1e-4)
        assert abs(float(made.mean()) - expected["mean"]) < 1e-4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda s: {k: v for k, v in s.items() if "t.2.conv_block.5" not in k},
            "t.2.conv_block.5.* is not in the file",
        ),
        (lambda s: s | {"extra.weight": torch.zeros(3)}, "extra.weight is not used"),
        (lambda s: {"fldiscriminator.weight": torch.zeros(1, 512, 4, 4)}, "discriminator"),
        (lambda s: {"model.1.weight": torch.zeros(64, 3, 7, 7)}, "its first names are model.1.weight"),
        (lambda s: {k: v for k, v in s.items() if "transformer" not in k}, "has 0 styles"),
    ],
)
def test_a_file_that_does_not_fit_gets_a_sentence(change, sentence, official_state, tmp_path, home):
    torch.save(change(official_state), tmp_path / "netG.pth")
    with pytest.raises(ValueError, match=sentence):
        checkpoints.adopt(tmp_path / "netG.pth", "gated_gan", "wrong")
    assert "wrong" not in checkpoints.tags("gated_gan")


# ---- the networks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("styles", [1, 4, 14])
def test_the_papers_generator_has_the_papers_size(styles):
    with torch.device("meta"):
        made = GAN(Config(styles=styles))
    count = sum(p.numel() for p in made.generator.parameters())
    assert count == 6_657_539 + 1_180_160 * styles
    assert GAN.parameters_of(Config()) == (6_657_539, 1_180_160)
    if styles == 4:
        assert count == 11_378_179  # one CycleGAN generator
        assert sum(p.numel() for p in made.parameters()) == 14_175_688  # the paper: 14.2 M


@pytest.mark.parametrize("config", [GAN.TINY, GAN.CLASSROOM, Config(width=8, blocks=2, upsample="resize")])
def test_the_formula_of_its_size_is_exact(config):
    with torch.device("meta"):
        generator = Generator(config)
    base, each = GAN.parameters_of(config)
    assert sum(p.numel() for p in generator.parameters()) == base + each * config.styles


def test_every_item_of_a_batch_has_its_own_gates(gan):
    """The mistake of a public implementation: the first item's gates for all."""
    torch.manual_seed(1)
    x = torch.rand(5, 3, 32, 32) * 2 - 1
    gates = torch.tensor([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0.2, 0.3, 0.5, 0], [0.5, 0, 0, 0.5]])
    together = gan.generator(x, gates)
    for k in range(5):
        torch.testing.assert_close(together[k : k + 1], gan.generator(x[k : k + 1], gates[k : k + 1]))
    swapped = gan.generator(x, gates.roll(1, 0))
    assert all((together[k] - swapped[k]).abs().max() > 1e-3 for k in range(5))


def test_a_mixture_mixes_codes_and_the_identity_is_the_auto_encoder(gan):
    g = gan.generator
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    each = torch.eye(4)
    codes = [g(x, each[k : k + 1], features=True) for k in range(4)]
    torch.testing.assert_close(codes[3], g.encode(x))
    mixed = g(x, torch.tensor([[0.5, 0.25, 0.0, 0.25]]), features=True)
    torch.testing.assert_close(mixed, 0.5 * codes[0] + 0.25 * codes[1] + 0.25 * codes[3])
    torch.testing.assert_close(g(x, each[3:]), g.decode(g.encode(x)))


def test_a_shut_gate_is_not_computed(gan):
    asked = []
    for k, block in enumerate(gan.generator.gates):
        block.register_forward_hook(lambda _, inputs, __, k=k: asked.append((k, len(inputs[0]))))
    gan.generator(torch.rand(3, 3, 32, 32), torch.tensor([[1.0, 0, 0, 0], [0, 0, 0.5, 0.5], [1.0, 0, 0, 0]]))
    assert asked == [(0, 2), (2, 1)]


def test_normalised_throughout_the_photo_s_brightness_is_lost_inside_blocks_alone_it_passes():
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 32) * 0.5
    for config, passes in ((GAN.TINY, False), (INNER, True)):
        generator = GAN(config).eval().generator
        dark, bright = (generator.encode(x + shift) for shift in (-0.6, 0.3))
        assert ((dark - bright).abs().max() > 1e-2) == passes
        norms = [name for name, layer in generator.named_modules() if isinstance(layer, Norm)]
        assert all(".first." in name for name in norms) == passes


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_one_verdict_sees_as_many_pixels_as_the_field_says(layers, field):
    torch.manual_seed(0)
    judge = Discriminator(Config(styles=2, judge_width=2, judge_layers=layers))
    for k, norm in enumerate(judge.norms):
        if isinstance(norm, Norm):
            judge.norms[k] = torch.nn.Identity()  # whose statistics would let every pixel see every other
    x = torch.randn(1, 3, 128, 128, requires_grad=True)
    painted, whose = judge(x)
    (painted[0, 0, painted.shape[2] // 2, painted.shape[3] // 2]).backward()
    rows = x.grad[0].abs().sum(dim=(0, 2)).nonzero().ravel()
    assert int(rows[-1] - rows[0]) + 1 == field
    assert whose.shape[1] == 2


# ---- losses ---------------------------------------------------------------------------------------------------------


def test_losses_in_cases_that_can_be_worked_out():
    assert float(least_squares(torch.tensor([1.0, 0.0]), True)) == pytest.approx(0.5)
    assert float(least_squares(torch.tensor([1.0, -2.0]), False)) == pytest.approx(2.5)
    even = torch.zeros(2, 4, 3, 3)
    assert float(class_loss(even, torch.tensor([1, 3]))) == pytest.approx(math.log(4))
    sure = even.clone()
    sure[0, 1] = sure[1, 3] = 50.0
    assert float(class_loss(sure, torch.tensor([1, 3]))) == pytest.approx(0, abs=1e-6)
    assert float(class_loss(sure, torch.tensor([3, 1]))) == pytest.approx(50, rel=1e-3)
    step = torch.zeros(2, 1, 4, 4)
    step[0, :, :, 2:] = 1.0  # one edge of height 4
    assert float(total_variation(step)) == pytest.approx(4 / 2)
    assert float(total_variation(torch.full((2, 3, 8, 8), 0.3))) == 0


def test_a_judge_that_knows_nothing_loses_what_the_formulas_say():
    gan = GAN(GAN.TINY)
    for p in gan.discriminator.parameters():
        torch.nn.init.zeros_(p)
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.tensor([0, 2])
    losses = {k: float(v.detach()) for k, v in gan.train().train_step(batch, gan.optimizers(), 0).items()}
    assert losses["discriminator"] == pytest.approx(0.5)  # (0 - 1)^2 / 2
    assert losses["knows"] == pytest.approx(math.log(3))


def test_the_classifier_learns_from_real_pictures_alone():
    """Its loss on a fake reaches the generator, never the discriminator (as the authors' code)."""
    torch.manual_seed(0)
    gan = GAN(GAN.TINY)
    fake, style = torch.rand(2, 3, 32, 32), torch.tensor([0, 1])
    _, like = gan.verdict(fake, style, False)
    assert float(like) == 0
    assert not like.requires_grad


TERMS = ("adversarial", "classifier", "rebuild", "smooth", "alike", "eyes")


@pytest.mark.parametrize("off", TERMS)
def test_each_term_moves_the_generator_and_switched_off_it_does_not(off):
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.tensor([0, 1])

    def moved(**settings) -> bool:
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, **settings)).train()
        before = gan.generator.last.weight.clone()
        gan.train_step(batch, gan.optimizers(), 50)
        return not torch.equal(before, gan.generator.last.weight)

    none = dict.fromkeys(TERMS, 0.0)
    assert moved(**none | {off: 1.0})
    assert not moved(**none)


def test_merged_it_is_one_classifier_of_styles_and_fake():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, merged=True)).train()
    painted, whose = gan.discriminator(torch.rand(2, 3, 32, 32))
    assert painted is None
    assert whose.shape[1] == GAN.TINY.styles + 1
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.tensor([0, 1])
    losses = gan.train_step(batch, gan.optimizers(), 0)
    assert set(losses) == set(GAN.about.terms)
    assert float(losses["knows"].detach()) == 0
    for p in gan.discriminator.parameters():
        torch.nn.init.zeros_(p)
    assert float(gan.verdict(batch[0], batch[2], False)[0].detach()) == pytest.approx(math.log(4))


def test_warmup_is_the_auto_encoder_alone():
    batch = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32), torch.tensor([0, 1])
    gan = GAN(replace(GAN.TINY, warmup=5)).train()
    before = {k: v.clone() for k, v in gan.named_parameters()}
    assert set(gan.train_step(batch, gan.optimizers(), 4)) == {"near"}
    moved = {k.split(".")[1] for k, v in gan.named_parameters() if not torch.equal(v, before[k])}
    assert moved == {"encoder", "blocks", "ups", "last"}
    together = gan.train_step(batch, gan.optimizers(), 5)
    assert {"near", "discriminator", "knows", "fool", "style", "rough", "eyes", "seen", "alike"} <= set(together)


# ---- the pool -------------------------------------------------------------------------------------------------------


def test_the_pool_fills_then_gives_back_earlier_fakes_half_of_the_time():
    torch.manual_seed(0)
    pool, given = Pool(5, 4), []
    for k in range(400):
        out = pool(torch.full((1, 3, 4, 4), float(k)))
        given.append(float(out[0, 0, 0, 0]))
    assert given[:5] == [0.0, 1.0, 2.0, 3.0, 4.0]
    older = [g for k, g in enumerate(given[5:], 5) if g < k]
    assert 0.4 < len(older) / 395 < 0.6
    assert len(set(older)) == len(older), "what was taken out is not there any more"
    assert int(pool.count) == 5


def test_without_a_pool_each_fake_is_judged_as_it_is():
    fakes = torch.rand(3, 3, 4, 4)
    assert torch.equal(Pool(0, 4)(fakes), fakes)


def test_stopped_and_resumed_it_is_the_training_that_was_never_stopped():
    """Also its pool, and also when its squares become larger, with which an old pool begins anew."""
    data = Styles("toy", GAN.TINY)
    states = []

    def trained(steps, resume=None):
        torch.manual_seed(0)
        states.clear()
        gan = GAN(GAN.TINY)
        for _ in training.train(gan, data, steps=steps, resume=resume, save=states.append, save_every=1e9):
            pass
        return states[-1]

    whole = trained(8)["gan"]
    half = trained(5)
    resumed = trained(8, json_free_copy(half))["gan"]
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert "pool.kept" in whole
    larger = GAN(replace(GAN.TINY, size=64))
    larger.load_state_dict(half["gan"])
    assert int(larger.pool.count) == 0


def json_free_copy(state):
    return torch.load(_saved(state), weights_only=True)


def _saved(state):
    import io

    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return buffer


def test_the_pool_is_not_shipped(home):
    folder = checkpoints.save(GAN(GAN.TINY), "one", {"title": {"en": "One", "ko": "하나"}})
    assert "pool" not in str(sorted(checkpoints.load("gated_gan", "one").state_dict()))
    assert {p.name for p in folder.iterdir()} == {"card.json", "weights.safetensors", "discriminator.safetensors"}


# ---- adding a style -------------------------------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path):
    """photos/ and a style that the tiny checkpoint does not know."""
    rng = np.random.default_rng(0)
    for folder, draw in (("photos", textures.scene), ("stripes", textures.waves)):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for k in range(4):
            Image.fromarray(draw(rng, 48)).save(tmp_path / "data" / folder / f"{k}.png")
    return tmp_path / "data"


def test_a_style_is_added_by_training_its_gate_alone(folders, home):
    torch.manual_seed(0)
    known = GAN(INNER)
    known.extras = {"styles": ["waves", "brush", "hatching"]}
    checkpoints.save(known.eval(), "known", {"title": {"en": "Known", "ko": "아는 것"}}, half=False)
    run, events = trainer.start(
        "gated_gan", str(folders), name="grown", settings=["added=1"], origin="known", steps=3, workers=0
    )
    assert [e.how for e in events if isinstance(e, training.Ended)] == ["finished"]
    grown = run.gan()
    assert grown.styles == ["waves", "brush", "hatching", "stripes"]
    before, after = dict(known.generator.named_parameters()), dict(grown.generator.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {name.split(".")[1] for name in set(after) - set(before)} == {"3"}
    x = photo()
    for style in known.styles:
        assert np.array_equal(pixels(known.stylize(x, {style: 1.0})), pixels(grown.stylize(x, {style: 1.0})))
    fresh = Generator(replace(INNER, styles=4))
    torch.manual_seed(0)
    assert not torch.equal(after["gates.3.first.conv.weight"], fresh.gates[3].first.conv.weight)
    started = trainer.start(
        "gated_gan",
        str(folders),
        name="again",
        settings=["added=1", "lr=0", "judge_lr=0"],
        origin="known",
        steps=1,
        workers=0,
    )[1]
    list(started)
    untouched = runs.Run(home / "runs" / "again").gan().generator.gates[3].first.conv.weight
    assert not torch.equal(untouched, after["gates.3.first.conv.weight"]), "the new gate has learnt"


def test_adding_says_what_does_not_fit(folders, home):
    known = GAN(INNER)
    known.extras = {"styles": ["waves", "stripes", "hatching"]}
    checkpoints.save(known.eval(), "known", {"title": {"en": "Known", "ko": "아는 것"}})
    with pytest.raises(ValueError, match="knows stripes already"):
        trainer.start("gated_gan", str(folders), name="one", settings=["added=1"], origin="known", steps=1, workers=0)
    with pytest.raises(ValueError, match="Say added=1"):
        trainer.start("gated_gan", str(folders), name="two", settings=["added=2"], origin="known", steps=1, workers=0)


# ---- the verbs ------------------------------------------------------------------------------------------------------


def test_gates_are_what_was_asked_for(gan):
    gan.extras = {"styles": ["waves", "brush", "hatching"]}
    half = gan._gates({"brush": 0.5, "waves": 0.2})
    torch.testing.assert_close(half, torch.tensor([[0.2, 0.5, 0.0, 0.3]]))  # the photo gets the rest
    torch.testing.assert_close(gan._gates({"brush": 3, "waves": 1}), torch.tensor([[0.25, 0.75, 0, 0]]))
    torch.testing.assert_close(gan._gates({}), torch.tensor([[0.0, 0, 0, 1]]))
    torch.testing.assert_close(gan._gates({"identity": 0.5, "hatching": 0.5}), torch.tensor([[0, 0, 0.5, 0.5]]))
    assert float(gan._gates({"brush": 1e300, "waves": 1e300}).sum()) == pytest.approx(1)
    auto = gan.stylize(photo(), {"waves": 0.0})
    assert np.array_equal(pixels(auto), pixels(gan.stylize(photo(), {"identity": 1.0})))
    assert not np.array_equal(pixels(auto), pixels(gan.stylize(photo(), {"waves": 1.0})))


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "much", None, True, [1]])
def test_a_gate_that_is_no_share_is_refused(gan, value):
    with pytest.raises(ValueError, match="style 1 = .*a gate is a number from 0"):
        gan.stylize(photo(), {"style 1": value})


def test_an_unknown_style_is_told_which_there_are(gan):
    gan.extras = {"styles": ["waves", "brush", "hatching"]}
    with pytest.raises(ValueError, match="no style 'picasso'.*waves, brush, hatching, identity"):
        gan.stylize(photo(), {"picasso": 1})
    with pytest.raises(ValueError, match="no style 'picasso'"):
        gan.textures("picasso")


@pytest.mark.parametrize(("verb", "wrong"), [("stylize", {"size": 7}), ("stylize", {"stroke": math.nan}),
                                             ("stylize", {"stroke": 9.0}), ("sheet", {"size": 9000})])  # fmt: skip
def test_sizes_have_limits(gan, verb, wrong):
    with pytest.raises(ValueError, match="must be from"):
        getattr(gan, verb)(photo(), **wrong)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (33, 57), (101, 18), (300, 5)])
def test_any_size_and_shape_comes_back_as_it_was(gan, size):
    assert gan.stylize(photo(*size)).size == size
    assert max(gan.stylize(photo(*size), size=40).size) == 40


def test_a_very_long_picture_is_painted_in_parts(gan, monkeypatch):
    """12,000 x 200 pixels: more than one pass takes."""
    parts = []
    gan.generator.register_forward_hook(lambda _, inputs, __: parts.append(tuple(inputs[0].shape)))
    assert gan.stylize(photo(12000, 200)).size == (12000, 200)
    assert len(parts) == 1 + 24
    assert all(shape[3] <= gated_gan.demo.PART + 2 * gated_gan.demo.MARGIN for shape in parts)


def test_parts_meet_without_a_seam(gan, monkeypatch):
    """By the whole picture's own statistics the parts are what one pass gives; each by its own, they are not."""
    monkeypatch.setattr(gated_gan.demo, "PART", 64)
    torch.manual_seed(3)
    x = torch.nn.functional.interpolate(torch.rand(1, 3, 24, 32) * 2 - 1, size=(192, 256), mode="bilinear")
    gates = torch.tensor([[0.6, 0.0, 0.4, 0.0]])
    whole = gan.generator(x, gates)
    noted = gan.generator(x, gates, note=True)
    generate = gan.generator.forward

    def known(x, gates, features=False, noted_=None, note=False, **named):
        return noted if note else generate(x, gates, features, named.get("noted"))

    monkeypatch.setattr(gan.generator, "forward", known)
    torch.testing.assert_close(gan._in_parts(x, gates), whole, atol=2e-4, rtol=0)
    monkeypatch.setattr(gan.generator, "forward", lambda x, g, noted=None, note=False: None if note else generate(x, g))
    assert (gan._in_parts(x, gates) - whole).abs().max() > 0.05


def test_the_sample_s_statistics_are_near_the_whole_s(gan):
    torch.manual_seed(3)
    x = torch.nn.functional.interpolate(torch.rand(1, 3, 60, 80) * 2 - 1, size=(480, 640), mode="bilinear")
    gates = torch.tensor([[1.0, 0, 0, 0]])
    apart = (gan._in_parts(x, gates) - gan.generator(x, gates)).abs().mean()
    assert apart < 0.05


def test_strokes_grow_with_the_picture_painted_small(gan):
    seen = []
    gan.generator.register_forward_hook(lambda _, inputs, __: seen.append(max(inputs[0].shape[2:])))
    for stroke in (0.5, 1.0, 2.0, 4.0):
        assert gan.stylize(photo(128, 96), stroke=stroke).size == (128, 96)
    assert seen == [256, 128, 64, 32]


def test_a_turned_and_a_transparent_photo_come_in_upright_on_white(gan):
    from studio.verbs import verbs

    turned = Image.new("RGB", (60, 30), "red")
    exif = turned.getexif()
    exif[0x0112] = 6
    buffer = _bytes(turned, "JPEG", exif=exif)
    assert gan.stylize(**verbs(gan)["stylize"].bind({"photo": buffer})).size == (30, 60)
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    white = gan.stylize(Image.new("RGB", (40, 40), "white"))
    bound = verbs(gan)["stylize"].bind({"photo": _bytes(clear, "PNG")})
    assert np.array_equal(pixels(gan.stylize(**bound)), pixels(white))


def _bytes(picture: Image.Image, kind: str, **how) -> bytes:
    import io

    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def test_the_sheet_shows_the_photo_the_identity_and_each_style(gan):
    sheet = gan.sheet(photo(48, 32), size=48)
    assert sheet.size == (3 * 48 + 2 * 4, 2 * 32 + 4)
    tile = pixels(sheet)[36:68, 52:100]
    assert np.array_equal(tile, pixels(gan.stylize(photo(48, 32), {"style 3": 1.0}, size=48)))


def test_branches_show_the_same_channels_of_each_gate(gan):
    found = gan.branches(photo())
    assert list(found.maps) == ["identity", "style 1", "style 2", "style 3"]
    assert set(found.change) == {"style 1", "style 2", "style 3"}
    assert all(value > 0.01 for value in found.change.values())
    assert len(found.channels) == 12 == len(set(found.channels))
    assert len({picture.tobytes() for picture in found.maps.values()}) == 4


def test_textures_are_drawn_from_their_seed(gan):
    first = gan.textures("style 2", seed=4, size=50)
    assert first.size == (50, 50)
    assert np.array_equal(pixels(first), pixels(gan.textures("style 2", seed=4, size=50)))
    assert not np.array_equal(pixels(first), pixels(gan.textures("style 2", seed=5, size=50)))
    assert not np.array_equal(pixels(first), pixels(gan.textures("style 1", seed=4, size=50)))


def test_edges_agree_with_themselves_and_not_with_another_picture_s():
    rng = np.random.default_rng(0)
    some = torch.stack([torch.from_numpy(textures.scene(rng, 64)).permute(2, 0, 1) / 127.5 - 1 for _ in range(4)])
    assert edge_agreement(some, some) == pytest.approx(1, abs=1e-5)
    assert edge_agreement(some * 0.5 + 0.2, some) == pytest.approx(1, abs=1e-4)
    assert edge_agreement(some.roll(1, 0), some) < 0.6


def test_measuring_knows_the_real_collections_apart(gan):
    """Other pictures of a toy style are nearer to their own style than to any other."""
    figures = gan.measure(Styles("toy", GAN.TINY), range(8))
    styles = ["waves", "brush", "hatching"]
    for style in styles:
        row = figures[f"real {style}"]
        assert min(styles, key=row.get) == style
    assert figures["photo"]["edges"] == 1.0
    assert set(figures["as waves"]) == {*styles, *(f"{style} kid" for style in styles), "edges"}


# ---- its data -------------------------------------------------------------------------------------------------------


@pytest.fixture
def collection(tmp_path):
    """Two styles, train and test photos, in two places."""
    rng = np.random.default_rng(0)
    kinds = {"paintings/waves": textures.waves, "paintings/mosaic": textures.mosaic}
    kinds |= {"photos/train": textures.scene, "photos/test": textures.scene}
    for folder, draw in kinds.items():
        (tmp_path / folder).mkdir(parents=True)
        for k in range(8):
            Image.fromarray(draw(rng, 64)).resize((64, 48)).save(tmp_path / folder / f"{k}.png")
    return f"{tmp_path}/paintings+{tmp_path}/photos"


def test_folders_say_what_is_what(collection):
    data = Styles(collection, replace(GAN.TINY, styles=2))
    assert data.styles == ["mosaic", "waves"]
    assert len(data.photos) == 16
    assert data.facts() == {"styles": ["mosaic", "waves"]}
    photos, paintings, styles = data.batch(range(12), [np.random.default_rng(k) for k in range(12)])
    assert photos.shape == paintings.shape == (12, 3, 32, 32)
    assert set(styles.tolist()) == {0, 1}
    assert data.fit(Config(), {}).styles == 2


def test_a_test_folder_is_held_out_and_so_many_of_each_style(collection):
    data = Styles(collection, replace(GAN.TINY, styles=2))
    held = data.set_aside(2)
    assert sum(name.startswith("test/") for name in held) == 8
    assert sum(name.startswith("waves/") for name in held) == sum(name.startswith("mosaic/") for name in held) == 2
    data.keep([name for name in data.names if name not in held])
    assert len(data.photos) == 8
    assert all(len(names) == 6 for names in data.paintings.values())
    assert not set(held) & {*data.photos, *(n for names in data.paintings.values() for n in names)}


def test_styles_are_drawn_equally_often_however_many_paintings_they_have(tmp_path):
    rng = np.random.default_rng(0)
    for folder, count in (("photos", 3), ("waves", 1), ("mosaic", 9)):
        (tmp_path / folder).mkdir()
        for k in range(count):
            Image.fromarray(textures.scene(rng, 40)).save(tmp_path / folder / f"{k}.png")
    data = Styles(tmp_path, replace(GAN.TINY, styles=2))
    drawn = [int(s) for k in range(40) for s in data.batch([k % len(data)], [np.random.default_rng(k)])[2]]
    assert 10 < sum(drawn) < 30


def test_a_damaged_picture_is_passed_over(collection):
    folder = Path(collection.split("+")[0]) / "waves"
    for k in range(7):
        (folder / f"{k}.png").write_bytes(b"broken")
    for k in range(7):
        (Path(collection.split("+")[1]) / "train" / f"{k}.png").write_bytes(b"broken")
    data = Styles(collection, replace(GAN.TINY, styles=2))
    data.batch(range(20), [np.random.default_rng(k) for k in range(20)])
    assert data.skipped


@pytest.mark.parametrize(("names", "sentence"), [(["photos"], "no folders of paintings"), (["monet"], "no photos")])
def test_what_is_missing_is_said(names, sentence, tmp_path):
    for name in names:
        (tmp_path / name).mkdir()
        for k in range(3):
            photo().save(tmp_path / name / f"{k}.png")
    with pytest.raises(ValueError, match=f"{sentence}.*one folder a style"):
        Styles(tmp_path, GAN.TINY)


def test_toy_styles_have_their_own_look_and_are_drawn_from_their_number():
    first, again = (textures.draw_kind("mosaic", np.random.default_rng(3), 48) for _ in range(2))
    assert np.array_equal(first, again)
    means = {kind: textures.draw_kind(kind, np.random.default_rng(3), 64).mean((0, 1)) for kind in textures.KINDS}
    apart = [np.abs(a - b).sum() for k, a in means.items() for j, b in means.items() if k < j]
    assert min(apart) > 10
    for size in (16, 64, 256):
        assert textures.draw(np.random.default_rng(1), size).shape == (size, size, 3)
        assert textures.scene(np.random.default_rng(1), size).shape == (size, size, 3)
    with pytest.raises(ValueError, match="There are: waves"):
        textures.draw_kind("plaid", np.random.default_rng(0))


def test_joined_sources_are_one_and_a_card_names_no_path(collection, tmp_path):
    files = Styles(collection, replace(GAN.TINY, styles=2)).files
    assert {"waves/0.png", "train/0.png"} <= set(files.names)
    assert files.open("train/0.png").size == (64, 48)
    assert runs.data_name(f"{tmp_path}/a/paintings.zip+{tmp_path}/photos.zip/train") == "paintings.zip+photos.zip/train"
    (tmp_path / "a+b").mkdir()
    photo().save(tmp_path / "a+b" / "1.png")
    assert runs.data_name(str(tmp_path / "a+b")) == "a+b", "a path with a + in its name is one"


def test_what_a_card_shows_besides_stays_when_a_better_one_is_kept(folders, home):
    run, events = trainer.start(
        "gated_gan",
        str(folders),
        name="one",
        settings=["size=32", "load=36", "width=4", "blocks=1"],
        steps=1,
        workers=0,
    )
    list(events)
    folder = run.keep("mine", {})
    photo().save(folder / "texture-stripes.webp")
    checkpoints.update_card("gated_gan", "mine", pictures=["texture-stripes.webp"])
    run.keep("mine", {})
    assert checkpoints.card("gated_gan", "mine")["pictures"] == ["texture-stripes.webp"]
    assert (folder / "texture-stripes.webp").is_file()
    assert checkpoints.card("gated_gan", "mine")["extras"] == {"styles": ["stripes"]}
    assert run.gan().config.styles == 1, "as many gates as the data has styles"


def test_flat_verdicts_are_asked_for_at_paintings():
    gan = GAN(replace(GAN.TINY, judge_norm="none", flat=1.0)).train()
    with torch.no_grad():
        gan.discriminator.painted.weight.zero_()  # it says the same of all: what is left is the classifier's
    painting, style = torch.rand(2, 3, 32, 32), torch.tensor([0, 1])
    where = painting.clone().requires_grad_()
    sure = gan.surely(where, style)
    whose = gan.discriminator(where)[1].log_softmax(1)
    torch.testing.assert_close(sure, whose[[0, 1], style].mean((1, 2)) + gan.discriminator.painted.bias)
    (slope,) = torch.autograd.grad(sure.sum(), where)
    optimizers = gan.optimizers()
    optimizers["discriminator"].param_groups[0]["lr"] = 0.0  # D stands still, so the slope is that one
    first = gan.train_step((painting, painting, style), optimizers, 0)
    torch.testing.assert_close(first["steep"], slope.square().flatten(1).sum(1).mean())
    assert "steep" not in gan.train_step((painting, painting, style), optimizers, 1)  # lazily


@torch.no_grad()
def test_a_judge_without_norms_keeps_its_maps_size():
    torch.manual_seed(0)
    judge = GAN(replace(GAN.TINY, judge_norm="none", judge_layers=3, size=64, judge_width=16)).eval().discriminator
    assert all(isinstance(norm, torch.nn.Identity) for norm in judge.norms)
    x = torch.randn(4, 3, 64, 64) * 0.5
    for layer in judge.convs:
        x = torch.nn.functional.leaky_relu(layer(x), 0.2)
        assert 0.15 < x.std() < 1.5
