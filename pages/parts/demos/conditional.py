"""What the Play tab of the conditional GAN shows: what is typed is written."""

from __future__ import annotations

from typing import Any

from studio.data import labels_of as read_labels

GAN, PART, TAB = "conditional", "write", "write"
BEGIN = {"0": "2026", "가": "가나다"}  # what is written at first, by the first label; else the first labels themselves


def labels_of(card: dict[str, Any]) -> tuple[str, ...]:
    """What the checkpoint can be asked for."""
    return read_labels(card["config"]["labels"]).names


def play(card: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `told.write`."""
    labels = labels_of(card)
    begin = BEGIN.get(labels[0], "")
    between = " " if any(len(label) > 1 for label in labels) else ""
    text = begin if set(begin) <= set(labels) and begin else between.join(labels[:4])
    return {"labels": labels, "text": text, "words": "conditional.write"}
