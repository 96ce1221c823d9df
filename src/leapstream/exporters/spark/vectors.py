"""Vectors: assembled, scaled, selected, expanded, hashed (``pyspark.ml.feature``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream.bundle.types import TensorType
from leapstream.errors import SchemaError
from leapstream.exporters.spark.columns import Column
from leapstream.exporters.spark.encoding import DOUBLE as NUMBER
from leapstream.exporters.spark.encoding import INT, MATRIX, VECTOR, array, mapping, number_of, vector_of, write_parquet
from leapstream.exporters.spark.stage import (
    Constant,
    Data,
    Draft,
    Param,
    Reading,
    Size,
    Stage,
    Unsupported,
    Writing,
    scalar_or_known,
)
from leapstream.ops import feature as ops
from leapstream.ops.base import DOUBLE, Op, doubles

_INPUT, _OUTPUT = {"input": "inputCol"}, {"output": "outputCol"}
_SIZE = Size("input_size", "inputCol")


@dataclass(frozen=True)
class _VectorAssembler(Stage):
    """Spark does not save the sizes of the vectors; they follow from the columns, or from the size that readers require."""

    def reads(self, reading: Reading) -> dict[str, str]:
        return {f"input{i}": name for i, name in enumerate(reading.saved.columns("inputCol"))}

    def op_of(self, reading: Reading) -> Op:
        names = reading.saved.columns("inputCol")
        columns = [reading.columns.find(name) for name in names]
        width = reading.columns.widths.get(reading.saved.column("outputCol") or "")
        unknown = sorted({name for name, column in zip(names, columns, strict=True) if column is None})
        found = [column or Column(DOUBLE) for column in columns]
        lacking = 0 if width is None else width - sum(column.size for column in found)
        if lacking and len(unknown) == 1 and lacking % names.count(unknown[0]) == 0:
            # The only unknown column is a vector with the remaining elements.
            size = 1 + lacking // names.count(unknown[0])
            found = [column or Column(doubles(size)) for column in columns]
            lacking = 0 if size > 0 else lacking
        if lacking:
            raise SchemaError(
                f"its columns have {sum(c.size for c in found)} elements, and {width} are read of the result: give the "
                f"types of the columns {', '.join(unknown or names)} with a sample"
            )
        return ops.VectorAssembler(tuple(column.shape for column in found))

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def write(self, writing: Writing) -> None:
        columns = writing.node.input_columns()
        # "keep" lets NaN through, as MLeap's op does. It requires that Spark knows the sizes of all vectors.
        for port, data_type in writing.node.op.inputs().items():
            if isinstance(data_type, TensorType) and columns[port] not in writing.columns.sized:
                writing.before.append(_size_hint(writing, columns[port], data_type.size or 0))
        writing.draft.set(
            inputCols=list(columns.values()), outputCol=writing.node.output_columns()["output"], handleInvalid="keep"
        )


def _size_hint(writing: Writing, column: str, size: int) -> Draft:
    hint = Draft("feature.VectorSizeHint", f"{writing.draft.uid}_{len(writing.before)}_size")
    hint.set(inputCol=column, size=size, handleInvalid="optimistic")
    writing.columns.sized.add(column)
    return hint


@dataclass(frozen=True)
class _Scaler(Stage):
    """A scaler that subtracts a vector and divides by another; params switch both on or off.

    Attributes:
        shift, scale: the columns of the subtracted vector and of the divisor.
        with_shift, with_scale: the params that switch them on.
    """

    shift: str = "mean"
    scale: str = "std"
    with_shift: str = "withMean"
    with_scale: str = "withStd"

    def op_of(self, reading: Reading) -> Op:
        row = reading.saved.row({self.shift: VECTOR, self.scale: VECTOR})
        mean = row[self.shift] if reading.saved.params.get(self.with_shift) else None
        std = row[self.scale] if reading.saved.params.get(self.with_scale) else None
        if mean is None and std is None:
            return ops.ElementwiseProduct(np.ones(max(len(row[self.shift]), len(row[self.scale]))))
        return ops.StandardScaler(mean, std)

    def fill(self, writing: Writing, op: Any) -> None:
        size = op.size()
        values = {
            self.shift: np.zeros(size) if op.mean is None else op.mean,
            self.scale: np.ones(size) if op.std is None else op.std,
        }
        writing.draft.set(**{self.with_shift: op.mean is not None, self.with_scale: op.std is not None})
        writing.draft.folders["data"] = write_parquet(
            dict.fromkeys(values, VECTOR), {name: [value] for name, value in values.items()}
        )


@dataclass(frozen=True)
class _MaxAbsScaler(Stage):
    """Read as MLeap's ``standard_scaler``, because MLeap's ``max_abs_scaler`` clips to [-1, 1] and Spark's stage does not."""

    def op_of(self, reading: Reading) -> Op:
        greatest = reading.saved.row({"maxAbs": VECTOR})["maxAbs"]
        return ops.StandardScaler(std=np.where(greatest == 0.0, 1.0, greatest))

    def fill(self, writing: Writing, op: Any) -> None:
        writing.warn("it clips the result to [-1, 1], and Spark's stage does not")
        super().fill(writing, op)


