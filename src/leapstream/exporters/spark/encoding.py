"""Encodes and decodes values as Spark ML does: in Parquet files, and in the JSON of params.

Spark recognizes vectors and matrices by its own schema in a Parquet file's footer, so that schema is written too.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

Doubles = npt.NDArray[np.float64]

_SCHEMA_KEY = b"org.apache.spark.sql.parquet.row.metadata"


@dataclass(frozen=True)
class Kind:
    """A type of Spark SQL.

    Attributes:
        arrow: the type in Arrow.
        spark: the type in Spark's JSON.
        encode: converts a Python value for Arrow.
        decode: the inverse; raises ``ValueError``, ``TypeError`` or ``KeyError`` for a malformed value.
    """

    arrow: pa.DataType
    spark: Any
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def _given(value: Any) -> Any:
    if value is None:
        raise ValueError("a value is missing")
    return value


def _plain(arrow: pa.DataType, spark: str, python: Callable[[Any], Any]) -> Kind:
    return Kind(arrow, spark, python, lambda value: python(_given(value)))


DOUBLE = _plain(pa.float64(), "double", float)
FLOAT = _plain(pa.float32(), "float", float)
INT = _plain(pa.int32(), "integer", int)
LONG = _plain(pa.int64(), "long", int)
BOOLEAN = _plain(pa.bool_(), "boolean", bool)
STRING = _plain(pa.string(), "string", str)


def array(element: Kind) -> Kind:
    """A list, as a tuple in Python."""
    return Kind(
        pa.list_(pa.field("element", element.arrow)),
        {"type": "array", "elementType": element.spark, "containsNull": True},
        lambda values: [element.encode(value) for value in values],
        lambda values: tuple(element.decode(value) for value in _given(values)),
    )


def mapping(key: Kind, value: Kind) -> Kind:
    """A map, as a dict in Python."""
    return Kind(
        pa.map_(key.arrow, value.arrow),
        {"type": "map", "keyType": key.spark, "valueType": value.spark, "valueContainsNull": True},
        lambda items: [(key.encode(k), value.encode(v)) for k, v in items.items()],
        lambda items: {key.decode(k): value.decode(v) for k, v in _given(items)},
    )


def struct(fields: Mapping[str, Kind]) -> Kind:
    """A row, as a dict in Python."""
    return Kind(
        pa.struct([pa.field(name, kind.arrow) for name, kind in fields.items()]),
        _spark_struct(fields),
        lambda row: {name: kind.encode(row[name]) for name, kind in fields.items()},
        lambda row: {name: kind.decode(_given(row)[name]) for name, kind in fields.items()},
    )


def _spark_struct(fields: Mapping[str, Kind]) -> dict[str, Any]:
    members = [{"name": name, "type": kind.spark, "nullable": True, "metadata": {}} for name, kind in fields.items()]
    return {"type": "struct", "fields": members}


# ---- vectors and matrices ---------------------------------------------------------------------------------------------

_BYTE = _plain(pa.int8(), "byte", int)
_SPARSE, _DENSE = 0, 1
_VECTOR = {"type": _BYTE, "size": INT, "indices": array(INT), "values": array(DOUBLE)}
_MATRIX = {
    "type": _BYTE,
    "numRows": INT,
    "numCols": INT,
    "colPtrs": array(INT),
    "rowIndices": array(INT),
    "values": array(DOUBLE),
    "isTransposed": BOOLEAN,
}


def vector_of(value: Mapping[str, Any]) -> Doubles:
    """The elements of a vector, dense or sparse."""
    values = np.array(_given(value["values"]), dtype=np.float64)
    if value["type"] == _DENSE:
        return values
    size = int(value["size"])
    if not 0 <= size <= 1 << 28:
        raise ValueError(f"a vector of {size} elements")
    dense = np.zeros(size)
    dense[np.array(value["indices"], dtype=np.intp)] = values
    return dense


def _matrix_of(value: Mapping[str, Any]) -> Doubles:
    shape = int(value["numRows"]), int(value["numCols"])
    if min(shape) < 0 or math.prod(shape) > 1 << 28:
        raise ValueError(f"a matrix of {shape[0]} x {shape[1]} elements")
    values, transposed = np.array(_given(value["values"]), dtype=np.float64), bool(value["isTransposed"])
    if value["type"] == _DENSE:
        return np.ascontiguousarray(values.reshape(shape, order="C" if transposed else "F"))
    # Sparse: compressed by columns, or by rows if the matrix is transposed.
    dense = np.zeros(shape[::-1] if transposed else shape)
    starts = np.array(value["colPtrs"], dtype=np.intp)
    columns = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    dense[np.array(value["rowIndices"], dtype=np.intp), columns] = values
    return np.ascontiguousarray(dense.T if transposed else dense)


def _linalg(package: str, name: str, fields: Mapping[str, Kind], encode: Any, decode: Any) -> Kind:
    kind = struct(fields)
    spark = {
        "type": "udt",
        "class": f"org.apache.spark.{package}.linalg.{name}",
        "pyClass": f"pyspark.{package}.linalg.{name}",
        "sqlType": kind.spark,
    }
    return Kind(kind.arrow, spark, encode, lambda value: decode(_given(value)))


def _encode_vector(vector: Doubles) -> dict[str, Any]:
    return {"type": _DENSE, "size": None, "indices": None, "values": np.asarray(vector, dtype=np.float64).tolist()}


def _encode_matrix(matrix: Doubles, by_rows: bool = False) -> dict[str, Any]:
    return {
        "type": _DENSE,
        "numRows": matrix.shape[0],
        "numCols": matrix.shape[1],
        "colPtrs": None,
        "rowIndices": None,
        "values": np.asarray(matrix, dtype=np.float64).ravel(order="C" if by_rows else "F").tolist(),
        "isTransposed": by_rows,
    }


VECTOR = _linalg("ml", "VectorUDT", _VECTOR, _encode_vector, vector_of)
MATRIX = _linalg("ml", "MatrixUDT", _MATRIX, _encode_matrix, _matrix_of)
ROWS = replace(MATRIX, encode=partial(_encode_matrix, by_rows=True))
"""A matrix that is written row by row, as some of Spark's models require; decoding is as for ``MATRIX``."""

