"""Declares the correspondence between a stage of Spark ML and an op of MLeap, once for reading and writing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np

from leapstream.bundle.definition import Socket
from leapstream.bundle.types import TensorType
from leapstream.errors import BundleError, LeapstreamError, SchemaError, UnsupportedExportError
from leapstream.escaping import printable
from leapstream.exporters.spark.columns import Column, Columns, UnknownColumnError
from leapstream.exporters.spark.encoding import Kind, param_of, write_parquet
from leapstream.exporters.spark.saved import Saved
from leapstream.ops.base import DOUBLE, Op
from leapstream.ops.feature import StandardScaler
from leapstream.ops.pipeline import Node

T = TypeVar("T")

# ---- reading ----------------------------------------------------------------------------------------------------------


@dataclass
class Reading:
    """A saved stage that is being read, at its place in a pipeline.

    Attributes:
        saved: the stage's files.
        stage: the declaration of its class.
        columns: the columns that the stages before it write.
        nodes: the nodes that were made of it.
    """

    saved: Saved
    stage: Stage
    columns: Columns
    nodes: list[Node] = field(default_factory=list)
    _op: Op | None = None

    def op(self) -> Op:
        """The stage's op; it is made on the first call.

        Raises:
            UnknownColumnError: the op depends on a column whose type is not known yet.
        """
        if self._op is None:
            self._op = self.guarded(lambda: self.stage.op_of(self))
        return self._op

    def widths(self) -> dict[str, int]:
        """The sizes of the stage's input vectors, by column, as far as the saved stage determines them."""
        return self.guarded(lambda: self.stage.widths(self))

    def read(self) -> None:
        """Add the stage's nodes."""
        self.guarded(lambda: self.stage.read(self))

    def guarded(self, make: Callable[[], T]) -> T:
        """Call ``make``; an error's message gets the stage's name."""
        try:
            return make()
        except LeapstreamError as error:
            if str(error).startswith(self.saved.directory):
                raise
            raise type(error)(f"{self.saved.where}: {error}") from error
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
            raise BundleError(f"{self.saved.where}: {type(error).__name__}: {error}") from error

    def column(self, name: str) -> Column:
        """A column that the stage reads.

        Raises:
            UnknownColumnError: the column's type is not known yet.
        """
        found = self.columns.find(name)
        if found is None:
            raise UnknownColumnError(name)
        return found

    def size(self, name: str) -> int:
        """Number of elements of a column of vectors that the stage reads."""
        column = self.column(name)
        if not column.is_vector or not column.size:
            raise SchemaError(f"the column {name!r} is {column.type}, and a vector of a known size is expected")
        return column.size

    def add(self, op: Op, inputs: Mapping[str, str], outputs: Mapping[str, str], suffix: str = "") -> None:
        """Add a node with the stage's name plus ``suffix``; ``inputs`` and ``outputs`` map ports to columns."""
        reads = tuple(Socket(port, column) for port, column in inputs.items())
        writes = tuple(Socket(port, column) for port, column in outputs.items())
        node = Node(f"{self.saved.uid}{suffix}", op, reads, writes)
        self.nodes.append(node)
        self.columns.after(op, node.input_columns(), node.output_columns())

    def dense(self, name: str) -> str:
        """Add a node that makes a column's vectors dense; returns the new column.

        Some of MLeap's ops skip the elements that a sparse vector does not store, where Spark does not.
        """
        made = f"{self.saved.uid}_{name}_dense"
        self.add(StandardScaler(mean=np.zeros(self.size(name))), {"input": name}, {"output": made}, f"_{name}_dense")
        return made


# ---- writing ----------------------------------------------------------------------------------------------------------


@dataclass
class Draft:
    """A stage to be written.

    Attributes:
        name: the class within Spark ML, such as ``feature.PCAModel``.
        uid: its unique name.
        params: the params.
        extra: further entries of its metadata.
        folders: Parquet files by folder.
        children: inner stages by folder.
        spark_version: the version of Spark that its metadata names as its writer.
        plain: true for a class of the RDD-based API, whose metadata has no uid and params.
    """

    name: str
    uid: str
    params: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    folders: dict[str, bytes] = field(default_factory=dict)
    children: dict[str, Draft] = field(default_factory=dict)
    spark_version: str = "3.5.0"
    plain: bool = False

    def set(self, **params: Any) -> None:
        """Set params."""
        self.params.update((name, param_of(value)) for name, value in params.items())


@dataclass
class Writing:
    """A node that is being written as a stage.

    Attributes:
        node: the node.
        draft: the stage.
        columns: the columns that the nodes before it write.
        names: all columns of the whole model.
        before: further stages, to be put before this one.
    """

    node: Node
    draft: Draft
    columns: Columns
    names: frozenset[str] = frozenset()
    before: list[Draft] = field(default_factory=list)

    def require(self, condition: bool, reason: str) -> None:
        """Raise :class:`UnsupportedExportError` for this node unless a condition holds."""
        if not condition:
            raise UnsupportedExportError(f"node {self.node.name!r} ({self.node.op.op}): {reason}")

    def warn(self, difference: str) -> None:
        """Warn that Spark's results will differ from this node's."""
        warnings.warn(printable(f"node {self.node.name!r} ({self.node.op.op}): {difference}"), stacklevel=2)


