"""Scores the rows of requests: where, in which pieces, and until when."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Literal, TypeAlias

from leapstream.errors import PredictionError
from leapstream.serving.failures import DeadlineError, RequestError, TooLargeError
from leapstream.serving.http import Request
from leapstream.serving.registry import ServedModel

OnError: TypeAlias = Literal["raise", "null", "row"]
"""The choice for rows that fail: the request fails, the row's outputs are missing, or its error takes their place."""

Answer: TypeAlias = "dict[str, Any] | PredictionError | None"
"""The result for a record: its outputs, ``None`` if the model drops it, or the error with which it fails."""

LOOP_SECONDS = 0.002
"""The time that a request may take in the event loop, as far as that can be estimated."""

LOOP_BODY = 64 << 10
"""The bytes of a body that is read in the event loop; to decode a larger one takes too long there."""

BATCH = 256
"""The number of rows from which on they are scored together: a batch has costs of its own."""

_PIECE = 8192
# To parse a number as Java does takes up to so long.
_VALUE_SECONDS = 4e-6
# The share of a new measurement in a model's cost.
_NEWEST = 0.1
# A measurement counts for no more than so many times what was known, and some seconds for models that cost next to nothing.
_MOST_TIMES = 8
_SURE_SECONDS = 50e-6


class TooLongForLoopError(Exception):
    """Raised in the event loop by what would take too long there; the request is then handled in a thread, from its beginning."""


class NotYetError(Exception):
    """Raised by what has to wait for something; the request is then handled from its beginning when that is done.

    Attributes:
        done: is set when it is done.
    """

    def __init__(self, done: Future[None]) -> None:
        super().__init__()
        self.done = done


def check_rows(request: Request, served: ServedModel, rows: int, most: int) -> None:
    """Decide, before anything is computed, whether the rows of a request may be scored here.

    Raises:
        TooLargeError: they are too many.
        TooLongForLoopError: they would take too long for the event loop.
    """
    if rows > most:
        raise TooLargeError(f"the request has {rows} rows, and {most} are allowed")
    if request.in_loop and rows * served.cost > LOOP_SECONDS:
        raise TooLongForLoopError
    request.served = served
    request.rows = rows
    served.used = time.monotonic()


def check_values(request: Request, values: int) -> None:
    """Decide, before so many values are converted one by one, whether that may be done here.

    Raises:
        TooLongForLoopError: it would take too long for the event loop.
    """
    if request.in_loop and values * _VALUE_SECONDS > LOOP_SECONDS:
        raise TooLongForLoopError


def score_record(
    request: Request, served: ServedModel, record: Mapping[str, Any], outputs: Sequence[str] | None
) -> Answer:
    """Score a single record.

    Raises:
        SchemaError: the record does not fit the model.
        PredictionError: it fails.
        TooLongForLoopError: it would take too long for the event loop.
    """
    if request.in_loop and served.cost > LOOP_SECONDS:
        raise TooLongForLoopError
    request.served = served
    request.rows = 1
    served.used = time.monotonic()
    return served.model.predict_record(record, outputs=outputs)


def score(
    request: Request,
    served: ServedModel,
    records: Sequence[Mapping[str, Any]],
    *,
    outputs: Sequence[str] | None = None,
    on_error: OnError = "raise",
    most: int,
) -> list[Answer]:
    """Score a list of records; returns a result for each.

    Args:
        request: whose time limit holds.
        served: the model.
        records: column to value; a column that one of them lacks, but not all, is a missing value there.
        outputs: columns to compute; by default the final outputs.
        on_error: see :data:`OnError`.
        most: the number of rows that a request may have.

    Raises:
        SchemaError: the records do not fit the model.
        PredictionError: a row fails, and ``on_error`` is ``raise``; it is the first that does.
        TooLargeError: there are too many rows.
        DeadlineError: the request's time is over.
        TooLongForLoopError: they would take too long for the event loop.
    """
    check_rows(request, served, len(records), most)
    if on_error not in ("raise", "null", "row"):
        raise RequestError(f"on_error is {on_error!r}, and has to be raise, null or row")
    if not records:
        return []
    started = time.perf_counter()
    if len(records) < BATCH and _alike(records):
        answers = _one_by_one(request, served, records, outputs, on_error)
    else:
        answers = _in_batches(request, served, _completed(records), outputs, on_error)
    learn(served, (time.perf_counter() - started) / len(records))
    return answers


def learn(served: ServedModel, seconds: float) -> None:
    """Take a measurement of what a row costs into account."""
    # A measurement during which the machine did something else tells nothing of the model.
    believed = min(seconds, _MOST_TIMES * served.cost + _SURE_SECONDS)
    served.cost += (believed - served.cost) * _NEWEST


def _alike(records: Sequence[Mapping[str, Any]]) -> bool:
    """True if all records have the same columns."""
    first = records[0]
    if not all(isinstance(record, dict) for record in records):
        raise RequestError("each record has to be an object of column to value")
    names = first.keys()
    return all(record.keys() == names for record in records)


def _completed(records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The records with all columns that any of them has, so that each piece of them has the same columns."""
    if len(records) <= _PIECE or _alike(records):
        return records
    every = dict.fromkeys(name for record in records for name in record)
    return [{**every, **record} for record in records]


def _one_by_one(
    request: Request,
    served: ServedModel,
    records: Sequence[Mapping[str, Any]],
    outputs: Sequence[str] | None,
    on_error: OnError,
) -> list[Answer]:
    predict = served.model.predict_record
    answers: list[Answer] = []
    for row, record in enumerate(records):
        try:
            answers.append(predict(record, outputs=outputs))
        except PredictionError as error:
            failed = error.at_row(row)
            if on_error == "raise":
                raise failed from None
            answers.append(failed)
        if not row & 63:
            check_time(request)
    return answers


def _in_batches(
    request: Request,
    served: ServedModel,
    records: Sequence[Mapping[str, Any]],
    outputs: Sequence[str] | None,
    on_error: OnError,
) -> list[Answer]:
    answers: list[Answer] = []
    for start in range(0, len(records), _PIECE):
        check_time(request)
        piece = records[start : start + _PIECE]
        results = served.model.predict_rows(piece, outputs=outputs)
        if results.errors and on_error == "raise":
            row = min(results.errors)
            raise results.errors[row].at_row(start + row)
        found: list[Answer] = [None] * len(piece)
        for row, answer in zip(results.rows.tolist(), results.frame, strict=True):
            found[row] = answer
        for row, error in results.errors.items():
            found[row] = error.at_row(start + row)
        answers += found
    return answers


def check_time(request: Request) -> None:
    """Make sure that a request has time left.

    Raises:
        DeadlineError: it has not.
    """
    if not request.in_loop and time.monotonic() > request.deadline:
        raise DeadlineError("the request's time is over")
