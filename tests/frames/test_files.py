"""Files of records: what is compressed, repeated or damaged in them does no harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from leapstream import BundleError
from leapstream.bundle.limits import Limits
from leapstream.bundle.types import Schema
from leapstream.frames.files import open_reader

WORDS = pa.table({"x": pa.array(["a" * (1 << 20)] * 200)})
"""200 MB of texts, which a dictionary holds in one."""


def tables(path: Path, format: str, limits: Limits | None = None) -> Iterator[pa.Table]:
    for chunk in open_reader(str(path), format, Schema(()), 100, limits).chunks():
        assert isinstance(chunk.batch, pa.Table)
        yield chunk.batch


def written(path: Path, table: pa.Table, **options: Any) -> Path:
    pa.parquet.write_table(table, path, **options)
    return path


def arrow(path: Path, table: pa.Table, *, stream: bool = False, compression: str | None = None) -> Path:
    options = pa.ipc.IpcWriteOptions(compression=compression)
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(path, table.schema, options=options) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd", "gzip"])
def test_parquet_is_read_in_batches_of_plain_texts(tmp_path: Path, compression: str) -> None:
    table = pa.table({"x": [f"w{i % 7}" for i in range(250)], "n": list(range(250)), "l": [["a"]] * 250})
    path = written(tmp_path / "a.parquet", table, compression=compression)
    parts = list(tables(path, "parquet"))
    assert [len(part) for part in parts] == [100, 100, 50]
    assert pa.concat_tables(parts) == table


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_arrow_is_read_in_batches_of_plain_texts(tmp_path: Path, stream: bool, compression: str | None) -> None:
    words = pa.array([f"w{i % 7}" for i in range(250)])
    table = pa.table({"x": words.dictionary_encode(), "n": list(range(250)), "l": [["a"]] * 250})
    path = arrow(tmp_path / "a.arrow", table, stream=stream, compression=compression)
    parts = list(tables(path, "arrow"))
    assert [len(part) for part in parts] == [100, 100, 50]
    assert pa.concat_tables(parts) == table.set_column(0, "x", words)


def test_texts_that_a_parquet_file_repeats_are_measured_before_they_are_copied(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="max_ratio"):
        list(tables(written(tmp_path / "a.parquet", WORDS), "parquet"))


def test_texts_that_an_arrow_file_repeats_are_measured_before_they_are_copied(tmp_path: Path) -> None:
    table = WORDS.set_column(0, "x", WORDS["x"].dictionary_encode())
    with pytest.raises(BundleError, match="max_ratio"):
        list(tables(arrow(tmp_path / "a.arrow", table, compression="zstd"), "arrow"))


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_compressed_zeros_are_rejected_before_they_are_decompressed(tmp_path: Path, format: str) -> None:
    table = pa.table({"x": np.zeros(10_000_000)})
    path = tmp_path / "zeros"
    if format == "parquet":
        written(path, table, compression="zstd", use_dictionary=False)
    else:
        arrow(path, table, compression="zstd")
    before = pa.total_allocated_bytes()
    with pytest.raises(BundleError, match="max_ratio"):
        list(tables(path, format))
    assert pa.total_allocated_bytes() - before < 1 << 20


@pytest.mark.slow
def test_limits_of_a_reader_can_be_raised(tmp_path: Path) -> None:
    path = arrow(tmp_path / "a.arrow", pa.table({"x": np.zeros(10_000_000)}), compression="zstd")
    assert sum(map(len, tables(path, "arrow", Limits(max_ratio=1e6)))) == 10_000_000


def test_offsets_that_point_out_of_an_arrow_file_are_rejected(tmp_path: Path) -> None:
    path = arrow(tmp_path / "a.arrow", pa.table({"x": ["a", "b", "c"]}), stream=True)
    data = path.read_bytes()
    offsets = np.arange(4, dtype=np.int32).tobytes()
    assert data.count(offsets) == 1
    path.write_bytes(data.replace(offsets, np.array([0, 1, 1 << 30, 3], dtype=np.int32).tobytes()))
    with pytest.raises(BundleError, match=r"a\.arrow: .*[Oo]ffset"):
        list(tables(path, "arrow"))
