"""Instructions of the processor for the compiled kernels of several executors (numba)."""

from __future__ import annotations

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic


def _lowest_bit(typing: Any, mask: Any) -> Any:  # pragma: no cover - compiled
    """The number of the lowest bit of a mask that is set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return mask(mask), generate


lowest_bit: Any = intrinsic(_lowest_bit)
"""The number of the lowest bit of a mask that is set: that of the leaf, in the masks that all tested elements have in common."""

__all__ = ["lowest_bit"]
