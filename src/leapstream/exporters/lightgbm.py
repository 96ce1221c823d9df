"""Converts LightGBM's boosters to MLeap's boosted trees."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.exporters import boosting
from leapstream.exporters.boosterfile import BoosterFile
from leapstream.exporters.boosting import BoostedTrees
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.child import ChildError, call
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.files import exporting, read_bytes
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Block, Features, Graph
from leapstream.exporters.lightgbm_files import LightGBMBooster, parse_lightgbm
from leapstream.exporters.portable import accept
from leapstream.exporters.predictors import add_labels, missing_number, most_probable
from leapstream.exporters.proof import Answers, Check, booster_answers, matrix_of, prove
from leapstream.exporters.step import PredictorColumns, Step, read_fitted
from leapstream.exporters.trees import Nodes
from leapstream.model import Model
from leapstream.ops.feature import Bucketizer, MathBinary, MathUnary

_TEXTS = ("object", "str", "string")
"""The names of pandas' dtypes of texts; ``str`` is that of pandas 3."""


def from_lightgbm(
    model: Any, sample: Any = None, *, name: str | None = None, check: Check = True, portable: bool = False
) -> Model:
    """Convert a LightGBM booster to a model with the same predictions.

    A classifier has the output columns ``raw_prediction``, ``probability`` and ``prediction``, the class. Any other model has
    ``prediction``, equal to the result of ``Booster.predict``. A missing value is NaN, and takes the same branches as in
    LightGBM.

    Args:
        model: a ``Booster``, or a fitted ``LGBMClassifier``, ``LGBMRegressor`` or ``LGBMRanker``; or the path of a file, with
            the text of ``save_model`` or the JSON of ``dump_model``, which is read without LightGBM.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names and types of the columns. It
            is required if a column is a pandas categorical of texts. Without it the columns are numbers with the names that the
            booster was trained with, or one vector ``features``.
        name: the model's name.
        check: compares the model with LightGBM over the first 1000 rows of the sample: ``True`` on the executors that run in this
            process, the names of executors on those, ``False`` not at all. For a file, LightGBM runs in a process of its own
            if it is installed; if it cannot read the file, as a dump in JSON, a warning says so.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        UnsupportedExportError: MLeap's ops cannot compute what the booster computes. The message says why.
        ExportError: the file is damaged, of an unknown version, or of a model that MLeap's ops cannot compute;
            or the model gives other results than LightGBM for a row of the sample.
        SourceError: the file cannot be read.
        SchemaError: the model is not fitted, or the columns are not those that it was trained with.
    """
    if isinstance(model, (str, os.PathLike)):
        return read_file(Path(model), sample).model(sample, name, check, portable)
    booster = read_fitted(model, lambda: _booster(model))
    features = features_of(sample, _names(booster.feature_name()), booster.num_feature())
    graph = Graph([block.column for block in features])
    dispatch = Dispatch({}, {type(model).__name__: convert})
    step = Step(model, graph, f"LightGBM's {type(model).__name__}", "", dispatch)
    made = graph.model(name or "lightgbm", add_labels(step, step.predict(features)))
    return prove(accept(made, portable), sample, "LightGBM", partial(answers, model, made), check=check)


def answers(model: Any, made: Model, rows: Any) -> Answers:
    """LightGBM's results by the column of the model that was made."""
    booster = _booster(model)
    given = matrix_of(booster.feature_name(), rows)
    texts = [name for name in getattr(given, "columns", ()) if given[name].dtype.name in _TEXTS]
    if texts:
        import pandas as pd

        # LightGBM takes the texts as categories that it knows; all others are missing.
        for name, kept in zip(texts, booster.pandas_categorical or (), strict=False):
            given = given.assign(**{name: pd.Categorical(given[name].where(given[name].isin(kept)), categories=kept)})
    return booster_answers(model, made, given)


def read_file(path: Path, sample: Any) -> BoosterFile:
    """A file of ``save_model`` or ``dump_model``; the sample, or a schema, says what the columns hold.

    Raises:
        LeapstreamError: as :func:`from_lightgbm`.
    """
    where = f"{path}: LightGBM's model"
    data = read_bytes(path)
    with exporting(path, sample):
        booster = parse_lightgbm(data, where)
        features = features_of(sample, _names(booster.feature_names), len(booster.feature_names))
        step = Step(booster, Graph([block.column for block in features]), where, "", Dispatch({}, {}))
        columns = _convert(step, features, booster)
    predict = partial(call, predict_file, data, booster.version)
    return BoosterFile("LightGBM", path, step, features, columns, predict, booster.pandas_categories)