@dataclass(frozen=True)
class _VectorSlicer(Stage):
    def op_of(self, reading: Reading) -> Op:
        name = reading.saved.columns("inputCol")[0]
        wanted = tuple(reading.saved.params.get("names") or ())
        column = reading.column(name)
        if wanted and (column.names is None or not set(wanted) <= set(column.names)):
            reading.saved.reject(
                f"it selects elements of the column {name!r} by names, which are not known: only those of a VectorAssembler are"
            )
        named = tuple((column.names or ()).index(part) for part in wanted)
        indices = tuple(reading.saved.params.get("indices") or ())
        return ops.VectorSlicer(indices, wanted, named, reading.size(name))

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def fill(self, writing: Writing, op: Any) -> None:
        indices = [*op.indices, *op.named_indices]
        writing.require(len(set(indices)) == len(indices), "an element is taken twice, which Spark rejects")
        column = writing.columns.find(writing.node.input_columns()["input"])
        known = column.names if column is not None and column.names is not None else ()
        named = all(i < len(known) and known[i] == name for name, i in zip(op.names, op.named_indices, strict=True))
        writing.draft.set(indices=list(op.indices) if named else indices, names=list(op.names) if named else [])


@dataclass(frozen=True)
class _Interaction(Stage):
    """Vectors are made dense first, because MLeap's op treats the stored elements of a sparse vector as its first elements."""

    def reads(self, reading: Reading) -> dict[str, str]:
        return {f"input{i}": name for i, name in enumerate(reading.saved.columns("inputCol"))}

    def op_of(self, reading: Reading) -> Op:
        columns = [scalar_or_known(reading, name) for name in self.reads(reading).values()]
        sizes = tuple(column.all_categories() for column in columns)
        return ops.Interaction(sizes, tuple(column.shape for column in columns))

    def read(self, reading: Reading) -> None:
        columns = self.reads(reading)
        op = reading.op()
        dense: dict[str, str] = {}
        for name in columns.values():
            if scalar_or_known(reading, name).is_vector and name not in dense:
                dense[name] = reading.dense(name)
        reading.add(op, {port: dense.get(name, name) for port, name in columns.items()}, self.writes(reading))

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}

    def write(self, writing: Writing) -> None:
        op: Any = writing.node.op
        columns = list(writing.node.input_columns().values())
        known = [writing.columns.find(name) or Column(DOUBLE) for name in columns]
        same = tuple(column.all_categories() for column in known) == op.num_features
        writing.require(same, "it takes numbers for categories of which Spark would not know")
        writing.draft.set(inputCols=columns, outputCol=writing.node.output_columns()["output"])


@dataclass(frozen=True)
class _MinHashLSH(Stage):
    """Spark saves one list, in which factors and summands alternate."""

    def op_of(self, reading: Reading) -> Op:
        numbers = reading.saved.row({"randCoefficients": array(INT)})["randCoefficients"]
        return ops.MinHashLSH(numbers[0::2], numbers[1::2], reading.size(reading.saved.columns("inputCol")[0]))

    def fill(self, writing: Writing, op: Any) -> None:
        pairs = zip(op.random_coefficients_a, op.random_coefficients_b, strict=True)
        numbers = [int(np.int64(number).astype(np.int32)) for pair in pairs for number in pair]
        writing.require(min(numbers, default=0) >= 0, "its coefficients are negative, as Spark's never are")
        writing.draft.set(numHashTables=len(op.random_coefficients_a))
        kinds = {"randCoefficients": array(INT)}
        writing.draft.folders["data"] = write_parquet(kinds, {"randCoefficients": [numbers]})


@dataclass(frozen=True)
class _RandomProjection(Stage):
    def fill(self, writing: Writing, op: Any) -> None:
        writing.require(len(op.random_unit_vectors) > 0, "it has no projections")
        super().fill(writing, op)
        writing.draft.set(numHashTables=len(op.random_unit_vectors))


