"""The training room without a browser: uploads, the look at them, what becomes of a run, its routes, and its pages."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from test_pages import HANGUL, PAGES, shown, text

from pages.parts.said import words
from studio import checkpoints
from studio.gans.pix2pix import GAN
from studio.guests import owners
from studio.training import devices, runs, uploads
from studio.training import keep as afterwards
from studio.training import process as trainer
from studio.training.preview import preview
from studio.training.runs import Run
from studio.web import api

TINY = [
    f"{name}={getattr(GAN.TINY, name)}" for name in ("size", "width", "cap", "judge_width", "receptive_field", "norm")
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of a few steps, made once."""
    folder = tmp_path_factory.mktemp("trained") / "shoes-1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(folder.parent))
        list(
            trainer.train(
                "pix2pix", "toy", name=str(folder), settings=[*TINY, "batch=2"], steps=4, workers=0, title="Tiny shoes"
            )
        )
    return folder


@pytest.fixture
def run(trained, home):
    """That run, in a STUDIO_HOME of its own."""
    shutil.copytree(trained, home / "runs" / "shoes-1")
    return runs.find("shoes-1")


def png(seed: int = 0, size: tuple[int, int] = (40, 40), mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, "PNG")
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return out


# ---- uploads --------------------------------------------------------------------------------------------------------


def test_an_upload_is_kept_by_its_content_and_never_twice(home):
    files = {f"cats/{k}.png": png(k) for k in range(3)}
    first = uploads.keep([("my cats.zip", zipped(files))])
    assert uploads.keep([("again.zip", io.BytesIO(Path(first.source).parent.read_bytes()))]).name == first.name
    assert (first.title, first.files) == ("my cats.zip", 3)
    assert first.source.endswith("my-cats.zip/cats"), "the folder that holds everything is gone into"
    assert [each.name for each in uploads.uploads()] == [first.name]
    assert not list(uploads.folder().glob(".coming-*"))
    assert preview("pix2pix", first.source, GAN.TINY).count == 3
    uploads.delete(first.name)
    assert uploads.uploads() == []
    with pytest.raises(ValueError, match="Upload them again"):
        uploads.find(first.name)


def test_single_pictures_become_one_set_whatever_their_order_and_names(home):
    given = [("a/1.png", png(1)), ("b/1.png", png(2)), ("../../1.png", png(3)), ("a/1.png", png(4))]
    kept = [uploads.keep([(name, io.BytesIO(content)) for name, content in order]) for order in (given, given[::1])]
    assert kept[0] == kept[1]
    assert kept[0].files == 4
    names = zipfile.ZipFile(kept[0].source).namelist()
    assert len(set(names)) == 4
    assert not [name for name in names if ".." in name or name.startswith("/")]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "Upload one zip"),
        ([("a.zip", b""), ("b.zip", b"")], "Upload one zip"),
        ([("a.zip", b""), ("b.png", b"")], "Upload one zip"),
        ([("a.exe", b"MZ")], "neither a zip nor a picture"),
        ([("a.zip", b"PK but no more")], "not a zip file that can be read"),
        ([("a.zip", zipped({"a.txt": b"hello"}).getvalue())], "holds no pictures"),
        ([("a.zip", zipped({"../a.png": b"x"}).getvalue())], "points outside"),
        ([("a.png", b"x" * 3_000_000)], "more than this server allows"),
    ],
)
def test_bad_uploads_get_a_sentence_and_leave_nothing(home, files, sentence, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "megabytes=2")
    with pytest.raises(ValueError, match=sentence):
        uploads.keep([(name, io.BytesIO(content)) for name, content in files])
    assert not [path for path in uploads.folder().glob("**/*") if path.is_file()]


def test_what_is_being_trained_on_is_not_deleted(run, monkeypatch):
    kept = uploads.keep([("a.png", io.BytesIO(png(1))), ("b.png", io.BytesIO(png(2)))])
    run._write("card.json", run.card | {"data": str(Path(kept.source).resolve())})
    assert [each.name for each in uploads.used_by(kept)] == ["shoes-1"]
    monkeypatch.setattr(Run, "alive", property(lambda run: True))
    with pytest.raises(ValueError, match="Stop that run first"):
        uploads.delete(kept.name)
    monkeypatch.setattr(Run, "alive", property(lambda run: False))
    uploads.delete(kept.name)


