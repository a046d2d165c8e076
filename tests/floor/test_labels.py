"""Label maps as people bring them: numbers or colours, soft edges, alpha, 16 bits, JPEG, and wrong palettes."""

from __future__ import annotations

import io

import numpy as np
import pytest

from studio.images import Image
from studio.labels import MOST, Classes, open_map, sampled
from studio.toys.landscapes import landscape

LISTED = [
    {"id": 0, "name": {"en": "sky", "ko": "하늘"}, "colour": "#87b5e5"},
    {"id": 3, "name": "water", "colour": "#2f62b5"},
    {"id": 4, "name": "grass", "colour": [123, 176, 60]},
    {"id": 8, "name": "snow", "colour": "#ffffff"},
]
CLASSES = Classes(LISTED)
IDS = np.repeat(np.repeat(np.uint8([[0, 3, 255], [4, 8, 0]]), 10, 0), 10, 1)  # 20 x 30


def encoded(picture: Image.Image, kind: str = "PNG", **how) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def indexed(order: list[int]) -> Image.Image:
    """A palette picture whose table is in another order than the ids."""
    table = {0: 0, 3: 1, 4: 2, 8: 3, 255: 4} if not order else dict(zip((0, 3, 4, 8, 255), order, strict=True))
    picture = Image.fromarray(np.vectorize(table.get)(IDS).astype(np.uint8))
    colours = np.zeros((256, 3), np.uint8)
    for own, place in table.items():
        colours[place] = CLASSES.colours[own] if own != 255 else CLASSES.colours[0]
    picture.putpalette(colours.ravel().tolist())
    return picture


def known(ids: np.ndarray) -> np.ndarray:
    return np.where(ids == 255, 0, ids)


EXACT = {
    "array": (IDS, IDS),
    "array of longs": (IDS.astype(np.int64), IDS),
    "array of whole floats": (IDS.astype(np.float32), IDS),
    "one channel": (IDS[..., None], IDS),
    "grey PNG": (encoded(Image.fromarray(IDS)), IDS),
    "16-bit PNG": (encoded(Image.fromarray(IDS.astype(np.uint16))), IDS),
    "16-bit PNG, stretched": (encoded(Image.fromarray(IDS.astype(np.uint16) * 257)), IDS),
    "grey saved as RGB": (encoded(Image.fromarray(IDS).convert("RGB")), IDS),
    "grey TIFF of 32 bits": (encoded(Image.fromarray(IDS.astype(np.int32)), "TIFF"), IDS),
    "colours": (CLASSES.colours[known(IDS)], known(IDS)),
    "colours, lossless WebP": (
        encoded(Image.fromarray(CLASSES.colours[known(IDS)]), "WEBP", lossless=True),
        known(IDS),
    ),
    "palette of our colours in another order": (encoded(indexed([7, 0, 1, 2, 3])), known(IDS)),
    "palette picture of ids with other colours": (
        encoded((lambda p: (p.putpalette([k for k in range(256) for _ in range(3)]), p)[1])(Image.fromarray(IDS))),
        IDS,
    ),
}


@pytest.mark.parametrize(("given", "expected"), EXACT.values(), ids=EXACT)
def test_ids_arrive_exactly(given, expected):
    found = CLASSES.read(open_map(given))
    assert found.ids.dtype == np.uint8
    assert np.array_equal(found.ids, expected)
    assert (found.snapped, found.foreign) == (0, ())
    assert found.unknown == (expected == 255).sum()


def test_a_white_canvas_is_snow_not_unknown():
    white = CLASSES.read(open_map(Image.new("RGB", (8, 8), "white")))
    assert (white.ids == 8).all()
    assert white.kind == "colours"


def test_transparent_pixels_are_unknown_and_half_transparent_ones_keep_their_colour():
    alpha = np.full(IDS.shape, 255, np.uint8)
    alpha[:5], alpha[5:8] = 0, 160
    both = Image.fromarray(np.dstack([CLASSES.colours[known(IDS)], alpha]))
    for given in (both, encoded(both), encoded(both, "WEBP", lossless=True, exact=True)):
        found = CLASSES.read(open_map(given))
        assert (found.ids[:5] == 255).all()
        assert np.array_equal(found.ids[5:], known(IDS)[5:])
        assert found.unknown == 5 * 30
    grey = Image.merge("LA", [Image.fromarray(IDS), Image.fromarray(alpha)])
    found = CLASSES.read(open_map(encoded(grey)))
    assert (found.ids[:5] == 255).all()
    assert np.array_equal(found.ids[5:], IDS[5:])
    table = Image.fromarray(np.where(alpha == 0, 9, IDS).astype(np.uint8))
    table.putpalette(np.where(np.arange(256)[:, None] == 9, 0, CLASSES.colours).astype(np.uint8).ravel().tolist())
    assert (CLASSES.read(open_map(encoded(table, transparency=9))).ids[:5] == 255).all()


def test_a_soft_brush_s_rim_belongs_to_one_of_its_two_sides():
    """Sky blended with grass passes near water and rock; neither is there, so neither may come of it."""
    soft = Image.fromarray(CLASSES.colours[np.repeat(np.uint8([[0], [4]]), 32, 0).repeat(64, 1)])
    soft = soft.resize((64, 200), Image.Resampling.BICUBIC)  # anti-aliased border, ringing included
    found = CLASSES.read(open_map(soft))
    assert found.snapped > 0
    assert set(np.unique(found.ids)) == {0, 4}
    assert (found.ids[:90] == 0).all() and (found.ids[110:] == 4).all()
    assert sum(pixels for _, pixels, _ in found.foreign) <= found.snapped
    assert all(number in (0, 4) for _, _, number in found.foreign)


