"""Each line of docs/threats.md, tried: what an anonymous visitor can send, against the real routes and pages."""

from __future__ import annotations

import ast
import http.client
import io
import itertools
import json
import os
import pickle
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import make_tiny
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from test_pages import shown

from pages.parts.shell import serve
from studio import checkpoints, images, registry, serving
from studio.data.files import Files
from studio.gans.pix2pix import GAN
from studio.guests import owners
from studio.training import keep as afterwards
from studio.training import process as trainer
from studio.training import runs, uploads
from studio.verbs import verbs
from studio.web import api

ROOT = Path(__file__).parents[2]
ANNA, BEN = "a" * 32, "b" * 32  # two browsers, by their cookies
EVIL = "<img src=x onerror=alert(1)>[a](http://evil.example)![b](http://evil.example/b.png)"
CRLF = "a\r\nX-Evil: 1"


# ---- a public server, with something of everything ------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A STUDIO_HOME with a checkpoint of each GAN, and a run of Anna's."""
    home = tmp_path_factory.mktemp("public") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(home))
        patch.setattr(checkpoints.shelf, "SHIPPED", home / "shipped")
        make_tiny(home)
        names = ("size", "width", "cap", "judge_width", "receptive_field", "norm")
        settings = [f"{name}={getattr(GAN.TINY, name)}" for name in names] + ["batch=2"]
        list(trainer.train("pix2pix", "toy", name="annas", settings=settings, steps=2, workers=0, title="Anna's"))
        run = runs.find("annas")
        run._write("card.json", run.card | {"owner": owners.mark(ANNA)})
        patch.setenv("STUDIO_TRAIN", "minutes=2 megabytes=20 queue=3")
        server = serving.Server(device="cpu", fast=False)
        patch.setattr(serving, "server", lambda: server)
        yield home
        server.close()


@pytest.fixture
def client(home):
    """Who has no cookie; every route of the studio, as `app.py` has them beside Streamlit's own."""
    with TestClient(Starlette(routes=serve.routes()), raise_server_exceptions=False) as client:
        yield client


def at(cookie: str | None) -> dict[str, str]:
    return {"Cookie": f"{owners.COOKIE}={cookie}"} if cookie else {}


def table(routes=None, start="") -> list[tuple[str, str]]:
    """(method, path with its {parameters}) of every route that there is: a new one is tried, too."""
    found = []
    for route in serve.routes() if routes is None else routes:
        if isinstance(route, Mount):
            found += table(route.routes, start + route.path)
        else:
            found += [(method, start + route.path) for method in sorted((route.methods or {"GET"}) - {"HEAD"})]
    return found


TABLE = table()
CHANGING = [(method, path) for method, path in TABLE if method != "GET"]
VALID = {
    "gan": "pix2pix", "verb": "translate", "tag": "tiny", "name": "card.json", "run": "annas", "file": "model.zip",
}  # fmt: skip


def filled(route: str, **values: str) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values.get(found[1], VALID.get(found[1], "x")), route)


def refused(reply, most=2000) -> None:
    """A refusal that says nothing about the machine and carries nothing that was sent into the headers."""
    assert 400 <= reply.status_code < 500, (reply.request.url, reply.status_code, reply.text[:300])
    assert len(reply.content) < most
    assert "x-evil" not in reply.headers
    for secret in ("Traceback", str(Path.home()) + "/", "root:x:", "site-packages"):
        assert secret not in reply.text
    if reply.headers["content-type"] == "application/json":
        assert list(reply.json()) == ["error"]


# ---- names and tags -------------------------------------------------------------------------------------------------

CLIMBING = [
    "..", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fapp.py", "..%5c..%5capp.py", "%2fetc%2fpasswd",
    "C:%5cWindows", "%5c%5chost%5cshare", "%00", "card.json%00", "x" * 5000, "%3Cscript%3E", "a%0d%0aX-Evil:%201",
    "-rf", "~root", "con", "%D9%A3", "file:%2f%2f%2fetc%2fpasswd", "http:%2f%2f127.0.0.1", "hub:a%2fb", "a;b", "%F0%9F",
    "weights.safetensors", "resume.pt", "trainer.log", "pid.json", "upload.json", ".hidden", "__init__.py", "__class__",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [each for each in TABLE if "{" in each[1]])
