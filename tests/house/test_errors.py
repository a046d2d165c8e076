"""Errors in the visitor's language: every translation belongs to a sentence that the backend really says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pages.parts.said import errors
from studio import serving
from studio.guests import limits
from studio.images import open_picture
from studio.labels import open_map
from studio.verbs import verbs

ROOT = Path(__file__).parents[2]


def said_in_source() -> set[str]:
    """All texts of the backend, with what is filled in as {0}, {1} …"""
    found = set()
    for path in (ROOT / "studio").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                holes = iter(range(99))
                found.add(
                    "".join(v.value if isinstance(v, ast.Constant) else f"{{{next(holes)}}}" for v in node.values)
                )
    return found


def test_each_translation_is_of_a_sentence_that_is_said():
    said = said_in_source()
    lost = [words["en"] for words in errors._sentences() if words["en"] not in said]
    assert not lost


def test_what_is_filled_in_is_in_both_languages():
    for words in errors._sentences():
        assert set(errors.HOLE.findall(words["en"])) >= set(errors.HOLE.findall(words["ko"]))
        assert re.search("[가-힣]", words["ko"])


@pytest.mark.parametrize(
    "sentence, korean",
    [
        ("There is no style 'x' here. There are: a, b, identity.", "'x' 화풍이 없습니다. 있는 것: a, b, identity."),
        ("seed = 'x': this must be a whole number.", "seed = 'x': 정수여야 합니다."),
        ("size = 4000: this must be from 16 to 1024 pixels.", "size = 4000: 16에서 1024픽셀까지여야 합니다."),
        ("batch = 0: this must be from 1 to 256.", "batch = 0: 1에서 256까지여야 합니다."),
        (
            "9 minutes are more than this server allows (5). Train shorter, or on your own machine.",
            "minutes 9은(는) 이 서버가 허용하는 5보다 많습니다. 더 짧게 하거나 여러분의 컴퓨터에서 학습하세요.",
        ),
        ("Nobody ever wrote this sentence.", "Nobody ever wrote this sentence."),
    ],
)  # fmt: skip
def test_sentences_in_korean(sentence, korean):
    assert errors.told(sentence, "ko") == korean
    assert errors.told(sentence, "en") == sentence


def test_what_visitors_meet_is_in_korean():
    """Real errors, as they come out of the backend."""
    met = []

    def meet(act, *given, **named):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            act(*given, **named)
        met.append(str(caught.value))

    from studio import registry

    meet(open_picture, b"no picture")
    meet(open_picture, b"\x89PNG\r\n\x1a\n" + bytes(20))
    meet(open_map, b"no map")
    for gan in registry.names():
        for verb in verbs(registry.gan(gan)).values():
            meet(verb.bind, {"nonsense": 1})
            for argument in verb.arguments.values():
                if argument.type is int:
                    meet(argument.read, "many")
    meet(limits.Limits(off=True).check)
    meet(limits.Limits(minutes=5).check, minutes=9)
    assert len(met) > 20
    english = [sentence for sentence in met if errors.told(sentence, "ko") == sentence]
    assert not english


def test_a_long_or_hostile_sentence_costs_no_time():
    for sentence in ("{0} = " * 500, "a = b: this must be " * 150, "(" * 3000):
        assert isinstance(errors.told(sentence, "ko"), str)
    assert serving.Busy("x" * 5000, 1) and errors.told("x" * 5000, "ko") == "x" * 5000


def test_over_http_in_the_language_that_the_page_asks_for():
    """The real routes behind the real middleware."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.testclient import TestClient

    from studio.web.api import routes

    client = TestClient(Starlette(routes=routes, middleware=[Middleware(errors.Translated)]))
    files = {"sketch": ("x.png", b"no picture")}

    def asked(language: str | None):
        headers = {"X-Language": language} if language else {}
        return client.post("/api/pix2pix/translate", files=files, headers=headers)

    for language in (None, "en", "xx", "ko" * 500):
        assert asked(language).json()["error"].startswith("This file is not a picture")
    korean = asked("ko")
    assert korean.status_code == 400 and korean.json()["error"].startswith("읽을 수 있는 그림 파일이 아닙니다")
    assert int(korean.headers["content-length"]) == len(korean.content)
    fine = client.get("/api/gans", headers={"X-Language": "ko"})
    assert fine.status_code == 200 and fine.json()["gans"]
    assert client.get("/api/docs", headers={"X-Language": "ko"}).text.startswith("<!doctype html>")
