"""Sums have the bits that adding from left to right gives, on every executor and in batches of any size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from leapstream import Tensor
from leapstream.bundle.types import Schema
from leapstream.executors.columns import Column
from leapstream.executors.registry import executors
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.executors.vectorized.sums import KERNELS
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from leapstream.plan.primitives import Doubles
from tests.primitives.running import dense, run, run_alone, same, sparse

EXECUTORS = [pytest.param(name, marks=pytest.mark.flink if name == "jvm" else ()) for name in executors()]
RNG = np.random.default_rng(7)


def noise(*shape: int) -> Doubles:
    """Numbers of very different sizes, whose sums depend on the order."""
    return np.asarray(RNG.normal(size=shape) * 10.0 ** RNG.integers(-8, 8, size=shape))


def added(values: Iterable[float], total: float = 0.0) -> float:
    for value in values:
        total += value
    return total


def plan_of(expr: p.Expr, *inputs: p.Input) -> Plan:
    return make_plan("m", Schema.of([(x.name, x.type) for x in inputs]), [*inputs, expr], [("out", expr)])


def products(x: Sequence[float], weights: Doubles, total: float = 0.0) -> float:
    return added((a * float(w) for a, w in zip(x, weights, strict=True)), total)


def cases(size: int) -> list[tuple[str, p.Expr]]:
    """Expressions over the vector ``x`` of a size, by name."""
    x = p.Input(name="x", type=p.vector(size))
    weights, matrix, scales = noise(size), noise(3, size), np.abs(noise(3, size))
    kind, three = p.vector(size), p.vector(3)
    return [
        ("dot", p.Dot(x=x, weights=weights, intercept=0.1, type=p.DOUBLE)),
        ("mat_vec", p.MatVec(x=x, matrix=matrix, intercepts=np.array([0.1, 0.2, 0.3]), type=three)),
        ("normalize_sum", p.NormalizeSum(x=x, type=kind)),
        ("norm_1", p.Normalize(x=x, p=1.0, type=kind)),
        ("norm_2", p.Normalize(x=x, p=2.0, type=kind)),
        ("square_sums", p.SquareSums(x=x, size=size, type=p.vector(1))),
        ("distances", p.ScaledDistances(x=x, centers=matrix, scales=scales, type=three)),
    ]


def expected(expr: p.Expr, x: list[float]) -> float | Tensor:
    match expr:
        case p.Dot():
            return products(x, expr.weights) + expr.intercept
        case p.MatVec():
            return dense(*(products(x, row) + float(b) for row, b in zip(expr.matrix, expr.intercepts, strict=True)))
        case p.NormalizeSum():
            return dense(*(v / added(x) for v in x))
        case p.Normalize(p=1.0):
            return dense(*(v / added(map(abs, x)) for v in x))
        case p.Normalize():
            return dense(*(v / math.sqrt(added(v * v for v in x)) for v in x))
        case p.SquareSums():
            return dense(added(v * v for v in x))
        case p.ScaledDistances():
            pairs = zip(expr.centers.tolist(), expr.scales.tolist(), strict=True)
            return dense(*(added((v - c) * (v - c) / s for v, c, s in zip(x, *pair, strict=True)) for pair in pairs))
        case _:
            raise AssertionError(expr)


@pytest.mark.parametrize("size", [1, 5, 16, 17, 130])
@pytest.mark.parametrize("name", EXECUTORS)
def test_terms_are_added_from_left_to_right(name: str, size: int) -> None:
    executor = executors()[name]
    rows = [[dense(*row)] for row in noise(7, size).tolist()]
    for label, expr in cases(size):
        (x,) = expr.operands
        assert isinstance(x, p.Input)
        plan = plan_of(expr, x)
        if executor.missing(plan):
            continue
        prepared = executor.prepare(plan)
        wanted = [{"out": expected(expr, row[0].to_dense().tolist())} for row in rows]
        for found in (run(prepared, rows), run_alone(prepared, rows)):
            assert all(map(same, found, wanted)), (label, found, wanted)


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_parts_of_a_linear_model_are_added_as_one_vector(name: str) -> None:
    sizes = [4, None, 20, None]
    xs = tuple(p.Input(name=f"x{i}", type=p.DOUBLE if n is None else p.vector(n)) for i, n in enumerate(sizes))
    weights = tuple(noise(n or 1) for n in sizes)
    plan = plan_of(p.LinearSum(xs=xs, weights=weights, intercept=0.3, type=p.DOUBLE), *xs)
    rows = [[float(noise(1)[0]) if n is None else dense(*noise(n)) for n in sizes] for _ in range(9)]
    found = run(executors()[name].prepare(plan), rows)
    for row, result in zip(rows, found, strict=True):
        flat = [v for x in row for v in (x.to_dense().tolist() if isinstance(x, Tensor) else [x])]
        assert same(result, {"out": products(flat, np.concatenate(weights)) + 0.3})


@pytest.mark.parametrize("name", EXECUTORS)
def test_elements_that_are_not_stored_take_no_part_in_products_with_infinity(name: str) -> None:
    executor = executors()[name]
    x = p.Input(name="x", type=p.vector(2))
    dot = plan_of(p.Dot(x=x, weights=np.array([2.0, math.inf]), intercept=1.0, type=p.DOUBLE), x)
    both = p.MatVec(x=x, matrix=np.array([[2.0, -math.inf], [1.0, 3.0]]), intercepts=np.zeros(2), type=p.vector(2))
    rows = [[sparse(2, {0: 1.0})], [dense(1.0, 0.0)], [sparse(2, {1: 0.0})], [sparse(2, {})]]
    for plan, wanted in (
        (dot, [3.0, math.nan, math.nan, 1.0]),
        (plan_of(both, x), [dense(2.0, 1.0), dense(math.nan, 1.0), dense(math.nan, 0.0), dense(0.0, 0.0)]),
    ):
        if not executor.missing(plan):
            found = run(executor.prepare(plan), rows)
            assert all(same(a, {"out": b}) for a, b in zip(found, wanted, strict=True)), found


@pytest.mark.parametrize("outputs", [3, 20])
@pytest.mark.parametrize("size", [5, 17, 130])
def test_the_compiled_kernels_add_as_numpy_does(monkeypatch: pytest.MonkeyPatch, size: int, outputs: int) -> None:
    x = p.Input(name="x", type=p.vector(size))
    plans = [plan_of(expr, x) for _, e in cases(size) for expr in [e.with_operands((x,))]]
    matrix = p.MatVec(x=x, matrix=noise(outputs, size), intercepts=np.zeros(outputs), type=p.vector(outputs))
    values = Column(noise(1203, size))

    def results() -> list[Doubles]:
        return [
            VectorizedPlan(plan).run({"x": values}, 1203).columns["out"].values for plan in (*plans, plan_of(matrix, x))
        ]

    monkeypatch.setattr(KERNELS, "_module", None)
    monkeypatch.setattr(KERNELS, "wait", lambda values: True)
    by_numpy = results()
    monkeypatch.undo()
    KERNELS.load()
    for ours, theirs in zip(results(), by_numpy, strict=True):
        assert ours.tobytes() == theirs.tobytes()
