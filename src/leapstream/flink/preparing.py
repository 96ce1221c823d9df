"""Prepares functions: picks the executor that runs a model, and makes the Java class or the Python function."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cloudpickle

from leapstream.bundle.types import MapType
from leapstream.errors import BackendError, ConfigError
from leapstream.flink.config import UDFEntry
from leapstream.flink.following import FollowedModel
from leapstream.flink.javafunction import JavaFunction, generate
from leapstream.flink.livefunction import generate_live
from leapstream.flink.options import Backend, OnFailure
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.stored import StoredModel, live_signature, stored_signature
from leapstream.flink.udf import FollowingPandasFunction, PandasModelFunction, WorkerBundle
from leapstream.model import Model
from leapstream.sources import BundleLoader, SourceOptions, loader_for

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedFunction:
    """A function that is ready to be registered.

    Attributes:
        signature: arguments and result.
        implementation: its Java class, or the pickled Python function.
        reason: why it runs in Python when ``auto`` was asked for; else ``None``.
        split_key: the argument by which a Python function splits rows among versions.
    """

    signature: FunctionSignature
    implementation: JavaFunction | bytes
    reason: str | None = None
    split_key: str | None = None


def loader_of(entry: UDFEntry, *, gcs_bucket: str | None = None, options: SourceOptions | None = None) -> BundleLoader:
    """The loader of an entry's bundle, with the entry's own limits in place of those in ``options``.

    Raises:
        ConfigError: the entry's source is not known.
    """
    if entry.limits is not None:
        options = replace(options or SourceOptions(), limits=entry.limits)
    return loader_for(entry.bundle_source, gcs_bucket=gcs_bucket, options=options)


def prepare_entry(
    entry: UDFEntry, *, gcs_bucket: str | None = None, options: SourceOptions | None = None
) -> PreparedFunction:
    """Load the bundle of a configuration's entry and prepare its function.

    Raises:
        LeapstreamError: the bundle cannot be fetched or read, or no executor that the entry allows runs it.
    """
    if entry.stored is not None:
        if entry.limits is not None:
            options = replace(options or SourceOptions(), limits=entry.limits)
        return prepare_stored(
            entry.udf_name,
            entry.stored,
            inputs=entry.inputs,
            outputs=entry.outputs,
            backend=entry.backend,
            on_error=entry.on_error,
            error_column=entry.error_column,
            options=options,
        )
    loader = loader_of(entry, gcs_bucket=gcs_bucket, options=options)
    model = loader.load(entry.bundle_path, sha256=entry.sha256)
    bundle = WorkerBundle(loader, entry.bundle_path, entry.sha256) if entry.load_on == "worker" else None
    return prepare(
        entry.udf_name,
        model,
        inputs=entry.inputs,
        outputs=entry.outputs,
        backend=entry.backend,
        on_error=entry.on_error,
        error_column=entry.error_column,
        worker_bundle=bundle,
    )


def prepare(
    name: str,
    model: Model,
    *,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    backend: Backend,
    on_error: OnFailure,
    error_column: str = "error",
    worker_bundle: WorkerBundle | None = None,
) -> PreparedFunction:
    """Prepare a function of a model.

    Args:
        name: the function's name.
        model: the model that the function runs.
        inputs, outputs, backend, on_error, error_column: as in :meth:`leapstream.flink.MLeapUDFRegistry.register`.
        worker_bundle: the place from which each worker loads the model; without it the model travels with the job.

    Raises:
        SchemaError: an input or output is not known.
        ConfigError: the options contradict each other.
        BackendError: no executor that ``backend`` allows runs the model.
    """
    error = error_column if on_error == "row" else None
    signature = FunctionSignature.of(name, model, inputs=inputs, outputs=outputs, error=error)
    if backend == "vectorized":
        return _vectorized(signature, PandasModelFunction(worker_bundle or model, signature, on_error), None)
    if worker_bundle is not None:
        reason = 'a bundle that is loaded on the worker (loadOn = "worker") needs Python there'
        if backend == "jvm":
            raise ConfigError(f"the jvm executor cannot run model {model.name!r}: {reason}")
        return _vectorized(signature, PandasModelFunction(worker_bundle, signature, on_error), reason)
    try:
        return PreparedFunction(signature, generate(signature, model, on_error))
    except BackendError as error:
        if backend == "jvm":
            raise BackendError(f"the jvm executor cannot run model {model.name!r}: {error}") from error
        return _vectorized(signature, PandasModelFunction(model, signature, on_error), str(error))


def prepare_stored(
    name: str,
    stored: StoredModel,
    *,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    backend: Backend,
    on_error: OnFailure,
    error_column: str = "error",
    options: SourceOptions | None = None,
) -> PreparedFunction:
    """Prepare a function that follows a model of a store; see :func:`prepare`.

    Raises:
        LeapstreamError: the store has no such version, or no executor that ``backend`` allows runs it.
    """
    version, model = stored.found(options)
    error = error_column if on_error == "row" else None
    signature = live_signature(name, stored, model, inputs=inputs, outputs=outputs, error=error)
    if backend == "vectorized" or version.abi is None:
        reason = None
        if backend != "vectorized":
            reason = (
                f"{version.reference} has no model.jar, which leapstream publish writes where the jvm executor can run "
                "the model"
            )
            if backend == "jvm":
                raise BackendError(f"function {name!r}: {reason}")
        followed = FollowedModel(stored, version, options)
        function = FollowingPandasFunction(followed, signature, on_error)
        return replace(_vectorized(signature, function, reason), split_key=stored.split_key)
    return PreparedFunction(signature, generate_live(signature, stored, stored_signature(model), on_error))


def _vectorized(
    signature: FunctionSignature, function: PandasModelFunction | FollowingPandasFunction, reason: str | None
) -> PreparedFunction:
    for field in signature.inputs:
        if isinstance(field.type, MapType):
            raise BackendError(
                f"the vectorized executor cannot run {signature}: its argument {field.name!r} is a map, "
                f"and PyFlink hands over only maps whose keys are NOT NULL" + (f" ({reason})" if reason else "")
            )
    if reason is not None:
        _log.warning("function %s runs in Python, in the vectorized executor: %s", signature.function, reason)
    return PreparedFunction(signature, cloudpickle.dumps(function), reason)
