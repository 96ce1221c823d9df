"""Runs a plan over a batch with NumPy, Arrow and numba: one function per primitive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import special

from leapstream.bundle.types import TensorType
from leapstream.errors import BackendError, PredictionError
from leapstream.plan import primitives as p
from leapstream.plan.forest import make_forest
from leapstream.plan.plan import Plan
from leapstream.plan.primitives import Expr, Origin
from leapstream.vectorized import kernels
from leapstream.vectorized.columns import Bools, Column, cast_column

Doubles: TypeAlias = npt.NDArray[np.float64]

_DROPPED = -2
_ALIVE = -1


@dataclass(frozen=True, eq=False)
class Batch:
    """What a plan gives for a batch.

    Attributes:
        columns: the outputs, one value per given row; of no meaning for rows that failed or were dropped.
        outcome: int32 per given row: ``-1`` fine, ``-2`` dropped, else the number of the event that failed it.
        events: for each event its origin and the reason for a row.
        model: name of the model.
    """

    columns: dict[str, Column]
    outcome: npt.NDArray[np.int32]
    events: list[tuple[Origin | None, Callable[[int], str]]]
    model: str

    @property
    def kept(self) -> Bools:
        """Rows that were neither dropped nor failed."""
        return np.equal(self.outcome, _ALIVE)

    @property
    def dropped(self) -> Bools:
        """Rows that were dropped."""
        return np.equal(self.outcome, _DROPPED)

    @property
    def failed(self) -> Bools:
        """Rows that failed."""
        return np.greater_equal(self.outcome, 0)

    def error(self, row: int) -> PredictionError:
        """Why a row failed."""
        origin, reason = self.events[self.outcome[row]]
        where = {} if origin is None else {"node": origin.node, "op": origin.op, "column": origin.column}
        return PredictionError(reason(row), model=self.model, row=row, **where)


class VectorizedExecutor:
    """Runs one plan; holds what its primitives prepare once. Safe to use from several threads.

    Raises:
        BackendError: the plan has a primitive that this executor lacks.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        for expr in plan.order:
            if type(expr) not in PRIMITIVES:
                raise BackendError(f"the vectorized backend has no primitive {type(expr).__name__}")
        self._prepared = {id(expr): _PREPARE[type(expr)](expr) for expr in plan.order if type(expr) in _PREPARE}

    @cached_property
    def tracks_stored(self) -> bool:
        """Whether some primitive looks at which elements of a vector are stored."""
        return any(
            (isinstance(expr, p.Binarize) and expr.threshold < 0)
            or (
                isinstance(expr, p.Cast)
                and isinstance(expr.x.type, TensorType)
                and not isinstance(expr.type, TensorType)
            )
            for expr in self.plan.order
        )

    def run(self, columns: Mapping[str, Column], rows: int) -> Batch:
        """Compute the outputs.

        Args:
            columns: the plan's inputs; the tensors of one column have equal dimensions.
            rows: number of rows.
        """
        run = _Run(self, columns, rows)
        results: dict[int, Column] = {}
        with np.errstate(all="ignore"):
            for expr in self.plan.order:
                run.expr = expr
                operands = [results[id(x)] for x in expr.operands]
                results[id(expr)] = PRIMITIVES[type(expr)](run, expr, *operands)
        outputs = {name: results[id(expr)] for name, expr in self.plan.outputs}
        return Batch(outputs, run.outcome, run.events, self.plan.name)


