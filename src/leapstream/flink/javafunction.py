"""Java scalar functions around the classes that the emitter makes of plans."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from leapstream.bundle.types import Schema
from leapstream.executors.jvm.emitter import JavaModel, emit
from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.executors.jvm.sources import FUNCTIONS, KERNELS, abi
from leapstream.flink.javamethods import function_methods
from leapstream.flink.javavalues import buffer_field
from leapstream.flink.options import OnFailure
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.installation import VERSION
from leapstream.model import Model

GENERATED = "leapstream.generated"
"""The Java package of generated classes."""


@dataclass(frozen=True)
class JavaFunction:
    """The sources and the data of a function.

    Attributes:
        class_name: fully qualified name of the function's class.
        sources: Java source of each generated class, by fully qualified name.
        resources: files that belong into the jar besides the classes.
    """

    class_name: str
    sources: dict[str, str]
    resources: dict[str, bytes]


def generate(
    signature: FunctionSignature, model: Model, on_error: OnFailure, class_name: str | None = None
) -> JavaFunction:
    """The function of a signature.

    Args:
        signature: the function's arguments and result.
        model: the model that it runs.
        on_error: raise for a row that fails, give ``null``, or a ``row`` with the error, for which the signature has a column.
        class_name: fully qualified name of its class; by default a name that no other function has.

    Raises:
        BackendError: the jvm executor lacks a primitive of the model's plan.
    """
    plan = model.plan(signature.inputs, signature.model_outputs.names)
    # The name tells models apart: two of one name in one job would share the class that is loaded first.
    java = emit(plan, f"{GENERATED}.Model")
    told_apart_by = repr((signature, on_error, VERSION, abi())).encode()
    digest = hashlib.sha256(java.source.encode() + java.data + told_apart_by).hexdigest()[:16]
    java = java.renamed(f"Model_{digest}")
    name = class_name or f"{GENERATED}.{signature.function}_{digest}"
    resource = f"{GENERATED.replace('.', '/')}/Model_{digest}.bin"
    source = _source(signature, plan.inputs, java, name, resource, on_error, model.definition.uid)
    return JavaFunction(name, {java.class_name: java.source, name: source}, {resource: java.data})


def description(signature: FunctionSignature) -> str:
    """The members of a function's class that say what it was generated for, and what its arguments and outputs are."""
    inputs, outputs = _text_arrays(signature.inputs), _text_arrays(signature.outputs)
    return f"""    private static final String[] OUTPUTS = {outputs[0]};
    private static final String[] OUTPUT_TYPES = {outputs[1]};

    protected int abi() {{
        return {abi()};
    }}

    protected String leapstreamVersion() {{
        return {text_literal(VERSION)};
    }}

    protected ModelSignature makeSignature() {{
        return new ModelSignature({text_literal(signature.function)}, {text_literal(signature.model)},
            {inputs[0]}, {inputs[1]}, {signature.packed}, {text_literal(signature.result_type)}, false);
    }}

    protected String[] outputs() {{
        return OUTPUTS;
    }}

    protected String[] outputTypes() {{
        return OUTPUT_TYPES;
    }}"""


def _text_arrays(columns: Schema) -> tuple[str, str]:
    """The names and the SQL types of columns as arrays in Java."""
    names, kinds = (
        f"new String[] {{{', '.join(map(text_literal, values))}}}"
        for values in (columns.names, [sql_type(field.type) for field in columns])
    )
    return names, kinds


def _source(
    signature: FunctionSignature,
    plan_inputs: Schema,
    java: JavaModel,
    name: str,
    resource: str,
    on_error: OnFailure,
    version: str,
) -> str:
    body = "\n".join(
        "    " + line
        for method in function_methods(signature, plan_inputs, java, on_error)
        for line in [*method.splitlines(), ""]
    )
    package, _, simple_name = name.rpartition(".")
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

{description(signature)}

    private transient {java.class_name} m;
{buffers}
    protected String version() {{
        return {text_literal(version)};
    }}

    protected void load() throws java.io.IOException {{
        {java.class_name} opened = new {java.class_name}();
        load(opened, {text_literal("/" + resource)});
{opened}        m = opened;
    }}

{body}
}}
"""
