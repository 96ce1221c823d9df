"""Rows of the corpus that fail do so at the same place and with the same text on every executor."""

from __future__ import annotations

import pytest

from leapstream import SchemaError
from leapstream.bundle.types import Schema
from leapstream.executors.registry import executors
from tests.golden_corpus import Case, cases
from tests.primitives.running import Failed, run, run_alone

FAILING = [
    case
    for case in cases()
    if case.known and not case.info.get("load_error") and (case.error_rows or case.info.get("dropped_rows"))
]


@pytest.mark.flink
@pytest.mark.parametrize("case", FAILING, ids=lambda case: case.name)
def test_rows_fail_alike_on_every_executor(case: Case) -> None:
    model, frame = case.model(), case.input()
    # A frame that does not fit the model has no row that fails.
    if any(name in frame.schema for name in model.schema.outputs.names):
        return
    try:
        plan = model.plan(Schema(tuple(f for f in frame.schema if f.name in model.schema.inputs)))
    except SchemaError:
        return
    rows = [[row[frame.schema.names.index(name)] for name in plan.inputs.names] for row in frame.rows]
    prepared = [executor.prepare(plan) for executor in executors().values() if not executor.missing(plan)]
    first, *others = prepared
    expected = run(first, rows)
    failing = [row for row, result in enumerate(expected) if isinstance(result, Failed)]
    assert failing == case.error_rows
    for other in others:
        assert [(i, r) for i, r in enumerate(run(other, rows)) if isinstance(r, Failed)] == [
            (i, expected[i]) for i in failing
        ]
    for each in prepared:
        assert run_alone(each, [rows[row] for row in failing[:20]]) == [expected[row] for row in failing[:20]]
