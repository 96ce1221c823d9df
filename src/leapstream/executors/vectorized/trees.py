"""Ensembles of decision trees."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.executors import failures
from leapstream.executors.columns import Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run
from leapstream.executors.vectorized.sums import KERNELS
from leapstream.layouts.forest import Forest, make_forest
from leapstream.layouts.leaftables import LeafTables, make_leaf_tables
from leapstream.layouts.ranks import RankedForest, SlicedForest, make_ranked
from leapstream.plan import primitives as p

_MOST_ELEMENTS_OF_TOPS = 6
"""For trees that test more elements, traversing nodes in blocks of rows is as fast as tables of the top levels."""

_MAKING = Lock()
_FEWEST_ROWS = 192
"""Smaller batches traverse the nodes."""

_NO_TABLES = LeafTables(
    feature=np.zeros(0, dtype=np.int32),
    count=np.zeros(0, dtype=np.int32),
    levels=0,
    cut=np.zeros((0, 0)),
    compared=np.zeros(0, dtype=np.int32),
    low=np.zeros(0),
    scale=np.zeros(0),
    before=np.zeros((0, 0), dtype=np.int32),
    mask=np.zeros((0, 0), dtype=np.uint32),
    below=0,
    reached=np.zeros((0, 0), dtype=np.int32),
)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A forest as :func:`run_forest` takes it.

    Attributes:
        forest: the trees.
        tables: their tables, where these are faster.
        top: number of levels that its tables have.
        values: the value of each leaf of the tables, by tree, where these hold the trees whole and a leaf has one value.
        seen: the number of rows that came in batches.
        made: the layout for batches of many rows, once it is made.
    """

    forest: Forest
    tables: LeafTables | None
    top: int
    values: npt.NDArray[np.float64] | None
    seen: list[int] = field(default_factory=lambda: [0])
    made: list[SlicedForest | RankedForest | None] = field(default_factory=list)

    def many(self, rows: int) -> bool:
        """True if a batch has many rows, and so many came that a layout for them is worth its making."""
        self.seen[0] += rows
        return rows >= _FEWEST_ROWS and self.seen[0] * len(self.forest.root) >= len(self.forest.child)

    @property
    def ranked(self) -> SlicedForest | RankedForest | None:
        """The layout for batches of many rows, where there is one; threads that need it at once make it once."""
        if not self.made:
            with _MAKING:
                if not self.made:
                    self.made.append(make_ranked(self.forest))
        return self.made[0]


def prepare_forest(expr: p.Trees, forest: Forest) -> Prepared:
    """The forest of an ensemble, ready to run."""
    tables = make_leaf_tables(forest)
    if tables is None or (tables.below and len(tables.feature) > _MOST_ELEMENTS_OF_TOPS):
        return Prepared(forest, None, 0, None)
    one = not tables.below and expr.width == 1 and not expr.groups
    values = forest.data[forest.first[tables.reached]] if one else None
    return Prepared(forest, tables, int(forest.depth.max(initial=0)) - tables.below, values)


