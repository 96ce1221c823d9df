"""This installation of leapstream: its version, and the directory of its user's cache."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

VERSION = "0.1.0"

CACHE_DIR_VARIABLE = "LEAPSTREAM_CACHE_DIR"

BATCH_PACKAGES = ("numba", "pyarrow", "scipy")
"""The packages of the extra ``batch``."""


@cache
def lacks_for_batches() -> str | None:
    """The packages of the extra ``batch`` that are not installed, and the command that installs them; ``None`` if all are."""
    lacking = [package for package in BATCH_PACKAGES if find_spec(package) is None]
    return f"{', '.join(lacking)}: pip install 'leapstream[batch]'" if lacking else None


def cache_directory() -> Path:
    """The directory that the environment variable names, else ``leapstream`` in the user's cache directory of this platform.

    It need not exist yet.
    """
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    return Path(chosen) if chosen else _user_cache_directory() / "leapstream"


def _user_cache_directory() -> Path:
    home = Path("~").expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")


__all__ = ["BATCH_PACKAGES", "CACHE_DIR_VARIABLE", "VERSION", "cache_directory", "lacks_for_batches"]
