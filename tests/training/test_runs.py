"""Runs: processes of their own, the queue, wishes, single steps, what is said when one dies, and who may what."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from patience import until
from starlette.testclient import TestClient
from test_training import SETTINGS, begin, states_equal

from studio.data import Images, Pairs
from studio.gans import dcgan
from studio.gans.pix2pix import GAN
from studio.guests.limits import Limits, limits
from studio.training import devices, runs
from studio.training import process as trainer
from studio.training.hints import COLLAPSED, hints
from studio.training.loop import Changed, Phase, Progress, Sample, Single, Wish, train
from studio.training.runs import Run
from studio.web.api import app

JSON = {"content-type": "application/json"}


def launch(**how) -> Run:
    return Run.start("pix2pix", "toy", settings=SETTINGS, **({"steps": 100_000} | how))


# ---- processes ------------------------------------------------------------------------------------------------------


def test_a_run_outlives_its_trainer_waits_its_turn_and_goes_on(home):
    """One story, because starting a process takes seconds: queue, kill -9, resume, stop."""
    first = launch()
    until(lambda: first.status().how == "training" and first.status().step > 3)
    trainer_of = psutil.Process(json.loads((first.folder / "pid.json").read_text())["pid"])
    assert trainer_of.nice() != psutil.Process().nice(), "it gives way to whoever plays"
    group = Path(f"/proc/{trainer_of.pid}/autogroup")
    assert not group.exists() or group.read_text().endswith("nice 5\n")
    second = launch(steps=3)
    until(lambda: second.status().how == "queued")
    assert second.status().ahead == 1

    until(lambda: (first.folder / "resume.pt").exists() or first.pause() or False)  # a pause saves …
    until(lambda: first.status().how == "paused")
    saved = first.state()["step"]
    assert saved > 0
    until(lambda: second.status().how in ("training", "finished"))  # … and gives way to who waits
    until(lambda: second.status().how == "finished")
    assert second.state()["step"] == 3

    first.resume()
    until(lambda: first.status().how == "training" and first.status().step > saved)
    noted = json.loads((first.folder / "pid.json").read_text())
    os.kill(noted["pid"], signal.SIGKILL)
    until(lambda: first.status().how == "failed")
    until(lambda: "signal 9" in first.status().why)
    assert "Go on from the last state" in first.status().why
    assert first.state()["step"] >= saved

    first.resume(steps=2)  # a new goal: two more than it had come to
    until(lambda: first.status().how == "finished")
    assert first.state()["step"] >= saved + 2
    assert not first.alive or first.status().alive  # never one without the other
    assert {run.name for run in runs.all_runs()} == {first.name, second.name}
    until(lambda: not first.alive)
    first.delete()
    assert [run.name for run in runs.all_runs()] == [second.name]


def test_two_trainers_never_share_a_run(home, tmp_path):
    run, events = begin(tmp_path / "run", steps=50)
    next(events)
    other = trainer.work(run, workers=0, steps=50)
    with pytest.raises(ValueError, match="another process"):
        list(other)
    events.close()


def test_a_queued_run_can_be_called_off(home):
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=3)
    run.stop()
    other = runs.create("pix2pix", "toy", settings=SETTINGS, steps=300)
    events = trainer.work(other, workers=0, queue=True)
    next(events)  # has the device
    *_, last = trainer.work(run, workers=0, queue=True)
    assert (last.how, last.step) == ("stopped", 0)
    events.close()


@pytest.mark.parametrize(
    ("lines", "files", "how", "why"),
    [
        ([], {}, "stopped", ""),
        ([{"event": "Launched", "time": 0}], {}, "failed", "gone without a word"),
        ([{"event": "Launched", "time": 0}], {"ended.json": {"code": -9}}, "failed", "signal 9"),
        ([{"event": "Phase", "how": "training", "step": 7, "time": 0}],
         {"ended.json": {"code": 1}, "trainer.log": "a\nboom"}, "failed", "ended with: boom"),
        ([{"event": "Phase", "how": "paused", "step": 7, "time": 0}], {}, "paused", ""),
        ([{"event": "Ended", "how": "finished", "step": 9, "time": 0}], {}, "finished", ""),
        ([{"event": "Queued", "time": 0}], {}, "failed", "gone without a word"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_run_whose_trainer_is_gone(lines, files, how, why, home):
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=3)
    for line in lines:
        run.note(line)
    for name, content in files.items():
        (run.folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    status = run.status()
    assert status.how == how
    assert why in status.why
    assert not status.alive


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), "disk is full"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"), "disk is full or gone"),
        (MemoryError(), "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"), "not enough memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            "not enough memory",
        ),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."), "not enough memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "on another device"),
        (RuntimeError("shape mismatch"), "RuntimeError: shape mismatch"),
    ],
)
def test_what_ended_it_is_said_with_what_to_do(error, sentence):
    assert sentence in trainer.reason(error)


def test_a_device_that_vanished_is_named_and_another_can_be_taken(home):
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=1)
    card = run.card | {"device": "cuda:7"}
    run._write("card.json", card)
    events = trainer.work(run, workers=0)
    with pytest.raises(ValueError, match=r"no device 'cuda:7' here \(any more\). There are: .*cpu"):
        list(events)
    assert run.status().how == "failed"
    _, events = trainer.resume(str(run.folder), device="cpu", workers=0)
    assert [e for e in events][-1].how == "finished"


# ---- wishes ---------------------------------------------------------------------------------------------------------


def played(*wishes: Wish, gan=None, steps: int = 3):
    """A training with scripted wishes, one for each time it looks; (gan, events, last state)."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = gan or GAN(GAN.TINY)
    script, saved = iter(wishes), []
    data = made.Data("toy", made.config)
    events = list(
        train(made, data, steps=steps, save=lambda s: saved.append(clone(s)), asked=lambda: next(script, Wish()))
    )
    return made, events, saved[-1] if saved else None


