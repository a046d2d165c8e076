"""Two domains without pairs: read off folders, joined sources and tables, and what is wrong with them."""

from __future__ import annotations

import io
import time
import unicodedata
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from studio.data import Stream, TwoDomains
from studio.data.domains import DRAWN, Side


@dataclass(frozen=True)
class Config:
    size: int = 32
    load: int = 0
    mirror: bool = True
    domains: str = ""


def png(colour, size=(40, 32), noise: int | None = None, kind: str = "PNG") -> bytes:
    array = np.full((size[1], size[0], 3), colour, np.uint8)
    if noise is not None:  # no two are alike
        light = np.random.default_rng(noise).random((4, 4)).repeat(-(-size[1] // 4), 0).repeat(-(-size[0] // 4), 1)
        array = (array * light[: size[1], : size[0], None]).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind)
    return out.getvalue()


RED, BLUE = (200, 0, 0), (0, 0, 200)


def packed(path, files: dict[str, bytes | str]):
    with zipfile.ZipFile(path, "w") as z:
        for name, content in files.items():
            z.writestr(name, content)
    return path


def several(folder: str, colour, n: int, first: int = 0) -> dict[str, bytes]:
    return {f"{folder}{k:04d}.png": png(colour, noise=1000 * len(folder) + k) for k in range(first, first + n)}


def is_red(x: torch.Tensor) -> list[bool]:
    return (x[:, 0].mean(dim=(1, 2)) > x[:, 2].mean(dim=(1, 2))).tolist()


def apart(data: TwoDomains) -> None:
    """x is red, y is blue, with and without random numbers."""
    places = [k % len(data) for k in range(12)]
    for rngs in ([None] * 12, [np.random.default_rng(k) for k in range(12)]):
        x, y = data.batch(places, rngs)
        assert x.shape == y.shape == (12, 3, data.size, data.size)
        assert x.abs().max() <= 1
        assert all(is_red(x))
        assert not any(is_red(y))


# ---- what is understood ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "called"),
    [
        ("trainA/", "trainB/", ("A", "B")),
        ("A/", "B/", ("A", "B")),
        ("a/", "b/", ("a", "b")),
        ("X/", "Y/", ("X", "Y")),
        ("horse2zebra/trainA/", "horse2zebra/trainB/", ("A", "B")),
        ("apples/", "oranges/", ("apples", "oranges")),
        ("set/of/apples/ripe/", "set/of/oranges/", ("apples", "oranges")),
        ("train/apples/", "train/oranges/", ("apples", "oranges")),
        ("여름/", "한겨울/", ("여름", "한겨울")),
        ("Äpfel & Birnen/", "🍊/", ("Äpfel & Birnen", "🍊")),
    ],
)
def test_two_folders_are_two_domains(first, second, called, tmp_path):
    files = several(first, RED, 3) | several(second, BLUE, 5)
    data = TwoDomains(packed(tmp_path / "a.zip", files), Config())
    assert (data.kind, data.called, len(data)) == ("domains", called, 8)
    assert [len(side) for side in data.sides] == [3, 5]
    assert data.facts() == {"domains": list(called)}
    apart(data)


def test_a_folder_of_the_disk_and_several_kinds_of_files(tmp_path):
    for k in range(3):
        for name, colour, kind in (("x", RED, "JPEG"), ("y", BLUE, "WEBP")):
            path = tmp_path / "set" / name / f"{k}.{kind.lower()}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(colour, (50 + k, 40), kind=kind))
    apart(TwoDomains(tmp_path / "set", Config()))


@pytest.mark.parametrize("inner", ["", "photos/"])
def test_two_sources_joined_and_equal_names_stay_apart(inner, tmp_path):
    one = packed(tmp_path / "apples.zip", several(inner, RED, 3))
    two = packed(tmp_path / "fruit.zip", several("oranges/", BLUE, 4) | several("pears/", RED, 4))
    data = TwoDomains(f"{one}+{two}/oranges", Config())
    assert data.called == ("apples", "oranges")
    assert [len(side) for side in data.sides] == [3, 4]
    assert len(set(data.names)) == 7
    apart(data)


def test_sources_by_name_may_be_joined_too():
    data = TwoDomains("real:digits+real:hangul", Config())
    assert data.called == ("digits", "hangul")
    assert [len(side) for side in data.sides] == [2000, 3990]
    assert data.own
    assert data.batch([0, 5000], [None, np.random.default_rng(0)])[1].shape == (2, 3, 32, 32)


