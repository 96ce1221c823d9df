"""Plans whose vectors do not fit into memory are rejected before any is made."""

from __future__ import annotations

import pytest

from leapstream import Model, PredictionError, SchemaError
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import DataShape
from leapstream.ops.base import Op
from leapstream.ops.feature import DCT, HashingTermFrequency, Interaction, OneHotEncoder, VectorAssembler
from leapstream.ops.pipeline import Node, Pipeline

HUGE = 2**31 - 1


def model_of(*steps: tuple[Op, list[str], str]) -> Model:
    nodes = tuple(
        Node(
            f"n{i}",
            op,
            tuple(Socket(port, column) for port, column in zip(op.inputs(), columns, strict=True)),
            (Socket(next(iter(op.outputs())), output),),
        )
        for i, (op, columns, output) in enumerate(steps)
    )
    return Model.from_node(Pipeline("p", nodes))


def test_a_wide_vector_that_becomes_dense_names_its_node() -> None:
    hashing = HashingTermFrequency(HUGE, True)
    model = model_of((hashing, ["words"], "hashed"), (DCT(False, HUGE), ["hashed"], "z"))
    with pytest.raises(SchemaError, match=r"node 'n1' \(dct\): a vector of 2147483647 elements"):
        model.predict({"words": ["a"]})


def test_wide_vectors_that_stay_sparse_are_not_rejected() -> None:
    model = model_of((HashingTermFrequency(HUGE, True), ["words"], "hashed"), (OneHotEncoder((HUGE,)), ["n"], "one"))
    (row,) = model.transform([{"words": ["a"], "n": 5.0}], outputs=[])
    assert row["n"] == 5.0


def test_products_of_categories_count_by_their_stored_elements() -> None:
    sizes = ((1000,), (1000,), (1000,))
    nominal = Interaction(sizes, (DataShape("scalar", False),) * 3)
    model_of((nominal, ["a", "b", "c"], "product")).plan()


def test_many_vectors_that_fit_one_by_one_are_rejected_together() -> None:
    size = 1 << 22
    steps: list[tuple[Op, list[str], str]] = [
        (DCT(False, size), ["x0" if i == 0 else f"x{i}"], f"x{i + 1}") for i in range(5)
    ]
    with pytest.raises(SchemaError, match="at most 16777216 fit into memory"):
        model_of(*steps).plan()


@pytest.mark.slow
@pytest.mark.parametrize("record", [True, False])
def test_vectors_that_are_longer_than_declared_and_double_fail_their_rows(record: bool) -> None:
    twice = VectorAssembler((DataShape("tensor", False, (2,)),) * 2)
    model = model_of(*((twice, [f"x{i}", f"x{i}"], f"x{i + 1}") for i in range(45)))
    row = {"x0": [1.0, 2.0]}
    with pytest.raises(PredictionError, match="a vector of more than 33554432 elements does not fit into memory"):
        model.predict(row if record else [row], outputs=["x45"])
