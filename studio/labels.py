"""Label maps: one class a pixel, and exactly that one.

A label map reaches us as numbers (a grey, palette or 16-bit picture, an array) or as colours (what a paint program
saves). Which of the two it is, and which class each pixel means, is decided here and nowhere else: `open_map` takes
whatever somebody hands us, `Classes` is the palette of a data set or checkpoint, and `Classes.read` puts both
together. What had to be guessed (the blended colours of a soft brush, the noise of a JPEG) is counted and reported.
"""

from __future__ import annotations

import colorsys
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from studio import images
from studio.images import Picture
from studio.refused import Refused

UNKNOWN = 255  # a pixel of no class, in files and arrays alike
NEAR = 9  # pixels within which two classes may be blended by a soft brush
BLEND = 14.0  # how far, in colour levels, a blend may be from the straight way between its two classes
MOST = 1024  # pixels of the longer side that are looked at: no net of the studio sees more


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A label map as it came, before it is known whose classes it means.

    ``values`` are numbers ``(H, W)`` int64 or colours ``(H, W, 3)`` uint8. ``colours`` are those of a palette picture
    whose values are numbers, else None. ``seen`` ``(H, W)`` bool is False where the picture is transparent, else None.
    """

    values: np.ndarray
    colours: np.ndarray | None = None
    seen: np.ndarray | None = None

    @property
    def width(self) -> int:
        return self.values.shape[1]

    @property
    def height(self) -> int:
        return self.values.shape[0]


class Reading(NamedTuple):
    """What a label map was read as: ``ids`` (H, W) uint8, 255 = unknown; ``kind`` "numbers" or "colours";
    ``snapped``: pixels whose colour is no class's; ``unknown``: pixels of no class; ``foreign``: the most frequent
    such colours, each ``(colour, pixels, class it mostly became)``."""

    ids: np.ndarray
    kind: str
    snapped: int
    unknown: int
    foreign: tuple[tuple[str, int, int], ...]


def open_map(source: str | Path | bytes | io.IOBase | Picture | np.ndarray | LabelMap) -> LabelMap:
    """Any label map a visitor may hand us: a file, a PIL picture, an array of numbers or of colours.

    Raises:
        ValueError: not a picture, damaged, or an array of another shape; the sentence says what to do.
    """
    if isinstance(source, LabelMap):
        return source
    if isinstance(source, np.ndarray):
        return _of_array(source)
    picture = images.open_file(source)
    if picture.mode in ("1", "L") or picture.mode.startswith("I") or picture.mode == "F":
        return _of_array(np.asarray(picture))
    if picture.mode in ("LA", "La"):
        grey, alpha = (np.asarray(band) for band in picture.convert("LA").split())
        return LabelMap(grey.astype(np.int64), seen=alpha >= 128)
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return LabelMap(np.asarray(picture))
    # Transparent pixels are of no class; half-transparent ones are the rim of a soft brush and keep their colour.
    both = np.asarray(picture.convert("RGBA"))
    colours, seen = np.ascontiguousarray(both[..., :3]), both[..., 3] >= 128
    seen = None if seen.all() else seen
    if picture.mode == "P":
        return LabelMap(np.asarray(picture).astype(np.int64), colours, seen)
    return LabelMap(colours, seen=seen)


def _of_array(array: np.ndarray) -> LabelMap:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"A label map is (H, W) numbers or (H, W, 3) colours, not {array.shape}.")
    if array.ndim == 3:
        if array.dtype != np.uint8:
            raise ValueError(f"A label map of colours is 8-bit (uint8), not {array.dtype}.")
        seen = array[..., 3] >= 128 if array.shape[2] == 4 else None
        return LabelMap(np.ascontiguousarray(array[..., :3]), seen=None if seen is None or seen.all() else seen)
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.round(array)).all()):
        raise Refused("maps.fractions")
    if array.dtype.kind not in "buif":
        raise ValueError(f"A label map holds whole numbers, not {array.dtype}.")
    return LabelMap(array.astype(np.int64))


def numbers(given: LabelMap) -> np.ndarray:
    """``(H, W)`` uint8 where no palette is known: the map's numbers, or the grey of a picture saved as RGB.

    Raises:
        ValueError: colours, or numbers beyond 0 to 255.
    """
    values = given.values
    if values.ndim == 3 and (np.ptp(values, axis=2) == 0).all():
        values = values[..., 0]
    if values.ndim != 2:
        raise Refused("maps.colours")
    if values.min(initial=0) < 0 or values.max(initial=0) > UNKNOWN:
        raise Refused("maps.numbers", most=values.max())
    return (values if given.seen is None else np.where(given.seen, values, UNKNOWN)).astype(np.uint8)


INSIDE = ("classes", "categories", "labels", "names", "palette")  # where other programs keep the list


def _whole(value: Any) -> Any:
    """A number that is written as text, as a number."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _said(key: str, value: Any) -> Any:
    """An entry of a table: an id or a name, and what is said of it."""
    named = {"id": _whole(key)} if key.strip().isdecimal() else {"name": key}
    if isinstance(value, dict) and (
        set(value) & {"name", "id", "colour", "color", "rgb"} or not isinstance(value.get("en"), str)
    ):
        return {**named, **value}
    if isinstance(value, list) or (isinstance(value, str) and value.startswith("#")):
        return {**named, "colour": value}
    if "id" not in named and not isinstance(_whole(value), int):
        raise Refused("maps.list")
    return {**named, ("name" if "id" in named else "id"): _whole(value)}


