"""A rewrite changes how a plan computes, not what."""

from __future__ import annotations

import numpy as np
import pytest

from leapstream.bundle.types import Schema
from leapstream.executors.columns import Column
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.frames.contract import Wanted
from leapstream.frames.registry import table_of
from leapstream.ops.pipeline import lower
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import CategoryWeight, Concat, Dot, LinearSum, OneHot
from leapstream.plan.rewrites import lower as lower_for
from leapstream.plan.rewrites import optimize, rewritten
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


X = p.Input(name="x", type=p.vector(2))


def affine(x: p.Expr, **steps: list[float]) -> p.Affine:
    arrays = {name: np.array(values) for name, values in steps.items()}
    return p.Affine(x=x, size=2, type=p.vector(2), **arrays)


@pytest.mark.parametrize(
    ("inner", "outer", "steps"),
    [
        (
            {"shift": [0.1, 0.3]},
            {"shift": [0.0, 0.0], "divisor": [3.0, 7.0], "factor": [1.0, 1.0], "offset": [0.0, 0.0]},
            {"shift", "divisor", "offset"},
        ),
        ({"factor": [0.1, 0.3]}, {"shift": [0.7, -0.1]}, {"factor", "offset"}),
    ],
)
def test_two_affine_expressions_become_one_with_the_same_rounding(
    inner: dict[str, list[float]], outer: dict[str, list[float]], steps: set[str]
) -> None:
    first = affine(X, **inner)
    slow = plan_of(X, first, affine(first, **outer))
    fast = optimize(slow)
    (fused,) = (expr for expr in fast.order if isinstance(expr, p.Affine))
    assert {name for name in ("shift", "divisor", "factor", "offset") if getattr(fused, name) is not None} == steps
    x = np.random.default_rng(0).normal(size=(50, 2))
    x[:4] = [[0.0, -0.0], [np.nan, np.inf], [0.1, 0.3], [-np.inf, 1e308]]
    before, after = (VectorizedPlan(plan).run({"x": Column(x)}, len(x)).columns["out"].values for plan in (slow, fast))
    assert before.tobytes() == after.tobytes()


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ({"divisor": [3.0, 7.0]}, {"divisor": [3.0, 7.0]}),
        ({"offset": [3.0, 7.0]}, {"shift": [3.0, 7.0]}),
        ({"factor": [-1.0, 7.0]}, {"offset": [3.0, 7.0]}),
        ({"factor": [2.0, 7.0]}, {"shift": [0.0, 0.0]}),
        ({"shift": [0.0, 0.0]}, {"factor": [2.0, 7.0]}),
    ],
)
def test_affine_expressions_that_one_cannot_compute_stay_two(
    inner: dict[str, list[float]], outer: dict[str, list[float]]
) -> None:
    first = affine(X, **inner)
    plan = plan_of(X, first, affine(first, **outer))
    assert sum(isinstance(expr, p.Affine) for expr in optimize(plan).order) == 2


Y = p.Input(name="y", type=p.DOUBLE)


def plan_of(*created: p.Expr) -> Plan:
    inputs = Schema.of([(x.name, x.type) for x in created if isinstance(x, p.Input)])
    return make_plan("model", inputs, created, [("out", created[-1])])


def item(index: int) -> p.Item:
    return p.Item(x=X, index=index, type=p.DOUBLE, origin=p.Origin("node", "op"))


def split(expr: p.Expr) -> p.Expr:
    assert isinstance(expr, p.Take)
    items = tuple(p.Item(x=expr.x, index=index, type=p.DOUBLE, origin=expr.origin) for index in expr.indices)
    return p.Pack(xs=items, type=expr.type)


def test_a_plan_that_no_rewrite_changes_is_the_same_plan() -> None:
    plan = plan_of(X, item(0))
    assert rewritten(plan, lambda expr: expr) is plan
    assert lower_for(plan, {p.Take: split}) is plan


def test_a_lowering_may_make_operands_of_its_own() -> None:
    taken = p.Take(x=X, indices=(1, 0), type=p.vector(2))
    plan = lower_for(plan_of(X, taken), {p.Take: split})
    assert [type(expr) for expr in plan.order] == [p.Input, p.Item, p.Item, p.Pack]


def test_what_a_lowering_makes_is_lowered_too() -> None:
    taken = p.Take(x=X, indices=(1,), type=p.vector(1))
    lowerings = {p.Take: split, p.Pack: lambda expr: p.Concat(xs=expr.operands, type=expr.type)}
    assert kinds(lower_for(plan_of(X, taken), lowerings)) == {p.Input, p.Item, p.Concat}


def test_nested_plans_are_lowered() -> None:
    inner_x = p.Input(name="0", type=p.vector(2))
    inner = plan_of(inner_x, p.Take(x=inner_x, indices=(1,), type=p.vector(1)))
    switch = p.Switch(position=Y, xs=(X,), plans=(inner, inner), type=p.vector(1))
    plan = lower_for(plan_of(X, Y, switch), {p.Take: split})
    (changed,) = (expr for expr in plan.order if isinstance(expr, p.Switch))
    assert [kinds(nested) for nested in changed.plans] == [{p.Input, p.Item, p.Pack}] * 2


def test_a_lowered_plan_keeps_its_inputs() -> None:
    total = p.Binary(a=item(0), b=Y, function="add", type=p.DOUBLE)
    plan = plan_of(X, Y, total.a, total)
    lowered = lower_for(plan, {p.Binary: lambda expr: expr.operands[0]})
    assert kinds(lowered) == {p.Input, p.Item}
    assert lowered.inputs == plan.inputs
