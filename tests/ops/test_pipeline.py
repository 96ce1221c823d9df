"""Bundles have the ports that MLeap's runtime needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import leapstream
from leapstream import Model
from leapstream.bundle.definition import Socket
from leapstream.ops.clustering import GaussianMixture
from leapstream.ops.feature import StringIndexer
from leapstream.ops.pipeline import Pipeline
from tests.pipelines import node


def mixture() -> Model:
    op = GaussianMixture((np.array([0.0]), np.array([5.0])), (np.eye(1), np.eye(1)), (0.5, 0.5))
    mixed = node("mix", op, {"features": "x"}, {"probability": "shares"})
    return Model.from_node(Pipeline("p", (mixed,)))


def test_ports_that_the_runtime_computes_anyway_are_connected() -> None:
    (written,) = mixture().nodes
    assert written.outputs == (Socket("prediction", "__unused_mix_prediction"), Socket("probability", "shares"))


def test_columns_that_keep_a_port_connected_are_no_outputs(tmp_path: Path) -> None:
    leapstream.save(mixture(), tmp_path / "m.zip")
    for model in (mixture(), leapstream.load(tmp_path / "m.zip")):
        assert model.schema.outputs.names == model.prediction_columns() == ("shares",)
        assert list(model.predict({"x": [5.0]})) == ["shares"]
        assert list(model.transform([{"x": [5.0]}])[0]) == ["x", "shares"]


def test_all_columns_of_an_indexer_are_connected() -> None:
    several = StringIndexer((("a",), ("b",)), "error")
    model = Model.from_node(node("i", several, {"input0": "x", "input1": "y"}, {"output1": "o"}))
    assert [s.name for s in model.nodes[0].outputs] == ["__unused_i_output0", "o"]


def test_an_indexer_of_one_column_has_the_ports_that_all_versions_read() -> None:
    model = Model.from_node(node("i", StringIndexer((("a",),), "error"), {"input0": "x"}, {"output0": "o"}))
    assert model.nodes[0].inputs == (Socket("input", "x"),)
    assert model.nodes[0].outputs == (Socket("output", "o"),)
    assert model.predict({"x": "a"}) == {"o": 0.0}