# ---- a look before the start ----------------------------------------------------------------------------------------


def test_three_corrupt_pictures_among_many_are_named_and_passed_over(home):
    files = {f"{k:02}.png": png(k, size=(40 + k % 2, 40), mode=("RGB", "L", "P")[k % 3]) for k in range(20)}
    files |= {"05.png": b"no picture", "11.png": files["11.png"][:60], "17.png": b""}
    seen = preview("pix2pix", uploads.keep([("mixed.zip", zipped(files))]).source, GAN.TINY)
    assert set(seen.skipped) == {"05.png", "11.png", "17.png"}
    assert all(seen.skipped.values())
    assert seen.count == 17
    assert sum(seen.sizes.values()) == 17
    assert seen.sheet.width > 200


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.png": png(1)}, "at least 2 are needed"),
        ({"a.png": b"x", "b.png": b"y", "c.png": png(1)}, "can be used; at least 2"),
        (
            {"photos/a.png": png(1), "photos/b.png": png(2), "labels/a.png": png(1), "labels/b.png": png(2)},
            "can be used",
        ),
    ],
)
def test_data_that_cannot_be_trained_on_says_what_was_expected(home, files, sentence):
    with pytest.raises(ValueError, match=sentence):
        preview("pix2pix", uploads.keep([("few.zip", zipped(files))]).source, GAN.TINY)


def test_a_public_server_opens_no_folders(home, tmp_path, monkeypatch):
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(png(k))
    assert preview("pix2pix", str(tmp_path), GAN.TINY).count == 3
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=5")
    with pytest.raises(ValueError, match="Upload the pictures instead"):
        preview("pix2pix", str(tmp_path), GAN.TINY)
    kept = uploads.keep([(f"{k}.png", io.BytesIO(png(k))) for k in range(3)])
    assert preview("pix2pix", kept.source, GAN.TINY).count == 3
    monkeypatch.setenv("STUDIO_TRAIN", "pictures=2")
    with pytest.raises(ValueError, match="3 pictures are more"):
        preview("pix2pix", kept.source, GAN.TINY)


# ---- afterwards, and the routes -------------------------------------------------------------------------------------


@pytest.fixture
def client():
    return TestClient(api.app)


def wish(client, run, **fields):
    return client.post(f"/api/runs/{run.name}", json=fields)


def test_use_this_model_makes_a_checkpoint_of_its_own_each_time(run, client):
    tags = [wish(client, run, use=True).json()["tag"] for _ in range(2)]
    assert tags == ["tiny-shoes", "tiny-shoes-2"]
    assert set(tags) <= set(checkpoints.tags("pix2pix"))
    card = checkpoints.card("pix2pix", tags[0])
    assert card["title"]["en"] == "Tiny shoes"
    assert card["origin"]["steps"] == 4
    assert checkpoints.load("pix2pix", tags[0]).translate(Image.new("RGB", (32, 32), "white")).size == (32, 32)


@pytest.mark.parametrize(("title", "tag"), [("Ärger & Co!", "rger-co"), ("신발", "trained-here"), ("x" * 80, "x" * 60)])
def test_a_tag_follows_from_any_title(home, title, tag):
    assert afterwards.free_tag("pix2pix", title) == tag
    assert checkpoints.checked_tag(tag)


