"""The README.md of a checkpoint on the Hub: what it is, how to use it, what it was trained on, its figures and limits.

Everything in it is read off the checkpoint's card and the GAN's own file. Texts of a card are written so that they
stay texts: neither HTML nor Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from studio import registry
from studio.base import BaseGAN, Words
from studio.images import Picture
from studio.markdown import plain
from studio.verbs import Verb, verbs

LIBRARY = "gan-studio"
# Licences that the Hub has a name for, as cards say them; any other goes into a file LICENSE, word for word.
LICENCES = {"mit": "mit", "cc0": "cc0-1.0", "cc0-1.0": "cc0-1.0", "cc-by-4.0": "cc-by-4.0", "apache-2.0": "apache-2.0"}
DATASETS = {
    "torchvision:MNIST": "ylecun/mnist",
    "real:digits": "ylecun/mnist",
    "torchvision:FashionMNIST": "zalando-datasets/fashion_mnist",
    "torchvision:CIFAR10": "uoft-cs/cifar10",
}


def readme(card: Mapping[str, Any], repo: str, shown: Sequence[str]) -> str:
    """The whole file.

    Args:
        card: the checkpoint's.
        repo: where it goes, ``owner/name``.
        shown: the pictures that are beside it.
    """
    about = registry.gan(card["gan"]).about
    parts = [f"---\n{_metadata(card)}\n---", f"# {plain(_said(card['title'], 'en'))}", *_head(card, shown)]
    parts += ["## Use it", *_use(card, repo)]
    parts += ["## What it was trained on", *_trained(card)]
    if table := _figures(card.get("figures") or {}):
        parts += ["## Figures", table, "Measured on pictures that were held out of the training."]
    parts += ["## Limits / 한계", *_both(card.get("limits", "Not measured."))]
    parts += ["## Licence / 사용 조건", *_both(licence(card))]
    if examples := [name for name in card.get("examples", []) if name in shown]:
        parts += ["## Examples to try it on", " ".join(f"![{name}]({name})" for name in examples)]
    parts += ["## The paper", f"{plain(about.paper)} <{about.link}>"]
    return "\n\n".join(parts) + "\n"


def licence(card: Mapping[str, Any]) -> str | Words:
    """What the card says of it."""
    return card.get("licence") or "No licence is stated."


def licence_id(card: Mapping[str, Any]) -> str:
    """The Hub's name of the licence; ``other`` = it has none."""
    said = licence(card)
    return LICENCES.get(said.strip().lower(), "other") if isinstance(said, str) else "other"


def _metadata(card: Mapping[str, Any]) -> str:
    named = licence_id(card)
    source = str((card.get("origin") or {}).get("data", ""))
    datasets = [known for part in source.split("+") if (known := DATASETS.get(part))]
    return ModelCardData(
        language=["en", "ko"],
        license=named,
        license_name="as-stated" if named == "other" else None,
        license_link="LICENSE" if named == "other" else None,
        library_name=LIBRARY,
        pipeline_tag=pipeline(registry.gan(card["gan"])),
        datasets=datasets or None,
        tags=[LIBRARY, "gan", card["gan"].replace("_", "-")],
    ).to_yaml()


def pipeline(kind: type[BaseGAN]) -> str | None:
    """The Hub's word for what the GAN does, read off its first verb's signature."""
    verb = next(iter(verbs(kind).values()))
    if verb.returns is not Picture:
        return None
    takes = any(argument.is_file and argument.required for argument in verb.arguments.values())
    return "image-to-image" if takes else "unconditional-image-generation"


def _head(card: Mapping[str, Any], shown: Sequence[str]) -> Iterator[str]:
    about = registry.gan(card["gan"]).about
    yield f"A checkpoint of **{plain(about.title)}** ({about.year}) for the GAN studio. {plain(about.idea['en'])}"
    yield f"{plain(_said(card['title'], 'ko'))}: {plain(about.idea['ko'])}"
    if "preview.webp" in shown:
        yield "![What it makes](preview.webp)"


def _use(card: Mapping[str, Any], repo: str) -> Iterator[str]:
    verb = next(iter(verbs(registry.gan(card["gan"])).values()))
    given = ", ".join(f'"{a.name}.png"' if a.is_file else f"{a.name}=…" for a in _needed(verb))
    shell = " ".join(f"{a.name}.png" if a.is_file else "…" for a in _needed(verb))
    yield (
        f'```python\nimport studio\n\nmade = studio.load("hub:{repo}").{verb.name}({given})\n```\n\n```\n'
        f"python -m studio {card['gan']} {verb.name}{' ' + shell if shell else ''} out.png --tag hub:{repo}\n```"
    )
    yield (
        "The weights are safetensors; nothing in this repo is executed. Their checksums are in `card.json`, and are "
        "compared before the weights are used."
    )


def _needed(verb: Verb) -> list[Any]:
    return [argument for argument in verb.arguments.values() if argument.required]


def _trained(card: Mapping[str, Any]) -> Iterator[str]:
    origin = card.get("origin") or {}
    before = origin.get("before", [])
    for k, each in enumerate([*before, origin], 1):
        facts = [
            (name, each[name]) for name in ("data", "steps", "pictures", "minutes", "device", "file") if name in each
        ]
        said = ", ".join(f"{name} {plain(f'{v:,}' if isinstance(v, int) else v)}" for name, v in facts)
        stage = f"Stage {k} of {len(before) + 1}: " if before else ""
        yield f"{stage}{said or 'nothing is known of it'}."
    if command := origin.get("command"):
        yield "```\n" + str(command).replace("`", "'") + "\n```"
    if held := card.get("held_out"):
        yield f"{len(held):,} pictures were held out of it; `card.json` names them."
    size = card["config"].get("size")
    files = ", ".join(f"{name} {facts['bytes'] / 1e6:.1f} MB" for name, facts in card["files"].items())
    yield f"{f'{size} x {size} pixels; ' if size else ''}{files}. All settings are in `card.json`."


def _figures(figures: Mapping[str, Any]) -> str:
    """A table; "" = nothing was measured."""
    rows = {name: row for name, row in figures.items() if isinstance(row, Mapping)}
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    if not rows:
        return ""
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(_cell(row.get(column)) for column in columns)] for name, row in rows.items()]
    text = "\n".join("| " + " | ".join(c if c == "---" else plain(c) for c in line) + " |" for line in lines)
    others = [f"{plain(name)} {plain(_cell(value))}" for name, value in figures.items() if name not in rows]
    return text + ("\n\n" + ", ".join(others) + "." if others else "")


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _said(words: str | Words, language: str) -> str:
    return words if isinstance(words, str) else words.get(language) or words.get("en") or ""


def _both(words: str | Words) -> Iterator[str]:
    for language in ("en", "ko") if isinstance(words, Mapping) else ("en",):
        yield plain(_said(words, language))


def licence_text(card: Mapping[str, Any]) -> str:
    """The words of a licence that the Hub has no name for."""
    said = licence(card)
    return "\n\n".join(_said(said, each) for each in (("en", "ko") if isinstance(said, Mapping) else ("en",))) + "\n"


def pictures_beside(folder: Path, card: Mapping[str, Any]) -> list[str]:
    """The pictures of a checkpoint's folder that its card lists, and the preview."""
    from studio.hub.foreign import pictures

    return [name for name in ["preview.webp", *pictures(card)] if (folder / name).is_file()]
