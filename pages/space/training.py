"""The form of the training tab. The room below it (``room.js``) watches and steers the run over the HTTP routes.

Where a GPU is lent (ZeroGPU) the run is trained in slices while somebody watches; elsewhere in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr

import studio
from pages.parts.said import catalogue, errors, told, words
from pages.parts.said.words import said, word
from pages.space import gpu
from pages.space.tabs import GANS
from studio import checkpoints
from studio.data.files import PICTURES
from studio.guests import owners
from studio.guests.limits import limits
from studio.training import devices, runs, uploads

PRESETS = ("classroom", "paper", "tiny")


@dataclass
class Form:
    """The fields, in the order in which `speak` words them."""

    fields: list[Any]

    def speak(self, gan: str) -> list[Any]:
        """Each field's update in the language that is spoken, for that GAN."""
        toys, origins = _toys(gan), _origins(gan)
        most = limits().minutes or 60
        return [
            gr.Markdown(_says(), visible=bool(_says())),
            gr.Dropdown(label=word("train.page.gan"), choices=_titles(), value=gan),
            gr.Dropdown(
                label=word("space.train.source"),
                choices=toys,
                value=toys[0][1] if toys else None,
                info=" ".join(catalogue.licences([source for _, source in toys])),
            ),
            gr.File(label=word("space.train.files"), visible=studio.gan(gan).Data.FILES),
            gr.Dropdown(label=word("train.form.origin"), choices=origins, value=""),
            gr.Dropdown(label=word("train.form.preset"), choices=_presets(), value=PRESETS[0]),
            gr.Slider(label=word("train.form.minutes"), maximum=most, value=told.minutes(devices.device("cpu"))),
            gr.Button(word("train.form.start"), interactive=not limits().off),
            gr.Button(word("space.train.on"), visible=gpu.lent()),
        ]


def form(lang: gr.State) -> Form:
    """Builds it, inside the Blocks that are being built."""
    kinds = [".zip", *sorted(PICTURES)]
    with gr.Column(elem_classes="training-form"):
        says = gr.Markdown()
        with gr.Row():
            gan = gr.Dropdown(_titles(), value=GANS[0], min_width=150)
            toy = gr.Dropdown(_toys(GANS[0]), min_width=180)
            origin = gr.Dropdown(_origins(GANS[0]), value="", min_width=240)
            preset = gr.Dropdown(_presets(), value=PRESETS[0], min_width=300)
        with gr.Row(equal_height=True):
            minutes = gr.Slider(0.5, 60, value=3, step=0.5, scale=2)
            files = gr.File(file_types=kinds, file_count="multiple", type="filepath", height=150, scale=3)
            start = gr.Button(variant="primary", size="lg", scale=1)
            on = gr.Button(size="lg", scale=1, visible=gpu.lent())
        run = gr.Textbox(visible=False)
    made = Form([says, gan, toy, files, origin, preset, minutes, start, on])

    def another(gan: str, lang: str) -> list[Any]:
        """Another GAN was chosen: its own sets and checkpoints."""
        with words.speaking(lang):
            return made.speak(gan if gan in GANS else GANS[0])[2:5]

    own = {"api_visibility": "private", "show_progress": "hidden"}
    gan.input(another, [gan, lang], [toy, files, origin], queue=False, **own)
    asked = [gan, toy, files, origin, preset, minutes, lang]
    room = {"fn": None, "inputs": [run], "js": "(run) => window.studio?.watch(run)", "api_visibility": "private"}
    slow = {"concurrency_limit": 2, "concurrency_id": "training", **own}
    start.click(begin, asked, [run], **slow)
    on.click(go_on, [run], [run], js="() => [window.studio?.run() ?? '']", **slow)
    run.change(**room)
    return made


