"""The Gradio app: one tab a demo and one for training, over the same parts, words and verbs as the Streamlit pages.

What a visitor draws, uploads or drags does not pass through Gradio: the parts ask the studio's HTTP routes, which are
served beside Gradio's own (one door, with one set of limits). Gradio has the tabs, the form of a training and the
endpoints for `gradio_client`.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes.base import Base
from gradio.themes.utils.colors import Color
from starlette.middleware import Middleware

from pages.parts.said import words
from pages.parts.said.errors import Translated
from pages.space import training
from pages.space.endpoints import endpoints
from pages.space.tabs import DEMOS, GANS, TABS, label, place, routes, spoken
from studio.guests import owners
from studio.web import heaps

ROOT = Path(__file__).parents[2]
UPLOAD = "50mb"  # of one file in the form of a training; the limits of the server may be lower
LOADER = """
const path = location.pathname.replace(/\\/+$/, "");
import(`${location.origin}${path}/parts/space/space.js`).then((space) => %s);
"""


class Space(gr.Blocks):
    """Blocks that bring along what they need to be served: routes, looks, limits; `launch` takes the same arguments.

    To mount it in an app of your own: ``gr.mount_gradio_app(app, demo, path, app_kwargs={"routes": routes()})``.
    """

    def launch(self, *args: Any, **how: Any) -> Any:
        usual = {
            "theme": _theme(),
            "css": _css(),
            "max_file_size": UPLOAD,
            "ssr_mode": False,  # a Node server in front would not know our routes
            "footer_links": ["api", "gradio"],
        }
        heaps.share()
        kwargs = dict(how.pop("app_kwargs", None) or {})
        kwargs["routes"] = [*routes(), *kwargs.get("routes", [])]
        kwargs["middleware"] = [Middleware(owners.Visitors), Middleware(Translated), *kwargs.get("middleware", [])]
        return super().launch(*args, **usual | how, app_kwargs=kwargs)


def build() -> Space:
    """The app, ready to `launch`."""
    with Space(title="GAN studio", analytics_enabled=False, delete_cache=(600, 1800), fill_width=True) as demo:
        lang = gr.State("en")
        _part(_top(), f"space.head(element, {json.dumps(TABS)})", "top")
        with gr.Tabs(elem_id="tabs") as tabs:
            named = {}
            for name in (*DEMOS, "train"):
                with gr.Tab(label(name), id=name) as named[name]:
                    form = training.form(lang) if name == "train" else None
                    _part(place(name), "space.show(element)")
                named[name].select(None, js=f"() => window.studio?.go('{name}')", api_visibility="private")

        def greet(request: gr.Request) -> list[Any]:
            """The visitor's language, the tab that the address names, and the form in that language."""
            chosen, at = spoken(request), request.query_params.get("at", "")
            with words.speaking(chosen):
                labels = [gr.Tab(label=label(name)) for name in named]
                gan = request.query_params.get("gan", "")
                said = form.speak(gan if gan in GANS else GANS[0])
            return [chosen, gr.Tabs(selected=at if at in named else TABS[0]), *labels, *said]

        demo.load(
            greet, None, [lang, tabs, *named.values(), *form.fields], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip
        endpoints(GANS)
    return demo.queue(max_size=64, default_concurrency_limit=8)


def _part(markup: str, then: str, name: str | None = None) -> gr.HTML:
    """Markup, and what `space.js` does with it once it is there."""
    call = f"{{ window.studio = space; {then}; }}"
    return gr.HTML(html_template=markup, js_on_load=LOADER % call, apply_default_css=False, elem_id=name)


def _top() -> str:
    links = "".join(f"<a data-lang='{code}' lang='{code}'>{name}</a>" for code, name in words.LANGUAGES.items())
    return f"<header class='studio-top'><b>GAN studio</b><nav>{links}</nav></header>"


def _looks() -> dict[str, dict[str, str]]:
    """The colours and fonts of the studio's pages, from where they are chosen."""
    chosen = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    fonts = {"font": chosen["font"], "headingFont": chosen["headingFont"], "codeFont": chosen["codeFont"]}
    red = {"light": "#b3261e", "dark": "#ff9d94"}
    return {shade: chosen[shade] | fonts | {"redTextColor": red[shade]} for shade in ("light", "dark")}


def _css() -> str:
    """Gradio's page in the studio's looks; the variables are those by which the parts know Streamlit's theme."""
    found = []
    for shade, where in (("light", ":root"), ("dark", ".dark")):
        lines = "".join(f"--st-{_kebab(name)}: {value};" for name, value in _looks()[shade].items())
        found.append(f"{where} {{ {lines} }}")
    return "\n".join([*found, (ROOT / "pages" / "space" / "page.css").read_text(encoding="utf-8")])


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def _theme() -> Base:
    light, dark = _looks()["light"], _looks()["dark"]
    fonts = [part.strip("' ") for part in light["font"].split(",")]
    main = light["primaryColor"]
    hue = Color(*([main] * 6), main, main, *([main] * 3), name="studio")
    theme = gr.themes.Base(
        primary_hue=hue, font=fonts, font_mono=[part.strip("' ") for part in light["codeFont"].split(",")]
    )
    both: dict[str, str] = {}
    for name, key in {
        "body_background_fill": "backgroundColor",
        "background_fill_primary": "backgroundColor",
        "background_fill_secondary": "secondaryBackgroundColor",
        "block_background_fill": "backgroundColor",
        "input_background_fill": "secondaryBackgroundColor",
        "body_text_color": "textColor",
        "block_label_text_color": "textColor",
        "block_title_text_color": "textColor",
        "block_info_text_color": "textColor",
        "border_color_primary": "borderColor",
        "block_border_color": "borderColor",
        "input_border_color": "borderColor",
        "link_text_color": "linkColor",
        "button_primary_background_fill": "primaryColor",
        "button_primary_background_fill_hover": "primaryColor",
    }.items():
        both |= {name: light[key], f"{name}_dark": dark[key]}
    white = {"button_primary_text_color": "#ffffff", "button_primary_text_color_dark": "#ffffff"}
    return theme.set(**both, **white, block_radius="10px", input_radius="10px", button_large_radius="10px")
