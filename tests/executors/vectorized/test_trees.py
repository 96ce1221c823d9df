from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.bundle.definition import LEAF, Tree
from leapstream.executors.columns import Column
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.executors.vectorized.sums import KERNELS, Kernels
from leapstream.executors.vectorized.trees import prepare_forest, sum_by_ranks, sum_few_leaves
from leapstream.layouts.forest import make_forest
from leapstream.layouts.leaftables import make_leaf_tables
from leapstream.layouts.ranks import RankedForest, SlicedForest, make_ranked
from leapstream.plan import primitives as p
from tests.golden_corpus import GOLDEN
from tests.primitives.cases import column, plan_of
from tests.trees import ENSEMBLES, NUMBERS, chain, ensemble, expected, leaf_of, random_tree, telling


@pytest.mark.slow
@pytest.mark.parametrize("kind", ENSEMBLES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([1, 3, 300]), width=st.integers(1, 4))
def test_ensemble_gives_bit_for_bit_what_a_walk_from_node_to_node_gives(
    kind: str, seed: int, rows: int, width: int
) -> None:
    KERNELS.load()
    rng = np.random.default_rng(seed)
    x = column(p.vector(None))
    expr = ensemble(kind, x, rng, 3)
    values = rng.choice(telling(expr), (rows, width))
    batch = VectorizedPlan(plan_of(out=expr)).run({"x": Column(values)}, rows)
    for row, theirs in enumerate(expected(expr, values)):
        if theirs is None:
            assert "beyond the vector's" in batch.error(row).reason
        else:
            assert not batch.failed[row]
            np.testing.assert_array_equal(batch.columns["out"].values[row], theirs)


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_few_rows_get_by_numpy_what_the_kernels_give(kind: str) -> None:
    rng = np.random.default_rng(3)
    expr = ensemble(kind, column(p.vector(None)), rng, 3)
    prepared = prepare_forest(expr, make_forest(expr))
    values = rng.choice(telling(expr), (60, 3))
    ours = sum_few_leaves(expr, prepared, values)
    if kind in ("mixed", "votes", "leaf"):
        # Trees that test for categories without tables.
        assert prepared.tables is None and ours is None
    else:
        assert ours is not None
        theirs = np.array(expected(expr, values)).reshape(60, -1)
        np.testing.assert_array_equal(ours / (len(expr.trees) if expr.combine == "mean" else 1), theirs)
    assert sum_few_leaves(expr, prepared, values[:, :0]) is None or prepared.forest.size == 0


def test_numpy_adds_up_leaves_until_importing_numba_pays_and_never_after_the_kernels_are_loaded() -> None:
    kernels = Kernels()
    assert kernels.wait(1 << 20) and kernels.wait(1 << 20)
    assert not kernels.wait(1)
    loaded = Kernels()
    loaded.load()
    assert not loaded.wait(0)


@pytest.mark.slow
def test_numba_comes_with_many_rows_and_the_first_prediction_of_a_forest_does_not_wait_for_it() -> None:
    bundle = GOLDEN.parent / "bench" / "forest3-20x5.zip"
    script = f"""
        import sys, leapstream, numpy as np, pyarrow as pa
        model = leapstream.load({str(bundle)!r})
        def predict(rows):
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.full(3 * rows, 0.5)), 3)
            return model.predict(pa.table({{"features": vectors}}))["prediction"].to_pylist()
        few = predict(10)
        assert "numba" not in sys.modules
        many = predict(150_000)
        assert "numba" in sys.modules
        assert set(few) == set(many) and len(set(few)) == 1
    """
    subprocess.run([sys.executable, "-c", dedent(script)], check=True)


def test_degenerate_tree_takes_no_more_memory_than_it_has_nodes() -> None:
    tree = chain(20_000, 2)
    expr = p.Trees(x=column(p.vector(2)), trees=(tree,), combine="sum", width=1, type=p.DOUBLE)
    forest = make_forest(expr)
    assert len(forest.child) == len(tree.kind)
    assert forest.depth.tolist() == [20_000]


@pytest.mark.parametrize(
    ("kind", "tables"), [("mean", "whole"), ("numbered", "whole"), ("weighted", "tops"), ("mixed", None)]
)
def test_small_trees_over_few_elements_become_tables_and_deep_ones_have_tables_for_their_tops(
    kind: str, tables: str | None
) -> None:
    ranks = make_leaf_tables(make_forest(ensemble(kind, column(p.vector(3)), np.random.default_rng(0), 3)))
    assert (None if ranks is None else "tops" if ranks.below else "whole") == tables


