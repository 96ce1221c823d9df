"""Old ways to call functions and to find names, which work for two more releases with a ``DeprecationWarning``."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def warn(message: str) -> None:
    """Warn at the line outside of leapstream that led here."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "leapstream":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, DeprecationWarning, stacklevel=level)


def old_order(*names: str, when: Callable[[object], bool]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function be called in an older order of its positional arguments.

    Args:
        names: the positional arguments in the old order.
        when: tells by the first positional argument that a call is in the old order.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        new = ", ".join(_positional(function)[: len(names)])

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if not args or len(args) > len(names) or not when(args[0]):
                return function(*args, **kwargs)
            warn(f"{_name(function)}({', '.join(names)}, …) is now {_name(function)}({new}, …)")
            named: Any = function
            result: R = named(**dict(zip(names, args, strict=False)), **kwargs)
            return result

        return wrapper

    return decorate


def keyword_only(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function be called with positional arguments that are keywords by now.

    Args:
        names: these arguments, in the order in which they followed the positional ones.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        count = len(_positional(function))

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            more = args[count:]
            if not more or len(more) > len(names):
                return function(*args, **kwargs)
            given = dict(zip(names, more, strict=False))
            warn(f"{_name(function)}() takes {', '.join(given)} as keyword arguments now")
            named: Any = function
            result: R = named(*args[:count], **given, **kwargs)
            return result

        return wrapper

    return decorate


def keyword_only_fields(*names: str) -> Callable[[type[R]], type[R]]:
    """Like :func:`keyword_only`, for the fields of a dataclass."""

    def decorate(cls: type[R]) -> type[R]:
        made: Any = cls
        made.__init__ = keyword_only(*names)(made.__init__)
        return cls

    return decorate


def renamed_argument(old: str, new: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function be called with the old name of an argument."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            if old not in kwargs:
                return function(*args, **kwargs)
            warn(f"{_name(function)}({old}=…) is now {_name(function)}({new}=…)")
            named: Any = function
            rest = {key: value for key, value in kwargs.items() if key != old}
            result: R = named(*args, **{new: kwargs[old]}, **rest)
            return result

        return wrapper

    return decorate


def moved_names(module: str, new_modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module from which names have moved.

    Args:
        module: the module's name.
        new_modules: the module that has a name now, by name.
    """

    def getattr_(name: str) -> Any:
        if name not in new_modules:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn(f"{module}.{name} is now {new_modules[name]}.{name}")
        return getattr(importlib.import_module(new_modules[name]), name)

    return getattr_


def _positional(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds]


def _name(function: Callable[..., Any]) -> str:
    return function.__qualname__.removesuffix(".__init__")
