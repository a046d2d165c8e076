"""The class's wall: what students send, what the teacher does with it, and what a stranger can't."""

from __future__ import annotations

import concurrent.futures
import io
import json
import os
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from starlette.testclient import TestClient
from test_pages import HANGUL, PAGES, shown

from pages.parts.said import words
from studio.guests import limits, visitors
from studio.web import api
from studio.web import lesson as class_api
from studio.web import wall as gallery
from studio.web.wall import Full, Gallery

KEY = "k7m2-p9xw-3h4c-t8rq"
STRANGER = ("192.168.0.23", 50000)  # a phone in the class's network


def png(size=(40, 30), seed=0, **how) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", **how)
    return out.getvalue()


@pytest.fixture
def wall(home):
    return Gallery(home / "gallery")


@pytest.fixture
def lesson(home, monkeypatch):
    """A classroom server's environment."""
    monkeypatch.setenv("STUDIO_KEY", KEY)
    monkeypatch.setattr(class_api, "_trying", visitors.Buckets(rate=1 / 6, burst=10))
    return home


@pytest.fixture
def student(lesson):
    return client("tab-of-a-student")


@pytest.fixture
def teacher(lesson):
    teacher = client("tab-of-the-teacher", "192.168.0.2")
    assert teacher.post("/api/class/key", json={"key": KEY}).status_code == 200
    return teacher


def client(tab: str, address: str = STRANGER[0]) -> TestClient:
    return TestClient(api.app, base_url="http://192.168.0.9:8501", client=(address, 50000), headers={"X-Tab": tab})


def send(student: TestClient, content: bytes | None = None, **query):
    return student.post(
        "/api/gallery",
        params=query,
        content=png() if content is None else content,
        headers={"Content-Type": "image/png"},
    )


def hanging(anybody: TestClient) -> list[dict]:
    return anybody.get("/api/gallery").json()["pictures"]


# ---- the folder -----------------------------------------------------------------------------------------------------


def test_nothing_hangs_before_the_teacher_has_looked(wall):
    shown, _ = wall.send(png(), "Mina", "pix2pix", "tiny")
    assert wall.wall() == []
    assert [each.name for each in wall.waiting()] == ["Mina"]
    wall.hang(shown.id)
    assert [each.name for each in wall.wall()] == ["Mina"]
    assert wall.waiting() == []
    wall.delete(shown.id)
    assert list(wall.folder.glob("[0-9a-f]*")) == [], "what is rejected or taken down is deleted"


def test_only_pixels_survive(wall):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    sent = png((64, 48), pnginfo=notes) + b"<script>and after the end</script>"
    kept, _ = wall.send(sent)
    content = wall.path(kept).read_bytes()
    assert b"script" in sent and b"script" not in content
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(Image.open(io.BytesIO(sent))))


