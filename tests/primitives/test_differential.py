"""All executors agree on plans and rows that nobody chose: bits, types, drops, and failures with their texts."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from leapstream.executors import columns
from leapstream.executors.contract import Executor
from leapstream.executors.registry import executors
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from tests.primitives.drawing import BUILDERS, Example, examples
from tests.primitives.running import Failed, run, run_alone, same
from tests.primitives.sources import case_source
from tests.primitives.test_coverage import PRIMITIVES
from tests.primitives.tolerances import tolerance

UNCERTAIN = "the regular expression '"


def test_every_primitive_but_external_ones_is_drawn() -> None:
    assert set(BUILDERS) == PRIMITIVES - {p.Input, p.TensorFlow}


def agree(found: Any, expected: Any, plan: Plan) -> bool:
    """True if two results of a row are the same, each output up to the tolerance of its primitive."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(same(found[name], expected[name], tolerance(expr)) for name, expr in plan.outputs)
    if isinstance(expected, Failed) and expected.reason.startswith(UNCERTAIN):
        return True  # Python does not know what Java finds
    return same(found, expected)


def compare(example: Example, others: list[Executor]) -> None:
    """Assert that executors give what the default one gives, which gives for a row alone what it gives in a batch."""
    plan, rows = example.plan, example.rows
    default = executors()["vectorized"]
    prepared = default.prepare(plan)
    expected = run(prepared, rows)
    answers = [("vectorized, row by row", run_alone(prepared, rows))]
    with patch.multiple(columns, FEWEST_CODED=0, MOST_DISTINCT=1.0):
        answers.append(("vectorized, by distinct texts", run(prepared, rows)))
    answers += [(other.name, run(other.prepare(plan), rows)) for other in others if not other.missing(plan)]
    for name, answer in answers:
        for row, ours, theirs in zip(rows, answer, expected, strict=True):
            assert agree(ours, theirs, plan), f"{name} gives {ours}, not {theirs}\n{case_source(plan, [row])}"


@pytest.mark.slow
@settings(max_examples=400, derandomize=True)
@given(example=examples())
def test_python_executors_agree(example: Example) -> None:
    compare(example, [executors()["rowwise"]])


@pytest.mark.flink
@pytest.mark.timeout(600)
@settings(max_examples=400, derandomize=True)
@given(example=examples())
def test_java_agrees_with_the_default_executor(example: Example) -> None:
    compare(example, [executors()["jvm"]])