def predict_file(data: bytes, version: str, matrix: npt.NDArray[np.float64]) -> Any:
    """LightGBM's own results for the model in a file: for a process of its own, since LightGBM crashes on altered files.

    Args:
        data: the file.
        version: the version of its format, such as ``v4``.
        matrix: rows of features.

    Raises:
        ChildError: this version of LightGBM does not know the file.
    """
    import lightgbm

    text = data.decode("utf-8-sig")
    if text.lstrip().startswith("{"):
        raise ChildError("it does not read its own dumps in JSON")
    if int(version.removeprefix("v")) > int(lightgbm.__version__.split(".")[0]):
        raise ChildError(f"the file is of the format {version}, and {lightgbm.__version__} is installed")
    return np.asarray(lightgbm.Booster(model_str=text).predict(matrix)).tolist()


def _names(names: Sequence[str]) -> Sequence[str] | None:
    """The names of the features; ``None`` where LightGBM has made them up."""
    return None if list(names) == [f"Column_{i}" for i in range(len(names))] else names


def _booster(model: Any) -> Any:
    return model.booster_ if hasattr(model, "get_params") else model


def convert(step: Step, features: Features) -> PredictorColumns:
    """Convert a booster, or one of LightGBM's estimators for scikit-learn, as a step."""
    text = _booster(step.estimator).model_to_string()
    return _convert(step, features, parse_lightgbm(text.encode(), step.where))


def _convert(step: Step, features: Features, booster: LightGBMBooster) -> PredictorColumns:
    forests = booster.forests
    features = _coded_categories(step, features, booster.pandas_categories)
    features = _whole_categories(step.graph, features, forests)
    features = _missing_zeros(step.graph, features, forests)
    trees = [nodes for forest in forests for nodes in forest]
    step.require(
        not (any(nodes.slopes for nodes in trees) and any(nodes.zero_missing for nodes in trees)),
        "its leaves have linear models (linear_tree), and zeros are missing (zero_as_missing)",
    )
    count = max(len(forests[0]), 1)
    weight = 1.0 / count if booster.average else 1.0
    boosted = BoostedTrees(forests, [[weight] * len(forest) for forest in forests], np.zeros(len(forests)))
    objective = booster.objective
    convert_output = _OBJECTIVES.get(objective)
    if convert_output is None:
        step.reject(f"the objective {objective!r} is not supported; supported: {', '.join(_OBJECTIVES)}")
    classes = hasattr(step.estimator, "classes_")
    step.require(not classes or objective in _OF_CLASSES, f"the objective {objective!r} gives no classes")
    if objective in _OF_CLASSES and not classes:
        step = replace(step, given_classes=np.arange(max(len(forests), 2.0)))
    step.require(len(forests) == 1 or objective in _OF_CLASSES, f"it gives {len(forests)} sums, and one is supported")
    return convert_output(step, features, boosted, booster.options)


# ---- categories -------------------------------------------------------------------------------------------------------


def _coded_categories(step: Step, features: Features, categories: list[list[Any]]) -> Features:
    """Replace columns of texts by the codes that pandas gave to their categories."""
    texts = [i for i, block in enumerate(features) if block.text]
    step.require(
        len(texts) == len(categories),
        f"it was trained with {len(categories)} columns of pandas' categories, and {len(texts)} columns are texts; give a "
        "sample of the data (categories that are numbers are not supported)",
    )
    if not texts:
        return features
    # Unknown and missing values get a code that no tree tests for.
    tables = [CategoryCodes(known, range(len(known)), len(known)) for known in categories]
    found = dict(zip(texts, encode_categories(step, tuple(features[i] for i in texts), tables), strict=True))
    return tuple(found.get(i, block) for i, block in enumerate(features))


