"""scikit-learn's fitted estimators as pipelines of MLeap's ops; a module for each of scikit-learn's."""

from __future__ import annotations

from typing import Any

from leapstream.errors import LeapstreamError, SchemaError, UnsupportedOpError
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Graph
from leapstream.exporters.sklearn import (
    calibration,
    cluster,
    compose,
    decomposition,
    ensemble,
    feature_extraction,
    feature_selection,
    impute,
    linear_model,
    mixture,
    multiclass,
    naive_bayes,
    neural_network,
    other_libraries,
    preprocessing,
    tree,
)
from leapstream.exporters.step import Dispatch, Step, label
from leapstream.model import Model

DISPATCH = Dispatch(
    transformers={
        **compose.TRANSFORMERS,
        **decomposition.TRANSFORMERS,
        **feature_extraction.TRANSFORMERS,
        **feature_selection.TRANSFORMERS,
        **impute.TRANSFORMERS,
        **preprocessing.TRANSFORMERS,
    },
    predictors={
        **calibration.PREDICTORS,
        **cluster.PREDICTORS,
        **compose.PREDICTORS,
        **ensemble.PREDICTORS,
        **linear_model.PREDICTORS,
        **mixture.PREDICTORS,
        **multiclass.PREDICTORS,
        **naive_bayes.PREDICTORS,
        **neural_network.PREDICTORS,
        **other_libraries.PREDICTORS,
        **tree.PREDICTORS,
    },
)
"""The converter of each class, by its name."""


def from_sklearn(estimator: Any, sample: Any = None, *, name: str | None = None) -> Model:
    """A model that computes what a fitted scikit-learn estimator does.

    A transformer's result is the only output, a vector. A predictor has the column ``prediction``, which is what ``predict``
    gives, and a classifier the vectors ``probability`` and ``raw_prediction`` where it has such. Where classes are texts, or not
    the numbers 0, 1, … in order, ``prediction_index`` is the position of the class among ``classes_``.

    Args:
        estimator: a fitted transformer, predictor or pipeline; estimators of XGBoost and LightGBM may be part of it.
        sample: some of the data, for the names and kinds of its columns: a DataFrame, a dict of arrays, an array, texts; or a
            :class:`~leapstream.bundle.types.Schema`. Without it the columns are numbers of the names that the estimator was
            fitted with, or one vector ``features``.
        name: the model's name; that of the class by default.

    Raises:
        UnsupportedOpError: MLeap's ops cannot compute what a step does; the message names the step.
        SchemaError: the estimator is not fitted, or the columns are not those that it was fitted with.
    """
    kind = type(estimator).__name__
    _check_fitted(estimator, kind)
    names = getattr(estimator, "feature_names_in_", None)
    try:
        count = getattr(estimator, "n_features_in_", None)
    # A pipeline asks its first step, which may have no number.
    except (AttributeError, LeapstreamError):
        count = None
    features = features_of(sample, None if names is None else [str(n) for n in names], count)
    graph = Graph([block.column for block in features])
    step = Step(estimator, graph, kind, "", DISPATCH)
    if compose.predicts(step):
        outputs = label(step, DISPATCH.predict(step, features))
    else:
        result = DISPATCH.transform(step, features)
        texts = [block.column for block in result if block.text]
        if texts:
            raise UnsupportedOpError(f"{kind}: its result has the text column {texts[0]!r}, and has to be numbers")
        outputs = [graph.vector(result).column]
    if not graph.nodes:
        raise UnsupportedOpError(f"{kind}: it leaves its only column as it is, so there is nothing to compute")
    return graph.model(name or kind.lower(), outputs)


def _check_fitted(estimator: Any, kind: str) -> None:
    if not hasattr(estimator, "get_params"):
        raise SchemaError(f"a {kind} is no scikit-learn estimator")
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise SchemaError(str(error)) from error


__all__ = ["DISPATCH", "from_sklearn"]
