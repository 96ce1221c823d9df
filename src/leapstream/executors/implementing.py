"""Marks functions as the implementations of primitives, and collects the marked ones of an executor."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from leapstream.plan import primitives
from leapstream.plan.graph import Expr

Function = TypeVar("Function", bound=Callable[..., Any])
_MARK = "__implements__"


@dataclass(frozen=True)
class Implementation:
    """How an executor computes a primitive.

    Attributes:
        function: computes it, or writes the code that does; its arguments are the executor's own.
        prepare: makes once per expression what every run needs (tables, layouts); ``None`` when nothing is needed.
        sparse: whether ``function`` takes sparse columns; an executor hands dense columns to all others.
    """

    function: Callable[..., Any]
    prepare: Callable[[Any], Any] | None = None
    sparse: bool = False


def implements(
    primitive: type[Expr], *, prepare: Callable[[Any], Any] | None = None, sparse: bool = False
) -> Callable[[Function], Function]:
    """Mark a function as the implementation of ``primitive``; a function may implement several."""

    def mark(function: Function) -> Function:
        marks: dict[type[Expr], Implementation] = vars(function).setdefault(_MARK, {})
        marks[primitive] = Implementation(function, prepare, sparse)
        return function

    return mark


def collected(package: str) -> dict[type[Expr], Implementation]:
    """The implementations in an executor's modules: the package has one for each family of primitives, or for some of them.

    Raises:
        TypeError: two functions implement the same primitive.
    """
    present = _modules(importlib.import_module(package))
    families = [importlib.import_module(f"{package}.{name}") for name in _modules(primitives) if name in present]
    table: dict[type[Expr], Implementation] = {}
    for primitive, implementation in _marked(families):
        if primitive in table:
            raise TypeError(f"{primitive.__name__} is implemented twice")
        table[primitive] = implementation
    return table


def _modules(package: ModuleType) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(package.__path__)]


def _marked(families: Iterable[ModuleType]) -> Iterable[tuple[type[Expr], Implementation]]:
    for family in families:
        for value in vars(family).values():
            # A function that a module imports belongs to the module that defines it.
            if getattr(value, "__module__", None) == family.__name__:
                yield from getattr(value, _MARK, {}).items()
