"""Functions of the DataStream API, which predict record by record: ``MLeapMapFunction``, ``MLeapProcessFunction``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyflink.common import Row, TypeInformation, Types
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import KeyedProcessFunction, MapFunction, RuntimeContext

from leapstream.deprecation import moved_names
from leapstream.errors import PredictionError, SchemaError
from leapstream.flink.config import OnError
from leapstream.flink.records import record_of
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.type_information import result_type_information
from leapstream.model import Model, load

FAILED = OutputTag("leapstream-failed", Types.PICKLED_BYTE_ARRAY())
"""Side output of :class:`MLeapProcessFunction`: ``Row(record=…, error=…)`` for each record that the model refuses."""


class _Predictor:
    """What both functions share: the model, and how elements become records and predictions results."""

    def __init__(self, model: Model | str, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> None:
        self._source = model
        self._inputs = None if inputs is None else tuple(inputs)
        self._outputs = None if outputs is None else tuple(outputs)
        self._opened: tuple[Model, FunctionSignature] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def opened(self) -> tuple[Model, FunctionSignature]:
        if self._opened is None:
            model = self._source if isinstance(self._source, Model) else load(self._source)
            self._opened = model, FunctionSignature.of("predict", model, self._inputs, self._outputs)
        return self._opened

    def predict(self, element: Any) -> Any:
        model, signature = self.opened()
        names = signature.outputs.names
        found = model.predict_record(record_of(element, signature), outputs=names)
        if found is None:
            return None
        return found[names[0]] if len(names) == 1 else Row(**found)

    def produced_type(self) -> TypeInformation:
        _, signature = self.opened()
        return result_type_information(signature.outputs)


class MLeapMapFunction(MapFunction):  # type: ignore[misc]
    """Maps each element to the model's prediction; loads the model in ``open()``.

    Elements are named rows, dicts and named tuples, whose fields are taken by name; rows, tuples and lists by position in the
    order of ``inputs``; and scalars, where there is one input. Where the only input is a tensor, a tuple or list may be the
    tensor. The result is the output's value (a tensor as a list), a named ``Row`` of several outputs, or ``None`` where the
    model drops the record.

    Args:
        model: a model, or path or URI of its bundle; a URI is loaded on the worker.
        inputs: names of the positional fields; by default the model's inputs in order of first use.
        outputs: columns to give; by default the model's prediction.
        on_error: ``fail`` the job where the model refuses a record, or give ``null``.
    """

    def __init__(
        self,
        model: Model | str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        on_error: OnError = "fail",
    ) -> None:
        self._predictor = _Predictor(model, inputs, outputs)
        self._on_error = on_error

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be had, read or run.
        """
        self._predictor.opened()

    def map(self, value: Any) -> Any:
        """The prediction for one element.

        Raises:
            SchemaError: the element does not fit the model.
            PredictionError: the model refuses it, and ``on_error`` is ``fail``.
        """
        try:
            return self._predictor.predict(value)
        except PredictionError:
            if self._on_error == "fail":
                raise
            return None

    def get_produced_type(self) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.map``; loads the model."""
        return self._predictor.produced_type()


class MLeapProcessFunction(KeyedProcessFunction):  # type: ignore[misc]
    """Predicts for each element, on keyed streams and others; what fails goes to a side output, with its error.

    Args:
        model: a model, or path or URI of its bundle; a URI is loaded on the worker.
        inputs: as in :class:`MLeapMapFunction`.
        outputs: as in :class:`MLeapMapFunction`.
        failed: the side output of records that the model refuses, or that do not fit it: ``Row(record=…, error=…)``.
        with_element: give ``Row(element, prediction)`` instead of the prediction alone.
    """

    def __init__(
        self,
        model: Model | str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        *,
        failed: OutputTag = FAILED,
        with_element: bool = False,
    ) -> None:
        self._predictor = _Predictor(model, inputs, outputs)
        self._failed = failed
        self._with_element = with_element

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be had, read or run.
        """
        self._predictor.opened()

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """The prediction for one element, or its entry in the side output; nothing where the model drops it."""
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
            element_type: type of the elements, where ``with_element`` is set.
        """
        kind = self._predictor.produced_type()
        return Types.ROW([element_type, kind]) if self._with_element else kind


__getattr__ = moved_names(__name__, {"predict_stream": "leapstream.flink.streams"})
