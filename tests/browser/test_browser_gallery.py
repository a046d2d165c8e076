"""A lesson in a real Chromium: the link and its QR code, and a picture's way from a student to the wall."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect
from test_browser import TAG, Visitor


@pytest.fixture(scope="module")
def awake(browser, classroom):
    """The server, once its first page was seen: on a busy machine the first one takes a minute."""
    page = browser.new_page()
    page.goto(f"{classroom.address}/pix2pix?tag={TAG}")
    page.locator(".painter-canvas").wait_for()
    page.context.close()
    return classroom


@pytest.fixture
def visit(browser, awake):
    """Visitors of the classroom server, each by a name; "" sits at its machine, all others are strangers."""
    visitors = []

    def enter(name: str, path: str, **context) -> Visitor:
        visitors.append(Visitor(browser, f"http://{name}{'.' * bool(name)}localhost:{awake.port}", path, **context))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def draw(visitor: Visitor) -> None:
    visitor.stroke((0.2, 0.5), (0.8, 0.5))
    visitor.picture()


def test_a_picture_goes_from_a_student_over_the_teacher_to_the_wall(visit, classroom):
    key = (classroom.home / "class" / "key").read_text().strip()
    wall = visit("projector", "/gallery?lang=ko")
    expect(wall.page.locator(".nothing b")).to_have_text("아직 걸린 그림이 없습니다.")
    student = visit("student", f"/pix2pix?tag={TAG}")
    draw(student)
    page = student.page
    page.get_by_role("button", name="Show to the class").click()
    page.locator(".pinning input").fill("<b>Mina</b>")
    page.get_by_role("button", name="Show it").click()
    expect(page.locator(".pinning li span")).to_have_text("<b>Mina</b>: waits for your teacher")
    assert not wall.page.locator(".wall li").count()

    teacher = visit("teacher", f"/gallery#key={key}")
    expect(teacher.page.locator(".queue li")).to_have_count(1)
    assert key not in teacher.page.url, "the key does not stay in the address"
    assert "view=waiting" in teacher.page.url
    assert teacher.page.locator(".queue b").inner_text() == "<b>Mina</b>", "text, never markup"
    expect(wall.page.locator(".wall li")).to_have_count(0)
    teacher.quiet = True  # no room: the refusal is on the console, too
    teacher.page.route("**/gallery/*", lambda route: route.fulfill(status=409, body="{}"))
    teacher.page.get_by_role("button", name="Hang it").click()
    expect(teacher.page.get_by_role("alert")).to_contain_text("full")
    teacher.page.unroute("**/gallery/*")
    teacher.quiet = False
    teacher.page.get_by_role("button", name="Hang it").click()  # it can be tried again

    expect(wall.page.locator(".wall li")).to_have_count(1)  # by itself
    picture = wall.page.locator(".wall img")
    expect(picture).to_have_js_property("naturalWidth", 32)
    picture.evaluate("(picture) => { window.same = picture; }")
    expect(page.locator(".pinning li span")).to_have_text("<b>Mina</b>: hangs on the wall")
    wall.page.wait_for_timeout(3000)
    assert picture.evaluate("(picture) => window.same === picture"), "what hangs is left alone: no flicker"
    wall.page.locator(".wall .open").click()
    expect(wall.page.locator("dialog .caption b")).to_have_text("<b>Mina</b>")
    page.get_by_role("button", name="Take back").click()
    expect(wall.page.locator(".wall li")).to_have_count(0)
    expect(wall.page.locator("dialog[open]")).to_have_count(0)


def test_strangers_see_neither_queue_nor_training_and_a_wrong_key_is_said(visit):
    stranger = visit("stranger", "/gallery")
    page = stranger.page
    page.get_by_role("button", name="I am the teacher").click()
    stranger.quiet = True  # the refusal is on the console, too
    page.get_by_label("The teacher's key").fill("aaaa-bbbb-cccc-dddd")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the teacher's key.")
    expect(page.locator(".views")).to_be_hidden()
    stranger.go("/train")
    expect(page.get_by_text("Training is switched off")).to_be_visible()
    near = visit("", "/train")
    expect(near.page.get_by_role("heading", name="A new training")).to_be_visible()


def test_the_lesson_link_carries_the_state_and_hides_what_is_ticked(visit):
    teacher = visit("class", f"/pix2pix?tag={TAG}&lang=ko&seed=7", device_scale_factor=2)
    page = teacher.page
    draw(teacher)
    drawing = teacher.drawing()
    page.get_by_role("button", name="수업 링크").click()
    code = page.locator(".qr:not(.none)")
    for name in ("메뉴", "올리기", "탭: 학습"):
        page.get_by_label(name, exact=True).check()
    link = page.get_by_role("link", name="열어 보기")
    expect(link).to_have_attribute("href", re.compile("hide=menu,upload,train"))
    address = link.get_attribute("href")
    for part in (f"tag={TAG}", "seed=7", "lang=ko", "#drawing="):
        assert part in address
    expect(code).to_have_attribute("data-link", address)
    code.click()  # as large as the screen
    large = page.locator(".screen img")
    expect(large).to_have_js_property("complete", True)

    def seen() -> str:
        shot = cv2.imdecode(np.frombuffer(large.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        return cv2.QRCodeDetector().detectAndDecode(shot)[0]

    teacher.until(lambda: seen() == address)
    student = visit("class", address.split(f"{teacher.server}")[1], locale="en-GB")
    student.picture()
    assert student.drawing() == drawing
    expect(student.page.get_by_role("button", name="반에 보여 주기")).to_be_visible()
    expect(student.page.locator(".live .upload")).to_be_hidden()
    assert not student.page.get_by_role("link", name="홈").count()
    assert not student.page.get_by_role("tab", name="학습").count()


def lesson_link(visitor: Visitor) -> str:
    """The link that the dialog gives out for what is seen now."""
    page = visitor.page
    page.get_by_role("button", name="Lesson link").click()
    page.locator(".qr:not(.none)").wait_for()
    link = page.get_by_role("link", name="Try it").get_attribute("href")
    page.keyboard.press("Escape")
    return link


def test_every_page_s_link_carries_its_values_and_its_picture_can_be_shown(visit):
    visitor = visit("class", f"/dcgan?tag={TAG}&seed=33")
    page = visitor.page
    shown = page.get_by_role("button", name="Show to the class")
    page.locator(".wall .tile").nth(4).click()
    expect(shown).to_be_enabled()
    link = lesson_link(visitor)
    assert "seed=33" in link and "walk=37" in link and f"tag={TAG}" in link

    visitor.go(f"/gated_gan?tag={TAG}")
    number = page.locator(".slider input[type=number]").first
    number.fill("0.4")
    number.press("Enter")
    expect(shown).to_be_enabled()
    link = lesson_link(visitor)  # at once: the address itself is written a little later
    assert re.search(r"gates=[^&]*:0\.4", link) and f"tag={TAG}" in link

    visitor.go(f"/stylegan2?tag={TAG}&mode=mix&psi=0.5")
    page.locator(".mixing").wait_for()
    page.locator(".faces .tile").nth(8).click()
    link = lesson_link(visitor)
    assert "mode=mix" in link and "psi=0.5" in link and "rows=9,2,3" in link
    page.get_by_role("button", name="Show to the class").click()
    expect(page.locator(".pinning .seen")).to_be_visible()
