"""Files as people have them: each row of what was found in public reports, with small files that are made here.

A row's number is that of the table in the findings: the report that somebody wrote about another program.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import asdict
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from studio import images, registry
from studio.__main__ import main
from studio.data import Files, Images, Labelled, Pairs, Segmentations, Styles, TwoDomains
from studio.data.files import several
from studio.refused import Refused
from studio.toys.landscapes import landscape
from studio.training import process, runs
from studio.training.preview import preview

NOISE = SimpleNamespace(size=16, mirror=False)
PAIRS = SimpleNamespace(size=16, inputs=3, hints=0.0)
STYLES = SimpleNamespace(size=16, load=16, styles=0, added=0)
MAPS = SimpleNamespace(size=16, labels=0)
LABELS = SimpleNamespace(size=16, labels="")
PAINTER = "김홍도"


def picture(k=0, size=(24, 24), kind="PNG"):
    """The bytes of a picture that differs from others in its colours."""
    array = np.random.default_rng(k).integers(0, 256, (4, 4, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(array).resize(size, Image.Resampling.NEAREST).save(out, kind)
    return out.getvalue()


def folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


class Named(zipfile.ZipInfo):
    """An entry of a zip whose name is bytes, without the flag that says UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self):
        return self.raw, 0


def packed(path, files, encoding="utf-8"):
    """A zip whose names say nothing of their encoding."""
    with zipfile.ZipFile(path, "w") as pack:
        for k, (name, content) in enumerate(files.items()):
            entry = Named(f"{k}")
            entry.raw = name.encode(encoding)
            pack.writestr(entry, content)
    return path


# ---- names ----------------------------------------------------------------------------------------------------------


def styles(between="/", painter=PAINTER):
    return {f"{where}{between}{k}.png": picture(k) for where in ("photos", painter) for k in range(3)}


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])  # a Mac's archiver; Windows in Korea
def test_row_05_a_zip_that_does_not_say_its_encoding(encoding, tmp_path):
    data = Styles(packed(tmp_path / "a.zip", styles(), encoding), STYLES)
    assert data.styles == [PAINTER]
    assert len(data) == 6
    data.batch([0], [None])


def test_row_05_a_table_in_a_korean_zip_names_its_pictures(tmp_path):
    table = "파일,웃음\n" + "".join(f"사진{k}.png,{k % 2}\n" for k in range(4))
    files = {f"사진{k}.png": picture(k) for k in range(4)} | {"라벨.csv": table.encode("cp949")}
    data = Labelled(packed(tmp_path / "a.zip", files, "cp949"), LABELS)
    assert (len(data), data.labels.names) == (4, ("웃음",))


def test_names_of_western_windows_and_of_the_extra_field(tmp_path):
    found = Files(packed(tmp_path / "a.zip", {"caf\u00e9.png": picture()}, "cp437"))
    assert found.names == ["caf\u00e9.png"]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as pack:  # Info-ZIP's field, beside a name in another encoding
        entry = Named("1.png")
        entry.raw, name = b"\xff\xfe.png", "강.png".encode()
        entry.extra = b"\x75\x70" + (5 + len(name)).to_bytes(2, "little") + bytes(5) + name
        pack.writestr(entry, picture())
    files = Files(tmp_path / "b.zip")
    assert files.names == ["강.png"]
    assert files.open("강.png").size == (24, 24)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("zipped", [False, True])
def test_row_06_letters_that_a_mac_takes_apart(form, zipped, tmp_path):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    table = "file,smiling\n" + "".join(f"강{k}.png,{k % 2}\n" for k in range(4))
    files = {unicodedata.normalize(form, f"강{k}.png"): picture(k) for k in range(4)}
    files["labels.csv"] = unicodedata.normalize(other, table).encode()
    source = packed(tmp_path / "a.zip", files) if zipped else folder(tmp_path / "a", files)
    data = Labelled(source, LABELS)
    assert data.names == [f"강{k}.png" for k in range(4)]
    data.batch([0, 1], [None, None])


def test_a_source_that_is_named_in_the_other_form(tmp_path):
    folder(tmp_path / unicodedata.normalize("NFD", "강"), {"1.png": picture()})
    assert Files(tmp_path / "강").open("1.png").size == (24, 24)


HIDDEN = (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".thumbnails", "#recycle", "$RECYCLE.BIN")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_row_07_what_a_system_leaves_behind_is_neither_style_nor_label_nor_pair(hidden, zipped, tmp_path):
    def made(name, files):
        return packed(tmp_path / f"{name}.zip", files) if zipped else folder(tmp_path / name, files)

    def left(files, where):
        return files | {f"{where}/{hidden}/{k}-checkpoint.png": picture(k) for k in range(3)}

    pairs = {f"{side}/{k}.png": picture(k) for side in "AB" for k in range(3)}
    data = Pairs(made("pairs", left(pairs, "A")), PAIRS)
    assert (data.kind, len(data)) == ("folders", 3)
    data = Styles(made("styles", left(styles(), PAINTER)), STYLES)
    assert data.styles == [PAINTER]
    labelled = {f"{label}/{k}.png": picture(k) for label in ("cat", "dog") for k in range(2)}
    data = Labelled(made("labels", left(labelled, "cat")), LABELS)
    assert data.labels.names == ("cat", "dog")
    if hidden != "__MACOSX":  # what lies there is no picture
        assert set(map(str, data.skipped.values())) == {"lies in a hidden folder, or one that a system made for itself"}


