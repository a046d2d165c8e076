"""Conditional GAN: both networks hear the label; writing, grids, between two labels; a discriminator told wrongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from studio import checkpoints, images
from studio.data import Classes, Stream
from studio.gans.conditional import GAN
from studio.gans.conditional.paper import MNIST, Config, Discriminator, Generator
from studio.images import Image
from studio.verbs import verbs


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def shipped():
    return {tag: checkpoints.load("conditional", tag) for tag in ("digits", "hangul", "drawn")}


def test_a_discriminator_that_is_told_learns_to_say_no_to_a_wrong_label():
    """The textbook's sentence: D is given y, too, so a perfect picture under a wrong label is a fake to it.

    Two kinds of pictures, black and white; the generator is perfect, but draws whatever it likes. Of what comes under a
    label and is of it, two thirds are real: D* = p / (p + p/2).
    """
    torch.manual_seed(0)
    judge = Discriminator(Config(size=16, labels="black|white", judge_width=4))
    optimizer = torch.optim.Adam(judge.parameters(), 3e-3)
    y = F.one_hot(torch.arange(32) % 2, 2).float()
    right = (y[:, 1] * 2 - 1)[:, None, None, None].expand(-1, 3, 16, 16)
    any_kind = right[torch.arange(32) // 2 % 2]  # G(z) that ignores y: of each label half
    for _ in range(200):
        loss = F.softplus(-judge(right, y)).mean() + F.softplus(judge(any_kind, y)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    real, wrong = torch.sigmoid(judge(right, y)).mean(), torch.sigmoid(judge(right, 1 - y)).mean()
    assert real.item() == pytest.approx(2 / 3, abs=0.02)
    assert wrong < 0.05


def test_without_labels_it_could_not_tell():
    """The same game for a discriminator that always hears the same y: both are alike to it."""
    torch.manual_seed(0)
    judge = Discriminator(Config(size=16, labels="black|white", judge_width=4))
    y = torch.ones(2, 2)
    picture = torch.stack([-torch.ones(3, 16, 16), torch.ones(3, 16, 16)])
    told = judge(picture, y)
    assert torch.equal(told, judge(picture, y.flip(1)))


def test_the_shapes_of_the_docstrings():
    with torch.device("meta"):
        generator, judge = Generator(Config(width=64)), Discriminator(Config(judge_width=64))
        x = generator.drawn(torch.empty(1, 100)).unflatten(1, (-1, 4, 4))
        made = [x]
        for up in generator.ups:
            made.append(up(made[-1]))
        assert [tuple(each.shape[1:]) for each in made] == [(256, 4, 4), (128, 8, 8), (64, 16, 16), (3, 32, 32)]
        seen = [made[-1]]
        for down in judge.downs:
            seen.append(down(seen[-1]))
        assert [tuple(each.shape[1:]) for each in seen[1:]] == [(64, 16, 16), (128, 8, 8), (256, 4, 4)]
        assert judge(made[-1], torch.empty(1, 10)).shape == (1,)


def test_the_generator_is_given_z_and_y_side_by_side(gan):
    """One layer of [z, y] is a layer of z plus a layer of y (the paper's figure 1)."""
    g, z, y = gan.generator, gan.noise(3), torch.eye(10)[:3]
    together = torch.cat([g.drawn.weight, g.told.weight], dim=1)
    torch.testing.assert_close(F.linear(torch.cat([z, y], dim=1), together), g.drawn(z) + g.told(y))


def test_writing(gan):
    side = gan.config.size
    four = gan.write("2026", seed=3)
    assert four.size == (4 * side, side)
    array = np.asarray(four, int)
    assert np.abs(array[:, :side] - array[:, 2 * side : 3 * side]).max() <= 1  # both 2s by one hand
    alone = np.asarray(gan.sample(3, "0"), int)
    assert np.abs(array[:, side : 2 * side] - alone).max() <= 1
    spaced = np.asarray(gan.write("2 6", seed=3))
    assert not spaced[:, side : 2 * side].any()  # paper
    assert gan.write("").size == (10 * side, side)
    assert not np.array_equal(array, np.asarray(gan.write("2026", seed=4), int))


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda g: g.write("20가x2x"), r"never seen 가, x\. It knows: 0, 1, 2"),
        (lambda g: g.write("1" * 25), "25 letters; at most 24"),
        (lambda g: g.sample(1, "eleven"), "never seen eleven"),
        (lambda g: g.between("3", "x"), "never seen x"),
        (lambda g: g.between("3", "5", at=1.5), "at = 1.5"),
        (lambda g: g.grid(1, 0), "columns"),
        (lambda g: g.grid(1, 17), "columns"),
        (lambda g: g.judge(Image.new("RGB", (8, 8)), "x"), "never seen x"),
    ],
)
def test_what_can_not_be_asked(gan, ask, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask(gan)


def test_labels_that_are_words_are_written_apart():
    gan = GAN(replace(GAN.TINY, labels="cat|dog")).eval().requires_grad_(False)
    assert gan.write("dog cat dog").size == (48, 16)
    with pytest.raises(ValueError, match="never seen cow, pig"):
        gan.write("dog cow pig cow")


def test_rows_are_labels_and_columns_are_noises(gan):
    side, gap = gan.config.size, images.sheet([[Image.new("RGB", (1, 1))] * 2]).width - 2
    grid = np.asarray(gan.grid(seed=5, columns=3), int)
    for row, column in ((0, 0), (4, 2), (9, 1)):
        tile = grid[row * (side + gap) :][:side, column * (side + gap) :][:, :side]
        assert np.abs(tile - np.asarray(gan.sample(5 + column, str(row)), int)).max() <= 1


def test_between_two_labels(gan):
    for at, label in ((0, "3"), (1, "8")):
        end = gan.between("3", "8", at=at, seed=2)
        assert np.abs(np.asarray(end.picture, int) - np.asarray(gan.sample(2, label), int)).max() <= 1
        assert end.y == [float(str(k) == label) for k in range(10)]
    half = gan.between("3", "8", at=0.25, seed=2)
    assert half.y[3] == pytest.approx(0.75)
    assert half.y[8] == pytest.approx(0.25)
    assert sum(half.y) == pytest.approx(1)
    assert half.z == pytest.approx(gan.noise(1, torch.Generator().manual_seed(2))[0].tolist())
    assert gan.between().y[:2] == [0.5, 0.5]


def test_judging(gan):
    picture = Image.new("RGB", (40, 20), "white")
    verdicts = gan.verdicts(picture).real
    assert list(verdicts) == [str(k) for k in range(10)]
    assert gan.judge(picture, "7").real == pytest.approx(verdicts["7"], abs=1e-5)
    gan.discriminator = None
    for ask in (lambda: gan.judge(picture, "7"), lambda: gan.verdicts(picture)):
        with pytest.raises(ValueError, match="nobody to judge"):
            ask()


def test_its_verbs():
    assert list(verbs(GAN)) == ["write", "sample", "grid", "between", "judge", "verdicts"]


# ---- its data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["toy:digits", "real:digits", "real:hangul"])
def test_data_is_one_hot(source):
    config = replace(GAN.CLASSROOM, labels="")
    data = Classes(source, config)
    config = data.fit(config, {})
    x, y = Stream(data, 16, 0)[0]
    assert x.shape == (16, 3, 32, 32)
    assert y.shape == (16, 14 if "hangul" in source else 10)
    assert (y.sum(1) == 1).all()
    assert set(y.flatten().tolist()) == {0.0, 1.0}
    assert GAN(replace(config, width=2, judge_width=2)).labels == data.labels.names


def test_data_of_one_class_or_of_no_classes_is_refused(tmp_path):
    for k in range(2):
        (tmp_path / "cat").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "cat" / f"{k}.png")
    with pytest.raises(ValueError, match="one class only, cat"):
        Classes(tmp_path, replace(GAN.TINY, labels=""))
    with pytest.raises(ValueError, match="exactly one of them must be true"):
        Classes("toy:digits", replace(GAN.TINY, labels="1 2|3"))
    with pytest.raises(ValueError, match="no folders named dog"):
        Classes(tmp_path, replace(GAN.TINY, labels="cat|dog"))


