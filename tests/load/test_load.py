"""The load script itself, for some seconds: six viewers, no mix-up, no error, and a flood that is refused politely."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "load"))

import classroom as load


def test_six_viewers_for_some_seconds_and_a_flood(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))  # the trial sets it, too
    monkeypatch.setattr(load, "KINDS", {name: load.KINDS[name] for name in ("draw", "seeds")})
    facts = load.trial(viewers=6, minutes=0.1, many=90, home=tmp_path)
    assert facts["wrong"] == []
    assert facts["kinds"]["all"]["answers"] > 5
    assert facts["codes"].keys() <= {200, 201, 409, 429, 503}
    assert "200" in facts["90 at once"] and "503" in facts["90 at once"]
    assert facts["worst likeness dB"] >= load.CLOSE


def test_a_mix_up_would_be_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(load, "KINDS", {"seeds": load.KINDS["seeds"]})
    (seeds,) = load.kinds()
    load.know({"seeds": seeds.answers})
    assert load.judge("seeds", 0, seeds.answers[0]) == (99.0, "")
    near, says = load.judge("seeds", 0, seeds.answers[1])
    assert near < load.APART
    assert "question 0 got the answer to question 1" in says


@pytest.mark.parametrize(
    ("status", "headers", "body", "fine"),
    [
        (503, {"Retry-After": "2"}, {"error": "Many others are waiting. Try again in a moment."}, True),
        (503, {}, {"error": "Many others are waiting. Try again in a moment."}, False),
        (429, {"Retry-After": "1"}, {"error": "no"}, False),
        (500, {}, "Internal Server Error", False),
    ],
)
def test_a_refusal_without_a_sentence_would_be_seen(status, headers, body, fine):
    seen = load.Seen()
    seen.refused(load.httpx.Response(status, headers=headers, json=body))
    assert (seen.wrong == []) == fine