ENDINGS = {".jfif": "JPEG", ".jpe": "JPEG", ".JPG": "JPEG", ".avif": "AVIF", ".ppm": "PPM", ".TIFF": "TIFF",
           ".dib": "BMP", ".apng": "PNG", ".jpg_large": "JPEG", "": "PNG"}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_row_09_every_ending_that_can_be_read(ending, tmp_path):
    files = {f"{k}{ending}": picture(k, kind=ENDINGS[ending]) for k in range(3)}
    data = Images(folder(tmp_path, files | {"4.png": picture(4), "note.txt": b"\x89PNG\r\n"}), NOISE)
    assert len(data) == 4
    assert data.checked()["skipped"] == {}


@pytest.mark.parametrize(
    ("ending", "says"),
    [(".HEIC", "Most Compatible"), (".heif", "JPEG"), (".dng", "raw picture"), (".psd", "PNG or JPEG"),
     (".jxl", "PNG or JPEG"), (".mp4", "PNG or JPEG")],
)  # fmt: skip
def test_row_09_a_picture_that_cannot_be_read_is_left_out_with_a_word(ending, says, tmp_path):
    data = Images(folder(tmp_path, {"1.png": picture(1), "2.png": picture(2), f"IMG_3{ending}": b"x"}), NOISE)
    assert len(data) == 2
    assert says in data.skipped[f"IMG_3{ending}"]


def test_row_15_a_zip_of_powershell(tmp_path):
    data = Styles(packed(tmp_path / "a.zip", styles("\\")), STYLES)
    assert (data.styles, len(data)) == ([PAINTER], 6)
    data.batch([0], [None])


@pytest.mark.parametrize("name", ["..\\..\\x.png", "C:\\x.png", "C:/x.png", "\\\\server\\x.png", "a/../../x.png"])
def test_names_that_do_point_outside_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match="points outside"):
        Files(packed(tmp_path / "a.zip", {name: picture(), "b.png": picture()}))


def test_row_16_links_are_followed_but_in_no_circle(tmp_path):
    folder(tmp_path / "elsewhere", {f"{k}.png": picture(k) for k in range(3)})
    folder(tmp_path / "set", {f"monet/{k}.png": picture(k) for k in range(3)})
    (tmp_path / "set" / "photos").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "set" / "monet" / "again").symlink_to(tmp_path / "set", target_is_directory=True)
    (tmp_path / "set" / "photos" / "9.png").symlink_to(tmp_path / "gone.png")
    data = Styles(tmp_path / "set", STYLES)
    assert (data.styles, len(data)) == (["monet"], 6)
    assert data.skipped == {"photos/9.png": "is a link to something that is not there"}


@pytest.mark.parametrize("name", ["12:30.png", "a+b.png", "1 (2).png", "é#%20.png", "웃는 얼굴;1.png"])
def test_names_with_signs(name, tmp_path):
    files = Files(packed(tmp_path / "a.zip", {name: picture()}))
    assert files.pictures() == [name]
    assert files.open(name).size == (24, 24)


def test_plus_signs_in_names_of_sources(tmp_path):
    for name in ("a+b.zip", "c.zip"):
        packed(tmp_path / name, {f"{name}/{k}.png": picture(k) for k in range(2)})
    both, alone = tmp_path / "a+b.zip", tmp_path / "c.zip"
    assert several(f"{both}/a+b.zip") == [f"{both}/a+b.zip"]
    assert several(f"{alone}+{both}") == [str(alone), str(both)]
    assert several(f"{both}+{alone}+real:digits") == [str(both), str(alone), "real:digits"]


def test_a_folder_that_was_unpacked_in_another_encoding(tmp_path):
    where = os.fsencode(tmp_path) + b"/" + PAINTER.encode("cp949")
    os.mkdir(where)
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(picture(k))
        with open(where + f"/{k}.png".encode(), "wb") as file:
            file.write(picture(k))
    data = Styles(tmp_path, STYLES)
    assert data.styles == [PAINTER]
    data.batch([0], [None])


def test_one_name_twice_is_said(tmp_path):
    for name in ("a", "b"):
        folder(tmp_path / name, {f"{k}.png": picture(k) for k in range(2)})
    data = Images(f"{tmp_path / 'a'}+{tmp_path / 'b'}", NOISE)
    assert len(data) == 2
    assert data.skipped == dict.fromkeys(
        [f"{tmp_path / 'b'}: {k}.png" for k in range(2)], "has the same name as another file"
    )


# ---- what is left out is said ---------------------------------------------------------------------------------------


def test_left_out_files_are_counted_by_reason(tmp_path):
    files = {f"{k}.png": picture(k) for k in range(3)} | {f"IMG_{k}.HEIC": b"x" for k in range(4)} | {"9.png": b"cut"}
    data = Images(folder(tmp_path, files), NOISE)
    found = data.checked()
    assert list(found["reasons"].values()) == [4, 1]
    assert "IMG_0.HEIC is a HEIC picture" in next(iter(found["reasons"]))
    assert found["count"] == 3


