"""LightGBM's boosters: every objective, kind of split and side of what is missing, on both executors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leapstream import SchemaError, UnsupportedOpError, from_lightgbm, from_sklearn
from leapstream.model import Model
from tests.exporters.agreement import assert_agrees, reloaded


def rows() -> npt.NDArray[np.float64]:
    """Numbers, categories from -1 on, and missing values among all."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    x[:, 3] = rng.integers(-1, 9, len(x))
    return np.where(rng.random(x.shape) < 0.1, np.nan, x)


def signal() -> npt.NDArray[np.float64]:
    x = np.nan_to_num(rows(), nan=0.7)
    result: npt.NDArray[np.float64] = x[:, 0] + x[:, 3] % 3 + x[:, 1] * x[:, 2]
    return result


def asked() -> npt.NDArray[np.float64]:
    """Rows with categories that were not seen, and numbers that are none."""
    x = rows()[:60]
    x[:8, 3] = [-0.5, 0.3, 99.0, np.nan, 2.9, -3.0, 1.0, -1.0]
    x[8, :3], x[9, :3] = 0.0, -1e-40
    return x


LABELS: dict[str, Any] = {
    "amount": signal,
    "positive": lambda: np.abs(signal()) + 0.1,
    "two": lambda: (signal() > 1).astype(int),
    "three": lambda: np.digitize(signal(), [0, 2]),
    "share": lambda: (np.tanh(signal()) + 1) / 2,
}


def train(objective: str, label: str, **options: Any) -> lightgbm.Booster:
    parameters = {
        "objective": objective,
        "verbose": -1,
        "num_threads": 1,
        "seed": 1,
        "min_data_in_leaf": 3,
        "min_data_per_group": 3,
        "cat_smooth": 1,
        **options,
    }
    rounds = parameters.pop("rounds", 10)
    data = lightgbm.Dataset(rows(), LABELS[label](), categorical_feature=[3], free_raw_data=False)
    return lightgbm.train(parameters, data, rounds)


def assert_predicts(
    model: Model, booster: lightgbm.Booster, x: npt.NDArray[np.float64], backend: Any = "vectorized"
) -> None:
    wanted = np.asarray(booster.predict(x))
    result = model.transform({"features": x}, backend=backend)
    classes = "probability" in result
    given = np.stack(list(result["probability" if classes else "prediction"]))
    np.testing.assert_allclose(given[:, 1] if classes and wanted.ndim == 1 else given, wanted, rtol=1e-12, atol=1e-12)
    if classes:
        predicted = wanted.argmax(axis=1) if wanted.ndim > 1 else wanted > 0.5
        assert result["prediction"].tolist() == predicted.astype(float).tolist()


