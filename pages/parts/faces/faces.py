"""Faces of nobody: a wall by seed, and what can be done with styles: for GANs with `studio.latents.StyleVerbs`.

Pictures come from the studio's HTTP routes straight to the browser (`faces.js`), which also keeps all settings in the
address; Streamlit only says which checkpoint, how many layers, which words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts.lesson.pin import pin
from pages.parts.said import address, errors, told
from pages.parts.said.mount import component
from pages.parts.said.told import LOOK as LOOK
from pages.parts.said.told import PLAY
from pages.parts.said.words import word
from studio import serving
from studio.markdown import plain

_faces = component("faces/faces")


def faces(gan: str, tag: str, config: dict[str, Any], modes: Sequence[str] = PLAY, **how: Any) -> None:
    """Mounts it; the arguments are those of `told.faces`."""
    data = told.faces(gan, tag, config, modes, **how) | {"pin": pin(), "hide": sorted(address.hidden())}
    _faces(key=f"faces-{gan}-{modes[0]}", data=data)


def entanglement(gan: str, tag: str) -> None:
    """Path length and separability of Z and W, measured on the spot, with their uncertainty."""
    st.subheader(word("faces.measure.title"), anchor="entanglement")
    st.markdown(word("faces.measure.text"))
    key = f"entanglement-{gan}-{tag}"
    n = st.select_slider(word("faces.measure.n"), [32, 64, 128, 256, 512], 64, key=f"{key}-n")
    if st.button(word("faces.measure.go"), key=f"{key}-go"):
        found: dict[str, dict[str, Any]] = {}
        bar = st.progress(0.0)
        asked = [(verb, space) for verb in ("path_length", "separability") for space in ("z", "w")]
        try:
            for k, (verb, space) in enumerate(asked):
                bar.progress(k / len(asked), word("faces.measure.going"))
                count = n if verb == "path_length" else 4 * n
                value = serving.server().ask(gan, verb, {"space": space, "n": count}, tag).value
                found.setdefault(verb, {})[space] = value._asdict()
            st.session_state[key] = found
        except (ValueError, RuntimeError) as error:  # Busy and Failed say what to do
            st.warning(plain(errors.said(error)))
        bar.empty()
    if key in st.session_state:
        _figures(st.session_state[key])


def _figures(found: dict[str, dict[str, Any]]) -> None:
    rows = []
    for verb, figure in (("path_length", "mean"), ("separability", "score")):
        for space, value in found.get(verb, {}).items():
            rows.append(
                {
                    word("faces.measure.what"): word(f"faces.measure.{verb}"),
                    word("faces.measure.space"): space.upper(),
                    word("faces.measure.value"): f"{value[figure]:.3g} ± {value['error']:.2g}",
                    "n": str(value["n"]),
                }
            )
    st.table(rows)
    by = next(iter(next(iter(found.values())).values()))["by"]
    st.caption(word("faces.measure.by", by=by))
