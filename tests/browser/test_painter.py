"""The canvas, in a real Chromium, with real mouse moves, fingers and keys: what is drawn is exactly what is sent."""

import base64
import functools
import io
import itertools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

PAINTER = Path(__file__).parents[2] / "pages" / "parts" / "painter" / "painter.js"

PAGE = """<!doctype html><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">
<style>body { margin: 16px; font-family: sans-serif } #place { max-width: 600px }</style>
<input id=text><div id=place></div><div id=other></div>
<script type=module>
  import * as module from "./painter.js";
  window.module = module;
  window.make = (options, element = document.querySelector("#place")) => {
    const changes = [];
    const onChange = (painter, { final }) => changes.push({ final, rle: painter.encode() });
    return Object.assign(window, { changes, painter: module.createPainter(element, { ...options, onChange }) }).painter;
  };
  window.ready = true;
</script>"""

LANDSCAPE = [
    {"name": name, "colour": colour}
    for name, colour in [("sky", "#87ceeb"), ("sea", "#1e64b4"), ("grass", "#5aa02c"), ("rock", "#80807f")]
]


# --- what a server does with the payload


def unpack(text: str) -> tuple[bytes, int, int]:
    """Decodes `painter.encode()`, as described at the head of painter.js. Nothing in `text` is trusted."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(data) < 7 or data[0] != 1:
        raise ValueError("not a drawing of version 1")
    kinds, width, height = data[1] + 1, int.from_bytes(data[2:4], "little"), int.from_bytes(data[4:6], "little")
    if not 0 < width * height <= 1024 * 1024:
        raise ValueError(f"a drawing of {width} x {height} is not for us")
    pixels, number, shift = bytearray(), 0, 0
    for byte in data[6:]:
        number, shift = number | (byte & 127) << shift, shift + 7
        if shift > 35:
            raise ValueError("a run without an end")
        if byte < 128:
            length, value = divmod(number, kinds)
            if len(pixels) + length + 1 > width * height:
                raise ValueError("more pixels than announced")
            pixels += bytes([value]) * (length + 1)
            number = shift = 0
    if len(pixels) != width * height or shift:
        raise ValueError("fewer pixels than announced")
    return bytes(pixels), width, height


# --- a browser and a page with one painter


@pytest.fixture(scope="module")
def chromium(browser):
    return browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("painter")
    shutil.copy(PAINTER, folder)
    (folder / "index.html").write_text(PAGE)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def opened(chromium, address, **context):
    page = chromium.new_context(**{"viewport": {"width": 1000, "height": 900}, **context}).new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(address)
    page.wait_for_function("window.ready")
    return page


def closed(page):
    page.context.close()
    assert not page.errors


@pytest.fixture
def browser_page(chromium, address):
    page = opened(chromium, address)
    yield page
    closed(page)


@pytest.fixture
def phone_page(chromium, address):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3}
    page = opened(chromium, address, **phone)
    yield page
    closed(page)


class Drawing:
    """A painter on a page, spoken to in grid pixels."""

    def __init__(self, page, **options):
        self.page, self.options = page, {"width": 64, "height": 64, "brush": 1, **options}
        page.evaluate("options => { make(options) }", self.options)
        self.width, self.height = self.options["width"], self.options["height"]

    def do(self, script, argument=None):
        return self.page.evaluate(f"argument => painter.{script}", argument)

    def client(self, x, y):
        box = self.page.locator(".painter-canvas").first.bounding_box()
        return box["x"] + (x + 0.5) * box["width"] / self.width, box["y"] + (y + 0.5) * box["height"] / self.height

    def drag(self, *points, button="left", steps=1):
        self.page.mouse.move(*self.client(*points[0]))
        self.page.mouse.down(button=button)
        for point in points[1:]:
            self.page.mouse.move(*self.client(*point), steps=steps)
        self.page.mouse.up(button=button)

    def tap(self, x, y, **how):
        self.drag((x, y), **how)

    @property
    def pixels(self):
        indices, width, height = unpack(self.do("encode()"))
        assert (width, height) == (self.width, self.height)
        return indices

    def of(self, value):
        return {(i % self.width, i // self.width) for i, pixel in enumerate(self.pixels) if pixel == value}

    @property
    def changes(self):
        return self.page.evaluate("changes")


def rectangle(left, top, right, bottom):
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


# --- tools


def test_a_tap_leaves_the_round_brush(browser_page):
    drawing = Drawing(browser_page, brush=3)
    drawing.tap(20, 30)
    assert drawing.of(1) == {(20, 30), (19, 30), (21, 30), (20, 29), (20, 31)}
    drawing.do("clear()")
    drawing.do("setBrush(5)")
    drawing.tap(20, 30)
    assert drawing.of(1) == rectangle(18, 28, 23, 33) - {(18, 28), (22, 28), (18, 32), (22, 32)}
    drawing.do("clear()")
    drawing.do("setBrush(2)")
    drawing.tap(20, 30)
    assert len(drawing.of(1)) == 4


def test_a_fast_stroke_has_no_gaps_and_only_the_classes_drawn(browser_page):
    drawing = Drawing(browser_page, width=256, height=256, palette=LANDSCAPE, pen=3)
    drawing.drag((5, 10), (245, 90))  # one single move of the mouse
    painted = drawing.of(3)
    assert set(drawing.pixels) == {0, 3}
    assert [x for x, _ in sorted(painted)] == list(range(5, 246))  # a pixel in every column ...
    rows = [y for _, y in sorted(painted)]
    assert rows[0] == 10
    assert rows[-1] == 90
    assert {b - a for a, b in itertools.pairwise(rows)} == {0, 1}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9, 17])
def test_every_brush_paints_solid_strokes(browser_page, size):
    drawing = Drawing(browser_page, brush=size)
    drawing.drag((8, 20), (56, 20))
    rows = {y for _, y in drawing.of(1)}
    assert len(rows) == size
    assert rectangle(8, min(rows), 57, max(rows) + 1) <= drawing.of(1)


def test_a_stroke_goes_on_after_leaving_the_canvas(browser_page):
    drawing = Drawing(browser_page)
    drawing.drag((50, 10), (90, 10), (90, 40), (50, 40))
    assert drawing.of(1) == rectangle(50, 10, 64, 11) | rectangle(50, 40, 64, 41)
    assert [change["final"] for change in drawing.changes].count(True) == 1


def test_eraser_and_right_button_paint_the_background(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, background=2)
    drawing.drag((5, 30), (60, 30))
    drawing.tap(20, 30, button="right")
    assert (20, 30) not in drawing.of(1)
    assert drawing.do("tool") == "brush"
    drawing.do('setTool("eraser")')
    drawing.drag((30, 30), (60, 30))
    assert drawing.of(1) == rectangle(5, 30, 30, 31) - {(20, 30)}
    assert set(drawing.pixels) == {1, 2}


def test_fill_stops_at_a_line_one_pixel_wide_even_a_diagonal_one(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    drawing.drag((0, 0), (63, 63))
    drawing.do("select(2)")
    drawing.do('setTool("fill")')
    drawing.tap(40, 10)
    assert drawing.of(2) == {(x, y) for x in range(64) for y in range(64) if x > y}
    assert drawing.of(1) == {(x, x) for x in range(64)}


def test_some_classes_go_under_the_ink(browser_page):
    palette = [*LANDSCAPE[:2], {**LANDSCAPE[2], "under": 1}]
    drawing = Drawing(browser_page, palette=palette)
    drawing.drag((10, 32), (50, 32))
    ink = drawing.of(1)
    drawing.do("select(2)")
    drawing.drag((30, 20), (30, 44))
    assert drawing.of(1) == ink
    assert drawing.of(2) == {(30, y) for y in range(20, 45) if y != 32}
    drawing.do('setTool("fill")')
    drawing.tap(20, 32)  # on the line itself
    assert drawing.of(1) == ink
    drawing.do('setTool("eraser")')
    drawing.tap(30, 32)
    assert drawing.of(1) == ink - {(30, 32)}


def test_fill_reaches_around_corners(browser_page):
    drawing = Drawing(browser_page)
    maze = bytearray(64 * 64)
    for wall in range(2, 64, 4):  # walls with a gap at alternating ends
        for x in range(64):
            maze[wall * 64 + x] = 1
        maze[wall * 64 + (0 if wall % 8 == 2 else 63)] = 0
    drawing.do("load({indices: Uint8Array.from(argument), width: 64, height: 64})", list(maze))
    drawing.do('setTool("fill")')
    drawing.tap(30, 0)
    assert set(drawing.pixels) == {1}


def test_a_big_fill_is_quick(browser_page):
    drawing = Drawing(browser_page, width=512, height=512, palette=LANDSCAPE)
    dots = "Uint8Array.from({length: 512 * 512}, (_, i) => i % 2 && (i >> 9) % 2)"
    drawing.do(f"load({{indices: {dots}, width: 512, height: 512}})")
    drawing.do('setTool("fill")')
    browser_page.evaluate("addEventListener('pointerdown', () => { window.began = performance.now() }, true)")
    browser_page.evaluate("addEventListener('pointerup', () => { window.took = performance.now() - began })")
    drawing.do("select(2)")
    drawing.tap(0, 0)
    assert len(drawing.of(2)) == 512 * 512 * 3 // 4
    assert browser_page.evaluate("took") < 500


def test_line_previews_snaps_and_leaves_no_trace(browser_page):
    drawing = Drawing(browser_page)
    drawing.do('setTool("line")')
    drawing.drag((10, 10), (60, 33), (2, 60), (30, 10))
    assert drawing.of(1) == rectangle(10, 10, 31, 11)
    browser_page.keyboard.down("Shift")
    drawing.drag((10, 20), (33, 24))  # nearly flat
    drawing.drag((10, 30), (28, 50))  # nearly diagonal
    browser_page.keyboard.up("Shift")
    diagonal = {(10 + i, 30 + i) for i in range(20)}
    assert drawing.of(1) == rectangle(10, 10, 31, 11) | rectangle(10, 20, 34, 21) | diagonal


def test_eyedropper_picks_and_hands_back(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    drawing.tap(20, 20)
    drawing.do("select(3)")
    drawing.do('setTool("fill")')
    drawing.do('setTool("eyedropper")')
    drawing.tap(20, 20)
    assert (drawing.do("pen"), drawing.do("tool")) == (1, "fill")
    drawing.do('setTool("brush")')
    browser_page.keyboard.down("Alt")
    drawing.tap(40, 40)
    browser_page.keyboard.up("Alt")
    assert (drawing.do("pen"), drawing.do("tool")) == (0, "brush")
    assert drawing.of(1) == {(20, 20)}


# --- undo, redo, clear


def test_undo_and_redo_give_back_exactly_what_was(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, brush=5)
    states = [drawing.pixels]
    drawing.drag((5, 5), (50, 20), (8, 44))
    states.append(drawing.pixels)
    drawing.do("select(2)")
    drawing.do('setTool("fill")')
    drawing.tap(60, 60)
    states.append(drawing.pixels)
    drawing.tap(30, 12, button="right")
    states.append(drawing.pixels)
    drawing.do("clear()")
    states.append(drawing.pixels)
    assert len(set(states)) == 4
    assert states[0] == states[4]
    for state in reversed(states[:-1]):
        browser_page.keyboard.press("Control+z")
        assert drawing.pixels == state
    browser_page.keyboard.press("Control+z")  # nothing left: nothing happens
    for state, key in zip(states[1:], ["Control+y", "Control+Shift+Z"] * 2, strict=False):
        browser_page.keyboard.press(key)
        assert drawing.pixels == state
    drawing.do("undo()")
    drawing.do('setTool("brush")')
    drawing.do("select(3)")
    drawing.drag((1, 60), (9, 60))
    after = drawing.pixels
    drawing.do("redo()")  # a new stroke ended that future
    assert drawing.pixels == after


def test_a_hundred_steps_even_of_noise_at_full_size(browser_page):
    palette = [{"name": str(i), "colour": f"#0000{i:02x}"} for i in range(255)]
    Drawing(browser_page, width=512, height=512, palette=palette)
    browser_page.evaluate("""() => {
        painter.onChange = () => {};
        window.kept = [painter.indices.slice()];
        for (let step = 0, seed = 1; step < 100; step++) {
            const indices = painter.indices.map(() => (seed = seed * 48271 % 2147483647) % 255);
            painter.load({ indices, width: 512, height: 512 });
            if (step % 25 === 0) kept.push(painter.indices.slice());
        }
    }""")
    assert browser_page.evaluate("""() => {
        for (let step = 0; step < 24; step++) painter.undo();
        for (const state of kept.reverse().slice(0, -1)) {
            if (state.some((value, i) => value !== painter.indices[i])) return false;
            for (let step = 0; step < 25; step++) painter.undo();
        }
        return kept.at(-1).every((value, i) => value === painter.indices[i]);
    }""")


@pytest.mark.parametrize("key", ["Control+z", "Escape"])
def test_undo_and_escape_during_a_stroke_take_the_stroke_back(browser_page, key):
    drawing = Drawing(browser_page)
    drawing.tap(5, 5)
    browser_page.mouse.move(*drawing.client(20, 20))
    browser_page.mouse.down()
    browser_page.mouse.move(*drawing.client(40, 20))
    browser_page.keyboard.press(key)
    browser_page.mouse.move(*drawing.client(40, 40))
    browser_page.mouse.up()
    assert drawing.of(1) == ({(5, 5)} if key == "Escape" else set())
    drawing.do("redo()")
    assert drawing.of(1) == {(5, 5)}


def test_a_shorter_palette_forgets_the_classes_it_lost(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, pen=3)
    drawing.drag((5, 5), (30, 5))
    drawing.do("select(1)")
    drawing.drag((5, 9), (30, 9))
    drawing.do("setPalette(argument)", LANDSCAPE[:3])
    assert set(drawing.pixels) == {0, 1}
    drawing.do("undo()")  # would bring back rock
    assert set(drawing.pixels) == {0, 1}
    assert drawing.do("pen") == 1


# --- touch and pen


def touch(page, kind, *points):
    if not hasattr(page, "devtools"):
        page.devtools = page.context.new_cdp_session(page)
    page.devtools.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": number} for number, (x, y) in points]},
    )


def test_one_finger_draws(phone_page):
    drawing = Drawing(phone_page)
    touch(phone_page, "touchStart", (0, drawing.client(10, 20)))
    touch(phone_page, "touchMove", (0, drawing.client(50, 20)))
    touch(phone_page, "touchEnd")
    assert drawing.of(1) == rectangle(10, 20, 51, 21)
    assert phone_page.evaluate("[scrollX, scrollY]") == [0, 0]


def test_a_second_finger_cancels_and_neither_draws_until_both_are_lifted(phone_page):
    drawing = Drawing(phone_page)
    a, b = drawing.client(10, 20), drawing.client(40, 40)
    touch(phone_page, "touchStart", (0, a))
    touch(phone_page, "touchMove", (0, drawing.client(30, 20)))
    assert drawing.of(1)
    touch(phone_page, "touchStart", (0, drawing.client(30, 20)), (1, b))
    assert drawing.of(1) == set()
    touch(phone_page, "touchMove", (0, a), (1, drawing.client(50, 50)))
    touch(phone_page, "touchEnd", (0, a))
    touch(phone_page, "touchMove", (0, drawing.client(60, 60)))
    touch(phone_page, "touchEnd")
    assert drawing.of(1) == set()
    assert not drawing.do("undo()")
    if drawing.changes:  # a page that saw the beginning also hears that it was taken back
        assert drawing.changes[-1]["final"]
        assert set(unpack(drawing.changes[-1]["rle"])[0]) == {0}
    touch(phone_page, "touchStart", (0, a))
    touch(phone_page, "touchEnd")
    assert drawing.of(1) == {(10, 20)}


def pointer(drawing, kind, number, device, point, **more):
    x, y = drawing.client(*point)
    event = {
        "pointerId": number,
        "pointerType": device,
        "clientX": x,
        "clientY": y,
        "bubbles": True,
        "isPrimary": True,
        "button": 0 if kind == "pointerdown" else -1,
        "buttons": 0 if kind == "pointerup" else 1,
        **more,
    }
    canvas = drawing.page.locator(".painter-canvas")
    canvas.evaluate("(canvas, [kind, event]) => canvas.dispatchEvent(new PointerEvent(kind, event))", [kind, event])


def test_a_pen_ignores_the_palm_and_its_other_end_erases(browser_page):
    drawing = Drawing(browser_page)
    pointer(drawing, "pointerdown", 7, "touch", (60, 60))  # the palm lands first ...
    pointer(drawing, "pointerdown", 9, "pen", (10, 10))
    pointer(drawing, "pointermove", 7, "touch", (50, 60))
    pointer(drawing, "pointerdown", 8, "touch", (40, 60))  # ... or in the middle
    pointer(drawing, "pointermove", 9, "pen", (30, 10))
    pointer(drawing, "pointerup", 9, "pen", (30, 10))
    assert drawing.of(1) == rectangle(10, 10, 31, 11)
    pointer(drawing, "pointerdown", 9, "pen", (20, 10), button=5, buttons=32)
    pointer(drawing, "pointermove", 9, "pen", (30, 10), buttons=32)
    pointer(drawing, "pointerup", 9, "pen", (30, 10))
    assert drawing.of(1) == rectangle(10, 10, 20, 11)


def test_a_stroke_the_system_takes_away_never_was(browser_page):
    drawing = Drawing(browser_page)
    pointer(drawing, "pointerdown", 3, "touch", (10, 10))
    pointer(drawing, "pointermove", 3, "touch", (30, 10))
    pointer(drawing, "pointercancel", 3, "touch", (30, 10))
    assert drawing.of(1) == set()


def test_pressure_only_on_request(browser_page):
    drawing = Drawing(browser_page, brush=5)
    for pressure in (False, True):
        browser_page.evaluate("on => { painter.pressure = on; painter.clear() }", pressure)
        pointer(drawing, "pointerdown", 9, "pen", (30, 30), pressure=1)
        pointer(drawing, "pointerup", 9, "pen", (30, 30))
        assert len({x for x, _ in drawing.of(1)}) == (8 if pressure else 5)


# --- the keyboard


def test_shortcuts(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, brush=3)
    browser_page.mouse.move(*drawing.client(30, 30))  # over the painter, without the focus
    tools = {"g": "fill", "l": "line", "e": "eraser", "i": "eyedropper", "b": "brush", "G": "fill"}
    for key, tool in tools.items():
        browser_page.keyboard.press(key)
        assert drawing.do("tool") == tool
        assert browser_page.locator(f"[data-name={tool}]").get_attribute("aria-pressed") == "true"
    browser_page.keyboard.press("3")
    assert drawing.do("pen") == 2
    browser_page.keyboard.press("]")
    assert drawing.do("brush") == 5
    for _ in range(4):
        browser_page.keyboard.press("[")
    assert drawing.do("brush") == 2
    drawing.do('setTool("brush")')
    drawing.tap(10, 10)
    browser_page.keyboard.press("Delete")
    assert drawing.of(2) == set()
    browser_page.keyboard.press("Control+z")
    assert len(drawing.of(2)) == 4


def test_shortcuts_follow_the_place_of_the_key_on_a_korean_layout(browser_page):
    drawing = Drawing(browser_page)
    browser_page.mouse.move(*drawing.client(30, 30))
    event = {"key": "ㄷ", "code": "KeyE", "bubbles": True, "composed": True}
    browser_page.evaluate("event => { document.body.dispatchEvent(new KeyboardEvent('keydown', event)) }", event)
    assert drawing.do("tool") == "eraser"


def test_keys_typed_elsewhere_are_left_alone(browser_page):
    drawing = Drawing(browser_page)
    browser_page.focus("#text")
    browser_page.mouse.move(*drawing.client(30, 30))
    browser_page.keyboard.type("beg")
    assert browser_page.input_value("#text") == "beg"
    assert drawing.do("tool") == "brush"
    browser_page.evaluate("document.activeElement.blur()")
    browser_page.mouse.move(990, 890)
    browser_page.keyboard.press("e")
    assert drawing.do("tool") == "brush"


def test_drawing_with_the_keyboard_alone(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    live = browser_page.locator(".painter-live")
    browser_page.focus("#text")
    browser_page.keyboard.press("Tab")  # the toolbar is one stop, the canvas the next
    assert browser_page.evaluate("document.activeElement.dataset.name") == "brush"
    browser_page.keyboard.press("ArrowRight")
    browser_page.keyboard.press("ArrowLeft")
    browser_page.keyboard.press("Tab")
    assert browser_page.locator(".painter-cross").count() == 1
    assert browser_page.locator(".painter-stage").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    browser_page.keyboard.press("ArrowLeft")
    assert live.inner_text() == "sky, column 32, row 33"
    browser_page.keyboard.press("Space")
    assert live.inner_text() == "Pen down"
    browser_page.keyboard.press("Shift+ArrowRight")
    browser_page.keyboard.press("Shift+ArrowDown")
    browser_page.keyboard.press("Shift+ArrowLeft")
    browser_page.keyboard.press("Shift+ArrowUp")
    browser_page.keyboard.press("Space")
    square = rectangle(31, 32, 40, 41)
    assert live.inner_text() == "Pen up"
    assert drawing.of(1) == square - rectangle(32, 33, 39, 40)
    browser_page.keyboard.press("ArrowDown")
    browser_page.keyboard.press("ArrowRight")
    browser_page.keyboard.press("3")
    browser_page.keyboard.press("Enter")
    assert live.inner_text() == "Filled with grass"
    assert drawing.of(2) == rectangle(32, 33, 39, 40)
    browser_page.keyboard.press("Control+z")
    browser_page.keyboard.press("Control+z")
    assert set(drawing.pixels) == {0}
    browser_page.keyboard.press("Space")
    browser_page.keyboard.press("ArrowUp")
    browser_page.keyboard.press("Escape")
    assert set(drawing.pixels) == {0}
    browser_page.keyboard.press("Tab")  # on to the classes: arrows choose among them
    browser_page.keyboard.press("ArrowDown")
    assert drawing.do("pen") == 3


# --- payload and pictures


@pytest.mark.parametrize("kinds", [1, 2, 7, 255])
def test_what_javascript_packs_python_unpacks(browser_page, kinds):
    for width, height, run in [(1, 1, 1), (33, 20, 1), (33, 20, 7), (512, 300, 90_000)]:
        text = browser_page.evaluate(
            """([kinds, width, height, run]) => {
            const indices = Uint8Array.from({ length: width * height }, (_, i) => Math.floor(i / run) * 7919 % kinds);
            const text = module.encode(indices, width, height), back = module.decode(text);
            const same = back.width === width && back.height === height && back.indices.join() === indices.join();
            return same && text;
        }""",
            [kinds, width, height, run],
        )
        assert unpack(text) == (bytes(i // run * 7919 % kinds for i in range(width * height)), width, height)


def test_hostile_payloads_are_refused_on_both_sides(browser_page):
    good = bytes([1, 1, 4, 0, 4, 0, 31])
    assert unpack(base64.urlsafe_b64encode(good).decode()) == (bytes([1] * 16), 4, 4)
    bad = [
        b"",
        b"\x02" + good[1:],
        good[:-1],
        good + b"\x01",
        good[:-1] + b"\x05",
        good[:-1] + b"\x80",
        bytes([1, 1, 255, 255, 255, 255, 31]),
        bytes([1, 1, 0, 0, 4, 0, 31]),
        good[:-1] + b"\xff" * 12,
    ]
    for data in bad:
        text = base64.urlsafe_b64encode(data).decode()
        with pytest.raises(ValueError, match=r"drawing|run|pixels"):
            unpack(text)
        refused = "text => { try { module.decode(text) } catch (error) { return error.message } }"
        assert "drawing" in browser_page.evaluate(refused, text)


def test_a_sketch_is_about_a_kilobyte(browser_page):
    drawing = Drawing(browser_page, width=256, height=256, brush=3)
    shoe = [(30, 150), (40, 90), (80, 80), (110, 110), (170, 130), (225, 150), (228, 175), (30, 175), (30, 150)]
    drawing.drag(*shoe, steps=4)
    for x in range(90, 160, 18):
        drawing.drag((x, 100 + (x - 90) // 3), (x + 16, 118 + (x - 90) // 3), steps=3)
    drawing.drag((30, 165), (228, 165), steps=5)
    assert len(drawing.do("encode()")) < 2000


def test_png_is_exact(browser_page):
    palette = [{"name": str(i), "colour": f"#{(i * 40503 + 0x123456) % 0xFFFFFF:06x}"} for i in range(255)]
    drawing = Drawing(browser_page, palette=palette, width=70, height=51)
    drawing.do("load({indices: Uint8Array.from({length: 3570}, (_, i) => i % 255), width: 70, height: 51})")
    for ids in (False, True):
        data = browser_page.evaluate(
            """async ids => {
            const bytes = new Uint8Array(await (await painter.png({ ids })).arrayBuffer());
            return btoa(String.fromCharCode(...bytes));
        }""",
            ids,
        )
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        picture.load()
        assert (picture.mode, picture.size) == ("L" if ids else "RGB", (70, 51))
        colours = range(255) if ids else [tuple(bytes.fromhex(entry["colour"][1:])) for entry in palette]
        assert list(picture.get_flattened_data()) == list(colours) * 14
        assert "transparency" not in picture.info


def test_load_snaps_pictures_and_says_so(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    load = """async ([size, colours]) => {
        const canvas = new OffscreenCanvas(size, size), pen = canvas.getContext("2d");
        for (const [i, colour] of colours.entries()) {
            pen.fillStyle = colour;
            pen.fillRect(0, i * size / colours.length, size, size);
        }
        return painter.load({ image: await createImageBitmap(canvas) });
    }"""
    report = browser_page.evaluate(load, [64, ["#1e64b4", "#2060b0", "#5aa02c", "#ff0000"]])
    assert report == {"exact": 2048, "snapped": 2048, "resized": False}
    assert drawing.of(1) == rectangle(0, 0, 64, 32)
    assert drawing.of(2) == rectangle(0, 32, 64, 48)
    assert drawing.of(3) == rectangle(0, 48, 64, 64)
    assert browser_page.evaluate(load, [500, ["#1e64b4", "#5aa02c"]]) == {"exact": 4096, "snapped": 0, "resized": True}
    drawing.do("undo()")
    drawing.do("undo()")  # each load is one step
    assert set(drawing.pixels) == {0}


def test_load_takes_payloads_of_any_size_and_maps_unknown_classes_to_background(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, background=2)
    report = browser_page.evaluate("painter.load({ rle: module.encode(Uint8Array.from([0, 1, 3, 9]), 2, 2) })")
    assert report == {"exact": 3072, "snapped": 1024, "resized": True}
    assert drawing.of(1) == rectangle(32, 0, 64, 32)
    assert drawing.of(2) == rectangle(32, 32, 64, 64)


# --- living in a page


def test_on_change_comes_at_most_once_a_frame_and_once_at_the_end(browser_page):
    drawing = Drawing(browser_page, width=256, height=256, brush=9)
    browser_page.evaluate("window.frames_seen = 0; (function tick() { frames_seen++; requestAnimationFrame(tick) })()")
    browser_page.mouse.move(*drawing.client(5, 5))
    browser_page.mouse.down()
    before = browser_page.evaluate("frames_seen")
    for step in range(60):
        browser_page.mouse.move(*drawing.client(5 + 4 * step, 128 + 100 * (-1) ** step), steps=2)
    frames = browser_page.evaluate("frames_seen") - before
    during = drawing.changes
    browser_page.mouse.up()
    assert 3 < len(during) <= frames + 1
    assert not any(change["final"] for change in during)
    after = drawing.changes[len(during) :]
    assert [change["final"] for change in after][-1] is True
    assert [c["final"] for c in after].count(True) == 1
    assert after[-1]["rle"] == drawing.do("encode()")
    drawing.do("load({ rle: painter.encode() })")  # an echo, as from a rerun: nothing changes, nobody is told
    assert len(drawing.changes) == len(during) + len(after)


def test_a_reload_keeps_the_drawing(browser_page):
    drawing = Drawing(browser_page, storage="pix2pix:edges2shoes")
    drawing.drag((5, 5), (40, 50))
    kept = drawing.pixels
    browser_page.reload()
    browser_page.wait_for_function("window.ready")
    again = Drawing(browser_page, storage="pix2pix:edges2shoes")
    assert again.pixels == kept
    assert [change["final"] for change in again.changes] == [True]  # so that the page can show what the drawing makes
    browser_page.evaluate("localStorage.setItem('pix2pix:edges2shoes', 'nonsense')")
    browser_page.reload()
    browser_page.wait_for_function("window.ready")
    assert set(Drawing(browser_page, storage="pix2pix:edges2shoes").pixels) == {0}


def test_a_drawing_of_a_larger_palette_comes_back_without_its_colours(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, storage="sketch")
    for name in (1, 3):
        drawing.do("select(argument)", name)
        drawing.drag((5, 10 * name), (50, 10 * name))
    kept = drawing.pixels
    assert {1, 3} < set(kept)
    browser_page.reload()
    browser_page.wait_for_function("window.ready")
    smaller = Drawing(browser_page, palette=LANDSCAPE[:2], storage="sketch")
    assert list(smaller.pixels) == [value if value < 2 else 0 for value in kept]
    browser_page.reload()  # looking alone changes nothing of what is kept
    browser_page.wait_for_function("window.ready")
    assert Drawing(browser_page, palette=LANDSCAPE, storage="sketch").pixels == kept


def screen(page):
    """What the canvas shows, one #rrggbb a pixel."""
    return page.evaluate("""() => {
        const canvas = document.querySelector(".painter-canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const hex = byte => byte.toString(16).padStart(2, "0");
        const colour = at => "#" + [...data.slice(at, at + 3)].map(hex).join("");
        return Array.from({ length: data.length / 4 }, (_, i) => colour(4 * i));
    }""")


