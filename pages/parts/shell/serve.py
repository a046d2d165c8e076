"""What the server gives out besides the pages: the parts' JavaScript, the API, and a greeting in the shell."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.parts.lesson.classroom import greeting
from pages.parts.shell.javascript import part, warm
from studio.guests import owners, visitors
from studio.guests.limits import granted, limits
from studio.refused import Forbidden
from studio.web import heaps
from studio.web.api import routes as api
from studio.web.door import refusal


def routes() -> list[BaseRoute]:
    """All routes besides Streamlit's own, under the same base path as its own."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}" if base else ""
    # One mount a folder: a mount of the base path itself would swallow Streamlit's own routes.
    beside = [Mount(start + each.path, app=each.app) for each in api]
    return [Route(f"{start}/parts/{{path:path}}", part), *beside]


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
                return await refusal(request, Forbidden("uploads.off"))(scope, receive, send)
        await self.app(scope, receive, send)


def guards() -> list[Middleware]:
    """What stands before all routes, Streamlit's own included."""
    return [Middleware(owners.Visitors), Middleware(_Uploads)]


@asynccontextmanager
async def greet(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Says where the studio is, and loads what the first visitor will need while the browser is still opening."""
    heaps.share()
    port, base = st.get_option("server.port"), st.get_option("server.baseUrlPath").strip("/")
    address = st.get_option("server.address")
    everywhere = address in (None, "", "0.0.0.0", "::")
    places = ["localhost", *_in_this_network()] if everywhere else [address]
    print("\n  GAN studio: " + "   ".join(f"http://{place}:{port}/{base}" for place in places) + "\n", flush=True)
    if everywhere and len(places) > 1:  # where the phones of a class find it, for links and QR codes
        os.environ.setdefault("STUDIO_ADDRESS", f"http://{places[1]}:{port}/{base}".rstrip("/"))
    if visitors.classroom():
        print(greeting(os.environ.get("STUDIO_ADDRESS")) + "\n", flush=True)
    threading.Thread(target=warm, name="warm", daemon=True).start()
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
