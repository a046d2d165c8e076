"""The wall of faces and what is done with them, in a real Chromium: what is seen belongs to what was asked last."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from test_browser import TAG, Visitor

PICTURES = [f"checkpoints/pix2pix/edges2shoes/{name}.png" for name in ("sneaker", "heel")]


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str) -> Visitor:
        visitors.append(Visitor(browser, server, path))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


@pytest.mark.parametrize("path", ["stylegan2", "dcgan"])
def test_no_old_face_stands_under_a_new_number(visit, path):
    visitor = visit(f"/{path}?tag={TAG}")
    page, held = visitor.page, []
    shown = page.locator(".tile img[src]")
    tiles = page.locator(".tile")
    expect(shown.last).to_be_visible()
    expect(shown).to_have_count(tiles.count())
    page.route("**/sample", lambda route: held.append(route))
    page.get_by_role("button", name="The next seeds").click()
    visitor.until(lambda: held)
    expect(shown).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute("**/sample")
    expect(shown).to_have_count(tiles.count())


def test_nothing_is_taken_away_before_the_face_has_come(visit):
    visitor = visit(f"/stylegan2?tag={TAG}&mode=breed")
    page, held = visitor.page, []
    page.locator(".brood img[src]").nth(3).wait_for()
    page.route("**/sample", lambda route: held.append(route))
    page.locator(".faces .views button").first.click()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    for route in held:
        route.continue_()
    page.unroute("**/sample")
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    assert len(visitor.saved("Download")) > 100


def test_a_second_picture_begins_a_search_of_its_own(visit):
    visitor = visit(f"/stylegan2?tag={TAG}&mode=find")
    page = visitor.page
    own = page.locator(".faces input[type=file]")
    own.wait_for(state="attached")
    page.evaluate("""() => { // whether each question goes on from where a search stands
        window.goesOn = [];
        const ask = window.fetch;
        window.fetch = (to, how) => {
            if (String(to).endsWith("/project")) window.goesOn.push(how.body.has("state"));
            return ask(to, how);
        };
    }""")

    def asked() -> list[bool]:
        return page.evaluate("window.goesOn")

    own.set_input_files(PICTURES[0])
    visitor.until(lambda: len(asked()) >= 3)
    own.set_input_files(PICTURES[1])
    visitor.until(lambda: asked().count(False) == 2)
    begun = len(asked()) - asked()[::-1].index(False)
    visitor.until(lambda: len(asked()) >= begun + 2)
    page.get_by_role("button", name="Stop", exact=True).click()
    stood = len(asked())
    page.wait_for_timeout(1000)
    assert asked() == [False, *[True] * (begun - 2), False, *[True] * (stood - begun)]


def test_another_entry_of_the_history_leaves_the_family_alone(visit):
    visitor = visit(f"/stylegan2?tag={TAG}&mode=breed")
    page = visitor.page
    page.locator(".brood .slot").nth(1).click()
    hint = page.locator(".faces .hint", has_text="eneration")
    bred = hint.inner_text()
    assert "1" in bred, bred
    page.evaluate("history.pushState(history.state, '', location.href + '#somewhere')")
    page.go_back()
    page.wait_for_timeout(500)
    assert hint.inner_text() == bred
