"""The pages without a browser: every page in both languages, every word of the catalogue, what the server gives out.

The components (the canvas, the live picture) run in a browser only: see test_browser.py.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pages.parts.said import catalogue, words
from pages.parts.said.words import book
from pages.parts.shell import diagram, read, serve
from studio import checkpoints, registry

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "pages"
BOOKS = sorted(path.stem for path in words.FOLDER.glob("*.toml"))
GANS = [name for name in registry.names() if (PAGES / f"{name}.py").exists()]
HANGUL = re.compile("[가-힣]")


def shown(page: str | None, *, lang: str | None = None, locale: str | None = None, **query: str) -> AppTest:
    """A page in its frame, as a browser with that address would get it; fails on any exception."""
    test = AppTest.from_file(str(PAGES / "parts" / "shell" / "frame.py"), default_timeout=60)
    test.query_params.update(query | ({"lang": lang} if lang else {}))
    if locale:
        test.context["locale"] = locale
    test.run()
    if page:
        test.switch_page(f"../../{page}.py")
        test.query_params.update(query | ({"lang": lang} if lang else {}))
        test.run()
    assert not test.exception, [e.value for e in test.exception]
    return test


def text(test: AppTest) -> str:
    """All text of a page and its menu."""
    kinds = ("html", "markdown", "subheader", "caption", "info", "warning", "code", "table", "title", "header")
    return "\n".join(str(e.proto) for kind in kinds for e in test.get(kind)).encode().decode("unicode_escape", "ignore")


# ---- every page, with and without something to show -----------------------------------------------------------------


@pytest.fixture
def bare(home, tmp_path, monkeypatch):
    """No checkpoint at all."""
    monkeypatch.setattr(checkpoints.shelf, "SHIPPED", tmp_path / "nothing")


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("page", [None, *GANS])
def test_every_page_opens(page, lang, tiny):
    test = shown(page, lang=lang)
    assert not test.error


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("page", [None, *GANS])
def test_every_page_opens_without_a_checkpoint(page, lang, bare):
    test = shown(page, lang=lang)
    said = [e.value for e in (*test.info, *test.caption)]
    assert any(bool(HANGUL.search(each)) == (lang == "ko") for each in said), "says that there is no checkpoint yet"


@pytest.mark.parametrize("gan", GANS)
@pytest.mark.parametrize("tab", ["look", "read"])
def test_a_tab_is_in_the_address(gan, tab, tiny):
    test = shown(gan, tab=tab, tag="tiny")
    if tab == "read":
        assert any("def train_step" in block.value for block in test.code)
        assert diagram.diagram(gan, registry.gan(gan).TINY)["parts"], "the networks are drawn"
        about, rows = registry.gan(gan).about, "\n".join(each.value for each in test.markdown)
        assert all(sentence in rows for sentence in about.words["about"]["read"]["en"])
        paper = {term: each.formula for term, each in about.terms.items() if term not in ("eyes", "seen", "alike")}
        config = registry.gan(gan).Config()
        game = {term for term in paper if not about.terms[term].weight or getattr(config, about.terms[term].weight)}
        assert game, "a paper has terms"
        assert all(f"`{term}` |" in rows for term in game - set(book(gan)["objective"].get("when", {})))


@pytest.mark.parametrize("gan", GANS)
def test_an_unknown_checkpoint_gets_a_sentence_and_the_default(gan, tiny):
    test = shown(gan, tag="no-such-thing")
    assert "no-such-thing" in test.warning[0].value


@pytest.mark.parametrize("gan", GANS)
def test_what_the_address_hides_is_not_there(gan, tiny):
    assert shown(gan).get("page_link")
    test = shown(gan, hide="menu,look,train,read,title,checkpoint")
    assert not test.get("page_link")
    assert not test.selectbox
    assert len(test.tabs) == 1


@pytest.mark.parametrize(
    ("locale", "lang", "expected"),
    [("ko-KR", None, "홈"), ("de-DE", None, "Home"), ("ko-KR", "en", "Home"), (None, "ko", "홈"), ("ko", "xx", "홈")],
)
def test_the_language_is_the_address_s_else_the_browser_s(locale, lang, expected, tiny):
    links = [link.proto.label for link in shown(None, lang=lang, locale=locale).get("page_link")]
    assert expected in links


def test_links_carry_the_language_along(tiny):
    links = shown(None, lang="ko").get("page_link")
    assert all("lang=ko" in link.proto.query_string for link in links)


def test_a_gan_that_does_not_load_takes_nobody_down(tiny, monkeypatch):
    known, load = registry.names, registry.gan

    def gan(name):
        if name == "unfinished":
            raise SyntaxError("invalid syntax (unfinished.py, line 3)")
        return load(name)

    monkeypatch.setattr(registry, "names", lambda: [*known(), "unfinished"])
    monkeypatch.setattr(registry, "gan", gan)
    test = shown(None)
    assert "unfinished" in test.warning[0].value
    assert "line 3" in test.warning[0].value


# ---- words ----------------------------------------------------------------------------------------------------------


def leaves(found: dict, path: str = ""):
    for name, value in found.items():
        here = f"{path}.{name}" if path else name
        if all(isinstance(v, str) for v in value.values()):
            yield here, value
        else:
            yield from leaves(value, here)


@pytest.mark.parametrize("name", BOOKS)
def test_every_text_is_there_in_both_languages(name):
    for key, value in leaves(words.book(name)):
        assert set(value) == {"en", "ko"}, f"{name}.{key}"
        assert all(v.strip() == v and v for v in value.values()), f"{name}.{key}"
        holes = [sorted(re.findall(r"\{(\w+)\}", value[lang])) for lang in ("en", "ko")]
        assert holes[0] == holes[1], f"{name}.{key}: {holes}"
        assert HANGUL.search(value["ko"]), f"{name}.{key} is not Korean"
        assert not HANGUL.search(value["en"]), f"{name}.{key} is not English"


def used(kind: str) -> list[str]:
    """The keys that the pages ask for: what stands in word("…") or table("…"); f"a.b.{x}" gives "a.b."."""
    found = []
    for path in PAGES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.append(first.value)
                elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                    found.append(first.values[0].value)
    return found


@pytest.mark.parametrize("key", sorted(set(used("word") + used("table"))))
def test_every_word_that_python_asks_for_exists(key):
    found = words._find(key.rstrip("."))
    assert found


@pytest.mark.parametrize(
    ("script", "section"),
    [
        ("live.js", "studio.live"),
        ("look.js", "pix2pix.look"),
        ("sliders.js", "studio.sliders"),
        ("gates.js", "gated_gan.look"),
        ("styles.js", "studio.live"),
        ("modulation.js", "spade.look"),
        ("plane.js", "vanilla.plane"),
        ("meters.js", "vanilla.plane"),
        ("curves.js", "vanilla.curves"),
        ("twins.js", "vanilla.twins"),
    ],
)
def test_every_word_that_javascript_asks_for_exists(script, section):
    code = next((PAGES / "parts").rglob(script)).read_text(encoding="utf-8")
    asked = set(re.findall(r"""(?:say\(|\blabel\([\w.]+, )"([a-zA-Z.]+)\"""", code))
    for block in re.findall(r"for \(const key of \[(.*?)\]\)", code, re.S):
        asked |= set(re.findall(r'"(\w+)"', block))
    assert asked, "the pattern finds them"
    assert asked <= set(words._find(section))


