"""Finds op classes by the names that bundles use: those of leapstream, and those of other packages through entry points."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

from leapstream.errors import UnsupportedOpError

ENTRY_POINTS = "leapstream.ops"
"""The group of entry points through which packages add ops; an entry point has the op's name and refers to its class."""

Base = TypeVar("Base")
Class = TypeVar("Class", bound="type[Any]")


class Registry(dict[str, "type[Base]"], Generic[Base]):
    """The classes of ops by name.

    Args:
        base: the base class of all ops; each has a name as its attribute ``op``.
    """

    def __init__(self, base: type[Base]) -> None:
        super().__init__()
        self.base = base

    def register(self, cls: Class) -> Class:
        """Add an op under its name (class decorator)."""
        self[cls.op] = cls
        return cls

    def register_families(self, *families: ModuleType) -> None:
        """Add the ops of modules and packages; a package has those that its ``__init__`` names.

        Raises:
            TypeError: two ops have the same name.
        """
        for family in families:
            for cls in vars(family).values():
                if self._is_op(cls) and f"{cls.__module__}.".startswith(f"{family.__name__}."):
                    if self.get(cls.op, cls) is not cls:
                        raise TypeError(f"{cls.__name__} and {self[cls.op].__name__} have the same name {cls.op!r}")
                    self.register(cls)

    def find(self, name: str, where: str) -> type[Base]:
        """The op class for a name.

        Raises:
            UnsupportedOpError: neither leapstream nor an installed package has the op. The message begins with ``where`` and
                names the nearest known op.
        """
        if name not in self:
            self._load_entry_point(name, where)
        try:
            return self[name]
        except KeyError:
            near = difflib.get_close_matches(name, [*self, *entry_points(group=ENTRY_POINTS).names], n=1)
            hint = f"; the nearest known op is {near[0]!r}" if near else ""
            raise UnsupportedOpError(f"{where}: unknown op {name!r}{hint}") from None

    def _is_op(self, found: Any) -> bool:
        # Not isinstance: in Python 3.10 list[int] says that it is an instance of type.
        return issubclass(type(found), type) and issubclass(found, self.base) and "op" in vars(found)

    def _load_entry_point(self, name: str, where: str) -> None:
        """Register the op that an installed package provides under a name, if there is one."""
        offered = tuple(entry_points(group=ENTRY_POINTS, name=name))
        if not offered:
            return
        found = offered[0]
        package = found.dist.name if found.dist is not None else found.value
        try:
            op = found.load()
        # The package's module may raise any exception when it is imported.
        except Exception as error:
            raise UnsupportedOpError(
                f"{where}: op {name!r} of package {package!r} cannot be loaded: {error}"
            ) from error
        if not (isinstance(op, type) and issubclass(op, self.base) and getattr(op, "op", None) == name):
            raise UnsupportedOpError(f"{where}: {found.value} of package {package!r} is not an Op with op = {name!r}")
        self.register(op)
