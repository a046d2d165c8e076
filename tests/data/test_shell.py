"""The shell: whatever a person types gets a sentence, and what the README says can be typed."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from studio import __main__ as shell
from studio.places import ROOT
from studio.refused import Missing

LINES = re.findall(r"^python -m studio (.+?)(?:\s{2,}#.*)?$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)


def alternatives(line):
    """``runs | pause RUN`` -> both; what is in brackets may be left out."""
    return [re.sub(r"\[[^]]*\]", "", part).strip() for part in re.sub(r"\s+#.*", "", line).split(" | ")]


@pytest.mark.parametrize("line", [each for line in LINES for each in alternatives(line)])
def test_every_line_of_the_readme_can_be_typed(line):
    parser, commands = shell._parser()
    assert parser.parse_args(shlex.split(line)).command in commands


def test_row_20_folders_of_what_is_written_are_made(tmp_path, capsys):
    out = tmp_path / "새 폴더" / "b" / "a.png"
    shell._write(str(out), Image.new("RGB", (4, 4)).save)
    assert out.exists()
    assert capsys.readouterr().out.strip() == str(out)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"can't be written.*Name a"):
        shell._write(str(tmp_path / "file" / "a.png"), Image.new("RGB", (4, 4)).save)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["제목"], {"en": "제목", "ko": "제목"}), (["My", "shoes"], {"en": "My shoes", "ko": "My shoes"}),
     (["en=Shoes", "ko=신발"], {"en": "Shoes", "ko": "신발"}), (["a=b"], {"en": "a=b", "ko": "a=b"}),
     (["ko=신발"], {"en": "신발", "ko": "신발"})],
)  # fmt: skip
def test_row_20_titles_with_and_without_a_language(given, expected):
    assert shell._titles(given) == expected


TYPED = [
    ["show", "nothing"], ["measure", "pix2pix", "nothing"], ["measure", "nothing"], ["train", "pix2pix"],
    ["train", "nothing", "--data", "toy", "--steps", "1"], ["train", "--resume", "nothing"], ["pause", "nothing"],
    ["keep", "nothing", "--tag", "a"], ["compare", "nothing", "--out", "a.png"],
    ["adopt", "pix2pix", "no.pth", "--tag", "a"],
    ["look", "pix2pix", "--data", "/nowhere"], ["look", "pix2pix", "--data", "toy", "--set", "size"],
    ["look", "pix2pix", "--data", "toy", "--set", "size=x"], ["publish", "nothing", "--to", "a/b"],
    ["look", "pix2pix", "--data", "\udcff.zip"], ["look", "stargan", "--data", "toy:\0"],
]  # fmt: skip


@pytest.mark.parametrize("language", ["C", "ko_KR.UTF-8"])
@pytest.mark.parametrize("typed", TYPED, ids=lambda typed: ascii(" ".join(typed)))
def test_row_20_what_cannot_be_gets_a_sentence(typed, language, home, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", language)
    assert shell.main(typed) == 2
    said = capsys.readouterr().err
    assert said.startswith("studio: ")
    assert "Traceback" not in said


def test_row_20_facts_that_are_none(tmp_path):
    (tmp_path / "a.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "b.json").write_text("{", encoding="utf-8")
    for name in ("a.json", "b.json"):
        with pytest.raises(ValueError, match="not a JSON table"):
            shell._facts_of(str(tmp_path / name))
    (tmp_path / "c.json").write_text(json.dumps({"title": 1}), encoding="utf-8-sig")
    assert shell._facts_of(str(tmp_path / "c.json")) == {"title": 1}


@pytest.mark.parametrize(
    ("error", "code"), [(Missing("data.noFolder", source="x"), 2), (FileNotFoundError(2, "No such file", "a"), 2),
                        (PermissionError(13, "denied", "b"), 2), (IndexError("of the studio"), 1)],
)  # fmt: skip
def test_errors_of_any_kind_are_sentences(error, code, monkeypatch, capsys):
    def broken(given):
        raise error

    broken.__name__ = "_list"
    monkeypatch.setattr(shell, "_list", broken)
    assert shell.main(["list"]) == code
    assert capsys.readouterr().err.startswith("studio: ")


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp949", "utf-8"])
def test_a_console_of_any_encoding(encoding, tmp_path, monkeypatch):
    for name in ("photos", "김홍도", "café"):
        (tmp_path / name).mkdir()
        for k in range(3):
            array = np.random.default_rng(k).integers(0, 255, (40, 40, 3), np.uint8)
            Image.fromarray(array).save(tmp_path / name / f"{k}.png")
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert shell.main(["look", "gated_gan", "--data", str(tmp_path), "--set", "size=32", "load=32"]) == 0
    out.flush()
    assert b"photos: 3" in out.buffer.getvalue()
