"""A training from the page to the model in Play, in a real Chromium, through everything that may happen to it."""

from __future__ import annotations

import json
import os
import re
import signal
from urllib.request import urlopen

import pytest
from conftest import make_tiny
from patience import PATIENCE, until
from playwright.sync_api import expect
from served import Served
from test_browser import Visitor

from studio.training import process as trainer


class Studio(Served):
    """The real studio, which can be stopped and started again at the same address."""

    def get(self, path: str):
        with urlopen(self.address + path, timeout=PATIENCE) as answer:
            return json.load(answer)


@pytest.fixture
def studio(tmp_path):
    home = tmp_path / "home"
    make_tiny(home)
    studio = Studio(home)
    studio.start()
    try:
        yield studio
    finally:
        studio.stop()
        for note in home.glob("runs/*/pid.json"):  # a trainer outlives its server: that is its promise
            os.kill(json.loads(note.read_text())["pid"], signal.SIGKILL)
    assert "Traceback" not in studio.log.read_text(), studio.log.read_text()


@pytest.fixture
def visit(browser, studio):
    visitors = []

    def enter(path: str, **context) -> Visitor:
        visitors.append(Visitor(browser, studio.address, path, **context))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def how(page, expected: str) -> None:
    expect(page.locator(".training .status strong")).to_have_text(expected)


def step(page) -> int:
    return int(re.sub(r"\D", "", page.locator(".facts .step dd").inner_text().split("/")[0]) or 0)


def test_from_the_form_through_crashes_to_the_model_in_play(visit, studio):
    visitor = visit("/train")
    page = visitor.page

    # The form: tiny settings, three minutes, off it goes.
    page.get_by_label("Settings", exact=True).click()
    page.get_by_role("option", name="Tiny").click()
    visitor.rest()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**run=pix2pix-**")
    how(page, "Training")
    until(lambda: step(page) > 3)
    run = re.search(r"run=([\w-]+)", page.url)[1]
    pid_file = studio.home / "runs" / run / "pid.json"

    # Pictures, terms beside their formulas, curves.
    page.locator(".sheet canvas[style]").first.wait_for()
    assert page.locator(".term math").count() == 6  # the paper's three, and those of the eyes
    expect(page.locator(".term .value").first).to_have_text(re.compile(r"\d"))
    until(lambda: page.locator(".term .curve .ours").first.get_attribute("d"))

    # A reload finds it again; a second viewer sees the same, and what one turns the other sees.
    page.reload()
    how(page, "Training")
    other = visit(f"/pix2pix?tab=train&run={run}")
    how(other.page, "Training")
    page.get_by_role("switch", name="near: in play").click()
    expect(other.page.locator(".term.off")).to_have_count(1)
    until(lambda: page.locator(".term .marks g").count() > 0)
    other.page.get_by_role("button", name="Pause").click()
    how(page, "Paused")
    other.leave()
    paused_at = step(page)

    # One step of one player: it says what changed, and only that player moved.
    page.locator(".steppers button[value=generator]").click()
    page.locator(".single:not([hidden])").wait_for()
    assert step(page) in (paused_at, paused_at + 1)
    assert "Generator" in page.locator(".single h3").inner_text()
    expect(page.locator(".moved > div").filter(has_text="Discriminator")).to_contain_text("did not move")
    expect(page.locator(".moved > div").filter(has_text="Generator")).to_contain_text("moved by")
    assert page.locator(".single tbody tr").count() == 6
    page.get_by_role("button", name="Go on").click()
    how(page, "Training")

    # Killed: it is said why, and goes on from the last state.
    os.kill(json.loads(pid_file.read_text())["pid"], signal.SIGKILL)
    how(page, "Failed")
    expect(page.locator(".status .sub")).to_contain_text("killed (signal 9)")
    resume = page.get_by_role("button", name=re.compile(r"Resume from step \d+"))
    from_step = int(re.search(r"\d+", resume.inner_text())[0])
    resume.click()
    how(page, "Training")
    until(lambda: step(page) > from_step)

    # The server restarts: the training does not notice, and the page comes back by itself.
    visitor.quiet = True
    studio.stop()
    page.locator(".away:visible").wait_for()
    before = pid_file.read_text()
    studio.start()
    page.locator(".away.back").wait_for()
    visitor.quiet = False
    assert pid_file.read_text() == before, "the same trainer"
    how(page, "Training")

    # Stop, and play with it.
    page.get_by_role("button", name="Stop").click()
    how(page, "Stopped")
    until(lambda: not studio.get(f"/api/runs/{run}")["alive"])
    page.get_by_role("button", name="Use this model").click()
    visitor.canvas.wait_for()
    page.wait_for_url("**tag=pix2pix-shoes**")
    visitor.stroke((0.2, 0.3), (0.8, 0.7))
    visitor.picture()


def test_a_phone_in_portrait_and_the_scrubber_by_keyboard(visit, studio):
    """A finished run, made here: nothing beside the page, and the film runs by arrow keys."""
    settings = ["size=32", "width=8", "cap=32", "judge_width=8", "receptive_field=16", "norm=instance"]
    folder = str(studio.home / "runs" / "short")
    list(trainer.train("pix2pix", "toy", name=folder, settings=settings, steps=12, workers=0))
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visitor = visit("/train?run=short&lang=ko", **phone)
    page = visitor.page
    how(page, "완료")
    wide = page.evaluate("""() => { const main = document.querySelector('[data-testid=stMain]');
        return [document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth]; }""")
    assert max(wide) <= 0
    slide = page.get_by_role("slider", name="학습 전체의 그림")
    last = slide.input_value()
    assert int(last) > 0
    slide.focus()
    page.keyboard.press("Home")
    assert slide.input_value() == "0"
    first = slide.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert slide.get_attribute("aria-valuetext") != first
    page.get_by_role("button", name="최신").click()
    assert slide.input_value() == last
    said = page.locator(".training").evaluate("""(room) => [...room.querySelectorAll('*')].flatMap((e) =>
        [e.ariaLabel, e.title, e.alt, e.children.length || e.closest('math, svg') ? '' : e.textContent])
        .filter((text) => text && /[A-Za-z]{2}/.test(text) && !/[가-힣]/.test(text))""")
    names = {"discriminator", "fool", "near", "short", "CPU", "px", "MB", "l1", "adversarial", "threads", "toy"}
    assert not [text for text in said if not set(re.findall(r"[A-Za-z]\w+", text)) <= names]
