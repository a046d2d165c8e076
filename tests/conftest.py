"""Fixtures that several test files share."""

from __future__ import annotations

import os
from pathlib import Path

# The networks of the tests are tiny: a second thread costs them more than it gives. Servers inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from patience import PATIENCE

ROOMS = {"browser": "browser", "load": "browser", "training": "training"}  # folder of tests -> its marker
SLOW = {"test_tenth.py", "test_fast.py", "test_threats.py", "test_serving.py", "test_space.py", "test_pages.py"}


def pytest_collection_modifyitems(items):
    """Marks each test by where it lies; `make quick` leaves out what is marked."""
    for item in items:
        marker = ROOMS.get(item.path.parent.name) or ("slow" if item.path.name in SLOW else None)
        if marker:
            item.add_marker(marker)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty STUDIO_HOME."""
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def make_tiny(home: Path) -> None:
    """A checkpoint of Pix2Pix that was never trained, with two examples: pages have something to show."""
    import torch
    from PIL import Image, ImageDraw

    from studio import checkpoints, registry

    torch.manual_seed(0)
    kind = registry.gan("pix2pix")
    gan = kind(kind.TINY).eval()
    gan.extras = {"drawing": "sketch", "palette": None, "hints": True}
    facts = {
        "title": {"en": "Tiny", "ko": "작은 모델"},
        "licence": "CC0",
        "limits": {"en": "Never trained.", "ko": "학습하지 않았습니다."},
        "examples": ["example-1.png", "example-2.png"],
        "held_out": ["1", "2"],
        "figures": {"n": 2, "size": 32, "plain": {"l1": 0.1, "ssim": 0.5, "swd": 40.0}, "real": {"swd": 30.0}},
    }
    folder = checkpoints.save(gan, "tiny", facts, Image.new("RGB", (64, 32), "white"), where=home / "checkpoints")
    for k, box in enumerate([(60, 90, 200, 180), (30, 30, 120, 220)], 1):
        example = Image.new("RGB", (256, 256), "white")
        ImageDraw.Draw(example).rectangle(box, outline="black", width=4)
        example.save(folder / f"example-{k}.png")
    make_other_tinies(home)


def make_other_tinies(home: Path) -> None:
    """The same of every other GAN, with one example that has colours and a shape of its own."""
    import torch
    from PIL import Image

    from studio import checkpoints, registry

    for name in registry.names():
        if name == "pix2pix":
            continue
        kind = registry.gan(name)
        torch.manual_seed(0)
        facts = {"title": {"en": "Tiny", "ko": "작은 모델"}, "examples": ["example-1.png"], "held_out": ["1"]}
        gan = kind(kind.TINY).eval()
        gan.extras = kind.Data("toy", kind.TINY).facts()
        folder = checkpoints.save(gan, "tiny", facts, where=home / "checkpoints")
        Image.linear_gradient("L").resize((240, 160)).convert("RGB").save(folder / "example-1.png")


@pytest.fixture
def tiny(home):
    """A STUDIO_HOME with the tiny checkpoint."""
    make_tiny(home)
    return home


@pytest.fixture(scope="module")
def browser():
    """A Chromium; the tests that need it fail with a sentence if there is none, they are never skipped."""
    from chromium import FLAGS, SENTENCE, installed
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    path = installed()
    assert path, SENTENCE
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The real studio on a free port of this machine, as `streamlit run app.py` serves it; its address."""
    from served import Served

    home = tmp_path_factory.mktemp("server") / "home"
    make_tiny(home)
    served = Served(home)
    try:
        yield served.start().address
    finally:
        served.stop()
    assert "Traceback" not in served.said, served.said


@pytest.fixture(scope="module")
def classroom(tmp_path_factory):
    """The same as a classroom server (`served.Served`). Under another name than localhost visitors are strangers."""
    from served import Served

    home = tmp_path_factory.mktemp("classroom") / "home"
    make_tiny(home)
    served = Served(home, lesson=True)
    try:
        yield served.start()
    finally:
        served.stop()
    assert "Traceback" not in served.said, served.said
