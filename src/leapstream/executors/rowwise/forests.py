"""The layout of an ensemble of trees for one record, and a walk over it that needs no compiled kernel."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.layouts.forest import Forest, ints
from leapstream.layouts.leaftables import MOST_LEAVES, LeafTables, make_leaf_tables
from leapstream.plan import primitives as p

NODE = np.dtype([("threshold", np.float64), ("feature", np.int32), ("child", np.int32)])
CAREFUL = -(1 << 20)
"""Number of levels of eight trees that are walked one by one."""
_TOGETHER = 8
"""Number of trees that a kernel walks at the same time; the processor overlaps their steps, which do not depend on each other."""


@dataclass(frozen=True, eq=False)
class RecordTables:
    """Tables as in :class:`~leapstream.layouts.leaftables.LeafTables`, for elements whose ranks are all found by division.

    Attributes:
        ranks: the tables that find ranks.
        slot: int32 per element, its slot.
        lowest: int32 per element, the number of ranks of the elements before it.
        mask: uint32 (ranks of all elements, trees), a bit per leaf.
        reached: as in ``LeafTables``, for these trees.
        top: the number of levels that the tables lead through.
    """

    ranks: LeafTables
    slot: npt.NDArray[np.int32]
    lowest: npt.NDArray[np.int32]
    mask: npt.NDArray[np.uint32]
    reached: npt.NDArray[np.int32]
    top: int

    @cached_property
    def header(self) -> npt.NDArray[np.int64]:
        """int64, the numbers of elements, of buckets and of cuts that each has, and the addresses of the arrays."""
        ranks = self.ranks
        found = (ranks.count, ranks.compared, ranks.low, ranks.scale, ranks.before, ranks.cut)
        arrays = (self.slot, self.lowest, *found, self.mask, self.reached)
        numbers = [len(self.slot), ranks.before.shape[1], ranks.cut.shape[1]]
        return np.array([*numbers, *(array.ctypes.data for array in arrays)], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class RecordForest:
    """Trees as arrays for a function that takes the address of :attr:`header` and a buffer of doubles.

    The buffer has ``width`` doubles for the sums, which it has the initial values of, then NaN, then one slot for each tested
    element, then ``room`` free ones, then, if the forest picks its elements, the vector that it picks them from. Slot 0 is the
    NaN. Several sums are written into the buffer; a single one is only returned.

    A record at node ``n`` goes on to node ``child + (slot[feature] <= threshold)``. A leaf is its own child and tests slot 0, so
    that a record stays there; its threshold is free for its value. The children of a node are in one line of the cache.

    Attributes:
        header: int64, the sizes and addresses of the arrays, as the kernel reads them.
        root: int32 per tree; the trees are a multiple of eight, the last ones add -0.0.
        steps: int32 per eight trees, the greatest number of levels, or :data:`CAREFUL` if one
            of them has a categorical split.
        node: the nodes. ``feature`` is the slot; in a categorical split it is negative, and the threshold is the number of the
            set. In a leaf the threshold is its value, or for vectors the index of its first value in ``data``.
        group: int32 per tree, the element of the sums that it adds to; empty if leaves are vectors, or there is only one sum.
        set_start, set_end, set_left, data: as in :class:`~leapstream.layouts.forest.Forest`.
        tested: int64, the tested elements, ascending; one slot each.
        picks: int64 per slot, the index of its element in the vector; empty if the slots are filled before.
        missing, whole: as in :class:`~leapstream.plan.primitives.FloatFeatures`, per slot.
        tables: lead through the top levels of the trees; ``None`` where these are walked too.
        width: number of sums.
        single: true if sums are rounded to single precision.
        size: number of elements that the tests need.
    """

    header: npt.NDArray[np.int64]
    root: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]
    node: npt.NDArray[Any]
    group: npt.NDArray[np.int32]
    set_start: npt.NDArray[np.int32]
    set_end: npt.NDArray[np.int32]
    set_left: npt.NDArray[np.int32]
    data: npt.NDArray[np.float64]
    tested: npt.NDArray[np.int64]
    picks: npt.NDArray[np.int64]
    missing: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]
    tables: RecordTables | None
    width: int
    single: bool
    size: int

    @property
    def address(self) -> int:
        """The address of the header, which is valid as long as the forest exists."""
        return int(self.header.ctypes.data)

    @property
    def room(self) -> int:
        """The number of doubles that the tables need in the buffer."""
        return 0 if self.tables is None else len(self.root) // 2

    @np.errstate(over="ignore")
    def walk(self, address: int, buffer: bytes | bytearray) -> float:
        """Add the leaves to the sums in a buffer, as the kernel does, and return the first sum."""
        del address
        values = list(struct.unpack(f"{len(buffer) // 8}d", buffer))
        slots = values[self.width :]
        if len(self.picks):
            self._pick(slots)
        sums = values[: self.width]
        vectors = self.width > 1 and not len(self.group)
        for tree, root in enumerate(self.root.tolist()):
            value = float(self.node["threshold"][self._leaf(root, slots)])
            if vectors:
                start = int(value)
                sums = [total + part for total, part in zip(sums, self.data[start : start + self.width], strict=True)]
                continue
            element = int(self.group[tree]) if len(self.group) else 0
            total = sums[element] + value
            sums[element] = float(np.float32(total)) if self.single else total
        if isinstance(buffer, bytearray):
            struct.pack_into(f"{self.width}d", buffer, 0, *sums)
        return float(sums[0])

    def _leaf(self, node: int, slots: list[float]) -> int:
        features, thresholds, children = (self.node[name].data for name in ("feature", "threshold", "child"))
        while (child := children[node]) != node:
            feature = features[node]
            if feature >= 0:
                left = slots[feature] <= thresholds[node]
            else:
                which = int(thresholds[node])
                known = self.data[self.set_start[which] : self.set_end[which]]
                left = bool((known == slots[-feature]).any()) == bool(self.set_left[which])
            node = child + left
        return node

    def _pick(self, slots: list[float]) -> None:
        given = np.array(slots[1 + len(self.picks) + self.room :]).astype(np.float32)
        if np.isinf(given).any():
            raise ValueError("an element is infinite in single precision")
        for slot, (element, missing, whole) in enumerate(zip(self.picks, self.missing, self.whole, strict=True)):
            value = float(given[element]) if element < len(given) else math.nan
            slots[1 + slot] = float(missing) if value != value else math.floor(value) if whole else value


def make_record_forest(expr: p.Trees, forest: Forest, features: p.FloatFeatures | None) -> RecordForest:
    """The layout of an ensemble; with ``features`` it picks its elements from the vector that these read."""
    leaf = forest.child == np.arange(len(forest.child))
    categorical = forest.feature < 0
    element = np.where(categorical, -1 - forest.feature, forest.feature)
    tested = np.unique(element[~leaf]).astype(np.int64)
    slot = 1 + np.searchsorted(tested, element)
    vectors = expr.width > 1 and not expr.groups
    padding = -len(forest.root) % _TOGETHER
    nodes = len(leaf)

    node = np.zeros(nodes + 1, dtype=NODE)
    node["feature"][:-1] = np.where(leaf, 0, np.where(categorical, -slot, slot))
    node["threshold"][:-1] = np.where(categorical, forest.first, forest.threshold)
    node["threshold"][:-1][leaf] = forest.first[leaf] if vectors else forest.data[forest.first[leaf]]
    node["child"][:-1] = forest.child
    # Adding -0.0 changes no sum.
    node[nodes] = (len(forest.data) if vectors else -0.0, 0, nodes)

    levels = np.concatenate([forest.depth, np.zeros(padding, dtype=np.int32)])
    others = np.ones(len(levels), dtype=bool)
    others[forest.order] = False
    others[len(forest.root) :] = False
    tables = _make_tables(forest, tested, len(levels))
    steps = np.maximum(levels.reshape(-1, _TOGETHER).max(axis=1) - (0 if tables is None else tables.top), 0)
    steps = np.where(others.reshape(-1, _TOGETHER).any(axis=1), CAREFUL, steps)
    group = np.array([*expr.groups, *[0] * padding] if expr.width > 1 and expr.groups else (), dtype=np.int32)
    picks = np.zeros(0, dtype=np.int64) if features is None else features.elements[tested].astype(np.int64)
    missing = np.zeros(0) if features is None else features.missing[tested].astype(np.float64)
    whole = np.zeros(0, dtype=bool) if features is None else features.whole[tested].astype(bool)
    arrays = {
        "root": ints(np.concatenate([forest.root, np.full(padding, nodes)])),
        "steps": ints(steps),
        "node": node,
        "group": group,
        "set_start": forest.set_start,
        "set_end": forest.set_end,
        "set_left": forest.set_left,
        "data": np.concatenate([forest.data, np.full(expr.width, -0.0)]),
        "picks": picks,
        "missing": missing,
        "whole": whole,
    }
    single = expr.combine == "groups"
    values = np.concatenate([node["threshold"][:-1][leaf], [] if expr.base is None else expr.base])
    with np.errstate(over="ignore"):
        exact = np.array_equal(values, values.astype(np.float32), equal_nan=True)
    numbers = [len(levels), len(node), expr.width, single, exact, len(tested), len(picks), len(group)]
    numbers += [len(forest.set_start), len(arrays["data"]), 0 if tables is None else tables.header.ctypes.data]
    header = np.array([*numbers, *(array.ctypes.data for array in arrays.values())], dtype=np.int64)
    return RecordForest(
        header=header, **arrays, tested=tested, tables=tables, width=expr.width, single=single, size=forest.size
    )


def _make_tables(forest: Forest, tested: npt.NDArray[np.int64], number: int) -> RecordTables | None:
    """Tables for this number of trees, of which those after the forest's are a leaf each; ``None`` where there can be none."""
    found = make_leaf_tables(forest) if len(forest.order) == len(forest.root) else None
    if found is None or (found.compared < 0).any():
        return None
    trees, ranks = found.mask.shape
    mask = np.ones((ranks, number), dtype=np.uint32)
    mask[:, :trees] = found.mask.T
    reached = np.full((number, MOST_LEAVES), len(forest.child), dtype=np.int32)
    reached[:trees] = found.reached
    return RecordTables(
        ranks=found,
        slot=ints(1 + np.searchsorted(tested, found.feature)),
        lowest=ints(np.cumsum(found.count + 1) - (found.count + 1)),
        mask=mask,
        reached=reached,
        top=int(forest.depth.max()) - found.below,
    )
