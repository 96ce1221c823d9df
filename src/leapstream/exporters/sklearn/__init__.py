"""Converts scikit-learn's fitted estimators to pipelines of MLeap's ops; one module for each module of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from leapstream.bundle.types import Schema
from leapstream.errors import LeapstreamError, SchemaError, UnsupportedExportError
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Block, Features, Graph
from leapstream.exporters.portable import accept
from leapstream.exporters.predictors import add_labels
from leapstream.exporters.progress import shown
from leapstream.exporters.proof import Answers, Check, prove
from leapstream.exporters.sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    cross_decomposition,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    other_libraries,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
    tree,
)
from leapstream.exporters.sklearn.answers import answers
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.model import Model

DISPATCH = Dispatch(
    transformers={
        **cluster.TRANSFORMERS,
        **compose.TRANSFORMERS,
        **cross_decomposition.TRANSFORMERS,
        **decomposition.TRANSFORMERS,
        **discriminant_analysis.TRANSFORMERS,
        **ensemble.TRANSFORMERS,
        **feature_extraction.TRANSFORMERS,
        **feature_selection.TRANSFORMERS,
        **impute.TRANSFORMERS,
        **isotonic.TRANSFORMERS,
        **kernel_approximation.TRANSFORMERS,
        **neighbors.TRANSFORMERS,
        **neural_network.TRANSFORMERS,
        **preprocessing.TRANSFORMERS,
        **random_projection.TRANSFORMERS,
    },
    predictors={
        **calibration.PREDICTORS,
        **cluster.PREDICTORS,
        **compose.PREDICTORS,
        **covariance.PREDICTORS,
        **cross_decomposition.PREDICTORS,
        **discriminant_analysis.PREDICTORS,
        **dummy.PREDICTORS,
        **ensemble.PREDICTORS,
        **gaussian_process.PREDICTORS,
        **isotonic.PREDICTORS,
        **kernel_ridge.PREDICTORS,
        **linear_model.PREDICTORS,
        **mixture.PREDICTORS,
        **model_selection.PREDICTORS,
        **multiclass.PREDICTORS,
        **multioutput.PREDICTORS,
        **naive_bayes.PREDICTORS,
        **neighbors.PREDICTORS,
        **neural_network.PREDICTORS,
        **other_libraries.PREDICTORS,
        **semi_supervised.PREDICTORS,
        **svm.PREDICTORS,
        **tree.PREDICTORS,
    },
)
"""The converter of each class, by its name."""


def from_sklearn(
    estimator: Any,
    sample: Any = None,
    *,
    name: str | None = None,
    outputs: Sequence[str] | None = None,
    check: Check = True,
    portable: bool = False,
) -> Model:
    """Convert a fitted scikit-learn estimator to a model with the same results.

    The model of a transformer has one output column, a vector. The model of a predictor has the column ``prediction``, equal to
    the result of ``predict``: a class that is a text is a string, an integer or boolean one an int, any other a double. A
    classifier also has the vectors ``probability`` and ``raw_prediction``, in the order of ``classes_``, if it has the methods
    ``predict_proba`` and ``decision_function``.

    Args:
        estimator: a fitted transformer, predictor or pipeline; it may contain estimators of XGBoost and LightGBM.
        sample: some rows of the data, for the names and types of the columns: a DataFrame, a dict of arrays, an array, texts; or
            a :class:`~leapstream.bundle.types.Schema`. Without it the columns are numbers with the names that the estimator
            was fitted with, or one vector ``features``. Of a pipeline that begins with a ``DictVectorizer``, the columns are
            the keys that it knows, and the sample is a list of dicts.
        name: the model's name; by default that of the estimator's class.
        outputs: the wanted columns of a predictor, of ``prediction``, ``probability`` and ``raw_prediction``; by default all.
        check: compares the model with the estimator over the first 1000 rows of the sample: ``True`` on the executors that run
            in this process, the names of executors on those, ``False`` not at all.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        UnsupportedExportError: MLeap's ops cannot compute what a step computes. The message names the step.
        SchemaError: the estimator is not fitted, or the columns are not those that it was fitted with.
        ExportError: the model gives other results than the estimator for a row of the sample.
    """
    with shown():
        kind = type(estimator).__name__
        _check_fitted(estimator, kind)
        names = getattr(estimator, "feature_names_in_", None)
        try:
            count = getattr(estimator, "n_features_in_", None)
        # A pipeline returns the number of its first step, which may not have one.
        except (AttributeError, LeapstreamError):
            count = None
        features = _features(estimator, sample, None if names is None else [str(n) for n in names], count)
        graph = Graph([block.column for block in features])
        step = Step(estimator, graph, kind, "", DISPATCH)
        if compose.predicts(step):
            outcome = DISPATCH.predict(step, features)
            _check_methods(step, outcome, outputs)
            columns = add_labels(step, outcome, outputs)
        else:
            result = DISPATCH.transform(step, features)
            texts = [block.column for block in result if block.text]
            if texts:
                raise UnsupportedExportError(
                    f"{kind}: its result has the text column {texts[0]!r}; only numbers are supported"
                )
            if outputs is not None:
                raise SchemaError(f"{kind}: outputs are chosen of predictors, and this is a transformer")
            columns = [graph.vector(result).column]
        if not graph.nodes:
            raise UnsupportedExportError(f"{kind}: it leaves its only column as it is, so there is nothing to compute")
        model = graph.model(name or kind.lower(), columns)
        compared = partial(
            answers, estimator, model.schema.outputs.names if compose.predicts(step) else None, columns[0]
        )
        return prove(accept(model, portable), sample, "scikit-learn", compared, check=check, steps=graph.steps)


def _features(estimator: Any, sample: Any, names: Sequence[str] | None, count: int | None) -> Features:
    """The input columns; of a ``DictVectorizer`` the keys of its dicts, whose values may be missing."""
    first = compose.first_of(estimator)
    if type(first).__name__ != "DictVectorizer":
        return features_of(sample, names, count)
    columns = feature_extraction.dict_columns(first)
    given = {block.column: block for block in features_of(sample, None, None)} if isinstance(sample, Schema) else {}
    return tuple(given.get(key, Block(key, text=values is not None)) for key, values in columns.items())


_METHODS = {"probability": "predict_proba", "raw_prediction": "decision_function"}
"""The method of an estimator that gives a column."""


def _check_methods(step: Step, outcome: PredictorColumns, outputs: Sequence[str] | None) -> None:
    """Reject an estimator that has a method whose result is wanted, or may be expected, and is not computed."""
    given = {"probability": outcome.probability, "raw_prediction": outcome.raw}
    for column, method in _METHODS.items():
        left_out = given[column] is None and (outputs is None or column in outputs)
        step.require(
            not (left_out and hasattr(step.estimator, method)),
            f"MLeap's ops cannot compute its {method}; choose other outputs to leave it out, such as "
            'outputs=["prediction"]',
        )


def model_answers(estimator: Any, model: Model, rows: Any) -> Answers:
    """The results of an estimator for rows of its data, by the column of the model that was made of it."""
    outputs = model.schema.outputs.names
    predicts = DISPATCH.is_predictor(estimator) or "prediction" in outputs
    return answers(estimator, outputs if predicts else None, outputs[0], rows)


def _check_fitted(estimator: Any, kind: str) -> None:
    if not hasattr(estimator, "get_params"):
        raise SchemaError(f"expected a fitted scikit-learn estimator, got {kind}")
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise SchemaError(str(error)) from error


__all__ = ["DISPATCH", "from_sklearn"]
