"""Java functions whose models come from a store."""

from __future__ import annotations

import hashlib

from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.executors.jvm.sources import FUNCTIONS, KERNELS, LIVE, abi
from leapstream.flink.javafunction import GENERATED, JavaFunction, description
from leapstream.flink.javamethods import result_class
from leapstream.flink.options import OnFailure
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.stored import StoredModel, signature_text
from leapstream.installation import VERSION


def generate_live(
    signature: FunctionSignature,
    stored: StoredModel,
    whole: FunctionSignature,
    on_error: OnFailure,
    class_name: str | None = None,
) -> JavaFunction:
    """The function of a signature, over the live versions of a model.

    Args:
        signature: the function's arguments and result.
        stored: the model.
        whole: the signature that all of its versions have.
        on_error: raise for a row that fails, give ``null``, or a ``row`` with the error, for which the signature has a column.
        class_name: fully qualified name of its class; by default a name that no other function has.
    """
    told_apart_by = repr((signature, stored, on_error, VERSION, abi())).encode()
    digest = hashlib.sha256(told_apart_by).hexdigest()[:16]
    name = class_name or f"{GENERATED}.{signature.function}_{digest}"
    package, _, simple_name = name.rpartition(".")
    result = result_class(signature)
    evals = [_eval(result, [f"a{i}" for i in range(len(signature.inputs))], on_error)]
    if signature.packed == 0:
        evals.append(_eval(result, None, on_error))
    elif signature.packed > 1:
        evals.append(_eval(result, [f"a{i}" for i in range(signature.packed)], on_error))
    place = ", ".join(
        "null" if text is None else text_literal(text)
        for text in (stored.uri, None if stored.version else stored.reference, stored.version)
    )
    shadows = f".with(new String[] {{{', '.join(map(text_literal, stored.shadow))}}})" if stored.shadow else ""
    source = f"""package {package};

import {FUNCTIONS}.*;
import {LIVE}.*;
import {KERNELS}.*;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;

public final class {simple_name} extends LiveFunction {{

{description(signature)}

    protected StoredModel stored() {{
        return new StoredModel({place}, {stored.milliseconds}L){shadows};
    }}

    protected String storedSignature() {{
        return {text_literal(signature_text(whole))};
    }}

    protected String splitKey() {{
        return {"null" if stored.split_key is None else text_literal(stored.split_key)};
    }}

    protected String errorOutput() {{
        return {"null" if signature.error is None else text_literal(signature.error)};
    }}

{"".join(evals)}}}
"""
    return JavaFunction(name, {name: source}, {})


def _eval(result: str, names: list[str] | None, on_error: OnFailure) -> str:
    parameters = "Object... values" if names is None else ", ".join(f"Object {name}" for name in names)
    values = "values" if names is None else f"new Object[] {{{', '.join(names)}}}"
    call = f"return ({result}) call({values});"
    if on_error != "raise":
        call = f"try {{ {call} }} catch (PredictionException failure) {{ return ({result}) missing(kept(failure)); }}"
    return f"    public {result} eval({parameters}) {{\n        {call}\n    }}\n\n"