def test_the_screen_shows_the_array_through_every_kind_of_change(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, brush=5)

    def agree(palette=LANDSCAPE):
        browser_page.evaluate("new Promise(requestAnimationFrame)")
        assert screen(browser_page) == [palette[i]["colour"] for i in drawing.pixels]

    agree()
    drawing.drag((5, 5), (50, 40), steps=7)
    agree()
    drawing.do('setTool("line")')
    drawing.drag((5, 60), (60, 5), (80, 80), (30, 60), steps=3)
    agree()
    for action in ("undo()", "undo()", "redo()", "clear()", "undo()"):
        drawing.do(action)
        agree()
    night = [{**entry, "colour": f"#0000{i:x}0"} for i, entry in enumerate(LANDSCAPE)]
    drawing.do("setPalette(argument)", night)
    agree(night)
    drawing.do("setPalette(argument)", night[:1])  # the classes painted with are gone
    agree(night[:1])


@pytest.mark.parametrize(
    "css",
    [
        "#place { max-width: 317px }",
        "#place { transform: scale(1.3); transform-origin: 0 0; margin-top: 900px }",
        "body { zoom: 1.25 }",
    ],
)
def test_coordinates_hold_at_any_size_scroll_and_scale(browser_page, css):
    browser_page.add_style_tag(content=css)
    drawing = Drawing(browser_page, width=256, height=256)
    corners = {(0, 0), (255, 0), (77, 200), (255, 255)}
    for x, y in corners:
        if not 5 < drawing.client(x, y)[1] < 895:
            browser_page.evaluate("y => scrollBy(0, y)", drawing.client(x, y)[1] - 450)
        browser_page.mouse.click(*drawing.client(x, y))
    assert drawing.of(1) == corners


