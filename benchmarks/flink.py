"""A Flink job without a function, with one on the JVM backend and with one on the Python backend.

Each variant runs in a process of its own: a bounded datagen source, the function, a blackhole sink, parallelism 1. The time is
the wall time of the job alone, from ``INSERT`` to its end. Run it with ``python benchmarks/flink.py [--rows N …]``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

BUNDLES = Path(__file__).resolve().parents[1] / "tests" / "bench"
MODELS = ("linear3", "forest3-20x5")
BACKENDS = ("jvm", "python")


def run(rows: int, model: str | None, backend: str | None) -> float:
    """Seconds that one job takes."""
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    from leapstream.flink import MLeapUDFRegistry

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    table_env = StreamTableEnvironment.create(env)
    table_env.execute_sql(f"""
        CREATE TEMPORARY TABLE Features (a DOUBLE, b DOUBLE, c DOUBLE) WITH (
            'connector' = 'datagen', 'number-of-rows' = '{rows}', 'rows-per-second' = '1000000000')
    """)
    columns = "p DOUBLE" if model else "a DOUBLE, b DOUBLE, c DOUBLE"
    table_env.execute_sql(f"CREATE TEMPORARY TABLE Nowhere ({columns}) WITH ('connector' = 'blackhole')")
    call = "a, b, c"
    if model:
        path = str(BUNDLES / f"{model}.zip")
        MLeapUDFRegistry.register("Predict", path, table_env, backend=backend)  # type: ignore[arg-type]
        call = "Predict(a, b, c)"
    start = time.perf_counter()
    table_env.execute_sql(f"INSERT INTO Nowhere SELECT {call} FROM Features").wait()
    return time.perf_counter() - start


def measured(rows: int, model: str | None, backend: str | None) -> float:
    """The same in a process of its own."""
    job = json.dumps([rows, model, backend])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--job", job], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{job} failed:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 11_000_000])
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(run(*json.loads(arguments.job)))
        return
    print(f"{'rows':>12}  {'model':<14} {'backend':<8} {'seconds':>8} {'ratio':>6}")
    for rows in arguments.rows:
        base = measured(rows, None, None)
        print(f"{rows:>12,}  {'-':<14} {'-':<8} {base:>8.2f} {1:>6.2f}", flush=True)
        for model in MODELS:
            for backend in BACKENDS:
                seconds = measured(rows, model, backend)
                print(f"{rows:>12,}  {model:<14} {backend:<8} {seconds:>8.2f} {seconds / base:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
