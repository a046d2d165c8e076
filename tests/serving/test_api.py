"""HTTP over the verbs: what comes back, and that whatever is sent gets an answer with a sentence."""

import asyncio
import base64
import io
import json
import re
import socket
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from chromium import FLAGS, installed
from patience import PATIENCE
from PIL import Image
from starlette.requests import Request
from starlette.testclient import TestClient

from studio import checkpoints, images, registry, serving
from studio.gans import pix2pix
from studio.verbs import verbs
from studio.web import api, door

TRANSLATE = "/api/pix2pix/translate"


def picture(mode="RGB", size=(40, 30), seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def encoded(picture, kind="PNG", **how):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


SKETCH = encoded(picture())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A STUDIO_HOME with two checkpoints, whatever the studio ships."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(home))
        patch.setattr(checkpoints.shelf, "SHIPPED", home / "shipped")
        for seed, tag in enumerate(("tiny", "other")):
            torch.manual_seed(seed)
            title = {"en": f"<b>{tag}", "ko": tag}
            examples = ["a.png", "link.png", "gone.png", "../x.png", "card.json"]
            facts = {"title": title, "default": tag == "tiny", "examples": examples}
            checkpoints.save(pix2pix.GAN(pix2pix.GAN.TINY), tag, facts, picture())
        (home / "checkpoints/pix2pix/tiny/a.png").write_bytes(SKETCH)
        (home / "checkpoints/pix2pix/x.png").write_bytes(SKETCH)
        (home / "checkpoints/pix2pix/tiny/link.png").symlink_to(home / "checkpoints/pix2pix/x.png")
        yield home


@pytest.fixture(scope="module")
def server(home):
    """One server for all tests: after whatever came before, it still answers."""
    server = serving.Server(device="cpu", fast=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "server", lambda: server)
        yield server
    server.close()


@pytest.fixture
def client(server):
    with TestClient(api.app) as client:
        yield client


def sentence(reply, status):
    """The sentence of an error, which is all that its body holds."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert list(body) == ["error"]
    assert re.search(r"[.:]", body["error"])
    assert "Traceback" not in body["error"]
    return body["error"]


def works(client):
    reply = client.post(TRANSLATE, files={"sketch": SKETCH})
    assert reply.status_code == 200, reply.text
    return reply


# ---- answers


def test_a_picture_comes_back_as_png_and_says_how_it_was_made(client):
    reply = client.post(TRANSLATE, files={"sketch": SKETCH}, data={"revision": "42", "viewer": "v-1", "seed": "3"})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/png"
    own = checkpoints.load("pix2pix", "tiny").translate(images.open_picture(SKETCH), seed=3)
    came = Image.open(io.BytesIO(reply.content))
    assert np.abs(np.asarray(came, np.int16) - np.asarray(own, np.int16)).max() <= 1
    named = {name: reply.headers[f"X-{name}"] for name in ("Device", "Size", "Tag", "Variant", "Batch", "Revision")}
    assert named == {"Device": "cpu", "Size": "32", "Tag": "tiny", "Variant": "exact", "Batch": "1", "Revision": "42"}
    assert float(reply.headers["X-Milliseconds"]) > 0
    assert reply.headers["cache-control"] == "no-store"


def test_who_accepts_json_gets_the_picture_as_a_data_address(client):
    reply = client.post(TRANSLATE, files={"sketch": SKETCH}, headers={"Accept": "application/json"})
    kind, _, content = reply.json().partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content) == works(client).content


def test_anything_else_comes_back_as_json(client):
    reply = client.post("/api/pix2pix/judge", files={"sketch": SKETCH, "picture": SKETCH})
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["X-Tag"] == "tiny"
    judged = checkpoints.load("pix2pix", "tiny").judge(images.open_picture(SKETCH), images.open_picture(SKETCH))
    assert np.allclose(reply.json()["map"], judged.map, atol=1e-5)
    assert reply.json()["receptive_field"] == 16


def test_numbers_that_json_does_not_know_are_null(client, monkeypatch):
    monkeypatch.setattr(pix2pix.paper.Discriminator, "forward", lambda self, *_: torch.full((1, 1, 2, 2), float("nan")))
    reply = client.post("/api/pix2pix/judge", files={"sketch": SKETCH, "picture": SKETCH})
    assert reply.json()["map"] == [[None, None], [None, None]]


def test_the_tag_chooses_the_checkpoint(client):
    other = client.post(TRANSLATE, files={"sketch": SKETCH}, data={"tag": "other"})
    assert other.headers["X-Tag"] == "other"
    assert other.content != works(client).content


def test_empty_fields_and_empty_files_count_as_left_out(client):
    reply = client.post(TRANSLATE, files={"sketch": SKETCH}, data={"seed": "", "tag": "", "viewer": "", "revision": ""})
    assert reply.content == works(client).content
    assert "X-Revision" not in reply.headers
    empty = f'--x\r\n{PART}; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n'
    assert "needs sketch" in sentence(client.post(TRANSLATE, content=empty, headers=MULTIPART), 400)


def tall():
    """Sixteen bits of grey."""
    return Image.fromarray(np.linspace(0, 65535, 40 * 30, dtype=np.uint16).reshape(30, 40))


def see_through():
    palette = picture().quantize(8)
    palette.info["transparency"] = 0
    return palette


PICTURES = {
    "animated GIF": lambda: encoded(picture("P"), "GIF", save_all=True, append_images=[picture("P", seed=1)]),
    "CMYK JPEG": lambda: encoded(picture("CMYK"), "JPEG"),
    "16-bit PNG": lambda: encoded(tall()),
    "palette PNG with transparency": lambda: encoded(see_through(), transparency=0),
    "grey PNG with alpha": lambda: encoded(picture("LA")),
    "one bit": lambda: encoded(picture("1")),
    "WebP": lambda: encoded(picture("RGBA"), "WEBP"),
    "TIFF": lambda: encoded(picture(), "TIFF"),
    "one pixel": lambda: encoded(picture(size=(1, 1))),
    "a thin line": lambda: encoded(picture(size=(3000, 1))),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_of_any_kind_work(client, kind):
    reply = client.post(TRANSLATE, files={"sketch": PICTURES[kind]()})
    assert reply.status_code == 200, reply.text
    assert Image.open(io.BytesIO(reply.content)).size == (32, 32)


# ---- looking


def test_gans_says_what_there_is(client):
    found = {gan["name"]: gan for gan in client.get("/api/gans").json()["gans"]}
    assert list(found) == registry.names()
    gan = found["pix2pix"]
    assert gan["title"] == "Pix2Pix"
    assert set(gan["idea"]) == {"en", "ko"}
    assert [c["tag"] for c in gan["checkpoints"]] == ["tiny", "other"]
    assert gan["checkpoints"][0] == {
        "tag": "tiny", "title": {"en": "<b>tiny", "ko": "tiny"}, "size": 32, "default": True,
    }  # fmt: skip
    sketch, seed = gan["verbs"][0]["arguments"]
    assert (sketch["type"], sketch["required"], seed["type"], seed["required"]) == ("picture", True, "int", False)


def test_the_files_of_a_checkpoint_are_the_card_the_preview_and_listed_examples(client):
    base = "/api/pix2pix/tiny/"
    assert client.get(base + "card.json").json()["tag"] == "tiny"
    assert client.get(base + "preview.webp").headers["content-type"] == "image/webp"
    assert client.get(base + "a.png").content == SKETCH
    for name in (
        "weights.safetensors",
        "gone.png",
        "link.png",
        "..%2fx.png",
        "%2e%2e%2fx.png",
        "nope.png",
        "%00",
        "a.png%00",
    ):
        sentence(client.get(base + name), 404)


@pytest.mark.parametrize(
    "path",
    ["nope/tiny/card.json", "pix2pix/nope/card.json", "pix2pix/..%2fpix2pix/card.json", "pix2pix/Tiny/card.json",
     "pix2pix/%2e%2e/card.json", "pix2pix/" + "x" * 5000 + "/card.json", "nothing", "a/b/c/d", ""],
)  # fmt: skip
def test_addresses_that_do_not_exist(client, path):
    assert len(sentence(client.get("/api/" + path), 404)) < 400


def test_a_verb_takes_post_and_a_picture_get(client):
    assert "POST" in sentence(client.get(TRANSLATE), 405)
    sentence(client.post("/api/pix2pix/tiny/preview.webp"), 405)
    sentence(client.delete("/api/gans"), 405)


# ---- what goes wrong


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb():
    """The head of a PNG that says 30,000 x 30,000."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def form(**fields):
    return {"data": fields, "files": {"sketch": SKETCH}}


MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
PART = 'Content-Disposition: form-data; name="sketch"'
BAD = {
    "not a picture": ({"files": {"sketch": b"hello"}}, "not a picture"),
    "an empty picture": ({"files": {"sketch": b""}}, "needs sketch"),
    "a truncated PNG": ({"files": {"sketch": SKETCH[: len(SKETCH) // 2]}}, "cut off"),
    "a damaged JPEG": ({"files": {"sketch": encoded(picture(), "JPEG")[:200]}}, "damaged|not a picture"),
    "too many pixels": ({"files": {"sketch": bomb()}}, "pixels"),
    "PostScript": ({"files": {"sketch": encoded(picture(), "EPS")}}, "not a picture"),
    "an SVG": ({"files": {"sketch": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}}, "not a picture"),
    "an unknown field": (form(colour="red"), "no argument colour. It takes: sketch, seed"),
    "a missing picture": ({"data": {"seed": "1"}}, "needs sketch"),
    "an empty form": ({}, "needs sketch"),
    "a seed of letters": (form(seed="abc"), "seed = 'abc': this must be a whole number"),
    "a seed of half": (form(seed="1.5"), "whole number"),
    "a long seed": (form(seed="9" * 200_000), "whole number"),
    "a path for a picture": ({"data": {"sketch": "/etc/passwd"}}, "must be sent as a file"),
    "a file for a number": ({"files": {"sketch": SKETCH, "seed": b"1"}}, "'seed' came as a file"),
    "a file for a tag": ({"files": {"sketch": SKETCH, "tag": b"tiny"}}, "'tag' came as a file"),
    "a field twice": ({"files": [("sketch", SKETCH), ("sketch", SKETCH)]}, "twice"),
    "a long name": (form(**{"x" * 65: "1"}), "64 letters"),
    "a NUL in a name": ({"content": b"a%00b=1", "headers": URLENCODED}, "NUL"),
    "a NUL in a value": (form(seed="1\0"), "NUL"),
    "a viewer with a line break": (form(viewer="a\r\nX-Evil: 1"), "viewer"),
    "a long viewer": (form(viewer="a" * 65), "viewer"),
    "a revision with a line break": (form(revision="1\r\nX-Evil: 1"), "revision"),
    "a revision in other digits": (form(revision="١"), "revision"),
    "a long revision": (form(revision="1" * 16), "revision"),
    "too many fields": (form(**{f"f{k}": "" for k in range(80)}), "Too many fields"),
    "too many files": ({"files": [(f"f{k}", SKETCH) for k in range(9)]}, "Too many files"),
    "a field too long": (form(seed="1" * 300_000), "exceeded maximum"),
    "no boundary": ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, "can't be read"),
    "no multipart": ({"content": b"hello", "headers": MULTIPART}, "can't be read"),
    "a part without a name": ({"content": b"--x\r\nA: b\r\n\r\n1\r\n--x--\r\n", "headers": MULTIPART}, "can't be read"),
    "a long head": ({"content": f"--x\r\n{'A' * 9999}: b\r\n\r\n1".encode(), "headers": MULTIPART}, "can't be read"),
    "a body that ends early": (
        {"content": f'--x\r\n{PART}; filename="a"\r\n\r\n'.encode() + SKETCH, "headers": MULTIPART}, "needs sketch",
    ),
    "a boundary that is too long": (
        {"content": b"x", "headers": {"Content-Type": f"multipart/form-data; boundary={'x' * 999}"}}, "can't be read",
    ),
    "a charset of nonsense": (
        {"content": f"--x\r\n{PART}\r\n\r\n\xff\r\n--x--\r\n".encode("latin-1"),
         "headers": {"Content-Type": "multipart/form-data; charset=punycode; boundary=x"}}, ".",
    ),
    "nonsense that is urlencoded": ({"content": b"%%%&&&=%zz;;", "headers": URLENCODED}, "."),
}  # fmt: skip


# Starlette leaves the file of a part that never ends to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_answered_with_a_sentence(client, kind):
    sent, says = BAD[kind]
    said = sentence(client.post(TRANSLATE, **sent), 400)
    assert re.search(says, said), said
    assert len(said) < 400
    works(client)


@pytest.mark.parametrize(
    ("path", "fields", "says"),
    [
        ("nope/translate", {}, "The studio has: "),
        ("pix2pix/paint", {}, "It has: translate"),
        ("pix2pix/__init__", {}, "It has: translate"),
        ("pix2pix/" + "x" * 3000, {}, "It has: translate"),
        ("pix2pix/translate", {"tag": "nope"}, "There are: tiny, other"),
        ("pix2pix/translate", {"tag": "../tiny"}, "can't be a tag"),
        ("pix2pix/translate", {"tag": "a\r\nX-Evil: 1"}, "can't be a tag"),
    ],
)
def test_unknown_names_are_answered_with_those_that_exist(client, path, fields, says):
    said = sentence(client.post("/api/" + path, **form(**fields)), 404)
    assert says in said
    assert len(said) < 400
    works(client)


def test_a_form_is_asked_for(client):
    reply = client.post(TRANSLATE, json={"sketch": "x"})
    assert "multipart/form-data" in sentence(reply, 415)
    assert "multipart/form-data" in sentence(client.post(TRANSLATE, content=b"x"), 415)


def test_urlencoded_forms_work_where_no_picture_is_needed(client):
    said = sentence(client.post(TRANSLATE, content=urlencode({"tag": "nope"}), headers=URLENCODED), 404)
    assert "nope" in said


def test_a_body_that_says_it_is_huge_is_not_read(client):
    reads = []

    def body():
        reads.append(1)
        yield b"x"

    for length in (api.MOST_BYTES + 1, 10**30):
        headers = MULTIPART | {"Content-Length": str(length)}
        reply = client.post(TRANSLATE, content=body(), headers=headers)
        assert "32 MB" in sentence(reply, 413)
        assert reply.headers["connection"] == "close"
    works(client)


@pytest.mark.parametrize("length", [{}, {"Content-Length": "10"}])
def test_a_body_that_grows_too_large_is_stopped(client, monkeypatch, length):
    monkeypatch.setattr(api, "MOST_BYTES", 100_000)
    read = 0

    def body():
        nonlocal read
        yield f'--x\r\n{PART}; filename="a"\r\n\r\n'.encode()
        for _ in range(100):
            read += 1
            yield b"x" * 10_000

    sentence(client.post(TRANSLATE, content=body(), headers=MULTIPART | length), 413)
    works(client)


def test_no_more_is_read_than_may_be_sent(monkeypatch):
    monkeypatch.setattr(api, "MOST_BYTES", 25)
    read = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"x" * 10, "more_body": True}

    counted = Request({"type": "http", "headers": []}, api._counted(receive))
    with pytest.raises(door.TooLarge) as caught:
        asyncio.run(counted.body())
    assert caught.value.status == 413
    assert len(read) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://proxied"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),  # a browser says no more than that to a server on plain http
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "http://outside", "X-Forwarded-Host": "outside"}, 200),
    ],
)
def test_pages_of_other_sites_can_not_post(client, headers, status):
    reply = client.post(TRANSLATE, files={"sketch": SKETCH}, headers=headers)
    assert reply.status_code == status
    assert "access-control-allow-origin" not in reply.headers
    if status == 403:
        sentence(reply, 403)


