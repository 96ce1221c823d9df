"""Every case of the family modules runs on every executor of the registry."""

from __future__ import annotations

import pytest

from leapstream.executors.contract import Executor
from leapstream.executors.registry import executors
from tests.primitives.cases import Case


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the known drifts to fail; one that passes is mended, and its mark has to go."""
    for item in items:
        given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        case = given.get("case")
        if isinstance(case, Case) and given.get("executor") in case.drifts:
            item.add_marker(pytest.mark.xfail(reason="known drift", strict=True))


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.flink] if name == "jvm" else []) for name in executors()],
    scope="session",
)
def executor(request: pytest.FixtureRequest) -> Executor:
    """An executor; all tests of a session share one Java virtual machine."""
    return executors()[request.param]