def test_a_wide_soft_brush_where_three_classes_meet_makes_no_fourth():
    ids = np.zeros((90, 90), np.uint8)
    ids[45:, :45], ids[45:, 45:] = 4, 3
    soft = Image.fromarray(CLASSES.colours[ids]).resize((360, 360), Image.Resampling.BICUBIC)
    found = CLASSES.read(open_map(soft))
    assert found.snapped > 5000
    assert set(np.unique(found.ids)) == {0, 3, 4}
    assert (found.ids == ids.repeat(4, 0).repeat(4, 1)).mean() > 0.985


def test_another_shade_of_a_class_is_that_class_up_to_its_edge():
    canvas = CLASSES.colours[np.full((60, 60), 4)]
    canvas[20:40, 20:40] = (40, 90, 170)  # nearly water, in a meadow
    found = CLASSES.read(open_map(canvas))
    assert (found.ids[20:40, 20:40] == 3).all()
    assert found.snapped == 400
    assert (found.ids == 4).sum() == 3200


def test_a_jpeg_is_read_and_says_that_it_was_guessed():
    ids = known(IDS).repeat(4, 0).repeat(4, 1)
    found = CLASSES.read(open_map(encoded(Image.fromarray(CLASSES.colours[ids]), "JPEG", quality=70)))
    assert found.snapped > 0.05 * ids.size
    assert (found.ids == ids).mean() > 0.97


def test_unknown_colours_become_the_nearest_class_and_are_reported():
    canvas = np.full((20, 20, 3), (130, 180, 230), np.uint8)  # nearly sky, everywhere
    canvas[:2] = (255, 250, 250)  # nearly snow
    found = CLASSES.read(open_map(canvas))
    assert (found.ids[2:] == 0).all() and (found.ids[:2] == 8).all()
    assert found.snapped == 400
    assert found.foreign == (("#82b4e6", 360, 0), ("#fffafa", 40, 8))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (np.full((4, 4), 7, np.uint8), "the number 7, which is no class here: classes are 0 to 8"),
        (np.full((4, 4), 300, np.uint16), "the number 300"),
        (np.full((4, 4), -1), "the number -1"),
        (np.full((4, 4), 0.5), "fractions"),
        (np.zeros((0, 4), np.uint8), "not \\(0, 4\\)"),
        (np.zeros((4, 4, 2), np.uint8), "not \\(4, 4, 2\\)"),
        (np.zeros((4, 4, 3), np.float32), "8-bit"),
        (np.array([["a"]]), "whole numbers"),
        (b"no picture", "not a picture"),
        ("/no/such/file.png", "no file"),
    ],
)
def test_what_is_no_label_map_gets_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        CLASSES.read(open_map(given))


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ([{"id": 1, "name": "sky"}, {"id": 1, "name": "sea"}], "Two classes have the id 1: sky and sea"),
        (
            [{"id": 1, "colour": "#0000ff"}, {"id": 2, "name": "sea", "colour": [0, 0, 255]}],
            "both have the colour #0000ff",
        ),
        ([{"id": 256, "name": "sky"}], "0 to 255"),
        ([{"id": "1", "name": "sky"}], "whole numbers"),
        ([{"id": 1, "name": "sky", "colour": "blue"}], "#87b5e5"),
        ([{"id": 1, "name": "sky", "colour": [0, 0, 256]}], "#87b5e5"),
        ([], "at least one"),
        (["sky"], "looks like"),
    ],
)
def test_a_palette_that_is_wrong_names_the_classes(listed, sentence):
    with pytest.raises(ValueError, match=sentence):
        Classes(listed)


@pytest.mark.parametrize(
    "text",
    ['[{"id": 0, "name": "sky"}, {"id": 2, "name": "sea"}]',
     '{"classes": [{"id": 0, "name": "sky"}, {"id": 2, "name": "sea"}]}',
     '{"0": "sky", "2": "sea"}', '{"0": {"name": "sky"}, "2": {"name": "sea"}}'],
)  # fmt: skip
def test_palettes_as_people_write_them(text):
    classes = Classes.parse(text)
    assert len(classes) == 3
    assert [each["name"] for each in classes.listed] == ["sky", "sea"]
    assert len({each["colour"] for each in classes.listed}) == 2


@pytest.mark.parametrize("text", [b"\xff\xfe", "{", '"sky"', '{"x": "sky"}'])
def test_a_damaged_palette_gets_a_sentence(text):
    with pytest.raises(ValueError, match=r"classes\.json"):
        Classes.parse(text)


def test_classes_are_found_by_id_and_by_name_in_any_language():
    assert [CLASSES.id(which) for which in (3, "3", "Water", "하늘", " SNOW ")] == [3, 3, 3, 0, 8]
    with pytest.raises(ValueError, match="There are: 0 sky, 3 water, 4 grass, 8 snow"):
        CLASSES.id("lava")
    assert (len(CLASSES), CLASSES.name(255), CLASSES.name(0)) == (9, "unknown", "sky")
    assert len(Classes([*LISTED, {"id": 255, "name": "unknown", "colour": "#000000"}])) == 9  # unknown needs no channel


def test_large_maps_are_looked_at_in_a_size_that_a_net_can_use():
    found = CLASSES.read(open_map(np.zeros((3000, 1500), np.uint8)))
    assert found.ids.shape == (MOST, MOST // 2)


def test_another_size_blends_nothing():
    ids = landscape(np.random.default_rng(1), 64)[1]
    for height, width in ((32, 32), (100, 37), (1, 1), (64, 64)):
        made = sampled(ids, height, width)
        assert made.shape == (height, width)
        assert set(np.unique(made)) <= set(np.unique(ids))
    assert np.array_equal(sampled(ids, 64, 64), ids)
    assert np.array_equal(sampled(ids.repeat(4, 0).repeat(4, 1), 64, 64), ids)