# ---- a class at once


def test_the_newest_question_of_a_viewer_wins(server, monkeypatch):
    inside, go = threading.Event(), threading.Event()
    forward = pix2pix.paper.Generator.forward

    def slow(self, *args):
        inside.set()
        assert go.wait(PATIENCE)
        return forward(self, *args)

    monkeypatch.setattr(pix2pix.paper.Generator, "forward", slow)
    with TestClient(api.app) as client, ThreadPoolExecutor(4) as pool:

        def post(revision):
            data = {"revision": revision}
            return client.post(TRANSLATE, files={"sketch": SKETCH}, data=data, headers={"X-Viewer": "a"})

        first = pool.submit(post, "1")
        assert inside.wait(PATIENCE)
        monkeypatch.setattr(server._models["pix2pix", "tiny"], "waiting", waiting := Told())
        second = pool.submit(post, "2")
        assert waiting.came.wait(PATIENCE)
        third = pool.submit(post, "3")
        assert "newer" in sentence(second.result(PATIENCE), 409)
        go.set()
        assert [f.result(PATIENCE).headers["X-Revision"] for f in (first, third)] == ["1", "3"]


class Told(list):
    """A line that says when somebody joins it."""

    def __init__(self):
        super().__init__()
        self.came = threading.Event()

    def append(self, item):
        super().append(item)
        self.came.set()


