"""Recipes: a file says how a checkpoint was trained; it runs, stops and goes on; the best networks are kept."""

from __future__ import annotations

import hashlib
import itertools
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio import checkpoints, registry
from studio.__main__ import main
from studio.data import Images
from studio.training import keep as afterwards
from studio.training import loop as training
from studio.training import recipes, runs
from studio.training.loop import Measured

ROOT = Path(__file__).parents[2]
SMALL = "size = 32, width = 16, judge_width = 8, z = 8, batch = 4"


@pytest.fixture
def cooked(home, tmp_path, monkeypatch):
    """Data in a zip, and a recipe of two stages for a checkpoint that is not there yet."""
    monkeypatch.setattr(recipes, "LEAST", 0.005)
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "dots.zip", "w") as pack:
        for k in range(24):
            picture = np.full((32, 32, 3), 255, np.uint8)
            y, x = random.integers(4, 28, 2)
            picture[y - 3 : y + 3, x - 3 : x + 3] = random.integers(0, 200, 3)
            Image.fromarray(picture).save(tmp_path / "dot.png")
            pack.write(tmp_path / "dot.png", f"dots/{k:02d}.png")
    return write(home, tmp_path)


def write(home: Path, tmp_path: Path, **changed: str) -> recipes.Recipe:
    """The recipe, with lines of it changed."""
    lines = {
        "data": f'data = [{{ name = "dots.zip", sha256 = "{sha(tmp_path / "dots.zip")}", inside = "dots" }}]',
        "held_out": f"held_out = {json.dumps([f'{k:02d}.png' for k in range(8)])}",
        "bar": "bar = 100.0",
        "first": f"[[stage]]\nminutes = 0.08\nset = {{ {SMALL} }}\ncuda = {{ batch = 8 }}",
        "second": "[[stage]]\nminutes = 0.08\nset = { lr = 1e-4 }",
    } | changed
    folder = home / "checkpoints" / "dcgan" / "dots"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text("\n".join(lines.values()), encoding="utf-8")
    return recipes.read(folder / "recipe.toml")


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_shipped_recipe_can_be_read_and_holds_out_what_the_card_says():
    shipped = sorted((ROOT / "checkpoints").glob("*/*/recipe.toml"))
    assert shipped
    for path in shipped:
        found = recipes.read(path)
        for k in range(len(found.stages)):
            registry.gan(found.gan)(recipes.config(found, k))
            assert recipes.config(found, k, "cuda").batch >= recipes.config(found, k).batch
        if (path.parent / "card.json").exists():
            card = checkpoints.read_card(path.parent / "card.json")
            assert sorted(card["held_out"]) == sorted(found.held_out)
        for each in found.data:
            assert ":" in each.name or len(each.sha256) == 64


def test_it_runs_stops_goes_on_and_comes_to_its_end(cooked, tmp_path):
    seen = list(recipes.follow(cooked, tmp_path, minutes=0.03, workers=0))
    first = seen[0][0]
    assert first.name == "dcgan-dots-1"
    assert first.card["held_out"] == list(cooked.held_out)
    assert recipes.stands(cooked)[0] == 0
    stopped = first.state()["step"]
    list(recipes.follow(cooked, tmp_path, workers=0))  # to its end
    assert first.state()["step"] > stopped
    k, second = recipes.stands(cooked)
    assert k == 1
    assert second.card["config"]["lr"] == 1e-4
    assert second.card["config"]["width"] == 16  # what a stage does not set stays
    assert [each["recipe"]["stage"] for each in second.origin()["before"]] == [1]
    assert second.origin()["command"] == "python -m studio recipe dcgan dots --data DIR"
    done = second.done()["minutes"]
    assert list(recipes.follow(cooked, tmp_path, workers=0)) == []  # it is through …
    list(recipes.follow(cooked, tmp_path, minutes=0.03, workers=0))  # … but goes on if somebody says for how long
    assert second.done()["minutes"] > done


def test_a_stage_begins_with_the_best_of_the_one_before(cooked, tmp_path):
    list(recipes.follow(cooked, tmp_path, minutes=0.08, workers=0))
    first = recipes.stands(cooked)[1]
    best = torch.load(first.folder / "best.pt", weights_only=True)
    run = recipes._begun(cooked, 1, recipes.sources(cooked, tmp_path), "cpu", None)
    from studio.training import process as trainer

    _, events = trainer.resume(run.name, overrides=["lr=0", "judge_lr=0"], steps=1, workers=0)
    list(events)
    name = "generator.last.weight" if "generator.last.weight" in best["shown"] else next(iter(best["shown"]))
    torch.testing.assert_close(run.state()["gan"][name], best["shown"][name])


def test_the_best_state_is_kept_not_the_last(monkeypatch, home):
    """The held-out figure rises after the second look: what was then is what `keep` takes."""
    kind, figures = registry.gan("dcgan"), itertools.chain([9.0, 4.0, 6.0], itertools.repeat(7.0))
    monkeypatch.setattr(kind, "glance", lambda self, batch: {"kid": next(figures), "other": 1.0})
    gan = kind(replace(kind.TINY, batch=4)).train()
    data, kept = kind.Data("toy", gan.config), []
    events = training.train(
        gan, data, steps=40, glance=data.batch(range(8), [None] * 8), glance_every=0.0,
        keep=lambda networks: kept.append(networks["step"]),
    )  # fmt: skip
    seen = [event for event in events if isinstance(event, Measured)]
    assert [event.best for event in seen[:3]] == [True, True, False]
    assert kept == [seen[0].step, seen[1].step]
    assert seen[0].figures == {"kid": 9.0, "other": 1.0}


