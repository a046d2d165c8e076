"""Images: pictures and nothing else, for GANs that draw from noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from studio import images, toys
from studio.data.base import DataSet, Random, to_batch


class Images(DataSet):
    """``(N, 3, S, S)`` in [-1, 1]: all pictures below the source, cropped to their middle square.

    Args:
        config: ``size``, and ``mirror``: whether half of the pictures are mirrored.
    """

    asks: ClassVar = {"en": "pictures in any folders", "ko": "사진(폴더는 어떻게 나뉘어도 됩니다)"}
    TORCHVISION = ("MNIST", "FashionMNIST", "CIFAR10", "CelebA", "Flowers102", "OxfordIIITPet")
    REAL = ("digits", "hangul")
    TOYS = ("digits", "shoes", "faces", "landscapes", "textures")

    def __init__(self, source: Any, config: Any) -> None:
        self.mirror = config.mirror
        super().__init__(source, config)

    def understand(self, config: Any) -> tuple[str, list[str]]:
        found = self.files.pictures()
        if not found:
            raise self.lacking("data.none", source=self.source, asks=self.asks)
        return "pictures", found

    def picture(self, index: int) -> np.ndarray | None:
        name = self.names[index]
        if self.toy:
            return toys.picture(self.toy, np.random.default_rng(int(name[4:])), max(self.size, 32))
        found = self.open(name)
        return None if found is None else np.asarray(found)

    def item(self, index: int, rng: Random | None) -> np.ndarray:
        """The middle square at the training size; mirrored half of the time if that is asked for."""
        array = self.next_good(self.picture, index)
        if array.shape[:2] != (self.size, self.size):
            array = np.asarray(images.crop_square(images.Image.fromarray(array), self.size))
        return array[:, ::-1] if self.mirror and rng is not None and rng.random() < 0.5 else array

    def batch(self, indices: Sequence[int], rngs: Sequence[Random | None]) -> tuple[Tensor]:
        return (to_batch([self.item(k, rng) for k, rng in zip(indices, rngs, strict=True)]),)

    def rows(self, batch: tuple[Tensor, ...]) -> Tensor:
        return batch[0][:, None]
