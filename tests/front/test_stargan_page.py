"""StarGAN's page in a browser: sliders that start where the picture is, live edits, and the mask builder."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from patience import PATIENCE, until

HAIR = ("black hair", "blond hair", "brown hair", "red hair")


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.add_init_script(
        """{ const append = FormData.prototype.append; window.sent = [];
             FormData.prototype.append = function (name, value, ...rest) {
               if (name === "attributes") window.sent.push(value);
               return append.call(this, name, value, ...rest); }; }"""
    )
    page.goto(f"{server}/stargan?tag=tiny")
    page.locator(".frame[data-revision]").wait_for()
    yield page
    assert not trouble
    context.close()


def colours(page) -> dict[str, float]:
    return {name: float(page.get_by_label(name).first.input_value()) for name in HAIR}


def test_sliders_start_where_the_picture_is_and_send_only_what_was_moved(page):
    until(lambda: 1.0 in colours(page).values())
    read = colours(page)
    assert sorted(read.values()) == [0, 0, 0, 1]  # one colour, as the discriminator reads it

    other = next(name for name in HAIR if not read[name])
    page.get_by_label(other).first.fill("0.75")
    page.wait_for_url("**attributes=**")
    assert colours(page) == {name: 0.75 if name == other else 0.25 * read[name] for name in HAIR}
    key = other.split()[0]
    assert unquote(page.url).endswith(f"attributes={key}:0.75")
    frame = page.locator(".frame")
    until(lambda: frame.get_attribute("data-asked") == frame.get_attribute("data-revision"))
    assert page.evaluate("window.sent.at(-1)") == f'{{"{key}":0.75}}'

    page.get_by_role("button", name="Reset").click()
    until(lambda: "attributes" not in page.evaluate("location.search"))
    assert colours(page) == read


def test_every_attribute_at_once_and_the_address_brings_settings_back(page, server):
    page.get_by_role("button", name="All at once").click()
    page.locator(".tiles canvas").nth(8).wait_for()
    assert page.locator(".tiles figcaption").first.inner_text() == "original"
    page.goto(f"{server}/stargan?tag=tiny&attributes=smiling:1.5,red:1")
    page.locator(".frame[data-revision]").wait_for()
    assert [page.get_by_label(name).first.input_value() for name in ("smiling", "red hair")] == ["1.5", "1"]


def test_the_wrong_mask_is_one_click_away(page):
    page.get_by_role("tab", name="Look inside").click()
    page.locator(".vector .cell").nth(9).wait_for()
    mask, out = page.locator(".vector .mask strong"), page.locator(".vector .out")
    assert mask.all_inner_texts() == ["1", "0"]  # a label of set B with A's mask: the wrong one is shown first
    assert out.count() == 4
    page.get_by_role("button", name="right", exact=True).click()
    until(lambda: mask.all_inner_texts() == ["0", "1"])
    assert out.first.inner_text().startswith("black hair")
    page.get_by_role("button", name="Set A").click()  # and the wrong one again
    until(lambda: page.get_by_role("button", name="black hair").get_attribute("aria-pressed") == "true")
    page.get_by_label("Kinds k").fill("10")
    assert "90 generators" in page.locator(".bars").inner_text()
