"""What all routes share: how a refusal is answered, whose page asks, and how a body is read."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from studio.guests import owners, visitors
from studio.places import home
from studio.refused import LANGUAGES, Forbidden, Phrase, Refused, Told, sentence, told

MOST_BODY = 10_000  # bytes of a JSON


class TooLarge(Refused):
    """More than is read: the connection ends with the answer."""

    status = 413

    @property
    def headers(self) -> dict[str, str]:
        return {"Connection": "close"}


class OtherType(Refused):
    """It does not come as what is asked for."""

    status = 415


class Conflict(Refused):
    """Rightly asked, and it does not fit what is there."""

    status = 409


def language(request: Request) -> str:
    """What the page that asks speaks (``X-Language``); English for programs."""
    asked = request.headers.get("x-language", "en")
    return asked if asked in LANGUAGES else "en"


def refusal(request: Request, error: BaseException | Phrase, otherwise: int = 400) -> JSONResponse:
    """``{"error": "<a sentence>"}`` in the language that the page asks for; the sentence's code is in ``X-Code``.

    Args:
        otherwise: the status of what has no other than that the visitor can mend it.
    """
    status = error.status if isinstance(error, Told) else 400
    says = told(error, language(request))
    if owners.public():  # strangers need not know where this machine keeps things
        says = says.replace(str(home()), "STUDIO_HOME")
    headers = {"Cache-Control": "no-store", **(error.headers if isinstance(error, Told) else {})}
    if isinstance(error, (Told, Phrase)) and sentence(error.code):
        headers["X-Code"] = error.code
    return JSONResponse({"error": says}, otherwise if status == 400 else status, headers=headers)


def check_site(request: Request) -> None:
    """
    Raises:
        Forbidden: a page of another site sent it.
    """
    if visitors.foreign(request.headers):
        raise Forbidden("server.foreign")


async def whole(request: Request, most: int) -> bytes:
    """The body.

    Raises:
        TooLarge: it is larger than it may be, whatever it says of itself.
    """
    length = request.headers.get("content-length", "0")
    body, total = [], int(length) if length.isdecimal() and len(length) < 13 else most + 1
    if total <= most:
        total = 0
        async for part in request.stream():
            body.append(part)
            total += len(part)
            if total > most:
                break
    if total > most:
        raise TooLarge("server.long") if most <= MOST_BODY else TooLarge("server.large", most=most / 2**20)
    return b"".join(body)


async def table(request: Request) -> dict[str, Any]:
    """The body as a JSON table.

    Raises:
        Refused: it is none, or does not say that it is one.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise OtherType("server.asJson")
    try:
        found = json.loads(await whole(request, MOST_BODY))
    except TooLarge:
        raise
    except (ValueError, RecursionError) as error:
        raise Refused("server.notJson") from error
    if not isinstance(found, dict):
        raise Refused("server.notTable")
    return found