def test_when_the_line_is_full_it_says_when_to_come_back(client, server, monkeypatch):
    def full(*args, **kwargs):
        raise serving.Busy("32 others wait for this model. Try again in a moment.", 7)

    with monkeypatch.context() as patch:
        patch.setattr(server, "ask", full)
        reply = client.post(TRANSLATE, files={"sketch": SKETCH})
        assert "Try again" in sentence(reply, 503)
        assert reply.headers["retry-after"] == "7"
    works(client)


def test_when_no_thread_is_free_nobody_waits_unseen(client, monkeypatch):
    monkeypatch.setattr(api, "THREADS", 0)
    reply = client.post(TRANSLATE, files={"sketch": SKETCH})
    assert "Try again" in sentence(reply, 503)
    assert int(reply.headers["retry-after"]) > 0


def test_a_fault_is_a_sentence_and_the_reason_is_in_the_log(client, monkeypatch, caplog):
    def broken(self, *args):
        raise RuntimeError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(pix2pix.paper.Generator, "forward", broken)
        said = sentence(client.post(TRANSLATE, files={"sketch": SKETCH}), 500)
    assert "secret" not in said
    assert "secret detail" in caplog.text
    works(client)


def test_even_a_fault_of_the_routes_is_json(server, monkeypatch):
    monkeypatch.setattr(api, "jsonable", lambda value: 1 / 0)
    with TestClient(api.app, raise_server_exceptions=False) as client:
        sentence(client.post("/api/pix2pix/judge", files={"sketch": SKETCH, "picture": SKETCH}), 500)