RF: dict[str, Any] = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
BOOSTERS: list[tuple[str, str, dict[str, Any]]] = [
    *((objective, "amount", {}) for objective in ("regression", "regression_l1", "huber", "fair", "quantile", "mape")),
    ("regression", "amount", {"reg_sqrt": True}),
    ("regression", "amount", {"boosting": "dart"}),
    ("regression", "amount", RF),
    ("regression", "amount", {"use_missing": False}),
    ("regression", "amount", {"linear_tree": True}),
    ("regression", "amount", {"linear_tree": True, **RF}),
    ("regression", "amount", {"max_cat_to_onehot": 20}),
    ("regression", "amount", {"rounds": 1, "num_leaves": 2, "min_data_in_leaf": 299}),
    *((objective, "positive", {}) for objective in ("poisson", "gamma", "tweedie")),
    ("binary", "two", {}),
    ("binary", "two", {"sigmoid": 2.5}),
    ("binary", "two", RF),
    ("binary", "two", {"linear_tree": True}),
    ("multiclass", "three", {"num_class": 3}),
    ("multiclass", "three", {"num_class": 3, "linear_tree": True}),
    ("multiclassova", "three", {"num_class": 3, "sigmoid": 0.7}),
    ("cross_entropy", "share", {}),
    ("cross_entropy_lambda", "share", {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("objective", "label", "options"), BOOSTERS)
def test_a_model_predicts_what_the_booster_does(
    objective: str, label: str, options: dict[str, Any], tmp_path: Path
) -> None:
    booster = train(objective, label, **options)
    model = from_lightgbm(booster)
    assert_predicts(model, booster, asked())
    for form in ("json", "protobuf"):
        assert_predicts(reloaded(model, tmp_path, form), booster, asked())


@pytest.mark.flink
@pytest.mark.slow
def test_the_jvm_predicts_what_the_boosters_do() -> None:
    for objective, label, options in (BOOSTERS[0], BOOSTERS[6], BOOSTERS[15], BOOSTERS[18], BOOSTERS[19], BOOSTERS[21]):
        booster = train(objective, label, **options)
        assert_predicts(from_lightgbm(booster), booster, asked(), "jvm")


def test_trees_that_test_for_categories_are_part_of_the_tests() -> None:
    splits = sum(tree["num_cat"] for tree in train("regression", "amount").dump_model()["tree_info"])
    assert splits > 5


def test_an_objective_of_ones_own_predicts_the_sum_of_the_trees() -> None:
    def squares(predicted: Any, data: Any) -> Any:
        return predicted - data.get_label(), np.ones_like(predicted)

    data = lightgbm.Dataset(rows()[:, :3], signal())
    booster = lightgbm.train({"objective": squares, "verbose": -1, "num_threads": 1}, data, 3)
    assert_predicts(from_lightgbm(booster), booster, rows()[:, :3])


def test_only_the_rounds_up_to_the_best_one_count() -> None:
    data, label = rows()[:, :3], signal()
    train_set = lightgbm.Dataset(data[:150], label[:150])
    valid = lightgbm.Dataset(data[150:], label[150:], reference=train_set)
    stop = lightgbm.early_stopping(2, verbose=False)
    parameters = {"objective": "regression", "verbose": -1, "num_threads": 1, "learning_rate": 0.9}
    booster = lightgbm.train(
        parameters, train_set, 60, valid_sets=[valid], callbacks=[stop], keep_training_booster=True
    )
    assert 0 < booster.best_iteration < booster.current_iteration()
    assert_predicts(from_lightgbm(booster), booster, data)


def test_the_estimators_classes_are_predicted() -> None:
    labels = np.array(["oak", "pine", "yew"])[np.digitize(signal(), [0, 2])]
    for y in (labels, labels == "oak", np.where(labels == "oak", 7, 3)):
        estimator = LGBMClassifier(n_estimators=4, verbose=-1, n_jobs=1).fit(rows(), y)
        assert_agrees(from_lightgbm(estimator), estimator, asked())


def test_a_ranker_predicts_scores() -> None:
    y = np.clip(np.digitize(signal(), [0, 1, 2]), 0, 3)
    estimator = LGBMRanker(n_estimators=3, verbose=-1, n_jobs=1).fit(rows(), y, group=[100] * 3)
    assert_agrees(from_lightgbm(estimator), estimator, asked())


def test_columns_have_the_names_of_the_training_data() -> None:
    data = pd.DataFrame(rows()[:, :2], columns=["size", "price"])
    estimator = LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1).fit(data, signal())
    model = from_lightgbm(estimator)
    assert model.schema.inputs.names == ("size", "price")
    assert_agrees(model, estimator, data)


def test_categories_of_pandas_are_given_as_texts() -> None:
    rng = np.random.default_rng(5)
    cities = rng.choice(["Oslo", "Bern", "Rome"], 300)
    data = pd.DataFrame({"size": rng.normal(size=300), "city": pd.Categorical(cities)})
    y = data["size"] + 3 * (cities == "Rome")
    estimator = LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1, min_child_samples=2).fit(data, y)
    texts = data.assign(city=cities.astype(object))
    model = from_lightgbm(estimator, texts)
    texts.loc[0, "city"], texts.loc[1, "city"] = "Paris", None
    of_training = texts["city"].where(texts["city"] != "Paris")
    known = data.assign(city=pd.Categorical(of_training, categories=data["city"].cat.categories))
    result = model.transform(texts)
    np.testing.assert_allclose(result["prediction"], estimator.predict(known), rtol=1e-12)
    with pytest.raises(UnsupportedOpError, match="1 columns of pandas' categories, and 0 columns are texts"):
        from_lightgbm(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["booster", "text", "dump"])
def test_zeros_that_are_missing_go_where_missing_numbers_go(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    x[rng.random(x.shape) < 0.3] = 0.0
    y = x[:, 0] + 2.0 * (x[:, 1] == 0.0) + x[:, 2] ** 2
    estimator = LGBMRegressor(n_estimators=10, zero_as_missing=True, verbose=-1, n_jobs=1).fit(x, y)
    x[:9, 1] = np.nan
    given: Any = estimator
    if form != "booster":
        given = tmp_path / "model"
        booster = estimator.booster_
        given.write_text(booster.model_to_string() if form == "text" else json.dumps(booster.dump_model()))
    found = from_lightgbm(given, x, check=form != "dump").predict({"features": x})["prediction"]
    np.testing.assert_allclose(found, estimator.predict(x), rtol=1e-12)


@pytest.mark.slow
def test_linear_models_in_leaves_read_the_features_and_not_those_before_a_scaler() -> None:
    x = np.nan_to_num(rows(), nan=0.7)
    estimator = make_pipeline(StandardScaler(), LGBMRegressor(linear_tree=True, n_estimators=5, verbose=-1, n_jobs=1))
    found = from_sklearn(estimator.fit(x, signal()), x).predict({"features": x})["prediction"]
    np.testing.assert_allclose(found, estimator.predict(x), rtol=1e-9)


def test_what_is_not_fitted_is_rejected() -> None:
    with pytest.raises(SchemaError, match="not fitted"):
        from_lightgbm(LGBMRegressor())
