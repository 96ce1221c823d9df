"""Drift: profiles of training rows, and how far the rows of today are from them."""

from leapstream.drift.counts import ColumnDrift, Counts
from leapstream.drift.profile import Column, Profile
from leapstream.drift.profiling import profile
from leapstream.drift.psi import psi

__all__ = ["Column", "ColumnDrift", "Counts", "Profile", "profile", "psi"]
