"""A picture and sliders, and what a verb makes of them while a slider is dragged: for any GAN that edits pictures.

    sliders(
        "gated_gan", tag, verb="stylize", field="photo",
        controls=[slider("monet", "Monet", into="gates"), slider("stroke", "Strokes", .5, 3, .1, default=1)],
        presets=[preset("Monet", monet=1)], sums="gates",
    )

Pictures come from the studio's HTTP routes straight to the browser (`sliders.js`), which also keeps all settings in
the address; Streamlit only says which checkpoint, which sliders, which words.
"""

from __future__ import annotations

from typing import Any

from pages.parts.lesson.pin import pin
from pages.parts.said import address, told
from pages.parts.said.mount import component
from pages.parts.said.told import preset as preset
from pages.parts.said.told import select as select
from pages.parts.said.told import slider as slider

_sliders = component("sliders/sliders")


def sliders(gan: str, tag: str, *, name: str = "sliders", **how: Any) -> None:
    """Mounts it; the arguments are those of `told.sliders`."""
    data = told.sliders(gan, tag, name=name, **how) | {"pin": pin(), "hide": sorted(address.hidden())}
    _sliders(key=f"{name}-{gan}", data=data)
