"""The studio's front door: `streamlit run app.py` serves the pages and, beside them, the HTTP routes.

`python app.py --class` opens it to a class in this network: see `pages/parts/classroom.py`.
"""

import streamlit as st

from pages.parts.classroom import settings
from pages.parts.serve import greet, guards, routes

if __name__ == "__main__":
    settings()  # before Streamlit reads its own

app = st.App("pages/parts/frame.py", routes=routes(), lifespan=greet, middleware=guards())

if __name__ == "__main__":
    app.run()
