"""Checkpoints through the Hub, against a stand-in that speaks its HTTP interface (stand_in_hub.py)."""

from __future__ import annotations

import hashlib
import json
import pickle
import socket

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save
from stand_in_hub import Hub, Repo

import studio
from studio import __main__ as shell
from studio import checkpoints, hub, images, registry
from studio.gans import dcgan, pix2pix
from studio.hub import foreign, model_card, repo
from studio.markdown import plain
from studio.places import home
from studio.training import runs

# The library uploads in a way that its HTTP client would rather not see.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture(scope="module")
def running():
    server = Hub()
    yield server
    server.stop()


@pytest.fixture
def there(running, home, tmp_path, monkeypatch):
    """The stand-in, empty, with the teacher logged in; the library's own home is elsewhere, and Xet is off."""
    running.repos, running.asked, running.leaked, running.sizes, running.fault = {}, [], [], {}, None
    running.spoilt = False
    monkeypatch.setenv("HF_ENDPOINT", running.address)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    for name in ("HF_HUB_CACHE", "HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH", "HF_XET_CACHE"):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", str(tmp_path / "hf" / name))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    return running


def made(tag="mine", **facts):
    """A tiny checkpoint that was never trained, in STUDIO_HOME."""
    torch.manual_seed(0)
    gan = pix2pix.GAN(pix2pix.GAN.TINY).eval()
    gan.extras = {"drawing": "sketch", "palette": None, "hints": False}
    preview = Image.linear_gradient("L").resize((64, 32)).convert("RGB")
    facts = {
        "title": {"en": "Mine", "ko": "내 것"},
        "licence": "CC0",
        "limits": {"en": "Never.", "ko": "없음."},
    } | facts
    folder = checkpoints.save(gan, tag, facts, preview)
    for name in facts.get("examples", []):
        preview.save(folder / name)
    return folder


SKETCH = Image.effect_noise((32, 32), 90).convert("RGB")


def translated(*which):
    return np.asarray(studio.load(*which).translate(SKETCH))


# ---- there and back


def test_published_and_pulled_it_makes_the_same_picture_bit_for_bit(there, monkeypatch, tmp_path):
    made(
        examples=["a.png"], default=True, figures={"n": 2, "plain": {"l1": 0.1}}, origin={"kind": "trained", "steps": 5}
    )
    before = translated("pix2pix", "mine")
    address = hub.publish("pix2pix/mine", "teacher/shoes", private=True)
    assert address.startswith(f"{there.address}/teacher/shoes ")
    assert there.repos["teacher/shoes"].private
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "another machine"))
    pulled = hub.pull("teacher/shoes")
    assert (pulled.gan, pulled.tag) == ("pix2pix", "mine")
    assert np.array_equal(translated("pix2pix", "mine"), before)
    assert np.array_equal(translated("hub:teacher/shoes"), before)
    card = checkpoints.card("pix2pix", "mine")
    assert card["origin"] == {"kind": "trained", "steps": 5, "hub": "teacher/shoes", "revision": pulled.revision}
    assert card["figures"] == {"n": 2, "plain": {"l1": 0.1}}
    assert "default" not in card, "a stranger does not choose what the studio opens with"
    assert {p.name for p in pulled.folder.iterdir()} == {
        "card.json", "weights.safetensors", "discriminator.safetensors", "preview.webp", "a.png",
    }  # fmt: skip
    assert not there.leaked, "the CDN got somebody's token"


def test_what_has_not_changed_is_not_downloaded_again(there):
    made()
    hub.publish("mine", "teacher/shoes")
    first = hub.pull("teacher/shoes")
    there.asked.clear()
    again = hub.pull("teacher/shoes")
    assert again.folder == first.folder
    assert "has not changed" in again.says
    assert not there.downloads()


def test_a_newer_state_takes_the_place_of_the_older(there):
    made()
    hub.publish("mine", "teacher/shoes")
    first = hub.pull("teacher/shoes")
    assert first.tag == "mine-2", "the one of this machine keeps its name"
    made(limits={"en": "Better.", "ko": "나음."})
    hub.publish("pix2pix/mine", "teacher/shoes")
    newer = hub.pull("teacher/shoes")
    assert newer.tag == "mine-2"
    assert newer.revision != first.revision
    assert checkpoints.card("pix2pix", "mine-2")["limits"]["en"] == "Better."
    older = hub.pull(f"hub:teacher/shoes@{first.revision}")
    assert older.revision == first.revision
    assert checkpoints.card("pix2pix", "mine-2")["limits"]["en"] == "Never."


