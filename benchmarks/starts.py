"""Measures starts of Flink jobs: seconds from the call that takes a bundle to the first row that the job gives.

All is measured in one process, by turns: jobs of SQL and of the DataStream API with a model, and the same jobs without one. CPU
time is that of this process and of Flink's JVM; that of a Python worker is lost when it ends. The first job of a kind in the
process stands apart, as Java has to load classes for it.

Run it with ``python benchmarks/starts.py [--rounds N] [--bundle FILE]``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from measure import cpu_seconds
from registration import BUNDLE, ROW, start_gateway

SQL, STREAM, PANDAS = "SQL, no function", "stream, no function", "SQL, pandas function of Python"
VARIANTS = {
    SQL: SQL,
    STREAM: STREAM,
    PANDAS: PANDAS,
    "MLeapUDFRegistry.register, jvm": SQL,
    "create_model, ML_PREDICT": SQL,
    "CREATE MODEL of a jar, ML_PREDICT": SQL,
    "predict_stream, jvm": STREAM,
    "MLeapUDFRegistry.register, vectorized": PANDAS,
    "predict_stream, vectorized": PANDAS,
}
"""Each job, and the one that it is compared with."""


def spent(function: Callable[[], object]) -> tuple[float, float]:
    """The seconds of CPU time, and of wall time, that a call takes."""
    cpu, wall = cpu_seconds() + time.process_time(), time.perf_counter()
    function()
    return cpu_seconds() + time.process_time() - cpu, time.perf_counter() - wall


class Jobs:
    """The jobs of one session. Each call of one has new names, so that nothing of it is there yet."""

    def __init__(self, bundle: str, jar: Path) -> None:
        from pyflink.datastream import StreamExecutionEnvironment
        from pyflink.table import StreamTableEnvironment

        self._env = StreamExecutionEnvironment.get_execution_environment()
        self._env.set_parallelism(1)
        self._table_env = StreamTableEnvironment.create(self._env)
        self._bundle, self._jar = bundle, jar
        self._numbers = count()
        self._columns = ", ".join(ROW)

    def run(self, variant: str) -> None:
        """Start one of :data:`VARIANTS`, and end it after its first row."""
        name = f"P{next(self._numbers)}"
        backend: Any
        kind, _, backend = variant.partition(", ")
        if kind == "predict_stream":
            from leapstream.flink import predict_stream

            self._first(
                predict_stream(
                    self._stream(), self._bundle, backend=backend, table_env=self._table_env
                ).execute_and_collect()
            )
        elif variant == STREAM:
            table = self._table_env.from_data_stream(self._stream())
            self._first(self._table_env.to_data_stream(table).execute_and_collect())
        else:
            self._query(self._sql(kind, backend, name))

    def _sql(self, kind: str, backend: Any, name: str) -> str:
        """The query of a job, for which a function or model is registered."""
        from pyflink.table import DataTypes
        from pyflink.table.udf import udf

        from leapstream.flink import MLeapUDFRegistry, create_model

        predict = f"SELECT * FROM ML_PREDICT(TABLE T, MODEL {name}, DESCRIPTOR({self._columns}))"
        if kind == "create_model":
            create_model(name, self._bundle, self._table_env)
            return predict
        if kind == "CREATE MODEL of a jar":
            self._table_env.execute_sql(f"ADD JAR '{self._jar}'")
            self._table_env.execute_sql(
                f"CREATE TEMPORARY MODEL {name} INPUT ({' DOUBLE, '.join(ROW)} DOUBLE) OUTPUT (prediction DOUBLE) "
                "WITH ('provider' = 'mleap', 'bundle' = 'Compiled')"
            )
            return predict
        if kind == "MLeapUDFRegistry.register":
            MLeapUDFRegistry.register(name, self._bundle, self._table_env, backend=backend)
        elif backend == "pandas function of Python":
            same = udf(lambda a, b, c: a, result_type=DataTypes.DOUBLE(), func_type="pandas")
            self._table_env.create_temporary_system_function(name, same)
        else:
            return f"SELECT {' + '.join(ROW)} FROM T"
        return f"SELECT {name}({self._columns}) FROM T"

    def _query(self, query: str) -> None:
        self._table_env.create_temporary_view("T", self._table_env.from_data_stream(self._stream()))
        self._first(self._table_env.sql_query(query).execute().collect())
        self._table_env.drop_temporary_view("T")

    def _stream(self) -> Any:
        from pyflink.common import Types

        kinds = Types.ROW_NAMED(list(ROW), [Types.DOUBLE()] * len(ROW))
        return self._env.from_collection([tuple(ROW.values())], kinds)

    @staticmethod
    def _first(rows: Any) -> None:
        with rows as found:
            next(iter(found))


def compile_model(bundle: str, folder: Path) -> Path:
    """A jar with the bundle as the model ``Compiled``, as ``leapstream compile`` writes it."""
    import leapstream
    from leapstream.flink import Target, compile_jar

    path = folder / "models.jar"
    compile_jar([Target("Compiled", leapstream.load(bundle), "model", outputs=("prediction",))], path)
    return path


def line(name: str, values: Iterable[float]) -> str:
    """A line of a table."""
    return f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |"


def main() -> None:
    """Measure and print the tables."""
    from leapstream.executors.jvm.runtime_jar import process_directory

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bundle", default=str(BUNDLE), help="of three inputs, by default that of linear3")
    given = parser.parse_args()
    print("| step | CPU, s | wall, s |\n| --- | --- | --- |")
    print(line("gateway", spent(start_gateway)))
    print(line("compiling a model", spent(lambda: compile_model(given.bundle, process_directory()))))
    jobs = Jobs(given.bundle, process_directory() / "models.jar")
    first: dict[str, tuple[float, float]] = {}
    found: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    for variant in VARIANTS:
        first[variant] = spent(partial(jobs.run, variant))
    for _ in range(given.rounds):
        for variant in VARIANTS:
            found[variant].append(spent(partial(jobs.run, variant)))
    print(
        "\n| job | first: CPU, s | wall, s | further: CPU, s | wall, s | CPU more than without, s |\n"
        + "| --- " * 6
        + "|"
    )
    for variant, samples in found.items():
        more = statistics.median(
            cpu - base for (cpu, _), (base, _) in zip(samples, found[VARIANTS[variant]], strict=True)
        )
        medians = (statistics.median(column) for column in zip(*samples, strict=True))
        print(line(variant, (*first[variant], *medians, more)))


if __name__ == "__main__":
    main()
