"""The files in ``examples/`` do what they say, run as a user runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leapstream import demo

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LEAPSTREAM = str(Path(sys.executable).with_name("leapstream"))
LOANS = {record["id"]: record for record in json.loads((demo.FOLDER / "loans.expected.json").read_text("utf-8"))}

pytestmark = pytest.mark.flink


def run(*command: str, where: Path) -> list[str]:
    """The lines that a command prints, run in a folder that it need not be written in."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_demo_scores_every_loan_as_recorded(tmp_path: Path) -> None:
    lines = run(LEAPSTREAM, "demo", where=tmp_path)
    assert "10 rows in set" in lines
    ways = ["SQL", "DataStream, predict_stream", "DataStream, MLeapMapFunction"]
    scored = [line for line in lines if line.endswith("loans scored as MLeap's JVM runtime recorded")]
    assert scored == [f"{way}: 40 of 40 loans scored as MLeap's JVM runtime recorded" for way in ways]
    assert lines[-1] == scored[-1]


def test_the_sql_job_shows_the_riskiest_loans_that_are_granted() -> None:
    folder = EXAMPLES / "sql"
    lines = run(LEAPSTREAM, "sql", "-c", "application.conf", "score_loans.sql", "--json", where=folder)
    granted = sorted((r["probability"][1], i) for i, r in LOANS.items() if r["prediction"] == 1)
    expected = [{"id": i, "granted": pytest.approx(probability, rel=1e-12)} for probability, i in granted[:5]]
    assert [json.loads(line) for line in lines] == expected


def test_the_datastream_job_scores_each_loan_in_each_way_and_sets_the_failed_one_aside(tmp_path: Path) -> None:
    lines = run(sys.executable, str(EXAMPLES / "datastream" / "loans.py"), where=tmp_path)
    ways: dict[str, list[str]] = {}
    for line in lines:
        way, separator, text = line.partition("> ")
        if separator:
            ways.setdefault(way, []).append(text)
    predictions = {i: record["prediction"] for i, record in LOANS.items()}
    whole = dict(re.findall(r"^\+I\[(\d+),.*?,(?:True|False),([^,]*)", "\n".join(ways["predict_stream"]), re.M))
    assert whole == {**{str(i): str(p) for i, p in predictions.items()}, "99": "None"}
    assert ways["map"] == [str(p) for p in predictions.values()]
    keyed = dict(re.findall(r"^\+I\[Row\(id=(\d+),.*\),(.*)\]$", "\n".join(ways["process"]), re.M))
    assert keyed == {str(i): str(p) for i, p in predictions.items()}
    (failed,) = ways["failed"]
    assert failed.startswith("99: ")
    assert "'income'" in failed
