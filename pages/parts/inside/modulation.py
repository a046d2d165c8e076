"""Look inside SPADE: gamma and beta of each layer for the drawing, and canvases of one label in two kinds of nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.told import storage_of
from pages.parts.said.words import table

_modulation = component("inside/modulation")


def modulation(
    gan: str,
    tag: str,
    *,
    storage: str,
    layers: bool,
    baseline: str,
    canvases: Sequence[Mapping[str, Any]],
    seed: int | None = None,
    examples: Sequence[Mapping[str, str]] = (),
    words: str,
) -> None:
    """Mounts it; the drawing is the one that `live` keeps under the same ``storage``.

    Args:
        layers: whether the checkpoint modulates its layers by the label map at all.
        baseline: a checkpoint whose labels are its input only, to compare with; "" = there is none.
        canvases: the labels for one-label canvases, ``{"id", "name", "colour"}``.
        seed: the style of the one-label canvases; None = the mean style.
        words: the section of the catalogue with what it says.
    """
    _modulation(
        key=f"modulation-{gan}",
        data={
            "gan": gan, "tag": tag, "page": gan, "storage": storage_of(gan, storage), "layers": layers,
            "baseline": baseline if baseline != tag else "", "canvases": [dict(each) for each in canvases],
            "seed": seed,
            "examples": list(examples), "words": table(words), "hide": sorted(address.hidden()),
        },
    )  # fmt: skip
