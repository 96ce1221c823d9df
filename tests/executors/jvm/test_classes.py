"""Classifiers and clusterings on the JVM."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream.ops.base import Op
from tests.ops.classes import OPS, check, outputs, rows_of

pytestmark = pytest.mark.flink


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_backends_agree(op: Op, data: st.DataObject) -> None:
    rows = [list(row) for row in data.draw(rows_of(op))]
    for found, expected in zip(outputs(op, *rows, backend="jvm"), outputs(op, *rows), strict=True):
        check(found, expected)
