"""A folder with what a reader of the documentation has, and the names that its snippets take for given."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from typer.testing import CliRunner

import leapstream
from leapstream.cli import app
from leapstream.demo import FOLDER

COLUMNS = ("id", "state", "home", "amount", "income", "age", "late", "flag")
"""The columns of the demo's loans."""


def prepare(folder: Path, text: str) -> None:
    """Put the files there that ``leapstream demo --copy`` writes, and those that the text of a page names besides."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in ("loans", "loans-1", "loans-2", "loans-new", "topics", "model"):
        shutil.copy(folder / "models" / "loans.zip", folder / f"{name}.zip")
    shutil.copy(folder / "models" / "example-1.zip", folder)
    store = folder / "remote" / "models"
    store.mkdir(parents=True)
    for bundle in (folder / "models").iterdir():
        shutil.copy(bundle, store)
    with (folder / "loans.csv").open(encoding="utf-8", newline="") as lines:
        rows = [[*row[:-1], float(row[-1] == "true")] for row in csv.reader(lines)]
    for name, head in {"sample": [COLUMNS], "applications": []}.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([*head, *rows])
    (folder / "docker" / "config" / "startup").mkdir(parents=True)
    if "training.parquet" in text:
        pd.read_csv(folder / "sample.csv").to_parquet(folder / "training.parquet")
    if "contracts/loans" in text and "-o contracts/loans" not in text:
        _leapstream(
            "record", str(folder / "loans.zip"), str(folder / "sample.csv"), "-o", str(folder / "contracts" / "loans")
        )
    if "models.jar" in text and "$ leapstream compile" not in text:
        _leapstream("compile", str(folder / "loans.zip"), "-o", str(folder / "models.jar"))


def _leapstream(*words: str) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output


def local(text: str, folder: Path, server: str | None) -> str:
    """The text of a snippet with the places of this machine: stores are folders, and the server has its port."""
    for scheme in ("s3", "gs"):
        text = text.replace(f"{scheme}://", f"{folder}/remote/")
    text = re.sub(r"(?<![\w./-])/opt/", f"{folder}/", text)
    text = re.sub(r"(?<![\w./-])/models/", f"{folder}/models/", text)
    # The JVM of a page was perhaps started in the folder of another page.
    for place in ("ADD JAR '", "'path' = '"):
        text = re.sub(rf"{place}(?=\w)", f"{place}{folder}/", text)
    if server is not None:
        text = text.replace("http://localhost:8080", server).replace("localhost:8080", server)
    return text


def _frame() -> Any:
    return pd.read_csv("sample.csv")


def _model() -> Any:
    return leapstream.load("loans.zip")


def _module() -> Any:
    return leapstream


def _limits() -> Any:
    from leapstream.bundle.limits import Limits

    return Limits


def _map_function() -> Any:
    from leapstream.flink import MLeapMapFunction

    return MLeapMapFunction


def _predict_stream() -> Any:
    from leapstream.flink import predict_stream

    return predict_stream


def _environments() -> tuple[Any, Any]:
    import sys

    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.set_python_executable(sys.executable)
    return env, StreamTableEnvironment.create(env)


def table_env() -> Any:
    """A table environment with the tables that pages name."""
    _, tables = _environments()
    here = Path.cwd().as_uri()
    loans = "id INT, state STRING, home STRING, amount DOUBLE, income DOUBLE, age DOUBLE, late DOUBLE, flag DOUBLE"
    for name in ("Applications", "applications"):
        tables.execute_sql(
            f"CREATE TEMPORARY TABLE {name} ({loans}) WITH"
            f" ('connector' = 'filesystem', 'path' = '{here}/applications.csv', 'format' = 'csv')"
        )
    tables.execute_sql(
        "CREATE TEMPORARY VIEW Features AS SELECT * FROM (VALUES (1E0, 2, 3E0), (4E0, 5, 6E0)) AS"
        " rows_of_features (feature1, feature2, feature3)"
    )
    for name, columns in {
        "decisions": "id INT, prediction DOUBLE, model_version STRING",
        "dead_letters": "id INT, state STRING, home STRING, error STRING, model_version STRING",
    }.items():
        tables.execute_sql(f"CREATE TEMPORARY TABLE {name} ({columns}) WITH ('connector' = 'blackhole')")
    return tables


def applications() -> Any:
    """A stream of the demo's loans."""
    from pyflink.common import Row, Types

    env, _ = _environments()
    kinds = [Types.INT(), Types.STRING(), Types.STRING(), *([Types.DOUBLE()] * 5)]
    row = Row(1, "WA", "own", 2214.98, 32793.97, 46.0, 2.0, 1.0)
    return env.from_collection([row], Types.ROW_NAMED(list(COLUMNS), kinds))


def sink() -> Any:
    """A sink of a stream."""
    from pyflink.common.serialization import Encoder
    from pyflink.datastream.connectors.file_system import FileSink

    return FileSink.for_row_format("written", Encoder.simple_string_encoder()).build()


GIVEN: dict[str, Callable[[], Any]] = {
    "Limits": _limits,
    "MLeapMapFunction": _map_function,
    "applications": applications,
    "dead_letters": sink,
    "decisions": sink,
    "frame": _frame,
    "leapstream": _module,
    "model": _model,
    "predict_stream": _predict_stream,
    "rows": applications,
    "table_env": table_env,
}
"""Names that a page may use without making them."""
