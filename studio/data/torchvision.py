"""Data sets of torchvision (``torchvision:MNIST``): downloaded when first asked for, then there without a network."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from studio import images
from studio.places import home
from studio.refused import Refused

CLASSED = ("MNIST", "FashionMNIST", "CIFAR10", "Flowers102", "OxfordIIITPet")  # every picture has a class
ATTRIBUTED = ("CelebA",)
SETS = (*CLASSED, *ATTRIBUTED)


class Torchvision:
    """A data set of torchvision as files by name, as `studio.data.files.Files` is: ``class/00012.png``.

    CelebA, whose pictures have attributes instead of a class, has one folder and an ``attributes.csv``.

    Raises:
        ValueError: no such set, or it can't be downloaded now; says what to do.
    """

    zip_path = None

    def __init__(self, name: str) -> None:
        if name not in SETS:
            raise Refused("data.noSet", name=name[:60], there=SETS)
        self.name, self.set = name, _got(name)
        if name in ATTRIBUTED:
            self.names = [f"pictures/{k:06d}.png" for k in range(len(self.set))]
            self.names.append("attributes.csv")
        else:
            labels = _labels(self.set)
            classes = getattr(self.set, "classes", None) or sorted(set(labels))
            folders = [str(c).split(" - ")[-1].replace("/", " ") for c in classes]
            self.names = [f"{folders[label]}/{k:06d}.png" for k, label in enumerate(labels)]

    def pictures(self) -> list[str]:
        return [name for name in self.names if name.endswith(".png")]

    def open(self, name: str) -> images.Picture:
        found = self.set[int(name.rsplit("/", 1)[1].removesuffix(".png"))][0]
        return images.open_picture(found)

    def read(self, name: str) -> bytes:
        if name == "attributes.csv" and self.name in ATTRIBUTED:
            out = io.StringIO()
            table = csv.writer(out)
            known = [each for each in self.set.attr_names if each]
            table.writerow(["file", *known])
            for k, row in enumerate(self.set.attr.tolist()):
                table.writerow([f"{k:06d}.png", *row[: len(known)]])
            return out.getvalue().encode()
        return images.png(self.open(name))

    def ids(self, name: str) -> np.ndarray:
        raise Refused("data.setNoMaps", name=self.name)


def _labels(data: Any) -> list[int]:
    """The class of each picture, without opening any."""
    for name in ("targets", "_labels"):
        if hasattr(data, name):
            return [int(each) for each in getattr(data, name)]
    return [int(data[k][1]) for k in range(len(data))]


def _got(name: str) -> Any:
    """The set, from this machine if it is here, else downloaded."""
    from torchvision import datasets

    root = home() / "data" / "torchvision"
    kind = getattr(datasets, name)
    asked: dict[str, Any] = {"target_type": "attr"} if name in ATTRIBUTED else {}
    try:
        return kind(str(root), download=False, **asked)
    except RuntimeError:
        pass  # not here yet
    try:
        root.mkdir(parents=True, exist_ok=True)
        return kind(str(root), download=True, **asked)
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused("data.download", name=name, reason=type(error).__name__) from error
