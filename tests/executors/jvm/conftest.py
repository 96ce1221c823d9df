"""One Java virtual machine for all tests of a session: PyFlink keeps its gateway until the process ends."""

from __future__ import annotations

import pytest

from leapstream.executors.jvm import gateway


@pytest.fixture(scope="session")
def java() -> None:
    gateway.runtime()
