"""Modules under the names that they had before: importing one warns and gives the module that took its place."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "leapstream.batches": "leapstream.frames.running",
    "leapstream.jvm": "leapstream.executors.jvm",
    "leapstream.plan.clusters": "leapstream.layouts.clusters",
    "leapstream.plan.forest": "leapstream.layouts.forest",
    "leapstream.plan.javaregex": "leapstream.javalike.regex",
    "leapstream.plan.plan": "leapstream.plan.planning",
    "leapstream.plan.primitives.base": "leapstream.plan.graph",
    "leapstream.rowwise": "leapstream.executors.rowwise",
    "leapstream.sources.cache": "leapstream.fetching.cache",
    "leapstream.sources.options": "leapstream.fetching.options",
    "leapstream.sources.remote": "leapstream.fetching.remote",
    "leapstream.sources.resolver": "leapstream.fetching.resolver",
    "leapstream.sources.uri": "leapstream.fetching.uri",
    "leapstream.tables": "leapstream.frames.registry",
    "leapstream.vectorized": "leapstream.executors.vectorized",
    "leapstream.vectorized.columns": "leapstream.executors.columns",
    "leapstream.vectorized.javatext": "leapstream.javalike.text",
}
"""Old names of modules and packages (of these, the modules inside too), and the new ones. Remove an entry after two releases."""


class MovedFinder(MetaPathFinder, Loader):
    """Finds modules by their old names."""

    def __init__(self) -> None:
        self._specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return None if _new_name(fullname) is None else ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        name = _new_name(spec.name)
        assert name is not None
        warnings.warn(f"module {spec.name} is now {name}", DeprecationWarning, stacklevel=2)
        module = importlib.import_module(name)
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module, which has run under its new name, the spec of that name back."""
        assert module.__spec__ is not None
        module.__spec__ = self._specs[module.__spec__.name]


def _new_name(name: str) -> str | None:
    old = name if name.startswith("leapstream.") else ""
    while old:
        if old in MOVED:
            return MOVED[old] + name[len(old) :]
        old = old.rpartition(".")[0]
    return None


def install() -> None:
    """Let imports find modules by their old names."""
    if not any(isinstance(finder, MovedFinder) for finder in sys.meta_path):
        # In front of the finder that would find modules of a moved package a second time, by its path.
        sys.meta_path.insert(0, MovedFinder())
