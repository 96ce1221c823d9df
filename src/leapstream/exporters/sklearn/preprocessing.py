"""Scaling, encoding and discretization (``sklearn.preprocessing``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leapstream.bundle.types import DataShape
from leapstream.executors.quantiles import normal_quantile
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Block, Doubles, Features, Graph, Ints, is_sparse, rising, size, with_sparsity
from leapstream.exporters.kernels import each
from leapstream.exporters.network import relu
from leapstream.exporters.predictors import class_numbers
from leapstream.exporters.step import Step
from leapstream.ops import feature as ops
from leapstream.ops.base import Op
from leapstream.ops.own import Spline, VectorArithmetic
from leapstream.ops.regression import IsotonicRegression

# ---- scaling ----------------------------------------------------------------------------------------------------------


def standard_scaler(step: Step, features: Features) -> Features:
    """``(x - mean) / scale``."""
    scaler = step.estimator
    mean = scaler.mean_ if scaler.with_mean else None
    return _standardized(step, features, mean, scaler.scale_ if scaler.with_std else None)


def robust_scaler(step: Step, features: Features) -> Features:
    """``(x - center) / scale``."""
    scaler = step.estimator
    return _standardized(step, features, scaler.center_, scaler.scale_)


def _standardized(step: Step, features: Features, shift: Doubles | None, divisor: Doubles | None) -> Features:
    graph, sparse = step.graph, is_sparse(features)
    # scikit-learn multiplies the numbers of a sparse matrix by 1 / divisor, as MLeap does.
    block = (graph.scale if sparse else graph.standardize)(features, step.suffix, shift=shift, divisor=divisor)

    def standardized(x: Doubles, at: Ints) -> Doubles:
        x = x if shift is None else x - shift[at]
        if divisor is None:
            return x
        return x * (1.0 / divisor[at]) if sparse else x / divisor[at]

    return rising((block,), graph.vector(features), standardized)


def min_max_scaler(step: Step, features: Features) -> Features:
    """``x * scale + min``, clipped to the range with ``clip``.

    MLeap's ``min_max_scaler`` divides by the range instead, so that the last bit may differ.
    """
    scaler, graph = step.estimator, step.graph
    product = graph.multiply(features, "scaled", scaler.scale_)
    scaled = graph.scale((product,), step.suffix, shift=-scaler.min_)
    low, high = map(float, scaler.feature_range) if scaler.clip else (-np.inf, np.inf)
    results = _clipped(graph, scaled, low, high) if scaler.clip else (scaled,)
    return rising(
        results,
        graph.vector(features),
        lambda x, at: np.clip(x * scaler.scale_[at] + scaler.min_[at], low, high),
    )


def _clipped(graph: Graph, block: Block, low: float, high: float) -> Features:
    """The numbers of a vector, clipped to a range. The only op that clips vectors, ``max_abs_scaler``, does so at -1 and 1."""
    if (low, high) in ((-1.0, 1.0), (0.0, 1.0)):
        positive = relu(graph, block) if low == 0.0 else block
        return (graph.apply(ops.MaxAbsScaler(np.ones(block.size)), positive, "clipped", block.size),)
    limits = (ops.MathBinary("max", db=low), "at_least"), (ops.MathBinary("min", db=high), "clipped")
    results = graph.scalars((block,))
    for op, suffix in limits:
        results = [_limited(graph, op, single, suffix) for single in results]
    return tuple(results)


def _limited(graph: Graph, op: ops.MathBinary, block: Block, suffix: str) -> Block:
    return Block(graph.add(op, [block.column], {"output": f"{block.column}_{suffix}"})["output"])


def max_abs_scaler(step: Step, features: Features) -> Features:
    """``x / scale``. MLeap's ``max_abs_scaler`` clips its result, so it is used only with ``clip``."""
    if not getattr(step.estimator, "clip", False):
        return _standardized(step, features, None, step.estimator.scale_)
    block, scale = step.graph.vector(features), step.estimator.scale_
    if block.sparse:
        block = step.graph.scale((block,), "scaled", divisor=scale)
        return (step.graph.apply(ops.MaxAbsScaler(np.ones(block.size)), block, step.suffix, block.size, dense=False),)
    clipped = step.graph.apply(ops.MaxAbsScaler(scale), block, step.suffix, block.size, dense=block.dense)
    return rising((clipped,), block, lambda x, at: np.clip(x / scale[at], -1.0, 1.0))


