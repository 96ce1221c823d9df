"""sql: statements in an embedded Flink."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import Result

from leapstream.bundle.frame import LeapFrame
from leapstream.cli.javaerrors import explain
from leapstream.cli.sql import Rows, TextTable, cell_text
from tests.cli.conftest import BENCH, LINEAR
from tests.cli.test_commands import SCRIPT

Run = Callable[..., Result]


def test_a_table_is_as_wide_as_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    table = TextTable(["id", "text"])
    table.add("+I", [1, "日本"])
    table.add("+I", [22, None])
    table.close()
    assert capsys.readouterr().out.splitlines() == [
        "+----+------+",
        "| id | text |",
        "+----+------+",
        "| 1  | 日本 |",
        "| 22 | NULL |",
        "+----+------+",
        "2 rows",
    ]


def test_rows_that_change_others_bring_the_kind_of_change(capsys: pytest.CaptureFixture[str]) -> None:
    table = TextTable(["n"])
    table.add("+I", [1])
    table.flush()
    table.add("-U", [1])
    table.add("+U", [2])
    table.close()
    shown = capsys.readouterr().out
    assert "| op | n |" in shown
    assert "| +U | 2 |" in shown


def test_a_value_is_one_line() -> None:
    assert cell_text("a\nb\x1b[0m") == r"a\nb\x1b[0m"
    assert cell_text([1, {"a": datetime(2020, 1, 2)}]) == '[1, {"a": "2020-01-02T00:00:00"}]'


class _Released(list[object]):
    """Rows that take their time to say to Java that they are no longer needed, as PyFlink's do."""

    by: list[str]

    def __del__(self) -> None:
        time.sleep(0.1)
        self.by.append(threading.current_thread().name)


def test_when_the_rows_end_no_other_thread_speaks_to_java() -> None:
    by: list[str] = []

    class Collected:
        @contextmanager
        def collect(self) -> Iterator[list[object]]:
            rows = _Released()
            rows.by = by
            yield rows

    rows = Rows(Collected())
    assert rows.next(None) is None
    assert len(by) == 1


def test_the_innermost_cause_explains_a_java_exception() -> None:
    error = Exception("org.apache.X: outer\n\tat y\nCaused by: org.apache.Z: the reason\n\tat z")
    assert explain(error) == "the reason"


@pytest.mark.parametrize("target", ["host", "host:", ":8081", "host:0", "host:http"])
def test_a_target_that_is_no_endpoint_is_an_error(run: Run, tmp_path: Path, target: str) -> None:
    script = tmp_path / "q.sql"
    script.write_text("SELECT 1")
    result = run("sql", script, "--target", target)
    assert result.exit_code == 1
    assert "host:port" in result.stderr


def test_a_script_that_does_not_exist_is_an_error(run: Run, tmp_path: Path) -> None:
    assert run("sql", tmp_path / "nope.sql").exit_code == 1


@pytest.mark.flink
def test_statements_run_in_order_and_rows_are_printed_as_json_lines(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "q.sql"
    script.write_text(
        "SET 'execution.runtime-mode' = 'batch';\n"
        "CREATE TEMPORARY VIEW v AS SELECT * FROM (VALUES (1, 'a;b'), (2, 'it''s')) AS t(id, txt);\n"
        "SELECT id, txt, ARRAY[id] AS arr FROM v;\n"
    )
    result = run("sql", script, "--json")
    assert result.exit_code == 0, result.stderr
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": 1, "txt": "a;b", "arr": [1]},
        {"id": 2, "txt": "it's", "arr": [2]},
    ]


@pytest.mark.flink
def test_a_statement_that_fails_is_named_by_its_line_after_what_came_before(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "q.sql"
    script.write_text("SELECT 1 AS n;\n\nSELECT * FROM missing;\n")
    result = run("sql", script)
    assert result.exit_code == 1
    assert "| n |" in result.stdout
    assert result.stderr == f"error: {script}: line 3: Object 'missing' not found\n"


@pytest.mark.flink
def test_statement_sets_write_before_the_next_statement_runs(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "q.sql"
    table = "WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = '{}')"
    script.write_text(
        "SET 'execution.runtime-mode' = 'batch';\n"
        f"CREATE TEMPORARY TABLE a (i INT) {table.format(tmp_path / 'a')};\n"
        f"CREATE TEMPORARY TABLE b (i INT) {table.format(tmp_path / 'b')};\n"
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a VALUES (1); INSERT INTO b VALUES (2); END;\n"
        "SELECT a.i + b.i AS s FROM a, b;\n"
    )
    result = run("sql", script, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"s": 3}


@pytest.mark.flink
def test_functions_of_a_configuration_answer_queries_of_the_installed_script(tmp_path: Path) -> None:
    (tmp_path / "application.conf").write_text(
        f'mleap.udfRegistry = [{{ udfName = "Predict", bundlePath = "{LINEAR}", bundleSource = "file" }}]\n'
    )
    frame = LeapFrame.read(BENCH / "linear3.input.json")
    expected = LeapFrame.read(BENCH / "linear3.expected.json").column("prediction")[:5]
    values = ", ".join(
        f"({i}, {', '.join(f'CAST({v!r} AS DOUBLE)' for v in row[:3])})" for i, row in enumerate(frame.rows[:5])
    )
    (tmp_path / "q.sql").write_text(f"SELECT i, Predict(a, b, c) AS p FROM (VALUES {values}) AS t(i, a, b, c);")
    command = [SCRIPT, "sql", "--batch", "--json", "-c", str(tmp_path / "application.conf"), str(tmp_path / "q.sql")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda row: row["i"])
    assert [row["p"] for row in rows] == pytest.approx(expected, rel=1e-14)
