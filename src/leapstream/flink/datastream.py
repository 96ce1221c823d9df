"""Functions of the DataStream API, which predict record by record: ``MLeapMapFunction``, ``MLeapProcessFunction``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from pyflink.common import Row, TypeInformation, Types
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import KeyedProcessFunction, MapFunction, RuntimeContext

from leapstream.deprecation import keyword_only, moved_names
from leapstream.errors import ConfigError, PredictionError, SchemaError
from leapstream.flink.failurelog import FailureLog
from leapstream.flink.following import FollowedModel, FollowedSignature, Follower, LiveVersion
from leapstream.flink.loading import ModelSource, load_model
from leapstream.flink.operatornames import operator_name
from leapstream.flink.options import ON_ERROR, OnFailure
from leapstream.flink.records import record_of
from leapstream.flink.rowtext import element_text
from leapstream.flink.signature import FunctionSignature
from leapstream.flink.stored import MODEL_VERSION, SHADOW, SHADOW_ERROR, SHADOW_VERSION, StoredModel, live_signature
from leapstream.flink.type_information import result_type_information
from leapstream.model import Model
from leapstream.sources import SourceOptions

FAILED = OutputTag("leapstream-failed", Types.PICKLED_BYTE_ARRAY())
"""Side output of :class:`MLeapProcessFunction`: ``Row(record=…, error=…)`` for each record that fails."""


class _Predictor(ABC):
    """Predicts for elements of a stream, with a model that is loaded at its first use."""

    def __init__(
        self,
        inputs: Sequence[str] | None,
        outputs: Sequence[str] | None,
        options: SourceOptions | None,
        error: str | None,
    ) -> None:
        self._inputs = None if inputs is None else tuple(inputs)
        self._outputs = None if outputs is None else tuple(outputs)
        self._options = options
        self._error = error
        self._failures: dict[str | None, FailureLog] = {}
        # What the last record has besides the outputs of its model, even if it fails.
        self._beside: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_failures": {}, "_beside": {}}

    @abstractmethod
    def signature(self) -> FunctionSignature:
        """The fields of the elements and of the results."""

    @abstractmethod
    def open(self) -> None:
        """Load the model."""

    @abstractmethod
    def outputs(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The outputs of the model for a record; ``None`` if it drops the record."""

    @abstractmethod
    def current(self) -> tuple[Model, str | None]:
        """The model of the last record, and its version in a store."""

    @abstractmethod
    def operator_name(self) -> str:
        """A name for the operator that predicts."""

    def predict(self, element: Any) -> Any:
        self.open()
        signature = self.signature()
        self._beside = {}
        found = self.outputs(record_of(element, signature))
        if found is None:
            return None
        names = signature.outputs.names
        values = dict.fromkeys(names) | self._beside | found
        return values[names[0]] if len(names) == 1 else Row(**{name: values[name] for name in names})

    def failed(self, error: Exception) -> Any:
        """The row of an element that fails: its outputs are missing, and the error is their text."""
        signature = self.signature()
        values: dict[str | None, Any] = {signature.error: str(error)}
        values.update(self._beside)
        return Row(**{name: values.get(name) for name in signature.outputs.names})

    def log(self, error: Exception) -> None:
        """Warn of a record that fails and does not stop the job."""
        model, version = self.current()
        if version not in self._failures:
            self._failures[version] = FailureLog(model, version)
        self._failures[version].failed(1, str(error))

    def close(self) -> None:
        """Warn of the failures that no warning has counted."""
        for failures in self._failures.values():
            failures.close()

    def produced_type(self) -> TypeInformation:
        return result_type_information(self.signature().outputs)