def test_a_run_that_measures_is_the_run_that_does_not(home, tmp_path):
    """Looking at held-out pictures changes nothing of what is learnt."""
    states = []
    for held in (False, True):
        kind = registry.gan("pix2pix")
        torch.manual_seed(0)
        gan = kind(kind.TINY).train()
        data, saved = kind.Data("toy", kind.TINY), []
        glance = data.batch(range(8), [None] * 8) if held else None
        list(training.train(gan, data, steps=3, glance=glance, glance_every=0.0, save=saved.append))
        states.append({k: v.clone() for k, v in saved[-1]["gan"].items()})
    assert all(torch.equal(v, states[1][k]) for k, v in states[0].items())


def test_on_a_gpu_a_stage_has_its_own_batch_and_later_stages_keep_it(cooked):
    assert recipes.config(cooked, 0).batch == 4
    assert recipes.config(cooked, 1, "cuda:0").batch == 8
    assert recipes.config(cooked, 1).batch == 4


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"data": 'data = [{ name = "cats.zip" }]'}, r"needs cats\.zip"),
        ({"data": 'data = [{ name = "dots.zip", sha256 = "00", inside = "dots" }]'}, "its checksum is another"),
        ({"held_out": 'held_out = ["00.png", "gone.png", "lost.png"]'}, r"lacks pictures .* gone\.png, lost\.png"),
    ],
)
def test_data_that_is_not_the_recipe_s_is_named(home, cooked, tmp_path, changed, says):
    with pytest.raises(ValueError, match=says):
        list(recipes.follow(write(home, tmp_path, **changed), tmp_path, minutes=1))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"first": "[[stage]]\nminutes = 1\nset = { colour = 3 }"}, "no field 'colour'"),
        ({"first": "[[stage]]\nminutes = 1\nset = { batch = -3 }"}, "batch"),
        ({"first": "[[stage]]\nset = { batch = 3 }"}, "minutes"),
        ({"first": "", "second": ""}, "stage"),
        ({"data": "data = []"}, "it needs data"),
        ({"bar": "bar = "}, "dcgan dots"),
        ({"bar": "bars = 3"}, "bars"),
    ],
)
def test_a_recipe_that_cannot_be_says_so(home, cooked, tmp_path, changed, says):
    with pytest.raises(ValueError, match=says):
        write(home, tmp_path, **changed)


def test_by_need(home, cooked, tmp_path):
    assert recipes.need(cooked) == float("inf")  # nothing is known of it: first in the line
    run = recipes._begun(cooked, 0, recipes.sources(cooked, tmp_path), "cpu", None)
    run.note({"event": "Measured", "step": 1, "figures": {"kid": 250.0}, "best": True})
    run.note({"event": "Measured", "step": 2, "figures": {"kid": 300.0}, "best": False})
    assert recipes.need(cooked) == 2.5


def test_in_the_shell_it_comes_back_in_small_files_and_goes_on(cooked, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "PART", 20_000)
    out = tmp_path / "out"
    where = ["--data", str(tmp_path), "--out", str(out)]
    command = ["recipe", "dcgan", "dots", *where, "--minutes", "0.03", "--workers", "0"]
    assert main(command) == 0
    folder = out / "runs" / "dcgan-dots-1"
    assert sorted(p.name for p in folder.glob("resume.pt*"))[:2] == ["resume.pt.000", "resume.pt.001"]
    assert all(p.stat().st_size <= 20_000 for p in folder.glob("*.pt*"))
    assert (out / "checkpoints" / "dcgan" / "dots" / "weights.safetensors").exists()
    steps = runs.Run(folder).done()["steps"]
    assert main(command) == 0  # the parts are put together again
    assert runs.Run(folder).done()["steps"] > steps
    assert main(["recipe"]) == 0
    assert "dcgan dots: 2 stages" in capsys.readouterr().out
    assert main(["recipe", "--all"]) == 2


def test_the_nearest_training_picture_is_beside_what_is_made(tmp_path):
    random = np.random.default_rng(0)
    for k in range(12):
        Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / f"{k}.png")
    kind = registry.gan("dcgan")
    gan = kind(replace(kind.TINY, size=32)).eval()
    data = Images(tmp_path, gan.config)
    copied = data.batch([4, 7], [None] * 2)[0]
    gan.made = lambda batch: (copied, copied)  # a generator that knows two of them by heart
    sheet = np.asarray(afterwards.nearest(gan, data, ["0.png", "1.png"], 2)).astype(int)
    made, pixels, seen = (sheet[:, k * 34 : k * 34 + 32] for k in range(3))  # 2 px between columns
    assert np.array_equal(made, pixels)
    assert np.array_equal(made, seen)
