"""The base class of the kinds of frames: a kind shows its rows as columns of leap types, and makes a frame of its own of results.

A kind lives in a module of its own; :mod:`leapstream.frames.registry` lists them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from leapstream.bundle.types import DataType, Field, Schema
from leapstream.executors.columns import Column

Rows: TypeAlias = npt.NDArray[np.intp]
Output: TypeAlias = tuple[Field, "Column | list[Any]"]
"""A computed column: as arrays, or as Python values when rows have tensors of different sizes."""


@dataclass(frozen=True)
class Wanted:
    """The columns that a model may read.

    Attributes:
        schema: their declared types.
        several: those that ports read as several types, so that no declared type is right for all of them.
        needed: gives the names of those that the outputs need, in the order of the schema; ``None`` if these are all.
    """

    schema: Schema
    several: frozenset[str] = frozenset()
    needed: Callable[[], tuple[str, ...]] | None = None

    def declared(self, name: str) -> DataType | None:
        """The type that a column's values in Python become; ``None`` where they keep their own."""
        return None if name in self.several or name not in self.schema else self.schema[name].type


class Table(ABC):
    """A frame of some kind, seen as columns of leap types.

    Attributes:
        title: the kind, for messages.
        rows: number of rows.
        names: all columns of the frame.
        schema: the wanted columns that the frame has, with their leap types.
    """

    title: ClassVar[str]
    rows: int
    names: Collection[str]
    schema: Schema

    @classmethod
    @abstractmethod
    def accepts(cls, frame: Any) -> bool:
        """True if a frame is of this kind."""

    @abstractmethod
    def __init__(self, frame: Any, wanted: Wanted) -> None:
        """A table of a frame; only the ``wanted`` columns have to be of leap types.

        Raises:
            SchemaError: a wanted column has no leap type.
        """

    @abstractmethod
    def sizes(self, name: str) -> list[Any] | None:
        """Per row, what has to be equal for rows to share a batch (a tensor's dimensions); ``None`` for a missing value.

        ``None`` instead of a list says that all rows are alike.
        """

    @abstractmethod
    def column(self, name: str, rows: Rows | None) -> Column:
        """A column, or some rows of it."""

    @abstractmethod
    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        """A frame of the same kind: the given columns, if they are to be kept, and the outputs.

        Args:
            outputs: columns to add, with a value for each row that is kept.
            rows: the given rows that are kept; ``None`` for all.
            keep_inputs: whether the given columns are part of the result.
        """


def grouped(keys: Sequence[Any]) -> list[Rows]:
    """Positions of equal keys, by first appearance."""
    groups: dict[Any, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return [np.array(rows, dtype=np.intp) for rows in groups.values()]
