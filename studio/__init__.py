"""GAN studio: the backend. Names, checkpoints and verbs; neither Streamlit nor Gradio.

import studio
studio.names()
shoe = studio.load("pix2pix").translate("sketch.png")
for event in studio.train("pix2pix", "toy", minutes=3): print(event)  # here; studio.Run.start: in its own process
"""

from __future__ import annotations

import os
from typing import Any

# Threads that wait for each other sleep instead of spinning: beside a training or another program, a small network is
# ten times sooner done. It must be said before torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["Run", "adopt", "card", "gan", "load", "names", "publish", "pull", "tags", "train"]


def __getattr__(name: str) -> Any:  # torch takes seconds to import; whoever only asks for the version does not wait
    if name in ("names", "gan"):
        from studio import registry as home
    elif name in ("load", "adopt", "card", "tags"):
        from studio import checkpoints as home
    elif name in ("publish", "pull"):
        from studio import hub as home
    elif name == "Run":
        from studio import runs as home
    elif name == "train":
        from studio import trainer as home
    else:
        raise AttributeError(f"module 'studio' has no attribute {name!r}")
    return getattr(home, name)