OLD_VECTOR = _linalg("mllib", "VectorUDT", _VECTOR, _encode_vector, vector_of)
OLD_MATRIX = _linalg("mllib", "MatrixUDT", _MATRIX, _encode_matrix, _matrix_of)
"""The matrix type of the RDD-based API, which Spark still uses for some models."""


# ---- Parquet ----------------------------------------------------------------------------------------------------------


def write_parquet(kinds: Mapping[str, Kind], columns: Mapping[str, Sequence[Any] | pa.Array]) -> bytes:
    """A Parquet file that Spark reads with the types ``kinds``; an Arrow array is written without conversion."""
    arrays = [
        column if isinstance(column, pa.Array) else pa.array([kinds[name].encode(v) for v in column], kinds[name].arrow)
        for name, column in columns.items()
    ]
    named = {name: kinds[name] for name in columns}
    schema = pa.schema(
        [pa.field(name, kind.arrow) for name, kind in named.items()],
        {_SCHEMA_KEY: json.dumps(_spark_struct(named)).encode()},
    )
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="snappy")
    return out.getvalue()


# ---- params -----------------------------------------------------------------------------------------------------------

_NOT_FINITE = {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}


def number_of(value: Any) -> float:
    """Decode a number of a param; JSON holds infinities and NaN as texts."""
    return _NOT_FINITE[value] if isinstance(value, str) else float(value)


def param_of(value: Any) -> Any:
    """Encode a param's value for JSON: numbers that are not finite as texts, vectors as dense ones."""
    if isinstance(value, np.ndarray):
        return {"type": _DENSE, "values": [param_of(number) for number in value.tolist()]}
    if isinstance(value, (tuple, list)):
        return [param_of(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return next(
            text for text, number in _NOT_FINITE.items() if number == value or (number != number and value != value)
        )
    return value