def test_what_a_checkpoint_no_longer_has_leaves_the_repo(there):
    made(examples=["a.png"])
    hub.publish("mine", "teacher/shoes")
    made(examples=["b.png"], licence="Ask me.")
    hub.publish("mine", "teacher/shoes")
    names = set(there.files("teacher/shoes"))
    assert {"b.png", "LICENSE", ".gitattributes"} <= names
    assert "a.png" not in names


def test_a_run_is_published_as_it_stands(there, monkeypatch, tmp_path):
    run = runs.create("dcgan", "toy", name="digits", settings=small(), steps=2, title="My *digits*")
    trained(run)
    hub.publish("digits", "teacher/digits")
    assert not (home() / "checkpoints" / "dcgan").exists(), "only the repo has it"
    head = yaml.safe_load(there.files("teacher/digits")["README.md"].decode().split("---")[1])
    assert head["pipeline_tag"] == "unconditional-image-generation"
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "another machine"))
    wall = studio.load("hub:teacher/digits").sample()
    gan = run.gan().half().float().requires_grad_(False)
    assert np.array_equal(np.asarray(wall), np.asarray(gan.sample()))


def small():
    tiny = dcgan.GAN.TINY
    return [f"{name}={getattr(tiny, name)}" for name in ("size", "width", "judge_width", "z", "batch")]


def trained(run):
    from studio.training import process as trainer

    _, events = trainer.resume(run.folder, queue=False, workers=0)
    for _event in events:
        pass


# ---- the model card


def test_the_model_card_says_what_there_is(there):
    made(
        examples=["a.png"],
        title={"en": "Mine <script>alert(1)</script>", "ko": "내 것"},
        licence={"en": "Ask me.", "ko": "물어보세요."},
        origin={"kind": "trained", "data": "torchvision:MNIST", "steps": 1200, "command": "python -m studio train"},
        held_out=["1", "2"],
        figures={"n": 2, "plain": {"l1": 0.125}},
    )
    hub.publish("mine", "teacher/shoes")
    text = there.files("teacher/shoes")["README.md"].decode()
    head = yaml.safe_load(text.split("---")[1])
    assert head == {
        "language": ["en", "ko"], "license": "other", "license_name": "as-stated", "license_link": "LICENSE",
        "library_name": "gan-studio", "pipeline_tag": "image-to-image", "datasets": ["ylecun/mnist"],
        "tags": ["gan-studio", "gan", "pix2pix"],
    }  # fmt: skip
    for part in (
        "| plain | 0.125 |",
        "Never.",
        "없음.",
        "Ask me.",
        "![a.png](a.png)",
        "steps 1,200",
        "2 pictures were held",
    ):
        assert part in text
    assert 'studio.load("hub:teacher/shoes").translate("sketch.png")' in text
    assert "<script>" not in text
    assert there.files("teacher/shoes")["LICENSE"].decode() == "Ask me.\n\n물어보세요.\n"


@pytest.mark.parametrize("name", registry.names())
def test_every_gan_has_a_model_card_and_its_facts_can_be_read_elsewhere(name):
    kind = registry.gan(name)
    facts = kind.Data("toy", kind.TINY).facts()
    card = {
        "gan": name, "tag": "a", "config": {}, "files": {"weights.safetensors": {"sha256": "0" * 64, "bytes": 1}},
        "extras": facts, "title": {"en": "A", "ko": "가"},
    }  # fmt: skip
    read = foreign.read(json.dumps(card).encode())
    assert read["extras"] == {key: value for key, value in facts.items() if value is not None}
    text = model_card.readme(read, "o/n", [])
    assert yaml.safe_load(text.split("---")[1])["pipeline_tag"] in ("image-to-image", "unconditional-image-generation")


@pytest.mark.parametrize("path", sorted(checkpoints.SHIPPED.glob("*/*/card.json")), ids=lambda p: p.parent.name)
def test_the_studios_own_cards_would_be_pulled(path):
    card = json.loads(path.read_text(encoding="utf-8"))
    read = foreign.read(path.read_bytes())
    stays = {"default", "extras", "duel", "growth"}  # the last two show the GAN, not these weights: they stay here
    assert {name for name in card if card[name]} - set(read) <= stays
    kind = registry.gan(card["gan"])
    assert kind.configured(read["config"]) == kind.configured(card["config"])  # also of cards from before
    assert set(foreign.pictures(read)) <= {p.name for p in path.parent.iterdir()}


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "[a](http://b)", "![a](http://b)", "http://b", "www.b.c", "# a", "- a", "1. a", "`a`", "a|b"]
)
def test_texts_stay_texts_in_a_model_card(text):
    written = plain(text)
    assert written != text
    assert written.replace("\\", "") == text