class _BundlePredictor(_Predictor):
    """Predicts with a model, or with the bundle of a path or URI."""

    def __init__(self, model: ModelSource, sha256: str | None, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._source = model
        self._sha256 = sha256
        self._opened: tuple[Model, FunctionSignature] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_opened": None}

    def _loaded(self) -> tuple[Model, FunctionSignature]:
        if self._opened is None:
            model = load_model(self._source, sha256=self._sha256, options=self._options)
            signature = FunctionSignature.of(
                "predict", model, inputs=self._inputs, outputs=self._outputs, error=self._error
            )
            self._opened = model, signature
        return self._opened

    def signature(self) -> FunctionSignature:
        return self._loaded()[1]

    def open(self) -> None:
        self._loaded()

    def outputs(self, record: dict[str, Any]) -> dict[str, Any] | None:
        model, signature = self._loaded()
        return model.predict_record(record, outputs=signature.model_outputs.names)

    def current(self) -> tuple[Model, str | None]:
        return self._loaded()[0], None

    def operator_name(self) -> str:
        return operator_name(self._loaded()[0])


class _FollowingPredictor(_Predictor):
    """Predicts with the live versions of a model in a store."""

    def __init__(self, stored: StoredModel, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._stored = stored
        # A job's workers have the columns of the version that its type was made of.
        self._known: tuple[FollowedModel, FunctionSignature, FollowedSignature] | None = None
        self._follower: Follower | None = None
        self._version: LiveVersion | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_follower": None, "_version": None}

    def _signatures(self) -> tuple[FollowedModel, FunctionSignature, FollowedSignature]:
        if self._known is None:
            version, model = self._stored.found(self._options)
            signature = live_signature(
                "predict", self._stored, model, inputs=self._inputs, outputs=self._outputs, error=self._error
            )
            followed = FollowedModel(self._stored, version, self._options)
            self._known = followed, signature, FollowedSignature.of(signature, version)
        return self._known

    def signature(self) -> FunctionSignature:
        return self._signatures()[1]

    def open(self) -> None:
        if self._follower is None:
            self._follower = self._signatures()[0].follow()

    def outputs(self, record: dict[str, Any]) -> dict[str, Any] | None:
        assert self._follower is not None
        _, _, parts = self._signatures()
        live, key = self._follower.live, self._stored.split_key
        self._version = live.versions[0 if key is None else live.place_of(record[key])]
        given = {name: record[name] for name in parts.answer.inputs.names}
        # Shadows come first, so that a record that fails has their outputs too.
        for shadow in reversed(live.shadows):
            self._beside = _shadow_columns(shadow, given, parts.shadow.outputs.names)
        self._beside[MODEL_VERSION] = self._version.version.version
        return self._version.model.predict_record(given, outputs=parts.answer.model_outputs.names)

    def current(self) -> tuple[Model, str | None]:
        assert self._follower is not None
        version = self._version or self._follower.live.versions[0]
        return version.model, version.version.version

    def operator_name(self) -> str:
        return operator_name(self._stored)

    def close(self) -> None:
        super().close()
        if self._follower is not None:
            self._follower.close()
            self._follower = None


def _shadow_columns(shadow: LiveVersion, record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The columns of a shadow for a record, the only ones that a failure in it concerns."""
    found: dict[str, Any] = {SHADOW_VERSION: shadow.version.version}
    try:
        outputs = shadow.model.predict_record(record, outputs=names) or {}
    except Exception as error:
        return {**found, SHADOW_ERROR: str(error)}
    return {**found, **{f"{SHADOW}{name}": value for name, value in outputs.items()}}


def _predictor(
    model: ModelSource | StoredModel,
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    sha256: str | None,
    options: SourceOptions | None,
    error: str | None = None,
) -> _Predictor:
    if not isinstance(model, StoredModel):
        return _BundlePredictor(model, sha256, inputs, outputs, options, error)
    if sha256 is not None:
        raise ConfigError("sha256 is that of a bundle, not of a store")
    return _FollowingPredictor(model, inputs, outputs, options, error)


class MLeapMapFunction(MapFunction):  # type: ignore[misc]
    """Maps each element to the model's prediction; loads the model in ``open()``.

    Elements are named rows, dicts and named tuples, whose fields are found by name; rows, tuples and lists, whose fields are in
    the order of ``inputs``; and scalars, for a single input. A tuple or list may stand for the only input, a tensor.
    The result is the output's value (a tensor as a list), a named ``Row`` of several outputs, or ``None`` for a record that the
    model drops.

    Args:
        model: a model, or the path or URI of its bundle, which the worker loads; or a
            :class:`~leapstream.flink.StoredModel`, which the worker follows while the job runs.
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
        model: ModelSource | StoredModel,
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
        self._predictor = _predictor(model, inputs, outputs, sha256, options, error)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be fetched, read or run.
            ConfigError: an output has the name of the field for errors.
        """
        self._predictor.open()

    def close(self) -> None:
        """Warn of the failures that no warning has counted."""
        self._predictor.close()

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
        self._predictor.log(error)
        return self._predictor.failed(error) if self._on_error == "row" else None

    @property
    def operator_name(self) -> str:
        """``predict``, the model and its version, for ``name`` of the resulting stream; loads a model of a bundle."""
        return self._predictor.operator_name()

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
        model: ModelSource | StoredModel,
        *,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
        failed: OutputTag = FAILED,
        with_element: bool = False,
        sha256: str | None = None,
        options: SourceOptions | None = None,
    ) -> None:
        self._predictor = _predictor(model, inputs, outputs, sha256, options)
        self._failed = failed
        self._with_element = with_element

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the model.

        Raises:
            LeapstreamError: it cannot be fetched, read or run.
        """
        self._predictor.open()

    def close(self) -> None:
        """Need the model no more."""
        self._predictor.close()

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        """The prediction for one element, or its entry in the side output; nothing for a record that the model drops."""
        try:
            result = self._predictor.predict(value)
        except (PredictionError, SchemaError) as error:
            yield self._failed, Row(record=value, error=str(error))
            return
        if result is not None:
            yield Row(value, result) if self._with_element else result

    @property
    def operator_name(self) -> str:
        """``predict``, the model and its version, for ``name`` of the resulting stream; loads a model of a bundle."""
        return self._predictor.operator_name()

    def get_produced_type(self, element_type: TypeInformation | None = None) -> TypeInformation:
        """The type of the results, for ``output_type`` of ``DataStream.process``; loads the model.

        Args:
            element_type: type of the elements; needed with ``with_element``.
        """
        kind = self._predictor.produced_type()
        return Types.ROW([element_type, kind]) if self._with_element else kind


__getattr__ = moved_names(__name__, {"predict_stream": "leapstream.flink.streams"})
