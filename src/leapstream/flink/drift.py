"""The drift of a stream against the profile of a model: ``drift_stream``, and the SQL function ``DRIFT``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment, TableEnvironment

from leapstream.drift import Profile
from leapstream.errors import ConfigError, SchemaError
from leapstream.executors.jvm.sources import DRIFT
from leapstream.flink.compat import environment_of, java_stream, new_object, string_array
from leapstream.flink.jars import add_runtime_jar
from leapstream.flink.names import check_name
from leapstream.sources import SourceOptions
from leapstream.store import ModelStore


def create_drift_function(table_env: TableEnvironment, *, name: str = "DRIFT") -> None:
    """Make the SQL functions ``DRIFT`` and ``DRIFT_SAMPLE`` known to a table environment.

    Args:
        table_env: the environment.
        name: the name of the first; that of the other has ``_SAMPLE`` after it.

    Raises:
        ConfigError: the name is not an identifier of Java.
        BackendError: there is no Java.
    """
    check_name(name, "function")
    add_runtime_jar(table_env)
    for function, java in ((name, "Drift"), (f"{name}_SAMPLE", "DriftSample")):
        table_env.execute_sql(
            f"CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS {function} AS '{DRIFT}.{java}' LANGUAGE JAVA"
        )


def drift_stream(
    data_stream: DataStream,
    model: str,
    *,
    window: timedelta = timedelta(hours=1),
    columns: Sequence[str] | None = None,
    event_time: bool = False,
    version_column: str | None = None,
    sample: float = 1.0,
    options: SourceOptions | None = None,
    table_env: StreamTableEnvironment | None = None,
) -> DataStream:
    """The drift of each column of a stream in tumbling windows, computed in the JVM.

    Args:
        data_stream: named rows with inputs and outputs of the model, such as those of :func:`leapstream.flink.predict_stream`.
        model: a version in a store that was published with a profile, ``STORE/NAME@VERSION``; an alias stands for the version
            that it has now. The workers read the profile through Flink's file systems.
        window: the length of the windows.
        columns: the columns that are compared; by default those of the profile that the stream has.
        event_time: take the windows of the rows' time stamps, and not those of the time at which they are processed.
        version_column: a column with the version that each row was computed by, whose profile it is compared with. Rows without
            a version are left out.
        sample: the share of rows that are counted.
        options: settings for reading the store here, to know its columns.
        table_env: the environment that converts the stream; by default a new one of the stream's environment.

    Returns:
        rows of ``window_start`` and ``window_end`` in milliseconds since 1970, ``model``, ``version``, ``side``, ``feature``,
        ``psi``, ``missing_rate``, ``missing_rate_in_training``, ``rows``.

    Raises:
        ConfigError: an option is out of its range.
        SchemaError: the stream lacks a column.
        StoreError: there is no such version, or it has no profile.
        BackendError: there is no Java.
    """
    if window < timedelta(seconds=1) or window % timedelta(seconds=1) or not 0 < sample <= 1:
        raise ConfigError("drift_stream: a window has to be whole seconds, and a sample more than 0 and at most 1")
    uri, version, profile = _profile_of(model, options)
    if table_env is None:
        table_env = StreamTableEnvironment.create(environment_of(data_stream))
    fields = table_env.from_data_stream(data_stream).get_schema().get_field_names()
    names = _columns(profile, fields, columns, version_column)
    add_runtime_jar(table_env)
    seconds = window // timedelta(seconds=1)
    drift = new_object(f"{DRIFT}.DriftStream", [uri, version, ",".join(names), seconds, event_time, float(sample)])
    return DataStream(drift.of(java_stream(data_stream), string_array(fields), version_column))


def _profile_of(model: str, options: SourceOptions | None) -> tuple[str, str, Profile]:
    """The model of a store, its version, and its profile."""
    place, _, last = model.rstrip("/").rpartition("/")
    name, _, reference = last.partition("@")
    if not place or not name:
        raise ConfigError(f"{model!r}: give STORE/NAME@VERSION")
    store = ModelStore(place, options)
    found = store.version(name, reference or "latest")
    profile = store.profile(found)
    if profile is None:
        raise ConfigError(f"{found.reference} has no profile; 'leapstream publish --profile' makes one")
    return f"{place}/{name}", found.version, profile


def _columns(
    profile: Profile, given: Sequence[str], columns: Sequence[str] | None, version_column: str | None
) -> list[str]:
    # The elements of vectors have the name of their column.
    known = list(dict.fromkeys(column.name for column in profile.columns))
    if columns is None:
        columns = [name for name in known if name in given]
    for name in (*columns, *([] if version_column is None else [version_column])):
        if name not in given:
            raise SchemaError(f"the stream has no column {name!r}; its columns are {list(given)}")
    unknown = [name for name in columns if name not in known or "," in name]
    if unknown or not columns:
        raise SchemaError(f"the profile has no column {unknown[0] if unknown else 'of the stream'!r}")
    return list(columns)
