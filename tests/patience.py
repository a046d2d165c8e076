"""How long tests wait. On a busy machine everything comes, but late; what comes soon costs no waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 120  # seconds until a test that waits is called failed


def until(true: Callable[[], object], wait: Callable[[], None] | None = None) -> None:
    """Waits until something is so, for `PATIENCE` seconds at most.

    Args:
        true: says whether it is.
        wait: what to do between two looks (default: nothing for 50 ms).

    Raises:
        AssertionError: it never was.
    """
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it never came to be so"
        wait() if wait else time.sleep(0.05)
