"""The game in the plane, in a real Chromium: it is paper.py's, runs, collapses, takes a drawing, and recovers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from test_browser import TAG, Visitor

from studio.gans.vanilla import GAN

HERE = f"/vanilla?tag={TAG}&lang=en"
DATA = "(plane) => ({ ...plane.dataset })"


@pytest.fixture
def visit(browser, server):
    visitors = []

    def enter(path: str, **context) -> Visitor:
        visitors.append(Visitor(browser, server, path, **context))
        visitors[-1].page.locator(":is(.plane, .curves, .twins):visible").first.wait_for()
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.leave()


def told(visitor) -> dict[str, str]:
    """What the game says of itself."""
    return visitor.page.locator(".plane").evaluate(DATA)


def press(visitor, name: str):
    visitor.page.locator(".plane").get_by_role("button", name=name, exact=True).click()


# ---- the same game --------------------------------------------------------------------------------------------------

PLAY = """async ([rules, weights, reals, noises, k, turns]) => {
  const { Game } = await import(`${location.origin}/parts/plane/game.js`);
  const { Random } = await import(`${location.origin}/parts/plane/mlp.js`);
  const game = new Game(rules, new Random(1)), flat = (rows) => Float64Array.from(rows.flat());
  for (const name of ["generator", "discriminator"]) {
    game[name].layers.forEach((layer, at) => {
      layer.w.set(flat(weights[name][at].w));
      layer.b.set(weights[name][at].b);
    });
  }
  const values = [];
  for (const real of reals) {
    for (const points of real) {
      game.judge(flat(points), flat(noises.shift()));
      values.push(game.value.v);
    }
    for (let turn = 0; turn < turns; turn++) game.fool(flat(noises.shift()));
  }
  const told = (net) => net.layers.map(({ w, b }) => ({ w: [...w], b: [...b] }));
  return { generator: told(game.generator), discriminator: told(game.discriminator), values, broken: game.broken };
}"""


def layers(gan) -> dict[str, list[dict]]:
    """The weights of both networks, layer after layer."""
    nets = {
        "generator": [*gan.generator.layers],
        "discriminator": [*gan.discriminator.layers, gan.discriminator.verdict],
    }
    return {n: [{"w": each.weight.tolist(), "b": each.bias.tolist()} for each in of] for n, of in nets.items()}


@pytest.mark.parametrize(("k", "turns", "saturating"), [(1, 1, False), (2, 3, False), (1, 1, True)])
def test_the_game_of_the_page_is_the_paper_s(visit, monkeypatch, k, turns, saturating):
    """From the same weights, with the same points and noise, both networks have become the same."""
    torch.manual_seed(3)
    config = replace(GAN.PLANE, batch=24, k=k, turns=turns, saturating=saturating)
    gan, rounds, rng = GAN(config, shape=(2,)).double().train(), 20, np.random.default_rng(3)
    reals = rng.uniform(-1, 1, (rounds, k, config.batch, 2))
    noises = rng.normal(size=(rounds * (k + turns), config.batch, config.z))
    begun = layers(gan)
    asked = iter(torch.from_numpy(noises))
    monkeypatch.setattr(gan, "noise", lambda n: next(asked))
    optimizers, values = gan.optimizers(), []
    for step, real in enumerate(reals.reshape(-1, config.batch, 2)):
        losses = gan.train_step((torch.from_numpy(real),), optimizers, step)
        values.append(-(losses["real"] + losses["fake"]).item())
    assert next(asked, None) is None

    rules = {
        name: getattr(config, name)
        for name in ("z", "width", "judge_width", "batch", "lr", "judge_lr", "saturating")
    }  # fmt: skip
    page = visit(HERE).page
    found = page.evaluate(PLAY, [rules, begun, reals.tolist(), noises.tolist(), k, turns])
    assert not found["broken"]
    assert found["values"] == pytest.approx(values, abs=1e-4)
    for name, of in layers(gan).items():
        for at, layer in enumerate(of):
            became = np.array(found[name][at]["w"]), np.array(found[name][at]["b"])
            assert np.abs(became[0] - np.array(layer["w"]).ravel()).max() < 1e-4, (name, at)
            assert np.abs(became[1] - np.array(layer["b"])).max() < 1e-4, (name, at)
            assert np.abs(became[0] - np.array(begun[name][at]["w"]).ravel()).max() > 1e-3  # it has learnt something


@pytest.mark.parametrize("kind", ["gaussians", "ring", "moons", "spiral"])
def test_the_clouds_are_those_of_the_toys(visit, kind):
    from studio.toys import points

    draw = """async (kind) => {
      const { sample } = await import(`${location.origin}/parts/plane/clouds.js`);
      const { Random } = await import(`${location.origin}/parts/plane/mlp.js`);
      return [...sample(kind, new Random(5), 4000)];
    }"""
    theirs = np.array(visit(HERE).page.evaluate(draw, kind)).reshape(-1, 2)
    ours = points.sample(kind, np.random.default_rng(5), 4000)
    edges = np.linspace(-1, 1, 9)
    a, b = (np.histogram2d(*each.T, bins=(edges, edges))[0] / 4000 for each in (theirs, ours))
    assert np.abs(a - b).sum() < 0.15  # two draws of ours are about 0.07 apart
    assert np.abs(theirs).max() <= 1


# ---- what a visitor does --------------------------------------------------------------------------------------------


def test_it_runs_and_reaches_all_places(visit):
    visitor = visit(HERE + "&speed=4")
    assert told(visitor)["state"] == "begun"
    press(visitor, "Run")
    visitor.until(lambda: int(told(visitor)["places"]) >= 7 and int(told(visitor)["rounds"]) > 100)
    press(visitor, "Pause")
    stood = told(visitor)["rounds"]
    visitor.page.wait_for_timeout(300)
    assert told(visitor)["rounds"] == stood
    assert -2.2 < float(told(visitor)["v"]) < -0.5


def test_ten_steps_of_g_collapse_and_one_mends_it(visit):
    visitor = visit(HERE + "&speed=4&gsteps=10")
    press(visitor, "Run")
    visitor.until(lambda: told(visitor)["state"] == "collapse")
    assert float(told(visitor)["spread"]) < 0.3
    assert int(told(visitor)["places"]) <= 1
    expect(visitor.page.locator(".plane .status")).to_contain_text("Mode collapse")
    dial = visitor.page.get_by_label("G steps for each D step")
    dial.fill("1")
    visitor.until(lambda: int(told(visitor)["places"]) >= 6)
    visitor.until(lambda: "gsteps=1" in visitor.page.url.split("?")[1].split("&"))


def test_single_steps_and_keys(visit):
    visitor = visit(HERE)
    press(visitor, "One D step")
    visitor.until(lambda: told(visitor)["d"] == "1")
    press(visitor, "One G step")
    visitor.until(lambda: told(visitor)["g"] == "1")
    visitor.page.locator(".plane .status").click()
    visitor.page.keyboard.press("d")
    visitor.page.keyboard.press("g")
    visitor.page.keyboard.press("g")
    visitor.until(lambda: (told(visitor)["d"], told(visitor)["g"]) == ("2", "3"))
    visitor.page.keyboard.press("Space")
    visitor.until(lambda: int(told(visitor)["d"]) > 3)
    visitor.page.keyboard.press("Space")
    expect(visitor.page.locator(".plane .primary")).to_have_text("Run")


def test_the_saturating_loss_starves_behind_a_sure_d(visit):
    visitor = visit(HERE)
    press(visitor, "Let D get 200 steps ahead")
    visitor.until(lambda: told(visitor)["d"] == "200")
    strong = float(told(visitor)["length"])
    visitor.page.get_by_label("Saturating loss").check()
    visitor.until(lambda: told(visitor)["state"] == "starving")
    assert float(told(visitor)["length"]) < strong / 20
    expect(visitor.page.locator(".plane .status")).to_contain_text("starves")


def test_a_drawing_is_learnt_and_is_in_the_address(visit):
    visitor = visit(HERE + "&speed=4")
    press(visitor, "Draw it")
    visitor.until(lambda: told(visitor)["state"] == "drawHere")
    press(visitor, "Run")  # of nothing: it does not run
    expect(visitor.page.locator(".plane .primary")).to_have_text("Run")
    canvas = visitor.page.locator(".plane canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    visitor.page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["height"])
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.3 * box["height"], steps=12)
    visitor.page.mouse.move(box["x"] + 1.4 * box["width"], box["y"] + 0.3 * box["height"], steps=3)  # out of the plane
    visitor.page.mouse.up()
    visitor.until(lambda: "drawn=" in visitor.page.url)
    text = visitor.page.evaluate("new URLSearchParams(location.search).get('drawn')")
    places = np.array([part.split(",") for part in text.split(";")], float)
    assert len(places) >= 8
    assert np.abs(places).max() <= 1
    assert np.abs(places[:, 1] - 0.46).max() < 0.05
    press(visitor, "Run")
    visitor.until(lambda: float(told(visitor)["share"]) > 0.8)
    again = visit(visitor.page.url.removeprefix(visitor.server))
    assert again.page.locator(".plane .kind[aria-pressed=true]").inner_text() == "Draw it"
    assert told(again)["state"] == "begun"


def test_a_wild_step_size_is_said_and_mended(visit):
    visitor = visit(HERE + "&speed=4&lr=10000")
    press(visitor, "Run")
    visitor.until(lambda: told(visitor)["state"] == "broken")
    expect(visitor.page.locator(".plane .primary")).to_have_text("Run")
    expect(visitor.page.locator(".plane .status")).to_contain_text("too wild")
    visitor.page.get_by_label("Step size, times").fill("2")
    press(visitor, "Begin anew")
    visitor.until(lambda: told(visitor)["state"] == "begun")
    press(visitor, "Run")
    visitor.until(lambda: int(told(visitor)["rounds"]) > 20)
    assert told(visitor)["state"] != "broken"


def test_no_steps_at_all_is_said_and_nothing_moves(visit):
    visitor = visit(HERE + "&gsteps=0&dsteps=0")
    press(visitor, "Run")
    visitor.until(lambda: told(visitor)["state"] == "resting")
    visitor.page.wait_for_timeout(300)
    assert (told(visitor)["d"], told(visitor)["g"]) == ("0", "0")
    visitor.page.get_by_label("D steps for each G step").fill("1")
    visitor.until(lambda: int(told(visitor)["d"]) > 2)
    assert told(visitor)["g"] == "0"


def test_nonsense_in_the_address_is_passed_over(visit):
    visitor = visit(HERE + "&gsteps=nan&dsteps=-7&lr=inf&speed=99&real=../x&drawn=9,9;a,b;0.1,0.2,0.3;,;NaN,1")
    assert visitor.page.locator(".plane .kind[aria-pressed=true]").inner_text() == "Eight Gaussians"
    assert visitor.page.get_by_label("D steps for each G step").input_value() == "0"
    assert visitor.page.get_by_label("G steps for each D step").input_value() == "1"
    press(visitor, "Draw it")
    visitor.until(lambda: told(visitor)["state"] == "drawHere")


def test_a_language_later_the_game_goes_on(visit):
    visitor = visit(HERE + "&speed=4")
    press(visitor, "Run")
    visitor.until(lambda: int(told(visitor)["rounds"]) > 30)
    visitor.page.get_by_role("radio", name="한국어").or_(
        visitor.page.get_by_role("button", name="한국어")
    ).first.click()
    expect(visitor.page.locator(".plane .primary")).to_have_text("멈춤")
    assert int(told(visitor)["rounds"]) > 30


def test_dragging_d_of_g_through_the_notes_cases(visit):
    visitor = visit(HERE + "&tab=look")
    curves = visitor.page.locator(".curves")
    line = curves.locator(".line.fake rect")
    line.scroll_into_view_if_needed()
    box, drawing = line.bounding_box(), curves.locator("svg").bounding_box()
    middle = box["y"] + box["height"] / 2

    def drag(to: float):
        now = line.bounding_box()
        visitor.page.mouse.move(now["x"] + now["width"] / 2, middle)
        visitor.page.mouse.down()
        visitor.page.mouse.move(drawing["x"] + to * drawing["width"], middle, steps=8)
        visitor.page.mouse.up()

    drag(0.97)
    visitor.until(lambda: curves.get_attribute("data-which") == "case1")
    assert float(curves.get_attribute("data-fake")) > 0.9
    drag(-0.2)  # beyond the edge
    visitor.until(lambda: curves.get_attribute("data-which") == "starve")
    assert float(curves.get_attribute("data-fake")) == pytest.approx(0.003)
    curves.locator(".dial.real input").fill("0.95")
    visitor.until(lambda: curves.get_attribute("data-which") == "case2")
    for name in ("real", "fake"):
        curves.locator(f".dial.{name} input").fill("0.5")
    visitor.until(lambda: curves.get_attribute("data-which") == "half")
    assert float(curves.get_attribute("data-v")) == pytest.approx(-np.log(4), abs=1e-6)


def test_each_made_digit_stands_beside_its_nearest_real_one(visit):
    visitor = visit("/vanilla?lang=en&show=digits")
    pairs = visitor.page.locator(".twins figure")
    expect(pairs).to_have_count(24)
    first = pairs.first.locator("img").first.get_attribute("src")
    visitor.page.locator(".twins").get_by_role("button", name="Others").click()
    visitor.until(lambda: visitor.page.locator(".twins").get_attribute("data-first") == "25")
    assert pairs.first.locator("img").first.get_attribute("src") != first
    assert all(0 < float(each) < 0.3 for each in pairs.locator("figcaption").all_inner_texts())


@pytest.mark.parametrize(("lang", "width"), [("en", 390), ("ko", 390), ("ko", 1920)])
def test_nothing_is_wider_than_the_screen(visit, lang, width):
    visitor = visit(f"/vanilla?tag={TAG}&lang={lang}&speed=4", viewport={"width": width, "height": 900})
    press(visitor, "Run" if lang == "en" else "시작")
    visitor.until(lambda: int(told(visitor)["rounds"]) > 20)
    beyond = """(plane) => [...plane.querySelectorAll("*")]
      .filter((each) => each.getClientRects().length && each.getBoundingClientRect().right > innerWidth + 1)
      .map((each) => each.outerHTML)"""
    assert visitor.page.locator(".plane").evaluate(beyond) == []
