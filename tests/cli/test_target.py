"""``leapstream sql --target``: clusters that cannot run a script, and jobs that do not run."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from leapstream.cli import target
from leapstream.cli.statements import Statement
from leapstream.cli.target import Target, at_target

pytestmark = pytest.mark.network

Run = Callable[..., Result]
Serve = Callable[[dict[str, Any]], str]

MINE = pytest.importorskip("pyflink.version").__version__


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "q.sql"
    path.write_text("SELECT 1;")
    return path


def overview(flink: str = MINE, *, free: int = 1) -> dict[str, Any]:
    """The answer of a JobManager to a look at its cluster."""
    return {
        "/overview": {"taskmanagers": 1, "slots-total": 1, "slots-available": free, "flink-version": flink},
        "/jobmanager/config": [],
    }


def settings(url: str) -> dict[str, str]:
    """Flink's settings for a cluster."""
    host, _, port = url.removeprefix("http://").partition(":")
    return {"execution.target": "remote", "rest.address": host, "rest.port": port}


def there(url: str) -> Target:
    """The cluster at a URL."""
    found = at_target(settings(url))
    assert found is not None
    return found


def test_a_port_that_nobody_listens_on_is_an_error_at_once(run: Run, script: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    begin = time.monotonic()
    result = run("sql", script, "--target", f"127.0.0.1:{port}")
    assert result.exit_code == 1
    assert f"error: http://127.0.0.1:{port} does not answer: " in result.stderr and "refused" in result.stderr
    assert time.monotonic() - begin < 10


def test_a_port_that_never_answers_is_an_error_within_seconds(
    run: Run, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target._PATIENCE <= 5
    monkeypatch.setattr(target, "_PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        result = run("sql", script, "--target", f"127.0.0.1:{port}")
    assert result.exit_code == 1
    assert result.stderr == f"error: http://127.0.0.1:{port} does not answer: timed out\n"


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b""])
def test_a_server_that_does_not_speak_http_is_an_error(run: Run, script: Path, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(greeting)

        threading.Thread(target=answer, daemon=True).start()
        result = run("sql", script, "--target", f"127.0.0.1:{other.getsockname()[1]}")
    assert result.exit_code == 1
    assert "does not answer: " in result.stderr


@pytest.mark.parametrize(
    ("answers", "message"),
    [({"/overview": "<html>"}, "the answer is not that of a Flink JobManager"), ({}, "/overview: HTTP 404")],
)
def test_a_server_that_is_not_flink_is_an_error(
    run: Run, serve: Serve, script: Path, answers: dict[str, Any], message: str
) -> None:
    result = run("sql", script, "--target", serve(answers).removeprefix("http://"))
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_cluster_of_another_version_is_an_error_with_the_pyflink_that_fits(
    run: Run, serve: Serve, script: Path
) -> None:
    url = serve(overview("1.19.3"))
    result = run("sql", script, "--target", url.removeprefix("http://"))
    assert result.exit_code == 1
    assert f"{url} runs Flink 1.19.3, to which PyFlink {MINE}" in result.stderr
    assert "pip install 'apache-flink==1.19.*'" in result.stderr


def test_a_cluster_that_a_script_or_a_setting_names_is_asked_too(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "q.sql"
    script.write_text("SET 'execution.target' = 'remote'; SET 'rest.address' = '127.0.0.1'; SELECT 1;")
    result = run("sql", script, "--set", "rest.port=1")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: http://127.0.0.1:1 does not answer: ")


def test_a_cluster_without_a_free_slot_is_said_so(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(overview(free=0))
    there(url)
    assert (
        capsys.readouterr().err
        == f"note: {url} has no free slot now (0 of 1 free, on 1 TaskManager): jobs wait for one\n"
    )


def table(path: str) -> Statement:
    """A statement that makes a table of files."""
    return Statement(f"CREATE TABLE t (i INT) WITH ('connector' = 'filesystem', 'path' = '{path}')", 7)


def test_a_relative_path_of_a_table_is_that_of_the_working_directory(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "it's").mkdir()
    monkeypatch.chdir(tmp_path / "it's")
    cluster = there(serve(overview()))
    whole = str(tmp_path / "it's" / "rows.csv").replace("'", "''")
    assert cluster.with_absolute_paths(table("rows.csv"), "q.sql") == table(whole)
    assert capsys.readouterr().err == (
        f"note: q.sql: line 7: the cluster's machines look for {tmp_path}/it's/rows.csv on their own disks\n"
    )


def test_paths_of_object_stores_and_other_statements_stay_as_they_are(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = there(serve(overview()))
    query = Statement("SELECT '''path'' = ''x''' FROM t", 1)
    assert [cluster.with_absolute_paths(given, "q.sql") for given in (table("s3://b/x"), query)] == [
        table("s3://b/x"),
        query,
    ]
    elsewhere = overview() | {"/jobmanager/config": [{"key": "fs.default-scheme", "value": "hdfs://n:1"}]}
    assert there(serve(elsewhere)).with_absolute_paths(table("x"), "q.sql") == table("x")
    assert capsys.readouterr().err == ""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are looked at without delay."""
    monkeypatch.setattr(target, "_SLOW_START", 0.01)
    monkeypatch.setattr(target, "_POLL", 0.01)


class Answers(dict[str, Any]):
    """The answers of a JobManager, which count the looks at the job."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.looks += key == "/jobs/1"
        return super().get(key, default)


def watched(serve: Serve, answers: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    """The notes on a job of a cluster, after some looks at it."""
    found = Answers(overview() | answers)
    cluster = there(serve(found))
    found["/overview"]["slots-available"] = 0
    end = time.monotonic() + 60
    with cluster.watched("1"):
        while found.looks < 4:
            assert time.monotonic() < end
            time.sleep(0.01)
    return capsys.readouterr().err


@pytest.mark.usefixtures("soon")
def test_a_job_that_waits_for_slots_is_said_so_once(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"state": "RUNNING", "vertices": [{"status": "SCHEDULED"}]}
    assert (
        watched(serve, {"/jobs/1": waiting}, capsys) == "note: job 1 waits for slots: 0 of 1 free, on 1 TaskManager\n"
    )


@pytest.mark.usefixtures("soon")
def test_a_job_that_starts_again_is_said_so_with_the_cause(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    stack = "org.apache.X: outer\n\tat y\nCaused by: java.io.FileNotFoundException: File /a does not exist\n\tat z"
    answers = {
        "/jobs/1": {"state": "RESTARTING", "vertices": [{"status": "CANCELED"}]},
        "/jobs/1/exceptions": {"exceptionHistory": {"entries": [{"stacktrace": stack}]}},
    }
    assert watched(serve, answers, capsys) == "note: job 1 failed and starts again: File /a does not exist\n"


@pytest.mark.usefixtures("soon")
def test_nothing_is_said_of_a_job_that_runs(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {
        "/jobs/1": {"state": "RUNNING", "vertices": [{"status": "RUNNING"}]},
        "/jobs/1/exceptions": {"exceptionHistory": {"entries": []}},
    }
    assert watched(serve, answers, capsys) == ""