@dataclass(frozen=True)
class _PCA(Stage):
    def fill(self, writing: Writing, op: Any) -> None:
        super().fill(writing, op)
        writing.draft.set(k=op.principal_components.shape[1])


def _selector(name: str, *unsupported: Unsupported) -> Stage:
    indices = Data("filter_indices", "selectedFeatures", array(INT))
    size = Size("input_size", "featuresCol")
    return Stage(name, ops.ChiSqSelector, {"input": "featuresCol"}, _OUTPUT, (indices, size), unsupported)


_CATEGORY_MAPS = mapping(INT, mapping(NUMBER, INT))

STAGES: tuple[Stage, ...] = (
    _VectorAssembler(
        "feature.VectorAssembler",
        ops.VectorAssembler,
        {},
        _OUTPUT,
        unsupported=(Unsupported("handleInvalid", ("error", "keep"), "MLeap's assembler drops no rows"),),
    ),
    _Scaler("feature.StandardScalerModel", ops.StandardScaler, _INPUT, _OUTPUT),
    _Scaler(
        "feature.RobustScalerModel",
        ops.StandardScaler,
        _INPUT,
        _OUTPUT,
        shift="median",
        scale="range",
        with_shift="withCentering",
        with_scale="withScaling",
    ),
    Stage(
        "feature.MinMaxScalerModel",
        ops.MinMaxScaler,
        _INPUT,
        _OUTPUT,
        (
            Data("min", "originalMin", VECTOR),
            Data("max", "originalMax", VECTOR),
            Param("min_value", "min", number_of),
            Param("max_value", "max", number_of),
        ),
    ),
    _MaxAbsScaler("feature.MaxAbsScalerModel", ops.MaxAbsScaler, _INPUT, _OUTPUT, (Data("max_abs", "maxAbs", VECTOR),)),
    Stage(
        "feature.Normalizer",
        ops.Normalizer,
        _INPUT,
        _OUTPUT,
        (Param("p_norm", "p", number_of, least=1.0), _SIZE),
        keeps_size=True,
    ),
    Stage(
        "feature.ElementwiseProduct",
        ops.ElementwiseProduct,
        _INPUT,
        _OUTPUT,
        (Param("scaling_vec", "scalingVec", vector_of),),
    ),
    Stage(
        "feature.PolynomialExpansion",
        ops.PolynomialExpansion,
        _INPUT,
        _OUTPUT,
        (Param("degree", "degree", least=1), _SIZE),
    ),
    Stage("feature.DCT", ops.DCT, _INPUT, _OUTPUT, (Param("inverse", "inverse"), _SIZE), keeps_size=True),
    _Interaction("feature.Interaction", ops.Interaction, {}, _OUTPUT),
    _PCA(
        "feature.PCAModel",
        ops.PCA,
        _INPUT,
        _OUTPUT,
        (
            Data("principal_components", "pc", MATRIX),
            Constant("explainedVariance", VECTOR, lambda op: np.zeros(op.principal_components.shape[1])),
        ),
    ),
    _selector("feature.ChiSqSelectorModel"),
    _selector("feature.UnivariateFeatureSelectorModel"),
    _selector("feature.VarianceThresholdSelectorModel"),
    _VectorSlicer("feature.VectorSlicer", ops.VectorSlicer, _INPUT, _OUTPUT),
    Stage(
        "feature.VectorIndexerModel",
        ops.VectorIndexer,
        _INPUT,
        _OUTPUT,
        (
            Data("num_features", "numFeatures", INT),
            Data("category_maps", "categoryMaps", _CATEGORY_MAPS),
            Param("handle_invalid", "handleInvalid"),
        ),
    ),
    _MinHashLSH(
        "feature.MinHashLSHModel",
        ops.MinHashLSH,
        _INPUT,
        _OUTPUT,
        differs="MLeap computes these hashes in 32 bits, which overflow, and Spark in 64: they are others than Spark's",
    ),
    _RandomProjection(
        "feature.BucketedRandomProjectionLSHModel",
        ops.BucketedRandomProjectionLSH,
        _INPUT,
        _OUTPUT,
        (
            Data("random_unit_vectors", "randUnitVectors", MATRIX, tuple, np.stack),
            Param("bucket_length", "bucketLength", number_of),
            _SIZE,
        ),
    ),
)
"""The stages of this module."""
