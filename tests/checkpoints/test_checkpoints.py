"""Checkpoints: whole or not at all, and nothing in a file is ever run."""

from __future__ import annotations

import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch

import studio
from studio import checkpoints, formats, registry
from studio.checkpoints import weights
from studio.formats import safe
from studio.gans import dcgan
from studio.gans.pix2pix import GAN
from studio.hub import foreign
from studio.images import Image
from studio.places import ROOT

TITLE = {"title": {"en": "A", "ko": "가"}}


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval()


@pytest.fixture
def sketch():
    return Image.effect_noise((32, 32), 90).convert("RGB")


def test_python_face(gan, sketch, home, tmp_path):
    checkpoints.save(gan, "mine", {**TITLE, "default": True})
    assert "pix2pix" in studio.names()
    assert "mine" in studio.tags("pix2pix")
    sketch.save(tmp_path / "s.png")
    loaded = studio.load("pix2pix", "mine")
    assert loaded.translate(sketch).size == (32, 32)
    assert loaded.config == GAN.TINY
    assert not any(p.requires_grad for p in loaded.parameters())
    with pytest.raises(AttributeError):
        studio.nonsense()


def test_the_card_says_what_is_in_the_folder(gan, home):
    folder = checkpoints.save(gan, "mine", TITLE, Image.new("RGB", (8, 8)))
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert set(card["files"]) == {"weights.safetensors", "discriminator.safetensors"}
    assert all(f["bytes"] == (folder / n).stat().st_size for n, f in card["files"].items())
    assert (folder / "preview.webp").exists()
    assert card["title"]["ko"] == "가"
    assert all(v.dtype == torch.float16 for v in safe.read(folder / "weights.safetensors").values())


# ---- two generators, and a judge of another name --------------------------------------------------------------------


class Two(dcgan.GAN):
    """A second generator, as CycleGAN has one; its judge is called critic."""

    demo = ("generator", "back")
    apart = ("back",)

    def __init__(self, config=None):
        super().__init__(config)
        self.back, self.critic = dcgan.paper.Generator(self.config), self.discriminator
        del self.discriminator


@pytest.fixture
def two(monkeypatch):
    """As if DCGAN were such a GAN."""
    known, named = registry.gan, registry.name_of
    monkeypatch.setattr(registry, "gan", lambda name: Two if name == "dcgan" else known(name))
    monkeypatch.setattr(registry, "name_of", lambda gan: "dcgan" if isinstance(gan, Two) else named(gan))
    torch.manual_seed(0)
    return Two(Two.TINY).eval()


def test_a_second_generator_has_a_file_of_its_own(two, home):
    folder = checkpoints.save(two, "mine", TITLE, half=False)
    card = checkpoints.card("dcgan", "mine")
    assert set(card["files"]) == {"weights.safetensors", "weights-back.safetensors", "discriminator.safetensors"}
    assert checkpoints.files_of(Two) == list(card["files"])
    for file, child in zip(card["files"], ("generator", "back", "critic"), strict=True):
        assert {name.split(".")[0] for name in safe.read(folder / file)} == {child}
    loaded = checkpoints.load("dcgan", "mine")
    assert all(torch.equal(a, b) for a, b in zip(two.parameters(), loaded.parameters(), strict=True))
    assert all(file.stat().st_size < 0.6 * sum(f["bytes"] for f in card["files"].values()) for file in folder.iterdir())


def test_a_checkpoint_from_before_it_had_one_is_loaded_unchanged(two, home, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr(Two, "apart", ())
        checkpoints.save(two, "old", TITLE, half=False)
    assert set(checkpoints.card("dcgan", "old")["files"]) == {"weights.safetensors", "discriminator.safetensors"}
    loaded = checkpoints.load("dcgan", "old")
    assert torch.equal(loaded.back.project.weight, two.back.project.weight)


def test_a_file_that_is_missing_or_changed_is_said_of_the_second_generator_too(two, home):
    folder = checkpoints.save(two, "mine", TITLE)
    content = (folder / "weights-back.safetensors").read_bytes()
    (folder / "weights-back.safetensors").write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match=r"weights-back.safetensors is damaged"):
        checkpoints.load("dcgan", "mine")
    (folder / "weights-back.safetensors").unlink()
    with pytest.raises(ValueError, match=r"weights-back.safetensors is missing"):
        checkpoints.load("dcgan", "mine")


