"""Checkpoints in the wrappers that trainers put around them, and files that are something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studio import formats
from studio.checkpoints import adopt, shelf
from studio.refused import Refused

NAMES = {"model.1.weight": torch.ones(2, 3), "model.1.bias": torch.zeros(2)}
OTHER = {"main.0.weight": torch.ones(4)}


def under(prefix, names=NAMES):
    return {prefix + name: value for name, value in names.items()}


@pytest.mark.parametrize(
    "wrapped",
    [
        under("_orig_mod."),
        under("module._orig_mod."),
        under("_orig_mod.module."),
        {"model._orig_mod.1.weight": NAMES["model.1.weight"], "model._orig_mod.1.bias": NAMES["model.1.bias"]},
        {"netG": NAMES, "netD": OTHER, "epoch": 3},
        {"generator": NAMES, "discriminator": OTHER, "optimizer": {"state": {}}},
        {"model_state_dict": NAMES, "optimizer_state_dict": {"state": {0: {"exp_avg": torch.ones(2)}}}, "loss": 0.1},
        {"state_dict": under("module.")},
        {"checkpoint": {"model": {"state_dict": NAMES}}},
        {"params_ema": NAMES, "params": OTHER},
        {"G_state_dict": NAMES, "D_state_dict": OTHER},
    ],
)
def test_row_17_wrappers_are_taken_off(wrapped, tmp_path):
    torch.save(wrapped, tmp_path / "a.pth")
    assert set(formats.read(tmp_path / "a.pth")) == set(NAMES)


def test_several_networks_by_name_stay_together(tmp_path):
    torch.save({"g_ema": NAMES, "d": OTHER}, tmp_path / "a.pt")
    assert set(formats.read(tmp_path / "a.pt")) == {"g_ema.model.1.weight", "g_ema.model.1.bias", "d.main.0.weight"}


def test_a_network_that_has_a_part_called_module_keeps_it():
    names = {"module.weight": torch.ones(1), "weight": torch.ones(1)}
    assert set(formats.unwrapped(names)) == set(names)


def official():
    """Tensors with the names and shapes of the authors' file of a small StarGAN generator."""
    parity = json.loads((Path(__file__).parents[1] / "parity" / "stargan.json").read_text(encoding="utf-8"))
    rows = next(case["state_dict"] for case in parity["cases"] if case["id"] == "generator_5")
    random = torch.Generator().manual_seed(0)
    return {name: torch.rand(shape, generator=random).to(getattr(torch, kind)) for name, shape, kind, _ in rows}


@pytest.mark.parametrize(
    ("prefix", "beside"),
    [("netG.", under("netD.", OTHER)), ("ema_model.", under("model.", OTHER)), ("generator.module.", {}),
     ("model.generator.", {}), ("_orig_mod.netG.", {"netD._orig_mod.main.0.weight": torch.ones(4)})],
)  # fmt: skip
def test_row_17b_a_generator_inside_a_lightning_module_is_adopted(prefix, beside, tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    reference = official()
    torch.save({"state_dict": under(prefix, reference) | beside, "epoch": 1}, tmp_path / "a.ckpt")
    adopt(tmp_path / "a.ckpt", "stargan", "wrapped")
    torch.save(reference, tmp_path / "b.pth")
    adopt(tmp_path / "b.pth", "stargan", "plain")
    one, two = (shelf.load("stargan", tag).state_dict() for tag in ("wrapped", "plain"))
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith("generator"))


SOMETHING_ELSE = {
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12\n", "git-lfs"),
    "page": (b"\n<!DOCTYPE html><html><head><title>Google Drive</title></head></html>", "web page"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web page"),
}


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors", ".pkl", ".ckpt", ".bin"])
@pytest.mark.parametrize("what", SOMETHING_ELSE)
def test_row_17c_what_is_no_file_of_weights_is_called_by_its_name(what, ending, tmp_path):
    content, says = SOMETHING_ELSE[what]
    (tmp_path / f"a{ending}").write_bytes(content)
    with pytest.raises(Refused, match=says):
        formats.read(tmp_path / f"a{ending}")


def test_row_17c_own_weights_that_are_pointers(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(SOMETHING_ELSE["pointer"][0])
    with pytest.raises(Refused, match="git lfs pull"):
        shelf._read_file(tmp_path / "weights.safetensors", {"sha256": "0"})


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_and_weights_of_eight_bits_get_their_own_sentence(tmp_path):
    torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)).save(str(tmp_path / "a.pt"))
    with pytest.raises(Refused, match="TorchScript"):
        formats.read(tmp_path / "a.pt")
    save_file({"w": torch.ones(4).to(torch.float8_e4m3fn)}, tmp_path / "b.safetensors")
    with pytest.raises(Refused, match="8 bits.*float8_e4m3fn"):
        formats.read(tmp_path / "b.safetensors")
