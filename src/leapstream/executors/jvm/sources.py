"""The Java sources of the hand-written kernels that generated classes call."""

from __future__ import annotations

from functools import cache
from importlib import resources

PACKAGE = "leapstream.runtime"


@cache
def _sources() -> tuple[tuple[str, str], ...]:
    folder = resources.files(__package__) / "java"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".java")), key=str)
    return tuple((f"{PACKAGE}.{f.name.removesuffix('.java')}", f.read_text(encoding="utf-8")) for f in files)


def runtime_sources() -> dict[str, str]:
    """The Java sources of the hand-written kernels, by fully qualified name of the class."""
    return dict(_sources())
