"""What goes wrong, in the visitor's language. The backend says it in English; ``book/errors.toml`` knows the rest.

A sentence is found again by its English template: ``{0}``, ``{1}`` … stand for what was filled in, which is said in
the visitor's language too where it is a sentence of the catalogue itself. What is not there stays English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.parts.said.words import LANGUAGES, book, language

HOLE = re.compile(r"\{(\d)\}")
MOST = 64 << 10  # bytes of an error's answer


def said(error: object) -> str:
    """An error of the backend in the language of whoever is served."""
    return told(error, language())


def told(sentence: object, language: str) -> str:
    """A sentence of the backend, or the error that brings it, in a language of the catalogue."""
    text = str(sentence)
    if language == "en" or len(text) > 4000:
        return text
    for pattern, words in _templates():
        if (found := pattern.fullmatch(text)) and language in words:
            return HOLE.sub(lambda hole: told(found.group(int(hole[1]) + 1), language), words[language])
    return text


@cache
def _templates() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """The most outspoken first: "size = {0}: from {1} to 1024 pixels" before "{0} = {1}: from {2} to {3}"."""
    listed = sorted(_sentences(), key=lambda words: -len(HOLE.sub("", words["en"])))
    return [(re.compile(_pattern(words["en"]), re.DOTALL), words) for words in listed]


def _pattern(english: str) -> str:
    parts = HOLE.split(english)  # text, number, text, number … text
    return "".join(re.escape(part) if k % 2 == 0 else "(.+?)" for k, part in enumerate(parts))


def _sentences() -> Iterator[dict[str, str]]:
    for section in book("errors").values():
        yield from section.values()


class Translated:
    """ASGI middleware: the ``{"error"}`` of an HTTP answer in the language that the page asks for (``X-Language``)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope.get("headers", [])).get(b"x-language", b"en").decode("latin-1")
        if scope["type"] != "http" or asked == "en" or asked not in LANGUAGES:
            return await self.app(scope, receive, send)
        begun: Message | None = None
        body = b""

        async def sent(message: Message) -> None:
            nonlocal begun, body
            if message["type"] == "http.response.start" and message["status"] >= 400 and _is_json(message):
                begun = message  # held back: the translation has another length
            elif begun is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body") or len(body) > MOST:
                    start, begun, whole = begun, None, _in(body, asked)
                    kept = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
                    length = [] if message.get("more_body") else [(b"content-length", str(len(whole)).encode())]
                    await send({**start, "headers": [*kept, *length]})
                    await send({**message, "body": whole})

        await self.app(scope, receive, sent)


def _is_json(start: Message) -> bool:
    return any(k.lower() == b"content-type" and v.startswith(b"application/json") for k, v in start["headers"])


def _in(body: bytes, language: str) -> bytes:
    try:
        found = json.loads(body)
        found["error"] = told(found["error"], language)
    except (ValueError, KeyError, TypeError, RecursionError):
        return body
    return json.dumps(found, ensure_ascii=False).encode()
