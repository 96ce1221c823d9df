"""The work of an executor: a model over the record batches of a partition."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leapstream.bundle.types import Schema
from leapstream.errors import PredictionError
from leapstream.frames.running import RowResults
from leapstream.model import Model, load
from leapstream.sources import SourceOptions
from leapstream.spark.batches import vectors_read, written

OnErrorInSpark: TypeAlias = Literal["raise", "null", "row"]
"""The ways to treat a row that fails: fail the job, give it missing values, or those and the reason in the column ``error``."""


@dataclass(frozen=True)
class Source:
    """The origin of the model for an executor of Spark.

    Attributes:
        key: tells models apart in a process.
        pickled: the model; ``None`` to load it from ``uri``.
        uri, sha256, options: as in :func:`leapstream.load`.
    """

    key: str
    pickled: bytes | None = None
    uri: str = field(default="", repr=False)  # a URI may hold secrets
    sha256: str | None = None
    options: SourceOptions | None = None

    def model(self) -> Model:
        """The model, which the process keeps for the tasks that come after."""
        with _lock:
            model = _models.get(self.key)
            if model is None:
                model = self._made()
                while len(_models) >= _MOST_MODELS:
                    _models.popitem(last=False)
                _models[self.key] = model
            _models.move_to_end(self.key)
            return model

    def _made(self) -> Model:
        if self.pickled is None:
            return load(self.uri, sha256=self.sha256, options=self.options)
        made: Model = pickle.loads(self.pickled)
        return made


_MOST_MODELS = 8
_models: OrderedDict[str, Model] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True)
class Task:
    """A function for ``mapInArrow``.

    Attributes:
        source: of the model.
        given: number of the columns that pass through; the others are inputs alone.
        inputs: position of the column that each input is read from.
        outputs: columns to add.
        vectors: those of the outputs that are vectors of Spark ML.
        on_error: as in :func:`leapstream.spark.predict`.
    """

    source: Source
    given: int
    inputs: dict[str, int]
    outputs: Schema
    vectors: frozenset[str]
    on_error: OnErrorInSpark

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches with the outputs, without the rows that the model drops."""
        model = self.source.model()
        for batch in batches:
            if batch.num_rows:
                yield self._added(model, batch)

    def _added(self, model: Model, batch: pa.RecordBatch) -> pa.RecordBatch:
        frame = {name: _read(batch.column(place)) for name, place in self.inputs.items()}
        # A model may read no columns at all.
        frame[_ROW] = np.arange(batch.num_rows)
        # Spark has a task for each of its cores.
        found = model.predict_rows(frame, outputs=self.outputs.names, threads=1)
        if found.errors and self.on_error == "raise":
            # The position in a batch says nothing about the table.
            raise found.errors[min(found.errors)].at_row(None)
        columns = batch.columns[: self.given]
        if len(found.rows) < batch.num_rows:
            kept = pa.array(found.rows)
            columns = [column.take(kept) for column in columns]
        names = [*batch.schema.names[: self.given], *self.outputs.names]
        columns += [written(found.frame[f.name], f.type, as_vector=f.name in self.vectors) for f in self.outputs]
        if self.on_error == "row":
            names.append(ERROR)
            columns.append(_reasons(found))
        return pa.RecordBatch.from_arrays(columns, names)


_ROW = "\0row"
ERROR = "error"
"""The column of the reasons why rows fail."""


def _read(array: pa.Array) -> Any:
    return vectors_read(array) if pa.types.is_struct(array.type) else array


def _reasons(found: RowResults) -> pa.Array:
    def reason(error: PredictionError | None) -> str | None:
        return None if error is None else str(error.at_row(None))

    return pa.array([reason(found.errors.get(row)) for row in found.rows.tolist()], pa.string())