def test_who_hangs_up_is_not_computed_for(server, monkeypatch):
    """The route is called as a server would, by a visitor who leaves as soon as the form is read."""
    asked = threading.Event()
    found = {}

    def ask(gan, verb, values, tag, viewer, gone):
        asked.set()
        found["gone"] = gone.wait(PATIENCE)
        raise serving.Superseded("Whoever asked this has left.")

    monkeypatch.setattr(server, "ask", ask)
    messages = [{"type": "http.request", "body": b"seed=1", "more_body": False}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": TRANSLATE, "root_path": "", "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"6")],
    }  # fmt: skip
    asyncio.run(api.app(scope, receive, send))
    assert found["gone"]
    assert sent[0]["status"] == 409


# ---- the interface


@pytest.mark.parametrize("name", registry.names())
def test_openapi_has_every_verb_of_every_gan(client, name):
    document = client.get("/api/openapi.json").json()
    gan = registry.gan(name)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api"}]
    assert {"name": gan.about.title, "description": gan.about.idea["en"]} in document["tags"]
    for verb in verbs(gan).values():
        operation = document["paths"][f"/{name}/{verb.name}"]["post"]
        assert operation["summary"] == verb.says
        assert operation["tags"] == [gan.about.title]
        form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert set(form["properties"]) == {*verb.arguments, *api.BESIDE}
        assert not set(verb.arguments) & set(api.BESIDE), "these names are taken"
        assert set(form.get("required", [])) == {a.name for a in verb.arguments.values() if a.required}
        for argument in verb.arguments.values():
            schema = form["properties"][argument.name]
            assert ("null" in schema["type"]) == argument.optional
            assert (schema.get("format") == "binary") == argument.is_file
            assert schema["description"] == argument.says
        picture = verb.returns is images.Picture
        assert ("image/png" in operation["responses"]["200"]["content"]) == picture
    assert len({p["post"]["operationId"] for p in document["paths"].values()}) == len(document["paths"])


