"""The studio's front door: `streamlit run app.py` serves the pages and, beside them, the HTTP routes.

`python app.py` does the same, and `python app.py --class` opens it to a class: see `pages/parts/lesson/classroom.py`.
"""

import streamlit as st

from pages.parts.lesson.classroom import options
from pages.parts.shell.serve import greet, guards, routes

if __name__ == "__main__":
    from streamlit.web import cli

    cli.main(["run", __file__, *options()])  # which imports this file and serves the app below

app = st.App("pages/parts/shell/frame.py", routes=routes(), lifespan=greet, middleware=guards())
