"""What the server gives out besides the pages: the parts' JavaScript, the API, and a greeting in the shell."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from pages.parts.javascript import part, warm
from studio import owners
from studio.api import routes as api


def routes() -> list[BaseRoute]:
    """All routes besides Streamlit's own, under the same base path as its own."""
    base = st.get_option("server.baseUrlPath").strip("/")
    start = f"/{base}" if base else ""
    # One mount a folder: a mount of the base path itself would swallow Streamlit's own routes.
    beside = [Mount(start + each.path, app=each.app) for each in api]
    return [Route(f"{start}/parts/{{name}}", part), *beside]


def guards() -> list[Middleware]:
    """What stands before all routes, Streamlit's own included."""
    return [Middleware(owners.Visitors)]


@asynccontextmanager
async def greet(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Says where the studio is, and loads what the first visitor will need while the browser is still opening."""
    port, base = st.get_option("server.port"), st.get_option("server.baseUrlPath").strip("/")
    address = st.get_option("server.address")
    places = [address] if address not in (None, "", "0.0.0.0", "::") else ["localhost", *_in_this_network()]
    print("\n  GAN studio: " + "   ".join(f"http://{place}:{port}/{base}" for place in places) + "\n", flush=True)
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