def test_names_that_climb_reach_nothing(client, method, path):
    for parameter in re.findall(r"\{(\w+)", path):
        for name in CLIMBING:
            address = filled(path, **{parameter: name})
            reply = client.request(method, address)
            if reply.url.raw_path.decode() == address:  # else it was tidied up, to the address of another route
                refused(reply)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "..", "", "X", "a/b", "a\0", "a\n", "x" * 99, "hub:a/b", "٣"])
def test_a_tag_is_a_folder_s_name_and_nothing_else(home, name):
    with pytest.raises(ValueError, match="can't be a tag"):
        checkpoints.checked_tag(name)
    with pytest.raises(ValueError, match="can't be a tag|no checkpoint"):
        checkpoints.folder("pix2pix", name)
    with pytest.raises(ValueError, match="There is no run|can't be a run"):
        runs.find(f"../{name}")
    with pytest.raises(ValueError, match="not here any more"):
        uploads.find(f"../{name}", ANNA)


def test_files_of_an_upload_stay_in_it(home):
    names = ["../../evil.png", "/etc/evil.png", "..\\evil.png", "C:\\evil.png", "a/../../evil.png", ".../evil.png"]
    before = {path for path in home.rglob("*") if "data" not in path.parts}
    kept = uploads.keep([(name, io.BytesIO(png(seed=k))) for k, name in enumerate(names)], BEN)
    assert kept.files == len(names)
    for name in zipfile.ZipFile(uploads.folder() / kept.name / "evil.zip").namelist():
        assert ".." not in Path(name).parts
        assert not name.startswith("/")
        assert "\\" not in name
    assert {path for path in home.rglob("*") if "data" not in path.parts} == before
    for name in names[:5]:
        with pytest.raises(ValueError, match="points outside"):
            uploads.keep([("a.zip", zipped({name: png(), "b.png": png()}))], BEN)
    uploads.delete(kept.name, BEN)


# ---- payloads -------------------------------------------------------------------------------------------------------


def png(size=(24, 24), mode="RGB", seed=0) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, seed if mode == "L" else (seed, 9, 9)).save(out, "PNG")
    return out.getvalue()


def zipped(files: dict[str, bytes], how=zipfile.ZIP_DEFLATED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return out


def endless():
    for _ in range(40):  # to the server: as long as it listens
        yield b"x" * 2**20


JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BODIES = {
    "nothing": (b"", None),
    "half of JSON": (b'{"go": ', JSON),
    "JSON that is no table": (b"[1, 2]", JSON),
    "deep JSON": (b"[" * 9_000, JSON),
    "long JSON": (b'{"title": "' + b"x" * 10**6 + b'"}', JSON),
    "JSON of no letters": (b'{"title": "\xff\xfe"}', JSON),
    "numbers beyond": (b'{"lr": 1e999, "minutes": -1e999}', JSON),
    "wrong kinds": (b'{"go": {}, "off": 3, "still": [[]], "lr": "x", "single": [], "minutes": true}', JSON),
    "other wishes": (b'{"__class__": "x", "owner": "' + b"0" * 32 + b'"}', JSON),
    "an endless body": (endless, "application/octet-stream"),
    "an endless wish": (endless, JSON),
    "an endless form": (endless, "multipart/form-data; boundary=x"),
    "a form that is none": (b"\x00\x01\x02", "multipart/form-data; boundary=x"),
    "a form without a boundary": (b"x", "multipart/form-data"),
    "a form of rubbish": (b"%%%&&&=%zz;;a=1&a=2", FORM),
    "a thousand fields": (b"&".join(b"f%d=1" % k for k in range(1000)), FORM),
    "XML": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "text/xml"),
    "a type that is none": (b"x", "\x7f;;;=" + "x" * 3000),
}


# Starlette leaves the file of a part that never ends to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_bodies_that_are_no_requests_are_refused(client, method, path, what):
    content, kind = BODIES[what]
    for cookie in (None, ANNA) if method == "POST" else (None,):
        body = content() if callable(content) else content
        headers = at(cookie) | ({"Content-Type": kind} if kind else {})
        refused(client.request(method, filled(path), content=body, headers=headers))


def test_no_request_is_larger_than_the_studio_reads(client):
    for length in (str(api.MOST_BYTES + 1), "9" * 30):
        headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": length}
        reply = client.post("/api/pix2pix/translate", content=b"x", headers=headers)
        assert reply.status_code == 413