# ---- no network, and what the Hub may answer


def unreachable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_without_a_network_what_was_pulled_is_used(there, monkeypatch, caplog):
    made()
    hub.publish("mine", "teacher/shoes")
    first = hub.pull("teacher/shoes")
    monkeypatch.setenv("HF_ENDPOINT", unreachable())
    pulled = hub.pull("teacher/shoes")
    assert pulled.folder == first.folder
    assert "can't be reached" in pulled.says
    assert "pulled before" in pulled.says
    assert translated("hub:teacher/shoes").shape == (32, 32, 3)
    assert "pulled before" in caplog.text
    with pytest.raises(hub.Unreachable, match="can't be reached"):
        hub.pull("teacher/other")
    with pytest.raises(hub.Unreachable, match="can't be reached"):
        hub.pull("teacher/shoes", revision="0" * 40)
    with pytest.raises(hub.Unreachable, match="can't be reached"):
        hub.publish("mine", "teacher/shoes")


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (429, {"Retry-After": "55"}, "in 55 seconds"),
        (429, {}, "in some minutes"),
        (503, {}, "out of order"),
        (500, {}, "out of order"),
    ],
)
def test_a_hub_that_is_busy_or_broken_is_a_sentence(there, status, headers, says):
    made()
    hub.publish("mine", "teacher/shoes")
    there.fault = (r"^/api/models/", status, headers)
    with pytest.raises(hub.Unreachable, match=says):
        hub.pull("teacher/shoes")
    with pytest.raises(hub.Unreachable, match=says):
        hub.publish("mine", "teacher/shoes")
    there.fault = None
    hub.pull("teacher/shoes")
    there.fault = (r"^/api/models/", status, headers)
    assert "pulled before" in hub.pull("teacher/shoes").says


def test_offline_mode_is_heeded(there, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(hub.Unreachable, match="HF_HUB_OFFLINE"):
        hub.pull("teacher/shoes")
    assert not there.asked


def test_private_repos_are_seen_by_who_may(there, monkeypatch):
    made()
    hub.publish("mine", "teacher/shoes", private=True)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ValueError, match="no model teacher/shoes on the Hub, or it is private.*hf auth login"):
        hub.pull("teacher/shoes")
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    assert hub.pull("teacher/shoes").tag == "mine-2"


@pytest.mark.parametrize(
    ("token", "says"), [(None, "Nobody is logged in"), ("hf_reader", "may not write"), ("hf_old", "not valid")]
)
def test_publishing_needs_a_login_that_may(there, monkeypatch, token, says):
    made()
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ValueError, match=says):
        hub.publish("mine", "teacher/shoes")
    assert not there.repos


def test_nobody_publishes_over_something_else(there):
    made()
    there.put("teacher/bert", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    with pytest.raises(ValueError, match="holds something else"):
        hub.publish("mine", "teacher/bert")
    hub.publish("mine", "teacher/shoes")
    with pytest.raises(ValueError, match="is there and public"):
        hub.publish("mine", "teacher/shoes", private=True)
    with pytest.raises(ValueError, match="may not write"):
        hub.publish("mine", "somebody/shoes")


@pytest.mark.parametrize("what", ["nothing", "pix2pix/nothing", "nope/mine", "../mine", ""])
def test_only_what_is_there_can_be_published(there, what):
    with pytest.raises(ValueError, match="[Tt]here (is|are) no|has no checkpoint"):
        hub.publish(what, "teacher/shoes")
    assert not there.repos


def test_a_damaged_checkpoint_is_not_published(there):
    folder = made()
    (folder / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="can't be published"):
        hub.publish("mine", "teacher/shoes")
    assert not there.repos


# ---- names and tags


@pytest.mark.parametrize(
    "name",
    ["shoes", "http://127.0.0.1:1/x", "https://huggingface.co/a/b", "a/b/c", "../b", "a/..", "a/b?x=1", "a b/c",
     "a/b#c", "//a/b", "", "hub:", "a/b\n", "file:///etc/passwd", "a@b/c", "é/b"],
)  # fmt: skip
def test_only_names_of_repos_are_asked_for(there, name):
    with pytest.raises(ValueError, match="no name of a repo"):
        hub.pull(name)
    with pytest.raises(ValueError, match="no name of a repo"):
        studio.load(f"hub:{name}")
    assert not there.asked


@pytest.mark.parametrize("revision", ["../main", "a b", "", "-x", "x" * 200])
def test_only_revisions_are_asked_for(there, revision):
    with pytest.raises(ValueError, match="can't be a revision"):
        hub.pull("a/b", revision=revision or "\n")
    assert not there.asked


def test_a_tag_that_the_studio_has_gets_a_number(there, monkeypatch, tmp_path):
    made("edges2shoes")
    there.put("teacher/shoes", packed("edges2shoes"))
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "another machine"))
    assert hub.pull("teacher/shoes").tag == "edges2shoes-2"
    with pytest.raises(ValueError, match="another checkpoint facades already"):
        hub.pull("teacher/shoes", tag="facades")
    assert hub.pull("teacher/shoes", tag="theirs").tag == "theirs"
    with pytest.raises(ValueError, match="can't be a tag"):
        hub.pull("teacher/shoes", tag="../theirs")


