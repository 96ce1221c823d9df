"""Models: load a bundle, look at it, predict with it, save it."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from leapstream.bundle.definition import BundleDef, Format
from leapstream.bundle.limits import Limits
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.types import DataType, ListType, Schema, TensorType
from leapstream.bundle.writer import write_bundle
from leapstream.deprecation import keyword_only
from leapstream.errors import (
    BundleError,
    MissingPackageError,
    OnError,
    PredictionError,
    SchemaError,
    UnsupportedModelError,
)
from leapstream.escaping import printable
from leapstream.executors.contract import PreparedPlan
from leapstream.executors.registry import executor
from leapstream.executors.rowwise import EXECUTOR as RECORDS
from leapstream.executors.rowwise.executor import RecordPlan, UnusualRecordError
from leapstream.frames.given import record_of
from leapstream.frames.protocols import FrameT
from leapstream.installation import lacks_for_batches
from leapstream.ops.diagram import html_diagram
from leapstream.ops.pipeline import (
    Node,
    Root,
    declared_inputs,
    fill_ports,
    lower,
    produced_columns,
    read_as_several_types,
    read_node,
    steps,
    write_node,
)
from leapstream.plan.graph import Plan
from leapstream.plan.planning import needed_inputs
from leapstream.plan.rewrites import optimize
from leapstream.plan.sizes import check_sizes
from leapstream.threads import number_of_threads

if TYPE_CHECKING:
    from leapstream.fetching.options import SourceOptions
    from leapstream.frames.contract import Table
    from leapstream.frames.running import RowResults

_log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")
_REMEMBERED = 256

Backend = str
"""The name of an executor: ``vectorized``, ``jvm`` or ``rowwise``."""

VERSION = "0.25.2"
"""The version of Bundle.ML that new bundles say they are written in."""


@dataclass(frozen=True)
class ModelSchema:
    """The columns of a model.

    Attributes:
        inputs: the columns to give, in the order of first use, with the types that values are cast to.
        outputs: the final outputs: columns that no node of the model reads.
        intermediate: the other columns that nodes add.
    """

    inputs: Schema
    outputs: Schema
    intermediate: Schema

    def __str__(self) -> str:
        return f"{self.inputs} -> {self.outputs}"


class Model:
    """A pipeline that predicts; made by :func:`load`. Immutable, safe to use from several threads, picklable.

    Attributes:
        definition: the bundle as read.
        root: the node, or pipeline of nodes.
        schema: the model's columns.
    """

    def __init__(self, definition: BundleDef) -> None:
        self.definition = definition
        self.root: Root = read_node(definition.root, f"bundle {definition.name!r}")
        self.schema = _schema_of(self.root)
        self._several_types = read_as_several_types(self.root)
        self._prepared: dict[object, PreparedPlan] = {}
        self._record_plans: dict[tuple[str, ...], RecordPlan | None] = {}
        self._alone: RecordPlan | None = None
        self._needed: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lock = threading.Lock()

    @classmethod
    @keyword_only("name", "format")
    def from_node(cls, root: Root, *, name: str | None = None, format: Format = "json") -> Model:
        """A model of a node or pipeline built in Python, with the ports connected that MLeap's runtime needs.

        Raises:
            BundleError: the ops cannot be written, or the names of nodes repeat.
        """
        definition = BundleDef(
            name=name or root.name,
            uid=str(uuid.uuid4()),
            version=VERSION,
            timestamp=datetime.now().isoformat(),
            format=format,
            root=write_node(fill_ports(root)),
        )
        return cls(definition)

    def __reduce__(self) -> tuple[Any, ...]:
        return Model, (self.definition,)

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.definition.name

    @property
    def nodes(self) -> list[Node]:
        """The nodes in the order in which they run."""
        return steps(self.root)

    def prediction_columns(self) -> tuple[str, ...]:
        """Columns that a function of this model returns by default: the last node's ``prediction``, else the final outputs."""
        prediction = self.nodes[-1].used_columns().get("prediction") if self.nodes else None
        return (prediction,) if prediction is not None else self.schema.outputs.names

    @property
    def mleap_gaps(self) -> tuple[str, ...]:
        """The nodes that a version of MLeap's own runtime cannot run, each with the reason; empty if all run from 0.20.0 on."""
        gaps = ((node, node.op.mleap_gap()) for node in self.nodes)
        return tuple(f"node {node.name!r} ({node.op.op}): {gap}" for node, gap in gaps if gap is not None)

    def needed_inputs(self, outputs: Sequence[str]) -> tuple[str, ...]:
        """The inputs that some outputs need, in their order.

        Raises:
            SchemaError: an output is not known.
        """
        names = tuple(outputs)
        found = self._needed.get(names)
        if found is None:
            with self._lock:
                found = _remembered(self._needed, names, lambda: needed_inputs(self.plan(outputs=names)))
        return found

    # ---- plans --------------------------------------------------------------------------------------------------------

    def plan(self, given: Schema | None = None, outputs: Sequence[str] | None = None) -> Plan:
        """The plan that computes some columns.

        Args:
            given: the columns handed in, with their types; by default the declared inputs.
            outputs: columns to compute; by default all that the nodes add.

        Raises:
            SchemaError: given columns are missing, of types that cannot be cast, or named like an output; an output is
                not known; or the vectors that the model declares do not fit into memory.
        """
        plan = optimize(lower(self.root, self.name, self.schema.inputs if given is None else given, outputs))
        check_sizes(plan)
        return plan

    def _prepare(self, backend: Backend, given: Schema, outputs: tuple[str, ...] | None) -> PreparedPlan:
        key = (backend, given, outputs)
        prepared = self._prepared.get(key)
        if prepared is None:
            with self._lock:
                prepared = _remembered(
                    self._prepared, key, lambda: executor(backend).prepare(self.plan(given, outputs))
                )
        return prepared

    def _record_plan(self, outputs: tuple[str, ...]) -> RecordPlan | None:
        """The plan as a function of single records; ``None`` where only arrays can compute it."""
        try:
            return self._record_plans[outputs]
        except KeyError:
            with self._lock:
                return _remembered(self._record_plans, outputs, lambda: self._made_record_plan(outputs))

    def _final_record_plan(self) -> RecordPlan | None:
        """The plan of the final outputs as a function of single records; ``None`` where only arrays can compute it."""
        self._alone = self._record_plan(self.schema.outputs.names)
        return self._alone

    def _made_record_plan(self, outputs: tuple[str, ...]) -> RecordPlan | None:
        try:
            return RECORDS.prepare(self.plan(self.schema.inputs, outputs))
        except UnsupportedModelError as error:
            _log.warning("model %r: single records take as long as batches: %s", printable(self.name), error)
            return None

    # ---- prediction ---------------------------------------------------------------------------------------------------

    @overload
    def transform(
        self,
        frame: FrameT,
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> FrameT: ...
    @overload
    def transform(
        self,
        frame: Mapping[str, Any],
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> dict[str, Any]: ...
    @overload
    def transform(
        self,
        frame: Sequence[Mapping[str, Any]],
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> list[dict[str, Any]]: ...
    @keyword_only("backend")
    def transform(
        self,
        frame: Any,
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> Any:
        """The frame with the columns that the model adds.

        Rows that the model drops (``handle_invalid`` = skip) are not in the result. The frame has to have the columns that the
        outputs need. A node that drops rows by a column that is not there, such as the indexer of a label, drops none.

        Args:
            frame: a ``LeapFrame``, pandas or polars ``DataFrame``, pyarrow ``Table`` or ``RecordBatch``, a list of dicts, or a
                dict of arrays. In a list of dicts, a key that some of the records lack is a missing value there; named tuples
                and dataclasses are taken as dicts. A polars ``LazyFrame`` is collected. An array or sparse matrix (rows, columns)
                has the model's inputs as columns, in their order (all, or those that the outputs need), or the vectors of the
                only input as rows.
            outputs: columns to add, and to compute; by default all that the nodes add.
            backend: ``vectorized`` (NumPy), or ``jvm`` (a Java class in Flink's JVM; needs the ``flink`` extra).
            on_error: ``raise`` at the first row that fails, or ``null``: give that row missing values.
            threads: number of threads for a large batch of the vectorized backend; by default ``LEAPSTREAM_THREADS``, or as many
                as there are processors. Results do not depend on it.

        Returns:
            a frame of the kind given; tensors are lists of their elements, or arrays (rows, …) in a dict of arrays. For an array
            the result is a dict of arrays, for a ``LazyFrame`` a ``DataFrame``.

        Raises:
            SchemaError: the frame does not fit the model.
            PredictionError: a row fails.
        """
        _check_on_error(on_error)
        wanted = None if outputs is None else _names_of(outputs)
        return self._run(frame, backend, wanted, on_error, keep_inputs=True, threads=threads)

    @overload
    def predict(
        self,
        data: FrameT,
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> FrameT: ...
    @overload
    def predict(
        self,
        data: Mapping[str, Any],
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> dict[str, Any] | None: ...
    @overload
    def predict(
        self,
        data: Sequence[Mapping[str, Any]],
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> list[dict[str, Any]]: ...
    def predict(
        self,
        data: Any,
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
        threads: int | None = None,
    ) -> Any:
        """The final outputs alone, for a batch or for a single record.

        A record gives what a list of it alone gives: it has to have the same columns, and each value means the same, whatever
        other rows hold.

        Args:
            data: a frame of a kind that :meth:`transform` takes, or one record: a dict of column to value, or a named tuple, an
                instance of a dataclass or a pandas ``Series``.
            outputs: columns to compute; by default the final outputs.
            backend: as in :meth:`transform`.
            on_error: as in :meth:`transform`.
            threads: as in :meth:`transform`.

        Returns:
            a frame of the kind given; for a record a dict, or ``None`` when the model drops it.

        Raises:
            SchemaError: the data does not fit the model.
            PredictionError: a row fails.
        """
        if on_error != "raise":
            _check_on_error(on_error)
        if type(data) is dict and backend == "vectorized":
            # Each call, and each property, on the way would take as long as a small model does.
            if outputs is None:
                alone = self._alone or self._final_record_plan()
            else:
                alone = self._record_plan(_names_of(outputs))
            if alone is not None:
                try:
                    return alone.function(data)
                except Exception:  # the batch below has the reason
                    pass
        wanted = self.schema.outputs.names if outputs is None else _names_of(outputs)
        record = record_of(data)
        if record is not None and (record is not data or _is_record(record, self.schema.inputs)):
            return self._predict_in_batch(record, wanted, backend, on_error)
        return self._run(data, backend, wanted, on_error, keep_inputs=False, threads=threads)

    def predict_record(
        self,
        record: Mapping[str, Any],
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
    ) -> dict[str, Any] | None:
        """The final outputs for one record, where a dict of lists might be a batch to :meth:`predict`.

        Args:
            record: column to value; a tensor as a list or array.
            outputs: as in :meth:`predict`.
            backend: as in :meth:`predict`.
            on_error: as in :meth:`predict`.

        Returns:
            column to value, or ``None`` when the model drops the record.

        Raises:
            SchemaError: the record does not fit the model.
            PredictionError: it fails.
        """
        wanted = self.schema.outputs.names if outputs is None else _names_of(outputs)
        if on_error != "raise":
            _check_on_error(on_error)
        if backend == "vectorized":
            try:
                return self._predict_alone(record, wanted)
            except UnusualRecordError:
                pass
        given = record_of(record)
        if given is None:
            raise SchemaError(f"a record of type {type(record).__name__} is not supported: give a dict")
        return self._predict_in_batch(given, wanted, backend, on_error)

    def predict_rows(
        self,
        frame: Any,
        *,
        outputs: Sequence[str] | None = None,
        backend: Backend = "vectorized",
        keep_inputs: bool = False,
        threads: int | None = None,
    ) -> RowResults:
        """The final outputs for a batch in which rows may fail: a result for each good row, an error for each other.

        Args:
            frame, backend, threads: as in :meth:`transform`.
            outputs: columns to compute; by default the final outputs.
            keep_inputs: whether the result has the given columns, too.

        Returns:
            the columns, the positions of the rows that were not dropped, and the errors of those that fail.

        Raises:
            SchemaError: the frame does not fit the model.
        """
        wanted = self.schema.outputs.names if outputs is None else _names_of(outputs)
        with self._batch():
            from leapstream.frames.running import run_rows

            table = self._table(frame, wanted, keep_inputs=keep_inputs)
            prepared = self._prepare(backend, table.schema, wanted)
            return run_rows(prepared, table, keep_inputs=keep_inputs, threads=number_of_threads(threads))

    def _predict_alone(self, record: Mapping[str, Any], outputs: tuple[str, ...]) -> dict[str, Any] | None:
        alone = self._record_plan(outputs)
        if alone is None:
            raise UnusualRecordError
        return alone.run_record(record)

    def _predict_in_batch(
        self, record: Mapping[str, Any], outputs: tuple[str, ...], backend: Backend, on_error: OnError
    ) -> dict[str, Any] | None:
        try:
            rows: list[dict[str, Any]] = self._run([record], backend, outputs, on_error, keep_inputs=False, threads=1)
        except PredictionError as error:
            raise error.at_row(None) from error
        return rows[0] if rows else None

    def _run(
        self,
        frame: Any,
        backend: Backend,
        outputs: tuple[str, ...] | None,
        on_error: OnError,
        *,
        keep_inputs: bool,
        threads: int | None,
    ) -> Any:
        with self._batch():
            # What batches need takes a while to import.
            from leapstream.frames.running import run

            table = self._table(frame, outputs, keep_inputs=keep_inputs)
            prepared = self._prepare(backend, table.schema, outputs)
            count = number_of_threads(threads)
            return run(prepared, table, on_error, keep_inputs=keep_inputs, threads=count)

    def _table(self, frame: Any, outputs: tuple[str, ...] | None, *, keep_inputs: bool) -> Table:
        """The columns of a frame that the outputs need."""
        from leapstream.frames.contract import Wanted
        from leapstream.frames.registry import table_of

        added = (*self.schema.intermediate.names, *self.schema.outputs.names) if outputs is None else outputs
        table = table_of(frame, Wanted(self.schema.inputs, self._several_types, lambda: self.needed_inputs(added)))
        clash = [name for name in added if keep_inputs and name in table.names]
        if clash:
            raise SchemaError(f"model {self.name!r}: the frame has a column {clash[0]!r} already")
        return table

    @contextmanager
    def _batch(self) -> Iterator[None]:
        if lacks := lacks_for_batches():
            raise MissingPackageError(
                f"model {self.name!r}: a frame, and a record that fails or has unusual values, need {lacks}"
            )
        try:
            yield
        except MemoryError as error:
            reason = f"the rows take more memory than there is{f': {error}' if str(error) else ''}"
            raise PredictionError(reason, model=self.name) from None

    # ---- how it looks -------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        lines = [f"Model {self.name!r} ({self.definition.format})", f"  inputs:  {self.schema.inputs}"]
        lines.append(f"  outputs: {self.schema.outputs}")
        for node in self.nodes:
            reads = ", ".join(node.input_columns().values())
            writes = ", ".join(node.used_columns().values())
            lines.append(f"  {node.op.op}: {reads} -> {writes}")
        return "\n".join(map(printable, lines))

    def _repr_html_(self) -> str:
        """The pipeline as a diagram for notebooks: inputs, steps with the nodes in them, outputs."""
        return html_diagram(self.name, self.root, self.schema.inputs, self.schema.outputs)


def _schema_of(root: Root) -> ModelSchema:
    produced = produced_columns(root)
    read = {column for node in steps(root) for column in node.input_columns().values()}
    return ModelSchema(
        inputs=declared_inputs(root),
        outputs=Schema(tuple(f for f in produced if f.name not in read)),
        intermediate=Schema(tuple(f for f in produced if f.name in read)),
    )


def _check_on_error(on_error: OnError) -> None:
    if on_error not in ("raise", "null"):
        raise SchemaError(f"on_error is {on_error!r}, and has to be 'raise' or 'null'")


def _remembered(made: dict[K, V], key: K, make: Callable[[], V]) -> V:
    """The value of a key, made if it is not there. A model that is served gets types and outputs that clients make up."""
    if key not in made:
        value = make()
        if len(made) >= _REMEMBERED:
            made.clear()
        made[key] = value
    return made[key]


def _names_of(outputs: Sequence[str]) -> tuple[str, ...]:
    """The outputs that are asked for."""
    if type(outputs) is tuple:
        try:
            return _checked_names(outputs)
        except TypeError:  # one of them has no hash, and is no name
            pass
    if isinstance(outputs, str) or not all(isinstance(name, str) for name in outputs):
        raise SchemaError(f"outputs is {outputs!r}, and has to be a list of names of columns")
    return tuple(outputs)


@lru_cache
def _checked_names(outputs: tuple[Any, ...]) -> tuple[str, ...]:
    """Like :func:`_names_of`, for a tuple that may come again with each record."""
    return _names_of(list(outputs))


def _is_record(data: Mapping[str, Any], inputs: Schema) -> bool:
    """True if a mapping is one record: some values are numbers, strings, or elements of one vector or list, not columns."""
    return any(
        not _is_column(value) or (name in inputs and _is_one_value(value, inputs[name].type))
        for name, value in data.items()
    )


def _is_column(value: Any) -> bool:
    """True if a value may hold a value per row."""
    if isinstance(value, (str, bytes, Mapping)) or getattr(value, "ndim", 1) == 0:
        return False
    # Arrays of Arrow have no shape, and are no collections.
    return isinstance(value, Collection) or hasattr(value, "shape") or hasattr(value, "to_pylist")


def _is_one_value(value: Any, data_type: DataType) -> bool:
    """True for one tensor of numbers, or one list, of a type."""
    if not isinstance(data_type, ListType):
        return _is_tensor(value, data_type)
    first = value[0] if isinstance(value, (list, tuple)) and value else None
    return isinstance(first, (str, bytes, bool, int, float, np.generic))


def _is_tensor(value: Any, data_type: DataType) -> bool:
    """True for one tensor of numbers of a type: nested lists, or an array, of as many levels as the tensor has dimensions."""
    if not isinstance(data_type, TensorType) or data_type.dimensions == ():
        return False
    for _ in data_type.dimensions or (None,):
        if isinstance(value, np.ndarray):
            return value.ndim == len(data_type.dimensions or (None,)) and value.dtype.kind in "fiub"
        if not isinstance(value, (list, tuple)) or not value:
            return False
        value = value[0]
    return isinstance(value, (bool, int, float, np.generic))


def load(
    uri: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    options: SourceOptions | None = None,
    limits: Limits | None = None,
) -> Model:
    """Load a model from a bundle.

    Args:
        uri: a directory or zip, a ``file:`` or ``jar:file:`` URI, or the URI of a remote store
            (:data:`leapstream.fetching.schemes.STORES`).
        sha256: the archive's checksum, verified when given.
        options: :class:`leapstream.sources.SourceOptions` (cache, time-out, retries, credentials, limits).
        limits: limits on the bundle's size; those of ``options`` when not given, else the defaults of
            :class:`leapstream.bundle.limits.Limits`.

    Raises:
        SourceError: the bundle cannot be fetched.
        BundleError: it is corrupt or unsafe.
        UnsupportedOpError: it has an op that leapstream does not know.
    """
    from leapstream.fetching.resolver import resolve

    if limits is None and options is not None:
        limits = options.limits
    return Model(read_bundle(resolve(uri, sha256=sha256, options=options), limits=limits))


@keyword_only("format")
def save(
    model: Model | Root,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,
    options: SourceOptions | None = None,
) -> None:
    """Write a model as a bundle: a zip when ``path`` ends so, else a directory. A loaded bundle is written as it was read.

    A zip in an object store takes the place of an older one in one step. Readers of a directory there may see files of both for a
    moment.

    Args:
        model: a model, or a node or pipeline built in Python.
        path: where to: a path, or the URI of a remote store; what is there is replaced.
        format: ``json`` or ``protobuf``; by default what the model was read from.
        options: settings for remote stores.

    Raises:
        BundleError: it cannot be written (an infinity in JSON, no permission, …).
        SourceError: a remote store rejects it, or there is no driver for its scheme.
    """
    from leapstream.fetching.saving import local_copy

    whole = model if isinstance(model, Model) else Model.from_node(model)
    with local_copy(path, options) as local:
        try:
            write_bundle(whole.definition, local, format=format)
        except BundleError:
            # The definition is kept as it was read where the format can hold it. An op may know another way to say the same,
            # as the bucketizer does for its infinite splits.
            write_bundle(replace(whole.definition, root=write_node(whole.root)), local, format=format)


__all__ = ["Model", "ModelSchema", "load", "save"]
