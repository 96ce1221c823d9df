"""The fuzz cases have the answers of MLeap's JVM on every executor."""

from __future__ import annotations

import pytest

from tests.fuzz.comparing import GROUPS, assert_the_jvms_answers, differences
from tests.fuzz.exceptions import EXCEPTIONS
from tests.fuzz.recorded import cases

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("group", range(GROUPS))
def test_batches_have_the_answers_of_mleap(group: int) -> None:
    assert_the_jvms_answers("vectorized", group)


@pytest.mark.parametrize("group", range(GROUPS))
def test_records_have_the_answers_of_mleap(group: int) -> None:
    assert_the_jvms_answers("record", group)


def test_the_archive_has_4000_cases_of_all_ops() -> None:
    assert len(cases()) == 4000
    assert sum(len(case.answers) for case in cases()) > 47_000


def test_each_exception_differs_on_some_backend() -> None:
    listed = [case for case in cases() if case.number in EXCEPTIONS]
    assert len(listed) == len(EXCEPTIONS) <= 20
    assert [case.number for case in listed if not differences(case, "vectorized")] == []
