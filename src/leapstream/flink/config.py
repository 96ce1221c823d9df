"""The configuration of the functions: ``application.conf`` in HOCON, as MLeap's Flink integration reads it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import first_repeated
from leapstream.deprecation import warn
from leapstream.errors import ConfigError, StoreError
from leapstream.fetching.uri import scheme_of
from leapstream.flink.names import check_name
from leapstream.flink.options import BACKEND, LOAD_ON, ON_ERROR, Backend, LoadOn, OnFailure
from leapstream.flink.stored import DEFAULT_INTERVAL, StoredModel
from leapstream.hocon import as_object, kind_of, parse_file, parse_text

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_REGISTRY = "mleap.udfRegistry"


@dataclass(frozen=True)
class UDFEntry:
    """One entry of ``mleap.udfRegistry``: a function and the bundle behind it.

    Attributes:
        udf_name: ``udfName``: name of the SQL function.
        bundle_path: ``bundlePath``: path or URI of the bundle, as ``bundle_source`` reads it.
        bundle_source: ``bundleSource``: ``file``, ``gcs``, ``s3``, ``hdfs``, ``http``, ``https`` or ``auto``.
        inputs: columns that the positional arguments stand for; ``None`` for the bundle's inputs in order of first use.
        outputs: columns that the function gives; ``None`` for the model's prediction. Several make a ROW.
        backend: ``auto``, ``jvm``, or ``vectorized``, which a configuration calls ``python``.
        on_error: ``onError``: ``raise``, which a configuration calls ``fail``, ``null``, or ``row``, with the error in the ROW.
        load_on: ``loadOn``: read the bundle when the function is registered (``submit``), or on each ``worker``.
        sha256: the checksum of the bundle's file.
        limits: limits on the bundle's size; ``None`` for those of the options, or the defaults.
        stored: the model of a store that the function follows, in place of a bundle's path: ``store`` (``STORE/NAME``),
            ``alias``, ``version``, ``reloadInterval``, ``splitKey`` and ``shadow``.
        error_column: ``errorColumn``: the name of the ROW's field for the error.

    Raises:
        ConfigError: an option has a word that it does not know, or the name is not an identifier of Java.
    """

    udf_name: str
    bundle_path: str = field(default="", repr=False)  # a URI may hold secrets
    bundle_source: str = "file"
    inputs: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None
    backend: Backend = "auto"
    on_error: OnFailure = "raise"
    load_on: LoadOn = "submit"
    sha256: str | None = None
    limits: Limits | None = None
    stored: StoredModel | None = field(default=None, repr=False)
    error_column: str = "error"

    def __post_init__(self) -> None:
        where = f"function {check_name(self.udf_name, 'function')!r}"
        object.__setattr__(self, "backend", BACKEND.check(self.backend, where))
        object.__setattr__(self, "on_error", ON_ERROR.check(self.on_error, where))
        object.__setattr__(self, "load_on", LOAD_ON.check(self.load_on, where))
        if (self.stored is None) != bool(self.bundle_path):
            raise ConfigError(f"{where}: give the path of a bundle or a store")


@dataclass(frozen=True)
class RegistryConfig:
    """The part ``mleap`` of a configuration.

    Attributes:
        entries: the functions, in the order of the file.
        gcs_bucket: ``mleap.gcs.bucket``.
    """

    entries: tuple[UDFEntry, ...]
    gcs_bucket: str | None = None


ConfigSource: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | RegistryConfig"


def read_config(config: ConfigSource) -> RegistryConfig:
    """Read the functions that a configuration declares.

    Args:
        config: a path to a HOCON file, HOCON text, or a parsed configuration (pyhocon's ``ConfigTree``, or a dict).
            A string that holds ``{``, ``=`` or a line break is text, any other a path. Includes, and paths of bundles whose
            source is ``file`` or ``auto``, are relative to the file; in text and in parsed configurations, paths are relative
            to the working directory. A path that each worker reads (``loadOn``) stays as it is.

    Raises:
        ConfigError: the configuration cannot be read, or an entry is malformed. The message names the entry and the key.
    """
    if isinstance(config, RegistryConfig):
        return config
    tree, folder = _parse(config)
    mleap = _table(tree.get("mleap"), "mleap")
    _reject_unknown(mleap, ("udfRegistry", "gcs"), "mleap", ignore_unrelated=True)
    items = mleap.get("udfRegistry")
    if items is None:
        raise ConfigError(f"the configuration has no {_REGISTRY}")
    if not isinstance(items, Sequence) or isinstance(items, str | bytes):
        raise ConfigError(f"{_REGISTRY} must be a list of entries, not {kind_of(items)}")
    entries: list[UDFEntry] = []
    places: dict[str, int] = {}
    for index, item in enumerate(items):
        entry = _entry(item, index, folder)
        # SQL resolves function names without regard to case.
        first = places.setdefault(entry.udf_name.lower(), index)
        if first != index:
            raise ConfigError(f"{_where(index, entry.udf_name)}: udfName is already that of {_REGISTRY}[{first}]")
        entries.append(entry)
    gcs = mleap.get("gcs")
    bucket = None
    if gcs is not None:
        bucket = _text(_table(gcs, "mleap.gcs").get("bucket"), "bucket", "mleap.gcs", optional=True)
    return RegistryConfig(tuple(entries), bucket)


def _parse(config: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The configuration, and the folder of its file; empty without one."""
    if isinstance(config, Mapping):
        return as_object(config, "configuration"), ""
    if not isinstance(config, str | os.PathLike):
        raise ConfigError(f"a configuration is a path, HOCON text or a parsed configuration, not {kind_of(config)}")
    text = os.fspath(config)
    is_text = isinstance(config, str) and any(mark in text for mark in "{=\n")
    return (parse_text(text, "configuration"), "") if is_text else (parse_file(text), os.path.dirname(text))


_STORE_KEYS = ("store", "alias", "version", "reloadInterval", "splitKey")
_KEYS = (
    "udfName",
    "bundlePath",
    "bundleSource",
    "inputs",
    "outputs",
    "backend",
    "onError",
    "errorColumn",
    "loadOn",
    "sha256",
    "limits",
    *_STORE_KEYS,
    "shadow",
)


def _entry(item: Any, index: int, folder: str) -> UDFEntry:
    where = f"{_REGISTRY}[{index}]"
    table = _table(item, where)
    name = table.get("udfName")
    if isinstance(name, str):
        where = _where(index, name)
    _reject_unknown(table, _KEYS, where)
    udf_name = _required(table, "udfName", where)
    check_name(udf_name, f"{where}: udfName")
    sha256 = _text(table.get("sha256"), "sha256", where, optional=True)
    if sha256 is not None and _SHA256.fullmatch(sha256) is None:
        raise ConfigError(f"{where}: sha256 must be 64 hexadecimal digits, not {sha256!r}")
    stored = _stored(table, where)
    source = _text(table.get("bundleSource"), "bundleSource", where, optional=True) or "file"
    path = "" if stored is not None else _required(table, "bundlePath", where)
    load_on = LOAD_ON.read(table.get("loadOn", "submit"), where)
    if path and source in ("file", "auto") and load_on == "submit":
        path = _beside(folder, path, where)
    return UDFEntry(
        udf_name=udf_name,
        bundle_path=path,
        bundle_source=source,
        inputs=_names(table.get("inputs"), "inputs", where),
        outputs=_names(table.get("outputs"), "outputs", where),
        backend=BACKEND.read(table.get("backend", "auto"), where),
        on_error=ON_ERROR.read(table.get("onError", "fail"), where),
        load_on=load_on,
        sha256=sha256,
        limits=_limits(table.get("limits"), where),
        stored=stored,
        error_column=_text(table.get("errorColumn"), "errorColumn", where, optional=True) or "error",
    )


def _stored(table: Mapping[str, Any], where: str) -> StoredModel | None:
    """The model of a store that an entry follows; ``None`` for an entry with a bundle."""
    given = {key: _text(table.get(key), key, where, optional=True) for key in _STORE_KEYS}
    shadow = table.get("shadow")
    shadows = shadow if isinstance(shadow, str) else _names(shadow, "shadow", where, "versions") or ()
    store = given["store"]
    if store is None:
        others = [key for key, value in (*given.items(), ("shadow", shadow)) if value is not None]
        if others:
            raise ConfigError(f"{where}: {others[0]} needs store")
        return None
    not_there = [key for key in ("bundlePath", "bundleSource", "sha256", "loadOn") if table.get(key) is not None]
    if not_there:
        raise ConfigError(f"{where}: {not_there[0]} is that of a bundle, and the model is in a store")
    try:
        return StoredModel(
            store,
            alias=given["alias"],
            version=given["version"],
            reload_interval=given["reloadInterval"] or DEFAULT_INTERVAL,
            split_key=given["splitKey"],
            shadow=shadows,
        )
    except (ConfigError, StoreError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _beside(folder: str, path: str, where: str) -> str:
    """The path of a bundle that a file in a folder names."""
    if scheme_of(path) is not None:
        return path
    beside = os.path.join(folder, path)
    if beside != path and not os.path.exists(beside) and os.path.exists(path):
        warn(
            f"{where}: bundlePath is relative to the configuration file, and {path!r} is in the working directory alone"
        )
        return path
    return beside


_LIMITS = {re.sub("_(.)", lambda letter: letter[1].upper(), f.name): f.name for f in fields(Limits)}
"""The names of limits in a configuration (``maxRatio``), and in Python."""


def _limits(value: Any, where: str) -> Limits | None:
    if value is None:
        return None
    table = _table(value, f"{where}: limits")
    _reject_unknown(table, tuple(_LIMITS), f"{where}: limits")
    return Limits.of({_LIMITS[key]: number for key, number in table.items()}, where)


def _where(index: int, name: str) -> str:
    return f"{_REGISTRY}[{index}] ({name})"


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        raise ConfigError(f"the configuration has no {where}")
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where} must be an object, not {kind_of(value)}")
    return value


def _reject_unknown(
    table: Mapping[str, Any], known: Sequence[str], where: str, *, ignore_unrelated: bool = False
) -> None:
    # The section mleap may hold settings of other tools: there only what looks like a slip is an error.
    for key in table:
        near = difflib.get_close_matches(str(key), known, 1, 0.8 if ignore_unrelated else 0.6)
        if key not in known and (near or not ignore_unrelated):
            hint = f" (did you mean {near[0]}?)" if near else f"; known are {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key}{hint}")


def _required(table: Mapping[str, Any], key: str, where: str) -> str:
    if table.get(key) is None:
        raise ConfigError(f"{where}: {key} is missing")
    text = _text(table.get(key), key, where)
    assert text is not None
    return text


def _text(value: Any, key: str, where: str, *, optional: bool = False) -> str | None:
    if value is None and optional:
        return None
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key} must be a text that is not empty, not {kind_of(value)} {value!r}")
    return value


def _names(value: Any, key: str, where: str, kind: str = "column names") -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise ConfigError(f"{where}: {key} must be a list of {kind}, not {kind_of(value)} {value!r}")
    names = tuple(value)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"{where}: {key} must be a list of {kind}, not {list(value)!r}")
    repeated = first_repeated(names)
    if repeated is not None:
        raise ConfigError(f"{where}: {key} repeats {repeated}")
    return names
