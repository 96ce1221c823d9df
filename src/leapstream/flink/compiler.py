"""``leapstream compile``: models as one jar for Flink 1.20 or later, with no Python, MLeap or Scala on the cluster.

A function ``NAME`` is the class ``leapstream.models.NAME``. A model ``NAME`` is the bundle ``NAME`` of the provider ``mleap`` in
``CREATE MODEL`` and the name of a model in ``MLEAP_PREDICT``, and the classes ``leapstream.models.NAMEMap`` and ``NAMEProcess``
for the DataStream API of Java.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from leapstream.bundle.writer import encode_files
from leapstream.deprecation import keyword_only_fields, old_order
from leapstream.errors import ConfigError
from leapstream.executors.jvm.gateway import compile_java, runtime
from leapstream.executors.jvm.jar import CompiledJar, CompiledModel, version_attributes, write_jar
from leapstream.executors.jvm.sources import FUNCTIONS, PROVIDERS
from leapstream.fetching.digests import sha256_of_files
from leapstream.flink.javafunction import JavaFunction, generate
from leapstream.flink.livefunction import generate_live
from leapstream.flink.names import check_name
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.flink.stored import StoredModel, live_signature, stored_signature
from leapstream.installation import VERSION
from leapstream.model import Model

PACKAGE = "leapstream.models"
PREDICT_PACKAGE = f"{PACKAGE}.predict"
_SERVICES = {
    "META-INF/services/org.apache.flink.table.factories.Factory": f"{PROVIDERS}.MLeapProviderFactory\n".encode()
}


@keyword_only_fields("inputs", "outputs", "on_error", "sha256")
@dataclass(frozen=True)
class Target:
    """A function or model of a jar.

    Attributes:
        name: the function's or the model's name, an identifier of Java.
        model: the model that it runs.
        kind: ``function``, or ``model`` for ``CREATE MODEL`` and the DataStream API.
        inputs: the bundle's inputs in the order of a function's arguments; by default that of first use.
        outputs: columns to give; by default the prediction for a function, and all that the bundle gives for a model.
        on_error: a function raises for a row that fails and so fails the job (``raise``), gives ``null``, or a ``row`` with the
            error in its last field; ``CREATE MODEL`` has an option for it.
        sha256: checksum of the bundle; by default that of its files.
        stored: the model of a store that a function follows, of which ``model`` is a version.
        error_column: the name of a function's field for the error.

    Raises:
        ConfigError: ``on_error`` is not one of these words, or a model has it; or the name is not an identifier of Java.
    """

    name: str
    model: Model
    kind: Literal["function", "model"] = "function"
    _: KW_ONLY
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    on_error: OnFailure = "raise"
    sha256: str | None = None
    stored: StoredModel | None = None
    error_column: str = "error"

    def __post_init__(self) -> None:
        check_name(self.name, self.kind)
        where = f"{self.kind} {self.name!r}"
        object.__setattr__(self, "on_error", ON_ERROR.check(self.on_error, where))
        if self.kind == "model" and self.on_error == "row":
            raise ConfigError(f"{where}: on_error is an option of CREATE MODEL and an argument of MLEAP_PREDICT")

    @property
    def class_name(self) -> str:
        """The class that predicts."""
        return f"{PACKAGE if self.kind == 'function' else PREDICT_PACKAGE}.{self.name}"

    def signature(self) -> FunctionSignature:
        """The function's arguments and result."""
        error = self.error_column if self.on_error == "row" else None
        if self.stored is None:
            outputs = self.outputs
            if outputs is None and self.kind == "model":
                outputs = self.model.schema.outputs.names
            signature = FunctionSignature.of(self.name, self.model, inputs=self.inputs, outputs=outputs, error=error)
        else:
            signature = live_signature(
                self.name, self.stored, self.model, inputs=self.inputs, outputs=self.outputs, error=error
            )
        signature.require_row()
        return signature


