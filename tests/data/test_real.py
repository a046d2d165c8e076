"""The sets of real pictures that come with the studio: whole, labelled, small, and offered by name."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from test_pages import HANGUL, shown

from pages.parts.said import catalogue, words
from pages.space import training as space
from studio import registry
from studio.data import Images, Labelled, Pairs, Stream, real
from studio.data.files import is_name, is_own, several
from studio.gans import dcgan, pix2pix
from studio.training import process, runs
from studio.training.preview import preview, thumbnail

CONFIG = dcgan.GAN.TINY
LETTERS = list("가나다라마바사아자차카타파하")


def labelled(labels: str = ""):
    return SimpleNamespace(size=32, labels=labels)


def array(of: real.Real, name: str) -> np.ndarray:
    return np.asarray(of.open(name))[..., 0]


# ---- what is there --------------------------------------------------------------------------------------------------


def test_they_are_small():
    sizes = {path.name: path.stat().st_size for path in real.FOLDER.iterdir()}
    assert set(sizes) == {"digits.toml", "digits.webp", "hangul.toml", "hangul.webp"}
    assert sizes["digits.webp"] < 310_000
    assert sizes["hangul.webp"] < 40_000


@pytest.mark.parametrize("name", real.names())
def test_each_says_what_it_is_and_whose_in_both_languages(name):
    told = real.about(name)
    for said in (told["title"], told["licence"]):
        assert set(said) == {"en", "ko"}
        assert HANGUL.search(said["ko"])
        assert not HANGUL.search(said["en"])
    assert {"digits": "CC BY-SA 3.0", "hangul": "Open Font License 1.1"}[name] in told["licence"]["en"]
    assert "LeCun" in told["licence"]["en"] + told["licence"]["ko"] or name != "digits"


def test_digits_are_two_thousand_two_hundred_of_each_and_none_twice():
    digits = real.Real("digits")
    assert digits.names[:2] == ["0/0000.png", "0/0001.png"]
    assert len(digits.names) == len(set(digits.names)) == 2000
    tiles = real.tiles("digits")
    assert tiles.shape == (2000, 28, 28)
    assert len({tile.tobytes() for tile in tiles}) == 2000
    assert tiles.max() == 255
    assert (tiles == 0).mean() > 0.7  # black paper
    assert digits.open("7/0100.png").size == (28, 28)
    assert np.array_equal(array(digits, "7/0100.png"), tiles[7 * 200 + 100])


def known_again(pictures: np.ndarray, classes: np.ndarray, fresh: np.ndarray, of: np.ndarray) -> float:
    """The share of fresh pictures that are nearest to the mean picture of their own class."""
    means = np.stack([pictures[classes == k].reshape(-1, pictures[0].size).mean(0) for k in range(classes.max() + 1)])
    means -= means.mean(axis=1, keepdims=True)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return float((np.argmax(fresh.reshape(len(fresh), -1) @ means.T, axis=1) == of).mean())


def test_a_digit_looks_like_its_class():
    tiles, classes = real.tiles("digits").astype(float), np.arange(2000) // 200
    some = np.arange(2000) % 2 == 0
    assert known_again(tiles[some], classes[some], tiles[~some], classes[~some]) > 0.75


def test_letters_are_fourteen_in_nineteen_fonts_each_varied():
    letters = real.Real("hangul")
    assert len(letters.names) == len(set(letters.names)) == 14 * 19 * 15
    assert list(dict.fromkeys(name[0] for name in letters.names)) == LETTERS
    assert letters.open("하/0018-14.png").size == (32, 32)
    assert np.array_equal(array(letters, "다/0003-00.png"), real.tiles("hangul")[2 * 19 + 3])  # the first: as it is
    drawn = [array(letters, f"다/0003-{k:02d}.png") for k in range(15)]
    assert len({each.tobytes() for each in drawn}) == 15
    assert np.array_equal(drawn[5], array(real.Real("hangul"), "다/0003-05.png"))


def test_a_varied_letter_is_still_itself_and_never_fades():
    letters = real.Real("hangul")
    varied = [name for name in letters.names if not name.endswith("-00.png")][::7]
    pictures = np.stack([array(letters, name) for name in varied]).astype(float)
    of = np.array([LETTERS.index(name[0]) for name in varied])
    # Laid over every letter of every font, wherever it fits best, most fit best on their own.
    whole = real.tiles("hangul").astype(float)
    over = np.fft.rfft2(whole / np.linalg.norm(whole, axis=(1, 2), keepdims=True)).conj()
    nearest = [np.fft.irfft2(np.fft.rfft2(each) * over).max(axis=(1, 2)).argmax() // 19 for each in pictures[::4]]
    assert np.mean(nearest == of[::4]) > 0.8
    assert pictures.max(axis=(1, 2)).min() > 200  # also of a hairline's font
    shares = (pictures > 127).mean(axis=(1, 2))
    assert shares.min() > 0.02
    assert shares.max() < 0.6
    plain = [name[: -len("07.png")] + "00.png" for name in varied]
    grown = [
        (array(letters, a) > 127).sum() / (array(letters, b) > 127).sum() for a, b in zip(varied, plain, strict=True)
    ]
    assert np.quantile(grown, 0.05) < 0.85  # thinner and smaller …
    assert np.quantile(grown, 0.95) > 1.15  # … thicker and larger


# ---- as data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("digits", 2000), ("hangul", 3990)])
def test_they_are_pictures_like_any_other(name, count):
    data = Images(f"real:{name}", CONFIG)
    assert (data.kind, len(data), data.toy, data.own) == ("pictures", count, "", True)
    (batch,) = data.batch([0, 700], [None, np.random.default_rng(0)])
    assert batch.shape == (2, 3, CONFIG.size, CONFIG.size)
    assert -1 <= batch.min() < 0 < batch.max() <= 1
    assert data.checked(50)["skipped"] == {}
    held = data.set_aside(8)
    assert len(held) == 8
    assert held == Images(f"real:{name}", CONFIG).set_aside(8)


@pytest.mark.parametrize(
    ("source", "labels", "classes"),
    [("real:digits", "", list("0123456789")), ("real:hangul", "", LETTERS), ("real:hangul", "나|하", ["나", "하"]),
     ("toy:digits", "", list("0123456789")), ("toy:digits", "3|8", ["3", "8"])],
)  # fmt: skip
def test_their_labels_are_digits_or_letters(source, labels, classes):
    data = Labelled(source, labelled(labels))
    assert list(data.labels.names) == classes
    assert data.facts()["exclusive"] == [classes]
    places = np.linspace(0, len(data) - 1, 60).astype(int)
    told = np.stack([data.all_labels(k) for k in places])
    assert (told.sum(axis=1) == 1).all()
    assert {classes[k] for k in told.argmax(axis=1)} == set(classes)
    if source.startswith("real"):
        assert [classes[k] for k in told.argmax(axis=1)] == [data.names[k].split("/")[0] for k in places]
    pictures, batch = data.batch(places, [None] * 60)
    assert pictures.shape == (60, 3, 32, 32)
    assert np.array_equal(batch.numpy(), told)


def test_drawn_digits_are_what_their_labels_say():
    from studio.toys.digits import digit

    data = Labelled("toy:digits", labelled())
    for k in range(40):
        drawn, which = digit(np.random.default_rng(k), 32)
        assert data.all_labels(k).argmax() == which
        assert np.array_equal(data.picture(k), drawn)


def test_other_labels_than_a_set_has_are_named_with_those_that_it_has():
    with pytest.raises(ValueError, match=r"no folders named black, blond; there are: 0, 1, .*labels="):
        Labelled("real:digits", labelled("black|blond"))
    with pytest.raises(ValueError, match=r"labels of the drawn digits named 가; there are: 0, 1, "):
        Labelled("toy:digits", labelled("가|1"))


@pytest.mark.parametrize("name", ["nothing", "", "../built_in/digits", "digits.toml", "Digits"])
def test_a_set_that_is_not_there_is_named_with_those_that_are(name):
    with pytest.raises(ValueError, match=r"no built-in set .* There are: digits, hangul"):
        Images(f"real:{name}", CONFIG)


def test_they_may_be_joined_with_others():
    assert several("real:digits+real:hangul") == ["real:digits", "real:hangul"]
    assert all(is_own(each) and is_name(each) for each in ("toy", "toy:shoes", "real:digits", "points:0,0;1,1"))
    assert not is_own("torchvision:MNIST")
    assert not is_name("shoes.zip")
    data = Images("real:digits+real:hangul", CONFIG)
    assert (len(data), data.own) == (5990, True)
    (batch,) = data.batch([0, 5989], [None, None])
    assert batch.shape == (2, 3, 16, 16)
    assert len(Pairs("real:digits", pix2pix.GAN.TINY)) == 2000  # sketches are drawn from them


@pytest.mark.parametrize("name", ["digits", "hangul"])
def test_they_keep_no_trainer_waiting(name):
    """A batch of 64, drawn for the first time."""
    data, best = Images(f"real:{name}", replace(CONFIG, size=32)), np.inf
    for step in range(4):
        real.picture.cache_clear()
        started = time.process_time()
        Stream(data, 64)[step]
        best = min(best, (time.process_time() - started) / 64)
    assert best < 0.004


# ---- offered --------------------------------------------------------------------------------------------------------


OFFERED = [(gan, source) for gan in registry.names() for source in registry.gan(gan).Data.sources()]


@pytest.mark.parametrize(("gan", "source"), OFFERED)
def test_every_set_that_is_offered_can_be_looked_at_and_has_a_name(gan, source):
    assert thumbnail(gan, source).width > 16
    for lang in words.LANGUAGES:
        with words.speaking(lang):
            assert catalogue.set_named(source) not in (source, source.partition(":")[2])
            whose = catalogue.licences([source])
            assert bool(whose) == source.startswith("real:")
            assert all(bool(HANGUL.search(each)) == (lang == "ko") for each in whose)


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("name", ["digits", "hangul"])
def test_the_form_offers_them_and_says_whose_they_are(home, name, lang):
    test = shown("train", gan="dcgan", lang=lang)
    test.button_group(key="source-dcgan").set_value("real").run()
    test.button_group(key="real-dcgan").set_value(f"real:{name}").run()
    assert not test.exception
    assert not test.error
    assert real.about(name)["licence"][lang] in " ".join(each.value for each in test.caption).replace("\\", "")
    title = test.text_input(key=f"title-dcgan-DCGAN: {real.about(name)['title'][lang]}")
    assert title.value == f"DCGAN: {real.about(name)['title'][lang]}"
    assert not test.button(key="begin").disabled


def test_the_space_s_form_offers_them_too():
    with words.speaking("ko"):
        assert ("실제 손글씨 숫자", "real:digits") in space._toys("dcgan")
        assert [source for _, source in space._toys("pix2pix")] == ["toy:shoes"]
        assert "CC BY-SA" in catalogue.licences([source for _, source in space._toys("dcgan")])[0]


def test_a_run_trains_on_them_where_strangers_may_bring_few_pictures(home, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=1 pictures=100 steps=10")
    settings = ["size=16", "z=8", "width=8", "judge_width=8", "batch=8", "kernel=4"]
    run = runs.create("dcgan", "real:hangul", settings=settings, steps=2, held_out=8, owner="x")
    assert (run.card["data"], len(run.card["held_out"])) == ("real:hangul", 8)
    assert runs.offered("real:hangul")
    assert preview("dcgan", "real:hangul", CONFIG).count == 3990
    assert [event.how for event in process.work(run, workers=0) if hasattr(event, "how")][-1] == "finished"
    assert "--data real:hangul" in run.card["command"]
