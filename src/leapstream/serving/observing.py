"""Models whose records and answers are looked at: by shadows, and by counters of drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from leapstream.bundle.frame import LeapFrame
from leapstream.errors import OnError, PredictionError
from leapstream.model import Backend, Model
from leapstream.serving.logs import LOG

if TYPE_CHECKING:
    from leapstream.frames.running import RowResults

Outputs = Sequence[str] | None

_METHODS = ("predict_record", "predict_rows", "transform")


class Observer(Protocol):
    """Looks at what a model is given and what it answers. It returns at once, and may not change anything."""

    def record(self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None, failed: bool) -> None:
        """Look at a record; it has no answer if it fails, or the model drops it."""

    def rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        """Look at a batch; ``results`` is ``None`` if nobody asked for the error of each row."""


class ObservedModel(Model):
    """A model that shows everything to observers. While none of them looks, it costs what the model costs.

    Args:
        model: the model; what it has made of itself is shared.
    """

    def __init__(self, model: Model) -> None:
        for name, value in vars(model).items():
            # An access to __dict__ would make every later access to an attribute slower.
            setattr(self, name, value)
        self._observers: tuple[Observer, ...] = ()
        self._arrange()

    def resume(self, observer: Observer) -> None:
        """Show to an observer from now on."""
        if observer not in self._observers:
            self._observers = (*self._observers, observer)
            self._arrange()

    def pause(self, observer: Observer) -> None:
        """Show to an observer no longer."""
        if observer in self._observers:
            self._observers = tuple(other for other in self._observers if other is not observer)
            self._arrange()

    def _arrange(self) -> None:
        for name in _METHODS:
            if not self._observers:
                setattr(self, name, getattr(super(), name))
            elif name in vars(self):
                delattr(self, name)

    def predict_record(
        self,
        record: Mapping[str, Any],
        *,
        outputs: Outputs = None,
        backend: Backend = "vectorized",
        on_error: OnError = "raise",
    ) -> dict[str, Any] | None:
        """As :meth:`leapstream.Model.predict_record`."""
        try:
            answer = super().predict_record(record, outputs=outputs, backend=backend, on_error=on_error)
        except PredictionError:
            self._show_record(record, outputs, None, True)
            raise
        self._show_record(record, outputs, answer, False)
        return answer

    def predict_rows(self, frame: Any, *, outputs: Outputs = None, **options: Any) -> RowResults:
        """As :meth:`leapstream.Model.predict_rows`."""
        results = super().predict_rows(frame, outputs=outputs, **options)
        self._show_rows(frame, outputs, results)
        return results

    def transform(self, frame: Any, **options: Any) -> Any:
        """As :meth:`leapstream.Model.transform`."""
        answer = super().transform(frame, **options)
        self._show_rows(frame, options.get("outputs"), None)
        return answer

    def _show_record(
        self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None, failed: bool
    ) -> None:
        for observer in self._observers:
            try:
                observer.record(record, outputs, answer, failed)
            except Exception as error:
                self._say(error)

    def _show_rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        for observer in self._observers:
            try:
                observer.rows(frame, outputs, results)
            except Exception as error:
                self._say(error)

    def _say(self, error: Exception) -> None:
        # The answer is right, whatever an observer makes of it.
        LOG.error("rows not observed", extra={"fields": {"bundle": self.name, "error": repr(error)}})


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


def rows_of(frame: Any) -> int:
    """The number of rows of a frame of any kind."""
    if isinstance(frame, Mapping):
        return len(next(iter(frame.values())))
    return len(frame)


def every(frame: Any, step: int) -> Any:
    """Every so many rows of a frame of any kind."""
    if step == 1:
        return frame
    if isinstance(frame, list):
        return frame[::step]
    if isinstance(frame, LeapFrame):
        return LeapFrame(frame.schema, frame.rows[::step])
    if isinstance(frame, Mapping):
        return {name: values[::step] for name, values in frame.items()}
    return frame.take(list(range(0, len(frame), step)))


@dataclass
class ShadowCounts:
    """The counts of a shadow, as far as this process has computed it.

    Attributes:
        rows: the rows that were computed.
        failures: the rows that fail.
        left_out: the rows that were left out, since too many waited already.
        seconds: the time that it took.
        differing: by output, the rows whose value is not that of the answer.
        difference: by output of numbers, the sum of the distances from the answers.
    """

    rows: int = 0
    failures: int = 0
    left_out: int = 0
    seconds: float = 0.0
    differing: dict[str, int] | None = None
    difference: dict[str, float] | None = None
