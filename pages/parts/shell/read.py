"""Read a GAN: its idea, its networks as a drawing, the objective term by term, the training step as code, the paper's
figures, the checkpoint's card, and the source, folded."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st

import studio
from pages.parts.inside.figures import figure, figures_table
from pages.parts.said import address, catalogue
from pages.parts.said.mount import component
from pages.parts.said.words import book, said, word
from pages.parts.shell.diagram import diagram
from pages.parts.shell.diagram import title as title_of
from pages.parts.shell.picker import title
from studio.markdown import plain

_drawing = component("shell/networks")


class Piece(NamedTuple):
    """A stretch of source: a class, a function, or what stands between them."""

    name: str  # "" = no heading of its own
    first: int  # line, from 1
    code: str


def read(gan: str, card: dict[str, Any] | None) -> None:
    """The Read tab of any GAN; ``card`` is the chosen checkpoint's, None = there is none."""
    kind = studio.gan(gan)
    config = kind.configured(card["config"]) if card else kind.Config()
    source = inspect.getsource(import_module(f"studio.gans.{gan}.paper"))
    _idea(gan, kind.about)
    _networks(gan, config)
    _objective(gan, config, bool(card))
    st.subheader(word("studio.read.step"), anchor="train-step")
    with st.container(key="step"):
        st.code(step(source), language="python")
    _numbers(gan)
    if card:
        _card(card)
    _source(gan, source)


# ---- the idea, and the networks -------------------------------------------------------------------------------------


def _idea(gan: str, about: Any) -> None:
    st.markdown(f"**{word('studio.read.paper')}**: {about.paper} [{about.link.removeprefix('https://')}]({about.link})")
    before, following = (", ".join(map(_called, names)) for names in (about.read_before, about.read_next))
    ways = [
        f"**{word(f'studio.read.{when}')}**: {names}"
        for when, names in (("before", before), ("next", following))
        if names
    ]
    ways.append(f"[{word('studio.read.family')}](/family?{urlencode({'at': gan, **address.carried()})})")
    st.markdown(" · ".join(ways))
    sentences = said(about.words["about"].get("read", []))
    if sentences:
        st.subheader(word("studio.read.idea"), anchor="idea")
        with st.container(key="idea"):
            st.markdown("\n".join(f"1. {sentence}" for sentence in sentences))


def _networks(gan: str, config: Any) -> None:
    if drawn := diagram(gan, config):
        st.subheader(word("studio.read.networks"), anchor="networks")
        _drawing(key=f"networks-{gan}", data={"drawing": drawn, "page": gan})
        st.caption(word("studio.read.networksNote"))


# ---- the objective: each term beside its meaning and its weight -----------------------------------------------------


def _objective(gan: str, config: Any, trained: bool) -> None:
    about, told = studio.gan(gan).about, book(gan).get("objective", {})
    st.subheader(word("studio.read.objective"), anchor="objective")
    terms = st.container(key="terms")
    for player, formula in about.objective.items():
        terms.markdown(f"**{title_of(gan, player)}**")
        terms.latex(formula, width="content")
        names = told.get("players", {}).get(player, [])
        rows = [_row(about.terms[name], name, config, told) for name in names if _plays(name, about, config, told)]
        if rows:
            heads = ["term", "means", "weight", "paper", *(["here"] if trained else [])]
            lines = [[word(f"studio.read.{head}") for head in heads], ["---"] * len(heads)]
            lines += [row[: len(heads)] for row in rows]
            terms.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if game := about.words["about"].get("game"):
        st.markdown(said(game))


def _plays(name: str, about: Any, config: Any, told: Mapping[str, Any]) -> bool:
    """Whether a term is the paper's, or this checkpoint's; some belong to one game only."""
    weight = about.terms[name].weight
    if any(getattr(config, option) != value for option, value in told.get("when", {}).get(name, {}).items()):
        return False
    return not weight or bool(getattr(config, weight) or getattr(type(config)(), weight))


def _row(term: Any, name: str, config: Any, told: Mapping[str, Any]) -> list[str]:
    """A term: formula, meaning, its weight's name, the paper's value, this checkpoint's."""
    formula = term.formula.replace("|", r"\vert ")  # a bar would end the cell
    symbol = told.get("symbols", {}).get(term.weight)
    field = f"`{term.weight}`" if term.weight else ""
    values = [figure(getattr(each, term.weight)) for each in (type(config)(), config)] if term.weight else ["", ""]
    if term.weight and not getattr(type(config)(), term.weight):
        values[0] = word("studio.read.none")
    called = f"${symbol}$ = {field}" if symbol else field
    return [f"${formula}$", f"{said(term.says)} `{name}`", called, *values]


# ---- the paper's figures --------------------------------------------------------------------------------------------


def _numbers(gan: str) -> None:
    told = book(gan).get("numbers", {})
    tables = [table for table in told.values() if "rows" in table]
    if not told:
        return
    st.subheader(word("studio.read.numbers"), anchor="numbers")
    st.markdown(said(told["says"]))
    for column, table in zip(st.columns(max(len(tables), 2), gap="large"), tables, strict=False):
        with column:
            rows, heads = said(table["rows"]), said(table["columns"])
            cells = {head: [row[k + 1] for row in rows] for k, head in enumerate(heads)}
            st.table({"": [row[0] for row in rows]} | cells, border="horizontal")
            st.caption(said(table["cite"]))


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
    yield "files", ", ".join(f"{name} {facts['bytes'] / 1e6:.1f} MB" for name, facts in card["files"].items())


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
    folded = st.expander(word("studio.read.unfold", n=len(source.splitlines())), icon=":material/code:")
    contents, code = folded.columns([1, 5], gap="medium")
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
