"""A named endpoint for each verb, that `gradio_client` can call: made of the verb's own declaration, as the shell and
the HTTP routes are.

    from gradio_client import Client, handle_file
    shoe = Client("owner/name").predict(sketch=handle_file("sketch.png"), seed=3, api_name="/pix2pix_translate")

A picture is given as a file and comes back as one (PNG, as the HTTP routes give it); anything else is JSON. An error
is a sentence. Computing goes through the same line as everybody's (`studio.serving`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import get_blocks_context
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from gradio_client.utils import is_http_url_like

from pages.parts.said import errors
from studio import images, registry, serving
from studio.images import Picture
from studio.refused import Refused
from studio.verbs import Argument, Verb, jsonable, verbs

MOST_BYTES = 32 * 2**20  # of a picture, as in the HTTP routes
MOST_TEXT = 256 * 2**10  # characters of everything else of a question


def endpoints(gans: Sequence[str]) -> None:
    """Makes ``/{gan}_{verb}`` for every verb of the GANs, inside the Blocks that are being built."""
    for gan in gans:
        for verb in verbs(registry.gan(gan)).values():
            gr.api(_endpoint(gan, verb), api_name=f"{gan}_{verb.name}", api_description=_says(verb))
            blocks = get_blocks_context()
            for given in blocks.fns[max(blocks.fns)].inputs:
                given.async_move_resource_to_block_cache = _uploaded  # else Gradio would fetch any public address


async def _uploaded(path: str) -> str:
    """What Gradio does with a file of a question before the endpoint sees it: nothing, or it refuses an address."""
    if is_http_url_like(path):
        raise gr.Error(
            "No address is opened here. Send the picture itself, with handle_file(…).", print_exception=False
        )
    return path


def _endpoint(gan: str, verb: Verb) -> Callable[..., Any]:
    """A function with the verb's signature, and ``tag`` for the checkpoint."""
    names = [*verb.arguments, "tag"]

    def ask(*given: Any) -> Any:
        values = dict(zip(names, given, strict=False))
        tag = values.pop("tag", None)
        try:
            asked = {name: _read(verb.arguments[name], value) for name, value in values.items() if _is_given(value)}
            if len(repr([value for value in asked.values() if not isinstance(value, bytes)])) > MOST_TEXT:
                raise Refused("server.longQuestion")
            if tag is not None and not isinstance(tag, str):
                raise Refused("server.tagText")
            return _given_out(serving.server().ask(gan, verb.name, asked, tag or None).value, gan, verb)
        except (ValueError, serving.Busy, serving.Superseded, serving.Failed) as error:
            raise gr.Error(errors.said(error), print_exception=False) from error

    kinds = {name: _kind(argument) for name, argument in verb.arguments.items()} | {"tag": str | None}
    defaults = {name: argument.default for name, argument in verb.arguments.items() if not argument.required}
    defaults["tag"] = None
    order = sorted(names, key=lambda name: name in defaults)  # as Python wants it; the verbs have it so already
    ask.__name__ = ask.__qualname__ = f"{gan}_{verb.name}"
    ask.__doc__ = _says(verb)
    ask.__annotations__ = kinds | {"return": _comes_back(verb)}
    ask.__signature__ = inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=defaults.get(name, inspect.Parameter.empty),
                annotation=kinds[name],
            )
            for name in order
        ],
        return_annotation=_comes_back(verb),
    )
    return ask


def _says(verb: Verb) -> str:
    arguments = "\n".join(f"{a.name}: {a.says}" for a in verb.arguments.values() if a.says)
    return f"{verb.says}\n\n{arguments}\ntag: The checkpoint; left out: the default one."


def _kind(argument: Argument) -> Any:
    kind = gr.FileData if argument.is_file else argument.type
    return kind | None if argument.optional or not argument.required else kind


def _comes_back(verb: Verb) -> Any:
    return gr.FileData if verb.returns in (Picture, images.File) else Any


def _is_given(value: Any) -> bool:
    return value is not None and value != ""


def _read(argument: Argument, value: Any) -> Any:
    """A value as it came -> what the verb binds. A text never names a file of this disk: only uploads are opened."""
    if not argument.is_file:
        return value
    path = value.get("path") if isinstance(value, Mapping) else None
    if not isinstance(path, str):
        raise ValueError(f"{argument.name} must be sent as a file: in Python, handle_file('picture.png').")
    try:
        place, uploaded = Path(path).resolve(), Path(get_upload_folder()).resolve()
        if uploaded not in place.parents or not place.is_file():
            raise OSError
        if place.stat().st_size > MOST_BYTES:
            raise ValueError(f"This picture has more than {MOST_BYTES // 2**20} MB. Make it smaller first.")
        return place.read_bytes()
    except OSError as error:  # a name that no file system takes, too
        raise ValueError(f"{argument.name} is no file that was uploaded here. Send it with handle_file(…).") from error


def _given_out(value: Any, gan: str, verb: Verb) -> Any:
    if isinstance(value, Picture):
        return _file(images.png(value), f"{gan}-{verb.name}.png")
    if isinstance(value, images.File):
        return _file(value.content, f"{gan}-{verb.name}{value.ending}")
    return jsonable(value)


def _file(content: bytes, name: str) -> dict[str, Any]:
    return gr.FileData(path=save_bytes_to_cache(content, name, get_upload_folder()), orig_name=name).model_dump()
