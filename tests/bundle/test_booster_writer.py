"""XGBoost and our own reader read back the same booster, bit for bit."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xgboost

from leapstream.bundle.booster import parse_booster
from leapstream.bundle.booster_writer import encode_booster
from tests.boosters import BOOSTERS, OBJECTIVES, WRITES_BINARY, features, matrix, saved, train

X = features(60, seed=5)
needs_binary = pytest.mark.skipif(not WRITES_BINARY, reason="XGBoost reads no binary format since version 3.1")
TRAINABLE = [(o, b) for o in OBJECTIVES for b in BOOSTERS if (o, b) != ("reg:absoluteerror", "gblinear")]


def loaded(data: bytes) -> xgboost.Booster:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the format
        return xgboost.Booster({"nthread": 1}, model_file=bytearray(data))


def categorical() -> xgboost.Booster:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, (300, 2)).astype(float)
    data = xgboost.DMatrix(
        x,
        np.isin(x[:, 0], [1, 4]) * 2.0 + (x[:, 1] == 3),
        feature_types=["c", "c"],
        enable_categorical=True,
        nthread=1,
    )
    return xgboost.train({"max_depth": 3, "max_cat_to_onehot": 2, "nthread": 1}, data, 3)


@needs_binary
@pytest.mark.parametrize(("objective", "kind"), TRAINABLE)
def test_xgboost_reads_back_what_is_written(objective: str, kind: str) -> None:
    trained = train(objective, kind)
    data = encode_booster(parse_booster(saved(trained), "m"))
    assert data[:4] == b"binf"
    again = loaded(data)
    for options in ({"output_margin": True}, {}, {"pred_contribs": True}):
        np.testing.assert_array_equal(again.predict(matrix(X), **options), trained.predict(matrix(X), **options))
    if kind != "gblinear":
        np.testing.assert_array_equal(
            again.predict(matrix(X), pred_leaf=True), trained.predict(matrix(X), pred_leaf=True)
        )


@pytest.mark.parametrize("kind", BOOSTERS)
@pytest.mark.parametrize("objective", ["reg:quantileerror", "binary:logistic", "survival:aft"])
def test_what_is_written_is_read_as_the_same_booster(objective: str, kind: str) -> None:
    booster = parse_booster(saved(train(objective, kind)), "m")
    again = parse_booster(encode_booster(booster), "n")
    for name in (
        "objective",
        "base_is_margin",
        "num_feature",
        "groups",
        "group",
        "rounds",
        "parallel_trees",
        "settings",
    ):
        assert getattr(again, name) == getattr(booster, name)
    for name in ("base_score", "drop_weights", "weights"):
        np.testing.assert_array_equal(getattr(again, name), getattr(booster, name))
    for ours, theirs in zip(again.trees, booster.trees, strict=True):
        for name in ("left", "value", "cover"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        split = theirs.left >= 0
        np.testing.assert_array_equal(ours.feature[split], theirs.feature[split])
        np.testing.assert_array_equal(ours.default_left[split], theirs.default_left[split])


@pytest.mark.parametrize("kind", ["gbtree", "dart"])
def test_base_scores_of_the_classes_go_into_the_trees_and_change_no_bit(kind: str) -> None:
    """As XGBoost 3.1 and newer estimate them; here given to a booster of any version."""
    trained = train("multi:softprob", kind, num_parallel_tree=2)
    scores = np.array([0.3, -1.25, 0.7], dtype=np.float32)
    booster = replace(parse_booster(saved(trained), "m"), base_score=scores)
    again = parse_booster(encode_booster(booster), "n")
    assert again.base_score.tolist() == [0.0]
    for group, score in enumerate(scores):
        first = booster.group.index(group)
        for number in (n for n, g in enumerate(booster.group) if g == group):
            theirs, ours = booster.trees[number], again.trees[number]
            weight = np.float32(1) if booster.drop_weights is None else booster.drop_weights[number]
            kept = np.float32(1) if again.drop_weights is None else again.drop_weights[number]
            leaves = theirs.left < 0
            added = score if number == first else np.float32(0)
            np.testing.assert_array_equal(ours.value[leaves] * kept, theirs.value[leaves] * weight + added)
            np.testing.assert_array_equal(ours.value[~leaves], theirs.value[~leaves])


def test_equal_base_scores_stay_one_number() -> None:
    booster = parse_booster(saved(train("multi:softprob")), "m")
    equal = replace(booster, base_score=np.full(3, 0.25, dtype=np.float32))
    assert parse_booster(encode_booster(equal), "n").base_score.tolist() == [0.25]


def test_base_scores_of_classes_without_trees_are_a_list() -> None:
    booster = parse_booster(saved(train("multi:softprob")), "m")
    scores = np.array([0.3, -1.25, 0.7], dtype=np.float32)
    data = encode_booster(replace(booster, base_score=scores, trees=(), group=(), rounds=()))
    assert json.loads(data)["learner"]["learner_model_param"]["base_score"] == "[0.3,-1.25,0.7]"
    assert parse_booster(data, "n").base_score.tolist() == scores.tolist()


@pytest.mark.parametrize("rounds", [3, 2])
def test_trees_that_test_for_categories_are_written_in_json(rounds: int) -> None:
    trained = categorical()
    booster = parse_booster(saved(trained), "m")
    count = booster.rounds[rounds - 1]
    data = encode_booster(
        replace(booster, trees=booster.trees[:count], group=booster.group[:count], rounds=booster.rounds[:rounds])
    )
    assert data[:1] == b"{"
    rows = np.array([[1.0, 3.0], [4.0, 0.0], [9.0, 2.0], [np.nan, 3.0], [0.0, np.nan]])
    rows_of: Any = xgboost.DMatrix(rows, feature_types=["c", "c"], enable_categorical=True, nthread=1)
    wanted = trained.predict(rows_of, iteration_range=(0, rounds))
    np.testing.assert_array_equal(loaded(data).predict(rows_of), wanted)


def test_rounds_of_several_sizes_are_written_in_json() -> None:
    booster = replace(parse_booster(saved(train("reg:squarederror")), "m"), rounds=(1, 4))
    data = encode_booster(booster)
    assert parse_booster(data, "n").rounds == (1, 4)
    np.testing.assert_array_equal(loaded(data).predict(matrix(X)), train("reg:squarederror").predict(matrix(X)))


@needs_binary
def test_a_base_score_of_a_version_before_1_stays_a_margin() -> None:
    booster = replace(
        parse_booster(saved(train("binary:logistic")), "m"),
        base_is_margin=True,
        base_score=np.array([0.75], dtype=np.float32),
    )
    again = parse_booster(encode_booster(booster), "n")
    assert again.base_is_margin and again.base_score.tolist() == [0.75]
    assert loaded(encode_booster(booster)).num_boosted_rounds() == 4
