"""HTTP routes of a lesson: who is who, QR codes, and the class's wall (`studio.web.wall`).

GET     /api/class                 whether this is a classroom, whether you are its teacher, where phones find it
POST    /api/class/key             {"key": …}: the teacher's key; the answer's cookie remembers it
DELETE  /api/class/key             forgets it
POST    /api/class/qr              {"link": …}: its QR code as SVG
GET     /api/gallery?mine=ID,ID    what hangs, the newest first; to the teacher, what waits; how pictures of yours are
POST    /api/gallery?name=…        a picture (the body) to show; {"id", "secret"}: the secret takes it back
GET     /api/gallery/{id}.png      a picture that hangs; to the teacher, any
POST    /api/gallery/{id}          the teacher: {"hang": true} approves it
DELETE  /api/gallery/{id}          the teacher, or who sent it (header X-Secret): it is deleted
POST    /api/gallery/box           the teacher: {"open": false} closes the box
DELETE  /api/gallery?what=wall     the teacher: deletes what hangs, what is "waiting", or "all"

Errors are ``{"error": "<a sentence>"}`` (`studio.web.door`). On a server without a teacher the wall is not there.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio import registry
from studio.guests import visitors
from studio.refused import Forbidden, Missing, Refused
from studio.web import door
from studio.web.wall import HANGING, ID, MOST_BYTES, NAME, WAITING, Full, Shown, gallery

MOST_LINK = 1_200  # characters: a code that a phone still reads off a projector's picture
LESSON = 12 * 3600  # seconds that a browser remembers the teacher
TAG = re.compile(r"[\w.-]{0,80}")


class LongLink(Refused):
    """No code that can be read holds it."""

    status = 413


_trying = visitors.Buckets(rate=1 / 6, burst=10)  # keys, from one address


# ---- who is who -----------------------------------------------------------------------------------------------------


def standing(request: Request) -> str:
    return visitors.standing(request.client and request.client.host, request.headers, request.cookies)


async def who(request: Request) -> Response:
    teacher = standing(request)
    return _json(
        {
            "classroom": visitors.classroom(),
            "teacher": bool(teacher),
            "key": teacher == "key",  # that can be forgotten
            "address": os.environ.get("STUDIO_ADDRESS") or None,
            "most": MOST_LINK,
        }
    )


async def show_key(request: Request) -> Response:
    client = request.client and request.client.host
    if wait := _trying.take(visitors.network(client)):
        raise visitors.TooMany("wall.wrongKeys", int(wait) + 1)
    key = (await door.table(request)).get("key")
    cookie = visitors.pass_for(key) if isinstance(key, str) else None
    if cookie is None:
        raise Forbidden("wall.wrongKey")
    answer = _json({"teacher": True})
    secure = request.url.scheme == "https"
    answer.set_cookie(visitors.COOKIE, cookie, max_age=LESSON, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


async def forget_key(request: Request) -> Response:
    answer = _json({"teacher": False})
    answer.delete_cookie(visitors.COOKIE, path="/")
    return answer


async def qr(request: Request) -> Response:
    link = (await door.table(request)).get("link")
    if not isinstance(link, str) or not link.isprintable() or " " in link or not _is_web(link):
        raise Refused("wall.noLink")
    if len(link) > MOST_LINK:
        raise LongLink("wall.longLink", n=len(link), most=MOST_LINK)
    svg = await run_in_threadpool(drawn, link)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"} | _INERT)


def drawn(link: str) -> bytes:
    """A link's QR code as an SVG picture, with the quiet zone that readers want."""
    out = io.BytesIO()
    segno.make(link, micro=False, error="m" if len(link) < 300 else "l").save(
        out, kind="svg", border=4, dark="#12131a", light="#ffffff", xmldecl=False, omitsize=True
    )
    return out.getvalue()


def _is_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


# ---- the wall -------------------------------------------------------------------------------------------------------


