"""NVIDIA's pickles: the tensors come out, and nothing in the file runs."""

from __future__ import annotations

import io
import os
import pickle
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import torch
from test_stylegan2 import CASES, agrees, latent, official_tensors

from studio import checkpoints, formats

SOURCE = "raise SystemExit('the source in the file was run')"


class Network:
    """Pickles as the authors' persistent classes do: a call with the module's source and the object's state."""

    def __init__(self, name: str, parameters=None, modules=None, buffers=None, **state) -> None:
        own = {
            "_parameters": OrderedDict(parameters or {}),
            "_buffers": OrderedDict(buffers or {}),
            "_modules": OrderedDict(modules or {}),
        }
        self.meta = {"type": "class", "version": 6, "module_src": SOURCE, "class_name": name, "state": own | state}

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,), None


@pytest.fixture(autouse=True)
def authors(monkeypatch):
    """Their modules, as far as a pickle names them; none may be called while a file is read."""

    def called(meta):
        raise AssertionError("the file's code was run")

    persistence = types.ModuleType("torch_utils.persistence")
    called.__module__, called.__qualname__ = "torch_utils.persistence", "_reconstruct_persistent_obj"
    persistence._reconstruct_persistent_obj = called
    util = types.ModuleType("dnnlib.util")
    util.EasyDict = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    modules = {
        "torch_utils": types.ModuleType("torch_utils"),
        "torch_utils.persistence": persistence,
        "dnnlib": types.ModuleType("dnnlib"),
        "dnnlib.util": util,
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return util


def generator() -> tuple[Network, dict[str, torch.Tensor]]:
    weight = torch.nn.Parameter(torch.arange(6.0).view(2, 3))
    average, shared = torch.full((3,), 0.5), torch.arange(8.0)
    layer = Network("FullyConnectedLayer", {"weight": weight, "bias": None}, weight_gain=np.float64(0.1))
    mapping = Network("MappingNetwork", modules={"fc0": layer}, buffers={"w_avg": average, "part": shared[2:6:2]})
    whole = Network("Generator", modules={"mapping": mapping}, training=False, init={1, 2})
    return whole, {"mapping.fc0.weight": weight.detach(), "mapping.w_avg": average, "mapping.part": shared[2:6:2]}


def written(tmp_path, value, protocol=4):
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("wrap", ["table", "triple", "alone"])
def test_tensors_come_out_by_name(tmp_path, authors, wrap, protocol):
    network, expected = generator()
    other = Network("Generator", {"x": torch.zeros(1)})
    settings = authors.EasyDict(resolution=32)
    whole = {"G": other, "D": other, "G_ema": network, "training_set_kwargs": settings, "augment_pipe": None}
    value = {"table": whole, "triple": (other, other, network), "alone": network}[wrap]
    found = formats.read(written(tmp_path, value, protocol))
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor)


class Call:
    """Pickles as a call of anything."""

    def __init__(self, function, *args) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


def trap() -> None:
    raise AssertionError("it was called")


@pytest.mark.parametrize(
    "poison",
    [
        Call(os.system, "touch gan-studio-was-here"),
        Call(eval, "1 + 1"),
        Call(exec, SOURCE),
        Call(__import__, "os"),
        Call(getattr, "a", "upper"),
        Call(trap),
        Call(torch.load, "x"),
        Call(torch.nn.Linear, 2, 2),
        Call(np.load, "x"),
        Call(pickle.loads, b"x"),
        Call(bytearray, 10**9),
    ],
    ids=lambda p: p.call[0].__name__,
)
def test_a_file_that_would_run_something_is_refused(tmp_path, poison, monkeypatch):
    ran = []
    monkeypatch.setattr(os, "system", ran.append)
    network, _ = generator()
    for value in (poison, {"G_ema": network, "extra": poison}, Network("Generator", {"weight": poison})):
        with pytest.raises(ValueError, match="not read: it asks for"):
            formats.read(written(tmp_path, value))
    assert not ran


