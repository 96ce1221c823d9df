"""An op with attributes that do not fit raises an error with the bundle, the node and the reason."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from leapstream import BundleError, LeapFrame, LeapstreamError, Model, UnsupportedOpError
from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, NodeDef, Socket
from leapstream.bundle.reader import decode_files, read_bundle
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, DataShape, Schema, TensorType
from leapstream.bundle.writer import encode_files
from leapstream.ops import REGISTRY
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    Binarizer,
    Bucketizer,
    OneHotEncoder,
    SklearnBinarizer,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
)
from leapstream.ops.linear import GeneralizedLinearRegression, LinearRegression, LogisticRegression
from leapstream.ops.pipeline import Node, Pipeline, read_node
from tests.golden_corpus import GOLDEN, Case


def test_every_op_is_registered_under_its_own_name() -> None:
    assert all(cls.op == name for name, cls in REGISTRY.items())


def test_unknown_op_names_bundle_node_and_the_nearest_known_op() -> None:
    node = NodeDef("n1", (), (), ModelDef("linear_regresion"))
    with pytest.raises(UnsupportedOpError, match="bundle 'b', node 'n1': unknown op .*'linear_regression'"):
        read_node(node, "bundle 'b'")


def test_missing_attribute_is_named() -> None:
    node = NodeDef("n1", (Socket("features", "f"),), (), ModelDef("linear_regression"))
    with pytest.raises(
        BundleError, match="bundle 'b', node 'n1': op 'linear_regression': attribute 'coefficients' is missing"
    ):
        read_node(node, "bundle 'b'")


def test_unconnected_input_port_is_named() -> None:
    model = LinearRegression(np.ones(2), 0.0).to_model()
    with pytest.raises(BundleError, match="node 'n1': its input port 'features' is not connected"):
        read_node(NodeDef("n1", (), (), model), "bundle 'b'")


def test_attribute_of_another_type_is_named() -> None:
    model = ModelDef("linear_regression", {"coefficients": values.scalar("double", 1.0)})
    with pytest.raises(BundleError, match="attribute 'coefficients': a tensor of numbers is expected"):
        read_node(NodeDef("n1", (Socket("features", "f"),), (), model), "bundle 'b'")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: StringIndexer((("a",),), "ignore"), "handle_invalid 'ignore'"),  # type: ignore[arg-type]
        (lambda: OneHotEncoder((3,), "skip"), "handle_invalid 'skip'"),
        (lambda: Bucketizer((1.0,)), "at least two"),
        (lambda: StandardScaler(), "a mean or a std"),
        (lambda: StandardScaler(np.ones(2), np.ones(3)), "differ in size"),
        (lambda: VectorAssembler((DataShape("list"),)), "scalars and vectors"),
        (lambda: GeneralizedLinearRegression(np.ones(1), 0.0, "tweedie"), "family 'tweedie'"),
        (lambda: LogisticRegression(3, coefficient_matrix=np.ones((2, 2)), intercept_vector=np.ones(3)), "per class"),
    ],
)
def test_attributes_that_do_not_fit_are_rejected(make: Any, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        make()


def test_matrix_is_held_in_column_major_order() -> None:
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    model = LogisticRegression(3, coefficient_matrix=matrix, intercept_vector=np.zeros(3)).to_model()
    tensor = values.get_tensor(model.attributes["coefficient_matrix"])
    assert isinstance(tensor, Tensor)
    assert (tensor.dimensions, tensor.values.tolist()) == ((3, 2), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0])


def test_pipeline_built_in_python_predicts() -> None:
    assembler = VectorAssembler((DataShape("scalar"), DataShape("scalar")))
    nodes = (
        Node("assemble", assembler, (Socket("input0", "a"), Socket("input1", "b")), (Socket("output", "v"),)),
        Node(
            "line",
            LinearRegression(np.array([2.0, 3.0]), 1.0),
            (Socket("features", "v"),),
            (Socket("prediction", "p"),),
        ),
    )
    model = Model.from_node(Pipeline("pipe", nodes))
    assert model.predict({"a": 1.0, "b": 10.0}) == {"p": 33.0}


def test_pipeline_with_two_nodes_of_one_name_is_rejected() -> None:
    node = Node("n", LinearRegression(np.ones(1), 0.0), (Socket("features", "v"),), (Socket("prediction", "p"),))
    with pytest.raises(BundleError, match="names of its nodes repeat"):
        Model.from_node(Pipeline("pipe", (node, node)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["pipeline/loans-random-forest", "pipeline/loans-logistic-skip", "classification/gbt-classifier"]
)
def test_damaged_attributes_give_no_error_of_another_kind(name: str) -> None:
    case = Case(GOLDEN / name)
    definition, frame = read_bundle(case.bundle), case.input()
    files = encode_files(definition, definition.format)
    rng = random.Random(7)
    outcomes = set()
    for path in sorted(files):
        for _ in range(8):
            data = bytearray(files[path])
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            try:
                Model(decode_files({**files, path: bytes(data)})).transform(frame, on_error="null")
                outcomes.add("fine")
            except LeapstreamError as error:
                outcomes.add(type(error).__name__)
    assert {"fine", "BundleError"} <= outcomes


MATRIX = DataShape("tensor", False, (2, 2))


@pytest.mark.parametrize("op", [Binarizer(0.0, MATRIX), SklearnBinarizer(0.0, (MATRIX,))], ids=lambda op: op.op)
def test_binarizer_makes_a_vector_of_a_matrix(op: Op) -> None:
    model = Model.from_node(Node("n", op, (Socket("input", "x"),), (Socket("output", "y"),)))
    schema = Schema.of([("x", TensorType(BasicType.DOUBLE, (2, 2), nullable=False))])
    (row,) = model.predict(LeapFrame(schema, [(Tensor.dense([[2.0, -1.0], [0.0, 3.0]]),)])).rows
    assert row[0].dimensions == (4,) and row[0].to_dense().tolist() == [1.0, 0.0, 0.0, 1.0]
