"""One JVM per process of the tests, and the results for docs/mleap-jvm.md."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mleap.judging import RESULT, RESULTS
from tests.mleap.jvm import VARIABLE, MLeap

_counts: dict[str, Counter[str]] = {}


@pytest.fixture(scope="session")
def mleap() -> Iterator[MLeap]:
    """MLeap's runtime."""
    runner = MLeap(Path(os.environ[VARIABLE]).absolute())
    yield runner
    runner.close()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the results; the processes of pytest-xdist send theirs to the first one."""
    if report.when == "call":
        for name, value in report.user_properties:
            if name == RESULT:
                source, *outcomes = str(value).split(" ")
                _counts.setdefault(source, Counter()).update(outcomes)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the counts where that is asked for, and all tests pass."""
    if exitstatus == 0 and os.environ.get("LEAPSTREAM_MLEAP_RESULTS") and not hasattr(session.config, "workerinput"):
        text = json.dumps({source: dict(sorted(_counts[source].items())) for source in sorted(_counts)}, indent=2)
        RESULTS.write_text(text + "\n", encoding="utf-8")