def _listed(given: Any) -> Any:
    """An entry of a list, in the studio's words."""
    if isinstance(given, str):
        return {"name": given}
    if not isinstance(given, Mapping):
        return given
    words = {"label": "name", "class": "name", "title": "name", "index": "id", "value": "id", "label_id": "id",
             "class_id": "id", "category_id": "id", "color": "colour", "rgb": "colour", "hex": "colour"}  # fmt: skip
    told = {words.get(key, key): value for key, value in reversed(given.items())} | {
        key: value for key, value in given.items() if key in ("id", "name", "colour")
    }
    return told | {"id": _whole(told["id"])} if "id" in told else told


def _of_lines(text: str) -> list[dict[str, Any]]:
    """``name`` a line, ``name:r,g,b::`` (CVAT), or ``name,r,g,b`` with a header or none (CamVid)."""
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("#"):
            continue
        name, *rest = re.split(r"[,:;\t]", line)
        numbers = [int(part) for part in rest if part.strip().isdecimal()]
        if len(rest) >= 3 and len(numbers) < 3 and not found:
            continue  # the header
        found.append({"name": name.strip()} | ({"colour": numbers[:3]} if len(numbers) >= 3 else {}))
    return found


class Classes:
    """The classes of a data set or checkpoint: number, name and colour of each.

    Args:
        listed: ``[{"id": 0, "name": "sky", "colour": "#87b5e5"}, …]``; a class without a colour gets one. A colour may
            also be ``[135, 181, 229]`` and a name ``{"en": …, "ko": …}``. The class 255 is "unknown".

    Raises:
        ValueError: an id twice or out of range, a colour twice or none at all; names the classes.
    """

    def __init__(self, listed: Sequence[Mapping[str, Any]]) -> None:
        if not listed:
            raise Refused("maps.noClasses")
        self.listed: list[dict[str, Any]] = []
        ids: dict[int, str] = {}
        colours: dict[str, str] = {}
        for k, given in enumerate(listed):
            if not isinstance(given, Mapping) or isinstance(given.get("id"), bool):
                raise Refused("maps.looks")
            number = given.get("id", k)
            name = given.get("name", f"class {number}")
            said = name if isinstance(name, str) else str(name.get("en", number))
            if not isinstance(number, int) or not 0 <= number <= UNKNOWN:
                raise Refused("maps.id", name=said, id=number)
            if number in ids:
                raise Refused("maps.twice", id=number, one=ids[number], two=said)
            colour = _hex(given.get("colour") or given.get("color") or distinct_colour(k), said)
            if colour in colours:
                raise Refused("maps.sameColour", one=colours[colour], two=said, colour=colour)
            ids[number], colours[colour] = said, said
            self.listed.append({"id": number, "name": name, "colour": colour})
        self.listed.sort(key=lambda each: each["id"])

    @classmethod
    def parse(cls, text: bytes | str, file: str = "classes.json") -> Classes:
        """The classes of a ``classes.json``: a list as above or of names, ``{"classes": [...]}``, ``{"0": "sky", …}``,
        ``{"sky": 0, …}``, ``{"sky": [135, 181, 229], …}``; or of a text with a name a line, or a name and a colour."""
        if isinstance(text, bytes):
            try:
                text = text.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise Refused("maps.broken", why=error) from error
        if file.lower().endswith((".txt", ".csv")):
            return cls(_of_lines(text))
        try:
            found = json.loads(text)
        except ValueError as error:
            raise Refused("maps.broken", why=error) from error
        while isinstance(found, dict) and (
            inner := next((k for k in INSIDE if isinstance(found.get(k), (list, dict))), "")
        ):
            found = found[inner]
        if isinstance(found, dict):
            found = [_said(key, value) for key, value in found.items()]
        if not isinstance(found, list):
            raise Refused("maps.list")
        return cls([_listed(each) for each in found])

    def __len__(self) -> int:
        """Numbers a net needs: the highest id + 1, without "unknown"."""
        return max((each["id"] for each in self.listed if each["id"] != UNKNOWN), default=-1) + 1

    def id(self, which: int | str) -> int:
        """The id of a class by its name in any language, or by its id.

        Raises:
            ValueError: there is none; lists those that there are.
        """
        for each in self.listed:
            names = [each["name"]] if isinstance(each["name"], str) else list(each["name"].values())
            if which == each["id"] or str(which).strip().casefold() in [
                *(n.casefold() for n in names),
                str(each["id"]),
            ]:
                return each["id"]
        known = ", ".join(f"{each['id']} {self.name(each['id'])}" for each in self.listed)
        raise Refused("maps.noName", name=which, known=known)

    def name(self, number: int) -> str:
        """A class's English name."""
        for each in self.listed:
            if each["id"] == number:
                return each["name"] if isinstance(each["name"], str) else str(each["name"].get("en", number))
        return "unknown" if number == UNKNOWN else f"class {number}"

    @property
    def colours(self) -> np.ndarray:
        """``(256, 3)`` uint8: the colour of each id; black where there is no class."""
        table = np.zeros((256, 3), np.uint8)
        for each in self.listed:
            table[each["id"]] = tuple(bytes.fromhex(each["colour"][1:]))
        return table

    # ---- reading ----------------------------------------------------------------------------------------------------

    def read(self, given: LabelMap) -> Reading:
        """Which class each pixel means.

        Numbers are taken as they are; 16-bit ones may also be stretched to the whole range, as some programs do. A
        palette picture counts by its colours if all of them are classes', else by its numbers. Of colours that are no
        class's, the blend of two classes that are near (a soft brush's rim) becomes one of the two; anything else (a
        JPEG's noise, another shade) the nearest class.

        Args:
            given: or anything that `open_map` takes.

        Raises:
            ValueError: numbers that are no class; no label map at all.
        """
        given = _small(open_map(given))
        values, colours = given.values, given.colours
        if values.ndim == 2:
            if colours is not None and self._exact(colours)[1].all():
                return self._done(self._exact(colours)[0], "colours", given.seen)
            ids = self._numbers(values)
            if ids is None and colours is None:
                known = {each["id"] for each in self.listed}
                wrong = sorted(set(np.unique(values).tolist()) - known - {UNKNOWN})
                raise Refused("maps.noClass", number=wrong[0], last=len(self) - 1)
            if ids is not None:
                return self._done(ids, "numbers", given.seen)
            values = colours
        ids, exact = self._exact(values)
        if not exact.all() and (np.ptp(values, axis=2) == 0).all():  # grey, saved as RGB
            numbers = self._numbers(values[..., 0].astype(np.int64))
            if numbers is not None:
                return self._done(numbers, "numbers", given.seen)
        if given.seen is not None:
            exact = exact | ~given.seen  # what can't be seen need not be guessed
        if exact.all():
            return self._done(ids, "colours", given.seen)
        return self._snapped(values, ids, exact, given.seen)

    def _numbers(self, values: np.ndarray) -> np.ndarray | None:
        """The numbers as ids, if all of them are classes."""
        known = np.zeros(256, bool)
        known[[*(each["id"] for each in self.listed), UNKNOWN]] = True
        least, most = values.min(initial=0), values.max(initial=0)
        if most > 255 and (values % 257 == 0).all():  # 8-bit ids stretched to 16 bits
            values, most = values // 257, most // 257
        return values.astype(np.uint8) if least >= 0 and most <= 255 and known[values].all() else None

    def _exact(self, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ids, which of them are exact) by colour."""
        codes = colours.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
        own = np.array([int(each["colour"][1:], 16) for each in self.listed], np.int32)
        order = np.argsort(own)
        place = np.clip(np.searchsorted(own[order], codes), 0, len(own) - 1)
        exact = own[order][place] == codes
        ids = np.array([each["id"] for each in self.listed], np.uint8)[order][place]
        return np.where(exact, ids, UNKNOWN).astype(np.uint8), exact

    def _snapped(self, colours: np.ndarray, ids: np.ndarray, exact: np.ndarray, seen: np.ndarray | None) -> Reading:
        foreign = ~exact
        away = colours[foreign].astype(np.float32)
        numbers = np.array([each["id"] for each in self.listed])
        own = self.colours[numbers].astype(np.float32)
        # Blends first: colours on the way from one class to another, where both are near. The blend of sky and grass
        # passes close to rock.
        best, found = np.full(len(away), BLEND, np.float32), np.full(len(away), -1)
        present, counts = np.unique(ids[exact], return_counts=True)
        present = [int(np.flatnonzero(numbers == k)[0]) for k in present[np.argsort(-counts)][:24] if k in numbers]
        near = {k: self._near(exact & (ids == numbers[k]), NEAR)[foreign] for k in present}
        for one, two in combinations(present, 2):
            at = np.flatnonzero(near[one] & near[two])
            step = own[two] - own[one]
            share = ((away[at] - own[one]) @ step / (step @ step)).clip(-0.2, 1.2)  # sharpening overshoots
            distance = np.linalg.norm(away[at] - own[one] - share[:, None] * step, axis=1)
            at, share, distance = (part[distance < best[at]] for part in (at, share, distance))
            best[at], found[at] = distance, np.where(share < 0.5, one, two)
        if present:  # where three or more meet, the nearest of them
            beside = np.stack([near[k] for k in present], axis=1)
            at = np.flatnonzero((found < 0) & (beside.sum(axis=1) > 2))
            distance = ((away[at][:, None] - own[present][None]) ** 2).sum(axis=2)
            found[at] = np.array(present)[np.where(beside[at], distance, np.inf).argmin(axis=1)]
        at = np.flatnonzero(found < 0)  # and else the nearest of all
        kinds, place = np.unique(away[at], axis=0, return_inverse=True)
        nearest = ((kinds[:, None] - own[None]) ** 2).sum(axis=2).argmin(axis=1) if len(at) else kinds
        found[at] = nearest[place.ravel()] if len(at) else found[at]
        found = numbers[found].astype(np.uint8)
        ids = ids.copy()
        ids[foreign] = found
        kinds, places, counts = np.unique(colours[foreign], axis=0, return_inverse=True, return_counts=True)
        report = tuple(
            (
                "#{:02x}{:02x}{:02x}".format(*kinds[k]),
                int(counts[k]),
                int(np.bincount(found[places.ravel() == k]).argmax()),
            )
            for k in np.argsort(-counts, kind="stable")[:8]
        )
        return self._done(ids, "colours", seen, int(foreign.sum()), report)

    @staticmethod
    def _near(mask: np.ndarray, reach: int) -> np.ndarray:
        return cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0

    def _done(
        self, ids: np.ndarray, kind: str, seen: np.ndarray | None, snapped: int = 0, foreign: Any = ()
    ) -> Reading:
        if seen is not None:
            ids = np.where(seen, ids, UNKNOWN).astype(np.uint8)
        return Reading(ids, kind, snapped, int((ids == UNKNOWN).sum()), tuple(foreign))


def palette(listed: Sequence[Mapping[str, Any]], count: int) -> Classes:
    """The classes 0 … count - 1 and "unknown", as a card lists them; those that it doesn't list get name and colour."""
    known = {each["id"]: each for each in Classes(listed).listed} if listed else {}
    taken, fresh = {each["colour"] for each in known.values()}, 0
    for number in [*range(count), UNKNOWN]:
        if number in known:
            continue
        colour = "#000000"
        while colour in taken or (colour == "#000000" and number != UNKNOWN):
            colour, fresh = distinct_colour(fresh), fresh + 1
        taken.add(colour)
        name: Any = {"en": "unknown", "ko": "모름"} if number == UNKNOWN else f"class {number}"
        known[number] = {"id": number, "name": name, "colour": colour}
    return Classes([known[number] for number in [*range(count), UNKNOWN]])


