"""The networks of a GAN as a drawing: who gets what, who gives what, and what shape it has on the way.

`About.diagram` says how data flows, ``words.toml`` under [diagram] what each symbol is. The shapes are nobody's claim:
the networks are run once (`stages`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from pages.parts.said.words import book, said, word
from pages.parts.shell.stages import Network, Shape, Step, networks, steps
from studio import registry

ROW, LINE, HEAD, WIDE, ARCS, GAP, APART, BAR = 19, 17, 48, 194, 26, 30, 18, 46  # pixels
SYMBOL, TEXT = 16, 13  # sizes of type
Part = list[Any]  # [tag, attributes, text or parts]


@dataclass
class Item:
    """A box (of a step) or a chip (of a symbol), and its place; x, y = its left upper corner."""

    name: str
    width: float
    height: float
    step: Step | None = None
    network: Network | None = None  # None = it is drawn already
    lines: Sequence[str] = ()
    otherwise: bool = False  # a chip that may stand for the one above it
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def entry(self, y: float) -> float:
        """Where a line at this height meets its side."""
        return min(max(y, self.y + 12), self.y + self.height - 12)


def diagram(gan: str, config: Any) -> dict[str, Any] | None:
    """The drawing in the visitor's language, as ``networks.js`` puts it together: its size, its label, and its parts,
    ``[tag, attributes, text or parts]`` of SVG each. None = the GAN declares none."""
    found = networks(gan, config)
    taken = [
        _fitting(step, found[step.network]) for step in steps(registry.gan(gan).about.diagram) if step.network in found
    ]
    if not taken:
        return None
    columns = _columns(gan, taken, found)
    width, height = _placed(columns)
    parts = [*_lines(columns), *(part for column in columns for item in column for part in _item(gan, item))]
    label = "; ".join(_sentence(gan, step) for step in taken)
    return {"width": math.ceil(width), "height": math.ceil(height), "label": label, "parts": parts}


def _fitting(step: Step, network: Network) -> Step:
    """Without what this checkpoint's network is not given: a SPADE without styles has no z."""
    return step._replace(inputs=step.inputs[: len(network.takes)]) if network.takes else step


def _sentence(gan: str, step: Step) -> str:
    given = " + ".join(f" {word('studio.read.or')} ".join(choice) for choice in step.inputs)
    return f"{given} → {title(gan, step.network)} → {', '.join(step.outputs)}"


def title(gan: str, network: str) -> str:
    """A network by its name for people."""
    own, shared = book(gan).get("diagram", {}).get(network), book("studio")["read"]["players"].get(network)
    return said(own or shared or network)


def _columns(gan: str, taken: Sequence[Step], found: Mapping[str, Network]) -> list[list[Item]]:
    """Chips, boxes, chips, boxes … chips, from the left."""
    made: dict[str, int] = {}  # symbol -> the column of boxes that makes it
    places = []
    for step in taken:
        places.append(1 + max((made[s] for s in step.symbols if s in made), default=-1))
        made |= dict.fromkeys(step.outputs, places[-1])
    columns: list[list[Item]] = []
    for k in range(max(places) + 2):
        chips: dict[str, Item] = {}
        for step, place in zip(taken, places, strict=True):
            shapes = found[step.network]
            if place == k:
                for j, choice in enumerate(step.inputs):
                    for i, symbol in enumerate(choice):
                        shape = shapes.takes[j] if j < len(shapes.takes) else None
                        chips.setdefault(symbol, _chip(gan, symbol, shape, i > 0))
        for step, place in zip(taken, places, strict=True):
            if place == k - 1:
                for j, symbol in enumerate(step.outputs):
                    gives = found[step.network].gives
                    chips.setdefault(symbol, _chip(gan, symbol, gives[j] if j < len(gives) else None))
        columns.append(list(chips.values()))
        boxes = [_box(step, found[step.network]) for step, place in zip(taken, places, strict=True) if place == k]
        columns += [boxes] if boxes else []
    return columns


def _chip(gan: str, symbol: str, shape: Shape | None, otherwise: bool = False) -> Item:
    says = said(book(gan).get("diagram", {}).get(symbol, ""))
    lines = [line for line in (says, "" if shape is None else _written(shape)) if line]
    width = 20 + max(_width(symbol, SYMBOL), *(_width(line, TEXT) for line in lines), 36)
    return Item(symbol, width, 36 + LINE * len(lines), lines=lines, otherwise=otherwise)


def _box(step: Step, network: Network) -> Item:
    if step.again:
        return Item(step.network, WIDE, HEAD + 6, step)
    wide = WIDE + (ARCS if network.skips else 0)
    return Item(step.network, wide, HEAD + ROW * len(network.stages) + 10, step, network)


def _placed(columns: Sequence[Sequence[Item]]) -> tuple[float, float]:
    """Gives every item its place; returns the size of the whole."""

    def gap(item: Item) -> float:
        return APART + (12 if item.otherwise else 0)

    heights = [sum(i.height for i in c) + sum(gap(i) for i in c[1:]) for c in columns]
    tallest, x = max(heights), 2.0
    for column, height in zip(columns, heights, strict=True):
        wide, y = max(item.width for item in column), (tallest - height) / 2 + 2
        for k, item in enumerate(column):
            y += gap(item) if k else 0
            item.x, item.y = x + (wide - item.width) / 2, y
            y += item.height
        x += wide + GAP
    return x - GAP + 2, tallest + 4


