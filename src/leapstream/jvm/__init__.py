"""Runs plans in a Java virtual machine: generated classes over hand-written kernels, compiled by Flink's Janino."""

from __future__ import annotations

from functools import cache
from importlib import resources

PACKAGE = "leapstream.runtime"


@cache
def _sources() -> tuple[tuple[str, str], ...]:
    files = sorted((f for f in (resources.files(__name__) / "java").iterdir() if f.name.endswith(".java")), key=str)
    return tuple((f"{PACKAGE}.{f.name.removesuffix('.java')}", f.read_text(encoding="utf-8")) for f in files)


def runtime_sources() -> dict[str, str]:
    """The Java sources of the hand-written kernels, by fully qualified name of the class."""
    return dict(_sources())


__all__ = ["PACKAGE", "runtime_sources"]
