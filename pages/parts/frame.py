"""The frame around every page: the menu, the language, the looks. Streamlit runs it on every interaction."""

from __future__ import annotations

import streamlit as st

from pages.parts import address, catalogue
from pages.parts.words import word

st.set_page_config(page_title="GAN studio", page_icon="✏️", layout="wide", initial_sidebar_state=232)

home = st.Page(catalogue.PAGES / "home.py", title=word("studio.menu.home"), icon=":material/home:", default=True)
pages = [
    st.Page(shown.page, title=shown.about.title)
    for shown in catalogue.gans()
    if shown.about and shown.page.exists()
]
page = st.navigation([home, *pages], position="hidden")  # the menu below is ours: its links carry the language along
hidden = address.hidden()


def choose_language() -> None:
    address.put("lang", st.session_state["language"])


if "menu" not in hidden:
    with st.sidebar:
        st.html("<p class='studio-brand'>GAN studio</p>")
        for each in [home, *pages]:
            st.page_link(each, query_params=address.carried())
        st.session_state["language"] = address.language()
        st.segmented_control(
            word("studio.menu.language"),
            list(address.LANGUAGES),
            format_func=address.LANGUAGES.get,
            key="language",
            required=True,
            on_change=choose_language,
        )

LOOKS = """
<style>
.stMainBlockContainer { padding: 1.4rem clamp(1rem, 3vw, 3rem) 3rem; }
.stMainBlockContainer > .stVerticalBlock { gap: .6rem; }
@media (min-width: 641px) { .st-key-top { flex-wrap: nowrap; padding-right: 2.5rem; } .st-key-top > :first-child { flex: 1; min-width: 0; } .stAppHeader { background: none; pointer-events: none; } .stAppHeader :is(button, a) { pointer-events: auto; } }
.studio-brand { font-size: 1.3rem; font-weight: 700; letter-spacing: -.01em; margin: 0 0 .4rem; }
.studio-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.1rem; margin: 0; }
.studio-head h1 { font-size: 1.8rem; padding: 0; margin: 0; letter-spacing: -.01em; }
.studio-head h1 small { font-size: .6em; font-weight: 500; opacity: .7; margin-left: .15em; }
.studio-head p { flex: 1 1 22rem; margin: 0; font-size: 1.05rem; opacity: .85; text-wrap: pretty; }
.studio-hero h1 { font-size: clamp(1.9rem, 3.6vw, 3.1rem); line-height: 1.12; letter-spacing: -.02em; padding: 0; margin: 0 0 .8rem; text-wrap: balance; }
.studio-hero p { font-size: clamp(1.05rem, 1.4vw, 1.25rem); line-height: 1.5; opacity: .88; margin: 0; max-width: 36rem; text-wrap: pretty; }
.st-key-start button { padding: .8rem 1.5rem; margin-top: .5rem; }
.st-key-start button :is(p, span) { font-size: 1.25rem; font-weight: 600; }
.studio-card h3 { font-size: 1.25rem; padding: 0; margin: 0 0 .3rem; }
.studio-card h3 small { font-weight: 500; opacity: .7; font-size: .75em; }
.studio-card p { margin: 0; }
.studio-settings { display: flex; flex-wrap: wrap; gap: .35rem; font-size: .9rem; }
.studio-settings span { padding: .1rem .55rem; border-radius: 7px; background: color-mix(in srgb, currentColor 7%, transparent); }
.studio-settings .own { box-shadow: inset 0 0 0 1.5px color-mix(in srgb, currentColor 55%, transparent); }
.studio-piece { font-size: 1.05rem; margin: .6rem 0 0; padding: 0; scroll-margin-top: 1rem; }
.studio-piece small { opacity: .6; font-weight: 400; margin-left: .3em; }
.st-key-contents { position: sticky; top: 1rem; max-height: 94svh; overflow-y: auto; }
.st-key-contents nav { display: grid; font-size: .95rem; line-height: 1.55; }
.st-key-code, .st-key-step { container-type: inline-size; }
.st-key-code pre code, .st-key-step pre code { font-size: clamp(.7rem, 1.34cqi, 1.1rem) !important; }
.st-key-contents nav a { color: inherit; text-decoration: none; overflow-wrap: anywhere; }
.st-key-contents nav a:hover { text-decoration: underline; }
.st-key-contents nav .inner { padding-left: .9rem; }
:lang(ko) { word-break: keep-all; overflow-wrap: anywhere; }
.st-key-top { align-items: flex-end; }
@media (max-width: 640px) {
  .stAppHeader { height: 3rem; min-height: 3rem; }
  .katex-display { font-size: .78em; overflow-x: auto; }
  .st-key-top { gap: .4rem; }
  .stMainBlockContainer { padding: 3.1rem .9rem 3rem; }
  .studio-head h1 { font-size: 1.35rem; }
  .studio-head p { display: none; } /* the canvas needs the room; Home says it too */
}
</style>
"""
st.html(LOOKS)
st.html(f"<script>document.documentElement.lang = '{address.language()}'</script>", unsafe_allow_javascript=True)
page.run()