def begin(
    gan: str, toy: str, files: Sequence[str] | None, origin: str, preset: str, minutes: float, lang: str,
    request: gr.Request,
) -> Iterator[str]:  # fmt: skip
    """Starts a run; yields its name, so that its room opens, and trains on where a GPU is lent."""
    with words.speaking(lang):
        try:
            run = _start(gan, toy, files, origin, preset, minutes, visitor(request))
        except (ValueError, OSError) as error:
            raise gr.Error(errors.said(error), print_exception=False) from error
    yield run.name
    if gpu.lent():
        for _ in gpu.slices(run):
            yield run.name


def visitor(request: gr.Request) -> str | None:
    """The cookie of the browser that asks (`studio.guests.owners`)."""
    return request.cookies.get(owners.COOKIE) if request else None


def go_on(name: str, request: gr.Request) -> Iterator[str]:
    """Trains the run on that the visitor looks at."""
    try:
        limits().check()
        run = runs.find(name)
        if not owners.may(run.card.get("owner"), visitor(request)):
            raise ValueError("not this visitor's")
    except ValueError as error:
        raise gr.Error(word("space.train.noRun"), print_exception=False) from error
    for _ in gpu.slices(run):
        yield run.name


def _start(
    gan: str, toy: str, files: Sequence[str] | None, origin: str, preset: str, minutes: float, cookie: str | None
) -> runs.Run:
    """As the form says it. Everything came over the network: names are looked up, never trusted."""
    if gan not in GANS:
        raise ValueError(f"There is no GAN {str(gan)[:60]!r} here.")
    kind = studio.gan(gan)
    source = _kept(files, cookie) if files else toy
    if not files and toy not in kind.Data.sources():
        raise ValueError("Choose the pictures first.")
    settings: list[str] = []
    if not origin:
        chosen = {"classroom": kind.CLASSROOM, "paper": kind.Config(), "tiny": kind.TINY}.get(preset, kind.CLASSROOM)
        usual = asdict(kind.Config())
        settings = [f"{name}={value}" for name, value in asdict(chosen).items() if value != usual[name]]
    how = {
        "settings": settings, "origin": origin or None, "minutes": float(minutes),
        "owner": owners.mark(cookie),
        "title": f"{kind.about.title}: {catalogue.set_named(toy) if not files else Path(files[0]).stem[:40]}",
    }  # fmt: skip
    if gpu.lent():
        return runs.create(gan, source, device="cpu", **how)  # the device is lent to each slice
    return runs.Run.start(gan, source, device=devices.device().name, **how)


def _kept(files: Sequence[str], cookie: str | None) -> str:
    """The uploaded files as a source: Gradio has put them into its own folder, and checked that they are there."""
    with ExitStack() as stack:
        opened = [(Path(path).name, stack.enter_context(open(path, "rb"))) for path in files]
        return uploads.keep(opened, cookie).source


def _says() -> str:
    """What is special about training here."""
    if limits().off:
        return word("train.page.off")
    there = asdict(limits()).items()
    known = {name: value for name, value in there if value is not None and not isinstance(value, bool)}
    listed = ", ".join(word(f"train.limit.{name}", n=f"{value:g}") for name, value in known.items())
    parts = [word("space.train.lent")] if gpu.lent() else []
    return " ".join([*parts, *([word("train.page.limits", limits=listed)] if listed else [])])


def _titles() -> list[tuple[str, str]]:
    return [(studio.gan(name).about.title, name) for name in GANS]


def _toys(gan: str) -> list[tuple[str, str]]:
    """The sets that need no files, drawn and built in: their names and sources."""
    return [(catalogue.set_named(source), source) for source in studio.gan(gan).Data.sources()]


def _origins(gan: str) -> list[tuple[str, str]]:
    there = [(said(checkpoints.card(gan, tag).get("title") or tag), tag) for tag in studio.tags(gan)]
    return [(word("train.form.scratch"), ""), *there]


def _presets() -> list[tuple[str, str]]:
    return [(word(f"train.presets.{name}"), name) for name in PRESETS]