def test_the_model_goes_along_as_a_zip_that_is_a_checkpoint(run, client, home):
    answer = client.get(f"/api/runs/{run.name}/model.zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="shoes-1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        pack.extractall(home / "checkpoints" / "pix2pix")
    assert "tiny-shoes" in checkpoints.tags("pix2pix")
    checkpoints.load("pix2pix", "tiny-shoes")


def test_a_run_without_a_state_has_nothing_to_use(run, client):
    (run.folder / "resume.pt").unlink()
    assert "no saved state" in wish(client, run, use=True).json()["error"]
    assert client.get(f"/api/runs/{run.name}/model.zip").status_code == 404


def test_renaming_and_deleting(run, client, monkeypatch):
    assert wish(client, run, title="  Better   shoes ").json()["title"] == "Better shoes"
    assert wish(client, run, title=" ").status_code == 422
    monkeypatch.setattr(Run, "alive", property(lambda run: True))
    assert "Stop it first" in client.delete(f"/api/runs/{run.name}").json()["error"]
    monkeypatch.setattr(Run, "alive", property(lambda run: False))
    assert client.delete(f"/api/runs/{run.name}").status_code == 200
    assert client.get(f"/api/runs/{run.name}").status_code == 404
    assert not run.folder.exists()


@pytest.mark.parametrize("method", ["post", "delete"])
@pytest.mark.parametrize("header", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}])
def test_another_site_steers_nothing(run, client, method, header):
    given = {"json": {"go": "stop"}} if method == "post" else {}
    assert getattr(client, method)(f"/api/runs/{run.name}", headers=header, **given).status_code == 403
    assert run.folder.exists()


def test_where_training_is_off_nothing_is_changed(run, client, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "off")
    assert "switched off" in wish(client, run, title="Mine").json()["error"]
    assert "switched off" in client.delete(f"/api/runs/{run.name}").json()["error"]
    assert client.get(f"/api/runs/{run.name}").json()["title"] == "Tiny shoes"


def test_what_a_viewer_gets(run, client):
    listed = client.get("/api/runs").json()
    assert [(each["name"], each["how"], each["goal"]["steps"]) for each in listed] == [("shoes-1", "finished", 4)]
    picture = client.get(f"/api/runs/shoes-1/{listed[0]['sample']['file']}")
    assert picture.headers["content-type"] == "image/webp"
    seen = client.get("/api/runs/shoes-1").json()
    kinds = {event["event"] for event in seen["events"]}
    assert {"Phase", "Progress", "Sample", "Saved", "Ended"} <= kinds
    assert client.get(f"/api/runs/shoes-1?after={seen['next']}").json()["events"] == []
    assert [term["name"] for term in seen["terms"]] == ["discriminator", "fool", "near"]  # those that it has
    assert all(term["formula"].startswith("<math") for term in seen["terms"])


def test_events_are_read_on_and_a_torn_line_costs_one(run):
    before = len(list(run.events()))
    with open(run.folder / "events.jsonl", "a", encoding="utf-8") as log:
        log.write('{"event": "Progress", "st')  # the trainer was killed here
    assert len(list(run.events())) == before
    run.note({"event": "Launched"})
    assert [event["event"] for event in run.events(before)] == ["Launched"]
    shutil.copy(run.folder / "events.jsonl", run.folder / "copy")
    os.replace(run.folder / "copy", run.folder / "events.jsonl")  # another file of the same name
    assert len(list(run.events())) == before + 1


def test_a_loss_that_is_no_number_does_not_blind_the_viewers(run, client):
    nan, inf = float("nan"), float("inf")
    run.note({"event": "Progress", "step": 5, "losses": {"near": nan, "fool": 1.0}, "rate": 1.0, "seconds": 2.0,
              "memory": 1.0, "gradients": {"generator": inf}})  # fmt: skip
    run.note({"event": "Single", "step": 5, "before": {"near": nan}, "after": {"near": 1.0}, "moved": {}})
    seen = client.get("/api/runs/shoes-1")
    assert seen.status_code == 200
    progress, single = seen.json()["events"][-2:]
    assert progress["losses"] == {"fool": 1.0}
    assert progress["gradients"]["generator"] > 1e300
    assert single["before"] == {}


def test_a_full_queue_is_said_before_anything_is_made(run, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "queue=1")
    monkeypatch.setattr(Run, "alive", property(lambda run: True))
    with pytest.raises(ValueError, match="Others are waiting already"):
        Run.start("pix2pix", "toy", minutes=1)
    assert [each.name for each in runs.all_runs()] == ["shoes-1"]


def test_a_checkpoint_s_held_out_pictures_bind_only_its_own_data(tiny, monkeypatch):
    """The tiny checkpoint held out pictures named 1 and 2, which toys don't have."""
    made = runs.create("pix2pix", "toy", origin="tiny", steps=1, held_out=3)
    assert len(made.card["held_out"]) == 3
    assert all(name.startswith("toy-") for name in made.card["held_out"])