@pytest.mark.parametrize("name", BOOKS)
def test_nothing_in_the_catalogue_is_said_nowhere(name):
    code = "\n".join(p.read_text(encoding="utf-8") for p in PAGES.rglob("*") if p.suffix in (".py", ".js"))
    mentioned = set(re.findall(r"\w+", code))
    silent = {key for key, _ in leaves(words.book(name)) if key.split(".")[-1] not in mentioned}
    # Players, fields, styles, classes and toy sets are named by the GANs, the rest by the server.
    named = (
        "read.players.",
        "styles.",
        "classes.",
        "templates.",
        "config.",
        "toys.",
        "kinds.",
        "limit.",
        "sources.",
        "how.",
        "room.why.",
        "room.hint.",
        "figures.",  # as cards name them
        "read.facts.",
        "errors.",  # found by their code: test_errors
    )
    assert not {key for key in silent if not key.startswith(named)}


def test_the_painter_s_words_are_all_translated():
    code = (PAGES / "parts" / "painter" / "painter.js").read_text(encoding="utf-8")
    block = re.sub(r"//.*", "", re.search(r"export const WORDS = \{(.*?)\n\};", code, re.S)[1])
    theirs = dict(re.findall(r"(\w+): \"((?:[^\"\\]|\\.)*)\"", block))
    ours = words._find("studio.painter")
    assert set(theirs) == set(ours) - {"groups"}
    for key, english in theirs.items():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", ours[key]["ko"])), key


