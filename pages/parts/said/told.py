"""What the parts in the browser are told: which verb to ask, what can be set, which words.

Both front ends mount the same parts (``live.js``, ``sliders.js``, ``faces.js``) and tell them this; each adds only what
it reads off its own address (the seed, what is hidden). Nothing here knows Streamlit or Gradio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pages.parts.said import catalogue
from pages.parts.said.words import language, table
from studio import checkpoints, latents
from studio.guests.limits import limits
from studio.training import devices

PLAY = ("face", "mix", "walk", "noise", "breed", "find")
LOOK = ("norms", "slice")


def storage_of(gan: str, name: str) -> str:
    """The name under which a browser keeps a drawing."""
    return f"gan-studio/{gan}/{name}"


# ---- live.js: a drawing, and what becomes of it ---------------------------------------------------------------------


def live(
    gan: str,
    tag: str,
    *,
    verb: str,
    field: str,
    drawing: str,
    palette: Sequence[Mapping[str, Any]],
    storage: str,
    pen: int = 1,
    brush: int = 3,
    brushes: Sequence[int] = (2, 3, 5, 9, 17),
    noise: bool = True,
    begin: int | None = None,
    still: str = "",
    styles: tuple[str, int] | None = None,
    photo: str = "",
    reads: str = "",
    ids: Sequence[int] = (),
    background: int = 0,
    examples: Sequence[Mapping[str, str]] = (),
    sends: Sequence[str] = (),
    words: str = "studio.live",
    own: str = "",
) -> dict[str, Any]:
    """What ``live.js`` is told: draw, and see what the GAN makes of it.

    Args:
        verb: the verb that is asked, with the drawing in its argument ``field``.
        drawing: ``"sketch"`` (nothing is asked while it is empty) or ``"labels"``.
        palette: classes ``{"name", "colour"}``, optionally ``"group"``; 0 is paper.
        storage: where this browser keeps the drawing; drawings of one kind share it.
        noise: whether the verb takes a seed.
        begin: the seed to begin with, where the address says none; None = without.
        still: a sentence that says why not, if it doesn't.
        styles: a verb that gives several seeds' pictures, and how many to show as a strip; None = no strip.
        photo: the verb's argument for a photo whose style the picture gets; "" = it has none.
        reads: a verb that reads label maps that are brought along; "" = the nearest colours are taken.
        ids: the number that each class of the palette has in a file; for taking label maps away.
        background: the class that the eraser and an empty canvas have.
        examples: drawings to click, ``{"file": "/api/…", "name": …}``.
        sends: GANs whose pages take the picture; those that have a page are offered.
        words: the section of the catalogue with the component's words.
        own: a section with words of the page's own, which take the place of those.
    """

    said = table(words) | (table(own) if own else {}) | {"painter": table("studio.painter")}
    return {
        "gan": gan, "tag": tag, "page": gan, "verb": verb, "field": field, "drawing": drawing,
        "palette": list(palette), "storage": storage_of(gan, storage), "pen": pen, "brush": brush,
        "brushes": list(brushes), "noise": noise, "begin": begin, "still": still,
        "photo": photo, "reads": reads, "ids": list(ids),
        "styles": {"verb": styles[0], "n": styles[1]} if styles else None, "background": background,
        "hints": any("group" in each for each in palette),
        "examples": list(examples), "sends": catalogue.pages_of(sends, gan), "words": said,
    }  # fmt: skip


# ---- sliders.js: a picture, and what can be turned ------------------------------------------------------------------


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
) -> dict[str, Any]:
    """What ``sliders.js`` is told: a picture and sliders, and what a verb makes of them.

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
    return {
        "key": f"{gan}/{name}", "gan": gan, "tag": tag, "page": gan, "verb": verb, "field": field,
        "controls": [dict(each) for each in controls], "presets": [dict(each) for each in presets],
        "sum": {"into": sums} if sums else None, "fixed": dict(fixed or {}),
        "draft": {"field": draft[0], "size": draft[1]} if draft else None, "most": most, "crop": crop,
        "sheet": dict(sheet) if sheet else None, "starts": dict(starts) if starts else None,
        "reads": dict(reads) if reads else None,
        "examples": [dict(each) for each in examples],
        "sends": catalogue.pages_of(sends, gan),
        "words": table(words),
    }  # fmt: skip


# ---- write.js: a label in, a letter out ------------------------------------------------------------------------------


def write(gan: str, tag: str, *, labels: Sequence[str], text: str, words: str) -> dict[str, Any]:
    """What ``write.js`` is told: write with a generator that knows labels.

    Args:
        labels: in the order of the generator's input.
        text: what is written at first.
        words: the section of the catalogue with the component's words.
    """
    return {
        "gan": gan, "tag": tag, "page": gan, "lang": language(), "labels": list(labels), "text": text,
        "words": table(words),
    }  # fmt: skip


# ---- grow.js: every size of one noise -------------------------------------------------------------------------------


