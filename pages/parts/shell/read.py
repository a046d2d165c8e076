"""Read a GAN: its formulas, the training step as code, the checkpoint's card, and the whole source."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from html import escape
from importlib import import_module
from typing import Any, NamedTuple

import streamlit as st

import studio
from pages.parts.inside.figures import figure, figures_table
from pages.parts.said import catalogue
from pages.parts.said.words import book, said, word
from pages.parts.shell.picker import title
from studio.markdown import plain


class Piece(NamedTuple):
    """A stretch of source: a class, a function, or what stands between them."""

    name: str  # "" = no heading of its own
    first: int  # line, from 1
    code: str


def read(gan: str, card: dict[str, Any] | None) -> None:
    """The Read tab of any GAN; ``card`` is the chosen checkpoint's, None = there is none."""
    kind = studio.gan(gan)
    source = inspect.getsource(import_module(f"studio.gans.{gan}.paper"))
    _objective(kind, source)
    if card:
        _card(card)
    _source(gan, source)


# ---- formulas beside code -------------------------------------------------------------------------------------------


def _objective(kind: Any, source: str) -> None:
    about = kind.about
    st.markdown(f"**{word('studio.read.paper')}**: {about.paper} [{about.link.removeprefix('https://')}]({about.link})")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(word("studio.read.objective"), anchor="objective")
        for player, formula in about.objective.items():
            known = book("studio")["read"]["players"].get(player)
            st.markdown(f"**{said(known) if known else player}**")
            st.latex(formula, width="content")
    with right:
        st.subheader(word("studio.read.terms"), anchor="terms")
        for name, term in about.terms.items():
            st.markdown(f"`{name}` $\\;=\\;{term.formula}$  \n{said(term.says)}")
    st.subheader(word("studio.read.step"), anchor="train-step")
    with st.container(key="step"):
        st.code(step(source), language="python")
    for when, names in (("before", about.read_before), ("next", about.read_next)):
        if names:
            st.markdown(f"**{word(f'studio.read.{when}')}**: {', '.join(map(_called, names))}")


def _called(name: str) -> str:
    """A GAN's title, linked if its page is here."""
    found = next((each for each in catalogue.gans() if each.name == name and each.about), None)
    return f"[{found.about.title}](/{name})" if found and found.page.exists() else name.replace("_", " ")


def step(source: str) -> str:
    """The source of ``train_step``, without its indent."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == "train_step":
            lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
            return "\n".join(line[node.col_offset :] for line in lines)
    return ""


# ---- the card -------------------------------------------------------------------------------------------------------


def _card(card: dict[str, Any]) -> None:
    st.subheader(f"{word('studio.read.card')}: {plain(title(card))}", anchor="card")
    left, right = st.columns([5, 7], gap="large")
    with left:
        for name, text in _facts(card):
            st.markdown(f"**{word(f'studio.read.{name}')}**  \n{plain(text)}")
        if command := card.get("origin", {}).get("command"):
            st.markdown(f"**{word('studio.read.command')}**")
            st.code(command, language="bash", wrap_lines=True)
    with right:
        figures_table(card.get("figures") or {}, card["gan"])
        st.markdown(f"**{word('studio.read.config')}**")
        st.html(_settings(card))
        st.caption(word("studio.read.configNote"))


def _facts(card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    origin = card.get("origin") or {}
    if origin:
        shown = ("kind", "data", "run", "steps", "minutes", "device", "file", "url", "hub")
        yield "origin", " · ".join(_fact(name, origin[name]) for name in shown if name in origin)
    if "licence" in card:
        yield "licence", said(card["licence"])
    if "limits" in card:
        yield "limits", said(card["limits"])
    if card.get("held_out"):
        yield "held", word("studio.read.heldCount", n=len(card["held_out"]))
    yield "size", f"{card['config'].get('size', '?')} × {card['config'].get('size', '?')} px"
    yield "weight", ", ".join(f"{name} {facts['bytes'] / 1e6:.1f} MB" for name, facts in card["files"].items())


def _fact(name: str, value: Any) -> str:
    """One fact of an origin, with its name: ``steps 2,033``."""
    known = book("studio")["read"]["facts"]
    if name == "kind" and value in known:
        return said(known[value])
    if name == "data" and value.partition(":")[0] in ("toy", "real", "points"):
        value = catalogue.set_named(value)
    if name == "device":
        value = re.sub(r", (\d+) threads", lambda found: ", " + word("studio.read.threads", n=found[1]), value)
    return word(f"studio.read.facts.{name}", value=_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _settings(card: dict[str, Any]) -> str:
    """The config as small cells; what differs from the paper's default stands out."""
    defaults = {name: field.default for name, field in studio.gan(card["gan"]).Config.__dataclass_fields__.items()}
    cells = []
    for name, value in card["config"].items():
        kind = "" if value == defaults.get(name) else "own"
        cells.append(f"<span class='{kind}'>{escape(name)} <b>{escape(figure(value))}</b></span>")
    return f"<div class='studio-settings'>{''.join(cells)}</div>"


# ---- the source -----------------------------------------------------------------------------------------------------


def pieces(source: str) -> list[Piece]:
    """The file in its order, cut before each class and function, and inside a long class before each method."""
    tree, lines = ast.parse(source), source.splitlines()
    starts: list[tuple[int, str]] = [(1, "")]
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            starts.append((_first(node, lines), node.name))
            if isinstance(node, ast.ClassDef) and node.end_lineno - node.lineno > 60:
                starts += [
                    (_first(m, lines), f"{node.name}.{m.name}") for m in node.body if isinstance(m, ast.FunctionDef)
                ]
    ends = [first for first, _ in starts[1:]] + [len(lines) + 1]
    return [
        Piece(name, first, "\n".join(lines[first - 1 : end - 1]).rstrip())
        for (first, name), end in zip(starts, ends, strict=True)
    ]


def _first(node: ast.ClassDef | ast.FunctionDef, lines: list[str]) -> int:
    """Its first line: its decorators, and the heading or comments right above, belong to it."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    above = first - 1
    while above > 0 and (not lines[above - 1].strip() or lines[above - 1].lstrip().startswith("#")):
        above -= 1
        if lines[above].strip():
            first = above + 1
    return first


def _source(gan: str, source: str) -> None:
    cut = pieces(source)
    st.subheader(f"{word('studio.read.source')}: `studio/gans/{gan}/paper.py`", anchor="source")
    contents, code = st.columns([1, 5], gap="medium")
    with contents, st.container(key="contents"):
        st.markdown(f"**{word('studio.read.contents')}**")
        st.html(f"<nav>{''.join(_link(piece) for piece in cut if piece.name)}</nav>")
    with code, st.container(key="code"):
        for piece in cut:
            if piece.name:
                name = f"{escape(piece.name)} <small>{piece.first}</small>"
                st.html(f"<h3 id='{_anchor(piece)}' class='studio-piece'>{name}</h3>")
            st.code(piece.code, language="python")


def _anchor(piece: Piece) -> str:
    return "code-" + piece.name.replace(".", "-").replace("_", "-").lower()


def _link(piece: Piece) -> str:
    kind = "inner" if "." in piece.name else ""
    return f"<a href='#{_anchor(piece)}' class='{kind}'>{escape(piece.name.split('.')[-1])}</a>"
