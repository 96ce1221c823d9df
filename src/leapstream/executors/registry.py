"""Finds the executors: every package in this folder that has an ``EXECUTOR`` is one, under the name of its folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import leapstream.executors
from leapstream.errors import BackendError
from leapstream.executors.contract import Executor

DEFAULT = "vectorized"
"""The executor that runs a model when the caller names none. It has every primitive."""


@cache
def executors() -> Mapping[str, Executor]:
    """All executors by name, the default one first."""
    packages = sorted(
        (info.name for info in pkgutil.iter_modules(leapstream.executors.__path__) if info.ispkg),
        key=lambda name: (name != DEFAULT, name),
    )
    return MappingProxyType(
        {name: importlib.import_module(f"{leapstream.executors.__name__}.{name}").EXECUTOR for name in packages}
    )


def executor(name: str) -> Executor:
    """The executor of a name.

    Raises:
        BackendError: there is none.
    """
    found = executors().get(name)
    if found is None:
        raise BackendError(f"backend {name!r} is not known; there are {', '.join(map(repr, executors()))}")
    return found
