"""The label maps that a painting begins with."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from studio.images import Image
from studio.labels import Classes, open_map
from studio.toys import templates
from studio.toys.landscapes import CLASSES

WORDS = Path(__file__).parents[2] / "studio" / "gans" / "spade" / "words.toml"


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_a_template_is_a_map_of_known_classes_and_always_the_same(name):
    ids = templates.template(name)
    assert ids.shape == (256, 256)
    assert len(np.unique(ids)) >= 3
    assert ids.max() < len(CLASSES)
    assert np.array_equal(ids, templates.template(name))
    assert min(np.bincount(ids.ravel())[np.unique(ids)]) > 20, "no stray pixels"


def test_every_class_is_in_a_template_and_every_template_has_a_name():
    there = {int(k) for name in templates.TEMPLATES for k in np.unique(templates.template(name))}
    assert there == set(range(len(CLASSES)))
    assert set(tomllib.loads(WORDS.read_text(encoding="utf-8"))["templates"]) == set(templates.TEMPLATES)
    assert set(tomllib.loads(WORDS.read_text(encoding="utf-8"))["classes"]) == set(CLASSES)


def test_their_files_are_read_back_exactly_by_numbers_and_by_colours(tmp_path):
    templates.main(str(tmp_path))
    classes = Classes([{"id": k, "name": n, "colour": templates.COLOURS[k]} for k, n in enumerate(CLASSES)])
    for name in templates.TEMPLATES:
        for picture in (Image.open(tmp_path / f"{name}.png"), Image.open(tmp_path / f"{name}.png").convert("RGB")):
            found = classes.read(open_map(picture))
            assert np.array_equal(found.ids, templates.template(name))
            assert found.snapped == 0
