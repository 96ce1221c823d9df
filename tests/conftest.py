"""For all tests: how hypothesis searches, and an environment that subprocesses can have.

Hypothesis tries the same examples on every run in CI, and new ones elsewhere; it has no deadline, as machines vary.
"""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("local", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

# make test-streams has Kafka's client, and make test-flinks an environment of each version of Flink; make test has neither.
_THERE = {"streams": find_spec("confluent_kafka"), "flinks": os.environ.get("LEAPSTREAM_FLINKS")}
collect_ignore = [folder for folder, there in _THERE.items() if not there]

_DESELECTED = re.compile(r"^pytestmark = .*\bpytest\.mark\.(flink|slow)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A file whose tests ``make test-fast`` deselects anyway is not imported for that: a fifth of all tests."""
    if config.option.markexpr != "not flink and not slow" or collection_path.suffix != ".py":
        return None
    return bool(_DESELECTED.search(collection_path.read_text(encoding="utf-8"))) or None


# A test's Java runs for seconds: it gets the compiler that starts fast, and no threads for garbage.
os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# MLflow reads it when it is imported: tests talk to nobody.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@pytest.fixture(autouse=True)
def _gateway_for_subprocesses() -> None:
    """PyFlink forbids a gateway to a process, and so to those that it starts, once it has run Python functions."""
    os.environ.pop("PYFLINK_GATEWAY_DISABLED", None)
