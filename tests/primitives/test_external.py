"""Graphs of TensorFlow: ``make test-tensorflow`` runs them, where the library is."""

from __future__ import annotations

import importlib.util

import pytest

from leapstream import BackendError
from leapstream.executors.contract import Executor
from leapstream.plan import primitives as p
from tests.primitives.cases import VEC, VECTOR, Case

GRAPH = p.Graph(data=b"", format="graph", feeds=("x",), fetches=("y",))
CASES = [Case("a graph gives a tensor", p.TensorFlow(xs=(VEC,), graph=GRAPH, fetch=0, type=VECTOR), [])]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_graphs_need_the_library_and_only_the_default_executor_runs_them(case: Case, executor: Executor) -> None:
    if executor.name != "vectorized":
        assert executor.missing(case.plan) == ("primitive TensorFlow",)
        case.check(executor)
    elif importlib.util.find_spec("tensorflow") is None:
        with pytest.raises(BackendError, match="TensorFlow graphs need the library"):
            executor.prepare(case.plan)
