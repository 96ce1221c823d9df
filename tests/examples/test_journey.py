"""The journey from scikit-learn through Spark to Flink; each of its steps checks what it was handed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, run

pytestmark = pytest.mark.flink

ROOT = Path(__file__).parents[2]
SPARK = ROOT / ".venv-spark4" / "bin" / "python"


@pytest.mark.timeout(600)
@pytest.mark.skipif(
    "LEAPSTREAM_JOURNEY" not in os.environ, reason="make test-journey runs it, for it needs Spark beside Flink"
)
def test_a_model_goes_from_sklearn_through_spark_to_flink_and_predicts_the_same_at_each_stop(tmp_path: Path) -> None:
    said = [
        "\n".join(run(python, "-W", "ignore", str(EXAMPLES / "journey" / script), str(tmp_path), where=tmp_path))
        for script, python in (("explore.py", sys.executable), ("train.py", str(SPARK)), ("serve.py", sys.executable))
    ]
    assert [text.count("the same") for text in said] == [1, 1, 1]
    assert "for all 569 rows" in said[2]
