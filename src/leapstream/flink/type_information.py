"""Types of a model's columns in Flink's DataStream API."""

from __future__ import annotations

from pyflink.common import TypeInformation, Types

from leapstream.bundle.types import BasicType, DataType, ScalarType, Schema

_TYPES = {
    BasicType.BOOLEAN: Types.BOOLEAN,
    BasicType.BYTE: Types.BYTE,
    BasicType.SHORT: Types.SHORT,
    BasicType.INT: Types.INT,
    BasicType.LONG: Types.LONG,
    BasicType.FLOAT: Types.FLOAT,
    BasicType.DOUBLE: Types.DOUBLE,
    BasicType.STRING: Types.STRING,
}


def result_type_information(outputs: Schema) -> TypeInformation:
    """The type of a function's results: that of the only output, or named rows of several."""
    kinds = [_type_information(f.type) for f in outputs]
    return kinds[0] if len(kinds) == 1 else Types.ROW_NAMED(list(outputs.names), kinds)


def _type_information(data_type: DataType) -> TypeInformation:
    scalar = Types.PRIMITIVE_ARRAY(Types.BYTE()) if data_type.base not in _TYPES else _TYPES[data_type.base]()
    return scalar if isinstance(data_type, ScalarType) else Types.OBJECT_ARRAY(scalar)
