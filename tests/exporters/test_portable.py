"""Exported nodes that MLeap's own runtime reads."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import leapstream
from leapstream import ExportError
from leapstream.bundle.types import ScalarType, TensorType
from leapstream.ops.base import Op
from leapstream.ops.bayes import NaiveBayes
from leapstream.ops.feature import MathUnary, StringIndexer

ROOMS = pd.DataFrame({"rooms": [1.0, 2.0, 3.0, 4.0], "age": [3.0, 1.0, 2.0, 5.0]})
POSITIVE = np.abs(np.random.default_rng(0).normal(size=(9, 2))) + 1


def test_no_node_reads_a_column_at_two_ports() -> None:
    twice = ColumnTransformer([("a", "passthrough", ["rooms"]), ("b", "passthrough", ["rooms", "age"])])
    pipeline = make_pipeline(twice, LinearRegression()).fit(ROOMS, [1, 2, 3, 4])
    model = leapstream.from_sklearn(pipeline, ROOMS)
    for node in model.nodes:
        assert len(set(node.input_columns().values())) == len(node.input_columns())
    np.testing.assert_allclose(model.predict(ROOMS)["prediction"], pipeline.predict(ROOMS), rtol=1e-12)


def test_a_tensor_of_one_element_becomes_a_scalar_before_a_scalar_port() -> None:
    log = FunctionTransformer(np.log).fit(POSITIVE)
    model = leapstream.from_sklearn(log, POSITIVE)
    types: dict[str, Any] = {f.name: f.type for f in model.schema.inputs}
    for node in model.nodes:
        for port, column in node.input_columns().items():
            assert not (isinstance(node.op.inputs()[port], ScalarType) and isinstance(types[column], TensorType))
        types.update((column, node.op.outputs()[port]) for port, column in node.output_columns().items())
    (column,) = model.schema.outputs.names
    np.testing.assert_array_equal(np.stack(model.predict({"features": POSITIVE})[column]), log.transform(POSITIVE))


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_gaussian_naive_bayes_is_exact_and_of_ops_that_mleap_has(shift: float) -> None:
    x = np.random.default_rng(1).normal(size=(60, 3)) + shift
    y = np.digitize(x.sum(axis=1) - 3 * shift, [-1, 1])
    fitted = GaussianNB().fit(x, y)
    model = leapstream.from_sklearn(fitted, x)
    assert "naive_bayes" not in {node.op.op for node in model.nodes}
    result = model.predict({"features": x})
    np.testing.assert_allclose(np.stack(result["probability"]), fitted.predict_proba(x), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(result["prediction"], fitted.predict(x))


def test_an_export_says_what_a_version_of_mleap_lacks() -> None:
    floor = FunctionTransformer(np.floor).fit(POSITIVE)
    with pytest.warns(UserWarning, match=r"'math_unary_1' \(math_unary\): MLeap 0.20.0 has no operation 'floor'"):
        model = leapstream.from_sklearn(floor, POSITIVE)
    assert len(model.mleap_gaps) == 2
    with pytest.raises(ExportError, match="MLeap 0.20.0 has no operation 'floor'"):
        leapstream.from_sklearn(floor, POSITIVE, portable=True)


def test_what_all_versions_of_mleap_run_is_portable() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (
            leapstream.from_sklearn(FunctionTransformer(np.log).fit(POSITIVE), POSITIVE, portable=True).mleap_gaps == ()
        )


@pytest.mark.parametrize(
    ("op", "gap"),
    [
        (StringIndexer((("a",),), "error"), None),
        (StringIndexer((("a",), ("b",)), "error"), "MLeap 0.20.0 indexes one column only"),
        (NaiveBayes(1, 2, np.zeros(2), np.zeros((2, 1)), "multinomial"), None),
        (
            NaiveBayes(1, 2, np.zeros(2), np.zeros((2, 1)), "complement"),
            "no version of MLeap has the type 'complement'",
        ),
        (MathUnary("round"), "MLeap 0.20.0 has no operation 'round'"),
        (MathUnary("abs"), None),
    ],
)
def test_an_op_knows_its_gap(op: Op, gap: str | None) -> None:
    found = op.mleap_gap()
    assert found is None if gap is None else (found or "").startswith(gap)
