"""A booster's file whose parts do not fit, or whose meaning is unknown, is rejected by name of the field."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from leapstream import BundleError
from leapstream.bundle import booster as layout
from leapstream.bundle.booster import parse_booster
from leapstream.bundle.booster_writer import encode_booster
from tests.boosters import saved, train

Document = dict[str, Any]


def document(objective: str = "reg:squarederror", kind: str = "gbtree") -> Document:
    given: Document = json.loads(
        saved(train(objective, kind, 2, **({} if kind == "gblinear" else {"max_depth": 2})), "json")
    )
    return given


def parsed(given: Document) -> layout.Booster:
    return parse_booster(json.dumps(given).encode(), "m.json")


def learner(given: Document) -> Document:
    return given["learner"]


def parameters(given: Document) -> Document:
    return given["learner"]["learner_model_param"]


def model(given: Document) -> Document:
    return given["learner"]["gradient_booster"]["model"]


def tree(given: Document) -> Document:
    return model(given)["trees"][0]


def put(place: Callable[[Document], Document], name: str, value: Any) -> Callable[[Document], None]:
    def change(given: Document) -> None:
        place(given)[name] = value

    return change


def put_item(name: str, index: int, value: Any) -> Callable[[Document], None]:
    def change(given: Document) -> None:
        tree(given)[name][index] = value

    return change


def vectors(all_trees: bool, elements: int, **fields: Any) -> Callable[[Document], None]:
    """Lets one or all trees have vectors of two elements in their leaves."""

    def change(given: Document) -> None:
        for one in model(given)["trees"] if all_trees else [tree(given)]:
            one["tree_param"]["size_leaf_vector"] = "2"
            one.update(base_weights=[1.0] * elements, **fields)

    return change


ALTERED: dict[str, tuple[Callable[[Document], None], str]] = {
    "version 4": (lambda d: d.update(version=[4, 0, 0]), "version: a file of XGBoost 4.0.0"),
    "version 0": (lambda d: d.update(version=[0, 90, 0]), "version: a file of XGBoost 0.90.0"),
    "no version": (lambda d: d.pop("version"), "version is null"),
    "a new field": (put(learner, "calibration", {}), 'learner: the field "calibration" is unknown'),
    "a new parameter": (put(parameters, "scale", "2"), 'learner_model_param: the field "scale" is unknown'),
    "a new field of the model": (put(model, "tree_scale", [1, 1]), 'model: the field "tree_scale" is unknown'),
    "a new field of a tree": (put(tree, "leaf_weights", []), 'trees[0]: the field "leaf_weights" is unknown'),
    "vectors in some leaves": (vectors(False, 14), "the trees' leaves have vectors of different sizes"),
    "vectors in leaves of one target": (vectors(True, 14), "tree_info: the trees' groups do not fit"),
    "vectors of another size": (vectors(True, 13), "base_weights has 13 elements, not vectors of 2 for 7 nodes"),
    "places of vectors": (vectors(True, 14, leaf_weights=[1.0] * 8), "leaf_weights has 8 elements"),
    "weights for another number of trees": (put(model, "weight_drop", [1.0]), "weight_drop has 1 weights for 2 trees"),
    "classes and targets": (
        lambda d: parameters(d).update(num_class="2", num_target="2"),
        "num_class is 2 and num_target is 2",
    ),
    "base scores": (put(parameters, "base_score", "[1E0,2E0]"), "base_score has 2 numbers for 1 groups"),
    "a base score that is not a number": (put(parameters, "base_score", "[0.5"), 'base_score is "[0.5", not a number'),
    "a base score of text": (put(parameters, "base_score", '["1"]'), "not a number or a list of numbers"),
    "no base score": (put(parameters, "base_score", "[]"), "not a number or a list of numbers"),
    "an infinite base score": (put(parameters, "base_score", "1E300"), "base_score is [inf], which is not finite"),
    "a negative number": (put(parameters, "num_feature", "-1"), 'num_feature is "-1", not a number from 0'),
    "a large number": (put(parameters, "num_class", "4294967296"), "num_class is"),
    "too few features": (put(parameters, "num_feature", "1"), "split_indices: a node tests a feature beyond"),
    "names": (put(learner, "feature_names", ["a"]), "feature_names has 1 names for 4 features"),
    "a number of trees": (lambda d: model(d)["gbtree_model_param"].update(num_trees="3"), "num_trees is 3, not 2"),
    "ids": (lambda d: tree(d).update(id=1), "the trees' ids are not the numbers from 0 to 1"),
    "no id": (lambda d: tree(d).pop("id"), "the trees' ids"),
    "a tree of no group": (put(model, "tree_info", [0, 1]), "tree_info: the trees' groups do not fit"),
    "rounds": (put(model, "iteration_indptr", [0, 1, 3]), "iteration_indptr: the trees do not make whole rounds"),
    "the first round": (put(model, "iteration_indptr", [1, 1, 2]), "iteration_indptr starts with 1"),
    "nodes": (lambda d: tree(d)["tree_param"].update(num_nodes="3000000000"), "elements, and num_nodes is 3000000000"),
    "a child beyond the nodes": (put_item("left_children", 0, 1000), "right_children: a right child is not"),
    "a node that is its own child": (
        lambda d: tree(d).update(
            left_children=[0, *tree(d)["left_children"][1:]], right_children=[1, *tree(d)["right_children"][1:]]
        ),
        "a node has two parents, or is its own ancestor",
    ),
    "a right child elsewhere": (
        put_item("right_children", 0, 1),
        "right_children: a right child is not the node after",
    ),
    "a child of two parents": (
        lambda d: tree(d).update(left_children=[1, 3, 3, -1, -1, -1, -1], right_children=[2, 4, 4, -1, -1, -1, -1]),
        "a node has two parents",
    ),
    "a feature that is no integer": (put_item("split_indices", 0, 0.5), "split_indices is not a list of integers"),
    "a list of texts": (put(tree, "split_conditions", ["1"] * 7), "split_conditions is not a list of numbers"),
    "categories of no node": (
        put(tree, "categories_nodes", [0]),
        "categories_nodes differs from the nodes of split_type 1",
    ),
    "another kind of split": (put_item("split_type", 0, 2), "split_type is not a list of 7 numbers 0 and 1"),
    "categories that are not there": (
        lambda d: tree(d).update(
            split_type=[1, *[0] * 6],
            categories_nodes=[0],
            categories_segments=[0],
            categories_sizes=[9],
            categories=[1],
        ),
        "categories_sizes: a split's categories do not fit",
    ),
    "categories of two nodes at once": (
        lambda d: tree(d).update(
            split_type=[1, 1, *[0] * 5],
            categories_nodes=[0, 1],
            categories_segments=[0, 0],
            categories_sizes=[2, 2],
            categories=[1, 2],
        ),
        "categories_sizes: a split's categories do not fit",
    ),
    "a large category": (
        lambda d: tree(d).update(
            split_type=[1, *[0] * 6],
            categories_nodes=[0],
            categories_segments=[0],
            categories_sizes=[1],
            categories=[1 << 24],
        ),
        "categories: a category is not a number from 0 to 16777215",
    ),
    "another booster": (
        lambda d: learner(d)["gradient_booster"].update(name="gbforest"),
        'a booster of type "gbforest"',
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_an_altered_document_is_rejected_by_name_of_the_field(name: str) -> None:
    change, message = ALTERED[name]
    given = document()
    assert len(tree(given)["left_children"]) == 7
    change(given)
    with pytest.raises(BundleError) as caught:
        parsed(given)
    assert str(caught.value).startswith("m.json: ") and message in str(caught.value)


def test_base_score_is_one_number_or_since_version_3_1_a_list() -> None:
    for text, wanted in (("5E-1", [0.5]), ("[5E-1]", [0.5]), ("[1E0,-2E0,3]", [1.0, -2.0, 3.0])):
        given = document("multi:softprob")
        parameters(given)["base_score"] = text
        assert parsed(given).base_score.tolist() == wanted


def test_a_linear_booster_has_the_first_base_score_for_every_class_as_in_xgboost() -> None:
    given = document("multi:softprob", "gblinear")
    parameters(given)["base_score"] = "[1E0,-2E0,3E0]"
    assert parsed(given).base_score.tolist() == [1.0]


def test_weights_of_dart_are_where_version_3_4_has_them_or_where_older_ones_had() -> None:
    new = document()
    model(new)["weight_drop"] = [0.5, 0.25]
    old = document()
    booster = learner(old)["gradient_booster"]
    learner(old)["gradient_booster"] = {"name": "dart", "gbtree": booster, "weight_drop": [0.5, 0.25]}
    for given in (new, old):
        weights = parsed(given).drop_weights
        assert weights is not None and weights.tolist() == [0.5, 0.25]


def test_attributes_and_names_are_read_from_each_format() -> None:
    booster = train("reg:squarederror").copy()
    booster.set_attr(best_iteration="2")
    booster.feature_names = ["a", "b", "c", "d"]
    for form in ("json", "ubj"):
        read = parse_booster(saved(booster, form), "m")
        assert read.attributes == {"best_iteration": "2"} and read.feature_names == ("a", "b", "c", "d")


def test_a_pruned_split_for_categories_is_a_leaf() -> None:
    given = document()
    leaf = tree(given)["left_children"].index(-1)
    kinds = [0] * 7
    kinds[leaf] = 1
    tree(given).update(
        split_type=kinds, categories_nodes=[leaf], categories_segments=[0], categories_sizes=[1], categories=[2]
    )
    assert parsed(given).trees[0].categories == {}


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (4 + 20, struct.pack("<I", 9), "a file of XGBoost 9"),
        (4, struct.pack("<f", float("nan")), "base_score is [nan]"),
        (4 + 4, struct.pack("<I", 1), "a feature beyond the booster's 1"),
        (4 + 136, struct.pack("<Q", 1 << 62), "bytes are expected"),
    ],
)
def test_an_altered_binary_file_is_rejected(offset: int, value: bytes, message: str) -> None:
    data = bytearray(encode_booster(parse_booster(saved(train("reg:squarederror")), "m")))
    data[offset : offset + len(value)] = value
    with pytest.raises(BundleError) as caught:
        parse_booster(bytes(data), "m.model")
    assert message in str(caught.value)


def test_nodes_of_the_binary_format_are_checked() -> None:
    data = encode_booster(parse_booster(saved(train("reg:squarederror", rounds=1, max_depth=2)), "m"))
    start = data.index(b"gbtree") + 6 + layout.TREES.size + layout.TREE.size
    for name, value, message in (
        ("left", 7, "right_children"),
        ("right", 5, "right_children"),
        ("left", -7, "left_children"),
    ):
        nodes = np.frombuffer(data[start : start + 7 * layout.NODE.itemsize], layout.NODE).copy()
        nodes[name][0] = value
        altered = data[:start] + nodes.tobytes() + data[start + len(nodes.tobytes()) :]
        with pytest.raises(BundleError, match=message):
            parse_booster(altered, "m")
