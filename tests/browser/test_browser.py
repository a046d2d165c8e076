"""The studio in a real Chromium against the real server: what a visitor does, and what they must never see."""

from __future__ import annotations

import io
import json
import math
import re
import time
import urllib.request
import uuid

import numpy as np
import pytest
from patience import PATIENCE, until
from PIL import Image
from playwright.sync_api import expect

from studio import registry

TAG = "tiny"
TITLES = [registry.gan(name).about.title for name in registry.names()]
HANGUL = re.compile("[가-힣]")
# Streamlit looks for itself below the page's own address first; that these two are not there is its normal course.
PROBES = ("/_stcore/health", "/_stcore/host-config")


class Visitor:
    """One visitor's page, with everything that went wrong on it."""

    def __init__(self, browser, server: str, path: str = f"/pix2pix?tag={TAG}", **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"} | context)
        self.page, self.server = self.context.new_page(), server
        self.page.set_default_timeout(1000 * PATIENCE)  # of a busy machine
        self.wrong: list[str] = []
        self.quiet = False  # while a test breaks the network on purpose
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)
        self.go(path)

    def _heard(self, message):
        expected = self.quiet or message.location.get("url", "").endswith(PROBES)
        if message.type == "error" and not expected:
            self.wrong.append(f"console {message.text} {message.location}")

    def _asked(self, request):
        if not request.url.startswith((self.server, "blob:", "data:")):
            self.wrong.append(f"outside {request.url}")

    def go(self, path: str):
        self.page.goto(self.server + path)
        if "/pix2pix" in path:
            self.canvas.wait_for(state="hidden" if "tab=" in path else "visible")

    @property
    def canvas(self):
        return self.page.locator(".painter-canvas")

    def at(self, u: float, v: float) -> tuple[float, float]:
        box = self.canvas.bounding_box()
        return box["x"] + u * box["width"], box["y"] + v * box["height"]

    def stroke(self, *points: tuple[float, float], steps: int = 6):
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=steps)
        self.page.mouse.up()

    def picture(self):
        """Waits until the newest drawing's picture is there and nothing is on its way."""
        self.page.locator(".frame[data-state=picture] img").wait_for()
        self.settle()

    def settle(self):
        newest = "(frame) => frame.dataset.revision === frame.dataset.asked"
        self.until(lambda: self.page.locator(".frame").evaluate(newest))

    def until(self, true):
        """Waits until something is so, while the browser goes on."""
        until(true, wait=lambda: self.page.wait_for_timeout(40))

    def rest(self):
        """Waits until Streamlit has run the page to its end."""
        self.page.wait_for_timeout(600)
        self.page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
        self.page.wait_for_timeout(200)

    def drawing(self) -> str:
        """The drawing as this browser keeps it."""
        return self.page.evaluate("localStorage.getItem('gan-studio/pix2pix/sketch')") or ""

    def saved(self, name: str) -> bytes:
        """What the button of that name downloads."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=name, exact=True).click()
        return download.value.path().read_bytes()

    def english(self, part: str) -> list[str]:
        """What a part says, or tells a screen reader, without Korean; names and facts stay as they are everywhere."""
        said = self.page.locator(part).evaluate("""(box) => {
            const own = (e) => (e.children.length || e.tagName === 'STYLE' ? '' : e.textContent);
            return [...box.querySelectorAll('*')].flatMap((e) => [e.getAttribute('aria-label'), e.title, e.alt, own(e)])
                .filter((text) => text && /[A-Za-z]{2}/.test(text));
        }""")
        assert said
        facts = re.compile(r"[\d.]+ ms · \w+ · 32 px · (고속|정밀)|kbd|" + "|".join(map(re.escape, TITLES)))
        return [text for text in said if not HANGUL.search(text) and not facts.fullmatch(text)]

    def leave(self):
        self.context.close()
        assert not self.wrong


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str = f"/pix2pix?tag={TAG}", **context) -> Visitor:
        visitors.append(Visitor(browser, server, path, **context))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def ask(server: str, verb: str, **fields: bytes | str) -> bytes:
    """The same question as the page's, asked by itself."""
    edge, body = uuid.uuid4().hex, b""
    for name, value in fields.items():
        file = b'; filename="x.png"' if isinstance(value, bytes) else b""
        content = value if isinstance(value, bytes) else value.encode()
        body += b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (
            edge.encode(),
            name.encode(),
            file,
            content,
        )
    request = urllib.request.Request(
        f"{server}/api/pix2pix/{verb}",
        body + f"--{edge}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={edge}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return response.read()


def test_the_first_visit_leads_to_a_drawing_in_one_click(visit):
    visitor = visit("/")
    visitor.page.locator(".made img").wait_for()  # the welcome draws by itself
    visitor.page.get_by_role("button", name="Draw a shoe").click()
    visitor.canvas.wait_for()
    assert "/pix2pix" in visitor.page.url
    visitor.stroke((0.2, 0.3), (0.8, 0.7))
    visitor.picture()


def test_the_picture_follows_the_pen_and_the_last_drawing_wins(visit, server):
    visitor = visit()
    page = visitor.page
    assert "appears here" in page.locator(".sentence").inner_text()
    visitor.stroke((0.1, 0.1), (0.2, 0.1))
    visitor.picture()
    page.locator(".frame").evaluate("""(frame) => {
        window.seen = new Set();
        const look = () => { const picture = frame.querySelector('img'); if (picture) window.seen.add(picture.src); };
        new MutationObserver(look).observe(frame, { childList: true });
    }""")
    page.mouse.move(*visitor.at(0.5, 0.2))
    page.mouse.down()
    turns, paces = 0, []
    while max(paces, default=0) < 2 and len(paces) < 5:  # several a second; a busy machine gets some tries
        before, began = page.evaluate("window.seen.size"), time.monotonic()
        while time.monotonic() - began < 3:
            turns += 1
            page.mouse.move(*visitor.at(0.5 + 0.3 * math.sin(turns / 9), 0.5 - 0.3 * math.cos(turns / 11)))
        paces.append((page.evaluate("window.seen.size") - before) / 3)
    page.mouse.up()
    print(f"\n{max(paces):.1f} pictures a second while the pen was down ({page.locator('.badge').inner_text()})")
    assert max(paces) >= 2, paces
    visitor.settle()
    drawing, picture = visitor.saved("Drawing"), visitor.saved("Picture")
    shown, expected = (
        np.asarray(Image.open(io.BytesIO(p)).convert("RGB"), int)
        for p in (picture, ask(server, "translate", sketch=drawing, tag=TAG))
    )
    assert np.abs(shown - expected).max() <= 2, "the picture on screen is of the drawing on screen"
    assert re.fullmatch(r"[\d.]+ ms · \w+ · 32 px · (fast|exact)", page.locator(".badge").inner_text())


def test_a_slow_network_means_fewer_pictures_and_no_backlog(visit):
    visitor = visit()
    flying, most, asked = 0, 0, 0

    def slow(route):
        nonlocal flying, most, asked
        flying, asked = flying + 1, asked + 1
        most = max(most, flying)
        visitor.page.wait_for_timeout(300)
        flying -= 1
        route.continue_()

    visitor.page.route("**/translate", slow)
    visitor.stroke(*[(0.1 + 0.02 * k, 0.5 + 0.3 * (-1) ** k) for k in range(40)], steps=2)
    visitor.picture()
    visitor.page.unroute("**/translate")
    assert most == 1
    assert asked < 25


def test_the_drawing_outlives_a_reload_the_language_and_the_tabs(visit):
    visitor = visit()
    page = visitor.page
    visitor.stroke((0.2, 0.2), (0.8, 0.3))
    visitor.stroke((0.2, 0.7), (0.8, 0.8))
    visitor.picture()
    both = visitor.drawing()
    page.get_by_text("한국어").click()
    page.get_by_role("button", name="실행 취소").wait_for()
    assert "lang=ko" in page.url
    assert f"tag={TAG}" in page.url
    assert visitor.drawing() == both
    page.get_by_role("tab", name="속 들여다보기").click()
    page.locator(".readout strong").wait_for()
    page.get_by_role("tab", name="그려 보기").click()
    page.get_by_role("button", name="실행 취소").click()  # the history is still there
    assert visitor.drawing() not in (both, "")
    page.get_by_role("button", name="다시 실행").click()
    assert visitor.drawing() == both
    page.reload()
    visitor.picture()
    assert visitor.drawing() == both


def test_korean_has_no_english_left(visit):
    visitor = visit(f"/pix2pix?tag={TAG}&lang=ko")
    visitor.stroke((0.2, 0.2), (0.8, 0.3))
    visitor.picture()
    assert visitor.page.evaluate("document.documentElement.lang") == "ko"
    assert not visitor.english(".live")


@pytest.mark.parametrize(
    "path", ["/", f"/pix2pix?tag={TAG}", f"/pix2pix?tag={TAG}&tab=look&lang=ko", f"/pix2pix?tag={TAG}&tab=read"]
)
def test_a_phone_in_portrait_has_nothing_beside_the_page(visit, path):
    visitor = visit(path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2)
    page = visitor.page
    page.wait_for_timeout(1500)
    wide = page.evaluate("""() => { const main = document.querySelector('[data-testid=stMain]');
        return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth]; }""")
    assert max(wide) <= 0
    if path.endswith(TAG):
        page.touchscreen.tap(*visitor.at(0.5, 0.5))
        visitor.picture()
        frame, canvas = page.locator(".frame").bounding_box(), visitor.canvas.bounding_box()
        assert frame["y"] + frame["height"] <= canvas["y"], "the picture is above the canvas"
        page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 250)")
        page.wait_for_timeout(300)
        assert page.locator(".frame").bounding_box()["y"] >= 0, "and stays in sight"


