"""Trees of a single record: by the compiled kernel, and without it until that saves time."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT
from leapstream.bundle.types import Field, Schema
from leapstream.executors.registry import executor
from leapstream.executors.rowwise import executor as rowwise
from leapstream.executors.rowwise.executor import RecordPlan, UnusualRecordError
from leapstream.executors.rowwise.forests import make_record_forest
from leapstream.layouts.forest import make_forest
from leapstream.plan import primitives as p
from leapstream.plan.graph import Plan
from leapstream.plan.planning import make_plan
from tests.primitives.running import same
from tests.primitives.test_trees import stump
from tests.trees import ENSEMBLES, chain, ensemble, expected, leaf_of, random_tree, telling

BENCH = Path(__file__).parents[2] / "bench"
FLOATS = (0.1, -2.5, 1e-30, 0.0, -0.0, 16777217.0, math.nan)


def plan_of(name: str, *created: p.Expr) -> Plan:
    """A plan of inputs and of expressions that read them, whose last one is the output."""
    schema = Schema(tuple(Field(x.name, x.type) for x in created if isinstance(x, p.Input)))
    return make_plan(name, schema, created, [("out", created[-1])])


def vector(size: int) -> p.Input:
    return p.Input(name="x", type=p.vector(size))


def record_plan(plan: Plan, kernels: bool) -> RecordPlan:
    return RecordPlan(plan, executor("vectorized").prepare, kernels)


def result(prepared: RecordPlan, record: dict[str, Any]) -> Any:
    found = prepared.run_record(record)
    assert found is not None
    return found["out"]


def in_batch(plan: Plan, record: list[float]) -> Any:
    from leapstream import Tensor
    from tests.primitives.running import run

    (found,) = run(executor("vectorized").prepare(plan), [[Tensor.dense(record)]])
    value = found["out"] if isinstance(found, dict) else None
    return value.to_dense().tolist() if isinstance(value, Tensor) else value


@pytest.fixture(params=[True, False], ids=["kernel", "no kernel"])
def kernels(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_trees_behind_a_concatenation_take_either_zero(kind: str, kernels: bool) -> None:
    rng = np.random.default_rng(5)
    numbers = [p.Input(name=f"x{i}", type=p.DOUBLE) for i in range(5)]
    x = p.Concat(type=p.vector(5), xs=tuple(numbers))
    expr = ensemble(kind, x, rng, 5)
    prepared = record_plan(plan_of("trees", *numbers, x, expr), kernels)
    rows = rng.choice([*telling(expr), 0.0, -0.0, -0.0], (20, 5))
    for row, wanted in zip(rows, expected(expr, rows), strict=True):
        found = result(prepared, {number.name: value for number, value in zip(numbers, row.tolist(), strict=True)})
        assert same(found, wanted)


def test_scaled_zeros_have_no_sign_but_for_trees(kernels: bool) -> None:
    x, y = p.Input(name="x", type=p.DOUBLE), p.Input(name="y", type=p.DOUBLE)
    inner = p.Concat(type=p.vector(1), xs=(x,))
    scaled = p.Affine(x=inner, size=1, factor=np.array([-2.0]), type=p.vector(1))
    outer = p.Concat(type=p.vector(2), xs=(scaled, y))
    trees = (stump(), stump(feature=1)) * 4
    sums = p.Trees(x=outer, trees=trees, combine="sum", width=1, type=p.DOUBLE)
    created = (x, y, inner, scaled, outer, sums)
    schema = Schema(tuple(Field(given.name, given.type) for given in (x, y)))
    outputs = [("sums", sums), ("scaled", scaled), ("outer", outer)]
    for wanted in (outputs[:1], outputs[:2], outputs):
        prepared = record_plan(make_plan("trees", schema, created, wanted), kernels)
        for record in ({"x": a, "y": b} for a in (0.0, -0.0, 1.0) for b in (0.0, -0.0)):
            found = prepared.run_record(record)
            assert (
                found is not None and found["sums"] == expected(sums, np.array([[-2.0 * record["x"], record["y"]]]))[0]
            )
            # A concatenation stores no zero, so that none has a sign.
            assert repr(found.get("scaled", [])) in ("[]", "[-0.0]", "[-2.0]")
            assert "-0.0" not in repr(found.get("outer", []))


def test_a_long_chain_of_concatenations_that_double_is_written_in_time(kernels: bool) -> None:
    created: list[p.Expr] = [p.Input(name="y", type=p.DOUBLE), p.Concat(type=p.vector(0), xs=())]
    for _ in range(1500):
        created.append(p.Concat(type=p.vector(0), xs=(created[-1], created[-1])))
    x = p.Concat(type=p.vector(1), xs=(created[-1], created[0]))
    sums = p.Trees(x=x, trees=(stump(),) * 20, combine="sum", width=1, type=p.DOUBLE)
    assert result(record_plan(plan_of("trees", *created, x, sums), kernels), {"y": 0.0}) == 20.0


@pytest.mark.parametrize("size", [5, 80])
@pytest.mark.parametrize("kind", ENSEMBLES)
def test_trees_give_what_a_walk_from_node_to_node_gives(kind: str, size: int, kernels: bool) -> None:
    rng = np.random.default_rng(3)
    x = vector(size)
    expr = ensemble(kind, x, rng, 5)
    prepared = record_plan(plan_of("trees", x, expr), kernels)
    rows = rng.choice(telling(expr), (20, size))
    for row, wanted in zip(rows, expected(expr, rows), strict=True):
        assert same(result(prepared, {"x": row.tolist()}), wanted)


@pytest.mark.parametrize("trees", [1, 7, 8, 9, 60])
@pytest.mark.parametrize("combine", ["sum", "mean", "votes", "groups", "one group"])
def test_any_number_of_trees_gives_what_a_batch_gives(combine: Any, trees: int, kernels: bool) -> None:
    rng = np.random.default_rng(trees)
    x = vector(3)
    width = {"votes": 3, "groups": 2}.get(combine, 1)
    groups = "group" in combine
    expr = p.Trees(
        x=x,
        trees=tuple(random_tree(rng, int(rng.integers(9)), 3, width) for _ in range(trees)),
        combine="groups" if groups else combine,
        width=width,
        weights=rng.normal(size=trees) if combine == "sum" else None,
        groups=tuple(rng.integers(width, size=trees).tolist()) if groups else (),
        base=np.float32(rng.normal(size=width)).astype(np.float64) if groups else None,
        type=p.vector(width) if groups or combine == "votes" else p.DOUBLE,
    )
    plan = plan_of("trees", x, expr)
    prepared = record_plan(plan, kernels)
    for row in rng.choice(telling(expr), (10, 3)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


def test_trees_with_more_classes_than_variables_give_what_a_batch_gives(kernels: bool) -> None:
    rng = np.random.default_rng(0)
    x = vector(3)
    trees = tuple(random_tree(rng, 4, 3, 100, categories=True) for _ in range(3))
    plan = plan_of("trees", x, p.Trees(x=x, trees=trees, combine="votes", width=100, type=p.vector(100)))
    prepared = record_plan(plan, kernels)
    for row in rng.choice([0.0, 1.0, 2.0, math.nan], (10, 3)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


def test_trees_that_test_many_elements_give_what_a_batch_gives(kernels: bool) -> None:
    rng = np.random.default_rng(0)
    x = vector(500)
    trees = tuple(random_tree(rng, 6, 500) for _ in range(20))
    plan = plan_of("trees", x, p.Trees(x=x, trees=trees, combine="mean", width=1, type=p.DOUBLE))
    prepared = record_plan(plan, kernels)
    for row in rng.normal(size=(10, 500)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


@pytest.mark.parametrize(("features", "depth", "below"), [(1, 4, 0), (3, 4, 0), (5, 5, 0), (3, 8, 3)])
@pytest.mark.parametrize("combine", ["mean", "votes", "groups"])
def test_tables_lead_to_the_leaves_that_a_batch_reaches(combine: Any, features: int, depth: int, below: int) -> None:
    rng = np.random.default_rng(depth)
    x = vector(features)
    width = 3 if combine == "votes" else 1
    cuts = [-0.0, 0.0, 1.0, *rng.normal(size=20).tolist()]
    trees = tuple(random_tree(rng, depth, features, width, split=0.95, cuts=cuts) for _ in range(13))
    expr = p.Trees(
        x=x,
        trees=trees,
        combine=combine,
        width=width,
        groups=(0,) * 13 if combine == "groups" else (),
        base=np.array([0.5]) if combine == "groups" else None,
        type=p.DOUBLE if combine == "mean" else p.vector(width),
    )
    tables = make_record_forest(expr, make_forest(expr), None).tables
    assert tables is not None and depth - tables.top == below
    plan = plan_of("trees", x, expr)
    prepared = record_plan(plan, True)
    for row in rng.choice(telling(expr), (60, features)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("categories", [True, False])
def test_sums_of_single_precision_are_rounded_after_each_tree(categories: bool, exact: bool, kernels: bool) -> None:
    x = vector(2)
    rng = np.random.default_rng(4)
    trees = []
    for number in range(40):  # five times the trees that a kernel walks together
        tree = random_tree(rng, 3, 2, categories=categories and number // 8 % 2 == 0)
        data = rng.normal(size=len(tree.data)) * 10.0 ** (rng.integers(-3, 4) if exact or number else 50)
        trees.append(replace(tree, data=data.astype(np.float32).astype(np.float64) if exact else data))
    expr = p.Trees(
        x=x, trees=tuple(trees), combine="groups", width=1, groups=(0,) * 40, base=np.array([0.1]), type=p.vector(1)
    )
    prepared = record_plan(plan_of("trees", x, expr), kernels)
    for row in rng.choice(telling(expr), (30, 2)):
        total = 0.1
        for tree in trees:
            leaf = leaf_of(tree, row)
            assert leaf is not None
            with np.errstate(over="ignore"):
                total = float(np.float32(total + leaf[0]))
        assert result(prepared, {"x": row.tolist()}) == [total]


def test_trees_of_any_depth_reach_their_leaves(kernels: bool) -> None:
    x = vector(2)
    trees = (chain(1000, 2), *(chain(n, 2) for n in range(1, 12)))
    expr = p.Trees(x=x, trees=trees, combine="sum", width=1, type=p.DOUBLE)
    prepared = record_plan(plan_of("trees", x, expr), kernels)
    rows = np.array([[0.5, 2.5], [998.5, 1e9], [1e9, 1e9], [-1.0, 0.0], [6.0, math.nan]])
    assert [result(prepared, {"x": row}) for row in rows.tolist()] == expected(expr, rows)


@pytest.mark.parametrize("kind", [CATEGORICAL, CATEGORICAL_NOT])
def test_categories_of_any_number_and_value_are_found(kind: int, kernels: bool) -> None:
    known = (300.0, -1.0, 0.5, *map(float, range(100, 200)))
    x = vector(2)
    expr = p.Trees(x=x, trees=(stump(kind, 1, known),) * 20, combine="mean", width=1, type=p.DOUBLE)
    prepared = record_plan(plan_of("trees", x, expr), kernels)
    rows = np.array([[0.0, v] for v in (300.0, -1.0, 0.5, 150.0, 99.0, 1e300, math.nan)])
    assert [result(prepared, {"x": row}) for row in rows.tolist()] == expected(expr, rows)


def test_a_record_without_a_tested_element_is_unusual(kernels: bool) -> None:
    x = p.Input(name="x", type=p.vector(None))
    expr = p.Trees(x=x, trees=(stump(feature=2),) * 20, combine="mean", width=1, type=p.DOUBLE)
    prepared = record_plan(plan_of("trees", x, expr), kernels)
    assert result(prepared, {"x": [9.0, 9.0, 0.0, 9.0]}) == 1.0
    with pytest.raises(UnusualRecordError):
        prepared.run_record({"x": [9.0, 9.0]})


# ---- features of single precision -------------------------------------------------------------------------------------


def boosted(x: p.Expr, size: int) -> tuple[p.FloatFeatures, p.Trees]:
    """Trees over the elements of a vector in single precision, of which each is there with two replacements."""
    elements = np.repeat(np.arange(size), 2)
    features = p.FloatFeatures(
        x=x,
        elements=elements,
        missing=np.tile([-math.inf, math.inf], size),
        whole=elements % 3 == 1,
        size=size,
        type=p.vector(2 * size),
    )
    rng = np.random.default_rng(size)
    cuts = [float(np.float32(v)) for v in (*FLOATS[:-1], 1.5)]
    trees = tuple(random_tree(rng, 5, 2 * size, cuts=cuts) for _ in range(11))
    base = np.array([0.5])
    return features, p.Trees(
        x=features, trees=trees, combine="groups", width=1, groups=(0,) * 11, base=base, type=p.vector(1)
    )


@pytest.mark.parametrize("size", [3, 100])
def test_trees_of_single_precision_give_what_a_batch_gives(size: int, kernels: bool) -> None:
    x = vector(size)
    plan = plan_of("boosted", x, *boosted(x, size))
    prepared = record_plan(plan, kernels)
    rng = np.random.default_rng(1)
    for row in rng.choice(FLOATS, (30, size)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


@pytest.mark.parametrize("infinite", [math.inf, -1e39])
def test_a_record_with_an_infinite_element_is_unusual(infinite: float, kernels: bool) -> None:
    x = vector(3)
    prepared = record_plan(plan_of("boosted", x, *boosted(x, 3)), kernels)
    with pytest.raises(UnusualRecordError):
        prepared.run_record({"x": [0.0, infinite, 0.0]})


@pytest.mark.parametrize("size", [6, 70])
def test_elements_that_a_concatenation_does_not_store_are_missing(size: int, kernels: bool) -> None:
    x = vector(size)
    assembled = p.Concat(xs=(x,), type=p.vector(size))
    plan = plan_of("boosted", x, assembled, *boosted(assembled, size))
    prepared = record_plan(plan, kernels)
    zeros = [0.0] * size
    for row in (zeros, [1.5, *zeros[1:]], [1.5] * size, [math.nan, *zeros[1:]], [0.0, *[0.1] * (size - 1)]):
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


def test_features_that_others_read_are_what_a_batch_gives(kernels: bool) -> None:
    x = vector(3)
    plan = plan_of("features", x, boosted(x, 3)[0])
    prepared = record_plan(plan, kernels)
    for row in np.random.default_rng(1).choice(FLOATS, (20, 3)).tolist():
        assert same(result(prepared, {"x": row}), in_batch(plan, row))


# ---- with numba and without -------------------------------------------------------------------------------------------


def test_the_kernel_takes_over_once_it_would_have_saved_enough_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x = vector(3)
    rng = np.random.default_rng(0)
    trees = tuple(random_tree(rng, 9, 3, split=1.0) for _ in range(20))
    prepared = record_plan(plan_of("trees", x, p.Trees(x=x, trees=trees, combine="sum", width=1, type=p.DOUBLE)), False)
    before = prepared.function
    rows = rng.normal(size=(40, 3)).tolist()
    first = result(prepared, {"x": rows[0]})
    assert prepared.function is before
    monkeypatch.setattr(rowwise, "_PATIENCE", 0.0)
    impatient = record_plan(prepared.plan, False)
    assert result(impatient, {"x": rows[0]}) == first
    assert [result(impatient, {"x": row}) for row in rows] == [result(prepared, {"x": row}) for row in rows]
    assert "<locals>" not in impatient.function.__qualname__


@pytest.mark.slow
def test_a_few_records_of_a_large_forest_do_not_import_numba() -> None:
    code = f"""
        import sys, leapstream
        model = leapstream.load({str(BENCH / "forest3-100x8.zip")!r})
        for _ in range(5):
            model.predict({{"features": [0.5, 0.25, 0.75]}})
        assert "numba" not in sys.modules and "scipy" not in sys.modules
        for _ in range(2000):
            model.predict({{"features": [0.5, 0.25, 0.75]}})
        assert "numba" in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_threads_share_a_forest() -> None:
    rng = np.random.default_rng(0)
    x = vector(3)
    votes = ensemble("votes", x, rng, 3)
    prepared = record_plan(plan_of("trees", x, replace(votes, trees=votes.trees * 20)), True)
    records = [{"x": row} for row in rng.normal(size=(300, 3)).tolist()]
    alone = [result(prepared, record) for record in records]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: [result(prepared, record) for record in records], range(8)):
            assert found == alone