EXTREMES = {
    bytes: [png((1, 1)), b"x", png((1500, 1)), png(mode="L")],
    int: ["-1", "999999999999", "9" * 400, "٣", "1e3"],
    float: ["nan", "1e308", "-1e308"],
    bool: ["maybe"],
    str: ["../../etc/passwd", "x" * 20_000, "\x1b[31m<script>"],
    dict: ['{"a": 1e400}', '{"a":' * 3000, '{"x": null}', '{"": -1e300}', "[]"],
    list: ["[]", "[1e400]", "[[]]", "[" * 5000, "[" + "1," * 9999 + "1]", "[999999999999999999999]", '[{"a": 1}]'],
}


@pytest.mark.parametrize("name", registry.names())
def test_a_verb_takes_any_value_or_says_why_not(client, name):
    """Each argument of each verb in turn: an answer or a sentence, soon, and never a fault of the studio."""
    turns = {kind: itertools.cycle(values) for kind, values in EXTREMES.items()}
    for verb in verbs(registry.gan(name)).values():
        needed = [a for a in verb.arguments.values() if a.required]
        files = {a.name: png(mode="L" if a.is_map else "RGB") for a in needed if a.is_file}
        data = {a.name: "1" for a in needed if not a.is_file}
        for argument in verb.arguments.values():
            kind = bytes if argument.is_file else argument.type
            for value in (next(turns[kind]) for _ in range(3)):  # all of them, over the verbs of the studio
                one = {argument.name: value}
                began = time.monotonic()
                reply = client.post(
                    f"/api/{name}/{verb.name}",
                    files=(files | one if argument.is_file else files) or None,
                    data=data if argument.is_file else data | one,
                )
                says = (verb.name, argument.name, str(value)[:40], reply.text[:200] if reply.status_code > 200 else "")
                assert reply.status_code in (200, 400), says
                assert time.monotonic() - began < 60, says  # on a busy machine, too


# ---- headers and queries --------------------------------------------------------------------------------------------

HEADERS = [
    {"X-Viewer": "a\tb"}, {"X-Viewer": "x" * 500}, {"Accept": "x" * 5000}, {"Range": "bytes=0-,-1,5-1"},
    {"If-None-Match": '"' + "x" * 5000}, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example/<script>"},
    {"X-Forwarded-Proto": "javascript"}, {"Cookie": f"{owners.COOKIE}=../../x; {owners.COOKIE}=\"\\101\"; =;;="},
    {"Cookie": "a" * 5000}, {"Authorization": "Basic x"}, {"Content-Length": "-1"}, {"Accept-Language": EVIL},
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), TABLE)
def test_headers_and_queries_change_nothing(client, method, path):
    """Whatever beside the address is sent: no fault, and none of it comes back in a header."""
    for headers in HEADERS:
        reply = client.request(method, filled(path), headers=headers)
        assert reply.status_code < 500
        assert not [v for v in reply.headers.values() if "evil" in v or "javascript" in v]
    for query in (
        "after=-1",
        "after=٣",
        "after=" + "9" * 5000,
        f"x={EVIL}",
        "tag=a%0d%0aX-Evil:%201",
        "a" * 5000,
        "&&==%zz",
    ):
        reply = client.request(method, f"{filled(path)}?{query}")
        assert reply.status_code < 500
        assert "x-evil" not in reply.headers


@pytest.mark.parametrize(("field", "status"), [("viewer", 400), ("revision", 400), ("tag", 404)])
def test_a_field_does_not_become_a_header(client, field, status):
    reply = client.post("/api/pix2pix/translate", files={"sketch": png()}, data={field: CRLF})
    assert reply.status_code == status
    refused(reply)


@pytest.mark.parametrize("page", [None, "train", *registry.names()])
def test_what_a_page_reads_off_its_address_stays_text(home, page):
    test = shown(page, lang="'-alert(1)-'", tag=EVIL, run=EVIL, tab=EVIL, hide=EVIL, compare=EVIL, seed=EVIL, set=EVIL)
    nothing_is_rendered(test)


# ---- script in names and cards --------------------------------------------------------------------------------------

MARKDOWN = ("markdown", "caption", "info", "warning", "error", "success", "subheader", "header", "title")