def clone(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {k: clone(v) for k, v in value.items()}
    return [clone(v) for v in value] if isinstance(value, list) else value


def without_dials(state: dict) -> dict:
    groups = [g for o in state["optimizers"].values() for g in o["param_groups"]]
    for group in groups:
        group.pop("frozen", None)
    return state


def test_a_single_step_of_both_is_a_step():
    _, _, plain = played()
    pause = Wish("pause")
    _, events, stepped = played(Wish(), pause, pause, Wish("pause", single="both"), pause, Wish("on"))
    assert [type(e) for e in events if isinstance(e, (Phase, Single))] == [Phase, Single, Phase]
    assert states_equal(without_dials(plain), without_dials(stepped))


def test_a_single_step_moves_its_player_alone_and_says_what_changed():
    pause = Wish("pause")
    _, events, _ = played(pause, Wish("pause", single="discriminator"), Wish("pause", single="generator"), Wish("on"))
    d, g = [e for e in events if isinstance(e, Single)]
    assert (d.player, g.player) == ("discriminator", "generator")
    assert d.moved["discriminator"] > 0 == d.moved["generator"]
    assert g.moved["generator"] > 0 == g.moved["discriminator"]
    assert d.before["near"] == d.after["near"]  # the generator stood still: its pictures are the same
    assert d.after["discriminator"] < d.before["discriminator"]
    assert g.after["near"] < g.before["near"]
    assert set(d.before) <= set(GAN.about.terms)
    assert (d.step, g.step) == (1, 2)
    assert d.picture.height == 3 * 32 + 4  # before, after, difference


def test_looking_leaves_no_trace():
    """A paused training that was looked at goes on as one that was never paused, also in its running averages."""
    torch.manual_seed(0)
    one = dcgan.GAN(dcgan.GAN.TINY)
    torch.manual_seed(0)
    other = dcgan.GAN(dcgan.GAN.TINY)
    _, _, plain = played(gan=one)
    _, _, stepped = played(Wish("pause"), Wish("pause", single="both"), Wish("on"), gan=other)
    assert states_equal(without_dials(plain), without_dials(stepped))


def test_a_term_that_is_switched_off_weighs_nothing():
    gan, events, state = played(Wish(), Wish(off=("near",)), Wish(off=("near",)), steps=3)
    assert [e for e in events if isinstance(e, Changed)] == [Changed(1, ("near",), (), 1.0)]
    assert gan.config.l1 == 0
    assert state["config"]["l1"] == GAN.TINY.l1  # a dial, not another Config


def test_a_player_that_stands_still_does_not_move():
    torch.manual_seed(0)
    before = {k: v.clone() for k, v in GAN(GAN.TINY).named_parameters()}
    still = Wish(still=("discriminator",))
    gan, *_ = played(*[still] * 3)
    moved = {k.split(".")[0] for k, v in gan.named_parameters() if not torch.equal(v, before[k])}
    assert moved == {"generator"}
    gan, *_ = played(*[Wish(lr=0.0)] * 3)
    assert all(torch.equal(v, before[k]) for k, v in gan.named_parameters())


def test_wishes_are_kept_in_the_folder_and_single_steps_made_once(home):
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=4)
    run.ask(go="pause", single="generator", lr=0.5)
    events, singles = trainer.work(run, workers=0), 0
    for event in events:
        singles += isinstance(event, Single)
        if isinstance(event, Single):
            assert run.wish() == Wish("pause", lr=0.5)
            run.ask(go="on")
    assert (singles, event.how, run.state()["step"]) == (1, "finished", 4)
    written = [e["event"] for e in run.events()]
    assert written.count("Single") == 1
    assert (run.folder / "single-0000001.webp").exists()


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"go": "away"}, "say on, pause or stop"),
        ({"off": ["discriminator"]}, "can't all be switched off"),
        ({"off": ["nothing"]}, "can't all be switched off"),
        ({"still": ["teacher"]}, "the players are discriminator, generator"),
        ({"single": "teacher"}, "the players are"),
        ({"lr": -1}, "0 to 100"),
        ({"lr": float("nan")}, "0 to 100"),
        ({"lr": "fast"}, "0 to 100"),
    ],
)
def test_wishes_that_can_not_be(wish, sentence, home):
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=4)
    with pytest.raises(ValueError, match=sentence):
        run.ask(**wish)
    assert run.wish() == Wish()


