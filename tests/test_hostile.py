"""Models that a hostile bundle declares: they load in time and memory that their size justifies, or raise our errors."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

import leapstream
from leapstream import BundleError, Model
from leapstream.bundle.limits import Limits
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.writer import encode_files

Ports = list[tuple[str, str]]
SCALAR = {"base": "scalar", "isNullable": False}
ABS = {"operation": {"string": "abs"}}


def zipped(files: dict[str, Any]) -> bytes:
    """A zip of a bundle with files, each given as text, bytes or a value that JSON holds."""
    info = {"name": "m", "uid": "u", "version": "0.25.2", "format": "json", "timestamp": "t"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"bundle.json": info, **files}.items():
            archive.writestr(name, data if isinstance(data, (str, bytes)) else json.dumps(data))
    return out.getvalue()


def node(inputs: Ports, outputs: Ports, name: str = "n") -> dict[str, Any]:
    sides = {"inputs": inputs, "outputs": outputs}
    return {
        "name": name,
        "shape": {side: [{"port": p, "name": c} for p, c in pairs] for side, pairs in sides.items()},
    }


def listed(kind: str, values: list[Any]) -> dict[str, Any]:
    return {"type": "list", kind: values}


def one(op: str, attributes: dict[str, Any], inputs: Ports, outputs: Ports, **files: Any) -> bytes:
    model = {"op": op, "attributes": attributes}
    return zipped({"root/node.json": node(inputs, outputs), "root/model.json": model, **files})


def pipeline(names: list[str], nodes: dict[str, tuple[str, dict[str, Any], Ports, Ports]]) -> bytes:
    model = {"op": "pipeline", "attributes": {"nodes": listed("string", names)}}
    files: dict[str, Any] = {"root/node.json": node([], []), "root/model.json": model}
    for name, (op, attributes, inputs, outputs) in nodes.items():
        files[f"root/{name}.node/node.json"] = node(inputs, outputs, name)
        files[f"root/{name}.node/model.json"] = {"op": op, "attributes": attributes}
    return zipped(files)


# ---- parts that are named twice ---------------------------------------------------------------------------------------


def test_a_pipeline_may_not_name_a_node_twice() -> None:
    data = pipeline(["a", "a"], {"a": ("math_unary", ABS, [("input", "x")], [("output", "y")])})
    with pytest.raises(BundleError, match="names its node 'a' twice"):
        Model(read_bundle(data))


def test_an_ensemble_may_not_name_a_tree_twice() -> None:
    attributes = {
        "num_features": {"long": 1},
        "tree_weights": listed("double", [1.0, 1.0]),
        "trees": listed("string", ["t", "t"]),
    }
    tree = {
        "root/t/model.json": {"op": "decision_tree_regression", "attributes": {"num_features": {"long": 1}}},
        "root/t/tree.json": '{"type":"leaf","values":[1.0]}\n',
    }
    with pytest.raises(BundleError, match="the model 't' is named twice"):
        Model(read_bundle(one("random_forest_regression", attributes, [("features", "x")], [], **tree)))


# ---- many names -------------------------------------------------------------------------------------------------------

MANY = 30_000


def wide() -> bytes:
    shapes = {"input_shapes": listed("data_shape", [SCALAR] * MANY)}
    return one("vector_assembler", shapes, [(f"input{i}", f"c{i}") for i in range(MANY)], [("output", "o")])


def deep() -> bytes:
    names = [f"a{i}" for i in range(MANY // 10)]
    return pipeline(
        names, {a: ("math_unary", ABS, [("input", f"x{i}")], [("output", f"y{i}")]) for i, a in enumerate(names)}
    )


# With steps for each pair of names, these take minutes.
@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("bundle", [wide, deep])
def test_many_names_take_time_in_proportion(bundle: Any) -> None:
    model = Model(read_bundle(bundle()))
    encode_files(model.definition, "json")
    record = dict.fromkeys(model.schema.inputs.names, -1.0)
    assert model.predict([record]) == [model.predict(record)]


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_many_missing_columns_take_time_in_proportion() -> None:
    model = Model(read_bundle(wide()))
    given = dict.fromkeys(model.schema.inputs.names[: MANY // 2], 1.0)
    with pytest.raises(leapstream.SchemaError, match="is missing"):
        model.predict([given])


# ---- declared sizes ---------------------------------------------------------------------------------------------------


def old_sparse(dimensions: list[int]) -> dict[str, Any]:
    """A sparse tensor as MLeap up to 0.7 wrote attributes."""
    kind = {"type": "tensor", "tensor": {"base": "double"}}
    return {"type": kind, "value": {"values": [1.0], "dimensions": dimensions, "indices": [[0] * len(dimensions)]}}


def linear(coefficients: dict[str, Any]) -> bytes:
    return one(
        "linear_regression",
        {"coefficients": coefficients, "intercept": {"double": 0.0}},
        [("features", "x")],
        [("prediction", "y")],
    )


def test_sparse_attributes_of_many_elements_are_rejected_before_they_are_made() -> None:
    with pytest.raises(BundleError, match=r"2147483646 elements, more than the limit .* \(max_elements\)"):
        read_bundle(linear(old_sparse([2**31 - 1])))


def test_sparse_attributes_count_together() -> None:
    nodes = {
        f"a{i}": (
            "linear_regression",
            {"coefficients": old_sparse([600])},
            [("features", "x")],
            [("prediction", f"y{i}")],
        )
        for i in range(3)
    }
    with pytest.raises(BundleError, match="1198 elements, more than the limit of 1000"):
        read_bundle(pipeline(list(nodes), nodes), limits=Limits(max_elements=1000))


def test_a_sparse_attribute_is_read() -> None:
    model = Model(read_bundle(linear(old_sparse([1 << 18]))))
    assert model.schema.inputs.fields[0].type.size == 1 << 18  # type: ignore[union-attr]


def test_models_in_attributes_may_not_be_nested_without_end() -> None:
    model: dict[str, Any] = {"op": "x", "attributes": {}}
    for _ in range(70):
        model = {"op": "x", "attributes": {"m": {"model": model}}}
    with pytest.raises(BundleError, match="max_depth"):
        read_bundle(zipped({"root/node.json": node([], []), "root/model.json": model}))


def test_a_number_of_labels_that_are_not_there_is_rejected() -> None:
    with pytest.raises(BundleError, match="labels_length is 2147483647"):
        Model(read_bundle(one("string_indexer", {"labels_length": {"int": 2**31 - 1}}, [], [])))
