"""Tables and record batches of Arrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from leapstream.frames.columnar import ColumnarTable, arrow_columns
from leapstream.frames.contract import Output, Rows, Wanted


class ArrowTable(ColumnarTable):
    """A pyarrow Table."""

    title = "pyarrow Table"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, pa.Table)

    def __init__(self, frame: pa.Table, wanted: Wanted) -> None:
        self._frame = frame
        self._hold(frame.column_names, frame.num_rows, wanted, frame.column)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        arrays = arrow_columns(outputs)
        if not keep_inputs:
            return pa.table(arrays)
        frame = self._frame if rows is None else self._frame.take(pa.array(rows))
        for name, array in arrays.items():
            frame = frame.append_column(name, array)
        return frame


class RecordBatchTable(ArrowTable):
    """A pyarrow RecordBatch."""

    title = "pyarrow RecordBatch"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return isinstance(frame, pa.RecordBatch)

    def __init__(self, frame: pa.RecordBatch, wanted: Wanted) -> None:
        super().__init__(pa.Table.from_batches([frame]), wanted)

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        table = super().result(outputs, rows, keep_inputs=keep_inputs).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
