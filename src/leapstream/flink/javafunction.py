"""The JVM backend: a Java scalar function around the class that the emitter makes of a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from leapstream.bundle.types import BasicType, DataType, Field, MapType, ScalarType, Schema, TensorType
from leapstream.errors import OnError
from leapstream.executors.jvm.emitter import LETTERS, JavaField, JavaModel, emit
from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.executors.jvm.sources import KERNELS, java_sources
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.model import Model

FUNCTIONS = "leapstream.flink"
"""The Java package of the functions around models."""
_PACKAGE = "leapstream.generated"


@dataclass(frozen=True)
class JavaFunction:
    """Sources and data of a function.

    Attributes:
        class_name: fully qualified name of the function's class.
        sources: Java source of each class, by fully qualified name, those of the runtime included.
        resources: files that the jar has to hold besides the classes.
    """

    class_name: str
    sources: dict[str, str]
    resources: dict[str, bytes]


def signature_sources(*, python: bool) -> dict[str, str]:
    """The hand-written classes that functions of the JVM backend, or of the Python one, extend."""
    names = ["PythonModelFunction"] if python else ["ModelFunction", "ModelMetrics"]
    return function_sources(*names, "ModelSignature")


def function_sources(*names: str) -> dict[str, str]:
    """The named hand-written classes of the package of functions, by fully qualified name."""
    return {name: java_sources(FUNCTIONS)[name] for name in (f"{FUNCTIONS}.{simple}" for simple in names)}


def generate(
    signature: FunctionSignature, model: Model, on_error: OnError, class_name: str | None = None
) -> JavaFunction:
    """The function of a signature.

    Args:
        signature: what it takes and gives.
        model: what it runs.
        on_error: raise for a row that fails, or give ``null``.
        class_name: fully qualified name of its class; by default one that no other function has.

    Raises:
        BackendError: the JVM backend lacks a primitive of the model's plan.
    """
    plan = model.plan(signature.inputs, signature.outputs.names)
    # The name tells models apart: two of one name in one job would share the class that is loaded first.
    java = emit(plan, f"{_PACKAGE}.Model")
    digest = hashlib.sha256(java.source.encode() + java.data + repr((signature, on_error)).encode()).hexdigest()[:16]
    java = java.renamed(f"Model_{digest}")
    name = class_name or f"{_PACKAGE}.{signature.function}_{digest}"
    resource = f"{_PACKAGE.replace('.', '/')}/Model_{digest}.bin"
    source = _source(signature, plan.inputs, java, name, resource, on_error, model.definition.uid)
    sources = {**java_sources(KERNELS), **signature_sources(python=False)}
    sources |= {java.class_name: java.source, name: source}
    return JavaFunction(name, sources, {resource: java.data})


def _source(
    signature: FunctionSignature,
    plan_inputs: Schema,
    java: JavaModel,
    name: str,
    resource: str,
    on_error: OnError,
    version: str,
) -> str:
    body = "\n".join(
        "    " + line
        for method in _methods(signature, plan_inputs, java, on_error)
        for line in [*method.splitlines(), ""]
    )
    package, _, simple_name = name.rpartition(".")
    inputs, outputs = (
        [
            f"new String[] {{{', '.join(map(text_literal, values))}}}"
            for values in (s.names, [sql_type(f.type) for f in s])
        ]
        for s in (signature.inputs, signature.outputs)
    )
    vectors = [f for f in java.inputs if f.java_type.endswith("Vec")]
    buffers = "".join(f"    private transient Vec {_buffer(f)};\n" for f in vectors)
    opened = "".join(f"        {_buffer(f)} = new Vec();\n" for f in vectors)
    return f"""package {package};

import {FUNCTIONS}.*;
import {KERNELS}.*;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;

public final class {simple_name} extends ModelFunction {{

    private transient {java.class_name} m;
{buffers}
    public {simple_name}() {{
        super(
            new ModelSignature({text_literal(signature.function)}, {text_literal(signature.model)},
                {inputs[0]}, {inputs[1]}, {signature.packed}, {text_literal(signature.result_type)}, false),
            {text_literal(version)}, {outputs[0]}, {outputs[1]});
    }}