# ---- fields -----------------------------------------------------------------------------------------------------------


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Param:
    """An attribute of the op that is a param of the stage.

    Attributes:
        attribute: its name in the op.
        param: its name in Spark.
        decode: converts Spark's value to the op's.
        least: the least value that Spark accepts.
    """

    attribute: str
    param: str
    decode: Callable[[Any], Any] = _same
    least: float | None = None

    def read(self, reading: Reading) -> Any:
        """The attribute."""
        reading.saved.require(reading.saved.params.get(self.param) is not None, f"its param {self.param!r} is missing")
        return self.decode(reading.saved.params[self.param])

    def write(self, writing: Writing, value: Any) -> None:
        """Set the param."""
        if self.least is not None:
            writing.require(
                value >= self.least, f"its {self.attribute} is {value}, and Spark takes {self.least:g} or more"
            )
        writing.draft.set(**{self.param: value})


@dataclass(frozen=True)
class OptionalParam:
    """An optional attribute, ``None`` if the param is not set."""

    attribute: str
    param: str
    decode: Callable[[Any], Any] = _same

    def read(self, reading: Reading) -> Any:
        """The attribute, or ``None``."""
        return self.decode(reading.saved.params[self.param]) if reading.saved.is_set(self.param) else None

    def write(self, writing: Writing, value: Any) -> None:
        """Set the param unless the attribute is ``None``."""
        if value is not None:
            writing.draft.set(**{self.param: value})


@dataclass(frozen=True)
class Extra:
    """An attribute that is an entry of the stage's metadata, beside the params."""

    attribute: str
    entry: str

    def read(self, reading: Reading) -> Any:
        """The attribute."""
        reading.saved.require(
            isinstance(reading.saved.metadata.get(self.entry), int), f"its metadata has no number {self.entry!r}"
        )
        return reading.saved.metadata[self.entry]

    def write(self, writing: Writing, value: Any) -> None:
        """Set the entry."""
        writing.draft.extra[self.entry] = value


@dataclass(frozen=True)
class Size:
    """An attribute that is the size of the vectors in the column that a param names; Spark does not save it."""

    attribute: str
    param: str

    def read(self, reading: Reading) -> Any:
        """The attribute."""
        return reading.size(reading.saved.columns(self.param)[0])

    def write(self, writing: Writing, value: Any) -> None:
        """Do nothing: Spark does not save the size."""


_REQUIRED = object()


@dataclass(frozen=True)
class Data:
    """An attribute that is a column of the stage's ``data``, which has one row.

    Attributes:
        attribute: its name in the op.
        column: its name in Spark.
        kind: the column's type.
        decode: converts Spark's value to the op's.
        encode: converts the op's value to Spark's.
        absent: the attribute of models of Spark 2, if Spark 2 does not save the column.
    """

    attribute: str
    column: str
    kind: Kind
    decode: Callable[[Any], Any] = _same
    encode: Callable[[Any], Any] = _same
    absent: Any = _REQUIRED


@dataclass(frozen=True)
class Constant:
    """A column of the stage's ``data`` that is not an attribute of the op.

    Attributes:
        column: its name in Spark.
        kind: its type.
        value: computes the value to write from the op.
    """

    column: str
    kind: Kind
    value: Callable[[Any], Any]


Field: TypeAlias = Param | OptionalParam | Extra | Size | Data | Constant


# ---- stages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unsupported:
    """A param that MLeap's op does not have.

    Attributes:
        param: the param.
        allowed: the values with which the op computes the same as the stage.
        reason: the end of the message for other values.
    """

    param: str
    allowed: tuple[Any, ...]
    reason: str