def nothing_is_rendered(test) -> None:
    """EVIL is nowhere HTML, a link or a picture; where Markdown is read, it is escaped."""
    for element in test.get("html"):
        assert "<img src=x" not in element.proto.body
        assert "alert(1)" not in re.sub(r"&lt;.*?&gt;", "", element.proto.body)
    texts = [str(getattr(e, "value", "")) for kind in MARKDOWN for e in test.get(kind)]
    texts += [str(cell) for e in test.get("table") for cell in [*e.value.columns, *e.value.to_numpy().ravel()]]
    for text in texts:
        assert not re.search(r"(?<!\\)<img src=x", text), text
        assert not re.search(r"(?<!\\)\[[ab](?<!\\)\]\(", text), text
    assert not [e for e in test.get("markdown") if getattr(e.proto, "allow_html", False)]


@pytest.mark.parametrize(("name", "tab"), [*((name, "read") for name in registry.names()), ("pix2pix", "train")])
def test_texts_of_a_card_stay_texts(home, name, tab, monkeypatch):
    """A title, a licence, limits, an origin and figures as somebody on the Hub may write them."""
    both = {"en": EVIL, "ko": EVIL}
    figures = {"n": EVIL, "size": EVIL, EVIL: {"l1": 1.0, EVIL: 2.0}}
    facts = {"title": both, "licence": both, "limits": EVIL, "figures": figures, "origin": {"kind": EVIL, "data": EVIL}}
    folder, card = checkpoints.folder(name, "tiny"), checkpoints.card(name, "tiny")
    try:
        arms = {"file": card["examples"][0], "says": both, "figures": figures}
        checkpoints.update_card(name, "tiny", **facts, arms=arms)
        test = shown(name, lang="en", tab=tab)
        nothing_is_rendered(test)
        if tab == "read":
            assert "onerror" in str([e.value for e in test.get("markdown")]), "it is said, as text"
    finally:
        (folder / "card.json").write_text(checkpoints.card_text(card), encoding="utf-8")


def test_titles_of_runs_and_uploads_stay_texts(home, client, monkeypatch):
    browser(monkeypatch, ANNA)
    assert client.post("/api/runs/annas", json={"title": EVIL[:80]}, headers=at(ANNA)).status_code == 200
    reply = client.get("/api/runs/annas")
    assert reply.headers["content-type"] == "application/json"
    kept = uploads.keep(
        [(f"{EVIL}.png".replace("/", "_"), io.BytesIO(png())), ("b.png", io.BytesIO(png(seed=1)))], ANNA
    )
    nothing_is_rendered(shown("train", run="annas"))
    nothing_is_rendered(shown("dcgan", run="annas"))
    test = shown("train")
    test.button_group(key="source-pix2pix").set_value("kept").run()
    assert not test.exception
    nothing_is_rendered(test)
    uploads.delete(kept.name, ANNA)


def test_scripts_write_text_and_never_html():
    """The components of the pages: what they are told becomes text nodes and attributes, never markup or code."""
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc|setHTML"
    code = r"\beval\(|new Function\(|javascript:|setTimeout\(\s*[\"'`]"
    for path in (ROOT / "pages").rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(f"{markup}|{code}", source), path.name
        assert ("DOMParser" in source) == (path.name == "room.js"), (
            f"{path.name}: formulas only, and only <math> is kept"
        )
    for path in [*(ROOT / "pages").rglob("*.py"), *(ROOT / "studio").rglob("*.py")]:
        assert "unsafe_allow_html" not in path.read_text(encoding="utf-8"), path.name


# ---- one visitor and another ----------------------------------------------------------------------------------------


def browser(monkeypatch, cookie):
    """From now on pages are asked by a browser with this cookie."""
    context = SimpleNamespace(cookies={owners.COOKIE: cookie}, headers={}, remote_ip=None)
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: context)


WISHES = [
    {"go": "stop"}, {"go": "pause"}, {"go": "on"}, {"off": ["near"]}, {"still": ["generator"]}, {"lr": 0.5},
    {"single": "both"}, {"title": "Ben's"}, {"use": True}, {"minutes": 1},
]  # fmt: skip


