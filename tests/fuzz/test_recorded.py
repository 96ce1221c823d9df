"""The fuzz cases have the answers of MLeap's JVM on every executor."""

from __future__ import annotations

import pytest

from tests.fuzz.comparing import differences
from tests.fuzz.exceptions import EXCEPTIONS
from tests.fuzz.recorded import Case, cases

GROUPS = 8
"""Tests per backend, so that several processes share the cases."""


def answers_are_the_jvms(backend: str, group: int) -> None:
    compared = [case for case in cases()[group::GROUPS] if case.number not in EXCEPTIONS]
    problems = [problem for case in compared for problem in differences(case, backend)]
    assert not problems, f"{len(problems)} rows differ:\n" + "\n".join(problems[:20])


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_batches_have_the_answers_of_mleap(group: int) -> None:
    answers_are_the_jvms("vectorized", group)


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_records_have_the_answers_of_mleap(group: int) -> None:
    answers_are_the_jvms("record", group)


@pytest.mark.slow
@pytest.mark.flink
@pytest.mark.parametrize("group", range(GROUPS))
def test_java_has_the_answers_of_mleap(group: int) -> None:
    answers_are_the_jvms("jvm", group)


def test_the_archive_has_4000_cases_of_all_ops() -> None:
    assert len(cases()) == 4000
    assert sum(len(case.answers) for case in cases()) > 47_000


@pytest.mark.slow
def test_each_exception_differs_on_some_backend() -> None:
    listed = [case for case in cases() if case.number in EXCEPTIONS]
    assert len(listed) == len(EXCEPTIONS) <= 20
    assert [case.number for case in listed if not differences(case, "vectorized")] == []


def shown(case: Case) -> str:
    return f"{case.op}-{case.number}"


@pytest.mark.parametrize("case", cases()[::400], ids=shown)
def test_a_sample_has_the_answers_of_mleap(case: Case) -> None:
    assert differences(case, "vectorized") == []
