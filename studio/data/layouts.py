"""Layouts: what the names of folders and files say of pictures that belong together, in the words that people use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

TRAINED = {"train", "training", "trn", "학습", "훈련", "학습용", "훈련용"}
TESTED = {
    "test", "testing", "tst", "val", "valid", "validation", "dev", "eval", "시험", "테스트", "검증", "평가", "시험용",
    "검증용", "평가용",
}  # fmt: skip
SPLITS = TRAINED | TESTED
PHOTOS = {
    "photo", "photos", "image", "images", "img", "imgs", "picture", "pictures", "jpegimages", "leftimg8bit", "jpg",
    "사진", "이미지", "원본", "원본사진", "원본이미지", "영상",
}  # fmt: skip
LABELS = {
    "label", "labels", "mask", "masks", "annotation", "annotations", "ann", "anns", "seg", "segs", "segmentation",
    "segmentations", "segmentationclass", "gt", "gts", "groundtruth", "ground_truth", "gtfine", "labelmap", "labelmaps",
    "label_maps", "labelids", "라벨", "레이블", "마스크", "라벨맵", "정답", "주석", "분할",
}  # fmt: skip
AFTER = (  # the input, and what it should become, where the alphabet has them the other way round
    ({"sketch", "sketches", "drawing", "drawings", "edge", "edges", "line", "lines", "lineart", "스케치", "선화", "선",
      "밑그림"}, PHOTOS | {"colour", "color", "colored", "coloured", "채색", "컬러", "완성"}),
    ({"before", "전", "이전"}, {"after", "후", "이후"}),
    ({"input", "inputs", "in", "source", "x", "a", "입력", "원본"},
     {"target", "targets", "output", "outputs", "out", "y", "b", "출력", "정답", "결과", "목표"}),
    (LABELS, PHOTOS),
)  # fmt: skip
TAIL = re.compile(r"^(.+?)[ _.\-]+([^\W\d_]+[A-Za-z0-9]*)$")  # 12_A, street-3_mask
HEAD = re.compile(r"^([^\W\d_]+)[ _.\-]+(.+)$")  # A_12
SAID = re.compile(r"^(train|training|test|val|valid)[ _\-]?(.+)$")


class Two(NamedTuple):
    """Two groups of pictures by what both are called: ``left`` becomes ``right``; ``called`` are the groups' names."""

    left: dict[str, str]
    right: dict[str, str]
    called: tuple[str, str]

    def both(self) -> int:
        return len(set(self.left) & set(self.right))


def word(part: str) -> str:
    """A folder's name as it is compared."""
    return re.sub(r"[\s\-]+", "_", part.strip().casefold())


def parted(part: str) -> tuple[str, str]:
    """``trainA`` -> (train, a); ``images`` -> ("", images); ``test`` -> (test, "")."""
    name = word(part)
    if name in SPLITS:
        return name, ""
    found = SAID.match(name)
    return (found[1], found[2]) if found and (len(found[2]) == 1 or found[2] in PHOTOS | LABELS) else ("", name)


def is_tested(name: str) -> bool:
    """Whether a picture lies in a folder for tests."""
    return any(parted(part)[0] in TESTED for part in PurePosixPath(name).parent.parts)


def without_splits(folder: str) -> str:
    """A folder's path without those that only say what is trained on."""
    return "/".join(part for part in PurePosixPath(folder).parts if word(part) not in SPLITS)


def _common(pictures: Sequence[str]) -> int:
    """How many folders all pictures lie in together."""
    parents = [PurePosixPath(name).parent.parts for name in pictures]
    depth = 0
    while all(len(p) > depth for p in parents) and len({p[depth] for p in parents}) == 1:
        depth += 1
    return depth