def _whole_categories(graph: Graph, features: Features, forests: Sequence[Sequence[Nodes]]) -> Features:
    """Replace each feature that a tree tests for categories by a code: ``c + 1`` for the category ``c``.

    LightGBM truncates a category to a whole number, and sends NaN and numbers of at most -1 to the right. The bucketizer gives
    such numbers the code 0, and NaN the number of buckets; no tree tests for these codes.
    """
    greatest_code: dict[int, float] = {}
    for nodes in (nodes for forest in forests for nodes in forest):
        for node, codes in nodes.categories.items():
            feature = int(nodes.feature[node])
            greatest_code[feature] = max(greatest_code.get(feature, 0.0), *codes)
    if not greatest_code:
        return features
    starts = np.cumsum([0, *(block.size for block in features)]).tolist()
    result: list[Block] = []
    for block, start in zip(features, starts, strict=False):
        if not greatest_code.keys() & range(start, start + block.size):
            result.append(block)
            continue
        for feature, single in enumerate(graph.scalars((block,)), start):
            code = greatest_code.get(feature)
            if code is not None:
                splits = (-np.inf, float(np.nextafter(-1.0, 0.0)), *map(float, range(1, int(code) + 1)), np.inf)
                single = graph.apply(Bucketizer(splits, "keep"), single, "category", None)
            result.append(single)
    return tuple(result)


def _missing_zeros(graph: Graph, features: Features, forests: Sequence[Sequence[Nodes]]) -> Features:
    """Replace the zeros of each feature of which they are missing values by NaN."""
    missing = frozenset[int]().union(*(nodes.zero_missing for forest in forests for nodes in forest))
    if not missing:
        return features
    return tuple(
        missing_number(graph, single, 0.0) if number in missing else single
        for number, single in enumerate(graph.scalars(features))
    )


# ---- objectives -------------------------------------------------------------------------------------------------------


def _plain(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    if "sqrt" not in options:
        return boosting.regressor(step, features, boosted)
    # The prediction is sign(margin) * margin ** 2.
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    absolute = step.graph.apply(MathUnary("abs"), margin, "abs", None)
    columns = step.graph.add(MathBinary("mul"), [absolute.column, margin.column], {"output": step.prediction})
    return PredictorColumns(Block(columns["output"]))


def _exponential(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.regressor(step, features, boosted, "exp")


def _binary(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.classifier(step, features, boosted, float(options["sigmoid"]))


def _softmax(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    return boosting.classifier(step, features, boosted, 1.0)


def _one_vs_all(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    """The probability of each class is the logistic function of its sum; the probabilities do not add up to 1."""
    names = [f"{step.prefix}margin_{group}" for group in range(len(boosted.forests))]
    margins = boosting.sums(step, features, boosted, names)
    parts = tuple(boosting.logistic(step, block, float(options["sigmoid"])) for block in margins)
    return most_probable(step, step.graph.vector(parts))


def _cross_entropy(
    step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]
) -> PredictorColumns:
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    return PredictorColumns(boosting.logistic(step, margin, name=step.prediction))


def _soft_plus(step: Step, features: Features, boosted: BoostedTrees, options: Mapping[str, str]) -> PredictorColumns:
    """The prediction is ``log(1 + exp(margin))``."""
    (margin,) = boosting.sums(step, features, boosted, [f"{step.prefix}margin"])
    exponential = step.graph.apply(MathUnary("exp"), margin, "exp", None)
    more = Block(
        step.graph.add(MathBinary("add", db=1.0), [exponential.column], {"output": f"{margin.column}_more"})["output"]
    )
    columns = step.graph.add(MathUnary("log"), [more.column], {"output": step.prediction})
    return PredictorColumns(Block(columns["output"]))


_Objective = Callable[[Step, Features, BoostedTrees, Mapping[str, str]], PredictorColumns]

_OBJECTIVES: dict[str, _Objective] = {
    **dict.fromkeys(
        (
            *(
                "regression",
                "regression_l1",
                "huber",
                "fair",
                "quantile",
                "mape",
                "lambdarank",
                "rank_xendcg",
                "custom",
            ),
            "none",
        ),
        _plain,
    ),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), _exponential),
    "binary": _binary,
    "multiclass": _softmax,
    "multiclassova": _one_vs_all,
    "cross_entropy": _cross_entropy,
    "cross_entropy_lambda": _soft_plus,
}
"""The function that turns the sums of trees into predictions, by objective."""

_OF_CLASSES = ("binary", "multiclass", "multiclassova")