@pytest.mark.parametrize(
    "cookie", [None, BEN, "", "x", owners.mark(ANNA)], ids=["none", "other", "empty", "short", "mark"]
)
def test_a_stranger_watches_by_link_and_touches_nothing(client, cookie):
    run = runs.find("annas")
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    assert client.get("/api/runs", headers=at(cookie)).json() == []
    assert client.get("/api/runs/annas", headers=at(cookie)).status_code == 200, "whoever has the link may watch"
    for wish in WISHES:
        reply = client.post("/api/runs/annas", json=wish, headers=at(cookie))
        assert reply.status_code == 403
        assert "somebody else's" in reply.json()["error"]
    assert client.delete("/api/runs/annas", headers=at(cookie)).status_code == 403
    assert client.get("/api/runs/annas/model.zip", headers=at(cookie)).status_code == 403
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


def test_its_own_browser_lists_and_steers_a_run(client):
    assert [run["name"] for run in client.get("/api/runs", headers=at(ANNA)).json()] == ["annas"]
    assert client.post("/api/runs/annas", json={"title": "Anna's"}, headers=at(ANNA)).status_code == 200
    assert client.get("/api/runs/annas/model.zip", headers=at(ANNA)).status_code == 200
    watched = client.get("/api/runs/annas", headers=at(BEN)).text
    assert owners.mark(ANNA) not in watched
    assert ANNA not in watched


def test_a_run_of_the_shell_is_nobody_s_on_a_public_server(client):
    run = runs.find("annas")
    card = run.card
    try:
        run._write("card.json", {k: v for k, v in card.items() if k != "owner"})
        for cookie in (None, ANNA, BEN):
            assert client.get("/api/runs", headers=at(cookie)).json() == []
            assert client.delete("/api/runs/annas", headers=at(cookie)).status_code == 403
    finally:
        run._write("card.json", card)


def test_on_a_machine_of_one_s_own_everything_is_open(client, monkeypatch):
    monkeypatch.delenv("STUDIO_TRAIN")
    assert [run["name"] for run in client.get("/api/runs").json()] == ["annas"]
    assert client.post("/api/runs/annas", json={"title": "Mine"}).status_code == 200
    page = Starlette(routes=serve.routes(), middleware=serve.guards())
    assert "set-cookie" not in TestClient(page).get("/api/docs").headers


def test_names_on_a_public_server_are_not_guessed(home, monkeypatch):
    names = {runs.create("dcgan", "toy", minutes=1).name for _ in range(2)}
    assert all(re.fullmatch(r"dcgan-\d{8}-\d{6}-[0-9a-f]{10}", name) for name in names)
    monkeypatch.delenv("STUDIO_TRAIN")
    assert re.fullmatch(r"dcgan-\d{8}-\d{6}", runs.create("dcgan", "toy", minutes=1).name)
    for run in runs.all_runs():
        if run.name != "annas":
            run.delete()


def test_a_stranger_s_model_is_not_in_anybody_s_list(client, monkeypatch):
    tag = client.post("/api/runs/annas", json={"use": True}, headers=at(ANNA)).json()["tag"]
    assert re.fullmatch(r"[a-z-]+-[0-9a-f]{10}", tag)

    def listed(cookie):
        gans = client.get("/api/gans", headers=at(cookie)).json()["gans"]
        return [each["tag"] for gan in gans if gan["name"] == "pix2pix" for each in gan["checkpoints"]]

    assert listed(ANNA) == ["tiny", tag]
    assert listed(BEN) == listed(None) == ["tiny"]
    assert tag not in client.get("/api/openapi.json").text
    assert tag not in client.post("/api/pix2pix/translate", files={"sketch": png()}, data={"tag": "nope"}).text
    assert owners.mark(ANNA) not in client.get(f"/api/pix2pix/{tag}/card.json").text
    reply = client.post("/api/pix2pix/translate", files={"sketch": png()}, data={"tag": tag})
    assert reply.headers["x-tag"] == tag, "whoever was given its name may play with it"
    browser(monkeypatch, BEN)
    assert tag not in str(shown("pix2pix").selectbox)
    assert not shown("pix2pix", tag=tag).warning
    shutil.rmtree(checkpoints.folder("pix2pix", tag))