# ---- hints ----------------------------------------------------------------------------------------------------------


def hinted(gan, events) -> set[str]:
    lines = [{"event": type(e).__name__} | vars(e) for e in events]
    return {hint.name for hint in hints(lines, gan.about)}


def test_a_collapsing_run_is_named_and_a_healthy_one_left_alone():
    """Collapse is made: a generator in leaps against a judge that stands still, until all its pictures are the one that
    this judge likes best. The healthy run is the same without that."""
    config = dcgan.paper.Config(size=16, z=8, width=8, judge_width=8, batch=8, kernel=4, lr=2e-3, judge_lr=2e-3)
    data = Images("toy:digits", config)
    (real,) = data.batch(range(32), [None] * 32)

    def run(wish):
        torch.manual_seed(0)
        torch.set_num_threads(1)
        asked = iter([Wish()] * 30)
        gan = dcgan.GAN(config)
        events = list(train(gan, data, steps=310, examples=(real,), asked=lambda: next(asked, wish)))
        last = [e for e in events if isinstance(e, Sample)][-1]
        # A test is over before three samples are due: the last one stands for them.
        return gan, [*events, *[last] * 3], last.diversity

    gan, events, diversity = run(Wish(still=("discriminator",), lr=100.0))
    assert diversity < COLLAPSED
    assert "collapse" in hinted(gan, events)
    gan, events, diversity = run(Wish())
    assert diversity > COLLAPSED
    assert hinted(gan, events) == set()


def progress(step, d=0.5, gradient=1.0):
    return {
        "event": "Progress",
        "step": step,
        "losses": {"discriminator": d, "near": 0.1},
        "gradients": {"generator": gradient},
    }


