"""What a standalone cluster, whose processes know nothing of leapstream, makes of a model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import leapstream

from .cluster import Cluster
from .conftest import FOREST, LINEAR

pytestmark = pytest.mark.flink

LEAPSTREAM = str(Path(sys.executable).with_name("leapstream"))


def test_sql_runs_functions_of_a_configuration_on_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "application.conf").write_text(f"""
        mleap.udfRegistry = [
          {{ udfName = "Predict", bundlePath = "{LINEAR}", backend = "jvm" }}
          {{ udfName = "Classify", bundlePath = "{FOREST}", backend = "jvm" }}
        ]
    """)
    rows = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25)]
    values = ", ".join(f"({i}, {', '.join(f'CAST({v} AS DOUBLE)' for v in row)})" for i, row in enumerate(rows))
    (tmp_path / "query.sql").write_text(
        "SET 'execution.runtime-mode' = 'batch';\n"
        f"SELECT Predict(a, b, c) AS p, Classify(a, b, c) AS q FROM (VALUES {values}) AS t(i, a, b, c) ORDER BY i;\n"
    )
    command = [LEAPSTREAM, "sql", "-c", "application.conf", "query.sql", "--target", cluster.target, "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{cluster.log()}"
    linear, forest = leapstream.load(LINEAR), leapstream.load(FOREST)
    expected = [
        {
            "p": linear.predict({"feature1": a, "feature2": b, "feature3": c})["prediction"],
            "q": forest.predict([{"features": [a, b, c]}])[0]["prediction"],
        }
        for a, b, c in rows
    ]
    assert [json.loads(line) for line in done.stdout.splitlines()] == [pytest.approx(e, rel=1e-12) for e in expected]
    jobs = cluster.get("jobs/overview")["jobs"]
    assert isinstance(jobs, list)
    assert [job["state"] for job in jobs] == ["FINISHED"]