def test_uploads_are_seen_by_who_brought_them(home):
    files = [("a.png", png()), ("b.png", png(seed=1))]
    hers = uploads.keep([(name, io.BytesIO(content)) for name, content in files], ANNA)
    assert [each.name for each in uploads.uploads(ANNA)] == [hers.name]
    for cookie in (BEN, None, "", owners.mark(ANNA)):
        assert uploads.uploads(cookie) == []
        with pytest.raises(ValueError, match="not here any more"):
            uploads.find(hers.name, cookie)
        with pytest.raises(ValueError, match="not here any more"):
            uploads.delete(hers.name, cookie)
    his = uploads.keep([(name, io.BytesIO(content)) for name, content in files], BEN)
    assert his.name == hers.name, "the same pictures are kept once"
    uploads.delete(hers.name, ANNA)
    assert uploads.uploads(ANNA) == []
    assert [each.name for each in uploads.uploads(BEN)] == [his.name], "and stay for the other"
    uploads.delete(his.name, BEN)
    assert not (uploads.folder() / his.name).exists()


def test_strangers_do_not_fill_the_disk(home, client, monkeypatch):
    monkeypatch.setattr(owners.shutil, "disk_usage", lambda _: SimpleNamespace(free=owners.SPARE - 1))
    with pytest.raises(ValueError, match="nearly full"):
        runs.create("dcgan", "toy", minutes=1)
    with pytest.raises(ValueError, match="nearly full"):
        uploads.keep([("a.png", io.BytesIO(png()))], ANNA)
    with pytest.raises(ValueError, match="nearly full"):
        afterwards.use(runs.find("annas"))


@pytest.mark.parametrize(
    ("headers", "says"),
    [({}, "SameSite=Lax"), ({"X-Forwarded-Proto": "https"}, "SameSite=None; Secure; Partitioned")],
)
def test_a_page_brings_a_cookie_that_no_script_reads(home, headers, says):
    client = TestClient(Starlette(routes=serve.routes(), middleware=serve.guards()))
    given = client.get("/api/docs", headers=headers).headers["set-cookie"]
    token = re.match(rf"{owners.COOKIE}=([\w-]+); Path=/; Max-Age=\d+; HttpOnly; {says}$", given)[1]
    assert owners.mark(token)
    client.cookies.clear()
    assert given != client.get("/api/docs", headers=headers).headers["set-cookie"]
    client.cookies.clear()
    assert "set-cookie" not in client.get("/api/docs", headers=headers | at(token)).headers
    assert "set-cookie" in client.get("/api/docs", headers=headers | at("short")).headers
    assert "set-cookie" not in client.get("/api/gans", headers=headers).headers, "it comes with pages only"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_pages_of_other_sites_change_nothing(client, method, path, headers):
    reply = client.request(method, filled(path), headers=headers | at(ANNA))
    assert reply.status_code == 403
    refused(reply)


# ---- bombs ----------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(kind: bytes, content: bytes) -> bytes:
    whole = png()
    return whole[:33] + chunk(kind, content) + whole[33:]


def zeros(megabytes: int) -> bytes:
    pack = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(pack.compress(piece) for _ in range(megabytes)) + pack.flush()


