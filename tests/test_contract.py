"""Tests of comparing a model with recorded frames."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leapstream import BundleError, LeapFrame, Model, SchemaError, Tensor, load
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import BasicType, DataShape, ScalarType, Schema, TensorType
from leapstream.contract import (
    ColumnReport,
    Contract,
    Tolerance,
    answers,
    contracts,
    record,
    verify_folder,
    verify_frames,
)
from leapstream.errors import UnsupportedModelError
from leapstream.ops.feature import Binarizer, HashingTermFrequency, StringIndexer, Tokenizer
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline
from tests.pipelines import node

STRING = ScalarType(BasicType.STRING)
FRAME = LeapFrame(Schema.of([("s", STRING)]), [("a",), ("z",), ("b",), (None,)])


def indexer(invalid: str = "error") -> Model:
    op = StringIndexer((("a", "b"),), invalid)  # type: ignore[arg-type]
    return Model.from_node(Node("index", op, (Socket("input0", "s"),), (Socket("output0", "i"),)))


def difference(ours: Any, theirs: Any, tolerance: Tolerance | None = None) -> str | None:
    column = ColumnReport("c")
    column.compare(0, ours, theirs, tolerance or Tolerance())
    return column.problem


# ---- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (1.0, 1.0 + 1e-12),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ("a", "a"),
        (None, None),
        ([1.0, 2.0], [1.0, 2.0]),
        (Tensor.sparse(3, [1], [2.0]), Tensor.dense([0.0, 2.0, 0.0])),
        (Tensor.sparse(2**31 - 1, [1], [2.0]), Tensor.sparse(2**31 - 1, [1, 5], [2.0, 0.0])),
        ({"a": 1.0}, {"a": 1.0}),
    ],
)
def test_values_that_agree(ours: Any, theirs: Any) -> None:
    assert difference(ours, theirs) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        (1.0, 1.1, "row 0: c is 1.0, and 1.1 is expected"),
        (math.inf, 1.0, "c is inf"),
        (math.nan, 1.0, "c is nan"),
        (None, 1.0, "c is None"),
        (1.0, None, "None is expected"),
        (1, 2, "c is 1"),
        (True, 1, "c is True"),
        ("a", "b", "c is 'a'"),
        ([1.0, 2.0], [1.0, 3.0], r"c\[1\] is 2.0, and 3.0 is expected"),
        (
            Tensor.sparse(2**31 - 1, [8], [2.0]),
            Tensor.sparse(2**31 - 1, [8], [3.0]),
            r"c\[8\] is 2.0, and 3.0 is expected",
        ),
        ([1.0], [1.0, 2.0], "of 1 elements, and one of 2 elements"),
        ([1.0], 1.0, "c is"),
        ({"a": 1.0}, {"b": 1.0}, "c is"),
    ],
)
def test_values_that_differ_are_named(ours: Any, theirs: Any, reason: str) -> None:
    import re

    found = difference(ours, theirs)
    assert found is not None and re.search(reason, found)


def test_worst_difference_is_kept() -> None:
    column = ColumnReport("c")
    for ours, theirs in ((1.0, 1.0), (2.0, 2.5), (10.0, 10.1)):
        column.compare(0, ours, theirs, Tolerance(1.0))
    assert (column.values, column.absolute, column.relative) == (3, 0.5, 0.2)
    assert column.problem is None


def test_tolerance_is_that_of_the_least_exact_op() -> None:
    assert Tolerance.of(["string_indexer", "pipeline"]) == Tolerance(0.0, 0.0)
    assert Tolerance.of(["string_indexer", "als"]) == Tolerance(1e-6, 1e-12)
    assert Tolerance.of(["lda_local_model_op"]) == Tolerance(1e-9, 1e-3)


# ---- rows -------------------------------------------------------------------------------------------------------------


def test_rows_that_fail_and_rows_that_are_dropped_are_told_apart() -> None:
    found = answers(indexer("error").transform, FRAME)
    assert (found.rows, sorted(found.errors)) == ({0: (0.0,), 2: (1.0,)}, [1, 3])
    found = answers(indexer("skip").transform, FRAME)
    assert (found.rows, sorted(found.errors)) == ({0: (0.0,), 2: (1.0,)}, [3])


def test_frame_that_does_not_fit_is_rejected() -> None:
    with pytest.raises(SchemaError):
        answers(indexer().transform, LeapFrame(Schema.of([("t", STRING)]), [("a",)]))


# ---- contracts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("invalid", ["error", "skip", "keep"])
def test_recorded_contract_is_kept_by_the_model(tmp_path: Path, invalid: str) -> None:
    model = indexer(invalid)
    contract = record(model, FRAME, tmp_path / "case")
    assert contract.verify(load(contract.bundle), "vectorized").ok


def test_contract_is_broken_by_another_model(tmp_path: Path) -> None:
    contract = record(indexer("skip"), FRAME, tmp_path / "case")
    problems = contract.verify(indexer("keep"), "vectorized").reasons
    assert problems == ["row 3 has to fail, and does not", "row 1 has to be dropped, and is not"]
    problems = record(indexer("keep"), FRAME, tmp_path / "case").verify(indexer("skip"), "vectorized").reasons
    assert problems[0].startswith("row 3 fails: ") and problems[1] == "row 1 is dropped, and has not to be"


def test_a_report_counts_the_rows_that_agree(tmp_path: Path) -> None:
    contract = record(indexer("skip"), FRAME, tmp_path / "case")
    assert contract.verify(indexer("skip"), "vectorized").agreeing == len(FRAME.rows) == 4
    report = contract.verify(indexer("keep"), "vectorized")
    assert (report.agreeing, report.rows, report.outcome) == (2, 4, "differ")


def test_a_contract_may_require_a_share_of_the_rows(tmp_path: Path) -> None:
    contract = record(indexer("skip"), FRAME, tmp_path / "case")
    assert contract.verify(indexer("keep"), "vectorized", required=0.5).ok
    assert not contract.verify(indexer("keep"), "vectorized", required=0.51).ok


def test_final_outputs_are_compared_and_other_columns_on_request(tmp_path: Path) -> None:
    def doubled(intermediate: float) -> Model:
        first = node("first", LinearRegression(np.array([intermediate]), 0.0), {"features": "x"}, {"prediction": "y"})
        second = node("second", Binarizer(0.5, DataShape("scalar", False)), {"input": "y"}, {"output": "z"})
        return Model.from_node(Pipeline("p", (first, second)))

    given = LeapFrame(Schema.of([("x", TensorType(BasicType.DOUBLE, (1,)))]), [(Tensor.dense([1.0]),)])
    contract = record(doubled(1.0), given, tmp_path / "case")
    assert contract.verify(doubled(2.0), "vectorized").ok
    assert contract.verify(doubled(2.0), "vectorized", intermediate=True).reasons == [
        "row 0: y is 2.0, and 1.0 is expected"
    ]
    expected = contract.frame("expected")
    assert verify_frames(doubled(2.0), given, expected, "vectorized").ok
    assert not verify_frames(doubled(2.0), given, expected, "vectorized", intermediate=True).ok


def test_contract_holds_what_json_cannot(tmp_path: Path) -> None:
    line = LinearRegression(np.array([1.0]), 0.0)
    model = Model.from_node(Node("line", line, (Socket("features", "x"),), (Socket("prediction", "y"),)))
    frame = LeapFrame(model.schema.inputs, [(Tensor.dense([math.nan]),), (Tensor.dense([math.inf]),)])
    contract = record(model, frame, tmp_path / "case")
    assert (tmp_path / "case" / "expected.leap").exists()
    assert contract.verify(model, "vectorized").ok


def test_recording_again_replaces_the_contract(tmp_path: Path) -> None:
    record(indexer("keep"), FRAME, tmp_path)
    record(indexer("error"), FRAME, tmp_path)
    (contract,) = contracts(tmp_path)
    assert [e["row"] for e in contract.info["error_rows"]] == [1, 3]


def test_folder_of_contracts_is_verified_on_each_backend(tmp_path: Path) -> None:
    record(indexer("keep"), FRAME, tmp_path / "a")
    record(indexer("skip"), FRAME, tmp_path / "deep" / "b")
    results = [(c.path.name, backend, report.ok) for c, backend, report in verify_folder(tmp_path, ["vectorized"])]
    assert results == [("a", "vectorized", True), ("b", "vectorized", True)]


def test_folder_without_contracts_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no contracts"):
        list(verify_folder(tmp_path, ["vectorized"]))


def test_damaged_contract_is_a_problem_of_its_own(tmp_path: Path) -> None:
    record(indexer("keep"), FRAME, tmp_path / "a")
    (tmp_path / "a" / "bundle.zip").write_bytes(b"PK nonsense")
    ((_, _, report),) = verify_folder(tmp_path, ["vectorized"])
    assert not report.ok and "bundle.zip" in report.reasons[0]
    (tmp_path / "a" / "case.json").write_text("[1]")
    with pytest.raises(BundleError, match="an object is expected"):
        Contract(tmp_path / "a").info  # noqa: B018


def test_contract_keeps_the_tolerance_that_it_was_recorded_with(tmp_path: Path) -> None:
    record(indexer("keep"), FRAME, tmp_path, tolerance=Tolerance(0.5, 0.25))
    assert Contract(tmp_path).tolerance == Tolerance(0.5, 0.25)
    assert json.loads((tmp_path / "case.json").read_text())["tolerance"] == {"relative": 0.5, "absolute": 0.25}


def test_frames_are_compared_row_by_row() -> None:
    expected = LeapFrame(Schema.of([("i", ScalarType(BasicType.DOUBLE))]), [(0.0,), (2.0,), (1.0,), (2.0,)])
    assert verify_frames(indexer("keep"), FRAME, expected, "vectorized").ok
    report = verify_frames(indexer("skip"), FRAME, expected, "vectorized")
    assert report.reasons[-1] == "the model gives 2 rows, and 4 are expected"


def test_a_backend_that_lacks_something_for_a_model_differs_in_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.writer.MOST_ELEMENTS", 99)
    words = Node("words", Tokenizer(), (Socket("input", "s"),), (Socket("output", "words"),))
    counts = Node("counts", HashingTermFrequency(100), (Socket("input", "words"),), (Socket("output", "counts"),))
    model = Model.from_node(Pipeline("text", (words, counts)))
    contract = record(model, LeapFrame(FRAME.schema, [("a b",)]), tmp_path / "words")
    ((_, _, report),) = verify_folder(tmp_path, ["rowwise"])
    assert (report.outcome, report.ok, report.reasons) == ("lacking", False, [])
    assert report.lacking == ("a list of 100 elements",)
    assert verify_frames(model, contract.frame("input"), contract.frame("expected"), "rowwise") == report


def test_what_a_backend_lacks_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(UnsupportedModelError("lacks it", ("primitive X",))))
    assert (str(error), error.missing) == ("lacks it", ("primitive X",))
