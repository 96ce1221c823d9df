"""Runs a model over a frame, row by row where a row fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.errors import PredictionError

_CHUNK = 256
_ROW = "\0row"


@dataclass(frozen=True)
class Answers:
    """The answers of a model for the rows of a frame.

    Attributes:
        schema: the columns that the model adds.
        rows: values of these columns, by the row's number in the frame.
        errors: the reason why a row fails, by its number.
    """

    schema: Schema
    rows: dict[int, tuple[Any, ...]]
    errors: dict[int, str]


def answers(transform: Callable[[LeapFrame], LeapFrame], frame: LeapFrame) -> Answers:
    """Run a model over a frame; rows that fail are left out, and so are rows that the model drops.

    Raises:
        SchemaError: the frame does not fit the model at all.
    """
    number = Field(_ROW, ScalarType(BasicType.LONG, False))
    schema = Schema((*frame.schema.fields, number))
    width = len(schema.fields)
    found: dict[int, tuple[Any, ...]] = {}
    errors: dict[int, str] = {}
    added: Schema | None = None

    def take(start: int, stop: int) -> None:
        nonlocal added
        rows = [(*frame.rows[i], i) for i in range(start, stop)]
        result = transform(LeapFrame(schema, list(rows)))
        fields = Schema(result.schema.fields[width:])
        added = fields if added is None else added
        found.update((row[width - 1], tuple(row[width:])) for row in result.rows)

    for begin in range(0, max(len(frame.rows), 1), _CHUNK):
        start, stop = begin, min(begin + _CHUNK, len(frame.rows))
        while True:
            try:
                take(start, stop)
                break
            except PredictionError as error:
                failed = start + (error.row or 0)
                errors[failed] = str(error.reason)
                if failed > start:
                    take(start, failed)
                start = failed + 1
    return Answers(added or Schema(()), found, errors)
