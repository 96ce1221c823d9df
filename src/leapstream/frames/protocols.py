"""The types of frames for type checkers: none of the libraries has to be installed, or typed."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from leapstream.bundle.frame import LeapFrame


class DataFrameLike(Protocol):
    """A pandas or polars DataFrame."""

    @property
    def columns(self) -> Any: ...

    @property
    def shape(self) -> tuple[int, int]: ...


class ArrowLike(Protocol):
    """A pyarrow Table or RecordBatch."""

    @property
    def num_rows(self) -> int: ...

    @property
    def column_names(self) -> list[str]: ...


FrameT = TypeVar("FrameT", bound=LeapFrame | DataFrameLike | ArrowLike)
"""A frame that comes back as one of the same class."""
