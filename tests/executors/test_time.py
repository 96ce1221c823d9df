"""Regular expressions that go back over and over fail the row, in every executor with the same text."""

from __future__ import annotations

import pytest

from leapstream.executors.registry import executor
from leapstream.plan import primitives as p
from tests.primitives.cases import STRING, STRINGS, column, plan_of
from tests.primitives.running import Failed, run

pytestmark = pytest.mark.slow

# The one remembers where a loop has failed, the other where a repeated group has.
EVIL = {"vectorized": ("(a|aa)+$", "a" * 80 + "!"), "jvm": ("a*a*a*a*a*a*a*a*c", "a" * 120 + "d")}


@pytest.mark.parametrize("name", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
@pytest.mark.parametrize("kind", ["matches", "gaps", "first"])
def test_a_row_fails_whose_match_takes_too_long(name: str, kind: str) -> None:
    pattern, text = EVIL[name]
    x = column(STRING)
    if kind == "first":
        expr: p.Expr = p.FirstMatch(x=x, patterns=("b", pattern), values=(1, 2), default=3, type=p.INT)
    else:
        expr = p.Tokens(x=x, pattern=pattern, gaps=kind == "gaps", type=STRINGS)
    slow, quick = run(executor(name).prepare(plan_of(o=expr)), [(text,), ("aa",)])
    assert isinstance(slow, Failed)
    assert slow.reason == f"the regular expression '{pattern}' takes too long for this text"
    assert isinstance(quick, dict)
