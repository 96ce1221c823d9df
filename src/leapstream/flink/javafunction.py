"""Java scalar functions around the classes that the emitter makes of plans."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from leapstream.bundle.types import Schema
from leapstream.errors import OnError
from leapstream.executors.jvm.emitter import JavaModel, emit
from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.executors.jvm.sources import KERNELS, java_sources
from leapstream.flink.javamethods import function_methods
from leapstream.flink.javavalues import buffer_field
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.model import Model

FUNCTIONS = "leapstream.flink"
"""The Java package of the functions around models."""
_PACKAGE = "leapstream.generated"


@dataclass(frozen=True)
class JavaFunction:
    """The sources and the data of a function.

    Attributes:
        class_name: fully qualified name of the function's class.
        sources: Java source of each class, by fully qualified name, those of the runtime included.
        resources: files that belong into the jar besides the classes.
    """

    class_name: str
    sources: dict[str, str]
    resources: dict[str, bytes]


def signature_sources(*, python: bool) -> dict[str, str]:
    """The hand-written classes that functions use: those that run in the JVM, or those that run in Python."""
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
        signature: the function's arguments and result.
        model: the model that it runs.
        on_error: raise for a row that fails, or give ``null``.
        class_name: fully qualified name of its class; by default a name that no other function has.

    Raises:
        BackendError: the jvm executor lacks a primitive of the model's plan.
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
        for method in function_methods(signature, plan_inputs, java, on_error)
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
    buffers = "".join(f"    private transient Vec {buffer_field(f)};\n" for f in vectors)
    opened = "".join(f"        {buffer_field(f)} = new Vec();\n" for f in vectors)
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
