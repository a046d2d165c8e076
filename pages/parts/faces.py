"""Faces of nobody: a wall by seed, and what can be done with styles: for GANs with `studio.latents.StyleVerbs`.

Pictures come from the studio's HTTP routes straight to the browser (`faces.js`), which also keeps all settings in the
address; Streamlit only says which checkpoint, how many layers, which words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.parts import address, catalogue
from pages.parts.live import component
from pages.parts.pin import pin
from pages.parts.words import table, word
from studio import checkpoints, latents, serving

PLAY = ("face", "mix", "walk", "noise", "breed", "find")
LOOK = ("norms", "slice")
_faces = component("faces")


def faces(
    gan: str, tag: str, config: dict[str, Any], modes: Sequence[str] = PLAY, *, silent: int = 0,
    sends: Sequence[str] = (), beside: tuple[str, int] | None = None, count: int = 24, remembers: bool = True,
) -> None:  # fmt: skip
    """Mounts it.

    Args:
        config: the checkpoint's: its size tells how many layers there are, its start how often it doubled.
        modes: what can be done, of `PLAY`, `LOOK` and ``fade`` (for one that grows), in this order.
        silent: layers at the beginning that have a style but no noise.
        sends: GANs whose pages take a face; those that have a page are offered.
        beside: another such GAN and its ``silent``; its default checkpoint, if any, is looked at beside this one.
        count: faces on the wall.
        remembers: whether the settings are in the address: of one of a page.
    """
    titles = {each.name: each.about.title for each in catalogue.gans() if each.about and each.page.exists()}
    layers, size = _layers(config), config["size"]
    _faces(
        key=f"faces-{gan}-{modes[0]}",
        data={
            "key": f"{gan}/{modes[0]}", "gan": gan, "tag": tag, "page": gan, "title": titles.get(gan, gan),
            "modes": list(modes), "count": count, "layers": layers, "noises": layers[silent:],
            "size": size, "start": config.get("start", size),
            "bands": {name: [band.start, band.stop] for name, band in latents.bands(len(layers)).items()},
            "sends": [{"gan": to, "title": titles[to]} for to in sends if to in titles and to != gan],
            "beside": _other(*beside, titles) if beside else None,
            "words": table("faces.play"), "pin": pin(), "hide": sorted(address.hidden()), "remembers": remembers,
        },
    )  # fmt: skip


def _layers(config: dict[str, Any]) -> list[int]:
    """The side of each layer's maps: two layers at each size from 4 px up."""
    return [4 << (k // 2) for k in range(2 * (config["size"].bit_length() - 1) - 2)]


def _other(gan: str, silent: int, titles: dict[str, str]) -> dict[str, Any] | None:
    """Another GAN's default checkpoint; None = it has none."""
    if gan not in titles or not checkpoints.tags(gan):
        return None
    card = checkpoints.card(gan)
    return {"gan": gan, "tag": card["tag"], "title": titles[gan], "noises": _layers(card["config"])[silent:]}


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
            st.warning(str(error))
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
