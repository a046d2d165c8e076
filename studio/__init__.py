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


def load(gan: str, tag: str | None = None, device: str | None = None, fast: bool = False) -> Any:
    """A GAN with a checkpoint's weights, ready for its verbs.

    Args:
        gan, tag: None = the GAN's default checkpoint. Either may also be one of the Hub, ``hub:owner/name`` or
            ``hub:owner/name@revision``: it is pulled first (`studio.hub`).
        device: ``"cpu"``, ``"cuda"``, ``"mps"``; None = cpu.
        fast: the variant that the server uses, where it is faster here (`studio.serving.fast`); else exact fp32.

    Raises:
        ValueError: no such checkpoint, of another GAN, damaged, or not finite.
    """
    from studio import checkpoints

    if gan.startswith(checkpoints.HUB) or (tag or "").startswith(checkpoints.HUB):
        from studio import hub

        gan, tag = hub.here(gan, tag)
    loaded = checkpoints.load(gan, tag, device)
    if fast:
        from studio.serving.fast import fastest

        loaded = fastest(loaded, key=checkpoints.card(gan, tag))
    return loaded


def __getattr__(name: str) -> Any:  # torch takes seconds to import; whoever only asks for the version does not wait
    if name in ("names", "gan"):
        from studio import registry as home
    elif name in ("adopt", "card", "tags"):
        from studio import checkpoints as home
    elif name in ("publish", "pull"):
        from studio import hub as home
    elif name == "Run":
        from studio.training import runs as home
    elif name == "train":
        from studio.training import process as home
    else:
        raise AttributeError(f"module 'studio' has no attribute {name!r}")
    return getattr(home, name)
