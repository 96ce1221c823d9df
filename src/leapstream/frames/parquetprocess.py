"""The program of the process that decodes Parquet files; :mod:`leapstream.frames.decoder` starts it.

It imports pyarrow and nothing of leapstream, so that it starts quickly. It answers commands of its standard input, each of
which is a line of JSON:

* ``{"path": …, "rows": …}`` or ``{"size": …}``, then the bytes of a file of that size, opens a file. The answer has ``rows``, the
  number of rows, and ``chunks``: for each chunk of a column the position of its first page, its number of values, and the size
  of a decoded value in bytes.
* ``{"read": true}`` decodes it. After the answer comes a stream of Arrow IPC, in batches of at most ``rows``, and another answer.

An answer is a line of JSON. If it has ``error``, the file cannot be opened or decoded, and no stream follows.
"""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Iterable
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet

_VALUE = {"FLOAT": 4, "BOOLEAN": 4, "INT32": 4, "DOUBLE": 8, "INT64": 8, "INT96": 12, "BYTE_ARRAY": 8}
"""Bytes of a decoded value, without the letters of texts."""


class _File:
    """A Parquet file, which is read in batches of at most ``rows``, or at once if this is ``None``."""

    def __init__(self, source: Any, rows: int | None) -> None:
        self._rows = rows
        file = parquet.ParquetFile(source, thrift_string_size_limit=1 << 24, thrift_container_size_limit=1 << 20)
        # Without dictionaries, Arrow would copy an entry for each value that refers to it.
        self._file = parquet.ParquetFile(source, metadata=file.metadata, read_dictionary=self._texts(file))

    def _texts(self, file: Any) -> list[str]:
        """The columns that are read as dictionaries; those inside of others only if all rows are read at once."""
        if self._rows is None:
            columns = map(file.schema.column, range(len(file.schema)))
            return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        return [f.name for f in file.schema_arrow if pa.types.is_string(f.type) or pa.types.is_binary(f.type)]

    def describe(self) -> dict[str, Any]:
        """The answer to the command that opens the file."""
        metadata = self._file.metadata
        chunks = []
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(number)
                width = _VALUE.get(chunk.physical_type, 0) or metadata.schema.column(number).length
                start = chunk.data_page_offset
                if chunk.dictionary_page_offset is not None and 0 < chunk.dictionary_page_offset < start:
                    start = chunk.dictionary_page_offset
                chunks.append((start, chunk.num_values, width))
        return {"rows": metadata.num_rows, "chunks": chunks}

    def batches(self) -> tuple[Any, Iterable[Any]]:
        """The schema and the rows."""
        if self._rows is None:
            table = self._file.read(use_threads=False)
            return table.schema, table.to_batches()
        return self._file.schema_arrow, self._file.iter_batches(batch_size=self._rows, use_threads=False)


def serve(commands: IO[bytes], answers: IO[bytes]) -> None:
    """Answer commands until their end."""

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value).encode() + b"\n")
        answers.flush()

    file: _File | None = None
    for line in iter(commands.readline, b""):
        command = json.loads(line)
        try:
            if file is not None and "read" in command:
                schema, batches = file.batches()
            else:
                file = _File(command.get("path") or io.BytesIO(commands.read(command["size"])), command["rows"])
                answer(file.describe())
                continue
        # Those of Arrow and of the file system, and others where a name or a number is damaged.
        except Exception as error:
            file = None
            answer(_failure(error))
            continue
        answer({})
        last: dict[str, Any] = {}
        with pa.ipc.new_stream(pa.PythonFile(answers, "w"), schema) as stream:
            try:
                for batch in batches:
                    stream.write_batch(batch)
            except Exception as error:
                last = _failure(error)
        file = None
        del batches
        pa.default_memory_pool().release_unused()
        answer(last)


def _failure(error: Exception) -> dict[str, Any]:
    return {"error": str(error) or type(error).__name__}


if __name__ == "__main__":
    # Ctrl-C is for the process that gives the commands.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)
