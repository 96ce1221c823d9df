"""Converts XGBoost's boosters to MLeap's XGBoost ops."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.booster import Booster, parse_booster
from leapstream.bundle.booster_writer import encode_booster
from leapstream.exporters.boosterfile import BoosterFile
from leapstream.exporters.child import ChildError, call
from leapstream.exporters.dispatch import Dispatch
from leapstream.exporters.files import exporting, read_bytes
from leapstream.exporters.frame import features_of
from leapstream.exporters.graph import Block, Features, Graph, is_sparse
from leapstream.exporters.portable import accept
from leapstream.exporters.predictors import add_labels, missing_number, most_probable, targets
from leapstream.exporters.proof import Answers, Check, booster_answers, matrix_of, prove
from leapstream.exporters.step import PredictorColumns, Step, read_fitted
from leapstream.model import Model
from leapstream.ops.xgboost import OBJECTIVES, XGBoostClassifier, XGBoostRegression

_OF_CLASSES = ("binary:logistic", "binary:hinge", "multi:softprob")


def from_xgboost(
    model: Any, sample: Any = None, *, name: str | None = None, check: Check = True, portable: bool = False
) -> Model:
    """Convert an XGBoost booster to a model with the same predictions.

    A classifier has the output columns ``raw_prediction`` (margins), ``probability`` and ``prediction``, the class. Any other
    model, and one with the objective ``multi:softmax``, has ``prediction``, equal to the result of ``Booster.predict``. A missing
    value is NaN.

    Args:
        model: a ``Booster``, of which all rounds are used; or a fitted estimator such as ``XGBClassifier``, of which the rounds
            up to the best one are used after early stopping; or the path of a file of ``save_model``, in JSON, UBJSON or the
            binary format, which is read without XGBoost. A file of an estimator counts as the estimator.
        sample: some rows of the data, or a :class:`~leapstream.bundle.types.Schema`, for the names of the columns. Without it the
            columns are numbers with the names that the booster was trained with, or one vector ``features``.
        name: the model's name.
        check: compares the model with XGBoost over the first 1000 rows of the sample: ``True`` on the executors that run in this
            process, the names of executors on those, ``False`` not at all. For a file, XGBoost runs in a process of its own
            if it is installed; if it cannot read the file, a warning says so.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        UnsupportedExportError: MLeap's ops cannot compute what the model computes. The message says why.
        ExportError: the file is damaged, of an unknown version, or of a model that MLeap's ops cannot compute;
            or the model gives other results than XGBoost for a row of the sample.
        SourceError: the file cannot be read.
        SchemaError: the model is not fitted, or the columns are not those that it was trained with.
    """
    if isinstance(model, (str, os.PathLike)):
        return read_file(Path(model), sample).model(sample, name, check, portable)
    booster = read_fitted(model, lambda: _booster(model))
    dispatch = Dispatch({}, {type(model).__name__: convert})
    features = features_of(sample, booster.feature_names, booster.num_features())
    step = Step(model, Graph([block.column for block in features]), f"XGBoost's {type(model).__name__}", "", dispatch)
    made = step.graph.model(name or "xgboost", add_labels(step, step.predict(features)))
    return prove(accept(made, portable), sample, "XGBoost", partial(answers, model, made), check=check)


def answers(model: Any, made: Model, rows: Any) -> Answers:
    """XGBoost's results by the column of the model that was made."""
    given = matrix_of(_booster(model).feature_names, rows)
    if not hasattr(model, "get_params"):
        from xgboost import DMatrix

        given = DMatrix(given)
    return booster_answers(model, made, given)


def read_file(path: Path, sample: Any) -> BoosterFile:
    """A file of ``save_model``; the sample, or a schema, says what the columns hold.

    Raises:
        LeapstreamError: as :func:`from_xgboost`.
    """
    where = f"{path}: XGBoost's model"
    data = read_bytes(path)
    with exporting(path, sample):
        booster = parse_booster(data, where)
        features = features_of(sample, booster.feature_names or None, booster.num_feature)
        step = Step(booster, Graph([block.column for block in features]), where, "", Dispatch({}, {}))
        best = _best_rounds(step, booster)
        columns = _convert(step, features, best, classes=None)
    predict = partial(call, predict_file, data, booster.version, len(best.rounds))
    return BoosterFile("XGBoost", path, step, features, columns, predict)


