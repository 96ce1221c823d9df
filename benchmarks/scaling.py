"""Time and memory of a Flink job with a model, by number of rows, by model, and by parallelism.

The memory is the least heap in use in each half of a job, which is the heap after a garbage collection. Each measurement runs in
a process of its own.

Degrees of parallelism are compared by jobs over a sequence of numbers, each of which runs in one thread per degree: a table of
datagen has a thread for its source beside that of the sink. The seconds are the difference of a job of many rows and one of few.

Run it with ``python benchmarks/scaling.py [--rounds N] [--quick]``.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flink import NOTHING, make_job
from measure import PARALLEL, WHOLE, Result, in_process
from workloads import add_options, options, works

VARIANT = "forest3-20x5/jvm"
ROWS = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
QUICK_ROWS = (1_000_000, 5_000_000)
PARALLEL_ROWS = {"forest3-20x5": 120_000_000, "forest3-100x8": 20_000_000}
WHOLE_JOBS = {NOTHING: f"linear3/{NOTHING}", "linear3": "linear3/jvm", "forest3-20x5": VARIANT}
WHOLE_ROWS = 20_000_000
_MODULI = {"a": 7919, "b": 104_729, "c": 1_299_709}
"""Primes, by which the numbers of a sequence become three between 0 and 1."""
_SETTINGS: dict[str, str] = {}


class Heap:
    """Samples how much of the Java heap is in use, in MiB; its least values are those just after collections."""

    def __init__(self) -> None:
        from py4j.java_gateway import JavaGateway

        from leapstream.executors.jvm.gateway import gateway

        self.samples: list[float] = []
        # Connections of its own: one of those that Flink plans by would make Flink's next call run in another thread of Java.
        self._gateway = JavaGateway(gateway_parameters=gateway().gateway_parameters)
        self._memory = self._gateway.jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Heap:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._gateway.close()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.samples.append(self._memory.getHeapMemoryUsage().getUsed() / 2**20)


def measure_memory(rows: int) -> tuple[float, float, float]:
    """Seconds of the job of so many rows after one of a tenth, and the least heap in use in each half of it."""
    job, _ = make_job(VARIANT, _SETTINGS)
    job(rows // 10)
    with Heap() as heap:
        seconds = job(rows)
    half = len(heap.samples) // 2
    return seconds, min(heap.samples[:half]), min(heap.samples[half:])


def measure_whole(variant: str, rows: int) -> float:
    """Seconds by which a job of so many rows takes longer than one of a fifth, after one of that size."""
    job, _ = make_job(variant, _SETTINGS)
    few = rows // 5
    job(few)
    return job(rows) - job(few)


def measure_parallel(work: str, rows: int, parallelism: int) -> float:
    """Like :func:`measure_whole`, for a job over a sequence of numbers, with a parallelism."""
    from pyflink.common import Types, WatermarkStrategy
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.datastream.connectors.number_seq import NumberSequenceSource
    from pyflink.table import StreamTableEnvironment

    from leapstream.flink import MLeapUDFRegistry

    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    table_env = StreamTableEnvironment.create(env)
    MLeapUDFRegistry.register("Predict", str(works()[work].bundle), table_env, inputs=["features"], backend="jvm")
    table_env.execute_sql("CREATE TEMPORARY TABLE Nowhere (p DOUBLE) WITH ('connector' = 'blackhole')")
    numbers = ", ".join(f"CAST(MOD(n, {m}) AS DOUBLE) / {m} AS {name}" for name, m in _MODULI.items())

    def job(count: int) -> float:
        table_env.execute_sql("DROP TEMPORARY VIEW IF EXISTS Numbers")
        source = NumberSequenceSource(1, count)
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers", Types.LONG())
        table_env.create_temporary_view("Numbers", stream)
        query = f"SELECT Predict({', '.join(_MODULI)}) FROM (SELECT {numbers} FROM Numbers AS T(n))"
        start = time.perf_counter()
        table_env.execute_sql(f"INSERT INTO Nowhere {query}").wait()
        return time.perf_counter() - start

    few = rows // 5
    job(few)
    return job(rows) - job(few)


JOBS: dict[str, Callable[..., Any]] = {
    "memory": measure_memory,
    "whole": measure_whole,
    "parallel": measure_parallel,
}


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=3)
    given = options(parser, lambda kind, *job: JOBS[kind](*job))
    result = Result("scaling", "s")
    counts = QUICK_ROWS if given.quick else ROWS
    for round_ in range(given.rounds):
        for rows in counts:
            # The longest jobs are there for memory, once.
            if round_ and rows > ROWS[1]:
                continue
            seconds, early, late = run("memory", rows)
            result.add("rows of a job", "leapstream, jvm", [seconds], rows)
            result.add("least heap in use, MiB", f"{rows:,} rows, first half", [early])
            result.add("least heap in use, MiB", f"{rows:,} rows, second half", [late])
        for name, variant in WHOLE_JOBS.items():
            seconds = run("whole", variant, WHOLE_ROWS // 4 if given.quick else WHOLE_ROWS)
            result.add(WHOLE, name, [seconds])
        for work, rows in PARALLEL_ROWS.items():
            for parallelism in (1, 2):
                seconds = run("parallel", work, rows // 4 if given.quick else rows, parallelism)
                result.add(PARALLEL, f"{work}, parallelism {parallelism}", [seconds])
    result.finish()


def run(*job: Any) -> Any:
    """One measurement in a process of its own."""
    return in_process(str(Path(__file__).resolve()), job)


if __name__ == "__main__":
    main()
