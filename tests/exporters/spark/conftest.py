"""One Spark session for the tests of a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    # Without PySpark the tests are skipped before they ask for a session.
    from tests.exporters.spark import stages

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with stages.session() as session:
            yield session
