"""Look inside a StarGAN: the planes that enter it, its mask vector, there and back, k(k-1) networks against one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import studio
from pages.parts.said import address
from pages.parts.said.mount import component
from pages.parts.said.words import table
from studio.checkpoints import has_judge

_masks = component("inside/masks")


def masks(card: Mapping[str, Any], labels: Any, names: Mapping[str, str]) -> None:
    """Mounts it; the face is the one that `sliders` holds on the Play tab.

    Args:
        labels: the checkpoint's names, sets and groups (`studio.data.Labels`).
        names: label -> its name for people.
    """
    gan, kind = card["gan"], studio.gan(card["gan"])
    config = kind.configured(card["config"])
    base, each = kind.parameters_of(config)
    paper_base, paper_each = kind.parameters_of(kind.Config())
    words = table("stargan.look")
    if config.told == "norms":
        words["planesText"] += " " + words["toldText"]
    _masks(
        key=f"masks-{gan}",
        data={
            "gan": gan, "tag": card["tag"], "page": gan, "desk": f"{gan}/sliders", "size": config.size,
            "sets": [[labels.names[k] for k in places] for places in labels.sets],
            "excludes": [[labels.names[k] for k in group] for group in labels.groups],
            "names": dict(names), "judged": has_judge(card),
            "words": words, "hide": sorted(address.hidden()),
            "counts": {
                "width": config.width, "base": base, "each": each, "paperBase": paper_base, "paperEach": paper_each,
                "labels": len(labels.names),
            },
        },
    )  # fmt: skip