# ---- the pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch):
    """Runs that were asked for; nothing is trained."""
    monkeypatch.setattr(Run, "_launch", lambda run: run.note({"event": "Launched"}))


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(("page", "query"), [("train", {}), ("pix2pix", {"tab": "train"}), ("dcgan", {"tab": "train"})])
def test_the_form_is_there_in_both_languages(page, query, lang, run):
    test = shown(page, lang=lang, **query)
    assert not test.error
    assert test.button(key="begin").disabled is False
    said = "\n".join(each.value for each in (*test.markdown, *test.caption))
    assert bool(HANGUL.search(said)) == (lang == "ko")
    if lang == "ko":
        plain = [each.value for each in test.caption if not HANGUL.search(each.value)]
        assert not plain, "every sentence is Korean, those under the settings too"


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize(("page", "query"), [("train", {}), ("pix2pix", {"tab": "train"})])
def test_a_run_in_the_address_is_found_again(page, query, lang, run):
    test = shown(page, lang=lang, run="shoes-1", **query)
    assert not test.warning
    assert "begin" not in [each.key for each in test.button]  # the room is here, not the form


def test_a_run_that_is_gone_or_another_gan_s_gets_a_sentence(run):
    assert "no run “nothing”" in shown("train", run="nothing").warning[0].value
    assert "a training of Pix2Pix" in shown("dcgan", tab="train", run="shoes-1").warning[0].value


def begin(test):
    test.button(key="begin").click().run()
    assert not test.exception
    return test


def test_starting_makes_a_run_as_the_form_says(home, started):
    test = shown("train")
    test.number_input(key=f"minutes-pix2pix-{devices.device().kind}").set_value(1.5).run()
    test.number_input(key="set-pix2pix-classroom-lr").set_value(0.001).run()
    begin(test)
    (run,) = runs.all_runs()
    assert test.query_params["run"] in (run.name, [run.name])
    assert run.card["goal"] == {"steps": None, "minutes": 1.5}
    assert run.card["config"] == vars(GAN.CLASSROOM) | {"lr": 0.001}
    assert (run.card["data"], run.card["title"], len(run.card["held_out"])) == ("toy:shoes", "Pix2Pix: Shoes", 8)


def test_beginning_from_a_checkpoint_takes_its_settings(tiny, started):
    test = shown("train")
    test.selectbox(key="origin-pix2pix").set_value("tiny").run()
    begin(test)
    (run,) = runs.all_runs()
    assert run.card["from"] == "tiny"
    assert run.card["config"] == vars(GAN.TINY)


@pytest.mark.parametrize(("lang", "sentence"), [("en", "lr: from 0 to 1."), ("ko", "lr: 0에서 1 사이여야 합니다.")])
def test_a_value_out_of_range_is_said_and_nothing_starts(home, lang, sentence):
    test = shown("train", lang=lang)
    test.number_input(key="set-pix2pix-classroom-lr").set_value(5.0).run()
    assert [each.value for each in test.error if sentence in each.value]
    assert test.button(key="begin").disabled
    test.number_input(key="set-pix2pix-classroom-lr").set_value(0.001).run()
    assert not test.button(key="begin").disabled