@pytest.mark.parametrize(
    ("events", "name"),
    [
        ([progress(k) for k in range(40)], None),
        ([progress(k, d=0.001) for k in range(3)], "won"),
        ([*[progress(k, d=0.001) for k in range(2)], progress(3)], None),
        ([progress(k, d=0.001) for k in range(2)], None),
        ([*[progress(k) for k in range(20)], *[progress(k, gradient=80.0) for k in range(3)]], "exploding"),
        ([*[progress(k) for k in range(20)], *[progress(k, gradient=20.0) for k in range(3)]], None),
        ([*[progress(k) for k in range(20)], progress(21, gradient=1e9)], None),  # one jump may be chance
        (
            [{"event": "Ended", "how": "failed", "why": "near is no longer a number at step 9.", "step": 9}],
            "not a number",
        ),
        ([{"event": "Ended", "how": "failed", "why": "The disk is full.", "step": 9}], None),
        ([{"event": "Sample", "step": 400 + k, "diversity": 0.1} for k in range(3)], "collapse"),
        ([{"event": "Sample", "step": k, "diversity": 0.1} for k in range(9)], None),  # too early to say
        (
            [{"event": "Sample", "step": 400 + k, "diversity": d} for k, d in enumerate([0.9, 0.9, 0.4, 0.4, 0.4])],
            "collapse",
        ),
        ([{"event": "Sample", "step": 400 + k, "diversity": d} for k, d in enumerate([0.9, 0.9, 0.7, 0.6, 0.7])], None),
        ([{"event": "Sample", "step": 400 + k, "diversity": None} for k in range(9)], None),
    ],
)
def test_hints_say_what_was_measured_and_where_the_threshold_is(events, name):
    found = hints(events, GAN.about)
    assert [hint.name for hint in found] == ([name] if name else [])
    for hint in found:
        assert set(hint.says) == {"en", "ko"}
        assert hint.figure


def test_nan_is_said_and_the_state_spared(home):
    run, events = begin("nan", settings=[*SETTINGS, "lr=1", "judge_lr=1", "l1=1e39"], steps=200)
    *_, last = events
    assert last.how == "failed"
    assert "no longer a number" in last.why
    assert hints(list(run.events()), GAN.about)[0].name == "not a number"