def test_drawing_with_the_keyboard_alone(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Play").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.locator(".painter-stage:focus").count():
            break
    else:
        raise AssertionError("Tab does not lead to the canvas")
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Space")
    visitor.picture()
    assert visitor.drawing()


def test_examples_are_one_undo_away_from_what_was_there(visit):
    visitor = visit()
    visitor.stroke((0.3, 0.3), (0.6, 0.4))
    visitor.picture()
    mine = visitor.drawing()
    visitor.page.get_by_role("button", name="Example 1").click()
    visitor.page.wait_for_function("(mine) => localStorage.getItem('gan-studio/pix2pix/sketch') !== mine", arg=mine)
    visitor.picture()
    visitor.page.get_by_role("button", name="Undo").click()
    assert visitor.drawing() == mine


def test_colouring_in_fills_what_a_hand_would_call_closed(visit):
    visitor = visit()
    visitor.page.get_by_role("button", name="Colour it in").wait_for(state="visible")
    visitor.stroke((0.1, 0.1), (0.2, 0.1))
    visitor.page.get_by_role("button", name="Colour it in").click()
    expect(visitor.page.locator(".note")).to_contain_text("draw an outline that closes")
    visitor.stroke((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.315))  # a gap of three pixels
    visitor.picture()
    drawn = np.asarray(Image.open(io.BytesIO(visitor.saved("Drawing"))))
    mine = visitor.drawing()
    visitor.page.get_by_role("button", name="Colour it in").click()
    visitor.picture()
    coloured = np.asarray(Image.open(io.BytesIO(visitor.saved("Drawing"))))
    assert len(np.unique(coloured[90:170, 90:170].reshape(-1, 3), axis=0)) == 1  # one colour, up to the line
    assert (coloured[90, 90] != 255).any()
    assert (coloured[:60] == drawn[:60]).all()  # nothing outside
    assert ((drawn == 0).all(axis=2) == (coloured == 0).all(axis=2)).all()  # the ink is as it was
    visitor.page.get_by_role("button", name="Undo").click()
    assert visitor.drawing() == mine


def photo() -> bytes:
    """A dark ball with shading on a grey table."""
    y, x = np.mgrid[0:300, 0:400]
    ball = (x - 190) ** 2 + (y - 150) ** 2 < 90**2
    shade = 190 - 0.5 * np.hypot(x - 150, y - 110)
    table = 205 - 0.05 * y
    picture = np.stack([np.where(ball, shade * part, table) for part in (1, 0.6, 0.3)], axis=-1)
    return _png(Image.fromarray(picture.clip(0, 255).astype(np.uint8)), "JPEG")


def paper() -> bytes:
    """A pencil drawing photographed in bad light."""
    y, x = np.mgrid[0:300, 0:400]
    light = 225 - 0.12 * x - 0.06 * y
    line = np.abs(np.hypot(x - 200, y - 150) - 90) < 2.5
    return _png(Image.fromarray(np.where(line, light * 0.35, light).astype(np.uint8)).convert("RGB"), "PNG")


def _png(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def test_uploads(visit):
    visitor = visit()
    page, before = visitor.page, ""
    upload = page.locator(".upload input[type=file]").first
    for name, kind, content in (("photo.jpg", "photo", photo()), ("paper.png", "sketch", paper())):
        upload.set_input_files({"name": name, "mimeType": "image/*", "buffer": content})
        page.locator(f".guess button[value={kind}][aria-pressed=true]").wait_for()
        visitor.picture()
        assert visitor.drawing() not in (before, "")
        before = visitor.drawing()
    page.locator(".guess button[value=photo]").click()  # the guess can be turned round
    page.locator(".guess button[value=photo][aria-pressed=true]").wait_for()
    assert visitor.drawing() != before
    before = visitor.drawing()
    visitor.quiet = True  # the browser notes the server's refusal
    upload.set_input_files({"name": "junk.png", "mimeType": "image/png", "buffer": b"this is not a picture" * 50})
    page.locator(".note.wrong").wait_for()
    assert page.locator(".note").inner_text() == "This file can't be read as a picture. Use a PNG, JPEG or WebP file."
    assert visitor.drawing() == before, "the drawing is still there"


def test_when_the_studio_is_away_the_drawing_is_safe_and_the_picture_comes_back(visit):
    visitor = visit()
    visitor.stroke((0.2, 0.2), (0.8, 0.3))
    visitor.picture()
    visitor.quiet = True
    visitor.page.route("**/translate", lambda route: route.abort())
    visitor.stroke((0.2, 0.7), (0.8, 0.8))
    visitor.page.locator(".frame[data-state=trouble]").wait_for()
    assert "Your drawing is safe" in visitor.page.locator(".sentence").inner_text()
    kept = visitor.drawing()
    visitor.page.unroute("**/translate")
    visitor.picture()
    assert visitor.drawing() == kept


def test_a_refusal_is_a_sentence_in_the_picture_s_place(visit):
    visitor = visit()
    visitor.quiet = True
    sentence = "This checkpoint has gone on holiday."
    visitor.page.route(
        "**/translate",
        lambda route: route.fulfill(status=400, content_type="application/json", body=json.dumps({"error": sentence})),
    )
    visitor.stroke((0.2, 0.2), (0.8, 0.3))
    visitor.page.get_by_text(sentence).wait_for()
    visitor.page.unroute("**/translate")
    visitor.stroke((0.2, 0.4), (0.8, 0.5))
    visitor.picture()


def test_noise_lives_in_the_address_and_a_link_hands_everything_over(visit, server):
    visitor = visit()
    page = visitor.page
    visitor.stroke((0.2, 0.2), (0.8, 0.3), (0.5, 0.8))
    visitor.picture()
    plain = visitor.saved("Picture")
    page.get_by_role("switch", name="Noise z").click()
    page.get_by_role("spinbutton").fill("7")
    page.get_by_role("spinbutton").press("Enter")
    page.wait_for_url(re.compile(r"seed=7\b"))
    visitor.rest()
    visitor.picture()
    noisy = visitor.saved("Picture")
    assert noisy != plain
    page.get_by_role("button", name="Roll a new seed").click()
    page.wait_for_url(re.compile(r"seed=(?!7\b)"))  # any but 7, which is one in 9,999
    visitor.rest()  # or Streamlit's run of the last click may put its seed back
    page.go_back()
    page.wait_for_url(re.compile(r"seed=7\b"))
    visitor.picture()
    expect(page.get_by_role("spinbutton")).to_have_value("7")
    visitor.settle()
    assert visitor.saved("Picture") == noisy
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    other = visit(link.removeprefix(server))
    other.picture()
    assert other.drawing() == visitor.drawing()
    assert other.saved("Picture") == noisy
    assert "drawing=" not in other.page.url


def test_looking_inside(visit):
    visitor = visit(f"/pix2pix?tag={TAG}&tab=look")
    page = visitor.page
    page.locator(".readout strong").wait_for()
    assert "first example" in page.locator(".stand-in:visible").inner_text()
    page.locator(".three img").nth(2).wait_for()
    assert "of 255" in page.get_by_text("levels on average").inner_text()
    box = page.locator(".picture").bounding_box()
    places = []
    for share in (0.1, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        places.append(
            (page.locator(".field").get_attribute("style"), page.get_by_text(re.compile("^row ")).inner_text())
        )
    assert places[0] != places[1]
    page.locator(".picture").focus()
    page.keyboard.press("ArrowUp")
    assert page.get_by_text(re.compile("^row ")).inner_text() != places[1][1]
    page.get_by_role("button", name="286").click()
    assert "receptive field of 286" in page.locator(".says").inner_text()


def test_what_a_teacher_hides_is_not_there(visit):
    visitor = visit(f"/pix2pix?tag={TAG}&hide=menu,examples,upload,noise,look,train,read,fill")
    page = visitor.page
    for gone in (".examples", ".upload", ".noise"):
        assert not page.locator(gone).is_visible()
    assert page.get_by_role("tab").count() == 1
    assert not page.get_by_role("button", name="Fill an area").count()
    visitor.stroke((0.2, 0.2), (0.8, 0.3))
    visitor.picture()