def predict_file(data: bytes, version: tuple[int, int], rounds: int, matrix: npt.NDArray[np.float64]) -> Any:
    """XGBoost's own results for the model in a file: for a process of its own, since XGBoost crashes on altered files.

    Args:
        data: the file.
        version: the version of XGBoost that wrote it.
        rounds: the number of boosting rounds to use; 0 for a linear booster.
        matrix: rows of features.

    Raises:
        ChildError: this version of XGBoost does not know the file.
    """
    import xgboost

    if version > tuple(map(int, xgboost.__version__.split(".")[:2])):
        raise ChildError(f"the file is of version {version[0]}.{version[1]}, and {xgboost.__version__} is installed")
    booster = xgboost.Booster()
    booster.load_model(bytearray(data))
    given = xgboost.DMatrix(matrix, nthread=1)
    # The matrix has the file's columns, in their order, without names.
    return booster.predict(given, iteration_range=(0, rounds), validate_features=False).tolist()


def _best_rounds(step: Step, booster: Booster) -> Booster:
    """The booster with the rounds that its estimator uses, if the file was saved by one."""
    best = booster.attributes.get("best_iteration")
    if best is None or "scikit_learn" not in booster.attributes:
        return booster
    if not re.fullmatch("[0-9]{1,9}", best):
        step.reject(f"learner.attributes.best_iteration is {json.dumps(best[:60])}, not a number")
    return _first_rounds(step, booster, int(best) + 1)


def _first_rounds(step: Step, booster: Booster, rounds: int) -> Booster:
    if booster.linear:
        # XGBoost has only the weights of all rounds.
        return booster
    step.require(rounds <= len(booster.rounds), f"its best iteration is {rounds - 1}, of {len(booster.rounds)} rounds")
    count = booster.rounds[rounds - 1]
    weights = None if booster.drop_weights is None else booster.drop_weights[:count]
    return replace(
        booster,
        trees=booster.trees[:count],
        group=booster.group[:count],
        rounds=booster.rounds[:rounds],
        drop_weights=weights,
    )


def _booster(model: Any) -> Any:
    return model.get_booster() if hasattr(model, "get_booster") else model


def convert(step: Step, features: Features) -> PredictorColumns:
    """Convert a booster, or one of XGBoost's estimators for scikit-learn, as a step."""
    model, booster = step.estimator, _booster(step.estimator)
    missing = getattr(model, "missing", None)
    if missing is not None and missing == missing:
        # XGBoost compares in single precision.
        value = float(np.float32(missing))
        step.require(value == missing and value not in (np.inf, -np.inf), f"missing is {missing!r}, and no float")
        features = tuple(missing_number(step.graph, single, value) for single in step.graph.scalars(features))
    step.require(not callable(getattr(model, "objective", None)), "its objective is a function of its own")
    step.require(
        not is_sparse(features),
        "its features are a sparse matrix, whose zeros XGBoost takes for missing: hand it a dense one, such as by "
        "OneHotEncoder(sparse_output=False) and ColumnTransformer(sparse_threshold=0)",
    )
    parsed = parse_booster(bytes(booster.save_raw(raw_format="ubj")), step.where)
    if model is not booster and booster.attr("best_iteration") is not None:
        parsed = _first_rounds(step, parsed, int(model.best_iteration) + 1)
    classes = np.asarray(model.classes_) if hasattr(model, "n_classes_") else None
    return _convert(step, features, parsed, classes)


