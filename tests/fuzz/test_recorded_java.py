"""The fuzz cases have the answers of MLeap's JVM on the JVM executor."""

from __future__ import annotations

import pytest

from tests.fuzz.comparing import GROUPS, assert_the_jvms_answers


@pytest.mark.slow
@pytest.mark.flink
@pytest.mark.parametrize("group", range(GROUPS))
def test_java_has_the_answers_of_mleap(group: int) -> None:
    assert_the_jvms_answers("jvm", group)