@old_order("path", "targets", when=lambda first: isinstance(first, (str, os.PathLike)))
def compile_jar(targets: Sequence[Target], path: str | os.PathLike[str], *, self_contained: bool = True) -> CompiledJar:
    """Write a jar of functions and models. The same targets give the same bytes.

    Args:
        targets: the functions and models.
        path: the jar's file; an existing file is replaced.
        self_contained: add the hand-written classes; a job with a jar that lacks them needs the runtime jar too.

    Raises:
        ConfigError: there are no targets, or a name is taken.
        SchemaError: an input or output is not known.
        BackendError: the JVM cannot run a model, or PyFlink is missing.
    """
    _check_names(targets)
    sources: dict[str, str] = {}
    files: dict[str, bytes] = {}
    compiled: list[CompiledModel] = []
    for target in targets:
        signature = target.signature()
        function = _function(target, signature)
        sources |= function.sources
        files |= function.resources
        if target.kind == "model":
            for kind in ("Map", "Process"):
                name = f"{PACKAGE}.{target.name}{kind}"
                sources[name] = _around(target, name, f"{FUNCTIONS}.Model{kind}Function")
            name = f"{PACKAGE}.provider.{target.name}"
            sources[name] = _around(target, name, f"{PROVIDERS}.BundleProviderFactory")
            files |= _SERVICES
        compiled.append(described(target, signature))
    jar = CompiledJar(VERSION, tuple(compiled))
    classes = compile_java(sources)
    if self_contained:
        classes |= _runtime_classes(with_models=any(target.kind == "model" for target in targets))
    write_jar(path, classes, files, jar.manifest())
    return jar


def _function(target: Target, signature: FunctionSignature) -> JavaFunction:
    if target.stored is None:
        return generate(signature, target.model, target.on_error, target.class_name)
    return generate_live(signature, target.stored, stored_signature(target.model), target.on_error, target.class_name)


def write_runtime_jar(path: str | os.PathLike[str]) -> None:
    """Write the jar for jobs whose models come from a store: the hand-written classes, and the provider of ``CREATE MODEL``.

    Args:
        path: the jar's file; an existing file is replaced.

    Raises:
        BackendError: PyFlink is missing, or the jar cannot be written.
    """
    classes = runtime().jar.classes()
    has_models = f"{PROVIDERS}.MLeapProviderFactory".replace(".", "/") + ".class" in classes
    write_jar(path, classes, _SERVICES if has_models else {}, version_attributes(VERSION))


def _runtime_classes(with_models: bool) -> dict[str, bytes]:
    """The hand-written classes; without models, those that older versions of Flink have too."""
    providers = PROVIDERS.replace(".", "/") + "/"
    classes = runtime().jar.classes()
    return {name: data for name, data in classes.items() if with_models or not name.startswith(providers)}


def described(target: Target, signature: FunctionSignature) -> CompiledModel:
    """A function or model as the manifest of its jar describes it."""
    definition = target.model.definition
    return CompiledModel(
        name=target.name,
        kind=target.kind,
        class_name=target.class_name,
        bundle=definition.name,
        uid=definition.uid,
        version=definition.version,
        sha256=target.sha256 or sha256_of_files(dict(encode_files(definition, definition.format))),
        inputs={f.name: sql_type(f.type) for f in signature.inputs},
        outputs={f.name: sql_type(f.type) for f in signature.outputs},
    )


def _check_names(targets: Sequence[Target]) -> None:
    if not targets:
        raise ConfigError("there is nothing to compile")
    taken: set[tuple[str, str]] = set()
    for target in targets:
        # Functions are case-insensitive in SQL, and class files on some disks.
        key = (target.kind, target.name.lower())
        if key in taken:
            raise ConfigError(f"{target.kind} {target.name!r}: the name is taken already")
        taken.add(key)


def _around(target: Target, class_name: str, base: str) -> str:
    """A class that makes something else of the class that predicts."""
    package, _, name = class_name.rpartition(".")
    return f"""package {package};

public final class {name} extends {base} {{

    public {name}() {{
        super(new {target.class_name}());
    }}
}}
"""
