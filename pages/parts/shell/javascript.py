"""What both front ends' servers give out besides their own: the parts' JavaScript; and what they load beforehand."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from pages.parts.said import catalogue
from studio import registry, serving
from studio.verbs import verbs

PARTS = Path(__file__).parent.parent
NAME = re.compile(r"[a-z]+(/[a-z]+){1,3}\.[a-z]+")  # folders and a file: nothing that climbs
KINDS = {".js": "text/javascript", ".svg": "image/svg+xml"}  # said here: Windows' registry may call them text/plain


async def part(request: Request) -> Response:
    """A part's JavaScript, fresh after an update: browsers ask each time and mostly hear "not modified"."""
    name = request.path_params["path"]
    path = PARTS / name if NAME.fullmatch(name) else None
    if path is None or path.suffix not in KINDS or not path.is_file():
        raise HTTPException(404)
    answer = FileResponse(path, media_type=KINDS[path.suffix], headers={"Cache-Control": "no-cache"})
    answer.set_stat_headers(path.stat())
    if request.headers.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers={"ETag": answer.headers["etag"], "Cache-Control": "no-cache"})
    return answer


def warm() -> None:
    """Imports torch, which takes seconds, and loads the model that most visitors ask first."""
    from PIL import Image

    first = next((each for each in catalogue.gans() if each.name == catalogue.FIRST and each.about), None)
    if first is None:
        return
    verb = next(iter(verbs(registry.gan(first.name)).values()))
    values = {a.name: Image.new("RGB", (64, 64), "white") for a in verb.arguments.values() if a.is_file and a.required}
    with suppress(Exception):  # no checkpoint yet, or a damaged one: whoever asks for it is told
        serving.server().ask(first.name, verb.name, values)
