"""Leap frames: a schema and rows, read from and written to MLeap's JSON and binary formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leapstream.bundle.types import Schema


@dataclass
class LeapFrame:
    """A table of leap values (MLeap's ``DefaultLeapFrame``).

    Attributes:
        schema: names and types of the columns.
        rows: one sequence of values per row, in the order of the fields: ``bool``, ``int``, ``float``, ``str``,
            ``bytes``, a list, a :class:`~leapstream.bundle.tensor.Tensor`, a dict, or ``None`` for a missing value.
    """

    schema: Schema
    rows: list[Sequence[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        position = self.schema.names.index(name)
        return [row[position] for row in self.rows]
