"""The jar of a model in a store, which running jobs of Flink load: ``model.jar``.

It has the generated classes and the data of one model, and the rows of its contract, and not the hand-written classes: all
versions of a job share those of the job's own jar.
"""

from __future__ import annotations

from pathlib import Path

from leapstream.contract import Contract
from leapstream.errors import BackendError, StoreError
from leapstream.executors.jvm.gateway import compile_java, jar_loader, java_text, runtime
from leapstream.executors.jvm.jar import CompiledJar, write_jar
from leapstream.executors.jvm.sources import KERNELS, abi
from leapstream.flink.compiler import PACKAGE, Target, described
from leapstream.flink.contractrows import RESOURCE, encoded_contract
from leapstream.flink.javafunction import generate
from leapstream.flink.stored import stored_signature
from leapstream.installation import VERSION
from leapstream.model import Model

STORED_CLASS = f"{PACKAGE}.predict.Stored"
"""The class that predicts, of the same name in each version, since each has a class loader of its own."""


def write_model_jar(model: Model, contract: Path | None, target: Path) -> int:
    """Compile a model for the store. The same model and contract give the same bytes.

    Args:
        model: the model; the jar gives its final outputs, except maps.
        contract: the folder of its contract, with whose rows Java compares the model now, and again before a job uses it.
        target: the jar's file.

    Returns:
        the number of the hand-written classes' declarations for which the jar's classes were generated.

    Raises:
        BackendError: the JVM cannot run the model, or PyFlink is missing.
        SchemaError: all outputs of the model are maps, which no function gives.
        StoreError: the model differs from its contract in Java.
    """
    signature = stored_signature(model)
    outputs = signature.outputs.names
    stored = Target("Stored", model, "model", outputs=outputs)
    function = generate(signature, model, "raise", stored.class_name)
    resources = dict(function.resources)
    if contract is not None:
        (java_class,) = set(function.sources) - {function.class_name}
        (data,) = function.resources
        plan = model.plan(signature.inputs, outputs)
        resources[RESOURCE] = encoded_contract(Contract(contract), plan, java_class, data)
    jar = CompiledJar(VERSION, (described(stored, signature),))
    write_jar(target, compile_java(function.sources), resources, jar.manifest())
    if contract is not None:
        _compare(model, target)
    return abi()


def _compare(model: Model, jar: Path) -> None:
    """Compare the model of a jar with the rows of its contract, as a job does."""
    ready = runtime()
    loader = jar_loader(ready.gateway, [jar], ready.loader)
    try:
        (compare,) = [
            method
            for method in ready.loader.loadClass(f"{KERNELS}.ContractRows").getMethods()
            if method.getName() == "difference"
        ]
        arguments = ready.gateway.new_array(ready.gateway.jvm.Object, 1)
        arguments[0] = loader
        difference = compare.invoke(None, arguments)
    # PyFlink turns Java's exceptions into classes of its own, by their kinds.
    except Exception as error:
        raise BackendError(f"model {model.name!r}: Java fails: {java_text(error)}") from error
    finally:
        loader.close()
    if difference is not None:
        raise StoreError(f"model {model.name!r} differs from its contract (jvm): {difference}")