def normalizer(step: Step, features: Features) -> Features:
    """Each row divided by its norm."""
    norms = {"l1": 1.0, "l2": 2.0}
    norm = step.estimator.norm
    step.require(
        norm in norms, f"the norm {norm!r} is not supported: bundles cannot hold its p, infinity; use l1 or l2"
    )
    return (norm_of(step.graph, features, norms[norm], step.suffix),)


def norm_of(graph: Graph, features: Features, p: float, suffix: str) -> Block:
    """Each row divided by its p-norm."""
    block = graph.vector(features)
    return graph.apply(ops.Normalizer(p, block.size), block, suffix, block.size, dense=block.dense)


def binarizer(step: Step, features: Features) -> Features:
    """1 where a feature is greater than the threshold."""
    return (binarized(step.graph, features, float(step.estimator.threshold), step.suffix),)


def binarized(graph: Graph, features: Features, threshold: float, suffix: str) -> Block:
    """1 where a feature is greater than a threshold, otherwise 0; 0 for NaN."""
    block = graph.dense(features) if threshold < 0.0 else graph.vector(features)
    shape = DataShape("tensor", False, (block.size,))
    # MLeap's op gives a sparse vector if that takes less memory.
    return graph.apply(ops.SklearnBinarizer(threshold, (shape,)), block, suffix, block.size, dense=False)


def polynomial_features(step: Step, features: Features) -> Features:
    """Products of powers; the op stores scikit-learn's names of them."""
    powers = step.estimator.powers_
    step.require(bool((powers > 0).any(axis=0).all()), "a feature is part of no product, which MLeap's op rejects")
    combinations = ",".join(
        " ".join(f"x{i}" if power == 1 else f"x{i}^{power}" for i, power in enumerate(row) if power) or "1"
        for row in powers.tolist()
    )
    block = step.graph.dense(features)
    op = ops.SklearnPolynomialExpansion(f"[{combinations}]")
    return (step.graph.apply(op, block, step.suffix, len(powers)),)


def bins_discretizer(step: Step, features: Features) -> Features:
    """The index of each feature's bin, or a one-hot vector of it."""
    estimator, graph = step.estimator, step.graph
    blocks = []
    for edges, block in zip(estimator.bin_edges_, graph.scalars(features), strict=True):
        # MLeap's bucketizer takes -0.0 for less than 0.0, and scikit-learn for equal: the number just below both is an edge too.
        splits = (-np.inf, *(float(edge) if edge else np.nextafter(0.0, -1.0) for edge in edges[1:-1]), np.inf)
        blocks.append(graph.apply(ops.Bucketizer(splits), block, step.suffix, None))
    if estimator.encode == "ordinal":
        return with_sparsity(tuple(blocks), False)
    sizes = [int(bins) for bins in estimator.n_bins_]
    op = ops.OneHotEncoder(tuple(sizes), "error", False)
    return with_sparsity(one_hot(graph, op, blocks, sizes), estimator.encode == "onehot")


def one_hot(graph: Graph, op: Op, blocks: Sequence[Block], widths: Sequence[int]) -> Features:
    """The vectors of codes by an op with the ports ``input0``, ``output0`` and so on."""
    wanted = {f"output{i}": f"{block.column}_onehot" for i, block in enumerate(blocks)}
    columns = graph.add(op, [block.column for block in blocks], wanted)
    return tuple(Block(columns[f"output{i}"], width, dense=False) for i, width in enumerate(widths))


# ---- categories -------------------------------------------------------------------------------------------------------


def _plain(categories: Any) -> list[Any]:
    return list(np.asarray(categories).tolist())


def ordinal_encoder(step: Step, features: Features) -> Features:
    """The index of each feature's category; infrequent categories share one index."""
    estimator = step.estimator
    unknown = None
    if estimator.handle_unknown == "use_encoded_value":
        value = estimator.unknown_value
        whole = isinstance(value, (int, np.integer)) or float(value).is_integer()
        step.require(whole, f"unknown_value is {value}, and has to be a whole number")
        unknown = int(value)
    tables = []
    for i, categories in enumerate(map(_plain, estimator.categories_)):
        codes = [int(n) for n in _grouped(estimator, i, len(categories))]
        if i in estimator._missing_indices:
            value = estimator.encoded_missing_value
            step.require(
                value == value and float(value).is_integer(),
                f"encoded_missing_value is {value} where values are missing, and has to be a whole number",
            )
            codes[estimator._missing_indices[i]] = int(value)
        tables.append(CategoryCodes(categories, codes, unknown))
    return with_sparsity(tuple(encode_categories(step, features, tables)), False)


