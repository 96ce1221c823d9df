"""How a Flink job with a model grows: with rows, in time and memory, and with parallelism.

The memory is the least heap in use in each half of a job: what is left after the collections of garbage. Each measurement is a
process of its own.

Run it with ``python benchmarks/scaling.py [--rounds N] [--quick]``.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from flink import make_job
from measure import PARALLEL, Result, in_process
from workloads import add_options, options

VARIANT = "forest3-20x5/jvm"
ROWS = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
QUICK_ROWS = (1_000_000, 5_000_000)
_SETTINGS: dict[str, str] = {}


class Heap:
    """Samples how much of the Java heap is in use, in MiB; its least values are those just after collections."""

    def __init__(self) -> None:
        from leapstream.jvm.gateway import gateway

        self.samples: list[float] = []
        self._memory = gateway().jvm.java.lang.management.ManagementFactory.getMemoryMXBean()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Heap:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.samples.append(self._memory.getHeapMemoryUsage().getUsed() / 2**20)


def measure(rows: int, parallelism: int) -> tuple[float, float, float]:
    """Seconds of the job of so many rows after one of a tenth, and the least heap in use in each half of it."""
    job, _ = make_job(VARIANT, _SETTINGS, parallelism)
    job(rows // 10)
    with Heap() as heap:
        seconds = job(rows)
    half = len(heap.samples) // 2
    return seconds, min(heap.samples[:half]), min(heap.samples[half:])


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=3)
    given = options(parser, measure)
    result = Result("scaling", "s")
    counts = QUICK_ROWS if given.quick else ROWS
    for round_ in range(given.rounds):
        for rows in counts:
            # The longest jobs are there for memory, once.
            if round_ and rows > ROWS[1]:
                continue
            seconds, early, late = run(rows, 1)
            result.add("rows of a job", "leapstream, jvm", [seconds], rows)
            result.add("least heap in use, MiB", f"{rows:,} rows, first half", [early])
            result.add("least heap in use, MiB", f"{rows:,} rows, second half", [late])
        for parallelism in (1, 2):
            # Long enough that starting does not count.
            seconds, _, _ = run(max(rows for rows in counts if rows < ROWS[-1]), parallelism)
            result.add(PARALLEL, f"leapstream, parallelism {parallelism}", [seconds])
    result.finish()


def run(rows: int, parallelism: int) -> Any:
    """One measurement in a process of its own."""
    return in_process(str(Path(__file__).resolve()), [rows, parallelism])


if __name__ == "__main__":
    main()
