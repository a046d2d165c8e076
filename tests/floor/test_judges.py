"""The small judges: they learn, they are found by what they know, and they read pictures of any size."""

from __future__ import annotations

import json

import pytest
import torch

from studio import judges
from studio.data import Labelled

LABELS = "black|blond|brown|red glasses"


def test_of_labels_that_exclude_each_other_the_likeliest_is_said():
    logits = torch.tensor([[-3.0, -1, -2, 4], [2, 1, -1, -0.1]])
    assert judges.decide(logits, [(0, 1, 2)]).tolist() == [[0, 1, 0, 1], [1, 0, 0, 0]]
    assert judges.decide(logits, []).tolist() == [[0, 0, 0, 1], [1, 1, 0, 0]]


def test_a_judge_learns_drawn_faces_is_written_and_found(tmp_path):
    held = [f"toy-{k:05d}" for k in range(80)]
    (tmp_path / "card.json").write_text(json.dumps({"held_out": held}))
    out = tmp_path / "judges" / "toy"
    command = ["--data", "toy", "--labels", LABELS, "--without", str(tmp_path / "card.json"), "--steps", "45"]
    judges.main([*command, "--out", str(out)])
    described = json.loads(out.with_suffix(".json").read_text())
    assert described["trained_on"] == 4000 - 80
    assert described["right"]["red"]["n"] == 80
    hair = [described["right"][name]["balanced"] for name in ("black", "blond", "brown", "red")]
    assert sum(hair) / 4 > 0.7  # 0.5 is guessing; colour is learnt in a few steps
    assert out.with_suffix(".safetensors").stat().st_size < 1_000_000

    judge = judges.find(["glasses", "red"], tmp_path / "judges")
    assert judges.find(["glasses", "hat"], tmp_path / "judges") is None
    data = Labelled("toy", judges.Asked(LABELS))
    x, labels = data.batch(range(80), [None] * 80)
    assert judges.right(judge, x, labels) == described["right"]
    larger = torch.nn.functional.interpolate(x[:4], scale_factor=2, mode="bilinear")
    assert torch.equal(judge.says(larger), judge.says(x[:4]))
    assert [m.shape[-1] for m in judge.maps(x[:1])] == [32, 16, 8, 4]


def test_a_missing_judge_says_how_to_get_one(tmp_path):
    with pytest.raises(ValueError, match=r"Train one: python -m studio\.judges"):
        judges.load(tmp_path / "nobody")


def test_the_shipped_judge_is_small_and_was_right_on_portraits():
    judge = judges.find(["black", "blond", "brown", "red", "masculine", "smiling", "glasses", "older"])
    assert judge is not None
    described = json.loads((judges.FOLDER / "portraits.json").read_text())
    assert all(row["balanced"] > 0.8 for row in described["right"].values())
    assert (judges.FOLDER / "portraits.safetensors").stat().st_size < 1_000_000