def grow(
    gan: str, tag: str, *, sides: Sequence[int], words: str, kept: bool = False,
    examples: Sequence[Mapping[str, str]] = (), next: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What ``grow.js`` is told: a generator that grew.

    Args:
        sides: the sizes that it has been through, in pixels; one alone = it never grew.
        words: the section of the catalogue with the component's words.
        kept: whether the smaller sizes still draw the same picture; else they have drifted since.
        examples: real pictures, ``{"file": "/api/…", "name": …}``.
        next: GANs that take the idea further; those that have a page are linked.
    """
    return {
        "gan": gan, "tag": tag, "page": gan, "lang": language(), "sides": list(sides), "kept": kept,
        "examples": [dict(each) for each in examples], "next": catalogue.pages_of(next, gan), "words": table(words),
    }  # fmt: skip


# ---- faces.js: faces of nobody --------------------------------------------------------------------------------------


def faces(
    gan: str, tag: str, config: dict[str, Any], modes: Sequence[str] = PLAY, *, silent: int = 0,
    sends: Sequence[str] = (), beside: tuple[str, int] | None = None, count: int = 24, remembers: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """What ``faces.js`` is told: a wall by seed, and what can be done with styles.

    Args:
        config: the checkpoint's: its size tells how many layers there are, its start how often it doubled.
        modes: what can be done, of `PLAY`, `LOOK` and ``fade`` (for one that grows), in this order.
        silent: layers at the beginning that have a style but no noise.
        sends: GANs whose pages take a face; those that have a page are offered.
        beside: another such GAN and its ``silent``; its default checkpoint, if any, is looked at beside this one.
        count: faces on the wall.
        remembers: whether the settings are in the address: of one of a page.
    """
    titles = {each.name: each.about.title for each in catalogue.gans() if each.about and each.page.exists()}
    layers, size = _layers(config), config["size"]
    return {
        "key": f"{gan}/{modes[0]}", "gan": gan, "tag": tag, "page": gan, "title": titles.get(gan, gan),
        "modes": list(modes), "count": count, "layers": layers, "noises": layers[silent:],
        "size": size, "start": config.get("start", size),
        "bands": {name: [band.start, band.stop] for name, band in latents.bands(len(layers)).items()},
        "sends": [{"gan": to, "title": titles[to]} for to in sends if to in titles and to != gan],
        "beside": _other(*beside, titles) if beside else None,
        "words": table("faces.play"), "remembers": remembers,
    }  # fmt: skip


def _layers(config: dict[str, Any]) -> list[int]:
    """The side of each layer's maps: two layers at each size from 4 px up."""
    return [4 << (k // 2) for k in range(2 * (config["size"].bit_length() - 1) - 2)]


def _other(gan: str, silent: int, titles: dict[str, str]) -> dict[str, Any] | None:
    """Another GAN's default checkpoint; None = it has none."""
    if gan not in titles or not checkpoints.tags(gan):
        return None
    card = checkpoints.card(gan)
    return {"gan": gan, "tag": card["tag"], "title": titles[gan], "noises": _layers(card["config"])[silent:]}


# ---- plane.js: a game with points in the plane ----------------------------------------------------------------------


def plane(gan: str, tag: str, *, rules: Mapping[str, Any], words: str) -> dict[str, Any]:
    """What ``plane.js`` is told: the rules of the game, which the browser plays by itself.

    Args:
        tag: the page's checkpoint; the game needs none ("").
        rules: fields of the GAN's Config: ``z``, ``width``, ``judge_width``, ``batch``, ``lr``, ``judge_lr``,
            ``saturating``.
        words: the section of the catalogue with the component's words.
    """
    return {"gan": gan, "tag": tag, "page": gan, "rules": dict(rules), "words": table(words)}


# ---- runs.js and room.js: the training room -------------------------------------------------------------------------


def runs(gan: str | None, page: str) -> dict[str, Any]:
    """What ``runs.js`` is told: the runs there are; of one GAN, or of all (None)."""
    words = table("train.runs") | {"how": table("train.how"), "toys": catalogue.set_names()}
    titles = {each.name: each.about.title for each in catalogue.gans() if each.about}
    return {"gan": gan, "page": page, "words": words, "titles": titles, "lang": language()}


def room(run: str, gan: str, page: str, compare: str | None, steer: bool) -> dict[str, Any]:
    """What ``room.js`` is told.

    Args:
        compare: a second run to lay beside it.
        steer: whether the visitor may.
    """
    words = table("train.room") | {"how": table("train.how"), "players": table("studio.read.players")}
    words["toys"] = catalogue.set_names()
    return {
        "run": run, "gan": gan, "page": page, "words": words, "lang": language(), "steer": steer, "compare": compare,
        "minutes": minutes(devices.device()),
    }  # fmt: skip


def minutes(device: devices.Device) -> float:
    """A good length of training here."""
    return min(device.minutes, limits().minutes or device.minutes)