def _grouped(estimator: Any, column: int, count: int) -> Sequence[int]:
    """The index of each category; infrequent categories share one index."""
    mappings = getattr(estimator, "_default_to_infrequent_mappings", None)
    mapping = mappings[column] if getattr(estimator, "_infrequent_enabled", False) and mappings is not None else None
    return range(count) if mapping is None else list(mapping)


def one_hot_encoder(step: Step, features: Features) -> Features:
    """A one-hot vector of each feature; dropped and unknown categories give zeros only."""
    estimator = step.estimator
    tables, widths, kept = [], [], []
    for i, categories in enumerate(map(_plain, estimator.categories_)):
        groups = [int(n) for n in _grouped(estimator, i, len(categories))]
        width = max(groups) + 1
        dropped = None if estimator._drop_idx_after_grouping is None else estimator._drop_idx_after_grouping[i]
        if dropped is not None:
            width -= 1
            groups = [width if g == dropped else g - (g > dropped) for g in groups]
        infrequent = getattr(estimator, "_infrequent_enabled", False) and estimator._infrequent_indices[i] is not None
        if estimator.handle_unknown == "error":
            unknown = None
        elif estimator.handle_unknown in ("infrequent_if_exist", "warn") and infrequent:
            unknown = groups[int(estimator._infrequent_indices[i][0])]
        else:
            unknown = len(categories)
        tables.append(CategoryCodes(categories, groups, unknown))
        widths.append(width)
        kept.append(width > 0)
    blocks = [block for block, keep in zip(encode_categories(step, features, tables), kept, strict=True) if keep]
    widths = [width for width in widths if width]
    if not blocks:
        step.reject("it drops all categories, so that nothing is left")
    op = ops.OneHotEncoder(tuple(widths), "keep", True)
    return with_sparsity(one_hot(step.graph, op, blocks, widths), bool(estimator.sparse_output))


def label_encoder(step: Step, features: Features) -> Features:
    """The index of a class; other values fail."""
    step.require(size(features) == 1, "it takes one column")
    classes = _plain(step.classes)
    return tuple(encode_categories(step, features, [CategoryCodes(classes, range(len(classes)), None)]))


def label_binarizer(step: Step, features: Features) -> Features:
    """For each class ``pos_label`` where it is the class, else ``neg_label``; one column for two classes."""
    estimator = step.estimator
    step.require(size(features) == 1, "it takes one column")
    step.require(
        estimator.y_type_ in ("binary", "multiclass"), f"targets of type {estimator.y_type_!r} are not supported"
    )
    classes = _plain(step.classes)
    codes = [1, 0] if len(classes) == 2 else list(range(len(classes)))
    width = 1 if len(classes) == 2 else len(classes)
    found = encode_categories(step, features, [CategoryCodes(classes, codes, len(classes))])
    op = ops.OneHotEncoder((width,), "keep", True)
    results = one_hot(step.graph, op, found, [width])
    low, high = float(estimator.neg_label), float(estimator.pos_label)
    if (low, high) != (0.0, 1.0):
        moved = step.graph.multiply(results, "spread", np.full(width, high - low))
        results = (step.graph.scale((moved,), step.suffix, shift=np.full(width, -low)),)
    return with_sparsity(results, bool(estimator.sparse_output))