def test_hostile_names_are_text(browser_page):
    name = "<img src=x onerror='window.hacked = 1'><b>sea</b>"
    palette = [{"name": each, "colour": "#ff0000", "group": each} for each in ("paper", name, "__proto__")]
    Drawing(browser_page, palette=palette, words={"selected": name + " {name}"})
    browser_page.get_by_text(name, exact=True).last.click()
    assert browser_page.locator(".painter b, .painter img").count() == 0
    assert not browser_page.evaluate("window.hacked")
    refused = "colour => { try { make({ palette: [{ name: 'a', colour }] }) } catch (error) { return error.message } }"
    assert "should look like" in browser_page.evaluate(refused, "red; background-image: url(//example.org)")


def test_two_painters_do_not_interfere(browser_page):
    drawing = Drawing(browser_page)
    second = "window.second = module.createPainter(document.querySelector('#other'), { width: 64, height: 64 })"
    browser_page.evaluate(second)
    drawing.tap(10, 10)  # the first has the focus, the pointer moves on to the second
    browser_page.locator(".painter-canvas").nth(1).hover()
    browser_page.keyboard.press("e")
    assert (drawing.do("tool"), browser_page.evaluate("second.tool")) == ("eraser", "brush")
    browser_page.mouse.down()
    browser_page.mouse.up()
    browser_page.keyboard.press("g")
    assert (drawing.do("tool"), browser_page.evaluate("second.tool")) == ("eraser", "fill")
    assert len(drawing.of(1)) == 1
    assert browser_page.evaluate("second.indices.some(Boolean)")
    browser_page.evaluate("second.destroy()")
    browser_page.keyboard.press("b")
    assert browser_page.evaluate("second.tool") == "fill"
    assert browser_page.locator(".painter").count() == 1


