"""HTTP over the same verbs as everywhere: `routes` for Streamlit's server, `app` for any other.

    curl -F sketch=@sketch.png http://127.0.0.1:8501/api/pix2pix/translate -o shoe.png

====  ==============================  ==================================================================
GET   /api/gans                       every GAN: its words, its verbs with their arguments, its checkpoints
GET   /api/{gan}/{tag}/card.json      what is known about a checkpoint
GET   /api/{gan}/{tag}/preview.webp   its picture; and by name the pictures that its card lists
POST  /api/{gan}/{verb}               asks: pictures as files, the rest as fields (`tag`, `viewer`, `revision` beside)
GET   /api/openapi.json, /api/docs    this interface for machines, and for people with a form to try each verb
====  ==============================  ==================================================================

A verb is declared in its GAN's file and nowhere else: nothing here knows one. A picture comes back as PNG, anything
else, or a picture for whoever accepts `application/json`, as JSON. An error is `{"error": "<a sentence>"}`, in the
language of the header `X-Language` (en, ko); its code is in the answer's `X-Code`, always the same (`studio.refused`).

`X-Tab` (a header, a random name) says which browser tab asks, where a server counts (`visitors`). The server
may be a lecturer's own machine, so: pages of other sites can't post to it, text never names a file of
its disk, and no request is larger than `MOST_BYTES`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from studio import checkpoints, images, registry, serving
from studio.guests import limits, owners, visitors
from studio.images import Picture
from studio.refused import Missing, Phrase, Refused, Told
from studio.verbs import Argument, Verb, jsonable, verbs
from studio.web import door
from studio.web import lesson as class_api
from studio.web import runs as runs_api

MOST_BYTES = 32 * 2**20  # of a request: several photographs of any camera
MOST_TEXT = 256 * 2**10  # bytes of a field that is not a file
MOST_FIELDS = 64
THREADS = 64  # more than one model's turns and line together, so that a full line says so and nobody waits unseen
BESIDE = ("tag", "viewer", "revision")  # fields of every request, beside the verb's own
PICTURES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".gif": "image/gif"}

_asking: RunVar[CapacityLimiter] = RunVar("asking")  # threads of our own: Streamlit's are not to be starved


# ---- asking ---------------------------------------------------------------------------------------------------------


async def ask(request: Request) -> Response:
    """POST /api/{gan}/{verb}: the verb's answer."""
    door.check_site(request)
    gan, verb = request.path_params["gan"], request.path_params["verb"]
    declared = _verb(gan, verb)
    values, beside = _sort(declared, await _form(request))
    viewer = beside.get("viewer") or request.headers.get("x-viewer") or None
    if viewer and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", viewer):
        raise Refused("server.viewer")
    if viewer:  # nobody elsewhere can take this viewer's turn, even who has learnt its name
        viewer = f"{visitors.network(request.client and request.client.host)} {viewer}"
    revision = beside.get("revision") or ""
    if revision and not re.fullmatch(r"[0-9]{1,15}", revision):  # it becomes a header
        raise Refused("server.revisionField")
    as_json = "application/json" in request.headers.get("accept", "")
    gone = threading.Event()

    def work() -> tuple[serving.Answer, bytes, str]:
        answer = serving.server().ask(gan, verb, values, beside.get("tag") or None, viewer, gone)
        if isinstance(answer.value, Picture) and not as_json:
            return answer, images.png(answer.value), "image/png"
        if isinstance(answer.value, images.File) and not as_json:
            return answer, answer.value.content, answer.value.type
        return answer, json.dumps(jsonable(answer.value), ensure_ascii=False).encode(), "application/json"

    limiter = _asking.get(None)
    if limiter is None:
        _asking.set(limiter := CapacityLimiter(THREADS))
    if limiter.available_tokens < 1:
        raise serving.Busy("server.many", 2)
    watch = asyncio.ensure_future(_watch(request, gone))
    try:
        answer, body, kind = await to_thread.run_sync(work, limiter=limiter)
    finally:
        watch.cancel()
    headers = {
        "X-Milliseconds": str(answer.milliseconds),
        "X-Device": answer.device,
        "X-Size": str(answer.size),
        "X-Tag": answer.tag,
        "X-Variant": answer.variant,
        "X-Batch": str(answer.batch),
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=kind, headers=headers | ({"X-Revision": revision} if revision else {}))


