"""The studio's front door: `streamlit run app.py` serves the pages and, beside them, the HTTP routes."""

import streamlit as st

from pages.parts.serve import greet, guards, routes

app = st.App("pages/parts/frame.py", routes=routes(), lifespan=greet, middleware=guards())

if __name__ == "__main__":
    app.run()