def test_it_works_from_a_blob_inside_a_shadow_root(browser_page):
    browser_page.evaluate("""async () => {
        const text = await (await fetch("painter.js")).text();
        const { createPainter } = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
        const root = document.querySelector("#place").attachShadow({ mode: "open" });
        window.painter = createPainter(root, { width: 64, height: 64, brush: 1 });
    }""")
    canvas = browser_page.locator(".painter-canvas")
    canvas.click()
    browser_page.keyboard.press("e")
    assert browser_page.evaluate("[painter.tool, painter.indices.filter(Boolean).length]") == ["eraser", 1]
    assert canvas.evaluate("node => getComputedStyle(node).touchAction") == "none"
    assert canvas.bounding_box()["width"] > 500


def test_every_word_can_be_translated(browser_page):
    english = browser_page.evaluate("module.WORDS")
    words = {key: value if key == "groups" else "§" + value for key, value in english.items()}
    palette = [{**entry, "name": "§" + entry["name"], "group": "land"} for entry in LANDSCAPE]
    drawing = Drawing(browser_page, palette=palette, words={**words, "groups": {"land": "§land"}})
    seen = browser_page.evaluate("""() => [...document.querySelectorAll(".painter *:not(kbd, style)")].flatMap(
        node => [node.title, node.getAttribute("aria-label"), node.children.length ? "" : node.textContent]
    ).filter(Boolean)
    """)
    assert len(seen) > 20
    assert all(word.startswith("§") for word in seen)
    drawing.do("setWords({undo: 'Rückgängig'})")
    assert browser_page.locator("[data-name=undo]").get_attribute("aria-label") == "Rückgängig"
    assert browser_page.locator("[data-name=redo]").get_attribute("aria-label") == "Redo"  # missing words are English


