"""Training: a stopped and resumed run is the run that was never stopped."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from studio import checkpoints
from studio.__main__ import main
from studio.data import Pairs
from studio.gans.pix2pix import GAN
from studio.images import Image, open_picture
from studio.training import loop as training
from studio.training import process as trainer
from studio.training.loop import Ended, Progress, Sample

SETTINGS = [
    "size=32",
    "width=8",
    "cap=32",
    "judge_width=8",
    "receptive_field=16",
    "norm=instance",
    "batch=2",
    "ema=0.9",
]


def begin(folder, settings=SETTINGS, **how):
    return trainer.start("pix2pix", "toy", name=str(folder), settings=settings, workers=0, **how)


def go_on(folder, **how):
    return trainer.resume(folder, workers=0, **how)


def states_equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        a, b = ({k: v for k, v in each.items() if k != "seconds"} for each in (a, b))  # of the clock on the wall
        return a.keys() == b.keys() and all(states_equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(states_equal(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_stop_and_resume_equals_never_stopping(tmp_path):
    torch.set_num_threads(1)
    whole, events = begin(tmp_path / "whole", steps=6)
    list(events)
    parts, events = begin(tmp_path / "parts", steps=2)
    list(events)
    for until in (3, 6):
        parts, events = go_on(str(tmp_path / "parts"), steps=until)
        list(events)
    assert states_equal(whole.state(), parts.state())


def test_a_resumed_run_takes_a_new_learning_rate(tmp_path):
    run, events = begin(tmp_path / "run", steps=1)
    list(events)
    run, events = go_on(str(run.folder), overrides=["lr=0.003"], steps=2)
    list(events)
    state = run.state()
    assert state["config"]["lr"] == 0.003
    assert state["optimizers"]["generator"]["param_groups"][0]["lr"] == 0.003
    assert state["optimizers"]["discriminator"]["param_groups"][0]["lr"] == 2e-4


class Falling(GAN):
    """Its learning rates stay for two steps and then fall to 0 in four, as CycleGAN's do (1703.10593, section 4)."""

    def rate(self, step):
        return min(1.0, 1 - (step - 2) / 4)


def fall(steps, resume=None, wish=training.Wish):
    """Trains the falling one; (the last state, each step's learning rates by player)."""
    torch.manual_seed(0)
    gan = Falling(replace(GAN.TINY, lr=2e-3, judge_lr=4e-3))
    seen, states = [], []
    step = gan.train_step

    def watched(batch, optimizers, k):
        seen.append({name: optimizer.param_groups[0]["lr"] for name, optimizer in optimizers.items()})
        return step(batch, optimizers, k)

    gan.train_step = watched
    data = Pairs("toy", gan.config)
    list(training.train(gan, data, steps=steps, resume=resume, save=states.append, asked=wish))
    return states[-1], seen


def test_learning_rates_fall_as_the_gan_says_and_a_resumed_training_is_the_same():
    whole, rates = fall(5)
    assert [each["generator"] for each in rates] == pytest.approx([2e-3, 2e-3, 2e-3, 1.5e-3, 1e-3])
    assert [each["discriminator"] for each in rates] == pytest.approx([4e-3, 4e-3, 4e-3, 3e-3, 2e-3])
    half, first = fall(4)
    parts, last = fall(5, copy.deepcopy(half))
    assert first + last == rates
    assert states_equal(whole, parts)


def test_the_room_s_dial_multiplies_the_schedule():
    state, rates = fall(5, wish=lambda: training.Wish(lr=0.5))
    assert [each["generator"] for each in rates] == pytest.approx([1e-3, 1e-3, 1e-3, 7.5e-4, 5e-4])
    assert state["optimizers"]["generator"]["param_groups"][0]["lr"] == pytest.approx(5e-4)


def test_who_stands_still_does_so_whatever_the_schedule():
    state, _ = fall(3, wish=lambda: training.Wish(still=("generator",)))
    groups = {name: each["param_groups"][0]["frozen"] for name, each in state["optimizers"].items()}
    assert groups == {"generator": True, "discriminator": False}
    assert state["optimizers"]["generator"]["state"] == {}  # it never made a step


