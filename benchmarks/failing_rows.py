"""Good rows and dead letters in one job: CPU time a row of a table function, of ML_PREDICT and of functions, which run twice.

``python benchmarks/failing_rows.py [--rounds N] [--rows FEW MANY] [--bundle BUNDLE]``. A job is a bounded datagen source with two
blackhole sinks, parallelism 1; one row in a hundred has a NULL and fails. The variants take turns in one process. The figure is
the difference of the CPU times of the job's task for many rows and for few, divided by the difference of the rows: the start of a
job is not in it, nor what the JVM compiles. A share is the median of those of the rounds, beside the least and the greatest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from measure import nanos_of_a_row, task_seconds
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from leapstream.flink import MLeapUDFRegistry, create_model

FOREST = Path(__file__).resolve().parents[1] / "tests" / "bench" / "forest3-100x8.zip"
COLUMNS = "a, b, c"
FEATURES = "SELECT id, IF(id % 100 = 0, CAST(NULL AS DOUBLE), a) AS x, b AS y, c AS z FROM Source"
GOOD, DEAD = "INSERT INTO Good SELECT id, {p} FROM {t} WHERE {g}", "INSERT INTO Dead SELECT id, {e} FROM {t} WHERE {d}"
PAIR = {"g": "error IS NULL", "d": "error IS NOT NULL", "p": "prediction", "e": "error"}
FUNCTION = "(SELECT id, Predict(x, y, z) AS p FROM Features)"
VARIANTS: dict[str, list[str]] = {
    "no model, two sinks": [
        GOOD.format(p="x", t="Features", g="x IS NOT NULL"),
        DEAD.format(e="'missing'", t="Features", d="x IS NULL"),
    ],
    "a function, one sink": [f"INSERT INTO Good SELECT id, p FROM {FUNCTION}"],
    "a function in both branches": [
        GOOD.format(p="p", t=FUNCTION, g="p IS NOT NULL"),
        DEAD.format(e="'failed'", t=FUNCTION, d="p IS NULL"),
    ],
    "ML_PREDICT, two sinks": [GOOD.format(t="ByModel", **PAIR), DEAD.format(t="ByModel", **PAIR)],
    "MLEAP_PREDICT, two sinks": [GOOD.format(t="ByTable", **PAIR), DEAD.format(t="ByTable", **PAIR)],
}


def prepared(bundle: str) -> StreamTableEnvironment:
    """A session with the model as a function and as a model, and with sinks."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    table_env = StreamTableEnvironment.create(env)
    MLeapUDFRegistry.register("Predict", bundle, table_env, on_error="null", backend="jvm", outputs=["prediction"])
    create_model("forest", bundle, table_env, outputs=["prediction"])
    table_env.execute_sql(
        "CREATE TEMPORARY MODEL Scored INPUT (x DOUBLE, y DOUBLE, z DOUBLE) OUTPUT (prediction DOUBLE, error STRING) "
        "WITH ('provider' = 'mleap', 'bundle' = 'forest', 'on-error' = 'row')"
    )
    for name, column in (("Good", "p DOUBLE"), ("Dead", "e STRING")):
        table_env.execute_sql(f"CREATE TEMPORARY TABLE {name} (id BIGINT, {column}) WITH ('connector' = 'blackhole')")
    return table_env


def source(table_env: StreamTableEnvironment, rows: int) -> None:
    """Make the views over so many rows."""
    for view in ("ByModel", "ByTable", "Features"):
        table_env.execute_sql(f"DROP TEMPORARY VIEW IF EXISTS {view}")
    table_env.execute_sql("DROP TEMPORARY TABLE IF EXISTS Source")
    ranges = ", ".join(f"'fields.{name}.min' = '0', 'fields.{name}.max' = '1'" for name in COLUMNS.split(", "))
    table_env.execute_sql(
        "CREATE TEMPORARY TABLE Source (id BIGINT, a DOUBLE, b DOUBLE, c DOUBLE) WITH ('connector' = 'datagen', "
        f"'number-of-rows' = '{rows}', 'rows-per-second' = '1000000000', {ranges}, "
        "'fields.id.min' = '0', 'fields.id.max' = '1000000000')"
    )
    table_env.execute_sql(f"CREATE TEMPORARY VIEW Features AS {FEATURES}")
    for view, call in (
        ("ByModel", "ML_PREDICT(TABLE Features, MODEL Scored, DESCRIPTOR(x, y, z))"),
        (
            "ByTable",
            "MLEAP_PREDICT(input => TABLE Features, model => 'forest', on_error => 'row', inputs => DESCRIPTOR(x, y, z))",
        ),
    ):
        table_env.execute_sql(f"CREATE TEMPORARY VIEW {view} AS SELECT * FROM {call}")


def job(table_env: StreamTableEnvironment) -> Callable[[str, int], float]:
    """Gives the CPU seconds of a variant's job for so many rows."""

    def run(variant: str, rows: int) -> float:
        source(table_env, rows)
        statements = table_env.create_statement_set()
        for statement in VARIANTS[variant]:
            statements.add_insert_sql(statement)
        return task_seconds(lambda: statements.execute().wait())

    return run


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs=2, default=(1_000_000, 4_000_000), metavar=("FEW", "MANY"))
    parser.add_argument("--bundle", default=str(FOREST))
    given = parser.parse_args()
    run = job(prepared(given.bundle))
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    jobs = {variant: partial(run, variant) for variant in VARIANTS}
    for variant, nanos in nanos_of_a_row(jobs, given.rows, given.rounds):
        found[variant].append(nanos)
    print("| one job | CPU, ns a row: least | median | of a function in both branches: median | least to greatest |")
    print("| --- | --- | --- | --- | --- |")
    for variant, samples in found.items():
        shares = [ours / theirs for ours, theirs in zip(samples, found["a function in both branches"], strict=True)]
        print(
            f"| {variant} | {min(samples):,.0f} | {median(samples):,.0f} | {median(shares):.0%} "
            f"| {min(shares):.0%} to {max(shares):.0%} |"
        )


if __name__ == "__main__":
    main()
