"""ProGAN: one noise at every size, a new size faded in by hand, and what its three tricks do."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.demos.progan import GAN, play
from pages.parts.grow.grow import grow
from pages.parts.said import errors
from pages.parts.said.words import word
from pages.parts.shell.page import head, rest, tabs
from studio import serving
from studio.checkpoints import has_judge
from studio.markdown import plain


def asked(verb: str, fields: dict[str, Any], tag: str) -> Any:
    """What the verb says; None = it could not, and a sentence on the page says why."""
    try:
        return serving.server().ask(GAN, verb, fields, tag).value
    except (ValueError, RuntimeError) as error:  # Busy and Failed say what to do
        st.warning(plain(errors.said(error)))
        return None


@st.fragment
def crowd(card: dict[str, Any]) -> None:
    """Eight pictures that become alike, and what D gets to know of it."""
    st.subheader(word("progan.look.crowd"), anchor="crowd")
    st.markdown(word("progan.look.crowdText"))
    if not has_judge(card):
        st.info(word("progan.look.noJudge"))
        return
    if not card["config"].get("stddev", True):
        st.info(word("progan.look.noStddev"))
        return
    left, right = st.columns([3, 1])
    alike = left.slider(word("progan.look.alike"), 0.0, 1.0, 0.0, 0.05, key=f"alike-{card['tag']}")
    seed = right.number_input(word("progan.look.seed"), 0, 999_999_999, 1, key=f"crowd-{card['tag']}")
    if found := asked("crowd", {"seed": seed, "alike": alike}, card["tag"]):
        wide = 3 * found.picture.width
        st.image(
            found.picture.resize((wide, 3 * found.picture.height), 0), word("progan.look.eight"), output_format="PNG"
        )
        figures = (("spread", found.spread), ("value", found.value), ("without", found.without))
        for (name, value), column in zip(figures, st.columns(3), strict=True):
            column.metric(word(f"progan.look.{name}"), f"{value:.2f}")


@st.fragment
def lengths(card: dict[str, Any]) -> None:
    """How long a pixel's features are, layer by layer, with and without pixel norm."""
    st.subheader(word("progan.look.lengths"), anchor="lengths")
    st.markdown(word("progan.look.lengthsText"))
    trained = card["config"].get("pixel_norm", True)
    normalised = st.toggle(word("progan.look.normalised"), trained, key=f"lengths-{card['tag']}")
    if found := asked("lengths", {"seed": 1, "normalised": normalised}, card["tag"]):
        shows, says = st.columns([1, 3], gap="large", vertical_alignment="center")
        shows.image(found.picture.resize((256, 256), 0), output_format="PNG")
        layer, names = word("progan.look.layer"), [word("progan.look.length"), word("progan.look.longest")]
        rows = {layer: found.layers} | dict(zip(names, (found.mean, found.longest), strict=True))
        says.bar_chart(rows, x=layer, y=names, stack=False, height=280, sort=False)


@st.fragment
def paces(card: dict[str, Any]) -> None:
    """How far a step moves each layer, with and without the equalised learning rate."""
    st.subheader(word("progan.look.paces"), anchor="paces")
    st.markdown(word("progan.look.pacesText"))
    trained = card["config"].get("equalised", True)
    equalised = st.toggle(word("progan.look.equalised"), trained, key=f"paces-{card['tag']}")
    if found := asked("paces", {}, card["tag"]):
        layer, pace = word("progan.look.layer"), word("progan.look.pace")
        shares = found.equalised if equalised else found.usual
        rows = {layer: found.layers, pace: [100 * share for share in shares]}
        st.bar_chart(rows, x=layer, y=pace, height=280, sort=False)


def cost(card: dict[str, Any]) -> None:
    """The card's ``growth``: what a step cost at each size, and what growing took; nothing if the card has none."""
    if not (found := card.get("growth")):
        return
    st.subheader(word("progan.look.cost"), anchor="cost")
    full = round(found["seconds"][-1] * found["steps"])
    batch, size = card["config"]["batch"], card["config"]["size"]
    told = {"steps": f"{found['steps']:,}", "grown": f"{found['took']:,}", "full": f"{full:,}"}
    st.markdown(word("progan.look.costText", batch=batch, size=size, **told))
    side, seconds = word("progan.look.side"), word("progan.look.seconds")
    rows = {side: [f"{each} px" for each in found["sides"]], seconds: found["seconds"]}
    st.bar_chart(rows, x=side, y=seconds, height=240, sort=False)


card = head(GAN)
shown = tabs(card)
if card:
    with shown["play"]:
        grow(GAN, card["tag"], **play(card))
    if "look" in shown and shown["look"].open:
        with shown["look"]:
            crowd(card)
            lengths(card)
            paces(card)
            cost(card)
rest(GAN, card, shown)
