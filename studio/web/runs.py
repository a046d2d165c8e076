"""HTTP routes of the training room: every viewer sees the same run, and none of them is needed for it to go on.

GET     /api/runs                  the runs, newest first; on a public server those of the browser that asks
GET     /api/runs/{run}?after=N    how it is, its events from number N on, hints
GET     /api/runs/{run}/{file}     a contact sheet
GET     /api/runs/{run}/nearest.webp  what it makes, beside the nearest training pictures
GET     /api/runs/{run}/model.zip  its weights and card, as a checkpoint's folder
POST    /api/runs/{run}            a wish as JSON: {"go": "pause"}, {"off": ["near"]}, {"lr": 0.5}, {"single": "both"},
                                   {"title": "Shoes"}, {"use": true} (makes a checkpoint; the answer has its tag), …
DELETE  /api/runs/{run}            deletes it, unless it is being trained

On a public server a run is watched by whoever has its name, and steered, deleted and taken along by the browser that
started it (`studio.guests.owners`).
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import asdict
from typing import Any

from latex2mathml.converter import convert
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio import registry
from studio.guests import owners, visitors
from studio.guests.limits import limits
from studio.places import home
from studio.training import keep as afterwards
from studio.training import runs
from studio.training.hints import hints
from studio.training.runs import Run

PICTURE = re.compile(r"(sample|single)-\d{7,12}\.webp")
FUNCTION = re.compile(r"(<mi>(?:log|exp|sin|cos)</mi>)")  # TeX sets them apart from what follows
BAR = re.compile(
    r'<mo(?: stretchy="\w+")?(?=[^>]*>(?:&#x0?2016;|&#x0?2225;|&#x0?7C;|\||‖)</mo>)'
)  # a norm's, as high as text
MOST_BODY = 10_000  # bytes of a wish
MOST_EVENTS = 20_000  # lines that are sent at once; the rest follows


def described(run: Run) -> dict[str, Any]:
    """A run in a line."""
    card, status, events = run.card, run.status(), list(run.events())
    seconds = next((e["seconds"] for e in reversed(events) if "seconds" in e), 0.0)
    sample = next((e for e in reversed(events) if e["event"] == "Sample"), None)
    return {
        "name": run.name,
        "gan": card["gan"],
        "title": card.get("title") or run.name,
        "data": runs.data_name(card["data"]),
        "created": card.get("created", 0),
        "goal": card.get("goal") or {},
        "seconds": seconds,
        "sample": {"file": sample["file"], "time": sample["time"]} if sample else None,
        **asdict(status),
        "why": _told(status.why),
    }


def _told(text: str) -> str:
    """A sentence about a run without where this machine keeps things, if strangers read it."""
    return text.replace(str(home()), "STUDIO_HOME") if owners.public() else text


def watched(run: Run, after: int = 0) -> dict[str, Any]:
    """All that a viewer shows of a run; ``events`` only from line ``after`` on."""
    card = run.card
    kind = registry.gan(card["gan"])
    about, config = kind.about, kind.configured(card["config"])
    events = list(run.events())
    return {
        **described(run),
        "device": card.get("trained on") or card.get("device", "cpu"),
        "config": card["config"],
        "from": card.get("from"),
        "wish": asdict(run.wish()),
        "columns": columns(run),
        "players": [{"name": name, "formula": mathml(formula)} for name, formula in about.objective.items()],
        "terms": [
            {
                "name": name,
                "formula": mathml(term.formula),
                "says": term.says,
                "weight": term.weight,
                "value": getattr(config, term.weight) if term.weight else None,
            }
            for name, term in about.terms.items()
            if not term.weight or getattr(config, term.weight)  # a term that this run is without has no curve
        ],
        "hints": [asdict(hint) for hint in hints(events, about)],
        "events": [e | {"why": _told(e["why"])} if "why" in e else e for e in events[after : after + MOST_EVENTS]],
        "next": min(len(events), after + MOST_EVENTS),
    }


def columns(run: Run) -> list[dict[str, str]]:
    """What stands in each column of a run's sheets."""
    kind = registry.gan(run.card["gan"])
    return kind.columns(kind.configured(run.card["config"]), run.card.get("facts") or {})


_known: dict[str, str] = {}


def mathml(formula: str) -> str:
    """TeX -> MathML, which browsers set by themselves."""
    if formula not in _known:
        made = BAR.sub(r'<mo stretchy="false"', convert(formula))
        _known[formula] = FUNCTION.sub(r'\1<mspace width="0.17em"/>', made)
    return _known[formula]


async def listed(request: Request) -> Response:
    cookie = request.cookies.get(owners.COOKIE)
    return await _answer(
        lambda: [described(run) for run in runs.all_runs() if owners.may(run.card.get("owner"), cookie)]
    )