class _Run:
    """The state of one run: which rows are still in it."""

    expr: Expr

    def __init__(self, executor: VectorizedExecutor, columns: Mapping[str, Column], rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.prepared = executor._prepared
        self.tracks_stored = executor.tracks_stored
        self.outcome = np.full(rows, _ALIVE, dtype=np.int32)
        self.events: list[tuple[Origin | None, Callable[[int], str]]] = []

    def fail(self, where: Bools, reason: str | Callable[[int], str]) -> None:
        """Fail the rows ``where`` that are still in the run."""
        hit = where & (self.outcome == _ALIVE)
        if hit.any():
            self.outcome[hit] = len(self.events)
            self.events.append((self.expr.origin, reason if callable(reason) else lambda row: reason))

    def fail_row(self, row: int, reason: str) -> None:
        """Fail one row."""
        where = np.zeros(self.rows, dtype=bool)
        where[row] = True
        self.fail(where, reason)

    def drop(self, where: Bools) -> None:
        """Drop the rows ``where`` that are still in the run."""
        self.outcome[where & (self.outcome == _ALIVE)] = _DROPPED


# ---- inputs, types and missing values ---------------------------------------------------------------------------------


def _input(run: _Run, expr: p.Input) -> Column:
    column = run.columns[expr.name]
    return column if run.tracks_stored or column.stored is None else Column(column.values, column.valid)


def _cast(run: _Run, expr: p.Cast, x: Column) -> Column:
    return cast_column(x, expr.x.type, expr.type, run.fail_row)


def _not_null(run: _Run, expr: p.NotNull, x: Column) -> Column:
    present = x.present()
    if present is None:
        return x
    run.fail(~present, "a missing value is not allowed here")
    if isinstance(x.values, pa.Array):
        return x
    return Column(x.values, None, x.stored)


def _impute(run: _Run, expr: p.Impute, x: Column) -> Column:
    hole = np.isnan(x.values) | (x.values == expr.missing)
    if x.valid is not None:
        hole |= ~x.valid
    return Column(np.where(hole, expr.surrogate, x.values))


# ---- categories -------------------------------------------------------------------------------------------------------


def _prepare_lookup(expr: p.Lookup) -> tuple[pa.Array, Doubles]:
    index = {label: float(i) for i, label in enumerate(expr.labels)}
    return pa.array(list(index), pa.string()), np.array([*index.values(), len(expr.labels)])


def _lookup(run: _Run, expr: p.Lookup, x: Column) -> Column:
    labels, index = run.prepared[id(expr)]
    found = pc.index_in(x.values, value_set=labels, skip_nulls=True)
    position = np.asarray(found.fill_null(len(labels)))
    if found.null_count and expr.invalid != "keep":
        null = np.asarray(x.values.is_null())
        run.fail(null, "the value is missing")
        unseen = (position == len(labels)) & ~null
        if expr.invalid == "skip":
            run.drop(unseen)
        else:
            run.fail(unseen, lambda row: f"unseen label {x.values[row].as_py()!r}")
    return Column(index[position])


def _label(run: _Run, expr: p.Label, x: Column) -> Column:
    labels = np.array([*expr.labels, None], dtype=object)
    listed = isinstance(x.values, pa.Array)
    numbers = np.asarray(x.values.flatten()) if listed else x.values
    index = np.trunc(np.where(np.isnan(numbers), 0.0, numbers))
    outside = (index < 0) | (index >= len(expr.labels))
    texts = labels[np.where(outside, len(expr.labels), index).astype(np.intp)]
    reason = f"the index is outside of the {len(expr.labels)} labels"
    if listed:
        owner = np.repeat(np.arange(run.rows), np.diff(np.asarray(x.values.offsets)))
        failed = np.zeros(run.rows, dtype=bool)
        failed[owner[outside]] = True
        run.fail(failed, reason)
        return Column(pa.ListArray.from_arrays(x.values.offsets, pa.array(texts, pa.string())))
    run.fail(outside if outside.ndim == 1 else outside.reshape(run.rows, -1).any(axis=1), reason)
    return Column(texts if isinstance(expr.type, TensorType) else pa.array(texts, pa.string()))


def _one_hot_index(run: _Run, expr: p.OneHot, x: Column) -> npt.NDArray[np.intp]:
    """Position of the 1 in each row; ``categories`` for the category of its own."""
    values = x.values
    fraction = ~((np.trunc(values) == values) & (np.abs(values) <= 2**31))
    run.fail(fraction, lambda row: f"the category {values[row]} is no integer")
    inside = (values >= 0) & (values < expr.categories)
    if not expr.keep:
        run.fail(~inside, lambda row: f"the category {values[row]:g} is outside of [0, {expr.categories})")
    return np.where(inside & ~fraction, values, expr.categories).astype(np.intp)


def _one_hot(run: _Run, expr: p.OneHot, x: Column) -> Column:
    index = _one_hot_index(run, expr, x)
    result = np.zeros((run.rows, expr.width))
    rows = np.flatnonzero(index < expr.width)
    result[rows, index[rows]] = 1.0
    return Column(result, stored=result != 0 if run.tracks_stored else None)


def _bucketize(run: _Run, expr: p.Bucketize, x: Column) -> Column:
    values, splits = x.values, expr.splits
    nan = np.isnan(values)
    if expr.invalid == "skip":
        run.drop(nan)
    elif expr.invalid == "error":
        run.fail(nan, "the value is NaN")
    # Java's binary search takes -0.0 for less than 0.0; the least number below 0 finds the same bucket.
    keys = np.where((values == 0.0) & np.signbit(values), -np.nextafter(0.0, 1.0), values)
    last = values == splits[-1]
    outside = ((keys < splits[0]) | (keys > splits[-1])) & ~last
    run.fail(outside, lambda row: f"{values[row]} is outside of the splits")
    bucket = np.searchsorted(splits, keys, side="right") - 1
    bucket = np.where(last, len(splits) - 2, bucket)
    return Column(np.where(nan, len(splits) - 1, bucket).astype(np.float64))


def _binarize(run: _Run, expr: p.Binarize, x: Column) -> Column:
    above = x.values > expr.threshold
    if x.stored is not None:
        above &= x.stored
    return Column(above.astype(np.float64), stored=_compressed(above) if run.tracks_stored and above.ndim > 1 else None)


# ---- vectors ----------------------------------------------------------------------------------------------------------


def _compressed(nonzero: Bools) -> Bools:
    """Which elements are stored after ``Vector.compressed``: the nonzero ones of rows that are sparse, else all."""
    count = nonzero.sum(axis=1)
    sparse = 1.5 * count + 2 < nonzero.shape[1]
    return np.logical_or(nonzero, ~sparse[:, None])


def _columns(parts: tuple[Column, ...] | list[Column]) -> list[Doubles]:
    return [part.values[:, None] if part.values.ndim == 1 else part.values for part in parts]


def _concat(run: _Run, expr: p.Concat, *xs: Column) -> Column:
    result = np.concatenate(_columns(xs), axis=1) if xs else np.zeros((run.rows, 0))
    return Column(result, stored=_compressed(result != 0) if run.tracks_stored else None)


def _pack(run: _Run, expr: p.Pack, *xs: Column) -> Column:
    return Column(np.stack([x.values for x in xs], axis=1))


def _item(run: _Run, expr: p.Item, x: Column) -> Column:
    return Column(x.values[:, expr.index])


def _size_error(run: _Run, x: Column, size: int) -> str:
    return f"the vector has {x.values.shape[1]} elements, and {size} are expected"


def _affine(run: _Run, expr: p.Affine, x: Column) -> Column:
    values = x.values
    width = values.shape[1]
    if width > expr.size:
        run.fail(np.ones(run.rows, dtype=bool), _size_error(run, x, expr.size))
        values = values[:, : expr.size]
        width = expr.size
    result = values
    if expr.shift is not None:
        result = result - expr.shift[:width]
    if expr.divisor is not None:
        result = result / expr.divisor[:width]
    if expr.factor is not None:
        result = result * expr.factor[:width]
    if expr.offset is not None:
        result = result + expr.offset[:width]
    if expr.fixed is not None:
        fixed = expr.fixed[:width]
        replaced = ~np.isnan(fixed)
        if expr.keep_nan:
            replaced = replaced & ~np.isnan(values)
        result = np.where(replaced, fixed, result)
    keeps = expr.shift is None and expr.offset is None and expr.fixed is None
    return Column(result, stored=x.stored[:, :width] if keeps and x.stored is not None else None)


def _clip(run: _Run, expr: p.Clip, x: Column) -> Column:
    return x.with_values(np.clip(x.values, expr.low, expr.high))


def _normalize(run: _Run, expr: p.Normalize, x: Column) -> Column:
    values, power = x.values, expr.p
    if not power >= 1.0:
        run.fail(np.ones(run.rows, dtype=bool), f"the norm's p is {power}, and it has to be at least 1")
        return x
    if power == 1.0:
        norm = np.abs(values).sum(axis=1)
    elif power == 2.0:
        norm = np.sqrt((values * values).sum(axis=1))
    elif power == np.inf:
        norm = np.fmax.reduce(np.abs(values), axis=1, initial=0.0)
    else:
        norm = (np.abs(values) ** power).sum(axis=1) ** (1.0 / power)
    return x.with_values(values / np.where(norm != 0.0, norm, 1.0)[:, None])


def _dot(run: _Run, expr: p.Dot, x: Column) -> Column:
    if x.values.ndim != 2 or x.values.shape[1] != len(expr.weights):
        run.fail(np.ones(run.rows, dtype=bool), _size_error(run, x, len(expr.weights)))
        return Column(np.full(run.rows, np.nan))
    return Column(x.values @ expr.weights + expr.intercept)


def _mat_vec(run: _Run, expr: p.MatVec, x: Column) -> Column:
    if x.values.ndim != 2 or x.values.shape[1] != expr.matrix.shape[1]:
        run.fail(np.ones(run.rows, dtype=bool), _size_error(run, x, expr.matrix.shape[1]))
        return Column(np.full((run.rows, len(expr.matrix)), np.nan))
    return Column(x.values @ expr.matrix.T + expr.intercepts)


def _linear_sum(run: _Run, expr: p.LinearSum, *xs: Column) -> Column:
    total = np.zeros(run.rows)
    for x, weights in zip(xs, expr.weights, strict=True):
        total += x.values * weights[0] if x.values.ndim == 1 else x.values @ weights
    return Column(total + expr.intercept)


def _nearest(run: _Run, expr: p.Nearest, x: Column) -> Column:
    if x.values.shape[1] != expr.centers.shape[1]:
        run.fail(np.ones(run.rows, dtype=bool), _size_error(run, x, expr.centers.shape[1]))
        return Column(np.zeros(run.rows, dtype=np.int32))
    result = np.empty(run.rows, dtype=np.int32)
    kernels.nearest(np.ascontiguousarray(x.values), expr.centers, run.prepared[id(expr)], result)
    return Column(result)


# ---- arithmetic and classes -------------------------------------------------------------------------------------------

_LEAST = np.finfo(np.float64).max
_UNARY: dict[str, Callable[[Doubles], Doubles]] = {
    "negate": np.negative,
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "one_minus": lambda x: 1.0 - x,
    "double": lambda x: 2.0 * x,
    "exp": np.exp,
    "reciprocal": lambda x: 1.0 / x,
    "square": np.square,
    "normal_cdf": lambda x: 0.5 * (1.0 + special.erf(x / np.sqrt(2.0))),
    "complementary_log_log": lambda x: 1.0 - np.exp(-np.exp(x)),
    "finite": lambda x: np.clip(x, -_LEAST, _LEAST),
    "open_unit": lambda x: np.clip(x, 1e-16, 1.0 - 1e-16),
    "positive": lambda x: np.clip(x, 1e-16, _LEAST),
}


def _unary(run: _Run, expr: p.Unary, x: Column) -> Column:
    return Column(_UNARY[expr.function](x.values))


def _greater(run: _Run, expr: p.Greater, x: Column) -> Column:
    return Column((x.values > expr.threshold).astype(np.float64))


def argmax(values: Doubles) -> npt.NDArray[np.intp]:
    """Spark's ``Vector.argmax`` of each row: the first of the greatest; a NaN in front wins, others lose."""
    nan = np.isnan(values)
    best = np.argmax(np.where(nan, -np.inf, values), axis=1)
    return np.where(nan[:, 0], 0, best)


def _softmax(run: _Run, expr: p.Softmax, x: Column) -> Column:
    values = x.values
    best = argmax(values)
    greatest = values[np.arange(run.rows), best][:, None]
    powers = np.exp(values - np.where(greatest > 0, greatest, 0.0))
    result = powers * (1.0 / powers.sum(axis=1, keepdims=True))
    return Column(np.where(greatest == np.inf, np.eye(values.shape[1])[best], result))


def _normalize_sum(run: _Run, expr: p.NormalizeSum, x: Column) -> Column:
    total = x.values.sum(axis=1, keepdims=True)
    return Column(np.where(total != 0, x.values / np.where(total != 0, total, 1.0), x.values))


def _arg_max(run: _Run, expr: p.ArgMax, x: Column) -> Column:
    values = x.values
    if expr.thresholds is not None:
        values = np.where(expr.thresholds == 0.0, np.inf, values / expr.thresholds)
    return Column(argmax(values).astype(np.float64))


def _trees(run: _Run, expr: p.Trees, x: Column) -> Column:
    result, failed = kernels.run_forest(expr, run.prepared[id(expr)], x.values)
    if failed.any():
        run.fail(failed, f"a tree tests a feature beyond the vector's {x.values.shape[1]} elements")
    return Column(result)


PRIMITIVES: dict[type[Expr], Callable[..., Column]] = {
    p.Input: _input,
    p.Cast: _cast,
    p.NotNull: _not_null,
    p.Impute: _impute,
    p.Lookup: _lookup,
    p.Label: _label,
    p.OneHot: _one_hot,
    p.Bucketize: _bucketize,
    p.Binarize: _binarize,
    p.Concat: _concat,
    p.Pack: _pack,
    p.Item: _item,
    p.Affine: _affine,
    p.Clip: _clip,
    p.Normalize: _normalize,
    p.Dot: _dot,
    p.MatVec: _mat_vec,
    p.LinearSum: _linear_sum,
    p.Nearest: _nearest,
    p.Unary: _unary,
    p.Greater: _greater,
    p.Softmax: _softmax,
    p.NormalizeSum: _normalize_sum,
    p.ArgMax: _arg_max,
    p.Trees: _trees,
}

_PREPARE: dict[type[Expr], Callable[[Any], Any]] = {
    p.Lookup: _prepare_lookup,
    p.Trees: make_forest,
    p.Nearest: lambda expr: np.sqrt((expr.centers**2).sum(axis=1)),
}

__all__ = ["PRIMITIVES", "Batch", "VectorizedExecutor", "argmax"]
