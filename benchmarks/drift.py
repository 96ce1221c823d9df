"""Flink jobs that score MLeap's Airbnb example, without drift and with it: CPU time a row.

``python benchmarks/drift.py [--rounds N] [--rows FEW MANY] [--object-reuse]``. A job is a bounded datagen source, ``ML_PREDICT``
of the linear model, a blackhole sink for the scored rows, and beside it ``DRIFT`` of the 13 inputs and the prediction in windows
of a minute of event time, parallelism 1. The variants take turns in one process. The figure is the difference of the CPU times of
Flink's JVM for many rows and for few, divided by the difference of the rows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from flink import columns
from measure import cpu_seconds, nanos_of_a_row
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment
from pyflink.table.expressions import col
from workloads import works

from leapstream import load
from leapstream.drift import profile
from leapstream.flink import create_drift_function, create_model, drift_stream
from leapstream.store import ModelStore

TABLE, STREAM = "a table, without drift", "a stream, without drift"
FILTERS = {
    "DRIFT of all rows": "",
    "DRIFT of DRIFT_SAMPLE(0.1)": " WHERE DRIFT_SAMPLE(0.1)",
    "DRIFT of RAND() < 0.1": " WHERE RAND() < 0.1",
}
SAMPLES = {"drift_stream of all rows": 1.0, "drift_stream, sample=0.1": 0.1}
VARIANTS = {TABLE: TABLE, **dict.fromkeys(FILTERS, TABLE), STREAM: STREAM, **dict.fromkeys(SAMPLES, STREAM)}
"""Each variant, and the one that it is compared with."""


def prepared(store: ModelStore) -> tuple[StreamTableEnvironment, list[str]]:
    """A session with the model, its profile, and sinks; and the names of the columns."""
    work = works()["airbnb-lr"]
    model = load(work.bundle)
    store.publish("airbnb", work.bundle, profile=profile(model, work.frame(10_000)))
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    table_env = StreamTableEnvironment.create(env)
    names = [name for name, _, _ in columns(work)]
    create_model("airbnb", str(work.bundle), table_env, inputs=names, outputs=["price_prediction"])
    create_drift_function(table_env)
    kinds = ", ".join(f"{name} {'STRING' if made.startswith('ELT') else 'DOUBLE'}" for name, _, made in columns(work))
    table_env.execute_sql(f"CREATE TEMPORARY TABLE Scores ({kinds}, p DOUBLE) WITH ('connector' = 'blackhole')")
    table_env.execute_sql(
        "CREATE TEMPORARY TABLE Drifts (feature STRING, psi DOUBLE, missing DOUBLE, n BIGINT) WITH ('connector' = 'blackhole')"
    )
    return table_env, names


def source(table_env: StreamTableEnvironment, rows: int) -> None:
    """Make the view ``Scored`` over so many rows of datagen."""
    work = works()["airbnb-lr"]
    given = [(name, *made.split("|")) for name, made, _ in columns(work)]
    fields = ", ".join(f"{name} {kind}" for name, kind, _, _ in given)
    ranges = ", ".join(f"'fields.{name}.min' = '{low}', 'fields.{name}.max' = '{high}'" for name, _, low, high in given)
    for view in ("Scored", "Features"):
        table_env.execute_sql(f"DROP TEMPORARY VIEW IF EXISTS {view}")
    table_env.execute_sql("DROP TEMPORARY TABLE IF EXISTS Source")
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE Source ({fields}, stamp AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)), "
        "WATERMARK FOR stamp AS stamp) WITH ('connector' = 'datagen', "
        f"'number-of-rows' = '{rows}', 'rows-per-second' = '1000000000', {ranges})"
    )
    calls = ", ".join(f"{call} AS {name}" for name, _, call in columns(work))
    table_env.execute_sql(f"CREATE TEMPORARY VIEW Features AS SELECT {calls}, stamp FROM Source")
    listed = ", ".join(name for name, _, _ in columns(work))
    table_env.execute_sql(
        f"CREATE TEMPORARY VIEW Scored AS SELECT * FROM ML_PREDICT(TABLE Features, MODEL airbnb, DESCRIPTOR({listed}))"
    )


def job(table_env: StreamTableEnvironment, names: list[str], uri: str) -> Callable[[str, int], float]:
    """Gives the CPU seconds of a variant's job for so many rows."""
    listed = ", ".join(names)
    called = f"DRIFT('{uri}/airbnb', '1', '{listed}, price_prediction', {listed}, price_prediction)"

    def run(variant: str, rows: int) -> float:
        source(table_env, rows)
        statements = table_env.create_statement_set()
        scored = table_env.from_path("Scored")
        if VARIANTS[variant] == STREAM:
            stream = table_env.to_data_stream(scored.drop_columns(col("stamp")))
            scored = table_env.from_data_stream(stream)
            if variant in SAMPLES:
                drift = drift_stream(
                    stream, f"{uri}/airbnb@1", window=timedelta(minutes=1), sample=SAMPLES[variant], table_env=table_env
                )
                found = table_env.from_data_stream(drift)
                statements.add_insert("Drifts", found.select(*map(col, ("feature", "psi", "missing_rate", "rows"))))
        statements.add_insert("Scores", scored.select(*map(col, (*names, "price_prediction"))))
        if variant in FILTERS:
            statements.add_insert_sql(
                "INSERT INTO Drifts SELECT feature, psi, missing_rate, `rows` FROM ("
                f"SELECT window_start, {called} AS found FROM TABLE(TUMBLE(TABLE Scored, DESCRIPTOR(stamp), "
                f"INTERVAL '60' SECOND)){FILTERS[variant]} GROUP BY window_start, window_end) CROSS JOIN UNNEST(found) "
                "AS drift (model, version, side, feature, psi, missing_rate, missing_rate_in_training, `rows`)"
            )
        began = cpu_seconds()
        statements.execute().wait()
        return cpu_seconds() - began

    return run


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs=2, default=(500_000, 2_500_000), metavar=("FEW", "MANY"))
    parser.add_argument(
        "--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), metavar="VARIANT", help=", ".join(VARIANTS)
    )
    parser.add_argument("--object-reuse", action="store_true", help="set pipeline.object-reuse")
    given = parser.parse_args()
    found: dict[str, list[float]] = {variant: [] for variant in given.only}
    with tempfile.TemporaryDirectory() as folder:
        store = ModelStore(Path(folder) / "store")
        table_env, names = prepared(store)
        table_env.get_config().set("pipeline.object-reuse", str(given.object_reuse).lower())
        run = job(table_env, names, store.uri)
        jobs = {variant: partial(run, variant) for variant in given.only}
        for variant, nanos in nanos_of_a_row(jobs, given.rows, given.rounds):
            found[variant].append(nanos)
            print(f"{variant}: {nanos:,.0f} ns", file=sys.stderr)
    print("| one job | CPU, ns a row: least | median | more than without drift |")
    print("| --- | --- | --- | --- |")
    for variant, samples in found.items():
        base = found.get(VARIANTS[variant], samples)
        more = [sample / other - 1 for sample, other in zip(samples, base, strict=True)]
        print(f"| {variant} | {min(samples):,.0f} | {median(samples):,.0f} | {median(more):.0%} |")


if __name__ == "__main__":
    main()
