"""Stages as Spark ML saves them: a folder with ``metadata``, often ``data``, and the folders of the stages within."""

from __future__ import annotations

import io
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
from pyarrow import parquet

from leapstream.bundle.container import Limits, read_files
from leapstream.bundle.malformed import decoding, fields_of, parse_json, text_of
from leapstream.errors import BundleError, UnsupportedOpError
from leapstream.exporters.spark.encoding import Kind

_PACKAGES = ("org.apache.spark.ml.", "pyspark.ml.")


def is_spark_directory(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a directory that Spark ML has saved a stage or a pipeline in."""
    folder = Path(path) / "metadata"
    return folder.is_dir() and any(folder.glob("part-*"))


@dataclass(frozen=True)
class Saved:
    """A saved stage, all of whose files are in memory.

    Attributes:
        directory: names the whole in messages.
        files: every file of the directory, by path.
        path: where in the directory the stage is; ``""`` for the directory itself.
        metadata: what its ``metadata`` says.
        given_uid: the name that it goes by where that is not its own.
    """

    directory: str
    files: Mapping[str, bytes]
    path: str
    metadata: Mapping[str, Any]
    given_uid: str | None = None

    @classmethod
    def read(cls, source: str | os.PathLike[str]) -> Saved:
        """Read a directory.

        Raises:
            BundleError: nothing is there, or it is no stage that Spark has saved.
        """
        name, files = read_files(source, Limits())
        return cls(name, files, "", _metadata(name, files, ""))

    @property
    def where(self) -> str:
        """Names the stage in messages."""
        return f"{self.directory}, stage {self.uid!r} ({self.full_name})"

    @property
    def full_name(self) -> str:
        """The name of the stage's class, which is looked up and never imported."""
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
        """Major and minor version of the Spark that has written it."""
        found = re.match(r"(\d+)\.(\d+)", str(self.metadata.get("sparkVersion", "")))
        self.need(found is not None, "its sparkVersion is missing")
        assert found is not None
        return int(found[1]), int(found[2])

    def refuse(self, reason: str) -> NoReturn:
        """Raise :class:`UnsupportedOpError` for this stage."""
        raise UnsupportedOpError(f"{self.where}: {reason}")

    def warn(self, difference: str) -> None:
        """Warn that the model will give something else than this stage."""
        warnings.warn(f"{self.where}: {difference}", stacklevel=2)

    def need(self, condition: bool, reason: str) -> None:
        """Raise :class:`BundleError` for this stage unless a condition holds."""
        if not condition:
            raise BundleError(f"{self.where}: {reason}")

    # ---- params -------------------------------------------------------------------------------------------------------

    @cached_property
    def params(self) -> dict[str, Any]:
        """The params, those that have been set before the defaults."""
        with decoding(self.where):
            parts = [fields_of(self.metadata.get(name, {}), name) for name in ("defaultParamMap", "paramMap")]
        return {**parts[0], **parts[1]}

    def is_set(self, name: str) -> bool:
        """Whether a param has been set, rather than left at its default."""
        return name in self.metadata.get("paramMap", {})

    def column(self, param: str) -> str | None:
        """The column that a param names; ``None`` when it names none."""
        value = self.params.get(param)
        return text_of(value, param) if value else None

    def columns(self, param: str) -> list[str]:
        """The columns that a param names, in one such as ``inputCol`` or in its plural."""
        several = self.params.get(f"{param}s") if self.is_set(f"{param}s") else None
        found = several if several is not None else [self.params.get(param)]
        self.need(isinstance(found, list) and all(isinstance(name, str) for name in found), f"{param} names no column")
        return list(found)

    # ---- what lies beside the metadata --------------------------------------------------------------------------------

    def child(self, name: str, uid: str | None = None) -> Saved:
        """The stage saved in a folder of this one."""
        path = f"{self.path}{name}/"
        return replace(self, path=path, metadata=_metadata(self.directory, self.files, path), given_uid=uid)

    def table(self, folder: str = "data") -> pa.Table:
        """The rows of a folder of Parquet files."""
        prefix = f"{self.path}{folder}/"
        found = [path for path in self.files if _is_part(path, prefix) and path.endswith(".parquet")]
        self.need(bool(found), f"its folder {folder!r} has no Parquet file")
        try:
            return pa.concat_tables([_read_parquet(self.files[path]) for path in sorted(found)])
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise BundleError(f"{self.where}: its folder {folder!r} cannot be read: {error}") from error

    def rows(self, kinds: Mapping[str, Kind], folder: str = "data") -> list[dict[str, Any]]:
        """The rows of a folder, of columns of these kinds.

        Raises:
            BundleError: a column is missing, or holds something else.
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
        self.need(len(rows) == 1, f"its folder {folder!r} has {len(rows)} rows, and one is expected")
        return rows[0]


def _metadata(directory: str, files: Mapping[str, bytes], path: str) -> dict[str, Any]:
    """The JSON in the first line of the folder ``metadata``."""
    prefix = f"{path}metadata/"
    parts = sorted(name for name in files if _is_part(name, prefix))
    if not parts:
        raise BundleError(f"{directory}: {prefix or '.'} has no part of Spark's metadata: this is no saved stage")
    where = f"{directory}: {parts[0]}"
    with decoding(where):
        metadata = fields_of(parse_json(files[parts[0]].split(b"\n", 1)[0]), "the metadata")
        text_of(metadata.get("class"), "class")
    return metadata


def _is_part(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}part-") and "/" not in path[len(prefix) :]


def _read_parquet(data: bytes) -> pa.Table:
    table = parquet.ParquetFile(io.BytesIO(data)).read(use_threads=False)
    # Spark's versions describe the same types in words of their own, which tables that are put together may not.
    return table.replace_schema_metadata(None)


def dump(metadata: Mapping[str, Any]) -> bytes:
    """Metadata as Spark writes it: one line of JSON."""
    return (json.dumps(metadata, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


__all__ = ["Saved", "dump", "is_spark_directory"]
