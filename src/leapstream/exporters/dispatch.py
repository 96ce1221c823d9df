"""Finds the converter of an estimator by the name of its class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from leapstream.errors import LeapstreamError, SchemaError
from leapstream.exporters.graph import Features
from leapstream.exporters.step import PredictorColumns, Step

T = TypeVar("T")

Converter: TypeAlias = Callable[[Step, Features], T]
Transformer: TypeAlias = Converter[Features]
Predictor: TypeAlias = Converter[PredictorColumns]

_LIBRARIES = ("sklearn", "xgboost", "lightgbm")


class Dispatch:
    """Finds the converter of an estimator by the name of its class."""

    def __init__(self, transformers: Mapping[str, Transformer], predictors: Mapping[str, Predictor]) -> None:
        self.transformers = transformers
        self.predictors = predictors

    def transform(self, step: Step, features: Features) -> Features:
        """Run the converter of a transformer.

        Raises:
            UnsupportedExportError: there is no converter for the estimator's class.
        """
        return self._run(self._find(step, self.transformers, "transformers"), step, features)

    def predict(self, step: Step, features: Features) -> PredictorColumns:
        """Run the converter of a predictor.

        Raises:
            UnsupportedExportError: there is no converter for the estimator's class.
        """
        return self._run(self._find(step, self.predictors, "predictors"), step, features)

    def is_predictor(self, estimator: Any) -> bool:
        """True if an estimator is a predictor, false if it is a transformer."""
        name = type(estimator).__name__
        if name in self.predictors or name in self.transformers:
            return name in self.predictors
        return hasattr(estimator, "predict") and not hasattr(estimator, "transform")

    @staticmethod
    def _find(step: Step, table: Mapping[str, Converter[T]], what: str) -> Converter[T]:
        kind = type(step.estimator)
        if kind.__module__.split(".")[0] not in _LIBRARIES:
            step.reject(f"the class is of package {kind.__module__.split('.')[0]!r}, which may compute anything")
        converter = table.get(kind.__name__)
        if converter is None:
            step.reject(f"this class is not supported; supported {what}: {', '.join(sorted(table))}")
        return converter

    @staticmethod
    def _run(converter: Converter[T], step: Step, features: Features) -> T:
        try:
            with step.graph.within(step.where):
                return converter(step, features)
        except LeapstreamError as error:
            if str(error).startswith(step.where):
                raise
            raise type(error)(f"{step.where}: {error}") from error
        except AttributeError as error:
            raise SchemaError(f"{step.where}: not fitted, or of an unknown version of the library: {error}") from error
        except (TypeError, ValueError) as error:
            raise SchemaError(
                f"{step.where}: the columns are not of the types that it was fitted with: {error}"
            ) from error