def test_every_button_says_what_it_is(browser_page):
    Drawing(browser_page, palette=LANDSCAPE)
    buttons = browser_page.locator("[role=toolbar] button").all()
    assert len(buttons) == 13
    for button in buttons:
        assert button.get_attribute("aria-label")
        assert button.get_attribute("title")
    assert browser_page.locator("[role=radiogroup] [role=radio]").count() == 4
    browser_page.locator("[role=radio]").nth(2).click()
    assert browser_page.evaluate("painter.pen") == 2


def test_a_sketch_offers_no_classes(browser_page):
    drawing = Drawing(browser_page)
    assert not browser_page.locator("[role=radiogroup]").is_visible()
    drawing.tap(5, 5)
    for key in ("1", "i"):  # choosing paper would turn the pen into an eraser nobody can see
        browser_page.keyboard.press(key)
    browser_page.keyboard.down("Alt")
    drawing.tap(9, 9)
    browser_page.keyboard.up("Alt")
    assert (drawing.do("tool"), drawing.do("pen")) == ("brush", 1)
    assert drawing.of(1) == {(5, 5), (9, 9)}


def test_hidden_tools_are_gone_with_their_keys(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE, hide=["fill", "clear", "sizes", "palette"])
    for name in ("fill", "clear", "size-3", "eyedropper"):
        assert not browser_page.locator(f"[data-name={name}]").is_visible()
    drawing.tap(5, 5)
    for key in ("g", "Delete", "]", "3"):
        browser_page.keyboard.press(key)
    assert (drawing.do("tool"), drawing.do("brush"), drawing.do("pen")) == ("brush", 1, 1)
    assert drawing.of(1) == {(5, 5)}