@dataclass(frozen=True)
class Stage:
    """A class of Spark ML and the op that computes the same.

    Where the fields are not enough, a subclass overrides :meth:`op_of` and :meth:`fill`, or :meth:`read` and :meth:`write`.

    Attributes:
        name: the class within Spark ML, such as ``feature.PCAModel``.
        op: the op.
        inputs: the param that names the column of each input port.
        outputs: the param that names the column of each output port; a port whose param is not set is not connected.
        fields: the attributes of the op.
        unsupported: params that the op does not have.
        keeps_size: true if the output vectors have the size of the input vectors.
        differs: the difference between the results of op and stage, if there is one; reading and writing warn of it.
    """

    name: str
    op: type[Op]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    fields: Sequence[Field] = ()
    unsupported: Sequence[Unsupported] = ()
    keeps_size: bool = False
    differs: str | None = None

    # ---- reading

    def check(self, reading: Reading) -> None:
        """Reject unsupported params, and warn of differing results."""
        for setting in self.unsupported:
            value = reading.saved.params.get(setting.param)
            if value is not None and value not in setting.allowed:
                reading.saved.reject(f"{setting.param} is {value!r}: {setting.reason}")
        if self.differs is not None:
            reading.saved.warn(self.differs)

    def reads(self, reading: Reading) -> dict[str, str]:
        """The column of each input port."""
        return {port: reading.saved.columns(param)[0] for port, param in self.inputs.items()}

    def writes(self, reading: Reading) -> dict[str, str]:
        """The column of each output port that is connected."""
        found = {port: reading.saved.column(param) for port, param in self.outputs.items()}
        return {port: column for port, column in found.items() if column is not None}

    def attributes(self, reading: Reading) -> dict[str, Any]:
        """The op's attributes, from the fields."""
        saved = reading.saved
        columns = [f for f in self.fields if isinstance(f, Data)]
        columns = [f for f in columns if f.absent is _REQUIRED or not saved.lacks(f.column)]
        row = saved.row({f.column: f.kind for f in columns}) if columns else {}
        given = {}
        for f in self.fields:
            if isinstance(f, Data):
                given[f.attribute] = f.decode(row[f.column]) if f.column in row else f.absent
            elif not isinstance(f, Constant):
                given[f.attribute] = f.read(reading)
        return given

    def op_of(self, reading: Reading) -> Op:
        """The op of a saved stage."""
        return self.op(**self.attributes(reading))

    def read(self, reading: Reading) -> None:
        """Add the nodes of a saved stage."""
        reading.add(reading.op(), self.reads(reading), self.writes(reading))

    def widths(self, reading: Reading) -> dict[str, int]:
        """The sizes of a saved stage's input vectors, by column, as far as they are known without the columns' types."""
        try:
            types = reading.op().inputs()
        except UnknownColumnError:
            return self._widths_by_result(reading)
        found = {}
        for port, column in self.reads(reading).items():
            data_type = types.get(port)
            if isinstance(data_type, TensorType) and data_type.size:
                found[column] = data_type.size
        return found

    def _widths_by_result(self, reading: Reading) -> dict[str, int]:
        if not self.keeps_size:
            return {}
        (read,), (written,) = self.reads(reading).values(), self.writes(reading).values()
        width = reading.columns.widths.get(written)
        return {} if width is None else {read: width}

    # ---- writing

    def write(self, writing: Writing) -> None:
        """Fill in the draft of a node's stage."""
        if self.differs is not None:
            writing.warn(self.differs)
        columns = writing.node.input_columns()
        writing.draft.set(**{param: columns[port] for port, param in self.inputs.items()})
        written = writing.node.output_columns()
        writing.draft.set(**{param: written.get(port, "") for port, param in self.outputs.items()})
        self.fill(writing, writing.node.op)

    def fill(self, writing: Writing, op: Any) -> None:
        """Write the op's attributes to the draft."""
        kinds: dict[str, Kind] = {}
        values: dict[str, list[Any]] = {}
        for f in self.fields:
            if isinstance(f, Data):
                kinds[f.column], values[f.column] = f.kind, [f.encode(getattr(op, f.attribute))]
            elif isinstance(f, Constant):
                kinds[f.column], values[f.column] = f.kind, [f.value(op)]
            else:
                f.write(writing, getattr(op, f.attribute))
        if kinds:
            writing.draft.folders["data"] = write_parquet(kinds, values)


@dataclass(frozen=True)
class Columnwise(Stage):
    """A stage on one or several columns, for an op on one column: each column becomes a node."""

    def pairs(self, reading: Reading) -> list[tuple[str, str]]:
        """Pairs of an input column and its output column."""
        (read,), (written,) = self.inputs.values(), self.outputs.values()
        inputs, outputs = reading.saved.columns(read), reading.saved.columns(written)
        reading.saved.require(
            len(inputs) == len(outputs), f"there are {len(inputs)} columns to read, and {len(outputs)} to write"
        )
        return list(zip(inputs, outputs, strict=True))

    def op_at(self, reading: Reading, position: int, column: str) -> Op:
        """The op for the column at ``position``."""
        return self.op(**self.attributes(reading))

    def read(self, reading: Reading) -> None:
        pairs = self.pairs(reading)
        for i, (source, target) in enumerate(pairs):
            op = self.op_at(reading, i, source)
            (port,), (result,) = op.inputs(), op.outputs()
            reading.add(op, {port: source}, {result: target}, f"_{i}" if len(pairs) > 1 else "")

    def widths(self, reading: Reading) -> dict[str, int]:
        return {}


def scalar_or_known(reading: Reading, name: str) -> Column:
    """The column ``name``, or a column of numbers if nothing is known about it."""
    return reading.columns.find(name) or Column(DOUBLE)


__all__ = [
    "Columnwise",
    "Constant",
    "Data",
    "Draft",
    "Extra",
    "Field",
    "OptionalParam",
    "Param",
    "Reading",
    "Unsupported",
    "Size",
    "Stage",
    "Writing",
    "scalar_or_known",
]