def test_events_and_folder(tmp_path):
    run, events = begin(tmp_path / "run", held_out=3, steps=4)
    events = list(events)
    assert [type(e) for e in events if not isinstance(e, Progress)][-1] is Ended
    assert events[-1].how == "finished"
    assert any(isinstance(e, Sample) for e in events)
    progress = [e for e in events if isinstance(e, Progress)][-1]
    assert progress.step == 4
    assert set(progress.losses) == {"discriminator", "fool", "near"}
    assert progress.rate > 0
    written = list(run.events())
    assert [w["event"] for w in written if w["event"] != "Saved"] == [type(e).__name__ for e in events]
    assert {"event": "Saved", "step": 4}.items() <= written[-2].items()
    assert run.samples
    assert len(run.card["held_out"]) == 3
    assert run.card["command"].startswith("python -m studio train pix2pix --data toy")


def test_stop_is_a_file_and_saves(tmp_path):
    run, events = begin(tmp_path / "run", steps=1000)
    for event in events:
        if isinstance(event, Sample):
            run.stop()
        last = event
    assert last.how == "stopped"
    assert 0 < run.state()["step"] < 20


def test_minutes_end_it(tmp_path):
    _, events = begin(tmp_path / "run", minutes=0.002)
    assert list(events)[-1].how == "finished"


def test_nan_ends_it_with_a_sentence_and_spares_the_state(tmp_path):
    run, events = begin(tmp_path / "run", steps=2)
    list(events)
    before = run.state()

    class Broken(GAN):
        def train_step(self, batch, optimizers, step):
            return {"near": torch.tensor(float("nan"))}

    data = Pairs("toy", GAN.TINY)
    saved = []
    *_, last = training.train(Broken(GAN.TINY), data, steps=3, save=saved.append)
    assert (last.how, saved) == ("failed", [])
    assert "no longer a number" in last.why
    assert states_equal(before, run.state())


def test_a_full_disk_while_saving_leaves_the_old_state(tmp_path, monkeypatch):
    run, events = begin(tmp_path / "run", steps=1)
    list(events)
    before = run.state()

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    _, events = go_on(str(run.folder), steps=2)
    *_, last = events
    assert (last.how, last.why) == ("failed", "The disk is full. Free some space, then go on from the last state.")
    monkeypatch.undo()
    assert run.status().how == "failed"
    assert "disk is full" in run.status().why
    assert states_equal(before, run.state())
    assert not list(run.folder.glob("*.tmp"))


def test_the_shown_generator_is_the_average(tmp_path):
    run, events = begin(tmp_path / "run", steps=5)
    list(events)
    state = run.state()
    name = "generator.downs.0.conv.weight"
    assert not torch.equal(state["gan"][name], state["shown"][name])
    kept, judge = run.gan().state_dict(), "discriminator.convs.0.weight"
    assert torch.equal(kept[name], state["shown"][name])
    assert torch.equal(kept[judge], state["gan"][judge])  # the judge is the trained one, not the one of the start
    state["shown"][judge] += 1  # as runs of before have it: its copy stayed as the run began
    torch.save(state, run.folder / "resume.pt")
    assert torch.equal(run.gan().state_dict()[judge], state["gan"][judge])
    with_none, events = begin(tmp_path / "none", [*SETTINGS, "ema=0"], steps=2)
    list(events)
    state = with_none.state()
    assert torch.equal(state["gan"][name], state["shown"][name])


def test_keep_makes_a_checkpoint_and_from_goes_on(tmp_path, home):
    run, events = begin(tmp_path / "run", held_out=2, steps=3)
    list(events)
    run.keep("mine", {"title": {"en": "Mine", "ko": "내 것"}})
    card = checkpoints.card("pix2pix", "mine")
    assert card["origin"]["steps"] == 3
    assert card["held_out"] == run.card["held_out"]
    assert card["extras"] == {"drawing": "sketch", "palette": None, "hints": False}
    further, events = begin(tmp_path / "more", ["lr=0", "judge_lr=0"], origin="mine", steps=1)
    list(events)
    a, b = further.gan(), checkpoints.load("pix2pix", "mine")
    names = [n for n, _ in a.named_parameters()]
    assert all(torch.equal(a.get_parameter(n), b.get_parameter(n)) for n in names)
    assert further.card["held_out"] == run.card["held_out"]
    assert [each["steps"] for each in further.card["before"]] == [3]  # what it began from is not forgotten