async def _form(request: Request) -> dict[str, str | bytes]:
    """The form of a request: text as it is, files as bytes. What was left empty is left out."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "0")
    if len(length) > 12 or (length.isdecimal() and int(length) > MOST_BYTES):
        raise _too_large()
    if not kind and length == "0" and "transfer-encoding" not in request.headers:
        return {}
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise door.OtherType("server.notForm")
    counted = Request(request.scope, _counted(request.receive))
    try:
        form = await counted.form(max_files=8, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT)
    except HTTPException as error:
        raise Refused("server.formUnread", says=error.detail) from error
    except door.TooLarge:
        raise
    except ValueError as error:  # what the parser says of a body that is no form
        raise Refused("server.formBroken") from error
    try:
        found: dict[str, str | bytes] = {}
        for name, value in form.multi_items():
            content = await value.read() if isinstance(value, UploadFile) else value
            if "\0" in name or len(name) > 64 or (isinstance(content, str) and "\0" in content):
                raise Refused("server.fieldName")
            if name in found:
                raise Refused("server.twice", name=name)
            if content != b"":  # a file input that was left empty sends a file of no bytes
                found[name] = content
        return found
    finally:
        await form.close()


def _counted(receive: Callable) -> Callable:
    """The same stream, until it has become larger than a request may be, whatever it claimed to be."""
    total = 0

    async def counting() -> Any:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MOST_BYTES:
            raise _too_large()
        return message

    return counting


def _too_large() -> door.TooLarge:  # the rest is not read
    return door.TooLarge("server.pictureLarge", most=MOST_BYTES // 2**20)


def _sort(verb: Verb, form: dict[str, str | bytes]) -> tuple[dict[str, Any], dict[str, str]]:
    """A form -> the verb's values, and those beside it. Pictures must be files: a text would be a path on this disk."""
    values, beside = {}, {}
    for name, value in form.items():
        argument = verb.arguments.get(name)
        picture = argument is not None and argument.is_file
        if picture and isinstance(value, str) and value.strip():
            raise Refused("server.asFile", name=name)
        if isinstance(value, bytes) and not picture:
            files = [a.name for a in verb.arguments.values() if a.is_file]
            raise Refused("server.noFileArgument", name=name, verb=verb.name, files=files)
        (beside if argument is None and name in BESIDE else values)[name] = value  # `bind` names what is unknown
    return values, beside


