"""Drift: profiles of training rows, and how far the rows of today are from them."""

from typing import TYPE_CHECKING, Any

from leapstream.drift.profiles import Column, Profile
from leapstream.drift.psi import psi

if TYPE_CHECKING:
    from leapstream.drift.counts import ColumnDrift, Counts
    from leapstream.drift.profiling import profile

__all__ = ["Column", "ColumnDrift", "Counts", "Profile", "profile", "psi"]


def __getattr__(name: str) -> Any:
    # Whoever only reads profiles, such as a server that starts, has no need of Arrow yet.
    if name in ("ColumnDrift", "Counts"):
        from leapstream.drift import counts

        return getattr(counts, name)
    if name == "profile":
        from leapstream.drift.profiling import profile

        return profile
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
