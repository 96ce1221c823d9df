"""Registers models as SQL functions: ``MLeapUDFRegistry``."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pyflink.table import TableEnvironment

from leapstream.errors import ConfigError, LeapstreamError
from leapstream.flink.config import ConfigSource, UDFEntry, read_config
from leapstream.flink.jars import add_jar
from leapstream.flink.loading import ModelSource
from leapstream.flink.names import check_name
from leapstream.flink.options import BACKEND, LOAD_ON, ON_ERROR, Backend, LoadOn, OnFailure
from leapstream.flink.preparing import PreparedFunction, prepare, prepare_entry
from leapstream.flink.registration import RegisteredFunction, register_functions
from leapstream.flink.stored import StoredModel
from leapstream.model import Model
from leapstream.sources import SourceOptions


class MLeapUDFRegistry:
    """Makes bundles temporary system functions of a table environment."""

    @staticmethod
    def register_from_config(
        config: ConfigSource, table_env: TableEnvironment, *, options: SourceOptions | None = None
    ) -> list[RegisteredFunction]:
        """Register every function of a configuration, or none when one of them fails.

        Args:
            config: path to a HOCON file, HOCON text, or a parsed configuration; see :func:`read_config`.
            table_env: the environment in which the functions are registered.
            options: settings for bundles that are fetched.

        Returns:
            the functions, in the order of the configuration.

        Raises:
            ConfigError: the configuration is malformed, or a name is taken.
            LeapstreamError: a bundle cannot be fetched, read or run. The message names the entry and the cause.
        """
        parsed = read_config(config)
        prepared: list[PreparedFunction] = []
        for index, entry in enumerate(parsed.entries):
            try:
                prepared.append(prepare_entry(entry, gcs_bucket=parsed.gcs_bucket, options=options))
                prepared[-1].signature.require_row()
            except LeapstreamError as error:
                raise _naming(error, f"mleap.udfRegistry[{index}] ({entry.udf_name})") from error
        return register_functions(prepared, table_env)

    registerFromConfig = register_from_config  # noqa: N815

    @staticmethod
    def register(
        name: str,
        model: ModelSource | StoredModel,
        table_env: TableEnvironment,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        backend: Backend = "auto",
        on_error: OnFailure = "raise",
        error_column: str = "error",
        load_on: LoadOn = "submit",
        bundle_source: str = "auto",
        gcs_bucket: str | None = None,
        sha256: str | None = None,
        options: SourceOptions | None = None,
    ) -> RegisteredFunction:
        """Register one function.

        Args:
            name: the function's name.
            model: a model, or the path or URI of its bundle, or a :class:`StoredModel`, which the function follows.
            table_env: the environment in which the function is registered.
            inputs: columns that the positional arguments stand for; by default the bundle's, in order of first use.
            outputs: columns to give, several as a ROW; by default the model's prediction.
            backend: ``jvm``, ``vectorized``, or ``auto``: the JVM where it can run the model.
            on_error: ``raise`` for a row that fails, which fails the job; give ``null``; or keep the ``row``: a ROW of
                NULLs, with the error as text in a further field.
            error_column: the name of that field, which no output may have.
            load_on: read the bundle now (``submit``) or on each ``worker``; the latter needs a path or URI.
            bundle_source: the kind of place that ``model`` names, like ``bundleSource`` of a configuration.
            gcs_bucket: like ``mleap.gcs.bucket`` of a configuration.
            sha256: the checksum of the bundle's file; it is verified when the model is loaded.
            options: settings for bundles that are fetched.

        Raises:
            ConfigError: an option is malformed, or the name is taken.
            LeapstreamError: the bundle cannot be fetched, read or run.
        """
        where = f"function {check_name(name, 'function')!r}"
        backend = BACKEND.check(backend, where)
        on_error = ON_ERROR.check(on_error, where)
        load_on = LOAD_ON.check(load_on, where)
        try:
            if isinstance(model, Model):
                if load_on == "worker":
                    raise ConfigError('load_on "worker" needs the path or URI of a bundle, not a model')
                prepared = prepare(
                    name,
                    model,
                    inputs=inputs,
                    outputs=outputs,
                    backend=backend,
                    on_error=on_error,
                    error_column=error_column,
                )
            else:
                stored = model if isinstance(model, StoredModel) else None
                if stored is not None and (load_on, bundle_source, gcs_bucket, sha256) != (
                    "submit",
                    "auto",
                    None,
                    None,
                ):
                    raise ConfigError(
                        "load_on, bundle_source, gcs_bucket and sha256 are those of a bundle, not of a store"
                    )
                entry = UDFEntry(
                    name,
                    "" if isinstance(model, StoredModel) else os.fspath(model),
                    bundle_source,
                    None if inputs is None else tuple(inputs),
                    None if outputs is None else tuple(outputs),
                    backend,
                    on_error,
                    load_on,
                    sha256,
                    stored=stored,
                    error_column=error_column,
                )
                prepared = prepare_entry(entry, gcs_bucket=gcs_bucket, options=options)
            prepared.signature.require_row()
        except LeapstreamError as error:
            raise _naming(error, where) from error
        return register_functions([prepared], table_env)[0]


def _naming(error: LeapstreamError, where: str) -> LeapstreamError:
    kind = type(error)
    try:
        return kind(f"{where}: {error}")
    except TypeError:
        return LeapstreamError(f"{where}: {error}")


__all__ = ["MLeapUDFRegistry", "RegisteredFunction", "add_jar"]
