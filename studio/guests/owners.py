"""Whose a training, an upload or a trained model is, on a server that strangers use (`studio.guests.limits`: public).

Each browser keeps a random cookie, and what it makes is marked with the cookie's hash. Only the browser that made it
sees it in a list, steers it or deletes it; whoever knows its name may look at it, as with a link that somebody was
sent, and names are then drawn at random. What was made in the shell has no mark: over the network it can be looked at,
and nobody can touch it.

On a machine of one's own (not public) there are no cookies, and everything is everybody's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from studio.guests.limits import limits, trusted
from studio.places import home
from studio.refused import Refused

COOKIE = "studio-visitor"
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")
YEAR = 365 * 24 * 3600
SPARE = 1 << 30  # bytes of the disk that strangers do not get


def public() -> bool:
    """Whether marks count; also if the setting can't be read, since then nobody knows."""
    try:
        return limits().public
    except ValueError:
        return True


def mark(cookie: str | None) -> str | None:
    """What is written on things that the browser with this cookie makes; None = it has none.

    The cookie can't be found from the mark, so that no file on the disk lets anybody in.
    """
    if not isinstance(cookie, str) or not TOKEN.fullmatch(cookie):
        return None
    return hashlib.sha256(f"{COOKIE} {cookie}".encode()).hexdigest()[:32]


def may(owners: str | Iterable[str] | None, cookie: str | None) -> bool:
    """Whether the browser with this cookie may list, steer and delete what these marks are on; a teacher may it all."""
    if trusted() or not public():
        return True
    owners = [owners] if isinstance(owners, str) else list(owners or ())
    own = mark(cookie)
    return own is not None and any(isinstance(each, str) and secrets.compare_digest(own, each) for each in owners)


def unguessable(name: str) -> str:
    """The name, on a public server with letters at the end that nobody guesses."""
    return f"{name}-{secrets.token_hex(5)}" if public() else name


def check_room() -> None:
    """
    Raises:
        ValueError: strangers have filled the disk of a public server so far that they get no more of it.
    """
    place = home()
    place.mkdir(parents=True, exist_ok=True)
    if public() and shutil.disk_usage(place).free < SPARE:
        raise Refused("uploads.diskFull")


# ---- the cookie -----------------------------------------------------------------------------------------------------

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Visitors:
    """ASGI middleware: a page that is opened without the cookie brings one along. Scripts can't read it.

    It comes with the page, before the page's own connections, so that these have it already. In a page of another site
    (a Space is shown in a frame) browsers keep a cookie only if it says so, and only over https.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http" or not public() or mark(_cookie(scope)):
            await self.app(scope, receive, send)
            return
        fresh = _set_cookie(secrets.token_urlsafe(24), _is_secure(scope))

        async def with_cookie(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = list(message.get("headers", []))
                if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers):
                    message = {**message, "headers": [*headers, (b"set-cookie", fresh)]}
            await send(message)

        await self.app(scope, receive, with_cookie)


def _cookie(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if found is not None:
                return found.value
    return None


def _is_secure(scope: Scope) -> bool:
    passed_on = dict(scope["headers"]).get(b"x-forwarded-proto", b"")
    return scope.get("scheme") == "https" or passed_on.split(b",")[0].strip() == b"https"


def _set_cookie(token: str, secure: bool) -> bytes:
    where = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return f"{COOKIE}={token}; Path=/; Max-Age={YEAR}; HttpOnly; {where}".encode()
