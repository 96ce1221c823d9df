"""Files of LightGBM are read without LightGBM; what does not fit is rejected by name of the field."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from leapstream import ExportError, SourceError, UnsupportedExportError, from_lightgbm
from leapstream.exporters.lightgbm_files import parse_lightgbm
from tests.exporters.test_lightgbm import BOOSTERS, asked, assert_predicts, signal, train

KINDS = [BOOSTERS[0], BOOSTERS[6], BOOSTERS[7], BOOSTERS[8], BOOSTERS[11], *BOOSTERS[15:]]


@pytest.mark.parametrize(("objective", "label", "options"), KINDS)
def test_a_file_predicts_what_the_booster_does(
    objective: str, label: str, options: dict[str, Any], tmp_path: Path
) -> None:
    booster = train(objective, label, **{**options, "rounds": 3})
    booster.save_model(tmp_path / "m.txt")
    (tmp_path / "m.json").write_text(json.dumps(booster.dump_model()))
    for file in ("m.txt", "m.json"):
        assert_predicts(from_lightgbm(tmp_path / file), booster, asked())


@pytest.mark.slow
def test_a_file_with_categories_of_pandas_takes_texts(tmp_path: Path) -> None:
    cities = np.random.default_rng(5).choice(["Oslo", "Bern", "Rome"], 300)
    data = pd.DataFrame({"size": signal(), "city": pd.Categorical(cities)})
    estimator = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1, min_child_samples=2)
    estimator.fit(data, data["size"] + 3 * (cities == "Rome"))
    estimator.booster_.save_model(tmp_path / "m.txt")
    texts = data.assign(city=cities.astype(object))
    result = from_lightgbm(tmp_path / "m.txt", texts).transform(texts)
    np.testing.assert_allclose(result["prediction"], estimator.predict(data), rtol=1e-12)
    with pytest.raises(ExportError, match="1 columns of pandas' categories"):
        from_lightgbm(tmp_path / "m.txt")


def saved(objective: str = "regression", label: str = "amount", **options: Any) -> str:
    text = train(objective, label, rounds=1, num_leaves=4, **options).model_to_string()
    return str(text[: text.index("parameters:")])


def line(name: str, value: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = [f"{name}={value}" if given.startswith(f"{name}=") else given for given in text.split("\n")]
        assert lines != text.split("\n")
        return "\n".join(lines)

    return change


TEXTS: dict[str, tuple[Callable[[str], str], str]] = {
    "nothing": (lambda text: "", "the first line is not 'tree'"),
    "version": (line("version", "v5"), 'version is "v5"; known are v2, v3, v4'),
    "an unknown field": (lambda text: text.replace("num_class", "scale=2\nnum_class", 1), "unknown field"),
    "a repeated field": (lambda text: text.replace("num_class=1", "num_class=1\nnum_class=2", 1), "a second time here"),
    "an unknown field of a tree": (lambda text: text.replace("shrinkage", "bias=2\nshrinkage"), "Tree=0: "),
    "the end": (lambda text: text[: text.index("end of trees")], "the file ends before the trees do"),
    "another number": (lambda text: text.replace("Tree=0", "Tree=1"), "\"Tree=1\" is not 'Tree=0'"),
    "sizes": (line("tree_sizes", "1 2"), "tree_sizes has 2 sizes for 1 trees"),
    "features": (line("max_feature_idx", "2000000000"), "feature_names has 4 names, and max_feature_idx is 2000000000"),
    "trees of an iteration": (
        line("num_tree_per_iteration", "2"),
        "num_tree_per_iteration is 2, and there are 1 trees",
    ),
    "no trees of an iteration": (line("num_tree_per_iteration", "0"), "num_tree_per_iteration is 0"),
    "leaves": (line("num_leaves", "2000000000"), "Tree=0: leaf_value has 4 numbers, not 2000000000"),
    "no leaves": (line("num_leaves", "0"), "Tree=0: leaf_value has 4 numbers, not 0"),
    "a feature": (line("split_feature", "4 3 3"), "Tree=0: split_feature or leaf_features is beyond the booster's 4"),
    "a category that is a number": (line("split_feature", "3 3 3"), 'split_feature "Column_3" is tested as number and'),
    "a child": (line("left_child", "1000000 -1 -2"), "a node that does not exist"),
    "a leaf": (line("left_child", "1 -5 -2"), "a node that does not exist"),
    "a cycle": (line("left_child", "0 0 0"), "do not make a tree"),
    "two parents": (line("left_child", "1 -1 -1"), "do not make a tree"),
    "a threshold": (line("threshold", "nan 0 1"), "threshold is not a list of numbers"),
    "no number": (line("threshold", "x 0 1"), "threshold is not a list of numbers"),
    "a value": (line("leaf_value", "1 2 3 inf"), "leaf_value has a number that is not finite"),
    "a type": (line("decision_type", "12 9 9"), "decision_type has an unknown type"),
    "sets of categories": (line("num_cat", "1000000"), "num_cat is 1000000, and 2 splits test for categories"),
    "a set of two splits": (line("threshold", "0.3 0 0"), "num_cat is 2, and 2 splits"),
    "bounds": (line("cat_boundaries", "0 2 1"), "cat_boundaries do not fit cat_threshold"),
    "bits": (line("cat_threshold", "292 4294967296"), "cat_threshold has a number that is not of 32 bits"),
    "no bits": (line("cat_threshold", "292 0"), "expected categories from 0 to"),
    "a linear tree without models": (line("is_linear", "1"), "Tree=0: leaf_const is missing"),
    "objective": (line("objective", "regression mystery"), 'the option "mystery" is unknown'),
    "an unknown objective": (line("objective", "mystery"), "the objective 'mystery' is not supported"),
    "another objective": (line("objective", "multiclass num_class:3"), "num_tree_per_iteration is 1"),
    "one class": (line("objective", "multiclass num_class:1"), "num_tree_per_iteration is 1"),
    "sigmoid": (line("objective", "binary sigmoid:0"), 'sigmoid is "0", not a positive number'),
    "no sigmoid": (line("objective", "binary"), 'sigmoid is "", not a positive number'),
}


LINEAR: dict[str, tuple[str, str, str]] = {
    "a feature beyond": ("leaf_features", "0 4", "split_feature or leaf_features is beyond the booster's 4 features"),
    "no feature": ("leaf_features", "0 -1", "split_feature or leaf_features is beyond the booster's 4 features"),
    "fewer features": ("leaf_features", "0", "num_features does not fit the 1 numbers of leaf_features"),
    "a number of features": ("num_features", "3 -1 0 0", "num_features does not fit the 2 numbers"),
    "a coefficient": ("leaf_coeff", "1 inf", "leaf_coeff has a number that is not finite"),
    "fewer coefficients": ("leaf_coeff", "1", "leaf_coeff has 1 numbers, not 2"),
    "fewer constants": ("leaf_const", "1 2", "leaf_const has 2 numbers, not 4"),
}


def with_linear_leaves(text: str) -> str:
    models = {"leaf_const": "1 2 3 4", "num_features": "2 0 0 0", "leaf_features": "0 1", "leaf_coeff": "1 2"}
    lines = "\n".join(f"{key}={models[key]}" for key in models)
    return text.replace("is_linear=0", f"is_linear=1\n{lines}")


def test_linear_leaves_of_trees_whose_zeros_are_missing_are_not_exported(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(with_linear_leaves(saved(zero_as_missing=True)))
    with pytest.raises(UnsupportedExportError, match=r"linear_tree.*zero_as_missing"):
        from_lightgbm(tmp_path / "m.txt")


def test_linear_leaves_that_would_make_a_huge_model_are_not_exported(tmp_path: Path) -> None:
    count = 6000
    names = " ".join(f"Column_{i}" for i in range(count))
    given = {"num_features": f"{count} 0 0 0", "leaf_features": " ".join(map(str, range(count)))}
    text = with_linear_leaves(saved())
    for field, value in (*given.items(), ("leaf_coeff", "1 " * count), ("feature_names", names)):
        text = line(field, value)(text)
    (tmp_path / "m.txt").write_text(line("max_feature_idx", str(count - 1))(text))
    with pytest.raises(UnsupportedExportError, match="linear_tree.* would make more than 67108864 nodes"):
        from_lightgbm(tmp_path / "m.txt")


@pytest.mark.parametrize("name", LINEAR)
def test_altered_linear_leaves_are_rejected_by_name_of_the_field(name: str, tmp_path: Path) -> None:
    field, value, message = LINEAR[name]
    text = with_linear_leaves(saved())
    (tmp_path / "m.txt").write_text(text)
    from_lightgbm(tmp_path / "m.txt")
    (tmp_path / "m.txt").write_text(line(field, value)(text))
    with pytest.raises(ExportError, match=f"Tree=0: {message}"):
        from_lightgbm(tmp_path / "m.txt")


@pytest.mark.parametrize("name", TEXTS)
def test_an_altered_text_is_rejected_by_name_of_the_field(name: str, tmp_path: Path) -> None:
    change, message = TEXTS[name]
    (tmp_path / "m.txt").write_text(change(saved()))
    with pytest.raises(ExportError) as caught:
        from_lightgbm(tmp_path / "m.txt")
    assert str(caught.value).startswith(f"{tmp_path / 'm.txt'}: LightGBM's model: ")
    assert message in str(caught.value)


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    *places, name, value = path

    def change(document: dict[str, Any]) -> None:
        found: Any = document
        for place in places:
            found = found[place]
        found[name] = value

    return change


ROOT = ("tree_info", 0, "tree_structure")
LINEAR_LEAF = {"leaf_value": 1, "leaf_const": 2, "leaf_features": [0, 1], "leaf_coeff": [1, 2.5]}
DUMPS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "version": (put("version", "v5"), 'version is "v5"'),
    "name": (put("name", "forest"), "name is not 'tree'"),
    "an unknown field": (put("scale", 2), 'the booster: the field "scale" is unknown'),
    "an unknown field of a split": (put(*ROOT, "bias", 2), 'tree_structure: the field "bias" is unknown'),
    "a linear leaf": (put(*ROOT, {**LINEAR_LEAF, "leaf_const": None}), "leaf_const is null, not a finite number"),
    "coefficients": (put(*ROOT, {**LINEAR_LEAF, "leaf_coeff": [1.0]}), "leaf_coeff has 1 numbers, not 2"),
    "a coefficient": (put(*ROOT, {**LINEAR_LEAF, "leaf_coeff": [1.0, "2"]}), 'leaf_coeff is "2", not a finite number'),
    "a feature of a leaf": (put(*ROOT, {**LINEAR_LEAF, "leaf_features": [0, -1]}), "leaf_features is -1, not a number"),
    "a feature beyond": (
        put(*ROOT, {**LINEAR_LEAF, "leaf_features": [0, 4]}),
        "leaf_features is beyond the booster's 4",
    ),
    "a leaf": (put(*ROOT, {"leaf_value": True}), "leaf_value is true, not a finite number"),
    "an infinite leaf": (put(*ROOT, {"leaf_value": float("inf")}), "leaf_value is Infinity, not a finite number"),
    "a child": (put(*ROOT, "left_child", 3), "a node is 3, not an object"),
    "a feature": (put(*ROOT, "split_feature", 4), "split_feature or leaf_features is beyond the booster's 4"),
    "no feature": (put(*ROOT, "split_feature", -1), "split_feature is -1, not a number from 0"),
    "a threshold": (put(*ROOT, "threshold", None), "threshold is null, not a finite number"),
    "a side": (put(*ROOT, "default_left", 1), "default_left is 1, neither true nor false"),
    "a kind of missing": (put(*ROOT, "missing_type", "All"), "missing_type or decision_type is unknown"),
    "a decision": (put(*ROOT, "decision_type", "<"), "missing_type or decision_type is unknown"),
    "categories": (
        lambda document: document["tree_info"][0]["tree_structure"].update(
            decision_type="==", threshold="1||2000000000"
        ),
        "expected categories from 0 to",
    ),
    "a list of categories": (
        lambda document: document["tree_info"][0]["tree_structure"].update(decision_type="==", threshold="1|2"),
        "not a list of categories",
    ),
    "an index": (put("tree_info", 0, "tree_index", 1), "tree_info[0].tree_index is 1"),
}


@pytest.mark.parametrize("name", DUMPS)
def test_an_altered_dump_is_rejected_by_name_of_the_field(name: str, tmp_path: Path) -> None:
    change, message = DUMPS[name]
    document = train("regression", "amount", rounds=1, num_leaves=4).dump_model()
    change(document)
    (tmp_path / "m.json").write_text(json.dumps(document))
    with pytest.raises(ExportError) as caught:
        from_lightgbm(tmp_path / "m.json")
    assert str(caught.value).startswith(f"{tmp_path / 'm.json'}: LightGBM's model: ")
    assert message in str(caught.value)


def test_text_and_dump_have_the_same_trees() -> None:
    booster = train("regression", "amount")
    text = parse_lightgbm(booster.model_to_string().encode(), "m")
    dump = parse_lightgbm(json.dumps(booster.dump_model()).encode(), "m")
    (first,), (second,) = text.forests, dump.forests
    assert len(first) == len(second) == 10
    for ours, theirs in zip(first, second, strict=True):
        assert sorted(ours.values[ours.left < 0, 0]) == sorted(theirs.values[theirs.left < 0, 0])
        assert sorted(map(tuple, ours.categories.values())) == sorted(map(tuple, theirs.categories.values()))


def test_several_sums_of_an_objective_of_ones_own_are_rejected(tmp_path: Path) -> None:
    text = saved("multiclass", "three", num_class=3)
    (tmp_path / "m.txt").write_text(text.replace("objective=multiclass num_class:3", "objective=custom"))
    with pytest.raises(ExportError, match="it gives 3 sums, and one is supported"):
        from_lightgbm(tmp_path / "m.txt")


def test_a_deep_tree_is_read(tmp_path: Path) -> None:
    """Its nodes are a list, 3,000 levels deep, which LightGBM grows of one feature too."""
    count = 3000
    numbers = range(count)
    values = {
        "num_leaves": count + 1,
        "num_cat": 0,
        "split_feature": "0 " * count,
        "threshold": " ".join(str(float(-n)) for n in numbers),
        "decision_type": "2 " * count,
        "left_child": " ".join(str(n + 1 if n + 1 < count else -1 - count) for n in numbers),
        "right_child": " ".join(str(-1 - n) for n in numbers),
        "leaf_value": " ".join(map(str, range(count + 1))),
        "shrinkage": 1,
    }
    tree = "\n".join(f"{name}={value}" for name, value in values.items())
    text = saved()
    (tmp_path / "m.txt").write_text(f"{text[: text.index('Tree=0')]}Tree=0\n{tree}\n\nend of trees\n")
    found = from_lightgbm(tmp_path / "m.txt").predict({"features": [[5.0] * 4, [-1500.5] * 4, [-9999.0] * 4]})
    assert found["prediction"].tolist() == [0.0, 1501.0, 3000.0]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nope\.txt: No such file"):
        from_lightgbm(tmp_path / "nope.txt")
