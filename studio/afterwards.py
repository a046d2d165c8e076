"""What becomes of a run: a checkpoint of one's own to play with, or a zip to take along."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from studio import checkpoints, owners
from studio.limits import limits
from studio.runs import Run


def use(run: Run) -> str:
    """Makes a checkpoint of the run as it stands.

    Returns:
        Its tag, made of the run's title; no other checkpoint had it.

    Raises:
        ValueError: there is no saved state yet, or its weights are not finite.
    """
    card = run.card
    owners.check_room()
    if (most := limits().runs) is not None:
        for path in _trained_here()[max(0, most - 1) :]:
            shutil.rmtree(path, ignore_errors=True)
    tag = free_tag(card["gan"], owners.unguessable(_tag(card.get("title") or run.name)[:48]))
    run.keep(tag, _facts(run) | ({"owner": card["owner"]} if "owner" in card else {}), examples=_examples(card))
    return tag


def _trained_here() -> list[Path]:
    """The folders of the checkpoints that were made of runs, the newest first."""
    there = {path.parent: path.stat().st_mtime for path in (checkpoints.home() / "checkpoints").glob("*/*/card.json")}
    trained = [path for path in there if _read_kind(path) == "trained"]
    return sorted(trained, key=there.get, reverse=True)


def _read_kind(folder: Path) -> str:
    try:
        return checkpoints.card(folder.parent.name, folder.name).get("origin", {}).get("kind", "")
    except ValueError:
        return ""


def packed(run: Run) -> bytes:
    """A zip with card and weights, as a checkpoint's folder: unpacked under ``checkpoints/<gan>/`` it is found."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as place:
        folder = kept(run, Path(place))
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
            for path in sorted(folder.iterdir()):
                pack.write(path, f"{folder.name}/{path.name}")
    return out.getvalue()


def kept(run: Run, where: Path) -> Path:
    """The run as it stands as a checkpoint's folder under ``where``; the errors are those of `use`."""
    card = run.card
    return run.keep(_tag(card.get("title") or run.name), _facts(run), where, _examples(card))


def free_tag(gan: str, title: str) -> str:
    """A tag for a title that no checkpoint of the GAN has."""
    tag, taken = _tag(title), set(checkpoints.all_tags(gan))
    return next(each for each in [tag, *(f"{tag[:58]}-{k}" for k in range(2, 9999))] if each not in taken)


def _tag(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "trained-here"


def _facts(run: Run) -> dict[str, Any]:
    card = run.card
    title = card.get("title") or run.name
    return {
        "title": {"en": title, "ko": title},
        "licence": {
            "en": "Trained in the training room: the weights are yours, as far as the pictures were.",
            "ko": "학습실에서 학습했습니다. 학습에 쓴 사진의 권리가 허락하는 만큼 가중치를 쓸 수 있습니다.",
        },
        "limits": {
            "en": "Not measured. It knows nothing but what it was trained on.",
            "ko": "측정하지 않았습니다. 학습한 것 말고는 아무것도 모릅니다.",
        },
    }


def _examples(card: dict[str, Any]) -> list[Path]:
    """The inputs to try it on: those of the checkpoint that it began from."""
    if not card.get("from"):
        return []
    try:
        place = checkpoints.folder(card["gan"], card["from"])
        return [place / name for name in checkpoints.card(card["gan"], card["from"]).get("examples", [])]
    except ValueError:  # deleted since
        return []
