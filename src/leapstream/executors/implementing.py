"""Marks functions as the implementations or lowerings of primitives, and collects the marked ones of an executor."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from leapstream.plan import primitives
from leapstream.plan.graph import Expr
from leapstream.plan.rewrites import Rewrite

Function = TypeVar("Function", bound=Callable[..., Any])
Lowering = TypeVar("Lowering", bound=Callable[..., Expr])
_IMPLEMENTS, _LOWERS = "__implements__", "__lowers__"


@dataclass(frozen=True)
class Implementation:
    """The implementation of a primitive in an executor.

    Attributes:
        function: computes the primitive, or writes code that does; each executor defines its arguments.
        prepare: makes the data that every run needs (tables, layouts), once per expression; ``None`` if there is none.
        sparse: true if ``function`` accepts sparse columns; all other functions get dense columns.
    """

    function: Callable[..., Any]
    prepare: Callable[[Any], Any] | None = None
    sparse: bool = False


def implements(
    primitive: type[Expr], *, prepare: Callable[[Any], Any] | None = None, sparse: bool = False
) -> Callable[[Function], Function]:
    """Mark a function as the implementation of ``primitive``; a function may implement several."""

    def mark(function: Function) -> Function:
        marks: dict[type[Expr], Implementation] = vars(function).setdefault(_IMPLEMENTS, {})
        marks[primitive] = Implementation(function, prepare, sparse)
        return function

    return mark


def lowers(primitive: type[Expr]) -> Callable[[Lowering], Lowering]:
    """Mark a function as the lowering of ``primitive``: it replaces an expression by one of primitives that the executor has."""

    def mark(function: Lowering) -> Lowering:
        vars(function).setdefault(_LOWERS, {})[primitive] = function
        return function

    return mark


def collected(package: str) -> dict[type[Expr], Implementation]:
    """The implementations in an executor's modules: the package has one for each family of primitives, or for some of them.

    Raises:
        TypeError: two functions implement the same primitive.
    """
    return _table(package, _IMPLEMENTS)


def collected_lowerings(package: str) -> dict[type[Expr], Rewrite]:
    """The lowerings in an executor's modules.

    Raises:
        TypeError: two functions lower the same primitive.
    """
    return _table(package, _LOWERS)


def _table(package: str, mark: str) -> dict[type[Expr], Any]:
    present = _modules(importlib.import_module(package))
    table: dict[type[Expr], Any] = {}
    for name in _modules(primitives):
        if name not in present:
            continue
        module = importlib.import_module(f"{package}.{name}")
        for function in vars(module).values():
            # A function that a module imports belongs to the module that defines it.
            if getattr(function, "__module__", None) != module.__name__:
                continue
            for primitive, marked in getattr(function, mark, {}).items():
                if primitive in table:
                    raise TypeError(f"{primitive.__name__} is marked twice in {package}")
                table[primitive] = marked
    return table


def _modules(package: ModuleType) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(package.__path__)]
