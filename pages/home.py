"""The first page: what this is in one look, and every GAN that is here."""

from __future__ import annotations

from html import escape

import streamlit as st

import studio
from pages.parts.said import address, catalogue
from pages.parts.said.mount import component
from pages.parts.said.words import said, table, word
from studio.checkpoints import folder
from studio.markdown import plain

HERO = catalogue.FIRST
_show = component("shell/show")


def hero() -> None:
    """One sentence, one button, and the thing itself happening beside them."""
    says, shows = st.columns([5, 6], gap="large", vertical_alignment="center")
    tag = next(iter(studio.tags(HERO)), None)
    examples = studio.card(HERO, tag).get("examples", [])[:3] if tag else []
    with says:
        st.html(
            f"<div class='studio-hero'><h1>{escape(word('studio.home.title'))}</h1>"
            f"<p>{escape(word('studio.home.text'))}</p></div>"
        )
        if tag and st.button(word("studio.home.start"), icon=":material/draw:", type="primary", key="start"):
            st.switch_page(page_of(HERO), query_params=address.carried())
        if not tag:
            st.info(word("studio.picker.none", gan=HERO), icon=":material/inventory_2:")
    if examples:
        with shows:
            _show(
                key="show",
                data={
                    "gan": HERO, "tag": tag, "verb": "translate", "field": "sketch", "page": "",
                    "words": table("studio.home.alt"),
                    "examples": [{"file": f"/api/{HERO}/{tag}/{name}"} for name in examples],
                },
            )  # fmt: skip


def page_of(gan: str) -> str:
    return str(catalogue.PAGES / f"{gan}.py")


def card(shown: catalogue.Shown) -> None:
    """A GAN of the gallery: its picture, name, year, and its one idea."""
    tags = studio.tags(shown.name, address.visitor())
    with st.container(border=True, height="stretch", key=f"shown-{shown.name}"):
        preview = folder(shown.name, tags[0]) / "preview.webp" if tags else None
        if preview and preview.is_file():
            st.image(str(preview), width="stretch")
        st.html(
            f"<div class='studio-card'><h3>{escape(shown.about.title)} <small>{shown.about.year}</small></h3>"
            f"<p>{escape(said(shown.about.idea))}</p></div>"
        )
        if not tags:
            st.caption(word("studio.home.untrained"))
        if shown.page.exists():
            st.page_link(
                page_of(shown.name),
                label=word("studio.home.open", title=shown.about.title),
                icon=":material/arrow_forward:",
                query_params=address.carried(),
            )


gans = catalogue.gans()
if any(each.name == HERO and each.page.exists() for each in gans):
    hero()
st.subheader(word("studio.home.gallery"), anchor="gallery")
there = [each for each in gans if each.about]
columns = st.columns(min(max(len(there), 2), 3))
for k, each in enumerate(there):
    with columns[k % len(columns)]:
        card(each)
for each in gans:
    if each.trouble:
        st.warning(word("studio.home.broken", name=each.name, trouble=plain(each.trouble[:300])))
