"""Data sets from what people have: folders and zips, whole and broken."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from studio import toys
from studio.data import Files, Pairs, Segmentations, Stream, hold_out, sketches
from studio.gans import spade
from studio.gans.pix2pix import GAN
from studio.images import Image

CONFIG = replace(GAN.TINY, size=64)
SEGMENTED = spade.GAN.TINY


def picture(k: int, size=(64, 64)) -> Image.Image:
    return Image.fromarray(toys.picture("shoes", np.random.default_rng(k))).resize(size)


def encoded(made: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    made.save(buffer, kind)
    return buffer.getvalue()


def packed(path, files: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as z:
        for name, content in files.items():
            z.writestr(name, content)
    return path


def shapes_fit(data: Pairs) -> None:
    sketch, photo = data.batch([0, 1], [np.random.default_rng(0), None])
    assert sketch.shape == photo.shape == (2, 3, 64, 64)
    assert sketch.dtype == torch.float32
    assert sketch.abs().max() <= 1
    assert photo.abs().max() <= 1


def test_photos_become_sketches(tmp_path):
    data = Pairs(packed(tmp_path / "a.zip", {f"x/{k}.png": encoded(picture(k)) for k in range(4)}), CONFIG)
    assert data.kind == "photos"
    assert len(data) == 4
    shapes_fit(data)
    sketch, _ = data.batch([0], [None])
    assert (sketch > 0.9).float().mean() > 0.6  # mostly paper …
    assert (sketch < 0.5).float().mean() > 0.01  # … with dark strokes


def test_a_folder_is_as_good_as_a_zip(tmp_path):
    for k in range(3):
        picture(k).save(tmp_path / f"{k}.png")
    data = Pairs(tmp_path, CONFIG)
    assert (data.kind, len(data)) == ("photos", 3)
    shapes_fit(data)


def test_a_folder_inside_a_zip(tmp_path):
    files = {f"shoes/{k}.png": encoded(picture(k)) for k in range(3)} | {
        f"bags/{k}.png": encoded(picture(k)) for k in range(5)
    }
    assert len(Pairs(packed(tmp_path / "a.zip", files) / "bags", CONFIG)) == 5


def test_side_by_side(tmp_path):
    files = {}
    for k in range(3):
        both = Image.new("RGB", (128, 64), (255, 0, 0))
        both.paste((0, 0, 255), (64, 0, 128, 64))
        files[f"{k}.png"] = encoded(both)
    data = Pairs(packed(tmp_path / "a.zip", files), CONFIG)
    assert data.kind == "side by side"
    sketch, photo = data.batch([0], [None])
    assert sketch[0, :, 5, 5].tolist() == [1, -1, -1]  # the input is on the left
    assert photo[0, :, 5, 5].tolist() == [-1, -1, 1]


def test_two_folders(tmp_path):
    files = {f"A/{k}.png": encoded(Image.new("RGB", (64, 64), "red")) for k in range(3)}
    files |= {f"B/{k}.jpg": encoded(Image.new("RGB", (64, 64), "blue"), "JPEG") for k in range(4)}
    data = Pairs(packed(tmp_path / "a.zip", files), CONFIG)
    assert (data.kind, len(data)) == ("folders", 3)
    assert "partner" in data.skipped["3"]
    sketch, photo = data.batch([0], [None])
    assert sketch[0, 0].mean() > 0.9
    assert photo[0, 2].mean() > 0.9


def test_labels_are_coloured_by_their_palette(tmp_path):
    ids = np.zeros((64, 64), np.uint8)
    ids[:, 32:] = 1
    classes = [{"id": 0, "name": "wall", "colour": "#102030"}, {"id": 1, "name": "door", "colour": [200, 100, 50]}]
    files = {f"labels/{k}.png": encoded(Image.fromarray(ids)) for k in range(2)}
    files |= {f"photos/{k}.webp": encoded(picture(k), "WEBP") for k in range(2)} | {
        "classes.json": json.dumps(classes).encode()
    }
    data = Pairs(packed(tmp_path / "a.zip", files), CONFIG)
    assert data.kind == "labels"
    sketch, _ = data.batch([0], [None])
    assert ((sketch[0, :, 5, 5] + 1) * 127.5).round().tolist() == [16, 32, 48]
    assert ((sketch[0, :, 5, 60] + 1) * 127.5).round().tolist() == [200, 100, 50]
    assert [c["colour"] for c in data.facts()["palette"]] == ["#102030", "#c86432"]


def segmented(tmp_path, maps: dict[str, bytes], listed=None, photo=(96, 64)):
    files = {f"labels/{name}": content for name, content in maps.items()}
    files |= {f"photos/{name.split('.')[0]}.webp": encoded(picture(k, photo), "WEBP") for k, name in enumerate(maps)}
    if listed is not None:
        files["classes.json"] = json.dumps(listed).encode()
    return packed(tmp_path / "s.zip", files)


LISTED = [{"id": 0, "name": "sky", "colour": "#0000ff"}, {"id": 2, "name": "sea", "colour": "#00ff00"}]
LISTED += [{"id": 255, "name": "unknown", "colour": "#000000"}]
HALVES = np.repeat([[0] * 48 + [2] * 48], 64, axis=0).astype(np.uint8)  # 64 high, 96 wide, as the photos


def test_segmentations_keep_their_ids_and_know_how_many_there_are(tmp_path):
    holes = HALVES.copy()
    holes[:8] = 255
    maps = {"0.png": encoded(Image.fromarray(holes)), "1.png": encoded(Image.fromarray(HALVES.astype(np.uint16)))}
    data = Segmentations(segmented(tmp_path, maps, LISTED), SEGMENTED)
    assert data.kind == "labels"
    assert data.fit(SEGMENTED, {}).labels == 3  # ids 0 to 2; 255 needs no channel
    assert [each["id"] for each in data.facts()["palette"]] == [0, 2]
    ids, photo = data.batch([0, 1], [None, None])
    assert ids.shape == (2, 32, 32)
    assert ids.dtype == torch.uint8
    assert photo.shape == (2, 3, 32, 32)
    assert (ids[0, :4] == 255).all()
    assert ids[1, 0].tolist() == [0] * 16 + [2] * 16  # the middle square of a wide photo
    ids, _ = data.batch([1] * 20, [np.random.default_rng(k) for k in range(20)])
    assert set(ids.unique().tolist()) <= {0, 2}, "nothing is blended"
    assert len({tuple(each[0].tolist()) for each in ids}) > 5, "and each is varied"
    assert data.rows(data.batch([0], [None])).shape == (1, 2, 3, 32, 32)


def test_segmentations_of_colours_are_read_by_their_palette(tmp_path):
    colours = np.zeros((64, 96, 3), np.uint8)
    colours[:, :48], colours[:, 48:] = (0, 0, 255), (0, 255, 0)
    maps = {f"{k}.png": encoded(Image.fromarray(colours)) for k in range(2)}
    data = Segmentations(segmented(tmp_path, maps, LISTED), SEGMENTED)
    assert data.batch([0], [None])[0][0, 0].tolist() == [0] * 16 + [2] * 16
    data = Segmentations(segmented(tmp_path, maps), SEGMENTED)  # without one each colour is a class
    assert data.batch([0], [None])[0][0, 0].tolist() == [0] * 16 + [1] * 16
    assert [each["colour"] for each in data.facts()["palette"]] == ["#0000ff", "#00ff00"]


def test_segmentations_without_a_palette_count_their_classes(tmp_path):
    maps = {f"{k}.png": encoded(Image.fromarray(HALVES + k)) for k in range(3)}
    data = Segmentations(segmented(tmp_path, maps), SEGMENTED)
    assert data.fit(SEGMENTED, {}).labels == 5
    assert len({each["colour"] for each in data.facts()["palette"]}) == 5


def test_what_can_not_be_segmentations_is_named(tmp_path):
    whole, wrong = encoded(Image.fromarray(HALVES)), encoded(Image.fromarray(HALVES + 5))
    data = Segmentations(segmented(tmp_path, {"0.png": whole, "1.png": whole, "2.png": wrong}, LISTED), SEGMENTED)
    data.checked()
    assert "the number 5" in data.skipped["2"]
    assert len(data) == 2
    with pytest.raises(ValueError, match="no folders photos/ and labels/"):
        Segmentations(packed(tmp_path / "b.zip", {"a/0.png": whole, "b/0.png": whole}), SEGMENTED)
    with pytest.raises(ValueError, match="Two classes have the id 0"):
        Segmentations(segmented(tmp_path, {"0.png": whole, "1.png": whole}, [*LISTED, LISTED[0]]), SEGMENTED)


def test_toys_need_no_files():
    data = Pairs("toy", CONFIG)
    shapes_fit(data)
    photos = data.batch(range(20), [None] * 20)[1]
    assert photos.std(dim=0).mean() > 0.15  # no two are alike


def test_damaged_pictures_are_skipped_and_named(tmp_path):
    files = {f"{k:02}.png": encoded(picture(k)) for k in range(6)}
    files["02.png"] = files["02.png"][:200]
    files["04.png"] = b"no picture"
    data = Pairs(packed(tmp_path / "a.zip", files), CONFIG)
    data.batch(range(6), [None] * 6)
    assert set(data.skipped) == {"02.png", "04.png"}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"../evil.png": b"x", "a.png": b"x"}, "points outside"),
        ({"/etc/passwd.png": b"x"}, "points outside"),
        ({"..\\evil.png": b"x"}, "points outside"),
        ({"readme.txt": b"x"}, "no pictures"),
        ({"one.png": encoded(picture(0))}, "1 examples; at least 2"),
        ({f"{k}.png": b"junk" for k in range(4)}, "can be read"),
        ({}, "holds no files"),
    ],
)
def test_a_zip_that_is_no_data_set_gets_a_sentence(files, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        Pairs(packed(tmp_path / "a.zip", files), CONFIG).item(0, None)


def test_a_bomb_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.png", b"\0" * 50_000_000)
    with pytest.raises(ValueError, match="bomb"):
        Files(tmp_path / "bomb.zip")


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04 cut off"])
def test_no_zip_at_all(content, tmp_path):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match="not a zip"):
        Files(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="no folder or zip"):
        Files(tmp_path / "none.zip")


# ---- sketches -------------------------------------------------------------------------------------------------------


def test_the_same_hand_draws_the_same_sketch():
    photo = toys.picture("shoes", np.random.default_rng(3))
    one, two = (sketches.pair(photo, np.random.default_rng(5), 1.0)[0] for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, sketches.pair(photo, np.random.default_rng(6), 1.0)[0])


def test_hands_differ_in_pen_and_detail_but_all_draw_the_shoe():
    photo = toys.picture("shoes", np.random.default_rng(3))
    mask = sketches.foreground(photo)
    inks = [sketches.extract(photo, np.random.default_rng(k)) < 128 for k in range(40)]
    amounts = [ink.mean() for ink in inks]
    assert max(amounts) > 2 * min(amounts)
    assert min(amounts) > 0.004  # nobody hands in an empty sheet
    around = np.stack(np.nonzero(mask)).min(axis=1), np.stack(np.nonzero(mask)).max(axis=1)
    for ink in inks:
        where = np.stack(np.nonzero(ink))
        assert (where.min(axis=1) > around[0] - 14).all()
        assert (where.max(axis=1) < around[1] + 14).all()


def test_hints_are_the_photos_colours():
    photo = np.full((256, 256, 3), 255, np.uint8)
    photo[80:180, 60:200] = (20, 60, 200)
    for k in range(6):
        under = sketches.colour_hints(photo, np.random.default_rng(k))
        dabs = under[(under != 255).any(axis=2)]
        assert len(dabs) > 10
        assert np.abs(np.median(dabs, axis=0) - (20, 60, 200)).max() < 30


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_photo_is_no_reason_to_fail(value):
    blank = np.full((256, 256, 3), value, np.uint8)
    for rng in [None, np.random.default_rng(0)]:
        assert sketches.pair(blank, rng, 1.0)[0].shape == (256, 256, 3)


def test_a_share_of_the_sketches_has_colour_and_all_stand_for_the_photo_as_it_is():
    photo = toys.picture("shoes", np.random.default_rng(3))
    coloured = []
    for k in range(40):
        sketch, target = sketches.pair(photo, np.random.default_rng(k), 0.5)
        coloured.append((np.ptp(sketch, axis=2) > 30).any())
        assert np.array_equal(target, photo)
    assert 8 < sum(coloured) < 32
    assert not (np.ptp(sketches.pair(photo, np.random.default_rng(3), 0.0)[0], axis=2) > 30).any()


# ---- order ----------------------------------------------------------------------------------------------------------


def test_a_batch_is_a_function_of_seed_and_step():
    data = Pairs("toy", CONFIG)
    data.names = data.names[:10]
    one, two = Stream(data, 4, seed=1), Stream(data, 4, seed=1)
    for _ in range(2):
        one[0]
    assert torch.equal(one[7][0], two[7][0])
    assert not torch.equal(one[7][0], Stream(data, 4, seed=2)[7][0])


def test_an_epoch_sees_every_example_once():
    data = Pairs("toy", CONFIG)
    data.names = data.names[:12]
    seen = []
    data.batch = lambda indices, rngs: seen.extend(indices)
    stream = Stream(data, 5)
    for step in range(24):
        stream[step]
    for epoch in range(10):
        assert sorted(seen[12 * epoch : 12 * epoch + 12]) == list(range(12))


def test_a_loader_process_gives_the_same(tmp_path):
    source = packed(tmp_path / "a.zip", {f"{k}.png": encoded(picture(k)) for k in range(6)})
    stream = Stream(Pairs(source, CONFIG), 2)
    stream[0]  # an open zip must not travel
    there = list(DataLoader(stream, batch_size=None, sampler=range(3), num_workers=1))
    for step in range(3):
        assert torch.equal(there[step][0], stream[step][0])


def test_held_out_pictures_have_no_twin_in_the_training(tmp_path):
    files = {f"{k:02}.png": encoded(picture(k)) for k in range(12)}
    files |= {f"twin-{k:02}.png": encoded(picture(k)) for k in range(8)}
    data = Pairs(packed(tmp_path / "a.zip", files), CONFIG)
    held = hold_out(data, 3)
    assert len(held) == 3
    assert set(held) <= {"08.png", "09.png", "10.png", "11.png"}
    assert held == hold_out(data, 3)
    with pytest.raises(ValueError, match="hold out fewer"):
        hold_out(data, 9)
