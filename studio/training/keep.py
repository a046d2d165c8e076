"""What becomes of a run: a checkpoint of one's own to play with, or a zip to take along."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from studio import checkpoints, features, images, measure, registry
from studio.base import BaseGAN
from studio.data.base import DataSet
from studio.guests import owners
from studio.guests.limits import limits
from studio.images import Picture
from studio.places import home
from studio.training.runs import Run


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
    there = {path.parent: path.stat().st_mtime for path in (home() / "checkpoints").glob("*/*/card.json")}
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


LOOKED_AT = 1500  # training pictures among which the nearest are looked for, at most


@torch.no_grad()
def nearest(gan: BaseGAN, data: DataSet, held: Sequence[str] = (), n: int = 8) -> Picture:
    """Whether it copies: a row for each of ``n`` made pictures, beside it the training picture that is nearest by
    pixels, and the one that is nearest to a network that knows pictures (Goodfellow et al. 2014, figure 2, shows the
    first). Without that network there are two columns.

    Args:
        held: names that it was not trained on; what is made is made of these, if it is made of anything.
    """
    aside = set(held)
    seen = [k for k, name in enumerate(data.names) if name not in aside]
    seen = seen[:: max(1, len(seen) // LOOKED_AT)][:LOOKED_AT]
    some = [k for k, name in enumerate(data.names) if name in aside][:n] or seen[:n]
    torch.manual_seed(0)
    made = (
        gan.made([part.to(gan.device) for part in data.batch(some, [None] * len(some))])[0].float().cpu().clamp(-1, 1)
    )
    pictures = torch.cat([data.rows(data.batch([k], [None]))[:, -1] for k in seen])
    columns = [made, pictures[measure.nearest(made, pictures)[1]]]
    if measure.can_see(made):
        side = min(64, made.shape[-1])
        rows = [features.pooled(F.adaptive_avg_pool2d(x, side)) for x in (made, pictures)]
        columns.append(pictures[measure.nearest_features(*rows)[1]])
    return images.sheet([images.to_pictures(row) for row in torch.stack(columns, dim=1)])


def nearest_of(run: Run) -> Picture:
    """The same of a run as it stands.

    Raises:
        ValueError: there is no saved state yet, or its data is gone.
    """
    card, gan = run.card, run.gan()
    data = registry.gan(card["gan"]).Data(card["data"], gan.config)
    data.recall(card.get("facts") or {})
    return nearest(gan, data, card.get("held_out") or [])


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