def test_a_stranger_s_card_may_list_the_files_that_the_gan_has_and_no_others(two, home):
    folder = checkpoints.save(two, "mine", TITLE)
    text = (folder / "card.json").read_bytes()
    assert set(foreign.read(text)["files"]) == set(checkpoints.files_of(Two))
    for name in ("weights-front.safetensors", "weights-.safetensors", "weights-../x.safetensors", "critic.safetensors"):
        card = json.loads(text)
        card["files"][name] = card["files"]["weights.safetensors"]
        with pytest.raises(
            foreign.Refused, match="weights are called weights.safetensors or weights-back.safetensors or"
        ):
            foreign.read(json.dumps(card).encode())
    card = json.loads(text) | {"gan": "pix2pix", "config": {}}  # another GAN has no such file
    with pytest.raises(foreign.Refused, match="weights-back.safetensors.*weights are called"):
        foreign.read(json.dumps(card).encode())


def test_whoever_judges_is_a_fact_of_the_card_whatever_it_is_called(two, gan, home):
    checkpoints.save(two, "mine", TITLE)
    assert checkpoints.has_judge(checkpoints.card("dcgan", "mine"))
    two.critic = None
    checkpoints.save(two, "alone", TITLE)
    assert not checkpoints.has_judge(checkpoints.card("dcgan", "alone"))
    assert checkpoints.load("dcgan", "alone").critic is None
    checkpoints.save(gan, "mine", TITLE)
    assert checkpoints.has_judge(checkpoints.card("pix2pix", "mine"))


def test_no_page_asks_for_a_file_by_its_name():
    for path in (*(ROOT / "pages").rglob("*.py"), *(ROOT / "pages").rglob("*.js")):
        assert "discriminator.safetensors" not in path.read_text(encoding="utf-8"), path


def test_values_too_large_for_half_stay_whole(gan, home):
    with torch.no_grad():
        gan.generator.downs[0].conv.weight[0, 0, 0, 0] = 1e5
    checkpoints.save(gan, "large", TITLE)
    assert checkpoints.load("pix2pix", "large").generator.downs[0].conv.weight[0, 0, 0, 0] == 1e5


def test_nan_is_not_kept_and_the_old_one_stays(gan, home, sketch):
    checkpoints.save(gan, "mine", TITLE)
    before = checkpoints.load("pix2pix", "mine").translate(sketch)
    with torch.no_grad():
        gan.generator.downs[0].conv.weight[0] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        checkpoints.save(gan, "mine", TITLE)
    assert np.array_equal(before, checkpoints.load("pix2pix", "mine").translate(sketch))


def test_nan_in_a_file_is_found_on_loading(gan, home):
    folder = checkpoints.save(gan, "mine", TITLE)
    tensors = safe.read(folder / "weights.safetensors")
    tensors["generator.downs.0.conv.weight"][0] = float("inf")
    safe.write(folder / "weights.safetensors", tensors)
    card = json.loads((folder / "card.json").read_text())
    import hashlib

    card["files"]["weights.safetensors"]["sha256"] = hashlib.sha256(
        (folder / "weights.safetensors").read_bytes()
    ).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="NaN or infinite"):
        checkpoints.load("pix2pix", "mine")


@pytest.mark.parametrize("when", ["write", "replace"])
def test_a_full_disk_leaves_the_old_checkpoint(gan, home, sketch, monkeypatch, when):
    checkpoints.save(gan, "mine", TITLE)
    before = checkpoints.load("pix2pix", "mine").translate(sketch)
    with torch.no_grad():
        gan.generator.downs[0].conv.weight.add_(1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safe if when == "write" else os, when, full)
    with pytest.raises(ValueError, match=r"No space left.*the old one is intact"):
        checkpoints.save(gan, "mine", TITLE)
    monkeypatch.undo()
    monkeypatch.setenv("STUDIO_HOME", str(home))
    assert np.array_equal(before, checkpoints.load("pix2pix", "mine").translate(sketch))
    assert [p.name for p in (home / "checkpoints" / "pix2pix").iterdir()] == ["mine"]


def test_a_changed_file_is_not_loaded(gan, home):
    folder = checkpoints.save(gan, "mine", TITLE)
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        checkpoints.load("pix2pix", "mine")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match="missing"):
        checkpoints.load("pix2pix", "mine")


def test_a_checkpoint_of_another_gan_is_refused(gan, home):
    folder = checkpoints.save(gan, "mine", TITLE)
    card = json.loads((folder / "card.json").read_text()) | {"gan": "stylegan2"}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="checkpoint of stylegan2, not of pix2pix"):
        checkpoints.load("pix2pix", "mine")