HUGE = struct.pack("<H", 65535)
BOMBS = {
    "a PNG of 30,000 x 30,000": lambda: png()[:16] + struct.pack(">II", 30_000, 30_000) + png()[24:],
    "a PNG whose head is right and says 30,000 x 30,000": lambda: b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zeros(1)),
    "a text of 100 MB in a PNG": lambda: with_chunk(b"zTXt", b"a\0\0" + zeros(100)),
    "a colour profile of 100 MB": lambda: with_chunk(b"iCCP", b"a\0\0" + zeros(100)),
    "a hundred texts of a megabyte": lambda: png()[:33]
    + b"".join(chunk(b"zTXt", b"%d\0\0" % k + zlib.compress(bytes(1_000_000))) for k in range(100)) + png()[33:],
    "a GIF with a huge canvas": lambda: b"GIF89a" + 2 * HUGE + b"\0\0\0," + 4 * HUGE + b"\0\x08\x01\0\0;",
    "a WebP with a huge canvas": lambda: b"RIFF\x1e\0\0\0WEBPVP8X\n\0\0\0\x02\0\0\0" + b"\xff" * 6 + bytes(10),
    "a PPM of 60,000 x 60,000": lambda: b"P6 60000 60000 255\n" + bytes(99),
    "a BMP of negative size": lambda: b"BM" + struct.pack("<IHHI", 99, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, -(2**31), -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    "a picture of nothing": lambda: b"P6 0 0 255\n",
    "a zip": lambda: zipped({"a.png": png()}).getvalue(),
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_a_picture_that_is_a_bomb_is_not_opened(client, what):
    bomb = BOMBS[what]()
    assert len(bomb) < 10**6
    began = time.process_time()
    reply = client.post("/api/pix2pix/translate", files={"sketch": bomb})
    assert reply.status_code == 400, reply.status_code
    refused(reply)
    assert "picture" in reply.json()["error"]
    assert time.process_time() - began < 5


def test_of_an_animation_only_the_first_frame_is_opened():
    frames = [Image.new("P", (300, 300), k) for k in range(20)]
    for kind in ("GIF", "WEBP"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        began = time.process_time()
        assert images.open_picture(out.getvalue()).size == (300, 300)
        assert time.process_time() - began < 0.5


def listing(count: int) -> bytes:
    """A zip of so many files of no bytes: nothing to unpack, but a long table of contents."""
    entry = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0) + b"aa"
    large = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, count * len(entry), 0)
    where = struct.pack("<4sIQI", b"PK\6\7", 0, count * len(entry), 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return entry * count + large + where + end


def claiming(size: int) -> bytes:
    """A zip whose one picture says that it unpacks to so many bytes, within the ratio that is allowed."""
    whole = bytearray(zipped({"a.png": os.urandom(size // 100)}, zipfile.ZIP_STORED).getvalue())
    at = whole.rindex(b"PK\x01\x02")
    whole[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(whole)


ZIPS = {
    "a thousandfold": (lambda: zipped({"a.png": bytes(20_000_000)}).getvalue(), "decompression bomb"),
    "one file that fills the memory": (lambda: claiming(400_000_000), "decompression bomb"),
    "a million names": (lambda: listing(1_200_000), "too many"),
    "zips in a zip": (lambda: zipped({"a.zip": zipped({"a.png": png()}).getvalue()}).getvalue(), "no pictures"),
    "no zip": (lambda: b"PK\3\4" + bytes(99), "not a zip"),
    "names that climb": (lambda: zipped({"../a.png": png()}).getvalue(), "points outside"),
}


@pytest.mark.parametrize("what", ZIPS)
def test_a_zip_that_is_a_bomb_is_not_opened(home, monkeypatch, what):
    made, says = ZIPS[what]
    monkeypatch.setenv("STUDIO_TRAIN", "minutes=2")
    bomb = io.BytesIO(made())
    began = time.process_time()
    with pytest.raises(ValueError, match=says):
        uploads.keep([("a.zip", bomb)], ANNA)
    assert not list(uploads.folder().rglob("a.zip"))
    assert time.process_time() - began < 3


def test_a_zip_s_link_is_not_followed(home, tmp_path):
    info = zipfile.ZipInfo("a.png")
    info.external_attr = 0o120777 << 16  # a symbolic link to …
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as pack:
        pack.writestr(info, str(ROOT / "docs" / "pix2pix.webp"))
    with pytest.raises(ValueError, match="not a picture"):
        Files(tmp_path / "a.zip").open("a.png")


# ---- pickles, and addresses -----------------------------------------------------------------------------------------


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.mark.parametrize("ending", [".pkl", ".pt", ".pth", ".ckpt", ".bin", ".safetensors"])
def test_a_pickle_is_not_run(home, tmp_path, ending):
    trace, file = tmp_path / "was-here", tmp_path / f"latest_net_G{ending}"
    for write in (
        lambda: file.write_bytes(pickle.dumps({"G_ema": Payload(trace)})),
        lambda: torch.save({"state_dict": {"a": torch.zeros(1)}, "x": Payload(trace)}, file),
    ):
        write()
        for name in registry.names():
            if hasattr(registry.gan(name), "official"):
                with pytest.raises(ValueError, match="not read|not loaded|not a whole|Ask for"):
                    checkpoints.adopt(file, name, "evil")
        with pytest.raises(ValueError, match="neither a zip nor a picture"):
            uploads.keep([(file.name, io.BytesIO(file.read_bytes()))], ANNA)
    assert not trace.exists()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]


def test_nothing_in_the_studio_unpickles_freely():
    for path in (ROOT / "studio").rglob("*.py"):
        for call in calls(path):
            said = ast.unparse(call.func)
            assert said not in ("pickle.load", "pickle.loads", "eval", "exec", "torch.hub.load"), path.name
            if said == "torch.load":
                assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in call.keywords), path.name


ADDRESSES = ["http://127.0.0.1:9/x", "file:///etc/passwd", "hub:a/b", "\\\\127.0.0.1\\x"]


@pytest.fixture
def dialled(monkeypatch):
    """Every connection that anybody tries to make, and every name that is looked up; none comes about."""
    tried = []

    def no(*what, **_):
        tried.append(what[-2:])
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", no)
    monkeypatch.setattr(socket.socket, "connect_ex", no)
    monkeypatch.setattr(socket, "create_connection", no)
    monkeypatch.setattr(socket, "getaddrinfo", no)
    return tried


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_of_a_visitor_is_fetched(client, dialled, address):
    """As a tag, as a value of every verb that takes text, as a picture, as a run's data and as a name in a path."""
    for name in registry.names():
        for verb in verbs(registry.gan(name)).values():
            texts = [a.name for a in verb.arguments.values() if a.type in (str, dict, list)]
            files = [a.name for a in verb.arguments.values() if a.is_file]
            for field in [*texts, *files, "tag"]:
                refused(client.post(f"/api/{name}/{verb.name}", data={field: address, "seed": "x"}))
        with pytest.raises(ValueError, match="no folder of this machine|no data set|no toy set|no folder or zip"):
            runs.create(name, address, minutes=1)
        with pytest.raises(ValueError, match="can't be a tag"):
            runs.create(name, "toy", minutes=1, origin=address)
    refused(client.post("/api/runs/annas", json={"title": "x" * 99, "from": address}, headers=at(ANNA)))
    assert not dialled


NETWORK = {
    "socket",
    "urllib.request",
    "http.client",
    "requests",
    "httpx",
    "httpx2",
    "aiohttp",
    "ftplib",
    "huggingface_hub",
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_only_the_shell_reaches_the_hub():
    """Of the backend one file speaks to a network, and no page and no route imports it."""
    speaking = {path.name for path in (ROOT / "studio").rglob("*.py") if imports(path) & NETWORK}
    assert speaking <= {"repo.py", "model_card.py"}
    asking = {
        path
        for folder in ("studio", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if any(name == "studio.hub" or name.startswith("studio.hub.") for name in imports(path))
        and path.parent.name != "hub"
    }
    assert asking == {ROOT / "studio" / name for name in ("__init__.py", "__main__.py")}


# ---- the real server ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(home):
    """The studio as `streamlit run app.py` serves it to strangers: (host, port)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with (home / "server.log").open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)
    try:
        for _ in range(480):
            assert process.poll() is None, (home / "server.log").read_text()
            try:
                if asked(port, "/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.25)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def asked(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    """A GET of exactly this path: nothing on the way makes it tidy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def test_the_real_server_gives_out_no_file_of_the_disk_and_knows_its_visitors(real):
    status, headers, page = asked(real, "/")
    assert status == 200
    token = re.search(rf"{owners.COOKIE}=([\w-]+)", headers["set-cookie"])[1]
    assert owners.COOKIE not in asked(real, "/", at(token))[1].get("set-cookie", "")
    for start in (
        "",
        "/api/pix2pix/tiny",
        "/parts",
        "/api/runs/annas",
        "/static",
        "/app/static",
        "/component/x",
        "/media",
    ):
        for climb in (
            "/../../../../../../etc/passwd",
            "/..%2f..%2f..%2f..%2fetc%2fpasswd",
            "/%2e%2e/%2e%2e/app.py",
            "//etc/passwd",
        ):
            status, _, body = asked(real, start + climb)
            assert status >= 300 or body == page, start + climb
            assert b"root:" not in body
            assert b"import streamlit" not in body
    assert json.loads(asked(real, "/api/runs", at(token))[2]) == []
    assert len(json.loads(asked(real, "/api/runs", at(ANNA))[2])) == 1


# ---- the page that says all this ------------------------------------------------------------------------------------


def test_every_line_names_a_test_that_is_there():
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    there = {
        name: path.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert named <= set(there), named - set(there)
    own = {name for name, file in there.items() if file == Path(__file__).name}
    assert own <= named, own - named
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| What", "| ---"))]
    assert len(lines) > 20
    assert all("`test_" in line for line in lines)