async def _watch(request: Request, gone: threading.Event) -> None:
    """Sets `gone` when the visitor hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


# ---- looking --------------------------------------------------------------------------------------------------------


def gans(request: Request) -> JSONResponse:
    """GET /api/gans."""
    cookie = request.cookies.get(owners.COOKIE)
    return JSONResponse({"gans": [_described(name, cookie) for name in registry.names()]})


def _described(name: str, cookie: str | None = None) -> dict[str, Any]:
    gan = registry.gan(name)
    about = gan.about
    return {
        "name": name,
        "title": about.title,
        "year": about.year,
        "idea": about.idea,
        "paper": about.paper,
        "link": about.link,
        "verbs": [
            {
                "name": verb.name,
                "says": verb.says,
                "returns": {Picture: "picture", images.File: "file"}.get(verb.returns, "json"),
                "arguments": [
                    {
                        "name": a.name,
                        "type": "picture" if a.is_picture else "label map" if a.is_map else a.type.__name__,
                        "required": a.required,
                        "default": None if a.required else a.default,
                        "says": a.says,
                    }
                    for a in verb.arguments.values()
                ],
            }
            for verb in verbs(gan).values()
        ],
        "checkpoints": [
            {"tag": tag, "title": card.get("title", tag), "size": card["config"].get("size"), "default": k == 0}
            for k, tag in enumerate(checkpoints.tags(name, cookie))
            for card in [checkpoints.card(name, tag)]
        ],
    }


def file(request: Request) -> Response:
    """GET /api/{gan}/{tag}/{name}: the card, the preview, or a picture that the card lists. No other file."""
    gan, tag, name = (request.path_params[key] for key in ("gan", "tag", "name"))
    try:
        folder, card = checkpoints.folder(gan, tag), checkpoints.card(gan, tag)
    except ValueError as error:
        return door.refusal(request, error, 404)
    if name == "card.json":
        return JSONResponse({name: value for name, value in card.items() if name != "owner"})
    named = [*card.get("examples", []), *card.get("pictures", [])]
    listed = [e for e in named if isinstance(e, str) and Path(e).name == e]
    there = [e for e in ["preview.webp", *listed] if Path(e).suffix in PICTURES and (folder / e).is_file()]
    if name not in there or (folder / name).is_symlink():
        raise Missing("server.noPictureOf", gan=gan, tag=tag, name=name[:60], there=there)
    return FileResponse(folder / name, media_type=PICTURES[Path(name).suffix], headers={"Cache-Control": "max-age=60"})


def _verb(gan: str, verb: str) -> Verb:
    known = verbs(registry.gan(gan))
    if verb not in known:
        raise Missing("values.noVerb", gan=gan, verb=verb[:60], there=known)
    return known[verb]


# ---- the interface, for machines ------------------------------------------------------------------------------------

_SCHEMAS = {int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}, str: {"type": "string"}}
_ERRORS = {
    400: "A value does not fit",
    403: "Sent by another site's page",
    404: "No such GAN, verb or checkpoint",
    409: "A newer question of this viewer took its place",
    413: "Too large",
    415: "Not a form",
    429: "Faster than this server allows: see Retry-After",
    500: "A fault of the studio",
    503: "Too many are waiting: see Retry-After",
}


def openapi(request: Request) -> JSONResponse:
    """GET /api/openapi.json: OpenAPI 3.1, read off the verbs' signatures and docstrings."""
    return JSONResponse(interface(request.scope.get("root_path", "")))


