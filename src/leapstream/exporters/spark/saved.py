"""Reads the files of a saved Spark ML stage: a folder with ``metadata``, often ``data``, and the folders of inner stages."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from leapstream.bundle.container import read_files
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import decoding, fields_of, parse_json, text_of
from leapstream.errors import BundleError, UnsupportedExportError
from leapstream.escaping import printable
from leapstream.exporters.spark.defaults import DEFAULTS
from leapstream.exporters.spark.encoding import Kind
from leapstream.frames.parquet import read_table

_PACKAGES = ("org.apache.spark.ml.", "pyspark.ml.")


def is_spark_directory(path: str | os.PathLike[str]) -> bool:
    """True if a path is a directory to which Spark ML saved a stage or a pipeline."""
    folder = Path(path) / "metadata"
    return folder.is_dir() and any(folder.glob("part-*"))


@dataclass(frozen=True)
class Saved:
    """A saved stage, with all files in memory.

    Attributes:
        directory: the directory's name in messages.
        files: every file of the directory, by path.
        path: path of the stage inside the directory; ``""`` for the directory itself.
        metadata: the JSON object in its ``metadata``.
        limits: the limits on the size of the files.
        given_uid: the name that replaces its own, if any.
    """

    directory: str
    files: Mapping[str, bytes]
    path: str
    metadata: Mapping[str, Any]
    limits: Limits
    given_uid: str | None = None

    @classmethod
    def read(cls, source: str | os.PathLike[str], limits: Limits) -> Saved:
        """Read a directory.

        Raises:
            BundleError: the directory does not exist, exceeds a limit, or does not hold a stage that Spark saved.
        """
        name, files = read_files(source, limits)
        return cls(name, files, "", _metadata(name, files, ""), limits)

    @property
    def where(self) -> str:
        """The stage's name in messages."""
        return f"{self.directory}, stage {self.uid!r} ({self.full_name})"

    @property
    def full_name(self) -> str:
        """The name of the stage's class. It is only looked up in a table, never imported."""
        return str(self.metadata["class"])

    @property
    def name(self) -> str:
        """The name of the class within Spark ML, such as ``feature.PCAModel``."""
        for package in _PACKAGES:
            if self.full_name.startswith(package):
                return self.full_name[len(package) :]
        return self.full_name

    @property
    def uid(self) -> str:
        """The stage's unique name."""
        uid = self.given_uid or self.metadata.get("uid")
        if not isinstance(uid, str):
            raise BundleError(f"{self.directory}: {self.path or './'}: the stage's uid is missing")
        return uid

    @property
    def spark_version(self) -> tuple[int, int]:
        """Major and minor version of the Spark that wrote it."""
        found = re.match(r"(\d+)\.(\d+)", str(self.metadata.get("sparkVersion", "")))
        self.require(found is not None, "its sparkVersion is missing")
        assert found is not None
        return int(found[1]), int(found[2])

    def reject(self, reason: str) -> NoReturn:
        """Raise :class:`UnsupportedExportError` for this stage."""
        raise UnsupportedExportError(f"{self.where}: {reason}")

    def warn(self, difference: str) -> None:
        """Warn that the model's results will differ from this stage's."""
        warnings.warn(printable(f"{self.where}: {difference}"), stacklevel=2)

    def require(self, condition: bool, reason: str) -> None:
        """Raise :class:`BundleError` for this stage unless a condition holds."""
        if not condition:
            raise BundleError(f"{self.where}: {reason}")

    # ---- params -------------------------------------------------------------------------------------------------------

    @cached_property
    def params(self) -> dict[str, Any]:
        """The params: values that were set take precedence over saved defaults, and those over the class's defaults."""
        with decoding(self.where):
            parts = [fields_of(self.metadata.get(name, {}), name) for name in ("defaultParamMap", "paramMap")]
        return {**DEFAULTS.get(self.name, {}), **parts[0], **parts[1]}

    def is_set(self, name: str) -> bool:
        """True if a param was set, false if it has its default."""
        return name in self.metadata.get("paramMap", {})

    def column(self, param: str) -> str | None:
        """The column that a param names; ``None`` if it is not set."""
        value = self.params.get(param)
        return text_of(value, param) if value else None

    def columns(self, param: str) -> list[str]:
        """The columns that a param such as ``inputCol``, or its plural ``inputCols``, names."""
        several = self.params.get(f"{param}s") if self.is_set(f"{param}s") else None
        found = several if several is not None else [self.params.get(param)]
        self.require(
            isinstance(found, list) and all(isinstance(name, str) for name in found), f"{param} names no column"
        )
        return list(found)

    # ---- the folders beside the metadata ------------------------------------------------------------------------------

    def child(self, name: str, uid: str | None = None) -> Saved:
        """The stage saved in a folder of this one."""
        path = f"{self.path}{name}/"
        return replace(self, path=path, metadata=_metadata(self.directory, self.files, path), given_uid=uid)

    def table(self, folder: str = "data") -> pa.Table:
        """The rows of a folder of Parquet files."""
        prefix = f"{self.path}{folder}/"
        found = [path for path in self.files if _is_part(path, prefix) and path.endswith(".parquet")]
        self.require(bool(found), f"its folder {folder!r} has no Parquet file")
        try:
            where = f"{self.where}: its folder {folder!r}"
            return pa.concat_tables([read_table(where, self.files[path], self.limits) for path in sorted(found)])
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise BundleError(f"{self.where}: its folder {folder!r} cannot be read: {error}") from error

    def lacks(self, column: str) -> bool:
        """True if Spark 2 saved the stage without a column of its ``data`` that later versions save."""
        return self.spark_version < (3, 0) and column not in self.table().column_names

    def rows(self, kinds: Mapping[str, Kind], folder: str = "data") -> list[dict[str, Any]]:
        """The rows of a folder; ``kinds`` are the types of the columns.

        Raises:
            BundleError: a column is missing, or has values of another type.
        """
        table = self.table(folder)
        missing = [name for name in kinds if name not in table.column_names]
        if missing:
            there = ", ".join(table.column_names)
            raise BundleError(f"{self.where}: its folder {folder!r} has no column {missing[0]!r}, but {there}")
        with decoding(f"{self.where}: its folder {folder!r}"):
            rows = table.select(list(kinds)).to_pylist()
            return [{name: kind.decode(row[name]) for name, kind in kinds.items()} for row in rows]

    def row(self, kinds: Mapping[str, Kind], folder: str = "data") -> dict[str, Any]:
        """The only row of a folder."""
        rows = self.rows(kinds, folder)
        self.require(len(rows) == 1, f"its folder {folder!r} has {len(rows)} rows, and one is expected")
        return rows[0]


def _metadata(directory: str, files: Mapping[str, bytes], path: str) -> dict[str, Any]:
    """The JSON in the first line of the folder ``metadata``."""
    prefix = f"{path}metadata/"
    parts = sorted(name for name in files if _is_part(name, prefix))
    if not parts:
        raise BundleError(f"{directory}: {prefix or '.'} has no part of Spark's metadata: this is not a saved stage")
    where = f"{directory}: {parts[0]}"
    with decoding(where):
        metadata = fields_of(parse_json(files[parts[0]].split(b"\n", 1)[0]), "the metadata")
        text_of(metadata.get("class"), "class")
    return metadata


def _is_part(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}part-") and "/" not in path[len(prefix) :]


def dump(metadata: Mapping[str, Any]) -> bytes:
    """Encode metadata as Spark does: one line of JSON."""
    return (json.dumps(metadata, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


__all__ = ["Saved", "dump", "is_spark_directory"]