@pytest.mark.parametrize("gan", registry.names())
def test_what_a_gan_says_of_itself_is_in_both_languages(gan):
    about = registry.gan(gan).about
    for says in (about.idea, *(term.says for term in about.terms.values())):
        assert set(says) == {"en", "ko"}
        assert HANGUL.search(says["ko"])


# ---- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gan", registry.names())
def test_the_source_is_cut_and_nothing_is_lost(gan):
    source = (registry.FOLDER / gan / "paper.py").read_text(encoding="utf-8")
    cut = read.pieces(source)
    lines = [line for piece in cut for line in piece.code.splitlines() if line.strip()]
    assert lines == [line for line in source.splitlines() if line.strip()]
    assert {"Config", "GAN"} <= {piece.name for piece in cut}
    assert len({read._anchor(piece) for piece in cut}) == len(cut)
    assert read.step(source).startswith("def train_step(")


# ---- what the server gives out --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=serve.routes()))


@pytest.mark.parametrize("name", [str(path.relative_to(PAGES / "parts")) for path in (PAGES / "parts").rglob("*.js")])
def test_javascript_is_given_out_as_such_and_asked_for_again_each_time(client, name):
    first = client.get(f"/parts/{name}")
    assert first.status_code == 200
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(f"/parts/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize(
    "name",
    [
        "shell/frame.py",
        "said",
        "said/book/studio.toml",
        "..%2fhome.py",
        "%2e%2e%2fhome.py",
        "live/..%2f..%2fhome.py",
        "live/nothing.js",
        "live/live.css",
        "live",
    ],
)
def test_nothing_else_is_given_out(client, name):
    assert client.get(f"/parts/{name}").status_code == 404


@pytest.mark.parametrize("name", [str(path.relative_to(PAGES / "parts")) for path in (PAGES / "parts").rglob("*.js")])
def test_javascript_asks_nobody_outside(name):
    code = (PAGES / "parts" / name).read_text(encoding="utf-8")
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", code)


def test_routes_are_under_the_base_path(monkeypatch):
    options = {"server.baseUrlPath": "/class/gan/"}
    monkeypatch.setattr(serve.st, "get_option", lambda name: options[name])
    client = TestClient(Starlette(routes=serve.routes()))
    assert client.get("/class/gan/parts/live/live.js").status_code == 200
    assert client.get("/class/gan/api/gans").status_code == 200
    assert client.get("/parts/live/live.js").status_code == 404
    assert {route.path for route in serve.routes()} == {"/class/gan/parts/{path:path}", "/class/gan/api"}


def test_every_gan_with_a_page_is_in_the_catalogue():
    assert {each.name for each in catalogue.gans()} == set(registry.names())
    assert all(each.about for each in catalogue.gans())


@pytest.mark.parametrize(
    "lang, rows", [("en", ("as Monet", "real Monet", "photo")), ("ko", ("게이트: 모네", "진짜: 모네", "사진"))]
)
def test_the_table_of_distances_speaks_the_visitor_s_language(lang, rows):
    """Of the checkpoint that ships: its rows by name, and the nearest collection of each gate in bold."""
    test = shown("gated_gan", lang=lang, tab="look")
    table = test.table[0].value
    assert set(rows) <= set(table.iloc[:, 0])
    figures = checkpoints.card("gated_gan")["figures"]
    assert f"**{figures['real monet']['monet']:.0f}**" in table.to_string()
