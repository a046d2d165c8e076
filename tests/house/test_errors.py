"""Errors in the visitor's language: each has a code, and every code its sentence, in English and in Korean."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.parts.said import errors, words
from studio import images, refused, registry, serving
from studio.guests import limits
from studio.images import open_picture
from studio.labels import open_map
from studio.refused import Missing, Phrase, Refused, told
from studio.training import loop, process, runs
from studio.verbs import verbs

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][A-Za-z0-9]*")
# Said to whoever programs against the studio, with tensors and arrays in hand; no visitor gets there.
PROGRAMMERS = {
    "__init__.py": {"AttributeError"},
    "features.py": {"ValueError"},
    "images.py": {"ValueError"},
    "labels.py": {"ValueError"},
    "measure.py": {"ValueError"},
    "serving/line.py": {"TypeError"},
    "toys/textures.py": {"ValueError"},
    "verbs.py": {"TypeError"},
}


def catalogue() -> dict[str, dict[str, str]]:
    """Every code, the floor's and those of the GANs' folders."""
    found = {f"{section}.{name}": said for section, all in refused.book().items() for name, said in all.items()}
    for gan in registry.names():
        found |= {f"{gan}.{name}": said for name, said in registry.words(gan).get("errors", {}).items()}
    return found


CATALOGUE = catalogue()


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for folder in (ROOT / "studio", ROOT / "pages"):
        for path in sorted(folder.rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(where, code, call) of everything that is made of a code."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                code = node.args[0].value
                name = ast.unparse(node.func).split(".")[-1]
                if name[:1].isupper() and isinstance(code, str) and CODE.fullmatch(code):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", code, node


def test_each_code_that_is_said_is_in_the_catalogue_with_just_these_values():
    found = list(calls())
    assert len(found) > 300
    for where, code, call in found:
        assert code in CATALOGUE, where
        if not any(keyword.arg is None for keyword in call.keywords):  # **values
            given = {keyword.arg for keyword in call.keywords}
            assert given == holes(CATALOGUE[code]["en"]), f"{where} {code}"


def test_no_code_is_there_that_nobody_says():
    said = {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    said |= {f"training.of{name.capitalize()}" for name in limits.HELP}
    said |= {code for code in CATALOGUE if code.startswith("players.")}  # by the networks' names
    assert not set(CATALOGUE) - said


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_each_is_in_both_languages_with_the_same_values(code):
    sentence = CATALOGUE[code]
    assert set(sentence) == {"en", "ko"}
    assert holes(sentence["en"]) == holes(sentence["ko"])
    assert re.search("[가-힣]", sentence["ko"])
    assert not re.search("[가-힣]", sentence["en"])
    assert CODE.fullmatch(code)
    if code.split(".")[0] in registry.names():
        assert code.split(".")[0] not in refused.book()


def test_nobody_raises_a_sentence():
    """Of all errors, only those that programmers meet are written where they are raised."""
    for path, tree in trees():
        if not path.is_relative_to(ROOT / "studio"):
            continue
        allowed = PROGRAMMERS.get(str(path.relative_to(ROOT / "studio")), set())
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                says, kind = node.exc.args[0], ast.unparse(node.exc.func)
                prose = isinstance(says, ast.JoinedStr) or (isinstance(says, ast.Constant) and " " in str(says.value))
                assert not prose or kind in allowed, f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize(
    "error, english, korean",
    [
        (
            Refused("gated_gan.noStyle", name="x", there=["a", "b"]),
            "There is no style 'x' here. There are: a, b, identity.",
            "'x' 화풍이 없습니다. 있는 것: a, b, identity.",
        ),
        (
            Refused("values.kind", name="seed", value="x", what=Phrase("kinds.whole")),
            "seed = 'x': this must be a whole number.",
            "seed = 'x': 정수여야 합니다.",
        ),
        (
            Refused("gated_gan.smallSize", size=4000, least=16),
            "size = 4000: this must be from 16 to 1024 pixels.",
            "size = 4000: 16에서 1024픽셀까지여야 합니다.",
        ),
        (
            Refused("values.kind", name="batch", value=0, what=Phrase("kinds.between", low=1, high=256)),
            "batch = 0: this must be from 1 to 256.",
            "batch = 0: 1에서 256까지여야 합니다.",
        ),
        (
            Refused("values.twoSeeds", seeds=[1]),
            "seeds = [1]: give at least two whole numbers.",
            "seeds = [1]: 정수를 둘 이상 주세요.",
        ),
        (
            Refused("data.styleFolders", source="x", lacks="photos", asks={"en": "so", "ko": "그렇게"}, there=[]),
            "x has no photos. Expected so; its folders are: none.",
            "x에 photos이(가) 없습니다. 기대한 것: 그렇게. 있는 폴더: 없음.",
        ),
        (
            Refused("recipe.unusable", gan="a", tag="b", why=Refused("recipe.empty")),
            "The recipe of a b can't be used: it needs data and at least one stage.",
            "a b의 레시피를 쓸 수 없습니다: 데이터와 단계가 하나 이상 있어야 합니다.",
        ),
        (Refused("Nobody ever wrote this."), "Nobody ever wrote this.", "Nobody ever wrote this."),
        (ValueError("nor {this}"), "nor {this}", "nor {this}"),
    ],
)  # fmt: skip
def test_sentences_in_both_languages(error, english, korean):
    assert (str(error), told(error, "en"), told(error, "ko")) == (english, english, korean)


def test_pages_and_the_space_say_it_in_their_visitor_s_language():
    error = Refused("training.off")
    for language in words.LANGUAGES:
        with words.speaking(language):
            assert errors.said(error) == CATALOGUE["training.off"][language]


def test_the_shell_says_it_in_the_system_s_language(monkeypatch, capsys):
    from studio.__main__ import main

    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for said, expected in (("ko_KR.UTF-8", "nobody(이)라는 GAN은 없습니다"), ("C", "There is no GAN named 'nobody'")):
        monkeypatch.setenv("LANG", said)
        assert main(["show", "nobody"]) == 2
        assert expected.replace("nobody(이)", "'nobody'(이)") in capsys.readouterr().err


def test_errors_and_phrases_outlive_a_process_and_a_file():
    for error in (Missing("training.noRun", name="x"), serving.Busy("server.line", 7, n=3)):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.said("ko")) == (type(error), str(error), error.said("ko"))
    phrase = Phrase("kinds.between", low=1, high=2)
    assert phrase == "from 1 to 2" and pickle.loads(pickle.dumps(phrase)).said("ko") == "1에서 2까지"
    kept = Phrase.kept(refused.words(phrase))
    assert kept == phrase and kept.said("ko") == "1에서 2까지"
    hostile = Phrase.kept({"en": "{0} {x.__class__} {", "ko": "}"})  # what others wrote is never filled in
    assert (hostile, hostile.said("ko")) == ("{0} {x.__class__} {", "}")
    hostile = Refused("pictures.noFile", file="{0.__class__}")
    assert str(hostile) == "There is no file {0.__class__}. Check the name."


def test_what_visitors_meet_is_in_korean():
    """Real errors, as they come out of the backend."""
    met = []

    def meet(act, *given, **named):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            act(*given, **named)
        met.append(caught.value)

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
    english = [error for error in met if not re.search("[가-힣]", told(error, "ko"))]
    assert not english
    assert (
        told(met[-1], "ko")
        == "시간(분) 9은(는) 이 서버가 허용하는 5보다 많습니다. 더 짧게 하거나 여러분의 컴퓨터에서 학습하세요."
    )


def test_why_a_training_ended_is_told_in_both_languages(tmp_path):
    """It is written down by one process, and read by whoever watches."""
    run = runs.Run(tmp_path / "run")
    run.folder.mkdir()
    reasons = [
        OSError(28, "No space left on device"),
        MemoryError(),
        RuntimeError("CUDA error: gone"),
        RuntimeError("something else"),
        Refused("data.unread", source="x"),
    ]
    for error in reasons:
        process._note(run, loop.Ended(3, "failed", process.reason(error)))
        why = run.status().why
        assert why == process.reason(error)
        assert re.search("[가-힣]", told(why, "ko"))
        assert not re.search("[가-힣]", told(why, "en"))
    run.note({"event": "Ended", "step": 3, "how": "failed", "why": "As older runs said it."})
    assert told(run.status().why, "ko") == "As older runs said it."


def test_a_long_or_hostile_sentence_costs_no_time():
    for sentence in ("{0} = " * 500, "a = b: this must be " * 150, "(" * 3000, "x." + "y" * 5000, "../" * 500 + "a.b"):
        assert told(Refused(sentence), "ko") == told(sentence, "ko") == sentence
    assert serving.Busy("x" * 5000, 1) and told(serving.Busy("x" * 5000, 1), "ko") == "x" * 5000
    long = images.TooLarge("pictures.noFile", file="{file}" * 3000)
    assert told(long, "ko").startswith("{file}{file}")


def test_over_http_in_the_language_that_the_page_asks_for():
    """The real routes, as any program or page asks them."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from studio.web.api import routes

    client = TestClient(Starlette(routes=routes))
    files = {"sketch": ("x.png", b"no picture")}

    def asked(language: str | None):
        headers = {"X-Language": language} if language else {}
        return client.post("/api/pix2pix/translate", files=files, headers=headers)

    for language in (None, "en", "xx", "ko" * 500):
        assert asked(language).json()["error"].startswith("This file is not a picture")
    korean = asked("ko")
    assert korean.status_code == 400 and korean.json()["error"].startswith("읽을 수 있는 그림 파일이 아닙니다")
    assert korean.headers["x-code"] == asked(None).headers["x-code"] == "pictures.notOne"
    assert int(korean.headers["content-length"]) == len(korean.content)
    fine = client.get("/api/gans", headers={"X-Language": "ko"})
    assert fine.status_code == 200 and fine.json()["gans"]
    assert client.get("/api/docs", headers={"X-Language": "ko"}).text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "method, path, status, code",
    [
        ("GET", "/api/nothing/at/all/here", 404, "server.nothingHere"),
        ("GET", "/api/pix2pix/translate", 405, "server.method"),
        ("POST", "/api/nobody/translate", 404, "model.noGan"),
        ("POST", "/api/pix2pix/fly", 404, "values.noVerb"),
        ("GET", "/api/pix2pix/nowhere/card.json", 404, "model.noSuchTag"),
        ("GET", "/api/runs/nobody", 404, "training.noRun"),
        ("GET", "/api/runs/nobody/nearest.webp", 404, "training.noRun"),
        ("DELETE", "/api/runs/nobody", 404, "training.noRun"),
        ("POST", "/api/runs/nobody", 415, "training.wishType"),
        ("GET", "/api/gallery", 404, "wall.none"),
        ("POST", "/api/class/qr", 415, "server.asJson"),
    ],
)  # fmt: skip
def test_every_room_of_http_answers_so(method, path, status, code, tmp_path, monkeypatch):
    from starlette.testclient import TestClient

    from studio.web import api

    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    client = TestClient(api.app, raise_server_exceptions=False)
    reply = client.request(method, path, headers={"X-Language": "ko"})
    assert (reply.status_code, reply.headers["x-code"]) == (status, code)
    assert re.search("[가-힣]", reply.json()["error"])
    foreign = client.request("DELETE", "/api/runs/x", headers={"X-Language": "ko", "Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, foreign.headers["x-code"]) == (403, "training.foreign")
