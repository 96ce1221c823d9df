"""A rewrite changes how a plan computes, not what."""

from __future__ import annotations

import numpy as np
import pytest

from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.frames.contract import Wanted
from leapstream.frames.registry import table_of
from leapstream.ops.pipeline import lower
from leapstream.plan.graph import Plan
from leapstream.plan.primitives import CategoryWeight, Concat, Dot, LinearSum, OneHot
from leapstream.plan.rewrites import optimize
from tests.golden_corpus import Case, cases


def kinds(plan: Plan) -> set[type]:
    return {type(expr) for expr in plan.order}


LINEAR = [
    case
    for case in cases()
    if case.known
    and not case.info.get("load_error")
    and {"vector_assembler"} < set(case.info["ops"])
    and {"linear_regression", "logistic_regression"} & set(case.info["ops"])
]


@pytest.mark.parametrize("case", LINEAR, ids=lambda case: case.name)
def test_fused_linear_model_agrees_with_the_one_over_the_vector(case: Case) -> None:
    model, table = case.model(), table_of(case.input(), Wanted(case.model().schema.inputs))
    outputs = model.schema.outputs.names
    slow = lower(model.root, model.name, table.schema, outputs)
    fast = optimize(slow)
    columns = {f.name: table.column(f.name, None) for f in table.schema}
    a, b = (VectorizedPlan(plan).run(columns, table.rows) for plan in (slow, fast))
    assert (a.states >= 0).tolist() == (b.states >= 0).tolist()
    for name in outputs:
        np.testing.assert_allclose(
            a.columns[name].values[a.kept], b.columns[name].values[b.kept], rtol=1e-10, atol=1e-12
        )


def test_assembled_vector_is_not_built_for_a_linear_model() -> None:
    model = Case(cases()[0].path.parent.parent / "pipeline/loans-logistic").model()
    plan = model.plan(outputs=["prediction"])
    assert LinearSum in kinds(plan)
    assert Dot not in kinds(plan)
    assert CategoryWeight in kinds(plan)
    assert OneHot not in kinds(plan)


def test_assembled_vector_is_still_there_when_asked_for() -> None:
    model = Case(cases()[0].path.parent.parent / "pipeline/loans-logistic").model()
    assert {Concat, OneHot} <= kinds(model.plan())