def test_it_must_be_of_the_gan_that_is_asked(there):
    made()
    there.put("teacher/shoes", packed("mine"))
    with pytest.raises(ValueError, match="a checkpoint of pix2pix, not of dcgan"):
        studio.load("dcgan", "hub:teacher/shoes")
    assert translated("pix2pix", "hub:teacher/shoes").shape == (32, 32, 3)
    with pytest.raises(ValueError, match="no GAN named"):
        studio.load("nope", "hub:teacher/shoes")


# ---- the shell


def test_the_shell_publishes_pulls_and_asks(there, capsys, tmp_path):
    made()
    assert shell.main(["publish", "pix2pix/mine", "--to", "teacher/shoes"]) == 0
    assert f"{there.address}/teacher/shoes" in capsys.readouterr().out
    assert shell.main(["pull", "teacher/shoes", "--tag", "theirs"]) == 0
    said = capsys.readouterr()
    assert said.out.strip().endswith("theirs")
    assert "is now pix2pix/theirs" in said.err
    SKETCH.save(tmp_path / "sketch.png")
    out = str(tmp_path / "out.png")
    assert shell.main(["pix2pix", "translate", str(tmp_path / "sketch.png"), out, "--tag", "hub:teacher/shoes"]) == 0
    assert np.array_equal(np.asarray(Image.open(out)), translated("pix2pix", "mine"))
    assert shell.main(["show", "pix2pix", "hub:teacher/shoes"]) == 0
    capsys.readouterr()
    assert shell.main(["pull", "teacher/nothing"]) == 2
    assert "studio: There is no model teacher/nothing" in capsys.readouterr().err


# ---- repos that are wrong, or made to harm


def packed(tag):
    """The files of a checkpoint as a repo."""
    return {path.name: path.read_bytes() for path in checkpoints.folder("pix2pix", tag).iterdir()}


def with_card(files, /, **changes):
    card = json.loads(files["card.json"])
    for name, value in changes.items():
        card[name] = value(card[name]) if callable(value) else value
    return files | {"card.json": json.dumps(card).encode()}


def without(files, *names):
    return {name: content for name, content in files.items() if name not in names}


def weights(files, content):
    """Other weights, with their right checksum."""
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return with_card(files, files=lambda known: known | {"weights.safetensors": facts}) | {
        "weights.safetensors": content
    }


class Evil:
    def __reduce__(self):
        return (__import__("os").system, ("touch gan-studio-was-here",))


def listing(name, **facts):
    return lambda files: with_card(files, files=lambda known: known | {name: {"sha256": "0" * 64, "bytes": 9} | facts})


def changed(**facts):
    return listing("weights.safetensors", **facts)


