"""Adding a GAN edits nothing else: a throw-away one, tried on a copy of the house."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.places import ROOT

WORDS = """
[about]
tab = { en = "A tenth thing", ko = "열째 것" }
idea = { en = "One more.", ko = "하나 더." }
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Path:
    """The house, and in it a tenth GAN: a folder, a page, and what its tab of the Space shows."""
    house = tmp_path_factory.mktemp("house")
    for room in ("studio", "pages"):
        shutil.copytree(ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("app.py", "README.md"):
        shutil.copy(ROOT / file, house / file)
    shutil.copytree(ROOT / "checkpoints" / "dcgan", house / "checkpoints" / "tenth")
    card = house / "checkpoints" / "tenth" / "digits" / "card.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"dcgan"', '"tenth"'), encoding="utf-8")
    folder = house / "studio" / "gans" / "tenth"
    shutil.copytree(house / "studio" / "gans" / "dcgan", folder)
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8").replace("studio.gans.dcgan", "studio.gans.tenth")
        path.write_text(text.replace('title="DCGAN"', 'title="The tenth"'), encoding="utf-8")
    words = folder / "words.toml"
    rest = words.read_text(encoding="utf-8").partition("[about")[2].partition("\n\n")[2]
    words.write_text(WORDS + "\n" + rest, encoding="utf-8")
    page = (house / "pages" / "dcgan.py").read_text(encoding="utf-8").replace('GAN = "dcgan"', 'GAN = "tenth"')
    (house / "pages" / "tenth.py").write_text(page, encoding="utf-8")
    demo = (house / "pages" / "parts" / "demos" / "stylegan.py").read_text(encoding="utf-8")
    demo = demo.replace('"stylegan"', '"tenth"').replace('"mixing"', '"tenth"')
    (house / "pages" / "parts" / "demos" / "tenth.py").write_text(demo, encoding="utf-8")
    return house


def run(house: Path, code: str) -> str:
    """What a few lines print in that house."""
    env = os.environ | {"STUDIO_HOME": str(house / "home"), "PYTHONPATH": str(house)}
    done = subprocess.run([sys.executable, "-c", code], cwd=house, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_shell_and_the_table_have_it(house):
    assert "The tenth (2015): digits" in run(house, "from studio.__main__ import main; main(['list'])")
    table = run(house, "from studio.__main__ import main; main(['table'])")
    assert "| A tenth thing | One more. | [The tenth](studio/gans/tenth/paper.py), 2015 | Digits" in table


def test_it_plays_over_http_and_trains(house):
    code = """
import json
from starlette.testclient import TestClient
from studio.web.api import app
import studio
client = TestClient(app)
reply = client.post("/api/tenth/sample", data={"seed": "3"})
made = list(studio.train("tenth", "toy:digits", steps=2, settings=["size=32", "width=4", "batch=4"]))
print(json.dumps([reply.status_code, made[-1].how]))
"""
    assert json.loads(run(house, code).splitlines()[-1]) == [200, "finished"]


def test_the_pages_and_the_space_have_it(house):
    code = """
import json
from streamlit.testing.v1 import AppTest
test = AppTest.from_file("pages/parts/shell/frame.py", default_timeout=120).run()
assert not test.exception, test.exception
home = " ".join(str(each.body) for each in test.get("html"))
test.switch_page("../../tenth.py").run()
assert not test.exception, test.exception
from pages.space import tabs
from pages.parts.said import words
labels = {}
for lang in ("en", "ko"):
    with words.speaking(lang):
        labels[lang] = tabs.label("tenth")
print(json.dumps(["The tenth" in home, "tenth" in tabs.GANS, labels]))
"""
    assert json.loads(run(house, code).splitlines()[-1]) == [True, True, {"en": "A tenth thing", "ko": "열째 것"}]