TABLE = "file,kind,colour,snow\n"


def labelled(tmp_path, rows: list[tuple[str, str, str, str]], head: str = TABLE):
    files = {}
    for k, row in enumerate(rows):
        files[f"p/{row[0]}.png"] = png(RED if row[2] == "Brown" else BLUE, noise=k)
    return packed(
        tmp_path / "s.zip",
        files | {"shoes.csv": head + "".join(f"p/{name}.png,{','.join(rest)}\n" for name, *rest in rows)},
    )


ROWS = [
    ("0", "heels", "Brown", "0.3"), ("1", "flats", "Brown", "0.1"), ("2", "heels", "Brown", ""),
    ("3", "heels", "Black", "0"), ("4", "flats", "Black", "0.9"), ("5", "flats", "Navy Blue", "0"),
    ("6", "heels", "", "0.05"), ("7", "heels", "Black", "0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("domains", "x", "y"),
    [
        ("brown|black", "012", "347"),
        ("Brown | BLACK", "012", "347"),
        ("colour=brown|colour=black", "012", "347"),
        ("heels & brown | kind=heels&colour=black", "02", "37"),
        ("snow>0.04|snow<0.02", "0146", "357"),
        ("heels|flats", "02367", "145"),
        ("snow<.5 & brown|colour=black", "01", "347"),
    ],
)
def test_a_table_tells_the_domains(domains, x, y, tmp_path):
    data = TwoDomains(labelled(tmp_path, ROWS), Config(domains=domains))
    assert [[name[2] for name in side] for side in data.sides] == [list(x), list(y)]
    assert data.called == tuple(each.strip() for each in domains.split("|"))
    if "black" in domains.casefold():
        apart(data)


def test_words_with_spaces_and_in_other_alphabets(tmp_path):
    rows = [(str(k), "신발", "검 정" if k % 2 else "갈색", "0") for k in range(6)]
    decomposed = unicodedata.normalize("NFD", "갈색")  # as a Mac may write it
    source = labelled(tmp_path, rows)
    assert [len(s) for s in TwoDomains(source, Config(domains=f"{decomposed}|검_정")).sides] == [3, 3]
    assert [len(s) for s in TwoDomains(source, Config(domains="갈색|검 정")).sides] == [3, 3]
    with pytest.raises(ValueError, match=r"is фиолетовый\. There are: .*갈색, 검_정, snow>…\. Set domains"):
        TwoDomains(source, Config(domains="갈색|фиолетовый"))


def test_rows_may_name_files_without_folder_and_ending_and_label_maps_are_no_pictures(tmp_path):
    files = several("photos/", BLUE, 6) | several("labels/", RED, 6) | {"classes.json": "[]"}
    files["shares.csv"] = "name,source,snow\n" + "".join(f"{k:04d},hand,{k / 10}\n" for k in range(6))
    data = TwoDomains(packed(tmp_path / "l.zip", files), Config(domains="snow>0.25|snow<0.25"))
    assert data.sides == ([f"photos/{k:04d}.png" for k in (3, 4, 5)], [f"photos/{k:04d}.png" for k in (0, 1, 2)])


def test_of_many_folders_two_are_chosen(tmp_path):
    files = several("monet/", RED, 3) | several("cezanne/", BLUE, 4) | several("ukiyoe/", RED, 2)
    source = packed(tmp_path / "a.zip", files)
    data = TwoDomains(source, Config(domains="monet|cezanne"))
    assert [len(side) for side in data.sides] == [3, 4]
    apart(data)
    with pytest.raises(ValueError, match="does not say what its two domains are; its folders are: cezanne, monet, uki"):
        TwoDomains(source, Config())
    assert TwoDomains.unlabelled(Config(domains="a|b")) == Config()


def test_a_picture_of_both_domains_is_in_neither(tmp_path):
    data = TwoDomains(labelled(tmp_path, ROWS), Config(domains="flats|black"))
    assert data.skipped == {"p/4.png": "belongs to both domains"}
    assert [[name[2] for name in side] for side in data.sides] == [["1", "5"], ["3", "7"]]


# ---- drawn ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("toy", TwoDomains.TOYS)
def test_drawn_domains_need_no_files_and_have_no_pairs(toy):
    data = TwoDomains(f"toy:{toy}", Config())
    assert data.called == tuple(DRAWN[toy])
    x, y = data.batch(range(8), [None] * 8)
    assert x.shape == y.shape == (8, 3, 32, 32)
    assert torch.equal(x, data.batch(range(8), [None] * 8)[0])
    first, second = DRAWN[toy].values()
    assert not np.array_equal(data._read("toy-00005", 1), second(np.random.default_rng((5, 0)), 32))  # another number
    assert np.array_equal(data._read("toy-00005", 0), first(np.random.default_rng((5, 0)), 32))
    assert data.whole(data.names[:3], 16, 1).shape == (3, 3, 16, 16)
    assert len(data.set_aside(5)) == 5


def test_winter_is_brighter_than_summer_and_bags_are_no_shoes():
    def mean(draw):
        return np.mean([draw(np.random.default_rng(k), 32) for k in range(30)], axis=0)

    summer, winter = map(mean, DRAWN["seasons"].values())
    low = slice(20, 32)  # the ground
    assert winter[low].mean() > summer[low].mean() + 25
    assert (summer[low, :, 1] - summer[low, :, 2]).mean() > (winter[low, :, 1] - winter[low, :, 2]).mean() + 15  # green
    shoes, bags = map(mean, DRAWN["bags"].values())
    assert np.abs(shoes - bags).mean() > 10
    assert shoes[0, 0].min() == bags[0, 0].min() == 255  # both on white paper


# ---- drawn independently, in order, and held out --------------------------------------------------------------------


def domains(tmp_path, nx: int = 6, ny: int = 3, **how) -> TwoDomains:
    files = several("A/", RED, nx) | several("B/", BLUE, ny)
    return TwoDomains(packed(tmp_path / "a.zip", files), Config(**how))


def test_an_epoch_shows_every_picture_and_the_pairs_change(tmp_path):
    files = {f"{f}/{k}.png": png(c, (32, 32), k) for f, c, n in (("A", RED, 6), ("B", BLUE, 3)) for k in range(n)}
    data = TwoDomains(packed(tmp_path / "a.zip", files), Config(mirror=False))
    names = [{p.numpy().tobytes(): k for k, p in enumerate(data.whole(data.names, 32, side))} for side in (0, 1)]
    epochs = []
    for step in range(4):  # an epoch each
        x, y = Stream(data, 9)[step]
        epochs.append(
            [(names[0][p.numpy().tobytes()], names[1][q.numpy().tobytes()]) for p, q in zip(x, y, strict=True)]
        )
        assert {p for p, _ in epochs[-1]} == set(range(6))
        assert {q for _, q in epochs[-1]} == set(range(3))
    assert len({pair for epoch in epochs for pair in epoch}) > 12  # of 18 that can be: nobody belongs to anybody


def test_a_small_domain_comes_as_often_as_the_large_one(tmp_path):
    data = domains(tmp_path, 40, 2)
    x, y = Stream(data, 84)[0]
    assert len(x) == len(y) == 84
    assert all(is_red(x))
    assert not any(is_red(y))


def test_a_batch_is_a_function_of_seed_and_step_also_in_a_loader(tmp_path):
    data = domains(tmp_path)
    alone = [Stream(data, 4, seed=1)[k] for k in range(3)]
    loaded = list(DataLoader(Stream(data, 4, seed=1), batch_size=None, sampler=range(3), num_workers=1))
    for (x, y), (p, q) in zip(alone, loaded, strict=True):
        assert torch.equal(x, p)
        assert torch.equal(y, q)
    assert not torch.equal(alone[0][0], Stream(data, 4, seed=2)[0][0])


def test_of_each_domain_its_own_are_set_aside(tmp_path):
    data = domains(tmp_path, 8, 6)
    held = data.set_aside(2)
    assert [sum(name.startswith(f) for name in held) for f in ("A/", "B/")] == [2, 2]
    alone = data.aside(held)
    mine = {p.numpy().tobytes() for k in (0, 1) for p in data.whole(held, 32, k)}
    assert len(mine) == 4
    x, y = alone.batch(range(4), [None] * 4)
    assert {p.numpy().tobytes() for p in [*x, *y]} == mine  # also the partners are held out
    assert len(data) == 14
    data.keep([name for name in data.names if name not in held])
    assert [len(side) for side in data.sides] == [6, 4]
    assert not set(held) & {name for side in data.sides for name in side}
    assert data.whole(held, 32, 0).shape[0] == 0  # no longer among them


def test_folders_of_tests_are_set_aside_and_never_trained_on(tmp_path):
    files = several("trainA/", RED, 5) | several("trainB/", BLUE, 4)
    files |= several("testA/", RED, 2, 50) | several("testB/", BLUE, 3, 50)
    data = TwoDomains(packed(tmp_path / "a.zip", files), Config())
    assert [len(side) for side in data.sides] == [7, 7]
    held = data.set_aside(99)
    assert held == sorted(name for name in files if name.startswith("test"))
    data.checked()
    assert len(data) == 14
    data.keep(data.names)  # a training that sets nothing aside
    assert [len(side) for side in data.sides] == [5, 4]
    assert not any(name.startswith("test") for name in data.names)


def test_a_test_folder_beside_or_inside_the_domains(tmp_path):
    files = several("horse/train/", RED, 3) | several("horse/test/", RED, 2, 50) | several("zebra/", BLUE, 4)
    data = TwoDomains(packed(tmp_path / "a.zip", files), Config())
    held = data.set_aside(2)
    assert sum(name.startswith("horse/test/") for name in held) == 2
    assert sum(name.startswith("zebra/") for name in held) == 2
    one = packed(tmp_path / "photos.zip", several("train/", RED, 3) | several("test/", RED, 2, 50))
    two = packed(tmp_path / "monet.zip", several("", BLUE, 5))
    data = TwoDomains(f"{one}+{two}", Config())
    assert sorted(name for name in data.set_aside(1) if name.startswith("x/")) == ["x/test/0050.png", "x/test/0051.png"]


def test_a_square_is_cut_out_of_a_larger_picture(tmp_path):
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[:, :64, 0] = 255  # red on the left
    out = io.BytesIO()
    Image.fromarray(wide).save(out, "PNG")
    source = packed(tmp_path / "a.zip", {f"{f}/{k}.png": out.getvalue() for f in "AB" for k in range(2)})

    def squares(rngs, **how):
        return TwoDomains(source, Config(**how)).batch([0] * len(rngs), rngs)[0]

    (middle,) = squares([None], load=40)
    assert middle.shape == (3, 32, 32)
    assert middle[0, 16].tolist() == [1] * 16 + [-1] * 16
    many = [np.random.default_rng(k) for k in range(40)]
    red = (squares(many, load=40, mirror=False)[:, 0] > 0).float().mean(dim=(1, 2))
    assert red.min() < 0.2 and red.max() > 0.8  # from anywhere
    for mirror, expected in ((True, {True, False}), (False, {True})):
        many = [np.random.default_rng(k) for k in range(40)]
        both = [each[0, 16] for each in squares(many, mirror=mirror) if each[0].std() > 0.5]
        assert {row[0].item() > row[-1].item() for row in both} == expected  # red on the left, or mirrored


def test_sizes_may_differ_and_be_small(tmp_path):
    files = {f"A/{k}.png": png(RED, (7, 5)) for k in range(2)} | {f"B/{k}.png": png(BLUE, (900, 31)) for k in range(2)}
    apart(TwoDomains(packed(tmp_path / "a.zip", files), Config()))


def test_pictures_to_measure_on_are_whole_and_of_their_domain(tmp_path):
    data = domains(tmp_path)
    x, y = (data.whole(data.names, 24, k) for k in (0, 1))
    assert (x.shape, y.shape) == ((6, 3, 24, 24), (3, 3, 24, 24))
    assert all(is_red(x))
    assert not any(is_red(y))
    assert data.whole([], 24, 0).shape == (0, 3, 24, 24)


# ---- what can not be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no files"),
        ({"readme.txt": b"x"}, "holds no pictures"),
        (several("A/", RED, 4), "does not say what its two domains are"),
        (several("", RED, 4), r"its folders are: \(no folder\)"),
        (several("A/", RED, 4) | several("B/", BLUE, 1), "The domain B of .* holds 1 pictures; at least 2"),
        (several("trainA/", RED, 1) | several("trainB/", BLUE, 9), "The domain A of .* holds 1 pictures"),
        (several("a/", RED, 2) | several("c/", BLUE, 2) | several("d/", BLUE, 2), "its folders are: a, c, d"),
    ],
)
def test_folders_that_are_no_two_domains_get_a_sentence(files, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        TwoDomains(packed(tmp_path / "a.zip", files), Config())


@pytest.mark.parametrize(
    ("domains", "says"),
    [
        ("brown", "name two, with | between them"),
        ("brown|black|white", "name two"),
        ("brown|", "'' is no label"),
        ("|", "'' is no label"),
        ("brown|colour=", "is no label"),
        ("brown|=black", "is no label"),
        ("brown|snow>much", "compares with no number"),
        ("brown|purple", r"No picture of .* is purple. There are: p, flats, heels, black, brown, navy_blue, snow>…"),
        ("brown|colour=heels", "is colour=heels"),
        ("brown|weather=black", "is weather=black"),
        ("brown|snow>5", "is snow>5"),
        ("brown|navy blue", "The domain navy blue of .* holds 1 pictures"),
        ("heels&flats|brown", "The domain heels&flats of .* holds 0 pictures"),
    ],
)
def test_labels_that_are_no_two_domains_get_a_sentence(domains, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        TwoDomains(labelled(tmp_path, ROWS), Config(domains=domains))


def test_a_joined_source_of_one_picture_or_none_is_named(tmp_path):
    one, two = packed(tmp_path / "one.zip", several("", RED, 1)), packed(tmp_path / "two.zip", several("", BLUE, 4))
    with pytest.raises(ValueError, match="The domain one of .* holds 1 pictures"):
        TwoDomains(f"{one}+{two}", Config())
    with pytest.raises(ValueError, match="The domain text of .* holds 0 pictures"):
        TwoDomains(f"{two}+{packed(tmp_path / 'text.zip', {'a.txt': b'x'})}", Config())
    with pytest.raises(ValueError, match="no folder or zip"):
        TwoDomains(f"{two}+{tmp_path / 'nowhere.zip'}", Config())
    with pytest.raises(ValueError, match="no built-in set 'nothing'"):
        TwoDomains(f"{two}+real:nothing", Config())
    with pytest.raises(ValueError, match="no toy set 'rings' here. There are: seasons, bags"):
        TwoDomains("toy:rings", Config())


def test_damaged_pictures_are_passed_over_and_a_domain_of_nothing_else_is_said(tmp_path):
    files = several("A/", RED, 4) | several("B/", BLUE, 3)
    files["A/0001.png"] = files["A/0001.png"][:60]
    files["B/0002.png"] = b"no picture"
    data = TwoDomains(packed(tmp_path / "a.zip", files), Config())
    apart(data)
    assert set(data.skipped) == {"A/0001.png", "B/0002.png"}
    found = data.checked()
    assert found["count"] == 5
    assert data.whole(["A/0001.png", "A/0002.png"], 16, 0).shape[0] == 1
    for name in list(files):
        if name.startswith("B/"):
            files[name] = b"no picture"
    data = TwoDomains(packed(tmp_path / "b.zip", files), Config())
    with pytest.raises(ValueError, match="can be read"):
        data.batch([0], [None])
    with pytest.raises(ValueError, match="Nothing is left of the domain B"):
        data.checked()


def test_nothing_left_to_train_on_is_said(tmp_path):
    data = domains(tmp_path)
    with pytest.raises(ValueError, match="Nothing is left of the domain B to train on; hold out fewer"):
        data.keep([name for name in data.names if name.startswith("A")])


def test_a_side_reads_as_it_is_written():
    side = Side.of(" type = Casual Shoes & snow > 0.5 & brown ")
    assert [tuple(each) for each in side.conditions] == [
        ("type", "=", "casual_shoes"), ("snow", ">", "0.5"), ("", "", "brown"),
    ]  # fmt: skip
    assert str(side.conditions[0]) == "type=casual_shoes"


def test_it_keeps_no_trainer_waiting(tmp_path):
    """Photos of 256 px in WebP, a batch of 64 pairs at 128 px: a few ms for each picture."""
    files = {}
    for k in range(40):
        array = np.random.default_rng(k).integers(0, 255, (32, 32, 3), np.uint8)
        out = io.BytesIO()
        Image.fromarray(array).resize((256, 256)).save(out, "WEBP", quality=85)
        files[f"{'AB'[k % 2]}/{k}.webp"] = out.getvalue()
    data, best = TwoDomains(packed(tmp_path / "a.zip", files), Config(size=128, load=143)), np.inf
    for step in range(3):
        started = time.process_time()
        Stream(data, 64)[step]
        best = min(best, (time.process_time() - started) / 128)
    assert best < 0.012
