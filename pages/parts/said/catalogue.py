"""The GANs that the studio can show: those in the folder. Nothing is listed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pages.parts.said.words import book, said
from studio import registry
from studio.base import About
from studio.data import real

PAGES = Path(__file__).parents[2]
FIRST = "pix2pix"  # what a first visitor tries, and what is loaded before anybody asks


@dataclass(frozen=True)
class Shown:
    """A GAN with its page, or with the sentence that says why it can't be shown."""

    name: str
    about: About | None
    trouble: str = ""

    @property
    def page(self) -> Path:
        return PAGES / f"{self.name}.py"


def gans() -> list[Shown]:
    """Every folder in studio/gans, in the order of a course: oldest paper first, and of one year those first that need
    less read before. One that doesn't load is named and takes nobody down with it."""
    found = []
    for name in registry.names():
        try:
            found.append(Shown(name, registry.gan(name).about))
        except Exception as error:  # a student's unfinished file: anything may be wrong with it
            found.append(Shown(name, None, f"{type(error).__name__}: {error}"))
    course = registry.course({shown.name: shown.about for shown in found if shown.about})
    return sorted(found, key=lambda shown: course.index(shown.name) if shown.about else len(found))


@dataclass(frozen=True)
class Relative:
    """A GAN in the family: who it comes from ("" = nobody here), the one sentence that changed, and its idea in a word
    or two; both ``{"en", "ko"}``."""

    shown: Shown
    parent: str
    change: dict[str, str]
    idea: dict[str, str]


def family() -> list[Relative]:
    """Every GAN that loads, in the order of a course, each after its parent: that is the first of those under [family]
    in its ``words.toml`` that is here; if it says nothing of the kind, of those that it asks to be read before."""
    known = {each.name: each for each in gans() if each.about}
    parents: dict[str, str] = {}
    for name, shown in known.items():
        told = book(name).get("family", {}).get("from", {})
        wished = [*told, *shown.about.read_before]
        parents[name] = next((each for each in wished if each in known and name not in _line(each, parents)), "")
    found: dict[str, Relative] = {}
    for name in sorted(known, key=lambda name: len(_line(name, parents))):  # stable: within a depth, the course's order
        told, parent = book(name).get("family", {}), parents[name]
        change = told.get("from", {}).get(parent) or (known[name].about.idea if parent else {})
        none = {"en": "", "ko": ""}
        idea = told.get("idea") or (found[parent].idea if parent else none)
        found[name] = Relative(known[name], parent, change or none, idea)
    return list(found.values())


def _line(name: str, parents: dict[str, str]) -> list[str]:
    """A GAN, its parent, and so on up."""
    found = [name]
    while parents.get(found[-1]):
        found.append(parents[found[-1]])
    return found


def pages_of(names: Sequence[str], but: str = "") -> list[dict[str, str]]:
    """``{"gan", "title"}`` of those of the GANs that have a page, without one of them."""
    there = {each.name: each.about.title for each in gans() if each.about and each.page.exists()}
    return [{"gan": name, "title": there[name]} for name in names if name in there and name != but]


def set_named(source: str) -> str:
    """What a set of the studio's own is called: drawn (``toy:shoes``), by a visitor (``points:…``), or built in
    (``real:digits``)."""
    kind, _, name = source.partition(":")
    if kind == "real":
        return said(real.about(name)["title"])
    known = book("train")["toys"].get("points" if kind == "points" else name)
    return said(known) if known else name


def set_names() -> dict[str, str]:
    """All their names, as the training room's scripts look them up: drawn ones by name, built-in ones by source."""
    drawn = {name: said(words) for name, words in book("train")["toys"].items()}
    return drawn | {f"real:{name}": said(real.about(name)["title"]) for name in real.names()}


def licences(sources: Sequence[str]) -> list[str]:
    """Whose the built-in sets among them are: a sentence each, with the set's name before it."""
    there = [source for source in sources if source.startswith("real:")]
    return [f"{set_named(source)}: {said(real.about(source[5:])['licence'])}" for source in there]