def run_forest(
    expr: p.Trees, prepared: Prepared, x: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """The result of an ensemble for rows ``x`` (rows, features), and true for each row that fails."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    failed = np.zeros(len(x), dtype=bool)
    out = sum_few_leaves(expr, prepared, x) if KERNELS.wait(len(x) * len(expr.trees) * expr.width) else None
    if out is None:
        out = _sum_leaves(expr, prepared, x, failed)
    if expr.combine in ("leaf", "votes", "groups"):
        return out, failed
    total = out[:, 0]
    return (total / len(expr.trees) if expr.combine == "mean" else total), failed


def _sum_leaves(
    expr: p.Trees, prepared: Prepared, x: npt.NDArray[np.float64], failed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    kernels = KERNELS.load()
    forest = prepared.forest
    out = np.zeros((len(x), expr.width))
    if expr.base is not None:
        out[:] = expr.base
    enough = x.shape[1] >= forest.size
    tables = prepared.tables if prepared.tables is not None and enough else _NO_TABLES
    search = (tables.levels, tables.cut, tables.compared, tables.low, tables.scale, tables.before)
    arguments = (tables.feature, tables.count, *search, tables.mask)
    if prepared.values is not None and enough:
        kernels.sum_table_values(x, *arguments, prepared.values, out[:, 0])
        return out
    if enough and prepared.many(len(x)) and sum_by_ranks(expr, prepared, x, out):
        return out
    careful = np.ones(len(forest.root), dtype=bool)
    careful[forest.order if tables is _NO_TABLES else ...] = not enough
    arrays = (forest.root, forest.depth, forest.feature, forest.threshold, forest.child, forest.first)
    sets = (forest.set_start, forest.set_end, forest.set_left)
    group = np.array(expr.groups, dtype=np.int32)
    kernels.sum_leaves(
        x, careful, *arrays, *sets, forest.data, group, *arguments, tables.reached, prepared.top, out, failed
    )
    return out


def sum_by_ranks(expr: p.Trees, prepared: Prepared, x: npt.NDArray[np.float64], out: npt.NDArray[np.float64]) -> bool:
    """Add the leaves by ranks; false if the forest has no layout for that."""
    from leapstream.executors.vectorized import rankkernels

    layout, forest = prepared.ranked, prepared.forest
    if layout is None:
        return False
    r = layout.ranks
    ranks = (r.feature, r.count, r.steps, r.start, r.cut, r.low, r.scale, r.bucket, r.before)
    group = np.array(expr.groups, dtype=np.int32)
    if isinstance(layout, RankedForest):
        nodes = (forest.root, forest.depth, layout.node, forest.first)
        rankkernels.sum_ranked(x, *ranks, *nodes, forest.data, group, out)
        return True
    program = (layout.inner, layout.inner_start, layout.member, layout.member_start, layout.leaf, layout.leaf_start)
    rankkernels.sum_sliced(x, *ranks, *program, layout.most_nodes, forest.data, group, rankkernels.SPREAD, out)
    return True


def sum_few_leaves(expr: p.Trees, prepared: Prepared, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The sums of the leaves by NumPy; ``None`` where only the kernels have them."""
    forest = prepared.forest
    tables = prepared.tables
    plain = len(forest.order) == len(forest.root)
    if x.shape[1] < forest.size or expr.combine == "groups" or (tables is None and not plain):
        return None
    rows = np.arange(len(x))[:, None]
    node = np.broadcast_to(forest.root, (len(x), len(forest.root)))
    if tables is not None:
        node = tables.reached[np.arange(len(forest.root)), _leaves(tables, x)]
    for _ in range(int(forest.depth.max(initial=0)) - prepared.top):
        node = forest.child[node] + (x[rows, forest.feature[node]] <= forest.threshold[node])
    leaves = forest.data[forest.first[node][..., None] + np.arange(expr.width)]
    # From tree to tree, unlike a sum; and -0.0 becomes what 0.0 and it add up to.
    return np.asarray(np.cumsum(leaves, axis=1)[:, -1] + 0.0)


def _leaves(tables: LeafTables, x: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The numbers of the leaves (rows, trees) of tables."""
    possible = np.full((len(x), len(tables.mask)), 0xFFFFFFFF, dtype=np.uint32)
    lowest = 0
    for k, count in enumerate(tables.count.tolist()):
        value = x[:, tables.feature[k]]
        if k < len(tables.cut):
            rank = np.searchsorted(tables.cut[k, :count], value)
        else:
            known = (value >= 0) & (value < count) & (value == np.floor(value))
            rank = np.where(known, value, count).astype(np.intp)
        possible &= tables.mask[:, lowest + rank].T
        lowest += count + 1
    lowest_bit = possible & (~possible + np.uint32(1))
    return np.asarray(np.frexp(lowest_bit.astype(np.float64))[1] - 1)


@implements(p.Trees, prepare=lambda expr: prepare_forest(expr, make_forest(expr)))
def _trees(run: Run, expr: p.Trees, x: Column) -> Column:
    result, failed = run_forest(expr, run.prepared[id(expr)], x.values)
    if failed.any():
        run.fail(failed, failures.feature_beyond(x.values.shape[1]))
    return Column(result)
