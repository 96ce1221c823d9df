"""Frames that MLeap's protocols answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from leapstream import LeapFrame, Model, load
from leapstream.bundle.types import Schema
from leapstream.contract import answers, contracts
from leapstream.errors import PredictionError, SchemaError
from leapstream.serving import Application
from leapstream.serving.loading import warmed
from leapstream.serving.mleap.transforming import mleap_types
from leapstream.serving.registry import ServedModel
from tests.golden_corpus import GOLDEN


def expected(model: Model, given: LeapFrame) -> LeapFrame:
    """The answer for a frame, as the model itself gives it."""
    found = model.transform(given)
    added = Schema(found.schema.fields[len(given.schema) :])
    return LeapFrame(Schema((*given.schema.fields, *mleap_types(added))), found.rows)


def failure_of(message: str, backtrace: str) -> PredictionError | SchemaError:
    """The error that an answer tells of."""
    row = re.search(r"\tat row (\d+)", backtrace)
    return SchemaError(message) if row is None else PredictionError(message, row=int(row[1]))


def differing_cases(
    application: Application, asked: Callable[[LeapFrame], LeapFrame], rows: int, *, infinities: bool = True
) -> list[str]:
    """The cases of the conformance corpus whose answers are not those of the corpus.

    Args:
        application: serves each case's model as ``m``.
        asked: asks it for the answer to a frame, and raises :func:`failure_of`.
        rows: the number of rows of a request.
        infinities: whether frames may hold them.
    """

    def transform(given: LeapFrame) -> LeapFrame:
        parts = []
        for start in range(0, max(len(given), 1), rows):
            try:
                parts.append(asked(LeapFrame(given.schema, given.rows[start : start + rows])))
            except PredictionError as error:
                raise error.at_row(start + (error.row or 0)) from None
        return LeapFrame(parts[0].schema, [row for part in parts for row in part.rows])

    differing = []
    for case in contracts(GOLDEN):
        if not infinities and any("Infinity" in str(n["value"]) for n in case.info.get("nonfinite", ())):
            continue
        application.context.models.put(warmed(ServedModel("m", case.path.name, load(case.bundle))))
        try:
            report = case.verify_answers(answers(transform, case.frame("input")))
        except SchemaError:
            # All rows of a frame without a column fail.
            if len(case.info["error_rows"]) != case.info["rows_in"]:
                differing.append(f"{case.path.name}: a SchemaError")
            continue
        if not report.ok:
            differing.append(f"{case.path.name}: {report.problems} {report.failures} {report.columns}")
    return differing
