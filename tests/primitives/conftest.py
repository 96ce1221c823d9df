"""Every case of the family modules runs on every executor of the registry."""

from __future__ import annotations

import pytest

from leapstream.executors.contract import Executor
from leapstream.executors.registry import executors


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.flink] if name == "jvm" else []) for name in executors()],
    scope="session",
)
def executor(request: pytest.FixtureRequest) -> Executor:
    """An executor; all tests of a session share one Java virtual machine."""
    return executors()[request.param]
