"""The arrows point down: app, space -> pages -> studio; a GAN file imports the floor and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOOR = {
    "base", "losses", "layers", "latents", "images", "labels", "data", "weights", "formats", "judges", "measure",
    "features", "projected",
    "places",
    "sketches", "toys", "verbs",
}  # fmt: skip
ABOVE = {"streamlit", "gradio", "gradio_client", "spaces", "starlette", "pages", "app", "space"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "studio").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_backend_knows_no_front_end(path):
    tops = {name.split(".")[0] for name in imported(path)}
    allowed = {"starlette"} if path.name in ("api.py", "runs_api.py", "class_api.py") else set()
    assert not tops & (ABOVE - allowed)


@pytest.mark.parametrize("path", sorted((ROOT / "studio" / "gans").glob("*.py")), ids=lambda p: p.name)
def test_a_gan_stands_on_the_floor_alone(path):
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("studio.")}
    assert ours <= FLOOR


@pytest.mark.parametrize("path", sorted((ROOT / "studio" / "formats").glob("*.py")), ids=lambda p: p.name)
def test_formats_know_nothing_of_gans(path):
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("studio.")}
    assert ours <= {"formats"}


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_a_page_computes_nothing_on_tensors(path):
    tops = {name.split(".")[0] for name in imported(path)}
    assert not tops & {"torch", "torchvision", "numpy", "cv2"}


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_two_front_ends_do_not_know_each_other(path):
    """What both use (words, what parts are told, the demos) knows neither."""
    seen, found = set(), [path]
    while found:
        here = found.pop()
        seen.add(here)
        for name in imported(here):
            for place in (ROOT / Path(*name.split(".")), ROOT / Path(*name.split(".")[:-1])):
                if (
                    (each := place.with_suffix(".py")) not in seen
                    and each.is_relative_to(ROOT / "pages")
                    and each.exists()
                ):
                    found.append(each)
    tops = {name.split(".")[0] for each in seen for name in imported(each)}
    assert not {"gradio", "streamlit"} <= tops
    if path.is_relative_to(ROOT / "pages" / "space"):
        assert "streamlit" not in tops
    if path.name in ("words.py", "told.py", "catalogue.py", "javascript.py") or path.parent.name == "demos":
        assert not {"gradio", "streamlit"} & tops


def test_only_the_floor_has_no_way_up():
    """Training, runs, serving and checkpoints may import the floor; the floor imports none of them."""
    up = {"training", "runs", "serving", "api", "checkpoints", "registry", "gans", "fast", "bench"}
    for name in FLOOR:
        for path in [ROOT / "studio" / f"{name}.py", *(ROOT / "studio" / name).glob("*.py")]:
            if path.exists():
                ours = {n.split(".")[1] for n in imported(path) if n.startswith("studio.") and n.count(".") > 0}
                assert not ours & up, path.name