# ---- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "wanted", "sentence"),
    [
        ("off", {"steps": 3}, "switched off"),
        ("minutes=2", {"minutes": 3}, "3 minutes are more than this server allows"),
        ("minutes=2.5, steps=10", {"steps": 11}, "11 steps are more"),
        ("steps=10", {"minutes": 1}, "say how long in steps"),
        ("minutes=off", {"steps": 3}, "can't be read at 'minutes=off'"),
        ("hours=2", {"steps": 3}, "can't be read at 'hours=2'"),
        ("queue=0", {"steps": 3}, "waiting already"),
    ],
)
def test_a_public_server_has_limits(setting, wanted, sentence, home, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", setting)
    with pytest.raises(ValueError, match=sentence):
        runs.create("pix2pix", "toy", settings=SETTINGS, **wanted)
    assert runs.all_runs() == []


def test_without_the_setting_everything_is_allowed(monkeypatch):
    monkeypatch.delenv("STUDIO_TRAIN", raising=False)
    assert limits() == Limits()
    assert not limits().public
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=5 queue=3")
    assert limits() == Limits(minutes=5, queue=3)
    assert limits().public


def test_a_public_server_opens_no_folder_of_its_own(home, tmp_path, monkeypatch):
    for k in range(3):
        from studio.images import Image

        Image.fromarray(np.full((40, 40, 3), 80 * k, np.uint8)).save(tmp_path / f"{k}.png")
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=5 pictures=2")
    with pytest.raises(ValueError, match="no folder of this machine"):
        runs.create("pix2pix", str(tmp_path), settings=SETTINGS, minutes=1)


# ---- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client():
    return TestClient(app)


def finished(name: str = "done") -> Run:
    run, events = begin(runs.folder_of_runs() / name, steps=2)
    list(events)
    return run


def test_every_viewer_sees_a_run_over_http(home, client):
    run = finished()
    [line] = client.get("/api/runs").json()
    assert (line["name"], line["gan"], line["how"], line["step"]) == ("done", "pix2pix", "finished", 2)
    seen = client.get("/api/runs/done").json()
    assert [e["event"] for e in seen["events"]] == [e["event"] for e in run.events()]
    assert client.get(f"/api/runs/done?after={seen['next'] - 1}").json()["events"] == seen["events"][-1:]
    assert all(not t["weight"] or t["value"] for t in seen["terms"])
    assert {"discriminator", "fool", "near"} <= {t["name"] for t in seen["terms"]}
    assert all(t["formula"].startswith("<math") for t in seen["terms"])
    [sample, *_] = [e["file"] for e in seen["events"] if e["event"] == "Sample"]
    assert client.get(f"/api/runs/done/{sample}").headers["content-type"] == "image/webp"


def test_a_wish_over_http_reaches_the_folder(home, client):
    run = finished()
    answer = client.post("/api/runs/done", json={"off": ["near"], "lr": 0.5, "go": "pause"})
    assert answer.status_code == 200
    assert run.wish() == Wish("pause", ("near",), (), 0.5)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/api/runs/none", b"{}", JSON, 404),
        ("/api/runs/..%2Fdone", b"{}", JSON, 405),
        ("/api/runs/done", b"{}", {}, 415),
        ("/api/runs/done", b"{}", {"content-type": "text/plain"}, 415),
        ("/api/runs/done", b"{", JSON, 422),
        ("/api/runs/done", b"[]", JSON, 422),
        ("/api/runs/done", b"[" * 5000, JSON, 422),
        ("/api/runs/done", b'{"delete": true}', JSON, 422),
        ("/api/runs/done", b'{"off": "near"}', JSON, 422),
        ("/api/runs/done", b'{"off": [["near"]]}', JSON, 422),
        ("/api/runs/done", b'{"lr": true}', JSON, 422),
        ("/api/runs/done", b'{"lr": NaN}', JSON, 422),
        ("/api/runs/done", b'{"go": 7}', JSON, 422),
        ("/api/runs/done", b'{"minutes": "9"}', JSON, 422),
        ("/api/runs/done", b'{"minutes": -9, "go": "on"}', JSON, 422),
        ("/api/runs/done", b" " * 20_000, JSON, 413),
        ("/api/runs/done", b'{"go": "stop"}', JSON | {"origin": "http://evil.example"}, 403),
    ],
)
def test_wishes_over_http_that_are_refused(path, body, headers, status, home, client):
    run = finished()
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert run.wish() == Wish()


@pytest.mark.parametrize(
    "name", ["resume.pt", "card.json", "..%2F..%2Fcard.json", "sample-1.webp", "sample-0000001.webp.tmp"]
)
def test_only_pictures_are_given_out(name, home, client):
    finished()
    assert client.get(f"/api/runs/done/{name}").status_code == 404


def test_no_wish_is_taken_where_training_is_off(home, client, monkeypatch):
    run = finished()
    monkeypatch.setenv("STUDIO_TRAIN", "off")
    answer = client.post("/api/runs/done", json={"go": "on"})
    assert (answer.status_code, "switched off" in answer.json()["error"]) == (422, True)
    assert not run.alive


# ---- devices --------------------------------------------------------------------------------------------------------


def test_the_cpu_is_always_there_and_the_fastest_comes_first():
    there = devices.devices()
    assert there[-1].name == "cpu"
    assert devices.device() == there[0]
    assert devices.device("cpu").minutes > 0
    with pytest.raises(ValueError, match="There is no device 'tpu'"):
        devices.device("tpu")


def test_a_run_says_how_fast_and_how_large_it_is(tmp_path):
    _, events = begin(tmp_path / "run", steps=3)
    last = [e for e in events if isinstance(e, Progress)][-1]
    assert last.memory > 50
    assert set(last.gradients) == {"discriminator", "generator"}
    assert all(norm > 0 for norm in last.gradients.values())


def test_the_public_face_trains(home):
    import studio

    *_, last = studio.train("pix2pix", "toy", settings=SETTINGS, steps=1, workers=0)
    assert (last.step, last.how) == (1, "finished")
    assert last.seconds > 0
    assert studio.Run is Run
    assert Pairs.TOYS[0] == "shoes"
