"""The training room's machines: the loop that knows no GAN, the process and the folder of a run, recipes, and what
becomes of it. Whoever watches reads the folder; nothing of a training lives in a server.
"""

from studio.training.loop import (
    Changed,
    Ended,
    Event,
    Measured,
    Phase,
    Progress,
    Sample,
    Single,
    Wish,
    train,
)

__all__ = ["Changed", "Ended", "Event", "Measured", "Phase", "Progress", "Sample", "Single", "Wish", "train"]
