"""What every GAN of the studio promises, checked for each file in studio/gans."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from studio import __main__ as shell
from studio import checkpoints, registry, toys
from studio.base import Term
from studio.images import Picture, open_picture, to_pictures
from studio.labels import open_map
from studio.toys.landscapes import landscape
from studio.training.runs import changed
from studio.verbs import verbs

ROOT = Path(__file__).parents[2]
NAMES = registry.names()


@pytest.fixture(params=NAMES)
def kind(request):
    return registry.gan(request.param)


@pytest.fixture
def gan(kind):
    torch.manual_seed(0)
    return kind(kind.TINY)


def toy_batch(kind, n: int, at: int = 0):
    data = kind.Data("toy", kind.TINY)
    return data.batch(range(at, at + n), [np.random.default_rng(k) for k in range(at, at + n)])


def toy_picture(k: int = 0) -> Picture:
    return open_picture(
        to_pictures(
            torch.from_numpy(toys.picture("shoes", np.random.default_rng(k))).permute(2, 0, 1)[None] / 127.5 - 1
        )[0]
    )


def values(verb, gan) -> dict:
    """Arguments for a verb: toy pictures, the defaults of the rest, a seed where one is taken."""
    given = {}
    for k, argument in enumerate(verb.arguments.values()):
        if argument.is_picture:
            given[argument.name] = toy_picture(k)
        elif argument.is_map:
            given[argument.name] = open_map(landscape(np.random.default_rng(k), 64)[1])
        elif argument.name == "seed":
            given[argument.name] = 5
        else:
            assert not argument.required, f"{verb.name}({argument.name}) needs a default"
    return given


def same(a, b) -> bool:
    if isinstance(a, Picture):
        return np.array_equal(np.asarray(a), np.asarray(b))
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_its_networks_of_the_demo_are_its_own_and_one_is_in_the_first_file(gan, kind):
    children = {name for name, _ in gan.named_children()}
    assert set(kind.demo) <= children
    assert set(kind.apart) < set(kind.demo)
    assert all(re.fullmatch("[a-z0-9_]{1,40}", name) for name in kind.apart)


def test_a_step_is_finite_and_names_its_terms(gan, kind):
    losses = gan.train().train_step(toy_batch(kind, 4), gan.optimizers(), 0)
    terms = kind.about.terms
    in_play = {name for name, term in terms.items() if not term.weight or getattr(gan.config, term.weight)}
    assert in_play <= set(losses) <= set(terms)
    assert all(torch.isfinite(v) and v.ndim == 0 for v in losses.values())


def test_each_player_moves_its_own_network_and_no_other(gan, kind):
    for player in gan.optimizers():
        optimizers = gan.optimizers()
        for name, optimizer in optimizers.items():
            if name != player:
                for group in optimizer.param_groups:
                    group["lr"] = 0.0
        before = {k: v.clone() for k, v in gan.named_parameters()}
        gan.train().train_step(toy_batch(kind, 4), optimizers, 10**6)
        moved = {k.split(".")[0] for k, v in gan.named_parameters() if not torch.equal(v, before[k])}
        held = {id(p) for group in optimizers[player].param_groups for p in group["params"]}
        own = {k.split(".")[0] for k, p in gan.named_parameters() if id(p) in held}
        assert moved == own  # several, if they are one player together
        assert player in own or not hasattr(gan, player)


def test_optimizers_cover_every_parameter_once(gan):
    owned = [id(p) for o in gan.optimizers().values() for g in o.param_groups for p in g["params"]]
    assert sorted(owned) == sorted(id(p) for p in gan.parameters())


def test_state_dict_is_the_whole_truth(gan):
    """A buffer that is not saved would be lost on resume, and has no value in a network built without memory."""
    assert {n for n, _ in gan.named_buffers()} <= set(gan.state_dict())


def test_saved_and_loaded_it_makes_the_same_pictures(gan, kind, home):
    name = registry.name_of(gan)
    gan.half().float()  # what half precision keeps
    checkpoints.save(gan.eval(), "kept", {"title": {"en": "Kept", "ko": "보관"}})
    loaded = checkpoints.load(name, "kept")
    for verb in verbs(gan).values():
        given = values(verb, gan)
        with torch.no_grad():
            assert same(getattr(gan, verb.name)(**given), getattr(loaded, verb.name)(**given)), verb.name


def test_verbs_repeat_and_change_nothing(gan):
    gan.eval().requires_grad_(False)
    before = {k: v.clone() for k, v in gan.state_dict().items()}
    random = torch.get_rng_state(), np.random.get_state()[1].copy()
    for verb in verbs(gan).values():
        given = values(verb, gan)
        pixels = {k: np.asarray(v).copy() for k, v in given.items() if isinstance(v, Picture)}
        assert same(getattr(gan, verb.name)(**given), getattr(gan, verb.name)(**given)), verb.name
        assert all(np.array_equal(pixels[k], np.asarray(given[k])) for k in pixels)
    assert all(torch.equal(v, before[k]) for k, v in gan.state_dict().items())
    assert torch.equal(random[0], torch.get_rng_state())
    assert np.array_equal(random[1], np.random.get_state()[1])


def test_verbs_take_paths_bytes_and_arrays_for_pictures(gan, tmp_path):
    gan.eval().requires_grad_(False)
    for verb in verbs(gan).values():
        given = values(verb, gan)
        there = {name: picture for name, picture in given.items() if isinstance(picture, Picture)}
        if not there:
            continue
        for name, picture in there.items():
            picture.save(tmp_path / f"{name}.png")
        files = {name: tmp_path / f"{name}.png" for name in there}
        expected = getattr(gan, verb.name)(**given)
        for other in (
            files,
            {name: str(file) for name, file in files.items()},
            {name: file.read_bytes() for name, file in files.items()},
            {name: np.asarray(picture) for name, picture in there.items()},
        ):
            assert same(getattr(gan, verb.name)(**given | other), expected), verb.name
        with pytest.raises(ValueError, match="no file"):
            getattr(gan, verb.name)(**given | {next(iter(there)): "none.png"})
        with pytest.raises(ValueError, match=r"array|picture"):
            getattr(gan, verb.name)(**given | {next(iter(there)): np.zeros((2, 2, 7), np.float32)})


def test_in_a_batch_each_gets_what_it_gets_alone(gan):
    gan.eval().requires_grad_(False)
    torch.manual_seed(1)
    for child, alone in gan.example().items():
        network = gan.get_submodule(child)
        several = [tuple(torch.randn_like(t) if k == 0 else t for k, t in enumerate(alone)) for _ in range(3)]
        together = network(*(torch.cat(parts) for parts in zip(*several, strict=True)))
        for k, inputs in enumerate(several):
            torch.testing.assert_close(together[k : k + 1], network(*inputs), atol=1e-4, rtol=1e-4)


def test_preview_is_rows_of_pictures(gan, kind):
    with torch.no_grad():
        rows = gan.eval().preview(toy_batch(kind, 3))
    assert rows.ndim == 5
    assert rows.shape[0] == 3
    assert rows.shape[2] == 3
    named = kind.columns(gan.config, kind.Data("toy", kind.TINY).facts())
    assert not named or 2 <= len(named) <= rows.shape[1]  # the last name stands for all that follow
    assert all(each["en"] and each["ko"] for each in named)


def test_measure_gives_figures_and_says_of_how_many(gan, kind):
    data = kind.Data("toy", kind.TINY)
    with torch.no_grad():
        figures = gan.eval().measure(data, range(6))
    assert figures["n"] == 6


def test_tiny_trains_in_seconds_and_learns(kind):
    """Forty steps on toy data: the first term that is a distance falls, or at least nothing explodes."""
    torch.manual_seed(0)
    gan = kind(kind.TINY).train()
    optimizers = gan.optimizers()
    first = last = None
    for step in range(40):
        last = gan.train_step(toy_batch(kind, 4, 4 * (step % 8)), optimizers, step)
        first = first or last
    assert all(torch.isfinite(v) for v in last.values())
    if "near" in last:
        assert last["near"] < 0.8 * first["near"]


def test_everything_is_said_in_both_languages(kind):
    for words in [kind.about.idea, *(term.says for term in kind.about.terms.values())]:
        assert set(words) == {"en", "ko"}
        assert all(words.values())
    assert all(isinstance(t, Term) and t.formula for t in kind.about.terms.values())
    assert kind.about.link.startswith("https://")


def test_every_field_and_argument_has_its_sentence(kind):
    for field in dataclasses.fields(kind.Config):
        assert field.metadata["says"].endswith("."), field.name
    for verb in verbs(kind).values():
        assert verb.says.endswith("."), verb.name
        for argument in verb.arguments.values():
            assert len(argument.says) > 8, f"{verb.name}({argument.name})"


def test_config_is_frozen_and_refuses_nonsense(kind):
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind.TINY.size = 1
    for field in dataclasses.fields(kind.Config):
        if type(field.default) in (int, float) and "low" in field.metadata:
            with pytest.raises(ValueError, match=field.name):
                changed(kind, {}, [f"{field.name}={field.metadata['low'] - 1}"])
        if "choices" in field.metadata:
            with pytest.raises(ValueError, match=field.name):
                kind(dataclasses.replace(kind.Config(), **{field.name: type(field.default)("77")}))


@pytest.mark.parametrize("name", NAMES)
def test_file_page_test_and_default_checkpoint_exist(name):
    assert (ROOT / "pages" / f"{name}.py").exists()
    assert (ROOT / "tests" / "gans" / f"test_{name}.py").exists()
    cards = [checkpoints.read_card(p) for p in (ROOT / "checkpoints" / name).glob("*/card.json")]
    assert sum(card.get("default", False) for card in cards) == 1
    for card in cards:
        assert {"title", "origin", "licence", "limits", "figures", "held_out"} <= set(card), card["tag"]
        assert set(card["title"]) == set(card["limits"]) == {"en", "ko"}


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_reads_top_to_bottom(name):
    """Docstring with paper and reading order, Config, networks, GAN, and a training step that fits on one screen."""
    source = (registry.FOLDER / name / "paper.py").read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(source))
    for part in ("How this differs from the paper", "Read before", "https://arxiv.org/abs/"):
        assert part in doc
    assert source.index("class Config") < source.index("nn.Module)") < source.index("class GAN(")
    assert len(inspect.getsource(registry.gan(name).train_step).splitlines()) <= 40
    assert len(source.splitlines()) <= 400


@pytest.mark.parametrize("name", NAMES)
def test_a_gan_says_all_in_both_languages_and_once(name):
    """Its words.toml: {en, ko} everywhere; of options the Korean, whose English stands at the field."""
    kind, words = registry.gan(name), registry.words(name)

    def leaves(table, path=""):
        for key, value in table.items():
            if isinstance(value, dict) and not {"en", "ko"} & set(value):
                yield from leaves(value, f"{path}{key}.")
            else:
                yield f"{path}{key}", value

    for path, value in leaves({k: v for k, v in words.items() if k not in ("options", "objective")}):
        assert set(value) == {"en", "ko"}, path
        assert all(value.values()), path
    assert set(words["options"]) == {field.name for field in dataclasses.fields(kind.Config)}
    own = {term for term in kind.about.terms if term not in ("eyes", "seen", "alike")}
    assert own <= set(words["terms"]) <= set(kind.about.terms)


def test_shipped_weights_fit():
    files = list((ROOT / "checkpoints").rglob("*.safetensors"))
    assert all(f.stat().st_size <= 10_000_000 for f in files)
    assert sum(f.stat().st_size for f in (ROOT / "checkpoints").rglob("*") if f.is_file()) <= 90_000_000


def test_the_order_of_a_course():
    course = registry.course({name: registry.gan(name).about for name in registry.names()})
    assert course[:3] == ["vanilla", "conditional", "dcgan"]
    assert course.index("wgan") < course.index("wgan_gp")
    years = [registry.gan(name).about.year for name in course]
    assert years == sorted(years)


def test_the_readme_has_the_table_as_the_command_makes_it():
    """After a GAN or a checkpoint came or went: python -m studio table --write."""
    said = (ROOT / "README.md").read_text(encoding="utf-8")
    assert said.partition(shell.BEGIN)[2].partition(shell.END)[0] == shell.table()
