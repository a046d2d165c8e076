"""What each tab of the Gradio app shows, as the browser asks for it: ``GET /space/{tab}?lang=ko&tag=…``.

A tab is a part of the studio (``live.js``, ``sliders.js``, ``faces.js``, ``plane.js``; for training ``runs.js`` and
``room.js``) with what it is told; ``space.js`` mounts it. It is made anew for each visitor, so a model that was trained
a moment ago is in the list.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import import_module
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

import studio
from pages.parts.said import catalogue, told, words
from pages.parts.said.words import said, word
from pages.parts.shell.javascript import PARTS, part
from pages.space import gpu
from studio.guests import owners
from studio.guests.limits import limits
from studio.training import runs
from studio.web import api


def _demos() -> dict[str, tuple[str, ...]]:
    """Tab -> its GANs, of which the first that has a checkpoint is shown: those that say under ``pages/parts/demos``
    what they show. What a first visitor tries comes first, then by year; in a tab the newest comes first."""
    found: dict[str, tuple[str, ...]] = {}
    for shown in sorted(catalogue.gans(), key=lambda shown: shown.name != catalogue.FIRST):
        if shown.about and (PARTS / "demos" / f"{shown.name}.py").is_file():
            name = import_module(f"pages.parts.demos.{shown.name}").TAB
            found[name] = (shown.name, *found.get(name, ()))
    return found


DEMOS = _demos()
TABS = (*DEMOS, "train")
GANS = tuple(
    sorted((shown.name for shown in catalogue.gans() if shown.about), key=lambda name: name != catalogue.FIRST)
)


def routes() -> list[BaseRoute]:
    """All that the tabs need besides Gradio's own: the parts, what they are told, and the studio's HTTP routes."""
    return [
        Route("/parts/{path:path}", part),
        Route("/space/{tab}", tab),
        *(Route(f"/{gan}", page) for gan in (*GANS, "train")),
        *(Mount(each.path, app=each.app) for each in api.routes),
    ]


async def tab(request: Request) -> Response:
    """GET /space/{tab}: what the browser mounts there."""
    name = request.path_params["tab"]
    if name not in TABS:
        raise HTTPException(404)
    with words.speaking(spoken(request)):
        cookie = request.cookies.get(owners.COOKIE)
        found = training(request.query_params, cookie) if name == "train" else demo(name, request.query_params, cookie)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


async def page(request: Request) -> Response:
    """GET /{gan}: a link that was made on the studio's own page of a GAN opens its tab."""
    gan = request.url.path.rstrip("/").rpartition("/")[2]
    at = next((name for name, gans in DEMOS.items() if gan in gans), "train")
    query = f"&{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"./?at={at}{query}", 307)


def label(name: str) -> str:
    """What a tab is called."""
    return word("space.tabs.train") if name == "train" else said(studio.gan(DEMOS[name][0]).about.tab)


def spoken(request: Request | Any) -> str:
    """The language of whoever asks: the address's, else the browser's."""
    return words.understood(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


def demo(name: str, query: Mapping[str, str], cookie: str | None = None) -> dict[str, Any]:
    """A demo's tab: its head, its checkpoints, the part and what it is told; or why there is nothing to play with."""
    gan = next((each for each in DEMOS[name] if studio.tags(each)), DEMOS[name][0])
    about, tags = studio.gan(gan).about, studio.tags(gan, cookie)
    head = {"gan": gan, "title": about.title, "year": about.year, "idea": said(about.idea)}
    if not tags:
        none = {"says": word("space.page.none", title=about.title), "button": word("space.page.toTraining")}
        return {"head": head, "none": none, "css": _css()}
    cards = {tag: studio.card(gan, tag) for tag in tags}
    named = {tag: said(card.get("title") or tag) for tag, card in cards.items()}
    tag, note = query.get("tag", tags[0]), ""
    if tag not in cards:
        note, tag = word("studio.picker.unknown", tag=tag[:40], shown=named[tags[0]]), tags[0]
    shown = import_module(f"pages.parts.demos.{gan}")
    seed = query.get("seed", "")
    beside = {
        "seed": int(seed) if seed.isascii() and seed.isdigit() and len(seed) < 16 else None,
        "hide": sorted({part.strip() for part in query.get("hide", "").split(",") if part.strip()}),
    }
    return {
        "head": head,
        "checkpoints": {"label": word("studio.picker.label"), "chosen": tag, "named": named},
        "note": note,
        "part": f"{shown.PART}/{shown.PART}",
        "css": _css(f"{shown.PART}/{shown.PART}"),
        "data": getattr(told, shown.PART)(gan, tag, **shown.play(cards[tag])) | beside,
    }


def training(query: Mapping[str, str], cookie: str | None = None) -> dict[str, Any]:
    """The training tab below its form: the room of the run in the address, else the runs there are."""
    asked = query.get("run", "")
    try:
        run = runs.find(asked) if asked else None
    except ValueError:
        run = None
    note = word("train.page.noRun", run=asked[:60]) if asked and run is None else ""
    if limits().off:
        note = word("train.page.off")
    if run is None:
        return {"part": "room/runs", "css": _css("room/runs"), "data": told.runs(None, "train"), "note": note}
    mine = owners.may(run.card.get("owner"), cookie)
    steer = mine and not limits().off and not gpu.lent()  # where a GPU is lent, the buttons of the form do it
    data = told.room(run.name, run.card["gan"], "train", query.get("compare"), steer)
    return {"part": "room/room", "css": _css("room/room"), "data": data, "note": note}


def _css(*parts: str) -> str:
    return "\n".join((PARTS / f"{name}.css").read_text(encoding="utf-8") for name in ("space/space", *parts))


def place(name: str) -> str:
    """The markup in which a tab is mounted; it says why it is empty for as long as it is."""
    says = {lang: escape(_in(lang, "space.page.away"), quote=True) for lang in words.LANGUAGES}
    return f"<div class='studio-place' data-tab='{name}' data-en='{says['en']}' data-ko='{says['ko']}'></div>"


def _in(lang: str, key: str, **values: Any) -> str:
    with words.speaking(lang):
        return word(key, **values)