def test_reduce_tricks_reach_nothing(tmp_path):
    """Opcodes written by hand: known names called with the wrong things, states set on what is not theirs."""
    tricks = [
        b"ccopyreg\n_reconstructor\n(cos\nsystem\nN N tR.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"cbuiltins\nset\n(lp0\n0cbuiltins\nset\n)R(dS'__class__'\nI1\nsb.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(I1\nI0\n(I9\nt(I1\ntI00\nNtR.",
        b"ctorch.storage\n_load_from_bytes\n(C\x03abctR.",
        b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n(cos\nsystem\ntR.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",
        b"\x80\x02\x82\x01.",  # an extension code
        b"Pname\n.",  # a persistent id
        b"ctorch_utils.persistence\nos.system\n.",
        b"\x80\x04\x8c\x17torch_utils.persistence\x8c\x0asys.system\x93.",
    ]
    for trick in tricks:
        (tmp_path / "x.pkl").write_bytes(trick)
        with pytest.raises(ValueError, match="was not read|not a whole pickle"):
            formats.read(tmp_path / "x.pkl")


def test_a_pickle_inside_the_numbers_is_not_run_either(tmp_path, monkeypatch):
    """A tensor's numbers are a file of torch.save in the file, which could hold a program of its own."""
    ran = []
    monkeypatch.setattr(os, "system", ran.append)
    content = io.BytesIO()
    torch.save(Call(os.system, "true"), content, _use_new_zipfile_serialization=False)
    poison = Call(torch.storage._load_from_bytes, content.getvalue())
    with pytest.raises(ValueError, match="not a whole pickle|not read"):
        formats.read(written(tmp_path, Network("Generator", {"weight": poison})))
    assert not ran


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((10,), (1,), 0), ((2,), (1,), 7), ((-1,), (1,), 0), ((2, 2), (1,), 0), ((2,), (-1,), 4), (("a",), (1,), 0)],
)
def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path, size, stride, offset):
    content = io.BytesIO()
    torch.save(torch.arange(8.0)._typed_storage(), content, _use_new_zipfile_serialization=False)
    numbers = Call(torch.storage._load_from_bytes, content.getvalue())
    poison = Call(torch._utils._rebuild_tensor_v2, numbers, offset, size, stride, False, OrderedDict())
    with pytest.raises(ValueError, match="proper shape|larger than its numbers"):
        formats.read(written(tmp_path, Network("Generator", {"weight": poison})))


def test_what_it_is_not_is_said(tmp_path):
    three = Network("Generator", modules={"synthesis": Network("SynthesisNetwork", modules={
        "input": Network("SynthesisInput", {"weight": torch.zeros(1)})})})  # fmt: skip
    with pytest.raises(ValueError, match="StyleGAN3"):
        formats.read(written(tmp_path, {"G_ema": three}))
    with pytest.raises(ValueError, match="no generator"):
        formats.read(written(tmp_path, {"D": generator()[0]}))
    with pytest.raises(ValueError, match="no generator"):
        formats.read(written(tmp_path, [1, 2]))
    (tmp_path / "tf.pkl").write_bytes(b"cdnnlib.tflib.network\nNetwork\n.")
    with pytest.raises(ValueError, match="TensorFlow"):
        formats.read(tmp_path / "tf.pkl")


def test_a_truncated_file_is_said_to_be_so(tmp_path):
    path = written(tmp_path, generator()[0])
    whole = path.read_bytes()
    for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="Download it again"):
            formats.read(path)


def test_modules_that_never_end_are_refused(tmp_path):
    module = Network("Generator", {"weight": torch.zeros(1)})
    for _ in range(30):
        module = Network("Generator", modules={"a": module, "b": module})
    with pytest.raises(ValueError, match="do not end"):
        formats.read(written(tmp_path, module))


def nested(tensors: dict[str, torch.Tensor], name: str = "Generator") -> Network:
    """Dotted names -> modules within modules, as in the authors' files."""
    own = {k: v for k, v in tensors.items() if "." not in k}
    inner = dict.fromkeys(k.split(".")[0] for k in tensors if "." in k)
    parts = {
        part: nested({k[len(part) + 1 :]: v for k, v in tensors.items() if k.startswith(part + ".")}, "Part")
        for part in inner
    }
    buffers = {k: v for k, v in own.items() if k in ("w_avg", "noise_const", "resample_filter")}
    weights = {k: torch.nn.Parameter(v) for k, v in own.items() if k not in buffers}
    return Network(name, weights, parts, buffers)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("nvidia") and "discriminator" not in name])
def test_a_whole_file_is_adopted_and_draws_the_official_picture(name, tmp_path, home):
    case = CASES[name]
    network = nested(official_tensors(case["state_dict"]))
    path = written(tmp_path, {"G": None, "D": None, "G_ema": network, "augment_pipe": None})
    checkpoints.adopt(path, "stylegan2", "official")
    gan = checkpoints.load("stylegan2", "official")
    ws = torch.stack([latent(5 + k, gan.config.w)[0] for k in range(case["styles"])])[None]
    agrees(gan.synthesis(ws), case["outputs"]["constant noise"])
    assert gan.sample(85).size == (gan.config.size, gan.config.size)