def _lines(columns: Sequence[Sequence[Item]]) -> Iterator[Part]:
    """The arrows from chips to boxes and from boxes to chips."""
    for left, right in pairwise(columns):
        for a, b in product(left, right):
            if a.step and b.name in a.step.outputs:
                yield from _arrow(a.x + a.width, a.entry(b.middle), b.x - 2, b.middle)
            elif b.step and a.name in b.step.symbols:
                yield from _arrow(a.x + a.width, a.middle, b.x - 2, b.entry(a.middle))


def _arrow(x1: float, y1: float, x2: float, y2: float) -> Iterator[Part]:
    bend = (x2 - x1) * 0.55
    yield _path(
        "line", f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - 6 - bend:.1f} {y2:.1f} {x2 - 6:.1f} {y2:.1f}"
    )
    yield _path("tip", f"M{x2:.1f} {y2:.1f}l-8 -4.5v9z")


def _item(gan: str, item: Item) -> Iterator[Part]:
    if item.step is None:
        yield from _drawn_chip(item)
        return
    kind = "maker" if item.name in registry.gan(gan).demo else "judge"
    yield _rect(kind, item.x, item.y, item.width, item.height)
    network = item.network
    below = word("studio.read.weights", n=f"{network.weights:,}") if network else word("studio.read.again")
    yield _text(item.x + 12, item.y + 21, title(gan, item.name), "name")
    yield _text(item.x + 12, item.y + 38, below, "small")
    if network:
        yield from _stages(item, network)


def _drawn_chip(item: Item) -> Iterator[Part]:
    x, y = item.x + item.width / 2, item.y + 24
    yield _rect("chip", item.x, item.y, item.width, item.height)
    if item.otherwise:
        yield _text(x, item.y - 11, word("studio.read.or"), "small middle")
    yield _text(x, y, item.name, "symbol middle")
    for line in item.lines:
        y += LINE
        yield _text(x, y, line, "says middle")


def _stages(item: Item, network: Network) -> Iterator[Part]:
    arcs = ARCS if network.skips else 0
    left, right = item.x + 12 + arcs, item.x + item.width - 12
    middle, most = (
        left + 0.56 * (right - left),
        max((max(s.gives[1:]) for s in network.stages if len(s.gives) == 3), default=0),
    )
    at = [item.y + HEAD + ROW * k for k in range(len(network.stages))]
    for stage, y in zip(network.stages, at, strict=True):
        if len(stage.gives) == 3 and most > 1:  # as wide as its maps, in doublings
            wide = BAR * (0.1 + 0.9 * math.log2(max(stage.gives[1:])) / math.log2(most))
            yield _rect("bar", middle - wide / 2, y + 1.5, wide, ROW - 3, 3)
        yield _text(left, y + 14, stage.name, "stage")
        yield _text(right, y + 14, _written(stage.gives), "stage end")
    for a, b in network.skips:
        bulge = 4 + (ARCS - 4) * (b - a) / len(network.stages)
        y, z = at[a] + ROW / 2, at[b] + ROW / 2
        way = f"C{left - bulge * 1.25:.1f} {y:.1f} {left - bulge * 1.25:.1f} {z:.1f} {left - 4:.1f} {z:.1f}"
        yield _path("skip", f"M{left - 4:.1f} {y:.1f}{way}")


def _rect(kind: str, x: float, y: float, width: float, height: float, round_by: float = 10) -> Part:
    place = {"x": x, "y": y, "width": width, "height": height, "rx": round_by}
    return ["rect", {"class": kind} | {name: round(value, 1) for name, value in place.items()}, ""]


def _path(kind: str, way: str) -> Part:
    return ["path", {"class": kind, "d": way}, ""]


def _text(x: float, y: float, text: str, kind: str) -> Part:
    """A line of text; in a symbol, what follows a _ stands lower: D_src."""
    place = {"class": kind, "x": round(x, 1), "y": round(y, 1)}
    if "symbol" not in kind:
        return ["text", place, text]
    pieces = re.split(r"_(\w+)", text.replace("'", "′"))
    return [
        "text",
        place,
        [["tspan", {"class": "sub", "dy": 4} if k % 2 else {}, each] for k, each in enumerate(pieces) if each],
    ]


def _written(shape: Shape) -> str:
    """``(24, 64, 64)`` -> "24 × 64²"."""
    if len(shape) == 3 and shape[1] == shape[2]:
        return f"{shape[0]:,} × {shape[1]}²"
    return " × ".join(f"{n:,}" for n in shape) or "1"


def _width(text: str, size: float) -> float:
    """About how wide it is: a Hangul syllable is as wide as it is high, a Latin letter about half."""
    return size * sum(0.95 if ord(letter) > 0x2E7F else 0.51 for letter in text)
