from __future__ import annotations

import pytest

from leapstream.serving.identifiers import RequestIds


def test_a_request_keeps_the_id_that_it_brings() -> None:
    assert RequestIds().of("trace:1/a") == "trace:1/a"


@pytest.mark.parametrize("given", [None, "", "two words", "line\n", "ü", "x" * 129])
def test_a_request_without_an_id_for_logs_gets_a_new_one(given: str | None) -> None:
    ids = RequestIds("g")
    first, second = ids.of(given), ids.of(given)
    assert first != second and given not in (first, second)
    assert "-g" in first
