"""Classes: pictures of which each is one thing of several: for GANs that are told which."""

from __future__ import annotations

from typing import Any, ClassVar

from studio.data.labelled import Labelled
from studio.refused import Refused


class Classes(Labelled):
    """`Labelled` with one label set, of which exactly one label is true of a picture: ``(N, L)`` is one-hot.

    Raises:
        ValueError: labels of several sets, labels that do not exclude each other, or one class only.
    """

    asks: ClassVar = {
        "en": "a folder of pictures for each label, two labels or more",
        "ko": "라벨마다 나눈 사진 폴더(라벨은 둘 이상)",
    }
    TOYS = ("digits",)

    def __init__(self, source: Any, config: Any) -> None:
        super().__init__(source, config)
        names = self.labels.names
        if len(names) < 2:
            raise Refused("data.oneClass", source=str(source), name=names[0], asks=self.asks)
        if self.labels.groups != (tuple(range(len(names))),):
            raise Refused("data.oneOf", labels=self.text[:60])
