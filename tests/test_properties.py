"""Properties of all ops, tested on the recorded cases: the kind of the frame does not matter, and other columns do not change."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest

from leapstream import LeapFrame, Tensor
from leapstream.bundle.definition import ModelDef, NodeDef
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.contract import answers
from leapstream.executors.vectorized.executor import VectorizedPlan
from leapstream.model import Model
from leapstream.ops.base import find_op
from tests.executors.vectorized.test_executor import plain
from tests.golden_corpus import Case, cases

pytestmark = pytest.mark.slow

KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]
FITTING = [case for case in KNOWN if len(case.error_rows) < case.info["rows_in"]]
"""Without frames that do not fit their bundle."""


def by_name(case: Case) -> str:
    return case.name


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-11, abs_tol=1e-300)
    return bool(a == b)


def outcome(model: Model, frame: LeapFrame) -> tuple[dict[int, list[Any]], set[int]]:
    """The values of rows by number, and the rows that fail."""
    found = answers(model.transform, frame)
    return {row: list(map(plain, values)) for row, values in found.rows.items()}, set(found.errors)


def agree(one: tuple[dict[int, list[Any]], set[int]], other: tuple[dict[int, list[Any]], set[int]]) -> bool:
    return (
        one[1] == other[1]
        and one[0].keys() == other[0].keys()
        and all(same(one[0][row], other[0][row]) for row in one[0])
    )


def reshaped(frame: LeapFrame, form: str) -> LeapFrame:
    """The frame with its vectors in another form."""

    def other(value: Any) -> Any:
        if not isinstance(value, Tensor) or value.base is not BasicType.DOUBLE or len(value.dimensions) != 1:
            return value
        dense = value.to_dense()
        stored = np.flatnonzero(dense)
        return Tensor.sparse(len(dense), stored, dense[stored]) if form == "sparse" else Tensor.dense(dense)

    return LeapFrame(frame.schema, [tuple(map(other, row)) for row in frame.rows])


@pytest.mark.parametrize("case", FITTING, ids=by_name)
def test_sparse_and_dense_vectors_give_the_same_unless_an_op_looks_at_what_is_stored(case: Case) -> None:
    model, frame = case.model(), case.input()
    if any(expr.needs_stored for expr in model.plan(frame.schema).order):
        return
    assert agree(outcome(model, reshaped(frame, "sparse")), outcome(model, reshaped(frame, "dense")))


@pytest.mark.parametrize("case", FITTING, ids=by_name)
def test_input_is_left_as_it_is_and_other_columns_do_not_matter(case: Case) -> None:
    model, frame = case.model(), case.input()
    before = copy.deepcopy(frame)
    found = outcome(model, frame)
    assert frame == before
    names = frame.schema.names
    declared = [name for name in names if name in model.schema.inputs]
    positions = [names.index(name) for name in declared]
    others = Field("another", ScalarType(BasicType.STRING))
    few = LeapFrame(
        Schema((others, *(frame.schema[name] for name in declared))),
        [("?", *(row[i] for i in positions)) for row in frame.rows],
    )
    assert agree(found, outcome(model, few))


@pytest.mark.parametrize("case", FITTING, ids=by_name)
def test_batch_cut_in_pieces_and_in_reverse_gives_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model, frame = case.model(), case.input()
    whole = outcome(model, frame)
    last = len(frame.rows) - 1
    backwards = outcome(model, LeapFrame(frame.schema, frame.rows[::-1]))
    assert agree(whole, ({last - row: v for row, v in backwards[0].items()}, {last - row for row in backwards[1]}))
    monkeypatch.setattr(VectorizedPlan, "rows_at_once", 3)
    assert agree(whole, outcome(case.model(), frame))


def models_of(definition: NodeDef) -> list[ModelDef]:
    """The models of a bundle that are ops, without nested ones, which their ops write."""
    model = definition.model
    if model.op == "pipeline":
        return [found for node in model.nodes.values() for found in models_of(node)]
    return [model]


EXPORTERS_ONLY = {"input_col", "input_cols", "output_col", "output_cols", "input_shapes_list", "thresholds_list"}
"""Attributes that exporters write and no reader uses."""
OLD_LAYOUT = {"one_hot_encoder": "size", "string_indexer": "labels"}
"""An attribute that only an older layout has: such models are read, and written in the layout of today."""


@pytest.mark.parametrize("case", [case for case in KNOWN if not case.name.startswith("handmade/")], ids=by_name)
def test_op_writes_the_attributes_that_it_was_read_from(case: Case) -> None:
    for model in models_of(read_bundle(case.bundle).root):
        written = find_op(model.op, "test").from_model(model, "test").to_model().attributes
        # MLeap's own writer counts one list of labels whatever the number, and its reader ignores the others.
        ignored = {"labels_array_1"} if case.name.endswith("labels-length-1") else set()
        if OLD_LAYOUT.get(model.op) in model.attributes:
            continue
        assert model.attributes.keys() - EXPORTERS_ONLY - ignored <= written.keys(), model.op
        for name in model.attributes.keys() & written.keys():
            assert same_value(written[name].data, model.attributes[name].data), (model.op, name)
            assert written[name].shape == model.attributes[name].shape, (model.op, name)


def same_value(ours: Any, theirs: Any) -> bool:
    """Equal; infinities may be written as NaN, which stands for them where JSON has none."""
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return all(map(same_value, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs) or math.isinf(theirs)
    return bool(ours == theirs)
