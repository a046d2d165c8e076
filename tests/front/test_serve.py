"""The classroom server as it is started: what it says, what strangers may, what survives `kill -9`."""

from __future__ import annotations

import io
import json

import cv2
import httpx
import numpy as np
import pytest
from PIL import Image
from served import ROOT

from pages.parts.lesson import classroom as launcher
from studio.guests import visitors

STRANGER = {"Host": "192.168.0.9:8501", "X-Tab": "a-phone"}  # another name than this machine's own


def picture() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    return out.getvalue()


def test_it_starts_and_says_where_and_keeps_the_key_to_itself(classroom):
    said = classroom.said
    assert f"http://127.0.0.1:{classroom.port}" in said
    assert "nobody but you can train" in said
    key = (classroom.home / "class" / "key").read_text().strip()
    assert key not in said, "this is a log, not a screen"
    assert "STUDIO_HOME/class/key" in said


def test_whoever_sits_here_is_the_teacher_and_a_phone_is_not(classroom):
    assert httpx.get(f"{classroom.address}/api/class").json()["teacher"] is True
    assert httpx.get(f"{classroom.address}/api/class", headers=STRANGER).json()["teacher"] is False
    key = (classroom.home / "class" / "key").read_text().strip()
    with httpx.Client(base_url=classroom.address, headers=STRANGER) as phone:
        assert phone.post("/api/class/key", json={"key": key}).status_code == 200
        assert phone.get("/api/class").json() | {"address": None} == {
            "classroom": True, "teacher": True, "key": True, "address": None, "most": 1200,
        }  # fmt: skip


def test_no_way_leads_from_the_network_to_training(classroom):
    run = classroom.home / "runs" / "shoes-1"
    run.mkdir(parents=True, exist_ok=True)
    (run / "card.json").write_text(json.dumps({"gan": "pix2pix", "config": {}, "data": "toy", "goal": {"steps": 3}}))
    with httpx.Client(base_url=classroom.address, headers=STRANGER) as phone:
        wishes = (
            {"go": "on"},
            {"single": "both"},
            {"minutes": 3, "go": "on"},
            {"use": True},
            {"lr": 2.0},
            {"title": "x"},
        )
        for wish in wishes:
            reply = phone.post("/api/runs/shoes-1", json=wish)
            assert reply.status_code == 422, wish
            assert "switched off" in reply.json()["error"]
        assert phone.delete("/api/runs/shoes-1").status_code == 422
        reply = phone.put("/_stcore/upload_file/any/file", content=b"x" * 1000)
        assert reply.status_code == 403
        assert "switched off" in reply.json()["error"]
    assert run.is_dir() and not (run / "wish.json").exists() and not (run / "pid.json").exists()
    with httpx.Client(base_url=classroom.address) as here:  # a proxy in between takes away what sitting here gives
        assert here.delete("/api/runs/shoes-1", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 422
        assert here.post("/api/runs/shoes-1", json={"title": "Ours"}).json()["title"] == "Ours"
        assert here.delete("/api/runs/shoes-1").status_code == 200


# ---- the words of the command ---------------------------------------------------------------------------------------


@pytest.fixture
def environment(home, monkeypatch):
    """Whatever `options` puts into the environment is gone afterwards."""
    import os

    kept = dict(os.environ)
    for name in [*os.environ]:
        if name.startswith("STUDIO_") and name != "STUDIO_HOME":
            monkeypatch.delenv(name)
    yield os.environ
    os.environ.clear()
    os.environ.update(kept)


def test_without_words_it_serves_this_machine_alone(environment):
    assert launcher.options([]) == []
    assert not visitors.classroom()
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    assert 'address = "localhost"' in config


def test_a_class_is_served_everywhere_and_may_not_train(environment):
    given = launcher.options(["--class", "--port", "9001"])
    assert given == ["--server.address", "0.0.0.0", "--server.port", "9001"]
    assert environment["STUDIO_TRAIN"] == "off"
    assert visitors.rates().tabs.rate == 15
    first = environment["STUDIO_KEY"]
    launcher.options(["--class", "--new-key", "--train", "minutes=3"])
    assert environment["STUDIO_KEY"] != first
    assert environment["STUDIO_TRAIN"] == "minutes=3"


@pytest.mark.parametrize("words", [["--train", "hours=3"], ["--rate", "lots"], ["--port", "0"], ["--clas5"]])
def test_a_wrong_word_is_named(words, environment, capsys):
    with pytest.raises(SystemExit):
        launcher.options(["--class", *words])
    assert words[-1] in capsys.readouterr().err or "--port" in words


def test_the_shell_shows_a_code_that_phones_can_read():
    link = "http://192.168.178.20:8501"
    rows = launcher.code(link).splitlines()
    tones = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}  # light letters on a dark shell
    import re

    plain = [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in rows]
    width = max(map(len, plain))
    board = np.array([[tones[each][half] for each in row.ljust(width)] for row in plain for half in (0, 1)], np.uint8)
    board = cv2.copyMakeBorder(board, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=255)
    large = cv2.resize(board, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    assert cv2.QRCodeDetector().detectAndDecode(large)[0] == link


def test_make_serve_is_that_command(capsys):
    assert "app.py --class" in (ROOT / "Makefile").read_text()
    with pytest.raises(SystemExit) as ended:
        launcher.options(["--help"])
    assert ended.value.code == 0
    assert "--train" in capsys.readouterr().out


def test_the_wall_and_the_teacher_outlive_kill_9(classroom):
    with httpx.Client(base_url=classroom.address, headers=STRANGER) as phone:
        sent = phone.post("/api/gallery?name=Mina", content=picture(), headers={"Content-Type": "image/png"}).json()
        later = phone.post("/api/gallery", content=picture(), headers={"Content-Type": "image/png"}).json()
        key = (classroom.home / "class" / "key").read_text().strip()
        phone.post("/api/class/key", json={"key": key})
        assert phone.post(f"/api/gallery/{sent['id']}", json={"hang": True}).status_code == 200
        classroom.kill()
        with pytest.raises(httpx.HTTPError):
            phone.get("/api/gallery")
        classroom.start()
        seen = phone.get("/api/gallery").json()  # the cookie still counts
        assert [each["name"] for each in seen["pictures"]] == ["Mina"]
        assert [each["id"] for each in seen["waiting"]] == [later["id"]]
        shown = Image.open(io.BytesIO(phone.get(f"/api/gallery/{sent['id']}.png").content))
        assert shown.size == (256, 256)
