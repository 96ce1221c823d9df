"""How a Flink job with a model grows: with rows, in time and memory, and with parallelism.

The memory is the resident set of the Java virtual machine that runs the job, sampled while it does. Each measurement is a process
of its own.

Run it with ``python benchmarks/scaling.py [--rounds N] [--quick]``.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from statistics import median
from typing import Any

from flink import make_job
from measure import Result, in_process
from workloads import add_options, options

VARIANT = "forest3-20x5/jvm"
ROWS = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
QUICK_ROWS = (1_000_000, 5_000_000)
_SETTINGS: dict[str, str] = {}


class Memory:
    """Samples the resident set of the processes that this one started, in MiB."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        own = f"/proc/self/task/{threading.get_native_id()}/../../task"
        while not self._stop.wait(0.2):
            children = {child for task in Path(own).resolve().glob("*/children") for child in task.read_text().split()}
            self.samples.append(sum(_resident(child) for child in children))


def _resident(process: str) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def measure(rows: int, parallelism: int) -> tuple[float, float, float]:
    """Seconds of the job of so many rows after one of a tenth; the median memory in its first half, the greatest in its second."""
    job, _ = make_job(VARIANT, _SETTINGS, parallelism)
    job(rows // 10)
    with Memory() as memory:
        seconds = job(rows)
    half = len(memory.samples) // 2
    return seconds, median(memory.samples[: half or 1] or [0.0]), max(memory.samples[half:] or [0.0])


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
            seconds, early, settled = run(rows, 1)
            result.add("rows of a job", "leapstream, jvm", [seconds], rows)
            result.add("memory, MiB", f"{rows:,} rows, first half (median)", [early])
            result.add("memory, MiB", f"{rows:,} rows, second half (greatest)", [settled])
        for parallelism in (1, 2):
            seconds, _, _ = run(counts[1], parallelism)
            result.add(f"{counts[1]:,} rows", f"parallelism {parallelism}", [seconds])
    result.finish()


def run(rows: int, parallelism: int) -> Any:
    """One measurement in a process of its own."""
    return in_process(str(Path(__file__).resolve()), [rows, parallelism])


if __name__ == "__main__":
    main()