async def one(request: Request) -> Response:
    after = request.query_params.get("after", "0")
    after = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    return await _answer(lambda: watched(runs.find(request.path_params["run"]), after))


async def picture(request: Request) -> Response:
    name = request.path_params["file"]
    try:
        path = runs.find(request.path_params["run"]).folder / name
        if not PICTURE.fullmatch(name) or not path.is_file():
            raise ValueError(f"There is no picture {name[:80]!r}.")
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 404)
    return FileResponse(path, media_type="image/webp", headers={"Cache-Control": "max-age=31536000, immutable"})


def _own(request: Request) -> Run:
    """The run, for whoever may do more than watch it.

    Raises:
        Others: it is another browser's.
        ValueError: there is none.
    """
    run = runs.find(request.path_params["run"])
    if not owners.may(run.card.get("owner"), request.cookies.get(owners.COOKIE)):
        raise Others("This training is somebody else's: you can watch it, and start one of your own.")
    return run


class Others(ValueError):
    """It is another browser's."""


async def model(request: Request) -> Response:
    """The weights to take along."""
    try:
        body = await run_in_threadpool(lambda: afterwards.packed(_own(request)))
    except Others as error:
        return JSONResponse({"error": str(error)}, 403)
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 404)
    name = request.path_params["run"]
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "no-store"}
    return Response(body, media_type="application/zip", headers=headers)


async def nearest(request: Request) -> Response:
    """What it makes, beside the training pictures that are nearest: for who trains it, since these may be private."""

    def made() -> bytes:
        out = io.BytesIO()
        afterwards.nearest_of(_own(request)).save(out, "WEBP", quality=88)
        return out.getvalue()

    try:
        body = await run_in_threadpool(made)
    except Others as error:
        return JSONResponse({"error": str(error)}, 403)
    except ValueError as error:
        return JSONResponse({"error": _told(str(error))}, 404)
    return Response(body, media_type="image/webp", headers={"Cache-Control": "no-store"})


async def deleted(request: Request) -> Response:
    if visitors.foreign(request.headers):
        return JSONResponse({"error": "A page of another site may not steer a training."}, 403)

    def delete() -> dict[str, Any]:
        limits().check()  # where nobody trains, that is the reason, whosever it is
        _own(request).delete()
        return {}

    return await _answer(delete)


async def wished(request: Request) -> Response:
    if visitors.foreign(request.headers):
        return JSONResponse({"error": "A page of another site may not steer a training."}, 403)
    if request.headers.get("content-type", "").split(";")[0] != "application/json":
        return JSONResponse({"error": "Send the wish as application/json."}, 415)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            return JSONResponse({"error": "This wish is too long."}, 413)

    def obey() -> dict[str, Any]:
        limits().check()
        return _obey(_own(request), body)

    return await _answer(obey)


def _obey(run: Run, body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("The wish is not JSON.") from error
    known = {"go", "off", "still", "lr", "single", "minutes", "steps", "title", "use"}
    if not isinstance(wish, dict) or not set(wish) <= known:
        raise ValueError(f"A wish is a table of some of: {', '.join(sorted(known))}.")
    for name in ("off", "still"):
        if name in wish and not (isinstance(wish[name], list) and all(isinstance(v, str) for v in wish[name])):
            raise ValueError(f"{name} is a list of names.")
    for name in ("minutes", "steps", "lr"):
        if name in wish and (isinstance(wish[name], bool) or not isinstance(wish[name], (int, float))):
            raise ValueError(f"{name} is a number.")
    limits().check()
    if "title" in wish:
        run.rename(str(wish.pop("title")))
    if wish.pop("use", False):
        return {"tag": afterwards.use(run), "gan": run.card["gan"]}
    go, single = wish.pop("go", None), wish.pop("single", None)
    more = {name: wish.pop(name) for name in ("minutes", "steps") if name in wish}
    if wish:
        run.ask(**wish)
    if single:
        run.step(str(single))
    elif go == "on":
        run.resume(**more)
    elif go is not None:
        run.ask(go=go)
    return described(run)


async def _answer(get: Any) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(get), headers={"Cache-Control": "no-store"})
    except ValueError as error:
        status = 403 if isinstance(error, Others) else 404 if "There is no run" in str(error) else 422
        return JSONResponse({"error": _told(str(error))}, status, headers={"Cache-Control": "no-store"})


routes = [
    Route("/runs", listed),
    Route("/runs/{run}", one, methods=["GET"]),
    Route("/runs/{run}", wished, methods=["POST"]),
    Route("/runs/{run}", deleted, methods=["DELETE"]),
    Route("/runs/{run}/model.zip", model),
    Route("/runs/{run}/nearest.webp", nearest),
    Route("/runs/{run}/{file}", picture),
]
