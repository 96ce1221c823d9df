"""The hand-written Java classes: kernels, and what wraps models for Flink."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from leapstream.errors import BackendError

if TYPE_CHECKING:
    from importlib.abc import Traversable

KERNELS = "leapstream.runtime"
"""The Java package of the kernels, which know nothing of Flink."""

FUNCTIONS = "leapstream.flink"
"""The Java package of the functions around models."""

LIVE = "leapstream.flink.live"
"""The Java package of functions whose models come from a store."""

DRIFT = "leapstream.flink.drift"
"""The Java package of what compares rows with profiles."""

PROVIDERS = "leapstream.flink.ml"
"""The Java package of what needs Flink's ``ML_PREDICT``, which came with Flink 2.1."""


@cache
def java_sources(package: str) -> Mapping[str, str]:
    """The hand-written classes of a Java package: source by fully qualified name, in the order of the names.

    Raises:
        BackendError: the installation lacks the package.
    """
    folder = _root().joinpath(*package.split("."))
    if not folder.is_dir():
        raise BackendError(f"this installation of leapstream lacks the Java sources of {package}")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".java")), key=lambda file: file.name)
    return MappingProxyType(
        {f"{package}.{file.name.removesuffix('.java')}": file.read_text(encoding="utf-8") for file in files}
    )


@cache
def abi() -> int:
    """The number of the hand-written classes' declarations, which generated classes are generated for."""
    (number,) = re.findall(r"\bNUMBER = (\d+);", java_sources(KERNELS)[f"{KERNELS}.Abi"])
    return int(number)


def _root() -> Traversable:
    """The folder that holds the packages: an installed wheel has it in this package, a checkout in its Maven project."""
    installed = resources.files(__package__) / "java"
    return installed if installed.is_dir() else Path(__file__).parents[4] / "java" / "src" / "main" / "java"


__all__ = ["DRIFT", "FUNCTIONS", "KERNELS", "LIVE", "PROVIDERS", "abi", "java_sources"]
