"""The demo's Flink job: MLeap bundles as SQL functions and in a DataStream, in this process.

First the article's job: ten generated rows, two models. Then a pipeline with strings and numbers over a file of loans, whose
predictions are compared with those that MLeap's own JVM runtime gave.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
import warnings
from collections.abc import Iterable
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import DataStream, MapFunction, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from leapstream.demo import FOLDER, bundle
from leapstream.flink import MLeapMapFunction, MLeapUDFRegistry, predict_stream

# Google's libraries, which come with PyFlink, announce on import the versions of Python they will drop one day.
warnings.filterwarnings("ignore", category=FutureWarning, module="google")

LOANS = {
    "id": Types.INT(),
    "state": Types.STRING(),
    "home": Types.STRING(),
    "amount": Types.DOUBLE(),
    "income": Types.DOUBLE(),
    "age": Types.INT(),
    "late": Types.LONG(),
    "flag": Types.BOOLEAN(),
}


def article(table_env: StreamTableEnvironment) -> None:
    """The article's query, printed."""
    create, select = [s for s in (FOLDER / "features.sql").read_text(encoding="utf-8").split(";") if s.strip()]
    table_env.execute_sql(create)
    table_env.execute_sql(select).print()


def loans_by_sql(table_env: StreamTableEnvironment) -> list[tuple[int, float, list[float]]]:
    """The loans scored by SQL: (id, prediction, probability)."""
    table_env.execute_sql(f"""
        CREATE TEMPORARY TABLE Loans (
            id INT, state STRING, home STRING, amount DOUBLE, income DOUBLE, age INT, late BIGINT, flag BOOLEAN
        ) WITH ('connector' = 'filesystem', 'path' = '{(FOLDER / "loans.csv").as_uri()}', 'format' = 'csv')
    """)
    query = """
        SELECT id, score.prediction, score.probability
        FROM (SELECT id, ScoreLoan(state, home, amount, income, age, late, flag) AS score FROM Loans)
    """
    with table_env.execute_sql(query).collect() as rows:
        return [(row[0], row[1], list(row[2])) for row in rows]


def loans_stream(env: StreamExecutionEnvironment) -> DataStream:
    """The loans as a stream of named rows."""
    with (FOLDER / "loans.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            Row(int(i), state, home, float(amount), float(income), int(age), int(late), flag == "true")
            for i, state, home, amount, income, age, late, flag in csv.reader(lines)
        ]
    return env.from_collection(rows, Types.ROW_NAMED(list(LOANS), list(LOANS.values())))


def check(way: str, scored: Iterable[tuple[int, float, list[float]]]) -> bool:
    """Compare with the recorded answers, and say so."""
    expected = json.loads((FOLDER / "loans.expected.json").read_text(encoding="utf-8"))
    given = {i: (prediction, probability) for i, prediction, probability in scored}
    right = sum(
        record["id"] in given
        and given[record["id"]][0] == record["prediction"]
        and all(abs(a - b) <= 1e-12 for a, b in zip(given[record["id"]][1], record["probability"], strict=True))
        for record in expected
    )
    print(f"{way}: {right} of {len(expected)} loans scored as MLeap's JVM runtime recorded")
    return bool(right == len(expected) == len(given))


def run() -> bool:
    """Run the job; true when every prediction is as recorded."""
    # The functions are printed below.
    logging.getLogger("leapstream.flink").setLevel(logging.WARNING)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.set_python_executable(sys.executable)
    table_env = StreamTableEnvironment.create(env)

    for function in MLeapUDFRegistry.register_from_config(str(FOLDER / "application.conf"), table_env):
        print(f"registered {function}")

    print("\nPredict and Predictv2 over ten generated rows:")
    article(table_env)

    print("\nA pipeline of indexers, encoders, a scaler and a logistic regression over a file of loans:")
    good = check("SQL", loans_by_sql(table_env))

    model = bundle("loans")
    outputs = ["prediction", "probability"]
    scored = predict_stream(loans_stream(env), model, outputs=outputs, table_env=table_env)
    good &= check("DataStream, predict_stream", _results(scored))

    mapped = MLeapMapFunction(model, outputs=outputs)
    kind = Types.TUPLE([Types.INT(), mapped.get_produced_type()])
    pairs = loans_stream(env).map(_KeepId(mapped), output_type=kind)
    with pairs.execute_and_collect() as rows:
        good &= check("DataStream, MLeapMapFunction", [(i, score[0], list(score[1])) for i, score in rows])
    return good


class _KeepId(MapFunction):  # type: ignore[misc]
    """An own map function around the model's: the record's id next to its score."""

    def __init__(self, inner: MLeapMapFunction) -> None:
        self._inner = inner

    def open(self, runtime_context: Any) -> None:
        self._inner.open(runtime_context)

    def map(self, value: Row) -> tuple[int, Row]:
        return value[0], self._inner.map(value)


def _results(stream: DataStream) -> list[tuple[int, float, list[float]]]:
    with stream.execute_and_collect() as rows:
        return [(row["id"], row["prediction"], list(row["probability"])) for row in rows]
