"""Nodes of a pipeline are grouped by the steps that they were exported from, and drawn so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

import leapstream
from leapstream import BundleError, Model
from leapstream.bundle import values
from leapstream.bundle.definition import BundleDef
from leapstream.ops.feature import MathUnary
from leapstream.ops.outline import Flow, Group, Member, outline
from leapstream.ops.pipeline import Node, Pipeline
from tests.pipelines import node


def step(name: str, reads: str, place: str | None) -> Node:
    """A node that makes a column of its own name."""
    return replace(node(name, MathUnary("exp"), {"input": reads}, {"output": name}), step=place)


PREP = "Pipeline > 'prep' (Union)"
NODES = (
    step("a", "x", f"{PREP} > 'one' (Scaler)"),
    step("b", "a", f"{PREP} > 'one' (Scaler)"),
    step("c", "x", f"{PREP} > 'two' (Encoder)"),
    step("d", "c", PREP),
    step("e", "b", "Pipeline > 'last' (Regressor)"),
)
PIPELINE = Pipeline("whole", NODES)


def shape(members: tuple[Member, ...]) -> list[Any]:
    """The members by name, those of a group in a list."""
    return [[m.name, *shape(m.members)] if isinstance(m, Group) else m.name for m in members]


SHAPE = [
    ["'prep' (Union)", ["'one' (Scaler)", "a", "b"], ["'two' (Encoder)", "c"], "d"],
    ["'last' (Regressor)", "e"],
]


def test_nodes_are_grouped_by_their_steps_without_the_pipeline_itself() -> None:
    assert shape(outline(PIPELINE)) == SHAPE


def test_a_nested_pipeline_is_a_group() -> None:
    inner = Pipeline("inner", (step("a", "x", None), step("b", "a", None)))
    assert shape(outline(Pipeline("whole", (inner, step("c", "b", None))))) == [["inner", "a", "b"], "c"]


def test_nodes_of_no_step_stand_for_themselves() -> None:
    assert shape(outline(step("a", "x", None))) == ["a"]
    assert shape(outline(Pipeline("p", (step("a", "x", None), step("b", "a", None))))) == ["a", "b"]


def test_a_step_has_a_name_and_a_class() -> None:
    assert Group("'a (b)' (Scaler)", ()).title == ("a (b)", "Scaler")
    assert Group("inner", ()).title == ("inner", "")


def test_a_group_reads_from_outside_and_gives_what_is_read_outside() -> None:
    (prep, last) = outline(PIPELINE)
    assert isinstance(prep, Group) and isinstance(last, Group)
    flow = Flow(NODES, ["d", "e"])
    assert flow.of(prep) == (["x"], ["b", "d"])
    assert flow.of(last) == (["b"], ["e"])


@pytest.mark.parametrize("format", ["json", "protobuf"])
def test_a_bundle_keeps_the_steps(tmp_path: Path, format: Literal["json", "protobuf"]) -> None:
    leapstream.save(Model.from_node(PIPELINE), tmp_path / "m.zip", format=format)
    model = leapstream.load(tmp_path / "m.zip")
    assert [n.step for n in model.nodes] == [n.step for n in NODES]
    assert shape(outline(model.root)) == SHAPE


def test_a_bundle_without_steps_has_no_attribute_for_them() -> None:
    model = Model.from_node(Pipeline("p", (step("a", "x", None),)))
    assert list(model.definition.root.model.attributes) == ["nodes"]


@pytest.mark.parametrize("numbers", [[0], [0, 0, 0, 0, 4], [0, 0, 0, 0, -2]])
def test_numbers_of_steps_that_do_not_fit_are_an_error(numbers: list[int]) -> None:
    definition: BundleDef = Model.from_node(PIPELINE).definition
    whole = definition.root.model
    attributes = {**whole.attributes, "leapstream_step_of_node": values.list_of("int", numbers)}
    bad = replace(definition, root=replace(definition.root, model=replace(whole, attributes=attributes)))
    with pytest.raises(BundleError, match="leapstream_step_of_node"):
        Model(bad)


def test_a_diagram_folds_steps_and_escapes_their_names() -> None:
    evil = "Pipeline > '<script>' (Scaler)"
    model = Model.from_node(Pipeline("p", (step("a", "x", evil), step("b", "a", "Pipeline > 'last' (Regressor)"))))
    shown = model._repr_html_()
    assert shown.count("<details") == 2 and "open" not in shown
    assert "<script" not in shown and "&lt;script&gt;" in shown
    assert "Regressor, 1 op<" in shown


def test_a_diagram_of_many_columns_folds_them() -> None:
    inputs = [step(f"n{i}", f"x{i}", None) for i in range(20)]
    shown = Model.from_node(Pipeline("p", tuple(inputs)))._repr_html_()
    assert "and 8 more" in shown and "x19" in shown
