"""The values of random rows are those of training, or those that the ops of a model tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import leapstream
from leapstream import Model, demo
from leapstream.bundle.types import DataShape
from leapstream.drift import Column, Profile
from leapstream.ops.base import Op
from leapstream.ops.feature import Bucketizer, OneHotEncoder, StandardScaler, StringIndexer, StringMap, VectorAssembler
from leapstream.ops.pipeline import Pipeline
from leapstream.usual import Usual, usual_record, usual_values
from tests.pipelines import node

BENCH = Path(__file__).parent / "bench"


def single(op: Op, port: str = "input") -> Model:
    """A model of one op, which reads ``x``."""
    return Model.from_node(node("op", op, {port: "x"}, {"output": "y"}))


def trained(*columns: Column) -> Profile:
    return Profile(columns, 10, 10)


def test_labels_of_ops_are_the_choices() -> None:
    labels = tuple("abcdefghijk")
    assert usual_values(single(StringIndexer((labels,))))["x"].choices == labels[:8]
    assert usual_values(single(StringMap(("a", "b"), (1.0, 2.0))))["x"].choices == ("a", "b")


def test_categories_that_are_numbers_are_the_choices() -> None:
    usual = usual_values(Model.from_node(node("op", OneHotEncoder((3,)), {"input0": "x"}, {"output0": "y"})))
    assert usual["x"].choices == ("0", "1", "2")


def test_buckets_are_all_met() -> None:
    usual = usual_values(single(Bucketizer((-np.inf, 10.0, 20.0, np.inf))))["x"]
    assert (usual.low, usual.high) == (9.0, 21.0)


def test_elements_of_an_assembled_vector_are_followed_to_the_inputs() -> None:
    shapes = (DataShape("scalar"), DataShape("tensor", dimensions=(2,)), DataShape("scalar"))
    assemble = VectorAssembler(shapes)
    scale = StandardScaler(np.array([1.0, 10, 20, 5]), np.array([0.5, 1, 2, 5]))
    model = Model.from_node(
        Pipeline(
            "p",
            (
                node("assemble", assemble, {"input0": "a", "input1": "v", "input2": "b"}, {"output": "all"}),
                node("scale", scale, {"input": "all"}, {"output": "scaled"}),
            ),
        )
    )
    usual = usual_values(model)
    assert {name: (values.low, values.high) for name, values in usual.items()} == {
        "a": (0.5, 1.5),
        "v": (9.0, 22.0),
        "b": (0.0, 10.0),
    }


def test_thresholds_of_trees_lie_within_the_range() -> None:
    model = leapstream.load(BENCH / "forest3-20x5.zip")
    usual = usual_values(model)["features"]
    assert -0.2 < usual.low < 0.1 and 0.9 < usual.high < 1.2


def test_an_input_is_missing_where_the_model_predicts_without_it() -> None:
    usual = usual_values(leapstream.load(demo.bundle("loans")))
    assert usual["state"].missing > 0
    assert usual_values(single(StringIndexer((("a",),))))["x"].missing == 0
    assert usual_values(single(StringIndexer((("a",),), "keep")))["x"].missing > 0


def test_a_profile_has_the_values_and_the_rate_of_missing_ones() -> None:
    model = Model.from_node(
        Pipeline(
            "p",
            (
                node("i", StringIndexer((("a", "b"),), "keep"), {"input": "t"}, {"output": "i"}),
                node("b", Bucketizer((0.0, 1.0, 2.0), "keep"), {"input": "n"}, {"output": "o"}),
            ),
        )
    )
    profile = trained(
        Column("t", "input", "category", (5, 3, 1, 0), 1, values=("z", "b", "a")),
        Column("n", "input", "number", (5, 4, 1), edges=(0.25, 1.5)),
        Column("o", "output", "number", (10,), edges=()),
    )
    assert usual_values(model, profile) == {
        "t": Usual(choices=("b", "a"), missing=0.1),
        "n": Usual(0.25, 2.75),
    }


def test_the_last_bin_of_training_is_as_wide_as_the_one_before() -> None:
    def usual(*edges: float) -> tuple[float, float]:
        column = Column("x", "input", "number", (1,) * (len(edges) + 1), 0, edges)
        values = usual_values(single(Bucketizer((-np.inf, 10.0, np.inf))), trained(column))["x"]
        return values.low, values.high

    assert usual(0.0, 1.0, 2.0) == (0.0, 3.0)
    assert usual(0.0) == (0.0, 1.0)
    # All values were equal: the bins do not tell which.
    assert usual() == (5.0, 15.0)


def test_integers_have_a_range_of_integers() -> None:
    (field,) = usual_values(
        single(StringMap(("1", "2"), (1.0, 2.0))), trained(Column("x", "input", "number", (1, 1, 1), edges=(0.4, 7.9)))
    ).values()
    assert field.choices == ("1", "2")


def test_a_usual_record_is_predicted() -> None:
    model = leapstream.load(demo.bundle("loans"))
    assert usual_record(model).keys() == set(model.schema.inputs.names)
    assert model.predict_record(usual_record(model)) is not None
    assert usual_record(single(StringIndexer((("a", "b"),)))) == {"x": "a"}
