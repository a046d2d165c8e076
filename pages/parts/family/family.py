"""All GANs as a tree: who comes from whom, and the one thing that changed. Lists in lists, drawn by the style sheet: a
screen reader, a keyboard and a phone get the same tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from pages.parts.said import address, catalogue
from pages.parts.said.catalogue import Relative
from pages.parts.said.words import said, word

COLOURS = 9  # of ideas, in family.css


def family(at: str = "") -> None:
    """Draws it.

    Args:
        at: the GAN that the visitor comes from; it is marked.
    """
    st.html(Path(__file__).with_suffix(".css"))
    st.html(tree(catalogue.family(), at, address.carried()))


def tree(relatives: Sequence[Relative], at: str = "", carried: Mapping[str, str] | None = None) -> str:
    """The markup in the visitor's language. carried: the parameters that its links take along."""
    ideas = list(dict.fromkeys(said(each.idea) for each in relatives if said(each.idea)))
    children: dict[str, list[Relative]] = {}
    for each in relatives:
        children.setdefault(each.parent, []).append(each)

    def depth(name: str) -> int:
        return 1 + max((depth(each.shown.name) for each in children.get(name, ())), default=0)

    def several(parent: str) -> str:
        rows = "".join(
            f"<li>{_node(each, ideas, at, carried or {})}{several(each.shown.name)}</li>"
            for each in children.get(parent, ())
        )
        return f"<ul>{rows}</ul>" if rows else ""

    legend = "".join(f"<li class='idea {_colour(ideas, idea)}'>{escape(idea)}</li>" for idea in ideas)
    return (
        f"<div class='family' style='--deep: {depth('') - 1}'>"
        f"<ul class='legend' aria-label='{escape(word('studio.family.ideas'), quote=True)}'>{legend}</ul>"
        f"<nav aria-label='{escape(word('studio.family.title'), quote=True)}'>{several('')}</nav></div>"
    )


def _node(each: Relative, ideas: Sequence[str], at: str, carried: Mapping[str, str]) -> str:
    about, idea, change = each.shown.about, said(each.idea), said(each.change)
    name = f"<b>{escape(about.title)}</b> <small>{about.year}</small>"
    if each.shown.page.exists():
        query = f"?{urlencode(carried)}" if carried else ""
        name = f"<a href='{escape(each.shown.name + query, quote=True)}'>{name}</a>"  # beside this page, at any base
    here = " aria-current='true'" if each.shown.name == at else ""
    says = f"<p>{escape(change or said(about.idea))}</p>"
    tag = f"<span class='idea'>{escape(idea)}</span>" if idea else ""
    return f"<article class='{_colour(ideas, idea)}'{here}>{name}{says}{tag}</article>"


def _colour(ideas: Sequence[str], idea: str) -> str:
    return f"idea-{ideas.index(idea) % COLOURS}" if idea in ideas else "idea-none"