@pytest.mark.parametrize("classes", [2, 13])
def test_a_phone_in_portrait(phone_page, classes):
    palette = [{"name": f"class {i}", "colour": f"#{i * 1234567:06x}", "group": "ab"[i % 2]} for i in range(classes)]
    Drawing(phone_page, palette=palette)
    assert phone_page.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone_page.locator(".painter-canvas").bounding_box()["width"] >= 326
    buttons = [button.bounding_box() for button in phone_page.locator(".painter button:visible").all()]
    assert len(buttons) == (12 if classes == 2 else 26)
    assert all(box["width"] >= 40 and box["height"] >= 40 for box in buttons)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in buttons)


def test_the_cursor_ring_has_the_true_size(browser_page):
    drawing = Drawing(browser_page, brush=17)
    browser_page.mouse.move(*drawing.client(30, 30))
    scale = browser_page.locator(".painter-canvas").bounding_box()["width"] / 64
    assert abs(browser_page.locator(".painter-ring").bounding_box()["width"] - 17 * scale) < 1
    browser_page.mouse.move(5, 5)
    assert browser_page.locator(".painter-ring").count() == 0
    drawing.drag((30, 30), (-3, 30))  # let go outside
    assert browser_page.locator(".painter-ring").count() == 0


# --- patterns, and numbers of a page's own