def maps(pictures: Sequence[str]) -> Two | None:
    """(label maps, photos) in folders, or beside each other as ``x.jpg`` and ``x_mask.png``; None = no such."""
    left: dict[str, str] = {}
    right: dict[str, str] = {}
    called = ["", ""]
    top = _common(pictures)
    for name in pictures:
        path = PurePosixPath(name)
        parts = path.parts[top:-1]
        kinds = [parted(part) for part in parts]
        at = next((k for k, (_, kind) in enumerate(kinds) if kind in PHOTOS | LABELS), None)
        stem, said = _said_by_name(path.stem)
        if at is not None:
            side = kinds[at][1] in LABELS
            called[not side] = parts[at]
            rest = [*parts[:at], *([kinds[at][0]] if kinds[at][0] else []), *parts[at + 1 :]]
            stem = stem if said else path.stem
        else:
            side, rest = said == "label", list(parts)
            stem = stem if said else path.stem
        (left if side else right).setdefault("/".join([*rest, stem]), name)
    found = Two(left, right, (called[0] or "_mask", called[1] or "photos"))
    if not left or not right or (not called[0] and found.both() < 2):
        return None
    if not called[1] and not any(not _said_by_name(PurePosixPath(n).stem)[1] for n in pictures):
        return None
    return found


def _said_by_name(stem: str) -> tuple[str, str]:
    """``street_mask`` -> (street, label); ``a_leftImg8bit`` -> (a, photo); others as they are."""
    low = stem.casefold()
    for tail in ("_gtfine_labelids", "_gtfine_labeltrainids", "_gtfine_color"):
        if low.endswith(tail):
            return stem[: -len(tail)], "label"
    found = re.match(r"(?i)^(.+?)[ _.\-]+([^\W\d_]+8bit|[^\W\d_]+)$", stem)
    if found and word(found[2]) in LABELS:
        return found[1], "label"
    if found and word(found[2]) in PHOTOS:
        return found[1], "photo"
    found = HEAD.match(stem)
    return (found[2], "label") if found and word(found[1]) in LABELS else (stem, "")


def two(pictures: Sequence[str], least: int) -> Two | None:
    """The two folders, or the two endings of names, whose pictures belong together by name; None = there are none."""
    return _of_folders(pictures, least) or _of_names(pictures, least)


def _of_folders(pictures: Sequence[str], least: int) -> Two | None:
    top = _common(pictures)
    paths = {name: PurePosixPath(name).parts[top:] for name in pictures}
    for depth in range(max((len(path) - 1 for path in paths.values()), default=0)):
        groups: dict[str, dict[str, str]] = {}
        said: dict[str, str] = {}
        for name, path in paths.items():
            split, kind = parted(path[depth]) if len(path) > depth + 1 else ("", "")
            if not kind:
                continue
            said.setdefault(kind, path[depth])
            key = [*path[:depth], *([split] if split else []), *path[depth + 1 : -1], PurePosixPath(path[-1]).stem]
            groups.setdefault(kind, {}).setdefault("/".join(key), name)
        if len(groups) == 2:
            first, second = ordered(*sorted(groups, key=lambda kind: said[kind]))
            found = Two(groups[first], groups[second], (said[first], said[second]))
            if found.both() >= max(least, len(found.left) // 2):
                return found
    return None


def _of_names(pictures: Sequence[str], least: int) -> Two | None:
    """``1_A.png`` and ``1_B.png``, ``sketch-1.png`` and ``photo-1.png``."""
    for form, key, side in ((TAIL, 1, 2), (HEAD, 2, 1)):
        groups: dict[str, dict[str, str]] = {}
        for name in pictures:
            path = PurePosixPath(name)
            if found := form.match(path.stem):
                groups.setdefault(word(found[side]), {}).setdefault(f"{path.parent}/{found[key]}", name)
        counts = Counter({kind: len(names) for kind, names in groups.items()})
        if len(groups) < 2:
            continue
        names = sorted(kind for kind, _ in counts.most_common(2))
        first, second = ordered(names[0], names[1])
        found = Two(groups[first], groups[second], (first, second))
        if found.both() >= least and 2 * found.both() >= 0.6 * len(pictures):
            return found
    return None


def ordered(first: str, second: str) -> tuple[str, str]:
    """Which of two groups is the input: as their names say, else the first in the alphabet."""
    for before, after in AFTER:
        if second in before and first in after:
            return second, first
        if first in before and second in after:
            return first, second
    return first, second
