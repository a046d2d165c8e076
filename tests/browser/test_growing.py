"""ProGAN's page and the family in a real Chromium: sizes, alpha by hand, the tree by keyboard and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from test_browser import TAG, Visitor

HERE = f"/progan?tag={TAG}"
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str, waits: str = ".grow", **context) -> Visitor:
        visitors.append(Visitor(browser, server, path, **context))
        visitors[-1].page.locator(waits).first.wait_for()
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def loaded(visitor, count: int) -> None:
    """Waits until so many pictures of the part are there."""
    there = "(grow) => [...grow.querySelectorAll('img')].filter((img) => img.complete && img.naturalWidth).length"
    visitor.until(lambda: visitor.page.locator(".grow").evaluate(there) >= count)


def test_one_noise_at_every_size_and_alpha_by_hand(visit):
    visitor = visit(f"{HERE}&lang=en&alpha=0.25")
    page = visitor.page
    loaded(visitor, 3 + 4 + 4 + 1)  # the row, two lanes, an example
    assert page.locator(".size img").evaluate_all("(all) => all.map((img) => img.naturalWidth)") == [4, 8, 16]
    made = page.locator(".three").first.locator("img")
    assert [made.nth(k).evaluate("(img) => img.naturalWidth") for k in range(4)] == [16] * 4
    over = made.nth(2)
    assert over.evaluate("(img) => img.style.opacity") == "0.25"
    slider = page.get_by_label("How far the new size is faded in")
    slider.focus()
    page.keyboard.press("End")
    assert over.evaluate("(img) => img.style.opacity") == "1"
    expect(page.locator("svg .share").first).to_have_text("× 0.00")
    page.get_by_role("button", name="8 px").click()
    expect(page.get_by_role("heading", name="From 4 to 8 px")).to_be_visible()
    visitor.until(lambda: made.nth(0).evaluate("(img) => img.naturalWidth") == 8)
    visitor.until(lambda: "side=8" in page.url and "alpha=1" in page.url)
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Seed").press("Enter")
    visitor.until(lambda: "seed=7" in page.url)
    expect(page.get_by_role("link", name="What StyleGAN adds")).to_have_attribute(
        "href", re.compile(r"/stylegan\?lang=en$")
    )


def test_it_grows_by_itself_and_stops_when_asked(visit):
    visitor = visit(f"{HERE}&lang=en")
    page = visitor.page
    loaded(visitor, 12)
    page.get_by_role("button", name="Let it grow").click()
    expect(page.get_by_role("heading", name="From 4 to 8 px")).to_be_visible()
    expect(page.get_by_role("heading", name="From 8 to 16 px")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Let it grow")).to_be_visible()


def test_a_picture_of_one_s_own_and_a_file_that_is_none(visit):
    from io import BytesIO

    from PIL import Image

    visitor = visit(f"{HERE}&lang=en")
    page = visitor.page
    loaded(visitor, 12)
    real = page.locator(".three").nth(1).locator("img")
    before = real.nth(0).get_attribute("src")
    file = BytesIO()
    Image.new("RGB", (37, 91), "red").save(file, "png")  # no power of two
    page.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    visitor.until(lambda: real.nth(0).get_attribute("src") != before)
    page.locator("input[type=file]").set_input_files(
        {"name": "b.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    expect(page.locator(".grow .says")).to_contain_text("can't be read")


def test_in_korean_on_a_phone(visit):
    visitor = visit(f"{HERE}&lang=ko", **PHONE)
    page = visitor.page
    loaded(visitor, 12)
    words = visitor.english(".grow")
    assert all(re.fullmatch(r"(to|from)RGB|\d+px(, α = 1)?|StyleGAN", text) for text in words), words
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".grow").evaluate("(grow) => grow.scrollWidth <= grow.clientWidth + 1")


def test_the_family_is_walked_by_keyboard(visit):
    visitor = visit("/family?lang=en", ".family")
    page = visitor.page
    names = page.locator(".family article a b").all_inner_texts()
    page.locator(".family article a").first.focus()
    seen = []
    for _ in names:
        seen.append(page.evaluate("document.activeElement.querySelector('b').textContent"))
        page.keyboard.press("Tab")
    assert seen == names
    page.locator(".family article a", has_text="ProGAN").focus()
    page.keyboard.press("Enter")
    page.locator(".grow").wait_for()
    assert "/progan?lang=en" in page.url


@pytest.mark.parametrize("width", [390, 1440])
def test_the_family_fits_any_width_and_children_stand_beside_or_below(visit, width):
    visitor = visit("/family?lang=ko", ".family", viewport={"width": width, "height": 900})
    page = visitor.page
    boxes = page.locator(".family article").evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().toJSON())")
    assert all(box["left"] >= 0 and box["right"] <= width for box in boxes)
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            assert (
                a["bottom"] <= b["top"] + 1
                or b["bottom"] <= a["top"] + 1
                or a["right"] < b["left"]
                or b["right"] < a["left"]
            )
    first, *rest = boxes
    if width > 1000:
        assert all(box["left"] > first["right"] for box in rest)
    else:
        assert all(box["top"] > first["bottom"] - 1 for box in rest)