# ---- what ships -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["digits", "hangul", "drawn"])
def test_shipped_ones_obey_and_are_small(shipped, tag):
    folder, card = checkpoints.folder("conditional", tag), checkpoints.card("conditional", tag)
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) < 2_000_000
    share = card["figures"]["obeyed"]["share"]
    assert share >= 0.9
    assert card["figures"]["the classifier on real ones"]["share"] >= 0.9
    assert shipped[tag].config.labels == (MNIST if tag != "hangul" else "가|나|다|라|마|바|사|아|자|차|카|타|파|하")


@pytest.mark.parametrize("tag", ["digits", "drawn"])
def test_shipped_discriminators_prefer_the_right_label(shipped, tag):
    """Of real pictures, D believes the right label more than wrong ones; not by far: once G obeys, D is shown no wrong
    pairs any more, and forgets (Look inside says so)."""
    gan = shipped[tag].requires_grad_(False)
    data = Classes({"digits": "real:digits", "drawn": "toy:digits"}[tag], gan.config)
    card = checkpoints.card("conditional", tag)
    places = [data.names.index(name) for name in card["held_out"]][::4]
    x, y = data.batch(places, [None] * len(places))
    belief = torch.stack([torch.sigmoid(gan.discriminator(x, torch.roll(y, k, 1))) for k in range(y.shape[1])], 1)
    assert belief[:, 0].mean() > belief[:, 1:].mean()
