"""Data frames of polars."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.errors import SchemaError
from leapstream.frames.columnar import ColumnarTable, arrow_columns
from leapstream.frames.contract import Output, Rows, Wanted
from leapstream.frames.given import is_class


class PolarsTable(ColumnarTable):
    """A polars DataFrame; a LazyFrame is collected."""

    title = "polars DataFrame"

    @classmethod
    def accepts(cls, frame: Any) -> bool:
        return is_class(frame, "polars", "DataFrame") or is_class(frame, "polars", "LazyFrame")

    def __init__(self, frame: Any, wanted: Wanted) -> None:
        from polars.exceptions import PanicException

        try:
            self._read(frame.collect() if is_class(frame, "polars", "LazyFrame") else frame, wanted)
        except PanicException as error:
            # It is not an Exception.
            raise SchemaError(f"polars cannot give the frame's values: {error}") from None

    def _read(self, frame: Any, wanted: Wanted) -> None:
        self._frame = frame
        self._hold(frame.columns, frame.height, wanted, lambda name: frame[name].to_arrow())

    def result(self, outputs: list[Output], rows: Rows | None, *, keep_inputs: bool) -> Any:
        import polars as pl

        added = pl.DataFrame({name: pl.Series(name, array) for name, array in arrow_columns(outputs).items()})
        if not keep_inputs:
            return added
        frame = self._frame if rows is None else self._frame[np.asarray(rows)]
        return frame.hstack(added) if outputs else frame