def test_openapi_refers_only_to_what_it_holds(client):
    text = client.get("/api/openapi.json").text
    document = json.loads(text)
    for reference in re.findall(r'"\$ref": ?"#/([^"]+)"', text):
        at = document
        for step in reference.split("/"):
            at = at[step]
    schema = pytest.importorskip("jsonschema")
    for path in document["paths"].values():
        form = path["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
        schema.Draft202012Validator.check_schema(form)


def test_a_form_of_every_type_can_be_described():
    from studio.images import Picture
    from studio.verbs import Verb

    def all_types(
        self, a: int, b: float = 0.5, c: bool = True, d: str = "x", e: dict | None = None, f: Picture | None = None
    ):
        """Takes everything."""

    schemas = {a.name: api._schema(a) for a in Verb("all_types", all_types).arguments.values()}
    assert [s["type"] for s in schemas.values()] == [
        "integer", "number", "boolean", "string", ["object", "null"], ["string", "null"],
    ]  # fmt: skip
    assert schemas["b"]["default"] == 0.5
    assert "default" not in schemas["e"]


def test_the_page_for_people_needs_nothing_from_elsewhere(client):
    reply = client.get("/api/docs")
    assert reply.headers["content-type"].startswith("text/html")
    assert not re.search(r"https?://|//[a-z]", reply.text.replace("// text", ""))
    assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.fixture
def address(server):
    """The routes behind a real server, at a port of their own."""
    uvicorn = pytest.importorskip("uvicorn")
    place = socket.create_server(("127.0.0.1", 0))
    real = uvicorn.Server(uvicorn.Config(api.app, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=real.run, args=([place],))
    thread.start()
    yield f"http://127.0.0.1:{place.getsockname()[1]}/api"
    real.should_exit = True
    thread.join(PATIENCE)
    place.close()


def test_the_page_for_people_tries_a_verb_in_a_browser(address):
    playwright, chromium = pytest.importorskip("playwright.sync_api"), installed()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        faults = []
        page.on("pageerror", lambda fault: faults.append(fault))
        page.goto(f"{address}/docs")
        form = page.locator("form", has=page.locator("h3", has_text="translate gives a picture"))
        form.locator("input[name=sketch]").set_input_files({"name": "s.png", "mimeType": "image/png", "buffer": SKETCH})
        form.locator("select[name=tag]").select_option("other")
        form.get_by_text("Send").click()
        form.locator("output img").wait_for()
        assert form.locator("output img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
        assert "Tag other" in form.locator("output").inner_text()
        form.locator("input[name=sketch]").set_input_files({"name": "s.png", "mimeType": "image/png", "buffer": b"no"})
        form.get_by_text("Send").click()
        form.get_by_text("not a picture").wait_for()
        assert not faults
        browser.close()
