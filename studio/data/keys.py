"""Keys: which class the values of label maps mean where no classes.json says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.labels import UNKNOWN, Classes, LabelMap, distinct_colour
from studio.refused import Refused

LOOKED_AT = 300  # label maps, at most
MOST = 64  # values or colours that are taken for classes
SMALL = 0.004  # of all pixels: what is less is the rim of a shape or the noise of a JPEG
BLURRED = 0.01  # the same of a JPEG
TORN = 0.25  # of a map's pixels: with more that are nothing's, it is not read
REACH = 40.0  # how far, in colour levels, noise moves a value


@dataclass(frozen=True)
class Key:
    """``values``: what each class is in the files, numbers ``(K,)`` or colours ``(K, 3)``; None = the numbers are the
    classes' own. ``classes``: their names and colours."""

    classes: Classes
    values: np.ndarray | None = None

    def read(self, given: LabelMap, lossy: bool = False) -> np.ndarray:
        """``(H, W)`` uint8, 255 = unknown.

        Raises:
            ValueError: numbers or colours that are no class's; says what share of the pixels.
        """
        values = _plain(given)
        if self.values is None:
            if values.ndim != 2:
                raise Refused("maps.colours")
            if values.min(initial=0) < 0 or values.max(initial=0) > UNKNOWN:
                raise Refused("maps.numbers", most=values.max())
            ids = values
        else:
            if values.ndim == 2 and self.values.ndim == 2:  # grey among colours
                values = np.repeat(values[..., None], 3, axis=2)
            if values.ndim != self.values.ndim + 1:
                raise Refused("maps.colours")
            ids = self._nearest(values, lossy)
        return (ids if given.seen is None else np.where(given.seen, ids, UNKNOWN)).astype(np.uint8)

    def _nearest(self, values: np.ndarray, lossy: bool) -> np.ndarray:
        flat = values.reshape(-1, *values.shape[2:])
        kinds, place, counts = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
        apart = kinds.astype(np.float64)[:, None] - self.values.astype(np.float64)[None]
        distance = np.abs(apart) if apart.ndim == 2 else np.linalg.norm(apart, axis=2)
        nearest, least = distance.argmin(axis=1), distance.min(axis=1)
        unknown = (kinds == UNKNOWN) & (least > 0) if kinds.ndim == 1 and not lossy else np.zeros(len(kinds), bool)
        torn = float(counts[(least > (REACH if lossy else 0)) & ~unknown].sum() / max(1, counts.sum()))
        if torn > (TORN if lossy or kinds.ndim == 2 else 0):
            raise Refused("maps.torn", share=100 * torn)
        ids = np.where(unknown, UNKNOWN, nearest)
        return ids[place.ravel()].reshape(values.shape[:2])


def key_of(maps: Iterable[tuple[LabelMap, bool]]) -> Key:
    """The key of a set's label maps, each with whether it is a JPEG.

    - small whole numbers are classes as they are, and 255 is unknown;
    - if 255 or another number is the only one beside 0, or there are only two, these are two classes;
    - few numbers far apart (0, 50, 100; 1001, 1002) are classes in their order, named by the number;
    - colours are classes, each its own; what is rare is the rim between two.

    Raises:
        ValueError: more colours or numbers than classes can have, or numbers that a JPEG has blurred past telling.
    """
    counts: Counter[Any] = Counter()
    palette: dict[int, tuple[int, ...]] = {}
    lossy = coloured = False
    for given, jpeg in maps:
        values = _plain(given)
        lossy, coloured = lossy or jpeg, coloured or values.ndim == 3
        found, many = np.unique(values.reshape(-1, *values.shape[2:]), axis=0, return_counts=True)
        for value, n in zip(found.tolist(), many.tolist(), strict=True):
            counts[tuple(value) if isinstance(value, list) else value] += n
        if given.colours is not None:
            kept, where = np.unique(given.values, return_index=True)
            palette |= dict(zip(kept.tolist(), map(tuple, given.colours.reshape(-1, 3)[where].tolist()), strict=True))
    if not counts:
        return Key(Classes([{"id": 0, "name": "class 0"}]))
    if coloured:
        counts = Counter({(v if isinstance(v, tuple) else (v, v, v)): n for v, n in counts.items()})
        return _of_colours(counts, lossy)
    return _of_numbers(counts, lossy, palette)


def _plain(given: LabelMap) -> np.ndarray:
    """Numbers, of a grey picture that was saved as RGB, too; or colours."""
    values = given.values
    return values[..., 0] if values.ndim == 3 and (np.ptp(values, axis=2) == 0).all() else values


def _peaks(counts: Counter[Any], reach: float, least: float) -> list[Any]:
    """Values that are frequent, none within reach of a more frequent one."""
    total, found = sum(counts.values()), []
    for value, n in counts.most_common():
        if n < least * total or len(found) > 4 * MOST:
            break
        if all(np.linalg.norm(np.subtract(value, each)) > reach for each in found):
            found.append(value)
    return found


def _of_colours(counts: Counter[Any], lossy: bool) -> Key:
    found = sorted(_peaks(counts, REACH if lossy or len(counts) > MOST else 0.0, BLURRED if lossy else SMALL))
    if len(found) > MOST or not found:
        raise Refused("maps.manyColours", n=len(counts), most=MOST)
    listed = [{"id": k, "name": f"class {k}", "colour": list(colour)} for k, colour in enumerate(found)]
    return Key(Classes(listed), np.array(found))


def _of_numbers(counts: Counter[Any], lossy: bool, palette: dict[int, tuple[int, ...]]) -> Key:
    found = sorted(counts)
    if lossy:
        peaks = sorted(_peaks(counts, 12.0, BLURRED))
        total = sum(counts.values())
        near = sum(n for value, n in counts.items() if min(abs(value - each) for each in peaks) <= 1) if peaks else 0
        close = len(peaks) < 2 or min(np.diff(peaks)) < 16
        if len(found) > len(peaks) and close:
            raise Refused("maps.blurred", share=100 * (1 - near / total) if peaks else 100.0)
        found = peaks
    others = [value for value in found if value != UNKNOWN]
    steps = np.diff(found)
    even = len(found) > 2 and len(set(steps.tolist())) == 1 and steps[0] > 1 and found[-1] >= 8
    pair = len(found) == 2 and found[1] >= 8
    far = others and (
        others[-1] > UNKNOWN or (others[-1] >= MOST and 4 * len(others) < others[-1] and len(others) <= 40)
    )
    if lossy or pair or even or far:
        if len(found) > UNKNOWN:
            raise Refused("maps.manyColours", n=len(found), most=MOST)
        kept = found if lossy or pair or even else others
        return Key(_named(kept, [f"class {value}" for value in kept], palette), np.array(kept))
    most = max(others, default=0)
    return Key(_named(range(most + 1), [f"class {k}" for k in range(most + 1)], palette))


def _named(values: Iterable[int], names: list[str], palette: dict[int, tuple[int, ...]]) -> Classes:
    """Classes in the order of their values, in the colours that a palette picture gives them, if those differ."""
    own = [palette.get(value) for value in values]
    if None in own or len(set(own)) < len(own):
        return Classes([{"id": k, "name": n, "colour": distinct_colour(k)} for k, n in enumerate(names)])
    return Classes([{"id": k, "name": n, "colour": list(c)} for k, (n, c) in enumerate(zip(names, own, strict=True))])
