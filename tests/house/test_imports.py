"""The plan of the house: which room may import which, written once, and held against every import there is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each room, and the rooms below it that it may import; what is not listed may not be imported, so there is no circle.
GROUND = {
    "base", "verbs", "registry", "layers", "pool", "losses", "images", "labels", "measure", "features", "projected",
    "judges", "places", "markdown", "refused",
}  # fmt: skip
MATERIAL = {"formats", "toys", "data", "latents"}
PLAN: dict[str, set[str]] = {
    "formats": {"refused"},
    "toys": GROUND,
    "data": GROUND | {"toys", "formats"},
    "latents": GROUND | {"formats"},
    "gans": GROUND | MATERIAL,
    "guests": GROUND,
    "checkpoints": GROUND | MATERIAL | {"guests"},
    "training": GROUND | MATERIAL | {"guests", "checkpoints"},
    "serving": GROUND | MATERIAL | {"guests", "checkpoints"},
    "hub": GROUND | MATERIAL | {"guests", "checkpoints", "training"},
    "web": GROUND | MATERIAL | {"guests", "checkpoints", "training", "serving", "hub"},
}
# The ground floor's own order: who of it may import whom.
STAIRS: dict[str, set[str]] = {
    "places": set(),
    "markdown": set(),
    "refused": set(),
    "images": {"refused"},
    "losses": set(),
    "layers": set(),
    "pool": set(),
    "features": {"places", "refused"},
    "measure": {"features", "refused"},
    "labels": {"images", "refused"},
    "verbs": {"images", "labels", "refused"},
    "base": {"images", "measure", "refused", "verbs"},
    "projected": {"base", "features", "losses", "refused"},
    "registry": {"base", "refused"},
    "judges": {"places", "refused"},
}
# Materials that the ground floor itself stands on: reading a weights file, the shape of a judge's data.
BELOW = {"judges": {"data", "formats"}, "labels": {"formats"}}
PARTS: dict[str, set[str]] = {
    "said": set(),
    "lesson": {"said"},
    "live": {"said", "lesson"},
    "sliders": {"said", "lesson"},
    "faces": {"said", "lesson"},
    "write": {"said"},
    "grow": {"said"},
    "family": {"said"},
    "inside": {"said", "lesson"},
    "plane": {"said"},
    "room": {"said", "lesson", "shell"},
    "demos": {"said"},
    "shell": {"said", "lesson", "inside", "room", "demos"},
}
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


def rooms(path: Path, base: str) -> set[str]:
    """The rooms under a package that a file imports."""
    depth = base.count(".") + 1
    return {name.split(".")[depth] for name in imported(path) if name.startswith(base + ".")}


@pytest.mark.parametrize("room", sorted(PLAN))
def test_a_room_imports_those_below_and_no_other(room):
    for path in (ROOT / "studio" / room).rglob("*.py"):
        assert rooms(path, "studio") - {room} <= PLAN[room], path.relative_to(ROOT)


@pytest.mark.parametrize("step", sorted(STAIRS))
def test_the_ground_floor_has_stairs_that_lead_down(step):
    ours = rooms(ROOT / "studio" / f"{step}.py", "studio")
    assert ours <= STAIRS[step] | BELOW.get(step, set())


def test_the_plan_knows_every_room_and_has_no_circle():
    there = {path.parent.name for path in (ROOT / "studio").glob("*/__init__.py")}
    assert there == set(PLAN)
    assert {path.stem for path in (ROOT / "studio").glob("*.py")} == set(STAIRS) | {"__init__", "__main__"}
    assert {path.name for path in (ROOT / "pages" / "parts").iterdir() if any(path.glob("*.py"))} == set(PARTS)
    for plan in (PLAN, STAIRS):
        left = {name: below & set(plan) for name, below in plan.items()}
        while left:
            lowest = {name for name, below in left.items() if not below & set(left)}
            assert lowest, f"a circle among {sorted(left)}"
            left = {name: below for name, below in left.items() if name not in lowest}


@pytest.mark.parametrize("room", sorted({*PLAN, *(path.parent.name for path in (ROOT / "studio").glob("*/*.py"))}))
def test_each_room_says_what_it_is_for(room):
    doc = ast.get_docstring(ast.parse((ROOT / "studio" / room / "__init__.py").read_text(encoding="utf-8")))
    assert doc
    assert len(doc.splitlines()) <= 20


@pytest.mark.parametrize(
    "path", sorted((ROOT / "studio" / "gans").rglob("*.py")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_a_gan_imports_no_other_gan(path):
    own = path.parent.name
    others = {name.split(".")[2] for name in imported(path) if name.startswith("studio.gans.")}
    assert others <= {own}
    if path.name == "paper.py":  # what is projected knows neither its demo nor the authors' files
        above = (f"studio.gans.{own}.demo", f"studio.gans.{own}.official")
        assert not any(name.startswith(above) for name in imported(path))


@pytest.mark.parametrize("path", sorted((ROOT / "studio").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_backend_knows_no_front_end(path):
    tops = {name.split(".")[0] for name in imported(path)}
    allowed = {"starlette"} if path.parent.name == "web" else set()
    assert not tops & (ABOVE - allowed)


@pytest.mark.parametrize("room", sorted(PARTS))
def test_a_part_of_the_pages_imports_those_below_and_no_other(room):
    for path in (ROOT / "pages" / "parts" / room).rglob("*.py"):
        assert rooms(path, "pages.parts") - {room} <= PARTS[room], path.relative_to(ROOT)


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
