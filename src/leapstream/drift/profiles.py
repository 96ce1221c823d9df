"""The profile of a model: the values that its columns had in training, in bins."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from leapstream.errors import StoreError
from leapstream.escaping import json_text

FORMAT = 1
MOST_BYTES = 8 << 20
"""The most bytes of a profile."""

MOST_COLUMNS = 10_000
MOST_BINS = 1000
LONGEST_CATEGORY = 200
"""The most characters of a category that has a bin of its own."""

MOST_ELEMENTS = 16
"""The most elements of vectors whose elements have bins of their own."""

Side: TypeAlias = Literal["input", "output"]
Kind: TypeAlias = Literal["number", "category", "other"]


@dataclass(frozen=True)
class Column:
    """The values of a column in training.

    Attributes:
        name: the column.
        side: an input or an output of the model.
        kind: ``number``, ``category`` (a text or boolean), or ``other``, of which only missing values are counted.
        counts: the number of values in each bin; of categories, the last bin is that of all other ones. A column of the kind
            ``other`` has a single bin.
        missing: the number of missing values; NaN is missing, too.
        edges: of numbers, the upper bounds of the bins, which belong to them; the last bin has none.
        values: of categories, the values with a bin of their own.
        element: the place of the numbers in vectors that the column has; ``None`` for the whole column.
    """

    name: str
    side: Side
    kind: Kind
    counts: tuple[int, ...] = ()
    missing: int = 0
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    element: int | None = None

    @property
    def label(self) -> str:
        """The name, and the place of an element: ``probability[1]``."""
        return self.name if self.element is None else f"{self.name}[{self.element}]"

    @property
    def missing_rate(self) -> float:
        """The share of missing values."""
        rows = sum(self.counts) + self.missing
        return self.missing / rows if rows else 0.0

    def as_json(self) -> dict[str, Any]:
        """The column as a profile has it."""
        found: dict[str, Any] = {"name": self.name, "side": self.side, "kind": self.kind, "missing": self.missing}
        if self.element is not None:
            found["element"] = self.element
        if self.kind == "number":
            found["edges"] = list(self.edges)
        if self.kind == "category":
            found["values"] = list(self.values)
        return {**found, "counts": list(self.counts)}


@dataclass(frozen=True)
class Profile:
    """The values of a model's columns in training.

    Attributes:
        columns: its inputs, then its outputs.
        rows: the rows that were counted.
        total: the rows that there were; more than ``rows`` if a sample was counted.
        failed: the counted rows that fail in the model; their outputs are missing.
    """

    columns: tuple[Column, ...]
    rows: int
    total: int
    failed: int = 0

    def as_bytes(self) -> bytes:
        """The profile as a file.

        Raises:
            StoreError: it is larger than a profile may be.
        """
        content = {
            "format": FORMAT,
            "rows": self.rows,
            "total": self.total,
            "failed": self.failed,
            "columns": [column.as_json() for column in self.columns],
        }
        data = (json_text(content) + "\n").encode()
        if len(data) > MOST_BYTES or len(self.columns) > MOST_COLUMNS:
            raise StoreError(
                f"the profile has {len(self.columns)} columns and {len(data)} bytes; {MOST_COLUMNS} and {MOST_BYTES} are the most"
            )
        return data

    @classmethod
    def parsed(cls, data: bytes, where: str) -> Profile:
        """The profile in a file.

        Raises:
            StoreError: it is damaged, or of a format that this version of leapstream does not read.
        """
        try:
            if len(data) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
            given = json.loads(data)
            if given["format"] != FORMAT:
                raise ValueError(f"it has format {given['format']!r}, and this version of leapstream reads {FORMAT}")
            columns = tuple(_column(column) for column in given["columns"])
            if len(columns) > MOST_COLUMNS:
                raise ValueError(f"more than {MOST_COLUMNS} columns")
            return cls(columns, _count(given["rows"]), _count(given["total"]), _count(given["failed"]))
        except KeyError as error:
            raise StoreError(f"{where}: {error} is missing") from None
        except (ValueError, TypeError, RecursionError) as error:
            raise StoreError(f"{where}: {error}") from None


def _column(given: Mapping[str, Any]) -> Column:
    name, side, kind = given["name"], given["side"], given["kind"]
    if not isinstance(name, str) or side not in get_args(Side) or kind not in get_args(Kind):
        raise ValueError(f"column {name!r}: its name, side or kind is malformed")
    counts = tuple(_count(count) for count in given["counts"])
    edges = tuple(given["edges"]) if kind == "number" else ()
    values = tuple(given["values"]) if kind == "category" else ()
    bins = len(edges) + len(values) + 1
    if len(counts) != bins or bins > MOST_BINS:
        raise ValueError(f"column {name!r}: it has {len(counts)} counts, and its bins are {bins}")
    if not all(type(edge) in (int, float) and math.isfinite(edge) for edge in edges) or list(edges) != sorted(
        set(edges)
    ):
        raise ValueError(f"column {name!r}: its edges have to be numbers that grow")
    if not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
        raise ValueError(f"column {name!r}: its values have to be different texts")
    element = given.get("element")
    if element is not None and (kind != "number" or not _count(element) < MOST_ELEMENTS):
        raise ValueError(f"column {name!r}: an element has to be one of {MOST_ELEMENTS} numbers")
    return Column(name, side, kind, counts, _count(given["missing"]), tuple(map(float, edges)), values, element)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError(f"{value!r} is not a count")
    return value