FACT = {"sha256": "0" * 64, "bytes": 9}
WRONG = {
    "empty": (lambda f: {".gitattributes": b""}, "not a checkpoint of the GAN studio"),
    "pickles only": (lambda f: {"pytorch_model.bin": pickle.dumps(Evil()), "x.pkl": b"x"}, "adopt GAN FILE"),
    "another program's weights": (lambda f: {"model.safetensors": save({"a": torch.zeros(1)})}, "no card.json.*adopt"),
    "a card that is no JSON": (lambda f: f | {"card.json": b"{'gan'"}, "not JSON"),
    "a card of the deepest JSON": (lambda f: f | {"card.json": b"[" * 100_000}, "not JSON"),
    "a card with NaN": (lambda f: with_card(f, figures={"n": float("nan")}), "not JSON"),
    "a card that is a list": (lambda f: f | {"card.json": b"[1]"}, "not a card"),
    "a card of something else": (lambda f: f | {"card.json": b'{"model": "bert"}'}, "not a card"),
    "a huge card": (lambda f: f | {"card.json": b" " * (foreign.MOST_CARD + 1)}, "card.json has 1 MB"),
    "an unknown GAN": (lambda f: with_card(f, gan="biggan"), "which this studio does not have"),
    "a GAN of another place": (lambda f: with_card(f, gan="../gans/pix2pix"), "does not have"),
    "a GAN that is a list": (lambda f: with_card(f, gan=["pix2pix"]), "does not have"),
    "a tag that climbs": (lambda f: with_card(f, tag="../../evil"), "can't be the name of a folder"),
    "a tag that is a number": (lambda f: with_card(f, tag=7), "can't be the name of a folder"),
    "an unknown setting": (lambda f: with_card(f, config=lambda c: c | {"os": 1}), r"does not know \(os\)"),
    "a setting out of range": (lambda f: with_card(f, config=lambda c: c | {"depth": 10**6}), "config can't be"),
    "an enormous setting": (lambda f: with_card(f, config=lambda c: c | {"cap": 10**30}), "enormous cap"),
    "another network": (lambda f: with_card(f, config=lambda c: c | {"width": c["width"] + 1}), "do not fit"),
    "a vast network": (lambda f: with_card(f, config=lambda c: c | {"cap": 2**31 - 1, "width": 256}), "do not fit"),
    "a config that is none": (lambda f: with_card(f, config="big"), "not a table"),
    "no sha256": (changed(sha256=None), "no sha256"),
    "half a sha256": (changed(sha256="abc"), "no sha256"),
    "no size": (changed(bytes=None), "does not say how large"),
    "a size of another kind": (changed(bytes=True), "does not say how large"),
    "another size": (lambda f: f | {"weights.safetensors": f["weights.safetensors"] + b"x"}, "bytes, and its card"),
    "other bytes": (lambda f: f | {"weights.safetensors": f["weights.safetensors"][:-1] + b"x"}, "another checksum"),
    "weights that are not there": (lambda f: without(f, "weights.safetensors"), "weights.safetensors, which is not"),
    "weights that climb": (listing("../weights.safetensors"), "weights are called"),
    "weights of an absolute path": (listing("/etc/passwd"), "weights are called"),
    "weights that are a pickle": (listing("weights.pkl"), "weights are called"),
    "no weights": (lambda f: with_card(f, files={}), "lists no weights"),
    "weights that are no safetensors": (lambda f: weights(f, pickle.dumps(Evil())), "do not fit"),
    "weights of another network": (lambda f: weights(f, save({"generator.x": torch.zeros(2)})), "do not fit"),
    "a picture that climbs": (lambda f: with_card(f, examples=["../../.bashrc.png"]), "can't be the name"),
    "a picture that is a page": (lambda f: with_card(f, examples=["a.html"]), "can't be the name"),
    "a picture with a NUL": (lambda f: with_card(f, pictures=["a\0.png"]), "can't be the name"),
    "a picture on Windows": (lambda f: with_card(f, examples=["..\\a.png"]), "can't be the name"),
    "a picture that is a drive": (lambda f: with_card(f, arms={"file": "C:a.png"}), "can't be the name"),
    "a picture that is not there": (lambda f: with_card(f, examples=["a.png"]), "a.png, which is not there"),
    "a picture that is none": (lambda f: with_card(f, examples=["a.png"]) | {"a.png": b"<script>"}, "not a picture"),
    "too many pictures": (lambda f: with_card(f, examples=[f"{k}.png" for k in range(99)]), "more than 40"),
    "a preview that is none": (lambda f: f | {"preview.webp": b"<svg onload=alert(1)>"}, "not a picture"),
    "facts that are code": (lambda f: with_card(f, extras={"__class__": "x"}), "extras"),
    "a palette of nothing": (lambda f: with_card(f, extras={"palette": [{"colour": "url(x)"}]}), "palette"),
    "a title of many lines": (lambda f: with_card(f, title="a\n" * 99), "title"),
    "a title without an end": (lambda f: with_card(f, title={"en": "x" * 10**5, "ko": "x"}), "title"),
    "a licence without an end": (lambda f: with_card(f, licence="x" * 10**5), "licence"),
    "an origin that is a list": (lambda f: with_card(f, origin=[1]), "origin"),
    "figures beyond numbers": (lambda f: with_card(f, figures={"a": {"b": 10**300}}), "figures"),
    "held out: everything": (lambda f: with_card(f, held_out=["x"] * 60_000), "held out"),
}  # fmt: skip


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The files of a repo that is as it should be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(tmp_path_factory.mktemp("right")))
        made()
        return packed("mine")


