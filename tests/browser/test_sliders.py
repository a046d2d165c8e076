"""The sliders in a real Chromium against the real server: pictures while one is dragged, settings in the address."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from test_browser import HANGUL, TITLES, Visitor

PAGE = "/gated_gan?tag=tiny"


class Guest(Visitor):
    """A visitor of a page with sliders."""

    def go(self, path: str):
        self.page.goto(self.server + path)
        if "/gated_gan" in path and "tab=" not in path:
            self.painted()

    def painted(self, size: int | None = None):
        """Waits until the newest settings' picture is there, in this size if one is given."""
        frame = ".frame[data-state=picture]" + (f"[data-size='{size}']" if size else "")
        self.page.locator(f"{frame} .after[src]").wait_for()
        self.settle()

    def slider(self, key: str):
        return self.page.locator(f"[id='slider-gated_gan-{key}']")

    def shown(self) -> np.ndarray:
        """The result as it is downloaded."""
        return np.asarray(Image.open(io.BytesIO(self.saved("Download"))).convert("RGB"), np.int16)


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str = PAGE, **context) -> Guest:
        visitors.append(Guest(browser, server, path, **context))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def test_pictures_come_while_a_slider_is_dragged_then_the_chosen_size(visit):
    visitor = visit(f"{PAGE}&gates=waves:0")
    page, seen = visitor.page, set()
    asked = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/stylize") else None)
    box = visitor.slider("brush").bounding_box()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    for k in range(40):
        page.mouse.move(box["x"] + 12 + k * (box["width"] - 24) / 40, box["y"] + box["height"] / 2)
        page.wait_for_timeout(30)
        seen.add((page.locator(".frame").get_attribute("data-revision"), page.locator(".after").get_attribute("src")))
    assert len(seen) >= 4, "new pictures before the button is up"
    page.mouse.up()
    visitor.painted(512)
    assert len(asked) <= 44, "one at a time: no backlog"
    assert 0.8 < float(page.locator(".sum").get_attribute("data-sum")) <= 1
    page.wait_for_url(re.compile(r"gates=waves:0,brush:0\.\d+"))


def test_settings_are_in_the_address_and_a_link_hands_them_over(visit, server):
    visitor = visit(f"{PAGE}&gates=waves:0.3,hatching:0.9&stroke=2&size=256")
    page = visitor.page
    visitor.painted(256)
    assert visitor.slider("hatching").input_value() == "0.9"
    assert visitor.slider("stroke").input_value() == "2"
    assert "Sum 1.20: scaled down to 1." in page.locator(".sum").inner_text()
    first = visitor.shown()
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied").wait_for()
    other = visit(page.evaluate("navigator.clipboard.readText()").removeprefix(server))
    other.painted(256)
    assert np.array_equal(other.shown(), first)
    page.get_by_role("button", name="Brush", exact=True).click()  # one click: the pure style
    visitor.painted(256)
    assert visitor.slider("brush").input_value() == "1"
    assert visitor.slider("waves").input_value() == visitor.slider("hatching").input_value() == "0"
    assert not np.array_equal(visitor.shown(), first)
    visitor.slider("brush").focus()  # and by the keyboard
    page.keyboard.press("ArrowLeft")
    assert visitor.slider("brush").input_value() == "0.99"
    page.get_by_role("button", name="Reset").click()
    page.wait_for_url(lambda url: "gates" not in url and "stroke" not in url)


def test_an_upload_keeps_its_shape_and_can_be_compared_and_seen_in_every_style(visit):
    visitor = visit()
    page = visitor.page
    buffer = io.BytesIO()
    upright = Image.radial_gradient("L").resize((300, 200)).convert("RGB")
    exif = upright.getexif()
    exif[0x0112] = 6  # held upright
    upright.save(buffer, "JPEG", exif=exif)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    )
    expect(page.locator(".after")).to_have_js_property("naturalWidth", 341)  # after the draft
    assert visitor.shown().shape[:2] == (512, 341)
    before = page.locator(".frame").evaluate("(frame) => frame.style.getPropertyValue('--split')")
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 5, box["y"] + 40, steps=3)
    page.mouse.up()
    after = page.locator(".frame").evaluate("(frame) => frame.style.getPropertyValue('--split')")
    assert (before, round(float(after[:-1]))) == ("50%", 20)
    page.get_by_role("button", name="All at once").click()
    page.locator(".sheet[src]").wait_for()
    assert "the photo, Photo itself, Waves, Brush, Hatching" in page.locator(".caption").inner_text()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "notes.txt", "mimeType": "image/png", "buffer": b"no picture at all"}
    )
    visitor.quiet = True  # the server's 400 is in the console
    page.get_by_text("can't be read as a picture").wait_for()


def test_nothing_is_taken_away_before_it_has_come(visit):
    visitor = visit()
    page, held = visitor.page, []
    save = page.get_by_role("button", name="Download", exact=True)
    page.route("**/stylize", lambda route: held.append(route))
    page.locator("input[type=file]").first.set_input_files("checkpoints/pix2pix/edges2shoes/sneaker.png")
    expect(save).to_be_disabled()
    visitor.until(lambda: held)
    for route in held:
        route.continue_()
    page.unroute("**/stylize")
    expect(save).to_be_enabled()
    assert visitor.shown().shape[:2] in [(256, 256), (512, 512)], "the new one's: the example's is no square"