def _convert(step: Step, features: Features, booster: Booster, classes: Any) -> PredictorColumns:
    """Convert a booster; ``classes`` are those of an estimator."""
    if booster.num_target > 1:
        step.require(
            classes is None and booster.objective not in _OF_CLASSES, "several targets of classes are not supported"
        )
        step.require(booster.drop_weights is None, "several targets of DART are not supported")
        step.require(
            booster.linear or len(set(booster.group)) == booster.num_target,
            f"learner.learner_model_param.num_target is {booster.num_target}, and not every target has trees",
        )
        return _several(step, features, booster)
    _check(step, booster)
    # MLeap's op treats the zeros that a vector does not store as missing.
    block = step.graph.dense(features)
    data = encode_booster(booster)
    if booster.objective not in _OF_CLASSES:
        step.require(classes is None, f"the objective {booster.objective!r} gives no probabilities of classes")
        regression = XGBoostRegression(block.size, data)
        columns = step.graph.add(regression, [block.column], {"prediction": step.prediction})
        return PredictorColumns(Block(columns["prediction"]))
    count = max(booster.groups, 2)
    if classes is None:
        step = replace(step, given_classes=np.arange(float(count)))
    step.require(len(step.classes) == count, "several targets are not supported")
    classifier = XGBoostClassifier(count, block.size, data)
    names = {port: f"{step.prefix}{port}" for port in ("raw_prediction", "probability")}
    if classes is None or count > 2:
        columns = step.graph.add(classifier, [block.column], {**names, "prediction": step.prediction})
        raw, probability = Block(columns["raw_prediction"], count), Block(columns["probability"], count)
        return PredictorColumns(Block(columns["prediction"]), step.classes, raw, probability)
    # At a probability of exactly 0.5 the op predicts class 1, and the library's estimator class 0.
    columns = step.graph.add(classifier, [block.column], {**names, "probability": f"{step.prefix}probabilities"})
    return replace(most_probable(step, Block(columns["probability"], 2)), raw=Block(columns["raw_prediction"], 2))


def _several(step: Step, features: Features, booster: Booster) -> PredictorColumns:
    """A regression of several targets: a node for each, with the trees of that target."""
    block, found = step.graph.dense(features), []
    for target in range(booster.num_target):
        part = _of_target(booster, target)
        _check(step, part)
        wanted = {"prediction": f"{step.prefix}prediction_{target}"}
        op = XGBoostRegression(block.size, encode_booster(part))
        found.append(Block(step.graph.add(op, [block.column], wanted)["prediction"]))
    return targets(step, tuple(found))


def _of_target(booster: Booster, target: int) -> Booster:
    """The booster of one target of several."""
    mine = [group == target for group in booster.group]
    places = [place for place, chosen in enumerate(mine) if chosen]
    return replace(
        booster,
        base_score=booster.base_score if len(booster.base_score) == 1 else booster.base_score[target : target + 1],
        num_target=1,
        trees=tuple(booster.trees[place] for place in places),
        group=(0,) * len(places),
        rounds=tuple(sum(mine[:end]) for end in booster.rounds),
        weights=None if booster.weights is None else booster.weights[:, target : target + 1],
    )


def _check(step: Step, booster: Booster) -> None:
    """Reject a booster that MLeap's ops cannot compute."""
    objective = booster.objective
    if objective not in OBJECTIVES:
        step.reject(f"learner.objective.name: {json.dumps(objective[:60])} is none of {', '.join(OBJECTIVES)}")
    several = objective.startswith("multi:")
    if (booster.num_class > 1) != several:
        step.reject(f"learner.learner_model_param.num_class is {booster.num_class} with the objective {objective!r}")
    for number, tree in enumerate(booster.trees):
        leaf = tree.left < 0
        # A threshold may be infinite, and a split that tests for categories has none.
        if not np.isfinite(tree.value[leaf]).all() or np.isnan(np.delete(tree.value, list(tree.categories))).any():
            step.reject(f"trees[{number}].split_conditions has numbers that are not finite")
    for name, weights in (("weight_drop", booster.drop_weights), ("weights", booster.weights)):
        if weights is not None and not np.isfinite(weights).all():
            step.reject(f"{name} has numbers that are not finite")
