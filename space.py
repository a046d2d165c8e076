"""The studio's front door for Spaces: `python space.py` serves the Gradio app at http://localhost:7860.

`demo` is the Blocks object; `pages/space` says what is in it. On a Space, and only there, strangers' trainings are
limited (`studio.guests.limits.SPACE`), pictures are made on the CPU, and with ZeroGPU trainings borrow a GPU by the
minute.
"""

import os

if os.environ.get("SPACE_ID"):
    os.environ.setdefault("STUDIO_DEVICE", "cpu")  # live pictures need no GPU, and a lent one is not there for them
if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):  # as `spaces` reads it
    import spaces  # noqa: F401  before torch, as it asks for

from pages.space.app import build

demo = build()

if __name__ == "__main__":
    demo.launch()
