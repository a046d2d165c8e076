"""The class's wall: what students have shown, for the projector; and what waits for the teacher's look."""

from __future__ import annotations

import streamlit as st

from pages.parts.lesson.gallery import gallery
from pages.parts.said.words import word
from studio.guests import visitors

if visitors.classroom():
    gallery()
else:
    st.info(word("lesson.wall.noClass"), icon=":material/groups:")
