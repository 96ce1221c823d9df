"""The population stability index."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST_SHARE = 1e-4
"""The share that an empty bin counts as, so that its logarithm exists."""


def psi(expected: Sequence[float], actual: Sequence[float]) -> float | None:
    """The population stability index of two distributions over the same bins: the sum of (a - e) ln(a / e) over their shares.

    Args:
        expected: the count of each bin in training.
        actual: the count of each bin now.

    Returns:
        ``None`` if one of them has no counts.
    """
    before, now = math.fsum(expected), math.fsum(actual)
    if not before or not now:
        return None
    total = 0.0
    for e, a in zip(expected, actual, strict=True):
        then, today = max(e / before, LEAST_SHARE), max(a / now, LEAST_SHARE)
        total += (today - then) * math.log(today / then)
    return total
