"""Small sets of real pictures that come with the studio (``real:digits``): no network, no files to look for.

A set is two files in ``built_in``: ``<name>.webp``, all its pictures in one, and ``<name>.toml``, what it is called,
whose it is, and what is where.

    python -m studio.data.real FOLDER digits_28.zip hangul_32.zip      writes the two that there are
"""

from __future__ import annotations

import sys
import tomllib
import zlib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from studio import images
from studio.data.files import Files, by_folder
from studio.refused import Refused

FOLDER = Path(__file__).parent / "built_in"
COLUMNS = 50  # pictures in a row of digits.webp
GREYS = 32  # levels of hangul.webp


def names() -> list[str]:
    """The sets that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def about(name: str) -> dict[str, Any]:
    """What is said of a set: title and licence (en, ko), classes.

    Raises:
        ValueError: there is none of that name; lists those that are there.
    """
    if name not in names():
        raise Refused("data.noBuiltIn", name=name[:60], there=names())
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def tiles(name: str) -> np.ndarray:
    """All its pictures, ``(N, side, side)`` uint8, class after class."""
    told = about(name)
    sheet = np.asarray(images.open_picture(FOLDER / f"{name}.webp"))[..., 0]
    side = told["side"]
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    cut = sheet.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
    return cut[: len(told["classes"]) * told["each"]]


class Real:
    """A built-in set as files by name, as `studio.data.files.Files` is: ``3/0012.png``, a folder for each class.

    A set that has few pictures gives each several times, varied: ``가/0003-07.png`` is the eighth of ``가``'s fourth.
    Which picture a name is never changes.

    Raises:
        ValueError: there is no such set.
    """

    zip_path = None

    def __init__(self, name: str) -> None:
        self.name, told = name, about(name)
        endings = [f"-{k:02d}" for k in range(told["varied"])] if "varied" in told else [""]
        numbers = [f"{k:04d}{ending}.png" for k in range(told["each"]) for ending in endings]
        self.names = [f"{each}/{number}" for each in told["classes"] for number in numbers]

    def pictures(self) -> list[str]:
        return list(self.names)

    def open(self, name: str) -> images.Picture:
        return images.Image.fromarray(np.repeat(picture(self.name, name)[:, :, None], 3, axis=2))

    def read(self, name: str) -> bytes:
        return images.png(self.open(name))

    def ids(self, name: str) -> np.ndarray:
        raise Refused("data.noMaps", name=self.name)


@cache  # a few MB at most: whoever trains for long draws none of them twice
def picture(of: str, name: str) -> np.ndarray:
    """A picture of a set by its name, ``(side, side)`` uint8."""
    path, told = PurePosixPath(name), about(of)
    number, _, variation = path.stem.partition("-")
    tile = tiles(of)[told["classes"].index(path.parent.name) * told["each"] + int(number)]
    if not variation or not int(variation):
        return tile
    return varied(np.random.default_rng(zlib.crc32(name.encode())), tile)


def varied(rng: np.random.Generator, letter: np.ndarray, finer: int = 4) -> np.ndarray:
    """A letter, white on black ``(S, S)`` uint8, as another hand might have set it: thicker or thinner, turned,
    slanted, larger or smaller, moved."""
    side = letter.shape[0] * finer
    large = cv2.resize(letter, (side, side), interpolation=cv2.INTER_CUBIC)
    ink = (large > 127).astype(np.uint8)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5)
    stroke = float(inside.max())  # half the thickest stroke; a hairline must not vanish
    grow = rng.uniform(-0.25 * min(stroke, 2 * finer), 0.5 * finer)
    turn, slant, size = rng.normal(0, 0.06), rng.normal(0, 0.1), rng.uniform(0.84, 1.06)
    shape = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, -slant], [0, 1]]
    middle, move = (side - 1) / 2, rng.uniform(-0.05, 0.05, 2) * side
    how = np.column_stack([shape, move + middle - shape @ [middle, middle]])
    far = float(-side)  # outside of the picture there is no ink
    field = cv2.warpAffine(inside, how, (side, side), flags=cv2.INTER_LINEAR, borderValue=far)
    drawn = np.clip((field + grow) + 0.5, 0, 1) * 255
    return cv2.resize(drawn, letter.shape[::-1], interpolation=cv2.INTER_AREA).round().astype(np.uint8)


# ---- how the sets were made -----------------------------------------------------------------------------------------


def main(folder: str, digits: str, hangul: str) -> None:
    """Writes the two pictures from zips with a folder for each class."""
    for name, source, columns, greys in (("digits", digits, COLUMNS, 256), ("hangul", hangul, None, GREYS)):
        told, files = about(name), Files(source)
        found = by_folder(files.pictures())
        chosen = []
        for each in told["classes"]:  # spread evenly over what there is
            of = sorted(found[each])
            chosen += [of[k] for k in np.linspace(0, len(of) - 1, told["each"]).round().astype(int)]
        cut = np.stack([np.asarray(files.open(one).convert("L")) for one in chosen])
        cut = np.round(np.round(cut / 255 * (greys - 1)) * 255 / (greys - 1)).astype(np.uint8)
        columns, side = columns or told["each"], told["side"]
        sheet = cut.reshape(-1, columns, side, side).swapaxes(1, 2).reshape(-1, columns * side)
        images.Image.fromarray(sheet).save(Path(folder) / f"{name}.webp", lossless=True, quality=100, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