async def look(request: Request) -> Response:
    """What hangs; 304 if that is what the browser has already, so that a room of open walls costs nothing."""
    teacher = bool(standing(request))
    mine = [id for id in request.query_params.get("mine", "").split(",")[:50] if ID.fullmatch(id)]

    def found() -> tuple[str, dict[str, Any]]:
        wall = gallery()
        version = f'W/"{wall.version()}-{int(teacher)}-{",".join(mine)}"'
        states = {shown.id: "hangs" if shown.hangs is not None else "waits" for shown in wall.all()}
        return version, {
            "open": wall.open,
            "pictures": [_line(shown) for shown in wall.wall()],
            "waiting": [_line(shown) for shown in wall.waiting()] if teacher else None,
            "mine": {id: states.get(id, "gone") for id in mine},
            "teacher": teacher,
            "most": {"name": NAME, "waiting": WAITING, "hanging": HANGING},
        }

    version, facts = await run_in_threadpool(found)
    headers = {"ETag": version, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == version:
        return Response(status_code=304, headers=headers)
    return JSONResponse(facts, headers=headers)


def _line(shown: Shown) -> dict[str, Any]:
    """What everybody may know of a picture."""
    line = {name: getattr(shown, name) for name in ("id", "name", "gan", "tag", "width", "height", "hangs")}
    return line | {"title": registry.gan(shown.gan).about.title if shown.gan in registry.names() else ""}


async def send(request: Request) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("image/png", "image/jpeg", "image/webp"):
        raise door.OtherType("wall.noPicture")
    content = await door.whole(request, MOST_BYTES)
    asked = request.query_params
    gan, tag = asked.get("gan", ""), asked.get("tag", "")
    if gan and (gan not in registry.names() or not TAG.fullmatch(tag)):
        raise Refused("wall.whichModel")
    client = request.client and request.client.host
    place, sender = visitors.network(client), request.headers.get("x-tab", "")[:64]

    def kept() -> dict[str, Any]:
        shown, secret = gallery().send(content, asked.get("name", "")[:200], gan, tag, f"{place} {sender}", place)
        return {"id": shown.id, "secret": secret, "name": shown.name}

    return _json(await run_in_threadpool(kept), 201)


async def picture(request: Request) -> Response:
    shown = await run_in_threadpool(gallery().find, request.path_params["id"])
    if shown.hangs is None and not standing(request):
        raise Missing("wall.gone")
    # Asked for anew each time: what is taken down is gone from everywhere.
    headers = {"Cache-Control": "no-cache", "Content-Disposition": "inline"} | _INERT
    return FileResponse(gallery().path(shown), media_type="image/png", headers=headers)


async def hang(request: Request) -> Response:
    if (await door.table(request)).get("hang") is not True:
        raise Refused("wall.hang")
    return _json(_line(await run_in_threadpool(gallery().hang, request.path_params["id"])))


async def take_down(request: Request) -> Response:
    id, secret = request.path_params["id"], request.headers.get("x-secret", "")
    if standing(request):
        await run_in_threadpool(gallery().delete, id)
    else:
        await run_in_threadpool(gallery().take_back, id, secret)
    return _json({})


async def box(request: Request) -> Response:
    wish = (await door.table(request)).get("open")
    if not isinstance(wish, bool):
        raise Refused("wall.open")
    await run_in_threadpool(gallery().set_open, wish)
    return _json({"open": wish})


async def clear(request: Request) -> Response:
    what = request.query_params.get("what", "")
    if what not in ("all", "wall", "waiting"):
        raise Refused("wall.what")
    return _json({"deleted": await run_in_threadpool(gallery().clear, what)})


# ---- what all of them share -----------------------------------------------------------------------------------------

_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


def _json(facts: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(facts, status, headers={"Cache-Control": "no-store"})


def _route(path: str, act: Callable, method: str = "GET", teacher: bool = False, wall: bool = True) -> Route:
    """One route: for the teacher alone, or only where there is a wall, if so said; refusals become answers."""

    async def answer(request: Request) -> Response:
        try:
            if method != "GET":
                door.check_site(request)
            if wall and not visitors.classroom():
                raise Missing("wall.none")
            if teacher and not standing(request):
                raise Forbidden("wall.teacherOnly")
            return await act(request)
        except (ValueError, Full, visitors.TooMany) as error:
            return door.refusal(request, error)

    return Route(path, answer, methods=[method], name=act.__name__)


routes = [
    _route("/class", who, wall=False),
    _route("/class/key", show_key, "POST"),
    _route("/class/key", forget_key, "DELETE"),
    _route("/class/qr", qr, "POST", wall=False),
    _route("/gallery", look),
    _route("/gallery", send, "POST"),
    _route("/gallery", clear, "DELETE", teacher=True),
    _route("/gallery/box", box, "POST", teacher=True),
    _route("/gallery/{id}.png", picture),
    _route("/gallery/{id}", hang, "POST", teacher=True),
    _route("/gallery/{id}", take_down, "DELETE"),
]