def distinct_colour(k: int) -> str:
    """The k-th of a row of colours that are easy to tell apart: steps of the golden angle around the wheel."""
    r, g, b = colorsys.hsv_to_rgb((0.08 + k * 0.61803) % 1, 0.55 + 0.3 * (k % 2), 0.95 - 0.25 * (k % 3) / 2)
    return f"#{round(r * 255):02x}{round(g * 255):02x}{round(b * 255):02x}"


def _hex(colour: Any, name: str) -> str:
    try:
        if isinstance(colour, str):
            text = colour.strip().lstrip("#").lower()
            if len(text) != 6:
                raise ValueError
            return f"#{int(text, 16):06x}"
        red, green, blue = colour
        return "#" + bytes([red, green, blue]).hex()
    except (TypeError, ValueError) as error:
        raise Refused("maps.colour", name=name, colour=colour) from error


def _small(given: LabelMap) -> LabelMap:
    most = max(given.width, given.height)
    if most <= MOST:
        return given
    height, width = (max(1, round(side * MOST / most)) for side in (given.height, given.width))
    parts = (given.values, given.colours, given.seen)
    return LabelMap(*(None if part is None else sampled(part, height, width) for part in parts))


def sampled(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """Another size by taking, for each new pixel, the old one that its middle lies on: nothing is blended."""
    rows = ((np.arange(height) + 0.5) * array.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * array.shape[1] / width).astype(int)
    return array[rows[:, None], columns]


def planes(ids: Tensor, labels: int, unknown: bool, edges: bool = False, objects: Tensor | None = None) -> Tensor:
    """A label map as networks see it: ``(N, H, W)`` ids -> ``(N, labels + unknown + edges, H, W)`` of 0 and 1.

    Args:
        unknown: whether pixels of no class have a channel of their own, after those of the labels, or none.
        edges: whether the last channel has the borders between objects (the instance map).
        objects: ``(N, H, W)`` numbers of objects; without, each region of one label counts as one.
    """
    ids = ids.long()
    shown = ids.clamp_max(labels) if unknown else ids
    found = (shown[:, None] == torch.arange(labels + unknown, device=ids.device)[:, None, None]).float()
    if not edges:
        return found
    objects = shown if objects is None else objects.long()
    across, down = objects[:, :, 1:] != objects[:, :, :-1], objects[:, 1:] != objects[:, :-1]
    border = F.pad(across, (1, 0)) | F.pad(across, (0, 1)) | F.pad(down, (0, 0, 1, 0)) | F.pad(down, (0, 0, 0, 1))
    return torch.cat([found, border[:, None].float()], dim=1)