def test_what_the_backend_refuses_is_a_sentence(home, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("The disk has gone fishing.")

    monkeypatch.setattr(Run, "start", refuse)
    test = begin(shown("train"))
    assert "gone fishing" in test.error[0].value


def upload(test, *files):
    test.button_group(key="source-pix2pix").set_value("upload").run()
    test.file_uploader[0].set_value([(name, content, "application/zip") for name, content in files]).run()
    assert not test.exception
    return test


def test_an_upload_is_looked_at_before_it_is_trained_on(home, started):
    files = {f"{k:02}.png": png(k) for k in range(20)} | {"07.png": b"no picture"}
    test = upload(shown("train"), ("cats.zip", zipped(files).getvalue()))
    assert "19 examples" in text(test)
    assert "07.png" in text(test)
    begin(test)
    (run,) = runs.all_runs()
    assert runs.data_name(run.card["data"]) == "cats.zip"
    assert len(run.card["held_out"]) == 1
    again = shown("train")
    assert "kept" in again.button_group(key="source-pix2pix").options or uploads.uploads()


def test_a_bad_upload_is_a_sentence_and_nothing_starts(home):
    test = upload(shown("train"), ("one.zip", zipped({"a.png": png(1)}).getvalue()))
    assert "at least 2 are needed" in test.error[0].value
    assert test.button(key="begin").disabled


def test_a_folder_of_this_machine(home, tmp_path, started):
    for k in range(12):
        (tmp_path / f"{k}.png").write_bytes(png(k))
    test = shown("train")
    test.button_group(key="source-pix2pix").set_value("folder").run()
    assert test.button(key="begin").disabled
    test.text_input(key="folder-pix2pix").set_value(str(tmp_path / "nothing")).run()
    assert "There is no folder or zip" in test.error[0].value
    test.text_input(key="folder-pix2pix").set_value(str(tmp_path)).run()
    begin(test)
    assert Path(runs.all_runs()[0].card["data"]) == tmp_path


def browser(monkeypatch, cookie):
    """From now on pages are asked by a browser with this cookie."""
    context = SimpleNamespace(cookies={owners.COOKIE: cookie}, headers={}, remote_ip=None)
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: context)


def test_a_public_server_says_its_limits(run, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=2 megabytes=10")
    assert "cookie" in shown("train").info[1].value
    browser(monkeypatch, "a" * 32)
    test = shown("train")
    assert "2 minutes, 10 MB" in test.info[0].value
    assert test.number_input(key=f"minutes-pix2pix-{devices.device().kind}").value == 2
    monkeypatch.setenv("STUDIO_TRAIN", "off")
    test = shown("train")
    assert "switched off" in test.info[0].value
    assert "begin" not in [each.key for each in test.button]


# ---- the component's words ------------------------------------------------------------------------------------------


def asked_for(code: str) -> set[str]:
    """The keys in the first argument of each ``say(…)``, and of the lists that are said one by one."""
    found = set()
    for start in re.finditer(r"\bsay\(", code):
        at, depth = start.end(), 1
        while depth and not (depth == 1 and code[at] == ","):
            depth += (code[at] in "([{") - (code[at] in ")]}")
            at += 1
        found |= set(re.findall(r"""(?<!= )"([a-zA-Z][\w.]*)\"""", code[start.end() : at]))
    for block, prefix in re.findall(r"for \(const key of \[(.*?)\]\).*?say\((?:key|`(\w+\.)\$\{key\}`)\)", code):
        found |= {prefix + key for key in re.findall(r'"(\w+)"', block)}
    return found


@pytest.mark.parametrize(("scripts", "section"), [(("room.js", "reel.js"), "train.room"), (("runs.js",), "train.runs")])
def test_every_word_that_the_room_asks_for_exists(scripts, section):
    there = words._find(section) | {"how": words._find("train.how")}
    for script in scripts:
        asked = asked_for(next((PAGES / "parts").rglob(script)).read_text(encoding="utf-8"))
        assert len(asked) > 3, "the pattern finds them"
        for key in asked:
            found = there
            for part in key.split("."):
                assert part in found, f"{script}: {key}"
                found = found[part]


def test_every_state_and_every_reason_has_its_words():
    how = set(words._find("train.how"))
    assert how == {"starting", "queued", *runs.OVER, "training", "paused"}
    reasons = [
        trainer.reason(MemoryError()),
        trainer.reason(OSError(28, "No space left on device")),
        trainer.reason(RuntimeError("CUDA error")),
    ]
    reasons += [
        "x is no longer a number at step 3.",
        "The trainer was killed (signal 9): by",
        "The trainer is gone without a word: killed",
    ]
    code = (PAGES / "parts" / "room" / "room.js").read_text(encoding="utf-8")
    patterns = dict(re.findall(r"(\w+): /(.+?)/[,\s]", re.search(r"const WHY = \{(.*?)\};", code)[1] + " "))
    assert set(patterns) == set(words._find("train.room.why"))
    for sentence in reasons:
        assert any(re.search(pattern, sentence) for pattern in patterns.values()), sentence