    protected void load() throws java.io.IOException {{
        {java.class_name} opened = new {java.class_name}();
        load(opened, {text_literal("/" + resource)});
{opened}        m = opened;
    }}

{body}
}}
"""


# ---- eval -------------------------------------------------------------------------------------------------------------

_BOXED = {
    BasicType.BOOLEAN: "Boolean",
    BasicType.BYTE: "Byte",
    BasicType.SHORT: "Short",
    BasicType.INT: "Integer",
    BasicType.LONG: "Long",
    BasicType.FLOAT: "Float",
    BasicType.DOUBLE: "Double",
}
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


def _methods(signature: FunctionSignature, plan_inputs: Schema, java: JavaModel, on_error: OnError) -> Iterator[str]:
    result = _result_class(signature)
    setters: list[str] = []
    for argument, field in enumerate(signature.inputs):
        if field.name in plan_inputs:
            setters += _setter(field, java.inputs[plan_inputs.names.index(field.name)], f"a{argument}", signature)
    count = len(signature.inputs)
    yield _eval(result, ", ".join(f"Object a{i}" for i in range(count)), setters, on_error)
    if signature.packed >= 0:
        yield from _packed_evals(signature, java.inputs, result, on_error)
    yield _call(signature)
    yield _compute(signature, java, result)


def _call(signature: FunctionSignature) -> str:
    def evaluated(count: int) -> str:
        return f"return eval({', '.join(f'arguments[{i}]' for i in range(count))});"

    lines = [evaluated(len(signature.inputs))]
    if signature.packed >= 0:
        packed = evaluated(signature.packed) if signature.packed > 0 else "return eval(arguments);"
        lines = [f"if (arguments.length == 1) {{ {lines[0]} }}", packed]
    return "\n".join(["public Object call(Object[] arguments) {", *(f"    {line}" for line in lines), "}"])


def _packed_evals(
    signature: FunctionSignature, inputs: tuple[JavaField, ...], result: str, on_error: OnError
) -> Iterator[str]:
    (field,) = signature.inputs
    setters = [_set_array(field, inputs[0], "values", signature)] if inputs else []
    if signature.packed == 0:
        yield _eval(result, "Object... values", setters, on_error)
    elif signature.packed > 1:
        names = [f"a{i}" for i in range(signature.packed)]
        parameters = ", ".join(f"Object {name}" for name in names)
        if inputs and _is_vector_of_doubles(field):
            yield _eval(result, parameters, list(_set_elements(field, inputs[0], names, signature)), on_error)
        else:
            head = f"Object[] values = new Object[] {{{', '.join(names)}}};"
            yield _eval(result, parameters, [head, *setters], on_error)


def _eval(result: str, parameters: str, setters: list[str], on_error: OnError) -> str:
    lines = ["long began = metrics.begin();", "try {"]
    lines += [
        "    " + line for line in (*setters, f"{result} result = compute();", "metrics.end(began);", "return result;")
    ]
    lines += ["} catch (PredictionException failure) {", "    metrics.failed();"]
    lines += ["    return missing();" if on_error == "null" else "    throw failure;", "}"]
    body = "\n".join("    " + line for line in lines)
    return f"public {result} eval({parameters}) {{\n{body}\n}}"


def _setter(field: Field, java: JavaField, argument: str, signature: FunctionSignature) -> list[str]:
    target = f"m.{java.name}"
    if not isinstance(field.type, ScalarType):
        return [
            f"{target} = null;",
            f"if ({argument} != null) {{",
            *("    " + line for line in (_set_array(field, java, argument, signature),)),
            "}",
        ]
    value = f"{_CONVERTERS[field.type.base]}({argument})".replace("(byte[])(", "(byte[]) (")
    if java.null_field is not None:
        null = f"m.{java.null_field}"
        return [f"{null} = {argument} == null;", f"if ({argument} != null) {{ {target} = {value}; }}"]
    if field.type.base in _BOXED:
        return [f"{target} = {value};"]
    return [f"{target} = {argument} == null ? null : {value};"]


def _result_class(signature: FunctionSignature) -> str:
    fields = list(signature.outputs)
    return _value_class(fields[0].type) if len(fields) == 1 else "RowData"


def _value_class(data_type: DataType) -> str:
    if isinstance(data_type, ScalarType):
        return {BasicType.STRING: "StringData", BasicType.BYTE_STRING: "byte[]"}.get(data_type.base) or _BOXED[
            data_type.base
        ]
    return "ArrayData"


def _compute(signature: FunctionSignature, java: JavaModel, result: str) -> str:
    values = [_value(field, out) for field, out in zip(signature.outputs, java.outputs, strict=True)]
    if len(values) == 1:
        lines = ["dropped = !m.run();", f"return dropped ? missing() : {values[0]};"]
        missing = "return null;"
    else:
        lines = [f"GenericRowData row = new GenericRowData({len(values)});", "dropped = !m.run();", "if (!dropped) {"]
        lines += [f"    row.setField({i}, {value});" for i, value in enumerate(values)]
        lines += ["}", "return row;"]
        missing = f"return new GenericRowData({len(values)});"
    body = "\n".join("    " + line for line in lines)
    return f"private {result} compute() {{\n{body}\n}}\n\nprivate static {result} missing() {{\n    {missing}\n}}"


def _value(field: Field, java: JavaField) -> str:
    source = f"m.{java.name}"
    if not isinstance(field.type, ScalarType):
        return _get_array(field, java)
    base = field.type.base
    if base is BasicType.STRING:
        value = f"BinaryStringData.fromString({source})"
    elif base is BasicType.BYTE_STRING:
        value = source
    else:
        value = f"{_BOXED[base]}.valueOf({source})"
    return value if java.null_field is None else f"(m.{java.null_field} ? null : {value})"


# ---- arrays -----------------------------------------------------------------------------------------------------------


def _set_array(field: Field, java: JavaField, argument: str, signature: FunctionSignature) -> str:
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
    return f"{target} = vec({argument}, {kind}, {shape}, {_buffer(java)}, {where});"


def _is_vector_of_doubles(field: Field) -> bool:
    kind = field.type
    return isinstance(kind, TensorType) and kind.base is BasicType.DOUBLE and len(kind.dimensions or (0,)) == 1


def _set_elements(field: Field, java: JavaField, arguments: list[str], signature: FunctionSignature) -> Iterator[str]:
    """A vector of double from scalars, straight into its buffer."""
    where = f"{text_literal(signature.model)}, {text_literal(field.name)}"
    yield f"double[] values = {_buffer(java)}.dense({len(arguments)});"
    for i, argument in enumerate(arguments):
        yield f"values[{i}] = elementOf({argument}, {where});"
    yield f"m.{java.name} = {_buffer(java)};"


def _buffer(java: JavaField) -> str:
    return f"{java.name}Buffer"


def _get_array(field: Field, java: JavaField) -> str:
    return f"array(m.{java.name}, '{LETTERS[field.type.base]}')"
