"""XGBoost's boosters and estimators, on both executors."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from leapstream import ExportError, SchemaError, SourceError, UnsupportedOpError, from_xgboost
from leapstream.bundle.booster import parse_booster
from leapstream.model import Model
from leapstream.ops.xgboost import XGBoostClassifier
from tests import boosters
from tests.exporters.agreement import assert_agrees, reloaded

SINGLE = 3e-7
OPTIONS: dict[str, Any] = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}


def assert_predicts(model: Model, booster: Any, backend: Any = "vectorized") -> None:
    x = boosters.features(50, 5)
    wanted = booster.predict(boosters.matrix(x))
    result = model.transform({"features": x}, backend=backend)
    classes = "probability" in result
    given = np.stack(list(result["probability" if classes else "prediction"]))
    np.testing.assert_allclose(given[:, 1] if classes and wanted.ndim == 1 else given, wanted, rtol=SINGLE, atol=1e-7)


@pytest.mark.parametrize("objective", boosters.OBJECTIVES)
@pytest.mark.parametrize("kind", boosters.BOOSTERS)
def test_a_model_predicts_what_the_booster_does(objective: str, kind: str, tmp_path: Path) -> None:
    booster = boosters.train(objective, kind)
    model = from_xgboost(booster)
    assert_predicts(model, booster)
    assert_predicts(reloaded(model, tmp_path, "protobuf"), booster)


@pytest.mark.flink
@pytest.mark.slow
def test_the_jvm_predicts_what_the_boosters_do() -> None:
    for objective in ("reg:squarederror", "count:poisson", "binary:logistic", "multi:softprob", "multi:softmax"):
        booster = boosters.train(objective)
        assert_predicts(from_xgboost(booster), booster, "jvm")


def labels() -> npt.NDArray[np.int64]:
    return np.digitize(np.nan_to_num(boosters.features(120)).sum(axis=1), [-0.5, 0.5])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (XGBRegressor, OPTIONS),
        (XGBRegressor, {"booster": "gblinear", "n_estimators": 3, "n_jobs": 1}),
        (XGBRFRegressor, OPTIONS),
        (XGBClassifier, OPTIONS),
        (XGBClassifier, {"booster": "dart", "rate_drop": 0.5, **OPTIONS}),
        (XGBRFClassifier, OPTIONS),
    ],
    ids=lambda given: given.get("booster", "gbtree") if isinstance(given, dict) else given.__name__,
)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_model_predicts_what_the_estimator_does(kind: Any, options: dict[str, Any], classes: int) -> None:
    x, y = boosters.features(120), np.minimum(labels(), classes - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # XGBoost 3.4 deprecates the random forests
        fitted = kind(**options).fit(x, y)
        assert_agrees(from_xgboost(fitted), fitted, boosters.features(40, 7), tolerance=SINGLE)


def test_a_probability_of_a_half_is_the_first_class_for_the_estimator() -> None:
    estimator = XGBClassifier(n_estimators=1, n_jobs=1, base_score=0.5).fit(np.zeros((4, 1)), [0, 1, 0, 1])
    model = from_xgboost(estimator)
    assert model.predict({"features": np.zeros((1, 1))})["prediction"].tolist() == estimator.predict(np.zeros((1, 1)))


def test_a_ranker_predicts_scores() -> None:
    x = boosters.features(120)
    estimator = XGBRanker(**OPTIONS).fit(x, labels(), group=[40] * 3)
    assert_agrees(from_xgboost(estimator), estimator, x[:40], tolerance=SINGLE)


def test_only_the_rounds_up_to_the_best_one_count() -> None:
    x, y = boosters.features(120), labels()
    estimator = XGBClassifier(n_estimators=40, n_jobs=1, learning_rate=1.0, early_stopping_rounds=2)
    estimator.fit(x[:60], y[:60], eval_set=[(x[60:], y[60:])], verbose=False)
    assert estimator.best_iteration + 1 < estimator.get_booster().num_boosted_rounds()
    assert_agrees(from_xgboost(estimator), estimator, x[:40], tolerance=SINGLE)


def test_columns_have_the_names_of_the_training_data_and_their_zeros_are_not_missing() -> None:
    data = pd.DataFrame(np.nan_to_num(boosters.features(120)), columns=["a", "b", "c", "d"])
    estimator = XGBRegressor(**OPTIONS).fit(data.mask(data > 1.5), labels())
    model = from_xgboost(estimator)
    assert model.schema.inputs.names == ("a", "b", "c", "d")
    assert_agrees(model, estimator, data[:40], tolerance=SINGLE)
    zeros = pd.DataFrame(np.zeros((2, 4)), columns=data.columns)
    assert_agrees(model, estimator, zeros, tolerance=SINGLE)


def test_categories_are_given_by_their_codes() -> None:
    data = pd.DataFrame({"city": pd.Categorical(["Oslo", "Bern", "Rome", "Bern"] * 20), "size": np.arange(80.0)})
    y = (data["city"] == "Rome") * 3.0 + data["size"] / 80
    estimator = XGBRegressor(enable_categorical=True, **OPTIONS).fit(data, y)
    codes = data.assign(city=data["city"].cat.codes.astype(float))
    result = from_xgboost(estimator).transform(codes)
    np.testing.assert_allclose(result["prediction"], estimator.predict(data), rtol=SINGLE)


@pytest.mark.parametrize("missing", [0.0, -999.0])
def test_a_number_that_is_missing_goes_where_missing_numbers_go(missing: float) -> None:
    x = np.random.default_rng(0).normal(size=(120, 3))
    x[x < -0.5] = missing
    estimator = XGBRegressor(missing=missing, **OPTIONS).fit(x, np.where(x[:, 0] == missing, 2.0, x[:, 0] ** 2))
    x[:5, 0] = np.nan
    found = from_xgboost(estimator, x).predict({"features": x})["prediction"]
    np.testing.assert_allclose(found, estimator.predict(x), rtol=SINGLE)


SEVERAL = [{}, {"num_parallel_tree": 2}, {"multi_strategy": "multi_output_tree"}]


@pytest.mark.parametrize("options", SEVERAL, ids=str)
def test_a_regression_of_several_targets_gives_a_vector(options: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(120, 3))
    estimator = XGBRegressor(**{**OPTIONS, **options}).fit(x, np.column_stack([x[:, 0], x[:, 1] ** 2, x.sum(axis=1)]))
    for given in (estimator, estimator.get_booster()):
        found = from_xgboost(given, x).predict({"features": x})["prediction"]
        np.testing.assert_allclose(np.stack(list(found)), estimator.predict(x), rtol=SINGLE, atol=1e-7)


def test_classes_of_trees_with_vectors_in_their_leaves_have_the_probabilities_of_the_library() -> None:
    x, y = np.random.default_rng(0).normal(size=(120, 3)), np.arange(120) % 3
    estimator = XGBClassifier(multi_strategy="multi_output_tree", **OPTIONS).fit(x + y[:, None], y)
    found = from_xgboost(estimator, x).predict({"features": x})["probability"]
    np.testing.assert_allclose(np.stack(list(found)), estimator.predict_proba(x), rtol=SINGLE)


def squares(y: Any, predicted: Any) -> Any:
    return predicted - y, np.ones_like(predicted)


@pytest.mark.parametrize(
    ("estimator", "y", "message"),
    [
        (XGBRegressor(missing=0.1, **OPTIONS), labels(), r"missing is 0\.1, and no float"),
        (XGBRegressor(objective=squares, **OPTIONS), labels(), "a function of its own"),
        (
            XGBRegressor(booster="dart", rate_drop=0.5, **OPTIONS),
            np.stack([labels(), labels()], axis=1),
            "several targets of DART",
        ),
    ],
)
def test_what_the_op_of_mleap_cannot_do_is_rejected(estimator: Any, y: Any, message: str) -> None:
    with pytest.raises(UnsupportedOpError, match=f"XGBoost's XGBRegressor: .*{message}"):
        from_xgboost(estimator.fit(np.nan_to_num(boosters.features(120)), y))


def test_what_is_not_fitted_or_does_not_fit_is_rejected() -> None:
    with pytest.raises(SchemaError, match="not fitted"):
        from_xgboost(XGBRegressor())
    with pytest.raises(SchemaError, match="there are 2 features"):
        from_xgboost(boosters.train("reg:squarederror"), np.zeros((1, 2)))


# ---- files ------------------------------------------------------------------------------------------------------------

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "xgboost-3" / "predictions.json").read_text())
"""Files that XGBoost 3.2 and 3.4 saved, and what these versions predict for ``boosters.features(6, 5)``."""


def predicted(model: Model, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result = model.transform({"features": x})
    return np.stack(list(result["probability" if "probability" in result else "prediction"]))


@pytest.mark.parametrize("file", RECORDED)
def test_a_file_of_xgboost_3_predicts_what_xgboost_3_does(file: str, tmp_path: Path) -> None:
    """Their base scores are lists, one number per class; since 3.4 the weights of DART are elsewhere."""
    wanted = np.array(RECORDED[file])
    model = from_xgboost(Path(__file__).parent / "xgboost-3" / file)
    for each in (model, reloaded(model, tmp_path, "json")):
        given = predicted(each, boosters.features(6, 5))
        np.testing.assert_allclose(given[:, 1] if wanted.ndim < given.ndim else given, wanted, rtol=SINGLE, atol=1e-7)


@pytest.mark.parametrize("objective", ["reg:gamma", "binary:logistic", "multi:softprob", "survival:aft"])
@pytest.mark.parametrize("kind", boosters.BOOSTERS)
def test_a_file_predicts_what_the_booster_does(objective: str, kind: str, tmp_path: Path) -> None:
    booster = boosters.train(objective, kind)
    for form in boosters.FORMATS:
        (tmp_path / "m").write_bytes(boosters.saved(booster, form))
        assert_predicts(from_xgboost(tmp_path / "m"), booster)
        assert_predicts(from_xgboost(str(tmp_path / "m")), booster)


def test_a_file_of_an_estimator_uses_the_rounds_up_to_the_best_one_and_that_of_its_booster_all(tmp_path: Path) -> None:
    x, y = boosters.features(120), labels()
    options = {"n_estimators": 40, "n_jobs": 1, "learning_rate": 1.0, "early_stopping_rounds": 2}
    estimator = XGBRegressor(**options).fit(x[:60], y[:60], eval_set=[(x[60:], y[60:])], verbose=False)
    booster = estimator.get_booster()
    booster.save_model(tmp_path / "booster.json")
    booster.set_attr(scikit_learn='{"_estimator_type": "regressor"}')
    booster.save_model(tmp_path / "estimator.json")
    wanted = booster.predict(boosters.matrix(x)), estimator.predict(x)
    assert not np.allclose(*wanted)
    for file, values in zip(("booster.json", "estimator.json"), wanted, strict=True):
        np.testing.assert_allclose(predicted(from_xgboost(tmp_path / file), x), values, rtol=SINGLE, atol=1e-7)


def test_columns_of_a_file_have_the_names_of_the_training_data(tmp_path: Path) -> None:
    data = pd.DataFrame(boosters.features(120), columns=["a", "b", "c", "d"])
    booster = XGBRegressor(**OPTIONS).fit(data, labels()).get_booster()
    booster.save_model(tmp_path / "m.ubj")
    assert from_xgboost(tmp_path / "m.ubj").schema.inputs.names == ("a", "b", "c", "d")


def test_the_bundle_has_the_binary_format_that_mleap_reads() -> None:
    (node,) = from_xgboost(boosters.train("multi:softprob")).nodes
    assert isinstance(node.op, XGBoostClassifier) and node.op.booster[:4] == b"binf"
    assert parse_booster(node.op.booster, "xgboost.model").base_score.shape == (1,)


ALTERED: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "targets": (("learner_model_param", "num_target"), "2", "num_target is 2, and not every target has trees"),
    "classes of a regression": (("learner_model_param", "num_class"), "3", "num_class is 3 with the objective"),
    "objective": (("objective", "name"), "reg:mystery", 'learner.objective.name: "reg:mystery" is none of'),
    "multi-class objective": (("objective", "name"), "multi:softprob", "num_class is 0 with the objective"),
    "expectiles": (("objective", "name"), "reg:expectileerror", 'learner.objective.name: "reg:expectileerror"'),
    "best iteration": (
        ("attributes",),
        {"best_iteration": "9", "scikit_learn": ""},
        "its best iteration is 9, of 4 rounds",
    ),
    "best iteration that is no number": (
        ("attributes",),
        {"best_iteration": "-1", "scikit_learn": ""},
        'learner.attributes.best_iteration is "-1"',
    ),
    "leaf": (
        ("gradient_booster", "model", "trees", 0, "split_conditions", -1),
        float("nan"),
        "trees[0].split_conditions has numbers that are not finite",
    ),
    "unknown field": (("gradient_booster", "model", "scale"), 2, 'model: the field "scale" is unknown'),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_file_that_mleap_cannot_compute_is_rejected_by_name_of_the_field(name: str, tmp_path: Path) -> None:
    path, value, message = ALTERED[name]
    document = json.loads(boosters.saved(boosters.train("reg:squarederror"), "json"))
    place = document["learner"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    (tmp_path / "m.json").write_text(json.dumps(document))
    with pytest.raises(ExportError) as caught:
        from_xgboost(tmp_path / "m.json")
    assert str(caught.value).startswith(f"{tmp_path / 'm.json'}: XGBoost's model: ") and message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nope\.json: No such file"):
        from_xgboost(tmp_path / "nope.json")


def test_several_targets_of_a_binary_objective_are_rejected() -> None:
    y = np.stack([labels() > 0, labels() > 1], axis=1).astype(int)
    estimator = XGBClassifier(**OPTIONS).fit(boosters.features(120), y)
    for model in (estimator, estimator.get_booster()):
        with pytest.raises(UnsupportedOpError, match="several targets of classes are not supported"):
            from_xgboost(model)
