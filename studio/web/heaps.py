"""How the C library keeps memory for many threads."""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8  # malloc.h of glibc


def share(most: int = 2) -> bool:
    """Lets all threads of this process share ``most`` heaps of glibc; False = another C library, nothing changed.

    By itself glibc gives threads up to eight heaps a core. A server of pictures has a thread a visitor, each of which
    decodes, fits and encodes pictures; what it frees stays in its own heap, which nobody else takes from, so memory
    grows with the visitors and not with the work. To be called before the threads are.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, most))
    except (OSError, AttributeError, TypeError):
        return False
