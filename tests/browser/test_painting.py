"""Painting landscapes in a real Chromium: with a real mouse, and what arrives is checked id by id."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from test_browser import Visitor

from studio.labels import open_map, palette, sampled
from studio.toys.landscapes import CLASSES, COLOURS, landscape

TAG = "tiny"
LISTED = [{"id": k, "name": n, "colour": c} for k, (n, c) in enumerate(zip(CLASSES, COLOURS, strict=True))]
SKY, WATER, GRASS, UNKNOWN = 0, 3, 4, 255


class Painter(Visitor):
    def go(self, path: str):
        super().go(path)
        self.canvas.wait_for(state="hidden" if "tab=" in path else "visible")

    def ids(self) -> np.ndarray:
        """The label map that the page gives away, as numbers."""
        picture = Image.open(io.BytesIO(self.saved("Label map")))
        assert picture.mode == "L"
        return np.asarray(picture)

    def choose(self, name: str):
        self.page.get_by_role("radio", name=name, exact=False).click()

    def tool(self, name: str):
        self.page.get_by_role("button", name=name).first.click()

    def bring(self, content: bytes, kind: str = "image/png"):
        self.page.locator(".upload input[type=file]").first.set_input_files(
            {"name": "map.png", "mimeType": kind, "buffer": content}
        )
        expect(self.page.locator(".note")).not_to_have_text(re.compile("Reading|^$"))


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str = f"/spade?tag={TAG}", **context) -> Painter:
        visitors.append(Painter(browser, server, path, **context))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def encoded(array: np.ndarray, kind: str = "PNG", **how) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **how)
    return buffer.getvalue()


def test_what_the_mouse_paints_arrives_id_by_id(visit):
    visitor = visit()
    visitor.picture()  # it begins with a template, so there is a picture at once
    visitor.tool("Start over")
    visitor.picture()
    assert (visitor.ids() == UNKNOWN).all(), "nothing is painted: no pixel has a class"
    visitor.choose("grass")
    visitor.tool("Fill an area")
    visitor.page.mouse.click(*visitor.at(0.9, 0.9))
    visitor.choose("water")
    visitor.tool("Brush")
    visitor.page.get_by_role("button", name="Brush, 17 pixels wide").click()
    visitor.stroke((0.25, 0.5), (0.75, 0.5))
    visitor.picture()
    ids = visitor.ids()
    assert ids.shape == (256, 256)
    assert set(np.unique(ids)) == {WATER, GRASS}
    rows, columns = np.nonzero(ids == WATER)
    assert (rows.min(), rows.max()) == (120, 136)  # 17 pixels around row 128
    assert abs(columns.min() - (64 - 8)) <= 1
    assert abs(columns.max() - (192 + 8)) <= 1
    assert (ids[120:137, 70:186] == WATER).all()
    coloured = np.asarray(Image.open(io.BytesIO(visitor.saved("Colours"))))
    assert np.array_equal(palette(LISTED, 11).read(open_map(coloured)).ids, ids), "colours and numbers say the same"
    shown = visitor.saved("Picture")
    visitor.tool("Undo")
    visitor.picture()
    assert (visitor.ids() == GRASS).all()
    visitor.tool("Redo")
    visitor.picture()
    assert np.array_equal(visitor.ids(), ids)
    assert visitor.saved("Picture") == shown


def test_pictures_follow_the_brush(visit):
    visitor = visit()
    visitor.picture()
    seen = visitor.page.locator(".frame").evaluate_handle("""(frame) => {
        const seen = new Set();
        new MutationObserver(() => seen.add(frame.querySelector('img')?.src)).observe(frame, { childList: true });
        return seen;
    }""")
    visitor.choose("water")
    visitor.stroke(*[(0.1 + 0.02 * k, 0.5 + 0.3 * (-1) ** k) for k in range(40)], steps=12)
    visitor.picture()
    assert seen.evaluate("(seen) => seen.size") >= 3


def test_an_uploaded_map_is_exact_or_says_what_it_guessed(visit):
    visitor = visit()
    visitor.picture()
    ids = landscape(np.random.default_rng(7), 256)[1]
    ids[:9, :9] = UNKNOWN
    for content in (encoded(ids), encoded(ids.astype(np.uint16))):
        visitor.bring(content)
        expect(visitor.page.locator(".note")).to_contain_text("Read by its numbers.")
        expect(visitor.page.locator(".note")).to_contain_text("0.1 % are of no class.")
        assert np.array_equal(visitor.ids(), ids)
    halves = np.repeat([SKY, GRASS], 40)[:, None].repeat(80, 1)
    sharp = Image.fromarray(palette(LISTED, 11).colours[halves])
    soft = np.asarray(sharp.resize((256, 256), Image.Resampling.BICUBIC))  # a border with a soft rim
    visitor.bring(encoded(soft))
    expect(visitor.page.locator(".note")).to_contain_text("had a colour that is in no class")
    assert set(np.unique(visitor.ids())) == {SKY, GRASS}, "a blend of sky and grass is neither water nor rock"
    small = sampled(ids, 60, 120)
    visitor.bring(encoded(small))
    wide = visitor.ids()
    assert (wide[:64] == UNKNOWN).all() and (wide[192:] == UNKNOWN).all()
    assert np.array_equal(sampled(wide[64:192], 60, 120), small)
    before = visitor.ids()
    visitor.quiet = True  # the browser notes the refusals
    visitor.bring(encoded(np.full((8, 8), 77, np.uint8)))
    expect(visitor.page.locator(".note.wrong")).to_contain_text("the number 77, which is no class here")
    visitor.bring(b"no picture" * 9)
    expect(visitor.page.locator(".note.wrong")).to_contain_text("not a picture")
    assert np.array_equal(visitor.ids(), before), "the painting is still there"


def test_styles_by_seed_and_by_photo(visit):
    visitor = visit()
    page = visitor.page
    visitor.picture()
    mean = visitor.saved("Picture")
    thumbs = page.locator(".strip .thumb")
    expect(thumbs).to_have_count(6)
    thumbs.nth(2).click()
    visitor.picture()
    seeded = visitor.saved("Picture")
    assert seeded != mean
    expect(thumbs.nth(2)).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**seed=3**")
    page.get_by_role("button", name="Others").click()
    expect(page.locator(".strip .thumb[value='7']")).to_be_visible()
    photo = np.asarray(Image.linear_gradient("L").resize((90, 30)).convert("RGB"))
    page.locator(".from input[type=file]").set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": encoded(photo)}
    )
    page.locator(".from .photo img").wait_for()
    visitor.picture()
    assert visitor.saved("Picture") not in (mean, seeded)
    page.get_by_role("button", name="Without the photo").click()
    visitor.picture()
    assert visitor.saved("Picture") == seeded


def test_patterns_change_the_screen_and_nothing_else(visit):
    visitor = visit()
    visitor.picture()
    look = "(canvas) => canvas.toDataURL()"
    plain, ids = visitor.canvas.evaluate(look), visitor.ids()
    visitor.page.get_by_role("button", name="Patterns").click()
    marked = visitor.canvas.evaluate(look)
    assert marked != plain
    assert visitor.page.locator(".painter-colour canvas").count() == len(CLASSES) + 1
    assert np.array_equal(visitor.ids(), ids)
    visitor.page.reload()
    visitor.picture()
    assert visitor.canvas.evaluate(look) == marked, "this browser remembers"
    visitor.page.get_by_role("button", name="Patterns").click()
    assert visitor.canvas.evaluate(look) == plain


def test_looking_inside_shows_the_painting_in_every_layer(visit):
    visitor = visit()
    visitor.picture()
    page = visitor.page
    page.get_by_role("tab", name="Look inside").click()
    page.locator(".maps .shown img").nth(3).wait_for()
    where = page.locator(".where")
    expect(where).to_contain_text("blocks.")
    first = where.inner_text()
    page.locator(".knobs input[type=range]").focus()
    page.keyboard.press("Home")
    expect(where).to_contain_text("blocks.0.norm_0: 4 × 4 pixels, channel 1 of 64")
    assert where.inner_text() != first
    expect(page.locator(".canvases .shown img")).to_have_count(4)
    expect(page.locator(".inside")).to_contain_text("Between the labels the pictures differ by")


def test_korean_has_no_english_left(visit):
    visitor = visit(f"/spade?tag={TAG}&lang=ko")
    visitor.picture()
    visitor.page.locator(".strip .thumb").first.wait_for()
    assert not visitor.english(".live")


def test_a_phone_in_portrait_has_nothing_beside_the_page(visit):
    visitor = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2)
    visitor.picture()
    visitor.page.locator(".strip .thumb").first.wait_for()
    wide = visitor.page.evaluate("""() => { const main = document.querySelector('[data-testid=stMain]');
        return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth]; }""")
    assert max(wide) <= 0
    visitor.page.touchscreen.tap(*visitor.at(0.5, 0.5))
    visitor.picture()
