from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.bundle.definition import LEAF
from leapstream.executors.columns import Column
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.executors.vectorized.sums import KERNELS, Kernels
from leapstream.executors.vectorized.trees import prepare_forest, sum_few_leaves
from leapstream.layouts.forest import make_forest
from leapstream.layouts.leaftables import make_leaf_tables
from leapstream.plan import primitives as p
from tests.golden_corpus import GOLDEN
from tests.primitives.cases import column, plan_of
from tests.trees import ENSEMBLES, chain, ensemble, expected, random_tree, telling


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
