"""Java expressions and statements that convert between Flink's values and the fields of a model's class."""

from __future__ import annotations

from collections.abc import Iterator

from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, TensorType
from leapstream.executors.jvm.emitter import LETTERS, JavaField
from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.flink.signature import FunctionSignature

_BOXED = {
    BasicType.BOOLEAN: "Boolean",
    BasicType.BYTE: "Byte",
    BasicType.SHORT: "Short",
    BasicType.INT: "Integer",
    BasicType.LONG: "Long",
    BasicType.FLOAT: "Float",
    BasicType.DOUBLE: "Double",
}
_VALUES = {**_BOXED, BasicType.STRING: "StringData", BasicType.BYTE_STRING: "byte[]"}
_CONVERTERS = {
    BasicType.BOOLEAN: "toBoolean",
    BasicType.BYTE: "toByte",
    BasicType.SHORT: "toShort",
    BasicType.INT: "toInt",
    BasicType.LONG: "toLong",
    BasicType.FLOAT: "toFloat",
    BasicType.DOUBLE: "toDouble",
    BasicType.STRING: "toText",
    BasicType.BYTE_STRING: "(byte[])",
}


def argument_setter(field: Field, java: JavaField, argument: str, signature: FunctionSignature) -> list[str]:
    """Statements that set a field of the model from an argument, which may be null."""
    target = f"m.{java.name}"
    if not isinstance(field.type, ScalarType):
        return [
            f"{target} = null;",
            f"if ({argument} != null) {{",
            f"    {array_setter(field, java, argument, signature)}",
            "}",
        ]
    value = f"{_CONVERTERS[field.type.base]}({argument})".replace("(byte[])(", "(byte[]) (")
    if java.null_field is not None:
        null = f"m.{java.null_field}"
        return [f"{null} = {argument} == null;", f"if ({argument} != null) {{ {target} = {value}; }}"]
    if field.type.base in _BOXED:
        return [f"{target} = {value};"]
    return [f"{target} = {argument} == null ? null : {value};"]


def array_setter(field: Field, java: JavaField, argument: str, signature: FunctionSignature) -> str:
    """The statement that sets a field of the model, a tensor, list or map, from an argument that is not null."""
    kind = f"'{LETTERS[field.type.base]}'"
    where = f"{text_literal(signature.model)}, {text_literal(field.name)}"
    target = f"m.{java.name}"
    if isinstance(field.type, MapType):
        return f"{target} = map({argument}, '{LETTERS[field.type.key]}', {kind}, {where});"
    if not isinstance(field.type, TensorType):
        return f"{target} = elements({argument}, {kind}, {where});"
    dimensions = field.type.dimensions
    shape = "null"
    if dimensions is not None and len(dimensions) > 1:
        shape = f"new int[] {{{', '.join(map(str, dimensions))}}}"
    if java.java_type.endswith("ObjectTensor"):
        return f"{target} = objectTensor({argument}, {kind}, {shape}, {where});"
    return f"{target} = vec({argument}, {kind}, {shape}, {buffer_field(java)}, {where});"


def is_vector_of_doubles(field: Field) -> bool:
    """True for a tensor of doubles of one dimension."""
    kind = field.type
    return isinstance(kind, TensorType) and kind.base is BasicType.DOUBLE and len(kind.dimensions or (0,)) == 1


def element_setters(field: Field, java: JavaField, arguments: list[str], signature: FunctionSignature) -> Iterator[str]:
    """Statements that set a field of the model, a vector of doubles, from scalars: they write straight into its buffer."""
    where = f"{text_literal(signature.model)}, {text_literal(field.name)}"
    yield f"double[] values = {buffer_field(java)}.dense({len(arguments)});"
    for i, argument in enumerate(arguments):
        yield f"values[{i}] = elementOf({argument}, {where});"
    yield f"m.{java.name} = {buffer_field(java)};"


def output_class(data_type: DataType) -> str:
    """The Java class of an output's values in Flink."""
    return _VALUES[data_type.base] if isinstance(data_type, ScalarType) else "ArrayData"


def output_value(field: Field, java: JavaField) -> str:
    """The expression that converts a field of the model to Flink's value of an output."""
    source = f"m.{java.name}"
    if not isinstance(field.type, ScalarType):
        return f"array({source}, '{LETTERS[field.type.base]}')"
    base = field.type.base
    if base is BasicType.STRING:
        value = f"BinaryStringData.fromString({source})"
    elif base is BasicType.BYTE_STRING:
        value = source
    else:
        value = f"{_BOXED[base]}.valueOf({source})"
    return value if java.null_field is None else f"(m.{java.null_field} ? null : {value})"


def buffer_field(java: JavaField) -> str:
    """The name of the field that keeps the vector of an argument from row to row."""
    return f"{java.name}Buffer"
