"""A Flink job without a function, with one on the JVM backend and with one on the Python backend.

Each job runs in a process of its own: a bounded datagen source, the function, a blackhole sink, parallelism 1. The time is the
wall time of the job alone, from ``INSERT`` to its end. The variants take turns, so that what else the machine does hits all of
them; a ratio compares a variant with the job without a function of the same turn. Where there are two numbers of rows, the slope
between them is the time per row without the time that a job takes to start and stop.

Run it with ``python benchmarks/flink.py [--rows N …] [--rounds N] [--only linear3/python …] [--set KEY=VALUE …]``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

BUNDLES = Path(__file__).resolve().parents[1] / "tests" / "bench"
NOTHING = "none"
VARIANTS = (NOTHING, "linear3/jvm", "linear3/python", "forest3-20x5/jvm", "forest3-20x5/python")
PYTHON_SETTINGS = "python.fn-execution."


def run(rows: int, variant: str, settings: dict[str, str]) -> tuple[float, dict[str, str]]:
    """Seconds that one job takes, and the settings of the Python backend that it ran with."""
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    from leapstream.flink import MLeapUDFRegistry

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    table_env = StreamTableEnvironment.create(env)
    for key, value in settings.items():
        table_env.get_config().set(key, value)
    table_env.execute_sql(f"""
        CREATE TEMPORARY TABLE Features (a DOUBLE, b DOUBLE, c DOUBLE) WITH (
            'connector' = 'datagen', 'number-of-rows' = '{rows}', 'rows-per-second' = '1000000000')
    """)
    columns, call = "a DOUBLE, b DOUBLE, c DOUBLE", "a, b, c"
    if variant != NOTHING:
        model, backend = variant.split("/")
        path = str(BUNDLES / f"{model}.zip")
        MLeapUDFRegistry.register("Predict", path, table_env, backend=backend)  # type: ignore[arg-type]
        columns, call = "p DOUBLE", "Predict(a, b, c)"
    table_env.execute_sql(f"CREATE TEMPORARY TABLE Nowhere ({columns}) WITH ('connector' = 'blackhole')")
    start = time.perf_counter()
    table_env.execute_sql(f"INSERT INTO Nowhere SELECT {call} FROM Features").wait()
    seconds = time.perf_counter() - start
    used = table_env.get_config().get_configuration().to_dict()
    return seconds, {key: value for key, value in used.items() if key.startswith(PYTHON_SETTINGS)}


def measured(rows: int, variant: str, settings: dict[str, str]) -> tuple[float, dict[str, str]]:
    """The same in a process of its own."""
    job = json.dumps([rows, variant, settings])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--job", job], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{job} failed:\n{done.stderr}")
    seconds, used = json.loads(done.stdout.splitlines()[-1])
    return seconds, used


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 11_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=VARIANTS[1:], default=list(VARIANTS[1:]), metavar="MODEL/BACKEND")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of Flink")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(run(*json.loads(arguments.job))))
        return
    settings = dict(item.split("=", 1) for item in arguments.set)
    variants = [NOTHING, *arguments.only]
    times: dict[tuple[str, int], list[float]] = {(v, rows): [] for v in variants for rows in arguments.rows}
    python: dict[str, str] = {}
    for _ in range(arguments.rounds):
        for rows in arguments.rows:
            for variant in variants:
                seconds, used = measured(rows, variant, settings)
                times[variant, rows].append(seconds)
                python |= used
                print(f"{variant}, {rows:,} rows: {seconds:.2f} s, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    report(variants, arguments.rows, times)
    print(
        f"\n{arguments.rounds} rounds; Python backend: {', '.join(f'{k}={v}' for k, v in sorted(python.items())) or '-'}"
    )


def report(variants: list[str], counts: list[int], times: dict[tuple[str, int], list[float]]) -> None:
    """Print times and ratios by number of rows, and slopes where there are two of them."""
    head = f"{'variant':<20} {'median':>8} {'min':>8} {'max':>8}   {'ratio':>5} {'min':>5} {'max':>5}"
    for rows in counts:
        print(f"\n{rows:,} rows, seconds\n{head}")
        for variant in variants:
            given = times[variant, rows]
            ratios = [a / b for a, b in zip(given, times[NOTHING, rows], strict=True)]
            numbers = f"{median(given):>8.2f} {min(given):>8.2f} {max(given):>8.2f}"
            print(f"{variant:<20} {numbers}   {median(ratios):>5.2f} {min(ratios):>5.2f} {max(ratios):>5.2f}")
    if len(counts) > 1:
        few, many = min(counts), max(counts)
        print(f"\nslope from {few:,} to {many:,} rows, nanoseconds a row\n{head}")
        slopes = {
            variant: [
                (b - a) * 1e9 / (many - few) for a, b in zip(times[variant, few], times[variant, many], strict=True)
            ]
            for variant in variants
        }
        for variant, given in slopes.items():
            ratios = [a / b for a, b in zip(given, slopes[NOTHING], strict=True)]
            numbers = f"{median(given):>8.0f} {min(given):>8.0f} {max(given):>8.0f}"
            print(f"{variant:<20} {numbers}   {median(ratios):>5.2f} {min(ratios):>5.2f} {max(ratios):>5.2f}")


if __name__ == "__main__":
    main()
