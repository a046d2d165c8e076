"""The pages of generators in styles, without a browser: they open, and measure when they are asked to."""

from __future__ import annotations

import pytest
import torch
from test_pages import PAGES, shown, text

from pages.parts.said import words
from studio import checkpoints, registry, serving

STYLED = ("stylegan", "stylegan2")


@pytest.fixture
def styled(home, tmp_path, monkeypatch):
    """Tiny checkpoints of both, never trained."""
    monkeypatch.setattr(checkpoints.shelf, "SHIPPED", tmp_path / "nothing")
    facts = {
        "title": {"en": "Tiny", "ko": "작은 모델"},
        "limits": {"en": "Never trained.", "ko": "학습하지 않았습니다."},
    }
    for name in STYLED:
        torch.manual_seed(0)
        kind = registry.gan(name)
        checkpoints.save(kind(kind.TINY).eval(), "tiny", facts)
    server = serving.Server("cpu", fast=False)
    monkeypatch.setattr(serving, "server", lambda: server)
    yield
    server.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("gan", STYLED)
def test_every_tab_opens(gan, lang, styled):
    for tab in ("play", "look", "train", "read"):
        test = shown(gan, lang=lang, tab=tab)
        assert not test.error and not test.warning


@pytest.mark.parametrize("gan", STYLED)
def test_entanglement_is_measured_on_the_spot(gan, styled):
    test = shown(gan, tab="look")
    test.select_slider[0].set_value(32).run()
    test.button[0].click().run(timeout=120)
    assert not test.exception
    said = text(test)
    assert said.count("±") >= 4
    assert "Path length" in said and "Separability" in said


def test_the_component_finds_all_its_words():
    """Words that faces.js composes itself are there too."""
    table = words.book("faces")["play"]
    for mode in ("face", "mix", "walk", "noise", "breed", "find", "fade", "norms", "slice"):
        assert mode in table["kinds"]
    script = (PAGES / "parts" / "faces" / "faces.js").read_text(encoding="utf-8")
    for name in ("face", "mix", "walk", "noise", "breed", "find", "fade", "norms", "slice"):
        assert f"  _{name}() {{" in script
    assert set(table["bands"]) == {"coarse", "middle", "fine"}


def test_both_are_compared_at_the_same_size_of_maps(styled):
    from pages.parts.said import told

    titles = dict.fromkeys(STYLED, "x")
    assert told._layers({"size": 16}) == [4, 4, 8, 8, 16, 16]
    assert told._other("stylegan2", 1, titles)["noises"] == [4, 8, 8, 16, 16]
    assert told._other("stylegan2", 1, {}) is None
