"""What was shipped, or trained, before 2026-12 is still read: its settings, and each of its weights at its place.

``before.json`` has, of each checkpoint of that time, the settings of its card and the names and shapes of its weights.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studio import checkpoints, registry

BEFORE = json.loads(Path(__file__).with_name("before.json").read_text(encoding="utf-8"))


@pytest.fixture(params=sorted(BEFORE))
def before(request):
    return registry.gan(request.param.split("/")[0]), BEFORE[request.param]


def test_its_settings_mean_what_they_meant(before):
    kind, told = before
    config = kind.configured(told["config"])
    kept = {name: value for name, value in told["config"].items() if hasattr(config, name)}
    assert all(getattr(config, name) == value for name, value in kept.items())
    assert set(told["config"]) - set(kept) <= {"vgg", "perceptual"}, "what was renamed is listed"
    assert getattr(config, "eyes", 0.0) == 0.0, "nobody had eyes"
    assert getattr(config, "alike", 0.0) == 0.0


def test_its_weights_are_loaded_each_at_its_place(before, home):
    """A checkpoint of that time, as it lies in a visitor's STUDIO_HOME; each weight has a value of its own."""
    kind, told = before
    name, folder = registry.name_of(kind), home / "checkpoints" / registry.name_of(kind) / "old"
    folder.mkdir(parents=True)
    values = {
        weight: torch.full(shape, (k % 97 + 1) / 128, dtype=torch.float16)
        for k, (weight, shape) in enumerate(told["weights"].items())
    }
    save_file(values, folder / "weights.safetensors")
    content = (folder / "weights.safetensors").read_bytes()
    files = {"weights.safetensors": {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    card = {"gan": name, "tag": "old", "config": told["config"], "files": files, "extras": {}, "title": {"en": "Old"}}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    loaded = checkpoints.load(name, "old").state_dict()
    for weight, value in values.items():
        if value.ndim or "num_batches" not in weight:  # a counter of batches is no weight
            assert torch.equal(loaded[weight].half(), value), weight
