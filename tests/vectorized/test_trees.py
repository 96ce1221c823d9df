from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.bundle.definition import LEAF
from leapstream.plan import primitives as p
from leapstream.plan.forest import make_forest
from leapstream.vectorized.columns import Column
from leapstream.vectorized.executor import VectorizedExecutor
from tests.jvm.conftest import column, plan_of
from tests.trees import NUMBERS, chain, ensembles, expected, random_tree

KINDS = ("mean", "weighted", "mixed", "votes", "numbered", "leaf", "chain", "stump")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.sampled_from([1, 3, 300]), width=st.integers(1, 4))
def test_ensemble_gives_bit_for_bit_what_a_walk_from_node_to_node_gives(
    kind: str, seed: int, rows: int, width: int
) -> None:
    rng = np.random.default_rng(seed)
    x = column(p.vector(None))
    expr = ensembles(rng, 3)[kind](x)
    values = rng.choice([*NUMBERS, 7.5, 29.5], (rows, width))
    batch = VectorizedExecutor(plan_of(expr, x)).run({"x": Column(values)}, rows)
    for row, theirs in enumerate(expected(expr, values)):
        if theirs is None:
            assert "beyond the vector's" in batch.error(row).reason
        else:
            assert not batch.failed[row]
            np.testing.assert_array_equal(batch.columns["out"].values[row], theirs)


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
    ranks = make_forest(ensembles(np.random.default_rng(0), 3)[kind](column(p.vector(3)))).ranks
    assert (None if ranks is None else "tops" if ranks.below else "whole") == tables


def test_many_trees_make_no_tables_beyond_the_limit() -> None:
    rng = np.random.default_rng(0)
    trees = 250 * tuple(random_tree(rng, 5, 3, split=1.0) for _ in range(20))
    cut = tuple(
        replace(tree, threshold=np.where(tree.kind == LEAF, np.nan, rng.random(len(tree.kind)))) for tree in trees
    )
    expr = p.Trees(x=column(p.vector(3)), trees=cut, combine="sum", width=1, type=p.DOUBLE)
    assert make_forest(expr).ranks is None
