"""A picture and sliders, and what a verb makes of them while a slider is dragged: for any GAN that edits pictures.

    sliders(
        "gated_gan", tag, verb="stylize", field="photo",
        controls=[slider("monet", "Monet", into="gates"), slider("stroke", "Strokes", .5, 3, .1, default=1)],
        presets=[preset("Monet", monet=1)], sums="gates",
    )

Pictures come from the studio's HTTP routes straight to the browser (`sliders.js`), which also keeps all settings in
the address; Streamlit only says which checkpoint, which sliders, which words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts import address, catalogue
from pages.parts.live import component
from pages.parts.pin import pin
from pages.parts.words import table

_sliders = component("sliders")


def slider(
    key: str, label: str, low: float = 0.0, high: float = 1.0, step: float = 0.01, *, default: float = 0.0,
    into: str = "", group: str = "", help: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A number that is dragged.

    Args:
        into: the verb's dictionary argument that it is an entry of (``{"monet": .3}``); "" = it is an argument itself.
        group: a heading over all that share it.
    """
    given = {"key": key, "label": label, "low": low, "high": high, "step": step, "default": default}
    return given | {"into": into, "group": group, "help": help}


def select(
    key: str, label: str, choices: Mapping[Any, str], default: Any, group: str = "", help: str = ""
) -> dict[str, Any]:
    """A choice among few: ``choices`` is value -> its name."""
    listed = [{"value": value, "label": name} for value, name in choices.items()]
    return {"key": key, "label": label, "choices": listed, "default": default, "into": "", "group": group, "help": help}


def preset(label: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A button that sets some controls at once: one click for what takes many drags."""
    return {"label": label, "values": dict(values)}


def sliders(
    gan: str,
    tag: str,
    *,
    verb: str,
    field: str,
    controls: Sequence[Mapping[str, Any]],
    presets: Sequence[Mapping[str, Any]] = (),
    sums: str = "",
    fixed: Mapping[str, Any] | None = None,
    draft: tuple[str, int] | None = None,
    most: int = 2048,
    crop: bool = False,
    sheet: Mapping[str, Any] | None = None,
    starts: Mapping[str, Any] | None = None,
    reads: Mapping[str, Any] | None = None,
    examples: Sequence[Mapping[str, str]] = (),
    sends: Sequence[str] = (),
    words: str = "studio.sliders",
    name: str = "sliders",
) -> None:
    """Mounts it.

    Args:
        verb, field: what is asked, and its argument that takes the picture.
        controls: of `slider` and `select`.
        presets: of `preset`.
        sums: the dictionary argument whose sliders' sum is shown, in the words ``sumOver, sumOne, sumUnder``.
        fixed: further arguments, always the same.
        draft: (a control's key, a number): while something moves, that control is this small.
        most: pixels of the longer side that are sent, at most.
        crop: whether a square is cut out first, with a box that can be moved: for faces.
        sheet: ``{"verb", "size", "caption"}``: another verb of the picture and a size, for one picture of everything;
            ``"sized": False`` if the verb takes no size, ``"tiles": [caption, …]`` if it is to be cut into so
            many; a tile that turns a slider of ``starts`` over has two captions, ``{"key", "on", "off"}``.
        starts: ``{"verb", "into", "excludes"}``: a verb that reads off a picture where the sliders of a dictionary
            argument stand (0 to 1); only those that were moved since are sent. ``excludes``: lists of keys of which
            one goes down as another goes up.
        reads: ``{"verb", "fields"}``: what gives a picture back that the browser itself can't read (TIFF …).
        examples: ``{"file": "/api/…", "name": …}``; the first is there at first.
        sends: GANs whose pages take the result; those that have a page are offered.
        words: the section of the catalogue with the component's words.
        name: tells two of a page apart; `watch` of desk.js finds the picture under ``gan/name``.
    """
    _sliders(
        key=f"{name}-{gan}",
        data={
            "key": f"{gan}/{name}", "gan": gan, "tag": tag, "page": gan, "verb": verb, "field": field,
            "controls": [dict(each) for each in controls], "presets": [dict(each) for each in presets],
            "sum": {"into": sums} if sums else None, "fixed": dict(fixed or {}),
            "draft": {"field": draft[0], "size": draft[1]} if draft else None, "most": most, "crop": crop,
            "sheet": dict(sheet) if sheet else None, "starts": dict(starts) if starts else None,
            "reads": dict(reads) if reads else None,
            "examples": [dict(each) for each in examples],
            "sends": catalogue.pages_of(sends, gan),
            "words": table(words), "pin": pin(), "hide": sorted(address.hidden()),
        },
    )  # fmt: skip
