"""The Gradio app: the real one, launched once where neither Streamlit nor `spaces` can be imported, and asked."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from conftest import make_tiny
from patience import PATIENCE
from PIL import Image
from served import ROOT
from test_house import values
from test_training import SETTINGS, states_equal

from pages.parts.said import words
from pages.space import gpu, tabs
from studio import checkpoints, images, registry
from studio.guests.limits import SPACE, limits
from studio.images import Picture, open_picture
from studio.toys.landscapes import landscape
from studio.training import keep as afterwards
from studio.training import process as trainer
from studio.training import runs, uploads
from studio.verbs import jsonable, verbs

HANGUL = re.compile("[가-힣]")
TAG = "tiny"
START = """
import sys
sys.modules["streamlit"] = sys.modules["spaces"] = None  # importing either would fail
import runpy
runpy.run_path("space.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A STUDIO_HOME of tiny checkpoints, untrained."""
    home = tmp_path_factory.mktemp("space") / "home"
    make_tiny(home)
    return home


@pytest.fixture(scope="module")
def space(place):
    """The app on a free port of this machine; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {"STUDIO_HOME": str(place), "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(place / "gradio")}
    log = place / "space.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START], cwd=ROOT, env=os.environ | env, stdout=out, stderr=out
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(480):
            assert process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{address}/space/sketch", timeout=2).close()
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        process.terminate()
        process.wait(10)
    # Gradio logs what it refuses with a traceback; none of them is a fault in a file of ours (libraries live in .venv).
    assert not re.search(rf'File "{re.escape(str(ROOT))}/(?!\.venv/)', log.read_text()), log.read_text()


@pytest.fixture(scope="module")
def client(space):
    from gradio_client import Client

    made = Client(space, verbose=False)
    yield made
    made.close()


def get(space: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(space + path, headers=headers, timeout=PATIENCE)


# ---- tabs -----------------------------------------------------------------------------------------------------------


def test_every_demo_has_a_tab_and_training_has_one(space):
    config = get(space, "/config").json()
    assert [c["props"]["id"] for c in config["components"] if c["type"] == "tabitem"] == [*tabs.DEMOS, "train"]


@pytest.mark.parametrize("name", tabs.DEMOS)
def test_a_tab_is_told_what_the_studio_s_page_is(space, name):
    found = get(space, f"/space/{name}?lang=ko&tag={TAG}&seed=7&hide=upload, share").json()
    assert HANGUL.search(found["head"]["idea"])
    assert found["checkpoints"]["chosen"] == TAG
    assert not found["note"]
    assert found["data"]["tag"] == TAG
    assert found["data"]["seed"] == 7
    assert found["data"]["hide"] == ["share", "upload"]
    assert HANGUL.search(json.dumps(found["data"]["words"], ensure_ascii=False))
    assert get(space, f"/parts/{found['part']}.js").headers["content-type"].startswith("text/javascript")
    for example in found["data"].get("examples", []):
        assert get(space, urllib.parse.quote(example["file"])).headers["content-type"].startswith("image/")


def test_the_language_is_the_address_s_else_the_browser_s(space):
    def idea(path: str, spoken: str) -> str:
        return get(space, path, **{"accept-language": spoken}).json()["head"]["idea"]

    assert HANGUL.search(idea("/space/style", "ko-KR,ko;q=0.9"))
    assert not HANGUL.search(idea("/space/style?lang=en", "ko-KR"))
    assert not HANGUL.search(idea("/space/style?lang=<script>", "de"))


def test_nonsense_in_the_address_is_answered_with_sense(space):
    found = get(space, "/space/sketch?tag=..%2f..%2fetc&seed=-1&hide=%00").json()
    assert "../../etc" in found["note"]
    assert found["data"]["seed"] is None
    assert get(space, "/space/train?run=../../etc").json()["note"]
    assert get(space, "/space/nothing").status_code == 404


def test_a_link_to_a_page_of_the_studio_opens_its_tab(space):
    reply = get(space, "/gated_gan?gates=monet:0.5&lang=ko")
    assert reply.status_code == 307
    assert reply.headers["location"] == "./?at=style&gates=monet:0.5&lang=ko"
    assert get(space, "/train?run=x").headers["location"] == "./?at=train&run=x"


def test_without_a_checkpoint_a_tab_says_so_and_where_to_train(home, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints.shelf, "SHIPPED", tmp_path / "nothing")
    for lang in words.LANGUAGES:
        with words.speaking(lang):
            found = tabs.demo("painter", {})
        assert "SPADE" in found["none"]["says"]
        assert bool(HANGUL.search(found["none"]["says"] + found["none"]["button"])) == (lang == "ko")
        assert "part" not in found


def test_mixing_takes_the_gan_that_has_a_checkpoint(place, tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_HOME", str(place))
    monkeypatch.setattr(checkpoints.shelf, "SHIPPED", tmp_path / "nothing")
    assert tabs.demo("mixing", {})["head"]["gan"] == "stylegan2"
    monkeypatch.setitem(tabs.DEMOS, "mixing", ("vanished", "stylegan"))
    assert tabs.demo("mixing", {})["head"]["gan"] == "stylegan"


@pytest.mark.parametrize(
    "path",
    [
        "/parts/..%2fspace.py", "/parts/words", "/space/..%2fREADME.md", "/gradio_api/file=README.md",
        f"/gradio_api/file={ROOT}/README.md", "/gradio_api/file=/etc/hostname", "/api/pix2pix/tiny/weights.safetensors",
    ],
)  # fmt: skip
def test_no_file_of_the_machine_is_given_out(space, path):
    assert get(space, path).status_code in (403, 404)


def test_the_studio_s_own_routes_are_there_and_refuse_other_sites(space):
    assert get(space, "/api/gans").json()["gans"]
    reply = httpx.post(f"{space}/api/pix2pix/translate", headers={"sec-fetch-site": "cross-site"}, data={"seed": "1"})
    assert reply.status_code == 403
    assert "other sites" in reply.json()["error"]


# ---- endpoints ------------------------------------------------------------------------------------------------------

ASKED = [(gan, verb) for gan in tabs.GANS for verb in verbs(registry.gan(gan)).values()]


def test_there_is_an_endpoint_for_each_verb_with_its_signature(client):
    listed = client.view_api(return_format="dict")["named_endpoints"]
    assert set(listed) == {f"/{gan}_{verb.name}" for gan, verb in ASKED}
    for gan, verb in ASKED:
        told = listed[f"/{gan}_{verb.name}"]
        assert verb.says in told["description"]
        taken = {each["parameter_name"]: each for each in told["parameters"]}
        assert set(taken) == {*verb.arguments, "tag"}
        for argument in verb.arguments.values():
            assert taken[argument.name]["parameter_has_default"] == (not argument.required)
            assert argument.says in told["description"]


def close(found, expected) -> bool:
    """Equal but for what half a grey level and another variant of the network may change."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(close(found[k], expected[k]) for k in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, float):
        return abs(found - expected) <= 2e-2 * max(1.0, abs(expected))
    if isinstance(expected, str) and expected.startswith("data:image/png"):
        return alike(*(open_picture(urllib.request.urlopen(each).read()) for each in (found, expected)))
    return found == expected


def alike(a: Picture, b: Picture) -> bool:
    apart = np.abs(np.asarray(a, float) - np.asarray(b, float)) if a.size == b.size else np.array([255.0])
    return apart.mean() < 0.5


@pytest.mark.parametrize(("gan", "verb"), ASKED, ids=[f"{gan}-{verb.name}" for gan, verb in ASKED])
def test_an_endpoint_gives_what_the_verb_gives(client, place, tmp_path, monkeypatch, gan, verb):
    from gradio_client import handle_file

    monkeypatch.setenv("STUDIO_HOME", str(place))
    loaded = checkpoints.load(gan, TAG)
    given = values(verb, loaded)
    sent = dict(given)
    for name, argument in verb.arguments.items():
        if argument.is_file and given.get(name) is not None:
            path = tmp_path / f"{name}.png"
            picture = (
                given[name] if argument.is_picture else Image.fromarray(landscape(np.random.default_rng(0), 64)[1])
            )
            picture.save(path)
            sent[name] = handle_file(str(path))
            given[name] = argument.read(path.read_bytes())
    expected = getattr(loaded, verb.name)(**verb.bind(given))
    found = client.predict(**sent, tag=TAG, api_name=f"/{gan}_{verb.name}")
    if isinstance(expected, Picture):
        assert alike(open_picture(found), expected)
    elif isinstance(expected, images.File):
        assert Path(found).suffix == expected.ending
        assert abs(len(Path(found).read_bytes()) - len(expected.content)) < 0.2 * len(expected.content) + 500
    else:
        assert close(found, json.loads(json.dumps(jsonable(expected))))


def refused(space: str, name: str, *data) -> str:
    """The sentence with which a raw question is refused."""
    asked = httpx.post(f"{space}/gradio_api/call/{name}", json={"data": list(data)}, timeout=PATIENCE)
    if asked.status_code != 200:
        return asked.text
    with httpx.stream("GET", f"{space}/gradio_api/call/{name}/{asked.json()['event_id']}", timeout=PATIENCE) as reply:
        told = "".join(reply.iter_text())
    assert "event: error" in told, told[:300]
    return told


def test_bad_values_get_a_sentence(space):
    assert "no checkpoint nowhere" in refused(space, "gated_gan_textures", "", 1, 64, "nowhere")
    assert "whole number" in refused(space, "gated_gan_textures", "", "many", 64, TAG)
    assert "must be sent as a file" in refused(space, "pix2pix_translate", "sketch.png", None, TAG)
    assert "needs sketch" in refused(space, "pix2pix_translate", None, None, TAG)
    assert "too long" in refused(space, "gated_gan_textures", "x" * 300_000, 1, 64, TAG)
    assert "tag" in refused(space, "gated_gan_textures", "", 1, 64, {"a": 1})


@pytest.mark.parametrize(
    "path", ["/etc/hostname", str(ROOT / "docs" / "room.webp"), "../../../etc/hostname", "", "a" * 9000]
)
def test_a_path_never_opens_a_file_that_was_not_uploaded(space, path):
    picture = {"path": path, "url": "http://127.0.0.1:1/", "meta": {"_type": "gradio.FileData"}}
    assert refused(space, "pix2pix_trace", picture, TAG)
    # Without that mark Gradio does not look at it; we do.
    assert "uploaded here" in refused(space, "pix2pix_trace", {"path": path}, TAG)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/a.png", "https://example.com/a.png", "HTTP://[::1]/a.png"])
def test_the_server_fetches_no_address_for_a_stranger(space, address):
    picture = {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}
    assert re.search("No address is opened|error", refused(space, "pix2pix_trace", picture, TAG))
    with socket.create_server(("127.0.0.1", 0)) as listener:  # it would be called
        listener.settimeout(0.5)
        picture["path"] = picture["url"] = f"http://127.0.0.1:{listener.getsockname()[1]}/a.png"
        assert "No address is opened" in refused(space, "pix2pix_trace", picture, TAG)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_uploads_have_a_limit(space):
    large = httpx.post(f"{space}/gradio_api/upload", files={"files": ("a.bin", bytes(51 * 2**20))}, timeout=PATIENCE)
    assert large.status_code == 413


# ---- training -------------------------------------------------------------------------------------------------------


def test_slices_are_one_training(home):
    """A training in slices of a step each is, to the last bit, the one that was never interrupted."""
    whole = runs.create("pix2pix", "toy", settings=SETTINGS, steps=3, name="whole")
    list(trainer.work(whole))
    sliced = runs.create("pix2pix", "toy", settings=SETTINGS, steps=3, name="sliced")
    hows = [trainer.train_slice(sliced, 0).how for _ in range(3)]
    assert hows == ["paused", "paused", "finished"]
    assert states_equal(sliced.state(), whole.state())


def test_slices_go_on_until_the_goal_and_end_when_somebody_pauses(home, monkeypatch):
    monkeypatch.setattr(gpu, "LEAVES", 0)
    run = runs.create("pix2pix", "toy", settings=SETTINGS, steps=3)
    slices = gpu.slices(run)
    assert next(slices).step == 1
    run.pause()
    assert list(slices) == []
    assert run.status().how == "paused"
    assert [status.how for status in gpu.slices(run)] == ["paused", "finished"]


def test_no_trace_of_zerogpu_elsewhere(monkeypatch):
    def function(name: str) -> None: ...

    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not gpu.lent()
    assert gpu.within_a_call(function) is function


def test_with_zerogpu_slices_are_gpu_calls_and_live_pictures_are_not():
    """With the real package `spaces`, in the environment that such a Space has."""
    pytest.importorskip("spaces")
    code = (
        "import space; from pages.space import gpu; from studio import serving; "
        "print(gpu.lent(), gpu.slice_of is gpu._slice, serving.server().device)"
    )
    there = {"SPACE_ID": "o/n", "SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | there, capture_output=True, text=True
    )
    assert found.stdout.split() == ["True", "False", "cpu"], found.stderr


def test_a_space_has_limits_unless_somebody_says_otherwise(monkeypatch):
    monkeypatch.delenv("STUDIO_TRAIN", raising=False)
    assert not limits().public
    monkeypatch.setenv("SPACE_ID", "owner/name")
    assert limits().public
    assert f"minutes={limits().minutes:g}" in SPACE
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=1")
    assert limits().minutes == 1
    monkeypatch.setenv("STUDIO_TRAIN", "on")
    assert not limits().public


def test_the_oldest_give_way_where_strangers_train(home, tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "runs=2")
    cookie = "a" * 24  # of the one browser that does all this
    for name in "abc":
        list(trainer.work(runs.create("pix2pix", "toy", settings=SETTINGS, steps=1, name=name)))
        afterwards.use(runs.find(name))
        Image.new("RGB", (8, 8), (ord(name), 0, 0)).save(tmp_path / f"{name}.png")
        with (tmp_path / f"{name}.png").open("rb") as file:
            uploads.keep([(file.name, file)], cookie)
    assert {run.name for run in runs.all_runs()} == {"b", "c"}
    kept = {path.name.partition("-")[0] for path in (home / "checkpoints" / "pix2pix").iterdir()}
    assert kept == {"b", "c"}  # with letters that nobody guesses
    assert {each.title for each in uploads.uploads(cookie)} == {"b.png", "c.png"}


# ---- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(space, browser):
    """Opens the app at an address; afterwards nothing went wrong and nobody outside was asked."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="ko-KR")
    wrong: list[str] = []

    def open_page(path: str):
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        page.goto(space + path)
        return page

    yield open_page
    context.close()
    assert not [each for each in wrong if "ERR_FAILED" not in each], wrong


def test_drawing_makes_the_picture(visit):
    page = visit(f"/?tag={TAG}")
    page.get_by_role("tab", name="풍경 그리기").wait_for()  # the browser speaks Korean
    box = page.locator(".painter-canvas").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    for k in range(8):
        page.mouse.move(box["x"] + 60 + 30 * k, box["y"] + 60 + 12 * k)
    page.mouse.up()
    picture = page.locator(".live .frame img")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    # Another tab is mounted when it is chosen, and this one's settings leave the address.
    page.get_by_role("tab", name="얼굴 바꾸기").click()
    page.locator(".sliders, [class*=slider]").first.wait_for()
    assert "at=faces" in page.url
    assert "tag=" not in page.url


def test_a_gate_s_slider_changes_the_picture(visit):
    page = visit(f"/gated_gan?tag={TAG}")
    after = page.locator("img[src^=blob]").nth(1)
    after.wait_for()
    page.wait_for_function(
        "document.querySelector('.studio-place[data-tab=style]').shadowRoot.querySelector('.frame').dataset.revision"
    )
    before = after.get_attribute("src")
    slider = page.locator("input[type=range]").nth(1)
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    page.wait_for_function("([image, old]) => image.src !== old", arg=[after.element_handle(), before])
    assert "at=style" in page.url


def test_a_training_begins_and_its_room_opens(visit, place):
    page = visit("/?at=train&lang=en")
    page.get_by_role("button", name="Start training").click()
    page.locator(".training .body").wait_for()
    name = page.evaluate("new URLSearchParams(location.search).get('run')")
    try:
        page.get_by_text("Pix2Pix: Shoes").first.wait_for()
        assert runs.Run(place / "runs" / name).card["goal"]["minutes"] == 3
    finally:
        os.kill(json.loads((place / "runs" / name / "pid.json").read_text())["pid"], signal.SIGKILL)


# ---- the Space and the container ------------------------------------------------------------------------------------

# https://huggingface.co/docs/hub/spaces-config-reference
KEYS = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "app_port",
    "fullWidth", "header", "short_description", "models", "datasets", "tags", "license", "pinned", "thumbnail",
    "suggested_hardware",
}  # fmt: skip
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_the_front_matter_makes_the_repository_a_space():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n")
    said = yaml.safe_load(text.split("---\n")[1])
    assert set(said) <= KEYS
    assert said["sdk"] == "gradio"
    assert (ROOT / said["app_file"]).is_file()
    assert {said["colorFrom"], said["colorTo"]} <= COLOURS
    assert len(said["short_description"]) <= 60
    assert isinstance(said["python_version"], str)  # 3.10 as a number would be 3.1
    assert isinstance(said["sdk_version"], str)
    asked = re.search(r"^gradio>=([\d.]+),<(\d+)$", (ROOT / "requirements.txt").read_text(), re.M)
    low, high = tuple(map(int, asked[1].split("."))), int(asked[2])
    version = tuple(map(int, said["sdk_version"].split(".")))
    assert low <= version[: len(low)] < (high,)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, with what follows each of them."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_container_copies_what_there_is_and_runs_as_nobody_special():
    found = instructions()
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[ignored.index("*")] == "*"
    for name, rest in found:
        if name == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, f"{source} would not be sent to the builder"
    names = [name for name, _ in found]
    assert ("USER", "1000") in found
    assert names.index("USER") > max(k for k, name in enumerate(names) if name in ("COPY", "RUN"))
    assert "HEALTHCHECK" in names


def test_the_container_s_command_starts_and_its_health_check_answers(tmp_path):
    """The very command, on a free port and in a folder of its own, with nothing but what the image has."""
    found = instructions()
    env = dict(pair.split("=", 1) for name, rest in found if name == "ENV" for pair in rest.split())
    assert env["STUDIO_HOME"] == "/data"
    image = tmp_path / "image"
    image.mkdir()
    for name, rest in found:
        if name == "COPY":
            for source in rest.split()[:-1]:
                (image / source).symlink_to(ROOT / source)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = json.loads(next(rest for name, rest in found if name == "CMD"))
    check = json.loads(next(rest for name, rest in found if name == "HEALTHCHECK").split("CMD", 1)[1])
    command = [sys.executable, "-m", *(p.replace("7860", port).replace("0.0.0.0", "127.0.0.1") for p in command)]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=image, env=os.environ | env | {"STUDIO_HOME": str(tmp_path)}, stdout=out, stderr=out
        )
    try:
        for _ in range(240):
            assert process.poll() is None, log.read_text()
            if (
                subprocess.run([sys.executable, "-c", check[2].replace("7860", port)], capture_output=True).returncode
                == 0
            ):
                break
            time.sleep(0.5)
        else:
            raise AssertionError(log.read_text())
    finally:
        process.terminate()
        process.wait(15)
