"""The frame around every page: the menu, the language, the looks. Streamlit runs it on every interaction."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.lesson import lesson
from pages.parts.said import address, catalogue
from pages.parts.said.words import word
from studio.guests import visitors

st.set_page_config(page_title="GAN studio", page_icon="✏️", layout="wide", initial_sidebar_state=232)

lesson.greet_visitor()
home = st.Page(catalogue.PAGES / "home.py", title=word("studio.menu.home"), icon=":material/home:", default=True)
family = st.Page(catalogue.PAGES / "family.py", title=word("studio.menu.family"), icon=":material/account_tree:")
pages = [
    st.Page(shown.page, title=shown.about.title) for shown in catalogue.gans() if shown.about and shown.page.exists()
]
train = st.Page(catalogue.PAGES / "train.py", title=word("studio.menu.train"), icon=":material/model_training:")
wall = st.Page(catalogue.PAGES / "gallery.py", title=word("studio.menu.gallery"), icon=":material/collections:")
walls = [wall] if visitors.classroom() else []
page = st.navigation(
    [home, family, *pages, train, *walls], position="hidden"
)  # the menu below is ours: its links carry the language along
hidden = address.hidden()


def choose_language() -> None:
    address.put("lang", st.session_state["language"])


if "menu" not in hidden:
    with st.sidebar:
        st.html("<p class='studio-brand'>GAN studio</p>")
        for each in [home, family, *pages, *([] if "train" in hidden else [train]), *walls]:
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
        lesson.share(page.url_path)

st.html(Path(__file__).with_name("frame.css"))
st.html(f"<script>document.documentElement.lang = '{address.language()}'</script>", unsafe_allow_javascript=True)
page.run()
