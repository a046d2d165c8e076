"""The shelf of checkpoints: a folder with a card, weights and a preview each; reading and writing them, and taking over
the authors' own files. It knows no training and no server.
"""

from studio.checkpoints.adopt import adopt
from studio.checkpoints.shelf import (
    HUB,
    SHIPPED,
    all_tags,
    appearing,
    build,
    card,
    card_text,
    checked_tag,
    files_of,
    folder,
    has_judge,
    load,
    places,
    read_card,
    save,
    tags,
    update_card,
)

__all__ = [
    "HUB", "SHIPPED", "adopt", "all_tags", "appearing", "build", "card", "card_text", "checked_tag", "files_of",
    "folder", "has_judge", "load", "places", "read_card", "save", "tags", "update_card",
]  # fmt: skip