@pytest.mark.parametrize("what", WRONG)
def test_a_repo_that_is_wrong_is_refused_and_leaves_nothing(there, right, what):
    wrong, says = WRONG[what]
    there.put("stranger/x", wrong(right))
    with pytest.raises(ValueError, match=says) as refused:
        hub.pull("stranger/x")
    assert len(str(refused.value)) < 600
    left = home() / "checkpoints"
    assert not [path for path in left.rglob("*") if path.is_file()]
    assert not (
        set(there.downloads())
        - {"card.json", "preview.webp", "a.png", "weights.safetensors", "discriminator.safetensors"}
    )


@pytest.mark.parametrize(
    ("name", "size"), [("weights.safetensors", repo.MOST_WEIGHTS + 1), ("preview.webp", 10**8), ("card.json", 10**9)]
)
def test_what_is_too_large_is_refused_before_it_is_downloaded(there, right, name, size):
    there.put("stranger/x", right)
    there.sizes[name] = size
    with pytest.raises(ValueError, match=rf"{name} has [\d,]+ MB, and at most"):
        hub.pull("stranger/x")
    assert name not in there.downloads()
    there.sizes[name] = None
    with pytest.raises(ValueError, match=f"does not say how large its {name}"):
        hub.pull("stranger/x")
    assert name not in there.downloads()


def test_a_card_of_an_older_studio_is_read_and_names_no_file_of_this_machine(there, right):
    """SPADE's cards named a file with VGG's weights until 2026-12."""
    kind = registry.gan("spade")
    assert foreign._config(kind, {"vgg": "/etc/passwd"}) == {}
    assert foreign._config(kind, {"vgg": "", "perceptual": 10.0}) == {"alike": 0.0}


def test_other_files_of_a_repo_are_never_fetched(there, right):
    more = {
        "modeling.py": b"import os",
        "run.sh": b"rm",
        "x.pkl": pickle.dumps(Evil()),
        "sub/weights.safetensors": b"x",
    }
    there.put("stranger/x", right | more)
    pulled = hub.pull("stranger/x")
    assert set(there.downloads()) == {"card.json", "weights.safetensors", "discriminator.safetensors", "preview.webp"}
    assert {p.name for p in pulled.folder.iterdir()} == set(there.downloads())


def test_what_was_damaged_on_the_way_is_not_kept(there, right):
    there.put("stranger/x", right)
    there.spoilt = True
    with pytest.raises(ValueError, match="weights.safetensors came damaged"):
        hub.pull("stranger/x")
    assert not [path for path in home().rglob("*") if path.is_file()]
    there.spoilt = False
    assert hub.pull("stranger/x").tag == "mine"


def test_a_login_that_is_over_is_said(there, right, monkeypatch):
    there.put("stranger/x", right)
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    with pytest.raises(ValueError, match="login to the Hub is not valid"):
        hub.pull("stranger/x")


def test_a_pull_that_goes_wrong_leaves_the_older_state(there, right):
    there.put("stranger/x", right)
    pulled = hub.pull("stranger/x")
    there.put("stranger/x", WRONG["other bytes"][0](right))
    with pytest.raises(ValueError, match="another checksum"):
        hub.pull("stranger/x")
    assert checkpoints.load("pix2pix", pulled.tag)


@pytest.mark.parametrize(
    ("how", "says"), [("missing", "no model stranger/x"), ("gated", "gated"), ("no revision", "no such revision")]
)
def test_repos_that_can_not_be_read_are_named(there, right, how, says):
    if how != "missing":
        there.repos["stranger/x"] = Repo(gated=how == "gated", commits=[("0" * 40, right)])
    with pytest.raises(ValueError, match=says):
        hub.pull("stranger/x", revision="feature" if how == "no revision" else None)


def test_nothing_of_it_was_executed():
    from pathlib import Path

    assert not Path("gan-studio-was-here").exists()
    assert images.open_picture(SKETCH)
