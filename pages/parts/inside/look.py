"""Look inside a GAN with a patch discriminator: its verdicts over the picture, and the drawing through another verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.told import storage_of
from pages.parts.said.words import table

_look = component("inside/look")


def look(
    gan: str,
    tag: str,
    *,
    verb: str,
    field: str,
    storage: str,
    judge: bool,
    other: str = "",
    examples: Sequence[Mapping[str, str]] = (),
    words: str,
) -> None:
    """Mounts it; the drawing is the one that `live` keeps under the same ``storage``.

    Args:
        verb, field: how a picture is made of the drawing.
        judge: whether the checkpoint has its discriminator.
        other: a verb whose picture is shown beside; ``""`` = none.
        words: the section of the catalogue with what it says.
    """
    _look(
        key=f"look-{gan}",
        data={
            "gan": gan, "tag": tag, "page": gan, "verb": verb, "field": field, "storage": storage_of(gan, storage),
            "judge": judge, "other": other, "examples": list(examples), "words": table(words),
            "lang": address.language(),
        },
    )  # fmt: skip
