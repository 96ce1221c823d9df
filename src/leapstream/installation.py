"""This installation of leapstream: its version, and the directory of its user's cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VERSION = "0.1.0"

CACHE_DIR_VARIABLE = "LEAPSTREAM_CACHE_DIR"


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


__all__ = ["CACHE_DIR_VARIABLE", "VERSION", "cache_directory"]