def test_large_pictures_are_made_smaller_and_larger_ones_refused(wall):
    out = io.BytesIO()
    Image.linear_gradient("L").resize((3000, 1500)).save(out, "JPEG")
    kept, _ = wall.send(out.getvalue())
    assert (kept.width, kept.height) == (1024, 512) == Image.open(io.BytesIO(wall.path(kept).read_bytes())).size
    with pytest.raises(ValueError, match="more than 2 MB"):
        wall.send(b"x" * (gallery.MOST_BYTES + 1))
    with pytest.raises(ValueError, match="at most 17 million"):
        wall.send(bomb(5000, 5000))
    with pytest.raises(ValueError, match="not a picture"):
        wall.send(b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def bomb(width: int, height: int) -> bytes:
    """A small PNG that opens to a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(height * (1 + (width + 7) // 8)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Mina\n Kim ", "Mina Kim"),
        ("민아", "민아"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert"),  # text, and as text it is shown
        ("a\u202eb\u200f\x00\x1bc", "abc"),
        ("Z\u0300\u0301\u0302\u0303\u0304", "Z̀́"),
        ("x" * 300, "x" * 24),
        ("\ud800", ""),
    ],
)
def test_a_name_is_a_short_line_of_text(given, kept):
    assert gallery.plain(given) == kept


def test_a_sender_has_few_waiting_and_a_class_behind_one_address_many(wall):
    for _ in range(gallery.WAITING):
        first, _ = wall.send(png(), sender="a", place="school")
    with pytest.raises(Full, match="Take one back"):
        wall.send(png(), sender="a", place="school")
    wall.hang(first.id)
    wall.send(png(), sender="a", place="school")
    for k in range(gallery.FROM_ONE_PLACE - gallery.WAITING):
        wall.send(png((8, 8)), sender=f"s{k}", place="school")
    with pytest.raises(Full, match="Many pictures wait"):
        wall.send(png(), sender="another", place="school")
    wall.send(png(), sender="another", place="home")


def test_the_box_can_be_closed_and_stays_so(wall):
    wall.set_open(False)
    with pytest.raises(Full, match="closed"):
        wall.send(png())
    again = Gallery(wall.folder)
    assert not again.open
    again.set_open(True)
    wall.send(png())


def test_a_full_wall_says_so(wall, monkeypatch):
    monkeypatch.setattr(gallery, "HANGING", 1)
    first, second = (wall.send(png())[0] for _ in range(2))
    wall.hang(first.id)
    with pytest.raises(Full, match="Take some down"):
        wall.hang(second.id)


def test_two_servers_with_one_folder_show_the_same(wall):
    other = Gallery(wall.folder)
    assert other.all() == []
    kept, secret = wall.send(png())
    assert [each.id for each in other.waiting()] == [kept.id]
    other.hang(kept.id)
    assert [each.id for each in wall.wall()] == [kept.id]
    assert wall.version() == other.version()
    with pytest.raises(PermissionError):
        other.take_back(kept.id, "guessed")
    other.take_back(kept.id, secret)
    assert wall.all() == []


def test_an_unchanged_wall_is_not_read_again_and_a_changed_one_is(wall, monkeypatch):
    kept, _ = wall.send(png())
    old = time.time() - 60
    os.utime(wall.folder, (old, old))
    wall.all()
    monkeypatch.setattr(wall, "_read", lambda path: pytest.fail("read again"))
    assert [each.id for each in wall.all()] == [kept.id]
    monkeypatch.undo()
    Gallery(wall.folder).hang(kept.id)  # another server: the folder's time says it
    assert len(wall.wall()) == 1


def test_what_is_damaged_or_half_written_is_passed_over_and_swept_away(wall):
    kept, _ = wall.send(png())
    (wall.folder / "0123456789abcdef.json").write_text('{"name": "no picture"}')
    (wall.folder / "fedcba9876543210.json").write_text("{half")
    orphan, half = wall.folder / "00000000000000aa.png", wall.folder / ".00000000000000ab.png.1234"
    for path in (orphan, half):
        path.write_bytes(png())
        os.utime(path, (1, 1))
    assert [each.id for each in wall.all()] == [kept.id]
    wall.send(png())
    assert not orphan.exists() and not half.exists()


def test_who_is_killed_in_the_middle_loses_nothing_that_was_said_to_be_kept(tmp_path):
    """A process that sends without end is killed at a random moment: every picture that it said was kept is whole."""
    code = (
        "import io, sys\n"
        "from pathlib import Path\n"
        "from PIL import Image\n"
        "from studio.web import wall as gallery\n"
        "gallery.WAITING = gallery.FROM_ONE_PLACE = gallery.QUEUE = 10**6\n"
        "wall, out = gallery.Gallery(Path(sys.argv[1])), io.BytesIO()\n"
        "Image.linear_gradient('L').save(out, 'PNG')\n"
        "while True:\n"
        "    shown, _ = wall.send(out.getvalue())\n"
        "    wall.hang(shown.id)\n"
        "    print(shown.id, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "wall")], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    said = [process.stdout.readline().decode().strip() for _ in range(5)]
    process.kill()
    said += process.stdout.read().decode().split("\n")[:-1]
    process.stdout.close()
    process.wait()
    wall = Gallery(tmp_path / "wall")
    assert set(said) <= {each.id for each in wall.wall()}
    for each in wall.all():
        Image.open(io.BytesIO(wall.path(each).read_bytes())).load()


def test_many_at_once(wall):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda k: wall.send(png((8, 8), seed=k), f"n{k}", sender=f"s{k}")[0].id, range(24)))
        list(pool.map(wall.hang, sent))
    assert sorted(each.id for each in wall.wall()) == sorted(sent)
    assert wall.clear("wall") == 24
    assert wall.all() == []


# ---- over HTTP ------------------------------------------------------------------------------------------------------


def test_a_picture_from_the_student_to_the_wall(student, teacher):
    reply = send(student, name="Mina", gan="pix2pix", tag="tiny")
    assert reply.status_code == 201
    id = reply.json()["id"]
    assert hanging(student) == []
    assert student.get("/api/gallery").json()["waiting"] is None, "the queue is nobody's but the teacher's"
    assert student.get(f"/api/gallery/{id}.png").status_code == 404
    assert student.get("/api/gallery", params={"mine": id}).json()["mine"] == {id: "waits"}
    assert [each["id"] for each in teacher.get("/api/gallery").json()["waiting"]] == [id]
    assert teacher.get(f"/api/gallery/{id}.png").status_code == 200
    assert teacher.post(f"/api/gallery/{id}", json={"hang": True}).status_code == 200
    (line,) = hanging(student)
    assert (line["name"], line["gan"], line["title"], line["width"]) == ("Mina", "pix2pix", "Pix2Pix", 40)
    assert set(line) == {"id", "name", "gan", "tag", "title", "width", "height", "hangs"}, "nothing of who sent it"
    shown = student.get(f"/api/gallery/{id}.png")
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert Image.open(io.BytesIO(shown.content)).size == (40, 30)


def test_a_stranger_can_neither_approve_nor_delete_nor_close(student, lesson):
    sent = send(student).json()
    other = client("another tab", "192.168.0.66")
    path = f"/api/gallery/{sent['id']}"
    attempts = [
        other.post(path, json={"hang": True}),
        student.post(path, json={"hang": True}),
        other.delete(path),
        other.delete(path, headers={"X-Secret": "guess"}),
        other.delete("/api/gallery", params={"what": "all"}),
        other.post("/api/gallery/box", json={"open": False}),
        other.post(path, json={"hang": True}, headers={"Cookie": f"{visitors.COOKIE}={'0' * 64}"}),
    ]
    for reply in attempts:
        assert reply.status_code == 403, reply.text
        assert "teacher" in reply.json()["error"]
    assert student.get("/api/gallery", params={"mine": sent["id"]}).json()["mine"] == {sent["id"]: "waits"}
    assert student.delete(path, headers={"X-Secret": sent["secret"]}).status_code == 200
    assert student.get("/api/gallery", params={"mine": sent["id"]}).json()["mine"] == {sent["id"]: "gone"}


def test_a_page_of_another_site_can_t_act_with_the_teacher_s_cookie(student, teacher):
    id = send(student).json()["id"]
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert teacher.post(f"/api/gallery/{id}", json={"hang": True}, headers=headers).status_code == 403
    assert hanging(teacher) == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b"", "image/png", 400, "not a picture"),
        (b"<script>", "text/html", 415, "Send a picture"),
        (b"<svg/>", "image/svg+xml", 415, "Send a picture"),
        (b"GIF89a", "image/png", 400, "picture"),
        (bomb(5000, 5000), "image/png", 400, "million"),
        (png()[:-40], "image/png", 400, "damaged"),
        (b"x" * (gallery.MOST_BYTES + 1), "image/png", 413, "more than 2 MB"),
    ],
    ids=["nothing", "html", "svg", "gif", "bomb", "cut off", "large"],
)
def test_what_is_no_picture_gets_a_sentence(student, content, kind, status, says):
    reply = student.post("/api/gallery", content=content, headers={"Content-Type": kind})
    assert reply.status_code == status
    assert says in reply.json()["error"]


def test_a_name_with_script_is_text(student, teacher):
    id = send(student, name="<script>alert(1)</script>").json()["id"]
    teacher.post(f"/api/gallery/{id}", json={"hang": True})
    reply = student.get("/api/gallery")
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["pictures"][0]["name"] == "<script>alert(1)</script"[:24]
    code = (PAGES / "parts" / "lesson" / "gallery.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", code)


def test_limits_are_said(student, teacher):
    for _ in range(gallery.WAITING):
        assert send(student).status_code == 201
    reply = send(student)
    assert reply.status_code == 409
    assert "Take one back" in reply.json()["error"]
    assert teacher.post("/api/gallery/box", json={"open": False}).status_code == 200
    assert "closed" in send(client("a third")).json()["error"]
    assert teacher.delete("/api/gallery", params={"what": "waiting"}).json() == {"deleted": 3}
    assert not student.get("/api/gallery").json()["open"]


def test_an_unchanged_wall_costs_nothing(student, teacher):
    id = send(student).json()["id"]
    first = student.get("/api/gallery")
    tag = {"If-None-Match": first.headers["etag"]}
    assert student.get("/api/gallery", headers=tag).status_code == 304
    assert teacher.get("/api/gallery", headers=tag).status_code == 200, "the teacher's is another answer"
    teacher.post(f"/api/gallery/{id}", json={"hang": True})
    assert student.get("/api/gallery", headers=tag).status_code == 200


@pytest.mark.parametrize("id", ["..%2f..%2fclass%2fkey", "0" * 16, "box", "%00", "ABCDEF0123456789"])
def test_only_ids_are_looked_up(teacher, id):
    for reply in (teacher.get(f"/api/gallery/{id}.png"), teacher.delete(f"/api/gallery/{id}")):
        assert reply.status_code in (404, 405), reply.text
        assert KEY not in reply.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/class/key", b"{"), ("/api/class/key", b"[]"), ("/api/class/key", b'{"key": 3}'),
        ("/api/class/qr", b'{"link": "javascript:alert(1)"}'), ("/api/class/qr", b'{"link": "http://a b"}'),
        ("/api/class/qr", b'{"link": "http://[x"}'), ("/api/gallery/box", b'{"open": "no"}'),
        ("/api/class/key", b"[" * 5000), ("/api/class/key", b'{"key": "\\ud800"}'), ("/api/class/qr", b"x" * 20_000),
    ],
)  # fmt: skip
def test_nonsense_gets_a_sentence(teacher, path, body):
    reply = teacher.post(path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= reply.status_code < 500
    assert reply.json()["error"]


def test_without_a_class_there_is_no_wall(home, monkeypatch):
    monkeypatch.delenv("STUDIO_KEY", raising=False)
    student = client("x")
    assert student.get("/api/gallery").status_code == 404
    assert send(student).status_code == 404
    assert student.get("/api/class").json()["classroom"] is False
    assert not (home / "gallery").exists()


# ---- who is who -----------------------------------------------------------------------------------------------------


def test_the_key_opens_and_a_wrong_one_does_not(lesson):
    somebody = client("x")
    assert somebody.get("/api/class").json()["teacher"] is False
    assert somebody.post("/api/class/key", json={"key": KEY[:-1] + "x"}).status_code == 403
    reply = somebody.post("/api/class/key", json={"key": f" {KEY.upper()} "})
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert KEY not in cookie, "who reads a browser's cookies does not learn the key"
    assert somebody.get("/api/class").json()["teacher"] is True
    somebody.delete("/api/class/key")
    assert somebody.get("/api/class").json()["teacher"] is False


def test_keys_can_t_be_tried_without_end(lesson):
    somebody = client("x")
    replies = [somebody.post("/api/class/key", json={"key": f"{k}"}).status_code for k in range(12)]
    assert replies == [403] * 10 + [429] * 2
    assert somebody.post("/api/class/key", json={"key": KEY}).status_code == 429
    assert client("y", "192.168.0.77").post("/api/class/key", json={"key": KEY}).status_code == 200


@pytest.mark.parametrize(
    ("client", "headers", "expected"),
    [
        ("127.0.0.1", {"Host": "localhost:8501"}, "here"),
        ("::1", {"host": "[::1]:8501"}, "here"),
        ("127.0.0.1", {"host": "evil.example:8501"}, ""),  # DNS rebinding: a page's own name that means this machine
        ("127.0.0.1", {"host": "localhost", "X-Forwarded-For": "8.8.8.8"}, ""),  # a proxy on this machine
        ("192.168.0.4", {"host": "localhost:8501"}, ""),
        ("127.0.0.1", {}, ""),
        ("127.0.0.1", {"host": "[x"}, ""),
        (None, {"host": "localhost"}, ""),
    ],
)
def test_who_sits_at_this_machine(client, headers, expected, lesson):
    assert visitors.standing(client, headers, {}) == expected


def test_nobody_is_a_teacher_where_there_is_no_class(monkeypatch):
    monkeypatch.delenv("STUDIO_KEY", raising=False)
    assert visitors.standing("127.0.0.1", {"host": "localhost"}, {visitors.COOKIE: ""}) == ""
    assert visitors.pass_for("") is None


def test_the_key_is_kept_and_only_its_owner_can_read_it(home):
    key = visitors.kept_key()
    assert re.fullmatch(r"([2-9a-z]{4}-){3}[2-9a-z]{4}", key)
    assert visitors.kept_key() == key, "a server that comes back knows its teacher"
    path = home / "class" / "key"
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
    assert visitors.kept_key(anew=True) != key


def test_the_teacher_may_train_and_others_what_the_setting_says(lesson, monkeypatch):
    monkeypatch.setenv("STUDIO_TRAIN", "off")
    assert limits.limits().off
    with limits.granted("key"):
        assert not limits.limits().off
        assert limits.limits().public, "no folder of this machine is opened from the network"
    with limits.granted("here"):
        assert limits.limits() == limits.Limits()
    assert limits.limits().off
    monkeypatch.setenv("STUDIO_TRAIN", "on")
    assert limits.limits().public, "in a classroom strangers open no folder, whatever they may train"


def test_rates_count_tabs_first_and_a_class_behind_one_address_passes(monkeypatch, home):
    monkeypatch.setenv("STUDIO_RATE", "viewer=2 address=100")
    visitors._rates.clear()
    tab = client("one")
    replies = [tab.get("/api/class") for _ in range(8)]
    assert [reply.status_code for reply in replies] == [200] * 6 + [429] * 2
    assert replies[-1].headers["retry-after"] == "1"
    assert "in a moment" in replies[-1].json()["error"]
    for k in range(40):  # forty others with the same address
        assert client(f"tab-{k}").get("/api/class").status_code == 200
    monkeypatch.setenv("STUDIO_RATE", "viewer=100 address=3")
    assert [client(f"t{k}").get("/api/class").status_code for k in range(12)].count(200) == 9
    assert client("t", "10.1.2.3").get("/api/class").status_code == 200
    monkeypatch.setenv("STUDIO_RATE", "viewers=3")
    with pytest.raises(ValueError, match="can't be read at 'viewers=3'"):
        visitors.rates()


def test_one_machine_with_many_ipv6_addresses_is_one():
    assert visitors.network("2001:db8::1") == visitors.network("2001:db8::ffff:2")
    assert visitors.network("2001:db8:0:1::1") != visitors.network("2001:db8::1")
    assert visitors.network("::ffff:10.0.0.1") == "10.0.0.1"
    assert visitors.network("testclient") == "?"


# ---- QR codes -------------------------------------------------------------------------------------------------------


def read(svg: bytes) -> str:
    """What a QR code says, read off its drawn modules by OpenCV."""
    text = svg.decode()
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', text)[1])
    board, (x, y) = np.full((side, side), 255, np.uint8), (0.0, 0.0)
    for kind, numbers in re.findall(
        r"([Mmh])(-?[\d.]+(?:[ ,]-?[\d.]+|-[\d.]+)*)", re.search(r'stroke="#12131a" d="([^"]+)"', text)[1]
    ):
        values = [float(v) for v in re.findall(r"-?[\d.]+", numbers)]
        if kind == "h":
            board[int(y), int(x) : int(x + values[0])] = 0
            x += values[0]
        else:
            x, y = values if kind == "M" else (x + values[0], y + values[1])
    large = cv2.resize(board, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return cv2.QRCodeDetector().detectAndDecode(large)[0]


@pytest.mark.parametrize(
    "link",
    [
        "http://192.168.0.9:8501/pix2pix?tag=edges2shoes&seed=7&lang=ko&hide=menu,upload",
        "http://192.168.0.9:8501/pix2pix?tag=tiny#drawing=" + "Az09_-" * 70,
        "http://교실.local:8501/gallery",
    ],
    ids=["a lesson", "with a drawing", "a name in Korean"],
)
def test_a_code_says_its_link(student, link):
    reply = student.post("/api/class/qr", json={"link": link})
    assert reply.headers["content-type"].startswith("image/svg+xml")
    assert read(reply.content) == link
    assert b"<script" not in reply.content


def test_a_link_that_is_too_long_is_refused(student):
    reply = student.post("/api/class/qr", json={"link": "http://x/" + "a" * 1200})
    assert reply.status_code == 413
    assert "1209 characters" in reply.json()["error"]


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_wall_is_in_the_menu_only_where_there_is_a_class(lang, tiny, monkeypatch):
    name = words.said(words.book("studio")["menu"]["gallery"]) if lang == "en" else "우리 반 벽"
    monkeypatch.delenv("STUDIO_KEY", raising=False)
    assert name not in [link.proto.label for link in shown(None, lang=lang).get("page_link")]
    monkeypatch.setenv("STUDIO_KEY", KEY)
    assert name in [link.proto.label for link in shown(None, lang=lang).get("page_link")]
    test = shown("gallery", lang=lang)
    data = components(test)
    assert bool(HANGUL.search(data["gallery"]["words"]["title"])) == (lang == "ko")


def components(test) -> dict[str, dict]:
    """What the page gives its components, by their names."""
    found = {}
    for element in test.get("bidi_component"):
        proto = element.proto
        found[proto.component_name.removeprefix("studio_")] = json.loads(proto.json) if proto.json else {}
    return found


def test_showing_to_the_class_is_offered_only_where_there_is_one(tiny, monkeypatch):
    monkeypatch.delenv("STUDIO_KEY", raising=False)
    assert components(shown("pix2pix", tag="tiny"))["live"]["pin"] is None
    monkeypatch.setenv("STUDIO_KEY", KEY)
    assert components(shown("pix2pix", tag="tiny"))["live"]["pin"]["button"] == "Show to the class"
    assert components(shown("pix2pix", tag="tiny", hide="pin"))["live"]["pin"] is None


def test_a_lesson_link_is_offered_on_every_page_and_can_be_hidden(tiny):
    for page in (None, "pix2pix", "gated_gan", "train"):
        assert "lesson" in components(shown(page)), page
    assert components(shown("stargan", tag="tiny"))["lesson"]["tag"] == "tiny"
    assert "lesson" not in components(shown("pix2pix", hide="menu"))


@pytest.mark.parametrize(("script", "section"), [("lesson.js", "share"), ("pin.js", "pin"), ("gallery.js", "wall")])
def test_every_word_that_these_scripts_say_exists(script, section):
    code = (PAGES / "parts" / "lesson" / script).read_text(encoding="utf-8")
    there = words.book("lesson")[section]
    asked = set(re.findall(r"\bwords\.(\w+)", code)) | set(re.findall(r'say\("([a-zA-Z]+)"', code))
    assert len(asked) > 8, "the pattern finds them"
    assert asked <= set(there)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)\w", code), "nobody outside is asked"
