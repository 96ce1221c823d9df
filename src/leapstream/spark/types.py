"""Types of Spark's columns as leap types, and the other way round."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pyspark.sql import types as t

from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType

VectorsAs: TypeAlias = Literal["vectors", "arrays"]
"""The type of a column of vectors that a model makes: Spark ML's vectors, or arrays of doubles."""

_SPARK_TYPES: dict[BasicType, Any] = {
    BasicType.BOOLEAN: t.BooleanType(),
    BasicType.BYTE: t.ByteType(),
    BasicType.SHORT: t.ShortType(),
    BasicType.INT: t.IntegerType(),
    BasicType.LONG: t.LongType(),
    BasicType.FLOAT: t.FloatType(),
    BasicType.DOUBLE: t.DoubleType(),
    BasicType.STRING: t.StringType(),
    BasicType.BYTE_STRING: t.BinaryType(),
}
_BASES = {type(spark): base for base, spark in _SPARK_TYPES.items()}


def leap_type(kind: t.DataType) -> DataType | None:
    """The leap type of a column of a Spark type; ``None`` if it has none."""
    if is_vector(kind):
        return TensorType(BasicType.DOUBLE)
    if isinstance(kind, t.ArrayType):
        element = _base(kind.elementType)
        return None if element is None else ListType(element)
    if isinstance(kind, t.MapType):
        key, value = _base(kind.keyType), _base(kind.valueType)
        return None if key is None or value is None else MapType(key, value)
    base = _base(kind)
    return None if base is None else ScalarType(base)


def _base(kind: t.DataType) -> BasicType | None:
    # MLeap reads Spark's decimals as doubles.
    if isinstance(kind, t.DecimalType):
        return BasicType.DOUBLE
    return next((base for spark, base in _BASES.items() if isinstance(kind, spark)), None)


def is_vector(kind: t.DataType) -> bool:
    """True for a vector of ``pyspark.ml`` or ``pyspark.mllib``."""
    return isinstance(kind, t.UserDefinedType) and type(kind).__name__ == "VectorUDT"


def is_time(kind: t.DataType) -> bool:
    """True for dates and timestamps, which leap types do not have."""
    return type(kind).__name__ in ("DateType", "TimestampType", "TimestampNTZType", "TimeType")


def is_vector_of_doubles(kind: DataType) -> bool:
    """True for a leap type whose values are vectors of Spark ML."""
    return isinstance(kind, TensorType) and kind.base is BasicType.DOUBLE and len(kind.dimensions or (0,)) == 1


def spark_type(kind: DataType, vectors: VectorsAs) -> t.DataType:
    """The Spark type of an output; other tensors are arrays of their elements in row-major order."""
    base = _SPARK_TYPES[kind.base]
    if isinstance(kind, MapType):
        return t.MapType(_SPARK_TYPES[kind.key], base)
    if isinstance(kind, ScalarType):
        return base
    if vectors == "vectors" and is_vector_of_doubles(kind):
        from pyspark.ml.linalg import VectorUDT

        return VectorUDT()
    return t.ArrayType(base)