@pytest.mark.parametrize(
    ("kind", "divided"), [("spread", True), ("one cut", True), ("crowded", False), ("huge", False)]
)
def test_ranks_are_found_by_division_where_cuts_lie_apart(kind: str, divided: bool) -> None:
    ranks = make_leaf_tables(make_forest(ensemble(kind, column(p.vector(3)), np.random.default_rng(0), 3)))
    assert ranks is not None
    assert (ranks.compared >= 0).all() == divided
    assert (ranks.compared >= 0).any() == divided


def test_many_trees_make_no_tables_beyond_the_limit() -> None:
    rng = np.random.default_rng(0)
    trees = 250 * tuple(random_tree(rng, 5, 3, split=1.0) for _ in range(20))
    cut = tuple(
        replace(tree, threshold=np.where(tree.kind == LEAF, np.nan, rng.random(len(tree.kind)))) for tree in trees
    )
    expr = p.Trees(x=column(p.vector(3)), trees=cut, combine="sum", width=1, type=p.DOUBLE)
    assert make_leaf_tables(make_forest(expr)) is None


def _deep(rng: np.random.Generator, count: int, width: int, cuts: Sequence[float]) -> tuple[Tree, ...]:
    """Trees of more leaves than can be numbered by a byte, and a leaf alone."""
    return (
        *(random_tree(rng, 10, 14, width=width, split=0.97, cuts=cuts) for _ in range(count)),
        random_tree(rng, 0, 14, width=width),
    )


def _of_many_rows(kind: str, rng: np.random.Generator) -> p.Trees:
    x = column(p.vector(14))
    layout: type[RankedForest | SlicedForest] = SlicedForest
    cuts = [*rng.normal(size=200), *NUMBERS]
    if kind.startswith("deep"):
        trees, layout = _deep(rng, 5, 3 if kind == "deep classes" else 1, cuts), RankedForest
    else:
        width = 3 if kind == "classes" else 1
        shallow = tuple(random_tree(rng, 6, 14, width=width, split=0.9, cuts=cuts) for _ in range(9))
        trees = (*shallow, random_tree(rng, 0, 14, width=width))
    if kind.endswith("chains"):
        trees = tuple(chain(100, 14) for _ in range(3))
    expr = p.Trees(x=x, trees=trees, combine="mean", width=1, type=p.DOUBLE)
    if kind.endswith("classes"):
        expr = replace(expr, combine="votes", width=3, type=p.vector(3))
    if kind.endswith("groups"):
        groups = tuple(i % 2 for i in range(len(trees)))
        expr = replace(expr, combine="groups", width=2, groups=groups, base=np.array([0.5, -0.25]), type=p.vector(2))
    assert isinstance(make_ranked(make_forest(expr)), layout)
    return expr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["shallow", "classes", "groups", "chains", "deep", "deep classes", "deep groups"])
def test_many_rows_get_by_ranks_bit_for_bit_what_a_walk_from_node_to_node_gives(kind: str) -> None:
    rng = np.random.default_rng(7)
    expr = _of_many_rows(kind, rng)
    prepared = prepare_forest(expr, make_forest(expr))
    values = rng.choice(telling(expr), (700, 14))
    ours = np.zeros((700, expr.width)) + (0.0 if expr.base is None else expr.base)
    assert sum_by_ranks(expr, prepared, values, ours)
    if expr.combine == "groups":
        theirs = np.tile(expr.base, (700, 1)).astype(np.float32)
        for tree, group in zip(expr.trees, expr.groups, strict=True):
            leaves = np.array([leaf_of(tree, row) for row in values])
            theirs[:, group] = (theirs[:, group] + leaves[:, 0]).astype(np.float32)
    else:
        theirs = np.array(expected(expr, values)).reshape(700, -1)
    np.testing.assert_array_equal(ours / (len(expr.trees) if expr.combine == "mean" else 1), theirs)


def test_a_layout_of_ranks_is_made_once_as_many_rows_came_as_a_tree_has_nodes() -> None:
    expr = _of_many_rows("deep", np.random.default_rng(7))
    prepared = prepare_forest(expr, make_forest(expr))
    nodes = len(prepared.forest.child) // len(expr.trees)
    assert not prepared.many(100)
    assert not prepared.many(nodes - 101)
    assert prepared.many(200)
    assert not prepared.many(3)


def test_trees_with_categories_or_of_leaves_alone_have_no_layout_of_ranks() -> None:
    rng = np.random.default_rng(3)
    for kind in ("votes", "stump"):
        assert make_ranked(make_forest(ensemble(kind, column(p.vector(None)), rng, 3))) is None
