"""Finds the converter of an estimator by the name of its class: those of leapstream, and those of other packages.

A package adds converters of its own estimators by entry points, whose names are the package and the class, such as
``acme.Clipper``; each refers to a function, a :data:`Transformer` or a :data:`Predictor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, TypeAlias, TypeVar

from leapstream.errors import LeapstreamError, SchemaError, UnsupportedExportError
from leapstream.exporters.graph import Features
from leapstream.exporters.progress import doing
from leapstream.exporters.step import PredictorColumns, Step

T = TypeVar("T")

Converter: TypeAlias = Callable[[Step, Features], T]
Transformer: TypeAlias = Converter[Features]
Predictor: TypeAlias = Converter[PredictorColumns]

_LIBRARIES = ("sklearn", "xgboost", "lightgbm")

TRANSFORMER_ENTRY_POINTS = "leapstream.sklearn_transformers"
"""The group of entry points of converters of transformers."""

PREDICTOR_ENTRY_POINTS = "leapstream.sklearn_predictors"
"""The group of entry points of converters of predictors."""


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
        converter = self._find(step, self.transformers, "transformers", TRANSFORMER_ENTRY_POINTS)
        return self._run(converter, step, features)

    def predict(self, step: Step, features: Features) -> PredictorColumns:
        """Run the converter of a predictor.

        Raises:
            UnsupportedExportError: there is no converter for the estimator's class.
        """
        converter = self._find(step, self.predictors, "predictors", PREDICTOR_ENTRY_POINTS)
        return self._run(converter, step, features)

    def is_predictor(self, estimator: Any) -> bool:
        """True if an estimator is a predictor, false if it is a transformer."""
        kind = type(estimator)
        if _package(kind) not in _LIBRARIES:
            groups = (PREDICTOR_ENTRY_POINTS, TRANSFORMER_ENTRY_POINTS)
            offered = [group for group in groups if entry_points(group=group, name=_full_name(kind))]
            if offered:
                return offered[0] == PREDICTOR_ENTRY_POINTS
        elif kind.__name__ in self.predictors or kind.__name__ in self.transformers:
            return kind.__name__ in self.predictors
        return hasattr(estimator, "predict") and not hasattr(estimator, "transform")

    @staticmethod
    def _find(step: Step, table: Mapping[str, Converter[T]], what: str, group: str) -> Converter[T]:
        kind = type(step.estimator)
        if _package(kind) not in _LIBRARIES:
            return _offered(step, group)
        converter = table.get(kind.__name__)
        if converter is None:
            step.reject(f"this class is not supported; supported {what}: {', '.join(sorted(table))}")
        return converter

    @staticmethod
    def _run(converter: Converter[T], step: Step, features: Features) -> T:
        try:
            doing(f"converting {step.where}")
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


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _full_name(kind: type) -> str:
    """The name of the entry point for a class."""
    return f"{_package(kind)}.{kind.__name__}"


def _offered(step: Step, group: str) -> Converter[Any]:
    """The converter that an installed package has for the class of an estimator."""
    kind = type(step.estimator)
    offered = tuple(entry_points(group=group, name=_full_name(kind)))
    if not offered:
        step.reject(
            f"the class is of package {_package(kind)!r}, which may compute anything; no installed package has the entry point "
            f"{_full_name(kind)!r} of the group {group!r}"
        )
    found = offered[0]
    try:
        converter = found.load()
    # The package's module may raise any exception when it is imported.
    except Exception as error:
        raise UnsupportedExportError(
            f"{step.where}: its converter {found.value!r} cannot be loaded: {error}"
        ) from error
    step.require(callable(converter), f"its converter {found.value!r} is not a function")
    return converter  # type: ignore[no-any-return]
