"""Memory of arrays that is used again for the next ones."""

from __future__ import annotations

from functools import cache

import numpy as np

_KEPT = 1 << 24
"""Greatest size of an array, in bytes, whose memory is used again."""


@cache
def keep_freed_memory() -> None:
    """Let glibc keep the memory of freed arrays of up to 16 MB, in all of this process, as it does once it freed such an array.

    Else each array from 128 KB on is new memory of the system, which clears it: a third of the time of simple batches.
    """
    np.empty(_KEPT, dtype=np.uint8)


__all__ = ["keep_freed_memory"]