@pytest.mark.parametrize("tag", ["../up", "a/b", "", ".", "A", "a b", "con\0", "x" * 65, "..", "~"])
def test_a_tag_is_a_plain_name(gan, home, tag):
    with pytest.raises(ValueError, match="tag|checkpoint"):
        checkpoints.save(gan, tag, TITLE)
    with pytest.raises(ValueError, match="tag|checkpoint"):
        checkpoints.load("pix2pix", tag or "nothing here")


def test_unknown_names_list_the_known(home, gan):
    checkpoints.save(gan, "mine", TITLE)
    with pytest.raises(ValueError, match=r"There are: .*mine"):
        checkpoints.load("pix2pix", "other")
    with pytest.raises(ValueError, match=r"The studio has: .*pix2pix"):
        checkpoints.load("pix3pix")


def test_the_default_is_first_and_a_spoiled_folder_is_passed_over(gan, home):
    checkpoints.save(gan, "aaa", TITLE)
    broken = shutil.copytree(home / "checkpoints" / "pix2pix" / "aaa", home / "checkpoints" / "pix2pix" / "broken")
    (broken / "card.json").write_text("{")
    assert "broken" not in checkpoints.tags("pix2pix")
    assert "aaa" in checkpoints.tags("pix2pix")[1:]  # the shipped default comes first


# ---- files of others ------------------------------------------------------------------------------------------------


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize(
    "wrap", [lambda e: e, lambda e: {"weight": e}, lambda e: {"state_dict": {"w": torch.zeros(1), "x": e}}]
)
def test_a_pickle_that_would_run_code_does_not(wrap, tmp_path):
    for path, write in {
        "torch.pth": lambda p: torch.save(wrap(Evil(str(tmp_path / "ran"))), p),
        "plain.pth": lambda p: p.write_bytes(pickle.dumps(wrap(Evil(str(tmp_path / "ran"))))),
    }.items():
        write(tmp_path / path)
        with pytest.raises(ValueError, match="was not loaded|not a whole"):
            formats.read(tmp_path / path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.pth", b"", "not a whole PyTorch file"),
        ("a.pth", b"junk" * 100, "not loaded|not a whole"),
        ("a.safetensors", b"junk" * 100, "not a whole safetensors"),
        ("a.zip", b"PK", "checkpoint files end in"),
        ("a.onnx", b"", "checkpoint files end in"),
    ],
)
def test_a_file_that_is_no_checkpoint(name, content, sentence, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        formats.read(tmp_path / name)


def test_truncated_and_missing(tmp_path):
    torch.save({"a": torch.rand(1000)}, tmp_path / "a.pth")
    whole = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a whole"):
        formats.read(tmp_path / "a.pth")
    with pytest.raises(ValueError, match="no file"):
        formats.read(tmp_path / "b.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="a list, not weights"):
        formats.read(tmp_path / "list.pth")


def test_wrappings_are_taken_off(tmp_path):
    torch.save({"state_dict": {"module.w": torch.ones(2)}}, tmp_path / "a.pth")
    assert list(formats.read(tmp_path / "a.pth")) == ["w"]


@pytest.mark.parametrize(
    ("source", "table", "sentence"),
    [
        ({"w": torch.zeros(2, 2)}, {"weight": "w"}, "nothing fills bias"),
        (
            {"w": torch.zeros(2, 2), "b": torch.zeros(2), "c": torch.zeros(1)},
            {"weight": "w", "bias": "b"},
            "c is not used",
        ),
        ({"w": torch.zeros(3, 2), "b": torch.zeros(2)}, {"weight": "w", "bias": "b"}, r"w is \(3, 2\), not \(2, 2\)"),
        ({"w": torch.zeros(2, 2), "b": torch.zeros(2)}, {"weight": "w", "bias": "x"}, "x is not in the file"),
        ({"w": torch.zeros(2, 2), "b": torch.zeros(2)}, {"weight": "w", "bias": "b", "z": "b"}, "no place"),
        ({"w": torch.zeros(2, 2), "b": torch.tensor([1, float("nan")])}, {"weight": "w", "bias": "b"}, "b holds NaN"),
    ],
)
def test_the_name_map_is_strict_both_ways(source, table, sentence):
    with pytest.raises(ValueError, match=sentence):
        weights.fill(torch.nn.Linear(2, 2), source, table)


def test_batch_counters_are_no_weights():
    net = torch.nn.Linear(2, 2)
    weights.fill(net, {"weight": torch.ones(2, 2), "bias": torch.ones(2), "num_batches_tracked": torch.tensor(3)})
    assert net.weight.sum() == 4