@pytest.mark.parametrize("language", ["en", "ko"])
def test_where_nothing_remains_the_most_frequent_reason_is_the_error(language, tmp_path):
    folder(tmp_path, {f"IMG_{k}.heic": b"x" for k in range(4)} | {"1.psd": b"x"})
    with pytest.raises(Refused) as told:
        Images(tmp_path, NOISE)
    assert "JPEG" in told.value.said(language)
    assert "4" in told.value.said(language)


def test_a_look_in_the_shell_says_what_the_form_says(tmp_path, capsys):
    source = folder(tmp_path / "a", styles() | {"IMG_1.heic": b"x"})
    assert main(["look", "gated_gan", "--data", str(source), "--json", "--set", "size=32", "load=32"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["count"], found["parts"]) == ("styles", 6, {"photos": 3, PAINTER: 3})
    assert found["reasons"][0]["count"] == 1
    assert "HEIC" in found["skipped"]["IMG_1.heic"]["ko"]
    assert main(["look", "gated_gan", "--data", str(source), "--set", "size=32", "load=32"]) == 0
    assert f"{PAINTER}: 3" in capsys.readouterr().out
    assert main(["look", "gated_gan", "--data", str(tmp_path / "none")]) == 2


# ---- layouts --------------------------------------------------------------------------------------------------------


def named(*forms, n=3, size=(24, 24)):
    return {form.format(k): picture(zlib.crc32(form.encode()) + k, size) for form in forms for k in range(n)}


SPLIT = named("A/train/{}.png", "B/train/{}.png") | named("A/val/{}.png", "B/val/{}.png", n=1)
LAYOUTS = {
    "A/train B/train": (SPLIT, "folders", 4),
    "top/A top/B": (named("set/A/{}.png", "set/B/{}.png"), "folders", 3),
    "trainA trainB": (named("trainA/{}.png", "trainB/{}.png", "testA/{}.png", "testB/{}.png"), "folders", 6),
    "train/A train/B": (named("train/A/{}.png", "train/B/{}.png", "test/A/{}.png", "test/B/{}.png"), "folders", 6),
    "1_A 1_B": (named("{}_A.png", "{}_B.png"), "folders", 3),
    "sketch-1 photo-1": (named("sketch-{}.png", "photo-{}.png"), "folders", 3),
    "Korean": (named("스케치/{}.png", "사진/{}.png"), "folders", 3),
    "photos and sketches": (named("photos/{}.png", "sketches/{}.png"), "folders", 3),
    "before and after": (named("before/{}.png", "after/{}.png"), "folders", 3),
    "of 160 x 60": (named("{}.png", size=(160, 60)), "side by side", 3),
    "one square among pairs": (named("{}.png", n=4, size=(48, 24)) | {"preview.png": picture(9)}, "side by side", 4),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_row_08_pairs_as_people_have_them(layout, tmp_path):
    files, kind, count = LAYOUTS[layout]
    data = Pairs(folder(tmp_path, files), PAIRS)
    assert data.kind == kind
    assert data.checked()["count"] == count
    sketch, photo = data.batch([0], [None])
    assert sketch.shape == photo.shape == (1, 3, 16, 16)


def test_row_08_photos_of_a_camera_stay_photos(tmp_path):
    for k in range(4):
        drawn = landscape(np.random.default_rng(k), 96)[0]
        Image.fromarray(drawn).crop((0, 0, 96, 64)).save(tmp_path / f"{k}.png")
    data = Pairs(tmp_path, PAIRS)
    assert (data.kind, data.readings) == ("photos", ("photos", "side by side"))
    assert Pairs(f"{tmp_path}?as=side by side", PAIRS).pair(0, None)[0].shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("before", "after"), [("sketches", "photos"), ("before", "after"), ("스케치", "사진"), ("A", "B"), ("입력", "출력")]
)
def test_row_08_which_of_two_folders_is_the_input(before, after, tmp_path):
    source = folder(tmp_path, named(f"{before}/{{}}.png", f"{after}/{{}}.png"))
    data = Pairs(source, PAIRS)
    assert all(name.startswith(before) for name in data.left.values())
    assert data.readings == ("folders", "turned", "photos")
    turned = Pairs(f"{source}?as=turned", PAIRS)
    assert all(name.startswith(after) for name in turned.left.values())
    assert Pairs(f"{source}?as=photos", PAIRS).kind == "photos"


def test_row_08_upright_pairs_are_told_from_photos_by_their_edges(tmp_path):
    halves = [Image.open(io.BytesIO(picture(k, (24, 32)))) for k in range(3)]
    for k, half in enumerate(halves):
        both = Image.new("RGB", (48, 32))
        both.paste(half, (0, 0))
        both.paste(half.convert("L"), (24, 0))
        both.save(tmp_path / f"{k}.png")
    data = Pairs(tmp_path, PAIRS)
    assert (data.kind, data.readings) == ("side by side", ("side by side", "photos"))


@pytest.mark.parametrize("splits", [("train", "test"), ("training", "validation"), ("학습", "검증")])
def test_row_10b_train_and_test_above_classes(splits, tmp_path):
    forms = [f"{split}/{label}/{split}{{}}.png" for split in splits for label in ("cat", "dog")]
    data = Labelled(folder(tmp_path, named(*forms)), LABELS)
    assert data.labels.names == ("cat", "dog")
    assert len(data) == 12
    assert {name.split("/")[0] for name in data.set_aside(2)} == {splits[1]}
    styled = folder(tmp_path / "styled", named(*(f"{s}/{w}/{s}{{}}.png" for s in splits for w in ("photos", "monet"))))
    data = Styles(styled, STYLES)
    assert (data.styles, len(data.photos), len(data.tested)) == (["monet"], 6, 3)


def masks(form, n=3):
    def mask(k):
        out = io.BytesIO()
        Image.fromarray(((np.arange(576).reshape(24, 24) // 288 + k) % 3).astype(np.uint8)).save(out, "PNG")
        return out.getvalue()

    return {form.format(k): mask(k) for k in range(n)}


@pytest.mark.parametrize(
    ("photos", "labels"),
    [("train_img/{}.jpg", "train_label/{}.png"), ("train/images/{}.jpg", "train/masks/{}.png"),
     ("Images/{}.jpg", "Labels/{}.png"), ("images/train/{}.jpg", "labels/train/{}.png"), ("img/{}.jpg", "gt/{}.png"),
     ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"), ("set/사진/{}.jpg", "set/마스크/{}.png"),
     ("images/{}.jpg", "masks/{}_mask.png"), ("{}.jpg", "{}_mask.png"),
     ("leftImg8bit/val/a/{}_leftImg8bit.jpg", "gtFine/val/a/{}_gtFine_labelIds.png")],
)  # fmt: skip
def test_row_13b_photos_and_label_maps_as_people_have_them(photos, labels, tmp_path):
    source = folder(tmp_path, named(photos) | masks(labels))
    data = Segmentations(source, MAPS)
    assert (data.kind, len(data), len(data.classes)) == ("labels", 3, 3)
    assert data.skipped == {}
    data.batch([0], [None])
    assert Pairs(source, PAIRS).kind == "labels"


# ---- tables ---------------------------------------------------------------------------------------------------------

PLAIN = "file,smiling,hair\n" + "".join(f"{k}.png,{k % 2},{'red' if k < 2 else 'black'}\n" for k in range(4))
NINE = [f"{k}.png" for k in range(4)]
YES_NO = [("yes", "no"), ("Y", "N"), ("예", "아니오"), ("O", "X"),
          ("있음", "없음"), ("はい", "いいえ"), ("true", "FALSE"), ("1", "-1"),
          ("oui", "non"), ("✓", "✗"), ("유", "무")]  # fmt: skip


def table(text, encoding="utf-8", name="labels.csv", pictures=NINE):
    return {each: picture(k) for k, each in enumerate(pictures)} | {name: text.encode(encoding)}


def sentences(files):
    return "file,smiling\n" + "".join(f"{each},{k % 2}\n" for k, each in enumerate(files))


TABLES = {
    "BOM": table(PLAIN, "utf-8-sig"),
    "UTF-16 of Excel": table(PLAIN.replace(",", "\t"), "utf-16"),
    "semicolons": table(PLAIN.replace(",", ";")),
    "tabs": table(PLAIN.replace(",", "\t"), name="labels.tsv"),
    "sep=": table("sep=;\n" + PLAIN.replace(",", ";")),
    "cp949": table(PLAIN.replace("red", "빨강").replace("black", "검정"), "cp949"),
    "CRLF and empty lines": table(PLAIN.replace("\n", "\r\n\r\n")),
    "quoted": table("\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines())),
    "file second": table("번호,파일명,smiling\n" + "".join(f"{9 - k},{k}.png,{k % 2}\n" for k in range(4))),
    "index of pandas": table(",file,smiling\n" + "".join(f"{k},{3 - k}.png,{k % 2}\n" for k in range(4))),
    "file by any name": table("smiling,Bild\n" + "".join(f"{k % 2},{k}.png\n" for k in range(4))),
    "ids without ending": table(sentences(f"id_{k}" for k in range(4)), pictures=[f"id_{k}.jpeg" for k in range(4)]),
    "another ending": table(sentences(f"{k}.jpg" for k in range(4))),
    "another case": table(sentences(f"IMG_{k}.JPG" for k in range(4)), pictures=[f"img_{k}.jpg" for k in range(4)]),
    "zeros taken off": table(sentences(range(4)), pictures=[f"{k:06}.png" for k in range(4)]),
    "paths of Windows": table(sentences(f"C:\\data\\{k}.png" for k in range(4))),
    "folders": table(
        sentences(f"{a}/{k}.png" for a in "ab" for k in range(2)), pictures=["a/0.png", "a/1.png", "b/0.png", "b/1.png"]
    ),
    "empty columns at the end": table("\n".join(f"{line},," for line in PLAIN.splitlines())),
    "no header": table("".join(f"{k}.png,{'cat' if k % 2 else 'dog'}\n" for k in range(4))),
    "a text with spaces": table("".join(f"{k}.png {k % 2}\n" for k in range(4)), name="list.txt"),
    "numeric classes": table("image,level\n" + "".join(f"{k},{k % 3}\n" for k in range(4))),
    "other texts beside it": table(PLAIN)
    | {
        "읽어주세요.txt": "사진을 보내 주세요".encode("cp949"),
        "training log.csv": b"step,loss\n1,2\n3\n",
        "loss.csv": b"a,a\n1,2\n",
        "a.txt": b"\xff\x00\x81",
    },
}


@pytest.mark.parametrize("kind", TABLES)
def test_row_10_tables_as_people_have_them(kind, tmp_path):
    data = Labelled(folder(tmp_path, TABLES[kind]), LABELS)
    assert (data.kind, len(data)) == ("table", 4)
    known = np.stack([data.all_labels(k) for k in range(4)])
    assert 0 < known.sum() <= known.size
    assert not np.isnan(known).any()
    data.batch([0, 1], [None, None])


@pytest.mark.parametrize(("yes", "no"), YES_NO)
def test_row_10_yes_and_no_as_people_write_them(yes, no, tmp_path):
    rows = "".join(f"{k}.png,{yes if k % 2 else no}\n" for k in range(4))
    data = Labelled(folder(tmp_path, table("file,smiling\n" + rows)), LABELS)
    assert data.labels.names == ("smiling",)
    assert [float(data.all_labels(k)[0]) for k in range(4)] == [0, 1, 0, 1]


def test_letters_that_are_words_stay_words(tmp_path):
    rows = "".join(f"{k}.png,{'fm'[k % 2]}\n" for k in range(4))
    assert Labelled(folder(tmp_path, table("file,sex\n" + rows)), LABELS).labels.names == ("f", "m")


def test_row_10_numbers_of_classes_get_names(tmp_path):
    data = Labelled(folder(tmp_path, TABLES["numeric classes"]), LABELS)
    assert data.labels.names == ("level_0", "level_1", "level_2")
    assert data.parts() == {"level_0": 2, "level_1": 1, "level_2": 1}


def test_row_11_other_texts_are_ignored_with_a_word(tmp_path):
    files = {f"{label}/{k}.png": picture(k) for label in ("cat", "dog") for k in range(2)}
    others = {"읽어주세요.txt": "cp949", "training log.csv": "utf-8", "loss.csv": "utf-8"}
    texts = ["사진을 읽어 주세요", "step,loss\n1,2\n3\n", "loss,loss\n1,2\n"]
    files |= {name: text.encode(code) for (name, code), text in zip(others.items(), texts, strict=True)}
    data = Labelled(folder(tmp_path, files), LABELS)
    assert (data.kind, data.labels.names) == ("classes", ("cat", "dog"))
    assert set(data.skipped) == set(others)
    assert all("ignored" in why for why in data.skipped.values())


def test_a_table_of_other_pictures_says_so(tmp_path):
    with pytest.raises(Refused, match=r"0 examples.*4 of them.*other0\.png is not there"):
        Labelled(folder(tmp_path, table(sentences(f"other{k}.png" for k in range(4)))), LABELS)


def test_the_labels_of_a_preset_give_way_to_those_of_the_data(tmp_path):
    stargan = registry.gan("stargan")
    source = str(folder(tmp_path / "set", named("고양이/{}.png", "개/{}.png")))
    seen = preview("stargan", source, stargan.CLASSROOM)
    assert seen.parts == {"개": 3, "고양이": 3}
    run = runs.create(
        "stargan", source, name=str(tmp_path / "runs" / "a"), settings=[f"labels={stargan.CLASSROOM.labels}"], steps=1
    )
    assert run.card["config"]["labels"] == "개|고양이"
    with pytest.raises(Refused, match="named a, b"):
        runs.create("stargan", source, name=str(tmp_path / "runs" / "b"), settings=["labels=a|b"], steps=1)


# ---- label maps -----------------------------------------------------------------------------------------------------

HALVES = np.arange(96)[:, None] // 48 + np.zeros((96, 96), int)  # 0 above, 1 below
THIRDS = np.arange(96)[:, None] // 32 + np.zeros((96, 96), int)
RED, SKY, GRASS = (200, 30, 30), (135, 181, 229), (40, 140, 60)


def mapped(made, photos=3, kind="PNG", **save):
    """Photos and label maps, the maps' rows shifted from one to the next."""
    files = named("photos/{}.png", n=photos, size=made.shape[1::-1])
    for k in range(photos):
        out = io.BytesIO()
        array = np.roll(made, 3 * k, axis=0)
        (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(out, kind, **save)
        files[f"labels/{k}.{kind.lower()}"] = out.getvalue()
    return files


def coloured(ids, *colours):
    return np.array(colours, np.uint8)[ids]


def numbered(ids, *values, depth=np.uint8):
    return np.array(values, depth)[ids]


MAPPED = {
    "0 and 255": (mapped(numbered(HALVES, 0, 255)), ["class 0", "class 255"]),
    "0 and 128": (mapped(numbered(HALVES, 0, 128)), ["class 0", "class 128"]),
    "0, 127 and 254": (mapped(numbered(THIRDS, 0, 127, 254)), ["class 0", "class 127", "class 254"]),
    "0 to 2": (mapped(numbered(THIRDS, 0, 1, 2)), ["class 0", "class 1", "class 2"]),
    "0, 1 and unknown": (mapped(numbered(THIRDS, 0, 1, 255)), ["class 0", "class 1"]),
    "16 bits": (mapped(numbered(THIRDS, 1001, 1002, 9, depth=np.uint16)), ["class 9", "class 1001", "class 1002"]),
    "colours without a key": (mapped(coloured(THIRDS, RED, SKY, GRASS)), ["class 0", "class 1", "class 2"]),
    "grey saved as colours": (mapped(coloured(HALVES, (0, 0, 0), (255, 255, 255))), ["class 0", "class 255"]),
    "JPEG of 0 and 255": (mapped(numbered(HALVES, 0, 255), kind="JPEG"), ["class 0", "class 255"]),
    "JPEG of colours": (mapped(coloured(THIRDS, RED, SKY, GRASS), kind="JPEG"), ["class 0", "class 1", "class 2"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", MAPPED)
def test_row_02_and_13_label_maps_as_people_have_them(kind, tmp_path):
    files, names = MAPPED[kind]
    data = Segmentations(folder(tmp_path, files), MAPS)
    assert len(data.classes) == len(names)
    if not kind.startswith("JPEG"):
        assert [each["name"] for each in data.classes.listed] == names
    ids = data.pair(0)[0]
    parts = [ids[at : at + 12].ravel() for at in (4, 36 if len(names) == 3 else 52, 76)]  # away from the rims
    assert all(len(set(part.tolist())) == 1 for part in parts)
    assert sorted(set(ids[4:-4:4].ravel().tolist()) - {255}) == list(range(len(names)))
    assert data.checked()["count"] == 3
    assert Pairs(tmp_path, PAIRS).checked()["count"] == 3


def test_a_palette_picture_keeps_its_colours(tmp_path):
    made = Image.fromarray(HALVES.astype(np.uint8), "L")
    made.putpalette([*RED, *SKY])
    files = named("photos/{}.png", size=(96, 96))
    for k in range(3):
        out = io.BytesIO()
        made.save(out, "PNG")
        files[f"labels/{k}.png"] = out.getvalue()
    data = Segmentations(folder(tmp_path, files), MAPS)
    assert [each["colour"] for each in data.classes.listed] == ["#c81e1e", "#87b5e5"]


def test_row_13_ids_that_a_jpeg_blurred_are_refused_with_their_share(tmp_path):
    noise = np.random.default_rng(0).integers(0, 3, (24, 24)).astype(np.uint8)
    with pytest.raises(Refused, match=r"JPEG.*\d+% of the pixels"):
        Segmentations(folder(tmp_path, mapped(noise * 6, kind="JPEG", quality=40)), MAPS)


def test_row_13_the_reason_is_shown_where_classes_json_lacks_an_id(tmp_path):
    files = mapped(numbered(THIRDS, 0, 1, 7)) | {"classes.json": b'["sky", "sea"]'}
    with pytest.raises(Refused, match=r"Only 0 examples.*3 of them.*the number 7, which is no class"):
        Segmentations(folder(tmp_path, files), MAPS).checked()


BOOKS = {
    "names": ["sky", "sea", "land"],
    "name to id": {"sky": 0, "sea": 1, "land": 2},
    "name to colour": {"sky": list(SKY), "sea": list(RED), "land": list(GRASS)},
    "name to hex": {"sky": "#87b5e5", "sea": "#c81e1e", "land": "#288c3c"},
    "ids as text": [{"id": str(k), "name": name} for k, name in enumerate(("sky", "sea", "land"))],
    "id to name": {"0": "sky", "1": "sea", "2": "land"},
    "id to names": {str(k): {"en": name, "ko": "이름"} for k, name in enumerate(("sky", "sea", "land"))},
    "COCO": {
        "categories": [{"id": k, "name": name, "supercategory": "x"} for k, name in enumerate(("sky", "sea", "land"))]
    },
    "YOLO": {"names": {"0": "sky", "1": "sea", "2": "land"}},
    "label and color": [{"label": n, "color": list(c)} for n, c in (("sky", SKY), ("sea", RED), ("land", GRASS))],
    "class to table": {"sky": {"id": 0}, "sea": {"id": 1}, "land": {"id": 2}},
}


@pytest.mark.parametrize("book", BOOKS)
def test_row_13c_classes_json_in_other_shapes(book, tmp_path):
    files = mapped(numbered(THIRDS, 0, 1, 2)) | {"classes.json": json.dumps(BOOKS[book]).encode("utf-8-sig")}
    data = Segmentations(folder(tmp_path, files), MAPS)
    assert [data.classes.name(k) for k in range(3)] == ["sky", "sea", "land"]
    assert [each["id"] for each in data.classes.listed] == [0, 1, 2]
    assert data.checked()["count"] == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [("class_dict.csv", "name,r,g,b\nsky,135,181,229\nsea,200,30,30\nland,40,140,60\n"),
     ("labelmap.txt", "# label:color_rgb:parts:actions\nsky:135,181,229::\nsea:200,30,30::\nland:40,140,60::\n")],
)  # fmt: skip
def test_keys_of_other_programs(name, text, tmp_path):
    files = mapped(coloured(THIRDS, SKY, RED, GRASS)) | {name: text.encode()}
    data = Segmentations(folder(tmp_path, files), MAPS)
    assert [data.classes.name(k) for k in range(3)] == ["sky", "sea", "land"]
    assert np.array_equal(data.pair(0)[0], THIRDS)


# ---- pictures -------------------------------------------------------------------------------------------------------


def turned(tag, kind, value, orientation=6, count=1):
    """A JPEG that a camera held sideways, with one odd tag of EXIF: its bytes are those that were reported."""
    entries = [struct.pack("<HHII", 0x0112, 3, 1, orientation), struct.pack("<HHI", tag, kind, count) + value]
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + b"".join(entries) + bytes(4)
    out = io.BytesIO()
    picture = Image.new("RGB", (32, 16), "blue")
    picture.paste("red", (0, 0, 16, 16))
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


ODD = {
    "UserComment as a number": (0x9286, 4, struct.pack("<I", 7)),
    "XPTitle of Windows as a text": (0x9C9B, 2, b"abc\0", 4),
    "a ratio that is none": (0x011A, 5, struct.pack("<I", 0xFFFF)),
    "a byte where a text is due": (0x010E, 1, b"\1\0\0\0"),
    "a signed byte": (0x9C9C, 6, b"\xff\0\0\0"),
    "a type that there is not": (0x9C9D, 99, b"\1\2\3\4"),
    "a float as a short": (0x8298, 12, struct.pack("<I", 3)),
    "a pointer to itself": (0x8769, 4, struct.pack("<I", 8)),
}


@pytest.mark.filterwarnings("ignore:Truncated File Read")  # so Pillow says that a tag points outside
@pytest.mark.parametrize("odd", ODD)
def test_row_01_odd_exif_turns_a_picture_and_kills_nothing(odd, tmp_path):
    tag, kind, value, *count = ODD[odd]
    found = images.open_picture(turned(tag, kind, value, count=count[0] if count else 1))
    assert found.size == (16, 32)
    assert found.getpixel((8, 4))[0] > 200 > 90 > found.getpixel((8, 28))[0]


def test_row_01_exif_that_is_parsed_to_something_that_cannot_be_written(tmp_path):
    for value in (("a", 1), {"a": 1}, 3.5, None, b"x"):
        picture = Image.new("RGB", (32, 16), "blue")
        picture.getexif()[0x0112], picture.getexif()[0x9286] = 6, value
        assert images.open_picture(picture).size == (16, 32)


@pytest.mark.parametrize(
    "error", [AttributeError, TypeError, struct.error, KeyError, AssertionError, ZeroDivisionError]
)
def test_row_01_whatever_a_decoder_raises_is_a_picture_left_out(error, tmp_path, monkeypatch):
    def broken(self):
        if self.size == (20, 20):
            raise error("of a decoder")
        return whole(self)

    whole = ImageFile.ImageFile.load
    folder(tmp_path, named("{}.png") | {"bad.png": picture(9, (20, 20))})
    monkeypatch.setattr(ImageFile.ImageFile, "load", broken)
    data = Images(tmp_path, NOISE)
    assert data.checked()["count"] == 3
    assert data.skipped["bad.png"].startswith("This picture is damaged")


@pytest.mark.parametrize("error", [AttributeError, IndexError, KeyError, AssertionError])
def test_row_01_a_trainer_s_last_word_is_written_whatever_ends_it(error, tmp_path, monkeypatch):
    run = runs.create("dcgan", str(folder(tmp_path / "set", named("{}.png"))), name=str(tmp_path / "run"), steps=2)
    monkeypatch.setattr(Images, "batch", lambda *_: (_ for _ in ()).throw(error("of the data")))
    last = list(process.work(run, workers=0))[-1]
    assert (last.how, run.status().how) == ("failed", "failed")
    assert error.__name__ in str(run.status().why)


DEEP = {
    "8 bits in 16": (np.uint16, 255, 255),
    "10 bits": (np.uint16, 1023, 1023),
    "12 bits": (np.uint16, 4095, 4095),
    "16 bits": (np.uint16, 65535, 65535),
    "32 bits": (np.int32, 4095, 4095),
    "fractions": (np.float32, 1.0, 1.0),
    "float of 8 bits": (np.float32, 255.0, 255.0),
    "a scanner's numbers": (np.int32, None, None),
    "float below 0": (np.float32, None, None),
}


@pytest.mark.parametrize("kind", DEEP)
def test_row_14_pictures_of_any_depth_have_their_own_range(kind, tmp_path):
    depth, top, _ = DEEP[kind]
    ramp = np.linspace(*((0, top) if top else (-1000, 3000)), 24)[None].repeat(24, 0).astype(depth)
    for k in range(2):
        Image.fromarray(ramp).save(tmp_path / f"{k}.tiff")
    data = Images(tmp_path, NOISE)
    array = data.picture(0)
    assert (array.min(), array.max()) == (0, 255)
    assert abs(int(array[0, 12, 0]) - 133) < 3
    noted = data.checked()["notes"]
    assert bool(noted) == (top not in (255, 255.0))
    if noted:
        assert "shown as black" in next(iter(noted))


@pytest.mark.parametrize("top", [1023, 4095, 65535])
def test_row_14_colours_of_12_bits_in_a_file_for_16(top, tmp_path):
    ramp = np.linspace(0, top, 24)[None, :, None].repeat(24, 0).repeat(3, 2).astype(np.uint16)
    ramp[..., 2] //= 2
    assert cv2.imwrite(str(tmp_path / "a.png"), ramp[..., ::-1])
    found = np.asarray(images.open_picture(tmp_path / "a.png"))
    assert found.max() == 255
    assert abs(int(found[0, 12, 0]) - 133) < 3
    assert abs(int(found[0, 12, 2]) - 66) < 3


def test_row_09_a_phone_s_picture_says_how_to_export_it():
    with pytest.raises(Refused, match="HEIC.*Most Compatible.*JPEG"):
        images.open_picture(b"\0\0\0\x18ftypheic" + bytes(64))


# ---- a run that goes on ---------------------------------------------------------------------------------------------


@pytest.fixture
def gated(tmp_path):
    """A run of two styles, a step long, and its data."""
    source = folder(tmp_path / "set", named("photos/{}.png", "monet/{}.png", "hokusai/{}.png", n=4))
    tiny = [f"{name}={value}" for name, value in asdict(registry.gan("gated_gan").TINY).items() if value != ""]
    run = runs.create("gated_gan", str(source), name=str(tmp_path / "runs" / "a"), settings=tiny, held_out=1, steps=1)
    assert list(process.work(run, workers=0))[-1].how == "finished"
    return run, source


def on(run, *settings):
    return list(process.resume(str(run.folder), None, settings, steps=2, workers=0)[1])


def test_row_03_a_style_that_is_gone_leaves_the_gates_of_the_others(gated):
    run, source = gated
    assert run.card["facts"]["styles"] == ["hokusai", "monet"]
    shutil.rmtree(source / "hokusai")
    assert on(run)[-1].how == "finished"
    assert any("hokusai" in notice["ko"] for notice in run.card["notices"])
    data = Styles(source, registry.gan("gated_gan").TINY)
    data.recall(run.card["facts"])
    assert set(data.batch(range(4), [None] * 4)[2].tolist()) == {1}


def test_row_03_another_case_is_the_same_style(gated):
    run, source = gated
    (source / "monet").rename(source / "Monet")
    data = Styles(source, registry.gan("gated_gan").TINY)
    data.recall(run.card["facts"])
    assert data.styles == ["Monet", "hokusai"]  # in the alphabet capitals come first
    assert (data.gate("Monet"), data.gate("hokusai")) == (1, 0)


@pytest.mark.parametrize("how", ["added", "renamed"])
def test_row_03_a_style_that_is_new_is_refused_by_name(how, gated):
    run, source = gated
    if how == "added":
        folder(source, named("zorn/{}.png"))
    else:
        (source / "hokusai").rename(source / "zorn")
    with pytest.raises(Refused, match="does not know: zorn.*begun with hokusai, monet"):
        on(run)


def test_row_04_a_held_out_picture_that_is_gone(gated, capsys):
    run, source = gated
    held = run.card["held_out"]
    (source / next(name for name in held if name.startswith("monet"))).unlink()
    assert on(run)[-1].how == "finished"
    assert run.card["notices"][0]["en"].startswith(f"1 of the {len(held)} pictures")
    assert process.compare([run.folder]).width > 0


def test_row_18_settings_that_change_the_networks_are_named(gated):
    run, _ = gated
    was = registry.gan("gated_gan").TINY.width
    with pytest.raises(Refused, match=f"width={was}.*width={2 * was}"):
        on(run, f"width={2 * was}")
    assert run.status().how == "finished"  # nothing was begun
    assert on(run, "lr=0.001")[-1].how == "finished"


@pytest.mark.parametrize("cut", [0, 10, 1000, 0.5, 0.99])
def test_row_18_a_cut_off_state_goes_back_to_the_one_before(cut, gated):
    run, _ = gated
    on(run)
    state = run.folder / "resume.pt"
    content = state.read_bytes()
    state.write_bytes(content[: int(cut * len(content)) if isinstance(cut, float) else cut])
    assert on(run)[-1].how == "finished"
    assert run.card["notices"][0]["en"].endswith("the one before, of step 1.")
    for name in ("resume.pt", "before.pt"):
        (run.folder / name).write_bytes(b"cut")
    with pytest.raises(Refused, match="no state that can be read"):
        run.state()


def test_domains_and_classes_are_recalled_by_name(tmp_path):
    config = SimpleNamespace(size=16)
    data = TwoDomains(folder(tmp_path / "a", named("summer/{}.png", "winter/{}.png")), config)
    data.recall({"domains": ["winter", "Summer"]})
    assert data.called == ("winter", "summer")
    assert data.sides[0][0].startswith("winter")
    with pytest.raises(Refused, match="begun with dogs, cats"):
        data.recall({"domains": ["dogs", "cats"]})
    colours = Segmentations(folder(tmp_path / "b", mapped(coloured(THIRDS, RED, SKY, GRASS))), MAPS)
    fewer = Segmentations(folder(tmp_path / "c", mapped(coloured(HALVES, RED, SKY))), MAPS)
    fewer.recall(colours.facts())
    found = [fewer.classes.listed[k]["colour"] for k in sorted(set(fewer.pair(0)[0][::7].ravel().tolist()))]
    assert set(found) == {"#c81e1e", "#87b5e5"}
    with pytest.raises(Refused, match="does not know: #288c3c"):
        colours.recall(fewer.__class__(tmp_path / "c", MAPS).facts())