def test_a_better_run_keeps_what_the_card_said(tmp_path, home):
    Image.effect_noise((64, 64), 90).save(tmp_path / "one.png")
    run, events = begin(tmp_path / "run", steps=1)
    list(events)
    facts = {"title": {"en": "Mine", "ko": "내 것"}, "limits": {"en": "weak", "ko": "약함"}, "figures": {"n": 1}}
    folder = run.keep("mine", facts, examples=[tmp_path / "one.png"])
    assert open_picture(folder / "preview.webp").size == (32, 66)  # the sketch above what is made of it
    _, events = go_on(str(run.folder), steps=2)
    list(events)
    run.keep("mine", {})
    card = checkpoints.card("pix2pix", "mine")
    assert card["title"]["ko"] == "내 것"
    assert card["limits"]["en"] == "weak"
    assert card["examples"] == ["one.png"]
    assert (folder / "one.png").exists()
    assert card["figures"] == {}  # measured on other weights
    assert card["origin"]["steps"] == 2


def test_runs_are_compared_on_the_same_examples(tmp_path):
    folders = [str(tmp_path / name) for name in "ab"]
    for k, folder in enumerate(folders):
        _, events = begin(folder, held_out=4, seed=k, steps=1)
        list(events)
    Image.effect_noise((64, 64), 90).save(tmp_path / "one.png")
    assert trainer.compare(folders, [tmp_path / "one.png"]).size == (3 * 34 - 2, 32)
    sheet = trainer.compare(folders, n=3)
    assert sheet.size == (4 * 34 - 2, 3 * 34 - 2)  # sketch, photo, and what each run makes of it


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "pix2pix", "--data", "toy"], "Say how long"),
        (["train", "pix2pix", "--data", "nowhere.zip", "--steps", "1"], "no folder or zip"),
        (["train", "pix2pix", "--data", "toy", "--steps", "1", "--set", "colour=3"], "no field 'colour'"),
        (["train", "pix2pix", "--data", "toy", "--steps", "1", "--set", "width=many"], "width = 'many'"),
        (["train", "pix2pix", "--data", "toy", "--steps", "1", "--set", "width=0"], "width = 0: this must be from 1"),
        (["train", "pix2pix", "--data", "toy", "--steps", "1", "--from", "nothing"], "no checkpoint nothing"),
        (["train", "--steps", "1"], "Say which GAN"),
        (["train", "--resume", "nothing", "--steps", "1"], "no run"),
    ],
)
def test_the_shell_says_what_is_wrong(arguments, sentence, home, capsys):
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_the_shell_from_training_to_picture(home, tmp_path, capsys):
    assert (
        main(
            [
                "train",
                "pix2pix",
                "--data",
                "toy",
                "--run",
                "r",
                "--steps",
                "2",
                "--hold-out",
                "2",
                "--workers",
                "0",
                "--set",
                *SETTINGS,
            ]
        )
        == 0
    )
    assert main(["keep", str(home / "runs" / "r"), "--tag", "mine", "--title", "en=Mine", "ko=내 것"]) == 0
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    rows = {row["gan"]: row["tags"] for row in json.loads(capsys.readouterr().out)}
    assert "mine" in rows["pix2pix"]
    Image.effect_noise((64, 64), 90).save(tmp_path / "sketch.png")
    out = tmp_path / "shoe.png"
    assert main(["pix2pix", "translate", str(tmp_path / "sketch.png"), str(out), "--tag", "mine", "--seed", "3"]) == 0
    assert np.asarray(Image.open(out)).shape == (32, 32, 3)
    capsys.readouterr()
    assert main(["pix2pix", "judge", str(tmp_path / "sketch.png"), str(out), "--tag", "mine"]) == 0
    assert np.array(json.loads(capsys.readouterr().out)["map"]).shape == (14, 14)
    assert main(["measure", "pix2pix", "mine", "--write"]) == 0
    assert checkpoints.card("pix2pix", "mine")["figures"]["n"] == 2
    assert main(["show", "pix2pix", "mine"]) == 0
    assert main(["show", "pix2pix"]) == 0
    assert main(["doctor"]) == 0
    assert main(["pix2pix", "translate", "none.png", str(out), "--tag", "mine"]) == 2
    assert "There is no file none.png" in capsys.readouterr().err
