"""The errors that leapstream raises; all derive from :class:`LeapstreamError`."""

from __future__ import annotations

from typing import Literal, TypeAlias

from leapstream.escaping import message_value, printable

OnError: TypeAlias = Literal["raise", "null"]
"""The choice for rows that fail: raise the first row's error, or give missing values for these rows."""


class LeapstreamError(Exception):
    """Base class of every error that leapstream raises on purpose; its text is one line of printable characters."""

    def __str__(self) -> str:
        return printable(super().__str__())


class BundleError(LeapstreamError):
    """A bundle or leap frame is unreadable, corrupt or unsafe (path traversal, over the size limits, …).

    The message names the file and the reason.
    """


class UnsupportedOpError(LeapstreamError):
    """A bundle holds an op, or an op variant, that leapstream does not know.

    The message names the op, the node, the bundle and the nearest known op.
    """


class ExportError(LeapstreamError):
    """A model of another library cannot be exported: its file is damaged, or has unknown parts.

    The message names the file and the field. Also raised if the exported model gives other results than its library; then the
    message names the node, the step it comes from, the row and both values.
    """


class UnsupportedExportError(ExportError, UnsupportedOpError):
    """A model of another library computes what MLeap's ops cannot, or a model of MLeap's ops what Spark's stages cannot.

    The message names the step, layer, stage or node, and the reason.
    """


class SchemaError(LeapstreamError):
    """The given columns do not fit a model: one is missing, has a wrong type, or has the name of an output.

    The message names the model, and the expected and the given fields with their types.
    """


class PredictionError(LeapstreamError):
    """A row fails, as it does in MLeap's runtime.

    Attributes:
        reason: the op's reason.
        model: name of the bundle, or ``None`` when not known.
        node: name of the node in the pipeline.
        op: MLeap name of the node's op.
        column: name of the input column that caused the failure.
        row: index of the row in its batch, from 0; ``None`` for a single record.
        values: text of the row's values, which the message ends with, or ``None``.
    """

    def __init__(
        self,
        reason: str,
        *,
        model: str | None = None,
        node: str | None = None,
        op: str | None = None,
        column: str | None = None,
        row: int | None = None,
        values: str | None = None,
    ) -> None:
        self.reason = reason
        self.model = model
        self.node = node
        self.op = op
        self.column = column
        self.row = row
        self.values = values
        parts = [("model", model), ("node", node), ("op", op), ("column", column), ("row", row)]
        where = ", ".join(
            f"row {value}" if name == "row" else f"{name} '{message_value(str(value))}'"
            for name, value in parts
            if value is not None
        )
        message = f"{reason} ({where})" if where else reason
        super().__init__(message if values is None else f"{message}; the row is {values}")

    def at_row(self, row: int | None) -> PredictionError:
        """This error with another row; ``None`` for a single record."""
        return _rebuild_prediction_error(self.reason, self.model, self.node, self.op, self.column, row, self.values)

    def with_values(self, values: str) -> PredictionError:
        """This error with the text of the row's values."""
        return _rebuild_prediction_error(self.reason, self.model, self.node, self.op, self.column, self.row, values)

    def __reduce__(self) -> tuple[object, ...]:
        parts = (self.reason, self.model, self.node, self.op, self.column, self.row, self.values)
        return _rebuild_prediction_error, parts


def _rebuild_prediction_error(
    reason: str,
    model: str | None,
    node: str | None,
    op: str | None,
    column: str | None,
    row: int | None,
    values: str | None = None,
) -> PredictionError:
    return PredictionError(reason, model=model, node=node, op=op, column=column, row=row, values=values)


class SourceError(LeapstreamError):
    """A bundle's source cannot be read: missing object, no permission, time-out, checksum mismatch, missing extra."""


class StoreError(SourceError):
    """A model store lacks a model, a version or an alias, holds something damaged, or a version cannot be published.

    The message names the store, the model and the version.
    """


class ConfigError(LeapstreamError):
    """A configuration (``application.conf``, options of a function) is malformed; the message names the entry."""


class BackendError(LeapstreamError):
    """A backend cannot run a model, or is not available on this machine; the message says why and what to install."""


class MissingPackageError(BackendError, ImportError):
    """Something that was asked for needs a package that is not installed; the message has the command that installs it."""


class UnsupportedModelError(BackendError):
    """A backend lacks something for a model, which other backends may have.

    Attributes:
        missing: everything that it lacks.
    """

    def __init__(self, message: str, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message, missing)
        self.missing = missing

    def __str__(self) -> str:
        return printable(str(self.args[0]))