def target_encoder(step: Step, features: Features) -> Features:
    """The mean of the target for each feature's category, of several classes for each class; unknown ones get the whole mean."""
    estimator, graph = step.estimator, step.graph
    tables = [CategoryCodes(c, range(len(c)), len(c)) for c in map(_plain, estimator.categories_)]
    codes = encode_categories(step, features, tables)
    several = estimator.target_type_ == "multiclass"
    per_feature = len(estimator.classes_) if several else 1
    means = np.broadcast_to(np.ravel(estimator.target_mean_), per_feature)
    results = []
    for number, values in enumerate(estimator.encodings_):
        code, mean = codes[number // per_feature], float(means[number % per_feature])
        results.append(class_numbers(step, code, [*np.asarray(values).tolist(), mean]))
    return with_sparsity((graph.vector(tuple(results)),), False)


# ---- distributions ----------------------------------------------------------------------------------------------------


def power_transformer(step: Step, features: Features) -> Features:
    """The power of each feature that makes it most normal, then scaled."""
    estimator, graph = step.estimator, step.graph
    by_method = {"box-cox": _box_cox, "yeo-johnson": _yeo_johnson}[estimator.method]
    powers = np.asarray(estimator.lambdas_, dtype=np.float64).tolist()
    results: Features = tuple(
        by_method(graph, block, power) for block, power in zip(graph.scalars(features), powers, strict=True)
    )
    if not estimator.standardize:
        return results
    scaler = estimator._scaler
    return (graph.standardize(results, step.suffix, shift=scaler.mean_, divisor=scaler.scale_),)


def _box_cox(graph: Graph, block: Block, power: float) -> Block:
    """``(x**power - 1) / power``, or with the power 0 the logarithm."""
    if power == 0.0:
        return graph.apply(ops.MathUnary("log"), block, "log", None)
    raised = _limited(graph, ops.MathBinary("pow", db=power), block, "power")
    return graph.linear((raised,), "boxcox", np.array([1.0 / power]), -1.0 / power)


def _yeo_johnson(graph: Graph, block: Block, power: float) -> Block:
    """The Box-Cox power of ``1 + x`` where that is at least 1, else the negative one of ``1 - x``, with ``2 - power``."""
    high = _limited(graph, ops.MathBinary("max", db=0.0), block, "above")
    low = _limited(graph, ops.MathBinary("min", db=0.0), block, "below")
    risen = _box_cox(graph, _limited(graph, ops.MathBinary("add", db=1.0), high, "moved"), power)
    fallen = _box_cox(graph, _limited(graph, ops.MathBinary("sub", da=1.0), low, "moved"), 2.0 - power)
    columns = graph.add(ops.MathBinary("sub"), [risen.column, fallen.column], {"output": f"{block.column}_yeojohnson"})
    return Block(columns["output"])


def quantile_transformer(step: Step, features: Features) -> Features:
    """The share of the training data below each feature, or the quantile of the normal distribution for that share.

    Between quantiles the share is interpolated, at repeated ones it is the mean.
    """
    estimator, graph = step.estimator, step.graph
    normal = estimator.output_distribution == "normal"
    references = np.asarray(estimator.references_, dtype=np.float64)
    results = []
    for quantiles, block in zip(
        np.asarray(estimator.quantiles_, dtype=np.float64).T, graph.scalars(features), strict=True
    ):
        boundaries, shares = _steps(quantiles, references)
        if normal:
            boundaries, shares = _without_edges(boundaries, shares, quantiles)
        columns = graph.add(
            IsotonicRegression(boundaries, shares, True), [block.column], {"prediction": f"{block.column}_share"}
        )
        # The interpolation gives a number for NaN.
        pair = (Block(columns["prediction"]), block)
        results.append(graph.linear(pair, step.suffix, np.array([1.0, 0.0])))
    if not normal:
        return with_sparsity(tuple(results), is_sparse(features))
    block = each(graph, graph.vector(tuple(results)), "normal_quantile")
    limit = _EDGE - np.spacing(1.0)
    for function, share in (("max", limit), ("min", 1.0 - limit)):
        op = VectorArithmetic(block.size, function, normal_quantile(share))
        columns = graph.add(op, [block.column], {"output": f"{block.column}_{function}"})
        block = Block(columns["output"], block.size)
    return with_sparsity((block,), is_sparse(features))


_EDGE = 1e-7


def _without_edges(
    boundaries: tuple[float, ...], shares: tuple[float, ...], quantiles: Doubles
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Boundaries and shares, but 0 within 1e-7 of the least quantile and below, and 1 within 1e-7 of the greatest and above."""
    low, high = float(quantiles[0]) + _EDGE, float(quantiles[-1]) - _EDGE
    before, after = float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))
    if after <= low:
        return (before, low), (0.0, 1.0)
    inner = [(x, share) for x, share in zip(boundaries, shares, strict=True) if low < x < high]
    ends = np.interp([low, high], boundaries, shares).tolist()
    points = [(before, 0.0), (low, ends[0]), *inner, (high, ends[1]), (after, 1.0)]
    return tuple(x for x, _ in points), tuple(share for _, share in points)


def _steps(quantiles: Doubles, references: Doubles) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Boundaries and their shares; at a repeated quantile the shares jump, from the first to the mean to the last."""
    boundaries: list[float] = []
    shares: list[float] = []
    values, starts = np.unique(quantiles, return_index=True)
    ends = np.append(starts[1:], len(quantiles)) - 1
    for value, start, end in zip(values.tolist(), starts.tolist(), ends.tolist(), strict=True):
        first, last = float(references[start]), float(references[end])
        if start == end:
            boundaries.append(value)
            shares.append(first)
            continue
        # At the least and the greatest quantile, scikit-learn gives 0 and 1.
        middle = 0.0 if start == 0 else 1.0 if end == len(quantiles) - 1 else 0.5 * (first + last)
        boundaries += (float(np.nextafter(value, -np.inf)), value, float(np.nextafter(value, np.inf)))
        shares += (first, middle, last)
    return tuple(boundaries), tuple(shares)


def spline_transformer(step: Step, features: Features) -> Features:
    """The values of each feature's splines."""
    estimator, graph = step.estimator, step.graph
    step.require(getattr(estimator, "handle_missing", "error") == "error", "handle_missing is not 'error'")
    # There, scikit-learn takes other knots as the limits of all features but the first.
    narrow = estimator.extrapolation == "linear" and estimator.degree <= 1 and len(estimator.bsplines_) > 1
    step.require(not narrow, "linear extrapolation of splines of degree 0 or 1 is supported for one feature")
    results = []
    for spline, block in zip(estimator.bsplines_, graph.scalars(features), strict=True):
        op = _spline(spline, int(estimator.degree), estimator.extrapolation)
        results.append(graph.apply(op, block, step.suffix, op.outputs_count))
    width = results[0].size
    found: Features = tuple(results)
    if not estimator.include_bias:
        # The last spline of each feature is left out.
        kept = [n for n in range(width * len(results)) if n % width != width - 1]
        found = graph.take((graph.vector(found),), kept)
    return with_sparsity(found, bool(estimator.sparse_output))


def _spline(spline: Any, degree: int, extrapolation: str) -> Spline:
    """The op with the polynomials between the knots, and beyond the first and the last one."""
    from scipy.interpolate import PPoly

    knots = np.asarray(spline.t, dtype=np.float64)
    # SciPy converts one spline at a time.
    every = np.asarray(spline.c, dtype=np.float64).T
    pieces = np.stack([PPoly.from_spline((knots, np.ascontiguousarray(c), degree)).c for c in every], axis=2)
    first, last = degree, len(knots) - degree - 1
    low, high = float(knots[first]), float(knots[last])
    # float64 (degree + 1, intervals, outputs), for the intervals between the knots from the first to the last.
    inner = pieces[:, first:last]
    origins = knots[first:last]
    limits: dict[str, float] = {}
    if extrapolation == "error":
        limits = {"low": low, "high": high}
    elif extrapolation == "periodic":
        limits = {"low": low, "period": high - low}
    breaks = knots[first + 1 : last]
    if extrapolation in ("constant", "linear"):
        ends = []
        for x in (low, high):
            value, slope = spline(x), spline(x, 1) if extrapolation == "linear" and degree > 0 else 0.0 * spline(x)
            end = np.zeros_like(inner[:, :1])
            end[-1, 0] = value
            if degree > 0:
                end[-2, 0] = slope
            ends.append(end)
        inner = np.concatenate([ends[0], inner, ends[1]], axis=1)
        origins = np.concatenate([[low], origins, [high]])
        # At the last knot itself both polynomials have the same value, but for splines of degree 0.
        breaks = np.concatenate([[low], breaks, [np.nextafter(high, np.inf)]])
    outputs = inner.shape[2]
    coefficients = np.ascontiguousarray(np.moveaxis(inner, 0, 2)).reshape(len(origins) * outputs, degree + 1)
    return Spline(np.ascontiguousarray(breaks), origins, coefficients, outputs, **limits)


def kernel_centerer(step: Step, features: Features) -> Features:
    """A kernel with the means of rows and columns subtracted."""
    estimator = step.estimator
    rows = np.asarray(estimator.K_fit_rows_, dtype=np.float64)
    count = len(rows)
    matrix = np.eye(count) - np.full((count, count), 1.0 / count)
    return (step.graph.matrix(features, step.suffix, matrix, float(estimator.K_fit_all_) - rows),)


TRANSFORMERS: dict[str, Transformer] = {
    "Binarizer": binarizer,
    "KBinsDiscretizer": bins_discretizer,
    "KernelCenterer": kernel_centerer,
    "LabelBinarizer": label_binarizer,
    "LabelEncoder": label_encoder,
    "MaxAbsScaler": max_abs_scaler,
    "MinMaxScaler": min_max_scaler,
    "Normalizer": normalizer,
    "OneHotEncoder": one_hot_encoder,
    "OrdinalEncoder": ordinal_encoder,
    "PolynomialFeatures": polynomial_features,
    "PowerTransformer": power_transformer,
    "QuantileTransformer": quantile_transformer,
    "RobustScaler": robust_scaler,
    "SplineTransformer": spline_transformer,
    "StandardScaler": standard_scaler,
    "TargetEncoder": target_encoder,
}
