"""Registers models as SQL functions: ``MLeapUDFRegistry``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cloudpickle
from pyflink.table import TableEnvironment

from leapstream.bundle.types import MapType
from leapstream.errors import BackendError, ConfigError, LeapstreamError
from leapstream.executors.jvm.gateway import java_text
from leapstream.flink.compat import create_temporary_system_function, new_object, python_environment, string_array
from leapstream.flink.config import (
    BACKENDS,
    LOAD_ON,
    ON_ERROR,
    Backend,
    ConfigSource,
    LoadOn,
    OnError,
    UDFEntry,
    choice,
    read_config,
)
from leapstream.flink.jars import add_jar, function_jar
from leapstream.flink.javafunction import JavaFunction, generate, signature_sources
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.udf import PandasModelFunction, WorkerBundle
from leapstream.model import Model
from leapstream.sources import SourceOptions, loader_for

_log = logging.getLogger(__name__)

_PYTHON_DEFAULTS = {
    # Flink's own are 1000 rows: most of the time then goes into crossing over to Python.
    "python.fn-execution.bundle.size": "50000",
    "python.fn-execution.arrow.batch.size": "50000",
}
_PYTHON_CLASS = "leapstream.runtime.PythonModelFunction"


@dataclass(frozen=True)
class RegisteredFunction:
    """A function that SQL can call.

    Attributes:
        signature: arguments and result.
        backend: ``jvm`` or ``python``: where it runs.
        reason: why it does not run in the JVM, when ``auto`` had wanted that; else ``None``.
    """

    signature: FunctionSignature
    backend: Backend
    reason: str | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.function

    def __str__(self) -> str:
        return f"{self.signature} [{self.backend}]"


@dataclass(frozen=True)
class _Prepared:
    """A function made, not registered yet."""

    registered: RegisteredFunction
    java: JavaFunction | None
    pickled: bytes | None


class MLeapUDFRegistry:
    """Makes bundles temporary system functions of a table environment."""

    @staticmethod
    def register_from_config(
        config: ConfigSource, table_env: TableEnvironment, *, options: SourceOptions | None = None
    ) -> list[RegisteredFunction]:
        """Register every function of a configuration, or none when one of them fails.

        Args:
            config: path to a HOCON file, HOCON text, or a parsed configuration; see :func:`read_config`.
            table_env: where the functions are registered.
            options: how remote bundles are fetched.

        Returns:
            the functions, in the order of the configuration.

        Raises:
            ConfigError: the configuration is malformed, or a name is taken.
            LeapstreamError: a bundle cannot be had, read or run. The message names the entry and the cause.
        """
        parsed = read_config(config)
        prepared: list[_Prepared] = []
        for index, entry in enumerate(parsed.entries):
            try:
                prepared.append(_prepare_entry(entry, parsed.gcs_bucket, options))
            except LeapstreamError as error:
                raise _naming(error, f"mleap.udfRegistry[{index}] ({entry.udf_name})") from error
        return _register(prepared, table_env)

    registerFromConfig = register_from_config  # noqa: N815

    @staticmethod
    def register(
        name: str,
        model: Model | str,
        table_env: TableEnvironment,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        backend: Backend = "auto",
        on_error: OnError = "fail",
        load_on: LoadOn = "submit",
        bundle_source: str = "auto",
        gcs_bucket: str | None = None,
        sha256: str | None = None,
        options: SourceOptions | None = None,
    ) -> RegisteredFunction:
        """Register one function.

        Args:
            name: the function's name.
            model: a model, or path or URI of its bundle.
            table_env: where it is registered.
            inputs: columns that the positional arguments stand for; by default the bundle's, in order of first use.
            outputs: columns to give, several as a ROW; by default the model's prediction.
            backend: ``jvm``, ``python``, or ``auto``: the JVM where it can run the model.
            on_error: ``fail`` the job where the model refuses a row, or give ``null``.
            load_on: read the bundle now (``submit``) or on each ``worker``; the latter needs a path or URI.
            bundle_source: what reads ``model`` when it is a path or URI, as ``bundleSource`` of a configuration.
            gcs_bucket: as ``mleap.gcs.bucket`` of a configuration.
            sha256: what the bundle's file must hash to.
            options: how remote bundles are fetched.

        Raises:
            ConfigError: an option is malformed, or the name is taken.
            LeapstreamError: the bundle cannot be had, read or run.
        """
        where = f"function {name!r}"
        choice(backend, "backend", BACKENDS, where)
        choice(on_error, "on_error", ON_ERROR, where)
        choice(load_on, "load_on", LOAD_ON, where)
        try:
            if isinstance(model, Model):
                if load_on == "worker":
                    raise ConfigError('load_on "worker" needs the path or URI of a bundle, not a model')
                prepared = _prepare(name, model, model, inputs, outputs, backend, on_error)
            else:
                entry = UDFEntry(
                    name,
                    str(model),
                    bundle_source,
                    None if inputs is None else tuple(inputs),
                    None if outputs is None else tuple(outputs),
                    backend,
                    on_error,
                    load_on,
                    sha256,
                )
                prepared = _prepare_entry(entry, gcs_bucket, options)
        except LeapstreamError as error:
            raise _naming(error, where) from error
        return _register([prepared], table_env)[0]


def _naming(error: LeapstreamError, where: str) -> LeapstreamError:
    kind = type(error)
    try:
        return kind(f"{where}: {error}")
    except TypeError:
        return LeapstreamError(f"{where}: {error}")


def _prepare_entry(entry: UDFEntry, gcs_bucket: str | None, options: SourceOptions | None) -> _Prepared:
    loader = loader_for(entry.bundle_source, gcs_bucket=gcs_bucket, options=options)
    model = cast("Model", loader.load(entry.bundle_path, sha256=entry.sha256))
    carried: Model | WorkerBundle = model
    if entry.load_on == "worker":
        carried = WorkerBundle(loader, entry.bundle_path, entry.sha256)
    return _prepare(entry.udf_name, model, carried, entry.inputs, entry.outputs, entry.backend, entry.on_error)


def _prepare(
    name: str,
    model: Model,
    carried: Model | WorkerBundle,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    backend: Backend,
    on_error: OnError,
) -> _Prepared:
    signature = FunctionSignature.of(name, model, inputs, outputs)
    reason: str | None = None
    if backend != "python":
        if isinstance(carried, Model):
            try:
                java = generate(signature, model, on_error)
                return _Prepared(RegisteredFunction(signature, "jvm"), java, None)
            except BackendError as error:
                reason = str(error)
        else:
            reason = 'a bundle that is loaded on the worker (loadOn = "worker") needs Python there'
        if backend == "jvm":
            kind = BackendError if isinstance(carried, Model) else ConfigError
            raise kind(f"the jvm backend cannot run model {model.name!r}: {reason}")
    for field in signature.inputs:
        if isinstance(field.type, MapType):
            raise BackendError(
                f"the python backend cannot run {signature}: its argument {field.name!r} is a map, "
                f"and PyFlink hands over only maps whose keys are NOT NULL" + (f" ({reason})" if reason else "")
            )
    function = PandasModelFunction(carried, signature, on_error)
    if reason is not None:
        _log.warning("function %s runs in the python backend: %s", name, reason)
    return _Prepared(RegisteredFunction(signature, "python", reason), None, cloudpickle.dumps(function))


# ---- registration -----------------------------------------------------------------------------------------------------


def _register(prepared: list[_Prepared], table_env: TableEnvironment) -> list[RegisteredFunction]:
    if not prepared:
        return []
    taken = {name.lower() for name in table_env.list_user_defined_functions()}
    for item in prepared:
        if item.registered.name.lower() in taken:
            raise ConfigError(
                f"function {item.registered.name!r} exists already; "
                f"DROP TEMPORARY SYSTEM FUNCTION {item.registered.name} makes way for it"
            )
    add_jar(table_env, _write_jar(prepared))
    for item in prepared:
        signature = item.registered.signature
        try:
            if item.java is not None:
                table_env.create_java_temporary_system_function(signature.function, item.java.class_name)
            else:
                assert item.pickled is not None
                function = _python_function(signature, item.pickled)
                create_temporary_system_function(table_env, signature.function, function)
        # PyFlink raises whatever class a Java exception maps to.
        except Exception as error:
            raise BackendError(f"function {signature.function!r} cannot be registered: {java_text(error)}") from error
    if any(item.java is None for item in prepared):
        for key, value in _PYTHON_DEFAULTS.items():
            if table_env.get_config().get(key, "") == "":
                table_env.get_config().set(key, value)
    for item in prepared:
        _log.info("registered %s", item.registered)
    return [item.registered for item in prepared]


def _python_function(signature: FunctionSignature, pickled: bytes) -> Any:
    arguments = [
        signature.function,
        bytes(pickled),
        signature.result_type,
        python_environment(),
        signature.model,
        string_array(signature.inputs.names),
        string_array(signature.input_types),
        signature.packed,
    ]
    return new_object(_PYTHON_CLASS, arguments)


def _write_jar(prepared: list[_Prepared]) -> Path:
    sources: dict[str, str] = {}
    resources: dict[str, bytes] = {}
    for item in prepared:
        if item.java is not None:
            sources |= item.java.sources
            resources |= item.java.resources
        else:
            sources |= signature_sources(python=True)
    return function_jar([item.registered.name for item in prepared], sources, resources)


__all__ = ["MLeapUDFRegistry", "RegisteredFunction", "add_jar"]