def test_a_new_photo_is_not_taken_for_the_one_whose_picture_just_comes(visit):
    visitor = visit()
    page, held = visitor.page, []
    visitor.painted(512)

    def hold(route):
        draft = b'name="size"\r\n\r\n512' not in (route.request.post_data_buffer or b"")
        route.continue_() if draft else held.append(route)

    page.route("**/stylize", hold)
    visitor.slider("waves").fill("0.4")
    visitor.until(lambda: held)
    page.evaluate("""() => { // the new photo takes a moment to be read …
        const toBlob = HTMLCanvasElement.prototype.toBlob;
        HTMLCanvasElement.prototype.toBlob = function (...asked) { setTimeout(() => toBlob.apply(this, asked), 1500); };
    }""")
    page.locator("input[type=file]").first.set_input_files("checkpoints/pix2pix/edges2shoes/sneaker.png")
    expect(page.locator(".frame")).to_have_class(re.compile("fresh"))
    for route in held:  # … and in it the old one's picture comes
        route.continue_()
    page.unroute("**/stylize")
    expect(page.locator(".after")).to_have_js_property("naturalHeight", 512)
    assert visitor.shown().shape[:2] == (512, 512)


def test_a_large_picture_shows_how_far_it_is(visit):
    visitor = visit(f"{PAGE}&size=256")
    page = visitor.page

    def slowly(route):  # as a slow machine says: its pace tells how long a large picture will take
        answer = route.fetch()
        route.fulfill(response=answer, headers=answer.headers | {"x-milliseconds": "900"})

    page.route("**/stylize", slowly)
    page.locator("select[id='slider-gated_gan-size']").select_option("2048")
    page.locator(".wait progress:visible").wait_for()
    assert "2048 px: about" in page.locator(".left-time").inner_text()
    visitor.painted(2048)
    assert not page.locator(".wait progress").is_visible()
    assert visitor.shown().shape[:2] == (1365, 2048)


def test_a_picture_goes_to_another_page_and_comes_back(visit):
    visitor = visit(f"{PAGE}&size=256")
    page = visitor.page
    visitor.painted(256)
    page.get_by_role("button", name="Send to Pix2Pix").click()
    page.wait_for_url("**/pix2pix**")
    page.locator(".live .guess button[aria-pressed=true]").wait_for()  # it was read there
    visitor.picture()
    page.get_by_role("button", name="Send to Gated-GAN").click()
    page.wait_for_url("**/gated_gan**")
    visitor.painted(512)
    shape = visitor.shown().shape[:2]
    assert shape == (512, 512), "the square that pix2pix made, not the example"


def test_a_refusal_is_a_sentence_and_the_next_picture_takes_its_place(visit):
    visitor = visit()
    visitor.quiet = True
    page = visitor.page
    says = '{"error": "Ask for less."}'
    page.route("**/stylize", lambda route: route.fulfill(status=400, body=says, content_type="application/json"))
    visitor.slider("waves").fill("0.4")
    page.get_by_text("Ask for less.").wait_for()
    page.unroute("**/stylize")
    visitor.slider("waves").fill("0.5")
    visitor.painted()


def test_looking_inside_shows_the_picture_of_play(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Look inside").click()
    page.locator(".maps figure").nth(3).wait_for()
    assert page.get_by_text("moves the code by").count() == 3
    assert "of 255 levels" in page.get_by_text("They differ by").inner_text()
    page.locator("#gates-count").fill("10")
    assert "113,781,790" in page.locator(".bars").inner_text()  # ten CycleGAN generators
    assert "18,459,139" in page.locator(".bars").inner_text()  # the paper's network for ten styles
    first = page.locator("figure:has-text('Made of noise') img").get_attribute("src")
    page.get_by_role("button", name="New noise").click()
    page.get_by_text("seed 2").wait_for()
    visitor.until(lambda: page.locator("figure:has-text('Made of noise') img").get_attribute("src") != first)


def test_korean_on_a_phone(visit):
    visitor = visit(f"{PAGE}&lang=ko", viewport={"width": 390, "height": 844}, has_touch=True)
    page = visitor.page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = [each for each in page.locator(".sliders button:visible").all_inner_texts() if each.strip()]
    assert len(words) > 6
    own = [each for each in words if each.startswith("Style ") or each in TITLES]  # names of gates and GANs
    assert not [each for each in words if not HANGUL.search(each) and each not in own]
    assert [each for each in own if each in TITLES] == ["Pix2Pix", "StarGAN"], "whereto, without a mouse to hover"
    frame = page.locator(".frame").bounding_box()
    page.locator(".tools").scroll_into_view_if_needed()
    assert page.locator(".frame").bounding_box()["y"] >= 0, "the picture stays in sight above the sliders"
    assert frame["width"] <= 390


def test_what_a_teacher_hides_is_not_there(visit):
    page = visit(f"{PAGE}&hide=menu,upload,presets,views,look,train,read,send").page
    for gone in (".upload", ".presets", ".views"):
        assert not page.locator(gone).is_visible()
    assert page.get_by_role("tab").count() == 1
