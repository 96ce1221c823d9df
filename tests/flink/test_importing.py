"""``leapstream.flink`` brings a module when one of its names is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import leapstream.flink


@pytest.mark.slow
def test_a_worker_imports_what_its_function_needs() -> None:
    code = "import leapstream.flink.udf, sys; print([m for m in sys.modules if m.startswith('leapstream.flink.')])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert "leapstream.flink.udf" in done.stdout
    assert "leapstream.flink.registry" not in done.stdout
    assert "leapstream.flink.streams" not in done.stdout


def test_every_name_is_there() -> None:
    assert all(getattr(leapstream.flink, name) is not None for name in leapstream.flink.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = leapstream.flink.nothing