def test_patterns_mark_classes_on_the_screen_and_change_nothing_else(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    drawing.drag((0, 19), (63, 19))
    pixels, screen = drawing.pixels, drawing.page.locator(".painter-canvas").first
    look = "(canvas) => canvas.toDataURL()"
    plain = screen.evaluate(look)
    drawing.do("setPatterns(true)")
    assert screen.evaluate(look) != plain
    assert drawing.pixels == pixels
    assert drawing.page.locator(".painter-colour canvas").count() == len(LANDSCAPE)
    drawing.drag((5, 40), (20, 40))  # what is painted with patterns on is as exact
    assert {(x, 40) for x in range(5, 21)} <= drawing.of(1)
    drawing.do("undo()")
    drawing.do("setPatterns(false)")
    assert screen.evaluate(look) == plain
    assert drawing.page.locator(".painter-colour canvas").count() == 0


def test_a_page_s_own_numbers_go_into_the_png(browser_page):
    drawing = Drawing(browser_page, palette=LANDSCAPE)
    drawing.drag((0, 20), (63, 20))
    png = drawing.page.evaluate(
        """async (ids) => Array.from(new Uint8Array(await (await painter.png({ ids })).arrayBuffer()))""",
        [255, 7, *range(20, 20 + len(LANDSCAPE))],
    )
    picture = Image.open(io.BytesIO(bytes(png)))
    assert (picture.mode, picture.size) == ("L", (64, 64))
    assert {picture.getpixel((x, 20)) for x in range(64)} == {7}
    assert {picture.getpixel((x, y)) for x in range(64) for y in range(64) if y != 20} == {255}
