"""Java methods of a function's class: ``eval`` for Flink's SQL, ``call`` for arrays of arguments, ``compute`` behind both."""

from __future__ import annotations

from collections.abc import Iterator

from leapstream.bundle.types import Schema
from leapstream.executors.jvm.emitter import JavaField, JavaModel
from leapstream.flink.javavalues import (
    argument_setter,
    array_setter,
    element_setters,
    is_vector_of_doubles,
    output_class,
    output_value,
)
from leapstream.flink.options import OnFailure
from leapstream.flink.signature import FunctionSignature


def function_methods(
    signature: FunctionSignature, plan_inputs: Schema, java: JavaModel, on_error: OnFailure
) -> Iterator[str]:
    """The methods of the class of a function.

    Args:
        signature: the function's arguments and result.
        plan_inputs: the arguments that the model's plan reads.
        java: the model's class, which is the field ``m``.
        on_error: raise for a row that fails, give ``null``, or a ``row`` with the error in its last field.
    """
    result = result_class(signature)
    setters: list[str] = []
    for argument, field in enumerate(signature.inputs):
        if field.name in plan_inputs:
            setters += argument_setter(field, java.inputs[plan_inputs.position(field.name)], f"a{argument}", signature)
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
    signature: FunctionSignature, inputs: tuple[JavaField, ...], result: str, on_error: OnFailure
) -> Iterator[str]:
    (field,) = signature.inputs
    setters = [array_setter(field, inputs[0], "values", signature)] if inputs else []
    if signature.packed == 0:
        yield _eval(result, "Object... values", setters, on_error)
    elif signature.packed > 1:
        names = [f"a{i}" for i in range(signature.packed)]
        parameters = ", ".join(f"Object {name}" for name in names)
        if inputs and is_vector_of_doubles(field):
            yield _eval(result, parameters, list(element_setters(field, inputs[0], names, signature)), on_error)
        else:
            head = f"Object[] values = new Object[] {{{', '.join(names)}}};"
            yield _eval(result, parameters, [head, *setters], on_error)


def _eval(result: str, parameters: str, setters: list[str], on_error: OnFailure) -> str:
    lines = ["long began = metrics.begin();", "try {"]
    lines += [
        "    " + line for line in (*setters, f"{result} result = compute();", "metrics.end(began);", "return result;")
    ]
    lines.append("} catch (PredictionException failure) {")
    names = [parameter.rpartition(" ")[2] for parameter in parameters.split(", ")]
    given = names[0] if "..." in parameters else f"new Object[] {{{', '.join(names)}}}"
    lines += {
        "raise": [f"    throw failed(failure, {given});"],
        "null": ["    rejected(failure);", "    return missing();"],
        "row": ["    return rejectedRow(rejected(failure));"],
    }[on_error]
    body = "\n".join("    " + line for line in [*lines, "}"])
    return f"public {result} eval({parameters}) {{\n{body}\n}}"


def result_class(signature: FunctionSignature) -> str:
    """The Java class of a function's result."""
    fields = list(signature.outputs)
    return output_class(fields[0].type) if len(fields) == 1 else "RowData"


def _compute(signature: FunctionSignature, java: JavaModel, result: str) -> str:
    values = [output_value(field, out) for field, out in zip(signature.model_outputs, java.outputs, strict=True)]
    width = len(signature.outputs)
    lines = ["dropped = !m.run();"]
    if width == 1:
        lines += ["if (dropped) {", "    metrics.dropped();", "    return missing();", "}", f"return {values[0]};"]
        missing = "return null;"
    else:
        lines += [f"GenericRowData row = new GenericRowData({width});", "if (dropped) {", "    metrics.dropped();"]
        lines += [
            "} else {",
            *(f"    row.setField({i}, {value});" for i, value in enumerate(values)),
            "}",
            "return row;",
        ]
        missing = f"return new GenericRowData({width});"
    body = "\n".join("    " + line for line in lines)
    methods = f"private {result} compute() {{\n{body}\n}}\n\nprivate static {result} missing() {{\n    {missing}\n}}"
    if signature.error is not None:
        methods += f"""

private static {result} rejectedRow(String error) {{
    GenericRowData row = new GenericRowData({width});
    row.setField({width - 1}, BinaryStringData.fromString(error));
    return row;
}}"""
    return methods