def interface(root: str = "/api") -> dict[str, Any]:
    """The OpenAPI document; `root` is where the routes are mounted."""
    about = {name: registry.gan(name).about for name in registry.names()}
    paths = {
        f"/{name}/{verb.name}": {"post": _operation(name, about[name].title, verb)}
        for name in about
        for verb in verbs(registry.gan(name)).values()
    }
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "GAN studio", "version": "1", "description": "One route for each verb of each GAN."},
        "servers": [{"url": root or "/"}],
        "tags": [{"name": each.title, "description": each.idea["en"]} for each in about.values()],
        "paths": paths,
        "components": {
            "schemas": {"Error": error},
            "responses": {
                str(code): {
                    "description": says,
                    "headers": {"X-Code": {"description": "Which error it is", "schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for code, says in _ERRORS.items()
            },
        },
    }


def _operation(gan: str, title: str, verb: Verb) -> dict[str, Any]:
    fields = {a.name: _schema(a) for a in verb.arguments.values()}
    beside: dict[str, dict[str, Any]] = {
        "tag": {"type": "string", "description": "The checkpoint; left out: the default one."},
        "viewer": {"type": "string", "description": "Who asks: a newer question ends an older one that waits."},
        "revision": {"type": "integer", "description": "Comes back as X-Revision."},
    }
    if tags := checkpoints.tags(gan):
        beside["tag"]["enum"] = tags
    form: dict[str, Any] = {"type": "object", "properties": {**fields, **beside}, "additionalProperties": False}
    if needed := [a.name for a in verb.arguments.values() if a.required]:
        form["required"] = needed
    content: dict[str, Any] = {"application/json": {"schema": {}}}
    if verb.returns is Picture:
        address = {"type": "string", "description": "The picture as a data: address, for whoever accepts only JSON."}
        content = {"image/png": {}, "application/json": {"schema": address}}
    elif verb.returns is images.File:
        address = {"type": "string", "description": "The file as a data: address, for whoever accepts only JSON."}
        content = {"*/*": {}, "application/json": {"schema": address}}
    return {
        "operationId": f"{gan}_{verb.name}",
        "tags": [title],
        "summary": verb.says,
        "requestBody": {"required": bool(needed), "content": {"multipart/form-data": {"schema": form}}},
        "responses": {
            "200": {"description": "The answer.", "content": content},
            **{str(code): {"$ref": f"#/components/responses/{code}"} for code in _ERRORS},
        },
    }


def _schema(argument: Argument) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_SCHEMAS.get(argument.type, {"type": "object"}))
    if argument.is_file:
        schema = {"type": "string", "format": "binary", "contentMediaType": "image/*"}
    if argument.optional:
        schema["type"] = [schema["type"], "null"]
    if not argument.required and argument.default is not None:
        schema["default"] = argument.default
    return schema | ({"description": argument.says} if argument.says else {})


# ---- the interface, for people --------------------------------------------------------------------------------------


def docs(request: Request) -> HTMLResponse:
    """GET /api/docs: one page, made in the browser from openapi.json alone; each verb with a form to try it."""
    inline = "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    policy = f"default-src 'none'; {inline}; img-src blob:; connect-src 'self'; form-action 'none'; base-uri 'none'"
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": policy})


_PAGE = """<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">
<title>GAN studio over HTTP</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h1, h2, h3, p { margin: 0 0 .4rem; line-height: 1.3 } h2 { margin-top: 2.5rem }
small, span { font-weight: 400; opacity: .75 }
form { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: .6rem }
form { padding: 1rem; margin: 1rem 0 }
label { display: grid; grid-template-columns: 7rem 17rem 1fr; gap: .2rem 1rem; align-items: center; margin: .4rem 0 }
@media (max-width: 45rem) { label { grid-template-columns: 1fr } }
input, select, button { font: inherit; max-width: 100%; min-width: 0 } button { padding: .2rem 1.2rem; margin: .5rem 0 }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
pre { max-height: 14rem; overflow: auto }
output { display: block } img { display: block; max-width: 100%; margin: .5rem 0; image-rendering: pixelated }
</style>
<h1>GAN studio over HTTP</h1>
<p>Each verb of each GAN is a form that is posted: pictures as files, the rest as fields. A picture comes back as PNG,
with how it was made in its headers; anything else, and every error, as JSON.
For machines: <a href=openapi.json>openapi.json</a>, <a href=gans>gans</a>.</p>
<main></main>
<script type=module>
const add = (parent, name, set = {}, ...within) => {  // text is always text: nothing of the document becomes HTML
  const made = parent.appendChild(Object.assign(document.createElement(name), set));
  made.append(...within);
  return made;
};
const kindOf = ({ type, format }) => format === "binary" ? "file" : [type].flat()[0];

function field(form, name, schema, required) {
  const label = add(form, "label"), kind = kindOf(schema);
  add(label, "b", {}, name);
  const values = schema.enum || (kind === "boolean" && ["true", "false"]);
  if (values) {
    const select = add(label, "select", { name, required });
    for (const value of values) add(select, "option", {}, value);
    select.value = schema.default ?? values[0];
  } else {
    const type = { file: "file", integer: "number", number: "number" }[kind] || "text";
    const input = add(label, "input", { name, required, type, value: type === "file" ? "" : schema.default ?? "" });
    if (type === "number") input.step = kind === "integer" ? 1 : "any";
    if (type === "file") input.accept = "image/*";
  }
  add(label, "span", {}, schema.description || "");
}

async function send(form, address, out) {
  const reply = await fetch(address, { method: "POST", body: new FormData(form) });
  const picture = (reply.headers.get("content-type") || "").startsWith("image/");
  const body = picture ? await reply.blob() : await reply.json();
  out.replaceChildren();
  if (picture) {
    const src = URL.createObjectURL(body);
    add(out, "img", { src, alt: "The answer", onload: ({ target }) => {
      target.width = Math.max(192, target.naturalWidth);
      URL.revokeObjectURL(src);
    } });
  } else add(out, "pre", {}, body.error || JSON.stringify(body).slice(0, 3000));
  const about = [`Status ${reply.status}`];
  for (const name of ["Milliseconds", "Device", "Size", "Tag", "Variant", "Batch"])
    if (reply.headers.has("X-" + name)) about.push(`${name} ${reply.headers.get("X-" + name)}`);
  add(out, "small", {}, about.join(" · "));
}

const api = await (await fetch("openapi.json")).json(), main = document.querySelector("main");
for (const gan of api.tags) {
  add(main, "h2", {}, gan.name);
  add(main, "p", {}, gan.description);
  for (const [path, { post }] of Object.entries(api.paths)) if (post.tags.includes(gan.name)) {
    const schema = post.requestBody.content["multipart/form-data"].schema, needed = schema.required || [];
    const gives = "image/png" in post.responses[200].content ? "a picture" : "JSON";
    const address = location.origin + api.servers[0].url + path;
    const form = add(main, "form");
    add(add(form, "h3", {}, path.split("/").pop() + " "), "small", {}, "gives " + gives);
    add(form, "p", {}, post.summary);
    for (const [name, each] of Object.entries(schema.properties))
      if (!["viewer", "revision"].includes(name)) field(form, name, each, needed.includes(name));
    add(form, "button", {}, "Send");
    const sample = (name) => kindOf(schema.properties[name]) === "file" ? "@picture.png" : "…";
    const parts = needed.map((name) => `-F ${name}=${sample(name)} `);
    add(add(form, "div"), "code", {}, `curl ${parts.join("")}${address}${gives === "JSON" ? "" : " -o answer.png"}`);
    const out = add(form, "output");
    form.onsubmit = (event) => {
      event.preventDefault();
      out.replaceChildren("…");
      send(form, address, out).catch(() => out.replaceChildren("The server does not answer. Is it running?"));
    };
  }
}
</script></html>
"""


# ---- errors, and the routes -----------------------------------------------------------------------------------------

_EXPECTED = (
    HTTPException, ClientDisconnect, ValueError, serving.Busy, serving.Superseded, serving.Failed, visitors.TooMany,
)  # fmt: skip
_PLAIN = {404: "server.nothingHere", 405: "server.method"}  # what the router says in two words


def _error(request: Request, error: Exception) -> JSONResponse:
    """Every error as JSON with a sentence; what came of a fault of ours is in the log, not in the answer."""
    if isinstance(error, HTTPException):
        answer = door.refusal(request, Phrase(_PLAIN.get(error.status_code, error.detail)), error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    if isinstance(error, ClientDisconnect):
        error = Refused("server.brokeOff")
    elif not isinstance(error, (Told, ValueError)):
        error = serving.Failed("server.failed")
    return door.refusal(request, error)


class _Door:
    """Before every route: counts the question (`visitors.rates`) before its body is read, and notes whose it is, so
    that `limits` are those of a teacher or of a stranger."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        client = request.client and request.client.host
        try:
            if rates := visitors.rates():
                rates.check(client, request.headers.get("x-tab"))
        except visitors.TooMany as error:
            return await _error(request, error)(scope, receive, send)
        with limits.granted(visitors.standing(client, request.headers, request.cookies)):
            await self.app(scope, receive, send)


api = Starlette(
    routes=[
        Route("/gans", gans),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
        *runs_api.routes,
        *class_api.routes,
        Route("/{gan}/{tag}/{name}", file),
        Route("/{gan}/{verb}", ask, methods=["POST"]),
    ],
    exception_handlers={kind: _error for kind in (*_EXPECTED, Exception)},
    middleware=[Middleware(_Door)],
)
routes = [Mount("/api", app=api)]
app = Starlette(routes=routes)
