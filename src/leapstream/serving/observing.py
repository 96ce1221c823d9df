"""Models whose records and answers are looked at: by shadows, and by counters of drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from leapstream.bundle.frame import LeapFrame
from leapstream.errors import OnError, PredictionError
from leapstream.frames.running import RowResults
from leapstream.model import Backend, Model
from leapstream.serving.logs import LOG

Outputs = Sequence[str] | None


class Observer(Protocol):
    """Looks at what a model is given and what it answers. It returns at once, and may not change anything."""

    def record(self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None) -> None:
        """Look at a record; its answer is ``None`` if it fails or the model drops it."""

    def rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        """Look at a batch; it has no results if it fails as a whole."""


class ObservedModel(Model):
    """A model that shows everything to observers. A model without any is not of this class, and pays nothing.

    Args:
        model: the model; what it has made of itself is shared.
        observers: those that look on.
    """

    def __init__(self, model: Model, observers: Sequence[Observer]) -> None:
        self.__dict__.update(model.__dict__)
        self._observers = tuple(observers)

    def predict_record(
        self,
        record: Mapping[str, Any],
        *,
        outputs: Outputs = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
    ) -> dict[str, Any] | None:
        """As :meth:`leapstream.Model.predict_record`."""
        answer = None
        try:
            answer = super().predict_record(record, outputs=outputs, backend=backend, on_error=on_error)
        except PredictionError:
            self._show_record(record, outputs, None)
            raise
        self._show_record(record, outputs, answer)
        return answer

    def predict_rows(
        self, frame: Any, *, outputs: Outputs = None, backend: Backend = "vectorized", keep_inputs: bool = False
    ) -> RowResults:
        """As :meth:`leapstream.Model.predict_rows`."""
        results = super().predict_rows(frame, outputs=outputs, backend=backend, keep_inputs=keep_inputs)
        self._show_rows(frame, outputs, results)
        return results

    def transform(self, frame: Any, **options: Any) -> Any:
        """As :meth:`leapstream.Model.transform`."""
        answer = super().transform(frame, **options)
        self._show_rows(frame, options.get("outputs"), None)
        return answer

    def _show_record(self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None) -> None:
        for observer in self._observers:
            try:
                observer.record(record, outputs, answer)
            except Exception as error:
                _say(self.name, error)

    def _show_rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        for observer in self._observers:
            try:
                observer.rows(frame, outputs, results)
            except Exception as error:
                _say(self.name, error)


def _say(name: str, error: Exception) -> None:
    # The answer is right, whatever an observer makes of it.
    LOG.error("a request was not observed", extra={"fields": {"bundle": name, "error": repr(error)}})


def column_values(frame: Any, name: str) -> Sequence[Any]:
    """The values of a column of a frame of any kind.

    Raises:
        KeyError: the frame has no such column.
    """
    if isinstance(frame, list):
        return [row[name] for row in frame]
    if isinstance(frame, LeapFrame):
        place = frame.schema.names.index(name)
        return [row[place] for row in frame.rows]
    column = frame[name]
    listed: Sequence[Any] = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return listed
