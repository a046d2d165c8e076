"""Toy sets: the same from the same numbers, varied enough to learn from, fast enough not to keep a trainer waiting."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from studio import toys
from studio.data import Images, Pairs
from studio.data.points import Points
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


@pytest.mark.parametrize("kind", points.KINDS)
def test_points_lie_where_they_should(kind):
    cloud = points.sample(kind, np.random.default_rng(0), 4000)
    radius = np.linalg.norm(cloud, axis=1)
    assert cloud.dtype == np.float32
    assert radius.mean() == pytest.approx(0.8, abs=0.01)
    assert radius.std() == pytest.approx(points.SPREAD, rel=0.1)
    share = np.histogram(np.arctan2(cloud[:, 1], cloud[:, 0]), 64)[0] / 4000
    assert (share == 0).any() == (kind == "gaussians")  # gaps between eight heaps, none in a ring


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
    with pytest.raises(ValueError, match="no toy set 'shoes'"):
        Points("toy:shoes", dcgan.GAN.TINY)


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
