"""What the server gives out besides the pages: the parts' JavaScript, the API, and a greeting in the shell."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.parts.classroom import greeting
from studio import owners, registry, visitors
from studio.api import routes as api
from studio.limits import granted, limits

PARTS = Path(__file__).parent
KINDS = {".js": "text/javascript", ".svg": "image/svg+xml"}  # said here: Windows' registry may call them text/plain


async def part(request: Request) -> Response:
    """A part's JavaScript, fresh after an update: browsers ask each time and mostly hear "not modified"."""
    path = PARTS / request.path_params["name"]
    if path.parent != PARTS or path.suffix not in KINDS or not path.is_file():
        raise HTTPException(404)
    answer = FileResponse(path, media_type=KINDS[path.suffix], headers={"Cache-Control": "no-cache"})
    answer.set_stat_headers(path.stat())
    if request.headers.get("if-none-match") == answer.headers["etag"]:
        return Response(status_code=304, headers={"ETag": answer.headers["etag"], "Cache-Control": "no-cache"})
    return answer


def routes() -> list[BaseRoute]:
    """All routes besides Streamlit's own, under the same base path as its own."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}" if base else ""
    # One mount a folder: a mount of the base path itself would swallow Streamlit's own routes.
    beside = [Mount(start + each.path, app=each.app) for each in api]
    return [Route(f"{start}/parts/{{name}}", part), *beside]


class _Uploads:
    """Who may not train uploads nothing either: Streamlit would take 500 MB of anybody into its memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "/_stcore/upload_file" in scope["path"] and scope["method"] != "OPTIONS":
            request = Request(scope)
            client = request.client and request.client.host
            with granted(visitors.standing(client, request.headers, request.cookies)):
                off = limits().off
            if off:
                says = "Training is switched off on this server, and so are its uploads."
                return await JSONResponse({"error": says}, 403)(scope, receive, send)
        await self.app(scope, receive, send)


def guards() -> list[Middleware]:
    """What stands before all routes, Streamlit's own included."""
    return [Middleware(owners.Visitors), Middleware(_Uploads)]


@asynccontextmanager
async def greet(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Says where the studio is, and loads what the first visitor will need while the browser is still opening."""
    port, base = st.get_option("server.port"), st.get_option("server.baseUrlPath").strip("/")
    address = st.get_option("server.address")
    everywhere = address in (None, "", "0.0.0.0", "::")
    places = ["localhost", *_in_this_network()] if everywhere else [address]
    print("\n  GAN studio: " + "   ".join(f"http://{place}:{port}/{base}" for place in places) + "\n", flush=True)
    if everywhere and len(places) > 1:  # where the phones of a class find it, for links and QR codes
        os.environ.setdefault("STUDIO_ADDRESS", f"http://{places[1]}:{port}/{base}".rstrip("/"))
    if visitors.classroom():
        print(greeting(os.environ.get("STUDIO_ADDRESS")) + "\n", flush=True)
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    yield {}


def _in_this_network() -> list[str]:
    """This machine's address in its own network, for the phones of a class; nothing is sent to find it out."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # a documentation address: a datagram socket only looks up the route
            found = probe.getsockname()[0]
        return [] if found.startswith("127.") else [found]
    except OSError:
        return []


def _warm() -> None:
    """Imports torch, which takes seconds, and loads the model that most visitors ask first."""
    from PIL import Image

    from pages.parts import catalogue
    from studio import serving
    from studio.verbs import verbs

    first = next((each for each in catalogue.gans() if each.name == catalogue.FIRST and each.about), None)
    if first is None:
        return
    verb = next(iter(verbs(registry.gan(first.name)).values()))
    values = {a.name: Image.new("RGB", (64, 64), "white") for a in verb.arguments.values() if a.is_file and a.required}
    with suppress(Exception):  # no checkpoint yet, or a damaged one: whoever asks for it is told
        serving.server().ask(first.name, verb.name, values)
