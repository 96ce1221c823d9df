"""Spark's frames as leap frames, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pyspark.ml.linalg import DenseVector, Vectors, VectorUDT
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as t

from leapstream import LeapFrame, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ListType, ScalarType, Schema, TensorType

_SCALARS: dict[str, BasicType] = {
    "boolean": BasicType.BOOLEAN,
    "integer": BasicType.INT,
    "long": BasicType.LONG,
    "float": BasicType.FLOAT,
    "double": BasicType.DOUBLE,
    "string": BasicType.STRING,
}


def leap_frame(frame: DataFrame, names: Sequence[str], order: str | None = None) -> LeapFrame:
    """Some columns of a frame, with its rows in the order of a column of numbers: Spark would need another job to sort them."""
    rows = frame.select([f"`{name}`" for name in dict.fromkeys([*names, *([order] if order else [])])]).collect()
    if order:
        rows.sort(key=lambda row: row[order])
    fields = []
    columns = []
    for name in names:
        data_type, values = _column(frame.schema[name].dataType, [row[name] for row in rows])
        fields.append(Field(name, data_type))
        columns.append(values)
    return LeapFrame(Schema(tuple(fields)), [list(row) for row in zip(*columns, strict=True)])


def _column(kind: Any, values: list[Any]) -> tuple[DataType, list[Any]]:
    if isinstance(kind, VectorUDT):
        size = next((len(value) for value in values if value is not None), 0)
        return TensorType(BasicType.DOUBLE, (size,)), [None if value is None else _tensor(value) for value in values]
    if isinstance(kind, t.ArrayType) and isinstance(kind.elementType, VectorUDT):
        return TensorType(BasicType.DOUBLE, (len(values[0]), 1)), [Tensor.dense(np.stack(value)) for value in values]
    if isinstance(kind, t.ArrayType):
        return ListType(BasicType.STRING), [None if value is None else list(value) for value in values]
    return ScalarType(_SCALARS[kind.typeName()]), values


def _tensor(vector: Any) -> Tensor:
    if isinstance(vector, DenseVector):
        return Tensor.dense(vector.toArray())
    return Tensor.sparse(vector.size, vector.indices, vector.values)


_SPARK: dict[BasicType, Any] = {
    BasicType.BOOLEAN: t.BooleanType(),
    BasicType.BYTE: t.ByteType(),
    BasicType.SHORT: t.ShortType(),
    BasicType.INT: t.IntegerType(),
    BasicType.LONG: t.LongType(),
    BasicType.FLOAT: t.FloatType(),
    BasicType.DOUBLE: t.DoubleType(),
    BasicType.STRING: t.StringType(),
}


def spark_frame(spark: SparkSession, frame: LeapFrame) -> DataFrame:
    """A leap frame of scalars, lists of texts and vectors."""
    fields = [t.StructField(field.name, _spark_type(field.type)) for field in frame.schema]
    rows = [tuple(map(_spark_value, row)) for row in frame.rows]
    return spark.createDataFrame(rows, t.StructType(fields)).coalesce(1)


def _spark_type(data_type: DataType) -> Any:
    if isinstance(data_type, ScalarType):
        return _SPARK[data_type.base]
    if isinstance(data_type, ListType):
        return t.ArrayType(_SPARK[data_type.base])
    return VectorUDT()


def _spark_value(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.indices is None:
        return Vectors.dense(value.values.tolist())
    places = value.indices.reshape(-1).tolist()
    return Vectors.sparse(value.size, sorted(zip(places, value.values.tolist(), strict=True)))
