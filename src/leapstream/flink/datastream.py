"""Functions of the DataStream API, which predict record by record: ``MLeapMapFunction``, ``MLeapProcessFunction``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyflink.common import Row, TypeInformation, Types
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import KeyedProcessFunction, MapFunction, RuntimeContext

from leapstream.deprecation import keyword_only, moved_names
from leapstream.errors import PredictionError, SchemaError
from leapstream.flink.failurelog import FailureLog
from leapstream.flink.loading import ModelSource, load_model
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.flink.records import record_of
from leapstream.flink.rowtext import element_text
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.type_information import result_type_information
from leapstream.model import Model
from leapstream.sources import SourceOptions

FAILED = OutputTag("leapstream-failed", Types.PICKLED_BYTE_ARRAY())
"""Side output of :class:`MLeapProcessFunction`: ``Row(record=…, error=…)`` for each record that fails."""


class _Predictor:
    """Predicts for elements of a stream, with a model that is loaded at its first use."""

    def __init__(
        self,
        model: ModelSource,
        inputs: Sequence[str] | None,
        outputs: Sequence[str] | None,
        sha256: str | None,
        options: SourceOptions | None,
        error: str | None = None,
    ) -> None:
        self._source = model
        self._inputs = None if inputs is None else tuple(inputs)
        self._outputs = None if outputs is None else tuple(outputs)
        self._sha256 = sha256
        self._options = options
        self._error = error
        self._opened: tuple[Model, FunctionSignature] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def opened(self) -> tuple[Model, FunctionSignature]:
        if self._opened is None:
            model = load_model(self._source, sha256=self._sha256, options=self._options)
            signature = FunctionSignature.of(
                "predict", model, inputs=self._inputs, outputs=self._outputs, error=self._error
            )
            self._opened = model, signature
        return self._opened

    def predict(self, element: Any) -> Any:
        model, signature = self.opened()
        names = signature.model_outputs.names
        found = model.predict_record(record_of(element, signature), outputs=names)
        if found is None:
            return None
        if signature.error is not None:
            found = {**found, signature.error: None}
        return found[names[0]] if len(found) == 1 else Row(**found)

    def failed(self, error: Exception) -> Any:
        """The row of an element that fails: its outputs are missing, and the error is their text."""
        _, signature = self.opened()
        return Row(**{name: str(error) if name == signature.error else None for name in signature.outputs.names})

    def produced_type(self) -> TypeInformation:
        _, signature = self.opened()
        return result_type_information(signature.outputs)


class MLeapMapFunction(MapFunction):  # type: ignore[misc]
    """Maps each element to the model's prediction; loads the model in ``open()``.

    Elements are named rows, dicts and named tuples, whose fields are found by name; rows, tuples and lists, whose fields are in
    the order of ``inputs``; and scalars, for a single input. A tuple or list may stand for the only input, a tensor.
    The result is the output's value (a tensor as a list), a named ``Row`` of several outputs, or ``None`` for a record that the
    model drops.

    Args:
        model: a model, or the path or URI of its bundle, which the worker loads.
        inputs: names of the positional fields; by default the model's inputs in order of first use.
        outputs: columns to give; by default the model's prediction.
        on_error: ``raise`` for a record that fails, which fails the job; give ``null``; or give a ``row``: all results are then
            named rows with the error as text in a further field, for records that do not fit the model, too.
        error_column: the name of that field, which no output may have.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.

    Raises:
        ConfigError: ``on_error`` is not one of these words.
    """

    @keyword_only("inputs", "outputs", "on_error")
    def __init__(
        self,
        model: ModelSource,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        on_error: OnFailure = "raise",
        error_column: str = "error",
        sha256: str | None = None,
        options: SourceOptions | None = None,
    ) -> None:
        self._on_error = ON_ERROR.check(on_error, "MLeapMapFunction")
        error = error_column if self._on_error == "row" else None
        self._predictor = _Predictor(model, inputs, outputs, sha256, options, error)
        self._failures: FailureLog | None = None

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be fetched, read or run.
            ConfigError: an output has the name of the field for errors.
        """
        self._predictor.opened()

    def close(self) -> None:
        """Warn of the failures that no warning has counted."""
        if self._failures is not None:
            self._failures.close()

    def map(self, value: Any) -> Any:
        """The prediction for one element.

        Raises:
            SchemaError: the element does not fit the model, and ``on_error`` is not ``row``.
            PredictionError: it fails, and ``on_error`` is ``raise``; the message has the element's values.
        """
        try:
            return self._predictor.predict(value)
        except PredictionError as error:
            if self._on_error == "raise":
                raise error.with_values(element_text(value)) from error
            return self._failed(error)
        except SchemaError as error:
            if self._on_error != "row":
                raise
            return self._failed(error)

    def _failed(self, error: Exception) -> Any:
        if self._failures is None:
            model, _ = self._predictor.opened()
            self._failures = FailureLog(model)
        self._failures.failed(1, str(error))
        return self._predictor.failed(error) if self._on_error == "row" else None

    def get_produced_type(self) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.map``; loads the model."""
        return self._predictor.produced_type()


class MLeapProcessFunction(KeyedProcessFunction):  # type: ignore[misc]
    """Predicts for each element of a stream, keyed or not; records that fail go to a side output, with their errors.

    Args:
        model: as in :class:`MLeapMapFunction`.
        inputs: as in :class:`MLeapMapFunction`.
        outputs: as in :class:`MLeapMapFunction`.
        failed: the side output of records that fail or do not fit the model: ``Row(record=…, error=…)``.
        with_element: give ``Row(element, prediction)`` instead of the prediction alone.
        sha256: as in :class:`MLeapMapFunction`.
        options: as in :class:`MLeapMapFunction`.
    """

    @keyword_only("inputs", "outputs")
    def __init__(
        self,
        model: ModelSource,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        failed: OutputTag = FAILED,
        with_element: bool = False,
        sha256: str | None = None,
        options: SourceOptions | None = None,
    ) -> None:
        self._predictor = _Predictor(model, inputs, outputs, sha256, options)
        self._failed = failed
        self._with_element = with_element

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be fetched, read or run.
        """
        self._predictor.opened()

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """The prediction for one element, or its entry in the side output; nothing for a record that the model drops."""
        try:
            result = self._predictor.predict(value)
        except (PredictionError, SchemaError) as error:
            yield self._failed, Row(record=value, error=str(error))
            return
        if result is not None:
            yield Row(value, result) if self._with_element else result

    def get_produced_type(self, element_type: TypeInformation | None = None) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.process``; loads the model.

        Args:
            element_type: type of the elements; needed with ``with_element``.
        """
        kind = self._predictor.produced_type()
        return Types.ROW([element_type, kind]) if self._with_element else kind


__getattr__ = moved_names(__name__, {"predict_stream": "leapstream.flink.streams"})
