"""Pictures with labels: tables in the forms that people have, folders, label sets, and what is wrong with them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from studio.data import Labelled, labels_of
from studio.gans.stargan.paper import Config
from studio.toys import faces

TABLE = "file,hair,smiling,glasses\n"


def config(labels: str, **settings):
    return SimpleNamespace(
        **{"size": 32, "labels": labels, "mirror": False, "partial": True, "balance": 0.0, "drawn": 0.0, "move": 0.0}
        | settings
    )


def folder(tmp_path, names, table: str = "", name: str = "labels.csv"):
    for k, each in enumerate(names):
        path = tmp_path / "set" / each
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(k).integers(0, 255, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(random).resize((40, 32)).save(path)
    if table:
        (tmp_path / "set" / name).write_text(table, encoding="utf-8")
    return tmp_path / "set"


def told(data: Labelled) -> dict[str, list]:
    return {name: [None if np.isnan(v) else int(v) for v in data.all_labels(k)] for k, name in enumerate(data.names)}


# ---- the notation ---------------------------------------------------------------------------------------------------


def test_bars_exclude_and_slashes_part_sets():
    labels = labels_of("a | b|c d / e|f")
    assert labels.names == ("a", "b", "c", "d", "e", "f")
    assert labels.sets == ((0, 1, 2, 3), (4, 5))
    assert labels.groups == ((0, 1, 2), (4, 5))
    assert (labels.set_of(3), labels.set_of(4)) == (0, 1)
    assert (labels.group_of(1), labels.group_of(3)) == ((0, 1, 2), (3,))


@pytest.mark.parametrize(
    ("text", "says"), [("a b a", "a comes twice"), ("a / ", "a set has no label"), ("", "a set has no label"),
                       (" ".join(f"l{k}" for k in range(65)), "more than 64")],
)  # fmt: skip
def test_a_notation_that_cannot_be_gets_a_sentence(text, says):
    with pytest.raises(ValueError, match=f"{says}.*black.blond"):
        labels_of(text)


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_of_words_and_of_ones_and_zeros(tmp_path):
    table = TABLE + "p/1.png,black,1,0\np/2.png,blond,0,\np/3.png,grey,1,1\np/4.png,,0,yes\n"
    data = Labelled(folder(tmp_path, [f"p/{k}.png" for k in range(1, 5)], table), config("black|blond smiling glasses"))
    assert data.kind == "table"
    assert told(data) == {
        "p/1.png": [1, 0, 1, 0],
        "p/2.png": [0, 1, 0, None],
        "p/3.png": [None, None, 1, 1],  # grey is neither
        "p/4.png": [None, None, 0, 1],
    }
    x, labels = data.batch([0, 3], [None, None])
    assert x.shape == (2, 3, 32, 32)
    assert labels[0].tolist() == [1, 0, 1, 0]
    assert labels[1].isnan().tolist() == [True, True, False, False]


def test_a_word_alone_is_false_of_every_other_word(tmp_path):
    table = TABLE + "1.png,black,1,0\n2.png,grey,0,0\n3.png,,0,0\n"
    data = Labelled(folder(tmp_path, ["1.png", "2.png", "3.png"], table), config("black smiling"))
    assert told(data) == {"1.png": [1, 1], "2.png": [0, 0], "3.png": [None, 0]}


def test_celebas_own_form(tmp_path):
    text = "3\n5_o_Clock_Shadow Male Young\nb.png -1  1 -1\na.png  1 -1  1\nc.png -1 -1 -1\n"
    source = folder(tmp_path, ["img/a.png", "img/b.png", "img/c.png"], text, "list_attr_celeba.txt")
    assert told(Labelled(source, config("Male Young"))) == {
        "img/a.png": [0, 1],
        "img/b.png": [1, 0],
        "img/c.png": [0, 0],
    }


def test_celebas_form_as_a_csv_with_another_separator(tmp_path):
    text = "image_id;Black Hair;Male\na.png;-1;1\nb.png;1;-1\n"
    assert told(Labelled(folder(tmp_path, ["a.png", "b.png"], text), config("Black_Hair Male"))) == {
        "a.png": [0, 1], "b.png": [1, 0],
    }  # fmt: skip


def test_minus_one_beside_zero_is_refused(tmp_path):
    source = folder(tmp_path, ["1.png", "2.png"], "file,a,b\n1.png,0,1\n2.png,-1,1\n")
    with pytest.raises(ValueError, match="both 0 and -1.*unknown empty"):
        Labelled(source, config("a b"))


def test_missing_columns_are_named_with_what_is_there(tmp_path):
    source = folder(tmp_path, ["1.png", "2.png"], TABLE + "1.png,black,1,0\n2.png,blond,0,1\n")
    with pytest.raises(
        ValueError, match=r"labels\.csv named happy; there are: smiling, glasses, black, blond.*labels="
    ):
        Labelled(source, config("happy smiling"))


def test_missing_files_and_pictures_without_a_row_are_skipped(tmp_path):
    table = TABLE + "1.png,black,1,0\n2.png,blond,0,1\ngone.png,blond,0,1\n"
    data = Labelled(folder(tmp_path, ["1.png", "2.png", "extra.png"], table), config("smiling"))
    assert data.names == ["1.png", "2.png"]
    assert data.skipped == {"gone.png": "is not there", "extra.png": "has no row in labels.csv"}


def test_a_row_that_comes_twice_counts_once_and_contradictions_not_at_all(tmp_path):
    rows = "1.png,black,1,0\n1.png,black,1,0\n2.png,blond,0,1\n3.png,black,1,0\n3.png,black,0,0\n3.png,black,1,0\n"
    data = Labelled(folder(tmp_path, ["1.png", "2.png", "3.png"], TABLE + rows), config("smiling"))
    assert data.names == ["1.png", "2.png"]
    assert data.skipped == {"3.png": "has rows that contradict each other"}


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (TABLE + "1.png,black,maybe,0\n2.png,black,1,0\n", r"line 2: smiling = 'maybe'"),
        (TABLE + "1.png,black,1\n2.png,black,1,0\n", "line 2: 3 cells where the header has 4"),
        ("file,smiling,smiling\n1.png,1,1\n2.png,0,0\n", "two columns named 'smiling'"),
        ("file,hair,brows,smiling\n1.png,smiling,x,1\n2.png,x,smiling,1\n", ""),
    ],
)
def test_tables_that_are_wrong_name_the_place(tmp_path, table, says):
    source = folder(tmp_path, ["1.png", "2.png"], table)
    if says:
        with pytest.raises(ValueError, match=says):
            Labelled(source, config("smiling"))
    else:  # a column's name comes before words
        assert told(Labelled(source, config("smiling"))) == {"1.png": [1], "2.png": [1]}


def test_a_word_in_two_columns_is_refused(tmp_path):
    source = folder(tmp_path, ["1.png", "2.png"], "file,hair,brows\n1.png,black,red\n2.png,red,black\n")
    with pytest.raises(ValueError, match="'black' in the columns hair and brows"):
        Labelled(source, config("black"))


def test_a_damaged_picture_is_passed_over(tmp_path):
    source = folder(
        tmp_path, ["1.png", "2.png", "3.png"], TABLE + "".join(f"{k}.png,black,{k % 2},0\n" for k in (1, 2, 3))
    )
    (source / "1.png").write_bytes(b"not a picture")
    data = Labelled(source, config("smiling"))
    assert data.batch([0], [None])[1].tolist() == [[0]]  # the next one, with its own label
    assert "1.png" in data.skipped


# ---- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_for_each_label(tmp_path):
    data = Labelled(folder(tmp_path, ["cat/1.png", "cat/2.png", "big dog/1.png", "bird/1.png"]), config("cat|big_dog"))
    assert data.kind == "classes"
    assert told(data) == {"cat/1.png": [1, 0], "cat/2.png": [1, 0], "big dog/1.png": [0, 1]}
    assert data.skipped == {"bird/1.png": "its folder bird is no label"}


def test_folders_of_two_sets_know_nothing_of_each_other(tmp_path):
    names = ["hair/black/1.png", "hair/blond/1.png", "mood/happy/1.png", "mood/sad/1.png"]
    data = Labelled(folder(tmp_path, names), config("black|blond / happy|sad"))
    assert told(data)["hair/blond/1.png"] == [0, 1, None, None]
    assert told(data)["mood/happy/1.png"] == [None, None, 1, 0]


@pytest.mark.parametrize(
    ("names", "table", "expected"),
    [
        (["cat/1.png", "big dog/1.png"], "", "big_dog|cat"),
        (["hair/black/1.png", "hair/blond/1.png", "mood/happy/1.png", "mood/sad/1.png"], "", "black|blond / happy|sad"),
        (
            ["1.png", "2.png"],
            "file,source,hair,smiling,p\n1.png,hand,red,1,.3\n2.png,hand,black,0,.5\n",
            "black|red smiling",
        ),
    ],
)
def test_without_labels_the_data_says_what_there_is(tmp_path, names, table, expected):
    data = Labelled(folder(tmp_path, names, table), Config(labels="", size=32))
    assert data.fit(Config(labels=""), {}).labels == expected
    assert data.labels == labels_of(expected)
    assert data.fit(Config(labels="a"), {}).labels == "a"
    assert set(labels_of(Labelled("toy", Config(labels="")).fit(Config(labels=""), {}).labels).names) == set(
        faces.TRAITS
    )


def test_pictures_without_folders_or_table_get_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="has no folders named black; there are: none"):
        Labelled(folder(tmp_path, ["1.png", "2.png"]), config("black"))


# ---- label sets -----------------------------------------------------------------------------------------------------


def test_a_training_is_told_the_labels_of_one_set_only():
    data = Labelled("toy", config("black|blond|brown|red / masculine smiling glasses older"))
    own = torch.from_numpy(np.stack([data.own_labels(k) for k in range(300)]))
    known = ~own.isnan()
    assert (known[:, :4].all(1) ^ known[:, 4:].all(1)).all()
    assert 100 < int(known[:, 0].sum()) < 200
    assert all(not np.isnan(data.all_labels(k)).any() for k in range(50))
    assert torch.equal(own.nan_to_num(9), data.batch(range(300), [None] * 300)[1].nan_to_num(9))


def test_who_lacks_the_labels_of_a_set_belongs_to_the_other(tmp_path):
    rows = "".join(f"{k}.png,{'grey' if k % 2 else 'blond' if k % 4 else 'black'},{k % 3 % 2},0\n" for k in range(20))
    data = Labelled(folder(tmp_path, [f"{k}.png" for k in range(20)], TABLE + rows), config("black|blond / smiling"))
    for k, name in enumerate(data.names):
        if int(name[:-4]) % 2:
            assert np.isnan(data.own_labels(k)).tolist() == [True, True, False]


def test_partial_pictures_can_be_left_out(tmp_path):
    table = TABLE + "1.png,black,1,\n2.png,black,1,0\n3.png,black,,\n4.png,black,0,1\n"
    source = folder(tmp_path, [f"{k}.png" for k in range(1, 5)], table)
    assert Labelled(source, config("smiling glasses")).names == ["1.png", "2.png", "4.png"]
    assert Labelled(source, config("smiling glasses", partial=False)).names == ["2.png", "4.png"]


def test_balance_draws_rare_labels_as_often(tmp_path):
    names = [f"{k}.png" for k in range(40)]
    table = TABLE + "".join(f"{n},{'red' if k < 2 else 'black'},0,0\n" for k, n in enumerate(names))
    data = Labelled(folder(tmp_path, names, table), config("black|red", balance=1.0))
    rngs = [np.random.default_rng(k) for k in range(60)]
    labels = data.batch([39] * 60, rngs)[1]
    assert 18 < int(labels[:, 1].sum()) < 42
    again = data.batch([39] * 60, [np.random.default_rng(k) for k in range(60)])[1]
    assert torch.equal(labels, again)
    data.keep(names[1:])  # what was set aside is not drawn
    assert all(name != "0.png" for name in data.names)
    assert {int(k) for values in data._rare for places in values for k in places} <= set(range(39))


def test_only_what_was_labelled_by_hand_is_held_out(tmp_path):
    names = [f"{k}.png" for k in range(12)]
    table = "file,source,smiling\n" + "".join(
        f"{n},{'hand' if k % 3 == 0 else 'predicted'},1\n" for k, n in enumerate(names)
    )
    data = Labelled(folder(tmp_path, names, table), config("smiling"))
    assert set(data.set_aside(4)) == {"0.png", "3.png", "6.png", "9.png"}
    with pytest.raises(ValueError, match="hold out fewer"):
        data.set_aside(5)


def test_facts_say_what_excludes_what():
    data = Labelled("toy", config("black|blond / smiling older"))
    assert data.facts() == {"labels": [["black", "blond"], ["smiling", "older"]], "exclusive": [["black", "blond"]]}


# ---- drawn faces ----------------------------------------------------------------------------------------------------


def test_a_drawn_face_is_what_its_traits_say():
    """The same numbers give the same face; a trait changes the picture where it should."""
    picture, traits = faces.face(np.random.default_rng(4), 64)
    again, same = faces.face(np.random.default_rng(4), 64)
    assert picture.shape == (64, 64, 3)
    assert np.array_equal(picture, again)
    assert traits == same == faces.traits(np.random.default_rng(4))
    assert sum(traits[name] for name in faces.HAIR) == 1
    plain = {name: 0 for name in faces.TRAITS} | {"brown": 1}
    face = faces.paint(np.random.default_rng(1), plain, 64).astype(int)
    specs = faces.paint(np.random.default_rng(1), plain | {"glasses": 1}, 64).astype(int)
    moved = np.abs(face - specs).sum(axis=2) > 30
    assert moved[24:40].any()
    assert not moved[48:].any()


def test_drawn_faces_have_every_trait_and_unknown_ones_are_refused():
    some = [faces.traits(np.random.default_rng(k)) for k in range(300)]
    assert all(0.15 < np.mean([each[name] for each in some]) < 0.6 for name in faces.TRAITS)
    with pytest.raises(ValueError, match="labels of the drawn faces named happy; there are: black"):
        Labelled("toy", config("happy"))
