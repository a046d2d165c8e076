"""Toy sets: the same from the same numbers, varied enough to learn from, fast enough not to keep a trainer waiting."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from studio import toys
from studio.data import Images, Pairs, Points, Stream, TwoClouds
from studio.data.points import plot
from studio.data.torchvision import SETS, Torchvision
from studio.gans import dcgan, pix2pix
from studio.toys import points

SETS_DRAWN = Images.TOYS


@pytest.mark.parametrize("name", SETS_DRAWN)
def test_a_toy_is_drawn_from_its_numbers_alone(name):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    for size in (32, 64, 128):
        drawn = toys.picture(name, np.random.default_rng(5), size)
        assert drawn.shape == (size, size, 3)
        assert drawn.dtype == np.uint8
        assert np.array_equal(drawn, toys.picture(name, np.random.default_rng(5), size))
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("name", SETS_DRAWN)
def test_toys_are_varied(name):
    drawn = np.stack([toys.picture(name, np.random.default_rng(k), 32) for k in range(60)]).astype(float)
    assert len({each.tobytes() for each in drawn}) == 60
    apart = np.abs(drawn[:, None] - drawn[None]).mean(axis=(2, 3, 4))[~np.eye(60, dtype=bool)]
    assert np.quantile(apart, 0.05) > 4  # of 255: hardly any two are alike
    assert drawn.std() > 30


@pytest.mark.parametrize("name", SETS_DRAWN)
def test_toys_keep_no_trainer_waiting(name):
    """A worker draws more than a small network on two cores can learn from (some 200 pictures a second)."""
    best = np.inf
    for _ in range(3):
        started = time.process_time()
        for k in range(20):
            toys.picture(name, np.random.default_rng(k), 32)
        best = min(best, (time.process_time() - started) / 20)
    assert best < 0.02


@pytest.mark.parametrize("kind", ["gaussians", "ring"])
def test_points_lie_where_they_should(kind):
    cloud = points.sample(kind, np.random.default_rng(0), 4000)
    radius = np.linalg.norm(cloud, axis=1)
    assert cloud.dtype == np.float32
    assert radius.mean() == pytest.approx(0.8, abs=0.01)
    assert radius.std() == pytest.approx(points.SPREAD, rel=0.1)
    share = np.histogram(np.arctan2(cloud[:, 1], cloud[:, 0]), 64)[0] / 4000
    assert (share == 0).any() == (kind == "gaussians")  # gaps between eight heaps, none in a ring


@pytest.mark.parametrize("kind", points.KINDS)
def test_a_cloud_lies_in_the_plane_and_is_drawn_from_its_numbers(kind):
    cloud = points.sample(kind, np.random.default_rng(1), 4000)
    assert cloud.shape == (4000, 2)
    assert np.abs(cloud).max() <= 1
    assert np.abs(cloud.mean(axis=0)).max() < 0.15
    assert cloud.std(axis=0).min() > 0.2
    assert np.array_equal(cloud, points.sample(kind, np.random.default_rng(1), 4000))
    assert not np.array_equal(cloud, points.sample(kind, np.random.default_rng(2), 4000))


def test_two_moons_are_two_half_circles():
    bare = points.moons(np.random.default_rng(0), 2000) / 0.55 + [0.5, 0.25]
    upper = np.isclose(np.linalg.norm(bare, axis=1), 1) & (bare[:, 1] >= -1e-9)
    lower = np.isclose(np.linalg.norm(bare - [1, 0.5], axis=1), 1) & (bare[:, 1] <= 0.5 + 1e-9)
    assert (upper ^ lower).all()
    assert upper.mean() == pytest.approx(0.5, abs=0.05)


def test_a_spiral_has_two_turns_and_is_even_along_its_way():
    bare = points.spiral(np.random.default_rng(0), 20_000)
    radius, angle = np.linalg.norm(bare, axis=1), np.arctan2(bare[:, 1], bare[:, 0])
    assert radius.max() == pytest.approx(0.85, abs=0.01)
    torch.testing.assert_close(
        torch.from_numpy(np.cos(angle)), torch.from_numpy(np.cos(4 * np.pi * radius / 0.85)), atol=1e-6, rtol=0
    )
    assert (radius < 0.85 / np.sqrt(2)).mean() == pytest.approx(0.5, abs=0.02)  # half of its way lies there


def test_covered_modes_are_counted():
    angle = np.arange(8) * np.pi / 4
    centres = 0.8 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert points.covered(points.sample("gaussians", np.random.default_rng(0), 500)) == 8
    assert points.covered(centres[:3] + 0.01) == 3
    assert points.covered(np.zeros((5, 2))) == 0


def test_points_are_data_like_any_other():
    data = Points("toy:ring", dcgan.GAN.TINY)
    (batch,) = data.batch(range(50), [np.random.default_rng(k) for k in range(50)])
    assert batch.shape == (50, 2)
    rows = data.rows((batch,))
    assert rows.shape[:3] == (1, 1, 3)
    assert (rows < 0).float().mean() > 0.01  # something is plotted
    assert data.picture(3).shape == (128, 128, 3)
    assert (data.kind, data.own, len(data)) == ("toy", True, 4000)
    again = data.batch([7], [None])[0]
    data.keep(data.names[5:])
    assert torch.equal(data.batch([2], [None])[0], again)  # a name's point is its own
    with pytest.raises(ValueError, match="no toy set 'shoes'"):
        Points("toy:shoes", dcgan.GAN.TINY)


def test_a_training_draws_its_points_a_batch_at_once():
    data = Points("toy:spiral", SimpleNamespace())
    one, two = Stream(data, 256, seed=1), Stream(data, 256, seed=1)
    (batch,) = one[5]
    assert batch.shape == (256, 2)
    assert torch.equal(batch, two[5][0])
    assert not torch.equal(batch, one[6][0])
    assert not torch.equal(batch, Stream(data, 256, seed=2)[5][0])
    best = np.inf
    for _ in range(3):
        started = time.process_time()
        for k in range(20):
            one[k]
        best = min(best, (time.process_time() - started) / 20)
    assert best < 0.004  # a small network learns from 256 points in less time than drawing them one by one takes


# ---- drawn by hand --------------------------------------------------------------------------------------------------


def test_points_that_somebody_has_drawn():
    data = Points("points:0.5,0.5; -0.5,-.5;\n0,1e-1", SimpleNamespace())
    assert data.places.tolist() == [[0.5, 0.5], [-0.5, -0.5], [0, 0.1]]
    (cloud,) = data.endless(np.random.default_rng(0), 3000)
    away = (cloud[:, None] - torch.from_numpy(data.places).float()).norm(dim=2)
    assert away.min(dim=1).values.max() < 5 * points.SPREAD
    share = torch.bincount(away.argmin(dim=1)) / 3000
    assert share.tolist() == pytest.approx([1 / 3] * 3, abs=0.04)
    assert data.own
    assert torch.equal(data.batch([3], [None])[0], data.batch([3], [None])[0])
    configured = Points("points:", SimpleNamespace(points="0.5,0.5;-0.5,-0.5;0,0.1"))
    assert np.array_equal(configured.places, data.places)
    assert len(Points("points:" + ";".join(["0,0"] * points.MOST_DRAWN), SimpleNamespace()).places) == 1000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 points are drawn; draw 1 to 1,000"),
        (" ; ;", "0 points are drawn"),
        (";".join(["0,0"] * 1001), "1001 points are drawn"),
        ("0.1;0.2,0.3", "'0.1' is no point"),
        ("0.1,0.2,0.3", "is no point"),
        ("한,글", "'한,글' is no point"),
        ("0.1,0.2;1.5,0", "1.5,0 lies outside of the plane"),
        ("nan,0", "nan,0 lies outside"),
        ("0,-inf", "lies outside"),
        ("0,1" + "0" * 500, "lies outside"),
        ("x" * 9000, "is no point"),
    ],
)
def test_points_that_can_not_be_are_named(text, says):
    with pytest.raises(ValueError, match=says) as error:
        Points(f"points:{text}", SimpleNamespace())
    assert len(str(error.value)) < 300


# ---- two clouds -----------------------------------------------------------------------------------------------------


def test_two_clouds_are_a_ring_and_a_squircle_without_pairs():
    x, y = points.two(np.random.default_rng(0), 4000)
    assert x.dtype == y.dtype == np.float32
    radius = np.linalg.norm(x - points.X, axis=1)
    assert radius.mean() == pytest.approx(points.RADIUS, abs=0.005)
    assert radius.std() == pytest.approx(points.THIN, rel=0.1)
    fourth = (((y - points.Y) ** 4).sum(axis=1)) ** 0.25
    assert fourth.mean() == pytest.approx(points.RADIUS, abs=0.005)
    assert np.abs(x).max() <= 1
    assert np.abs(y).max() <= 1
    first, second = points.angles(x, points.X), points.angles(y, points.Y)
    assert abs(np.corrcoef(np.cos(first), np.cos(second))[0, 1]) < 0.05
    angle = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    np.testing.assert_allclose(points.angles(points.x_at(angle), points.X), angle, atol=1e-9)
    np.testing.assert_allclose(points.angles(points.y_at(angle), points.Y), angle, atol=1e-9)


def test_places_of_the_squircle_that_are_reached_are_counted():
    _, y = points.two(np.random.default_rng(0), 500)
    assert points.reached(y) == 8
    middle = (np.arange(8) + 0.5) * np.pi / 4  # of each of the eight parts
    assert points.reached(points.y_at(middle[:3])) == 3
    assert points.reached(points.y_at(np.full(400, 1.0))) == 1  # all sent to one place
    assert points.reached(points.x_at(middle)) == 0
    assert points.reached(np.repeat(points.Y[None], 4, 0)) == 0


def test_two_clouds_are_data_and_plotted_in_the_colours_of_where_they_came_from():
    data = TwoClouds("toy", SimpleNamespace())
    x, y = data.batch(range(40), [np.random.default_rng(k) for k in range(40)])
    assert x.shape == y.shape == (40, 2)
    assert [part.shape for part in Stream(data, 64)[0]] == [(64, 2), (64, 2)]
    assert data.rows((x, y)).shape == (1, 1, 3, 128, 128)
    angle = torch.tensor([0.0, 2 * np.pi / 3])
    shown = plot(torch.tensor([[-0.5, 0.0], [0.5, 0.0]]), angles=[angle])
    at = [shown[:, 64, round((x * 0.42 + 0.5) * 128)] for x in (-0.5, 0.5)]
    assert at[0].argmax() == 0 and at[1].argmax() == 1  # red where the angle is 0, green a third of a turn on
    assert plot(x, y).shape == (3, 128, 128)
    for source, says in (("toy:ring", "no toy set 'ring'. There are|no toy set 'ring' here"), ("a.zip", "no folder")):
        with pytest.raises(ValueError, match=says):
            TwoClouds(source, SimpleNamespace())


def test_a_zip_with_three_damaged_pictures_among_many(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as z:
        for k in range(500):
            buffer = io.BytesIO()
            mode = ("RGB", "L", "RGBA", "P")[k % 4]
            Image.fromarray(toys.picture("digits", np.random.default_rng(k), 32)).convert(mode).resize(
                (20 + k % 7, 30)
            ).save(buffer, "PNG")
            content = buffer.getvalue()
            if k in (7, 70, 300):
                content = content[: len(content) // 2]
            z.writestr(f"p/{k:03d}.png", content)
    for kind, config in ((Images, dcgan.GAN.TINY), (Pairs, pix2pix.GAN.TINY)):
        data = kind(path, config)
        found = data.checked()
        assert found["count"] == 497
        assert set(found["skipped"]) == {"p/007.png", "p/070.png", "p/300.png"}
        assert all("damaged" in why for why in found["skipped"].values())
        assert len(found["sizes"]) == 5  # the most frequent of seven
        # Even without that look, a training passes over them.
        batch = kind(path, config).batch([7, 70, 300, 1], [None] * 4)
        assert all(torch.isfinite(part).all() for part in batch)


# ---- torchvision ----------------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    """The file format of MNIST."""
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def mnist(home):
    """Twelve pictures in MNIST's own files, where torchvision looks for them."""
    raw = home / "data" / "torchvision" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, n in (("train", 12), ("t10k", 2)):
        for name, array in (
            ("images-idx3-ubyte", rng.integers(0, 256, (n, 28, 28), np.uint8)),
            ("labels-idx1-ubyte", (np.arange(n) % 10).astype(np.uint8)),
        ):
            (raw / f"{part}-{name}").write_bytes(idx(array))
            with gzip.open(raw / f"{part}-{name}.gz", "wb") as packed:
                packed.write(idx(array))
    return home


def test_a_set_of_torchvision_is_read_as_class_folders(mnist):
    files = Torchvision("MNIST")
    assert files.names[:3] == ["zero/000000.png", "one/000001.png", "two/000002.png"]
    assert files.open("two/000002.png").size == (28, 28)
    data = Images("torchvision:MNIST", dcgan.GAN.TINY)
    assert len(data) == 12
    (batch,) = data.batch([0, 1], [None, None])
    assert batch.shape == (2, 3, 16, 16)
    assert data.checked()["sizes"] == {"28 x 28": 12}


def test_a_set_that_is_not_here_and_can_not_be_fetched(home, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    with pytest.raises(ValueError, match=r"MNIST could not be downloaded .* toy set"):
        Images("torchvision:MNIST", dcgan.GAN.TINY)


def test_a_set_that_does_not_exist():
    with pytest.raises(ValueError, match=f"no data set 'ImageNet99'. There are: {', '.join(SETS)}"):
        Images("torchvision:ImageNet99", dcgan.GAN.TINY)
