"""How a part of the page, a script and a style sheet of one name, is mounted by Streamlit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

PARTS = Path(__file__).parent.parent
# The component's own script is a blob: it only fetches the module from the studio, which the browser keeps.
LOADER = """
export default async (component) => {
  const page = component.data.page, path = location.pathname.replace(/\\/+$/, "");
  const base = page && path.endsWith(`/${page}`) ? path.slice(0, -page.length - 1) : path;
  return (await import(`${location.origin}${base}/parts/%s.js`)).default(component);
};
"""


def component(name: str) -> Any:
    """The Streamlit component of ``<name>.js`` and ``<name>.css`` under pages/parts, such as ``live/live``."""
    css = (PARTS / f"{name}.css").read_text(encoding="utf-8")
    return st.components.v2.component(f"studio_{name.rpartition('/')[2]}", css=css, js=LOADER % name)
